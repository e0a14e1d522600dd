//! Convolutions by fewer multiplications: Winograd's algorithms, with the matrices of Cook and Toom.
//!
//! Tiles of images and the kernel are brought to points, where a convolution is a product: for each point, a small matrix
//! of all tiles by all channels times one of channels by filters. All three directions are the same steps with the same
//! three matrices, one of them transposed. Sums run over tiles and channels in their order, in chunks that depend on nothing
//! but the shape.

mod algorithms;
mod matrices;
mod products;
mod steps;
mod tiles;
mod transforms;

use super::geometry::Geometry;
use super::operation::{Operation, Pass};
use crate::random::Stream;
use algorithms::{Algorithm, Five, FiveOnFour, Three, ThreeOnFour};
use products::BLOCK;
use std::cell::RefCell;
use steps::{Backward, Forward, Kernel, KernelGradient};
use tiles::{STEP, Tiling};

/// Values of all planes that are worked on together: they stay in the second cache.
const CHUNK: usize = 1 << 15;

/// Tiles that are worked on together at least, so that kernels are not read too often.
const TILES: usize = 24;

/// Tiles that are multiplied together.
const GROUP: usize = 6;

/// The operation for a geometry that is clearly faster so than directly.
pub fn winograd(g: Geometry, biased: bool) -> Option<Box<dyn Operation>> {
    let plain = g.stride == [1; 2] && g.dilation == [1; 2] && g.groups == 1;
    let same = g.input == g.output && g.kernel.map(|taps| taps / 2) == g.before;
    let whole = g.channels.is_multiple_of(8) && g.filters.is_multiple_of(8);
    if !plain || !same || !whole {
        return None;
    }
    match (g.kernel, g.input) {
        ([3, 3], [4, 4]) => Winograd::boxed(ThreeOnFour, g, biased),
        ([3, 3], _) => Winograd::boxed(Three, g, biased),
        ([5, 5], [4, 4]) => Winograd::boxed(FiveOnFour, g, biased),
        ([5, 5], _) => Winograd::boxed(Five, g, biased),
        _ => None,
    }
}

/// A convolution by an algorithm.
#[derive(Clone, Debug)]
struct Winograd<A> {
    algorithm: A,
    /// Of what comes in, and of what goes out.
    tilings: [Tiling; 2],
    biased: bool,
    bias: Vec<f32>,
    /// Images that are worked on together.
    images: usize,
}

thread_local! {
    /// What nobody needs from one call to the next: one for all convolutions that a thread computes.
    static ROOM: RefCell<Room> = RefCell::default();
}

/// Values at points.
#[derive(Debug, Default)]
struct Room {
    kernel: Aligned,
    /// The gradient of the kernel.
    sums: Aligned,
    /// What comes in and what goes out.
    planes: [Aligned; 2],
}

/// Memory that begins with a line of the cache.
#[derive(Debug, Default)]
struct Aligned(Vec<f32>);

impl Aligned {
    fn take(&mut self, values: usize) -> &mut [f32] {
        if self.0.len() < values + BLOCK {
            self.0.resize(values + BLOCK, 0.0);
        }
        let skipped = self.0.as_ptr().align_offset(64).min(BLOCK);
        &mut self.0[skipped..skipped + values]
    }
}

/// Values between the planes of matrices of a size: no power of two, so that neighbours don't share a place in the cache.
fn plane([rows, columns]: [usize; 2]) -> usize {
    (rows * columns).next_multiple_of(2 * BLOCK) + BLOCK
}

impl<A: Algorithm> Winograd<A> {
    fn boxed(algorithm: A, g: Geometry, biased: bool) -> Option<Box<dyn Operation>> {
        let operation = Self::new(algorithm, g, biased);
        operation
            .pays(&g)
            .then(|| Box::new(operation) as Box<dyn Operation>)
    }

    fn new(algorithm: A, g: Geometry, biased: bool) -> Self {
        let tiles = g.output.map(|size| size.div_ceil(STEP));
        let tiling = |size, before, channels| Tiling {
            size,
            tiles,
            before,
            channels,
        };
        let count = tiles[0] * tiles[1];
        let values = A::POINTS * A::POINTS * count * g.channels.max(g.filters);
        let images = (CHUNK / values).max(TILES.div_ceil(count));
        // As few as make whole groups, where that is possible.
        let whole = (1..=GROUP).find(|images| (images * count).is_multiple_of(GROUP));
        Self {
            algorithm,
            tilings: [
                tiling(g.input, A::BEFORE, g.channels),
                tiling(g.output, 0, g.filters),
            ],
            biased,
            bias: vec![0.0; g.filters],
            images: images.next_multiple_of(whole.unwrap_or(1)),
        }
    }

    /// Whether it needs four fifths of the direct way's work or less. To bring a channel of a tile to a point, or back, takes as
    /// long as five products.
    fn pays(&self, g: &Geometry) -> bool {
        let products = g.channels * g.filters;
        let points = A::POINTS * A::POINTS * self.tilings[0].count();
        let work = points * (products + 5 * (g.channels + g.filters));
        let direct = seen(g, 0) * seen(g, 1) * products;
        4 * direct >= 5 * work
    }

