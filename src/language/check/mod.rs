//! The checker: gives a syntax tree its meaning as a [`Program`], and reports everything that is
//! wrong with it in one go.
//!
//! It resolves names, fills in arguments, turns every choice into a decision with an address, and
//! places each `let` just before the first statement that needs it. Whether shapes fit is not asked
//! here but by the space, which knows every way to come to a statement.

mod calls;
mod cells;
mod constraints;
mod operations;
mod order;
mod scope;
mod values;

use super::syntax::{self, File, Item};
use crate::architecture::Output;
use crate::diagnostics::{Diagnostic, Severity, Span};
use crate::layers::{Shape, Value};
use crate::space::expression::Expr;
use crate::space::program::{
    Alternative, Body, BodyIx, Node, NodeIx, Origin, Program, RecipeDecision, Slot, Step,
};
use crate::space::{SearchSpace, SpaceError};
use scope::{Binding, Names};
use std::collections::BTreeSet;

/// How deep a recursive block may be nested at most.
const DEPTH_LIMIT: i64 = 64;

/// How many nodes a program may have.
const NODE_LIMIT: usize = 2_000_000;

/// A checked file: the space, and what its author may want to know.
#[derive(Debug)]
pub struct Compiled {
    /// The space.
    pub space: SearchSpace,
    /// Findings that don't keep the space from being used.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles the text of a `.space` file.
///
/// # Errors
/// Every error of the text: of syntax, of names and arguments, and, where there is none of those, that
/// no architecture is valid.
pub fn compile(text: &str) -> Result<Compiled, Vec<Diagnostic>> {
    let (program, mut diagnostics) = check(text);
    let has_errors = diagnostics
        .iter()
        .any(|found| found.severity == Severity::Error);
    let Some(program) = program.filter(|_| !has_errors) else {
        return Err(diagnostics);
    };
    match SearchSpace::new(program) {
        Ok(space) => Ok(Compiled {
            space,
            warnings: diagnostics,
        }),
        Err(error) => {
            diagnostics.push(space_error(text, error));
            Err(diagnostics)
        }
    }
}

/// The program of a text, as far as it has one, and everything wrong with it but its shapes.
pub fn check(text: &str) -> (Option<Program>, Vec<Diagnostic>) {
    let parse = super::parse(text);
    let mut checker = Checker::new(parse.diagnostics);
    let program = checker.file(&parse.file);
    (program, checker.diagnostics)
}

fn space_error(text: &str, error: SpaceError) -> Diagnostic {
    match error {
        SpaceError::Unsatisfiable { origin, reason } => {
            let span = Span::new(origin.start, origin.end);
            Diagnostic::error(span, format!("no architecture gets past this: {reason}")).hint(
                "a space needs at least one architecture whose shapes fit from input to output",
            )
        }
        SpaceError::TooLarge(reason) => Diagnostic::error(Span::default(), reason)
            .hint("use fewer different shapes, or bounds that leave fewer totals"),
        SpaceError::Unmet(reason) => {
            let file = super::parse(text).file;
            let constraints = file
                .items
                .iter()
                .filter(|item| matches!(item.node, Item::Require(_)));
            let spans = constraints.map(|item| item.span);
            let span = spans.reduce(Span::to).unwrap_or_default();
            Diagnostic::error(span, reason).hint("loosen or remove one")
        }
    }
}

struct Checker {
    program: Program,
    diagnostics: Vec<Diagnostic>,
    names: Names,
    next_slot: Slot,
    calls: Vec<CallGraph>,
    current: Option<BodyIx>,
    /// Top-level values that constraints ask for.
    kept: Vec<Slot>,
}

/// What a body reads and calls itself.
#[derive(Clone, Debug, Default)]
struct CallGraph {
    calls: BTreeSet<BodyIx>,
    shared: BTreeSet<BodyIx>,
    opens: BTreeSet<BodyIx>,
    carries: bool,
}

impl Checker {
    fn new(diagnostics: Vec<Diagnostic>) -> Self {
        let program = Program {
            name: String::new(),
            input: Shape::Vector { features: 1 },
            output: Output::Classes(2),
            nodes: Vec::new(),
            origins: Vec::new(),
            bodies: Vec::new(),
            root: NodeIx(0),
            globals: 0,
            depth: 0,
            recipe: Vec::new(),
            tracked: Vec::new(),
            require: Vec::new(),
            kept: 0,
            marks: false,
            prunes: false,
        };
        Self {
            program,
            diagnostics,
            names: Names::default(),
            next_slot: 0,
            calls: Vec::new(),
            current: None,
            kept: Vec::new(),
        }
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::error(span, message));
    }

