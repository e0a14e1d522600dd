//! Named random streams: (root seed, trial, purpose) to a generator.
//!
//! Nothing in strata draws from a global generator. A [`Stream`] is a function of what it is for, so
//! what one part draws never changes what another part sees, whatever the order or the thread.

use num_bigint::BigUint;
use num_traits::{ToPrimitive, Zero};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The root seed of a run, from which every stream is derived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

/// What a stream is drawn for. Streams of different purposes never share bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Choosing parents, edits and new architectures.
    Propose,
    /// Decisions that a genome lacks.
    Decode,
    /// Initial weights.
    Init,
    /// The order of training examples.
    Shuffle,
    /// Random changes to training examples.
    Augment,
    /// Dropout masks and every other noise inside a layer.
    Dropout,
    /// Dividing data into parts.
    Split,
    /// The order in which training examples enter a share of them.
    Subset,
    /// Drawing trials to check, and other choices of a tool.
    Tool,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Propose => "propose",
            Self::Decode => "decode",
            Self::Init => "init",
            Self::Shuffle => "shuffle",
            Self::Augment => "augment",
            Self::Dropout => "dropout",
            Self::Split => "split",
            Self::Subset => "subset",
            Self::Tool => "tool",
        }
    }
}

impl Seed {
    /// The stream of `purpose` in trial number `trial`.
    pub fn stream(self, trial: u64, purpose: Purpose) -> Stream {
        let mut hash = Sha256::new();
        hash.update(b"strata stream 1\0");
        hash.update(self.0.to_le_bytes());
        hash.update(trial.to_le_bytes());
        hash.update(purpose.name().as_bytes());
        Stream(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// A seed of its own for part `index` of something named `name` (a retraining, a bench run).
    #[must_use]
    pub fn derive(self, name: &str, index: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"strata seed 1\0");
        hash.update(self.0.to_le_bytes());
        hash.update(index.to_le_bytes());
        hash.update(name.as_bytes());
        let digest = hash.finalize();
        Self(u64::from_le_bytes(
            digest[..8].try_into().expect("a digest has 32 bytes"),
        ))
    }
}

/// A generator for one purpose. Every draw is defined here by integer arithmetic, so that a newer
/// random library can't change a result.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A uniform integer in `0..bound`, without bias. `bound` must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a draw needs at least one outcome");
        let mut product = u128::from(self.bits()) * u128::from(bound);
        if (product as u64) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u64) < threshold {
                product = u128::from(self.bits()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// A uniform index into something of length `len`. `len` must not be 0.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// A uniform integer in `0..bound` of any size, without bias. `bound` must not be 0.
    pub fn below_big(&mut self, bound: &BigUint) -> BigUint {
        assert!(!bound.is_zero(), "a draw needs at least one outcome");
        if let Some(small) = bound.to_u64() {
            return BigUint::from(self.below(small));
        }
        let bits = bound.bits();
        let words = bits.div_ceil(32) as usize;
        let spare = (words as u64) * 32 - bits;
        loop {
            let mut digits: Vec<u32> = (0..words).map(|_| self.0.next_u32()).collect();
            if let Some(last) = digits.last_mut() {
                *last >>= spare;
            }
            let draw = BigUint::new(digits);
            if &draw < bound {
                return draw;
            }
        }
    }

    /// A uniform number in [0, 1) with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A uniform number in [low, high) with 24 random bits, as weights are drawn.
    pub fn uniform_f32(&mut self, low: f32, high: f32) -> f32 {
        let unit = (self.0.next_u32() >> 8) as f32 * (1.0 / (1u32 << 24) as f32);
        low + (high - low) * unit
    }

    /// A standard normal number (Box and Muller's method, platform-independent functions).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(2.0 * std::f64::consts::PI * self.unit())
    }

    /// An index drawn with probability proportional to its weight. Weights must be finite, not
    /// negative, and not all zero.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        let mut left = self.unit() * total;
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights
            .iter()
            .rposition(|&weight| weight > 0.0)
            .expect("some weight is positive")
    }

    /// Puts `items` in uniformly random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_trial_and_purpose() {
        let first = |seed: u64, trial, purpose| Seed(seed).stream(trial, purpose).bits();
        let base = first(1, 0, Purpose::Init);
        assert_eq!(base, first(1, 0, Purpose::Init));
        assert_ne!(base, first(2, 0, Purpose::Init));
        assert_ne!(base, first(1, 1, Purpose::Init));
        assert_ne!(base, first(1, 0, Purpose::Shuffle));
    }

    #[test]
    fn draws_below_a_bound_are_uniform() {
        let mut stream = Seed(3).stream(0, Purpose::Tool);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[stream.index(7)] += 1;
        }
        let chi2: f64 = counts
            .iter()
            .map(|&n| f64::from(n) - 1e4)
            .map(|difference| difference * difference / 1e4)
            .sum();
        assert!(chi2 < 22.46, "chi-square {chi2} over its 0.999 quantile");
    }

    #[test]
    fn big_draws_stay_below_their_bound_and_reach_the_top_word() {
        let mut stream = Seed(4).stream(0, Purpose::Tool);
        let bound = (BigUint::from(1u8) << 100) + 12_345u32;
        let draws: Vec<BigUint> = (0..200).map(|_| stream.below_big(&bound)).collect();
        assert!(draws.iter().all(|draw| draw < &bound));
        assert!(draws.iter().any(|draw| draw.bits() == 100));
    }

    #[test]
    fn zero_weights_are_never_drawn() {
        let mut stream = Seed(5).stream(0, Purpose::Tool);
        assert!((0..1000).all(|_| stream.weighted(&[0.0, 2.0, 0.0]) == 1));
    }
}
