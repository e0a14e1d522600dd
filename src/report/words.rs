//! Figures as a report writes them.

use std::fmt::Display;

/// For how many epochs the networks of a final evaluation are retrained.
pub const RETRAINING_RULE: &str = "Every network is retrained for as many epochs as its own training on the training examples took to \
     its best epoch on the validation examples, by the same schedule of the learning rate, cut there: a winner’s own training is its \
     trial, every other network has one such training before the test examples are read.";

/// A score: `0.9955`.
pub(super) fn score(value: f64) -> String {
    format!("{value:.4}")
}

/// A word of a command line, in quotes where a shell would take it for something else.
pub(super) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A difference with its sign: `+0.0123`, `−0.0123`.
pub(super) fn signed(value: f64) -> String {
    let sign = if value < 0.0 { '−' } else { '+' };
    format!("{sign}{:.4}", value.abs())
}

/// A p-value: `0.031`, `< 0.0001`.
pub(super) fn p_value(p: f64) -> String {
    match p {
        p if p < 0.0001 => "< 0.0001".to_owned(),
        p if p < 0.01 => format!("{p:.4}"),
        p => format!("{p:.3}"),
    }
}

/// A p-value in a sentence: `p = 0.031`, `p < 0.0001`.
pub(super) fn p_is(p: f64) -> String {
    let value = p_value(p);
    match value.starts_with('<') {
        true => format!("p {value}"),
        false => format!("p = {value}"),
    }
}

/// Digits in groups of three: `118,058`.
pub fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 trial`, `2 trials`.
pub fn plural(number: u64, noun: &str) -> String {
    let plural = match (number, noun.strip_suffix("y")) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", grouped(number))
}

/// A time: `0.8 s`, `42 s`, `3 min 5 s`, `2 h 4 min`.
pub fn seconds(time: f64) -> String {
    let whole = time.round() as u64;
    match whole {
        0..10 => format!("{time:.1} s"),
        10..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// `second`, `third`, and from there on `4th`: for looks, of which there are few.
pub fn ordinal(number: usize) -> String {
    match number {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        more => {
            let suffix = match (more % 100, more % 10) {
                (11..=13, _) => "th",
                (_, 1) => "st",
                (_, 2) => "nd",
                (_, 3) => "rd",
                _ => "th",
            };
            format!("{more}{suffix}")
        }
    }
}

/// What is said of a run whose test examples were read more than once: after these numbers of trials.
pub fn looks(trials: &[u64]) -> Option<String> {
    let (last, earlier) = trials
        .split_last()
        .filter(|(_, earlier)| !earlier.is_empty())?;
    let earlier: Vec<String> = earlier.iter().map(u64::to_string).collect();
    let (earlier, look) = (earlier.join(", "), ordinal(trials.len()));
    Some(format!(
        "The test examples were read at {earlier} and at {last} trials: the last is a {look} look at them."
    ))
}

/// Text as HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

/// A moment, in seconds since 1970, as a date and a time of day.
pub(super) fn date(at: f64) -> String {
    let minutes = (at / 60.0).max(0.0) as i64;
    let (days, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    let (year, month, day) = civil(days);
    format!(
        "{year}-{month:02}-{day:02} {:02}:{:02} UTC",
        minute / 60,
        minute % 60
    )
}

/// The year, month and day that so many days after the first of January 1970 are.
pub fn civil(days: i64) -> (i64, i64, i64) {
    // Howard Hinnant's days to a civil date: years begin in March, eras have 400 of them.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_their_ending() {
        let places = [2, 3, 4, 11, 21, 32, 113].map(ordinal);
        assert_eq!(
            places,
            ["second", "third", "4th", "11th", "21st", "32nd", "113th"]
        );
    }

    #[test]
    fn only_a_second_look_is_a_matter_for_words() {
        assert_eq!(looks(&[4]), None);
        let said = "The test examples were read at 4, 6 and at 9 trials: the last is a third look at them.";
        assert_eq!(looks(&[4, 6, 9]).as_deref(), Some(said));
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0.0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400.0), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_795_617_647.0), "2026-11-25 14:40 UTC");
    }

    #[test]
    fn words_fit_their_numbers() {
        assert_eq!(plural(1, "trial"), "1 trial");
        assert_eq!(plural(2_000, "trial"), "2,000 trials");
        assert_eq!(signed(-0.012_34), "−0.0123");
        assert_eq!(p_value(0.000_01), "< 0.0001");
        assert_eq!(word("a/b-1.toml"), "a/b-1.toml");
        assert_eq!(word("my file's.toml"), "'my file'\\''s.toml'");
        assert_eq!(escaped("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
    }
}
