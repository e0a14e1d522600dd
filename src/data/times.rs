//! Times in a column: numbers, or dates and times as ISO 8601 writes them.

use super::DataError;
use super::keys::KeyColumn;

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;

/// The times of a column, in an order that numbers can be compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// Whole numbers, other numbers or dates: only times of one kind can be compared.
    pub kind: TimeKind,
    /// The moment of each distinct text of the column.
    pub moments: Vec<i128>,
}

/// A way of writing times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeKind {
    /// Whole numbers, which are compared exactly.
    Whole,
    /// Numbers with fractions.
    Real,
    /// Dates, or dates with times of day.
    Date,
}

impl Times {
    /// Reads the texts of `column`.
    ///
    /// # Errors
    /// When one is neither a number nor a date, or some dates have zones and others have none.
    pub fn of(column: &KeyColumn) -> Result<Self, DataError> {
        let texts = || column.texts.iter().map(|text| text.trim());
        let whole: Option<Vec<i128>> = texts().map(|text| text.parse().ok()).collect();
        if let Some(moments) = whole {
            let kind = TimeKind::Whole;
            return Ok(Self { kind, moments });
        }
        let real: Option<Vec<i128>> = texts().map(real).collect();
        if let Some(moments) = real {
            let kind = TimeKind::Real;
            return Ok(Self { kind, moments });
        }
        Self::of_dates(column)
    }

    fn of_dates(column: &KeyColumn) -> Result<Self, DataError> {
        let mut moments = Vec::with_capacity(column.texts.len());
        let mut zoned: Option<bool> = None;
        for (key, text) in column.texts.iter().enumerate() {
            let Some((moment, has_zone)) = date(text.trim()) else {
                let problem = "is neither a number like the others nor a date of ISO 8601, such as 2024-12-31 or \
                               2024-12-31T08:30:00; write times in one of these ways";
                return Err(column.error(key, problem));
            };
            // A date of its own has no time of day to be shifted.
            if text.trim().len() > 10 && *zoned.get_or_insert(has_zone) != has_zone {
                let problem =
                    "has a time zone where others have none, or the reverse; write all in one way";
                return Err(column.error(key, problem));
            }
            moments.push(moment);
        }
        let kind = TimeKind::Date;
        Ok(Self { kind, moments })
    }
}

/// A finite number as a whole one that is ordered alike.
fn real(text: &str) -> Option<i128> {
    let number: f64 = text.parse().ok()?;
    // Adding 0 makes -0 and 0 one number.
    let bits = (number.is_finite().then_some(number)? + 0.0).to_bits() as i64;
    let ordered = if bits < 0 { i64::MIN - bits } else { bits };
    Some(i128::from(ordered))
}

