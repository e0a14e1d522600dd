//! Addresses while a program is walked.

use super::program::BodyIx;
use std::collections::BTreeMap;

/// The address of the current place, and where the open shared bodies have theirs.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    text: String,
    scopes: BTreeMap<BodyIx, Vec<String>>,
}

impl Path {
    /// Goes below `segment`; the result is handed back to [`Path::leave`].
    pub fn enter(&mut self, segment: &str) -> usize {
        let before = self.text.len();
        if !segment.is_empty() {
            if before > 0 {
                self.text.push('/');
            }
            self.text.push_str(segment);
        }
        before
    }

    pub fn leave(&mut self, before: usize) {
        self.text.truncate(before);
    }

    /// The address of `segment` here.
    pub fn address(&self, segment: &str) -> String {
        match (self.text.is_empty(), segment.is_empty()) {
            (_, true) => self.text.clone(),
            (true, false) => segment.to_owned(),
            (false, false) => format!("{}/{segment}", self.text),
        }
    }

    /// The address of something called `name` here: the current one where that ends in the name.
    pub fn address_of(&self, name: &str) -> String {
        match self.text.strip_suffix(name) {
            Some(rest) if rest.ends_with('/') => self.text.clone(),
            _ => self.address(name),
        }
    }

    /// A shared body's decisions are addressed below its name here.
    pub fn open(&mut self, body: BodyIx, name: &str) {
        let address = self.address(name);
        self.scopes.entry(body).or_default().push(address);
    }

    pub fn close(&mut self, body: BodyIx) {
        if let Some(addresses) = self.scopes.get_mut(&body) {
            addresses.pop();
        }
    }

    /// Moves to a shared body's own address; the result is handed back to [`Path::come_back`].
    pub fn visit(&mut self, body: BodyIx) -> String {
        let there = self
            .scopes
            .get(&body)
            .and_then(|addresses| addresses.last());
        std::mem::replace(&mut self.text, there.cloned().unwrap_or_default())
    }

    pub fn come_back(&mut self, text: String) {
        self.text = text;
    }
}
