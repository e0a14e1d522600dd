//! The clauses of a `dag`.

use super::cursor::Parser;
use super::statements::Wanted;
use crate::diagnostics::{Diagnostic, Span};
use crate::language::lexer::{Keyword, Kind};
use crate::language::syntax::{Call, Dag, IgnoredSpan, Term};

/// The words that open a clause.
const CLAUSES: [&str; 7] = [
    "inputs", "nodes", "edges", "edge", "node", "merge", "output",
];

impl Parser<'_> {
    /// The rest of a `dag`.
    pub fn dag(&mut self) -> Option<Term> {
        let open = self.open_brace("`dag`")?;
        let mut dag =
            self.nested(|parser| parser.with_newlines(true, |parser| parser.clauses(open)));
        dag.span = IgnoredSpan(self.span_from(open.start));
        Some(Term::Dag(Box::new(dag)))
    }

    fn clauses(&mut self, open: Span) -> Dag {
        let mut dag = Dag::default();
        let mut seen: [Option<Span>; CLAUSES.len()] = [None; CLAUSES.len()];
        while self.another_clause(open) {
            let token = self.peek();
            self.begin();
            if let Some(clause) = self.clause_word() {
                let at = CLAUSES
                    .iter()
                    .position(|&word| word == clause)
                    .unwrap_or_default();
                if let Some(first) = seen[at].replace(token.span) {
                    let error = Diagnostic::error(token.span, format!("a second `{clause}`"));
                    self.report(error.related(first, "the first").hint("remove one"));
                    self.take_lost();
                }
                self.advance();
                self.clause(&mut dag, clause);
            }
            self.settle(token.span.start);
        }
        dag
    }

    /// As [`Self::in_braces`], but `output` is a clause here and not an item.
    fn another_clause(&mut self, open: Span) -> bool {
        while self.eat(Kind::Semicolon) {}
        self.kind() == Kind::Keyword(Keyword::Output) || self.in_braces(open)
    }

    /// The clause that the next token opens; a misspelt one is reported and read as what was meant.
    fn clause_word(&mut self) -> Option<&'static str> {
        let text = self.token_text();
        if let Some(clause) = CLAUSES.iter().find(|&&clause| clause == text) {
            return Some(clause);
        }
        let meant = match self.kind() {
            Kind::Name => Self::did_you_mean(text, &CLAUSES),
            _ => None,
        };
        let hint = match meant {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!(
                "a `dag` has the clauses {}",
                CLAUSES.map(|c| format!("`{c}`")).join(", ")
            ),
        };
        self.expected_with("a clause of `dag`", Some(hint));
        if meant.is_some() {
            self.take_lost();
        }
        meant
    }

    fn clause(&mut self, dag: &mut Dag, clause: &str) {
        match clause {
            "inputs" => {
                let count = self.expression();
                let opens = self.at_inline(Kind::OpenBrace);
                let body = if opens { self.body("`inputs`") } else { None };
                dag.inputs = Some((count, body));
            }
            "nodes" => dag.nodes = Some(self.expression()),
            "edges" => dag.edges = self.edges(),
            "edge" => dag.edge = Some(self.choice(Wanted::Operation)),
            "node" => dag.node = Some(self.choice(Wanted::Operation)),
            "merge" => dag.merge = self.kind_name("a way to merge, as in `merge add`"),
            _ => dag.output = self.kind_name("an output, as in `output last`"),
        }
    }

    fn edges(&mut self) -> Option<Call> {
        let name = self.kind_name("a rule of edges: `all`, `choose(k)` or `subset(max: m)`")?;
        Some(self.call_after(name))
    }
}
