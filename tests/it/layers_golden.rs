//! Layers, optimisers and losses against what PyTorch computes (tests/golden/layers.py).

use super::golden::{Case, GOLDEN, failures, run};
use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::Deserialize;
use strata::layers::Parameter;
use strata::training::{Optimizer, Recipe, clip_gradients, cross_entropy};

/// Largest difference, as a share of the largest value of the tensor.
const TOLERANCE: f64 = 1e-5;

fn read<T: for<'de> Deserialize<'de>>(name: &str) -> Vec<T> {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn assert_close(what: &str, found: &[f32], golden: &[f32]) {
    assert_eq!(found.len(), golden.len(), "{what}: number of values");
    let scale = golden
        .iter()
        .fold(1e-3, |top: f64, value| top.max(f64::from(value.abs())));
    for (index, (a, b)) in found.iter().zip(golden).enumerate() {
        let difference = (f64::from(*a) - f64::from(*b)).abs();
        assert!(
            difference <= TOLERANCE * scale,
            "{what}[{index}]: {a}, PyTorch {b}"
        );
    }
}

/// The same in 64 bits. The golden values have eleven digits, but burn rounds the numbers that tensors are divided
/// by to 32 bits in the gradient.
const TOLERANCE_OF_64_BITS: f64 = 1e-7;

fn assert_near(what: &str, found: &[f64], golden: &[f64], tolerance: f64) {
    assert_eq!(found.len(), golden.len(), "{what}: number of values");
    let scale = golden
        .iter()
        .fold(1e-3, |top: f64, value| top.max(value.abs()));
    for (index, (a, b)) in found.iter().zip(golden).enumerate() {
        let difference = (a - b).abs();
        assert!(
            difference <= tolerance * scale,
            "{what}[{index}]: {a}, PyTorch {b}"
        );
    }
}

/// Output, buffers and gradients of a case in one precision.
fn check(case: &Case, precision: DType, tolerance: f64) {
    let what = format!("{} in {precision:?}", case.name());
    let specs = case.layer().parameters(&case.shapes());
    let shapes: Vec<_> = specs.into_iter().map(|spec| spec.shape).collect();
    let golden: Vec<_> = case.parameters.iter().map(|p| p.shape.clone()).collect();
    assert_eq!(shapes, golden, "{what}: shapes of parameters");
    let ran = run(case, &case.values(), precision, case.training.then_some(0));
    assert_eq!(ran.dims, case.output.shape, "{what}: output");
    assert_near(&what, &ran.values(), &case.output.values, tolerance);
    assert_eq!(ran.buffers.len(), case.buffers.len(), "{what}: buffers");
    for (buffer, golden) in ran.buffers.iter().zip(&case.buffers) {
        assert_near(&format!("{what}: buffer"), buffer, &golden.after, tolerance);
    }
    if !ran.output.is_tracked() {
        return;
    }
    let gradients = ran.gradients(&case.weights);
    let inputs = case.inputs.iter().map(|input| &input.tensor.gradient);
    for (index, (found, golden)) in gradients.inputs.iter().zip(inputs).enumerate() {
        assert_near(
            &format!("{what}: gradient of input {index}"),
            found,
            golden,
            tolerance,
        );
    }
    for (index, (found, golden)) in gradients
        .parameters
        .iter()
        .zip(&case.parameters)
        .enumerate()
    {
        let what = format!("{what}: gradient of parameter {index}");
        assert_near(&what, found, &golden.gradient, tolerance);
    }
}

/// Checks every case and reports all that fail.
fn check_all(precision: DType, tolerance: f64) {
    let failed = failures(&GOLDEN.cases, |case| check(case, precision, tolerance));
    assert!(
        failed.is_empty(),
        "{} cases:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

fn values(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

#[test]
fn layers_compute_what_pytorch_computes_in_both_directions() {
    check_all(DType::F32, TOLERANCE);
}

#[test]
fn layers_compute_what_pytorch_computes_in_64_bits() {
    check_all(DType::F64, TOLERANCE_OF_64_BITS);
}

#[derive(Deserialize)]
struct Trajectory {
    name: String,
    recipe: Recipe,
    rates: Vec<f64>,
    shapes: Vec<Vec<usize>>,
    start: Vec<Vec<f32>>,
    gradients: Vec<Vec<Vec<f32>>>,
    norms: Vec<f64>,
    after: Vec<Vec<Vec<f32>>>,
}

#[test]
fn optimizers_step_as_pytorch_does() {
    for case in read::<Trajectory>("optimizers.json") {
        let data = |values: &[Vec<f32>]| -> Vec<TensorData> {
            let pairs = values.iter().zip(&case.shapes);
            pairs
                .map(|(values, shape)| TensorData::new(values.clone(), shape.clone()))
                .collect()
        };
        let device = Device::flex().autodiff();
        let mut parameters: Vec<Parameter> = data(&case.start)
            .into_iter()
            .map(|data| Parameter::from_data(data, &device))
            .collect();
        let mut optimizer = Optimizer::new(&case.recipe, parameters.len());
        for (step, rate) in case.rates.iter().enumerate() {
            let mut gradients: Vec<_> = data(&case.gradients[step]).into_iter().map(Some).collect();
            if let Some(limit) = case.recipe.gradient_clip_norm {
                let norm = clip_gradients(&mut gradients, limit);
                assert!(
                    (norm - case.norms[step]).abs() < 1e-5 * norm,
                    "{}: norm",
                    case.name
                );
            }
            optimizer.step(&mut parameters, &gradients, *rate);
            for (parameter, golden) in parameters.iter().zip(&case.after[step]) {
                let found = parameter.to_data().try_into_vec::<f32>().unwrap();
                assert_close(&format!("{} after step {step}", case.name), &found, golden);
            }
        }
    }
}

#[derive(Deserialize)]
struct GoldenLoss {
    smoothing: f64,
    logits: Vec<f32>,
    labels: Vec<u32>,
    loss: f32,
    gradient: Vec<f32>,
}

#[test]
fn cross_entropy_with_smoothing_is_pytorchs() {
    for case in read::<GoldenLoss>("losses.json") {
        let device = Device::flex().autodiff();
        let batch = case.labels.len();
        let data = TensorData::new(case.logits.clone(), [batch, case.logits.len() / batch]);
        let logits = Tensor::<2>::from_data(data, &device).require_grad();
        let loss = cross_entropy(logits.clone(), &case.labels, case.smoothing);
        let gradients = loss.backward();
        assert_close("loss", &values(loss.inner()), &[case.loss]);
        let gradient = logits.grad(&gradients).unwrap().reshape([-1]);
        assert_close("gradient of the logits", &values(gradient), &case.gradient);
    }
}
