//! Byte-pair encoding: words in pieces, the commonest pieces in one (Sennrich, Haddow and Birch,
//! *Neural Machine Translation of Rare Words with Subword Units*, 2016).
//!
//! Words begin as characters, the last of which is marked as an end. The commonest pair of
//! neighbouring pieces becomes a piece, until the vocabulary is full. Of equally common pairs, the
//! first by alphabet is taken, so that the same texts give the same pieces everywhere.

use super::tokeniser::{FIRST, UNKNOWN};
use std::collections::{BTreeMap, BTreeSet};

/// Marks the end of a word within a piece; it is no character of any text.
const END: char = '\u{10ffff}';

/// Pieces and the pairs that become one, in the order in which they were learnt.
#[derive(Clone, Debug, Default)]
pub(super) struct Merges {
    /// The pieces; the first has token [`FIRST`].
    pieces: Vec<String>,
    /// The token of each character.
    characters: BTreeMap<String, u32>,
    /// For a pair of tokens: its rank, and the token that it becomes.
    merges: BTreeMap<(u32, u32), (usize, u32)>,
}

impl Merges {
    /// Learns at most `room` pieces from words and how often they occur. The commonest characters
    /// come first, the pieces after them.
    pub fn learn(words: BTreeMap<String, u64>, room: usize) -> Self {
        let mut merges = Self::default();
        merges.learn_characters(&words, room);
        let mut corpus = Corpus::new(&merges, words);
        while merges.pieces.len() < room {
            let Some(pair) = corpus.commonest_pair(&merges) else {
                break;
            };
            let token = merges.add_pair(pair);
            corpus.merge(pair, token);
        }
        merges
    }

    /// What was learnt once: pieces, and the pairs that became the last of them.
    pub fn known(pieces: &[String], merges: &[(u32, u32)]) -> Self {
        let characters = pieces.len().saturating_sub(merges.len());
        let first = FIRST + characters as u32;
        let named = pieces[..characters].iter().cloned();
        let became = (0..).zip(first..);
        Self {
            characters: named.zip(FIRST..).collect(),
            merges: merges.iter().copied().zip(became).collect(),
            pieces: pieces.to_vec(),
        }
    }

    /// The pieces, and the pairs that became the last of them in the order in which they did.
    pub fn describe(&self) -> (Vec<String>, Vec<(u32, u32)>) {
        let mut pairs: Vec<_> = self.merges.iter().collect();
        pairs.sort_by_key(|(_, (rank, _))| *rank);
        let pairs = pairs.into_iter().map(|(pair, _)| *pair).collect();
        (self.pieces.clone(), pairs)
    }

    fn learn_characters(&mut self, words: &BTreeMap<String, u64>, room: usize) {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (word, count) in words {
            for piece in characters(word) {
                *counts.entry(piece).or_default() += count;
            }
        }
        let mut order: Vec<(String, u64)> = counts.into_iter().collect();
        order.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        order.truncate(room);
        self.pieces = order.into_iter().map(|(piece, _)| piece).collect();
        self.characters = self.pieces.iter().cloned().zip(FIRST..).collect();
    }

    fn add_pair(&mut self, pair: (u32, u32)) -> u32 {
        let token = FIRST + self.pieces.len() as u32;
        let piece = self.piece(pair.0).to_owned() + self.piece(pair.1);
        self.merges.insert(pair, (self.merges.len(), token));
        self.pieces.push(piece);
        token
    }

    fn piece(&self, token: u32) -> &str {
        &self.pieces[(token - FIRST) as usize]
    }

    fn start(&self, word: &str) -> Vec<u32> {
        let token = |piece| self.characters.get(&piece).copied().unwrap_or(UNKNOWN);
        characters(word).map(token).collect()
    }

    /// The tokens of a word: the earliest merge that applies, again and again.
    pub fn tokens(&self, word: &str) -> Vec<u32> {
        let mut tokens = self.start(word);
        loop {
            let pairs = tokens.windows(2).map(|pair| (pair[0], pair[1]));
            let known = pairs.filter_map(|pair| Some((self.merges.get(&pair)?, pair)));
            let Some((&(_, token), pair)) = known.min() else {
                return tokens;
            };
            merge(&mut tokens, pair, token);
        }
    }
}

