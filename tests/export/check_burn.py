"""Whether exported burn source compiles and computes what strata computes: one network of each shipped space that burn source
can say, and all of them in one scratch crate.

    pip install safetensors numpy
    cargo build --release
    CARGO_TARGET_DIR=target python tests/export/check_burn.py FOLDER [--strata target/release/strata] [--cargo cargo]

A target folder that has this repository's burn in it saves building it anew.
"""
import argparse
import pathlib
import shutil
import subprocess

from check import Failed, ROOT, load_file, save_file, shaken, strata

MAIN = """use burn::tensor::{Device, Int, Tensor, TensorData};
use safetensors::SafeTensors;

fn numbers(file: &SafeTensors<'_>, name: &str) -> (Vec<f32>, Vec<usize>) {
    let view = file.tensor(name).unwrap();
    let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    (values.collect(), view.shape().to_vec())
}

fn compare(name: &str, ours: &[f32], theirs: &[f32]) {
    let largest = ours.iter().fold(1.0f32, |so_far, value| so_far.max(value.abs()));
    let apart = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0f32, f32::max) / largest;
    let word = if ours.len() == theirs.len() && apart <= 1e-4 { "agrees" } else { "DIFFERS" };
    println!("{name} {word}, the furthest by {apart:.1e}");
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--strata", default=str(ROOT / "target" / "release" / "strata"))
    parser.add_argument("--cargo", default="cargo")
    options = parser.parse_args()
    source = options.folder / "src"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    # All of the repository's dependencies, so that their features are the same and nothing is built twice.
    manifest = (ROOT / "Cargo.toml").read_text()
    parts = manifest[manifest.index("[dependencies]"):manifest.index("[lints.rust]")]
    (options.folder / "Cargo.toml").write_text(
        f"[package]\nname = \"scratch\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n{parts}\n[workspace]\n")
    shutil.copy(ROOT / "Cargo.lock", options.folder / "Cargo.lock")
    main, calls = MAIN, []
    for seed, space in enumerate(sorted((ROOT / "search_spaces").glob("*.space"))):
        name = space.stem
        try:
            network = source / f"{name}.json"
            network.write_text(strata(options, "show", space, "--seed", seed, "--format", "json"))
            given = ["export", network, "-o", source / f"{name}.rs"]
            strata(options, *given, "--to", "safetensors", "--seed", seed)
            weights = source / "weights.safetensors"
            save_file(shaken(load_file(source / f"{name}.safetensors"), seed), weights)
            strata(options, *given, "--to", "burn", "--weights", weights, "--example", 3)
        except Failed as error:
            print(f"{name}: {error}")
            continue
        tokens = "Tensor<2, Int>)" in (source / f"{name}.rs").read_text()
        main += RUN.replace("NAME", name).replace("INPUT", TOKENS if tokens else FLOATS)
        calls.append(f"    run_{name}(&device);\n")
    main += "\nfn main() {\n    let device = Device::flex();\n" + "".join(calls) + "}\n"
    (source / "main.rs").write_text(main)
    print(f"{len(calls)} networks", flush=True)
    subprocess.run([*options.cargo.split(), "run", "--release"], cwd=options.folder, check=True)


if __name__ == "__main__":
    main()
