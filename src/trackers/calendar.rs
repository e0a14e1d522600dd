//! Moments as other programs write them.

use crate::report;

/// A moment, in seconds since 1970, as ISO 8601 writes it, to the microsecond.
pub fn iso(at: f64) -> String {
    let micros = (at.max(0.0) * 1e6).round() as i64;
    let (seconds, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let (year, month, day) = report::civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    format!(
        "{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{micros:06}+00:00",
        second / 3600,
        second % 3600 / 60,
        second % 60
    )
}

/// A moment in whole milliseconds since 1970.
pub fn millis(at: f64) -> i64 {
    (at.max(0.0) * 1e3).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_to_the_microsecond() {
        assert_eq!(iso(0.0), "1970-01-01T00:00:00.000000+00:00");
        assert_eq!(iso(1_795_617_647.25), "2026-11-25T14:40:47.250000+00:00");
        assert_eq!(millis(1.5), 1500);
    }
}
