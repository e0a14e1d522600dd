//! Cells: `dag { … }` as a stack program.
//!
//! The vertices of a cell lie on the stack in order, the incoming tensor below them. An edge picks a
//! copy of its source to the top and applies its operation; a vertex merges what its edges left there.

use super::*;
use crate::language::syntax::{Choice, Dag};

/// How many vertices a cell may have.
const VERTEX_LIMIT: usize = 64;

/// How many vertices a cell with `edges subset` may have: a vertex has 2^n subsets of sources.
const SUBSET_LIMIT: usize = 12;

/// How many sets of sources a vertex may choose from.
const WIRING_LIMIT: usize = 20_000;

/// Which earlier vertices a vertex reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wiring {
    /// All of them.
    All,
    /// This many distinct ones.
    Choose(usize),
    /// Any, at most so many edges in all, every vertex on a path from input to output.
    Subset(u32),
}

/// What the cell's output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellOutput {
    /// The last vertex.
    Last,
    /// A merge of every vertex that computes, or at the last vertex of a subset wiring.
    Merge(&'static str),
}

struct Cell<'a> {
    inputs: usize,
    prepare: Option<&'a syntax::Body>,
    wiring: Wiring,
    edge: Option<&'a Choice>,
    node: Option<&'a Choice>,
    merge: &'static str,
    output: CellOutput,
    span: Span,
}

impl Checker {
    pub(super) fn dag(&mut self, dag: &Dag, span: Span) -> NodeIx {
        let Some((cell, counts)) = self.cell(dag, span) else {
            return self.step(Step::Nothing, span);
        };
        if cell.inputs > 1
            && let Some(graph) = self.call_graph()
        {
            graph.carries = true;
        }
        if let [only] = counts.as_slice() {
            return self.wired(&cell, *only);
        }
        let mut options = Vec::new();
        for count in counts {
            let node = self.wired(&cell, count);
            let name = count.to_string();
            options.push(Alternative {
                node,
                weight: 1.0,
                name: name.into(),
            });
        }
        self.add(
            Node::Choice {
                segment: "nodes".into(),
                options,
            },
            span,
        )
    }

