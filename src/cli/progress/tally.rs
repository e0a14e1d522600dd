//! What a viewer of a run has to remember, and the sentences both views share.

use crate::cli::numbers;
use crate::evaluation::{EpochRecord, FailureKind};
use crate::run::{Event, FinalPlan, Phase, SearchEnd, Unit};
use crate::search::TrialId;
use crate::statistics::claims::alpha;
use std::collections::BTreeMap;

/// One piece of work that is running.
pub struct Running {
    /// Trainable values of its network.
    pub params: u64,
    /// Epochs it will train for at most.
    pub epochs: u32,
    /// What its score is.
    pub score_name: &'static str,
    /// The last epoch that ended.
    pub last: Option<EpochRecord>,
}

/// A run as far as it was told.
#[derive(Default)]
pub struct Tally {
    /// What is running.
    pub running: BTreeMap<Unit, Running>,
    /// The best trial and its score.
    pub best: Option<(TrialId, f64)>,
}

impl Tally {
    /// Takes in an event; returns what is known of the piece of work that it ended.
    pub fn take(&mut self, event: &Event) -> Option<Running> {
        match event {
            Event::Started {
                unit,
                params,
                epochs,
                score_name,
                ..
            } => {
                let running = Running {
                    params: *params,
                    epochs: *epochs,
                    score_name,
                    last: None,
                };
                self.running.insert(unit.clone(), running);
            }
            Event::Epoch { unit, record, .. } => {
                if let Some(running) = self.running.get_mut(unit) {
                    running.last = Some(*record);
                }
            }
            Event::Finished { unit, .. }
            | Event::Failed { unit, .. }
            | Event::Lost { unit, .. } => {
                return self.running.remove(unit);
            }
            Event::BestImproved { trial, score, .. } => self.best = Some((*trial, *score)),
            _ => {}
        }
        None
    }

    /// `best 0.9912 by trial 4`, once there is one.
    pub fn best(&self) -> String {
        self.best.map_or(String::new(), |(trial, score)| {
            format!("best {score:.4} by trial {trial}")
        })
    }
}

impl Running {
    /// `epoch 3/10, loss 0.0812, accuracy 0.9721, 23.4k params`.
    pub fn describe(&self) -> String {
        if self.epochs == 0 {
            return "being fitted".to_owned();
        }
        let params = numbers::short(self.params);
        let Some(last) = self.last else {
            return format!("epoch 0/{}, {params} params", self.epochs);
        };
        let mut out = format!(
            "epoch {}/{}, loss {:.4}",
            last.epoch, self.epochs, last.train_loss
        );
        if let Some(score) = last.score() {
            out.push_str(&format!(", {} {score:.4}", self.score_name));
        }
        format!("{out}, {params} params")
    }
}

/// The line for a piece of work that ended well.
pub fn finished(unit: &Unit, score: f64, seconds: f64, known: Option<&Running>) -> String {
    let name = known.map_or("score", |running| running.score_name);
    let part = match unit {
        Unit::Trial(_) => "",
        Unit::Selection { .. } => "validation ",
        Unit::Retraining { .. } => "test ",
    };
    let known = known.filter(|running| running.params > 0);
    let params = known.map_or(String::new(), |running| {
        format!(", {} params", numbers::short(running.params))
    });
    format!(
        "{unit}: {part}{name} {score:.4}{params}, {}",
        numbers::seconds(seconds)
    )
}

/// The line for a piece of work that is tried again.
pub fn lost(unit: &Unit, kind: FailureKind, message: &str) -> String {
    format!("{unit} {}: {message}; it is tried again", kind.name())
}

/// What to say of a phase's beginning.
pub fn phase(phase: Phase) -> Option<&'static str> {
    match phase {
        Phase::Search => Some("searching"),
        Phase::FinalEvaluation => Some(
            "final evaluation: the winner and its rivals are retrained on training and validation examples, each for as many \
                 epochs as its own training took to its best",
        ),
        Phase::Ended => None,
    }
}

/// What to say when the test examples are read.
pub fn test_opened(look: u32, unwritten: Option<&str>) -> String {
    let mut out = match look {
        0 | 1 => "the test examples are read now, for the first time".to_owned(),
        look => format!(
            "the test examples are read now: look {look} at them, level {}",
            numbers::level(alpha(look))
        ),
    };
    if let Some(why) = unwritten {
        out.push_str(&format!(
            "\nwarning: this look is noted in the run's journal alone, as the ledger can't be written ({why}): later \
             experiments of the folder will not count it"
        ));
    }
    out
}

/// What to say of a search's end.
pub fn searched(trials: u64, reason: SearchEnd) -> String {
    format!(
        "searched {}: {}",
        numbers::plural(trials, "trial"),
        reason.describe()
    )
}

/// What to say of a run whose test examples were read before its search was extended.
pub fn earlier_looks(trials: &[u64]) -> Option<String> {
    let (last, before) = trials.split_last()?;
    let before: String = before.iter().map(|trials| format!("{trials}, ")).collect();
    Some(format!(
        "the test examples were read at {before}{}; this is a {} look, and the winner is chosen by validation \
         examples alone",
        numbers::plural(*last, "trial"),
        numbers::ordinal(trials.len() + 1)
    ))
}

/// What to say before a search of what comes after it.
pub fn final_planned(plan: &FinalPlan, bound: Option<f64>) -> String {
    let mut parts = vec![format!(
        "{} of the winner",
        numbers::plural(u64::from(plan.winner), "training")
    )];
    if plan.baselines > 0 {
        let each = u64::from(plan.winner) * u64::from(plan.baselines);
        let of = numbers::plural(u64::from(plan.baselines), "baseline");
        parts.push(format!("{} of {of}", numbers::grouped(each)));
    }
    if plan.random_networks > 0 {
        let of = numbers::plural(u64::from(plan.random_networks), "random network");
        parts.push(format!("1 each of {of}"));
    }
    if plan.selections > 0 {
        let of = numbers::plural(u64::from(plan.selections), "selection training");
        parts.push(format!("{of} of the others before"));
    }
    let last = parts.pop().unwrap_or_default();
    let parts = match parts.len() {
        0 => last,
        _ => format!("{} and {last}", parts.join(", ")),
    };
    let epochs = plan.epochs.map_or_else(String::new, |epochs| {
        format!(
            ", each up to {}",
            numbers::plural(u64::from(epochs), "epoch")
        )
    });
    let trials = numbers::plural(plan.trainings(), "full trial");
    let bounded = match bound {
        Some(seconds) => format!(
            "`[budget] total_seconds` ends the whole run after {}",
            numbers::seconds(seconds)
        ),
        None => "`[budget] total_seconds` bounds the whole run, `[final] retrain_seeds` its cost"
            .to_owned(),
    };
    format!("final evaluation: {parts}{epochs}: about as much as {trials}; {bounded}")
}

/// What to say once the first trial was timed.
pub fn final_forecast(seconds: f64) -> String {
    format!(
        "final evaluation: about {} after the search",
        numbers::seconds(seconds)
    )
}
