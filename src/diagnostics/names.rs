//! "Did you mean …": the closest known name.

/// The candidate closest to `name`, if one is close enough to be what was meant.
///
/// Distance is Damerau-Levenshtein with adjacent swaps; a candidate is close enough within a third
/// of the longer name's length, and at least one edit is always allowed.
pub fn closest_name<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|&(edits, candidate)| edits <= allowed(name, candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

fn allowed(name: &str, candidate: &str) -> usize {
    (name.len().max(candidate.len()) / 3).max(1)
}

fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_name_and_nonsense_finds_none() {
        let names = ["conv2d", "max_pool2d", "linear"];
        assert_eq!(closest_name("conv2", names), Some("conv2d"));
        assert_eq!(closest_name("lienar", names), Some("linear"));
        assert_eq!(closest_name("quaternion", names), None);
    }
}
