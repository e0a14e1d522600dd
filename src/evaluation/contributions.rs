//! What each example of a test gave to its score, in few bytes.

use serde::{Deserialize, Serialize};

/// What each test example gave to the score of one retraining, in the fixed order of the examples (of groups of
/// them, where they come in groups): numbers whose mean is the score, or nearly so where they are the jackknife's
/// pseudo-values.
///
/// Zeros and ones, as accuracy has them, take a bit each. Others are kept in 32 bits where their mean stays within
/// 1e-6 by that, and in 64 where it does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Contributions(Kept);

/// Numbers as text: base64 of bits, the first in the lowest place of its byte, or of little-endian floats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Bits {
        count: usize,
        #[serde(with = "base64")]
        bytes: Vec<u8>,
    },
    F32(#[serde(with = "base64")] Vec<u8>),
    F64(#[serde(with = "base64")] Vec<u8>),
}

impl Contributions {
    /// These numbers; nothing if one of them is not finite, or there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() || !values.iter().all(|value| value.is_finite()) {
            return None;
        }
        if values.iter().all(|&value| value == 0.0 || value == 1.0) {
            let mut bytes = vec![0; values.len().div_ceil(8)];
            for (at, &value) in values.iter().enumerate() {
                bytes[at / 8] |= u8::from(value == 1.0) << (at % 8);
            }
            let count = values.len();
            return Some(Self(Kept::Bits { count, bytes }));
        }
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let (sum, count) = values.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
            sum / count
        };
        let whole = mean(&mut values.iter().copied());
        let short = mean(&mut values.iter().map(|&value| f64::from(value as f32)));
        let kept = if (whole - short).abs() <= SHORT_ENOUGH {
            let bytes = values
                .iter()
                .flat_map(|&value| (value as f32).to_le_bytes());
            Kept::F32(bytes.collect())
        } else {
            Kept::F64(
                values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect(),
            )
        };
        Some(Self(kept))
    }

    /// The numbers.
    pub fn values(&self) -> Vec<f64> {
        match &self.0 {
            Kept::Bits { count, bytes } => {
                let bit = |at: usize| {
                    let byte = bytes.get(at / 8).copied().unwrap_or_default();
                    f64::from(byte >> (at % 8) & 1)
                };
                (0..*count).map(bit).collect()
            }
            Kept::F32(bytes) => {
                let (numbers, _) = bytes.as_chunks::<4>();
                numbers
                    .iter()
                    .map(|&bytes| f64::from(f32::from_le_bytes(bytes)))
                    .collect()
            }
            Kept::F64(bytes) => {
                let (numbers, _) = bytes.as_chunks::<8>();
                numbers
                    .iter()
                    .map(|&bytes| f64::from_le_bytes(bytes))
                    .collect()
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kept::Bits { count, .. } => *count,
            Kept::F32(bytes) => bytes.len() / 4,
            Kept::F64(bytes) => bytes.len() / 8,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How far a mean may move when numbers are kept in 32 bits.
const SHORT_ENOUGH: f64 = 1e-6;

/// Bytes as base64 (RFC 4648, with padding).
mod base64 {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encoded(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        decoded(text.as_bytes()).ok_or_else(|| Error::custom("it is not base64"))
    }

    pub(super) fn encoded(bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
        for chunk in bytes.chunks(3) {
            let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for digit in 0..4 {
                let place = (bits >> (18 - 6 * digit) & 63) as usize;
                let is_data = digit <= chunk.len();
                text.push(if is_data {
                    char::from(DIGITS[place])
                } else {
                    '='
                });
            }
        }
        text
    }

    pub(super) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
        let padding = text
            .iter()
            .rev()
            .take_while(|&&digit| digit == b'=')
            .count();
        if !text.len().is_multiple_of(4) || padding > 2 {
            return None;
        }
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
        let data = &text[..text.len() - padding];
        for chunk in data.chunks(4) {
            let mut bits = 0u32;
            for &digit in chunk {
                let place = DIGITS.iter().position(|&known| known == digit)?;
                bits = bits << 6 | u32::try_from(place).ok()?;
            }
            bits <<= 6 * (4 - chunk.len());
            bytes.extend(&bits.to_be_bytes()[1..chunk.len()]);
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in pairs {
            assert_eq!(base64::encoded(bytes.as_bytes()), text);
            assert_eq!(base64::decoded(text.as_bytes()).unwrap(), bytes.as_bytes());
        }
        for wrong in ["Zg=", "Z===", "Zg==Zg==", "Z*=="] {
            assert_eq!(base64::decoded(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn hits_take_a_bit_each() {
        let values: Vec<f64> = (0..3000)
            .map(|at| f64::from(u8::from(at % 3 != 0)))
            .collect();
        let kept = Contributions::of(&values).unwrap();
        assert_eq!(kept.values(), values);
        assert!(serde_json::to_string(&kept).unwrap().len() < 3000 / 8 * 4 / 3 + 50);
    }

    #[test]
    fn numbers_are_kept_shorter_only_where_the_mean_stays() {
        let short = Contributions::of(&[0.1, 0.7, 0.3]).unwrap();
        assert!(matches!(short.0, Kept::F32(_)));
        let prices = [254_123.456_789, 99_999.123_456, 1_000_000.000_5];
        let long = Contributions::of(&prices).unwrap();
        assert_eq!(long.values(), prices);
        assert_eq!(Contributions::of(&[0.5, f64::NAN]), None);
        assert_eq!(Contributions::of(&[]), None);
    }

    proptest! {
        #[test]
        fn what_is_kept_comes_back(values in proptest::collection::vec(-1e3..1e3f64, 1..50)) {
            let kept = Contributions::of(&values).unwrap();
            let text = serde_json::to_string(&kept).unwrap();
            let back: Contributions = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&back, &kept);
            prop_assert_eq!(back.len(), values.len());
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            prop_assert!((mean(&back.values()) - mean(&values)).abs() <= 1.1e-6);
        }
    }
}
