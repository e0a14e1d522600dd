//! Noise during training.

use super::activation_functions::not_tokens;
use super::forward::{Activation, map_activation};
use super::{
    Argument, Arguments, Arity, Category, Description, Forward, LayerKind, Mode, Shape, ShapeError,
};
use crate::random::Stream;
use burn::tensor::{Tensor, TensorData};

/// `dropout`: random values become zero during training.
pub struct Dropout;

static DROPOUT: Description = Description {
    name: "dropout",
    category: Category::Dropout,
    torch: "torch.nn.Dropout",
    summary: "in training each value becomes zero with probability p, the others grow by 1 / (1 - p)",
    equation: "y = x m / (1 - p), m zero with probability p; y = x at inference",
    source: "Srivastava et al., Dropout, 2014",
    arity: Arity::One,
    arguments: &[Argument::float(
        "p",
        (0.0, 1.0),
        0.5,
        "the probability of a value to be dropped",
    )],
};

impl LayerKind for Dropout {
    fn describe(&self) -> &'static Description {
        &DROPOUT
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        not_tokens("dropout", inputs[0])
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let input = inputs.into_iter().next().expect("one input");
        let (p, Mode::Training(stream)) = (arguments.float(0), &mut context.mode) else {
            return input;
        };
        if p == 0.0 {
            return input;
        }
        map_activation!(input, x => {
            let dims = x.dims();
            let mask = mask(stream, dims.iter().product(), p);
            let device = x.device();
            x * Tensor::from_data(TensorData::new(mask, dims), &device)
        })
    }
}

/// Zeros with probability `p`, and `1 / (1 - p)` elsewhere. One draw of 64 bits decides two values.
fn mask(stream: &mut Stream, length: usize, p: f64) -> Vec<f32> {
    let dropped_below = libm::round(p * (1u64 << 32) as f64) as u64;
    let kept = if p < 1.0 {
        (1.0 / (1.0 - p)) as f32
    } else {
        0.0
    };
    let value = |half: u64| if half < dropped_below { 0.0 } else { kept };
    let mut mask = Vec::with_capacity(length + 1);
    while mask.len() < length {
        let bits = stream.bits();
        mask.push(value(bits >> 32));
        mask.push(value(bits & u64::from(u32::MAX)));
    }
    mask.truncate(length);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Seed};

    #[test]
    fn the_share_of_zeros_is_p_and_the_mean_is_kept() {
        let mut stream = Seed(1).stream(0, Purpose::Dropout);
        let mask = mask(&mut stream, 99_999, 0.3);
        let zeros = mask.iter().filter(|&&value| value == 0.0).count() as f64 / 99_999.0;
        assert!((zeros - 0.3).abs() < 0.01, "{zeros}");
        assert!(mask.iter().all(|&value| value == 0.0 || value == 1.0 / 0.7));
    }

    #[test]
    fn dropping_everything_gives_zeros_not_infinities() {
        let mut stream = Seed(1).stream(0, Purpose::Dropout);
        assert_eq!(mask(&mut stream, 3, 1.0), [0.0; 3]);
    }
}
