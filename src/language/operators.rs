//! How operators are written and how tightly they bind; shared by the parser and the printer.

use super::syntax::{BinaryOperator, Progression, UnaryOperator};

/// How tightly `or` binds: the loosest.
pub const OR: u8 = 1;
/// How tightly `and` binds.
pub const AND: u8 = 2;
/// How tightly `not` binds.
pub const NOT: u8 = 3;
/// How tightly comparisons bind, and `in`.
pub const COMPARE: u8 = 4;
/// How tightly `..` binds.
pub const RANGE: u8 = 5;
/// How tightly `+` and `-` bind.
pub const ADD: u8 = 6;
/// How tightly `*` and `/` bind.
pub const MULTIPLY: u8 = 7;
/// How tightly unary `-` binds.
pub const NEGATE: u8 = 8;
/// How tightly `^` binds.
pub const POWER: u8 = 9;
/// Numbers, names, calls and parentheses.
pub const OPERAND: u8 = 10;

impl BinaryOperator {
    /// How tightly it binds.
    pub fn level(self) -> u8 {
        match self {
            Self::Or => OR,
            Self::And => AND,
            Self::Add | Self::Subtract => ADD,
            Self::Multiply | Self::Divide => MULTIPLY,
            Self::Power => POWER,
            _ => COMPARE,
        }
    }

    /// The loosest an operand may bind without parentheses, left and right.
    pub fn operand_levels(self) -> (u8, u8) {
        match self {
            Self::Power => (OPERAND, NEGATE),
            _ if self.level() == COMPARE => (RANGE, RANGE),
            _ => (self.level(), self.level() + 1),
        }
    }

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "^",
        }
    }
}

impl UnaryOperator {
    /// How tightly it binds; its operand must bind as tightly.
    pub fn level(self) -> u8 {
        match self {
            Self::Negate => NEGATE,
            Self::Not => NOT,
        }
    }
}

impl Progression {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Times => "times",
        }
    }
}
