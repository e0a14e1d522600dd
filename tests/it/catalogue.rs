//! The catalogue of layers, walked: what each kind says of itself against what it does.

use super::golden::{Case, GOLDEN, Values, cases_of, failures, run};
use burn::tensor::{DType, Device, Tensor, TensorData};
use std::collections::BTreeSet;
use strata::architecture::{Architecture, Builder, Output};
use strata::layers::{
    Activation, Arity, Counterpart, Forward, Init, Kind, Layer, Mode, Shape, TORCH_CLASSES, Value,
    find, kinds,
};
use strata::model::Network;
use strata::random::{Purpose, Seed};

/// The step of a central difference in 64 bits: small enough for its error of the step's square, large enough
/// for rounding.
const STEP: f64 = 1e-6;

/// The largest difference between a gradient and its central difference, as a share of the largest: rounding
/// leaves about 1e-16 / `STEP` of the loss.
const DIFFERENCE: f64 = 1e-6;

/// How many values of each tensor are moved.
const MOVED: usize = 24;

fn all_pass(cases: impl IntoIterator<Item = &'static Case>, check: impl Fn(&Case)) {
    let failed = failures(cases, check);
    assert!(
        failed.is_empty(),
        "{} cases:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn every_kind_is_compared_with_pytorch_in_three_configurations() {
    for kind in kinds() {
        let configurations: BTreeSet<String> = cases_of(kind.name()).map(Case::name).collect();
        assert!(
            configurations.len() >= 3,
            "{}: {configurations:?}",
            kind.name()
        );
    }
}

#[test]
fn there_are_at_least_ninety_kinds_and_no_name_stands_twice() {
    let names: BTreeSet<&str> = kinds().map(Kind::name).collect();
    assert_eq!(names.len(), kinds().count());
    assert!(names.len() >= 90, "{}", names.len());
}

/// Kinds whose gradient is a definition and not a derivative: the central difference knows only the steps.
const ESTIMATED: &[&str] = &["step"];

#[test]
fn gradients_are_central_differences_in_64_bits() {
    let cases = GOLDEN.cases.iter();
    all_pass(
        cases.filter(|case| !ESTIMATED.contains(&case.layer.as_str())),
        |case| {
            check_gradients(case, case.training.then_some(0));
        },
    );
}

#[test]
fn gradients_through_noise_are_central_differences_for_the_same_noise() {
    let stochastic = kinds().filter(|kind| kind.describe().stochastic);
    all_pass(stochastic.flat_map(|kind| cases_of(kind.name())), |case| {
        check_gradients(case, Some(7));
    });
}

fn check_gradients(case: &Case, noise: Option<u64>) {
    let values = case.values();
    let ran = run(case, &values, DType::F64, noise);
    if !ran.output.is_tracked() {
        return;
    }
    let weights = weights(case, ran.values().len());
    let loss = |values: &Values| -> f64 {
        let output = run(case, values, DType::F64, noise).values();
        output.iter().zip(&weights).map(|(y, w)| y * w).sum()
    };
    let gradients = ran.gradients(&weights);
    for (index, found) in gradients
        .inputs
        .iter()
        .enumerate()
        .filter(|(_, found)| !found.is_empty())
    {
        compare(found, &format!("input {index}"), |place, step| {
            let mut moved = values.clone();
            moved.inputs[index][place] += step;
            loss(&moved)
        });
    }
    for (index, found) in gradients.parameters.iter().enumerate() {
        compare(found, &format!("parameter {index}"), |place, step| {
            let mut moved = values.clone();
            moved.parameters[index][place] += step;
            loss(&moved)
        });
    }
}

fn weights(case: &Case, count: usize) -> Vec<f64> {
    case.weights.iter().copied().cycle().take(count).collect()
}

fn compare(found: &[f64], what: &str, loss: impl Fn(usize, f64) -> f64) {
    let scale = found
        .iter()
        .fold(1e-2, |top: f64, value| top.max(value.abs()));
    let stride = found.len().div_ceil(MOVED).max(1);
    for place in (0..found.len()).step_by(stride) {
        let difference = (loss(place, STEP) - loss(place, -STEP)) / (2.0 * STEP);
        assert!(
            (difference - found[place]).abs() <= DIFFERENCE * scale,
            "gradient of {what}[{place}]: {}, central difference {difference}",
            found[place]
        );
    }
}

#[test]
fn parameters_start_as_pytorchs_modules_do() {
    assert!(GOLDEN.starts.len() > 20);
    for start in &GOLDEN.starts {
        let specs = start.specs();
        assert_eq!(specs.len(), start.parameters.len(), "{}", start.layer);
        for (spec, torch) in specs.iter().zip(&start.parameters) {
            // The largest of many uniform numbers is all but the bound.
            let (least, most, rms) = match spec.init {
                Init::Uniform { bound } => (0.98 * bound, bound, f64::from(bound) / 3.0f64.sqrt()),
                Init::Normal { std } => (0.0, f32::INFINITY, f64::from(std)),
                Init::Constant(value) => (value.abs(), value.abs(), f64::from(value).abs()),
            };
            let what = format!("{}.{}: {:?}", start.layer, spec.name, spec.init);
            let largest = torch.largest as f32;
            assert!(
                least <= largest && largest <= most * (1.0 + 1e-6),
                "{what}, {largest}"
            );
            assert!(
                (torch.rms - rms).abs() <= 0.06 * rms,
                "{what}, {}",
                torch.rms
            );
        }
    }
}

/// Multiply-accumulates by the textbook: what a person would write down from the case's sizes.
fn macs_by_hand(case: &Case, output: Shape) -> u64 {
    let shapes = case.shapes();
    let argument = |name: &str| -> u64 {
        let layer = case.layer();
        let specs = layer.kind.describe().arguments;
        let index = specs.iter().position(|spec| spec.name == name).unwrap();
        match layer.arguments.values()[index] {
            Value::Bool(truth) => u64::from(truth),
            _ => layer.arguments.int(index) as u64,
        }
    };
    let c = shapes[0].features().unwrap_or(0) as u64;
    let positions_in = shapes[0].positions() as u64;
    let positions = output.positions() as u64;
    let rank = shapes[0].dimensions().len() as u32 - 1;
    let pixels = |sizes: &[usize]| sizes.iter().product::<usize>() as u64;
    match case.layer.as_str() {
        "linear" => positions * c * argument("out"),
        "low_rank_linear" => {
            positions * (c * argument("rank") + argument("rank") * argument("out"))
        }
        "mixture_of_experts" => positions * argument("experts") * (c + c * argument("out")),
        "highway" => 2 * positions * c * c,
        "maxout" => positions * c * argument("out") * argument("pieces"),
        "bilinear" => {
            let second = shapes[1].features().unwrap() as u64;
            positions * argument("out") * (c * second + second)
        }
        "conv1d" | "conv2d" | "conv3d" | "ws_conv2d" | "causal_conv1d" => {
            positions * argument("out") * c / argument("groups") * argument("kernel").pow(rank)
        }
        "depthwise_conv1d" | "depthwise_conv2d" => {
            positions * c * argument("multiplier") * argument("kernel").pow(rank)
        }
        "pointwise_conv" => positions * c * argument("out"),
        "separable_conv1d" | "separable_conv2d" => {
            positions * c * argument("kernel").pow(rank) + positions * c * argument("out")
        }
        "conv_transpose1d" | "conv_transpose2d" | "conv_transpose3d" => {
            positions_in * c * argument("out") / argument("groups") * argument("kernel").pow(rank)
        }
        "bottleneck" => {
            let inside = (argument("out") / argument("reduction")).max(1);
            let look = inside * inside * argument("kernel").pow(2);
            positions_in * c * inside + positions * (look + inside * argument("out"))
        }
        "inverted_bottleneck" => {
            let inside = c * argument("expand");
            let widen = if argument("expand") == 1 {
                0
            } else {
                positions_in * c * inside
            };
            widen + positions * inside * (argument("kernel").pow(2) + argument("out"))
        }
        "patch_embedding" => positions * c * argument("patch").pow(rank) * argument("out"),
        "attention_pool" => 2 * positions_in * c,
        "self_attention" => {
            let (l, kv) = (positions_in, c / argument("heads") * argument("kv_heads"));
            l * c * c + 2 * l * c * kv + l * l * c + l * l * c + l * c * c
        }
        "cross_attention" => {
            let (l, m) = (positions_in, shapes[1].positions() as u64);
            let other = shapes[1].features().unwrap() as u64;
            l * c * c + 2 * m * other * c + 2 * l * m * c + l * c * c
        }
        "squeeze_excite" => 2 * c * (c / argument("reduction")).max(1),
        "eca" => c * argument("kernel"),
        "spatial_attention" => pixels(&shapes[0].dimensions()[1..]) * 2 * argument("kernel").pow(2),
        "rnn" | "gru" | "lstm" => {
            let gates = match case.layer.as_str() {
                "rnn" => 1,
                "gru" => 3,
                _ => 4,
            };
            let hidden = argument("hidden");
            positions_in * (1 + argument("bidirectional")) * gates * (c * hidden + hidden * hidden)
        }
        _ => 0,
    }
}

#[test]
fn multiply_accumulates_are_the_textbooks() {
    all_pass(&GOLDEN.cases, |case| {
        let (layer, shapes) = (case.layer(), case.shapes());
        let output = layer.shape(&shapes).unwrap();
        assert_eq!(layer.macs(&shapes, output), macs_by_hand(case, output));
    });
}

#[test]
fn one_seed_gives_equal_bits_and_two_seeds_differ_where_a_kind_says_so() {
    for kind in kinds() {
        let stochastic = kind.describe().stochastic;
        all_pass(cases_of(kind.name()), |case| {
            let output = |seed| run(case, &case.values(), DType::F32, Some(seed)).values();
            let bits = |seed| {
                output(seed)
                    .into_iter()
                    .map(f64::to_bits)
                    .collect::<Vec<_>>()
            };
            assert_eq!(bits(1), bits(1));
            // Two short masks may agree by chance; eighteen don't.
            assert_eq!((2..20).any(|seed| bits(seed) != bits(1)), stochastic);
        });
    }
}

#[test]
fn inference_draws_nothing() {
    for kind in kinds().filter(|kind| kind.describe().stochastic) {
        all_pass(cases_of(kind.name()), |case| {
            assert!(!case.training, "PyTorch's noise is another");
            let output = || run(case, &case.values(), DType::F32, None).values();
            assert_eq!(output(), output());
        });
    }
}

/// One shape of each kind.
const SHAPES: [Shape; 6] = [
    Shape::Vector { features: 4 },
    Shape::Signal {
        channels: 4,
        length: 6,
    },
    Shape::Sequence {
        length: 6,
        features: 4,
    },
    Shape::Image {
        channels: 4,
        height: 6,
        width: 6,
    },
    Shape::Volume {
        channels: 4,
        depth: 6,
        height: 6,
        width: 6,
    },
    Shape::Tokens {
        length: 6,
        vocabulary: 5,
    },
];

#[test]
fn a_kind_takes_the_shapes_it_says_and_no_others() {
    for kind in kinds() {
        let description = kind.describe();
        let inputs = if description.arity == Arity::One {
            1
        } else {
            2
        };
        for shape in SHAPES {
            let says = description.accepts.contains(&shape.kind());
            let fits = |case: &Case| case.layer().shape(&vec![shape; inputs]).is_ok();
            let takes = cases_of(kind.name()).any(fits) || kind.name() == "reshape" && says;
            assert_eq!(takes, says, "{} and {}", kind.name(), shape.kind());
        }
    }
}

/// The layer alone, fed the network's input as often as it wants, and its values in a row.
fn alone(layer: &Layer, shape: Shape, inputs: usize) -> Architecture {
    let mut builder = Builder::new(shape);
    let inputs = vec![Builder::INPUT; inputs];
    let node = builder.push(layer.clone(), inputs, "x".to_owned()).unwrap();
    let flatten = Layer::plain(find("flatten").unwrap()).unwrap();
    let last = builder.push(flatten, vec![node], "f".to_owned()).unwrap();
    let classes = builder.shape(last).elements();
    builder.finish(last, Output::Classes(classes)).unwrap()
}

/// Cases that one input can feed.
fn of_one_shape() -> impl Iterator<Item = &'static Case> {
    let agree = |case: &&Case| case.shapes().iter().all(|shape| *shape == case.shapes()[0]);
    GOLDEN.cases.iter().filter(agree)
}

