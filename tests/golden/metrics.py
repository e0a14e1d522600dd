"""Writes metrics.json beside this script: what scikit-learn computes for predictions.

    pip install scikit-learn
    python tests/golden/metrics.py

src/training/metrics/tests.rs compares strata with the file and needs no Python.
"""
import json
import os
import warnings

import numpy as np
from sklearn import metrics as sk

warnings.simplefilter("ignore")
random = np.random.default_rng(20)


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def rounded(array):
    """Values that 32-bit floats and the file's text hold alike, with ties among them."""
    return np.round(np.asarray(array, dtype=np.float64) * 4) / 4


def classes(name, logits, labels):
    count = logits.shape[1]
    said = logits.argmax(axis=1)
    found = {
        "accuracy": sk.accuracy_score(labels, said),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, said),
        "f1_macro": sk.f1_score(labels, said, average="macro", zero_division=0),
    }
    probabilities = softmax(logits)
    if count == 2:
        if len(set(labels)) == 2:
            found["auroc"] = sk.roc_auc_score(labels, probabilities[:, 1])
    else:
        areas = [
            sk.roc_auc_score(labels == k, probabilities[:, k]) for k in range(count) if k in labels
        ]
        found["auroc"] = float(np.mean(areas))
    if count > 5:
        found["top5_accuracy"] = sk.top_k_accuracy_score(labels, logits, k=5, labels=range(count))
    scores = of_classes(labels, said, probabilities)
    return case(name, {"classes": count}, logits, found, scores, classes=labels.tolist())


def of_classes(labels, said, probabilities):
    """The scores of one class an example that are not among the usual figures."""
    count = probabilities.shape[1]
    found = {"log_loss": sk.log_loss(labels, probabilities, labels=range(count))}
    if len(set(labels)) > 1:
        found["mcc"] = sk.matthews_corrcoef(labels, said)
    if count == 2 and 1 in labels:
        found["f1"] = sk.f1_score(labels, said)
        found["average_precision"] = sk.average_precision_score(labels, probabilities[:, 1])
    return found


def binary(name, logits, labels):
    said = (logits > 0).astype(int)
    found = {
        "accuracy": sk.accuracy_score(labels, said),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, said),
        "f1_macro": sk.f1_score(labels, said, average="macro", zero_division=0),
        "auroc": sk.roc_auc_score(labels, logits),
    }
    probability = 1 / (1 + np.exp(-logits))
    scores = of_classes(labels, said, np.stack([1 - probability, probability], axis=1))
    return case(name, "binary", logits, found, scores, classes=labels.tolist())


def labels(name, logits, flags):
    said = (logits > 0).astype(int)
    found = {
        "F1": sk.f1_score(flags, said, average="macro", zero_division=0),
        "exact_match": sk.accuracy_score(flags, said),
        "auroc": sk.roc_auc_score(flags, logits, average="macro"),
    }
    output = {"labels": flags.shape[1]}
    probability = 1 / (1 + np.exp(-logits))
    losses = [sk.log_loss(flags[:, k], probability[:, k], labels=[0, 1]) for k in range(flags.shape[1])]
    scores = {"log_loss": np.mean(losses)}
    return case(name, output, logits, found, scores, flags=flags.ravel().tolist())


def regression(name, given, wanted):
    found = {
        "R2": sk.r2_score(wanted, given),
        "rmse": sk.root_mean_squared_error(wanted, given),
        "mae": sk.mean_absolute_error(wanted, given),
    }
    output = {"regression": wanted.shape[1]}
    scores = {
        "mse": sk.mean_squared_error(wanted, given),
        "median_absolute_error": sk.median_absolute_error(wanted, given),
    }
    return case(name, output, given, found, scores, numbers=wanted.ravel().tolist())


def case(name, output, outputs, found, scores, **targets):
    found, scores = [{key: float(value) for key, value in d.items()} for d in (found, scores)]
    values = np.asarray(outputs).ravel().tolist()
    return {
        "name": name, "output": output, "outputs": values, **targets, "metrics": found, "scores": scores,
    }


def normal(*shape):
    return rounded(random.normal(size=shape))


def drawn(count, size):
    return random.integers(0, count, size=size)


cases = [
    classes("three classes", normal(30, 3) + 2 * rounded(np.eye(3)[drawn(3, 30)]), drawn(3, 30)),
    classes("two classes with two logits", normal(24, 2), drawn(2, 24)),
    classes("ten classes", normal(40, 10), drawn(10, 40)),
    classes("a class that never occurs", normal(25, 4), drawn(3, 25)),
    classes("one class only is said", np.tile([1.0, 0.0, 0.0], (12, 1)), drawn(3, 12)),
    classes("all right", rounded(np.eye(3)[np.arange(9) % 3]), np.arange(9) % 3),
    binary("one logit", normal(30), drawn(2, 30)),
    binary("one logit with many ties", np.round(normal(40)), drawn(2, 40)),
    labels("four labels", normal(30, 4), drawn(2, (30, 4))),
    labels("a label that is never said", normal(20, 2) - [0.0, 9.0], drawn(2, (20, 2))),
    regression("one number", normal(25, 1), normal(25, 1) * 3 + 7),
    regression("three numbers", normal(25, 3), normal(25, 3) * [1.0, 4.0, 0.5]),
    regression("a good guess", (guess := normal(20, 1) * 8), guess + normal(20, 1)),
    regression("a constant target", normal(10, 1), np.full((10, 1), 2.0)),
]

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "metrics.json")
with open(path, "w", encoding="utf-8") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
