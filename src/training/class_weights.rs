//! How much the examples of each class count.

use crate::data::Targets;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// How much the examples of each class count in the loss, as PyTorch's `weight` of a cross-entropy: the mean is
/// divided by the weights of the examples.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeights {
    /// All alike.
    #[default]
    None,
    /// By how rare a class is among the examples that are trained on: `examples / (classes * examples of the class)`, as
    /// scikit-learn has it. A class that does not occur there counts 1 and is not among the classes.
    Balanced,
    /// One for each class, in the order of the classes.
    Given(Vec<f64>),
}

impl ClassWeights {
    /// Whether all examples count alike.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// What is wrong with them for so many classes; nothing if they fit.
    pub(super) fn unfit(&self, classes: usize) -> Option<String> {
        let Self::Given(weights) = self else {
            return None;
        };
        let count = weights.len();
        if count != classes {
            return Some(format!(
                "{classes} numbers, one for each class, not {count}"
            ));
        }
        let wrong = weights
            .iter()
            .find(|weight| !(**weight > 0.0 && weight.is_finite()));
        wrong.map(|weight| format!("numbers above 0, not {weight}"))
    }

    /// The weights of the classes where these targets are trained on; nothing if all count alike.
    pub fn of(&self, targets: &Targets) -> Option<Vec<f64>> {
        match (self, targets) {
            (Self::Given(weights), _) => Some(weights.clone()),
            (Self::Balanced, Targets::Classes { labels, classes }) => {
                let mut counts = vec![0usize; *classes];
                labels.iter().for_each(|&label| counts[label as usize] += 1);
                let present = counts.iter().filter(|&&count| count > 0).count();
                let weight = |&count: &usize| match count {
                    0 => 1.0,
                    count => labels.len() as f64 / (present * count) as f64,
                };
                Some(counts.iter().map(weight).collect())
            }
            _ => None,
        }
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Balanced => serializer.serialize_str("balanced"),
            Self::Given(weights) => weights.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrNumbers)
    }
}

struct WordOrNumbers;

impl<'de> Visitor<'de> for WordOrNumbers {
    type Value = ClassWeights;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`\"balanced\"`, `\"none\"` or a list with a number for each class, such as `[1.0, 20.0]`")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<ClassWeights, E> {
        match word {
            "none" => Ok(ClassWeights::None),
            "balanced" => Ok(ClassWeights::Balanced),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<ClassWeights, A::Error> {
        let mut weights = Vec::new();
        while let Some(weight) = numbers.next_element()? {
            weights.push(weight);
        }
        Ok(ClassWeights::Given(weights))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_are_those_of_scikit_learn() {
        // compute_class_weight("balanced", classes=[0, 1, 2], y=[0] * 6 + [1] * 3 + [2])
        let labels = vec![0, 0, 0, 0, 0, 0, 1, 1, 1, 2];
        let targets = Targets::classes(labels, 3);
        let found = ClassWeights::Balanced.of(&targets).unwrap();
        let wanted = [
            0.555_555_555_555_555_6,
            1.111_111_111_111_111_2,
            3.333_333_333_333_333_5,
        ];
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-15);
        }
    }

    #[test]
    fn a_class_without_examples_is_none_of_the_classes() {
        let targets = Targets::classes(vec![0, 0, 0, 2], 3);
        let found = ClassWeights::Balanced.of(&targets).unwrap();
        assert_eq!(found, [4.0 / 6.0, 1.0, 2.0]);
    }

    #[test]
    fn weights_are_a_word_or_a_list() {
        #[derive(Debug, Deserialize)]
        struct Table {
            class_weights: ClassWeights,
        }
        let read = |text: &str| toml::from_str::<Table>(&format!("class_weights = {text}"));
        assert_eq!(
            read("\"balanced\"").unwrap().class_weights,
            ClassWeights::Balanced
        );
        let given = read("[1, 20.5]").unwrap().class_weights;
        assert_eq!(given, ClassWeights::Given(vec![1.0, 20.5]));
        let error = read("\"balance\"").unwrap_err().to_string();
        assert!(error.contains("`\"balanced\"`"), "{error}");
        let text = serde_json::to_string(&given).unwrap();
        assert_eq!(serde_json::from_str::<ClassWeights>(&text).unwrap(), given);
    }

    #[test]
    fn each_class_needs_a_weight_above_0() {
        let given = |weights: &[f64]| ClassWeights::Given(weights.to_vec()).unfit(2);
        assert_eq!(given(&[1.0, 2.0]), None);
        assert_eq!(
            given(&[1.0]).unwrap(),
            "2 numbers, one for each class, not 1"
        );
        assert_eq!(given(&[1.0, -2.0]).unwrap(), "numbers above 0, not -2");
    }
}
