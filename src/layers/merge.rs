//! Several tensors into one.

use super::description::ROWS;
use super::forward::{Activation, map_activation, two};
use super::{
    Argument, Arguments, Arity, Category, Description, Forward, Init, LayerKind, ParameterSpec,
    Shape, ShapeError,
};
use crate::kernels::{Concatenate, Operation, Sum};
use burn::tensor::{Tensor, activation};

/// The same expression for two tensors of whatever rank, which is the same for both.
macro_rules! both {
    ($left:expr, $right:expr, $a:ident, $b:ident => $body:expr) => {
        match ($left, $right) {
            (Activation::Vector($a), Activation::Vector($b)) => Activation::Vector($body),
            (Activation::Signal($a), Activation::Signal($b)) => Activation::Signal($body),
            (Activation::Sequence($a), Activation::Sequence($b)) => Activation::Sequence($body),
            (Activation::Image($a), Activation::Image($b)) => Activation::Image($body),
            (Activation::Volume($a), Activation::Volume($b)) => Activation::Volume($body),
            _ => unreachable!("the shape rule lets only equal shapes here"),
        }
    };
}

/// A merge of equal shapes, element by element, from left to right.
macro_rules! element_wise_merge {
    ($(#[$doc:meta])* $kind:ident, $name:literal, $torch:literal, $summary:literal, $equation:literal,
     $source:literal, |$a:ident, $b:ident| $body:expr $(, $operation:expr)?) => {
        $(#[$doc])*
        pub struct $kind;

        impl LayerKind for $kind {
            fn describe(&self) -> &'static Description {
                static DESCRIPTION: Description = Description {
                    name: $name,
                    category: Category::Merge,
                    torch: $torch,
                    summary: $summary,
                    equation: $equation,
                    source: $source,
                    arity: Arity::Many,
                    ..Description::PLAIN
                };
                &DESCRIPTION
            }

            fn forward(
                &self,
                _arguments: &Arguments,
                _context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                let pair = |left: Activation, right: Activation| both!(left, right, $a, $b => $body);
                inputs.into_iter().reduce(pair).expect("a merge has an input")
            }

            $(
                fn operation(&self, _: &Arguments, _: &[Shape]) -> Option<Box<dyn Operation>> {
                    Some(Box::new($operation))
                }
            )?
        }
    };
}

element_wise_merge!(
    /// `add`: the sum.
    Add, "add", "sum of tensors", "the sum of equal shapes", "y = x1 + x2 + ...",
    "He et al., Deep residual learning, 2016", |a, b| a + b, Sum
);
element_wise_merge!(
    /// `mul`: the product.
    Mul, "mul", "product of tensors", "the product of equal shapes, value by value",
    "y = x1 * x2 * ...", "Srivastava et al., Highway networks, 2015", |a, b| a * b
);
element_wise_merge!(
    /// `max`: the largest.
    Max, "max", "torch.maximum", "the largest of equal shapes, value by value",
    "y = max(x1, x2, ...)", "Goodfellow et al., Maxout networks, 2013", |a, b| a.max_pair(b)
);

/// `concat`: channels, or features, one after another.
pub struct Concat;

static CONCAT: Description = Description {
    name: "concat",
    category: Category::Merge,
    torch: "torch.cat along channels (dim=1), along features for sequences (dim=2)",
    summary: "channels one after another; everything but channels (features) must agree",
    equation: "y = [x1; x2; ...]",
    source: "Szegedy et al., Going deeper with convolutions, 2015",
    arity: Arity::Many,
    ..Description::PLAIN
};

impl LayerKind for Concat {
    fn describe(&self) -> &'static Description {
        &CONCAT
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let mut total = 0;
        for &input in inputs {
            total += self.describe().accept(input)?.features().unwrap_or(0);
            if input.with_features(1) != inputs[0].with_features(1) {
                return Err(ShapeError::disagree(
                    "concat",
                    "all sizes but the channels",
                    inputs[0],
                    input,
                ));
            }
        }
        Ok(inputs[0].with_features(total))
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        match inputs.first().expect("a merge has an input") {
            Activation::Vector(_) => Activation::Vector(Tensor::cat(vectors(inputs), 1)),
            Activation::Signal(_) => Activation::Signal(Tensor::cat(threes(inputs), 1)),
            Activation::Sequence(_) => Activation::Sequence(Tensor::cat(threes(inputs), 2)),
            Activation::Image(_) => {
                let images = inputs.into_iter().map(Activation::image).collect();
                Activation::Image(Tensor::cat(images, 1))
            }
            Activation::Volume(_) => {
                let volumes = inputs.into_iter().map(|input| match input {
                    Activation::Volume(x) => x,
                    _ => unreachable!("the shape rule lets only one kind of shape here"),
                });
                Activation::Volume(Tensor::cat(volumes.collect(), 1))
            }
            Activation::Tokens(_) => unreachable!("the shape rule refuses tokens"),
        }
    }

    fn operation(&self, _: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let channels = inputs.iter().map(|input| input.features());
        Some(Box::new(Concatenate {
            channels: channels.collect::<Option<_>>()?,
        }))
    }
}

/// `mean`: the average.
pub struct Mean;

static MEAN: Description = Description {
    name: "mean",
    category: Category::Merge,
    torch: "torch.stack(tensors).mean(0)",
    summary: "the average of equal shapes, value by value",
    equation: "y = (x1 + x2 + ...) / n",
    source: "",
    arity: Arity::Many,
    ..Description::PLAIN
};

