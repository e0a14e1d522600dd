"""Training steps of sampled networks in strata and in PyTorch, in turn on one core.

    pip install torch safetensors numpy
    cargo build --release && cargo bench --bench steps --no-run
    taskset -c 0 python benches/pytorch/steps.py [--networks 12] [--spaces digits_cnn,resnet] [--csv steps.csv]

Networks are sampled from shipped spaces by seed, exported as PyTorch source and trained on batches of random numbers of
their shapes by the same recipe (SGD with Nesterov momentum and weight decay). Each program is a process of its own that
takes steps on order: strata's, and PyTorch's in each of its layouts. Each round lets each of them take some, in turn. A
time is a round's processor time by its steps; forward, backward and optimiser are those of the fastest step by the
clock. A ratio is PyTorch's faster layout by strata in the same round, and what is printed the median over rounds; then
the geometric mean by space and over all networks.

Memory is what a process gained between the moment before the network was built and its peak, without pages of the
program itself; for PyTorch the layout that takes less, after a network of the same kind has taken a step with two
examples and what that freed was given back to the system. So PyTorch itself (200 MiB and more) does not count, while
what strata needs once for all networks does.

With `--csv` rows are added to a file, and networks that are in it are not measured again: a run that was
interrupted goes on. `--table` prints what a file holds, by space, and measures nothing.
"""
import argparse
import csv
import ctypes
import gc
import importlib.util
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPACES = "digits_cnn,nasbench201,mobilenetv2,resnet,textcnn,lstm_text,transformer_text,resnet_1d,tabular_mlp"
PARTS = ["step", "forward", "backward", "optimizer"]
COLUMNS = ["space", "network", "layout", "rounds"] + [f"{who} {part} ms" for who in ("pytorch", "strata") for part in PARTS]
COLUMNS += ["ratio", "pytorch MiB", "strata MiB"]


def status(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(name + ":")) / 1024


def peak(pid):
    """Memory of a process at its peak without pages of files, of which there are never more than in the end."""
    return status(pid, "VmHWM") - status(pid, "RssFile")