#[test]
fn every_kind_can_be_built_alone() {
    let built: BTreeSet<&str> = of_one_shape().map(|case| case.layer.as_str()).collect();
    assert_eq!(built, kinds().map(Kind::name).collect());
}

#[test]
fn built_layers_have_the_predicted_shapes_parameters_and_gradients() {
    all_pass(of_one_shape(), |case| {
        let (layer, shapes) = (case.layer(), case.shapes());
        let architecture = alone(&layer, shapes[0], shapes.len());
        let device = Device::flex().autodiff();
        let mut stream = Seed(1).stream(0, Purpose::Init);
        let mut network = Network::build(&architecture, &mut stream, &device);
        let predicted = architecture.metrics().params;
        assert_eq!(network.parameter_count() as u64, predicted);
        let values = (0..2 * shapes[0].elements()).map(|i| (i % 5) as f32);
        let (mut dims, mode) = (Vec::new(), Mode::Training(&mut stream));
        let output =
            network.forward_traced(network.batch(values.collect()), mode, |node, output| {
                if node == 1 {
                    dims = output.dims();
                }
            });
        assert_eq!(dims[1..], layer.shape(&shapes).unwrap().dimensions());
        every_parameter_has_a_gradient(&network, output);
    });
}

fn every_parameter_has_a_gradient(network: &Network, output: Activation) {
    if network.parameters().is_empty() {
        return;
    }
    let output = output.vector();
    let weights: Vec<f32> = (0..output.dims().iter().product())
        .map(|i| (i % 3) as f32)
        .collect();
    let weights = TensorData::new(weights, output.dims());
    let weights = Tensor::<2>::from_data(weights, &output.device());
    let mut gradients = (output * weights).sum().backward();
    for parameter in network.parameters() {
        assert!(parameter.take_gradient(&mut gradients).is_some());
    }
}

