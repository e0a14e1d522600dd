//! Texts and what makes tokens of them.
//!
//! Token 0 fills up what is shorter than the length, token 1 stands for what training doesn't know.

mod bpe;
mod tokeniser;

pub(super) use tokeniser::Tokeniser;
pub use tokeniser::{TextOptions, Tokens, Vocabulary};

/// Texts side by side in one piece of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    all: String,
    ends: Vec<usize>,
}

impl Texts {
    /// Adds a text.
    pub fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(self.all.len());
    }

    /// The number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Text number `index`, which must be below [`len`](Self::len).
    pub fn get(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[start..self.ends[index]]
    }

    /// The first `count` texts.
    pub(in crate::data) fn first(&self, count: usize) -> Self {
        let end = count.checked_sub(1).map_or(0, |last| self.ends[last]);
        Self {
            all: self.all[..end].to_owned(),
            ends: self.ends[..count].to_vec(),
        }
    }

    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }
}
