"""The table of docs/results.md, from the runs of experiments/results.

    for file in experiments/results/*.toml; do strata search $file --data-dir datasets; done
    python experiments/results/table.py runs [--strata target/release/strata]
"""
import argparse
import json
import pathlib
import subprocess

# Each run's kind of data, what it is, and the figure of logistic regression where it is known from elsewhere.
ROWS = [
    ("digits", "images", "8x8 digits", "0.972"),
    ("fashion", "images", "Fashion-MNIST, 10,000 and 3,000", "0.839"),
    ("mnist1d", "signals", "MNIST-1D", "0.327"),
    ("breast_cancer", "tables", "breast cancer", None),
    ("wine", "tables", "wine", None),
    ("diabetes", "a regression", "diabetes, R2", None),
    ("sms_spam", "texts", "SMS spam", "0.980"),
    ("trec_cnn", "texts", "TREC, convolutional", "0.890"),
    ("trec_lstm", "texts", "TREC, recurrent", "0.890"),
    ("trec_transformer", "texts", "TREC, transformers", "0.890"),
]


def name_of(row):
    subject = row["subject"]
    return subject if isinstance(subject, str) else subject["baseline"]


def figure(row):
    return f"{row['mean']:.4f} ± {row['deviation']:.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=pathlib.Path)
    parser.add_argument("--strata", default="target/release/strata")
    options = parser.parse_args()
    print("| data | | hand-designed | best of 30 random | linear |\n| --- | --- | --- | --- | --- |")
    for name, kind, what, linear in ROWS:
        folders = sorted(options.runs.glob(f"{name}-[0-9]*"), key=lambda path: int(path.name.rsplit("-", 1)[1]))
        if not folders:
            continue
        said = subprocess.run([options.strata, "best", folders[-1], "--json"], check=True, capture_output=True, text=True)
        finals = {name_of(row): row for row in json.loads(said.stdout)["finals"] if row["deviation"] is not None}
        if "winner" not in finals or len(finals) < 2:
            continue
        hand = next(name for name in finals if name != "winner" and not name.endswith("_linear"))
        own = next((figure(row) for subject, row in finals.items() if subject.endswith("_linear")), None)
        print(f"| {kind} | {what} | `{hand}` {figure(finals[hand])} | {figure(finals['winner'])} | {own or linear} |")


if __name__ == "__main__":
    main()
