//! Random syntax trees that a text without errors can have.

use strata::diagnostics::Span;
use strata::language::syntax::{
    Alternative, Argument, BinaryOperator, Block, Body, Call, Choice, Dag, Definition, Expr,
    Expression, File, IgnoredSpan, Item, Let, Name, Parameter, Progression, RecipeEntry, Repeat,
    Spanned, Statement, Term, UnaryOperator,
};
use strata::random::{Purpose, Seed, Stream};

/// Names that can stand anywhere, with those that mean something elsewhere in the grammar.
const NAMES: [&str; 18] = [
    "a", "b2", "width", "conv2d", "relu", "_x", "step", "times", "tied", "as", "carry", "nodes",
    "edge", "inputs", "merge", "depth", "k", "e4",
];

/// Words that can name an argument or a property, though nothing else.
const WORDS: [&str; 4] = ["in", "repeat", "output", "let"];

const BINARY: [BinaryOperator; 14] = [
    BinaryOperator::Or,
    BinaryOperator::And,
    BinaryOperator::Equal,
    BinaryOperator::NotEqual,
    BinaryOperator::Less,
    BinaryOperator::LessEqual,
    BinaryOperator::Greater,
    BinaryOperator::GreaterEqual,
    BinaryOperator::In,
    BinaryOperator::Add,
    BinaryOperator::Subtract,
    BinaryOperator::Multiply,
    BinaryOperator::Divide,
    BinaryOperator::Power,
];

/// The random tree number `index`.
pub fn random_file(index: u64) -> File {
    let stream = Seed(0)
        .derive("random trees", index)
        .stream(0, Purpose::Tool);
    let mut trees = Trees { stream, left: 120 };
    let name = trees.chance(2).then(|| trees.name());
    let items = (0..trees.below(7)).map(|_| spanned(trees.item())).collect();
    File {
        name,
        items,
        comments: Vec::new(),
    }
}

/// Draws trees until `left` nodes are spent; then only leaves.
struct Trees {
    stream: Stream,
    left: usize,
}

impl Trees {
    fn below(&mut self, bound: usize) -> usize {
        self.stream.index(bound)
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    /// Whether there is room for another node, which is taken.
    fn grow(&mut self) -> bool {
        let room = self.left > 0;
        self.left = self.left.saturating_sub(1);
        room
    }

    fn some<T>(&mut self, most: usize, draw: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| draw(self)).collect()
    }

    fn maybe<T>(&mut self, draw: impl Fn(&mut Self) -> T) -> Option<T> {
        self.chance(2).then(|| draw(self))
    }

    fn name(&mut self) -> Name {
        spanned(NAMES[self.below(NAMES.len())].to_owned())
    }

    fn word(&mut self) -> Name {
        match self.chance(8) {
            true => spanned(WORDS[self.below(WORDS.len())].to_owned()),
            false => self.name(),
        }
    }

    fn item(&mut self) -> Item {
        match self.below(8) {
            0 => Item::Input(self.call(0)),
            1 => Item::Output(self.call(0)),
            2 => Item::Let(self.let_()),
            3 => Item::Block(Block {
                name: self.name(),
                parameters: self.some(3, Self::parameter),
                body: self.body(),
            }),
            4 => Item::Network(self.body()),
            5 => Item::Recipe(self.some(3, |trees| RecipeEntry {
                name: trees.name(),
                value: trees.choice(false),
            })),
            6 => Item::Require(self.expression()),
            _ => Item::Limit {
                what: self.name(),
                value: self.expression(),
            },
        }
    }

    fn let_(&mut self) -> Let {
        let name = self.name();
        if self.chance(2) {
            let definition = Definition::Choice(self.choice(false));
            return Let {
                name,
                parameters: Vec::new(),
                definition,
            };
        }
        let parameters = self.some(3, Self::parameter);
        Let {
            name,
            parameters,
            definition: Definition::Body(self.body()),
        }
    }

    fn parameter(&mut self) -> Parameter {
        Parameter {
            name: self.name(),
            default: self.maybe(Self::expression),
        }
    }

    fn body(&mut self) -> Body {
        let statements = self.some(4, |trees| match trees.chance(6) {
            true => Statement::Let(spanned(trees.let_())),
            false => Statement::Choice(trees.choice(true)),
        });
        Body {
            statements,
            span: IgnoredSpan::default(),
        }
    }

    fn choice(&mut self, operations: bool) -> Choice {
        let more = if self.chance(3) { self.below(4) } else { 0 };
        let alternatives = (0..=more).map(|_| self.alternative(operations)).collect();
        Choice {
            alternatives,
            span: IgnoredSpan::default(),
        }
    }

    fn alternative(&mut self, operations: bool) -> Alternative {
        Alternative {
            term: spanned(self.term(operations)),
            optional: self.chance(6),
            weight: if self.chance(6) {
                Some(self.expression())
            } else {
                None
            },
        }
    }

