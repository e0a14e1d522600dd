//! What belongs to the whole file: declaring names, the order of decisions, and who calls whom.

use super::values::Before;
use super::*;
use crate::language::syntax::{Body as BodySyntax, Definition};

impl Checker {
    /// Gives every top-level value its slot and every block and shared body its number.
    pub(super) fn declare(&mut self, file: &File) {
        for item in &file.items {
            if let Item::Block(block) = &item.node {
                let body = self.new_body(&block.name.node);
                self.names.parameters[body.0 as usize] = block.parameters.clone();
                self.bind(&block.name, Binding::Block(body));
            }
        }
        for item in &file.items {
            let Item::Let(binding) = &item.node else {
                continue;
            };
            let is_value = match &binding.definition {
                Definition::Choice(choice) => self.is_value(choice),
                Definition::Body(_) => false,
            };
            if is_value {
                let slot = self.fresh_slot();
                self.bind(&binding.name, Binding::Value(slot));
            } else {
                let body = self.new_body(&binding.name.node);
                self.names.parameters[body.0 as usize] = binding.parameters.clone();
                self.bind(&binding.name, Binding::Shared(body));
            }
        }
        self.program.globals = self.next_slot;
    }

    /// Lowers the bodies of blocks and shared lets.
    pub(super) fn define(&mut self, file: &File) {
        for item in &file.items {
            match &item.node {
                Item::Block(block) => {
                    if let Some(Binding::Block(body)) = self.names.find(&block.name.node) {
                        let span = block.name.span;
                        let lower = |checker: &mut Self| checker.body(&block.body);
                        self.framed(body, &block.parameters, lower, span);
                    }
                }
                Item::Let(binding) => {
                    if let Some(Binding::Shared(body)) = self.names.find(&binding.name.node) {
                        self.shared_definition(body, binding);
                    }
                }
                _ => {}
            }
        }
    }

    /// The whole program: shared bodies open, values and statements, shared bodies close.
    pub(super) fn root(&mut self, file: &File, network: &BodySyntax) -> NodeIx {
        let span = network.span.0;
        let inner = self.body(network);
        self.close_call_graph(file);
        let mut statements = Vec::new();
        for statement in self.chain(inner) {
            let span = self.span_of(statement);
            statements.push(self.add(Node::Label("network".into(), statement), span));
        }
        if !self.kept.is_empty() {
            statements.push(self.step(Step::Keep(self.kept.clone()), span));
        }
        let lets = self.global_lets(file);
        let mut nodes = self.interleave(lets, &statements, span);
        let shared = self.shared_items(file);
        let opened: Vec<NodeIx> = shared
            .iter()
            .map(|&body| self.add(Node::Open(body), span))
            .collect();
        nodes.splice(0..0, opened);
        for body in self.callers_first(shared) {
            nodes.push(self.add(Node::Close(body), span));
        }
        nodes.push(self.step(Step::Return, span));
        self.sequence(nodes, span)
    }

    /// Shared bodies so that each comes before those it calls: the last uses of a body are known only
    /// when its callers are settled.
    fn callers_first(&self, mut bodies: Vec<BodyIx>) -> Vec<BodyIx> {
        let mut ordered = Vec::with_capacity(bodies.len());
        while !bodies.is_empty() {
            let is_called = |body: &BodyIx| {
                bodies.iter().any(|caller| {
                    caller != body && self.program.body(*caller).shared.contains(body)
                })
            };
            let next = bodies
                .iter()
                .rposition(|body| !is_called(body))
                .unwrap_or(0);
            ordered.push(bodies.remove(next));
        }
        ordered
    }

    fn shared_items(&self, file: &File) -> Vec<BodyIx> {
        let lets = file.items.iter().filter_map(|item| match &item.node {
            Item::Let(binding) => self.names.find(&binding.name.node),
            _ => None,
        });
        lets.filter_map(|binding| match binding {
            Binding::Shared(body) => Some(body),
            _ => None,
        })
        .collect()
    }

    /// The top-level values: their slots and the nodes that decide them.
    fn global_lets(&mut self, file: &File) -> Vec<(Slot, NodeIx, Span)> {
        let mut lets: Vec<(Slot, NodeIx, Span)> = Vec::new();
        for item in &file.items {
            let Item::Let(binding) = &item.node else {
                continue;
            };
            let Some(Binding::Value(slot)) = self.names.find(&binding.name.node) else {
                continue;
            };
            let Definition::Choice(choice) = &binding.definition else {
                continue;
            };
            let mut before = Before::default();
            let value = self.value(choice, &binding.name.node, &mut before);
            let node = self.set_value(slot, value, before, choice.span.0);
            let too_early = self
                .reads(node)
                .into_iter()
                .any(|read| read < self.program.globals && read >= slot);
            if too_early {
                let message = format!("`{}` uses a value that is decided later", binding.name.node);
                let found = Diagnostic::error(choice.span.0, message);
                self.report(found.hint("values are decided from top to bottom"));
            }
            lets.push((slot, node, item.span));
        }
        lets
    }

