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
mod bottleneck;
mod channel_attention;
mod convolution;
mod description;
mod dropout;
mod embedding;
mod forward;
mod fully_connected;
mod gates;
mod global_pooling;
mod label;
mod merge;
mod mixtures;
mod noise;
mod normalisation;
mod parameter;
mod parameters;
mod patches;
mod pooling;
mod recurrent;
mod rescaling;
mod resize;
mod separable;
mod shape;
mod structure;
mod torch_classes;
mod transposed;
mod value;
mod window;

pub use arguments::{ArgType, Argument, ArgumentError, Arguments, Default};
pub use description::{Arity, Category, Description};
pub use forward::{Activation, Forward, Mode};
pub use label::{Label, Role, mix};
pub use parameter::Parameter;
pub use parameters::{Buffer, Init, ParameterSpec};
pub use shape::{Shape, ShapeError};
pub use torch_classes::{Counterpart, TORCH_CLASSES, TorchClass};
pub use value::Value;

use crate::kernels::Operation;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A kind of layer. Implemented by one unit struct a kind, listed in [`CATALOGUE`].
pub trait LayerKind: Sync + Send {
    /// Name, arguments and documentation.
    fn describe(&self) -> &'static Description;

    /// The output's shape for the given inputs, or why they don't fit. Called only with as many inputs as
    /// the kind takes. Unless a kind says otherwise, it is that of the inputs, which are alike.
    ///
    /// # Errors
    /// When the layer does not accept these shapes with these arguments.
    fn shape(&self, _arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        self.describe().accept_alike(inputs)
    }

    /// The trainable tensors, in a fixed order. Called only with inputs that `shape` accepts.
    fn parameters(&self, _arguments: &Arguments, _inputs: &[Shape]) -> Vec<ParameterSpec> {
        Vec::new()
    }

    /// The tensors that training updates without gradients, such as running means.
    fn buffers(&self, _arguments: &Arguments, _inputs: &[Shape]) -> Vec<Buffer> {
        Vec::new()
    }

    /// Multiply-accumulates of one example's forward pass: products with weights, and of tensors with each
    /// other as matrices (attention); element-wise work is not counted.
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

    /// The same in both directions by kernels of our own, where there are some. Values have their channels last;
    /// parameters and buffers are those of the specification.
    fn operation(&self, _arguments: &Arguments, _inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        None
    }
}

