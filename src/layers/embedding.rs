//! Numbers for tokens and for positions.

use super::forward::{Activation, constant, one};
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, Init, LayerKind, ParameterSpec,
    Shape, ShapeError,
};
use crate::kernels::{self, AddToExamples, Operation};
use burn::tensor::{Tensor, module};

const OUT: Argument = Argument::required(
    "out",
    ArgType::Int {
        min: 1,
        max: 1 << 16,
    },
    "features of each token",
);

/// `embedding`: a learned vector for each token.
pub struct Embedding;

static EMBEDDING: Description = Description {
    name: "embedding",
    category: Category::Embedding,
    torch: "torch.nn.Embedding",
    summary: "a learned vector for each token of the vocabulary: tokens to a sequence",
    equation: "y[i] = W[x[i]], W of [vocabulary, out]",
    source: "Bengio et al., A neural probabilistic language model, 2003",
    accepts: &["tokens"],
    arguments: &[OUT],
    ..Description::PLAIN
};

impl LayerKind for Embedding {
    fn describe(&self) -> &'static Description {
        &EMBEDDING
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (length, _) = tokens(self.describe().accept(inputs[0])?);
        let features = arguments.int(0);
        Ok(Shape::Sequence { length, features })
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        vec![table(arguments, inputs[0])]
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let weight = context.parameters[0].matrix();
        Activation::Sequence(module::embedding(weight, one(inputs).token()))
    }

    fn operation(&self, arguments: &Arguments, _: &[Shape]) -> Option<Box<dyn Operation>> {
        let width = arguments.int(0);
        Some(Box::new(kernels::Embedding { width }))
    }
}

/// `embedding_bag`: the mean of the tokens' learned vectors.
pub struct EmbeddingBag;

static EMBEDDING_BAG: Description = Description {
    name: "embedding_bag",
    category: Category::Embedding,
    torch: "torch.nn.EmbeddingBag(mode=\"mean\")",
    summary: "the mean of the tokens' learned vectors, whatever their order: tokens to a vector",
    equation: "y = mean over i of W[x[i]], W of [vocabulary, out]",
    source: "Joulin et al., Bag of tricks for efficient text classification, 2017",
    accepts: &["tokens"],
    arguments: &[OUT],
    ..Description::PLAIN
};

impl LayerKind for EmbeddingBag {
    fn describe(&self) -> &'static Description {
        &EMBEDDING_BAG
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        self.describe().accept(inputs[0])?;
        let features = arguments.int(0);
        Ok(Shape::Vector { features })
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        vec![table(arguments, inputs[0])]
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let weight = context.parameters[0].matrix();
        let vectors = module::embedding(weight, one(inputs).token());
        Activation::Vector(vectors.mean_dim(1).squeeze_dim(1))
    }
}

fn tokens(shape: Shape) -> (usize, usize) {
    match shape {
        Shape::Tokens { length, vocabulary } => (length, vocabulary),
        other => unreachable!("the shape rule refuses {other}"),
    }
}

fn table(arguments: &Arguments, input: Shape) -> ParameterSpec {
    let (_, vocabulary) = tokens(input);
    let start = Init::Normal { std: 1.0 };
    ParameterSpec::new("weight", [vocabulary, arguments.int(0)], start)
}

/// The length and the features of a sequence.
pub(super) fn sequence(shape: Shape) -> (usize, usize) {
    match shape {
        Shape::Sequence { length, features } => (length, features),
        other => unreachable!("the shape rule refuses {other}"),
    }
}

/// `learned_positions`: a learned vector added at each position.
pub struct LearnedPositions;

static LEARNED_POSITIONS: Description = Description {
    name: "learned_positions",
    category: Category::Embedding,
    torch: "x + torch.nn.Parameter(torch.empty(length, features).normal_(std=0.02))",
    summary: "a learned vector for each position is added",
    equation: "y[i] = x[i] + W[i], W of [length, features]",
    source: "Gehring et al., Convolutional sequence to sequence learning, 2017",
    accepts: &["sequence"],
    ..Description::PLAIN
};

impl LayerKind for LearnedPositions {
    fn describe(&self) -> &'static Description {
        &LEARNED_POSITIONS
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let start = Init::Normal { std: 0.02 };
        vec![ParameterSpec::new("weight", inputs[0].dimensions(), start)]
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let positions = context.parameters[0].matrix();
        Activation::Sequence(one(inputs).sequence() + positions.unsqueeze_dim(0))
    }

    fn operation(&self, _: &Arguments, _: &[Shape]) -> Option<Box<dyn Operation>> {
        Some(Box::new(AddToExamples { constant: None }))
    }
}

const BASE: Argument = Argument::float(
    "base",
    (2.0, 1e8),
    10000.0,
    "the longest wave is 2 pi times this long",
);

/// `sinusoidal_positions`: waves of many lengths added.
pub struct SinusoidalPositions;

static SINUSOIDAL_POSITIONS: Description = Description {
    name: "sinusoidal_positions",
    category: Category::Embedding,
    torch: "x + pe, pe[:, 0::2] = torch.sin(t), pe[:, 1::2] = torch.cos(t), t = i / base ** (2 k / features)",
    summary: "sines and cosines of the position are added, from short waves to long ones",
    equation: "y[i, 2k] = x[i, 2k] + sin(i / base^(2k / d)), y[i, 2k + 1] = x[i, 2k + 1] + cos(i / base^(2k / d))",
    source: "Vaswani et al., Attention is all you need, 2017",
    accepts: &["sequence"],
    arguments: &[BASE],
    ..Description::PLAIN
};

