//! How each layer kind is written in PyTorch: the one table of this target.

mod features;

use super::super::site::Site;
use crate::layers::Value;

/// A call of a module's class, and where its tensors come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub class: String,
    pub arguments: Vec<Argument>,
    pub tensors: Vec<Source>,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    /// What a parameter would be called that stands in its place.
    pub name: &'static str,
    pub keyword: bool,
    pub value: String,
}

/// Where a module's tensor comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub torch: String,
    pub ours: String,
    pub transposed: bool,
}

/// What a layer is in PyTorch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Modules one after the other; the first takes all the inputs.
    Modules(Vec<Call>),
    /// An expression over the inputs, which stand as `{0}`, `{1}` and so on.
    Expression(String),
}

impl Call {
    fn new(class: impl Into<String>) -> Self {
        Self {
            class: class.into(),
            arguments: Vec::new(),
            tensors: Vec::new(),
        }
    }

    fn push(mut self, name: &'static str, keyword: bool, value: impl ToString) -> Self {
        let value = value.to_string();
        self.arguments.push(Argument {
            name,
            keyword,
            value,
        });
        self
    }

    fn arg(self, name: &'static str, value: impl ToString) -> Self {
        self.push(name, false, value)
    }

    fn key(self, name: &'static str, value: impl ToString) -> Self {
        self.push(name, true, value)
    }

    /// A keyword argument unless it has its default.
    fn unless<T: ToString + PartialEq>(self, default: T, name: &'static str, value: T) -> Self {
        if value == default {
            self
        } else {
            self.key(name, value)
        }
    }

    fn flag(self, default: bool, name: &'static str, value: bool) -> Self {
        self.unless(python(default), name, python(value))
    }

    fn eps(self, default: f64, value: f64) -> Self {
        self.unless(number(default), "eps", number(value))
    }

    /// A tensor with the same layout here and there.
    fn same(self, torch: &str, ours: &str) -> Self {
        self.source(torch, ours, false)
    }

    /// A matrix, `[in, out]` here and `[out, in]` there.
    fn turned(self, torch: &str, ours: &str) -> Self {
        self.source(torch, ours, true)
    }

    fn source(mut self, torch: &str, ours: &str, transposed: bool) -> Self {
        self.tensors.push(Source {
            torch: torch.to_owned(),
            ours: ours.to_owned(),
            transposed,
        });
        self
    }

    fn weight(self) -> Self {
        self.same("weight", "weight")
    }

    fn affine(self) -> Self {
        self.weight().same("bias", "bias")
    }

    /// A linear map inside a module of our own.
    fn linear(self, torch: &str, ours: &str, bias: bool) -> Self {
        let dotted = |name: &str, of: &str| {
            if of.is_empty() {
                name.to_owned()
            } else {
                format!("{of}.{name}")
            }
        };
        let call = self.turned(&dotted("weight", torch), &dotted("weight", ours));
        if bias {
            call.same(&dotted("bias", torch), &dotted("bias", ours))
        } else {
            call
        }
    }
}

fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn number(value: f64) -> String {
    format!("{value:?}")
}

fn tuple(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    match sizes.len() {
        1 => format!("({},)", sizes[0]),
        _ => format!("({})", sizes.join(", ")),
    }
}

fn one(call: Call) -> Option<Piece> {
    Some(Piece::Modules(vec![call]))
}

fn all(calls: Vec<Call>) -> Option<Piece> {
    Some(Piece::Modules(calls))
}

/// What a layer is in PyTorch; nothing where nobody has written it down yet.
pub(super) fn piece(site: &Site<'_>) -> Option<Piece> {
    fully_connected(site)
        .or_else(|| convolution(site))
        .or_else(|| block(site))
        .or_else(|| activation(site))
        .or_else(|| gate(site))
        .or_else(|| pooling(site))
        .or_else(|| features::normalisation(site))
        .or_else(|| features::stochastic(site))
        .or_else(|| features::embedding(site))
        .or_else(|| features::attention(site))
        .or_else(|| features::recurrent(site))
        .or_else(|| features::shape(site))
        .or_else(|| features::resize(site))
        .or_else(|| features::merge(site))
}

