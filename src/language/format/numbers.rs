//! Numbers in the form that reads best.

/// A whole number: from 10000 on with `k`, `M` or `G` if at most three decimals say it exactly.
pub fn int(value: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let fits = |&(unit, _): &(i64, &str)| value >= unit && value % (unit / 1000) == 0;
    let rounds = value >= 10_000 && value % 1000 == 0;
    let Some((unit, suffix)) = UNITS.into_iter().find(fits).filter(|_| rounds) else {
        return value.to_string();
    };
    let thousandths = value % unit / (unit / 1000);
    let decimals = format!(".{thousandths:03}");
    let decimals = decimals.trim_end_matches('0').trim_end_matches('.');
    format!("{}{decimals}{suffix}", value / unit)
}

/// A real number: the shortest digits that read back the same, always with a point or an exponent.
pub fn float(value: f64) -> String {
    let plain = format!("{value:?}");
    let scientific = format!("{value:e}");
    let large = value.abs() >= 1e6;
    let small = value.abs() < 1.0 && scientific.len() + 2 <= plain.len();
    if plain.contains('e') || large || small {
        scientific
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_take_a_suffix_where_it_reads_better() {
        let cases = [
            (0, "0"),
            (1024, "1024"),
            (5000, "5000"),
            (32_768, "32768"),
            (200_000, "200k"),
            (1_500_000, "1.5M"),
            (1_234_000, "1.234M"),
            (1_234_567_000, "1234.567M"),
            (5_000_000_000, "5G"),
        ];
        for (value, text) in cases {
            assert_eq!(int(value), text);
        }
    }

    #[test]
    fn real_numbers_read_back_and_stay_real() {
        let cases = [
            (0.0, "0.0"),
            (0.5, "0.5"),
            (2.0, "2.0"),
            (0.001, "0.001"),
            (1e-4, "1e-4"),
            (0.00025, "0.00025"),
            (1e6, "1e6"),
            (100.0, "100.0"),
        ];
        for (value, text) in cases {
            assert_eq!(float(value), text);
        }
    }
}