    fn term(&mut self, operations: bool) -> Term {
        if !self.grow() {
            return Term::Call(self.call(0));
        }
        match self.below(if operations { 10 } else { 14 }) {
            0 => Term::Sequence(self.body()),
            1 => Term::Residual {
                arguments: self.some(2, Self::argument),
                body: self.body(),
            },
            2 => Term::Branch {
                arguments: self.some(2, Self::argument),
                paths: self.some(3, Self::body),
            },
            3 => Term::Repeat(Repeat {
                count: self.expression(),
                tied: self.chance(2),
                index: self.maybe(Self::name),
                carry: self.maybe(Self::expression),
                body: self.body(),
            }),
            4 => Term::If {
                condition: self.expression(),
                then: self.body(),
                otherwise: self.maybe(Self::body),
            },
            5 => Term::Dag(Box::new(self.dag())),
            6 => Term::Value(Box::new(spanned(self.operand_choice()))),
            7..=9 => Term::Call(self.call(0)),
            _ => loop {
                let value = self.expression();
                if !matches!(value.node, Expression::Name(_) | Expression::Call(_)) {
                    break Term::Value(value);
                }
            },
        }
    }

    fn dag(&mut self) -> Dag {
        Dag {
            inputs: self.maybe(|trees| (trees.expression(), trees.maybe(Self::body))),
            nodes: self.maybe(Self::expression),
            edges: self.maybe(|trees| trees.call(0)),
            edge: self.maybe(|trees| trees.choice(true)),
            node: self.maybe(|trees| trees.choice(true)),
            merge: self.maybe(Self::name),
            output: self.maybe(Self::name),
            span: IgnoredSpan::default(),
        }
    }

    fn call(&mut self, least: usize) -> Call {
        let more = if self.grow() { self.below(4) } else { 0 };
        let arguments = (0..more.max(least)).map(|_| self.argument()).collect();
        Call {
            name: self.name(),
            arguments,
            span: IgnoredSpan::default(),
        }
    }

    fn argument(&mut self) -> Argument {
        Argument {
            name: self.maybe(Self::word),
            value: self.choice(false),
        }
    }

    fn expression(&mut self) -> Expr {
        Box::new(spanned(self.bare_expression()))
    }

    fn bare_expression(&mut self) -> Expression {
        if !self.grow() {
            return self.leaf();
        }
        match self.below(12) {
            0..=3 => self.leaf(),
            4 => Expression::Call(self.call(1)),
            5 => Expression::Unary {
                operator: UnaryOperator::Negate,
                operand: self.expression(),
            },
            6 => Expression::Unary {
                operator: UnaryOperator::Not,
                operand: self.expression(),
            },
            7 => Expression::Range {
                low: self.expression(),
                high: self.expression(),
                progression: self.maybe(|trees| {
                    let words = [Progression::Step, Progression::Times];
                    (words[trees.below(2)], trees.expression())
                }),
            },
            8 => self.operand_choice(),
            _ => self.binary(),
        }
    }

    fn binary(&mut self) -> Expression {
        let operator = BINARY[self.below(BINARY.len())];
        let left = self.expression();
        let right = if operator == BinaryOperator::In {
            self.container()
        } else {
            self.expression()
        };
        Expression::Binary {
            operator,
            left,
            right,
        }
    }

    /// What may stand after `in`: nothing that would need parentheses there, because they make a list.
    fn container(&mut self) -> Expr {
        let right = self.expression();
        let looser = match &right.node {
            Expression::Binary { operator, .. } => !matches!(
                operator,
                BinaryOperator::Add
                    | BinaryOperator::Subtract
                    | BinaryOperator::Multiply
                    | BinaryOperator::Divide
                    | BinaryOperator::Power
            ),
            Expression::Unary { operator, .. } => *operator == UnaryOperator::Not,
            _ => false,
        };
        if !looser && self.chance(2) {
            return right;
        }
        let more = self.some(2, Self::expression);
        let values = std::iter::once(right).chain(more).collect();
        Box::new(spanned(Expression::List(values)))
    }

    /// A choice in parentheses; a single plain value would be that value.
    fn operand_choice(&mut self) -> Expression {
        let mut choice = self.choice(false);
        let plain = matches!(
            choice.alternatives[0].term.node,
            Term::Call(_) | Term::Value(_)
        );
        if plain && choice.alternatives.len() == 1 {
            choice.alternatives[0].optional = true;
        }
        Expression::Choice(choice)
    }

    fn leaf(&mut self) -> Expression {
        match self.below(5) {
            0 => Expression::Int(self.int()),
            1 => Expression::Float(self.float()),
            2 => Expression::Bool(self.chance(2)),
            3 => Expression::Incoming(self.word()),
            _ => Expression::Name(self.name().node),
        }
    }

    fn int(&mut self) -> i64 {
        let digits = self.stream.bits() >> (1 + self.below(63));
        let power = [1, 10, 1000, 1_000_000][self.below(4)];
        (digits as i64).checked_mul(power).unwrap_or(i64::MAX)
    }

    fn float(&mut self) -> f64 {
        let any = f64::from_bits(self.stream.bits()).abs();
        let round = [0.0, 0.5, 1e-4, 2.5e-3, 1e6, 3.0, 1e300];
        if any.is_finite() && self.chance(2) {
            any
        } else {
            round[self.below(round.len())]
        }
    }
}

fn spanned<T>(node: T) -> Spanned<T> {
    Spanned::new(node, Span::default())
}
