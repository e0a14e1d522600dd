//! Kernels of our own against PyTorch's golden values, and whole programs against burn.

use super::corpus;
use super::golden::{Case, GOLDEN, failures};
use burn::tensor::Device;
use strata::architecture::Architecture;
use strata::data::Targets;
use strata::kernels::{Flow, Pass, transpose};
use strata::language::compile;
use strata::layers::{Mode, Shape};
use strata::model::{Network, Program};
use strata::random::{Purpose, Seed};
use strata::space::Sampling;
use strata::training::cross_entropy;

/// Largest difference from PyTorch, as a share of the largest value of the tensor.
const TOLERANCE: f64 = 1e-5;

/// Largest difference between a program and burn over a whole network, likewise.
const TOLERANCE_OF_NETWORKS: f64 = 1e-4;

/// The same where functions have kinks: last bits that differ move a few values across them, and each moves the
/// gradients of all layers before it.
const TOLERANCE_ACROSS_KINKS: f64 = 1e-2;

/// The same for networks of a hundred layers: what rounding moves across one kink moves values towards the next. That it
/// is kinks alone is tested on the same networks with a smooth function instead.
const TOLERANCE_ACROSS_MANY_KINKS: f64 = 2e-2;

fn difference(found: &[f32], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len(), "number of values");
    let scale = wanted.iter().fold(1e-3, |top: f64, x| top.max(x.abs()));
    let pairs = found.iter().zip(wanted);
    pairs.fold(0.0, |worst: f64, (a, b)| {
        let apart = (f64::from(*a) - b).abs() / scale;
        if apart.is_nan() {
            f64::INFINITY
        } else {
            worst.max(apart)
        }
    })
}

fn assert_near(what: &str, found: &[f32], wanted: &[f64]) {
    let apart = difference(found, wanted);
    assert!(apart <= TOLERANCE, "{what}: {apart} apart");
}

fn channels_last(shape: Shape, values: &[f64]) -> Vec<f32> {
    let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
    let mut turned = values.clone();
    if matches!(shape.kind(), "image" | "signal" | "volume") {
        transpose(
            &values,
            &mut turned,
            shape.features().unwrap(),
            shape.positions(),
        );
    }
    turned
}

fn channels_first(shape: Shape, values: &[f32]) -> Vec<f32> {
    let mut turned = values.to_vec();
    if matches!(shape.kind(), "image" | "signal" | "volume") {
        transpose(
            values,
            &mut turned,
            shape.positions(),
            shape.features().unwrap(),
        );
    }
    turned
}

fn check(case: &Case) {
    let (layer, shapes) = (case.layer(), case.shapes());
    let Some(mut operation) = layer.operation(&shapes) else {
        return;
    };
    let shape = layer.shape(&shapes).unwrap();
    let batch = case.inputs[0].tensor.shape[0];
    let inputs: Vec<Vec<f32>> = case
        .inputs
        .iter()
        .map(|input| channels_last(input.shape(), &input.tensor.values))
        .collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(|input| &input[..]).collect();
    let narrow = |values: &[f64]| -> Vec<f32> { values.iter().map(|&x| x as f32).collect() };
    let parameters: Vec<Vec<f32>> = case.parameters.iter().map(|p| narrow(&p.values)).collect();
    let mut buffers: Vec<Vec<f32>> = case.buffers.iter().map(|b| narrow(&b.before)).collect();
    let pass = Pass {
        batch,
        inputs: &inputs,
        parameters: &parameters,
    };
    let mut stream = Seed(0).stream(0, Purpose::Dropout);
    let mut output = vec![f32::NAN; batch * shape.elements()];
    let noise = case.training.then_some(&mut stream);
    operation.forward(pass, &mut buffers, noise, &mut output);
    assert_near(
        "output",
        &channels_first(shape, &output),
        &case.output.values,
    );
    for (buffer, golden) in buffers.iter().zip(&case.buffers) {
        assert_near("buffer", buffer, &golden.after);
    }
    // At inference the statistics are no function of the input, and nobody asks for gradients.
    if !case.training && !case.buffers.is_empty() {
        return;
    }
    let mut gradient = channels_last(shape, &case.weights);
    let mut targets: Vec<Vec<f32>> = inputs
        .iter()
        .map(|input| vec![f32::NAN; input.len()])
        .collect();
    let mut wanted: Vec<Option<&mut [f32]>> =
        targets.iter_mut().map(|t| Some(&mut t[..])).collect();
    let mut gradients: Vec<Vec<f32>> = parameters.iter().map(|p| vec![f32::NAN; p.len()]).collect();
    operation.backward(pass, &output, &mut gradient, &mut wanted, &mut gradients);
    if operation.flow() == Flow::InPlace {
        targets = vec![gradient];
    }
    for (target, input) in targets.iter().zip(&case.inputs) {
        if !input.tensor.gradient.is_empty() {
            let found = channels_first(input.shape(), target);
            assert_near("gradient of an input", &found, &input.tensor.gradient);
        }
    }
    for (index, (found, golden)) in gradients.iter().zip(&case.parameters).enumerate() {
        assert_near(
            &format!("gradient of parameter {index}"),
            found,
            &golden.gradient,
        );
    }
}

