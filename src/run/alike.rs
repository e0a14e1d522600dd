//! What a run says when its scores can't tell networks apart.
//!
//! Where one class is most of the examples, networks that always answer it score well, and alike. What a trial's
//! figures are then follows from its accuracy alone, so that no prediction has to be seen again.

use super::record::TrialFinished;
use super::setup::Setup;
use super::state::State;
use crate::architecture::Output;
use crate::training::Score;

/// The sentence about scores that give a search nothing to go by, with the setting that changes it; nothing if they do,
/// or if there is one trial only.
pub(super) fn notice(state: &State, setup: &Setup) -> Option<String> {
    let (_, best) = state.best()?;
    let (output, name) = (setup.space.output(), setup.score_name());
    let score = Score::named(name).filter(|score| score.fits(output));
    let alike = state.scores_alike();
    let score_text = format!("validation {name}, {:.4}", best.score);
    if score.is_some_and(is_of_answers) && answers_one_class(best, output) {
        let who = match alike {
            Some(trials) => format!("all {trials} trials have the same {score_text}"),
            None => format!("the best trial has a {score_text}"),
        };
        return Some(format!(
            "{who}: that of always answering the most common class. {}",
            advice(score)
        ));
    }
    let trials = alike?;
    Some(format!(
        "all {trials} trials have the same {score_text}: the search had nothing to go by. Another `score`, more \
         validation examples or a longer training may tell them apart"
    ))
}

fn advice(score: Option<Score>) -> &'static str {
    match score {
        Some(Score::Accuracy) => {
            "Set `score = \"balanced_accuracy\"` (or \"auroc\", which looks at more than the answer), or weigh classes \
             with `class_weights = \"balanced\"` under `[recipe]`"
        }
        _ => {
            "Weigh classes with `class_weights = \"balanced\"` under `[recipe]`, or set `score = \"auroc\"`, which looks \
             at more than the answer"
        }
    }
}

/// Whether a score is of the classes that are answered, and of nothing else that a network says.
fn is_of_answers(score: Score) -> bool {
    matches!(
        score,
        Score::Accuracy | Score::BalancedAccuracy | Score::F1 | Score::F1Macro | Score::Mcc
    )
}

/// Whether a trial's figures are those of one answer for all examples: of `k` classes that occur one is recognised
/// whole and the others not at all, and the one's F1 follows from its share.
fn answers_one_class(trial: &TrialFinished, output: Output) -> bool {
    let classes = match output {
        Output::Classes(classes) => classes,
        Output::Binary => 2,
        Output::Labels(_) | Output::Regression(_) => return false,
    };
    let figure = |name: &str| trial.metrics.get(name).copied();
    let (Some(share), Some(balanced), Some(f1)) = (
        figure("accuracy"),
        figure("balanced_accuracy"),
        figure("f1_macro"),
    ) else {
        return false;
    };
    let near = |found: f64, wanted: f64| (found - wanted).abs() < 1e-9;
    // Classes that don't occur among the validation examples are not counted by either figure.
    (2..=classes).any(|occurring| {
        let occurring = occurring as f64;
        share * occurring >= 1.0 - 1e-9
            && near(balanced * occurring, 1.0)
            && near(f1 * occurring, 2.0 * share / (1.0 + share))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::TrialId;

    fn trial(accuracy: f64, balanced: f64, f1: f64) -> TrialFinished {
        let figures = [
            ("accuracy", accuracy),
            ("balanced_accuracy", balanced),
            ("f1_macro", f1),
        ];
        TrialFinished {
            trial: TrialId(0),
            score: accuracy,
            loss: 0.1,
            metrics: figures
                .map(|(name, figure)| (name.to_owned(), figure))
                .into(),
            best_epoch: None,
            epochs: Vec::new(),
            seconds: 0.0,
            worker: 0,
        }
    }

    #[test]
    fn one_answer_for_all_is_known_by_its_figures() {
        let constant = |share: f64, classes: f64| {
            trial(share, 1.0 / classes, 2.0 * share / (1.0 + share) / classes)
        };
        assert!(answers_one_class(&constant(0.95, 2.0), Output::Binary));
        assert!(answers_one_class(&constant(0.95, 2.0), Output::Classes(2)));
        assert!(answers_one_class(&constant(0.6, 3.0), Output::Classes(3)));
        assert!(answers_one_class(&constant(0.6, 2.0), Output::Classes(3)));
    }

    #[test]
    fn a_network_that_recognises_something_is_not_taken_for_one() {
        // Confusions [[90, 5], [4, 1]] and [[45, 5], [45, 5]].
        assert!(!answers_one_class(
            &trial(0.91, 0.573_7, 0.559_1),
            Output::Binary
        ));
        assert!(!answers_one_class(
            &trial(0.5, 0.5, 0.404_8),
            Output::Binary
        ));
        assert!(!answers_one_class(
            &trial(0.2, 0.5, 0.166_7),
            Output::Binary
        ));
        assert!(!answers_one_class(
            &trial(0.9, 0.5, 0.4),
            Output::Regression(1)
        ));
    }
}
