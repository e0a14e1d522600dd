//! The figures that a search can climb, as one table: their names are scikit-learn's, and each says
//! which way is better.

use crate::architecture::Output;
use crate::diagnostics::closest_name;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The way in which a figure gets better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Upwards: accuracies, areas, explained variance.
    #[default]
    Maximise,
    /// Downwards: losses and errors.
    Minimise,
}

impl Direction {
    /// The direction of a figure by its name: that of the table's score, and upwards for any other.
    pub fn of_figure(name: &str) -> Self {
        Score::named(name).map_or(Self::Maximise, Score::direction)
    }

    /// A figure as what is to be as high as possible: with its sign turned where it is to be low.
    pub fn fitness(self, figure: f64) -> f64 {
        match self {
            Self::Maximise => figure,
            Self::Minimise => -figure,
        }
    }

    /// The better of two figures.
    pub fn better(self, one: f64, other: f64) -> f64 {
        self.figure(self.fitness(one).max(self.fitness(other)))
    }

    /// The figure that has this fitness.
    pub fn figure(self, fitness: f64) -> f64 {
        self.fitness(fitness)
    }

    /// What one figure is compared with another by: `lower is better`.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Maximise => "higher is better",
            Self::Minimise => "lower is better",
        }
    }
}

/// A figure of predictions that a search can climb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Score {
    /// The share of examples whose class is right.
    Accuracy,
    /// The mean share of each class that is recognised.
    BalancedAccuracy,
    /// F1 of the second of two classes, or the mean F1 of the labels.
    F1,
    /// The mean F1 of the classes.
    F1Macro,
    /// The correlation of predicted and right classes.
    Mcc,
    /// The area under the receiver's curve.
    Auroc,
    /// The mean precision over thresholds, of the second of two classes.
    AveragePrecision,
    /// The share of examples whose class is among the five likeliest.
    Top5Accuracy,
    /// The mean negative logarithm of what the right class or label was given.
    LogLoss,
    /// The share of examples of which every label is right.
    ExactMatch,
    /// The share of the variance that is explained.
    R2,
    /// The root of the mean squared distance.
    Rmse,
    /// The mean squared distance.
    Mse,
    /// The mean distance.
    Mae,
    /// The median distance.
    MedianAbsoluteError,
}

/// A score, for people.
#[derive(Debug)]
pub struct ScoreInfo {
    /// Which.
    pub score: Score,
    /// What an experiment calls it.
    pub name: &'static str,
    /// Other names that are understood: longer ones, and those of old journals.
    pub also: &'static [&'static str],
    /// What it is, in a line.
    pub about: &'static str,
    /// The tasks that it fits, in words.
    pub fits: &'static str,
    /// Which way it gets better.
    pub direction: Direction,
    /// The least and the largest that it can be.
    pub range: (f64, f64),
}

const CLASSES: &str = "classes";
const TWO_CLASSES: &str = "two classes";
const LABELS: &str = "labels";
const NUMBERS: &str = "numbers";
const ANY_CLASSES: &str = "classes, labels";

macro_rules! score {
    ($score:ident, $name:literal, $also:expr, $fits:expr, $direction:ident, $low:expr, $high:expr, $about:literal) => {
        ScoreInfo {
            score: Score::$score,
            name: $name,
            also: $also,
            about: $about,
            fits: $fits,
            direction: Direction::$direction,
            range: ($low, $high),
        }
    };
}