fn linear(inputs: usize, out: usize, bias: bool) -> Call {
    Call::new("nn.Linear")
        .arg("in_features", inputs)
        .arg("out_features", out)
        .flag(true, "bias", bias)
}

fn fully_connected(site: &Site<'_>) -> Option<Piece> {
    let features = site.channels();
    let out = site.output.features().unwrap_or(1);
    match site.name() {
        "linear" => {
            let bias = site.flag("bias");
            one(linear(features, out, bias).linear("", "", bias))
        }
        "low_rank_linear" => {
            let (rank, bias) = (site.int("rank"), site.flag("bias"));
            let down = linear(features, rank, false).linear("", "down", false);
            all(vec![down, linear(rank, out, bias).linear("", "up", bias)])
        }
        "mixture_of_experts" => one(Call::new("MixtureOfExperts")
            .arg("in_features", features)
            .arg("out_features", out)
            .arg("experts", site.int("experts"))
            .linear("gate", "gate", true)
            .linear("experts", "experts", true)),
        "maxout" => one(Call::new("Maxout")
            .arg("in_features", features)
            .arg("out_features", out)
            .arg("pieces", site.int("pieces"))
            .linear("linear", "", true)),
        "highway" => one(Call::new("Highway")
            .arg("features", features)
            .linear("linear", "", true)
            .linear("gate", "gate", true)),
        "bilinear" => {
            let call = Call::new("nn.Bilinear")
                .arg("in1_features", features)
                .arg("in2_features", site.inputs[1].features()?)
                .arg("out_features", out)
                .flag(true, "bias", site.flag("bias"))
                .weight();
            one(if site.flag("bias") {
                call.same("bias", "bias")
            } else {
                call
            })
        }
        "identity" => Some(Piece::Expression("{0}".to_owned())),
        _ => None,
    }
}

/// A convolution, with a padding layer before it where the two sides differ.
struct Convolution {
    class: &'static str,
    rank: usize,
    channels: usize,
    out: usize,
    kernel: usize,
    stride: usize,
    padding: (usize, usize),
    dilation: usize,
    groups: usize,
    bias: bool,
    prefix: &'static str,
    eps: Option<f64>,
}

impl Convolution {
    /// One that sees single positions.
    fn pointwise(rank: usize, channels: usize, out: usize, bias: bool) -> Self {
        Self {
            class: "nn.Conv",
            rank,
            channels,
            out,
            kernel: 1,
            stride: 1,
            padding: (0, 0),
            dilation: 1,
            groups: 1,
            bias,
            prefix: "",
            eps: None,
        }
    }

    fn calls(self) -> Vec<Call> {
        let (low, high) = self.padding;
        let mut calls = Vec::new();
        if low != high {
            let pads = [low, high].repeat(self.rank);
            calls.push(padding_of("nn.ConstantPad", self.rank, &pads).key("value", "0.0"));
        }
        let class = match self.class {
            "StandardisedConv2d" => self.class.to_owned(),
            class => format!("{class}{}d", self.rank),
        };
        let call = Call::new(class)
            .arg("in_channels", self.channels)
            .arg("out_channels", self.out)
            .arg("kernel_size", self.kernel)
            .unless(1, "stride", self.stride)
            .unless(0, "padding", if low == high { low } else { 0 })
            .unless(1, "dilation", self.dilation)
            .unless(1, "groups", self.groups)
            .flag(true, "bias", self.bias)
            .eps(1e-5, self.eps.unwrap_or(1e-5))
            .same("weight", &format!("{}weight", self.prefix));
        calls.push(if self.bias {
            call.same("bias", &format!("{}bias", self.prefix))
        } else {
            call
        });
        calls
    }
}

fn padding_of(class: &str, rank: usize, pads: &[usize]) -> Call {
    Call::new(format!("{class}{rank}d")).arg("padding", tuple(pads))
}

