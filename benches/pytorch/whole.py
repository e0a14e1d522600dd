"""A whole search in strata against the same candidates in a pool of PyTorch processes, on the same cores.

    pip install torch safetensors numpy
    cargo build --release
    python benches/pytorch/whole.py [--trials 200] [--workers 2] [--optuna optuna_digits.py] [--json whole.json]

First `strata search` tries candidates of `digits_cnn` by random search: 10 epochs of SGD with Nesterov momentum and a
cosine schedule, batches of 64, validation after each epoch. Then its candidates, exported beforehand, are trained by the
same recipe on as many examples in a fresh Python: PyTorch loaded once, then forked into one process a worker, each of
one thread, which take candidates as they get free. With `--optuna` a script that has Optuna drive PyTorch over a space
alike (`SCRIPT TRIALS PROCESSES`, which prints its trials a minute) runs as well. What is compared is the time by the clock from start to exit;
processor time is beside it, because it holds on a busy machine too. `--scale` runs strata with one worker as well.
"""
import argparse
import gzip
import json
import multiprocessing
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPERIMENT = """
name = "whole"
space = "{space}"
seed = 1
data.name = "digits"
search.controller = "random"
budget.trials = {trials}
recipe.epochs = {epochs}
final.retrain_seeds = 0
"""


