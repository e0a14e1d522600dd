//! Arguments of layers: their types, ranges and defaults, and the values of one layer.

use super::{Kind, Label, Value};
use crate::diagnostics::closest_name;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// The values an argument takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ArgType {
    /// A whole number in a closed range.
    Int {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A real number in a closed range.
    Float {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
    /// `true` or `false`.
    Bool,
    /// One of some words.
    OneOf(&'static [&'static str]),
    /// One of some words, or a whole number from 0 up to `max`.
    NameOrInt {
        /// The words.
        names: &'static [&'static str],
        /// Largest number.
        max: i64,
    },
}

impl ArgType {
    /// The value as this type holds it (a whole number becomes a float where a float is wanted), or
    /// `None` where it does not fit.
    pub fn accept(&self, value: Value) -> Option<Value> {
        match (*self, value) {
            (Self::Int { min, max }, Value::Int(n)) if (min..=max).contains(&n) => Some(value),
            (Self::Float { min, max }, Value::Int(_) | Value::Float(_)) => {
                let number = value.as_float().expect("both are numbers");
                (min..=max)
                    .contains(&number)
                    .then_some(Value::Float(number))
            }
            (Self::Bool, Value::Bool(_)) => Some(value),
            (Self::OneOf(names) | Self::NameOrInt { names, .. }, Value::Name(name)) => names
                .iter()
                .find(|known| **known == name)
                .map(|known| Value::Name(known)),
            (Self::NameOrInt { max, .. }, Value::Int(n)) if (0..=max).contains(&n) => Some(value),
            _ => None,
        }
    }

    /// The words this type knows.
    pub fn names(&self) -> &'static [&'static str] {
        match self {
            Self::OneOf(names) | Self::NameOrInt { names, .. } => names,
            _ => &[],
        }
    }
}

/// What the type accepts, in words: `a whole number from 1 to 65536`.
impl fmt::Display for ArgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Float { min, max } => write!(f, "a number from {min} to {max}"),
            Self::Bool => f.write_str("true or false"),
            Self::OneOf(names) => f.write_str(&names.join(" or ")),
            Self::NameOrInt { names, max } => {
                write!(f, "{} or a whole number up to {max}", names.join(", "))
            }
        }
    }
}

/// The value of an argument that is not given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// It has to be given.
    Required,
    /// This value.
    Value(Value),
    /// The value of an earlier argument, as a pool's stride is its kernel.
    SameAs(&'static str),
}

/// One argument of a layer kind.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// What it accepts.
    pub ty: ArgType,
    /// Its value when not given.
    pub default: Default,
    /// What it means, in a line.
    pub doc: &'static str,
}

impl Argument {
    pub(super) const fn required(name: &'static str, ty: ArgType, doc: &'static str) -> Self {
        Self {
            name,
            ty,
            default: Default::Required,
            doc,
        }
    }

    pub(super) const fn with(
        name: &'static str,
        ty: ArgType,
        default: Value,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            ty,
            default: Default::Value(default),
            doc,
        }
    }

    pub(super) const fn int(name: &'static str, max: i64, default: i64, doc: &'static str) -> Self {
        Self::with(name, ArgType::Int { min: 1, max }, Value::Int(default), doc)
    }

    pub(super) const fn bool(name: &'static str, default: bool, doc: &'static str) -> Self {
        Self::with(name, ArgType::Bool, Value::Bool(default), doc)
    }

    pub(super) const fn float(
        name: &'static str,
        (min, max): (f64, f64),
        default: f64,
        doc: &'static str,
    ) -> Self {
        Self::with(
            name,
            ArgType::Float { min, max },
            Value::Float(default),
            doc,
        )
    }
}

/// Why arguments don't make a layer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// No such argument.
    #[error("unknown argument `{name}`{}", closest.map(|c| format!("; did you mean `{c}`?")).unwrap_or_default())]
    Unknown {
        /// As given.
        name: String,
        /// The closest that exists.
        closest: Option<&'static str>,
    },
    /// A value of the wrong type or out of range.
    #[error("`{name}` is {expected}, not {value}")]
    Invalid {
        /// The argument.
        name: &'static str,
        /// What it accepts.
        expected: String,
        /// What was given.
        value: String,
    },
    /// An argument without a default was not given.
    #[error("`{name}` is missing: {expected}")]
    Missing {
        /// The argument.
        name: &'static str,
        /// What it accepts.
        expected: String,
    },
}

/// A value for every argument of a kind, in the kind's order. Clones share them.
#[derive(Clone)]
pub struct Arguments(Arc<Resolved>);