    /// How many values the kernel and each of the two planes take for a batch.
    fn sizes(&self, batch: usize) -> (usize, [usize; 2]) {
        let points = A::POINTS * A::POINTS;
        let channels = self.tilings.map(|tiling| tiling.channels);
        let tiles = self.images.min(batch) * self.tilings[0].count();
        let planes = channels.map(|channels| points * plane([tiles, channels]));
        (points * plane(channels), planes)
    }

    fn run_forward(&mut self, room: &mut Room, pass: Pass<'_>, output: &mut [f32]) {
        let arch = pulp::Arch::new();
        let (algorithm, tilings, images) = (self.algorithm, self.tilings, self.images);
        let (kernel, planes) = self.sizes(pass.batch);
        let kernel = room.kernel.take(kernel);
        let [inputs, outputs] = &mut room.planes;
        let [inputs, outputs] = [inputs.take(planes[0]), outputs.take(planes[1])];
        if self.biased {
            self.bias.copy_from_slice(&pass.parameters[1]);
        }
        arch.dispatch(Kernel {
            algorithm,
            weights: &pass.parameters[0],
            size: tilings.map(|tiling| tiling.channels),
            turned: true,
            points: kernel,
        });
        let input = pass.inputs[0].chunks(images * tilings[0].image());
        let output = output.chunks_mut(images * tilings[1].image());
        for (input, output) in input.zip(output) {
            arch.dispatch(Forward {
                algorithm,
                tilings,
                input,
                output,
                kernel,
                bias: &self.bias,
                planes: [&mut *inputs, &mut *outputs],
            });
        }
    }

    fn run_backward(
        &self,
        room: &mut Room,
        pass: Pass<'_>,
        gradient: &[f32],
        target: Option<&mut [f32]>,
        weights: &mut [f32],
    ) {
        let arch = pulp::Arch::new();
        let (algorithm, tilings, images) = (self.algorithm, self.tilings, self.images);
        let [channels, filters] = tilings.map(|tiling| tiling.channels);
        let (kernel, planes) = self.sizes(pass.batch);
        let [kernel, sums] = [room.kernel.take(kernel), room.sums.take(kernel)];
        let [inputs, outputs] = &mut room.planes;
        let [inputs, outputs] = [inputs.take(planes[0]), outputs.take(planes[1])];
        let image = images * tilings[0].image();
        let mut targets = target.map(|target| target.chunks_mut(image));
        if targets.is_some() {
            arch.dispatch(Kernel {
                algorithm,
                weights: &pass.parameters[0],
                size: [filters, channels],
                turned: false,
                points: kernel,
            });
        }
        sums.fill(0.0);
        let input = pass.inputs[0].chunks(image);
        let gradient = gradient.chunks(images * tilings[1].image());
        for (input, gradient) in input.zip(gradient) {
            arch.dispatch(Backward {
                algorithm,
                tilings,
                input,
                gradient,
                kernel,
                sums: &mut *sums,
                target: targets.as_mut().and_then(Iterator::next),
                planes: [&mut *inputs, &mut *outputs],
            });
        }
        arch.dispatch(KernelGradient {
            algorithm,
            points: sums,
            size: [channels, filters],
            gradient: weights,
        });
    }
}

/// How often a tap sees a value along an axis, rather than what lies outside.
fn seen(g: &Geometry, axis: usize) -> usize {
    let (size, before) = (g.input[axis], g.before[axis]);
    let inside = |place: usize| (before..size + before).contains(&place);
    let taps = |place: usize| (0..g.kernel[axis]).filter(move |tap| inside(place + tap));
    (0..g.output[axis]).map(|place| taps(place).count()).sum()
}

impl<A: Algorithm> Operation for Winograd<A> {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        ROOM.with_borrow_mut(|room| self.run_forward(room, pass, output));
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        if self.biased {
            super::sums::column_sums(gradient, &mut parameters[1]);
        }
        let (target, weights) = (inputs[0].as_deref_mut(), &mut parameters[0]);
        ROOM.with_borrow_mut(|room| self.run_backward(room, pass, gradient, target, weights));
    }

    fn preserves_zeros(&self) -> bool {
        !self.biased
    }
}

#[cfg(test)]
mod tests {
    use super::super::convolution::Convolution;
    use super::*;
    use crate::random::{Purpose, Seed};

    fn same(input: [usize; 2], channels: usize, filters: usize, taps: usize) -> Geometry {
        Geometry {
            input,
            output: input,
            channels,
            filters,
            kernel: [taps; 2],
            stride: [1; 2],
            dilation: [1; 2],
            before: [taps / 2; 2],
            groups: 1,
        }
    }

    fn normal(count: usize, seed: u64) -> Vec<f32> {
        let mut stream = Seed(seed).stream(0, Purpose::Tool);
        (0..count).map(|_| stream.normal() as f32).collect()
    }

