//! Exports: their structure here, their numbers in `tests/export/check.py`.

use super::cli::program::strata;
use super::corpus;
use flate2::read::GzDecoder;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use strata::architecture::Architecture;
use strata::data::DataSource;
use strata::export::{ExportError, File, burn, onnx, onnx_summary, pytorch, with_preprocessing};
use strata::language::compile;
use strata::layers::kinds;
use strata::model::Network;
use strata::random::{Purpose, Seed};
use strata::space::Sampling;

/// A network around each golden case of a kind that takes its inputs alike.
fn networks_of_kinds() -> Vec<(String, Architecture)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/layers.json.gz");
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let cases = golden["cases"].as_array().unwrap().iter();
    cases
        .filter_map(|case| around(case, &golden["vocabulary"]))
        .collect()
}

fn around(case: &Value, vocabulary: &Value) -> Option<(String, Architecture)> {
    let inputs = case["inputs"].as_array().unwrap();
    if inputs
        .iter()
        .any(|other| other["shape"] != inputs[0]["shape"])
    {
        return None;
    }
    let kind = inputs[0]["kind"].as_str().unwrap();
    let names: &[&str] = match kind {
        "image" => &["channels", "height", "width"],
        "volume" => &["channels", "depth", "height", "width"],
        "signal" => &["channels", "length"],
        "sequence" => &["length", "features"],
        "tokens" => &["length"],
        _ => &["features"],
    };
    let sizes = inputs[0]["shape"].as_array().unwrap()[1..].iter();
    let mut shape: serde_json::Map<String, Value> = names
        .iter()
        .map(ToString::to_string)
        .zip(sizes.cloned())
        .collect();
    if kind == "tokens" {
        shape.insert("vocabulary".to_owned(), vocabulary.clone());
    }
    let layer = case["layer"].as_str().unwrap();
    let features: u64 = case["output"]["shape"].as_array().unwrap()[1..]
        .iter()
        .map(|size| size.as_u64().unwrap())
        .product();
    let node = |layer: &str, arguments: &Value, inputs: Vec<usize>| json!({"layer": layer, "arguments": arguments, "inputs": inputs, "address": format!("net/{layer}")});
    let text = json!({
        "format": 1,
        "input": {kind: shape},
        "output": {"regression": features},
        "nodes": [node(layer, &case["arguments"], vec![0; inputs.len()]), node("flatten", &json!({}), vec![1])],
    });
    Some((
        layer.to_owned(),
        Architecture::from_json_text(&text.to_string()).unwrap(),
    ))
}

fn sampled(space: &str, seed: u64) -> Architecture {
    let text = corpus::read(format!("search_spaces/{space}.space").as_ref());
    let space = compile(&text).unwrap().space;
    let mut stream = Seed(seed).stream(0, Purpose::Tool);
    space
        .decode(&space.sample(Sampling::Prior, &mut stream))
        .unwrap()
        .architecture
}

fn weights(architecture: &Architecture) -> Vec<u8> {
    Network::untrained(architecture, Seed(1)).save()
}

fn text(files: &[File]) -> String {
    String::from_utf8(files[0].bytes.clone()).unwrap()
}

/// Brackets that close in order, outside of comments and quotes.
fn is_balanced(text: &str) -> bool {
    let mut open = Vec::new();
    for letter in text.chars() {
        match letter {
            '(' | '[' | '{' => open.push(letter),
            ')' | ']' | '}' => {
                let wanted = match letter {
                    ')' => '(',
                    ']' => '[',
                    _ => '{',
                };
                if open.pop() != Some(wanted) {
                    return false;
                }
            }
            _ => {}
        }
    }
    open.is_empty()
}

