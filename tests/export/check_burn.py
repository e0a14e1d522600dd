"""Whether exported burn source compiles and computes what strata computes: networks sampled over every shipped space, and
every layer, all of them in one scratch crate.

    pip install torch onnx onnxruntime safetensors numpy
    cargo build --release
    CARGO_TARGET_DIR=target python tests/export/check_burn.py FOLDER [--networks 200] [--strata target/release/strata]

A target folder that has this repository's burn in it saves building it anew. `--cargo` may carry settings of cargo's.
"""
import argparse
import collections
import pathlib
import shutil
import subprocess

from check import Failed, ROOT, kinds, load_file, sampled, save_file, shaken, strata

MAIN = """use burn::tensor::{Device, Int, Tensor, TensorData};
use safetensors::SafeTensors;

fn numbers(file: &SafeTensors<'_>, name: &str) -> (Vec<f32>, Vec<usize>) {
    let view = file.tensor(name).unwrap();
    let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    (values.collect(), view.shape().to_vec())
}

/// Prints the largest difference, of 1 or of the largest output.
fn compare(name: &str, ours: &[f32], theirs: &[f32]) {
    let largest = ours.iter().fold(1.0f32, |so_far, value| so_far.max(value.abs()));
    let apart = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0f32, |a, b| if b > a || b.is_nan() { b } else { a });
    println!("{name} {} {:e}", ours.len() == theirs.len(), apart / largest);
}
"""

RUN = """
mod NAME;
fn run_NAME(device: &Device) {
    let network = NAME::Network::init(include_bytes!("NAME.safetensors"), device);
    let bytes = include_bytes!("NAME.example.safetensors");
    let file = SafeTensors::deserialize(bytes).unwrap();
    let ((input, shape), (output, _)) = (numbers(&file, "input"), numbers(&file, "output"));
    let values = INPUT;
    let found = network.forward(values).into_data();
    compare("NAME", &output, found.as_slice::<f32>().unwrap());
}
"""
FLOATS = "Tensor::from_data(TensorData::new(input, shape), device)"
TOKENS = "Tensor::<2, Int>::from_data(TensorData::new(input.iter().map(|&v| v as i32).collect::<Vec<i32>>(), shape), device)"
TOLERANCE = 1e-4


def written(options, source, name, text, seed):
    """Writes one network's source and what strata makes of an example; gives its part of `main.rs`."""
    network = source / f"{name}.json"
    network.write_text(text)
    given = ["export", network, "-o", source / f"{name}.rs"]
    strata(options, *given, "--to", "safetensors", "--seed", seed)
    weights = source / "weights.safetensors"
    save_file(shaken(load_file(source / f"{name}.safetensors"), seed), weights)
    strata(options, *given, "--to", "burn", "--weights", weights, "--example", 3)
    tokens = "Tensor<2, Int>)" in (source / f"{name}.rs").read_text()
    return RUN.replace("NAME", name).replace("INPUT", TOKENS if tokens else FLOATS)


def crate(folder):
    """A crate with all of the repository's dependencies, so that their features are the same and nothing is built twice."""
    source = folder / "src"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    manifest = (ROOT / "Cargo.toml").read_text()
    parts = manifest[manifest.index("[dependencies]"):manifest.index("[lints.rust]")]
    (folder / "Cargo.toml").write_text(
        f"[package]\nname = \"scratch\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n{parts}\n[workspace]\n\n"
        "[profile.release.package.scratch]\nopt-level = 0\n")
    shutil.copy(ROOT / "Cargo.lock", folder / "Cargo.lock")
    return source


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--strata", default=str(ROOT / "target" / "release" / "strata"))
    parser.add_argument("--cargo", default="cargo")
    options = parser.parse_args()
    source = crate(options.folder)
    names, main, totals, bad = {}, MAIN, collections.Counter(), 0
    for what, networks in (("layers", kinds()), ("networks", sampled(options, options.networks))):
        for seed, (title, text) in enumerate(networks):
            name = f"{what}_{seed}"
            totals[what] += 1
            try:
                main += written(options, source, name, text, seed)
                names[name] = title
            except Failed as error:
                print(f"{what}: {title}: {error}", flush=True)
                bad += 1
    calls = "".join(f"    run_{name}(&device);\n" for name in names)
    (source / "main.rs").write_text(main + "\nfn main() {\n    let device = Device::flex();\n" + calls + "}\n")
    run = [*options.cargo.split(), "run", "--release", "--quiet"]
    done = subprocess.run(run, cwd=options.folder, check=True, stdout=subprocess.PIPE, text=True)
    agree, worst = collections.Counter(), collections.Counter()
    for line in done.stdout.splitlines():
        name, whole, apart = line.split()
        what = name.split("_")[0]
        if whole == "true" and float(apart) <= TOLERANCE:
            agree[what] += 1
            worst[what] = max(worst[what], float(apart))
        else:
            print(f"{what}: {names[name]}: differs by {apart}")
            bad += 1
    for what, total in totals.items():
        print(f"{what}: {agree[what]} of {total} compile and agree in burn, the furthest by {worst[what]:.1e}")
    raise SystemExit(bad > 0)


if __name__ == "__main__":
    main()
