"""Trains one network in PyTorch and in strata, one thread each, and prints the ratio of their times.

    cargo build --release
    pip install torch numpy
    python benches/pytorch/compare.py [search_spaces/resnet_small.space] [--epochs 10] [--repeats 3]

The network is what `strata show --format json` prints, the recipe strata's default: SGD 0.05 with Nesterov
momentum 0.9, cosine to zero step by step, weight decay 5e-4, batches of 64. Both train on 1,079 digits and
look at 359 after each epoch; which digits differs, since each divides them by its own generator. Times are
wall time of the loop, the best of the repeats; strata's are what `strata train --json` reports.
"""
import argparse
import csv
import gzip
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

ROOT = pathlib.Path(__file__).resolve().parents[2]


class SamePad(nn.Module):
    """Zeros so that a window of stride s gives ceil(size / s); the smaller half first."""

    def __init__(self, extent):
        super().__init__()
        self.before, self.after = (extent - 1) // 2, extent - 1 - (extent - 1) // 2

    def forward(self, x):
        return F.pad(x, (self.before, self.after) * 2)


class SqueezeExcite(nn.Module):
    def __init__(self, channels, hidden):
        super().__init__()
        self.squeeze, self.excite = nn.Linear(channels, hidden), nn.Linear(hidden, channels)

    def forward(self, x):
        gate = torch.sigmoid(self.excite(torch.relu(self.squeeze(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


def conv2d(incoming, a):
    same = a["padding"] == "same"
    padding = 0 if a["padding"] in ("same", "valid") else a["padding"]
    extent = a["dilation"] * (a["kernel"] - 1) + 1
    if same and extent % 2 == 1:
        # An odd window is padded alike on both sides, which the convolution does itself.
        same, padding = False, extent // 2
    conv = nn.Conv2d(incoming, a["out"], a["kernel"], a["stride"], padding, a["dilation"], a["groups"], a["bias"])
    return nn.Sequential(SamePad(extent), conv) if same else conv


def pool(kind, a):
    padding = 0 if a["padding"] == "valid" else a["padding"]
    if padding == "same":
        sys.exit("pools with same padding are not translated; pick another network")
    return kind(a["kernel"], a["stride"], padding)


def features(shape):
    (kind, sizes), = shape.items()
    return sizes["channels"] if kind in ("image", "signal") else sizes["features"]


def module(name, a, shape):
    """The PyTorch module of one layer, for an input of this shape."""
    n = features(shape)
    table = {
        "identity": lambda: nn.Identity(),
        "linear": lambda: nn.Linear(n, a["out"], a["bias"]),
        "conv2d": lambda: conv2d(n, a),
        "relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "flatten": nn.Flatten,
        "gelu": lambda: nn.GELU(a["approximate"]),
        "leaky_relu": lambda: nn.LeakyReLU(a["slope"]),
        "prelu": nn.PReLU,
        "max_pool2d": lambda: pool(nn.MaxPool2d, a),
        "avg_pool2d": lambda: pool(nn.AvgPool2d, a),
        "global_avg_pool": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        "batch_norm": lambda: nn.BatchNorm2d(n) if "image" in shape else nn.BatchNorm1d(n),
        "layer_norm": lambda: nn.LayerNorm(n),
        "group_norm": lambda: nn.GroupNorm(a["groups"], n),
        "dropout": lambda: nn.Dropout(a["p"]),
        "squeeze_excite": lambda: SqueezeExcite(n, max(1, n // a["reduction"])),
    }
    if name not in table:
        sys.exit(f"{name} is not translated; pick another network")
    return table[name]()


class Network(nn.Module):
    def __init__(self, described):
        super().__init__()
        self.nodes, shapes = described["nodes"], [described["input"]]
        self.layers = nn.ModuleList()
        for node in self.nodes:
            merge = node["layer"] == "add"
            layer = nn.Identity() if merge else module(node["layer"], node["arguments"], shapes[node["inputs"][0]])
            self.layers.append(layer)
            shapes.append(node["shape"])

    def forward(self, x):
        values = [x]
        for node, layer in zip(self.nodes, self.layers):
            inputs = [values[i] for i in node["inputs"]]
            values.append(sum(inputs[1:], inputs[0]) if node["layer"] == "add" else layer(inputs[0]))
        return values[-1]


def digits():
    with gzip.open(ROOT / "data" / "digits8x8.csv.gz", "rt") as file:
        rows = [row for row in csv.reader(file) if row[0].isdigit()]
    table = np.array(rows, dtype=np.float32)
    table = table[np.random.default_rng(0).permutation(len(table))][: 1079 + 359]
    inputs, labels = torch.tensor(table[:, 1:]).reshape(-1, 1, 8, 8), torch.tensor(table[:, 0]).long()
    inputs = (inputs - inputs[:1079].mean()) / inputs[:1079].std()
    return inputs[:1079], labels[:1079], inputs[1079:], labels[1079:]


def train(described, epochs, seed):
    """Seconds and validation accuracy of one training."""
    torch.manual_seed(seed)
    x, y, vx, vy = digits()
    network = Network(described)
    steps = epochs * -(-len(x) // 64)
    optimizer = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    accuracy, began = 0.0, time.perf_counter()
    for _ in range(epochs):
        network.train()
        for batch in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.no_grad():
            accuracy = (network(vx).argmax(1) == vy).float().mean().item()
    return time.perf_counter() - began, accuracy


def strata(binary, *arguments):
    done = subprocess.run([binary, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("space", nargs="?", default=str(ROOT / "search_spaces" / "resnet_small.space"))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--strata", default=str(ROOT / "target" / "release" / "strata"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    described = strata(options.strata, "show", options.space, "--format", "json")
    arguments = ["--data", "digits", "--epochs", str(options.epochs), "--json", "--quiet"]
    ours, theirs = [], []
    for seed in range(options.repeats):
        report = strata(options.strata, "train", options.space, *arguments, "--seed", str(seed))
        ours.append((report["seconds"], report["validation_accuracy"]))
        theirs.append(train(described, options.epochs, seed))
    assert report["params"] == sum(p.numel() for p in Network(described).parameters()), "not the same network"
    for name, runs in (("strata", ours), ("pytorch", theirs)):
        accuracy = statistics.mean(accuracy for _, accuracy in runs)
        print(f"{name:8} {min(runs)[0]:7.2f} s for {options.epochs} epochs, validation accuracy {accuracy:.4f} on average")
    print(f"strata takes {min(ours)[0] / min(theirs)[0]:.2f} times as long as PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