#[test]
fn every_kind_is_written_in_pytorch_with_every_tensor_once() {
    let mut seen = BTreeSet::new();
    for (layer, architecture) in networks_of_kinds() {
        let weights = weights(&architecture);
        let files = pytorch(&architecture, &weights, "net").unwrap();
        assert!(is_balanced(&text(&files)), "{layer}");
        let ours = SafeTensors::deserialize(&weights).unwrap();
        let theirs = SafeTensors::deserialize(&files[1].bytes).unwrap();
        let bytes = |file: &SafeTensors<'_>| {
            file.tensors()
                .iter()
                .map(|(_, view)| view.data().len())
                .sum::<usize>()
        };
        assert_eq!(
            (ours.len(), bytes(&ours)),
            (theirs.len(), bytes(&theirs)),
            "{layer}"
        );
        seen.insert(layer);
    }
    // No golden case of these has inputs of one shape that the first and the second place both take.
    let all: BTreeSet<String> = kinds().map(|kind| kind.name().to_owned()).collect();
    assert_eq!(
        all.difference(&seen).count(),
        0,
        "{:?}",
        all.difference(&seen)
    );
}

#[test]
fn every_kind_is_written_in_onnx() {
    for (layer, architecture) in networks_of_kinds() {
        let files = onnx(&architecture, &weights(&architecture), "net").unwrap();
        let summary = onnx_summary(&files[0].bytes).unwrap();
        assert!(!summary.operators.is_empty(), "{layer}");
    }
}

/// A network of a layer that no golden case has at inference.
fn hard_choice() -> Architecture {
    let mut stored = sampled("wine_linear", 1).to_json();
    stored.nodes[0].layer = "gumbel_softmax".to_owned();
    stored.nodes[0].arguments = [("hard".to_owned(), json!(true))].into();
    stored.nodes[0].shape = None;
    stored.nodes.truncate(1);
    stored.output = strata::architecture::Output::Regression(stored.input.elements());
    Architecture::from_json(&stored).unwrap()
}

#[test]
fn every_kind_is_written_in_burn_source() {
    for (layer, architecture) in networks_of_kinds() {
        let files = burn(&architecture, &weights(&architecture), "net").unwrap();
        assert!(is_balanced(&text(&files)), "{layer}");
    }
}

#[test]
fn a_hard_choice_is_written_everywhere() {
    let hard = hard_choice();
    for (writer, wanted) in [
        (pytorch as fn(&Architecture, &[u8], &str) -> _, "hard"),
        (burn, "one_hot("),
    ] {
        let source = text(&writer(&hard, &weights(&hard), "net").unwrap());
        assert!(source.contains(wanted), "{wanted}: {source}");
    }
    let files = onnx(&hard, &weights(&hard), "net").unwrap();
    let summary = onnx_summary(&files[0].bytes).unwrap();
    assert!(summary.operators.contains(&"OneHot".to_owned()));
}

#[test]
fn burn_source_holds_what_it_names_and_nothing_else() {
    let lstm = sampled("lstm_text", 0);
    let source = text(&burn(&lstm, &weights(&lstm), "reader").unwrap());
    for wanted in [
        "use burn::tensor::{Device, Int, Tensor, TensorData, activation, module};",
        "fn recurrent(",
        "pub fn forward(&self, x: Tensor<2, Int>) -> Tensor<2> {",
    ] {
        assert!(source.contains(wanted), "{wanted}: {source}");
    }
    let plain = sampled("wine_linear", 1);
    let source = text(&burn(&plain, &weights(&plain), "plain").unwrap());
    assert!(!source.contains("fn recurrent(") && !source.contains("activation"));
}

#[test]
fn onnx_carries_every_weight_of_a_network() {
    for space in [
        "resnet_small",
        "vit",
        "textcnn",
        "mobilenetv2",
        "tabular_mlp",
    ] {
        let architecture = sampled(space, 3);
        let weights = weights(&architecture);
        let files = onnx(&architecture, &weights, space).unwrap();
        let summary = onnx_summary(&files[0].bytes).unwrap();
        let ours = SafeTensors::deserialize(&weights).unwrap();
        for name in ours.names() {
            assert_eq!(
                summary
                    .tensors
                    .iter()
                    .filter(|tensor| tensor == &name)
                    .count(),
                1,
                "{space}: {name}"
            );
        }
    }
}

