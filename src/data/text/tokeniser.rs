//! Tokenisers: bytes, characters, words, and pieces of words.

use super::bpe::Merges;
use crate::layers::Shape;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Fills up what is shorter than the length.
pub(super) const PADDING: u32 = 0;
/// Stands for what the training texts lack.
pub(super) const UNKNOWN: u32 = 1;
/// The first token that stands for something.
pub(super) const FIRST: u32 = 2;

/// What a token is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tokens {
    /// A byte of UTF-8.
    Byte,
    /// A character.
    Char,
    /// A word in lower case, or a sign between words.
    #[default]
    Word,
    /// A piece of a word, by byte-pair encoding (Sennrich, Haddow and Birch, 2016).
    Bpe,
}

/// How texts become tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// What a token is.
    pub tokens: Tokens,
    /// How many tokens there are at most, with the two that stand for no text.
    pub vocabulary: usize,
    /// How many tokens a text has: longer ones are cut, shorter ones filled up.
    pub length: usize,
}

impl TextOptions {
    /// Tokens that stand for bytes, with those for padding and the unknown.
    pub const BYTES: usize = 256 + FIRST as usize;

    /// The shape of a text.
    pub fn shape(&self) -> Shape {
        Shape::Tokens {
            length: self.length,
            vocabulary: self.vocabulary,
        }
    }

    pub(in crate::data) fn hash(&self, hash: &mut Sha256) {
        hash.update(b"text\0");
        hash.update([self.tokens as u8]);
        hash.update((self.vocabulary as u64).to_le_bytes());
        hash.update((self.length as u64).to_le_bytes());
    }
}

/// What each token stands for, as plain data: the first is token 2, after padding and the unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Vocabulary {
    /// A byte each: byte `b` is token `b + 2`.
    Byte,
    /// A character each.
    Char {
        /// The characters in the order of their tokens.
        known: Vec<char>,
    },
    /// A word in lower case, or a sign.
    Word {
        /// The words in the order of their tokens.
        known: Vec<String>,
    },
    /// A piece of a word, by byte-pair encoding; U+10FFFF marks a word's end.
    Bpe {
        /// The pieces in the order of their tokens: characters first, then what pairs became.
        pieces: Vec<String>,
        /// The pairs of tokens that become the pieces after the characters, in the order in which they do.
        merges: Vec<(u32, u32)>,
    },
}

impl Vocabulary {
    /// Whether it can be of a vocabulary of this size.
    pub(in crate::data) fn fits(&self, vocabulary: usize) -> bool {
        let tokens = match self {
            Self::Byte => 256,
            Self::Char { known } => known.len(),
            Self::Word { known } => known.len(),
            Self::Bpe { pieces, merges } => {
                let below = |token: u32| token < FIRST + pieces.len() as u32;
                let sound = merges
                    .iter()
                    .all(|&(one, other)| below(one) && below(other));
                if !sound || merges.len() > pieces.len() {
                    return false;
                }
                pieces.len()
            }
        };
        tokens + FIRST as usize <= vocabulary
    }
}

/// What makes tokens of texts, learnt from training texts.
#[derive(Clone, Debug)]
pub(in crate::data) struct Tokeniser {
    length: usize,
    known: Known,
}

#[derive(Clone, Debug)]
enum Known {
    Bytes,
    Chars(BTreeMap<char, u32>),
    Words(BTreeMap<String, u32>),
    Pieces(Merges),
}

