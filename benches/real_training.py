#!/usr/bin/env python3
"""Compares ways to search on real training: the same spaces, recipes, seeds and CPU time.

    cargo build --release
    python3 benches/real_training.py                  # runs what is missing, then prints the tables
    python3 benches/real_training.py --report         # only the tables

Each run is `strata search` with one worker, bound to one core, and a budget in seconds: what it thinks and what
it trains share that core, so its seconds are CPU seconds as long as nothing else runs. Two runs go at a time.
Every finished run is a line of the results' CSV, so that it can be stopped at any time and started again; runs
that are in it are not repeated.
"""

import argparse
import concurrent.futures
import csv
import json
import math
import os
import pathlib
import queue
import random
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

TASKS = {
    "digits": """
space = "{root}/search_spaces/digits_cnn.space"
[data]
name = "digits"
[recipe]
learning_rate = 0.05
epochs = 10
""",
    "mnist1d": """
space = "{root}/search_spaces/mnist1d_cnn.space"
[data]
name = "mnist1d"
validation = 0.25
[recipe]
optimizer = "adamw"
learning_rate = 0.003
weight_decay = 0.01
epochs = 15
""",
}

METHODS = {
    "random": """
[search]
controller = "random"
lookahead = 2
""",
    "evolution": """
[search]
controller = "evolution"
population = 8
sample = 3
lookahead = 2
""",
    "evolution_halving": """
[search]
controller = "evolution_halving"
population = 8
sample = 3
lookahead = 2
""",
    "evolution_hyperband": """
[search]
controller = "evolution_hyperband"
population = 8
sample = 3
lookahead = 2
""",
    "proxies_evolution": """
[search]
controller = "evolution"
population = 8
sample = 3
lookahead = 2
[prefilter]
proxies = ["naswot", "synflow"]
draws = 8
""",
    "evolution_inherit": """
[search]
controller = "evolution"
population = 8
sample = 3
lookahead = 2
inherit = true
""",
}

FIELDS = ["task", "method", "seed", "seconds", "cpu", "trials", "full", "tests", "curve"]


def experiment(task, method, seed, seconds, retrainings):
    """The experiment file of a run."""
    head, *tables = TASKS[task].strip().split("[data]")
    return (
        f'name = "{task}-{method}-{seed}"\nseed = {seed}\n'
        + head.format(root=ROOT)
        + "[data]"
        + "[data]".join(tables)
        + METHODS[method]
        + f"\n[budget]\nseconds = {seconds}\n[final]\nretrain_seeds = {retrainings}\n"
    )


def curve(journal):
    """Trials, those in full, seconds of searching, and the best full result so far by these seconds."""
    partial, trials, full, seconds, best, points = set(), 0, 0, 0.0, None, []
    for line in journal.read_text().splitlines():
        entry = json.loads(line)
        (kind, record), = entry["record"].items()
        if kind == "proposed" and "fidelity" in record:
            partial.add(record["trial"])
        if kind in ("finished", "failed"):
            seconds = entry["seconds"]
            trials += 1
            full += record["trial"] not in partial
        if kind == "finished" and record["trial"] not in partial:
            fitness = (record["score"], -record["loss"])
            if best is None or fitness > best:
                best = fitness
                points.append((round(seconds, 3), record["score"], record["loss"]))
    return trials, full, seconds, points


def run(options, cores, task, method, seed):
    """One search on one core, and what came of it, as a row of the results."""
    folder = pathlib.Path(options.runs)
    name = f"{task}-{method}-{seed}"
    file = folder / f"{name}.toml"
    file.write_text(experiment(task, method, seed, options.seconds, options.retrainings))
    command = [options.strata, "search", str(file), "--runs", str(folder), "--workers", "1", "--quiet"]
    core = cores.get()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, {core})
    )
    _, status, usage = os.wait4(process.pid, 0)
    cores.put(core)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"{' '.join(command)} failed")
    made = max(folder.glob(f"{name}-*/journal.jsonl"), key=lambda path: path.stat().st_mtime).parent
    asked = [options.strata, "status", str(made), "--json"]
    summary = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
    trials, full, seconds, points = curve(made / "journal.jsonl")
    tests = next((row["accuracies"] for row in summary["finals"] if row["subject"] == "winner"), [])
    return {
        "task": task,
        "method": method,
        "seed": seed,
        "seconds": round(seconds, 3),
        "cpu": round(usage.ru_utime + usage.ru_stime, 1),
        "trials": trials,
        "full": full,
        "tests": json.dumps(tests),
        "curve": json.dumps(points),
    }


