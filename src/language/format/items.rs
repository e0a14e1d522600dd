//! Files and their items.

use super::printer::Printer;
use crate::diagnostics::Span;
use crate::language::syntax::{
    Block, Body, Definition, File, Item, Let, Parameter, RecipeEntry, Spanned,
};

impl Printer<'_> {
    /// A whole file.
    pub fn file(mut self, file: &File) -> String {
        if let Some(name) = &file.name {
            self.line(self.word_before(name.span.start, "space"));
            self.push(&format!("space {}", name.node));
        }
        let mut large_before = file.name.is_some();
        for item in &file.items {
            if self.has_source() {
                self.line(item.span.start);
            } else {
                // Nothing tells where blank lines stood: one goes around each body.
                self.flush(item.span.start);
                self.fresh_line(large_before || is_large(&item.node));
                large_before = is_large(&item.node);
            }
            self.item(item);
        }
        self.finish()
    }

    fn item(&mut self, item: &Spanned<Item>) {
        match &item.node {
            Item::Input(call) => {
                self.push("input ");
                self.call(call);
            }
            Item::Output(call) => {
                self.push("output ");
                self.call(call);
            }
            Item::Let(definition) => self.let_(definition),
            Item::Block(block) => self.block(block),
            Item::Network(body) => {
                self.push("network ");
                self.item_body(body);
            }
            Item::Recipe(entries) => self.recipe(entries, item.span),
            Item::Require(condition) => {
                self.push("require ");
                self.indented(|page| page.condition(condition));
            }
            Item::Limit { what, value } => {
                self.push(&format!("limit {} ", what.node));
                self.expression(value);
            }
        }
    }

    fn item_body(&mut self, body: &Body) {
        let broken = !self.has_source() || self.was_broken(body.span.0);
        self.body_or_break(body, broken);
    }

    /// `let name = choice`, `let name(parameters) { … }`.
    pub fn let_(&mut self, definition: &Let) {
        self.push(&format!("let {}", definition.name.node));
        self.parameters(&definition.parameters);
        match &definition.definition {
            Definition::Choice(choice) => {
                self.push(" = ");
                self.choice(choice);
            }
            Definition::Body(body) => {
                self.push(" ");
                self.body(body);
            }
        }
    }

    fn block(&mut self, block: &Block) {
        self.push(&format!("block {}", block.name.node));
        self.parameters(&block.parameters);
        self.push(" ");
        self.item_body(&block.body);
    }

    fn parameters(&mut self, parameters: &[Parameter]) {
        let span = |parameter: &Parameter| {
            let name = parameter.name.span;
            parameter
                .default
                .as_ref()
                .map_or(name, |default| name.to(default.span))
        };
        self.list(parameters, span, |page, parameter| {
            page.push(&parameter.name.node);
            if let Some(default) = &parameter.default {
                page.push(" = ");
                page.expression(default);
            }
        });
    }

    fn recipe(&mut self, entries: &[RecipeEntry], span: Span) {
        if entries.is_empty() && !self.has_comment(span) {
            return self.push("recipe {}");
        }
        let write = |page: &mut Self, entry: &RecipeEntry| {
            page.push(&format!("{}: ", entry.name.node));
            page.choice(&entry.value);
        };
        let flat = |page: &mut Self| {
            page.push("recipe { ");
            page.separated(entries, ", ", write);
            page.push(" }");
        };
        if !self.was_broken(span) && self.try_flat(flat).is_ok() {
            return;
        }
        self.open("recipe {");
        for entry in entries {
            self.line(entry.name.span.start);
            write(self, entry);
        }
        self.close(span.end.saturating_sub(1), "}");
    }
}

/// Whether an item has a body of several lines when nothing says otherwise.
fn is_large(item: &Item) -> bool {
    match item {
        Item::Block(_) | Item::Network(_) => true,
        Item::Let(definition) => matches!(definition.definition, Definition::Body(_)),
        _ => false,
    }
}
