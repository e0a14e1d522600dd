//! Against PyTorch (tests/golden/proxies.py), and what must hold on any network.

use super::{Minibatch, PROXIES, Probing, Proxy, zen};
use crate::architecture::Architecture;
use crate::data::{Part, Targets};
use crate::language;
use crate::model::Network;
use crate::random::{Purpose, Seed};
use burn::tensor::{Device, TensorData};
use num_bigint::BigUint;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Case {
    space: String,
    parameters: Vec<Vec<f32>>,
    inputs: Vec<f32>,
    labels: Vec<u32>,
    zen_inputs: [Vec<f32>; 2],
    proxies: BTreeMap<String, f64>,
}

fn only(text: &str) -> Architecture {
    let space = language::compile(text).expect("the space is right").space;
    let genome = space.get(&BigUint::ZERO).unwrap();
    space.decode(&genome).unwrap().architecture
}

/// Largest difference as a share of PyTorch's value. What is computed in 32 bits has five digits;
/// grasp's difference of gradients has four; what is counted or computed in 64 bits has more.
fn tolerance(proxy: Proxy) -> f64 {
    match proxy {
        Proxy::Synflow | Proxy::Naswot => 1e-9,
        Proxy::Grasp => 1e-4,
        _ => 2e-5,
    }
}

#[test]
fn proxies_are_those_of_pytorch() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/proxies.json");
    let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut faults = Vec::new();
    for case in cases {
        let architecture = only(&case.space);
        let classes = architecture.output().numbers();
        let batch = Minibatch::of(Part {
            shape: architecture.input(),
            inputs: case.inputs,
            targets: Targets::classes(case.labels, classes),
            groups: None,
        });
        let mut stream = Seed(0).stream(0, Purpose::Init);
        let network = Network::build(&architecture, &mut stream, &Device::flex().autodiff());
        let network = network.with_parameters(|index, data| {
            TensorData::new(case.parameters[index].clone(), data.shape().to_vec())
        });
        let wanted: Vec<Proxy> = PROXIES.iter().map(|info| info.proxy).collect();
        let probing = Probing::new(&architecture, &batch, Seed(0), 0, &wanted);
        let mut probing = probing.with_network(network.clone());
        for (name, expected) in case.proxies {
            let proxy = Proxy::find(&name).unwrap();
            let found = match proxy {
                Proxy::Zen => zen::score(
                    &network.without_gradients(),
                    case.zen_inputs.clone(),
                    &Seed(0).stream(0, Purpose::Tool),
                ),
                _ => probing.value(proxy),
            };
            let share = (found - expected).abs() / expected.abs();
            println!("{name} {found} {expected} {share:.1e}");
            if share.is_nan() || share > tolerance(proxy) {
                faults.push(format!("{name}: {found}, PyTorch {expected} ({share:.1e})"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

const SMALL: &str = "space s\ninput image(channels: 1, height: 6, width: 6)\noutput classes(3)\n\
    network {\n conv2d(4, kernel: 3, padding: same)\n batch_norm\n relu\n dropout\n \
    global_avg_pool\n linear(classes)\n}\n";

fn all(text: &str, batch_seed: u64, seed: u64) -> Vec<u64> {
    let architecture = only(text);
    let (input, output) = (architecture.input(), architecture.output());
    let batch = Minibatch::noise(input, output, 5, Seed(batch_seed));
    let wanted: Vec<Proxy> = PROXIES.iter().map(|info| info.proxy).collect();
    let wanted: Vec<Proxy> = wanted
        .into_iter()
        .filter(|proxy| proxy.unfit(input).is_none())
        .collect();
    let mut probing = Probing::new(&architecture, &batch, Seed(seed), 3, &wanted);
    let values = wanted.iter().map(|&proxy| probing.value(proxy).to_bits());
    values.collect()
}

#[test]
fn a_proxy_is_a_function_of_architecture_batch_and_seed() {
    assert_eq!(all(SMALL, 1, 2), all(SMALL, 1, 2));
    let (one, other) = (all(SMALL, 1, 2), all(SMALL, 1, 4));
    assert_eq!(one[..2], other[..2]);
    assert!(one[2..].iter().zip(&other[2..]).all(|(a, b)| a != b));
}

#[test]
fn what_is_asked_for_beside_a_proxy_does_not_change_it() {
    let architecture = only(SMALL);
    let batch = Minibatch::noise(architecture.input(), architecture.output(), 5, Seed(1));
    let every = all(SMALL, 1, 2);
    for (info, together) in PROXIES.iter().zip(every) {
        let mut probing = Probing::new(&architecture, &batch, Seed(2), 3, &[info.proxy]);
        assert_eq!(
            probing.value(info.proxy).to_bits(),
            together,
            "{}",
            info.name
        );
    }
}

#[test]
fn a_network_that_sees_nothing_has_no_gradients_and_no_correlations() {
    let dead = SMALL.replace("relu\n", "relu\n zero\n");
    let names = ["grad_norm", "snip", "jacob_cov", "naswot", "zen"];
    let architecture = only(&dead);
    let batch = Minibatch::noise(architecture.input(), architecture.output(), 5, Seed(1));
    let wanted = names.map(|name| Proxy::find(name).unwrap());
    let mut probing = Probing::new(&architecture, &batch, Seed(2), 3, &wanted);
    let found = wanted.map(|proxy| probing.value(proxy));
    assert_eq!(found[..2], [0.0, 0.0]);
    assert!(found[2].is_nan(), "{found:?}");
}

#[test]
fn networks_of_tokens_and_vectors_have_proxies_too() {
    let tokens = "space s\ninput tokens(length: 6, vocabulary: 9)\noutput binary\n\
        network {\n embedding(4)\n global_avg_pool\n linear(40)\n relu\n linear(outputs)\n}\n";
    // Not the minibatch of seed 1: two of its examples are the same words in another order, so that naswot is infinite.
    let found: Vec<f64> = all(tokens, 2, 2).into_iter().map(f64::from_bits).collect();
    assert!(found.iter().all(|figure| figure.is_finite()), "{found:?}");
    let numbers = "space s\ninput vector(features: 4)\noutput regression(2)\n\
        network {\n linear(5)\n relu\n linear(outputs)\n}\n";
    assert_eq!(all(numbers, 1, 2).len(), PROXIES.len());
}
