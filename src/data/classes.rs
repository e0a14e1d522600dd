//! The classes of a dataset: which label means which.

use crate::diagnostics::closest_name;

/// The classes of a dataset in their fixed order: numerically if every label is a whole number,
/// else alphabetically.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    names: Vec<String>,
    numeric: bool,
}

impl Classes {
    /// The classes that occur among `labels`. With numbers, `1`, `01` and `1.0` are one class.
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = &'a str>) -> Self {
        let labels: Vec<&str> = labels.into_iter().collect();
        let numbers: Option<Vec<i64>> = labels.iter().map(|label| whole_number(label)).collect();
        match numbers {
            Some(numbers) => Self {
                names: distinct(numbers).iter().map(i64::to_string).collect(),
                numeric: true,
            },
            None => Self {
                names: distinct(labels).iter().map(ToString::to_string).collect(),
                numeric: false,
            },
        }
    }

    /// The classes' names; a label's number is its index here.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of classes.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no class.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The number of the class that `label` means.
    pub fn index(&self, label: &str) -> Option<u32> {
        let at = if self.numeric {
            let wanted = whole_number(label)?;
            self.names
                .binary_search_by_key(&Some(wanted), |name| whole_number(name))
        } else {
            self.names.binary_search_by(|name| name.as_str().cmp(label))
        };
        u32::try_from(at.ok()?).ok()
    }

    /// Advice about a `label` that is no class: the closest one, or a few of them.
    pub(super) fn advice(&self, label: &str) -> String {
        const SHOWN: usize = 8;
        if let Some(close) = closest_name(label, self.names.iter().map(String::as_str)) {
            return format!("did you mean `{close}`?");
        }
        let mut list = self
            .names
            .iter()
            .take(SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if self.len() > SHOWN {
            list.push_str(", …");
        }
        format!("known are {list}")
    }
}

/// The value of a label such as `3`, `-1` or `2.0`.
pub(super) fn whole_number(label: &str) -> Option<i64> {
    if let Ok(number) = label.parse() {
        return Some(number);
    }
    // Beyond 2^53 neighbouring whole numbers are one float, so two labels could become one class.
    let number: f64 = label.parse().ok()?;
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

fn distinct<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items.dedup();
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_labels_are_ordered_as_numbers() {
        let classes = Classes::from_labels(["10", "9", "2.0", "2", "-1"]);
        assert_eq!(classes.names(), ["-1", "2", "9", "10"]);
        assert_eq!(classes.index("10"), Some(3));
        assert_eq!(classes.index("2.0"), Some(1));
        assert_eq!(classes.index("3"), None);
        assert_eq!(classes.index("two"), None);
    }

    #[test]
    fn other_labels_are_ordered_alphabetically() {
        let classes = Classes::from_labels(["dog", "cat", "10", "9", "cat"]);
        assert_eq!(classes.names(), ["10", "9", "cat", "dog"]);
        assert_eq!(classes.index("cat"), Some(2));
        assert_eq!(classes.index("10.0"), None);
    }

    #[test]
    fn a_mistyped_label_is_shown_the_closest() {
        let classes = Classes::from_labels(["setosa", "virginica"]);
        assert_eq!(classes.advice("setossa"), "did you mean `setosa`?");
        assert_eq!(classes.advice("tulip"), "known are setosa, virginica");
    }
}