/// Every layer kind, in the order of the documentation.
pub static CATALOGUE: &[&dyn LayerKind] = &[
    &fully_connected::Linear,
    &fully_connected::LowRankLinear,
    &mixtures::MixtureOfExperts,
    &mixtures::Maxout,
    &mixtures::Highway,
    &fully_connected::Bilinear,
    &structure::Identity,
    &convolution::Conv::<1>,
    &convolution::Conv::<2>,
    &convolution::Conv::<3>,
    &convolution::CausalConv1d,
    &separable::DepthwiseConv::<1>,
    &separable::DepthwiseConv::<2>,
    &separable::PointwiseConv,
    &separable::SeparableConv::<1>,
    &separable::SeparableConv::<2>,
    &convolution::WsConv2d,
    &transposed::ConvTranspose::<1>,
    &transposed::ConvTranspose::<2>,
    &transposed::ConvTranspose::<3>,
    &bottleneck::Bottleneck,
    &bottleneck::InvertedBottleneck,
    &patches::PatchEmbedding,
    &patches::ChannelShuffle,
    &patches::PixelShuffle,
    &patches::PixelUnshuffle,
    &activation_functions::Relu,
    &activation_functions::Relu6,
    &activation_functions::SquaredRelu,
    &activation_functions::LeakyRelu,
    &activation_functions::Prelu,
    &noise::Rrelu,
    &activation_functions::Elu,
    &activation_functions::Celu,
    &activation_functions::Selu,
    &activation_functions::Gelu,
    &activation_functions::Silu,
    &activation_functions::HardSwish,
    &activation_functions::Mish,
    &activation_functions::Sigmoid,
    &activation_functions::HardSigmoid,
    &activation_functions::LogSigmoid,
    &activation_functions::Tanh,
    &activation_functions::Hardtanh,
    &activation_functions::Softplus,
    &activation_functions::Softsign,
    &activation_functions::Softshrink,
    &activation_functions::Hardshrink,
    &activation_functions::Tanhshrink,
    &activation_functions::Threshold,
    &activation_functions::Sine,
    &activation_functions::Step,
    &gates::Glu,
    &gates::Reglu,
    &gates::Geglu,
    &gates::Swiglu,
    &gates::Softmax,
    &gates::Softmin,
    &gates::LogSoftmax,
    &pooling::MaxPool::<1>,
    &pooling::MaxPool::<2>,
    &pooling::MaxPool::<3>,
    &pooling::AvgPool::<1>,
    &pooling::AvgPool::<2>,
    &pooling::AvgPool::<3>,
    &pooling::LpPool::<1>,
    &pooling::LpPool::<2>,
    &pooling::LpPool::<3>,
    &global_pooling::AdaptiveAvgPool::<1>,
    &global_pooling::AdaptiveAvgPool::<2>,
    &global_pooling::AdaptiveAvgPool::<3>,
    &global_pooling::AdaptiveMaxPool::<1>,
    &global_pooling::AdaptiveMaxPool::<2>,
    &global_pooling::AdaptiveMaxPool::<3>,
    &global_pooling::GlobalAvgPool,
    &global_pooling::GlobalMaxPool,
    &global_pooling::AttentionPool,
    &normalisation::BatchNorm,
    &normalisation::LayerNorm,
    &rescaling::LayerNorm2d,
    &normalisation::GroupNorm,
    &rescaling::InstanceNorm,
    &rescaling::RmsNorm,
    &rescaling::LocalResponseNorm,
    &rescaling::GlobalResponseNorm,
    &rescaling::LayerScale,
    &dropout::Dropout,
    &dropout::SpatialDropout,
    &dropout::AlphaDropout,
    &dropout::FeatureAlphaDropout,
    &dropout::DropPath,
    &noise::GaussianNoise,
    &noise::GaussianDropout,
    &noise::GaussianSample,
    &noise::GumbelSoftmax,
    &embedding::Embedding,
    &embedding::EmbeddingBag,
    &embedding::LearnedPositions,
    &embedding::SinusoidalPositions,
    &embedding::RotaryPositions,
    &embedding::ClassToken,
    &attention::SelfAttention,
    &attention::CrossAttention,
    &channel_attention::SqueezeExcite,
    &channel_attention::Eca,
    &channel_attention::SpatialAttention,
    &recurrent::Rnn,
    &recurrent::Gru,
    &recurrent::Lstm,
    &structure::Flatten,
    &structure::Reshape,
    &structure::ToSequence,
    &structure::ToSignal,
    &structure::Transpose,
    &structure::Permute,
    &structure::SelectPosition,
    &structure::Flip,
    &resize::UpsampleNearest,
    &resize::UpsampleBilinear,
    &resize::Pad,
    &structure::Crop,
    &structure::Zero,
    &merge::Add,
    &merge::Concat,
    &merge::Mul,
    &merge::Max,
    &merge::Mean,
    &merge::GatedSum,
    &merge::CosineSimilarity,
    &merge::PairwiseDistance,
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
        let arguments = Arguments::resolve(kind, given)?;
        Ok(Self { kind, arguments })
    }

    /// What it is, as one word; equal for equal layers only.
    pub fn label(&self) -> &Label {
        self.arguments.label()
    }

    /// The output's shape.
    ///
    /// # Errors
    /// When the layer does not accept these inputs, or the output would be absurdly large.
    pub fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let output = self.kind.shape(&self.arguments, inputs)?;
        if output.is_sane() {
            return Ok(output);
        }
        let name = self.kind.name();
        Err(ShapeError(format!(
            "{name} would give {output}, which no memory holds; make it smaller"
        )))
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

    /// The layer by kernels of our own, where there are some.
    pub fn operation(&self, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        self.kind.operation(&self.arguments, inputs)
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