class Ours:
    """The bench's process, which takes steps on order."""

    def __init__(self, binary, network, batch):
        self.process = subprocess.Popen([binary, network, str(batch)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.before = float(self.process.stdout.readline())

    def steps(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        gained = peak(self.pid) - self.before
        self.process.stdin.close()
        self.process.wait()
        return gained


class Theirs:
    """A fork of this process, with PyTorch loaded, that does the same."""

    def __init__(self, source, described, batch, layout):
        self.layout = layout
        asks, (answers, writer) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(asks[1])
            os.close(answers)
            serve(source, described, batch, layout, os.fdopen(asks[0]), os.fdopen(writer, "w"))
            os._exit(0)
        os.close(asks[0])
        os.close(writer)
        self.asks, self.answers = os.fdopen(asks[1], "w"), os.fdopen(answers)
        self.before = float(self.answers.readline())

    def steps(self, count):
        self.asks.write(f"{count}\n")
        self.asks.flush()
        return json.loads(self.answers.readline())

    def close(self):
        gained = peak(self.pid) - self.before
        # Later forks hold the pipe open too, so its end has to be said.
        self.asks.write("end\n")
        self.asks.close()
        os.waitpid(self.pid, 0)
        return gained


def serve(source, described, batch, layout, asks, answers):
    import torch
    from torch.nn import functional as F

    spec = importlib.util.spec_from_file_location("exported", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (kind, sizes), = described["input"].items()

    def build(batch):
        network = module.load().train()
        shape = [batch] + [sizes[name] for name in sizes if name != "vocabulary"]
        inputs = torch.randint(sizes["vocabulary"], shape) if kind == "tokens" else torch.randn(shape)
        if layout == "channels_last":
            network = network.to(memory_format=torch.channels_last)
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        labels = torch.randint(described["output"]["classes"], [batch])
        optimizer = torch.optim.SGD(network.parameters(), 0.001, momentum=0.9, nesterov=True, weight_decay=5e-4)
        return network, inputs, labels, optimizer

    def step(network, inputs, labels, optimizer):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = F.cross_entropy(network(inputs), labels)
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        optimizer.step()
        loss.item()
        return [forward - start, backward - forward, time.perf_counter() - backward]

    step(*build(2))
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    # What is counted begins here: the peak so far is forgotten.
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    print(status("self", "RssAnon"), file=answers, flush=True)
    job = build(batch)
    for line in iter(asks.readline, "end\n"):
        print(json.dumps([step(*job) for _ in range(int(line))]), file=answers, flush=True)


def seconds(pid):
    """Processor time of a process that waits: what else runs on the machine does not count."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) * 1e-9


def timed(program, count):
    """Milliseconds: processor time of a step on average, then the three parts of the fastest by the clock."""
    before = seconds(program.pid)
    steps = program.steps(count)
    return [1e3 * t for t in [(seconds(program.pid) - before) / count, *min(steps, key=sum)]]


def compare(options, text, folder):
    described = json.loads(text)
    path = folder / "net.json"
    path.write_text(text)
    export = [options.strata, "export", path, "--to", "pytorch", "-o", folder, "--seed", "0"]
    subprocess.run(export, check=True, capture_output=True)
    layouts = ["contiguous"] + (["channels_last"] if "image" in described["input"] else [])
    theirs = [Theirs(folder / "net.py", described, options.batch, layout) for layout in layouts]
    ours = Ours(options.steps, path, options.batch)
    count = max(2, min(100, int(100 / max(0.1, timed(ours, 2)[0]))))
    for program in (ours, *theirs):
        program.steps(2)
    rounds = []
    for _ in range(options.rounds):
        a = timed(ours, count)
        b = min(((timed(program, max(2, count // 2)), program.layout) for program in theirs), key=lambda b: b[0][0])
        rounds.append((a, *b))
    row = {"layout": statistics.mode(layout for _, _, layout in rounds), "rounds": options.rounds}
    for index, part in enumerate(PARTS):
        row[f"pytorch {part} ms"] = statistics.median(b[index] for _, b, _ in rounds)
        row[f"strata {part} ms"] = statistics.median(a[index] for a, _, _ in rounds)
    row["ratio"] = statistics.median(b[0] / a[0] for a, b, _ in rounds)
    row["pytorch MiB"] = min(program.close() for program in theirs)
    row["strata MiB"] = ours.close()
    return row


def geometric(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def summary(name, rows):
    """A row of a table: ratios of steps, of their parts and of memory."""
    ratios = [row["ratio"] for row in rows]
    parts = [geometric(row[f"pytorch {part} ms"] / row[f"strata {part} ms"] for row in rows) for part in PARTS[1:]]
    memory = [row["pytorch MiB"] / row["strata MiB"] for row in rows]
    times = [f"{min(r[k] for r in rows):.1f}-{max(r[k] for r in rows):.1f}" for k in ("pytorch step ms", "strata step ms")]
    cells = [len(rows), f"{geometric(ratios):.2f}", f"{min(ratios):.2f}", *(f"{p:.2f}" for p in parts), *times,
             f"{geometric(memory):.2f}", f"{min(memory):.2f}"]
    print(f"| {name} | " + " | ".join(map(str, cells)) + " |", flush=True)


def table(rows):
    print("| space | networks | geometric mean | lowest | forward | backward | optimiser | PyTorch, ms | strata, ms | memory | lowest |")
    print("|" + " --- |" * 11)
    for space in dict.fromkeys(row["space"] for row in rows):
        summary(f"`{space}`", [row for row in rows if row["space"] == space])
    summary("all", rows)


def known(path):
    if path is None or not path.exists():
        return []
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return [{key: value if key in ("space", "layout") else float(value) for key, value in row.items()} for row in rows]


def keep(path, row):
    if path is None:
        return
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow({key: f"{value:.4g}" if isinstance(value, float) else value for key, value in row.items()})


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spaces", default=SPACES)
    parser.add_argument("--networks", type=int, default=12, help="of each space")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv", type=pathlib.Path, help="where rows are kept")
    parser.add_argument("--table", action="store_true", help="print the table of what --csv holds")
    parser.add_argument("--strata", default=str(ROOT / "target" / "release" / "strata"))
    parser.add_argument("--steps", help="the bench's binary; the newest in target/release/deps")
    given = parser.parse_args()
    if given.steps is None and not given.table:
        found = [p for p in (ROOT / "target" / "release" / "deps").glob("steps-*") if p.suffix == ""]
        given.steps = str(max(found, key=lambda path: path.stat().st_mtime))
    return given


def main():
    given = options()
    rows = known(given.csv)
    if given.table:
        return table(rows)
    import torch

    torch.set_num_threads(1)
    measured = {(row["space"], int(row["network"])) for row in rows}
    print(f"{'network':22} {'PyTorch':>10} {'strata':>10} {'ratio':>6} {'fwd':>6} {'bwd':>6} {'opt':>6} {'MiB':>8} {'MiB':>8}")
    for space in given.spaces.split(","):
        file = ROOT / "search_spaces" / f"{space}.space"
        sample = [given.strata, "sample", file, "-n", str(given.networks), "--seed", str(given.seed), "--json"]
        lines = subprocess.run(sample, check=True, capture_output=True, text=True).stdout.splitlines()
        for number, line in enumerate(lines):
            if (space, number) in measured:
                continue
            with tempfile.TemporaryDirectory() as folder:
                row = {"space": space, "network": number}
                row |= compare(given, json.dumps(json.loads(line)["architecture"]), pathlib.Path(folder))
            keep(given.csv, row)
            rows.append(row)
            parts = " ".join(f"{row[f'pytorch {part} ms'] / row[f'strata {part} ms']:6.2f}" for part in PARTS[1:])
            print(f"{space + ' ' + str(number):22} {row['pytorch step ms']:7.2f} ms {row['strata step ms']:7.2f} ms "
                  f"{row['ratio']:6.2f} {parts} {row['pytorch MiB']:8.1f} {row['strata MiB']:8.1f}", flush=True)
    table(rows)
    print(f"PyTorch {torch.__version__}, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