#[test]
fn every_class_of_torch_nn_has_a_row_and_every_row_a_kind_or_a_reason() {
    let rows: Vec<&str> = TORCH_CLASSES.iter().map(|class| class.name).collect();
    assert_eq!(rows, GOLDEN.torch_classes);
    for class in TORCH_CLASSES {
        match class.counterpart {
            Counterpart::Kinds(names) => {
                assert!(!names.is_empty(), "{}", class.name);
                for name in names {
                    assert!(
                        find(name).is_some(),
                        "{}: no kind is called {name}",
                        class.name
                    );
                }
            }
            Counterpart::Absent(why) => assert!(!why.is_empty(), "{}", class.name),
        }
    }
}

#[test]
fn a_swapped_pair_is_another_network_where_order_counts() {
    let form = |name: &str, swapped: bool| {
        let mut builder = Builder::new(Shape::Sequence {
            length: 3,
            features: 4,
        });
        let relu = Layer::plain(find("relu").unwrap()).unwrap();
        let other = builder
            .push(relu, vec![Builder::INPUT], "r".to_owned())
            .unwrap();
        let mut inputs = vec![Builder::INPUT, other];
        if swapped {
            inputs.reverse();
        }
        let layer = Layer::plain(find(name).unwrap()).unwrap();
        let node = builder.push(layer, inputs, "x".to_owned()).unwrap();
        let pool = Layer::plain(find("global_avg_pool").unwrap()).unwrap();
        let last = builder.push(pool, vec![node], "p".to_owned()).unwrap();
        let architecture = builder.finish(last, Output::Classes(4)).unwrap();
        (architecture.canonical(), architecture.functional())
    };
    let (straight, swapped) = (
        form("cross_attention", false),
        form("cross_attention", true),
    );
    assert_ne!(straight.0, swapped.0);
    assert_ne!(straight.1, swapped.1);
    assert_eq!(form("add", false), form("add", true));
}

