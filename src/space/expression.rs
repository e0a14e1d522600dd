//! Values computed while a space is walked: arithmetic over slots and the incoming shape.

use crate::layers::{Shape, Value};

/// A dimension of the tensor that arrives: `in.channels` and its kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// `in.channels`.
    Channels,
    /// `in.depth`.
    Depth,
    /// `in.height`.
    Height,
    /// `in.width`.
    Width,
    /// `in.length`.
    Length,
    /// `in.features`: channels of images, volumes and signals too.
    Features,
    /// `in.vocabulary`.
    Vocabulary,
}

impl Dimension {
    /// Every dimension with its name in the language.
    pub const ALL: [(&'static str, Self); 7] = [
        ("channels", Self::Channels),
        ("depth", Self::Depth),
        ("height", Self::Height),
        ("width", Self::Width),
        ("length", Self::Length),
        ("features", Self::Features),
        ("vocabulary", Self::Vocabulary),
    ];

    /// The size, if the shape has this dimension.
    pub fn of(self, shape: Shape) -> Option<usize> {
        match (self, shape) {
            (
                Self::Channels,
                Shape::Image { channels, .. }
                | Shape::Volume { channels, .. }
                | Shape::Signal { channels, .. },
            ) => Some(channels),
            (Self::Depth, Shape::Volume { depth, .. }) => Some(depth),
            (Self::Height, Shape::Image { height, .. } | Shape::Volume { height, .. }) => {
                Some(height)
            }
            (Self::Width, Shape::Image { width, .. } | Shape::Volume { width, .. }) => Some(width),
            (
                Self::Length,
                Shape::Signal { length, .. }
                | Shape::Sequence { length, .. }
                | Shape::Tokens { length, .. },
            ) => Some(length),
            (Self::Features, shape) => shape.features(),
            (Self::Vocabulary, Shape::Tokens { vocabulary, .. }) => Some(vocabulary),
            _ => None,
        }
    }
}

/// An infix operator on values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Either is true.
    Or,
    /// Both are true.
    And,
    /// The same value; `1 == 1.0`.
    Equal,
    /// Not the same value.
    NotEqual,
    /// Smaller.
    Less,
    /// Smaller or equal.
    LessEqual,
    /// Sum.
    Add,
    /// Difference.
    Subtract,
    /// Product.
    Multiply,
    /// Quotient: a whole number where it comes out even.
    Divide,
    /// Power.
    Power,
}

/// An expression without choices.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A constant.
    Value(Value),
    /// What a slot holds.
    Slot(usize),
    /// A dimension of the tensor that arrives.
    Incoming(Dimension),
    /// The negative.
    Negate(Box<Expr>),
    /// The opposite truth value.
    Not(Box<Expr>),
    /// Two operands.
    Binary(Operator, Box<(Expr, Expr)>),
}

impl Expr {
    /// The value, given the slots and the tensor that arrives.
    ///
    /// # Errors
    /// When an operand is missing or of the wrong type, or the result is out of range: in words.
    pub fn evaluate(&self, slots: &[Value], incoming: Shape) -> Result<Value, String> {
        match self {
            Self::Value(value) => Ok(*value),
            Self::Slot(slot) => Ok(slots.get(*slot).copied().unwrap_or(Value::Bool(false))),
            Self::Incoming(dimension) => {
                let size = dimension
                    .of(incoming)
                    .ok_or_else(|| missing(*dimension, incoming))?;
                Ok(Value::Int(size as i64))
            }
            Self::Negate(operand) => match operand.evaluate(slots, incoming)? {
                Value::Int(number) => number.checked_neg().map(Value::Int).ok_or_else(overflow),
                Value::Float(number) => Ok(Value::Float(-number)),
                other => Err(format!("`-` takes a number, not {other}")),
            },
            Self::Not(operand) => match operand.evaluate(slots, incoming)? {
                Value::Bool(truth) => Ok(Value::Bool(!truth)),
                other => Err(format!("`not` takes true or false, not {other}")),
            },
            Self::Binary(operator, operands) => {
                let left = operands.0.evaluate(slots, incoming)?;
                match (operator, left) {
                    (Operator::And, Value::Bool(false)) | (Operator::Or, Value::Bool(true)) => {
                        Ok(left)
                    }
                    _ => apply(*operator, left, operands.1.evaluate(slots, incoming)?),
                }
            }
        }
    }

