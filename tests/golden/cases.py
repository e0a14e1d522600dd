"""What PyTorch gives each layer of the catalogue: at least three configurations of every kind.

layers.py runs them and writes layers.json.gz. A case is a layer with its arguments, the inputs it meets, the
shapes of its parameters in strata's order, and a function of (inputs, parameters, buffers) made of PyTorch's
own. Everything is computed in 64 bits from values that 32 bits hold exactly.
"""
import math

import torch
import torch.nn.functional as F

IMAGE, SIGNAL, SEQUENCE, VECTOR, VOLUME = (2, 4, 4, 5), (2, 4, 6), (2, 5, 4), (3, 4), (2, 4, 3, 2, 3)
KINDS = {"image": IMAGE, "signal": SIGNAL, "sequence": SEQUENCE, "vector": VECTOR, "volume": VOLUME}
ALL = ("image", "signal", "sequence", "vector", "volume")
VOCABULARY = 7


def draw(*shape):
    """Odd multiples of 1/256 between -2 and 2, all different: exact in 32 bits, and no ties or zeros, where a kink
    has many slopes."""
    count = math.prod(shape)
    numbers = torch.randperm(512)[:count] if count <= 512 else torch.randint(512, (count,))
    return ((2 * numbers - 511) / 256).reshape(shape).to(torch.get_default_dtype())