#[test]
fn what_the_space_repeats_is_a_loop_in_pytorch() {
    let architecture = sampled("resnet_small", 1);
    let source = text(&pytorch(&architecture, &weights(&architecture), "resnet_small").unwrap());
    assert!(source.contains("class Block(nn.Module):"), "{source}");
    assert!(source.contains("*(Block() for _ in range(2)),"), "{source}");
    assert!(source.contains("class ResnetSmall(nn.Module):"), "{source}");
}

#[test]
fn foreign_weights_are_refused() {
    let (one, other) = (sampled("vit", 1), sampled("textcnn", 1));
    for writer in [pytorch, onnx, burn] {
        let error = writer(&one, &weights(&other), "net").unwrap_err();
        assert!(matches!(error, ExportError::Weights(_)), "{error}");
        assert!(writer(&one, b"nonsense", "net").is_err());
    }
}

#[test]
fn exported_safetensors_are_the_weights_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let space = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/search_spaces/resnet_small.space"
    );
    let (first, second) = (
        folder.path().join("a.safetensors"),
        folder.path().join("b.safetensors"),
    );
    let [a, b] = [&first, &second].map(|path| path.to_str().unwrap());
    let done = strata([
        "export",
        space,
        "--to",
        "safetensors",
        "--seed",
        "7",
        "-o",
        a,
    ]);
    assert_eq!(done.code, 0, "{}", done.err);
    let done = strata([
        "export",
        space,
        "--to",
        "safetensors",
        "--weights",
        a,
        "-o",
        b,
    ]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(
        std::fs::read(&first).unwrap(),
        std::fs::read(&second).unwrap()
    );
}

#[test]
fn pictures_and_json_go_to_stdout_and_what_fails_is_bad_input() {
    let space = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/search_spaces/resnet_small.space"
    );
    for (format, begins) in [
        ("json", "{"),
        ("dot", "digraph"),
        ("mermaid", "flowchart"),
        ("svg", "<svg"),
    ] {
        let done = strata(["export", space, "--to", format]);
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(
            done.out.starts_with(begins),
            "{format}: {}",
            &done.out[..20]
        );
    }
    let done = strata(["export", space, "--to", "onnx", "--weights", space]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("resnet_small.space"), "{}", done.err);
}

const SPACE: &str = "space toy\n\ninput vector(features: 2)\noutput classes(2)\n\nnetwork {\n    linear(4 | 8)\n    relu\n    linear(2)\n}\n";

const EXPERIMENT: &str = "name = \"toy\"\nspace = \"toy.space\"\nseed = 1\n[data]\ntrain = \"train.csv\"\nlabel = \"label\"\n[search]\n\
    controller = \"random\"\n[budget]\ntrials = 2\n[recipe]\nlearning_rate = 0.05\nepochs = 20\n[final]\nretrain_seeds = 1\n";

/// Points left and right of a line.
fn points(count: usize) -> String {
    let mut stream = Seed(5).stream(0, Purpose::Tool);
    let mut text = String::from("a,b,label\n");
    for _ in 0..count {
        let (a, b) = (stream.normal(), stream.normal());
        let label = if a > b { "right" } else { "left" };
        text.push_str(&format!("{a:.4},{b:.4},{label}\n"));
    }
    text
}

