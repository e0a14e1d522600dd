//! One direction of a convolution over a batch: chunks of images that stay in the cache.

use super::geometry::{Class, Reading, Region};
use super::windows::{Packed, Run, Segment, Windows, outer_product, product, runs};

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
    /// Images that are worked on together.
    pub images: usize,
    /// The windows of a chunk by class and region.
    pub plans: Vec<Vec<Plan>>,
    /// Images with zeros around them.
    padded: Vec<f32>,
}

/// The windows of a region in a whole chunk, in values rather than pixels.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub starts: Vec<usize>,
    places: Vec<usize>,
    /// Windows that follow each other at equal distances.
    pub runs: Vec<Run>,
    pub segments: Vec<Segment>,
    pub length: usize,
}

impl Pathway {
    pub fn new(reading: Reading, channels: usize, read: usize, outputs: usize) -> Self {
        let size = reading.pixels() * read;
        let images = (CHUNK / size.max(1)).max(1);
        let plan = |region: &Region| {
            let of_image = |image: usize| region.starts.iter().map(move |start| (start, image));
            let starts = (0..images)
                .flat_map(of_image)
                .map(|(start, image)| image * size + start * read);
            let places = (0..images).flat_map(|image| {
                let targets = region.targets.iter();
                targets.map(move |target| (image * reading.targets + target) * outputs)
            });
            let (starts, places): (Vec<usize>, Vec<usize>) = (starts.collect(), places.collect());
            let segment = |&(start, tap): &(usize, usize)| Segment {
                start: start * read,
                row: tap * read,
            };
            Plan {
                runs: runs(&starts, &places),
                starts,
                places,
                segments: region.segments.iter().map(segment).collect(),
                length: region.length * read,
            }
        };
        let plans = |class: &Class| class.regions.iter().map(plan).collect();
        Self {
            plans: reading.classes.iter().map(plans).collect(),
            reading,
            channels,
            read,
            outputs,
            images,
            padded: Vec::new(),
        }
    }

    /// Multiplies the windows of a class by a matrix.
    pub fn product(
        &mut self,
        group: usize,
        class: usize,
        batch: usize,
        source: &[f32],
        matrix: &Packed,
        target: &mut [f32],
    ) {
        let group_outputs = group * matrix.outputs();
        let image = self.reading.targets * self.outputs;
        self.each_chunk(group, batch, source, |pathway, values, first, images| {
            let target = &mut target[first * image + group_outputs..(first + images) * image];
            for plan in &pathway.plans[class] {
                let count = plan.starts.len() / pathway.images * images;
                let starts = &plan.starts[..count];
                product(
                    plan.windows(values),
                    starts,
                    matrix,
                    target,
                    &plan.places[..count],
                    false,
                );
            }
        });
    }

    /// Adds the products of the windows' values and the gradient of what came of them.
    pub fn outer_product(
        &mut self,
        group: usize,
        batch: usize,
        source: &[f32],
        gradient: &[f32],
        outputs: usize,
        target: &mut [f32],
    ) {
        let image = self.reading.targets * self.outputs;
        self.each_chunk(group, batch, source, |pathway, values, first, images| {
            let gradient = &gradient[first * image + group * outputs..(first + images) * image];
            for plan in &pathway.plans[0] {
                let count = plan.starts.len() / pathway.images * images;
                outer_product(
                    plan.windows(values),
                    gradient,
                    (&plan.runs, count),
                    outputs,
                    target,
                );
            }
        });
    }

    /// Calls `work` with the values of each chunk, the number of its first image and that of its images.
    pub fn each_chunk(
        &mut self,
        group: usize,
        batch: usize,
        source: &[f32],
        mut work: impl FnMut(&Self, &[f32], usize, usize),
    ) {
        let [height, width] = self.reading.size;
        let image = height * width * self.channels;
        let bare = self.reading.is_bare() && self.read == self.channels;
        let mut room = std::mem::take(&mut self.padded);
        if !bare {
            room.resize(self.images * self.reading.pixels() * self.read, 0.0);
        }
        for first in (0..batch).step_by(self.images) {
            let images = self.images.min(batch - first);
            let values = &source[first * image..(first + images) * image];
            if bare {
                work(self, values, first, images);
            } else {
                self.reading.pad(
                    values,
                    self.channels,
                    group * self.read,
                    self.read,
                    &mut room,
                );
                work(self, &room, first, images);
            }
        }
        self.padded = room;
    }
}

impl Plan {
    fn windows<'a>(&'a self, source: &'a [f32]) -> Windows<'a> {
        Windows {
            source,
            segments: &self.segments,
            length: self.length,
        }
    }
}
