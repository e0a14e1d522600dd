//! One direction of a convolution over a batch: chunks of images, with zeros around them where windows look.

use super::geometry::{Class, Reading};
use super::windows::{Packed, Windows, outer_product, product};

/// Values of padded images that are worked on together: they stay in the second cache.
const CHUNK: usize = 1 << 15;

/// One direction: from images of `channels` to images of `outputs`, group by group and chunk by chunk.
#[derive(Clone, Debug)]
pub(super) struct Pathway {
    pub reading: Reading,
    /// All channels of the source.
    channels: usize,
    /// Those that a group reads.
    read: usize,
    /// All channels of the target.
    outputs: usize,
    /// Images that are worked on together.
    pub images: usize,
    /// Where windows begin in the values of a chunk, what they write, where segments begin; by class.
    pub plans: Vec<Plan>,
    /// Images with zeros around them.
    padded: Vec<f32>,
}

/// The windows of a class in a whole chunk, in values rather than pixels.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub starts: Vec<usize>,
    pub places: Vec<usize>,
    segments: Vec<usize>,
    length: usize,
}

impl Pathway {
    pub fn new(reading: Reading, channels: usize, read: usize, outputs: usize) -> Self {
        let size = reading.pixels() * read;
        let images = (CHUNK / size.max(1)).max(1);
        let plan = |class: &Class| {
            let of_image = |image: usize| class.starts.iter().map(move |start| (start, image));
            let starts = (0..images)
                .flat_map(of_image)
                .map(|(start, image)| image * size + start * read);
            let places = (0..images).flat_map(|image| {
                class
                    .targets
                    .iter()
                    .map(move |target| (image * reading.targets + target) * outputs)
            });
            Plan {
                starts: starts.collect(),
                places: places.collect(),
                segments: class
                    .segments
                    .iter()
                    .map(|(start, _)| start * read)
                    .collect(),
                length: class
                    .segments
                    .first()
                    .map_or(0, |(_, taps)| taps.len() * read),
            }
        };
        Self {
            plans: reading.classes.iter().map(plan).collect(),
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
            let plan = &pathway.plans[class];
            let count = plan.starts.len() / pathway.images * images;
            let windows = plan.windows(values, count);
            let target = &mut target[first * image + group_outputs..(first + images) * image];
            product(windows, matrix, target, &plan.places[..count], false);
        });
    }

    /// Multiplies the windows' values by the gradient of what came of them.
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
            let plan = &pathway.plans[0];
            let count = plan.starts.len() / pathway.images * images;
            let windows = plan.windows(values, count);
            let gradient = &gradient[first * image + group * outputs..(first + images) * image];
            outer_product(windows, gradient, &plan.places[..count], outputs, target);
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
    fn windows<'a>(&'a self, source: &'a [f32], count: usize) -> Windows<'a> {
        Windows {
            source,
            starts: &self.starts[..count],
            segments: &self.segments,
            length: self.length,
        }
    }
}