    /// Gives every slot that the expression reads another number.
    pub fn renumber(&mut self, number: &impl Fn(usize) -> usize) {
        match self {
            Self::Slot(slot) => *slot = number(*slot),
            Self::Negate(operand) | Self::Not(operand) => operand.renumber(number),
            Self::Binary(_, operands) => {
                operands.0.renumber(number);
                operands.1.renumber(number);
            }
            Self::Value(_) | Self::Incoming(_) => {}
        }
    }

    /// Calls `visit` on every slot the expression reads.
    pub fn slots(&self, visit: &mut impl FnMut(usize)) {
        match self {
            Self::Slot(slot) => visit(*slot),
            Self::Negate(operand) | Self::Not(operand) => operand.slots(visit),
            Self::Binary(_, operands) => {
                operands.0.slots(visit);
                operands.1.slots(visit);
            }
            Self::Value(_) | Self::Incoming(_) => {}
        }
    }
}

fn missing(dimension: Dimension, shape: Shape) -> String {
    let name = Dimension::ALL.iter().find(|(_, known)| *known == dimension);
    let name = name.map_or("", |(name, _)| name);
    format!(
        "in.{name}: the tensor that arrives is of kind {} ({shape})",
        shape.kind()
    )
}

fn overflow() -> String {
    "the number is too large".to_owned()
}

/// Applies an infix operator to two values.
///
/// # Errors
/// When the operands are of the wrong type or the result is out of range: in words.
pub fn apply(operator: Operator, left: Value, right: Value) -> Result<Value, String> {
    match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => truth(operator, a, b),
        (Value::Int(a), Value::Int(b)) => whole(operator, a, b),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            let number = |value: Value| value.as_float().expect("both are numbers");
            real(operator, number(left), number(right))
        }
        _ => match operator {
            Operator::Equal => Ok(Value::Bool(left == right)),
            Operator::NotEqual => Ok(Value::Bool(left != right)),
            _ => Err(format!("`{left}` and `{right}` don't go together here")),
        },
    }
}

fn truth(operator: Operator, a: bool, b: bool) -> Result<Value, String> {
    match operator {
        Operator::And => Ok(Value::Bool(a && b)),
        Operator::Or => Ok(Value::Bool(a || b)),
        Operator::Equal => Ok(Value::Bool(a == b)),
        Operator::NotEqual => Ok(Value::Bool(a != b)),
        _ => Err("truth values have no order and no arithmetic".to_owned()),
    }
}

fn whole(operator: Operator, a: i64, b: i64) -> Result<Value, String> {
    let number = |result: Option<i64>| result.map(Value::Int).ok_or_else(overflow);
    match operator {
        Operator::Add => number(a.checked_add(b)),
        Operator::Subtract => number(a.checked_sub(b)),
        Operator::Multiply => number(a.checked_mul(b)),
        Operator::Divide if b == 0 => Err("division by zero".to_owned()),
        Operator::Divide if a.checked_rem(b) == Some(0) => number(a.checked_div(b)),
        Operator::Power if b >= 0 => number(
            u32::try_from(b)
                .ok()
                .and_then(|exponent| a.checked_pow(exponent)),
        ),
        Operator::Equal => Ok(Value::Bool(a == b)),
        Operator::NotEqual => Ok(Value::Bool(a != b)),
        Operator::Less => Ok(Value::Bool(a < b)),
        Operator::LessEqual => Ok(Value::Bool(a <= b)),
        _ => real(operator, a as f64, b as f64),
    }
}

fn real(operator: Operator, a: f64, b: f64) -> Result<Value, String> {
    let result = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Power => libm::pow(a, b),
        Operator::Equal => return Ok(Value::Bool(a == b)),
        Operator::NotEqual => return Ok(Value::Bool(a != b)),
        Operator::Less => return Ok(Value::Bool(a < b)),
        Operator::LessEqual => return Ok(Value::Bool(a <= b)),
        Operator::And | Operator::Or => {
            return Err("`and` and `or` take true or false, not numbers".to_owned());
        }
    };
    if result.is_finite() {
        Ok(Value::Float(result))
    } else {
        Err(overflow())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotient_is_whole_where_it_comes_out_even() {
        let divide = |a, b| apply(Operator::Divide, Value::Int(a), Value::Int(b));
        assert_eq!(divide(8, 4), Ok(Value::Int(2)));
        assert_eq!(divide(1, 4), Ok(Value::Float(0.25)));
        assert!(divide(1, 0).is_err());
    }

    #[test]
    fn arithmetic_that_leaves_the_range_is_an_error() {
        assert!(apply(Operator::Multiply, Value::Int(i64::MAX), Value::Int(2)).is_err());
        assert!(apply(Operator::Power, Value::Float(10.0), Value::Int(400)).is_err());
    }
}
