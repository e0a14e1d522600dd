#!/usr/bin/env python3
"""A/A test of comparisons on real training: one search under two names, which should not be told apart.

    cargo build --release
    python3 benches/aa_test.py --csv aa.csv

Twenty comparisons on digits and twenty on breast_cancer, in small: six searches of four trials, two retrainings.
Both searches are the same evolution with root seeds of their own, and every comparison has a folder of its own, so
that each is a first look at its test examples. Nothing differs but luck: with a level of 4% at most four of forty
may claim a difference (the chance of more is 0.02 where exactly 4% do). What is counted is the finding about the two,
after correction, of new searches on new examples or on the examples at hand, and beside it the p-value.

Lines of the CSV that are there already are not repeated.
"""

import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

SPACES = {"digits": "digits_mlp", "breast_cancer": "breast_cancer_mlp"}

EXPERIMENT = """
name = "aa"
space = "{root}/search_spaces/{space}.space"
seed = {seed}

[data]
name = "{data}"

[search]
controller = "evolution"
population = 2
sample = 2
lookahead = 2

[budget]
trials = 4

[recipe]
learning_rate = 0.05
epochs = 4

[compare]
search_seeds = 6
retrain_seeds = 2
random_networks = 1

[[compare.search]]
name = "one"
seed = {one}

[[compare.search]]
name = "two"
seed = {two}
"""

FIELDS = ["data", "number", "finding", "difference", "p_new_examples", "p_these_examples"]


def compared(strata, data, number):
    """The contrast of the two searches in one comparison."""
    seed = 1_000_000 * (number + 1)
    text = EXPERIMENT.format(
        root=ROOT, space=SPACES[data], data=data, seed=seed, one=seed + 1_000, two=seed + 2_000
    )
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "aa.toml"
        path.write_text(text)
        command = [strata, "compare", str(path), "--runs", f"{folder}/runs", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    analysis = json.loads(done.stdout)
    names = {"one", "two"}
    found = [it for it in analysis["contrasts"] if {it["first"], it["second"]} == names]
    (contrast,) = found
    p = lambda claim: claim and claim["p"]
    return {
        "data": data,
        "number": number,
        "finding": contrast["finding"],
        "difference": contrast["difference"],
        "p_new_examples": p(contrast["new_examples"]),
        "p_these_examples": p(contrast["these_examples"]),
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--strata", default=str(ROOT / "target/release/strata"))
    arguments.add_argument("--csv", default="aa.csv", help="results, a line each")
    arguments.add_argument("--comparisons", type=int, default=20, help="of each data set")
    given = arguments.parse_args()
    path = pathlib.Path(given.csv)
    rows = list(csv.DictReader(path.open())) if path.exists() else []
    known = {(row["data"], int(row["number"])) for row in rows}
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not rows:
            writer.writeheader()
        for number in range(given.comparisons):
            for data in SPACES:
                if (data, number) in known:
                    continue
                row = compared(given.strata, data, number)
                writer.writerow(row)
                file.flush()
                rows.append(row)
                print(row, file=sys.stderr)
    claims = [row for row in rows if row["finding"] in ("better", "worse")]
    other = [row for row in rows if row["finding"] not in ("better", "worse", "not_shown", "same")]
    print(f"{len(claims)} of {len(rows)} comparisons of a search with itself claim a difference")
    if other:
        print(f"{len(other)} are no evidence: {other[0]}")
    for row in claims:
        print(row)


if __name__ == "__main__":
    main()