    fn span_of(&self, node: NodeIx) -> Span {
        let origin = self.program.origins[node.0 as usize];
        Span::new(origin.start, origin.end)
    }

    /// The parts of a row of `Then`s.
    fn chain(&self, node: NodeIx) -> Vec<NodeIx> {
        let (mut parts, mut rest) = (Vec::new(), node);
        while let Node::Then(first, second) = self.program.node(rest) {
            parts.push(*first);
            rest = *second;
        }
        parts.push(rest);
        parts
    }

    /// Puts each top-level value just before the first statement that reads it, so that what does not
    /// depend on it is solved once for all of its options.
    fn interleave(
        &mut self,
        lets: Vec<(Slot, NodeIx, Span)>,
        statements: &[NodeIx],
        span: Span,
    ) -> Vec<NodeIx> {
        let reads: Vec<BTreeSet<Slot>> = statements.iter().map(|&node| self.reads(node)).collect();
        let mut first_use = vec![0; lets.len()];
        for (index, (slot, ..)) in lets.iter().enumerate().rev() {
            let by_statement = reads.iter().position(|reads| reads.contains(slot));
            let by_let = lets[index + 1..]
                .iter()
                .enumerate()
                .filter(|(_, (_, node, _))| self.reads(*node).contains(slot))
                .map(|(offset, _)| first_use[index + 1 + offset])
                .min();
            let earliest = by_statement.into_iter().chain(by_let).min();
            if earliest.is_none() && self.is_sound() {
                let warning = Diagnostic::warning(lets[index].2, "nothing reads this value");
                self.report(warning.hint("it is still decided, and counts"));
            }
            first_use[index] = earliest.unwrap_or(0);
        }
        let mut nodes = Vec::new();
        for (place, statement) in statements.iter().enumerate() {
            for (index, (_, node, _)) in lets.iter().enumerate() {
                if first_use[index] == place {
                    nodes.push(*node);
                }
            }
            nodes.push(*statement);
        }
        self.clear_after_last_use(&mut nodes, 0, span);
        nodes
    }

    /// After the last of `nodes` that reads a slot from `first` on, forgets it.
    pub(super) fn clear_after_last_use(
        &mut self,
        nodes: &mut Vec<NodeIx>,
        first: Slot,
        span: Span,
    ) {
        let touched: Vec<BTreeSet<Slot>> = nodes.iter().map(|&node| self.touches(node)).collect();
        let all: BTreeSet<Slot> = touched
            .iter()
            .flatten()
            .copied()
            .filter(|&slot| slot >= first)
            .collect();
        let mut clear: Vec<Vec<Slot>> = vec![Vec::new(); nodes.len()];
        for slot in all {
            let last = touched.iter().rposition(|touched| touched.contains(&slot));
            clear[last.expect("the slot is touched somewhere")].push(slot);
        }
        let mut cleared = Vec::with_capacity(nodes.len());
        for (node, slots) in nodes.drain(..).zip(clear) {
            cleared.push(node);
            if !slots.is_empty() {
                cleared.push(self.step(Step::Clear(slots), span));
            }
        }
        *nodes = cleared;
    }

    /// The slots that a node reads, itself or in what it calls.
    fn reads(&self, node: NodeIx) -> BTreeSet<Slot> {
        let mut slots = BTreeSet::new();
        self.visit_slots(node, &mut |slot, written| {
            if !written {
                slots.insert(slot);
            }
        });
        slots
    }

    /// The slots that a node reads or writes, itself or in what it calls.
    fn touches(&self, node: NodeIx) -> BTreeSet<Slot> {
        let mut slots = BTreeSet::new();
        self.visit_slots(node, &mut |slot, _| {
            slots.insert(slot);
        });
        slots
    }