#[test]
fn kernels_compute_what_pytorch_computes_in_both_directions() {
    let with_kernels = GOLDEN
        .cases
        .iter()
        .filter(|case| case.layer().operation(&case.shapes()).is_some());
    assert!(
        with_kernels.count() > 80,
        "most layers that matter have kernels"
    );
    let failed = failures(&GOLDEN.cases, check);
    assert!(
        failed.is_empty(),
        "{} cases:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

/// Loss, gradients and buffers of one training step, by burn and by the program.
fn compare(architecture: &Architecture, classes: usize, seed: u64, tolerance: f64) {
    let device = Device::flex().autodiff();
    let mut network = Network::build(
        architecture,
        &mut Seed(seed).stream(0, Purpose::Init),
        &device,
    );
    let mut program = Program::of(&network);
    let mut stream = Seed(seed).stream(1, Purpose::Tool);
    let batch = 12;
    let input = architecture.input();
    let values: Vec<f32> = (0..batch * input.elements())
        .map(|_| match input {
            Shape::Tokens { vocabulary, .. } => stream.index(vocabulary) as f32,
            _ => stream.uniform_f32(-1.5, 1.5),
        })
        .collect();
    let labels: Vec<u32> = (0..batch).map(|_| stream.index(classes) as u32).collect();

    let noise = &mut Seed(seed).stream(2, Purpose::Dropout);
    let outputs = network
        .forward(network.batch(values.clone()), Mode::Training(noise))
        .vector();
    let loss = cross_entropy(outputs.clone(), &labels, 0.1);
    let mut gradients = loss.backward();
    let noise = &mut Seed(seed).stream(2, Purpose::Dropout);
    let ours = program.forward(&values, Mode::Training(noise)).to_vec();
    let objective = strata::training::Objective::of(
        &strata::training::Recipe {
            label_smoothing: 0.1,
            ..Default::default()
        },
        architecture.output(),
    );
    let targets = [(1.0, Targets::classes(labels, classes))];
    let (our_loss, gradient) = objective.unwrap().loss_and_gradient(&ours, &targets);
    program.backward(&gradient);

    let wide = |data: burn::tensor::TensorData| -> Vec<f64> { super::golden::numbers(data) };
    let near = |what: &str, found: &[f32], wanted: Vec<f64>| {
        let apart = difference(found, &wanted);
        assert!(
            apart < tolerance,
            "{what} of seed {seed}: {apart} apart\n{architecture:?}"
        );
    };
    near("outputs", &ours, wide(outputs.into_data()));
    near("loss", &[our_loss as f32], wide(loss.into_data()));
    let names: Vec<String> = network.parameter_names().map(str::to_owned).collect();
    // Gradients that vanish (a bias before a normalisation) are noise: all are held against the largest.
    let theirs: Vec<Option<Vec<f64>>> = network
        .parameters()
        .iter()
        .map(|p| p.take_gradient(&mut gradients).map(wide))
        .collect();
    let top = theirs
        .iter()
        .flatten()
        .flatten()
        .fold(0.0, |top: f64, x| top.max(x.abs()));
    for ((name, theirs), (_, found)) in names.iter().zip(theirs).zip(program.parameters_mut()) {
        assert_eq!(
            found.is_some(),
            theirs.is_some(),
            "{name} is learned\n{architecture:?}"
        );
        let (Some(found), Some(theirs)) = (found, theirs) else {
            continue;
        };
        let worst = found
            .iter()
            .zip(&theirs)
            .fold(0.0, |w: f64, (a, b)| w.max((f64::from(*a) - b).abs()));
        assert!(
            worst <= tolerance * top,
            "{name} of seed {seed}: {worst} of {top}\n{architecture:?}"
        );
    }
    let before: Vec<Vec<f64>> = network
        .buffers()
        .iter()
        .map(|b| wide(b.to_data()))
        .collect();
    program.store(&mut network);
    for (buffer, before) in network.buffers().iter().zip(before) {
        let after = buffer.to_data().try_into_vec::<f32>().unwrap();
        near("a buffer", &after, before);
    }
    let inference = program.forward(&values, Mode::Inference).to_vec();
    let theirs = network
        .without_gradients()
        .forward(network.without_gradients().batch(values), Mode::Inference);
    near(
        "outputs at inference",
        &inference,
        wide(theirs.vector().into_data()),
    );
}

fn compare_samples(name: &str, count: u64, tolerance: f64) {
    let text = corpus::read(format!("search_spaces/{name}.space").as_ref());
    compare_networks_of(&text, count, |_| tolerance);
}

fn compare_networks_of(text: &str, count: u64, tolerance: impl Fn(&Architecture) -> f64) {
    let space = compile(text).unwrap().space;
    let mut stream = Seed(5).stream(0, Purpose::Tool);
    for sample in 0..count {
        let genome = space.sample(Sampling::Prior, &mut stream);
        let architecture = space.decode(&genome).unwrap().architecture;
        let classes = architecture.nodes().last().unwrap().shape.elements();
        let tolerance = tolerance(&architecture);
        compare(&architecture, classes, sample, tolerance);
    }
}

/// Where the values of `relu` and the places of largest values decide nothing, what differs is rounding alone.
#[test]
fn programs_of_networks_without_kinks_train_as_burn_does_but_for_rounding() {
    let kinks = [
        "max_pool2d",
        "max_pool1d",
        "global_max_pool",
        "squeeze_excite",
    ];
    let has_kinks = |architecture: &Architecture| {
        let mut layers = architecture.nodes().iter().filter_map(|node| node.layer());
        layers.any(|layer| kinks.contains(&layer.kind.name()))
    };
    for name in [
        "digits_cnn",
        "resnet_1d",
        "nasbench201",
        "densenet",
        "lstm_text",
        "transformer_text",
    ] {
        let text = corpus::read(format!("search_spaces/{name}.space").as_ref());
        let is_deep = ["nasbench201", "densenet"].contains(&name);
        let count = if is_deep { 1 } else { 12 };
        compare_networks_of(
            &text.replace("relu", "mish"),
            count,
            |architecture| match has_kinks(architecture) {
                true => TOLERANCE_ACROSS_KINKS,
                false => TOLERANCE_OF_NETWORKS,
            },
        );
    }
}

#[test]
fn programs_of_small_convolutional_networks_train_as_burn_does() {
    compare_samples("digits_cnn", 40, TOLERANCE_ACROSS_KINKS);
    compare_samples("resnet_1d", 15, TOLERANCE_ACROSS_KINKS);
}

#[test]
fn programs_of_the_literatures_networks_train_as_burn_does() {
    for name in ["nasbench201", "mobilenetv2", "densenet"] {
        compare_samples(name, 1, TOLERANCE_ACROSS_MANY_KINKS);
    }
}

#[test]
fn programs_of_networks_for_texts_and_tables_train_as_burn_does() {
    for name in [
        "textcnn",
        "lstm_text",
        "transformer_text",
        "tabular_mlp",
        "vit",
        "convnext",
    ] {
        compare_samples(name, 6, TOLERANCE_ACROSS_KINKS);
    }
}

#[test]
fn programs_that_skip_zeros_train_as_burn_does() {
    // Zeros meet sums, functions, pools, convolutions with and without a bias, concatenation and normalisation; some
    // networks have nothing else, and some parts of others lead nowhere.
    let cell = |name: &str, merge: &str| {
        format!(
            "let {name} {{ dag {{ nodes 4\n edges all\n edge zero @ 3 | identity | gelu \
             | {{ silu conv2d(8, kernel: 3, padding: same, bias: false) }} | conv2d(8, kernel: 1) \
             | {{ conv2d(8, kernel: 1, bias: false) batch_norm }} | max_pool2d(3, stride: 1, padding: same) \
             | avg_pool2d(3, stride: 1, padding: same) \
             | depthwise_conv2d(kernel: 3, padding: same, bias: false)\n \
             merge {merge}\n output last }} }}\n"
        )
    };
    let (adding, joining) = (cell("adding", "add"), cell("joining", "concat"));
    let text = format!(
        "space z\ninput image(channels: 2, height: 6, width: 6)\noutput classes(3)\n{adding}{joining}\
         network {{ conv2d(8, kernel: 3, padding: same) adding joining \
         conv2d(8, kernel: 1, bias: false) adding global_avg_pool linear(classes) }}"
    );
    compare_networks_of(&text, 60, |_| TOLERANCE_ACROSS_KINKS);
}

#[test]
fn programs_draw_the_noise_that_layers_draw_on_burn() {
    for (input, layer) in [
        (
            "image(channels: 3, height: 4, width: 4)",
            "conv2d(8, kernel: 1)",
        ),
        ("signal(channels: 3, length: 8)", "conv1d(8, kernel: 1)"),
        ("vector(features: 9)", "linear(8)"),
    ] {
        let text = format!(
            "space n\ninput {input}\noutput classes(3)\nnetwork {{ gaussian_noise(0.3) {layer} \
             gaussian_dropout(0.2) gaussian_noise(0.0) dropout(0.2) flatten linear(classes) }}"
        );
        compare_networks_of(&text, 2, |_| TOLERANCE_OF_NETWORKS);
    }
}
