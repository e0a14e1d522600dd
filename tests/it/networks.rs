//! Networks sampled from spaces, built for real: what is predicted is what is there.

use super::corpus;
use burn::tensor::Device;
use strata::architecture::Architecture;
use strata::language::compile;
use strata::layers::Mode;
use strata::model::Network;
use strata::random::{Purpose, Seed};
use strata::space::Sampling;

/// Builds a network, runs two examples through it, and compares every shape and the parameters.
pub fn check(architecture: &Architecture, seed: u64) {
    let mut stream = Seed(seed).stream(0, Purpose::Init);
    let mut network = Network::build(architecture, &mut stream, &Device::flex());
    let metrics = architecture.metrics();
    assert_eq!(network.parameter_count() as u64, metrics.params);
    let values = 2 * architecture.input().elements();
    let batch = network.batch((0..values).map(|i| (i % 17) as f32 / 17.0).collect());
    let mut seen = 1;
    network.forward_traced(batch, Mode::Training(&mut stream), |node, output| {
        let node = &architecture.nodes()[node];
        assert_eq!(output.dims()[0], 2);
        assert_eq!(
            output.dims()[1..],
            node.shape.dimensions(),
            "{}",
            node.address
        );
        seen += 1;
    });
    assert_eq!(seen, architecture.nodes().len());
}

#[test]
fn a_thousand_sampled_networks_have_the_predicted_shapes_and_parameters() {
    let samples = [("digits_cnn", 600), ("digits_mlp", 200), ("grammar", 200)];
    for (name, count) in samples {
        let text = corpus::read(format!("search_spaces/{name}.space").as_ref());
        let space = compile(&text).unwrap().space;
        let mut stream = Seed(1).stream(0, Purpose::Tool);
        for sample in 0..count {
            let sampling = if sample % 2 == 0 {
                Sampling::Prior
            } else {
                Sampling::Uniform
            };
            let genome = space.sample(sampling, &mut stream);
            check(&space.decode(&genome).unwrap().architecture, sample);
        }
    }
}

#[test]
fn networks_of_the_literatures_spaces_build_as_predicted() {
    for name in [
        "nasbench201",
        "nasbench_macro",
        "resnet",
        "densenet",
        "mobilenetv2",
        "darts",
    ] {
        let text = corpus::read(format!("search_spaces/{name}.space").as_ref());
        let space = compile(&text).unwrap().space;
        let mut stream = Seed(2).stream(0, Purpose::Tool);
        let genome = space.sample(Sampling::Prior, &mut stream);
        check(&space.decode(&genome).unwrap().architecture, 2);
    }
}

#[test]
fn networks_for_signals_texts_tables_and_images_build_as_predicted() {
    for name in [
        "transformer_encoder",
        "vit",
        "mlp_mixer",
        "convnext",
        "transformer_text",
        "textcnn",
        "lstm_text",
        "tcn_1d",
        "resnet_1d",
        "tabular_mlp",
        "tabular_resnet",
    ] {
        let text = corpus::read(format!("search_spaces/{name}.space").as_ref());
        let space = compile(&text).unwrap().space;
        let mut stream = Seed(3).stream(0, Purpose::Tool);
        for sample in 0..20 {
            let genome = space.sample(Sampling::Prior, &mut stream);
            check(&space.decode(&genome).unwrap().architecture, sample);
        }
    }
}
