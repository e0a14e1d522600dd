//! Numbers: digits, an optional fraction and exponent, an optional suffix `k`, `M` or `G`.
//!
//! A number with a suffix that comes out whole is an integer (`1.5M` is 1500000). Without a suffix,
//! a fraction or an exponent makes it real (`1e6`, `2.0`).

use super::{Kind, clip};
use crate::diagnostics::{Diagnostic, Span};

/// Reads the number that `rest` opens with, at byte `at` of the file: its kind, its length, and what
/// is wrong with it.
pub fn number(rest: &str, at: usize) -> (Kind, usize, Option<Diagnostic>) {
    let parts = Parts::read(rest);
    let text = &rest[..parts.length];
    let span = Span::new(at, at + parts.length);
    match parts.value() {
        Ok(kind) => (kind, parts.length, None),
        Err(fault) => (
            Kind::Unknown,
            parts.length,
            Some(fault.diagnostic(span, text)),
        ),
    }
}

enum Fault {
    Malformed,
    TooLarge,
    TooLargeReal,
    TooSmall,
}

impl Fault {
    fn diagnostic(&self, span: Span, text: &str) -> Diagnostic {
        let text = clip(text);
        match self {
            Self::Malformed => Diagnostic::error(span, format!("`{text}` is no number"))
                .hint("a number looks like `3`, `0.5`, `1e-4` or `200k` (also `M`, `G`)"),
            Self::TooLarge => Diagnostic::error(span, format!("`{text}` is too large"))
                .hint(format!("whole numbers go up to {}", i64::MAX)),
            Self::TooLargeReal => Diagnostic::error(span, format!("`{text}` is too large"))
                .hint(format!("real numbers go up to {:e}", f64::MAX)),
            Self::TooSmall => {
                Diagnostic::error(span, format!("`{text}` is too small to tell from 0"))
                    .hint("write `0`")
            }
        }
    }
}

struct Parts<'a> {
    whole: &'a str,
    fraction: &'a str,
    exponent: Option<&'a str>,
    suffix: &'a str,
    /// Whether a point stands without digits on both sides.
    lone_point: bool,
    length: usize,
}

impl<'a> Parts<'a> {
    fn read(text: &'a str) -> Self {
        let (whole, mut rest) = text.split_at(digits(text));
        let mut fraction = "";
        let mut lone_point = whole.is_empty();
        if let Some(after) = rest.strip_prefix('.')
            && digits(after) > 0
        {
            (fraction, rest) = after.split_at(digits(after));
        }
        if let Some(after) = rest.strip_prefix('.')
            && !after.starts_with('.')
        {
            (lone_point, rest) = (true, after);
        }
        let mut exponent = None;
        if let Some(after) = rest.strip_prefix(['e', 'E']) {
            let sign = usize::from(after.starts_with(['+', '-']));
            let length = digits(&after[sign..]);
            if length > 0 {
                let (read, after) = after.split_at(sign + length);
                exponent = Some(read);
                rest = after;
            }
        }
        let end = rest.find(|c| !super::is_word(c)).unwrap_or(rest.len());
        let length = text.len() - rest.len() + end;
        Self {
            whole,
            fraction,
            exponent,
            suffix: &rest[..end],
            lone_point,
            length,
        }
    }

    fn value(&self) -> Result<Kind, Fault> {
        let power = match self.suffix {
            _ if self.lone_point => return Err(Fault::Malformed),
            "" => 0,
            "k" => 3,
            "M" => 6,
            "G" => 9,
            _ => return Err(Fault::Malformed),
        };
        if self.exponent.is_some() || (power == 0 && !self.fraction.is_empty()) {
            return self.real(power);
        }
        let fraction = self.fraction.trim_end_matches('0');
        if fraction.len() > power {
            return self.real(power);
        }
        let zeros = power - fraction.len();
        let digits = format!("{}{}{}", self.whole, fraction, "0".repeat(zeros));
        digits.parse().map(Kind::Int).map_err(|_| Fault::TooLarge)
    }

    fn real(&self, power: usize) -> Result<Kind, Fault> {
        let mantissa = format!("{}.{}0", self.whole, self.fraction);
        let written: i64 = self
            .exponent
            .map_or(Ok(0), str::parse)
            .map_err(|_| Fault::TooLargeReal)?;
        let exponent = written.saturating_add(power as i64);
        let value: f64 = format!("{mantissa}e{exponent}")
            .parse()
            .map_err(|_| Fault::Malformed)?;
        if value.is_infinite() {
            return Err(Fault::TooLargeReal);
        }
        if value == 0.0 && mantissa.bytes().any(|b| matches!(b, b'1'..=b'9')) {
            return Err(Fault::TooSmall);
        }
        Ok(Kind::Float(value))
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Kind {
        let (kind, length, error) = number(text, 0);
        assert_eq!((length, error), (text.len(), None), "{text}");
        kind
    }

    #[test]
    fn a_suffix_multiplies_exactly() {
        assert_eq!(read("200k"), Kind::Int(200_000));
        assert_eq!(read("5M"), Kind::Int(5_000_000));
        assert_eq!(read("1.5M"), Kind::Int(1_500_000));
        assert_eq!(read("0.0001k"), Kind::Float(0.1));
    }

    #[test]
    fn fractions_and_exponents_are_real() {
        assert_eq!(read("1e-4"), Kind::Float(1e-4));
        assert_eq!(read("2.50"), Kind::Float(2.5));
        assert_eq!(read("1e6"), Kind::Float(1e6));
        assert_eq!(read("0.0"), Kind::Float(0.0));
    }

    #[test]
    fn numbers_out_of_range_and_misshapen_ones_are_refused() {
        for text in [
            "9223372036854775808",
            "10000000000G",
            "1e999",
            "1e-999",
            ".5",
            "5.",
            "3x3",
            "1e",
            "1K",
        ] {
            assert!(number(text, 0).2.is_some(), "{text}");
        }
        assert_eq!(read("9223372036854775807"), Kind::Int(i64::MAX));
    }
}