    /// Whether no error was found so far.
    fn is_sound(&self) -> bool {
        self.diagnostics
            .iter()
            .all(|found| found.severity != Severity::Error)
    }

    /// Notes a finding, once: what stands for several edges or calls is checked for each of them.
    fn report(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    fn file(&mut self, file: &File) -> Option<Program> {
        self.program.name = file
            .name
            .as_ref()
            .map(|name| name.node.clone())
            .unwrap_or_default();
        let input = self.the_one(file, "input", |item| matches!(item, Item::Input(_)));
        let output = self.the_one(file, "output", |item| matches!(item, Item::Output(_)));
        let network = self.the_one(file, "network", |item| matches!(item, Item::Network(_)));
        if let Some(Item::Input(call)) = input {
            self.input(call);
        }
        if let Some(Item::Output(call)) = output {
            self.output(call);
        }
        self.limits(file);
        self.declare(file);
        self.define(file);
        self.recipes(file);
        self.constraints(file);
        let Some(Item::Network(body)) = network else {
            return None;
        };
        self.program.root = self.root(file, body);
        if self.program.nodes.len() > NODE_LIMIT {
            self.error(
                body.span.0,
                format!("the space has over {NODE_LIMIT} program nodes"),
            );
        }
        Some(self.program.clone())
    }

    /// The only item of a kind; says so where there is none or a second one.
    fn the_one<'a>(
        &mut self,
        file: &'a File,
        what: &str,
        is: impl Fn(&Item) -> bool,
    ) -> Option<&'a Item> {
        let mut found = file.items.iter().filter(|item| is(&item.node));
        let Some(first) = found.next() else {
            let end = file.items.last().map_or(0, |item| item.span.end);
            let hint = match what {
                "input" => "add `input image(channels: 1, height: 8, width: 8)`",
                "output" => "add `output classes(10)`",
                _ => "add `network { … }`",
            };
            let missing =
                Diagnostic::error(Span::new(end, end), format!("the file has no `{what}`"));
            self.report(missing.hint(hint));
            return None;
        };
        for second in found {
            let repeated = Diagnostic::error(second.span, format!("a second `{what}`"));
            self.report(repeated.related(first.span, "the first one"));
        }
        Some(&first.node)
    }

    fn limits(&mut self, file: &File) {
        for item in &file.items {
            let Item::Limit { what, value } = &item.node else {
                continue;
            };
            if what.node != "depth" {
                let unknown =
                    Diagnostic::error(what.span, format!("unknown limit `{}`", what.node));
                self.report(unknown.hint("the limit that exists is `depth`"));
            }
            match self.constant(value) {
                Some(Value::Int(depth @ 1..=DEPTH_LIMIT)) => self.program.depth = depth as u16,
                Some(_) => {
                    let message = format!("a depth is a whole number from 1 to {DEPTH_LIMIT}");
                    self.error(value.span, message);
                }
                None => {}
            }
        }
    }

    fn recipes(&mut self, file: &File) {
        for item in &file.items {
            let Item::Recipe(entries) = &item.node else {
                continue;
            };
            for entry in entries {
                let known = self
                    .program
                    .recipe
                    .iter()
                    .any(|known| known.name == entry.name.node);
                if known {
                    self.error(
                        entry.name.span,
                        format!("`{}` is decided twice", entry.name.node),
                    );
                }
                let options = self.constant_options(&entry.value);
                if !options.is_empty() {
                    let name = entry.name.node.clone();
                    self.program.recipe.push(RecipeDecision { name, options });
                }
            }
        }
    }

    fn add(&mut self, node: Node, span: Span) -> NodeIx {
        self.program.add(
            node,
            Origin {
                start: span.start,
                end: span.end,
            },
        )
    }

    fn step(&mut self, step: Step, span: Span) -> NodeIx {
        self.add(Node::Step(step), span)
    }

    /// The nodes in sequence.
    fn sequence(&mut self, nodes: Vec<NodeIx>, span: Span) -> NodeIx {
        let mut nodes = nodes.into_iter().rev();
        let Some(last) = nodes.next() else {
            return self.step(Step::Nothing, span);
        };
        nodes.fold(last, |rest, node| self.add(Node::Then(node, rest), span))
    }

    fn fresh_slot(&mut self) -> Slot {
        self.next_slot += 1;
        self.next_slot - 1
    }

    fn call_graph(&mut self) -> Option<&mut CallGraph> {
        let current = self.current?;
        self.calls.get_mut(current.0 as usize)
    }
}