impl LayerKind for Mean {
    fn describe(&self) -> &'static Description {
        &MEAN
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let number = inputs.len() as f64;
        map_activation!(Add.forward(arguments, context, inputs), x => x / number)
    }
}

/// `gated_sum`: a sum with learned shares.
pub struct GatedSum;

static GATED_SUM: Description = Description {
    name: "gated_sum",
    category: Category::Merge,
    torch: "(torch.softmax(w, 0)[:, None, None] * torch.stack(tensors)).sum(0)",
    summary: "a sum of equal shapes, each with a learned share; the shares are positive and sum to one",
    equation: "y = s[1] x1 + s[2] x2 + ..., s = softmax(w), w of [n]",
    source: "Liu et al., DARTS, 2019",
    arity: Arity::Many,
    ..Description::PLAIN
};

impl LayerKind for GatedSum {
    fn describe(&self) -> &'static Description {
        &GATED_SUM
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let zero = Init::Constant(0.0);
        vec![ParameterSpec::new("weight", [inputs.len()], zero)]
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let shares = activation::softmax(context.parameters[0].vector(), 0);
        let weighed = inputs.into_iter().enumerate().map(|(index, input)| {
            let share = shares.clone().narrow(0, index, 1);
            map_activation!(input, x => {
                let ones = x.dims().map(|_| 1);
                x * share.reshape(ones)
            })
        });
        let weighed = weighed.collect();
        Add.forward(arguments, context, weighed)
    }
}

/// `cosine_similarity`: how far two vectors point the same way.
pub struct CosineSimilarity;

static COSINE_SIMILARITY: Description = Description {
    name: "cosine_similarity",
    category: Category::Merge,
    torch: "torch.nn.CosineSimilarity over features, the dimension kept",
    summary: "how far two vectors, or the places of two sequences, point the same way: one value",
    equation: "y = x1 . x2 / (max(|x1|, eps) max(|x2|, eps))",
    source: "",
    arity: Arity::Two,
    accepts: ROWS,
    arguments: &[Argument::float(
        "eps",
        (1e-12, 1.0),
        1e-8,
        "the least length that counts",
    )],
    ..Description::PLAIN
};

impl LayerKind for CosineSimilarity {
    fn describe(&self) -> &'static Description {
        &COSINE_SIMILARITY
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(self.describe().accept_alike(inputs)?.with_features(1))
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (x1, x2) = two(inputs);
        let least = arguments.float(0) * arguments.float(0);
        both!(x1, x2, a, b => {
            let last = a.dims().len() - 1;
            // The least is put under the root, where a zero vector has a slope.
            let length = |x| squares(x, last).clamp_min(least).sqrt();
            let product = (a.clone() * b.clone()).sum_dim(last);
            product / (length(a) * length(b))
        })
    }
}

fn squares<const D: usize>(x: Tensor<D>, dimension: usize) -> Tensor<D> {
    x.square().sum_dim(dimension)
}

/// `pairwise_distance`: how far apart two vectors are.
pub struct PairwiseDistance;

static PAIRWISE_DISTANCE: Description = Description {
    name: "pairwise_distance",
    category: Category::Merge,
    torch: "torch.nn.PairwiseDistance(p=2, keepdim=True) over features",
    summary: "how far apart two vectors, or the places of two sequences, are: one value",
    equation: "y = sqrt(sum over k of (x1[k] - x2[k] + eps)^2)",
    source: "",
    arity: Arity::Two,
    accepts: ROWS,
    arguments: &[Argument::float(
        "eps",
        (1e-12, 1.0),
        1e-6,
        "added to each difference, so that equal vectors have a gradient",
    )],
    ..Description::PLAIN
};

impl LayerKind for PairwiseDistance {
    fn describe(&self) -> &'static Description {
        &PAIRWISE_DISTANCE
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(self.describe().accept_alike(inputs)?.with_features(1))
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (x1, x2) = two(inputs);
        let eps = arguments.float(0);
        both!(x1, x2, a, b => {
            let last = a.dims().len() - 1;
            squares(a - b + eps, last).sqrt()
        })
    }
}

fn vectors(inputs: Vec<Activation>) -> Vec<Tensor<2>> {
    inputs.into_iter().map(Activation::vector).collect()
}

fn threes(inputs: Vec<Activation>) -> Vec<Tensor<3>> {
    let inner = |input| match input {
        Activation::Signal(x) | Activation::Sequence(x) => x,
        _ => unreachable!("the shape rule lets only one kind of shape here"),
    };
    inputs.into_iter().map(inner).collect()
}

#[cfg(test)]
mod tests {
    use crate::layers::{Layer, Shape, find};

    fn merged(name: &str, inputs: &[Shape]) -> Result<Shape, String> {
        Layer::plain(find(name).unwrap())
            .unwrap()
            .shape(inputs)
            .map_err(|error| error.0)
    }

    #[test]
    fn sums_of_different_shapes_are_refused_with_both_shapes() {
        let inputs = [Shape::Vector { features: 3 }, Shape::Vector { features: 4 }];
        assert_eq!(
            merged("add", &inputs).unwrap_err(),
            "add needs all sizes to agree: 3 meets 4"
        );
    }

    #[test]
    fn concat_adds_channels_and_keeps_the_rest() {
        let image = |channels| Shape::Image {
            channels,
            height: 4,
            width: 5,
        };
        assert_eq!(merged("concat", &[image(2), image(3)]), Ok(image(5)));
        let taller = Shape::Image {
            channels: 2,
            height: 5,
            width: 5,
        };
        assert!(merged("concat", &[image(2), taller]).is_err());
    }
}
