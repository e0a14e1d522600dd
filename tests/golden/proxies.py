"""Writes proxies.json beside this script: zero-cost proxies of small networks by PyTorch, in 64 bits.

    pip install torch numpy
    python tests/golden/proxies.py

src/proxies/tests.rs compares strata with the file and needs no Python. The Hessian of grasp is
PyTorch's double backward pass; strata's is a difference of gradients.
"""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(11)
HEADER = "space {name}\ninput {input}\noutput classes({classes})\nnetwork {{\n{body}\n}}\n"


class Chain(nn.Sequential):
    def in_order(self):
        return list(self)

    def features(self, x):
        for module in list(self)[: self.before_head]:
            x = module(x)
        return x


class Plain(Chain):
    name, shape, classes, before_head = "plain", (3, 8, 8), 4, 6
    input = "image(channels: 3, height: 8, width: 8)"
    body = """    conv2d(6, kernel: 3, padding: same)
    batch_norm
    relu
    conv2d(8, kernel: 3, stride: 2, padding: same, bias: false)
    batch_norm
    relu
    global_avg_pool
    linear(classes)"""

    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Conv2d(6, 8, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 4),
        )


class Cell(nn.Module):
    """Two paths that meet, as in the cells of NAS-Bench-201."""

    name, shape, classes = "cell", (2, 6, 6), 3
    input = "image(channels: 2, height: 6, width: 6)"
    body = """    conv2d(5, kernel: 3, padding: same, bias: false)
    batch_norm
    branch(merge: add) {
        { relu; conv2d(5, kernel: 3, padding: same, bias: false); batch_norm }
        { avg_pool2d(3, stride: 1, padding: same, count_include_pad: false) }
        { identity }
    }
    batch_norm
    relu
    global_avg_pool
    linear(classes)"""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 5, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(5)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(5, 5, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(5)
        self.pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.last_norm = nn.BatchNorm2d(5)
        self.last_relu = nn.ReLU()
        self.linear = nn.Linear(5, 3)

    def in_order(self):
        return [self.stem, self.stem_norm, self.conv, self.norm, self.last_norm, self.linear]

    def features(self, x):
        x = self.stem_norm(self.stem(x))
        x = self.norm(self.conv(self.relu(x))) + self.pool(x) + x
        return self.last_relu(self.last_norm(x))

    def forward(self, x):
        return self.linear(self.features(x).mean((2, 3)))


class Mlp(Chain):
    name, shape, classes, before_head = "mlp", (5,), 3, 4
    input = "vector(features: 5)"
    body = "    linear(17)\n    relu\n    linear(12)\n    relu\n    linear(classes)"

    def __init__(self):
        super().__init__(
            nn.Linear(5, 17), nn.ReLU(), nn.Linear(17, 12), nn.ReLU(), nn.Linear(12, 3)
        )


def weighted(net):
    return [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


def norms(net):
    return [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]


def hooked(modules, store, net, x):
    """The network's output, with the outputs of some modules in `store`."""
    handles = [m.register_forward_hook(lambda m, _, out: store.append((m, out))) for m in modules]
    y = net(x)
    for handle in handles:
        handle.remove()
    return y


def first_order(net, x, labels):
    outputs = []
    y = hooked(weighted(net), outputs, net, x)
    for _, out in outputs:
        out.retain_grad()
    net.zero_grad()
    F.cross_entropy(y, labels).backward()
    grad_norm = sum(m.weight.grad.norm().item() for m in weighted(net))
    snip = sum((m.weight * m.weight.grad).abs().sum().item() for m in weighted(net))
    fisher = 0.0
    for module, out in outputs:
        saliency = out.detach() * out.grad
        saliency = saliency.flatten(2).sum(2) if saliency.dim() > 2 else saliency
        channel = saliency.pow(2).mean(0) / 2
        fisher += channel.sum().item() * module.weight[0].numel()
    return {"grad_norm": grad_norm, "snip": snip, "fisher": fisher}


def grasp(net, x, labels):
    weights = [m.weight for m in weighted(net)]
    loss = F.cross_entropy(net(x), labels)
    gradient = torch.autograd.grad(loss, weights, create_graph=True)
    product = sum((g.detach() * g).sum() for g in gradient)
    second = torch.autograd.grad(product, weights)
    return -sum((w * h).sum().item() for w, h in zip(weights, second))


def synflow(net):
    before = [m.forward for m in norms(net)]
    state = {name: value.clone() for name, value in net.state_dict().items()}
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.abs_()
    for m in norms(net):
        m.forward = lambda x: x
    net.zero_grad()
    net(torch.ones(1, *net.shape, dtype=torch.float64)).sum().backward()
    flow = sum((m.weight * m.weight.grad).abs().sum().item() for m in weighted(net))
    for m, forward in zip(norms(net), before):
        m.forward = forward
    net.load_state_dict(state)
    return flow


def jacob_cov(net, x):
    x = x.clone().requires_grad_(True)
    net(x).sum().backward()
    correlations = np.corrcoef(x.grad.flatten(1).numpy())
    values = np.linalg.eigvalsh(correlations)
    return float(-np.sum(np.log(values + 1e-5) + 1 / (values + 1e-5)))


def naswot(net, x):
    outputs = []
    hooked([m for m in net.modules() if isinstance(m, nn.ReLU)], outputs, net, x)
    kernel = 0
    for _, out in outputs:
        on = (out.flatten(1) > 0).double()
        kernel = kernel + on @ on.T + (1 - on) @ (1 - on).T
    return np.linalg.slogdet(kernel.detach().numpy())[1].item()


def zen(net, first, second):
    inputs = []
    handles = [m.register_forward_hook(lambda m, x, _: inputs.append(x[0])) for m in norms(net)]
    a = net.features(first)
    for handle in handles:
        handle.remove()
    b = net.features(second)
    moved = (a - b).abs().flatten(1).sum(1).mean()
    deviations = [
        x.transpose(0, 1).flatten(1).var(1, unbiased=False).mean().sqrt().log() for x in inputs
    ]
    return (moved.log() + sum(deviations)).item()


def parameters(net):
    """In strata's order and layout: a linear weight is [in, out]."""
    found = []
    for module in net.in_order():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.BatchNorm2d)):
            linear = isinstance(module, nn.Linear)
            found.append(module.weight.T if linear else module.weight)
            if module.bias is not None:
                found.append(module.bias)
    return [tensor.detach().flatten().tolist() for tensor in found]


