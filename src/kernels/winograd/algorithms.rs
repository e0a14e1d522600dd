//! The algorithms: which points, and which of the three polynomials are evaluated at them.

use super::matrices::{Matrix, lagrange, normalised, powers, reversed};
use super::tiles::{Tiling, collect_images, collect_planes, spread_images, spread_planes};
use pulp::Simd;

/// An algorithm for a size of kernels. A tile is brought to points along both axes, one plane of values for each pair
/// of points, and the planes are `stride` values apart.
pub trait Algorithm: std::fmt::Debug + Copy + Send + 'static {
    /// Points along one axis.
    const POINTS: usize;
    /// Rows and columns of the kernel.
    const TAPS: usize;
    /// Rows and columns that a tile reads before what it writes.
    const BEFORE: usize;

    /// What comes in, at the points.
    fn spread_input<S: Simd>(
        self,
        simd: S,
        t: Tiling,
        images: &[f32],
        planes: &mut [f32],
        stride: usize,
    );

    /// Adds to the gradient of what comes in what it is at the points.
    fn collect_input<S: Simd>(
        self,
        simd: S,
        t: Tiling,
        planes: &[f32],
        stride: usize,
        images: &mut [f32],
    );

    /// The gradient of what goes out, at the points.
    fn spread_output<S: Simd>(
        self,
        simd: S,
        t: Tiling,
        images: &[f32],
        planes: &mut [f32],
        stride: usize,
    );

    /// What goes out, from what it is at the points and a bias.
    fn collect_output<S: Simd>(
        self,
        simd: S,
        t: Tiling,
        planes: &[f32],
        stride: usize,
        images: &mut [f32],
        bias: &[f32],
    );

    /// Turns planes of taps into planes of points, of which there are more.
    fn spread_taps<S: Simd>(self, simd: S, planes: &mut [f32], stride: usize);

    /// Turns the gradients at points into those of taps, which are the first planes then.
    fn collect_taps<S: Simd>(self, simd: S, planes: &mut [f32], stride: usize);
}

/// Finite points, pairs first; the one at infinity that completes the number follows them.
const SIX: [f64; 5] = [0.625, -0.625, 1.5, -1.5, 0.0];
const SEVEN: [f64; 6] = [0.5, -0.5, 1.0, -1.0, 1.75, -1.75];
const EIGHT: [f64; 7] = [0.5, -0.5, 1.0, -1.0, 1.75, -1.75, 0.0];

/// An algorithm of so many points and taps, and tiles of so many values that come in and go out.
macro_rules! algorithm {
    (
        $(#[$meta:meta])*
        $name:ident: $points:literal points, $taps:literal taps, $before:literal before;
        input $values:literal: $input:expr;
        output $outputs:literal: $output:expr;
        kernel: $kernel:expr
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        const _: () = {
            struct Input;
            impl Matrix<$points, $values> for Input {
                const ROWS: [[f32; $values]; $points] = $input;
            }
            struct Output;
            impl Matrix<$points, $outputs> for Output {
                const ROWS: [[f32; $outputs]; $points] = $output;
            }
            struct Kernel;
            impl Matrix<$points, $taps> for Kernel {
                const ROWS: [[f32; $taps]; $points] = $kernel;
            }

            impl Algorithm for $name {
                const POINTS: usize = $points;
                const TAPS: usize = $taps;
                const BEFORE: usize = $before;

                #[inline(always)]
                fn spread_input<S: Simd>(self, simd: S, t: Tiling, images: &[f32], planes: &mut [f32], stride: usize) {
                    spread_images::<S, Input, $points, $values>(simd, t, images, planes, stride);
                }

                #[inline(always)]
                fn collect_input<S: Simd>(self, simd: S, t: Tiling, planes: &[f32], stride: usize, images: &mut [f32]) {
                    collect_images::<S, Input, $points, $values>(simd, t, planes, stride, images, None);
                }

                #[inline(always)]
                fn spread_output<S: Simd>(self, simd: S, t: Tiling, images: &[f32], planes: &mut [f32], stride: usize) {
                    spread_images::<S, Output, $points, $outputs>(simd, t, images, planes, stride);
                }

                #[inline(always)]
                fn collect_output<S: Simd>(
                    self,
                    simd: S,
                    t: Tiling,
                    planes: &[f32],
                    stride: usize,
                    images: &mut [f32],
                    bias: &[f32],
                ) {
                    collect_images::<S, Output, $points, $outputs>(simd, t, planes, stride, images, Some(bias));
                }

                #[inline(always)]
                fn spread_taps<S: Simd>(self, simd: S, planes: &mut [f32], stride: usize) {
                    spread_planes::<S, Kernel, $points, $taps>(simd, planes, stride);
                }

                #[inline(always)]
                fn collect_taps<S: Simd>(self, simd: S, planes: &mut [f32], stride: usize) {
                    collect_planes::<S, Kernel, $points, $taps>(simd, planes, stride);
                }
            }
        };
    };
}

algorithm!(
    /// 3x3 kernels: 36 products a tile instead of 144.
    Three: 6 points, 3 taps, 1 before;
    input 6: lagrange(&SIX, 0);
    output 4: powers(&SIX);
    kernel: normalised(&SIX, powers(&SIX))
);

algorithm!(
    /// 3x3 kernels on images of 4x4: the middle of a tile, the rest of which is zero.
    ThreeOnFour: 6 points, 3 taps, 0 before;
    input 4: lagrange(&SIX, 1);
    output 4: powers(&SIX);
    kernel: normalised(&SIX, powers(&SIX))
);

algorithm!(
    /// 5x5 kernels: 64 products a tile instead of 400.
    Five: 8 points, 5 taps, 2 before;
    input 8: lagrange(&EIGHT, 0);
    output 4: powers(&EIGHT);
    kernel: normalised(&EIGHT, powers(&EIGHT))
);

algorithm!(
    /// 5x5 kernels on images of 4x4. The product of the image's and the output's polynomials has seven coefficients, so 49
    /// products are enough; the kernel is the third polynomial, and of its seven coefficients two are zero.
    FiveOnFour: 7 points, 5 taps, 0 before;
    input 4: reversed(powers(&SEVEN));
    output 4: powers(&SEVEN);
    kernel: normalised(&SEVEN, reversed(lagrange(&SEVEN, 1)))
);
