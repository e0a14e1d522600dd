//! Bodies, statements, and the forms that compose operations.

use super::values::Before;
use super::*;
use crate::language::syntax::{
    Argument, Body as BodySyntax, Call, Choice, Definition, Let, Repeat, Statement, Term,
};
use crate::layers;
use std::collections::BTreeMap;

impl Checker {
    /// A body's statements, each feeding the next. Names bound inside end with it.
    pub(super) fn body(&mut self, body: &BodySyntax) -> NodeIx {
        let mark = self.names.mark();
        let first_slot = self.next_slot;
        let mut nodes = Vec::new();
        let mut opened = Vec::new();
        let several = body.statements.len() > 1;
        for (index, statement) in body.statements.iter().enumerate() {
            let (node, span) = match statement {
                Statement::Let(binding) => {
                    (self.local_let(&binding.node, &mut opened), binding.span)
                }
                Statement::Choice(choice) => (self.choice(choice), choice.span.0),
            };
            let labelled = several && matches!(statement, Statement::Choice(_));
            nodes.push(if labelled {
                self.add(Node::Label(index.to_string().into(), node), span)
            } else {
                node
            });
        }
        let span = body.span.0;
        self.clear_after_last_use(&mut nodes, first_slot, span);
        for body in opened.into_iter().rev() {
            nodes.push(self.add(Node::Close(body), span));
        }
        self.names.forget_since(mark);
        self.sequence(nodes, span)
    }

    /// A `let` in a body: a value in a slot of its own, or a shared body of this expansion.
    fn local_let(&mut self, binding: &Let, opened: &mut Vec<BodyIx>) -> NodeIx {
        let span = binding.name.span;
        if let Definition::Choice(choice) = &binding.definition
            && self.is_value(choice)
        {
            let node = self.let_value(&binding.name, choice);
            let slot = self.next_slot - 1;
            self.bind(&binding.name, Binding::Value(slot));
            return node;
        }
        let body = self.new_body(&binding.name.node);
        self.names.parameters[body.0 as usize] = binding.parameters.clone();
        self.shared_definition(body, binding);
        self.bind(&binding.name, Binding::Shared(body));
        if let Some(graph) = self.call_graph() {
            graph.opens.insert(body);
        }
        opened.push(body);
        self.add(Node::Open(body), span)
    }

    /// Decides a value and puts it into the newest slot.
    pub(super) fn let_value(&mut self, name: &syntax::Name, choice: &Choice) -> NodeIx {
        let mut before = Before::default();
        let value = self.value(choice, &name.node, &mut before);
        let slot = self.fresh_slot();
        self.set_value(slot, value, before, choice.span.0)
    }

    pub(super) fn set_value(
        &mut self,
        slot: Slot,
        value: Expr,
        before: Before,
        span: Span,
    ) -> NodeIx {
        let mut nodes = before.nodes;
        nodes.push(self.step(Step::Set(slot, value), span));
        if !before.slots.is_empty() {
            nodes.push(self.step(Step::Clear(before.slots), span));
        }
        self.sequence(nodes, span)
    }

    /// A body with a frame of its own: parameters first.
    pub(super) fn framed(
        &mut self,
        body: BodyIx,
        parameters: &[syntax::Parameter],
        lower: impl FnOnce(&mut Self) -> NodeIx,
        span: Span,
    ) {
        let (outer_slot, outer_body) = (self.next_slot, self.current);
        let mark = self.names.mark();
        self.next_slot = self.program.globals;
        self.current = Some(body);
        for parameter in parameters {
            let slot = self.fresh_slot();
            self.bind(&parameter.name, Binding::Value(slot));
        }
        let node = lower(self);
        let end = self.step(Step::Return, span);
        self.program.bodies[body.0 as usize].node = self.add(Node::Then(node, end), span);
        self.names.forget_since(mark);
        self.next_slot = outer_slot;
        self.current = outer_body;
    }