def short(*shape):
    """Normal numbers that 32 bits hold."""
    return torch.randn(*shape).mul(256).round().div(256).double()


def case(kind):
    net = kind()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(parameter.mul(1024).round().div(1024))
        for m in norms(net):
            m.weight.copy_(torch.rand_like(m.weight).mul(64).round().div(64) + 0.5)
            m.bias.copy_(torch.rand_like(m.bias).mul(64).round().div(64) - 0.5)
    net = net.double().train()
    batch = 7
    x, labels = short(batch, *net.shape), torch.arange(batch) % net.classes
    first, shift = short(batch, *net.shape), short(batch, *net.shape)
    second = (first + shift / 128).float().double()
    found = {**first_order(net, x, labels), "grasp": grasp(net, x, labels)}
    found.update(synflow=synflow(net), jacob_cov=jacob_cov(net, x), naswot=naswot(net, x))
    found["zen"] = zen(net, first, second)
    text = HEADER.format(name=net.name, input=net.input, classes=net.classes, body=net.body)
    return {
        "space": text,
        "parameters": parameters(net),
        "inputs": x.flatten().tolist(),
        "labels": labels.tolist(),
        "zen_inputs": [first.flatten().tolist(), second.flatten().tolist()],
        "proxies": found,
    }


path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "proxies.json")
cases = [case(kind) for kind in (Plain, Cell, Mlp)]
with open(path, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
