class Transpose(nn.Module):
    """Two dimensions in each other's place."""

    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x):
        return x.transpose(self.first, self.second)


class Permute(nn.Module):
    """Dimensions in another order."""

    def __init__(self, *order):
        super().__init__()
        self.order = order

    def forward(self, x):
        return x.permute(self.order)


class Square(nn.Module):
    """Every value times itself."""

    def forward(self, x):
        return x.square()


class Abs(nn.Module):
    """Every value without its sign."""

    def forward(self, x):
        return x.abs()


class Sine(nn.Module):
    """The sine of every value."""

    def __init__(self, frequency):
        super().__init__()
        self.frequency = frequency

    def forward(self, x):
        return torch.sin(self.frequency * x)


class Step(nn.Module):
    """1 above zero and 0 elsewhere, with the gradient of a hard tanh."""

    def forward(self, x):
        hard, soft = (x > 0).to(x.dtype), F.hardtanh(x)
        return hard + soft - soft.detach()


class ReGLU(nn.Module):
    """One half of the features, gated by the other through a ReLU."""

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        value, gate = x.chunk(2, self.dim)
        return value * F.relu(gate)


class GeGLU(nn.Module):
    """One half of the features, gated by the other through a GELU."""

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        value, gate = x.chunk(2, self.dim)
        return value * F.gelu(gate)


class SwiGLU(nn.Module):
    """One half of the features, gated by the other through a SiLU."""

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        value, gate = x.chunk(2, self.dim)
        return value * F.silu(gate)


class MixtureOfExperts(nn.Module):
    """Several linear maps, weighed by a gate that sees the input."""

    def __init__(self, in_features, out_features, experts):
        super().__init__()
        self.gate = nn.Linear(in_features, experts)
        self.experts = nn.Linear(in_features, experts * out_features)
        self.shape = (experts, out_features)

    def forward(self, x):
        gate = F.softmax(self.gate(x), -1)
        return (gate[..., None] * self.experts(x).unflatten(-1, self.shape)).sum(-2)


class Maxout(nn.Module):
    """Each output the largest of several weighted sums."""

    def __init__(self, in_features, out_features, pieces):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features * pieces)
        self.shape = (out_features, pieces)

    def forward(self, x):
        return self.linear(x).unflatten(-1, self.shape).amax(-1)


class Highway(nn.Module):
    """A learned gate between a dense layer and its input."""

    def __init__(self, features):
        super().__init__()
        self.linear = nn.Linear(features, features)
        self.gate = nn.Linear(features, features)

    def forward(self, x):
        gate = torch.sigmoid(self.gate(x))
        return gate * F.relu(self.linear(x)) + (1 - gate) * x


class StandardisedConv2d(nn.Conv2d):
    """A convolution whose filters are standardised each time they are used."""

    def __init__(self, *args, eps=1e-5, **kwargs):
        super().__init__(*args, **kwargs)
        self.eps = eps

    def forward(self, x):
        weight = F.layer_norm(self.weight, self.weight.shape[1:], eps=self.eps)
        return self._conv_forward(x, weight, self.bias)


class AvgPool(nn.Module):
    """The mean of each window, with more padding behind than in front."""

    def __init__(self, rank, kernel, stride, padding, count_include_pad=True):
        super().__init__()
        self.pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[rank - 1]
        self.kernel, self.stride, self.padding = kernel, stride, tuple(padding) * rank
        self.count_include_pad = count_include_pad

    def forward(self, x):
        means = self.pool(F.pad(x, self.padding), self.kernel, self.stride)
        if self.count_include_pad:
            return means
        inside = F.pad(torch.ones_like(x), self.padding)
        return means / self.pool(inside, self.kernel, self.stride)


class MeanOverTime(nn.Module):
    """The mean over all positions of a sequence."""

    def forward(self, x):
        return x.mean(1)


class MaxOverTime(nn.Module):
    """The largest value over all positions of a sequence."""

    def forward(self, x):
        return x.amax(1)