struct Resolved {
    kind: Kind,
    values: Vec<Value>,
    label: OnceLock<Label>,
}

/// The argument that another library calls by more words: `out_channels` is `out`, `kernel_size` is `kernel`.
fn longer(name: &str, mut names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let is_begin = |known: &&str| {
        let rest = name.strip_prefix(*known);
        rest.is_some_and(|rest| rest.starts_with('_'))
    };
    names.find(is_begin)
}

impl Arguments {
    /// Fills in defaults and checks types and ranges.
    ///
    /// # Errors
    /// When a name is unknown, a value does not fit its type, or a required one is missing.
    pub fn resolve(kind: Kind, given: &[(&str, Value)]) -> Result<Self, ArgumentError> {
        let specs = kind.describe().arguments;
        for (name, _) in given {
            if !specs.iter().any(|spec| spec.name == *name) {
                let names = specs.iter().map(|spec| spec.name);
                let closest = closest_name(name, names.clone()).or_else(|| longer(name, names));
                return Err(ArgumentError::Unknown {
                    name: (*name).to_owned(),
                    closest,
                });
            }
        }
        let mut values: Vec<Value> = Vec::with_capacity(specs.len());
        for spec in specs {
            let value = match given.iter().find(|(name, _)| *name == spec.name) {
                Some((_, value)) => *value,
                None => default_value(spec, specs, &values)?,
            };
            values.push(
                spec.ty
                    .accept(value)
                    .ok_or_else(|| ArgumentError::Invalid {
                        name: spec.name,
                        expected: spec.ty.to_string(),
                        value: value.to_string(),
                    })?,
            );
        }
        Ok(Self(Arc::new(Resolved {
            kind,
            values,
            label: OnceLock::new(),
        })))
    }

    /// The values, in the kind's order.
    pub fn values(&self) -> &[Value] {
        &self.0.values
    }

    /// The label of a layer with these arguments.
    pub(super) fn label(&self) -> &Label {
        let Resolved {
            kind,
            values,
            label,
        } = &*self.0;
        label.get_or_init(|| Label::new(*kind, values))
    }

    /// The whole number at `index`.
    ///
    /// # Panics
    /// When that argument's type is not a whole number: an error in the catalogue.
    pub fn int(&self, index: usize) -> usize {
        match self.0.values[index] {
            Value::Int(value) => {
                usize::try_from(value).expect("ranges of whole numbers are not negative")
            }
            other => panic!("argument {index} is a whole number by its type, not {other}"),
        }
    }

    /// The real number at `index`.
    ///
    /// # Panics
    /// When that argument's type is not a number: an error in the catalogue.
    pub fn float(&self, index: usize) -> f64 {
        self.0.values[index]
            .as_float()
            .expect("this argument is a number by its type")
    }

    /// The truth value at `index`.
    ///
    /// # Panics
    /// When that argument's type is not `Bool`: an error in the catalogue.
    pub fn bool(&self, index: usize) -> bool {
        match self.0.values[index] {
            Value::Bool(value) => value,
            other => panic!("argument {index} is true or false by its type, not {other}"),
        }
    }

    pub(super) fn write_call(
        &self,
        specs: &'static [Argument],
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        let mut separator = "(";
        let values = self.values();
        for (index, (spec, value)) in specs.iter().zip(values).enumerate() {
            let default = default_value(spec, specs, &values[..index]).ok();
            let accepted = default.and_then(|value| spec.ty.accept(value));
            if accepted == Some(*value) {
                continue;
            }
            match spec.default {
                Default::Required if index == 0 => write!(f, "{separator}{value}")?,
                _ => write!(f, "{separator}{}: {value}", spec.name)?,
            }
            separator = ", ";
        }
        if separator == ", " {
            f.write_str(")")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Arguments").field(&self.values()).finish()
    }
}

impl PartialEq for Arguments {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.values() == other.values()
    }
}

impl Eq for Arguments {}

impl Hash for Arguments {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values().hash(state);
    }
}

impl PartialOrd for Arguments {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Arguments {
    fn cmp(&self, other: &Self) -> Ordering {
        self.values().cmp(other.values())
    }
}

fn default_value(
    spec: &Argument,
    specs: &[Argument],
    earlier: &[Value],
) -> Result<Value, ArgumentError> {
    match spec.default {
        Default::Value(value) => Ok(value),
        Default::SameAs(other) => {
            let index = specs.iter().position(|candidate| candidate.name == other);
            Ok(earlier[index.expect("a default refers to an earlier argument")])
        }
        Default::Required => Err(ArgumentError::Missing {
            name: spec.name,
            expected: spec.ty.to_string(),
        }),
    }
}
