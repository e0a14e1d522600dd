//! What a run tells those who watch it.

use super::forecast::FinalPlan;
use super::record::{EndReason, SearchEnd, Subject};
use crate::data::Remark;
use crate::evaluation::{EpochRecord, FailureKind};
use crate::search::TrialId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// One piece of work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Unit {
    /// A trial of the search.
    Trial(TrialId),
    /// A training of a network of the final evaluation that says for how many epochs it is retrained: on the training
    /// part, judged by the validation part.
    Selection {
        /// The network.
        subject: Subject,
    },
    /// A retraining of the final evaluation.
    Retraining {
        /// The network.
        subject: Subject,
        /// The number of the seed, from 0.
        index: u32,
    },
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trial(trial) => write!(f, "trial {trial}"),
            Self::Retraining {
                subject: subject @ Subject::Model(_),
                ..
            } => write!(f, "{subject}"),
            Self::Selection { subject } => write!(f, "{subject}, selection training"),
            Self::Retraining { subject, index } => write!(f, "{subject}, seed {}", index + 1),
        }
    }
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Trying architectures.
    Search,
    /// Retraining and testing the winner and the baselines, after the selection trainings that this needs.
    FinalEvaluation,
    /// Nothing any more.
    Ended,
}

/// Something happened in a run. Told in the order in which it happens, which is not the order of the
/// journal.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The run is open.
    Opened {
        /// Its folder.
        folder: PathBuf,
        /// Its name.
        name: String,
        /// Trials that run at the same time.
        workers: usize,
        /// The budget in trials, if it has one.
        trials: Option<u64>,
        /// The budget in seconds, if it has one.
        seconds: Option<f64>,
        /// The budget in epochs, if it has one.
        epochs: Option<u64>,
        /// Trials whose results are in the journal already: more than 0 only when resumed.
        finished: u64,
        /// After how many trials the test examples were read before the search was extended, for each time.
        earlier_looks: Vec<u64>,
    },
    /// What the final evaluation is going to be.
    FinalPlanned {
        /// Its trainings.
        plan: FinalPlan,
        /// Seconds that the whole run may take, if that is bounded.
        bound: Option<f64>,
    },
    /// How long the final evaluation will take, as far as trials tell: told when the first has a score.
    FinalForecast {
        /// About so many seconds.
        seconds: f64,
    },
    /// Something that a reader of the scores should know of the division of the data.
    Remark(Remark),
    /// A phase begins, with this many pieces of work known to be left in it (if known).
    Phase {
        /// Which.
        phase: Phase,
        /// How much work it has altogether, where that is known.
        units: Option<u64>,
    },
    /// A piece of work begins.
    Started {
        /// Which.
        unit: Unit,
        /// On which worker, from 0.
        worker: usize,
        /// Trainable values of the network.
        params: u64,
        /// Epochs it will train for at most.
        epochs: u32,
        /// What its score is: accuracy, F1 or R2.
        score_name: &'static str,
    },
    /// An epoch of a piece of work is done.
    Epoch {
        /// Which.
        unit: Unit,
        /// On which worker.
        worker: usize,
        /// What it gave.
        record: EpochRecord,
    },
    /// A piece of work lost its worker and is tried again.
    Lost {
        /// Which.
        unit: Unit,
        /// On which worker.
        worker: usize,
        /// Why.
        kind: FailureKind,
        /// The particulars.
        message: String,
    },
    /// A piece of work is done and in the journal.
    Finished {
        /// Which.
        unit: Unit,
        /// Validation score of a trial or a selection training, test score of a retraining.
        score: f64,
        /// How long it took.
        seconds: f64,
    },
    /// A piece of work failed, and the journal says so.
    Failed {
        /// Which.
        unit: Unit,
        /// Why.
        kind: FailureKind,
        /// The particulars.
        message: String,
    },
    /// A trial is better than all before it.
    BestImproved {
        /// The trial.
        trial: TrialId,
        /// Its score.
        score: f64,
        /// Trainable values of its network.
        params: u64,
    },
    /// The search is over.
    Searched {
        /// How many trials count.
        trials: u64,
        /// Why.
        reason: SearchEnd,
    },
    /// The test examples are read, and this look at them is counted.
    TestOpened {
        /// The how manieth [look](super::looks) at them it is, from 1.
        look: u32,
        /// Why the look could not be written into the ledger of its folder, if it couldn't.
        unwritten: Option<String>,
    },
    /// The run was told to end; it can be resumed.
    Interrupted {
        /// The run folder.
        folder: PathBuf,
    },
    /// The run is over.
    Ended {
        /// How.
        reason: EndReason,
    },
}
