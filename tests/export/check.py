"""Whether what strata exports computes what strata computes: networks sampled over every shipped space, and every layer.

    pip install torch onnx onnxruntime safetensors numpy
    cargo build --release
    python tests/export/check.py [--networks 200] [--strata target/release/strata]

Each network gets random weights, and running statistics that are not those of the start; PyTorch runs the exported source
and onnxruntime the exported file, after ONNX's own checker. Outputs are compared within 1e-4, of 1 or of the largest output.
"""
import argparse
import collections
import gzip
import importlib.util
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import load_file, save_file

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOLERANCE = 1e-4
torch.set_num_threads(1)


class Failed(Exception):
    pass


def strata(options, *arguments):
    done = subprocess.run([options.strata, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise Failed(done.stderr.strip().splitlines()[-1])
    return done.stdout


def shaken(weights, seed):
    """The weights with everything moved away from where it starts; variances stay positive."""
    random = np.random.default_rng(seed)
    moved = {}
    for name, values in weights.items():
        noise = random.standard_normal(values.shape).astype(np.float32)
        moved[name] = values * (1 + 0.3 * np.abs(noise)) if name.endswith("running_var") else values + 0.1 * noise
    return moved


def imported(path):
    spec = importlib.util.spec_from_file_location("exported", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pytorch(path, inputs):
    with torch.no_grad():
        return imported(path).load()(torch.from_numpy(inputs)).numpy()


def onnx_runtime(path, inputs):
    onnx.checker.check_model(str(path), full_check=True)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    return session.run(None, {"input": inputs})[0]


def apart(ours, theirs):
    if ours.shape != theirs.shape:
        raise Failed(f"shape {theirs.shape} for {ours.shape}")
    return float(np.abs(ours - theirs).max() / max(1.0, np.abs(ours).max()))


def compare(options, network, folder, seed):
    """How far each target is from strata: a number, or why there is none."""
    tokens = "tokens" in json.loads(network.read_text())["input"]
    given = ["export", network, "-o", folder / "net", "--to"]
    (folder / "net").mkdir()
    strata(options, *given, "safetensors", "--seed", seed)
    weights = folder / "weights.safetensors"
    save_file(shaken(load_file(folder / "net" / f"{network.stem}.safetensors"), seed), weights)
    found = {}
    for target, ending, run in (("pytorch", "py", pytorch), ("onnx", "onnx", onnx_runtime)):
        try:
            strata(options, *given, target, "--weights", weights, "--example", 3)
            example = load_file(folder / "net" / f"{network.stem}.example.safetensors")
            inputs = example["input"].astype(np.int64) if tokens else example["input"]
            found[target] = apart(example["output"], run(folder / "net" / f"{network.stem}.{ending}", inputs))
        except Exception as error:
            found[target] = f"{type(error).__name__}: {error}"
    return found


def sampled(options, count):
    """JSON of networks, as evenly over the spaces as their sizes allow."""
    spaces = sorted((ROOT / "search_spaces").glob("*.space"))
    rounds = -(-count // len(spaces))
    for number in range(rounds):
        for space in spaces[: count - number * len(spaces)]:
            yield f"{space.stem} {number}", strata(options, "show", space, "--seed", number, "--format", "json")


def kinds():
    """A network around each golden case of one layer, and around two that golden cases can't hold: hard choices."""
    for shape in ({"signal": {"channels": 4, "length": 3}}, {"sequence": {"length": 3, "features": 4}}):
        hard = {"layer": "gumbel_softmax", "arguments": {"hard": True}, "inputs": [0], "address": "n/choice"}
        flat = {"layer": "flatten", "arguments": {}, "inputs": [1], "address": "n/flatten"}
        yield "gumbel_softmax hard", json.dumps({"format": 1, "input": shape, "output": {"regression": 12}, "nodes": [hard, flat]})
    golden = json.loads(gzip.decompress((ROOT / "tests" / "golden" / "layers.json.gz").read_bytes()))
    names = {"image": ["channels", "height", "width"], "volume": ["channels", "depth", "height", "width"],
             "signal": ["channels", "length"], "sequence": ["length", "features"], "vector": ["features"], "tokens": ["length"]}
    for number, case in enumerate(golden["cases"]):
        kind, sizes = case["inputs"][0]["kind"], case["inputs"][0]["shape"][1:]
        if any(other["shape"] != case["inputs"][0]["shape"] for other in case["inputs"]):
            continue
        shape = dict(zip(names[kind], sizes)) | ({"vocabulary": golden["vocabulary"]} if kind == "tokens" else {})
        node = lambda layer, inputs, arguments: {"layer": layer, "arguments": arguments, "inputs": inputs, "address": f"n/{layer}{inputs}"}
        nodes = [node("flip", [0], {})] if len(case["inputs"]) > 1 and kind not in ("vector", "tokens", "volume") else []
        others = [len(nodes)] * (len(case["inputs"]) - 1)
        nodes.append(node(case["layer"], [0, *others], case["arguments"]))
        nodes.append(node("flatten", [len(nodes)], {}))
        features = int(np.prod(case["output"]["shape"][1:]))
        yield f"{case['layer']} {number}", json.dumps({"format": 1, "input": {kind: shape}, "output": {"regression": features}, "nodes": nodes})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--strata", default=str(ROOT / "target" / "release" / "strata"))
    parser.add_argument("--only", help="only networks whose name begins so")
    options = parser.parse_args()
    bad = 0
    for what, networks in (("layers", kinds()), ("networks", sampled(options, options.networks))):
        agree, worst, total = collections.Counter(), collections.Counter(), 0
        for seed, (name, text) in enumerate(networks):
            if options.only and not name.startswith(options.only):
                continue
            total += 1
            with tempfile.TemporaryDirectory() as folder:
                network = pathlib.Path(folder) / "net.json"
                network.write_text(text)
                try:
                    found = compare(options, network, pathlib.Path(folder), seed)
                except Failed as error:
                    found = {"strata": str(error)}
            for target, distance in found.items():
                if isinstance(distance, float) and distance <= TOLERANCE:
                    agree[target] += 1
                    worst[target] = max(worst[target], distance)
                else:
                    print(f"{name}: {target}: {distance}", flush=True)
                    bad += 1
        for target in ("pytorch", "onnx"):
            print(f"{what}: {agree[target]} of {total} agree in {target}, the furthest by {worst[target]:.1e}", flush=True)
    raise SystemExit(bad > 0)


if __name__ == "__main__":
    main()