/// Nanoseconds since 1970 of a date of ISO 8601, and whether it names a zone. Without one it counts as UTC.
fn date(text: &str) -> Option<(i128, bool)> {
    let (date, rest) = text.split_at_checked(10).unwrap_or((text, ""));
    let day = calendar_day(date)?;
    if rest.is_empty() {
        return Some((day * 86_400 * SECOND, false));
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?.trim_start();
    let zone_at = rest.find(['Z', 'z', '+', '-', ' ', 'U']);
    let (clock, zone) = rest.split_at(zone_at.unwrap_or(rest.len()));
    let offset = offset(zone.trim())?;
    let moment = day * 86_400 * SECOND + time_of_day(clock)? - offset.unwrap_or(0);
    Some((moment, offset.is_some()))
}

/// Days since 1970 of `2024-12-31`, `2024/12/31` or `2024-12`.
fn calendar_day(text: &str) -> Option<i128> {
    let separator = if text.contains('/') { '/' } else { '-' };
    let mut fields = text.split(separator);
    let year = digits(fields.next()?, 4)?;
    let month = digits(fields.next()?, 2)?;
    let day = fields.next().map_or(Some(1), |day| digits(day, 2))?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i128::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if fields.next().is_some() || !(1..=longest).contains(&day) {
        return None;
    }
    // Howard Hinnant's days_from_civil: years begin in March, so that a leap day is the last.
    let year = year - i128::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Nanoseconds of `08:30`, `08:30:15` or `08:30:15.25`.
fn time_of_day(text: &str) -> Option<i128> {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let mut fields = clock.split(':');
    let hours = digits(fields.next()?, 2)?;
    let minutes = digits(fields.next()?, 2)?;
    let seconds = fields.next();
    if fields.next().is_some() || (seconds.is_none() && clock.len() != text.len()) {
        return None;
    }
    let seconds = seconds.map_or(Some(0), |seconds| digits(seconds, 2))?;
    if hours > 24 || minutes > 59 || seconds > 60 || fraction.len() > 9 {
        return None;
    }
    let nanoseconds = match fraction {
        "" => 0,
        _ => digits(&format!("{fraction:0<9}"), 9)?,
    };
    Some((hours * 3600 + minutes * 60 + seconds) * SECOND + nanoseconds)
}

/// The nanoseconds by which a zone is ahead of UTC, if one is named; nothing if it makes no sense.
fn offset(zone: &str) -> Option<Option<i128>> {
    match zone {
        "" => return Some(None),
        "Z" | "z" | "UTC" => return Some(Some(0)),
        _ => {}
    }
    let sign = match zone.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let plain = zone[1..].replace(':', "");
    let (hours, minutes) = match plain.len() {
        2 => (digits(&plain, 2)?, 0),
        4 => (digits(plain.get(..2)?, 2)?, digits(plain.get(2..)?, 2)?),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some(Some(sign * (hours * 60 + minutes) * 60 * SECOND))
}

/// The value of exactly `length` digits.
fn digits(text: &str, length: usize) -> Option<i128> {
    let right = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    right.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(texts: &[&str]) -> KeyColumn {
        let mut column = KeyColumn::new("when", "t.csv");
        for (row, text) in texts.iter().enumerate() {
            column.push(text, row as u64 + 2);
        }
        column
    }

    fn seconds(text: &str) -> Option<i128> {
        date(text).map(|(moment, _)| moment / SECOND)
    }

    #[test]
    fn dates_count_the_seconds_since_1970() {
        // As Python's datetime.fromisoformat(…).timestamp() has them in UTC.
        let cases = [
            ("1970-01-01", 0),
            ("2024-02-29", 1_709_164_800),
            ("2024/12/31", 1_735_603_200),
            ("2000-03", 951_868_800),
            ("1969-12-31T23:59:59", -1),
            ("2024-06-01 12:30", 1_717_245_000),
            ("2024-06-01T12:30:15Z", 1_717_245_015),
            ("2024-06-01T12:30:15.250+02:00", 1_717_237_815),
            ("2024-06-01 12:30:15-0530", 1_717_264_815),
            ("0001-01-01", -62_135_596_800),
        ];
        for (text, wanted) in cases {
            assert_eq!(seconds(text), Some(wanted), "{text}");
        }
        for text in [
            "31.12.2024",
            "12/31/2024",
            "2023-02-29",
            "2024-13-01",
            "2024-1-1",
            "2024-01-01T25:00",
            "2024-01-01T10",
            "2024-01-01T10:00+99:00",
            "2024-01-01x",
            "é2024-01-0",
            "",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_ordered_exactly() {
        let whole = ["1700000000000000001", "1700000000000000000", "-3"];
        let times = Times::of(&column(&whole)).unwrap();
        assert_eq!(times.kind, TimeKind::Whole);
        assert!(times.moments[0] > times.moments[1] && times.moments[1] > times.moments[2]);
        let times = Times::of(&column(&["-2.5", "-1e3", "0", "-0.0", "3"])).unwrap();
        assert_eq!(times.kind, TimeKind::Real);
        let [a, b, zero, other_zero, c] = times.moments[..] else {
            panic!("five moments");
        };
        assert!(b < a && a < zero && zero == other_zero && zero < c);
    }

    #[test]
    fn what_is_no_time_is_shown_with_its_line() {
        let error = |texts: &[&str]| Times::of(&column(texts)).unwrap_err().to_string();
        let fault = error(&["2024-01-01", "soon"]);
        assert!(
            fault.starts_with("t.csv:3: `soon` in column `when` is neither a number"),
            "{fault}"
        );
        let fault = error(&["2024-01-01T00:00:00Z", "2024-01-01T00:00:00"]);
        assert!(
            fault.contains("has a time zone where others have none"),
            "{fault}"
        );
    }
}
