//! Convolutions' share of what a core's fused multiply-adds can do, by shape: a table for docs/performance.md.
//!
//!     taskset -c 0 cargo bench --bench kernels

#![expect(clippy::print_stdout, reason = "a table for people")]

use pulp::{Simd, WithSimd};
use std::hint::black_box;
use std::time::Instant;
use strata::kernels::{Geometry, Pass, convolution, path};

const BATCH: usize = 64;

/// Size of the image, channels in and out, kernel, stride, groups.
const SHAPES: [[usize; 6]; 14] = [
    [32, 16, 16, 3, 1, 1],
    [32, 32, 32, 3, 1, 1],
    [16, 64, 64, 3, 1, 1],
    [8, 128, 128, 3, 1, 1],
    [8, 16, 16, 3, 1, 1],
    [8, 32, 32, 5, 1, 1],
    [8, 8, 8, 3, 1, 1],
    [4, 32, 32, 3, 1, 1],
    [32, 3, 16, 3, 1, 1],
    [32, 32, 32, 1, 1, 1],
    [16, 144, 32, 1, 1, 1],
    [32, 16, 32, 3, 2, 1],
    [16, 96, 96, 3, 1, 96],
    [16, 96, 96, 5, 1, 96],
];

fn main() {
    let peak = peak();
    println!("{}: {peak:.1} GFLOP/s in registers\n", path());
    println!(
        "| input | filters | kernel | forward | input gradient | weight gradient |\n| --- | --- | --- | --- | --- | --- |"
    );
    for [size, channels, filters, kernel, stride, groups] in SHAPES {
        let geometry = Geometry {
            input: [size; 2],
            output: [size.div_ceil(stride); 2],
            channels,
            filters,
            kernel: [kernel; 2],
            stride: [stride; 2],
            dilation: [1; 2],
            before: [(kernel - 1) / 2; 2],
            groups,
        };
        let [forward, inputs, weights] = measure(geometry).map(|rate| 100.0 * rate / peak);
        let note = if groups > 1 { " depthwise" } else { "" };
        let stride = if stride > 1 {
            format!(" stride {stride}")
        } else {
            String::new()
        };
        println!(
            "| {channels}x{size}x{size} | {filters} | {kernel}x{kernel}{stride}{note} | {forward:.0}% | {inputs:.0}% | {weights:.0}% |"
        );
    }
}

/// GFLOP/s of the forward pass, the input gradient and the weight gradient.
fn measure(geometry: Geometry) -> [f64; 3] {
    let g = geometry;
    let mut operation = convolution(g, false);
    let fill =
        |count: usize| -> Vec<f32> { (0..count).map(|i| (i % 13) as f32 * 0.1 - 0.5).collect() };
    let input = fill(BATCH * g.input[0] * g.input[1] * g.channels);
    let parameters = [fill(g.filters * g.channels_of_group() * g.taps())];
    let pixels = BATCH * g.output[0] * g.output[1];
    let mut output = vec![0.0; pixels * g.filters];
    let pass = Pass {
        batch: BATCH,
        inputs: &[&input],
        parameters: &parameters,
    };
    let work = 2e-9 * (pixels * g.filters * g.channels_of_group() * g.taps()) as f64;
    let forward = fastest(|| operation.forward(pass, &mut [], None, &mut output));
    let (mut gradient, mut target) = (output.clone(), vec![0.0; input.len()]);
    let mut sums = parameters.clone();
    let weights =
        fastest(|| operation.backward(pass, &output, &mut gradient, &mut [None], &mut sums));
    let both = fastest(|| {
        operation.backward(
            pass,
            &output,
            &mut gradient,
            &mut [Some(&mut target)],
            &mut sums,
        );
    });
    [forward, both - weights, weights].map(|seconds| work / seconds)
}

/// The shortest of many runs: what the code can do, whatever else the machine does.
fn fastest(mut run: impl FnMut()) -> f64 {
    let (start, mut best) = (Instant::now(), f64::INFINITY);
    while start.elapsed().as_secs_f64() < 1.0 {
        let begun = Instant::now();
        run();
        best = best.min(begun.elapsed().as_secs_f64());
    }
    best
}

/// GFLOP/s of independent fused multiply-adds.
fn peak() -> f64 {
    const TIMES: usize = 100_000;
    struct Chains;
    impl WithSimd for Chains {
        type Output = f32;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f32 {
            let (a, b) = (
                simd.splat_f32s(black_box(1.0001)),
                simd.splat_f32s(black_box(0.5)),
            );
            let mut sums = [simd.splat_f32s(0.0); 12];
            for _ in 0..TIMES {
                for sum in &mut sums {
                    *sum = simd.mul_add_e_f32s(*sum, a, b);
                }
            }
            sums.iter().map(|&sum| simd.reduce_sum_f32s(sum)).sum()
        }
    }
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    let lanes = pulp::Arch::new().dispatch(Lanes);
    let seconds = fastest(|| {
        black_box(pulp::Arch::new().dispatch(Chains));
    });
    2e-9 * (TIMES * 12 * lanes) as f64 / seconds
}
