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


def start(layer, arguments, inputs, make, names):
    """How PyTorch's module starts: the largest value and the root mean square of each parameter, over many modules."""
    modules = [dict(make().named_parameters()) for _ in range(300)]
    parameters = []
    for name in names:
        values = torch.stack([module[name].detach() for module in modules])
        parameters.append({"largest": float(values.abs().max()), "rms": float(values.square().mean().sqrt())})
    inputs = [{"kind": kind, "shape": [1, *shape], "values": [], "gradient": []} for kind, shape in inputs]
    return {"layer": layer, "arguments": arguments, "inputs": inputs, "parameters": parameters}


def starts():
    both = ["weight", "bias"]
    yield start("linear", dict(out=5), [("vector", (7,))], lambda: nn.Linear(7, 5), both)
    yield start("bilinear", dict(out=5), [("vector", (7,)), ("vector", (3,))], lambda: nn.Bilinear(7, 3, 5), both)
    kinds = {1: ("signal", (4, 8)), 2: ("image", (4, 8, 8)), 3: ("volume", (4, 8, 8, 8))}
    for rank, conv, transposed in ((1, nn.Conv1d, nn.ConvTranspose1d), (2, nn.Conv2d, nn.ConvTranspose2d), (3, nn.Conv3d, nn.ConvTranspose3d)):
        yield start(f"conv{rank}d", dict(out=6, kernel=3, groups=2), [kinds[rank]], lambda: conv(4, 6, 3, groups=2), both)
        yield start(f"conv_transpose{rank}d", dict(out=6, kernel=3, groups=2), [kinds[rank]], lambda: transposed(4, 6, 3, groups=2), both)
    yield start("embedding", dict(out=9), [("tokens", (5,))], lambda: nn.Embedding(VOCABULARY, 9), ["weight"])
    yield start("embedding_bag", dict(out=9), [("tokens", (5,))], lambda: nn.EmbeddingBag(VOCABULARY, 9), ["weight"])
    image = [("image", (4, 5, 5))]
    yield start("batch_norm", {}, image, lambda: nn.BatchNorm2d(4), both)
    yield start("group_norm", dict(groups=2), image, lambda: nn.GroupNorm(2, 4), both)
    yield start("layer_norm", {}, image, lambda: nn.LayerNorm((4, 5, 5)), both)
    yield start("rms_norm", {}, image, lambda: nn.RMSNorm((4, 5, 5)), ["weight"])
    yield start("instance_norm", dict(affine=True), image, lambda: nn.InstanceNorm2d(4, affine=True), both)
    yield start("prelu", {}, image, nn.PReLU, ["weight"])
    attention = ["in_proj_bias", "out_proj.weight", "out_proj.bias"]
    yield start("self_attention", dict(heads=2), [("sequence", (5, 6))], lambda: nn.MultiheadAttention(6, 2), ["in_proj_weight"] + attention)
    yield start("cross_attention", dict(heads=2), [("sequence", (5, 6)), ("sequence", (4, 3))],
                lambda: nn.MultiheadAttention(6, 2, kdim=3, vdim=3), ["q_proj_weight", "k_proj_weight", "v_proj_weight"] + attention)
    recurrent = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    for layer, module in (("rnn", nn.RNN), ("gru", nn.GRU), ("lstm", nn.LSTM)):
        yield start(layer, dict(hidden=5, bidirectional=True), [("sequence", (4, 3))], lambda: module(3, 5, bidirectional=True),
                    recurrent + [name + "_reverse" for name in recurrent])


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
    golden = {"vocabulary": VOCABULARY, "torch_classes": names, "cases": [run(case) for case in cases()], "starts": list(starts())}
    with open(os.path.join(HERE, "layers.json.gz"), "wb") as file:
        file.write(gzip.compress(json.dumps(golden, separators=(",", ":")).encode(), 9, mtime=0))
    torch.set_default_dtype(torch.float32)


if __name__ == "__main__":
    write("optimizers.json", list(trajectories()))
    write("losses.json", list(losses()))
    write_layers()