fn convolution(site: &Site<'_>) -> Option<Piece> {
    let name = site.name();
    let is = |stem: &str| name.strip_prefix(stem).is_some_and(|rest| rest.len() == 2);
    let (rank, channels) = (site.grid().len(), site.channels());
    let out = site.output.features()?;
    let plain = Convolution::pointwise(rank, channels, out, true);
    let bias = |site: &Site<'_>| site.flag("bias");
    let window = |base: Convolution| {
        let (kernel, dilation) = (site.int("kernel"), site.int("dilation"));
        Convolution {
            kernel,
            dilation,
            stride: site.int("stride"),
            padding: site.padding(kernel, dilation),
            bias: bias(site),
            ..base
        }
    };
    let convolution = match name {
        "pointwise_conv" => Convolution {
            bias: bias(site),
            ..plain
        },
        "causal_conv1d" => {
            let (kernel, dilation) = (site.int("kernel"), site.int("dilation"));
            Convolution {
                kernel,
                dilation,
                stride: site.int("stride"),
                padding: (dilation * (kernel - 1), 0),
                groups: site.int("groups"),
                bias: bias(site),
                ..plain
            }
        }
        "ws_conv2d" => Convolution {
            class: "StandardisedConv2d",
            groups: site.int("groups"),
            eps: Some(site.float("eps")),
            ..window(plain)
        },
        _ if is("conv") => Convolution {
            groups: site.int("groups"),
            ..window(plain)
        },
        _ if is("depthwise_conv") => Convolution {
            groups: channels,
            ..window(plain)
        },
        _ if is("separable_conv") => return separable(site, window(plain)),
        _ if is("conv_transpose") => return transposed(site),
        "patch_embedding" => return patches(site),
        _ => return None,
    };
    all(convolution.calls())
}

fn separable(site: &Site<'_>, window: Convolution) -> Option<Piece> {
    let (channels, out, bias) = (window.channels, window.out, window.bias);
    let pointwise = Convolution::pointwise(window.rank, channels, out, bias);
    let depthwise = Convolution {
        out: channels,
        groups: site.channels(),
        bias: false,
        prefix: "depthwise.",
        ..window
    };
    let mut calls = depthwise.calls();
    calls.extend(
        Convolution {
            prefix: "pointwise.",
            ..pointwise
        }
        .calls(),
    );
    all(calls)
}

fn transposed(site: &Site<'_>) -> Option<Piece> {
    let whole = |name: &str| match site.value(name) {
        Value::Int(value) => value,
        _ => 0,
    };
    let call = Call::new(format!("nn.ConvTranspose{}d", site.grid().len()))
        .arg("in_channels", site.channels())
        .arg("out_channels", site.int("out"))
        .arg("kernel_size", site.int("kernel"))
        .unless(1, "stride", site.int("stride"))
        .unless(0, "padding", whole("padding"))
        .unless(0, "output_padding", whole("output_padding"))
        .unless(1, "groups", site.int("groups"))
        .flag(true, "bias", site.flag("bias"))
        .unless(1, "dilation", site.int("dilation"))
        .weight();
    one(if site.flag("bias") {
        call.same("bias", "bias")
    } else {
        call
    })
}

fn patches(site: &Site<'_>) -> Option<Piece> {
    let (patch, rank, bias) = (site.int("patch"), site.grid().len(), site.flag("bias"));
    let conv = Convolution {
        kernel: patch,
        stride: patch,
        ..Convolution::pointwise(rank, site.channels(), site.int("out"), bias)
    };
    let mut calls = conv.calls();
    calls.extend(to_sequence());
    all(calls)
}

/// A grid of channels as a sequence of positions.
fn to_sequence() -> [Call; 2] {
    [
        Call::new("nn.Flatten").arg("start_dim", 2),
        Call::new("Transpose").arg("first", 1).arg("second", 2),
    ]
}