    /// The output and the gradients of input, weights and bias.
    fn results(mut operation: impl Operation, g: Geometry, batch: usize) -> [Vec<f32>; 4] {
        let input = normal(batch * g.input[0] * g.input[1] * g.channels, 1);
        let weights = normal(g.filters * g.channels * g.taps(), 2);
        let parameters = [weights, normal(g.filters, 3)];
        let pass = Pass {
            batch,
            inputs: &[&input],
            parameters: &parameters,
        };
        let mut output = vec![f32::NAN; batch * g.output[0] * g.output[1] * g.filters];
        operation.forward(pass, &mut [], None, &mut output);
        let mut gradient = normal(output.len(), 4);
        let mut target = vec![f32::NAN; input.len()];
        let mut gradients = parameters.clone();
        let targets = &mut [Some(&mut target[..])];
        operation.backward(pass, &output, &mut gradient, targets, &mut gradients);
        // Without an input's gradient the others are the same.
        let mut again = parameters.clone();
        operation.backward(pass, &output, &mut gradient, &mut [None], &mut again);
        assert_eq!(gradients, again);
        let [weights, bias] = gradients;
        [output, target, weights, bias]
    }

    /// The largest difference, in parts of the largest value.
    fn difference(values: &[f32], expected: &[f32]) -> f32 {
        let largest = expected.iter().fold(0.0_f32, |m, value| m.max(value.abs()));
        let pairs = values.iter().zip(expected);
        pairs.fold(0.0_f32, |m, (a, b)| m.max((a - b).abs())) / largest
    }

    fn agrees<A: Algorithm>(algorithm: A, sizes: &[[usize; 2]], taps: usize, tolerance: f32) {
        for &size in sizes {
            for [channels, filters] in [[8, 8], [16, 40], [24, 8], [32, 32]] {
                for batch in [1, 5, 26] {
                    let g = same(size, channels, filters, taps);
                    let found = results(Winograd::new(algorithm, g, true), g, batch);
                    let expected = results(Convolution::new(g, true), g, batch);
                    for (found, expected) in found.iter().zip(&expected) {
                        let difference = difference(found, expected);
                        assert!(
                            difference < tolerance,
                            "{difference} for {batch} images, {g:?}"
                        );
                    }
                }
            }
        }
    }

    const SIZES: [[usize; 2]; 6] = [[8, 8], [7, 9], [4, 12], [2, 5], [4, 4], [1, 1]];

    #[test]
    fn kernels_of_3x3_agree_with_the_direct_way() {
        agrees(Three, &SIZES, 3, 5e-6);
        agrees(ThreeOnFour, &[[4, 4]], 3, 5e-6);
    }

    #[test]
    fn kernels_of_5x5_agree_with_the_direct_way() {
        agrees(Five, &SIZES, 5, 2e-5);
        agrees(FiveOnFour, &[[4, 4]], 5, 2e-5);
    }

    #[test]
    fn an_image_does_not_depend_on_the_others_of_its_batch() {
        let g = same([8, 8], 16, 24, 5);
        let (image, batch) = (8 * 8 * 24, 11);
        let [output, ..] = results(Winograd::new(Five, g, true), g, batch);
        let [alone, ..] = results(Winograd::new(Five, g, true), g, 1);
        assert_eq!(output[..image], alone);
        let mut operation = Winograd::new(Five, g, false);
        let (one, weights) = (normal(8 * 8 * 16, 5), [normal(24 * 16 * 25, 6)]);
        let all: Vec<f32> = (0..batch).flat_map(|_| one.clone()).collect();
        let pass = Pass {
            batch,
            inputs: &[&all],
            parameters: &weights,
        };
        let mut output = vec![0.0; batch * image];
        operation.forward(pass, &mut [], None, &mut output);
        for other in output.chunks_exact(image) {
            assert_eq!(other, &output[..image]);
        }
    }

    #[test]
    fn it_is_chosen_where_it_pays_and_only_there() {
        let chosen = |g: Geometry| winograd(g, false).is_some();
        for channels in [8, 16, 32, 64] {
            for size in [8, 16, 32] {
                assert!(chosen(same([size; 2], channels, channels, 3)));
                assert!(chosen(same([size; 2], channels, channels, 5)));
            }
        }
        assert!(chosen(same([4, 4], 16, 16, 3)));
        assert!(chosen(same([4, 4], 16, 16, 5)));
        // Tiles that are mostly outside, other channels, nothing to transform.
        assert!(!chosen(same([5, 5], 16, 16, 3)));
        assert!(!chosen(same([2, 2], 64, 64, 3)));
        assert!(!chosen(same([8, 8], 12, 16, 3)));
        assert!(!chosen(same([8, 8], 1, 16, 5)));
        assert!(!chosen(same([8, 8], 16, 16, 1)));
        let g = same([8, 8], 16, 16, 3);
        let others = [
            Geometry { groups: 2, ..g },
            Geometry {
                stride: [2; 2],
                output: [4; 2],
                ..g
            },
            Geometry {
                dilation: [2; 2],
                before: [2; 2],
                ..g
            },
            Geometry {
                before: [0; 2],
                output: [6; 2],
                ..g
            },
        ];
        assert!(!others.into_iter().any(chosen));
    }
}