/// Every score, in the order of the documentation.
#[rustfmt::skip]
pub static SCORES: &[ScoreInfo] = &[
    score!(Accuracy, "accuracy", &[], CLASSES, Maximise, 0.0, 1.0,
        "the share of examples whose class is right"),
    score!(BalancedAccuracy, "balanced_accuracy", &[], CLASSES, Maximise, 0.0, 1.0,
        "the mean share of each class that is recognised, whatever its size"),
    score!(F1, "f1", &["F1"], "two classes, labels", Maximise, 0.0, 1.0,
        "harmonic mean of precision and recall: of the second of two classes, or the mean of the labels'"),
    score!(F1Macro, "f1_macro", &[], CLASSES, Maximise, 0.0, 1.0,
        "the mean F1 of the classes"),
    score!(Mcc, "mcc", &["matthews_corrcoef"], CLASSES, Maximise, -1.0, 1.0,
        "Matthews' correlation of predicted and right classes; 0 for one constant answer"),
    score!(Auroc, "auroc", &["roc_auc"], ANY_CLASSES, Maximise, 0.0, 1.0,
        "the area under the receiver's curve; the mean of each class against the rest, or of the labels"),
    score!(AveragePrecision, "average_precision", &[], TWO_CLASSES, Maximise, 0.0, 1.0,
        "the mean precision over thresholds, weighed by the recall gained: of the second of two classes"),
    score!(Top5Accuracy, "top5_accuracy", &["top_5_accuracy"], "more than five classes", Maximise, 0.0, 1.0,
        "the share of examples whose class is among the five likeliest"),
    score!(LogLoss, "log_loss", &[], ANY_CLASSES, Minimise, 0.0, f64::INFINITY,
        "the mean of -ln(what the right class was given); of labels, the mean over them"),
    score!(ExactMatch, "exact_match", &[], LABELS, Maximise, 0.0, 1.0,
        "the share of examples of which every label is right"),
    score!(R2, "r2", &["R2"], NUMBERS, Maximise, f64::NEG_INFINITY, 1.0,
        "the share of the variance that is explained"),
    score!(Rmse, "rmse", &["root_mean_squared_error"], NUMBERS, Minimise, 0.0, f64::INFINITY,
        "the root of the mean squared distance, in the data's units"),
    score!(Mse, "mse", &["mean_squared_error"], NUMBERS, Minimise, 0.0, f64::INFINITY,
        "the mean squared distance, in the data's units squared"),
    score!(Mae, "mae", &["mean_absolute_error"], NUMBERS, Minimise, 0.0, f64::INFINITY,
        "the mean distance, in the data's units"),
    score!(MedianAbsoluteError, "median_absolute_error", &[], NUMBERS, Minimise, 0.0, f64::INFINITY,
        "the median distance, in the data's units"),
];

impl Score {
    /// The score of a task if nothing else is said: accuracy of classes, F1 of labels, R2 of numbers.
    pub fn of(output: Output) -> Self {
        match output {
            Output::Classes(_) | Output::Binary => Self::Accuracy,
            Output::Labels(_) => Self::F1,
            Output::Regression(_) => Self::R2,
        }
    }

    /// The score of this name, be it a table's or one that old journals have.
    pub fn named(name: &str) -> Option<Self> {
        let is_named = |info: &&ScoreInfo| info.name == name || info.also.contains(&name);
        SCORES.iter().find(is_named).map(|info| info.score)
    }