def measured(command, **more):
    """Seconds by the clock and of the processor, and what was printed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True, **more)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "minor faults": after.ru_minflt - before.ru_minflt}, done.stdout


def search(given, folder, workers):
    """One search; its times, with those of trials, and its folder."""
    space = ROOT / "search_spaces" / "digits_cnn.space"
    experiment = folder / "whole.toml"
    experiment.write_text(EXPERIMENT.format(space=space, trials=given.trials, epochs=given.epochs))
    command = [given.strata, "search", experiment, "--runs", folder / f"runs{workers}", "--workers", workers, "--quiet"]
    times, _ = measured(command)
    run = folder / f"runs{workers}" / "whole-1"
    trials = [json.loads(line) for line in strata(given, "trials", run, "--json").splitlines()]
    times["trials"] = sum(trial["seconds"] for trial in trials)
    return times, trials


def strata(given, *arguments):
    command = [given.strata, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def export(given, folder, trials):
    space = ROOT / "search_spaces" / "digits_cnn.space"
    for index, trial in enumerate(trials):
        genome, network = folder / "genome.json", folder / f"net{index:05}.json"
        genome.write_text(json.dumps(trial["genome"]))
        network.write_text(strata(given, "show", space, "--genome", genome, "--format", "json"))
        strata(given, "export", network, "--to", "pytorch", "-o", folder, "--seed", "0")


def pool(folder, workers, epochs):
    """What a user of PyTorch does: a process a core, each with its next candidate. Prints seconds of each part."""
    start = time.perf_counter()
    import numpy as np
    import torch

    torch.set_num_threads(1)
    loaded = time.perf_counter()
    with gzip.open(ROOT / "data" / "digits8x8.csv.gz", "rt") as file:
        table = np.loadtxt((line for line in file if line[0].isdigit()), delimiter=",", dtype=np.float32)
    table = table[np.random.default_rng(0).permutation(len(table))][: 1079 + 359]
    x, y = torch.tensor(table[:, 1:]).reshape(-1, 1, 8, 8), torch.tensor(table[:, 0]).long()
    x = (x - x[:1079].mean()) / x[:1079].std()
    data = time.perf_counter()
    sources = sorted(folder.glob("net*.py"))
    jobs = [(source, x, y, epochs, seed) for seed, source in enumerate(sources)]
    with multiprocessing.get_context("fork").Pool(workers, initializer=torch.set_num_threads, initargs=(1,)) as processes:
        parts = list(processes.imap_unordered(train, jobs, chunksize=1))
    total = {key: sum(part[key] for part in parts) for key in parts[0]}
    total |= {"start": loaded - start, "data": data - loaded}
    print(json.dumps(total))


def train(job):
    """Trains one candidate; seconds of each part, and its accuracy."""
    import importlib.util

    import torch
    from torch.nn import functional as F

    source, x, y, epochs, seed = job
    begun = time.perf_counter()
    torch.manual_seed(seed)
    spec = importlib.util.spec_from_file_location(source.stem, source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.load()
    examples, steps = 1079, epochs * -(-1079 // 64)
    optimizer = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    parts = dict.fromkeys(["build", "forward", "backward", "optimizer", "validation"], 0.0)
    parts["build"] = time.perf_counter() - begun
    for _ in range(epochs):
        network.train()
        for batch in torch.randperm(examples).split(64):
            clock = [time.perf_counter()]
            optimizer.zero_grad()
            loss = F.cross_entropy(network(x[batch]), y[batch])
            clock.append(time.perf_counter())
            loss.backward()
            clock.append(time.perf_counter())
            optimizer.step()
            schedule.step()
            clock.append(time.perf_counter())
            for name, (a, b) in zip(["forward", "backward", "optimizer"], zip(clock, clock[1:])):
                parts[name] += b - a
        clock = time.perf_counter()
        network.eval()
        with torch.no_grad():
            said = network(x[examples:])
            F.cross_entropy(said, y[examples:]).item()
            (said.argmax(1) == y[examples:]).float().mean().item()
        parts["validation"] += time.perf_counter() - clock
    parts["trials"] = time.perf_counter() - begun
    return parts


def describe(name, times, trials, workers):
    outside = workers * times["wall"] - times["trials"] if "trials" in times else float("nan")
    print(f"| {name} | {times['wall']:.1f} | {times['cpu']:.1f} | {60 * trials / times['wall']:.0f} | "
          f"{times.get('trials', float('nan')):.1f} | {outside:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--optuna", type=pathlib.Path, help="a script that has Optuna drive PyTorch")
    parser.add_argument("--optuna-trials", type=int, default=60)
    parser.add_argument("--scale", action="store_true", help="with one worker as well")
    parser.add_argument("--json", type=pathlib.Path, help="where figures are kept")
    parser.add_argument("--strata", default=str(ROOT / "target" / "release" / "strata"))
    parser.add_argument("--pool", type=pathlib.Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.pool:
        return pool(given.pool, given.workers, given.epochs)
    found = {}
    print("| program | by the clock, s | processor, s | trials a minute | in trials, s | outside of them, s |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        found["strata"], trials = search(given, folder, given.workers)
        describe(f"strata, {given.workers} workers", found["strata"], len(trials), given.workers)
        if given.scale:
            found["strata alone"], _ = search(given, folder, 1)
            describe("strata, 1 worker", found["strata alone"], len(trials), 1)
        export(given, folder, trials)
        again = [sys.executable, __file__, "--pool", folder, "--workers", given.workers, "--epochs", given.epochs]
        found["pytorch"], parts = measured(again)
        found["pytorch"] |= json.loads(parts)
        describe(f"PyTorch, {given.workers} processes", found["pytorch"], len(trials), given.workers)
    if given.optuna:
        found["optuna"], said = measured([sys.executable, given.optuna, given.optuna_trials, given.workers])
        # Its own clock stops before the best network is trained anew.
        rate = float(re.search(r"([0-9.]+) trials/min", said)[1])
        found["optuna"]["trials a minute"] = rate
        print(f"| Optuna and PyTorch, {given.workers} processes | | | {rate:.0f} | | |")
        ours = 60 * len(trials) / found["strata"]["wall"]
        print(f"\nstrata does {ours / rate:.2f} times Optuna's trials a minute")
    a, b = found["strata"], found["pytorch"]
    print(f"\nPyTorch takes {b['wall'] / a['wall']:.2f} times as long by the clock, {b['cpu'] / a['cpu']:.2f} times as much of the processor")
    if given.scale:
        print(f"{given.workers} workers do {found['strata alone']['wall'] / a['wall']:.2f} times what one does")
    names = ["start", "data", "build", "forward", "backward", "optimizer", "validation"]
    print("PyTorch's parts, seconds of all processes: " + ", ".join(f"{name} {b[name]:.1f}" for name in names))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
