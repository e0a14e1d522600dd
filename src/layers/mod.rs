//! The catalogue of layers: strata's vocabulary.
//!
//! One layer kind is one place: its arguments, shape rule, parameters, cost, burn forward pass and
//! documentation stand together in the file of its category, and [`CATALOGUE`] names it. Everything
//! else (the language's checker, help, docs, exports, the tests that walk the table) is derived.
//!
//! This module knows nothing of spaces or of graphs.

mod activation_functions;
mod arguments;
mod attention;
mod convolution;
mod dropout;
mod forward;
mod fully_connected;
mod merge;
mod normalisation;
mod parameter;
mod parameters;
mod pooling;
mod shape;
mod structure;
mod value;
mod window;

pub use arguments::{ArgType, Argument, ArgumentError, Arguments, Default};
pub use forward::{Activation, Forward, Mode};
pub use parameter::Parameter;
pub use parameters::{Buffer, Init, ParameterSpec};
pub use shape::{Shape, ShapeError};
pub use value::Value;

use std::fmt;
use std::hash::{Hash, Hasher};

/// The part of the field a layer kind belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Linear maps of whole vectors, and doing nothing.
    FullyConnected,
    /// Linear maps of neighbourhoods.
    Convolution,
    /// Element-wise non-linearities.
    Activation,
    /// Summaries of neighbourhoods or of everything.
    Pooling,
    /// Rescaling by statistics.
    Normalisation,
    /// Noise during training.
    Dropout,
    /// Compositions with one name, such as squeeze-and-excitation.
    Attention,
    /// Changes of form without arithmetic.
    Shape,
    /// Several tensors into one.
    Merge,
}

impl Category {
    /// The category as a reader writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::FullyConnected => "fully connected",
            Self::Convolution => "convolution",
            Self::Activation => "activation",
            Self::Pooling => "pooling",
            Self::Normalisation => "normalisation",
            Self::Dropout => "dropout",
            Self::Attention => "attention",
            Self::Shape => "shape",
            Self::Merge => "merge",
        }
    }
}

/// How many tensors a layer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// One tensor in, one out.
    One,
    /// Two or more tensors in, one out: the merges.
    Many,
}

/// What a reader is told about a layer kind.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// The name in the language.
    pub name: &'static str,
    /// The part of the field it belongs to.
    pub category: Category,
    /// PyTorch's name of the same thing, such as `torch.nn.Conv2d`, or how it is composed there.
    pub torch: &'static str,
    /// One line: what it does.
    pub summary: &'static str,
    /// The defining equation in plain text.
    pub equation: &'static str,
    /// Where it comes from: paper and year.
    pub source: &'static str,
    /// How many tensors it takes.
    pub arity: Arity,
    /// Its arguments, in positional order.
    pub arguments: &'static [Argument],
}

/// A kind of layer. Implemented by one unit struct a kind, listed in [`CATALOGUE`].
pub trait LayerKind: Sync + Send {
    /// Name, arguments and documentation.
    fn describe(&self) -> &'static Description;

    /// The output's shape for the given inputs, or why they don't fit.
    ///
    /// # Errors
    /// When the layer does not accept these shapes with these arguments.
    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError>;

    /// The trainable tensors, in a fixed order. Called only with inputs that `shape` accepts.
    fn parameters(&self, _arguments: &Arguments, _inputs: &[Shape]) -> Vec<ParameterSpec> {
        Vec::new()
    }

    /// The tensors that training updates without gradients, such as running means.
    fn buffers(&self, _arguments: &Arguments, _inputs: &[Shape]) -> Vec<Buffer> {
        Vec::new()
    }

    /// Multiply-accumulates of one example's forward pass: products with weights; element-wise work
    /// is not counted.
    fn macs(&self, _arguments: &Arguments, _inputs: &[Shape], _output: Shape) -> u64 {
        0
    }

    /// The forward pass on a batch. `inputs` have the shapes that `shape` accepted, with a batch
    /// dimension in front.
    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation;
}

