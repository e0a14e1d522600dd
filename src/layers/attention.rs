//! Attention between the positions of sequences.

use super::convolution::channels;
use super::embedding::{rotate, rotation, sequence};
use super::forward::{Activation, constant, one, two};
use super::fully_connected::linear_parameters;
use super::{
    ArgType, Argument, Arguments, Arity, Category, Default, Description, Forward, Init, LayerKind,
    Parameter, ParameterSpec, Shape, ShapeError,
};
use crate::kernels::{self, Operation};
use burn::tensor::{Tensor, activation, module};

const MAX_HEADS: i64 = 256;

const ROTARY_BASE: f64 = 10_000.0;

const BIAS: Argument = Argument::bool(
    "bias",
    true,
    "whether the linear maps add learned constants",
);

/// `self_attention`: each position gathers from all positions.
pub struct SelfAttention;

static SELF_ATTENTION: Description = Description {
    name: "self_attention",
    category: Category::Attention,
    torch: "torch.nn.MultiheadAttention(features, heads, batch_first=True) of (x, x, x)",
    summary: "each position gathers from all, weighed by how well its query agrees with their keys, in \
              several heads; fewer key and value heads than query heads are shared between them",
    equation: "y = concat over heads of softmax(q k^T / sqrt(d)) v, times W_o; [q, k, v] = x W + b, d features \
               a head",
    source: "Vaswani et al., Attention is all you need, 2017; groups: Ainslie et al., GQA, 2023",
    accepts: &["sequence"],
    arguments: &[
        Argument::int(
            "heads",
            MAX_HEADS,
            1,
            "query heads, which must divide the features",
        ),
        Argument {
            name: "kv_heads",
            ty: ArgType::Int {
                min: 1,
                max: MAX_HEADS,
            },
            default: Default::SameAs("heads"),
            doc: "key and value heads, which must divide `heads`; 1 is multi-query attention",
        },
        Argument::bool(
            "causal",
            false,
            "whether a position sees only itself and what comes before",
        ),
        Argument::bool(
            "rotary",
            false,
            "whether queries and keys are rotated by their position (base 10000)",
        ),
        BIAS,
    ],
    ..Description::PLAIN
};

impl LayerKind for SelfAttention {
    fn describe(&self) -> &'static Description {
        &SELF_ATTENTION
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let (heads, kv_heads) = (arguments.int(0), arguments.int(1));
        let each = features_of_a_head("self_attention", heads, channels(inputs))?;
        if heads % kv_heads != 0 {
            return Err(ShapeError(format!(
                "self_attention's {kv_heads} kv_heads don't divide its {heads} heads evenly; use a divisor"
            )));
        }
        if arguments.bool(3) && each % 2 != 0 {
            return Err(ShapeError(format!(
                "self_attention's rotary positions need an even number of features for each head, not \
                 {each}; use fewer heads or more features"
            )));
        }
        Ok(input)
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let features = channels(inputs);
        let projected = features + 2 * kv_features(arguments, features);
        let start = Init::xavier(features, projected);
        let mut specs = vec![ParameterSpec::new(
            "in_proj.weight",
            [features, projected],
            start,
        )];
        if arguments.bool(4) {
            let zero = Init::Constant(0.0);
            specs.push(ParameterSpec::new("in_proj.bias", [projected], zero));
        }
        specs.extend(output_projection(features, arguments.bool(4)));
        specs
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], _output: Shape) -> u64 {
        let (length, features) = sequence(inputs[0]);
        let projections = 2 * features + 2 * kv_features(arguments, features);
        (length * features * (projections + 2 * length)) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = one(inputs).sequence();
        let [_, _, features] = x.dims();
        let (heads, kv_heads) = (arguments.int(0), arguments.int(1));
        let narrow = kv_features(arguments, features);
        let (weight, bias, out, out_bias) = projections(context.parameters, arguments.bool(4));
        let all = module::linear(x, weight, bias);
        let mut query = in_heads(all.clone().narrow(2, 0, features), heads);
        let mut key = in_heads(all.clone().narrow(2, features, narrow), kv_heads);
        let value = in_heads(all.narrow(2, features + narrow, narrow), kv_heads);
        if arguments.bool(3) {
            (query, key) = (rotate(query, ROTARY_BASE), rotate(key, ROTARY_BASE));
        }
        let (key, value) = (shared(key, heads), shared(value, heads));
        let y = attend(query, key, value, arguments.bool(2));
        Activation::Sequence(module::linear(y, out, out_bias))
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let (length, features) = sequence(inputs[0]);
        let heads = arguments.int(0);
        let rotation = arguments
            .bool(3)
            .then(|| rotation(length, features / heads, ROTARY_BASE));
        Some(Box::new(kernels::SelfAttention::new(kernels::Heads {
            length,
            features,
            heads,
            kv_heads: arguments.int(1),
            causal: arguments.bool(2),
            biased: arguments.bool(4),
            rotation,
        })))
    }
}

fn features_of_a_head(layer: &str, heads: usize, features: usize) -> Result<usize, ShapeError> {
    if !features.is_multiple_of(heads) {
        return Err(ShapeError(format!(
            "{layer}'s {heads} heads don't divide {features} features evenly; use a divisor"
        )));
    }
    Ok(features / heads)
}

/// Features of all keys together.
fn kv_features(arguments: &Arguments, features: usize) -> usize {
    features / arguments.int(0) * arguments.int(1)
}

