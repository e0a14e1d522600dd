"""Training steps of sampled networks in strata and in PyTorch, in turn on one core.

    pip install torch safetensors numpy
    cargo build --release && cargo bench --bench steps --no-run
    taskset -c 0 python benches/pytorch/steps.py [--networks 12] [--spaces digits_cnn,resnet] [--batch 64]

Networks are sampled from shipped spaces by seed, exported as PyTorch source and trained on batches of random numbers of
their shapes by the same recipe (SGD with Nesterov momentum and weight decay). Each round lets strata take some steps, then
PyTorch in both of its layouts; times are processor time of a round's steps on average (the parts: by the clock, of the fastest step), a
ratio is that of one round (PyTorch's faster layout by strata), and what is printed the median over rounds; then the geometric mean by space and over all networks.
"""
import argparse
import importlib.util
import json
import math
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch.nn import functional as F

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPACES = "digits_cnn,nasbench201,mobilenetv2,resnet,textcnn,lstm_text,transformer_text,resnet_1d,tabular_mlp"
torch.set_num_threads(1)


class Ours:
    """The bench's process, which takes steps on order."""

    def __init__(self, binary, network, batch):
        self.process = subprocess.Popen([binary, network, str(batch)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def steps(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def seconds(self):
        """Processor time so far: what else runs on the machine does not count."""
        return int(pathlib.Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) * 1e-9

    def close(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        self.process.stdin.close()
        self.process.wait()
        return peak / 1024


class Theirs:
    def __init__(self, source, described, batch, layout):
        spec = importlib.util.spec_from_file_location("exported", source)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.network = module.load().train()
        (kind, sizes), = described["input"].items()
        shape = [batch] + [sizes[name] for name in sizes if name != "vocabulary"]
        self.inputs = torch.randint(sizes["vocabulary"], shape) if kind == "tokens" else torch.randn(shape)
        if layout == "channels_last":
            self.network = self.network.to(memory_format=torch.channels_last)
            self.inputs = self.inputs.contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(described["output"]["classes"], [batch])
        parameters = self.network.parameters()
        self.optimizer = torch.optim.SGD(parameters, 0.001, momentum=0.9, nesterov=True, weight_decay=5e-4)

    def step(self):
        start = time.perf_counter()
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.network(self.inputs), self.labels)
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        self.optimizer.step()
        loss.item()
        return [forward - start, backward - forward, time.perf_counter() - backward]

    def seconds(self):
        return time.process_time()

    def steps(self, count):
        return [self.step() for _ in range(count)]


def timed(program, count):
    """Processor time of a step on average, then the three parts of the fastest by the clock."""
    before = program.seconds()
    steps = program.steps(count)
    return [(program.seconds() - before) / count, *min(steps, key=sum)]


def compare(options, text, folder):
    described = json.loads(text)
    path = folder / "net.json"
    path.write_text(text)
    subprocess.run([options.strata, "export", path, "--to", "pytorch", "-o", folder, "--seed", "0"], check=True, capture_output=True)
    layouts = ["contiguous"] + (["channels_last"] if "image" in described["input"] else [])
    theirs = [Theirs(folder / "net.py", described, options.batch, layout) for layout in layouts]
    ours = Ours(options.steps, path, options.batch)
    count = max(2, min(100, int(0.1 / max(1e-4, timed(ours, 2)[0]))))
    for program in (ours, *theirs):
        program.steps(2)
    rounds = []
    for _ in range(options.rounds):
        a = timed(ours, count)
        b = min((timed(program, max(2, count // 2)) for program in theirs), key=lambda times: times[0])
        rounds.append((a, b))
    peak = ours.close()
    ratios = [statistics.median(b[i] / max(a[i], 1e-9) for a, b in rounds) for i in range(4)]
    times = [1e3 * statistics.median(times[i][0] for times in rounds) for i in range(2)]
    return ratios, times, peak


def geometric(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spaces", default=SPACES)
    parser.add_argument("--networks", type=int, default=12, help="of each space")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strata", default=str(ROOT / "target" / "release" / "strata"))
    parser.add_argument("--steps", help="the bench's binary; the newest in target/release/deps")
    options = parser.parse_args()
    if options.steps is None:
        found = [p for p in (ROOT / "target" / "release" / "deps").glob("steps-*") if p.suffix == ""]
        options.steps = str(max(found, key=lambda path: path.stat().st_mtime))
    everything = []
    print(f"{'network':24} {'PyTorch':>9} {'strata':>9} {'ratio':>6} {'fwd':>6} {'bwd':>6} {'opt':>6} {'peak MiB':>9}")
    for space in options.spaces.split(","):
        file = ROOT / "search_spaces" / f"{space}.space"
        lines = subprocess.run([options.strata, "sample", file, "-n", str(options.networks), "--seed", str(options.seed), "--json"],
                               check=True, capture_output=True, text=True).stdout.splitlines()
        ratios = []
        for number, line in enumerate(lines):
            with tempfile.TemporaryDirectory() as folder:
                ratio, (ours, theirs), peak = compare(options, json.dumps(json.loads(line)["architecture"]), pathlib.Path(folder))
            ratios.append(ratio[0])
            parts = " ".join(f"{value:6.2f}" for value in ratio)
            print(f"{space + ' ' + str(number):24} {theirs:6.2f} ms {ours:6.2f} ms {parts} {peak:9.1f}", flush=True)
        everything += ratios
        print(f"{space}: geometric mean {geometric(ratios):.2f}, lowest {min(ratios):.2f} of {len(ratios)}", flush=True)
    print(f"all: geometric mean {geometric(everything):.2f}, lowest {min(everything):.2f} of {len(everything)}; PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
