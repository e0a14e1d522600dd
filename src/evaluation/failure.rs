//! Why an evaluation has no score, and what follows from that.

use serde::{Deserialize, Serialize};

/// Why an evaluation has no score.
///
/// In the words of the journal, a kind never changes its meaning: `out_of_memory` and `invalid`, which
/// older versions wrote, are read as what they said then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The loss is not a finite number.
    Diverged,
    /// A panic inside the evaluation.
    Crashed,
    /// A signal ended the process that evaluated.
    Aborted,
    /// The process that evaluated wanted more memory than its cap allows.
    #[serde(rename = "memory_exhausted")]
    OutOfMemory,
    /// Refused before it was built: the memory it is predicted to need is over the limit.
    #[serde(alias = "out_of_memory")]
    Rejected,
    /// It ran past its deadline.
    TimedOut,
    /// The worker is gone, and nobody knows how far it was.
    Lost,
    /// The evaluator has no score to give: it does not fit the data, its settings make no sense, or the
    /// program that was asked said so.
    #[serde(alias = "invalid")]
    EvaluatorError,
    /// The run was told to end. Never recorded: the evaluation is done again.
    Stopped,
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The same again would fail in the same way, so the failure is the trial's result at once.
    Final,
    /// It may be the fault of the machine, so the evaluation is tried again, as often as `retries` allows.
    Again,
    /// It says nothing about the evaluation, and is never recorded.
    Unrecorded,
}

/// A kind of failure, for people.
#[derive(Debug)]
pub struct FailureInfo {
    /// The kind.
    pub kind: FailureKind,
    /// The kind in words.
    pub name: &'static str,
    /// When it happens, in a line.
    pub about: &'static str,
    /// What follows from it.
    pub policy: Policy,
}

/// Every kind that a trial can end with, in the order of the documentation.
pub static FAILURES: [FailureInfo; 8] = [
    FailureInfo {
        kind: FailureKind::Diverged,
        name: "diverged",
        about: "a loss or a score is not a finite number",
        policy: Policy::Final,
    },
    FailureInfo {
        kind: FailureKind::Crashed,
        name: "crashed",
        about: "a panic inside the evaluation; the worker lives",
        policy: Policy::Final,
    },
    FailureInfo {
        kind: FailureKind::Aborted,
        name: "aborted",
        about: "a signal ended the process that evaluated, as after an abort or a bad address",
        policy: Policy::Again,
    },
    FailureInfo {
        kind: FailureKind::OutOfMemory,
        name: "out of memory",
        about: "the worker process wanted more memory than `memory_cap_mb` allows",
        policy: Policy::Final,
    },
    FailureInfo {
        kind: FailureKind::Rejected,
        name: "rejected",
        about: "predicted to need more memory than `memory_limit_mb`, so never built",
        policy: Policy::Final,
    },
    FailureInfo {
        kind: FailureKind::TimedOut,
        name: "timed out",
        about: "it ran past `deadline_seconds`, and was stopped or killed",
        policy: Policy::Final,
    },
    FailureInfo {
        kind: FailureKind::Lost,
        name: "lost",
        about: "its worker is gone: killed from outside, ended, or unreachable with its host",
        policy: Policy::Again,
    },
    FailureInfo {
        kind: FailureKind::EvaluatorError,
        name: "evaluator error",
        about: "the evaluator has no score to give, and says why",
        policy: Policy::Final,
    },
];

impl FailureKind {
    /// The kind in words.
    pub fn name(self) -> &'static str {
        self.info().map_or("stopped", |info| info.name)
    }

    /// What follows from a failure of this kind.
    pub fn policy(self) -> Policy {
        self.info().map_or(Policy::Unrecorded, |info| info.policy)
    }

    /// What is said of the kind; nothing of one that no trial ends with.
    pub fn info(self) -> Option<&'static FailureInfo> {
        FAILURES.iter().find(|info| info.kind == self)
    }
}

/// A failed evaluation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", kind.name())]
pub struct Failure {
    /// Why.
    pub kind: FailureKind,
    /// The particulars: a lower-case fragment.
    pub message: String,
}

impl Failure {
    /// A failure with its particulars.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The failure of an evaluation that was told to stop.
    pub fn stopped() -> Self {
        Self::new(FailureKind::Stopped, "the run was told to end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_json(text: &str) -> FailureKind {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_kind_has_its_line_and_its_word() {
        for info in &FAILURES {
            let word = serde_json::to_string(&info.kind).unwrap();
            assert_eq!(of_json(&word), info.kind);
            assert_eq!(info.kind.name(), info.name);
            assert_ne!(info.policy, Policy::Unrecorded);
        }
        assert_eq!(FailureKind::Stopped.policy(), Policy::Unrecorded);
    }

    #[test]
    fn the_words_of_older_journals_mean_what_they_meant() {
        assert_eq!(of_json("\"out_of_memory\""), FailureKind::Rejected);
        assert_eq!(of_json("\"invalid\""), FailureKind::EvaluatorError);
        assert_eq!(of_json("\"timed_out\""), FailureKind::TimedOut);
    }
}