#[test]
fn a_winner_predicts_new_examples() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, text) in [
        ("toy.space", SPACE),
        ("toy.toml", EXPERIMENT),
        ("train.csv", &points(120)),
    ] {
        std::fs::write(path(name), text).unwrap();
    }
    let done = strata([
        "search",
        &path("toy.toml"),
        "--runs",
        &path("runs"),
        "--quiet",
    ]);
    assert_eq!(done.code, 0, "{}", done.err);
    let new = points(20);
    std::fs::write(path("new.csv"), &new).unwrap();
    let said = strata(["predict", &path("runs/toy-1"), &path("new.csv")]);
    assert_eq!(said.code, 0, "{}", said.err);
    let right = said.out.lines().zip(new.lines().skip(1));
    let right = right.filter(|(said, row)| row.ends_with(said.split(' ').next().unwrap()));
    assert!(right.count() >= 17, "{}", said.out);
    // Without the answers it says the same.
    let bare: String = new
        .lines()
        .map(|row| row.rsplit_once(',').unwrap().0.to_owned() + "\n")
        .collect();
    std::fs::write(path("bare.csv"), bare).unwrap();
    let bare = strata(["predict", &path("runs/toy-1"), &path("bare.csv")]);
    assert_eq!((bare.code, &bare.out), (0, &said.out), "{}", bare.err);
    // What a row is told does not depend on the rows beside it.
    let fewer: Vec<&str> = new.lines().take(4).collect();
    std::fs::write(path("few.csv"), fewer.join("\n")).unwrap();
    let few = strata(["predict", &path("runs/toy-1"), &path("few.csv")]);
    assert_eq!(
        few.out.lines().collect::<Vec<_>>(),
        said.out.lines().take(3).collect::<Vec<_>>()
    );
    let json = strata(["predict", &path("runs/toy-1"), &path("few.csv"), "--json"]);
    let first: Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_eq!(first["probabilities"].as_array().unwrap().len(), 2);
    assert_eq!(first["classes"], serde_json::json!(["left", "right"]));
    let missing = strata(["predict", &path("runs/toy-1"), &path("nothing.csv")]);
    assert_eq!(missing.code, 2, "{}", missing.err);
    let other = strata(["predict", &path("runs/toy-1"), &path("toy.jsonl")]);
    assert!(
        other
            .err
            .contains("it is `jsonl`, and the network was trained on `csv`"),
        "{}",
        other.err
    );
    let home = strata([
        "export",
        &path("runs/toy-1"),
        "--to",
        "onnx",
        "-o",
        &path("toy.onnx"),
    ]);
    assert_eq!(home.code, 0, "{}", home.err);
    let summary = onnx_summary(&std::fs::read(path("toy.onnx")).unwrap()).unwrap();
    let classes = &summary.metadata[0];
    assert_eq!(
        (classes.0.as_str(), classes.1.as_str()),
        ("classes", "[\"left\",\"right\"]")
    );
    let kept = std::fs::read(path("runs/toy-1/best/preprocessing.json")).unwrap();
    assert_eq!(std::fs::read(path("toy.preprocessing.json")).unwrap(), kept);
    assert_eq!(summary.metadata[1].1.as_bytes(), kept);
    without_the_file(folder.path(), &said.out);
}

/// A run that keeps no preprocessing answers by its data: the same if it is as it was, and else not at all.
fn without_the_file(folder: &Path, said: &str) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let predict = |more: &[&str]| {
        let (run, new) = (path("runs/toy-1"), path("new.csv"));
        strata([&["predict", &run, &new], more].concat())
    };
    // The data is not even needed while the file is there.
    std::fs::create_dir(path("moved")).unwrap();
    std::fs::rename(path("train.csv"), path("moved/train.csv")).unwrap();
    assert_eq!(predict(&[]).out, said);
    std::fs::remove_file(path("runs/toy-1/best/preprocessing.json")).unwrap();
    let gone = predict(&[]);
    assert_eq!(gone.code, 2, "{}", gone.err);
    assert!(gone.err.contains("`--base DIR`"), "{}", gone.err);
    let export = |target: &str| {
        let to = path("again.onnx");
        strata(["export", &path("runs/toy-1"), "--to", target, "-o", &to])
    };
    let home = export("onnx");
    assert_eq!(home.code, 0, "{}", home.err);
    assert!(
        home.err.contains("no preprocessing is written"),
        "{}",
        home.err
    );
    let moved = path("moved");
    let found = predict(&["--base", &moved]);
    assert_eq!((found.code, found.out.as_str()), (0, said), "{}", found.err);
    let verified = strata(["verify", &path("runs/toy-1"), "-n", "1", "--base", &moved]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let text = std::fs::read_to_string(path("moved/train.csv")).unwrap();
    std::fs::write(path("moved/train.csv"), text.replace("right", "a right")).unwrap();
    let changed = predict(&["--base", &moved]);
    assert_eq!(changed.code, 2, "{}", changed.err);
    assert!(
        changed.err.contains("the data has changed"),
        "{}",
        changed.err
    );
}

