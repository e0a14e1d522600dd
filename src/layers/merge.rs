//! Several tensors into one.

use super::activation_functions::not_tokens;
use super::forward::Activation;
use super::{Arguments, Arity, Category, Description, Forward, LayerKind, Shape, ShapeError};
use burn::tensor::Tensor;

/// A merge of equal shapes, element by element, from left to right.
macro_rules! element_wise_merge {
    ($(#[$doc:meta])* $kind:ident, $name:literal, $torch:literal, $summary:literal, $equation:literal,
     $source:literal, |$a:ident, $b:ident| $body:expr) => {
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
                    arguments: &[],
                };
                &DESCRIPTION
            }

            fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
                all_equal($name, inputs)
            }

            fn forward(
                &self,
                _arguments: &Arguments,
                _context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                let pair = |left: Activation, right: Activation| match (left, right) {
                    (Activation::Vector($a), Activation::Vector($b)) => Activation::Vector($body),
                    (Activation::Signal($a), Activation::Signal($b)) => Activation::Signal($body),
                    (Activation::Sequence($a), Activation::Sequence($b)) => Activation::Sequence($body),
                    (Activation::Image($a), Activation::Image($b)) => Activation::Image($body),
                    _ => unreachable!("the shape rule lets only equal shapes here"),
                };
                inputs.into_iter().reduce(pair).expect("a merge has an input")
            }
        }
    };
}

element_wise_merge!(
    /// `add`: the sum.
    Add, "add", "sum of tensors", "the sum of equal shapes", "y = x1 + x2 + ...",
    "He et al., Deep residual learning, 2016", |a, b| a + b
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
    arguments: &[],
};

impl LayerKind for Concat {
    fn describe(&self) -> &'static Description {
        &CONCAT
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let mut total = 0;
        for &input in inputs {
            total += not_tokens("concat", input)?.features().unwrap_or(0);
            if with_features(input, 1) != with_features(inputs[0], 1) {
                return Err(disagree(
                    "concat",
                    "all sizes but the channels",
                    inputs[0],
                    input,
                ));
            }
        }
        Ok(with_features(inputs[0], total))
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
            Activation::Tokens(_) => unreachable!("the shape rule refuses tokens"),
        }
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

fn with_features(shape: Shape, features: usize) -> Shape {
    match shape {
        Shape::Image { height, width, .. } => Shape::Image {
            channels: features,
            height,
            width,
        },
        Shape::Signal { length, .. } => Shape::Signal {
            channels: features,
            length,
        },
        Shape::Sequence { length, .. } => Shape::Sequence { length, features },
        Shape::Vector { .. } => Shape::Vector { features },
        tokens @ Shape::Tokens { .. } => tokens,
    }
}

fn all_equal(layer: &str, inputs: &[Shape]) -> Result<Shape, ShapeError> {
    let first = not_tokens(layer, inputs[0])?;
    match inputs.iter().find(|&&input| input != first) {
        Some(&other) => Err(disagree(layer, "all sizes", first, other)),
        None => Ok(first),
    }
}

fn disagree(layer: &str, what: &str, first: Shape, other: Shape) -> ShapeError {
    ShapeError(format!(
        "{layer} needs {what} to agree: {first} meets {other}"
    ))
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
