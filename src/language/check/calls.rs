//! Calls of layers, blocks and shared bodies.

use super::values::Before;
use super::*;
use crate::language::syntax::{Argument, Call, Parameter};
use crate::layers::{self, Arity, Default, Kind};

impl Checker {
    /// A call by name: a bound body first, then the catalogue.
    pub(super) fn call(&mut self, call: &Call, span: Span) -> NodeIx {
        match self.names.find(&call.name.node) {
            Some(Binding::Block(body)) => self.body_call(body, call, span, false),
            Some(Binding::Shared(body)) => self.body_call(body, call, span, true),
            Some(Binding::Value(_)) => {
                let message = format!("`{}` is a value, not an operation", call.name.node);
                self.error(call.name.span, message);
                self.step(Step::Nothing, span)
            }
            None => match layers::find(&call.name.node) {
                Some(kind) => self.layer_call(kind, call, span),
                None => {
                    let known = self.names.operations();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    self.unknown(call.name.span, "layer or block", &call.name.node, &known);
                    self.step(Step::Nothing, span)
                }
            },
        }
    }

    fn layer_call(&mut self, kind: Kind, call: &Call, span: Span) -> NodeIx {
        let name = kind.name();
        let merged = match kind.describe().arity {
            Arity::One => return self.layer_step(kind, call, 1, span),
            Arity::Two => "two",
            Arity::Many => "several",
        };
        let found = Diagnostic::error(span, format!("`{name}` merges {merged} tensors"));
        self.report(found.hint(format!(
            "write `branch(merge: {name}) {{ {{ … }} {{ … }} }}`"
        )));
        self.step(Step::Nothing, span)
    }

    /// A layer of the catalogue with the arguments of `call`, applied to the top `inputs` tensors.
    pub(super) fn layer_step(
        &mut self,
        kind: Kind,
        call: &Call,
        inputs: usize,
        span: Span,
    ) -> NodeIx {
        let description = kind.describe();
        let names: Vec<&'static str> = description.arguments.iter().map(|spec| spec.name).collect();
        let mut before = Before::default();
        let mut given = Vec::new();
        let errors_before = self.diagnostics.len();
        let places = self.places(&call.arguments, &names);
        let misplaced = self.diagnostics.len() > errors_before;
        for (place, argument) in places {
            let spec = &description.arguments[place];
            let errors = self.diagnostics.len();
            let value = self.value(&argument.value, spec.name, &mut before);
            if self.diagnostics.len() == errors {
                self.check_argument(spec, &value, argument, &before);
            }
            given.push((place, value));
        }
        for (place, spec) in description.arguments.iter().enumerate() {
            // A misspelt argument is reported once, not also as the missing one it was meant to be.
            let missing = spec.default == Default::Required
                && !misplaced
                && !given.iter().any(|(known, _)| *known == place);
            if missing {
                let message = format!("`{}` of {} is missing", spec.name, description.name);
                let found = Diagnostic::error(span, message);
                self.report(found.hint(format!("`{}` is {}: {}", spec.name, spec.ty, spec.doc)));
            }
        }
        let mut nodes = before.nodes;
        nodes.push(self.step(
            Step::Layer {
                kind,
                arguments: given,
                inputs,
            },
            span,
        ));
        if !before.slots.is_empty() {
            nodes.push(self.step(Step::Clear(before.slots), span));
        }
        self.sequence(nodes, span)
    }

    /// Reports a constant, or an option of a choice of constants, that the argument can't be.
    fn check_argument(
        &mut self,
        spec: &layers::Argument,
        value: &Expr,
        argument: &Argument,
        before: &Before,
    ) {
        let mut wrong = Vec::new();
        match value {
            Expr::Value(value) if spec.ty.accept(*value).is_none() => {
                wrong.push((*value, argument.value.span.0));
            }
            Expr::Slot(slot) if before.slots.last() == Some(slot) => {
                wrong.extend(self.unacceptable_options(spec, *slot, before));
            }
            _ => {}
        }
        for (value, span) in wrong {
            let found = Diagnostic::error(span, format!("`{}` can't be {value}", spec.name));
            self.report(found.hint(format!("`{}` is {}", spec.name, spec.ty)));
        }
    }