#[test]
fn python_source_says_how_inputs_are_made() {
    let architecture = sampled("resnet_small", 1);
    let files = pytorch(&architecture, &weights(&architecture), "net").unwrap();
    let source = |section: &str| {
        let data: DataSource = toml::from_str(section).unwrap();
        let splits = data.splits(Path::new("")).unwrap();
        let files = with_preprocessing(files.clone(), &splits.preprocessing());
        assert_eq!(files[2].ending, "preprocessing.json");
        text(&files)
    };
    for (section, present, absent) in [
        ("name = \"penguins\"", "def prepare(rows):", "def padded("),
        ("name = \"digits\"", "def prepare(values):", "def padded("),
        (
            "name = \"diabetes\"",
            "def answer(outputs):",
            "\n    logits =",
        ),
    ] {
        let source = source(section);
        assert!(is_balanced(&source), "{source}");
        assert!(source.contains("import numpy as np\n") && source.contains("KNOWN = "));
        assert!(
            source.contains(present) && !source.contains(absent),
            "{source}"
        );
    }
}

#[test]
fn a_trial_that_did_not_win_can_be_taken_home() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let network =
        "vector(features: 30)\noutput classes(2)\nnetwork { linear(4 | 8) relu linear(classes) }";
    std::fs::write(path("n.space"), format!("space n\ninput {network}\n")).unwrap();
    let experiment = "name = \"n\"\nspace = \"n.space\"\nseed = 1\ndata.name = \"breast_cancer\"\n\
        search.controller = \"random\"\nbudget.trials = 2\nrecipe.epochs = 2\nfinal.retrain_seeds = 0\n";
    std::fs::write(path("n.toml"), experiment).unwrap();
    let runs = path("runs");
    let done = strata(["search", &path("n.toml"), "--runs", &runs, "--quiet"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let run = path("runs/n-1");
    let saved: Vec<String> = ["0", "1"]
        .map(|trial| {
            let file = path(&format!("{trial}.safetensors"));
            let done = strata(["verify", &run, "--trial", trial, "--save", &file]);
            assert_eq!(done.code, 0, "{}", done.err);
            assert_eq!(done.out, format!("trial {trial}: equal\n"));
            let network = format!("{run}#{trial}");
            let home = strata([
                "export",
                &network,
                "--weights",
                &file,
                "--to",
                "onnx",
                "-o",
                &file,
            ]);
            assert_eq!(home.code, 0, "{}", home.err);
            // Without a final evaluation, `best/` is of the search too.
            let beside = std::fs::read(path(&format!("{trial}.preprocessing.json"))).unwrap();
            let kept = path("runs/n-1/best/preprocessing.json");
            assert_eq!(beside, std::fs::read(kept).unwrap());
            file
        })
        .into();
    // One of them won, and its weights are those of the run folder.
    let best = std::fs::read(path("runs/n-1/best/weights.safetensors")).unwrap();
    let same = saved
        .iter()
        .filter(|file| std::fs::read(file).unwrap() == best);
    assert_eq!(same.count(), 1);
    let beyond = strata(["verify", &run, "--trial", "2"]);
    assert_eq!(beyond.code, 2, "{}", beyond.err);
    let unknown = strata(["export", &format!("{run}#2"), "--to", "json"]);
    assert_eq!(unknown.code, 2, "{}", unknown.err);
}
