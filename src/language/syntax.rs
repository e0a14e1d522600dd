//! The syntax tree of a `.space` file.
//!
//! Equality ignores spans, so that a printed and re-parsed tree equals its source. Comments are kept
//! by [`File::comments`] for the formatter.

use crate::diagnostics::Span;

/// A piece of syntax and where it stands. Equality ignores the place.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The syntax.
    pub node: T,
    /// Where it stands.
    pub span: Span,
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl<T> Spanned<T> {
    /// `node` at `span`.
    pub fn new(node: T, span: Span) -> Self {
        Self { node, span }
    }
}

/// A name as written.
pub type Name = Spanned<String>;

/// A whole file.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// `space NAME`.
    pub name: Option<Name>,
    /// The items in order.
    pub items: Vec<Spanned<Item>>,
    /// Comments in order: their span, with the leading `//`, and text without it.
    pub comments: Vec<Spanned<String>>,
}

impl PartialEq for File {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.items == other.items
    }
}

/// One item at the top of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `input image(channels: 1, height: 8, width: 8)`.
    Input(Call),
    /// `output classes(10)`.
    Output(Call),
    /// `let …`: decided once.
    Let(Let),
    /// `block name(parameters) { … }`: decided anew at each use.
    Block(Block),
    /// `network { … }`.
    Network(Body),
    /// `recipe { name: choice, … }`; newlines or commas between entries.
    Recipe(Vec<RecipeEntry>),
    /// `require expression`.
    Require(Expr),
    /// `limit depth N`: the limit's name and its value.
    Limit {
        /// What is limited: `depth`.
        what: Name,
        /// The bound.
        value: Expr,
    },
}

/// `let name = value`, or `let name(parameters) { … }` / `let name { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// The name it binds.
    pub name: Name,
    /// Its parameters; empty for a value.
    pub parameters: Vec<Parameter>,
    /// What it stands for.
    pub definition: Definition,
}

/// The right side of a `let`.
#[derive(Clone, Debug, PartialEq)]
pub enum Definition {
    /// `= choice`: a value, or a choice of operations, decided once. Whether the names in it are
    /// values or layers is the checker's to say.
    Choice(Choice),
    /// `{ … }`: a body whose decisions are shared by every use.
    Body(Body),
}

/// `block name(parameters) { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// What it expands to.
    pub body: Body,
}

/// `name` or `name = default`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Its value where none is given.
    pub default: Option<Expr>,
}

/// `{ statement … }`, each feeding the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// The statements.
    pub statements: Vec<Statement>,
    /// From `{` to `}`. Not compared.
    pub span: IgnoredSpan,
}

/// A span that equality ignores.
#[derive(Clone, Copy, Debug, Default)]
pub struct IgnoredSpan(pub Span);

impl PartialEq for IgnoredSpan {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// One statement of a body.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// A `let` decided once an expansion of the enclosing body.
    Let(Spanned<Let>),
    /// An operation, or a choice of them.
    Choice(Choice),
}

/// `a | b @ 3 | c?`: exactly one of the alternatives. A single alternative without `?` is no choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The alternatives, at least one.
    pub alternatives: Vec<Alternative>,
    /// From the first to the last. Not compared.
    pub span: IgnoredSpan,
}

/// One alternative of a choice: `term`, `term?`, `term @ weight`, `term? @ weight`.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// The operation or value.
    pub term: Spanned<Term>,
    /// Whether `?` follows: this or nothing.
    pub optional: bool,
    /// The prior weight after `@`.
    pub weight: Option<Expr>,
}

/// An operation, or a value where a value is wanted.
///
/// A call or a lone name stays [`Term::Call`] whether it turns out to be a layer, a block, a `let` or
/// a plain value: only the checker knows. Everything else that is arithmetic is [`Term::Value`].
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// `name` or `name(arguments)`.
    Call(Call),
    /// A number, a range, arithmetic, `in.channels`, `true`, a parenthesised expression.
    Value(Expr),
    /// `{ … }`: a sequence as one alternative.
    Sequence(Body),
    /// `residual { … }` or `residual(project: true) { … }`.
    Residual {
        /// Arguments before the body.
        arguments: Vec<Argument>,
        /// The body.
        body: Body,
    },
    /// `branch(merge: add) { { … } { … } }`.
    Branch {
        /// Arguments before the bodies.
        arguments: Vec<Argument>,
        /// The parallel paths.
        paths: Vec<Body>,
    },
    /// `repeat count (as i) (carry k) (tied) { … }`.
    Repeat(Repeat),
    /// `if condition { … } else { … }`; `else if` is an `else` whose body is one `if` statement.
    If {
        /// The condition.
        condition: Expr,
        /// When it holds.
        then: Body,
        /// When it does not; nothing if absent.
        otherwise: Option<Body>,
    },
    /// `dag { … }`.
    Dag(Box<Dag>),
    /// Text that could not be parsed; an error was reported.
    Error,
}