def halves(total):
    return (total // 2, total - total // 2)


def padded(x, padding, kernel, dilation=1, value=0.0):
    low, high = halves(dilation * (kernel - 1)) if padding == "same" else (padding, padding)
    return F.pad(x, (low, high) * (x.dim() - 2), value=value)


class Case:
    def __init__(self, layer, arguments, kinds, function, parameters=(), buffers=(), training=True, scale=1, weight=1):
        """`kinds`: a kind of input or a list of them, each a name or (name, shape with the batch); `scale` and `weight`:
        how many times larger the values of inputs and parameters are."""
        self.layer, self.arguments, self.function, self.training = layer, arguments, function, training
        kinds = kinds if isinstance(kinds, list) else [kinds]
        self.inputs = [self.input(kind, scale, index / 512) for index, kind in enumerate(kinds)]
        self.parameters = [draw(*shape) * weight for shape in parameters]
        self.buffers = [buffer.clone() for buffer in buffers]

    @staticmethod
    def input(kind, scale, shift):
        """`shift` keeps the values of one input from those of another, where a largest one is sought."""
        name, shape = kind if isinstance(kind, tuple) else (kind, KINDS.get(kind, (2, 5)))
        return name, torch.randint(VOCABULARY, shape) if name == "tokens" else draw(*shape) * scale + shift


def features(kind):
    name, shape = kind if isinstance(kind, tuple) else (kind, KINDS[kind])
    return shape[-1] if name == "sequence" else shape[1]


def feature_dim(x, kind):
    return -1 if (kind if isinstance(kind, str) else kind[0]) == "sequence" else 1


def plain(layer, kinds, function, **arguments):
    return Case(layer, arguments, kinds, lambda x, p, b: function(*x))


# Fully connected


def linear(kind, out, bias):
    shapes = [(4, out)] + ([(out,)] if bias else [])
    return Case("linear", dict(out=out, bias=bias), kind, lambda x, p, b: F.linear(x[0], p[0].t(), p[1] if bias else None), shapes)


def low_rank(kind, out, rank, bias):
    shapes = [(4, rank), (rank, out)] + ([(out,)] if bias else [])
    return Case("low_rank_linear", dict(out=out, rank=rank, bias=bias), kind,
                lambda x, p, b: F.linear(F.linear(x[0], p[0].t()), p[1].t(), p[2] if bias else None), shapes)


def experts(kind, out, number):
    def function(x, p, b):
        gate = F.softmax(F.linear(x[0], p[0].t(), p[1]), -1)
        each = F.linear(x[0], p[2].t(), p[3]).unflatten(-1, (number, out))
        return (gate[..., None] * each).sum(-2)
    return Case("mixture_of_experts", dict(out=out, experts=number), kind, function,
                [(4, number), (number,), (4, number * out), (number * out,)])


def maxout(kind, out, pieces):
    return Case("maxout", dict(out=out, pieces=pieces), kind,
                lambda x, p, b: F.linear(x[0], p[0].t(), p[1]).unflatten(-1, (out, pieces)).amax(-1), [(4, out * pieces), (out * pieces,)])


def bilinear(kinds, out, bias):
    first, second = features(kinds[0]), features(kinds[1])
    shapes = [(out, first, second)] + ([(out,)] if bias else [])
    return Case("bilinear", dict(out=out, bias=bias), kinds, lambda x, p, b: F.bilinear(x[0], x[1], p[0], p[1] if bias else None), shapes)


def highway(kind):
    def function(x, p, b):
        t = torch.sigmoid(F.linear(x[0], p[2].t(), p[3]))
        return t * F.relu(F.linear(x[0], p[0].t(), p[1])) + (1 - t) * x[0]
    size = features(kind)
    return Case("highway", {}, kind, function, [(size, size), (size,)] * 2)


def fully_connected():
    yield from [linear("vector", 3, True), linear("vector", 5, False), linear("sequence", 3, True)]
    yield from [low_rank("vector", 3, 2, True), low_rank("sequence", 5, 1, False), low_rank("vector", 2, 3, False)]
    yield from [experts("vector", 3, 2), experts("sequence", 2, 3), experts("vector", 2, 1)]
    yield from [maxout("vector", 3, 2), maxout("sequence", 2, 3), maxout("vector", 5, 1)]
    yield from [highway("vector"), highway("sequence"), highway(("vector", (2, 3)))]
    yield from [bilinear(["vector", "vector"], 3, True), bilinear([("vector", (3, 2)), ("vector", (3, 5))], 2, False),
                bilinear(["sequence", "sequence"], 2, True)]


# Convolution

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
GRID = {1: "signal", 2: "image", 3: "volume"}


def conv(rank, out, kernel, stride=1, padding=0, dilation=1, groups=1, bias=True, kind=None):
    arguments = dict(out=out, kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias)
    shapes = [(out, 4 // groups) + (kernel,) * rank] + ([(out,)] if bias else [])
    return Case(f"conv{rank}d", arguments, kind or GRID[rank], lambda x, p, b: CONV[rank](
        padded(x[0], padding, kernel, dilation), p[0], p[1] if bias else None, stride, 0, dilation, groups), shapes)


def causal(out, kernel, stride=1, dilation=1, groups=1, bias=True):
    shapes = [(out, 4 // groups, kernel)] + ([(out,)] if bias else [])
    return Case("causal_conv1d", dict(out=out, kernel=kernel, stride=stride, dilation=dilation, groups=groups, bias=bias), "signal",
                lambda x, p, b: F.conv1d(F.pad(x[0], (dilation * (kernel - 1), 0)), p[0], p[1] if bias else None, stride, 0, dilation, groups), shapes)


def depthwise(rank, kernel, stride=1, padding="same", dilation=1, multiplier=1, bias=True):
    arguments = dict(kernel=kernel, stride=stride, padding=padding, dilation=dilation, multiplier=multiplier, bias=bias)
    shapes = [(4 * multiplier, 1) + (kernel,) * rank] + ([(4 * multiplier,)] if bias else [])
    return Case(f"depthwise_conv{rank}d", arguments, GRID[rank], lambda x, p, b: CONV[rank](
        padded(x[0], padding, kernel, dilation), p[0], p[1] if bias else None, stride, 0, dilation, 4), shapes)


def pointwise(rank, out, bias):
    shapes = [(out, 4) + (1,) * rank] + ([(out,)] if bias else [])
    return Case("pointwise_conv", dict(out=out, bias=bias), GRID[rank], lambda x, p, b: CONV[rank](x[0], p[0], p[1] if bias else None), shapes)


def separable(rank, out, kernel, stride=1, padding="same", dilation=1, bias=True):
    arguments = dict(out=out, kernel=kernel, stride=stride, padding=padding, dilation=dilation, bias=bias)
    shapes = [(4, 1) + (kernel,) * rank, (out, 4) + (1,) * rank] + ([(out,)] if bias else [])

    def function(x, p, b):
        y = CONV[rank](padded(x[0], padding, kernel, dilation), p[0], None, stride, 0, dilation, 4)
        return CONV[rank](y, p[1], p[2] if bias else None)
    return Case(f"separable_conv{rank}d", arguments, GRID[rank], function, shapes)


def standardised(out, kernel, stride=1, padding=0, dilation=1, groups=1, bias=True, eps=1e-5):
    arguments = dict(out=out, kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias, eps=eps)
    shapes = [(out, 4 // groups, kernel, kernel)] + ([(out,)] if bias else [])

    def function(x, p, b):
        weight = F.layer_norm(p[0], p[0].shape[1:], eps=eps)
        return F.conv2d(padded(x[0], padding, kernel, dilation), weight, p[1] if bias else None, stride, 0, dilation, groups)
    return Case("ws_conv2d", arguments, "image", function, shapes)


def transposed(rank, out, kernel, stride=1, padding=0, output_padding=0, dilation=1, groups=1, bias=True):
    arguments = dict(out=out, kernel=kernel, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation,
                     groups=groups, bias=bias)
    shapes = [(4, out // groups) + (kernel,) * rank] + ([(out,)] if bias else [])
    function = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[rank]
    kind = {1: ("signal", (2, 4, 4)), 2: ("image", (2, 4, 3, 2)), 3: ("volume", (1, 4, 2, 2, 3))}[rank]
    return Case(f"conv_transpose{rank}d", arguments, kind, lambda x, p, b: function(
        x[0], p[0], p[1] if bias else None, stride, padding, output_padding, groups, dilation), shapes)


def stages(layer, arguments, plan, kernel, stride, training):
    """`plan`: for each convolution its filter's shape, its groups and what follows its batch normalisation."""
    parameters, buffers = [], []
    for shape, _, _ in plan:
        parameters += [shape, (shape[0],), (shape[0],)]
        buffers += [draw(shape[0]), draw(shape[0]).abs() + 0.5]
    middle = len(plan) - 2

    def function(x, p, b):
        y = x[0]
        for index, (shape, groups, follows) in enumerate(plan):
            look = index == middle
            y = F.conv2d(padded(y, "same", kernel) if look else y, p[3 * index], None, stride if look else 1, 0, 1, groups)
            y = follows(F.batch_norm(y, b[2 * index], b[2 * index + 1], p[3 * index + 1], p[3 * index + 2], training))
        return y
    return Case(layer, arguments, "image", function, parameters, buffers, training)


def bottleneck(out, kernel, stride, reduction, training):
    inside, same = max(out // reduction, 1), lambda y: y
    plan = [((inside, 4, 1, 1), 1, F.relu), ((inside, inside, kernel, kernel), 1, F.relu), ((out, inside, 1, 1), 1, same)]
    return stages("bottleneck", dict(out=out, kernel=kernel, stride=stride, reduction=reduction), plan, kernel, stride, training)


def inverted(out, kernel, stride, expand, training):
    inside, same = 4 * expand, lambda y: y
    plan = [((inside, 4, 1, 1), 1, F.relu6), ((inside, 1, kernel, kernel), inside, F.relu6), ((out, inside, 1, 1), 1, same)]
    return stages("inverted_bottleneck", dict(out=out, kernel=kernel, stride=stride, expand=expand), plan[expand == 1:], kernel, stride, training)


def patches(kind, out, patch, bias):
    rank = {"signal": 1, "image": 2, "volume": 3}[kind[0]]
    shapes = [(out, features(kind)) + (patch,) * rank] + ([(out,)] if bias else [])
    return Case("patch_embedding", dict(out=out, patch=patch, bias=bias), kind,
                lambda x, p, b: CONV[rank](x[0], p[0], p[1] if bias else None, patch).flatten(2).transpose(1, 2), shapes)


def convolution():
    yield from [conv(1, 3, 3), conv(1, 6, 2, 2, "same", groups=2), conv(1, 4, 3, 1, 2, 2, bias=False)]
    yield from [conv(2, 6, 3), conv(2, 4, 3, 2, 1, bias=False), conv(2, 6, 2, 1, "same", groups=2), conv(2, 3, 3, 2, "same", 2),
                conv(2, 8, 5, 1, 2, groups=4)]
    yield from [conv(3, 2, 2), conv(3, 4, 2, 1, "same", groups=2), conv(3, 4, 2, 2, groups=2), conv(3, 2, 3, 2, 1, bias=False)]
    yield from [causal(3, 3), causal(4, 2, 2, 2, 2), causal(2, 3, 1, 4, bias=False)]
    yield from [depthwise(1, 3), depthwise(1, 2, 2, 1, multiplier=2, bias=False), depthwise(1, 3, dilation=2), depthwise(1, 3, 2)]
    yield from [depthwise(2, 3), depthwise(2, 2, 2, 0, multiplier=2, bias=False), depthwise(2, 3, dilation=2)]
    yield from [pointwise(1, 3, True), pointwise(2, 5, False), pointwise(3, 2, True)]
    yield from [separable(1, 6, 3), separable(1, 3, 4, 2, bias=False), separable(1, 5, 3, 1, 1, 2)]
    yield from [separable(2, 6, 3), separable(2, 3, 4, 2, bias=False), separable(2, 5, 3, 1, 1, 2)]
    yield from [standardised(3, 3), standardised(4, 2, 2, "same", 1, 2, False, 1e-3), standardised(2, 3, 1, 1, 2)]
    yield from [transposed(1, 3, 3), transposed(1, 2, 3, 2, 1, 1, groups=2, bias=False), transposed(1, 3, 2, 3, 0, 2, 2)]
    yield from [transposed(2, 3, 3), transposed(2, 2, 3, 2, 1, 1, groups=2, bias=False), transposed(2, 3, 2, 2, 0, 0, 2)]
    yield from [transposed(3, 2, 2), transposed(3, 2, 2, 2, 1, 1, groups=2, bias=False), transposed(3, 1, 2, 1, 0, 0, 2)]
    yield from [bottleneck(6, 3, 1, 2, True), bottleneck(4, 3, 2, 1, False), bottleneck(5, 2, 1, 2, True)]
    yield from [inverted(3, 3, 1, 2, True), inverted(4, 3, 2, 1, True), inverted(2, 2, 1, 3, False)]
    yield from [patches(("image", (2, 3, 4, 6)), 5, 2, True), patches(("signal", (2, 3, 6)), 4, 3, False),
                patches(("volume", (2, 1, 2, 4, 2)), 3, 2, True)]
    for kind, groups in (("image", 2), ("signal", 4), ("volume", 1)):
        yield plain("channel_shuffle", kind, lambda x, g=groups: x.unflatten(1, (g, -1)).transpose(1, 2).flatten(1, 2), groups=groups)
    for shape, scale in (((2, 4, 2, 3), 2), ((1, 9, 2, 2), 3), ((2, 3, 2, 2), 1)):
        yield plain("pixel_shuffle", ("image", shape), lambda x, s=scale: F.pixel_shuffle(x, s), scale=scale)
    for shape, scale in (((2, 2, 4, 2), 2), ((1, 1, 6, 3), 3), ((2, 3, 2, 2), 1)):
        yield plain("pixel_unshuffle", ("image", shape), lambda x, s=scale: F.pixel_unshuffle(x, s), scale=scale)


# Activation


class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(context, gradient):
        x, = context.saved_tensors
        return gradient * (x.abs() <= 1)


# What bends further out than 2.
WIDE = ("relu6", "hard_swish", "hard_sigmoid")


def elementwise():
    """Name, function, and arguments for three configurations, cycled over the kinds of input."""
    yield "relu", F.relu, [{}] * 3
    yield "relu6", F.relu6, [{}] * 3
    yield "squared_relu", lambda x: F.relu(x).square(), [{}] * 3
    yield "leaky_relu", lambda x, slope: F.leaky_relu(x, slope), [dict(slope=0.2), dict(slope=0.01), dict(slope=1.0)]
    yield "elu", lambda x, alpha: F.elu(x, alpha), [dict(alpha=1.0), dict(alpha=0.5), dict(alpha=2.0)]
    yield "celu", lambda x, alpha: F.celu(x, alpha), [dict(alpha=1.0), dict(alpha=0.5), dict(alpha=2.0)]
    yield "selu", F.selu, [{}] * 3
    yield "gelu", lambda x, approximate: F.gelu(x, approximate=approximate), [dict(approximate=a) for a in ("none", "tanh", "none", "tanh")]
    yield "silu", F.silu, [{}] * 3
    yield "hard_swish", F.hardswish, [{}] * 3
    yield "mish", F.mish, [{}] * 3
    yield "sigmoid", torch.sigmoid, [{}] * 3
    yield "hard_sigmoid", F.hardsigmoid, [{}] * 3
    yield "log_sigmoid", F.logsigmoid, [{}] * 3
    yield "tanh", torch.tanh, [{}] * 3
    yield "hardtanh", lambda x, **a: F.hardtanh(x, a["min"], a["max"]), [dict(min=-1.0, max=1.0), dict(min=-0.5, max=2.0), dict(min=0.0, max=0.25)]
    yield "softplus", lambda x, beta: F.softplus(x, beta), [dict(beta=1.0), dict(beta=0.5), dict(beta=20.0)]
    yield "softsign", F.softsign, [{}] * 3
    yield "softshrink", lambda x, **a: F.softshrink(x, a["lambda"]), [{"lambda": 0.5}, {"lambda": 0.0}, {"lambda": 1.0}]
    yield "hardshrink", lambda x, **a: F.hardshrink(x, a["lambda"]), [{"lambda": 0.5}, {"lambda": 0.25}, {"lambda": 1.0}]
    yield "tanhshrink", F.tanhshrink, [{}] * 3
    yield "threshold", lambda x, threshold, value: F.threshold(x, threshold, value), [
        dict(threshold=0.0, value=0.0), dict(threshold=-0.5, value=2.0), dict(threshold=0.25, value=-1.0)]
    yield "sine", lambda x, frequency: torch.sin(frequency * x), [dict(frequency=1.0), dict(frequency=3.0), dict(frequency=0.5)]
    yield "step", StraightThrough.apply, [{}] * 3


def gated(gate):
    def function(x, dim):
        a, b = x.chunk(2, dim)
        return a * gate(b)
    return function


def across():
    yield "glu", lambda x, dim: F.glu(x, dim)
    yield "reglu", gated(F.relu)
    yield "geglu", gated(F.gelu)
    yield "swiglu", gated(F.silu)
    yield "softmax", lambda x, dim: F.softmax(x, dim)
    yield "softmin", lambda x, dim: F.softmin(x, dim)
    yield "log_softmax", lambda x, dim: F.log_softmax(x, dim)


def activation():
    for number, (name, function, configurations) in enumerate(elementwise()):
        for index, arguments in enumerate(configurations):
            kind, scale = ALL[(number + index) % len(ALL)], 4 if name in WIDE else 1
            yield Case(name, arguments, kind, lambda x, p, b, f=function, a=arguments: f(x[0], **a), scale=scale)
    for kind in ("vector", "image", "sequence"):
        yield Case("prelu", {}, kind, lambda x, p, b: F.prelu(x[0], p[0]), [(1,)])
    for kind in ("signal", "vector", "image"):
        yield Case("rrelu", dict(lower=0.125, upper=0.375), kind, lambda x, p, b: F.rrelu(x[0], 0.125, 0.375), training=False)
    for number, (name, function) in enumerate(across()):
        for index in range(3):
            kind = ALL[(number + index) % len(ALL)]
            yield plain(name, kind, lambda x, f=function, k=kind: f(x, feature_dim(x, k)))


# Pooling

MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def max_pool(rank, kernel, stride, padding):
    return plain(f"max_pool{rank}d", GRID[rank], lambda x: MAX[rank](padded(x, padding, kernel, value=float("-inf")), kernel, stride),
                 kernel=kernel, stride=stride, padding=padding)


def avg_pool(rank, kernel, stride, padding, count=True):
    def function(x):
        whole = kernel ** rank
        total = AVG[rank](padded(x, padding, kernel), kernel, stride) * whole
        inside = AVG[rank](padded(torch.ones_like(x), padding, kernel), kernel, stride) * whole
        return total / (whole if count else inside)
    return plain(f"avg_pool{rank}d", GRID[rank], function, kernel=kernel, stride=stride, padding=padding, count_include_pad=count)


def attention_pool(kind):
    def function(x, p, b):
        rows = x[0] if kind == "sequence" else x[0].flatten(2).transpose(1, 2)
        return (F.softmax(rows @ p[0], 1) * rows).sum(1)
    return Case("attention_pool", {}, kind, function, [(4, 1)])


def pooling():
    yield from [max_pool(1, 2, 2, 0), max_pool(1, 3, 2, 1), max_pool(1, 2, 1, "same")]
    yield from [max_pool(2, 2, 2, 0), max_pool(2, 3, 2, 1), max_pool(2, 2, 1, "same")]
    yield from [max_pool(3, 2, 1, 0), max_pool(3, 3, 2, 1), max_pool(3, 2, 1, "same")]
    yield from [avg_pool(1, 2, 2, 0), avg_pool(1, 3, 2, 1, False), avg_pool(1, 4, 1, "same"), avg_pool(1, 2, 1, "same", False)]
    yield from [avg_pool(2, 2, 2, 0), avg_pool(2, 3, 2, 1, False), avg_pool(2, 4, 1, "same"), avg_pool(2, 2, 1, "same", False)]
    yield from [avg_pool(3, 2, 1, 0), avg_pool(3, 3, 2, 1, False), avg_pool(3, 2, 1, "same")]
    for rank, function in ((1, F.lp_pool1d), (2, F.lp_pool2d), (3, F.lp_pool3d)):
        for kernel, stride, p in ((2, 2, 2), (3 if rank < 3 else 1, 1, 3), (2, 1, 1)):
            yield plain(f"lp_pool{rank}d", GRID[rank], lambda x, f=function, k=kernel, s=stride, p=p: f(x.abs(), p, k, s),
                        kernel=kernel, stride=stride, p=p)
    for rank, avg, top in ((1, F.adaptive_avg_pool1d, F.adaptive_max_pool1d), (2, F.adaptive_avg_pool2d, F.adaptive_max_pool2d),
                           (3, F.adaptive_avg_pool3d, F.adaptive_max_pool3d)):
        for size in (1, 3, 4):
            yield plain(f"adaptive_avg_pool{rank}d", GRID[rank], lambda x, f=avg, s=size: f(x, s), size=size)
            yield plain(f"adaptive_max_pool{rank}d", GRID[rank], lambda x, f=top, s=size: f(x, s), size=size)
    for kind in ("image", "signal", "sequence", "volume"):
        rows = (lambda x: x.transpose(1, 2)) if kind == "sequence" else (lambda x: x.flatten(2))
        yield plain("global_avg_pool", kind, lambda x, r=rows: r(x).mean(2))
        yield plain("global_max_pool", kind, lambda x, r=rows: r(x).amax(2))
    yield from [attention_pool(kind) for kind in ("sequence", "signal", "image")]


# Normalisation


def batch_norm(kind, training, momentum=0.1, eps=1e-5):
    buffers = [draw(4), draw(4).abs() + 0.5]
    return Case("batch_norm", dict(momentum=momentum, eps=eps), kind, lambda x, p, b: F.batch_norm(
        x[0], b[0], b[1], p[0], p[1], training, momentum, eps), [(4,), (4,)], buffers, training)


def normalised_shape(kind):
    return KINDS[kind][-1:] if kind in ("sequence", "vector") else KINDS[kind][1:]


def layer_norm2d(kind, eps=1e-5):
    return Case("layer_norm2d", dict(eps=eps), kind, lambda x, p, b: F.layer_norm(x[0].movedim(1, -1), (4,), p[0], p[1], eps).movedim(-1, 1), [(4,), (4,)])


def response(kind, eps=1e-5):
    def function(x, p, b):
        rows = x[0].flatten(2)
        strength = rows.norm(dim=2, keepdim=True)
        y = rows + p[0][:, None] * rows * strength / (strength.mean(1, keepdim=True) + eps) + p[1][:, None]
        return y.reshape(x[0].shape)
    return Case("global_response_norm", dict(eps=eps), kind, function, [(4,), (4,)])


def normalisation():
    yield from [batch_norm(kind, training) for kind in ("image", "signal", "vector", "volume") for training in (True, False)]
    yield batch_norm("image", True, 0.3, 1e-3)
    for kind in ALL:
        shape = normalised_shape(kind)
        yield Case("layer_norm", dict(eps=1e-5), kind, lambda x, p, b, s=shape: F.layer_norm(x[0], s, p[0], p[1], 1e-5), [shape, shape])
        yield Case("rms_norm", dict(eps=1e-3), kind, lambda x, p, b, s=shape: F.rms_norm(x[0], s, p[0], 1e-3), [shape])
    yield from [layer_norm2d("image"), layer_norm2d("signal", 1e-3), layer_norm2d("volume")]
    for kind, groups, eps in (("image", 2, 1e-5), ("image", 4, 1e-3), ("signal", 1, 1e-5), ("vector", 1, 1e-5), ("volume", 2, 1e-5)):
        yield Case("group_norm", dict(groups=groups, eps=eps), kind, lambda x, p, b, g=groups, e=eps: F.group_norm(x[0], g, p[0], p[1], e), [(4,), (4,)])
    yield plain("instance_norm", "image", lambda x: F.instance_norm(x, eps=1e-5), affine=False, eps=1e-5)
    for kind, eps in (("signal", 1e-3), ("volume", 1e-5)):
        yield Case("instance_norm", dict(affine=True, eps=eps), kind, lambda x, p, b, e=eps: F.instance_norm(x[0], weight=p[0], bias=p[1], eps=e), [(4,), (4,)])
    for kind, size, alpha, beta, k in (("image", 3, 0.5, 0.75, 1.0), ("signal", 2, 1.0, 1.5, 2.0), ("volume", 5, 0.1, 0.5, 1.0)):
        yield plain("local_response_norm", kind, lambda x, s=size, a=alpha, b=beta, k=k: F.local_response_norm(x, s, a, b, k),
                    size=size, alpha=alpha, beta=beta, k=k)
    yield from [response("image"), response("signal", 1e-3), response("volume")]
    for kind in ("image", "sequence", "vector"):
        scale = (lambda x, p: x * p) if kind != "image" else (lambda x, p: x * p[:, None, None])
        yield Case("layer_scale", dict(start=0.5), kind, lambda x, p, b, f=scale: f(x[0], p[0]), [(4,)])


# Dropout: at inference there is nothing random, so PyTorch can be compared with


def dropout():
    for kind in ("image", "sequence", "vector"):
        yield Case("dropout", dict(p=0.3), kind, lambda x, p, b: F.dropout(x[0], 0.3, False), training=False)
        yield Case("alpha_dropout", dict(p=0.3), kind, lambda x, p, b: F.alpha_dropout(x[0], 0.3, False), training=False)
        yield Case("drop_path", dict(p=0.3), kind, lambda x, p, b: x[0] * 1, training=False)
        yield Case("gaussian_noise", dict(std=0.5), kind, lambda x, p, b: x[0] * 1, training=False)
        yield Case("gaussian_dropout", dict(p=0.25), kind, lambda x, p, b: x[0] * 1, training=False)
        yield Case("gaussian_sample", {}, kind, lambda x, p, b, k=kind: x[0].chunk(2, feature_dim(x[0], k))[0] * 1, training=False)
    yield Case("spatial_dropout", dict(p=0.3), "image", lambda x, p, b: F.dropout2d(x[0], 0.3, False), training=False)
    yield Case("spatial_dropout", dict(p=0.3), "signal", lambda x, p, b: F.dropout1d(x[0], 0.3, False), training=False)
    yield Case("spatial_dropout", dict(p=0.3), "volume", lambda x, p, b: F.dropout3d(x[0], 0.3, False), training=False)
    for kind in ("image", "signal", "volume"):
        yield Case("feature_alpha_dropout", dict(p=0.3), kind, lambda x, p, b: F.feature_alpha_dropout(x[0], 0.3, False), training=False)
    for kind, tau in (("vector", 1.0), ("sequence", 0.5), ("image", 2.0)):
        yield Case("gumbel_softmax", dict(tau=tau, hard=False), kind,
                   lambda x, p, b, t=tau, k=kind: F.softmax(x[0] / t, feature_dim(x[0], k)), training=False)


# Embedding


def tokens(shape):
    return ("tokens", shape)


def waves(length, size, base):
    position, pair = torch.arange(length)[:, None], torch.arange(size)[None, :] // 2
    angles = position / base ** (2 * pair / size)
    return torch.where(torch.arange(size) % 2 == 0, torch.sin(angles), torch.cos(angles))


def rotated(x, base):
    """`x`: [..., length, features]."""
    length, half = x.shape[-2], x.shape[-1] // 2
    angles = torch.arange(length)[:, None] / base ** (2 * torch.arange(half)[None, :] / (2 * half))
    cos, sin = torch.cat([torch.cos(angles)] * 2, -1), torch.cat([torch.sin(angles)] * 2, -1)
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


def embedding():
    for shape, out in (((2, 5), 3), ((3, 4), 2), ((1, 8), 1)):
        yield Case("embedding", dict(out=out), tokens(shape), lambda x, p, b: F.embedding(x[0], p[0]), [(VOCABULARY, out)])
        yield Case("embedding_bag", dict(out=out), tokens(shape), lambda x, p, b: F.embedding_bag(x[0], p[0]), [(VOCABULARY, out)])
    for shape in ((2, 5, 4), (3, 2, 6), (1, 7, 2)):
        kind = ("sequence", shape)
        yield Case("learned_positions", {}, kind, lambda x, p, b: x[0] + p[0], [shape[1:]])
        yield Case("class_token", {}, kind, lambda x, p, b: torch.cat([p[0].expand(len(x[0]), 1, -1), x[0]], 1), [shape[2:]])
        yield plain("sinusoidal_positions", kind, lambda x, s=shape: x + waves(s[1], s[2], 100.0), base=100.0)
        yield plain("rotary_positions", kind, lambda x: rotated(x, 100.0), base=100.0)
    yield plain("sinusoidal_positions", ("sequence", (2, 4, 3)), lambda x: x + waves(4, 3, 10000.0), base=10000.0)


# Attention


def self_attention(shape, heads, kv_heads, causal, rotary, bias):
    size = shape[2]
    narrow = size // heads * kv_heads
    wide = size + 2 * narrow
    shapes = [(size, wide), (wide,), (size, size), (size,)] if bias else [(size, wide), (size, size)]

    def function(x, p, b):
        weights, biases = (p[0], p[2]) if bias else p, (p[1], p[3]) if bias else (None, None)
        q, k, v = F.linear(x[0], weights[0].t(), biases[0]).split([size, narrow, narrow], -1)
        q, k, v = (t.unflatten(-1, (-1, size // heads)).transpose(1, 2) for t in (q, k, v))
        if rotary:
            q, k = rotated(q, 10000.0), rotated(k, 10000.0)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True)
        return F.linear(y.transpose(1, 2).flatten(2), weights[1].t(), biases[1])
    return Case("self_attention", dict(heads=heads, kv_heads=kv_heads, causal=causal, rotary=rotary, bias=bias), ("sequence", shape), function, shapes,
                weight=1 / 4)


def torch_attention(shape, heads):
    """torch.nn.MultiheadAttention itself, its joint weight transposed."""
    size = shape[2]

    def function(x, p, b):
        y = x[0].transpose(0, 1)
        out, _ = F.multi_head_attention_forward(y, y, y, size, heads, p[0].t(), p[1], None, None, False, 0.0, p[2].t(), p[3], need_weights=False)
        return out.transpose(0, 1)
    return Case("self_attention", dict(heads=heads), ("sequence", shape), function, [(size, 3 * size), (3 * size,), (size, size), (size,)],
                weight=1 / 4)


def cross_attention(first, second, heads, bias):
    size, other = first[2], second[2]
    shapes = [(size, size), (other, size), (other, size)] + ([(3 * size,)] if bias else []) + [(size, size)] + ([(size,)] if bias else [])

    def function(x, p, b):
        query, memory = (t.transpose(0, 1) for t in x)
        out, _ = F.multi_head_attention_forward(
            query, memory, memory, size, heads, None, p[3] if bias else None, None, None, False, 0.0, p[4 if bias else 3].t(),
            p[5] if bias else None, need_weights=False, use_separate_proj_weight=True, q_proj_weight=p[0].t(), k_proj_weight=p[1].t(),
            v_proj_weight=p[2].t())
        return out.transpose(0, 1)
    return Case("cross_attention", dict(heads=heads, bias=bias), [("sequence", first), ("sequence", second)], function, shapes, weight=1 / 4)


def squeeze_excite(reduction):
    hidden = max(4 // reduction, 1)

    def function(x, p, b):
        y = F.relu(x[0].mean((2, 3)) @ p[0] + p[1])
        return x[0] * torch.sigmoid(y @ p[2] + p[3])[:, :, None, None]
    return Case("squeeze_excite", dict(channels=4, reduction=reduction), "image", function, [(4, hidden), (hidden,), (hidden, 4), (4,)])


def eca(kind, kernel):
    def function(x, p, b):
        means = x[0].flatten(2).mean(2)[:, None]
        gate = torch.sigmoid(F.conv1d(means, p[0], padding=kernel // 2))[:, 0]
        return (x[0].flatten(2) * gate[:, :, None]).reshape(x[0].shape)
    return Case("eca", dict(kernel=kernel), kind, function, [(1, 1, kernel)])


def spatial_attention(kernel):
    def function(x, p, b):
        seen = torch.cat([x[0].mean(1, True), x[0].amax(1, True)], 1)
        return x[0] * torch.sigmoid(F.conv2d(seen, p[0], padding=kernel // 2))
    return Case("spatial_attention", dict(kernel=kernel), "image", function, [(1, 2, kernel, kernel)])


def attention():
    yield from [torch_attention((2, 5, 4), 2), self_attention((2, 4, 6), 3, 1, True, True, False), self_attention((1, 5, 8), 4, 2, True, False, True),
                self_attention((2, 3, 4), 1, 1, False, True, True)]
    yield from [cross_attention((2, 3, 4), (2, 5, 3), 2, True), cross_attention((2, 4, 6), (2, 4, 6), 3, False),
                cross_attention((1, 2, 2), (1, 4, 5), 1, True)]
    yield from [squeeze_excite(2), squeeze_excite(16), squeeze_excite(1)]
    yield from [eca("image", 3), eca("signal", 5), eca("volume", 1)]
    yield from [spatial_attention(3), spatial_attention(7), spatial_attention(1)]


# Recurrent


def recurrent(kind, shape, hidden, bidirectional, output, nonlinearity=None):
    """PyTorch's own module, its matrices transposed."""
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind] * hidden
    directions = 2 if bidirectional else 1
    shapes = [(shape[2], gates), (hidden, gates), (gates,), (gates,)] * directions
    arguments = dict(hidden=hidden, bidirectional=bidirectional, output=output)
    extra = {}
    if kind == "rnn":
        arguments["nonlinearity"] = extra["nonlinearity"] = nonlinearity

    def function(x, p, b):
        cls = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind]
        module = cls(shape[2], hidden, batch_first=True, bidirectional=bidirectional, **extra)
        names = [name + suffix for suffix in ("", "_reverse")[:directions] for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")]
        values = {name: value.t() if value.dim() == 2 else value for name, value in zip(names, p)}
        y, state = torch.func.functional_call(module, values, (x[0],))
        if output == "all":
            return y
        state = state[0] if kind == "lstm" else state
        return torch.cat(list(state), 1)
    return Case(kind, arguments, ("sequence", shape), function, shapes)


def recurrence():
    yield from [recurrent("rnn", (2, 5, 3), 4, False, "all", "tanh"), recurrent("rnn", (2, 4, 2), 3, True, "last", "relu"),
                recurrent("rnn", (1, 3, 2), 2, True, "all", "tanh"), recurrent("rnn", (2, 3, 2), 2, False, "last", "tanh")]
    for kind in ("gru", "lstm"):
        yield from [recurrent(kind, (2, 5, 3), 4, False, "all"), recurrent(kind, (2, 4, 2), 3, True, "last"),
                    recurrent(kind, (1, 3, 2), 2, True, "all"), recurrent(kind, (2, 3, 2), 2, False, "last")]


# Shape and merge


def shape():
    for kind in ("image", "vector", "sequence"):
        yield plain("identity", kind, lambda x: x * 1)
    for kind in ALL:
        yield plain("flatten", kind, lambda x: x.flatten(1))
    for kind, sizes in (("image", (2, 8, 5)), ("vector", (1, 2, 2)), ("sequence", (5, 1, 4))):
        yield plain("reshape", kind, lambda x, s=sizes: x.flatten(1).unflatten(1, s), channels=sizes[0], height=sizes[1], width=sizes[2])
    for kind in ("image", "signal", "volume"):
        yield plain("to_sequence", kind, lambda x: x.flatten(2).transpose(1, 2))
    yield plain("to_sequence", "vector", lambda x: x[:, :, None] * 1)
    for kind in ("image", "volume"):
        yield plain("to_signal", kind, lambda x: x.flatten(2))
    yield plain("to_signal", "sequence", lambda x: x.transpose(1, 2))
    yield plain("to_signal", "vector", lambda x: x[:, None] * 1)
    for kind in ("image", "signal", "sequence"):
        yield plain("transpose", kind, lambda x: x.transpose(-2, -1))
        yield plain("flip", kind, lambda x, d=1 if kind == "sequence" else -1: x.flip(d))
    for order in ("cwh", "hcw", "hwc", "wch", "whc"):
        yield plain("permute", "image", lambda x, o=order: x.permute([0] + [1 + "chw".index(letter) for letter in o]), order=order)
    for size, position in (((2, 5, 4), "first"), ((3, 2, 4), "last"), ((1, 1, 3), "last")):
        yield plain("select_position", ("sequence", size), lambda x, i=0 if position == "first" else -1: x[:, i], position=position)
    for kind, scale, smooth in (("image", 2, "bilinear"), ("signal", 3, "linear"), ("volume", 2, "trilinear")):
        yield plain("upsample_nearest", kind, lambda x, s=scale: F.interpolate(x, scale_factor=s, mode="nearest"), scale=scale)
        yield plain("upsample_bilinear", kind, lambda x, s=scale, m=smooth: F.interpolate(x, scale_factor=s, mode=m), scale=scale)
    modes = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}
    for kind, margin, mode in (("image", 1, "zeros"), ("image", 3, "reflect"), ("signal", 4, "replicate"), ("volume", 2, "circular"),
                               ("signal", 5, "reflect"), ("volume", 1, "reflect"), ("image", 2, "circular")):
        pads = (margin,) * (2 * (len(KINDS[kind]) - 2))
        yield plain("pad", kind, lambda x, p=pads, m=modes[mode]: F.pad(x, p, mode=m), margin=margin, mode=mode)
    yield plain("crop", "image", lambda x: x[:, :, 1:-1, 1:-1], margin=1)
    yield plain("crop", "signal", lambda x: x[:, :, 2:-2], margin=2)
    yield plain("crop", ("volume", (1, 2, 3, 4, 5)), lambda x: x[:, :, 1:-1, 1:-1, 1:-1], margin=1)
    yield plain("zero", "image", lambda x: x[:, :, ::2, ::2] * 0, stride=2)
    yield plain("zero", "signal", lambda x: x[:, :, ::3] * 0, stride=3)
    yield plain("zero", "sequence", lambda x: x * 0, stride=1)


def merge():
    for kind in ALL:
        yield plain("add", [kind] * 3, lambda *x: x[0] + x[1] + x[2])
        yield plain("concat", [kind] * 2, lambda *x, k=kind: torch.cat(x, feature_dim(x[0], k)))
    yield plain("concat", [("image", (2, 1, 2, 3)), ("image", (2, 3, 2, 3)), ("image", (2, 2, 2, 3))], lambda *x: torch.cat(x, 1))
    for kind in ("image", "sequence", "vector"):
        yield plain("mul", [kind] * 2, lambda *x: x[0] * x[1])
        yield plain("max", [kind] * 2, lambda *x: torch.maximum(x[0], x[1]))
        yield plain("mean", [kind] * 3, lambda *x: torch.stack(x).mean(0))
        yield Case("gated_sum", {}, [kind] * 3, lambda x, p, b: (F.softmax(p[0], 0).reshape([3] + [1] * x[0].dim()) * torch.stack(x)).sum(0), [(3,)])
    for kind, eps in (("vector", 1e-8), ("sequence", 1e-3), (("vector", (2, 7)), 1e-8)):
        yield plain("cosine_similarity", [kind] * 2, lambda x, y, e=eps: F.cosine_similarity(x, y, -1, e)[..., None], eps=eps)
        yield plain("pairwise_distance", [kind] * 2, lambda x, y, e=eps: F.pairwise_distance(x, y, 2.0, e, True), eps=eps)


def cases():
    for category in (fully_connected, convolution, activation, pooling, normalisation, dropout, embedding, attention, recurrence, shape, merge):
        yield from category()