    /// Its row of the table.
    pub fn info(self) -> &'static ScoreInfo {
        let found = SCORES.iter().find(|info| info.score == self);
        found.expect("every score has a row")
    }

    /// What an experiment calls it.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// What journals and pages call it, for networks with this output: the default scores of labels and
    /// numbers keep the names that they always had.
    pub fn figure_name(self, output: Output) -> &'static str {
        match (self, output) {
            (Self::F1, Output::Labels(_)) => "F1",
            (Self::R2, _) => "R2",
            _ => self.name(),
        }
    }

    /// Which way it gets better.
    pub fn direction(self) -> Direction {
        self.info().direction
    }

    /// The figure as what is to be as high as possible: see [`Direction::fitness`].
    pub fn fitness(self, figure: f64) -> f64 {
        self.direction().fitness(figure)
    }

    /// Whether it is a mean over examples of what each gives alone.
    pub fn is_mean(self) -> bool {
        matches!(
            self,
            Self::Accuracy
                | Self::Top5Accuracy
                | Self::LogLoss
                | Self::ExactMatch
                | Self::Mse
                | Self::Mae
        )
    }

    /// Whether networks with this output have such a score.
    pub fn fits(self, output: Output) -> bool {
        match (self, output) {
            (Self::Top5Accuracy, Output::Classes(classes)) => classes > 5,
            (Self::F1 | Self::AveragePrecision, Output::Classes(classes)) => classes == 2,
            (Self::F1 | Self::AveragePrecision, Output::Binary) => true,
            (
                Self::Accuracy
                | Self::BalancedAccuracy
                | Self::F1Macro
                | Self::Mcc
                | Self::Auroc
                | Self::LogLoss,
                Output::Classes(_) | Output::Binary,
            ) => true,
            (Self::F1 | Self::Auroc | Self::LogLoss | Self::ExactMatch, Output::Labels(_)) => true,
            (
                Self::R2 | Self::Rmse | Self::Mse | Self::Mae | Self::MedianAbsoluteError,
                Output::Regression(_),
            ) => true,
            _ => false,
        }
    }

    /// Why networks with this output have no such score, with those that they have.
    pub fn unfit(self, output: Output) -> String {
        let fitting = Self::fitting(output).join("`, `");
        format!(
            "`output {output}` has no `{self}`, which is of {}; it has `{fitting}`",
            self.info().fits
        )
    }

    /// The names of the scores that fit this output, in the order of the table.
    pub fn fitting(output: Output) -> Vec<&'static str> {
        let fitting = SCORES.iter().filter(|info| info.score.fits(output));
        fitting.map(|info| info.name).collect()
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Score> for &'static str {
    fn from(score: Score) -> Self {
        score.name()
    }
}

impl TryFrom<String> for Score {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::named(&name).ok_or_else(|| {
            let names = SCORES.iter().map(|info| info.name);
            let closest = closest_name(&name, names.clone());
            let advice = match closest {
                Some(closest) => format!("did you mean `{closest}`?"),
                None => format!("there are `{}`", names.collect::<Vec<_>>().join("`, `")),
            };
            format!("there is no score `{name}`; {advice}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUTS: [Output; 6] = [
        Output::Classes(3),
        Output::Classes(2),
        Output::Classes(10),
        Output::Binary,
        Output::Labels(4),
        Output::Regression(2),
    ];

    #[test]
    fn names_are_distinct_and_each_is_understood() {
        let mut names = Vec::new();
        for info in SCORES {
            for name in std::iter::once(&info.name).chain(info.also) {
                assert_eq!(Score::named(name), Some(info.score));
                assert!(!names.contains(name), "{name} stands twice");
                names.push(name);
            }
            assert!(info.range.0 < info.range.1);
            assert!(OUTPUTS.iter().any(|&output| info.score.fits(output)));
        }
    }

    #[test]
    fn a_task_s_own_score_fits_it_and_is_higher_the_better() {
        for output in OUTPUTS {
            let score = Score::of(output);
            assert!(score.fits(output), "{output}");
            assert_eq!(score.direction(), Direction::Maximise);
            assert_eq!(score.figure_name(output), output.score_name());
        }
    }

    #[test]
    fn losses_and_errors_are_turned_and_nothing_else() {
        for info in SCORES {
            let turned = info.score.fitness(0.25) < 0.0;
            assert_eq!(turned, info.range.1 == f64::INFINITY, "{}", info.name);
            let direction = info.direction;
            assert_eq!(
                direction.figure(direction.fitness(0.25)).to_bits(),
                0.25_f64.to_bits()
            );
        }
    }

    #[test]
    fn an_unknown_name_gets_the_closest() {
        let error = |name: &str| Score::try_from(name.to_owned()).unwrap_err();
        assert_eq!(
            error("balanced_acuracy"),
            "there is no score `balanced_acuracy`; did you mean `balanced_accuracy`?"
        );
        assert!(error("speed").contains("`accuracy`, `balanced_accuracy`"));
    }
}
