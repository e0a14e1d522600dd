//! Labels: layers as words, for comparing networks.

use super::{Arity, Kind, Value};
use std::fmt::Write;

/// What comparing networks needs to know of a layer by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The kind's name and the value of every argument, each behind a comma.
    pub text: Box<str>,
    /// A number that depends on nothing but the text, its bits well scattered.
    pub hash: u64,
    /// What the layer is to a graph.
    pub role: Role,
}

impl Label {
    /// The label of a layer.
    pub(super) fn new(kind: Kind, values: &[Value]) -> Self {
        let mut text = kind.name().to_owned();
        for value in values {
            let _ = write!(text, ",{value}");
        }
        Self::of(text, Role::of(kind))
    }

    /// A label with this text.
    pub fn of(text: String, role: Role) -> Self {
        let hash = text
            .bytes()
            .fold(0, |hash, byte| mix(hash ^ u64::from(byte)));
        Self {
            text: text.into(),
            hash,
            role,
        }
    }
}

/// What a layer is to a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its output is its input.
    Identity,
    /// Its output is zero.
    Zero,
    /// Adds its inputs.
    Sum,
    /// Multiplies its inputs.
    Product,
    /// Any other layer of several tensors in any order.
    Merge,
    /// A layer of two tensors of which it matters which is first.
    Ordered,
    /// A layer of one tensor.
    Plain,
}

impl Role {
    fn of(kind: Kind) -> Self {
        let description = kind.describe();
        match (description.name, description.arity) {
            ("identity", _) => Self::Identity,
            ("zero", _) => Self::Zero,
            ("add", _) => Self::Sum,
            ("mul", _) => Self::Product,
            (_, Arity::Many) => Self::Merge,
            (_, Arity::Two) => Self::Ordered,
            (_, Arity::One) => Self::Plain,
        }
    }

    /// Whether such a layer does nothing to this many inputs: identity, or a merge of one tensor.
    pub fn is_identity(self, inputs: usize) -> bool {
        match self {
            Self::Identity => true,
            Self::Sum | Self::Product | Self::Merge => inputs == 1,
            Self::Zero | Self::Ordered | Self::Plain => false,
        }
    }
}

/// Scatters the bits of a number (the last step of SplitMix64).
pub fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}
