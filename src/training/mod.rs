//! One candidate, one recipe, one outcome.
//!
//! [`train`] is a pure function of architecture, recipe, data, seed and trial: shuffles, initial
//! weights and noise come from the trial's named streams. Owns recipes, optimisers, schedules, losses,
//! metrics, augmentation and the loop. Knows nothing of searches, journals or where data comes from, and reads no clock but
//! the deadline it is given.

mod augment;
mod checkpoint;
mod class_weights;
mod fields;
mod job;
mod memory;
mod metrics;
mod objective;
mod optimizer;
mod recipe;
mod schedule;
mod score;
mod trainer;

pub use checkpoint::Checkpoint;
pub use class_weights::ClassWeights;
pub use fields::{FIELDS, Field};
pub use job::{EpochRecord, Failure, Inherited, Job, Kept, Progress, Stretch, Trained};
pub use memory::memory_estimate;
pub use metrics::contributions;
pub use objective::{
    Objective, Scores, Undefined, cross_entropy, evaluate, evaluate_each, judge_each,
};
pub use optimizer::{Optimizer, clip_gradients, gradients};
pub use recipe::{LossKind, OptimizerKind, Recipe, RecipeError, ScheduleKind};
pub use schedule::learning_rate;
pub use score::{Direction, SCORES, Score, ScoreInfo};
pub use trainer::{train, train_stretch};

/// The number of what a training is taken to be. Revision 1 gave the network and the scores of the last epoch, and its
/// patience looked at the validation loss alone; revision 2 gives those of the best epoch.
pub const REVISION: u32 = 2;