impl LayerKind for SinusoidalPositions {
    fn describe(&self) -> &'static Description {
        &SINUSOIDAL_POSITIONS
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = one(inputs).sequence();
        let [_, length, features] = x.dims();
        let waves = waves(length, features, arguments.float(0));
        let waves = constant(waves, [1, length, features], &x);
        Activation::Sequence(x + waves)
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let (length, features) = sequence(inputs[0]);
        let waves = waves(length, features, arguments.float(0));
        let constant = waves.into_iter().map(|wave| wave as f32).collect();
        Some(Box::new(AddToExamples {
            constant: Some(constant),
        }))
    }
}

/// Sines and cosines of the position, alternating.
fn waves(length: usize, features: usize, base: f64) -> Vec<f64> {
    let value = |index: usize| {
        let (position, feature) = (index / features, index % features);
        let angle = angle(position, feature / 2, features, base);
        if feature % 2 == 0 {
            libm::sin(angle)
        } else {
            libm::cos(angle)
        }
    };
    (0..length * features).map(value).collect()
}

/// Cosines and sines of the angles by which pairs of features are rotated, position by position.
pub(super) fn rotation(length: usize, features: usize, base: f64) -> [Vec<f32>; 2] {
    let half = features / 2;
    [libm::cos as fn(f64) -> f64, libm::sin].map(|function| {
        let value =
            |index: usize| function(angle(index / half, index % half, features, base)) as f32;
        (0..length * half).map(value).collect()
    })
}

/// `position / base^(2 pair / features)`.
fn angle(position: usize, pair: usize, features: usize, base: f64) -> f64 {
    position as f64 / libm::pow(base, (2 * pair) as f64 / features as f64)
}

/// `rotary_positions`: pairs of features rotated by the position.
pub struct RotaryPositions;

static ROTARY_POSITIONS: Description = Description {
    name: "rotary_positions",
    category: Category::Embedding,
    torch: "x * cos + torch.cat([-x2, x1], dim=-1) * sin, x1 and x2 the halves of x",
    summary: "pairs of features are rotated by angles that grow with the position, so that products of \
              positions depend on their distance",
    equation: "(y[i, k], y[i, k + d/2]) = (x[i, k], x[i, k + d/2]) rotated by i / base^(2k / d)",
    source: "Su et al., RoFormer, 2021",
    accepts: &["sequence"],
    arguments: &[BASE],
    ..Description::PLAIN
};

impl LayerKind for RotaryPositions {
    fn describe(&self) -> &'static Description {
        &ROTARY_POSITIONS
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let (_, features) = sequence(input);
        if features % 2 != 0 {
            return Err(ShapeError(format!(
                "rotary_positions rotates pairs, and {features} features are odd; use an even number"
            )));
        }
        Ok(input)
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = one(inputs).sequence();
        Activation::Sequence(rotate(x.unsqueeze_dim(1), arguments.float(0)).squeeze_dim(1))
    }
}

/// Rotates the features of `[batch, heads, length, features]` by their position.
pub(super) fn rotate(x: Tensor<4>, base: f64) -> Tensor<4> {
    let [_, _, length, features] = x.dims();
    let half = features / 2;
    let of_angles = |function: fn(f64) -> f64| {
        let value = |index: usize| function(angle(index / half, index % half, features, base));
        let values = (0..length * half).map(value).collect();
        constant(values, [1, 1, length, half], &x)
    };
    let (cos, sin) = (of_angles(libm::cos), of_angles(libm::sin));
    let (x1, x2) = (x.clone().narrow(3, 0, half), x.narrow(3, half, half));
    let turned1 = x1.clone() * cos.clone() - x2.clone() * sin.clone();
    Tensor::cat(vec![turned1, x2 * cos + x1 * sin], 3)
}

/// `class_token`: one learned position in front.
pub struct ClassToken;

static CLASS_TOKEN: Description = Description {
    name: "class_token",
    category: Category::Embedding,
    torch: "torch.cat([torch.nn.Parameter(torch.zeros(1, 1, features)).expand(n, 1, -1), x], dim=1)",
    summary: "one learned position in front of the sequence, which attention can fill with a summary",
    equation: "y[0] = w, y[i + 1] = x[i]",
    source: "Devlin et al., BERT, 2019",
    accepts: &["sequence"],
    ..Description::PLAIN
};

impl LayerKind for ClassToken {
    fn describe(&self) -> &'static Description {
        &CLASS_TOKEN
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (length, features) = sequence(self.describe().accept(inputs[0])?);
        Ok(Shape::Sequence {
            length: length + 1,
            features,
        })
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let (_, features) = sequence(inputs[0]);
        vec![ParameterSpec::new(
            "weight",
            [features],
            Init::Constant(0.0),
        )]
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = one(inputs).sequence();
        let [batch, _, features] = x.dims();
        let token = context.parameters[0].vector().reshape([1, 1, features]);
        let token = token.expand([batch, 1, features]);
        Activation::Sequence(Tensor::cat(vec![token, x], 1))
    }
}