class AttentionPool(nn.Module):
    """The mean over all positions of a sequence, weighed by what stands there."""

    def __init__(self, features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features, 1) / features**0.5)

    def forward(self, x):
        return (F.softmax(x @ self.weight, 1) * x).sum(1)


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each position."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class GlobalResponseNorm(nn.Module):
    """Channels that compete with each other by their norms."""

    def __init__(self, channels, eps=1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x):
        rows = x.flatten(2)
        strength = rows.norm(dim=2, keepdim=True)
        share = strength / (strength.mean(1, keepdim=True) + self.eps)
        return (rows + self.weight[:, None] * rows * share + self.bias[:, None]).reshape(x.shape)


class LayerScale(nn.Module):
    """A learned factor for each channel."""

    def __init__(self, channels, trailing):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), 1e-4))
        self.shape = (-1,) + (1,) * trailing

    def forward(self, x):
        return x * self.weight.reshape(self.shape)


class DropPath(nn.Module):
    """Whole examples dropped in training: stochastic depth."""

    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        keep = torch.rand(len(x), *[1] * (x.dim() - 1), device=x.device) >= self.p
        return x * keep / (1 - self.p)


class GaussianNoise(nn.Module):
    """Noise added in training."""

    def __init__(self, std):
        super().__init__()
        self.std = std

    def forward(self, x):
        return x + self.std * torch.randn_like(x) if self.training else x


class GaussianDropout(nn.Module):
    """Noise multiplied in training."""

    def __init__(self, p):
        super().__init__()
        self.std = (p / (1 - p)) ** 0.5

    def forward(self, x):
        return x * (1 + self.std * torch.randn_like(x)) if self.training else x


class GaussianSample(nn.Module):
    """A draw from the Gaussian that the halves of the input describe; its mean at inference."""

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        mean, log_variance = x.chunk(2, self.dim)
        if not self.training:
            return mean
        return mean + torch.exp(log_variance / 2) * torch.randn_like(mean)


class GumbelSoftmax(nn.Module):
    """A softmax with noise in training."""

    def __init__(self, tau, hard, dim):
        super().__init__()
        self.tau, self.hard, self.dim = tau, hard, dim

    def forward(self, x):
        if self.training:
            return F.gumbel_softmax(x, self.tau, self.hard, dim=self.dim)
        soft = F.softmax(x / self.tau, self.dim)
        if not self.hard:
            return soft
        return torch.zeros_like(soft).scatter(self.dim, soft.argmax(self.dim, keepdim=True), 1.0)


class LearnedPositions(nn.Module):
    """A learned vector for each position, added."""

    def __init__(self, length, features):
        super().__init__()
        self.weight = nn.Parameter(0.02 * torch.randn(length, features))

    def forward(self, x):
        return x + self.weight


class SinusoidalPositions(nn.Module):
    """Waves of many lengths, added."""

    def __init__(self, length, features, base=10000.0):
        super().__init__()
        place, feature = torch.arange(length)[:, None], torch.arange(features)[None, :]
        angles = place / base ** (2 * (feature // 2) / features)
        waves = torch.where(feature % 2 == 0, torch.sin(angles), torch.cos(angles))
        self.register_buffer("waves", waves, persistent=False)

    def forward(self, x):
        return x + self.waves


def rotated(x, base):
    """Pairs of features turned by an angle that grows with the position; x is [..., length, features]."""
    length, half = x.shape[-2], x.shape[-1] // 2
    place = torch.arange(length, device=x.device)[:, None]
    angles = place / base ** (torch.arange(half, device=x.device)[None, :] / half)
    cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


class RotaryPositions(nn.Module):
    """Pairs of features turned by an angle that grows with the position."""

    def __init__(self, base=10000.0):
        super().__init__()
        self.base = base

    def forward(self, x):
        return rotated(x, self.base)


class ClassToken(nn.Module):
    """A learned position in front of all others."""

    def __init__(self, features):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(features))

    def forward(self, x):
        return torch.cat([self.weight.expand(len(x), 1, -1), x], 1)


class SelfAttention(nn.Module):
    """Multi-head self-attention; fewer heads of keys than of queries share them."""

    def __init__(self, features, heads, kv_heads, causal=False, rotary=False, bias=True):
        super().__init__()
        self.size, self.causal, self.rotary = features // heads, causal, rotary
        self.widths = [features, self.size * kv_heads, self.size * kv_heads]
        self.in_proj = nn.Linear(features, sum(self.widths), bias=bias)
        self.out_proj = nn.Linear(features, features, bias=bias)

    def forward(self, x):
        parts = self.in_proj(x).split(self.widths, -1)
        q, k, v = (part.unflatten(-1, (-1, self.size)).transpose(1, 2) for part in parts)
        if self.rotary:
            q, k = rotated(q, 10000.0), rotated(k, 10000.0)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal, enable_gqa=True)
        return self.out_proj(y.transpose(1, 2).flatten(2))


