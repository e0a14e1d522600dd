//! The fields of a recipe as a table: what experiments, search spaces and help pages name.

use super::class_weights::ClassWeights;
use super::recipe::{LossKind, OptimizerKind, Recipe, RecipeError, ScheduleKind};
use crate::layers::{ArgType, Value};

/// One field of a recipe, as an experiment or a search space names it.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it accepts.
    pub ty: ArgType,
    /// What it means, in a line.
    pub doc: &'static str,
    pub(super) set: fn(&mut Recipe, Value),
    pub(super) get: fn(&Recipe) -> Option<Value>,
}

impl Field {
    pub(super) fn checked(&self, value: Value) -> Result<Value, RecipeError> {
        self.ty.accept(value).ok_or_else(|| RecipeError::Invalid {
            name: self.name,
            expected: self.ty.to_string(),
            value: value.to_string(),
        })
    }
}

/// A value that a recipe's field holds.
trait Held: Sized {
    fn from_value(value: Value) -> Self;
    fn to_value(&self) -> Option<Value>;
}

impl Held for f64 {
    fn from_value(value: Value) -> Self {
        value.as_float().expect("the field's type is a number")
    }
    fn to_value(&self) -> Option<Value> {
        Some(Value::Float(*self))
    }
}

impl Held for usize {
    fn from_value(value: Value) -> Self {
        match value {
            Value::Int(number) => Self::try_from(number).expect("the field's range starts above 0"),
            other => panic!("the field's type is a whole number, not {other}"),
        }
    }
    fn to_value(&self) -> Option<Value> {
        i64::try_from(*self).ok().map(Value::Int)
    }
}

impl Held for bool {
    fn from_value(value: Value) -> Self {
        value == Value::Bool(true)
    }
    fn to_value(&self) -> Option<Value> {
        Some(Value::Bool(*self))
    }
}

impl<T: Held> Held for Option<T> {
    fn from_value(value: Value) -> Self {
        Some(T::from_value(value))
    }
    fn to_value(&self) -> Option<Value> {
        self.as_ref().and_then(Held::to_value)
    }
}

/// A word of the recipe and the variant it means.
macro_rules! held_words {
    ($kind:ident, $words:ident, $($word:literal => $variant:ident),+) => {
        const $words: &[&str] = &[$($word),+];

        impl Held for $kind {
            fn from_value(value: Value) -> Self {
                match value {
                    $(Value::Name($word) => Self::$variant,)+
                    other => panic!("the field's type is one of its words, not {other}"),
                }
            }
            fn to_value(&self) -> Option<Value> {
                Some(match self {
                    $(Self::$variant => Value::Name($word),)+
                })
            }
        }
    };
}

held_words!(OptimizerKind, OPTIMIZERS, "sgd" => Sgd, "adam" => Adam, "adamw" => Adamw);
held_words!(ScheduleKind, SCHEDULES, "constant" => Constant, "cosine" => Cosine, "step" => Step);

held_words!(
    LossKind, LOSSES,
    "cross_entropy" => CrossEntropy, "bce" => Bce, "mse" => Mse, "mae" => Mae, "huber" => Huber
);

const CLASS_WEIGHTS: &[&str] = &["none", "balanced"];

impl Held for ClassWeights {
    fn from_value(value: Value) -> Self {
        match value {
            Value::Name("balanced") => Self::Balanced,
            _ => Self::None,
        }
    }
    /// A list is no value of the space's language: an experiment alone can give one.
    fn to_value(&self) -> Option<Value> {
        match self {
            Self::None => Some(Value::Name("none")),
            Self::Balanced => Some(Value::Name("balanced")),
            Self::Given(_) => None,
        }
    }
}

macro_rules! field {
    ($name:ident, $ty:expr, $doc:literal) => {
        Field {
            name: stringify!($name),
            ty: $ty,
            doc: $doc,
            set: |recipe, value| recipe.$name = Held::from_value(value),
            get: |recipe| recipe.$name.to_value(),
        }
    };
}

const fn number(min: f64, max: f64) -> ArgType {
    ArgType::Float { min, max }
}

const fn whole(min: i64, max: i64) -> ArgType {
    ArgType::Int { min, max }
}

/// Every field of a recipe, in the order of its documentation.
pub static FIELDS: &[Field] = &[
    field!(
        optimizer,
        ArgType::OneOf(OPTIMIZERS),
        "the rule that turns gradients into steps"
    ),
    field!(learning_rate, number(0.0, 1e3), "the full learning rate"),
    field!(
        momentum,
        number(0.0, 0.9999),
        "the share of the last step that is kept (sgd)"
    ),
    field!(
        nesterov,
        ArgType::Bool,
        "whether momentum looks ahead (sgd)"
    ),
    field!(
        beta1,
        number(0.0, 0.9999),
        "decay of the mean of gradients (adam, adamw)"
    ),
    field!(
        beta2,
        number(0.0, 0.999_999),
        "decay of the mean of squared gradients (adam, adamw)"
    ),
    field!(
        eps,
        number(0.0, 1.0),
        "added to the root of the mean square (adam, adamw)"
    ),
    field!(
        weight_decay,
        number(0.0, 1.0),
        "pull of every weight towards zero"
    ),
    field!(
        schedule,
        ArgType::OneOf(SCHEDULES),
        "how the learning rate changes"
    ),
    field!(
        step_every,
        whole(1, 1_000_000),
        "epochs between two changes of the rate (step)"
    ),
    field!(
        step_factor,
        number(0.0, 1.0),
        "the factor of a change of the rate (step)"
    ),
    field!(
        warmup_epochs,
        number(0.0, 1e6),
        "epochs over which the rate rises from near zero"
    ),
    field!(
        epochs,
        whole(1, 1_000_000),
        "passes over the training examples"
    ),
    field!(batch_size, whole(1, 1 << 20), "examples a step"),
    field!(
        label_smoothing,
        number(0.0, 1.0),
        "share of the target that is spread over all classes"
    ),
    field!(
        gradient_clip_norm,
        number(1e-12, 1e12),
        "longest gradient, all parameters together"
    ),
    field!(
        patience,
        whole(1, 1_000_000),
        "epochs without a better one before the end"
    ),
    field!(
        loss,
        ArgType::OneOf(LOSSES),
        "what is minimised; by default the task's own"
    ),
    field!(
        huber_delta,
        number(1e-6, 1e6),
        "the distance from which the Huber loss counts in proportion, in deviations of the target"
    ),
    field!(
        class_weights,
        ArgType::OneOf(CLASS_WEIGHTS),
        "how much examples of each class count: `balanced` by how rare it is, or a list of numbers"
    ),
    field!(
        crop_padding,
        whole(0, 1024),
        "training images and signals are shifted by up to this much"
    ),
    field!(
        flip,
        ArgType::Bool,
        "half of the training images are mirrored"
    ),
    field!(
        cutout,
        whole(0, 4096),
        "side of a square that is blanked in each training image"
    ),
    field!(
        mixup,
        number(1e-3, 100.0),
        "training examples are mixed by shares from Beta of this number"
    ),
];
