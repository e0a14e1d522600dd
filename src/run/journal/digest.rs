//! Digests: a journal in 64 digits, without when and where.
//!
//! A search that was extended has the digest that the larger budget would have had from the start. What is
//! digested is the journal that would then have been written: its start has the last budget, what an extension
//! supersedes is left out, results and proposals alternate as if there had been no end in between, and entries
//! are numbered anew.

use super::{Entry, timeless};
use crate::run::experiment::Budget;
use crate::run::files;
use crate::run::record::{Record, Started};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// A digest of what happened, without when and where: equal for two runs exactly when they did the
/// same.
pub fn digest(entries: &[Entry]) -> String {
    let mut digester = Digester::default();
    entries.iter().for_each(|entry| digester.add(entry));
    if let Some(budget) = digester.last_budget() {
        digester = Digester::of_extended(budget);
        entries.iter().for_each(|entry| digester.add(entry));
    }
    digester.finish()
}

/// A [`digest`] in the making, that takes entries one by one.
#[derive(Clone, Debug, Default)]
pub(in crate::run) struct Digester {
    hash: Sha256,
    /// The budget of the last extension, unless the digest is that of a run with this budget.
    last_budget: Option<Budget>,
    as_if: Option<AsIf>,
}

/// What is needed to digest a run as if it had had its last budget from the start.
#[derive(Clone, Debug)]
struct AsIf {
    budget: Budget,
    lookahead: u64,
    /// How many entries were digested, and how many proposals were among them.
    entries: u64,
    proposals: u64,
    results: u64,
    /// Results whose turn has not come: the proposals that go before them are still to come, or never will.
    waiting: VecDeque<Entry>,
    /// What followed the end of the search: an extension supersedes it.
    after: Vec<Entry>,
}

impl Digester {
    /// The digest of a run whose last extension gave it this budget.
    pub fn of_extended(budget: Budget) -> Self {
        let as_if = AsIf {
            budget,
            lookahead: 0,
            entries: 0,
            proposals: 0,
            results: 0,
            waiting: VecDeque::new(),
            after: Vec::new(),
        };
        Self {
            as_if: Some(as_if),
            ..Self::default()
        }
    }

    /// The budget of the last extension that was taken in, if this digest has to be taken anew for it: the
    /// start comes first, and has that budget.
    pub fn last_budget(&self) -> Option<Budget> {
        self.last_budget
    }

    /// Takes in the next entry.
    pub fn add(&mut self, entry: &Entry) {
        if let Record::Extended(extended) = &entry.record {
            let known = self.as_if.as_ref().map(|as_if| as_if.budget);
            self.last_budget = Some(extended.budget).filter(|_| known != Some(extended.budget));
        }
        match &mut self.as_if {
            Some(as_if) => as_if.add(entry, &mut self.hash),
            None => write(&mut self.hash, entry),
        }
    }

    /// The digest of all entries so far.
    pub fn finish(&self) -> String {
        let mut hash = self.hash.clone();
        if let Some(as_if) = &self.as_if {
            let mut as_if = as_if.clone();
            let left = std::mem::take(&mut as_if.waiting).into_iter();
            for entry in left.chain(std::mem::take(&mut as_if.after)) {
                as_if.write(entry, &mut hash);
            }
        }
        files::hexadecimal(&hash.finalize())
    }
}

impl AsIf {
    fn add(&mut self, entry: &Entry, hash: &mut Sha256) {
        match &entry.record {
            Record::Started(started) => {
                self.lookahead = started.experiment.search.lookahead;
                self.write(with_budget(entry, started, self.budget), hash);
            }
            Record::Proposed(_) => {
                self.write(entry.clone(), hash);
                self.proposals += 1;
                self.write_due(hash);
            }
            Record::Finished(_) | Record::Failed(_) => {
                self.waiting.push_back(entry.clone());
                self.write_due(hash);
            }
            Record::Extended(_) => self.after.clear(),
            _ => self.after.push(entry.clone()),
        }
    }

    /// Writes the results that no proposal goes before any more: result k makes proposal k + lookahead
    /// possible, which comes right after it.
    fn write_due(&mut self, hash: &mut Sha256) {
        while self.proposals >= self.results + self.lookahead {
            let Some(entry) = self.waiting.pop_front() else {
                return;
            };
            self.write(entry, hash);
            self.results += 1;
        }
    }

    fn write(&mut self, entry: Entry, hash: &mut Sha256) {
        let seq = self.entries;
        self.entries += 1;
        write(hash, &Entry { seq, ..entry });
    }
}

/// The start of a run as if it had been started with a budget.
fn with_budget(entry: &Entry, started: &Started, budget: Budget) -> Entry {
    let mut started = started.clone();
    started.experiment.budget = budget;
    let record = Record::Started(Box::new(started));
    Entry::new(entry.seq, entry.at, entry.seconds, record)
}

fn write(hash: &mut Sha256, entry: &Entry) {
    hash.update(timeless(entry).as_bytes());
    hash.update(b"\n");
}