impl Tokeniser {
    /// Learns the commonest characters, words or pieces of `texts`; of equally common ones, the
    /// first by alphabet.
    pub fn fit<'a>(options: &TextOptions, texts: impl Iterator<Item = &'a str>) -> Self {
        let room = options.vocabulary - FIRST as usize;
        let known = match options.tokens {
            Tokens::Byte => Known::Bytes,
            Tokens::Char => Known::Chars(commonest(texts.flat_map(str::chars), room)),
            Tokens::Word => Known::Words(commonest(texts.flat_map(words), room)),
            Tokens::Bpe => Known::Pieces(Merges::learn(counts(texts.flat_map(words)), room)),
        };
        Self {
            length: options.length,
            known,
        }
    }

    /// What was learnt once.
    pub fn known(vocabulary: &Vocabulary, length: usize) -> Self {
        let known = match vocabulary {
            Vocabulary::Byte => Known::Bytes,
            Vocabulary::Char { known } => {
                Known::Chars(known.iter().copied().zip(FIRST..).collect())
            }
            Vocabulary::Word { known } => {
                Known::Words(known.iter().cloned().zip(FIRST..).collect())
            }
            Vocabulary::Bpe { pieces, merges } => Known::Pieces(Merges::known(pieces, merges)),
        };
        Self { length, known }
    }

    /// What was learnt, as plain data.
    pub fn vocabulary(&self) -> Vocabulary {
        match &self.known {
            Known::Bytes => Vocabulary::Byte,
            Known::Chars(known) => Vocabulary::Char {
                known: in_order(known),
            },
            Known::Words(known) => Vocabulary::Word {
                known: in_order(known),
            },
            Known::Pieces(merges) => {
                let (pieces, merges) = merges.describe();
                Vocabulary::Bpe { pieces, merges }
            }
        }
    }

    /// Adds the tokens of `text`, `length` of them.
    pub fn push(&self, text: &str, out: &mut Vec<f32>) {
        let end = out.len() + self.length;
        match &self.known {
            Known::Bytes => {
                let tokens = text.bytes().map(|byte| u32::from(byte) + FIRST);
                extend(out, tokens.take(self.length));
            }
            Known::Chars(known) => {
                let token = |c| known.get(&c).copied().unwrap_or(UNKNOWN);
                extend(out, text.chars().map(token).take(self.length));
            }
            Known::Words(known) => {
                let token = |word: String| known.get(&word).copied().unwrap_or(UNKNOWN);
                extend(out, words(text).map(token).take(self.length));
            }
            Known::Pieces(merges) => {
                let tokens = words(text).flat_map(|word| merges.tokens(&word));
                extend(out, tokens.take(self.length));
            }
        }
        out.resize(end, PADDING as f32);
    }
}

/// Items in the order of their tokens.
fn in_order<T: Clone>(known: &BTreeMap<T, u32>) -> Vec<T> {
    let mut order: Vec<(&T, &u32)> = known.iter().collect();
    order.sort_by_key(|(_, token)| **token);
    order.into_iter().map(|(item, _)| item.clone()).collect()
}

/// Token numbers stay below 2^24, which 32-bit floats hold exactly.
fn extend(out: &mut Vec<f32>, tokens: impl Iterator<Item = u32>) {
    out.extend(tokens.map(|token| token as f32));
}

/// Words in lower case, and each sign that is neither part of a word nor blank by itself.
fn words(text: &str) -> impl Iterator<Item = String> {
    let is_inner = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let end = if is_inner(first) {
            rest.find(|c| !is_inner(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word.to_lowercase())
    })
}

fn counts<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}

/// The `room` commonest items with their tokens.
fn commonest<T: Ord>(items: impl Iterator<Item = T>, room: usize) -> BTreeMap<T, u32> {
    let mut order: Vec<(T, u64)> = counts(items).into_iter().collect();
    // The sort is stable, and the map was in the order of the alphabet.
    order.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    order.truncate(room);
    let tokens = FIRST..;
    order
        .into_iter()
        .map(|(item, _)| item)
        .zip(tokens)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(kind: Tokens, vocabulary: usize, training: &[&str], text: &str) -> Vec<f32> {
        let options = TextOptions {
            tokens: kind,
            vocabulary,
            length: 6,
        };
        let tokeniser = Tokeniser::fit(&options, training.iter().copied());
        let mut out = Vec::new();
        tokeniser.push(text, &mut out);
        assert_eq!(out.len(), 6);
        assert!(out.iter().all(|&token| (token as usize) < vocabulary));
        out
    }

    #[test]
    fn bytes_need_no_training() {
        let out = tokens(Tokens::Byte, TextOptions::BYTES, &[], "aé");
        assert_eq!(out, [99.0, 197.0, 171.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn the_commonest_characters_and_words_are_known() {
        let out = tokens(Tokens::Char, 4, &["bbac"], "abcb");
        assert_eq!(out, [3.0, 2.0, 1.0, 2.0, 0.0, 0.0]);
        let training = ["You won, you won!", "You lost"];
        let out = tokens(Tokens::Word, 5, &training, "YOU won! They lost");
        assert_eq!(out, [2.0, 3.0, 4.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn long_texts_are_cut() {
        assert!(!tokens(Tokens::Byte, 258, &[], "long enough").contains(&0.0));
    }

    #[test]
    fn words_and_signs_are_told_apart() {
        let found: Vec<String> = words(" It's 4x4,\tok\u{a0}?").collect();
        assert_eq!(found, ["it", "'", "s", "4x4", ",", "ok", "?"]);
    }
}
