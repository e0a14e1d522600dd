//! Bodies, statements, choices and forms.

use super::printer::{Misfit, Printer};
use crate::diagnostics::Span;
use crate::language::syntax::{Alternative, Body, Choice, Dag, Repeat, Spanned, Statement, Term};

/// One clause of a `dag`: where it stands, its word, and how its value is written.
type Clause<'d, 'p> = (usize, &'static str, Box<dyn Fn(&mut Printer<'p>) + 'd>);

impl<'p> Printer<'p> {
    /// `{ … }` on one line or several.
    pub fn body(&mut self, body: &Body) {
        self.body_or_break(body, self.was_broken(body.span.0));
    }

    /// `{ … }`, on several lines if `broken` or too wide.
    pub fn body_or_break(&mut self, body: &Body, broken: bool) {
        let span = body.span.0;
        if body.statements.is_empty() && !self.has_comment(span) {
            return self.push("{}");
        }
        if broken {
            self.must_break();
        }
        if self.is_flat() {
            return self.flat_body(body);
        }
        if !broken && self.try_flat(|page| page.flat_body(body)).is_ok() {
            return;
        }
        self.open("{");
        for statement in &body.statements {
            self.line(start_of(statement));
            self.statement(statement);
        }
        self.close(span.end.saturating_sub(1), "}");
    }

