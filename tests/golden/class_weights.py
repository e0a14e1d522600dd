"""Writes class_weights.json beside this script: losses whose classes have weights, and their gradients.

    pip install numpy scipy
    python tests/golden/class_weights.py

The formulas are those of torch.nn.CrossEntropyLoss(weight=w, label_smoothing=s) with the reduction "mean":
the sum over examples of -sum_c t_c log softmax(x)_c, where t_c = w_c ((1 - s) [c = y] + s / C), divided by the
sum of w_y. One logit x counts as the two logits 0 and x. Gradients are central differences in 64 bits.
src/training/objective.rs compares strata with the file and needs no Python.
"""
import json
import os

import numpy as np
from scipy.special import log_softmax

random = np.random.default_rng(8)


def loss(logits, labels, weights, smoothing):
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    count = logits.shape[1]
    wanted = (1 - smoothing) * np.eye(count)[labels] + smoothing / count
    terms = -(wanted * weights * log_softmax(logits, axis=1)).sum(axis=1)
    return terms.sum() / weights[labels].sum()


def case(outputs, labels, weights, smoothing):
    outputs, labels, weights = np.asarray(outputs), np.asarray(labels), np.asarray(weights)
    gradient = np.zeros_like(outputs)
    for place in np.ndindex(*outputs.shape):
        step = np.zeros_like(outputs)
        step[place] = 1e-5
        ends = [loss(outputs + sign * step, labels, weights, smoothing) for sign in (1, -1)]
        gradient[place] = (ends[0] - ends[1]) / 2e-5
    return {
        "outputs": outputs.ravel().tolist(), "labels": labels.tolist(), "weights": weights.tolist(),
        "smoothing": smoothing, "loss": float(loss(outputs, labels, weights, smoothing)),
        "gradient": gradient.ravel().tolist(), "width": outputs.shape[1],
    }


def normal(*shape):
    return np.round(random.normal(size=shape) * 4) / 4


cases = [
    case(normal(12, 3), random.integers(0, 3, 12), [1.0, 20.0, 0.5], 0.0),
    case(normal(12, 3), random.integers(0, 3, 12), [1.0, 20.0, 0.5], 0.1),
    case(normal(9, 2), random.integers(0, 2, 9), [0.5, 3.0], 0.0),
    case(normal(5, 4), random.integers(0, 4, 5), [1.0, 1.0, 1.0, 1.0], 0.2),
    case(normal(15, 1), random.integers(0, 2, 15), [0.52, 12.0], 0.0),
]

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "class_weights.json")
with open(path, "w", encoding="utf-8") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