/// A word's characters, the last one with the mark of the end.
fn characters(word: &str) -> impl Iterator<Item = String> {
    let mut characters = word.chars().peekable();
    std::iter::from_fn(move || {
        let mut piece = characters.next()?.to_string();
        if characters.peek().is_none() {
            piece.push(END);
        }
        Some(piece)
    })
}

fn merge(tokens: &mut Vec<u32>, pair: (u32, u32), into: u32) {
    let mut kept = 0;
    let mut at = 0;
    while at < tokens.len() {
        let fits = tokens[at] == pair.0 && tokens.get(at + 1) == Some(&pair.1);
        tokens[kept] = if fits { into } else { tokens[at] };
        kept += 1;
        at += 1 + usize::from(fits);
    }
    tokens.truncate(kept);
}

/// The training words in pieces, with the count of each pair and where it occurs, so that a merge
/// looks only at the words that it changes.
struct Corpus {
    words: Vec<(Vec<u32>, u64)>,
    pairs: BTreeMap<(u32, u32), (u64, BTreeSet<usize>)>,
}

impl Corpus {
    fn new(merges: &Merges, words: BTreeMap<String, u64>) -> Self {
        let words = words.into_iter();
        let mut corpus = Self {
            words: words.map(|(word, n)| (merges.start(&word), n)).collect(),
            pairs: BTreeMap::new(),
        };
        for index in 0..corpus.words.len() {
            corpus.count(index);
        }
        corpus
    }

    fn count(&mut self, index: usize) {
        let (tokens, count) = &self.words[index];
        for pair in tokens.windows(2) {
            if pair.contains(&UNKNOWN) {
                continue;
            }
            let entry = self.pairs.entry((pair[0], pair[1])).or_default();
            entry.0 += count;
            entry.1.insert(index);
        }
    }

    fn uncount(&mut self, index: usize) {
        let (tokens, count) = &self.words[index];
        for pair in tokens.windows(2) {
            if let Some(entry) = self.pairs.get_mut(&(pair[0], pair[1])) {
                entry.0 -= count;
                entry.1.remove(&index);
                if entry.0 == 0 {
                    self.pairs.remove(&(pair[0], pair[1]));
                }
            }
        }
    }

    /// A pair that occurs only once is no piece worth a token.
    fn commonest_pair(&self, merges: &Merges) -> Option<(u32, u32)> {
        let most = self.pairs.values().map(|(count, _)| *count).max()?;
        if most < 2 {
            return None;
        }
        let equal = self.pairs.iter().filter(|(_, (count, _))| *count == most);
        let pairs = equal.map(|(&pair, _)| pair);
        pairs.min_by_key(|pair| (merges.piece(pair.0), merges.piece(pair.1)))
    }

    fn merge(&mut self, pair: (u32, u32), token: u32) {
        let Some((_, places)) = self.pairs.get(&pair) else {
            return;
        };
        for index in places.clone() {
            self.uncount(index);
            merge(&mut self.words[index].0, pair, token);
            self.count(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the paper's Algorithm 1.
    fn paper(room: usize) -> Merges {
        let words = [("low", 5), ("lower", 2), ("newest", 6), ("widest", 3)];
        let words = words.map(|(word, count)| (word.to_owned(), count));
        Merges::learn(words.into(), room)
    }

    fn pieces(merges: &Merges, word: &str) -> Vec<String> {
        let tokens = merges.tokens(word);
        let pieces = tokens.iter().map(|&token| merges.piece(token));
        pieces.map(|piece| piece.replace(END, "_")).collect()
    }

    #[test]
    fn the_papers_example_gives_the_papers_pieces() {
        // 11 characters and ends of words, then es, est_ and lo.
        let merges = paper(11 + 3);
        assert_eq!(pieces(&merges, "newest"), ["n", "e", "w", "est_"]);
        assert_eq!(pieces(&merges, "lowest"), ["lo", "w", "est_"]);
    }

    #[test]
    fn strangers_are_unknown_and_the_vocabulary_is_kept() {
        let merges = paper(6);
        assert_eq!(merges.pieces.len(), 6);
        assert!(merges.tokens("xyz").iter().all(|&token| token == UNKNOWN));
        assert!(paper(1000).pieces.len() < 60);
    }

    #[test]
    fn learning_twice_gives_the_same() {
        let (one, two) = (paper(20), paper(20));
        assert_eq!((one.pieces, one.merges), (two.pieces, two.merges));
    }
}