    fn unacceptable_options(
        &self,
        spec: &layers::Argument,
        slot: Slot,
        before: &Before,
    ) -> Vec<(Value, Span)> {
        let Some(Node::Choice { options, .. }) = before.nodes.last().map(|&n| self.program.node(n))
        else {
            return Vec::new();
        };
        let mut wrong = Vec::new();
        for option in options {
            if let Node::Step(Step::Set(set, Expr::Value(value))) = self.program.node(option.node)
                && *set == slot
                && spec.ty.accept(*value).is_none()
            {
                let origin = self.program.origins[option.node.0 as usize];
                wrong.push((*value, Span::new(origin.start, origin.end)));
            }
        }
        wrong
    }

    /// Where each argument goes; those that go nowhere or twice to one place are reported.
    fn places<'a>(
        &mut self,
        arguments: &'a [Argument],
        names: &[&str],
    ) -> Vec<(usize, &'a Argument)> {
        let mut places: Vec<(usize, &Argument)> = Vec::new();
        for (position, argument) in arguments.iter().enumerate() {
            let place = match &argument.name {
                Some(name) => names.iter().position(|known| *known == name.node),
                None => Some(position).filter(|&position| position < names.len()),
            };
            let span = argument
                .name
                .as_ref()
                .map_or(argument.value.span.0, |name| name.span);
            match (place, &argument.name) {
                (None, Some(name)) => self.unknown(span, "argument", &name.node, names),
                (None, None) => {
                    let message = format!("one argument too many: there are {}", names.len());
                    self.error(span, message);
                }
                (Some(place), _) => {
                    if let Some((_, first)) = places.iter().find(|(known, _)| *known == place) {
                        let found =
                            Diagnostic::error(span, format!("`{}` is given twice", names[place]));
                        self.report(found.related(first.value.span.0, "the first time"));
                    } else {
                        places.push((place, argument));
                    }
                }
            }
        }
        places
    }

    fn body_call(&mut self, body: BodyIx, call: &Call, span: Span, shared: bool) -> NodeIx {
        let parameters: Vec<Parameter> = self.names.parameters[body.0 as usize].clone();
        let names: Vec<&str> = parameters.iter().map(|p| p.name.node.as_str()).collect();
        let mut before = Before::default();
        let mut values: Vec<Option<Expr>> = vec![None; names.len()];
        for (place, argument) in self.places(&call.arguments, &names) {
            let segment = format!("{}.{}", call.name.node, names[place]);
            values[place] = Some(self.value(&argument.value, &segment, &mut before));
        }
        let mut arguments = Vec::new();
        for (parameter, value) in parameters.iter().zip(values) {
            let value = match (value, &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self
                    .constant(default)
                    .map_or(Expr::Value(Value::Int(0)), Expr::Value),
                (None, None) => {
                    let name = &parameter.name.node;
                    let message = format!("`{name}` of {} is missing", call.name.node);
                    let found = Diagnostic::error(span, message);
                    self.report(found.related(parameter.name.span, "declared here"));
                    Expr::Value(Value::Int(0))
                }
            };
            arguments.push(value);
        }
        self.note_call(body);
        let node = if shared {
            if let Some(graph) = self.call_graph() {
                graph.shared.insert(body);
            }
            Node::Shared { body, arguments }
        } else {
            Node::Call {
                body,
                arguments,
                segment: call.name.node.as_str().into(),
            }
        };
        let mut nodes = before.nodes;
        nodes.push(self.add(node, span));
        if !before.slots.is_empty() {
            nodes.push(self.step(Step::Clear(before.slots), span));
        }
        self.sequence(nodes, span)
    }
}
