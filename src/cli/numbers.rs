//! Numbers as people read them.

pub use crate::report::{grouped, ordinal, plural, seconds};

use crate::space::Count;
use num_bigint::BigUint;

/// A number from a million up in powers of ten, rounded to three digits: `1.04e9`.
pub fn scientific(number: &BigUint) -> Option<String> {
    let digits = number.to_string();
    if digits.len() < 7 {
        return None;
    }
    let head: u32 = digits[..4].parse().expect("a number's digits are digits");
    let (head, power) = match (head + 5) / 10 {
        1000 => (100, digits.len()),
        head => (head, digits.len() - 1),
    };
    Some(format!("{}.{:02}e{power}", head / 100, head % 100))
}

/// A count with its unit for a line: `812`, `12.3k`, `4.56M`, `7.89G`.
pub fn short(number: u64) -> String {
    let scaled = |unit: u64| number as f64 / unit as f64;
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{:.1}k", scaled(1_000)),
        1_000_000..1_000_000_000 => format!("{:.2}M", scaled(1_000_000)),
        _ => format!("{:.2}G", scaled(1_000_000_000)),
    }
}

/// `0.9933 ± 0.0020`, as far as known.
pub fn with_deviation(mean: Option<f64>, deviation: Option<f64>) -> String {
    match (mean, deviation) {
        (None, _) => "-".to_owned(),
        (Some(mean), None) => format!("{mean:.4}"),
        (Some(mean), Some(deviation)) => format!("{mean:.4} ± {deviation:.4}"),
    }
}

/// A level of significance with three digits that count: `0.04`, `0.00608`.
pub fn level(alpha: f64) -> String {
    let zeros = libm::floor(-libm::log10(alpha)).clamp(0.0, 17.0) as usize;
    let text = format!("{alpha:.*}", zeros + 3);
    text.trim_end_matches('0').to_owned()
}

/// `1 architecture`, `1,024 architectures`, `about 3.21e14 architectures`.
pub fn architectures(count: &Count) -> String {
    let number = match count {
        Count::Exact(count) => grouped(count),
        Count::Estimate(estimate) => {
            let likely = estimate.likely();
            let rounded = scientific(&likely).unwrap_or_else(|| grouped(&likely));
            format!("about {rounded}")
        }
    };
    let plural = if count.is_one() { "" } else { "s" };
    format!("{number} architecture{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_037_664_180_u64), "1,037,664,180");
    }

    #[test]
    fn levels_have_three_digits_that_count() {
        assert_eq!(level(0.04), "0.04");
        assert_eq!(level(0.006_079_271), "0.00608");
    }

    #[test]
    fn large_numbers_are_rounded_in_powers_of_ten() {
        assert_eq!(scientific(&BigUint::from(999_999_u32)), None);
        assert_eq!(
            scientific(&BigUint::from(1_037_664_180_u64)).as_deref(),
            Some("1.04e9")
        );
        assert_eq!(
            scientific(&BigUint::from(9_999_999_u32)).as_deref(),
            Some("1.00e7")
        );
    }
}
