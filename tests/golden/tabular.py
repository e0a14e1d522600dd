"""Golden values of models of tables, by scikit-learn: writes tabular.json.

python3 -m pip install scikit-learn; python3 tests/golden/tabular.py
"""

import json
import pathlib

import numpy
from sklearn.linear_model import LogisticRegression, Ridge

STEPS = 20_000


def rows(count, features, seed):
    """Numbers that any language draws alike: a linear congruential generator's, in 16ths."""
    state, out = seed, []
    for _ in range(count * features):
        state = (1103515245 * state + 12345) % 2**31
        out.append((state >> 16) % 97 / 16 - 3)
    return numpy.array(out, dtype=numpy.float32).reshape(count, features)


def scaled(x):
    x = x.astype(numpy.float64)
    return ((x - x.mean(0)) / x.std(0)).astype(numpy.float32).astype(numpy.float64)


def logistic(x, y, l2):
    model = LogisticRegression(C=1 / l2, tol=1e-12, max_iter=STEPS, solver="lbfgs")
    model.fit(x, y)
    return model.decision_function(x)


def case(name, x, targets, l2, outputs):
    return {
        "name": name,
        "features": x.shape[1],
        "inputs": x.astype(float).ravel().tolist(),
        "targets": numpy.asarray(targets).ravel().tolist(),
        "l2": l2,
        "outputs": numpy.asarray(outputs).ravel().tolist(),
    }


def main():
    x = rows(40, 4, 7)
    z = scaled(x)
    side = x @ numpy.array([1.0, -0.5, 0.25, 0.0]) + rows(40, 1, 11)[:, 0]
    two = (side > numpy.median(side)).astype(int)
    three = numpy.digitize(side, numpy.quantile(side, [1 / 3, 2 / 3]))
    numbers = numpy.stack([side, x[:, 0] * x[:, 1]], axis=1).astype(numpy.float32)
    cases = []
    for l2 in (0.1, 10.0):
        cases.append(case("two", x, two, l2, logistic(z, two, l2)))
        shares = logistic(z, three, l2)
        cases.append(case("three", x, three, l2, shares - shares.mean(1, keepdims=True)))
        flags = numpy.stack([two, three == 1], axis=1).astype(int)
        both = [logistic(z, flags[:, at], l2) for at in range(2)]
        cases.append(case("labels", x, flags, l2, numpy.stack(both, axis=1)))
        ridge = Ridge(alpha=l2, solver="cholesky").fit(z, numbers.astype(float))
        cases.append(case("numbers", x, numbers.astype(float), l2, ridge.predict(z)))
    path = pathlib.Path(__file__).with_name("tabular.json")
    path.write_text(json.dumps(cases) + "\n")


main()