    /// The cell's clauses, and the numbers of nodes it may have.
    fn cell<'a>(&mut self, dag: &'a Dag, span: Span) -> Option<(Cell<'a>, Vec<usize>)> {
        let errors = self.diagnostics.len();
        let inputs = dag
            .inputs
            .as_ref()
            .map_or(1, |(count, _)| self.small(count, 1, 16));
        let wiring = self.wiring(dag, span);
        let counts = self.node_counts(dag, span);
        let merge = match &dag.merge {
            None => "add",
            Some(name) => self.merge_name(&name.node, name.span).unwrap_or("add"),
        };
        let output = match &dag.output {
            None => CellOutput::Last,
            Some(name) if name.node == "last" => CellOutput::Last,
            Some(name) => self
                .merge_name(&name.node, name.span)
                .map_or(CellOutput::Last, CellOutput::Merge),
        };
        if dag.edge.is_none() && dag.node.is_none() {
            let found = Diagnostic::error(span, "the cell has no operations");
            self.report(found.hint("add `edge a | b` or `node a | b`"));
        }
        let fewest = match wiring {
            Some(Wiring::Choose(_)) => 1,
            Some(Wiring::All) => inputs + 1,
            _ => 2,
        };
        let most = if matches!(wiring, Some(Wiring::Subset(_))) {
            SUBSET_LIMIT
        } else {
            VERTEX_LIMIT
        };
        if let Some(count) = counts.iter().find(|&&count| count < fewest || count > most) {
            let place = dag.nodes.as_ref().map_or(span, |nodes| nodes.span);
            let message = format!("this cell can have {fewest} to {most} nodes, not {count}");
            self.error(place, message);
        }
        if matches!(wiring, Some(Wiring::Subset(_))) && inputs > 1 {
            self.error(
                span,
                "`edges subset` counts one input among its nodes; leave `inputs` out",
            );
        }
        let prepare = dag.inputs.as_ref().and_then(|(_, body)| body.as_ref());
        let (edge, node) = (dag.edge.as_ref(), dag.node.as_ref());
        let wiring = wiring.filter(|_| self.diagnostics.len() == errors)?;
        Some((
            Cell {
                inputs,
                prepare,
                wiring,
                edge,
                node,
                merge,
                output,
                span,
            },
            counts,
        ))
    }

    fn small(&mut self, expression: &syntax::Expr, low: i64, high: i64) -> usize {
        match self.constant(expression) {
            Some(Value::Int(number)) if (low..=high).contains(&number) => number as usize,
            Some(_) => {
                let message = format!("a whole number from {low} to {high} is wanted here");
                self.error(expression.span, message);
                low as usize
            }
            None => low as usize,
        }
    }

    fn wiring(&mut self, dag: &Dag, span: Span) -> Option<Wiring> {
        let Some(edges) = &dag.edges else {
            let found = Diagnostic::error(span, "the cell does not say which edges it has");
            self.report(found.hint("add `edges all`, `edges choose(2)` or `edges subset(max: 9)`"));
            return None;
        };
        let number = |checker: &mut Self, word: &str| match edges.arguments.as_slice() {
            [only] if only.name.as_ref().is_none_or(|name| name.node == word) => {
                match checker.constant_options(&only.value).as_slice() {
                    [(Value::Int(number @ 1..=4096), _)] => Some(*number as usize),
                    [] => None,
                    _ => {
                        checker.error(only.value.span.0, "a whole number from 1 is wanted here");
                        None
                    }
                }
            }
            _ => {
                let message = format!("`edges {}` takes one number", edges.name.node);
                checker.error(edges.name.span, message);
                None
            }
        };
        match edges.name.node.as_str() {
            "all" => Some(Wiring::All),
            "choose" => number(self, "count").map(Wiring::Choose),
            "subset" => number(self, "max").map(|max| Wiring::Subset(max as u32)),
            other => {
                self.unknown(
                    edges.name.span,
                    "wiring",
                    other,
                    &["all", "choose", "subset"],
                );
                None
            }
        }
    }

    fn node_counts(&mut self, dag: &Dag, span: Span) -> Vec<usize> {
        let Some(nodes) = &dag.nodes else {
            let found = Diagnostic::error(span, "the cell does not say how many nodes it has");
            self.report(found.hint("add `nodes 4` or `nodes 2..7`"));
            return Vec::new();
        };
        let term = syntax::Spanned::new(syntax::Term::Value(nodes.clone()), nodes.span);
        let alternative = syntax::Alternative {
            term,
            optional: false,
            weight: None,
        };
        let span = syntax::IgnoredSpan(nodes.span);
        let options = self.constant_options(&Choice {
            alternatives: vec![alternative],
            span,
        });
        let mut counts = Vec::new();
        for (value, _) in options {
            match value {
                Value::Int(count @ 1..=4096) => counts.push(count as usize),
                _ => self.error(nodes.span, "a number of nodes is a whole number from 1"),
            }
        }
        counts
    }

    /// The program of a cell with `count` nodes.
    fn wired(&mut self, cell: &Cell<'_>, count: usize) -> NodeIx {
        let span = cell.span;
        let mut nodes = self.cell_inputs(cell);
        let vertices = match cell.wiring {
            Wiring::Choose(_) => cell.inputs + count,
            _ => count,
        };
        if let Wiring::Choose(taken) = cell.wiring {
            let ends_in_last = matches!(cell.output, CellOutput::Last);
            self.program.prunes |= taken < cell.inputs || ends_in_last && taken + 1 < vertices;
        }
        let used = matches!(cell.wiring, Wiring::Subset(_)).then(|| self.fresh_slot());
        for vertex in cell.inputs..vertices {
            let is_output = matches!(cell.wiring, Wiring::Subset(_)) && vertex + 1 == vertices;
            nodes.push(self.vertex(cell, vertex, is_output, used));
        }
        if let Some(slot) = used {
            let sources = (1u32 << (vertices - 1)) - 1;
            nodes.push(self.step(Step::Wired { slot, sources }, span));
            nodes.push(self.step(Step::Clear(vec![slot]), span));
        }
        let mut below = vertices;
        if let (CellOutput::Merge(merge), None) = (cell.output, used) {
            let computed = vertices - cell.inputs;
            for _ in 0..computed {
                nodes.push(self.step(Step::Pick(computed - 1), span));
            }
            if computed > 1 {
                nodes.push(self.merge_step(merge, computed, span));
            }
            below += 1;
        }
        nodes.push(self.step(Step::DropBelow(below), span));
        self.sequence(nodes, span)
    }

    /// Pushes the cell's inputs above the incoming tensor, the oldest first.
    fn cell_inputs(&mut self, cell: &Cell<'_>) -> Vec<NodeIx> {
        let span = cell.span;
        let mut nodes = Vec::new();
        for place in 0..cell.inputs {
            let ago = cell.inputs - 1 - place;
            // Carried outputs fall back on the top, so the incoming tensor is brought there first.
            nodes.push(self.step(Step::Pick(place), span));
            if ago > 0 {
                nodes.push(self.step(Step::PickCarried(ago), span));
                nodes.push(self.step(Step::DropBelow(1), span));
            }
            if let Some(body) = cell.prepare {
                let inner = self.body(body);
                nodes.push(self.add(Node::Label(format!("input[{place}]").into(), inner), span));
            }
        }
        nodes
    }

    /// Pushes one vertex: its edges, their merge, its operation.
    fn vertex(
        &mut self,
        cell: &Cell<'_>,
        vertex: usize,
        is_output: bool,
        used: Option<Slot>,
    ) -> NodeIx {
        let span = cell.span;
        let operations: Vec<Option<NodeIx>> = (0..vertex)
            .map(|source| {
                cell.edge
                    .map(|edge| self.labelled(format!("from[{source}]"), edge, span))
            })
            .collect();
        let merge = match cell.output {
            CellOutput::Merge(merge) if is_output => merge,
            _ => cell.merge,
        };
        let all: Vec<usize> = (0..vertex).collect();
        let inner = match cell.wiring {
            Wiring::All => self.edges(&all, vertex, &operations, merge, span),
            Wiring::Choose(count) => {
                let sets = combinations(vertex, count.min(vertex));
                self.choose_sources(&sets, vertex, &operations, merge, None, span)
            }
            Wiring::Subset(max) => {
                let sets = subsets(vertex);
                let limit = used.map(|slot| (slot, max));
                self.choose_sources(&sets, vertex, &operations, merge, limit, span)
            }
        };
        let mut nodes = vec![inner];
        if let Some(choice) = cell.node.filter(|_| !is_output) {
            nodes.push(self.choice(choice));
        }
        let inner = self.sequence(nodes, span);
        self.add(Node::Label(format!("node[{vertex}]").into(), inner), span)
    }

    fn labelled(&mut self, label: String, choice: &Choice, span: Span) -> NodeIx {
        let inner = self.choice(choice);
        self.add(Node::Label(label.into(), inner), span)
    }

    fn choose_sources(
        &mut self,
        sets: &[Vec<usize>],
        vertex: usize,
        operations: &[Option<NodeIx>],
        merge: &str,
        limit: Option<(Slot, u32)>,
        span: Span,
    ) -> NodeIx {
        if sets.len() > WIRING_LIMIT {
            let message = format!("a node chooses among {} sets of edges", sets.len());
            let found = Diagnostic::error(span, message);
            self.report(found.hint(format!("the most is {WIRING_LIMIT}: use fewer nodes")));
            return self.step(Step::Nothing, span);
        }
        let mut options = Vec::new();
        for sources in sets {
            let mut nodes = Vec::new();
            if let Some((slot, max)) = limit {
                let sources = sources
                    .iter()
                    .fold(0, |bits, source| bits | (1u32 << source));
                nodes.push(self.step(Step::Wire { slot, sources, max }, span));
            }
            nodes.push(self.edges(sources, vertex, operations, merge, span));
            let names: Vec<String> = sources.iter().map(usize::to_string).collect();
            let node = self.sequence(nodes, span);
            options.push(Alternative {
                node,
                weight: 1.0,
                name: names.join("+").into(),
            });
        }
        if let [only] = options.as_slice() {
            return only.node;
        }
        self.add(
            Node::Choice {
                segment: "inputs".into(),
                options,
            },
            span,
        )
    }

    /// Picks each source, applies its edge's operation, and merges. Without edge operations a choice's
    /// own address is `inputs`; edge operations are addressed by their source, whatever else is wired.
    fn edges(
        &mut self,
        sources: &[usize],
        vertex: usize,
        operations: &[Option<NodeIx>],
        merge: &str,
        span: Span,
    ) -> NodeIx {
        let mut nodes = Vec::new();
        for (pushed, &source) in sources.iter().enumerate() {
            nodes.push(self.step(Step::Pick(vertex - 1 - source + pushed), span));
            nodes.extend(operations[source]);
        }
        if sources.len() > 1 {
            nodes.push(self.merge_step(merge, sources.len(), span));
        }
        self.sequence(nodes, span)
    }
}

/// The sets of `count` numbers below `below`, in lexicographic order.
fn combinations(below: usize, count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut sets = Vec::new();
    for first in 0..below {
        for rest in combinations(below - first - 1, count - 1) {
            let rest = rest.into_iter().map(|number| number + first + 1);
            sets.push(std::iter::once(first).chain(rest).collect());
        }
        if sets.len() > WIRING_LIMIT {
            break;
        }
    }
    sets
}

/// The non-empty sets of numbers below `below`, in order of their bits.
fn subsets(below: usize) -> Vec<Vec<usize>> {
    (1u32..1 << below)
        .map(|bits| (0..below).filter(|bit| bits >> bit & 1 == 1).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wirings_are_complete_and_distinct() {
        assert_eq!(combinations(5, 2).len(), 10);
        assert_eq!(combinations(2, 2), [[0, 1]]);
        assert_eq!(subsets(3).len(), 7);
    }
}
