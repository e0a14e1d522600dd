"""Writes statistics.json beside this script: what SciPy and NumPy compute for small samples.

    pip install scipy
    python tests/golden/statistics.py

src/statistics/tests.rs compares strata with the file and needs no Python.
"""
import json
import os

import numpy as np
from scipy import stats

random = np.random.default_rng(6)


def sample(size, kind):
    if kind == "ties":
        return random.integers(0, 8, size) / 8
    if kind == "accuracies":
        return random.binomial(360, 0.98, size) / 360
    if kind == "skewed":
        return random.exponential(size=size)
    return random.normal(size=size)


KINDS = ["normal", "skewed", "ties", "accuracies"]


def one(size, kind):
    x = sample(size, kind)
    found = {
        "mean": np.mean(x),
        "median": np.median(x),
        "quantiles": np.quantile(x, [0.0, 0.1, 0.25, 0.75, 0.9, 1.0]).tolist(),
        "interquartile_range": stats.iqr(x),
        "ranks": stats.rankdata(x).tolist(),
    }
    if size > 1:
        found["deviation"] = np.std(x, ddof=1)
    return {"x": x.tolist(), **found}


def two(n, m, kind, shift):
    x, y = sample(n, kind) + shift, sample(m, kind)
    tested = stats.mannwhitneyu(x, y, alternative="two-sided", method="auto")
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "statistic": tested.statistic,
        "p": tested.pvalue,
        "a12": tested.statistic / (n * m),
    }


def pairs(n, kind, shift):
    x, y = sample(n, kind) + shift, sample(n, kind)
    d = x - y
    tested = stats.wilcoxon(d, zero_method="wilcox", correction=True, method="auto", alternative="greater")
    both = stats.wilcoxon(d, zero_method="wilcox", correction=True, method="auto")
    found = {"x": x.tolist(), "y": y.tolist(), "positive_ranks": tested.statistic, "p": both.pvalue}
    if len(set(x)) > 1 and len(set(y)) > 1:
        found["spearman"] = stats.spearmanr(x, y).statistic
        found["kendall"] = stats.kendalltau(x, y).statistic
    return found


def holm(p):
    """Holm's method from its definition; SciPy has only Benjamini and Hochberg's."""
    order = np.argsort(p, kind="stable")
    scaled = np.minimum(1, np.asarray(p)[order] * np.arange(len(p), 0, -1))
    out = np.empty(len(p))
    out[order] = np.maximum.accumulate(scaled)
    return {"p": list(map(float, p)), "corrected": out.tolist()}


probabilities = [1e-300, 1e-20, 1e-9, 1e-4, 0.02, 0.07, 0.3, 0.5, 0.81, 0.975, 0.999, 1 - 1e-9]
out = {
    "normal": [
        {"p": p, "quantile": stats.norm.ppf(p)} for p in probabilities
    ],
    "normal_below": [{"z": z, "p": stats.norm.cdf(z)} for z in np.linspace(-8, 8, 33)],
    "one": [one(n, kind) for kind in KINDS for n in [1, 2, 3, 5, 8, 15, 40]],
    "two": [
        two(n, m, kind, shift)
        for kind in KINDS
        for shift in [0.0, 0.25]
        for n, m in [(1, 1), (1, 4), (3, 3), (3, 15), (5, 5), (8, 8), (8, 30), (9, 9), (15, 15), (40, 12)]
        if kind not in ("ties", "accuracies") or n + m > 2
    ],
    "pairs": [
        pairs(n, kind, shift)
        for kind in KINDS
        for shift in [0.0, 0.25]
        for n in [2, 3, 5, 10, 13, 14, 15, 40, 50, 51, 70]
    ],
    "holm": [holm(p) for p in ([0.03], [0.01, 0.04, 0.03, 0.005], [0.9, 0.5, 0.5], [0.0, 1.0, 0.02, 0.02])],
}


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, np.floating) else value


path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "statistics.json")
with open(path, "w") as file:
    json.dump(plain(out), file, indent=None, allow_nan=False)
    file.write("\n")
