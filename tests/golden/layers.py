"""Writes the golden files beside this script: what PyTorch computes for layers, optimisers and losses.

    pip install torch numpy
    python tests/golden/layers.py

tests/it/layers_golden.rs compares strata with the files and needs no PyTorch.
"""
import json
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(0)
HERE = os.path.dirname(os.path.abspath(__file__))
IMAGE, SIGNAL, SEQUENCE, VECTOR = (2, 4, 4, 5), (3, 4, 5), (2, 5, 4), (6, 4)
KINDS = {"image": IMAGE, "signal": SIGNAL, "sequence": SEQUENCE, "vector": VECTOR}


def short(tensor):
    return [float(f"{value:.7g}") for value in tensor.detach().flatten().tolist()]


def draw(*shape):
    """Odd multiples of 1/256: short to write, exact in 32 bits, and never 0, where a kink has many slopes."""
    return torch.round(torch.randn(*shape) * 128) / 128 + 1 / 256


def halves(total):
    return (total // 2, total - total // 2)


def padded(x, padding, kernel, dilation=1, value=0.0):
    low, high = halves(dilation * (kernel - 1)) if padding == "same" else (padding, padding)
    return F.pad(x, (low, high, low, high), value=value)


class Case:
    """A layer, and the function of (inputs, parameters, buffers) that PyTorch gives it."""

    def __init__(self, layer, arguments, kind, function, parameters=(), buffers=(), inputs=1, training=True):
        self.layer, self.arguments, self.kind, self.function = layer, arguments, kind, function
        self.parameters = [draw(*shape) for shape in parameters]
        self.buffers = [buffer.clone() for buffer in buffers]
        self.inputs = [draw(*KINDS[kind]) for _ in range(inputs)]
        self.training = training

    def run(self):
        before = [short(buffer) for buffer in self.buffers]
        inputs = [x.clone().requires_grad_() for x in self.inputs]
        parameters = [p.clone().requires_grad_() for p in self.parameters]
        output = self.function(inputs, parameters, self.buffers)
        weights = draw(*output.shape)
        (output * weights).sum().backward()
        grad = lambda t: short(torch.zeros_like(t) if t.grad is None else t.grad)
        return {
            "layer": self.layer,
            "arguments": self.arguments,
            "training": self.training,
            "kind": self.kind,
            "inputs": [{"shape": list(x.shape), "values": short(x), "gradient": grad(x)} for x in inputs],
            "parameters": [{"shape": list(p.shape), "values": short(p), "gradient": grad(p)} for p in parameters],
            "buffers": [{"before": b, "after": short(a)} for b, a in zip(before, self.buffers)],
            "weights": short(weights),
            "output": {"shape": list(output.shape), "values": short(output)},
        }


def conv(out, kernel, stride=1, padding=0, dilation=1, groups=1, bias=True):
    arguments = dict(out=out, kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias)
    shapes = [(out, 4 // groups, kernel, kernel)] + ([(out,)] if bias else [])
    return Case("conv2d", arguments, "image", lambda x, p, _: F.conv2d(
        padded(x[0], padding, kernel, dilation), p[0], p[1] if bias else None, stride, 0, dilation, groups), shapes)


def separable(out, kernel, stride=1, padding="same", dilation=1, bias=True):
    arguments = dict(out=out, kernel=kernel, stride=stride, padding=padding, dilation=dilation, bias=bias)
    shapes = [(4, 1, kernel, kernel), (out, 4, 1, 1)] + ([(out,)] if bias else [])

    def function(x, p, _):
        y = F.conv2d(padded(x[0], padding, kernel, dilation), p[0], None, stride, 0, dilation, 4)
        return F.conv2d(y, p[1], p[2] if bias else None)
    return Case("separable_conv2d", arguments, "image", function, shapes)


def max_pool(kernel, stride, padding):
    return Case("max_pool2d", dict(kernel=kernel, stride=stride, padding=padding), "image", lambda x, p, _: F.max_pool2d(
        padded(x[0], padding, kernel, value=float("-inf")), kernel, stride))


def avg_pool(kernel, stride, padding, count=True):
    def function(x, p, _):
        total = F.avg_pool2d(padded(x[0], padding, kernel), kernel, stride) * kernel * kernel
        inside = F.avg_pool2d(padded(torch.ones_like(x[0]), padding, kernel), kernel, stride) * kernel * kernel
        return total / (kernel * kernel if count else inside)
    return Case("avg_pool2d", dict(kernel=kernel, stride=stride, padding=padding, count_include_pad=count), "image", function)


def batch_norm(kind, training, momentum=0.1, eps=1e-5):
    buffers = [draw(4), draw(4).abs() + 0.5]
    return Case("batch_norm", dict(momentum=momentum, eps=eps), kind, lambda x, p, b: F.batch_norm(
        x[0], b[0], b[1], p[0], p[1], training, momentum, eps), [(4,), (4,)], buffers, training=training)


def layer_norm(kind, eps=1e-5):
    shape = KINDS[kind][-1:] if kind in ("sequence", "vector") else KINDS[kind][1:]
    return Case("layer_norm", dict(eps=eps), kind, lambda x, p, _: F.layer_norm(x[0], shape, p[0], p[1], eps), [shape, shape])


def group_norm(kind, groups, eps=1e-5):
    return Case("group_norm", dict(groups=groups, eps=eps), kind,
                lambda x, p, _: F.group_norm(x[0], groups, p[0], p[1], eps), [(4,), (4,)])


def squeeze_excite(reduction):
    hidden = max(4 // reduction, 1)

    def function(x, p, _):
        y = F.relu(x[0].mean((2, 3)) @ p[0] + p[1])
        return x[0] * torch.sigmoid(y @ p[2] + p[3])[:, :, None, None]
    return Case("squeeze_excite", dict(channels=4, reduction=reduction), "image", function, [(4, hidden), (hidden,), (hidden, 4), (4,)])


def linear(kind, out, bias):
    return Case("linear", dict(out=out, bias=bias), kind, lambda x, p, _: F.linear(x[0], p[0].t(), p[1] if bias else None),
                [(4, out)] + ([(out,)] if bias else []))


def plain(layer, kind, function, arguments=None, inputs=1):
    return Case(layer, arguments or {}, kind, lambda x, p, _: function(*x), inputs=inputs)


def cases():
    yield from [linear("vector", 3, True), linear("vector", 5, False), linear("sequence", 3, True)]
    yield from [conv(6, 3), conv(4, 3, 2, 1, bias=False), conv(6, 2, 1, "same", groups=2), conv(3, 3, 2, "same", 2), conv(8, 5, 1, 2, groups=4)]
    yield from [separable(6, 3), separable(3, 4, 2, bias=False), separable(5, 3, 1, 1, 2)]
    yield from [max_pool(2, 2, 0), max_pool(3, 2, 1), max_pool(2, 1, "same")]
    yield from [avg_pool(2, 2, 0), avg_pool(3, 2, 1, False), avg_pool(4, 1, "same"), avg_pool(2, 1, "same", False)]
    yield plain("global_avg_pool", "image", lambda x: x.mean((2, 3)))
    yield plain("global_avg_pool", "signal", lambda x: x.mean(2))
    yield plain("global_avg_pool", "sequence", lambda x: x.mean(1))
    yield from [batch_norm(kind, training) for kind in ("image", "signal", "vector") for training in (True, False)]
    yield batch_norm("image", True, 0.3, 1e-3)
    yield from [layer_norm(kind) for kind in KINDS]
    yield from [group_norm("image", 2), group_norm("image", 4, 1e-3), group_norm("signal", 1), group_norm("vector", 1)]
    yield from [squeeze_excite(2), squeeze_excite(16)]
    for kind in ("image", "vector"):
        yield plain("relu", kind, F.relu)
        yield plain("leaky_relu", kind, lambda x: F.leaky_relu(x, 0.2), {"slope": 0.2})
        yield plain("gelu", kind, F.gelu, {"approximate": "none"})
        yield plain("gelu", kind, lambda x: F.gelu(x, approximate="tanh"), {"approximate": "tanh"})
        yield plain("silu", kind, F.silu)
        yield plain("sigmoid", kind, torch.sigmoid)
        yield plain("tanh", kind, torch.tanh)
        yield Case("prelu", {}, kind, lambda x, p, _: F.prelu(x[0], p[0]), [(1,)])
        yield plain("flatten", kind, lambda x: x.flatten(1))
        yield plain("identity", kind, lambda x: x)
        yield plain("add", kind, lambda *x: x[0] + x[1] + x[2], inputs=3)
        yield plain("mul", kind, lambda *x: x[0] * x[1], inputs=2)
        yield plain("max", kind, lambda *x: torch.maximum(x[0], x[1]), inputs=2)
        yield plain("concat", kind, lambda *x: torch.cat(x, 1), inputs=2)
    yield plain("concat", "sequence", lambda *x: torch.cat(x, 2), inputs=2)
    yield plain("zero", "image", lambda x: x[:, :, ::2, ::2] * 0, {"stride": 2})


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


def write(name, items):
    with open(os.path.join(HERE, name), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in items) + "\n]\n")


if __name__ == "__main__":
    write("layers.json", [case.run() for case in cases()])
    write("optimizers.json", list(trajectories()))
    write("losses.json", list(losses()))