/// Every layer kind, in the order of the documentation.
pub static CATALOGUE: &[&dyn LayerKind] = &[
    &fully_connected::Linear,
    &structure::Identity,
    &convolution::Conv2d,
    &convolution::SeparableConv2d,
    &activation_functions::Relu,
    &activation_functions::LeakyRelu,
    &activation_functions::Prelu,
    &activation_functions::Gelu,
    &activation_functions::Silu,
    &activation_functions::Sigmoid,
    &activation_functions::Tanh,
    &pooling::MaxPool2d,
    &pooling::AvgPool2d,
    &pooling::GlobalAvgPool,
    &normalisation::BatchNorm,
    &normalisation::LayerNorm,
    &normalisation::GroupNorm,
    &dropout::Dropout,
    &attention::SqueezeExcite,
    &structure::Flatten,
    &structure::Zero,
    &merge::Add,
    &merge::Concat,
    &merge::Mul,
    &merge::Max,
];

/// A layer kind by its name in the language.
pub fn find(name: &str) -> Option<Kind> {
    let index = CATALOGUE
        .iter()
        .position(|kind| kind.describe().name == name)?;
    Some(Kind(u16::try_from(index).expect("the catalogue is short")))
}

/// Every layer kind, as handles.
pub fn kinds() -> impl Iterator<Item = Kind> {
    (0..CATALOGUE.len()).map(|index| Kind(index as u16))
}

/// A handle on one entry of [`CATALOGUE`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(u16);

impl Kind {
    /// Its name in the language.
    pub fn name(self) -> &'static str {
        self.describe().name
    }
}

impl std::ops::Deref for Kind {
    type Target = dyn LayerKind;
    fn deref(&self) -> &Self::Target {
        CATALOGUE[usize::from(self.0)]
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One layer of a network: a kind and a value for each of its arguments.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Which kind it is.
    pub kind: Kind,
    /// A value for each argument of the kind, in its order.
    pub arguments: Arguments,
}

impl PartialEq for Layer {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.arguments == other.arguments
    }
}

impl Eq for Layer {}

impl Hash for Layer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.arguments.hash(state);
    }
}

impl Layer {
    /// A layer whose arguments are all at their defaults.
    ///
    /// # Errors
    /// When the kind has an argument without a default.
    pub fn plain(kind: Kind) -> Result<Self, ArgumentError> {
        Self::new(kind, &[])
    }

    /// A layer with some arguments given by name and the rest at their defaults.
    ///
    /// # Errors
    /// When a name is unknown, a value is of the wrong type or out of range, or one is missing.
    pub fn new(kind: Kind, given: &[(&str, Value)]) -> Result<Self, ArgumentError> {
        let arguments = Arguments::resolve(kind.describe().arguments, given)?;
        Ok(Self { kind, arguments })
    }

    /// The output's shape.
    ///
    /// # Errors
    /// When the layer does not accept these inputs.
    pub fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        self.kind.shape(&self.arguments, inputs)
    }

    /// Its trainable tensors.
    pub fn parameters(&self, inputs: &[Shape]) -> Vec<ParameterSpec> {
        self.kind.parameters(&self.arguments, inputs)
    }

    /// Its tensors that training updates without gradients.
    pub fn buffers(&self, inputs: &[Shape]) -> Vec<Buffer> {
        self.kind.buffers(&self.arguments, inputs)
    }

    /// The number of trainable values.
    pub fn parameter_count(&self, inputs: &[Shape]) -> u64 {
        self.parameters(inputs)
            .iter()
            .map(ParameterSpec::count)
            .sum()
    }

    /// Multiply-accumulates of one example's forward pass.
    pub fn macs(&self, inputs: &[Shape], output: Shape) -> u64 {
        self.kind.macs(&self.arguments, inputs, output)
    }
}

/// The layer as the language writes it, with the arguments that differ from their defaults.
impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        self.arguments.write_call(self.kind.describe().arguments, f)
    }
}
