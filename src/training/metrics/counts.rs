//! Figures of how often each class or label is said, and how often rightly.

use super::mean;
use crate::training::Score;

/// How often each class is said of each class.
#[derive(Clone, Debug)]
pub(super) struct Confusion {
    /// Examples of a class.
    actual: Vec<usize>,
    /// How often a class was said.
    said: Vec<usize>,
    /// How often rightly.
    right: Vec<usize>,
}

impl Confusion {
    pub fn of(predicted: &[u32], labels: &[u32], classes: usize) -> Self {
        let mut out = Self {
            actual: vec![0; classes],
            said: vec![0; classes],
            right: vec![0; classes],
        };
        for (&predicted, &label) in predicted.iter().zip(labels) {
            out.actual[label as usize] += 1;
            out.said[predicted as usize] += 1;
            out.right[label as usize] += usize::from(predicted == label);
        }
        out
    }

    /// Takes an example out again.
    pub fn remove(&mut self, predicted: u32, label: u32) {
        self.actual[label as usize] -= 1;
        self.said[predicted as usize] -= 1;
        self.right[label as usize] -= usize::from(predicted == label);
    }

    /// The figure of a score that follows from these counts; nothing where the examples lack what it asks about.
    pub fn figure(&self, score: Score) -> Option<f64> {
        match score {
            Score::Accuracy => self.accuracy(),
            Score::BalancedAccuracy => self.balanced_accuracy(),
            Score::F1Macro => self.f1_macro(),
            Score::F1 => self.f1(1),
            Score::Mcc => self.mcc(),
            _ => panic!("`{score}` does not follow from counts"),
        }
    }

    fn examples(&self) -> usize {
        self.actual.iter().sum()
    }

    fn accuracy(&self) -> Option<f64> {
        let (right, examples) = (self.right.iter().sum::<usize>(), self.examples());
        (examples > 0).then(|| right as f64 / examples as f64)
    }

    /// The mean share of each class that is recognised, over classes that occur.
    fn balanced_accuracy(&self) -> Option<f64> {
        let pairs = self.right.iter().zip(&self.actual);
        let shares = pairs.filter(|(_, actual)| **actual > 0);
        mean(shares.map(|(&right, &actual)| right as f64 / actual as f64))
    }

    /// The mean F1 of the classes that occur or are said.
    fn f1_macro(&self) -> Option<f64> {
        let sizes = self.actual.iter().zip(&self.said).zip(&self.right);
        let known = sizes.filter(|((actual, said), _)| **actual + **said > 0);
        let f1 = |((actual, said), right): ((&usize, &usize), &usize)| {
            2.0 * *right as f64 / (actual + said) as f64
        };
        mean(known.map(f1))
    }

    /// F1 of one class, if it occurs.
    fn f1(&self, class: usize) -> Option<f64> {
        let size = self.actual[class] + self.said[class];
        (self.actual[class] > 0).then(|| 2.0 * self.right[class] as f64 / size as f64)
    }

    /// Matthews' correlation, if more than one class occurs; 0 where only one is said.
    fn mcc(&self) -> Option<f64> {
        let product = |one: &[usize], other: &[usize]| -> f64 {
            let pairs = one.iter().zip(other);
            pairs.map(|(&one, &other)| one as f64 * other as f64).sum()
        };
        let (count, right) = (self.examples() as f64, self.right.iter().sum::<usize>());
        let shared = right as f64 * count - product(&self.actual, &self.said);
        let actual = count * count - product(&self.actual, &self.actual);
        let said = count * count - product(&self.said, &self.said);
        match (actual > 0.0, said > 0.0) {
            (false, _) => None,
            (true, false) => Some(0.0),
            (true, true) => Some(shared / libm::sqrt(actual * said)),
        }
    }
}

/// How often each of several labels occurs, is said, and is said rightly.
#[derive(Clone, Debug)]
pub(super) struct LabelCounts {
    /// How often a label occurs or is said, both counted.
    size: Vec<usize>,
    right: Vec<usize>,
}

impl LabelCounts {
    pub fn of(outputs: &[f32], flags: &[bool], labels: usize) -> Self {
        let mut out = Self {
            size: vec![0; labels],
            right: vec![0; labels],
        };
        for (row, flags) in outputs.chunks_exact(labels).zip(flags.chunks_exact(labels)) {
            for (label, (&logit, &flag)) in row.iter().zip(flags).enumerate() {
                out.size[label] += usize::from(logit > 0.0) + usize::from(flag);
                out.right[label] += usize::from(logit > 0.0 && flag);
            }
        }
        out
    }

    /// Takes an example out again.
    pub fn remove(&mut self, outputs: &[f32], flags: &[bool]) {
        for (label, (&logit, &flag)) in outputs.iter().zip(flags).enumerate() {
            self.size[label] -= usize::from(logit > 0.0) + usize::from(flag);
            self.right[label] -= usize::from(logit > 0.0 && flag);
        }
    }

    /// The mean F1 of the labels; 0 for one that neither occurs nor is said.
    pub fn f1(&self) -> Option<f64> {
        let pairs = self.right.iter().zip(&self.size);
        mean(pairs.map(|(&right, &size)| 2.0 * right as f64 / size.max(1) as f64))
    }
}
