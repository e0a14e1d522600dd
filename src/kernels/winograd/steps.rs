//! What runs on vectors: kernels to their points and back, and both directions of a chunk of images.

use super::algorithms::Algorithm;
use super::plane;
use super::products::{BLOCK, outer_product, product};
use super::tiles::Tiling;
use pulp::{Simd, WithSimd};

/// The weights at their points, as matrices of `size` in panels; their filters are its columns if `turned`, and else its
/// rows.
pub struct Kernel<'a, A> {
    pub algorithm: A,
    pub weights: &'a [f32],
    pub size: [usize; 2],
    pub turned: bool,
    pub points: &'a mut [f32],
}

impl<A: Algorithm> WithSimd for Kernel<'_, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let taps = A::TAPS * A::TAPS;
        let stride = plane(self.size);
        let [rows, columns] = self.size;
        let channels = if self.turned { rows } else { columns };
        // Taps lie in the first planes until each vector is brought to all of them.
        for (filter, weights) in self.weights.chunks_exact(channels * taps).enumerate() {
            for (channel, weights) in weights.chunks_exact(taps).enumerate() {
                let at = match self.turned {
                    true => in_panels(self.size, channel, filter),
                    false => in_panels(self.size, filter, channel),
                };
                for (plane, &weight) in self.points.chunks_exact_mut(stride).zip(weights) {
                    plane[at] = weight;
                }
            }
        }
        self.algorithm.spread_taps(simd, self.points, stride);
    }
}

/// Where a value lies in panels of a matrix.
fn in_panels([rows, columns]: [usize; 2], row: usize, column: usize) -> usize {
    let first = column / BLOCK * BLOCK;
    first * rows + row * BLOCK.min(columns - first) + column - first
}

/// The gradient of the weights from that at their points, which are matrices of `channels` by `filters`.
pub struct KernelGradient<'a, A> {
    pub algorithm: A,
    pub points: &'a mut [f32],
    pub size: [usize; 2],
    pub gradient: &'a mut [f32],
}

impl<A: Algorithm> WithSimd for KernelGradient<'_, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let taps = A::TAPS * A::TAPS;
        let stride = plane(self.size);
        let [channels, filters] = self.size;
        self.algorithm.collect_taps(simd, self.points, stride);
        let of_filter = self.gradient.chunks_exact_mut(channels * taps);
        for (filter, gradient) in of_filter.enumerate() {
            for (channel, gradient) in gradient.chunks_exact_mut(taps).enumerate() {
                let at = channel * filters + filter;
                for (value, plane) in gradient.iter_mut().zip(self.points.chunks_exact(stride)) {
                    *value = plane[at];
                }
            }
        }
    }
}

/// A chunk of images, forward.
pub struct Forward<'a, A> {
    pub algorithm: A,
    pub tilings: [Tiling; 2],
    pub input: &'a [f32],
    pub output: &'a mut [f32],
    pub kernel: &'a [f32],
    pub bias: &'a [f32],
    /// Planes of what comes in and what goes out.
    pub planes: [&'a mut [f32]; 2],
}

impl<A: Algorithm> WithSimd for Forward<'_, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [input, output] = self.tilings;
        let [inputs, outputs] = self.planes;
        let (channels, filters) = (input.channels, output.channels);
        let tiles = self.input.len() / input.image() * input.count();
        let strides = [plane([tiles, channels]), plane([tiles, filters])];
        self.algorithm
            .spread_input(simd, input, self.input, inputs, strides[0]);
        let kernels = self.kernel.chunks_exact(plane([channels, filters]));
        let planes = inputs.chunks_exact(strides[0]).zip(kernels);
        for ((values, kernel), target) in planes.zip(outputs.chunks_exact_mut(strides[1])) {
            let values = &values[..tiles * channels];
            let target = &mut target[..tiles * filters];
            product::<S>(simd, values, channels, kernel, target, filters);
        }
        self.algorithm
            .collect_output(simd, output, outputs, strides[1], self.output, self.bias);
    }
}

/// A chunk of images, backward.
pub struct Backward<'a, A> {
    pub algorithm: A,
    pub tilings: [Tiling; 2],
    pub input: &'a [f32],
    pub gradient: &'a [f32],
    pub kernel: &'a [f32],
    /// The gradient of the kernel at its points, which is added to.
    pub sums: &'a mut [f32],
    /// The gradient of what comes in, where somebody asks for it.
    pub target: Option<&'a mut [f32]>,
    /// Planes of what comes in and what goes out.
    pub planes: [&'a mut [f32]; 2],
}

impl<A: Algorithm> WithSimd for Backward<'_, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [input, output] = self.tilings;
        let [inputs, outputs] = self.planes;
        let (channels, filters) = (input.channels, output.channels);
        let tiles = self.input.len() / input.image() * input.count();
        let strides = [plane([tiles, channels]), plane([tiles, filters])];
        self.algorithm
            .spread_input(simd, input, self.input, inputs, strides[0]);
        self.algorithm
            .spread_output(simd, output, self.gradient, outputs, strides[1]);
        let kernels = self.kernel.chunks_exact(plane([filters, channels]));
        let sums = self.sums.chunks_exact_mut(plane([channels, filters]));
        let planes = inputs.chunks_exact_mut(strides[0]);
        let gradients = outputs.chunks_exact(strides[1]);
        for (((values, gradient), sums), kernel) in planes.zip(gradients).zip(sums).zip(kernels) {
            let values = &mut values[..tiles * channels];
            let gradient = &gradient[..tiles * filters];
            outer_product::<S>(simd, values, channels, gradient, filters, sums);
            // What came in at this point is needed no more.
            if self.target.is_some() {
                product::<S>(simd, gradient, filters, kernel, values, channels);
            }
        }
        if let Some(target) = self.target {
            target.fill(0.0);
            self.algorithm
                .collect_input(simd, input, inputs, strides[0], target);
        }
    }
}
