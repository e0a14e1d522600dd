"""How time, memory and the journal grow: with trials, with the space, with depth, and with workers.

    cargo build --release
    python benches/scaling.py [--only trials,space,depth,workers] [--most TRIALS] [--csv scaling.csv] [--svg docs/images/scaling.svg]

Each measurement is a run of `strata` of its own, one after the other, in the folder for temporary files. Time is that of the
processor, so that a busy machine counts little; memory is the process's peak. `--most` bounds the trials: a million take four
minutes of the processor and half a gigabyte of disk. A law is the slope of a straight line through the logarithms: 1 is in
proportion, 0 is constant.
With workers, which share two cores, what is looked at is that the run's digest stays the same.
"""
import argparse
import csv
import json
import math
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TABLE = """
name = "s"
space = "{root}/search_spaces/nasbench201.space"
seed = 1
search = {{ controller = "evolution", duplicates = true }}
budget.trials = {trials}
final.retrain_seeds = 0
[evaluator]
kind = "table"
file = "{root}/data/nb201_cifar10.csv.gz"
key = "ops"
score = "c10_val12"
"""
DIGITS = """
name = "s"
space = "{root}/search_spaces/digits_cnn.space"
seed = 1
data.name = "digits"
search = {{ controller = "evolution", lookahead = 16 }}
budget.trials = 24
recipe.epochs = 1
final.retrain_seeds = 0
"""
SPACE = """space s
input image(channels: 1, height: 8, width: 8)
output classes(10)
network {{
    repeat 1..{units} {{ conv2d(8 | 16 | 32, kernel: 1 | 3 | 5, padding: same) batch_norm? relu | silu | gelu }}
    global_avg_pool
    linear(classes)
}}
"""
DEPTH = """space s
input image(channels: 1, height: 8, width: 8)
output classes(10)
network {{
    conv2d(8, kernel: 3, padding: same)
    repeat {units} {{ residual {{ conv2d(8, kernel: 3, padding: same) batch_norm }} }}
    global_avg_pool
    linear(classes)
}}
"""