    fn flat_body(&mut self, body: &Body) {
        let plain = body.statements.iter().all(is_plain);
        let separator = if plain { " " } else { "; " };
        self.push("{ ");
        self.separated(&body.statements, separator, Self::statement);
        self.push(" }");
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Let(definition) => self.let_(&definition.node),
            Statement::Choice(choice) => self.choice(choice),
        }
    }

    /// `a | b`, one alternative a line if it was so or is too wide.
    pub fn choice(&mut self, choice: &Choice) {
        let alternatives = &choice.alternatives;
        let gap = |pair: &[Alternative]| {
            let left = pair[0]
                .weight
                .as_ref()
                .map_or(pair[0].term.span, |weight| weight.span);
            Span::new(left.end, pair[1].term.span.start.max(left.end))
        };
        let broken = alternatives
            .windows(2)
            .any(|pair| self.was_broken(gap(pair)));
        if broken {
            self.must_break();
        }
        let flat = |page: &mut Self| page.separated(alternatives, " | ", Self::alternative);
        if self.is_flat() {
            return flat(self);
        }
        let several = alternatives.len() > 1;
        match if broken {
            Err(Misfit::Wide)
        } else {
            self.try_flat(flat)
        } {
            Ok(()) => {}
            Err(Misfit::Wide) if several => self.broken_choice(alternatives),
            Err(_) => flat(self),
        }
    }

    fn broken_choice(&mut self, alternatives: &[Alternative]) {
        self.alternative(&alternatives[0]);
        self.indented(|page| {
            for alternative in &alternatives[1..] {
                page.part(alternative.term.span.start);
                page.push("| ");
                page.alternative(alternative);
            }
        });
    }

    fn alternative(&mut self, alternative: &Alternative) {
        self.term(&alternative.term);
        if alternative.optional {
            self.push("?");
        }
        if let Some(weight) = &alternative.weight {
            self.push(" @ ");
            self.expression(weight);
        }
    }

    fn term(&mut self, term: &Spanned<Term>) {
        match &term.node {
            Term::Call(call) => self.call(call),
            Term::Value(value) => self.expression(value),
            Term::Sequence(body) => self.body(body),
            Term::Residual { arguments, body } => {
                self.push("residual");
                self.arguments(arguments);
                self.push(" ");
                self.body(body);
            }
            Term::Branch { arguments, paths } => {
                self.push("branch");
                self.arguments(arguments);
                self.push(" ");
                self.paths(paths, term.span);
            }
            Term::Repeat(repeat) => self.repeat(repeat),
            Term::If {
                condition,
                then,
                otherwise,
            } => {
                self.push("if ");
                self.expression(condition);
                self.push(" ");
                self.body(then);
                self.otherwise(otherwise.as_ref());
            }
            Term::Dag(dag) => self.dag(dag),
            Term::Error => self.push("error"),
        }
    }

    fn otherwise(&mut self, otherwise: Option<&Body>) {
        let Some(body) = otherwise else { return };
        self.push(" else ");
        match only_if(body) {
            Some(term) => self.term(term),
            None => self.body(body),
        }
    }

    fn paths(&mut self, paths: &[Body], span: Span) {
        let broken = paths.iter().any(|path| self.opened_line(path.span.0.start));
        let flat = |page: &mut Self| {
            page.push("{ ");
            page.separated(paths, " ", Self::body);
            page.push(" }");
        };
        if broken {
            self.must_break();
        }
        if paths.is_empty() {
            return self.push("{}");
        }
        if self.is_flat() {
            return flat(self);
        }
        if !broken && self.try_flat(flat).is_ok() {
            return;
        }
        self.open("{");
        for path in paths {
            self.line(path.span.0.start);
            self.body(path);
        }
        self.close(span.end.saturating_sub(1), "}");
    }

    fn repeat(&mut self, repeat: &Repeat) {
        self.push("repeat ");
        self.expression(&repeat.count);
        if repeat.tied {
            self.push(" tied");
        }
        if let Some(index) = &repeat.index {
            self.push(" as ");
            self.push(&index.node);
        }
        if let Some(carry) = &repeat.carry {
            self.push(" carry ");
            self.expression(carry);
        }
        self.push(" ");
        self.body(&repeat.body);
    }

    fn dag(&mut self, dag: &Dag) {
        let clauses = self.clauses(dag);
        let span = dag.span.0;
        if clauses.is_empty() && !self.has_comment(span) {
            return self.push("dag {}");
        }
        let broken = self.was_broken(span) || !self.has_source();
        let write = |page: &mut Self, (_, word, value): &Clause<'_, 'p>| {
            page.push(word);
            page.push(" ");
            value(page);
        };
        let flat = |page: &mut Self| {
            page.push("dag { ");
            page.separated(&clauses, "; ", write);
            page.push(" }");
        };
        if broken {
            self.must_break();
        }
        if self.is_flat() {
            return flat(self);
        }
        if !broken && self.try_flat(flat).is_ok() {
            return;
        }
        self.open("dag {");
        for clause in &clauses {
            self.line(clause.0);
            write(self, clause);
        }
        self.close(span.end.saturating_sub(1), "}");
    }

    /// The clauses of `dag` in the order they were written, so that comments stay in order.
    fn clauses<'d>(&self, dag: &'d Dag) -> Vec<Clause<'d, 'p>> {
        let mut clauses: Vec<Clause<'d, 'p>> = Vec::new();
        let mut add =
            |start, word, write| clauses.push((self.word_before(start, word), word, write));
        if let Some((count, body)) = &dag.inputs {
            let write = Box::new(move |page: &mut Self| {
                page.expression(count);
                if let Some(body) = body {
                    page.push(" ");
                    page.body(body);
                }
            });
            add(count.span.start, "inputs", write);
        }
        if let Some(nodes) = &dag.nodes {
            add(
                nodes.span.start,
                "nodes",
                Box::new(|page: &mut Self| page.expression(nodes)),
            );
        }
        if let Some(edges) = &dag.edges {
            add(
                edges.span.0.start,
                "edges",
                Box::new(|page: &mut Self| page.call(edges)),
            );
        }
        if let Some(edge) = &dag.edge {
            add(
                edge.span.0.start,
                "edge",
                Box::new(|page: &mut Self| page.choice(edge)),
            );
        }
        if let Some(node) = &dag.node {
            add(
                node.span.0.start,
                "node",
                Box::new(|page: &mut Self| page.choice(node)),
            );
        }
        for (word, name) in [("merge", &dag.merge), ("output", &dag.output)] {
            if let Some(name) = name {
                add(
                    name.span.start,
                    word,
                    Box::new(|page: &mut Self| page.push(&name.node)),
                );
            }
        }
        clauses.sort_by_key(|&(start, ..)| start);
        clauses
    }
}

/// Whether a statement may share a line with others with only a space between.
fn is_plain(statement: &Statement) -> bool {
    let Statement::Choice(choice) = statement else {
        return false;
    };
    let [only] = choice.alternatives.as_slice() else {
        return false;
    };
    only.weight.is_none() && !matches!(only.term.node, Term::Sequence(_) | Term::Value(_))
}

/// The `if` that is all of `body`, if so: it prints as `else if`.
fn only_if(body: &Body) -> Option<&Spanned<Term>> {
    let [Statement::Choice(choice)] = body.statements.as_slice() else {
        return None;
    };
    let [only] = choice.alternatives.as_slice() else {
        return None;
    };
    let bare = !only.optional && only.weight.is_none();
    (bare && matches!(only.term.node, Term::If { .. })).then_some(&only.term)
}

fn start_of(statement: &Statement) -> usize {
    match statement {
        Statement::Let(definition) => definition.span.start,
        Statement::Choice(choice) => choice.span.0.start,
    }
}