    pub(super) fn shared_definition(&mut self, body: BodyIx, binding: &Let) {
        let span = binding.name.span;
        self.framed(
            body,
            &binding.parameters,
            |checker| match &binding.definition {
                Definition::Choice(choice) => checker.choice(choice),
                Definition::Body(body) => checker.body(body),
            },
            span,
        );
    }

    pub(super) fn new_body(&mut self, name: &str) -> BodyIx {
        let ix = BodyIx(u32::try_from(self.program.bodies.len()).expect("bodies are few"));
        self.program.bodies.push(Body {
            name: name.into(),
            node: NodeIx(0),
            globals: Vec::new(),
            shared: Vec::new(),
            recursive: false,
            deep: false,
            carries: false,
        });
        self.calls.push(CallGraph::default());
        self.names.parameters.push(Vec::new());
        ix
    }

    /// Whether a choice is among values rather than operations.
    pub(super) fn is_value(&self, choice: &Choice) -> bool {
        choice
            .alternatives
            .iter()
            .all(|branch| match &branch.term.node {
                Term::Value(_) => true,
                Term::Call(call) if call.arguments.is_empty() => {
                    match self.names.find(&call.name.node) {
                        Some(binding) => matches!(binding, Binding::Value(_)),
                        None => {
                            layers::find(&call.name.node).is_none()
                                && (["classes", "outputs"].contains(&call.name.node.as_str())
                                    || super::values::word(&call.name.node).is_some())
                        }
                    }
                }
                _ => false,
            })
    }

    /// One operation, or a decision between several.
    pub(super) fn choice(&mut self, choice: &Choice) -> NodeIx {
        let span = choice.span.0;
        if let [only] = choice.alternatives.as_slice()
            && !only.optional
        {
            return self.term(&only.term.node, only.term.span);
        }
        self.refuse_repeated_terms(choice);
        let mut options = Vec::new();
        let mut names = BTreeMap::<String, usize>::new();
        for branch in &choice.alternatives {
            let name = term_name(&branch.term.node);
            let count = names.entry(name.clone()).or_default();
            *count += 1;
            let name = if *count == 1 {
                name
            } else {
                format!("{name}#{count}")
            };
            let inner = self.term(&branch.term.node, branch.term.span);
            let already = matches!(self.program.node(inner), Node::Call { .. });
            let node = if already && *count == 1 {
                inner
            } else {
                self.add(Node::Label(name.clone().into(), inner), branch.term.span)
            };
            let weight = self.weight(branch);
            options.push(Alternative {
                node,
                weight,
                name: name.into(),
            });
        }
        if choice.alternatives.iter().any(|branch| branch.optional) {
            let node = self.step(Step::Nothing, span);
            options.push(Alternative {
                node,
                weight: 1.0,
                name: "identity".into(),
            });
        }
        self.add(
            Node::Choice {
                segment: "".into(),
                options,
            },
            span,
        )
    }

    fn refuse_repeated_terms(&mut self, choice: &Choice) {
        let optional = choice.alternatives.iter().any(|branch| branch.optional);
        let mut seen: Vec<&syntax::Spanned<Term>> = Vec::new();
        let mut repeated = Vec::new();
        for branch in &choice.alternatives {
            let is_identity = term_name(&branch.term.node) == "identity";
            if let Some(first) = seen.iter().find(|known| **known == &branch.term) {
                repeated.push((branch.term.span, Some(first.span)));
            } else if optional && is_identity {
                repeated.push((branch.term.span, None));
            } else {
                seen.push(&branch.term);
            }
        }
        for (span, first) in repeated {
            let found = Diagnostic::error(span, "this option stands here twice");
            self.report(match first {
                Some(first) => found
                    .related(first, "the first time")
                    .hint("use `@` to give one option more weight"),
                None => found.hint("`?` already offers identity"),
            });
        }
    }