def measured(*command):
    """Seconds of the processor and the peak in MiB of one run, what it printed, and how long it took."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([*map(str, command)], stdout=said)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"{command} failed")
        said.seek(0)
        took = time.monotonic() - begun
        return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said.read().decode(), took


def trials(strata, folder, most):
    for count in (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000):
        if count > most:
            return
        file, runs = folder / "s.toml", folder / str(count)
        file.write_text(TABLE.format(root=ROOT, trials=count))
        seconds, peak, _, took = measured(strata, "search", file, "--runs", runs, "--workers", 1, "--quiet")
        files = [path for path in runs.rglob("*") if path.is_file()]
        journal = next(path for path in files if path.name == "journal.jsonl")
        yield {"of": "trials", "x": count, "seconds": seconds, "MiB": peak, "journal MiB": journal.stat().st_size / 2**20,
               "took": took, "files": len(files)}
        shutil.rmtree(runs)


def space(strata, folder, _):
    for units in (1, 2, 4, 8, 16, 32, 64):
        file = folder / "s.space"
        file.write_text(SPACE.format(units=units))
        size = int(measured(strata, "count", file)[2].split()[0].replace(",", ""))
        seconds, peak, *_ = measured(strata, "sample", file, "-n", 100, "--json")
        yield {"of": "space", "x": math.log10(size), "seconds": seconds, "MiB": peak}


def depth(strata, folder, _):
    for units in (10, 30, 100, 300, 1000):
        file = folder / "s.space"
        file.write_text(DEPTH.format(units=units))
        seconds, peak, *_ = measured(strata, "train", file, "--data", "digits", "--epochs", 1, "--quiet", "--json")
        yield {"of": "depth", "x": units, "seconds": seconds, "MiB": peak}


def workers(strata, folder, _):
    for count in (1, 2, 4, 8, 16):
        file = folder / "s.toml"
        file.write_text(DIGITS.format(root=ROOT))
        runs = folder / f"workers{count}"
        seconds, peak, *_ = measured(strata, "search", file, "--runs", runs, "--workers", count, "--quiet")
        manifest = next(runs.rglob("manifest.json"))
        yield {"of": "workers", "x": count, "seconds": seconds, "MiB": peak, "digest": json.loads(manifest.read_text())["digest"]}


def law(rows, figure):
    """The slope between logarithms, of the upper half, where what is constant counts no more."""
    points = [(math.log(row["x"]), math.log(row[figure])) for row in rows if row.get(figure)]
    points = points[len(points) // 2 - 1:]
    mean = [sum(values) / len(points) for values in zip(*points)]
    below = sum((x - mean[0]) ** 2 for x, _ in points)
    slope = sum((x - mean[0]) * (y - mean[1]) for x, y in points) / below
    return round(slope, 2) + 0.0


def short(number):
    """A number in few letters: 30k, 1M."""
    for power, letter in ((1e6, "M"), (1e3, "k")):
        if number >= power:
            return f"{number / power:.3g}{letter}"
    return f"{number:.3g}"


def panel(rows, title, place):
    """One plot with logarithmic axes, as SVG."""
    left, width, height = place * 300 + 45, 230, 200
    xs = [math.log10(row["x"]) for row in rows]
    figures = [name for name in ("seconds", "MiB", "journal MiB") if any(row.get(name) for row in rows)]
    values = [math.log10(row[name]) for row in rows for name in figures if row.get(name)]
    low, high = math.floor(min(values)), math.ceil(max(values))
    across = lambda x: left + width * (x - min(xs)) / (max(xs) - min(xs))
    up = lambda y: 30 + height * (high - y) / (high - low)
    parts = [f'<text x="{left}" y="18" font-weight="bold">{title}</text>',
             f'<path d="M{left} 30V{30 + height}H{left + width}" fill="none" stroke="#888"/>']
    for power in range(low, high + 1):
        parts.append(f'<text x="{left - 6}" y="{up(power) + 4:.0f}" text-anchor="end">{10.0 ** power:g}</text>')
    last = -math.inf
    for x, row in zip(xs, rows):
        if across(x) - last >= 32:
            last = across(x)
            parts.append(f'<text x="{last:.0f}" y="{height + 46}" text-anchor="middle">{short(row["x"])}</text>')
    for name, colour in zip(figures, ("#1f6fb2", "#c8553d", "#3d8b5f")):
        points = [(across(x), up(math.log10(row[name]))) for x, row in zip(xs, rows) if row.get(name)]
        parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = points[-1]
        parts.append(f'<text x="{x:.0f}" y="{y - 5:.0f}" text-anchor="end" fill="{colour}">{name} ~ x^{law(rows, name):.2f}</text>')
    return "\n".join(parts)


def draw(rows, path):
    titles = {"trials": "Trials on a table", "space": "Decimal digits of the space", "depth": "Residual units", "workers": "Workers on two cores"}
    kinds = [kind for kind in titles if any(row["of"] == kind for row in rows)]
    panels = [panel([row for row in rows if row["of"] == kind], titles[kind], place) for place, kind in enumerate(kinds)]
    body = "\n".join(panels)
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {300 * len(kinds)} 260" font-family="sans-serif" font-size="11">\n'
                    f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="trials,space,depth,workers")
    parser.add_argument("--most", type=int, default=1_000_000, metavar="TRIALS")
    parser.add_argument("--csv", type=pathlib.Path)
    parser.add_argument("--svg", type=pathlib.Path)
    parser.add_argument("--strata", default=str(ROOT / "target" / "release" / "strata"))
    given = parser.parse_args()
    rows = []
    for kind in given.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            found = []
            for row in globals()[kind](given.strata, pathlib.Path(folder), given.most):
                found.append(row)
                print(", ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()), flush=True)
        rows += found
        laws = [f"{name} grows as x^{law(found, name):.2f}" for name in ("seconds", "MiB", "journal MiB") if found[-1].get(name)]
        digests = {row["digest"] for row in found if "digest" in row}
        print(f"{kind}: " + ", ".join(laws) + (f"; {len(digests)} digest" if digests else ""), flush=True)
    if given.csv:
        with given.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["of", "x", "seconds", "MiB", "journal MiB", "took", "files", "digest"], lineterminator="\n")
            writer.writeheader()
            writer.writerows({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    if given.svg:
        draw(rows, given.svg)


if __name__ == "__main__":
    main()