fn block(site: &Site<'_>) -> Option<Piece> {
    let channels = site.channels();
    let (inside, groups, act, numbers): (_, _, _, &[usize]) = match site.name() {
        "bottleneck" => {
            let inside = (site.int("out") / site.int("reduction")).max(1);
            (inside, 1, "nn.ReLU", &[1, 2, 3])
        }
        "inverted_bottleneck" => {
            let inside = channels * site.int("expand");
            let numbers: &[usize] = if site.int("expand") == 1 {
                &[2, 3]
            } else {
                &[1, 2, 3]
            };
            (inside, inside, "nn.ReLU6", numbers)
        }
        _ => return None,
    };
    let mut calls = Vec::new();
    for &number in numbers {
        let stage = stage(site, number, (channels, inside, groups));
        calls.extend(stage);
        if number < 3 {
            calls.push(Call::new(act));
        }
    }
    all(calls)
}

/// One convolution of a block and its normalisation.
fn stage(site: &Site<'_>, number: usize, widths: (usize, usize, usize)) -> Vec<Call> {
    let (channels, inside, groups) = widths;
    let (prefix, norm) = [("conv1.", "bn1"), ("conv2.", "bn2"), ("conv3.", "bn3")][number - 1];
    let plain = Convolution::pointwise(2, inside, inside, false);
    let kernel = site.int("kernel");
    let conv = match number {
        1 => Convolution {
            channels,
            prefix,
            ..plain
        },
        2 => Convolution {
            kernel,
            stride: site.int("stride"),
            padding: ((kernel - 1) / 2, (kernel - 1) - (kernel - 1) / 2),
            groups,
            prefix,
            ..plain
        },
        _ => Convolution {
            out: site.int("out"),
            prefix,
            ..plain
        },
    };
    let out = conv.out;
    let mut calls = conv.calls();
    let mut call = Call::new("nn.BatchNorm2d").arg("num_features", out);
    for tensor in ["weight", "bias", "running_mean", "running_var"] {
        call = call.same(tensor, &format!("{norm}.{tensor}"));
    }
    calls.push(call);
    calls
}