/// `repeat lo..hi tied as i carry k { … }`. The words after the count may come in any order in the
/// source and print in this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeat {
    /// How many: a number, a range or an expression.
    pub count: Expr,
    /// Whether every copy has one decision.
    pub tied: bool,
    /// The name of the copy's number.
    pub index: Option<Name>,
    /// How many earlier copies' outputs the body sees.
    pub carry: Option<Expr>,
    /// The body.
    pub body: Body,
}

/// The clauses of a `dag`, in the order given; each at most once (the parser reports repeats).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dag {
    /// `inputs k`, and what each input passes through first: `inputs 2 { … }`.
    pub inputs: Option<(Expr, Option<Body>)>,
    /// `nodes n` or `nodes lo..hi`.
    pub nodes: Option<Expr>,
    /// `edges all`, `edges choose(k)`, `edges subset(max: m)`.
    pub edges: Option<Call>,
    /// `edge choice`: the operation on an edge.
    pub edge: Option<Choice>,
    /// `node choice`: the operation on a node.
    pub node: Option<Choice>,
    /// `merge add`.
    pub merge: Option<Name>,
    /// `output last` or `output concat` or `output add`.
    pub output: Option<Name>,
    /// From `{` to `}`. Not compared.
    pub span: IgnoredSpan,
}

/// `name` or `name(arguments)`; `relu()` and `relu` are the same call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The name.
    pub name: Name,
    /// The arguments.
    pub arguments: Vec<Argument>,
    /// From the name to the closing parenthesis. Not compared.
    pub span: IgnoredSpan,
}

/// A positional or named argument. Its value may be a choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// The name before the colon, if any.
    pub name: Option<Name>,
    /// The value.
    pub value: Choice,
}

/// One entry of `recipe { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipeEntry {
    /// The recipe's setting.
    pub name: Name,
    /// Its value or choice of values.
    pub value: Choice,
}

/// An expression over values.
pub type Expr = Box<Spanned<Expression>>;

/// The form of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A whole number, its suffix applied: `200k` is 200000.
    Int(i64),
    /// A real number. Compared by bits by the formatter's tests; never NaN.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A name: a parameter, a `let`, a metric, or a word of the catalogue.
    Name(String),
    /// `in.channels`.
    Incoming(Name),
    /// `count(name)` and other calls inside expressions.
    Call(Call),
    /// `-x` or `not x`.
    Unary {
        /// The operator.
        operator: UnaryOperator,
        /// What it applies to.
        operand: Expr,
    },
    /// `a + b`, `a <= b`, `a and b`, `a in (b, c)` by [`BinaryOperator::In`] with a list.
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// Left.
        left: Expr,
        /// Right.
        right: Expr,
    },
    /// `lo..hi`, `lo..hi step s`, `lo..hi times k`.
    Range {
        /// First.
        low: Expr,
        /// Last, included.
        high: Expr,
        /// How it grows; by 1 if absent.
        progression: Option<(Progression, Expr)>,
    },
    /// `(a | b)`: a choice as an operand, as in `2 * (8 | 16)`.
    Choice(Choice),
    /// `(a, b, …)`, on the right of `in` only.
    List(Vec<Expr>),
    /// Text that could not be parsed; an error was reported.
    Error,
}

/// How a range grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progression {
    /// `step s`: add.
    Step,
    /// `times k`: multiply.
    Times,
}

/// A prefix operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `-`.
    Negate,
    /// `not`.
    Not,
}

/// An infix operator. From loosest to tightest: `or`; `and`; `not`; comparisons and `in` (which do not
/// chain); `+ -`; `* /`; unary `-`; `^` (to the right).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `in`
    In,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `^`
    Power,
}
