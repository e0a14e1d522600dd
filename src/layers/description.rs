//! What a reader is told about a layer kind, and which shapes it takes.

use super::{Argument, Shape, ShapeError};

/// The part of the field a layer kind belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Linear maps of whole vectors, and doing nothing.
    FullyConnected,
    /// Linear maps of neighbourhoods.
    Convolution,
    /// Non-linearities, most of them element by element.
    Activation,
    /// Summaries of neighbourhoods or of everything.
    Pooling,
    /// Rescaling by statistics.
    Normalisation,
    /// Noise during training.
    Dropout,
    /// Numbers for tokens and for positions.
    Embedding,
    /// Layers that weigh their input by what they see in it.
    Attention,
    /// Layers that read a sequence step by step.
    Recurrent,
    /// Changes of form without weights.
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
            Self::Embedding => "embedding",
            Self::Attention => "attention",
            Self::Recurrent => "recurrent",
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
    /// Two tensors in, one out, and it matters which is first: cross-attention and its kin.
    Two,
    /// Two or more tensors in, one out, in any order: the merges.
    Many,
}

/// Every kind of shape but tokens: numbers that mean names can't be computed with.
pub(super) const NUMBERS: &[&str] = &["vector", "signal", "sequence", "image", "volume"];

/// The kinds of shape that are channels over a grid of positions.
pub(super) const GRIDS: &[&str] = &["signal", "image", "volume"];

/// The kinds of shape that are features, once or for each position in a row.
pub(super) const ROWS: &[&str] = &["vector", "sequence"];

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
    /// The kinds of shape it takes, as [`Shape::kind`] names them.
    pub accepts: &'static [&'static str],
    /// Whether it draws random numbers in training.
    pub stochastic: bool,
    /// Its arguments, in positional order.
    pub arguments: &'static [Argument],
}

impl Description {
    /// What most kinds have in common: one tensor of numbers in, no arguments, no noise.
    pub(super) const PLAIN: Self = Self {
        name: "",
        category: Category::Shape,
        torch: "",
        summary: "",
        equation: "",
        source: "",
        arity: Arity::One,
        accepts: NUMBERS,
        stochastic: false,
        arguments: &[],
    };

    /// The shape itself if it is of a kind that the layer takes.
    ///
    /// # Errors
    /// When it is of another kind: which would do, and where one comes from.
    pub fn accept(&self, shape: Shape) -> Result<Shape, ShapeError> {
        if self.accepts.contains(&shape.kind()) {
            return Ok(shape);
        }
        let wanted = alternatives(self.accepts);
        let remedy = match (shape.kind(), self.accepts) {
            ("tokens", _) => " (`embedding` makes a sequence of tokens)",
            (_, ["tokens"]) => " (declare `input tokens(length: …, vocabulary: …)`)",
            ("image" | "signal" | "volume", accepts) if accepts.contains(&"vector") => {
                " (`flatten` or `global_avg_pool` makes one)"
            }
            ("image" | "signal" | "volume", ["sequence"]) => " (`to_sequence` makes one)",
            ("sequence", accepts) if accepts.contains(&"signal") => " (`to_signal` makes one)",
            _ => "",
        };
        Err(ShapeError::expected(
            self.name,
            &format!("{wanted}{remedy}"),
            shape,
        ))
    }

    /// The shape of the inputs if the layer takes it and all have it.
    ///
    /// # Errors
    /// When it is of another kind, or two of them differ.
    pub fn accept_alike(&self, shapes: &[Shape]) -> Result<Shape, ShapeError> {
        let first = self.accept(shapes[0])?;
        match shapes.iter().find(|&&shape| shape != first) {
            Some(&other) => Err(ShapeError::disagree(self.name, "all sizes", first, other)),
            None => Ok(first),
        }
    }
}

/// `an image, signal or volume`.
fn alternatives(kinds: &[&str]) -> String {
    match kinds {
        [] => "nothing".to_owned(),
        [only] => super::shape::article(only),
        [first, middle @ .., last] => {
            let mut out = super::shape::article(first);
            for kind in middle {
                out.push_str(", ");
                out.push_str(kind);
            }
            format!("{out} or {last}")
        }
    }
}