def read(path):
    """The rows of the results so far."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def measure(options):
    """Runs what is not in the results, seed by seed, so that a stop leaves whole seeds."""
    path = pathlib.Path(options.out)
    done = {(row["task"], row["method"], int(row["seed"])) for row in read(path)}
    wanted = [
        (task, method, seed)
        for seed in range(1, options.seeds + 1)
        for task in options.tasks
        for method in options.methods
    ]
    missing = [item for item in wanted if item not in done]
    print(f"{len(missing)} of {len(wanted)} runs are missing", file=sys.stderr)
    cores = queue.Queue()
    for core in sorted(os.sched_getaffinity(0))[: options.jobs]:
        cores.put(core)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(run, options, cores, *item) for item in missing]
        for future in concurrent.futures.as_completed(futures):
            try:
                row = future.result()
            except RuntimeError as error:
                print(error, file=sys.stderr)
                continue
            new = not path.exists()
            with path.open("a", newline="") as file:
                writer = csv.DictWriter(file, FIELDS)
                if new:
                    writer.writeheader()
                writer.writerow(row)
            print(f"{row['task']} {row['method']} {row['seed']}: {row['trials']} trials", file=sys.stderr)


def best_at(points, seconds):
    """The validation score and loss of the best trial after so many seconds of trials."""
    known = [(score, loss) for spent, score, loss in points if spent <= seconds]
    return known[-1] if known else (math.nan, math.nan)


def score_at(points, seconds):
    return best_at(points, seconds)[0]


def loss_at(points, seconds):
    return best_at(points, seconds)[1]


def interval(values, draws=10_000):
    """A 95% bootstrap interval of the mean (percentiles)."""
    stream = random.Random(0)
    means = sorted(statistics.fmean(stream.choices(values, k=len(values))) for _ in range(draws))
    return means[int(0.025 * draws)], means[int(0.975 * draws) - 1]


def cell(values):
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return "-"
    low, high = interval(values)
    return f"{statistics.fmean(values):.4f} [{low:.4f}, {high:.4f}]"


def mean_curve(rows, times):
    """The means over seeds of the best trial's score and negated loss at each time; nan until every seed has one.

    They are compared in this order, as a search does it: where every seed reaches the highest score there is, the
    loss tells which search is ahead.
    """
    curves = [json.loads(row["curve"]) for row in rows]

    def mean(time):
        score = statistics.fmean(score_at(points, time) for points in curves)
        return round(score, 12), -statistics.fmean(loss_at(points, time) for points in curves)

    return [mean(time) for time in times]


def report(options):
    """Tables: quality at shares of the time, and the time that random search's quality takes."""
    everything = read(pathlib.Path(options.out))
    for task in options.tasks:
        of_task = [row for row in everything if row["task"] == task]
        whole = options.seconds
        times = [whole * step / 400 for step in range(1, 401)]
        groups = {m: [row for row in of_task if row["method"] == m] for m in options.methods}
        groups = {method: rows for method, rows in groups.items() if rows}
        if "random" not in groups:
            continue
        goal = mean_curve(groups["random"], [whole])[0]
        print(f"\n{task}: {whole} s of trials a run; random search ends with {goal[0]:.4f}, loss {-goal[1]:.4f}\n")
        print(
            "| search | seeds | trials (full) | validation at half | validation at the end | loss there | test "
            "| reaches random's end after |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for method, rows in groups.items():
            curves = [json.loads(row["curve"]) for row in rows]
            reached = next(
                (t for t, mean in zip(times, mean_curve(rows, times)) if mean >= goal), math.nan
            )
            tests = [statistics.fmean(json.loads(row["tests"])) for row in rows if json.loads(row["tests"])]
            trials = statistics.fmean(int(row["trials"]) for row in rows)
            full = statistics.fmean(int(row["full"]) for row in rows)
            share = "never" if math.isnan(reached) else f"{reached:.0f} s ({reached / whole:.0%})"
            print(
                f"| {method} | {len(rows)} | {trials:.0f} ({full:.0f}) "
                f"| {cell([score_at(points, whole / 2) for points in curves])} "
                f"| {cell([score_at(points, whole) for points in curves])} "
                f"| {cell([loss_at(points, whole) for points in curves])} "
                f"| {cell(tests)} | {share} |"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strata", default=str(ROOT / "target/release/strata"))
    parser.add_argument("--out", default="real_training.csv")
    parser.add_argument("--runs", default=None, help="where run folders go; by default a temporary folder")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--retrainings", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    if not options.report:
        with tempfile.TemporaryDirectory() as folder:
            options.runs = options.runs or folder
            pathlib.Path(options.runs).mkdir(parents=True, exist_ok=True)
            measure(options)
    report(options)


if __name__ == "__main__":
    main()