class CrossAttention(nn.Module):
    """Multi-head attention of the first input to the second."""

    def __init__(self, features, others, heads, bias=True):
        super().__init__()
        self.size = features // heads
        self.q_proj = nn.Linear(features, features, bias=False)
        self.k_proj = nn.Linear(others, features, bias=False)
        self.v_proj = nn.Linear(others, features, bias=False)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * features)) if bias else None
        self.out_proj = nn.Linear(features, features, bias=bias)

    def forward(self, x, memory):
        parts = self.q_proj(x), self.k_proj(memory), self.v_proj(memory)
        if self.in_proj_bias is not None:
            parts = (part + bias for part, bias in zip(parts, self.in_proj_bias.chunk(3)))
        q, k, v = (part.unflatten(-1, (-1, self.size)).transpose(1, 2) for part in parts)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(y.transpose(1, 2).flatten(2))


class SqueezeExcite(nn.Module):
    """Channels weighed by what the whole image holds."""

    def __init__(self, channels, hidden):
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x):
        gate = torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


class ECA(nn.Module):
    """Channels weighed by the means of their neighbours."""

    def __init__(self, kernel):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x):
        rows = x.flatten(2)
        gate = torch.sigmoid(self.conv(rows.mean(2)[:, None]))[:, 0]
        return (rows * gate[:, :, None]).reshape(x.shape)


class SpatialAttention(nn.Module):
    """Pixels weighed by the mean and the largest value of their channels."""

    def __init__(self, kernel):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x):
        seen = torch.cat([x.mean(1, True), x.amax(1, True)], 1)
        return x * torch.sigmoid(self.conv(seen))


class Recurrent(nn.Module):
    """A recurrent network that gives every step, or the last one of each direction."""

    def __init__(self, kind, features, hidden, last=False, **kwargs):
        super().__init__()
        self.rnn, self.last = kind(features, hidden, batch_first=True, **kwargs), last

    def forward(self, x):
        steps, state = self.rnn(x)
        if not self.last:
            return steps
        state = state[0] if isinstance(state, tuple) else state
        return torch.cat(list(state), 1)


class SelectPosition(nn.Module):
    """One position of a sequence."""

    def __init__(self, position):
        super().__init__()
        self.position = position

    def forward(self, x):
        return x[:, self.position]


class Flip(nn.Module):
    """One dimension back to front."""

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        return x.flip(self.dim)


class Crop(nn.Module):
    """Without a margin at each end of each dimension."""

    def __init__(self, margin):
        super().__init__()
        self.inside = slice(margin, -margin)

    def forward(self, x):
        return x[(slice(None), slice(None)) + (self.inside,) * (x.dim() - 2)]


class Zero(nn.Module):
    """Zeros of a given shape."""

    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.new_zeros(len(x), *self.shape)


class GatedSum(nn.Module):
    """A sum whose weights are learned and add up to one."""

    def __init__(self, inputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(inputs))

    def forward(self, *inputs):
        shares = F.softmax(self.weight, 0)
        return sum(share * x for share, x in zip(shares, inputs))


class CosineSimilarity(nn.Module):
    """The cosine of the angle between features, as one feature."""

    def __init__(self, eps):
        super().__init__()
        self.eps = eps

    def forward(self, x, y):
        return F.cosine_similarity(x, y, -1, self.eps)[..., None]