fn output_projection(features: usize, bias: bool) -> Vec<ParameterSpec> {
    let mut specs = linear_parameters(["out_proj.weight", ""], features, features, false);
    if bias {
        let zero = Init::Constant(0.0);
        specs.push(ParameterSpec::new("out_proj.bias", [features], zero));
    }
    specs
}

type Projections = (Tensor<2>, Option<Tensor<1>>, Tensor<2>, Option<Tensor<1>>);

/// Weight and bias of the way in, weight and bias of the way out.
fn projections(parameters: &[Parameter], bias: bool) -> Projections {
    if bias {
        let [w, b, out, out_bias] = parameters else {
            unreachable!("the specification has four parameters")
        };
        (
            w.matrix(),
            Some(b.vector()),
            out.matrix(),
            Some(out_bias.vector()),
        )
    } else {
        (parameters[0].matrix(), None, parameters[1].matrix(), None)
    }
}

/// `[batch, length, heads * d]` as `[batch, heads, length, d]`.
fn in_heads(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, length, features] = x.dims();
    x.reshape([batch, length, heads, features / heads])
        .swap_dims(1, 2)
}

/// Each key (value) head repeated for the query heads that share it.
fn shared(x: Tensor<4>, heads: usize) -> Tensor<4> {
    let [batch, kv_heads, length, each] = x.dims();
    if kv_heads == heads {
        return x;
    }
    let times = heads / kv_heads;
    x.reshape([batch, kv_heads, 1, length, each])
        .expand([batch, kv_heads, times, length, each])
        .reshape([batch, heads, length, each])
}

/// Gathered values as `[batch, length, heads * d]`.
fn attend(query: Tensor<4>, key: Tensor<4>, value: Tensor<4>, causal: bool) -> Tensor<3> {
    let [batch, heads, length, each] = query.dims();
    let scale = 1.0 / libm::sqrt(each as f64);
    let mut scores = (query * scale).matmul(key.swap_dims(2, 3));
    if causal {
        let later = |index: usize| index % length > index / length;
        let mask = |index| if later(index) { f64::NEG_INFINITY } else { 0.0 };
        let mask = (0..length * length).map(mask).collect();
        scores = scores.clone() + constant(mask, [1, 1, length, length], &scores);
    }
    activation::softmax(scores, 3)
        .matmul(value)
        .swap_dims(1, 2)
        .reshape([batch, length, heads * each])
}

/// `cross_attention`: the positions of one sequence gather from another's.
pub struct CrossAttention;

static CROSS_ATTENTION: Description = Description {
    name: "cross_attention",
    category: Category::Attention,
    torch: "torch.nn.MultiheadAttention(features, heads, kdim=f, vdim=f, batch_first=True) of (x1, x2, x2)",
    summary: "each position of the first sequence gathers from all positions of the second",
    equation: "y = concat over heads of softmax(q k^T / sqrt(d)) v, times W_o; q = x1 W_q + b_q, k = x2 W_k + b_k, \
               v = x2 W_v + b_v",
    source: "Vaswani et al., Attention is all you need, 2017",
    arity: Arity::Two,
    accepts: &["sequence"],
    arguments: &[
        Argument::int(
            "heads",
            MAX_HEADS,
            1,
            "heads, which must divide the first sequence's features",
        ),
        BIAS,
    ],
    ..Description::PLAIN
};

impl LayerKind for CrossAttention {
    fn describe(&self) -> &'static Description {
        &CROSS_ATTENTION
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let first = self.describe().accept(inputs[0])?;
        self.describe().accept(inputs[1])?;
        features_of_a_head("cross_attention", arguments.int(0), channels(inputs))?;
        Ok(first)
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let (features, others) = (channels(inputs), channels(&inputs[1..]));
        let projection = |name, from: usize| {
            ParameterSpec::new(name, [from, features], Init::xavier(from, features))
        };
        let mut specs = vec![
            projection("q_proj.weight", features),
            projection("k_proj.weight", others),
            projection("v_proj.weight", others),
        ];
        if arguments.bool(1) {
            let zero = Init::Constant(0.0);
            specs.push(ParameterSpec::new("in_proj.bias", [3 * features], zero));
        }
        specs.extend(output_projection(features, arguments.bool(1)));
        specs
    }

    fn macs(&self, _arguments: &Arguments, inputs: &[Shape], _output: Shape) -> u64 {
        let (length, features) = sequence(inputs[0]);
        let (memory, others) = sequence(inputs[1]);
        let projections = 2 * length * features + 2 * memory * others;
        (features * (projections + 2 * length * memory)) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (x1, x2) = two(inputs);
        let (x1, x2) = (x1.sequence(), x2.sequence());
        let (features, heads) = (x1.dims()[2], arguments.int(0));
        let parameters = context.parameters;
        let bias = |index: usize| {
            let all = arguments.bool(1).then(|| parameters[3].vector())?;
            Some(all.narrow(0, index * features, features))
        };
        let project = |x: Tensor<3>, index: usize| {
            let weight = parameters[index].matrix();
            in_heads(module::linear(x, weight, bias(index)), heads)
        };
        let (query, key) = (project(x1, 0), project(x2.clone(), 1));
        let y = attend(query, key, project(x2, 2), false);
        let out_bias = arguments.bool(1).then(|| parameters[5].vector());
        let out = parameters[if arguments.bool(1) { 4 } else { 3 }].matrix();
        Activation::Sequence(module::linear(y, out, out_bias))
    }
}
