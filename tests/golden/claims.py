"""What SciPy says of the distributions behind claims: python3 tests/golden/claims.py writes claims.json.

Student's distribution with degrees of freedom that are no whole numbers, and Clopper and Pearson's intervals.
"""

import json
from pathlib import Path

from scipy import stats

FREEDOMS = [1, 1.2, 1.5, 2, 2.5, 3.7, 4.32, 5, 7.418, 9, 15.61, 19, 26.77, 40.06, 120.5, 999, 2999, 1e5, 1e6]
TS = [1e-6, 0.05, 0.5, 1, 1.96, 2.1, 3.25, 5, 12, 40]
PS = [0.5, 0.6, 0.8, 0.9, 0.95, 0.975, 0.98, 0.99, 0.9975, 0.9999]


def main():
    two_sided = [
        {"freedom": nu, "t": t, "p": 2 * float(stats.t.sf(t, nu))} for nu in FREEDOMS for t in TS
    ]
    quantiles = [
        {"freedom": nu, "p": p, "t": float(stats.t.ppf(p, nu))} for nu in FREEDOMS for p in PS
    ]
    intervals = []
    for of in [1, 3, 5, 8, 10, 20, 200]:
        for hits in sorted({0, 1, of // 2, of - 1, of}):
            low = float(stats.beta.ppf(0.025, hits, of - hits + 1)) if hits else 0.0
            high = float(stats.beta.ppf(0.975, hits + 1, of - hits)) if hits < of else 1.0
            intervals.append({"hits": hits, "of": of, "low": low, "high": high})
    found = {"two_sided": two_sided, "quantiles": quantiles, "intervals": intervals}
    lines = [
        f'  "{name}": [\n' + ",\n".join("    " + json.dumps(case) for case in cases) + "\n  ]"
        for name, cases in found.items()
    ]
    Path(__file__).with_suffix(".json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
