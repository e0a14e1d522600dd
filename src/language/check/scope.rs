//! Names and what they stand for.

use super::{Binding as B, Checker};
use crate::diagnostics::{Diagnostic, Span};
use crate::language::syntax::{Name, Parameter};
use crate::layers;
use crate::space::program::{BodyIx, Slot};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// A value in a slot.
    Value(Slot),
    /// A body decided anew at each use.
    Block(BodyIx),
    /// A body whose decisions every use shares.
    Shared(BodyIx),
}

/// The names in scope, innermost last.
#[derive(Debug, Default)]
pub(super) struct Names {
    bound: Vec<(String, Binding, Span)>,
    /// Parameters of each body, by position.
    pub parameters: Vec<Vec<Parameter>>,
}

impl Names {
    pub fn find(&self, name: &str) -> Option<Binding> {
        self.bound
            .iter()
            .rev()
            .find(|(known, ..)| known == name)
            .map(|(_, binding, _)| *binding)
    }

    pub fn mark(&self) -> usize {
        self.bound.len()
    }

    pub fn forget_since(&mut self, mark: usize) {
        self.bound.truncate(mark);
    }

    /// Every name that can be written here: bound ones and layers.
    pub fn operations(&self) -> Vec<String> {
        let layers = layers::kinds().map(|kind| kind.name().to_owned());
        let bodies = self
            .bound
            .iter()
            .filter(|(_, binding, _)| !matches!(binding, B::Value(_)));
        bodies
            .map(|(name, ..)| name.clone())
            .chain(layers)
            .collect()
    }

    /// Every name of a value.
    pub fn values(&self) -> Vec<String> {
        let values = self
            .bound
            .iter()
            .filter(|(_, binding, _)| matches!(binding, B::Value(_)));
        values.map(|(name, ..)| name.clone()).collect()
    }
}

/// Words that mean something of their own in values.
pub(super) const RESERVED: [&str; 5] = ["classes", "outputs", "in", "true", "false"];

impl Checker {
    /// Binds a name; a name that already means something is an error, as a reader would mix them up.
    pub(super) fn bind(&mut self, name: &Name, binding: Binding) {
        let earlier = self
            .names
            .bound
            .iter()
            .find(|(known, ..)| *known == name.node);
        if let Some((_, _, first)) = earlier {
            let first = *first;
            let message = format!("`{}` is already defined", name.node);
            let found = Diagnostic::error(name.span, message).related(first, "first defined here");
            self.report(found.hint("names don't shadow each other: use another one"));
        } else if layers::find(&name.node).is_some() {
            let message = format!("`{}` is the name of a layer", name.node);
            self.report(Diagnostic::error(name.span, message).hint("use another name"));
        } else if RESERVED.contains(&name.node.as_str()) {
            self.error(
                name.span,
                format!("`{}` has a meaning of its own", name.node),
            );
        }
        self.names
            .bound
            .push((name.node.clone(), binding, name.span));
    }
}