fn refusal(name: &str, given: &[(&str, i64)], shapes: &[Shape]) -> String {
    let given: Vec<(&str, Value)> = given
        .iter()
        .map(|(name, number)| (*name, Value::Int(*number)))
        .collect();
    let layer = Layer::new(find(name).unwrap(), &given).unwrap();
    layer.shape(shapes).unwrap_err().0
}

#[test]
fn sizes_that_do_not_fit_are_refused_with_what_to_do() {
    let [vector, signal, sequence, image, _, tokens] = SHAPES;
    for (found, expected) in [
        (
            refusal("self_attention", &[("heads", 3)], &[sequence]),
            "self_attention's 3 heads don't divide 4 features evenly; use a divisor",
        ),
        (
            refusal(
                "self_attention",
                &[("heads", 4), ("kv_heads", 3)],
                &[sequence],
            ),
            "self_attention's 3 kv_heads don't divide its 4 heads evenly; use a divisor",
        ),
        (
            refusal("self_attention", &[], &[image]),
            "self_attention takes a sequence (`to_sequence` makes one), not an image (4x6x6)",
        ),
        (
            refusal("linear", &[("out", 3)], &[tokens]),
            "linear takes a vector or sequence (`embedding` makes a sequence of tokens), not tokens (6 tokens of 5)",
        ),
        (
            refusal("conv1d", &[("out", 3), ("kernel", 3)], &[sequence]),
            "conv1d takes a signal (`to_signal` makes one), not a sequence (6 of 4)",
        ),
        (
            refusal("embedding", &[("out", 3)], &[vector]),
            "embedding takes tokens (declare `input tokens(length: …, vocabulary: …)`), not a vector (4)",
        ),
        (
            refusal("patch_embedding", &[("out", 3), ("patch", 4)], &[signal]),
            "patch_embedding's patch of 4 does not divide the input's 6 (4x6); use a divisor of every size",
        ),
        (
            refusal("crop", &[("margin", 3)], &[signal]),
            "crop's margin of 3 at each end leaves nothing of 4x6; use a smaller one",
        ),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn shapes_that_no_memory_holds_are_refused_before_they_overflow() {
    let side = 1 << 20;
    let image = Shape::Image {
        channels: 1,
        height: side,
        width: side,
    };
    for (found, layer) in [
        (
            refusal("upsample_nearest", &[("scale", 16)], &[image]),
            "upsample_nearest",
        ),
        (refusal("flatten", &[], &[image]), "flatten"),
        (
            refusal("conv2d", &[("out", 4), ("kernel", 1)], &[image]),
            "conv2d",
        ),
    ] {
        assert!(found.starts_with(&format!("{layer} would give")), "{found}");
    }
    let huge = Shape::Volume {
        channels: side,
        depth: side,
        height: side,
        width: side,
    };
    assert!(refusal("relu", &[], &[huge]).contains("no memory"));
}

/// What a kind makes of ones in training.
fn noisy(name: &str, given: &[(&str, Value)], shape: Shape, batch: usize) -> Vec<f32> {
    let layer = Layer::new(find(name).unwrap(), given).unwrap();
    let ones = vec![1.0; batch * shape.elements()];
    let input = strata::model::batch(shape, ones, &Device::flex());
    let mut stream = Seed(5).stream(0, Purpose::Dropout);
    let mut context = Forward {
        parameters: &[],
        buffers: &mut [],
        mode: Mode::Training(&mut stream),
    };
    match layer
        .kind
        .forward(&layer.arguments, &mut context, vec![input])
    {
        Activation::Signal(x) => x.into_data().try_into_vec().unwrap(),
        Activation::Vector(x) => x.into_data().try_into_vec().unwrap(),
        other => panic!("{:?}", other.dims()),
    }
}

fn mean_and_deviation(values: &[f32]) -> (f64, f64) {
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / values.len() as f64;
    let squares = values
        .iter()
        .map(|&x| (f64::from(x) - mean) * (f64::from(x) - mean));
    (mean, (squares.sum::<f64>() / values.len() as f64).sqrt())
}

#[test]
fn noise_has_the_mean_and_the_deviation_it_says() {
    let shape = Shape::Vector { features: 1000 };
    let quarter = Value::Float(0.25);
    for (name, argument, mean, deviation) in [
        ("dropout", "p", 1.0, (1.0f64 / 3.0).sqrt()),
        ("drop_path", "p", 1.0, (1.0f64 / 3.0).sqrt()),
        ("gaussian_noise", "std", 1.0, 0.25),
        ("gaussian_dropout", "p", 1.0, (1.0f64 / 3.0).sqrt()),
    ] {
        let values = noisy(name, &[(argument, quarter)], shape, 1000);
        let (found, spread) = mean_and_deviation(&values);
        assert!((found - mean).abs() < 0.06, "{name}: mean {found}");
        assert!(
            (spread - deviation).abs() < 0.03,
            "{name}: deviation {spread}"
        );
    }
}

#[test]
fn whole_channels_and_whole_examples_are_dropped() {
    let shape = Shape::Signal {
        channels: 50,
        length: 4,
    };
    let half = [("p", Value::Float(0.5))];
    for name in ["spatial_dropout", "feature_alpha_dropout"] {
        let values = noisy(name, &half, shape, 2);
        assert!(
            values
                .chunks(4)
                .all(|channel| channel.iter().all(|x| *x == channel[0])),
            "{name}"
        );
        assert!(
            values.chunks(4).any(|channel| channel[0] != values[0]),
            "{name}"
        );
    }
    let values = noisy("drop_path", &half, shape, 40);
    assert!(
        values
            .chunks(200)
            .all(|example| example.iter().all(|x| *x == example[0]))
    );
    assert!(values.chunks(200).any(|example| example[0] != values[0]));
}

#[test]
fn a_hard_gumbel_softmax_is_exactly_one_choice() {
    let shape = Shape::Signal {
        channels: 3,
        length: 4,
    };
    let values = noisy("gumbel_softmax", &[("hard", Value::Bool(true))], shape, 100);
    assert!(values.iter().all(|x| *x == 0.0 || *x == 1.0));
    let chosen: Vec<f32> = values
        .chunks(12)
        .flat_map(|x| (0..4).map(move |i| x[i] + x[i + 4] + x[i + 8]))
        .collect();
    assert!(chosen.iter().all(|sum| *sum == 1.0));
    assert!((mean_and_deviation(&values).0 - 1.0 / 3.0).abs() < 1e-6);
}

#[test]
fn a_norm_of_zeros_is_zero_with_a_gradient_of_zero() {
    let given = [("kernel", Value::Int(2)), ("p", Value::Int(16))];
    let layer = Layer::new(find("lp_pool1d").unwrap(), &given).unwrap();
    let data = TensorData::new(vec![0.0f32, 0.0, 1e-4, 0.0, 3.0, 4.0], [1, 1, 6]);
    let x = Tensor::<3>::from_data(data, &Device::flex().autodiff()).require_grad();
    let mut context = Forward {
        parameters: &[],
        buffers: &mut [],
        mode: Mode::Inference,
    };
    let input = vec![Activation::Signal(x.clone())];
    let output = layer.kind.forward(&layer.arguments, &mut context, input);
    let Activation::Signal(y) = output else {
        panic!("{:?}", output.dims());
    };
    let gradient = x.grad(&y.clone().sum().backward()).unwrap();
    let [y, gradient] = [y, gradient].map(|x| x.into_data().try_into_vec::<f32>().unwrap());
    assert_eq!(
        (y[..2].to_vec(), gradient[..4].to_vec()),
        (vec![0.0; 2], vec![0.0; 4])
    );
    assert!(y[2] > 4.0 && gradient.iter().all(|value| value.is_finite()));
}