impl Checker {
    fn input(&mut self, call: &syntax::Call) {
        let fields: &[&str] = match call.name.node.as_str() {
            "image" => &["channels", "height", "width"],
            "volume" => &["channels", "depth", "height", "width"],
            "signal" => &["channels", "length"],
            "sequence" => &["length", "features"],
            "tokens" => &["length", "vocabulary"],
            "vector" => &["features"],
            other => {
                let kinds = ["image", "volume", "signal", "sequence", "tokens", "vector"];
                self.unknown(call.name.span, "input kind", other, &kinds);
                return;
            }
        };
        let Some(sizes) = self.sizes(call, fields) else {
            return;
        };
        self.program.input = match call.name.node.as_str() {
            "image" => Shape::Image {
                channels: sizes[0],
                height: sizes[1],
                width: sizes[2],
            },
            "volume" => Shape::Volume {
                channels: sizes[0],
                depth: sizes[1],
                height: sizes[2],
                width: sizes[3],
            },
            "signal" => Shape::Signal {
                channels: sizes[0],
                length: sizes[1],
            },
            "sequence" => Shape::Sequence {
                length: sizes[0],
                features: sizes[1],
            },
            "tokens" => Shape::Tokens {
                length: sizes[0],
                vocabulary: sizes[1],
            },
            _ => Shape::Vector { features: sizes[0] },
        };
    }

    fn output(&mut self, call: &syntax::Call) {
        let size = |checker: &mut Self, what| Some(checker.sizes(call, &[what])?[0]);
        let output = match call.name.node.as_str() {
            "classes" => size(self, "classes").map(Output::Classes),
            "binary" => self.sizes(call, &[]).map(|_| Output::Binary),
            "labels" => size(self, "labels").map(Output::Labels),
            "regression" if call.arguments.is_empty() => Some(Output::Regression(1)),
            "regression" => size(self, "outputs").map(Output::Regression),
            other => {
                let kinds = ["classes", "binary", "labels", "regression"];
                self.unknown(call.name.span, "output kind", other, &kinds);
                None
            }
        };
        if let Some(output) = output {
            self.program.output = output;
        }
    }

    /// The sizes of an input or output, in the order of `fields`.
    fn sizes(&mut self, call: &syntax::Call, fields: &[&'static str]) -> Option<Vec<usize>> {
        let mut sizes: Vec<Option<usize>> = vec![None; fields.len()];
        let mut sound = true;
        for (position, argument) in call.arguments.iter().enumerate() {
            let place = match &argument.name {
                None => Some(position),
                Some(name) => fields.iter().position(|field| *field == name.node),
            };
            let Some(place) = place.filter(|&place| place < fields.len()) else {
                let name = argument.name.as_ref();
                let span = name.map_or(argument.value.span.0, |name| name.span);
                let given = name.map_or("one more", |name| name.node.as_str());
                self.unknown(span, "argument", given, fields);
                sound = false;
                continue;
            };
            match self.constant_options(&argument.value).as_slice() {
                [(Value::Int(size @ 1..=16_777_216), _)] => sizes[place] = Some(*size as usize),
                [] => sound = false,
                _ => {
                    let message = format!("`{}` is one whole number from 1 to 16M", fields[place]);
                    self.error(argument.value.span.0, message);
                    sound = false;
                }
            }
        }
        if let Some(missing) = sizes.iter().position(Option::is_none).filter(|_| sound) {
            let message = format!("`{}` is missing", fields[missing]);
            self.error(call.name.span, message);
        }
        sizes.into_iter().collect()
    }

    /// "unknown WHAT `NAME`", with the closest that exists.
    fn unknown(&mut self, span: Span, what: &str, name: &str, known: &[&str]) {
        let mut found = Diagnostic::error(span, format!("unknown {what} `{name}`"));
        found = match crate::diagnostics::closest_name(name, known.iter().copied()) {
            Some(closest) => found.hint(format!("did you mean `{closest}`?")),
            None if known.len() <= 12 && !known.is_empty() => {
                found.hint(format!("known: {}", known.join(", ")))
            }
            None => found,
        };
        self.report(found);
    }
}
