"""Writes the golden files beside this script: what PyTorch computes for layers, optimisers and losses.

    pip install torch numpy
    python tests/golden/layers.py

tests/it/layers_golden.rs compares strata with the files and needs no PyTorch. The layers stand in cases.py.
"""
import gzip
import json
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

from cases import VOCABULARY, cases, draw

torch.set_num_threads(1)
torch.manual_seed(0)
HERE = os.path.dirname(os.path.abspath(__file__))


def short(tensor):
    return [float(f"{value:.7g}") for value in tensor.detach().flatten().tolist()]


def precise(tensor):
    return [float(f"{value:.11g}") for value in tensor.detach().flatten().tolist()]


def run(case):
    """A case of cases.py as the test reads it: inputs, parameters, output, and the gradients of a weighted sum."""
    before = [precise(buffer) for buffer in case.buffers]
    inputs = [x.clone().requires_grad_(name != "tokens") for name, x in case.inputs]
    parameters = [p.clone().requires_grad_() for p in case.parameters]
    output = case.function(inputs, parameters, case.buffers)
    weights = draw(*output.shape)
    (output * weights).sum().backward()
    grad = lambda t: precise(torch.zeros_like(t) if t.grad is None else t.grad) if t.is_floating_point() else []
    tensor = lambda t: {"shape": list(t.shape), "values": precise(t), "gradient": grad(t)}
    return {
        "layer": case.layer,
        "arguments": case.arguments,
        "training": case.training,
        "inputs": [{"kind": name, **tensor(x)} for (name, _), x in zip(case.inputs, inputs)],
        "parameters": [tensor(p) for p in parameters],
        "buffers": [{"before": b, "after": precise(a)} for b, a in zip(before, case.buffers)],
        "weights": precise(weights),
        "output": {"shape": list(output.shape), "values": precise(output)},
    }


def trajectory(name, recipe, make, clip=None):
    start, steps = [draw(3, 2), draw(4)], 6
    parameters = [p.clone().requires_grad_() for p in start]
    optimizer = make(parameters)
    rates = [0.1 / (step + 1) for step in range(steps)]
    gradients, after, norms = [], [], []
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        for p in parameters:
            p.grad = draw(*p.shape)
        gradients.append([short(p.grad) for p in parameters])
        norms.append(float(nn.utils.clip_grad_norm_(parameters, clip)) if clip else 0.0)
        optimizer.step()
        after.append([short(p) for p in parameters])
    return {"name": name, "recipe": recipe, "rates": rates, "shapes": [list(p.shape) for p in start], "start": [short(p) for p in start],
            "gradients": gradients, "norms": norms, "after": after}


def trajectories():
    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    yield trajectory("sgd", {"optimizer": "sgd", "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}, lambda p: sgd(p, 0.1))
    yield trajectory("sgd with momentum", {"optimizer": "sgd", "momentum": 0.9, "nesterov": False, "weight_decay": 0.01},
                     lambda p: sgd(p, 0.1, momentum=0.9, weight_decay=0.01))
    yield trajectory("sgd looking ahead", {"optimizer": "sgd", "momentum": 0.8, "nesterov": True, "weight_decay": 0.05},
                     lambda p: sgd(p, 0.1, momentum=0.8, nesterov=True, weight_decay=0.05))
    yield trajectory("sgd clipped", {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.0, "gradient_clip_norm": 0.5},
                     lambda p: sgd(p, 0.1, momentum=0.9, nesterov=True), clip=0.5)
    yield trajectory("adam", {"optimizer": "adam", "weight_decay": 0.0}, lambda p: adam(p, 0.1))
    yield trajectory("adam with decay", {"optimizer": "adam", "beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "weight_decay": 0.1},
                     lambda p: adam(p, 0.1, (0.8, 0.99), 1e-3, 0.1))
    yield trajectory("adamw", {"optimizer": "adamw", "weight_decay": 0.1}, lambda p: adamw(p, 0.1, weight_decay=0.1))


def losses():
    for smoothing in (0.0, 0.1, 0.5):
        logits, labels = (draw(6, 4) * 3).requires_grad_(), torch.tensor([0, 3, 1, 1, 2, 0])
        loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
        loss.backward()
        yield {"smoothing": smoothing, "logits": short(logits), "labels": labels.tolist(), "loss": float(loss), "gradient": short(logits.grad)}


def text(items):
    return "[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in items) + "\n]\n"


def write(name, items):
    with open(os.path.join(HERE, name), "w") as file:
        file.write(text(items))


def write_layers():
    """In 64 bits, and compressed: a modification time of 0 keeps the bytes the same from run to run."""
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    names = [name for name in dir(nn) if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Module)]
    golden = {"vocabulary": VOCABULARY, "torch_classes": names, "cases": [run(case) for case in cases()]}
    with open(os.path.join(HERE, "layers.json.gz"), "wb") as file:
        file.write(gzip.compress(json.dumps(golden, separators=(",", ":")).encode(), 9, mtime=0))
    torch.set_default_dtype(torch.float32)


if __name__ == "__main__":
    write("optimizers.json", list(trajectories()))
    write("losses.json", list(losses()))
    write_layers()