    fn term(&mut self, term: &Term, span: Span) -> NodeIx {
        match term {
            Term::Call(call) => self.call(call, span),
            Term::Value(_) => {
                let found = Diagnostic::error(span, "a value stands where an operation is wanted");
                self.report(found.hint("write a layer, such as `conv2d(16, kernel: 3)`"));
                self.step(Step::Nothing, span)
            }
            Term::Sequence(body) => self.body(body),
            Term::Residual { arguments, body } => self.residual(arguments, body, span),
            Term::Branch { arguments, paths } => self.branch(arguments, paths, span),
            Term::Repeat(repeat) => self.repeat(repeat, span),
            Term::If {
                condition,
                then,
                otherwise,
            } => self.conditional(condition, then, otherwise.as_ref(), span),
            Term::Dag(dag) => self.dag(dag, span),
            Term::Error => self.step(Step::Nothing, span),
        }
    }

    pub(super) fn merge_step(&mut self, name: &str, inputs: usize, span: Span) -> NodeIx {
        let kind = layers::find(name).expect("only merges of the catalogue get here");
        self.step(
            Step::Layer {
                kind,
                arguments: Vec::new(),
                inputs,
            },
            span,
        )
    }

    fn residual(&mut self, arguments: &[Argument], body: &BodySyntax, span: Span) -> NodeIx {
        let mut project = false;
        for argument in arguments {
            let name = argument
                .name
                .as_ref()
                .map_or("project", |name| name.node.as_str());
            let span = argument.value.span.0;
            match (name, self.constant_options(&argument.value).as_slice()) {
                ("project", [(Value::Bool(truth), _)]) => project = *truth,
                ("project", []) => {}
                ("project", _) => self.error(span, "`project` is true or false"),
                (other, _) => self.unknown(span, "argument", other, &["project"]),
            }
        }
        let mut nodes = vec![self.step(Step::Pick(0), span), self.body(body)];
        if project {
            nodes.push(self.step(Step::Project, span));
        }
        nodes.push(self.merge_step("add", 2, span));
        self.sequence(nodes, span)
    }