fn activation(site: &Site<'_>) -> Option<Piece> {
    let with = |class: &str, names: &[(&'static str, &str)]| {
        names
            .iter()
            .fold(Call::new(class), |call, (keyword, ours)| {
                call.key(keyword, number(site.float(ours)))
            })
    };
    one(match site.name() {
        "relu" => Call::new("nn.ReLU"),
        "relu6" => Call::new("nn.ReLU6"),
        "squared_relu" => return all(vec![Call::new("nn.ReLU"), Call::new("Square")]),
        "leaky_relu" => with("nn.LeakyReLU", &[("negative_slope", "slope")]),
        "prelu" => Call::new("nn.PReLU").weight(),
        "rrelu" => with("nn.RReLU", &[("lower", "lower"), ("upper", "upper")]),
        "elu" => with("nn.ELU", &[("alpha", "alpha")]),
        "celu" => with("nn.CELU", &[("alpha", "alpha")]),
        "selu" => Call::new("nn.SELU"),
        "gelu" if site.is("approximate", "tanh") => {
            Call::new("nn.GELU").key("approximate", "\"tanh\"")
        }
        "gelu" => Call::new("nn.GELU"),
        "silu" => Call::new("nn.SiLU"),
        "hard_swish" => Call::new("nn.Hardswish"),
        "mish" => Call::new("nn.Mish"),
        "sigmoid" => Call::new("nn.Sigmoid"),
        "hard_sigmoid" => Call::new("nn.Hardsigmoid"),
        "log_sigmoid" => Call::new("nn.LogSigmoid"),
        "tanh" => Call::new("nn.Tanh"),
        "hardtanh" => with("nn.Hardtanh", &[("min_val", "min"), ("max_val", "max")]),
        "softplus" => with("nn.Softplus", &[("beta", "beta")]),
        "softsign" => Call::new("nn.Softsign"),
        "softshrink" => with("nn.Softshrink", &[("lambd", "lambda")]),
        "hardshrink" => with("nn.Hardshrink", &[("lambd", "lambda")]),
        "tanhshrink" => Call::new("nn.Tanhshrink"),
        "threshold" => with(
            "nn.Threshold",
            &[("threshold", "threshold"), ("value", "value")],
        ),
        "sine" => with("Sine", &[("frequency", "frequency")]),
        "step" => Call::new("Step"),
        _ => return None,
    })
}

fn gate(site: &Site<'_>) -> Option<Piece> {
    let class = match site.name() {
        "glu" => "nn.GLU",
        "reglu" => "ReGLU",
        "geglu" => "GeGLU",
        "swiglu" => "SwiGLU",
        "softmax" => "nn.Softmax",
        "softmin" => "nn.Softmin",
        "log_softmax" => "nn.LogSoftmax",
        "gaussian_sample" => "GaussianSample",
        _ => return None,
    };
    one(Call::new(class).key("dim", site.feature_dim()))
}

fn pooling(site: &Site<'_>) -> Option<Piece> {
    let name = site.name();
    if let Some(call) = windows(site) {
        return call;
    }
    let rank = site.grid().len();
    let adaptive = |class: &str| {
        let class = format!("nn.{class}{rank}d");
        one(Call::new(class).arg("output_size", site.int("size")))
    };
    let global = |class: &str, over_time: &str| {
        if site.is_sequence() {
            return one(Call::new(over_time));
        }
        let pool = Call::new(format!("nn.{class}{rank}d")).arg("output_size", 1);
        all(vec![pool, Call::new("nn.Flatten")])
    };
    match name {
        _ if name.starts_with("adaptive_avg_pool") => adaptive("AdaptiveAvgPool"),
        _ if name.starts_with("adaptive_max_pool") => adaptive("AdaptiveMaxPool"),
        "global_avg_pool" => global("AdaptiveAvgPool", "MeanOverTime"),
        "global_max_pool" => global("AdaptiveMaxPool", "MaxOverTime"),
        "attention_pool" => {
            let pool = Call::new("AttentionPool")
                .arg("features", site.channels())
                .weight();
            let mut calls = Vec::new();
            if !site.is_sequence() {
                calls.extend(to_sequence());
            }
            calls.push(pool);
            all(calls)
        }
        _ => None,
    }
}

/// Pools that slide; nothing for other layers.
fn windows(site: &Site<'_>) -> Option<Option<Piece>> {
    let name = site.name();
    let rank = site.grid().len();
    let call = |class: &str| {
        Call::new(format!("{class}{rank}d"))
            .arg("kernel_size", site.int("kernel"))
            .unless(site.int("kernel"), "stride", site.int("stride"))
    };
    if name.starts_with("lp_pool") {
        let pool = Call::new(format!("nn.LPPool{rank}d"))
            .arg("norm_type", site.int("p"))
            .arg("kernel_size", site.int("kernel"))
            .key("stride", site.int("stride"));
        return Some(all(vec![Call::new("Abs"), pool]));
    }
    let (is_max, is_avg) = (name.starts_with("max_pool"), name.starts_with("avg_pool"));
    if !is_max && !is_avg {
        return None;
    }
    let kernel = site.int("kernel");
    let (low, high) = site.padding(kernel, 1);
    // PyTorch wants what it pools over volumes to be as large as the window before it pads it.
    let fits = rank < 3 || low == 0 || site.grid().iter().all(|&size| size >= kernel);
    let even = low == high && 2 * low <= kernel && fits;
    let pads = [low, high].repeat(rank);
    Some(match (is_max, even) {
        (true, true) => one(call("nn.MaxPool").unless(0, "padding", low)),
        (true, false) => {
            let pad = padding_of("nn.ConstantPad", rank, &pads);
            all(vec![
                pad.key("value", "float(\"-inf\")"),
                call("nn.MaxPool"),
            ])
        }
        (false, true) => one(call("nn.AvgPool").unless(0, "padding", low).flag(
            true,
            "count_include_pad",
            site.flag("count_include_pad"),
        )),
        (false, false) => one(Call::new("AvgPool")
            .arg("rank", rank)
            .arg("kernel", kernel)
            .arg("stride", site.int("stride"))
            .arg("padding", tuple(&[low, high]))
            .flag(true, "count_include_pad", site.flag("count_include_pad"))),
    })
}