    fn visit_slots(&self, root: NodeIx, visit: &mut impl FnMut(Slot, bool)) {
        let mut pending = vec![root];
        let mut seen = BTreeSet::new();
        while let Some(node) = pending.pop() {
            if !seen.insert(node) {
                continue;
            }
            match self.program.node(node) {
                Node::Then(first, second) => pending.extend([*first, *second]),
                Node::Label(_, inner) => pending.push(*inner),
                Node::Choice { options, .. } => {
                    pending.extend(options.iter().map(|option| option.node));
                }
                Node::Guard { slot, node, .. } => {
                    visit(*slot, false);
                    pending.push(*node);
                }
                Node::Loop {
                    count, index, node, ..
                } => {
                    visit(*count, false);
                    visit(*index, true);
                    pending.push(*node);
                }
                Node::Call {
                    body, arguments, ..
                }
                | Node::Shared { body, arguments } => {
                    arguments
                        .iter()
                        .for_each(|value| value.slots(&mut |slot| visit(slot, false)));
                    let globals = &self.program.body(*body).globals;
                    let reads = globals.iter().enumerate().filter(|(_, reads)| **reads);
                    reads.for_each(|(slot, _)| visit(slot, false));
                }
                Node::Step(step) => visit_step(step, visit),
                Node::Open(_) | Node::Close(_) => {}
            }
        }
    }

    /// Fills in what each body reads and calls, itself or through others.
    fn close_call_graph(&mut self, file: &File) {
        let reach = reachable(&self.calls);
        let own: Vec<BTreeSet<Slot>> = (self.program.bodies.iter())
            .map(|body| self.reads(body.node))
            .collect();
        for (body, reached) in reach.iter().enumerate() {
            let all: Vec<usize> = std::iter::once(body)
                .chain(reached.iter().map(|b| b.0 as usize))
                .collect();
            let globals = (0..self.program.globals)
                .map(|slot| all.iter().any(|&body| own[body].contains(&slot)))
                .collect();
            let opened: BTreeSet<BodyIx> = all
                .iter()
                .flat_map(|&body| self.calls[body].opens.clone())
                .collect();
            let shared = all.iter().flat_map(|&body| self.calls[body].shared.clone());
            let shared: BTreeSet<BodyIx> = shared.filter(|body| !opened.contains(body)).collect();
            let target = &mut self.program.bodies[body];
            target.globals = globals;
            target.shared = shared.into_iter().collect();
            target.recursive = reached.contains(&BodyIx(body as u32));
            target.carries = all.iter().any(|&body| self.calls[body].carries);
        }
        for (body, reached) in reach.iter().enumerate() {
            let recursive = |ix: &BodyIx| self.program.bodies[ix.0 as usize].recursive;
            let deep = recursive(&BodyIx(body as u32)) || reached.iter().any(recursive);
            self.program.bodies[body].deep = deep;
        }
        self.require_depth_limit(file);
    }

    fn require_depth_limit(&mut self, file: &File) {
        for item in &file.items {
            let (name, binding) = match &item.node {
                Item::Block(block) => (&block.name, self.names.find(&block.name.node)),
                Item::Let(binding) => (&binding.name, self.names.find(&binding.name.node)),
                _ => continue,
            };
            let Some(Binding::Block(body) | Binding::Shared(body)) = binding else {
                continue;
            };
            let shared = matches!(binding, Some(Binding::Shared(_)));
            if self.program.body(body).recursive && shared {
                let message = format!("`{}` is decided once and can't contain itself", name.node);
                self.report(Diagnostic::error(name.span, message).hint("make it a `block`"));
            } else if self.program.body(body).recursive && self.program.depth == 0 {
                let message = format!("`{}` is used inside itself without a limit", name.node);
                let found = Diagnostic::error(name.span, message);
                self.report(found.hint("add `limit depth 4` to the file"));
            }
        }
    }
}

/// The bodies that each body calls, itself or through others.
fn reachable(calls: &[CallGraph]) -> Vec<BTreeSet<BodyIx>> {
    let mut reach: Vec<BTreeSet<BodyIx>> = calls.iter().map(|graph| graph.calls.clone()).collect();
    loop {
        let step = |known: &BTreeSet<BodyIx>| {
            let further = known.iter().flat_map(|next| &reach[next.0 as usize]);
            known.iter().chain(further).copied().collect()
        };
        let further: Vec<BTreeSet<BodyIx>> = reach.iter().map(step).collect();
        if further == reach {
            return reach;
        }
        reach = further;
    }
}

fn visit_step(step: &Step, visit: &mut impl FnMut(Slot, bool)) {
    match step {
        Step::Set(slot, value) | Step::Count(slot, value) => {
            value.slots(&mut |slot| visit(slot, false));
            visit(*slot, true);
        }
        Step::Layer { arguments, .. } => {
            arguments
                .iter()
                .for_each(|(_, value)| value.slots(&mut |slot| visit(slot, false)));
        }
        Step::Wire { slot, .. } => visit(*slot, true),
        Step::Wired { slot, .. } => visit(*slot, false),
        Step::Keep(slots) => slots.iter().for_each(|&slot| visit(slot, false)),
        _ => {}
    }
}