    /// The merge of any number of tensors that a word names.
    pub(super) fn merge_name(&mut self, name: &str, span: Span) -> Option<&'static str> {
        self.merge_kind(name, &[layers::Arity::Many], span)
            .map(layers::Kind::name)
    }

    /// The layer of one of these arities that a word names.
    fn merge_kind(
        &mut self,
        name: &str,
        arities: &[layers::Arity],
        span: Span,
    ) -> Option<layers::Kind> {
        let merges: Vec<layers::Kind> = layers::kinds()
            .filter(|kind| arities.contains(&kind.describe().arity))
            .collect();
        let known = merges.iter().find(|kind| kind.name() == name).copied();
        if known.is_none() {
            let names: Vec<&str> = merges.into_iter().map(layers::Kind::name).collect();
            self.unknown(span, "merge", name, &names);
        }
        known
    }

    /// The step that merges the outputs of `paths` paths as `branch(merge: …)` says.
    fn branch_merge(&mut self, call: &Call, paths: usize, span: Span) -> Option<NodeIx> {
        let arities = [layers::Arity::Many, layers::Arity::Two];
        let kind = self.merge_kind(&call.name.node, &arities, call.name.span)?;
        if kind.describe().arity == layers::Arity::Two && paths != 2 {
            let name = kind.name();
            self.error(span, format!("`{name}` merges two paths, not {paths}"));
        }
        Some(self.layer_step(kind, call, paths, span))
    }

    fn branch(&mut self, arguments: &[Argument], paths: &[BodySyntax], span: Span) -> NodeIx {
        let mut merge = None;
        for argument in arguments {
            let name = argument
                .name
                .as_ref()
                .map_or("merge", |name| name.node.as_str());
            let place = argument.value.span.0;
            let call = match argument.value.alternatives.as_slice() {
                [only] => match &only.term.node {
                    Term::Call(call) => Some(call),
                    _ => None,
                },
                _ => None,
            };
            match (name, call) {
                ("merge", Some(call)) => merge = Some(call),
                ("merge", None) => self.error(place, "`merge` is one way to merge, such as add"),
                (other, _) => self.unknown(place, "argument", other, &["merge"]),
            }
        }
        if arguments.is_empty() {
            let found = Diagnostic::error(span, "`merge` is missing");
            self.report(found.hint("write `branch(merge: add) { { … } { … } }`"));
        }
        if paths.len() < 2 {
            self.error(span, "a branch has at least two paths");
        }
        let mut nodes = Vec::new();
        for (index, path) in paths.iter().enumerate() {
            nodes.push(self.step(Step::Pick(index), span));
            let inner = self.body(path);
            nodes.push(self.add(Node::Label(format!("path[{index}]").into(), inner), span));
        }
        if let Some(call) = merge {
            nodes.extend(self.branch_merge(call, paths.len(), span));
        }
        nodes.push(self.step(Step::DropBelow(1), span));
        self.sequence(nodes, span)
    }

    fn conditional(
        &mut self,
        condition: &syntax::Expr,
        then: &BodySyntax,
        otherwise: Option<&BodySyntax>,
        span: Span,
    ) -> NodeIx {
        let mut before = Before::default();
        let value = self.expression(condition, "if", &mut before);
        if !before.nodes.is_empty() {
            let found = Diagnostic::error(condition.span, "a condition decides nothing itself");
            self.report(found.hint("decide it with `let` before, and test that"));
        }
        let slot = self.fresh_slot();
        let mut nodes = vec![self.step(Step::Set(slot, value), condition.span)];
        for (expected, body, name) in [(true, Some(then), "then"), (false, otherwise, "else")] {
            let Some(body) = body else { continue };
            let inner = self.body(body);
            let node = self.add(Node::Label(name.into(), inner), span);
            nodes.push(self.add(
                Node::Guard {
                    slot,
                    expected,
                    node,
                },
                span,
            ));
        }
        nodes.push(self.step(Step::Clear(vec![slot]), span));
        self.sequence(nodes, span)
    }

    fn repeat(&mut self, repeat: &Repeat, span: Span) -> NodeIx {
        if repeat.tied || repeat.carry.is_some() {
            return self.framed_repeat(repeat, span);
        }
        let (mut nodes, count) = self.count_copies(repeat);
        let mark = self.names.mark();
        let index = self.fresh_slot();
        if let Some(name) = &repeat.index {
            self.bind(name, Binding::Value(index));
        }
        let node = self.body(&repeat.body);
        self.names.forget_since(mark);
        nodes.push(self.add(
            Node::Loop {
                count,
                index,
                segment: "repeat".into(),
                node,
            },
            span,
        ));
        nodes.push(self.step(Step::Clear(vec![count, index]), span));
        self.sequence(nodes, span)
    }

    /// Decides the number of copies into a slot.
    fn count_copies(&mut self, repeat: &Repeat) -> (Vec<NodeIx>, Slot) {
        let mut before = Before::default();
        let value = self.expression(&repeat.count, "repeat", &mut before);
        if let Expr::Value(value) = value
            && !matches!(value, Value::Int(0..=crate::space::program::COPIES))
        {
            let most = crate::space::program::COPIES;
            let message = format!("a number of copies is a whole number from 0 to {most}");
            self.error(repeat.count.span, message);
        }
        let slot = self.fresh_slot();
        let mut nodes = before.nodes;
        nodes.push(self.step(Step::Count(slot, value), repeat.count.span));
        if !before.slots.is_empty() {
            nodes.push(self.step(Step::Clear(before.slots), repeat.count.span));
        }
        (nodes, slot)
    }

    /// `tied` and `carry` need a frame of their own: for the one body that every copy shares, and for
    /// the outputs carried.
    fn framed_repeat(&mut self, repeat: &Repeat, span: Span) -> NodeIx {
        let (mut nodes, count) = self.count_copies(repeat);
        let locals: Vec<Slot> = (self.program.globals..self.next_slot).collect();
        let carry = repeat
            .carry
            .as_ref()
            .map(|carry| match self.constant(carry) {
                Some(Value::Int(copies @ 1..=64)) => copies as usize,
                Some(_) => {
                    self.error(
                        carry.span,
                        "the copies carried are a whole number from 1 to 64",
                    );
                    1
                }
                None => 1,
            });
        let frame = self.new_body("repeat");
        self.note_call(frame);
        let arguments = locals.iter().map(|&slot| Expr::Slot(slot)).collect();
        let (outer_slot, outer_body) = (self.next_slot, self.current);
        self.current = Some(frame);
        let inner = self.frame_contents(repeat, frame, count, carry, span);
        let end = self.step(Step::Return, span);
        self.program.bodies[frame.0 as usize].node = self.add(Node::Then(inner, end), span);
        (self.next_slot, self.current) = (outer_slot, outer_body);
        nodes.push(self.add(
            Node::Call {
                body: frame,
                arguments,
                segment: "".into(),
            },
            span,
        ));
        nodes.push(self.step(Step::Clear(vec![count]), span));
        self.sequence(nodes, span)
    }

    fn frame_contents(
        &mut self,
        repeat: &Repeat,
        frame: BodyIx,
        count: Slot,
        carry: Option<usize>,
        span: Span,
    ) -> NodeIx {
        let mark = self.names.mark();
        let index = self.fresh_slot();
        if let Some(name) = &repeat.index {
            self.bind(name, Binding::Value(index));
        }
        let mut nodes = Vec::new();
        if let Some(copies) = carry {
            nodes.push(self.step(Step::BeginCarry(copies), span));
        }
        let tied = repeat
            .tied
            .then(|| self.tied_body(repeat, frame, index, span));
        let mut copy = match tied {
            None => self.body(&repeat.body),
            Some(tied) => {
                nodes.push(self.add(Node::Open(tied), span));
                let arguments = (self.program.globals..=index).map(Expr::Slot).collect();
                self.add(
                    Node::Shared {
                        body: tied,
                        arguments,
                    },
                    span,
                )
            }
        };
        if carry.is_some() {
            let carry = self.step(Step::Carry, span);
            copy = self.add(Node::Then(copy, carry), span);
        }
        let segment = "repeat".into();
        nodes.push(self.add(
            Node::Loop {
                count,
                index,
                segment,
                node: copy,
            },
            span,
        ));
        if let Some(tied) = tied {
            nodes.push(self.add(Node::Close(tied), span));
        }
        self.names.forget_since(mark);
        self.sequence(nodes, span)
    }

    /// The body that every copy shares. Its parameters are the frame's slots as they are.
    fn tied_body(&mut self, repeat: &Repeat, frame: BodyIx, index: Slot, span: Span) -> BodyIx {
        let tied = self.new_body("tied");
        self.calls[frame.0 as usize].opens.insert(tied);
        self.calls[frame.0 as usize].shared.insert(tied);
        self.calls[frame.0 as usize].calls.insert(tied);
        let outer = (self.next_slot, self.current);
        self.current = Some(tied);
        self.next_slot = index + 1;
        let node = self.body(&repeat.body);
        let end = self.step(Step::Return, span);
        self.program.bodies[tied.0 as usize].node = self.add(Node::Then(node, end), span);
        (self.next_slot, self.current) = outer;
        tied
    }

    pub(super) fn note_call(&mut self, body: BodyIx) {
        if let Some(graph) = self.call_graph() {
            graph.calls.insert(body);
        }
    }
}

/// The name of an option, for its address and for people.
fn term_name(term: &Term) -> String {
    match term {
        Term::Call(call) => call.name.node.clone(),
        Term::Value(_) => "value".to_owned(),
        Term::Sequence(_) => "sequence".to_owned(),
        Term::Residual { .. } => "residual".to_owned(),
        Term::Branch { .. } => "branch".to_owned(),
        Term::Repeat(_) => "repeat".to_owned(),
        Term::If { .. } => "if".to_owned(),
        Term::Dag(_) => "dag".to_owned(),
        Term::Error => "error".to_owned(),
    }
}
