//! One direction of a convolution over a batch: chunks of images that stay in the cache.

use super::geometry::{Class, Reading, Region};
use super::room::{Room, zeros};
use super::windows::{Run, Segment, Windows, outer_product, product, runs};

/// Values of images that are worked on together: they stay in the second cache.
const CHUNK: usize = 1 << 15;

/// One direction: from images of `channels` to images of `outputs`, group by group and chunk by chunk.
#[derive(Clone, Debug)]
pub(super) struct Pathway {
    pub reading: Reading,
    /// All channels of the source.
    pub channels: usize,
    /// Those that a group reads.
    read: usize,
    /// All channels of the target.
    outputs: usize,
    /// Images that are worked on together at most.
    images: usize,
    /// Of how many images the plans know the windows.
    planned: usize,
    /// The windows of a chunk by class and region.
    pub plans: Vec<Vec<Plan>>,
}

/// The windows of a region in several images, in values rather than pixels.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Windows of an image.
    pub windows: usize,
    /// Windows that follow each other at equal distances.
    pub runs: Vec<Run>,
    pub segments: Vec<Segment>,
    pub length: usize,
}

impl Pathway {
    pub fn new(reading: Reading, channels: usize, read: usize, outputs: usize) -> Self {
        let size = reading.pixels() * read;
        let segment = |&(start, tap): &(usize, usize)| Segment {
            start: start * read,
            row: tap * read,
        };
        let plan = |region: &Region| Plan {
            windows: region.starts.len(),
            runs: Vec::new(),
            segments: region.segments.iter().map(segment).collect(),
            length: region.length * read,
        };
        let plans = |class: &Class| class.regions.iter().map(plan).collect();
        Self {
            plans: reading.classes.iter().map(plans).collect(),
            reading,
            channels,
            read,
            outputs,
            images: (CHUNK / size.max(1)).max(1),
            planned: 0,
        }
    }

    /// Finds the windows of as many images.
    fn plan(&mut self, images: usize) {
        if images <= self.planned {
            return;
        }
        self.planned = images;
        let (reading, read, outputs) = (&self.reading, self.read, self.outputs);
        let (size, written) = (reading.pixels() * read, reading.targets * outputs);
        for (class, plans) in reading.classes.iter().zip(&mut self.plans) {
            for (region, plan) in class.regions.iter().zip(plans) {
                let windows = (0..images).flat_map(|image| {
                    let (first, place) = (image * size, image * written);
                    let pairs = region.starts.iter().zip(&region.targets);
                    pairs.map(move |(start, target)| {
                        [first + start * read, place + target * outputs]
                    })
                });
                plan.runs = runs(windows);
            }
        }
    }

    /// Multiplies the windows of a group and class by `room.packed`.
    pub fn product(
        &mut self,
        room: &mut Room,
        (group, class): (usize, usize),
        batch: usize,
        source: &[f32],
        target: &mut [f32],
    ) {
        let Room { packed, padded, .. } = room;
        let group_outputs = group * packed.outputs();
        let image = self.reading.targets * self.outputs;
        self.each_chunk(
            padded,
            group,
            batch,
            source,
            |pathway, values, first, images| {
                let target = &mut target[first * image + group_outputs..(first + images) * image];
                for plan in &pathway.plans[class] {
                    product(plan.looks(values), plan.of(images), packed, target, false);
                }
            },
        );
    }

    /// Adds to `room.sums` the products of the windows' values and the gradient of what came of them, a number of outputs.
    pub fn outer_product(
        &mut self,
        room: &mut Room,
        group: usize,
        batch: usize,
        source: &[f32],
        (gradient, outputs): (&[f32], usize),
    ) {
        let Room { padded, sums, .. } = room;
        let image = self.reading.targets * self.outputs;
        self.each_chunk(
            padded,
            group,
            batch,
            source,
            |pathway, values, first, images| {
                let gradient = &gradient[first * image + group * outputs..(first + images) * image];
                for plan in &pathway.plans[0] {
                    let windows = plan.looks(values);
                    outer_product(windows, gradient, plan.of(images), outputs, sums);
                }
            },
        );
    }

    /// Calls `work` with the values of each chunk, the number of its first image and that of its images. Images that need
    /// zeros around them get them in `padded`.
    pub fn each_chunk(
        &mut self,
        padded: &mut Vec<f32>,
        group: usize,
        batch: usize,
        source: &[f32],
        mut work: impl FnMut(&Self, &[f32], usize, usize),
    ) {
        let together = self.images.min(batch);
        self.plan(together);
        let [height, width] = self.reading.size;
        let image = height * width * self.channels;
        let bare = self.reading.is_bare() && self.read == self.channels;
        if !bare {
            zeros(padded, together * self.reading.pixels() * self.read);
        }
        for first in (0..batch).step_by(self.images) {
            let images = self.images.min(batch - first);
            let values = &source[first * image..(first + images) * image];
            if bare {
                work(self, values, first, images);
            } else {
                let channels = (self.channels, group * self.read, self.read);
                self.reading.pad(values, channels, padded);
                work(self, padded, first, images);
            }
        }
    }
}

impl Plan {
    /// The windows of as many images.
    pub fn of(&self, images: usize) -> (&[Run], usize) {
        (&self.runs, self.windows * images)
    }

    fn looks<'a>(&'a self, source: &'a [f32]) -> Windows<'a> {
        Windows {
            source,
            segments: &self.segments,
            length: self.length,
        }
    }
}
