//! Datasets: reading them, dividing them, and putting them on one scale.
//!
//! A [`DataSource`] is what an experiment writes under `[data]`. One of the [`FORMATS`] reads it into a
//! [`Dataset`] of raw values, which divides into [`Splits`]: a training and a validation [`Part`] for the search, and a
//! [`SealedTest`] that only the final evaluation opens. What they learnt from the training part is a
//! [`Preprocessing`], by which new files are read without it.
//!
//! Readers take bytes from strangers: every size is checked before memory is taken, and every error
//! says which file, line and column, and what to do. This module knows nothing of networks.

mod answered;
mod asked;
mod classes;
mod csv;
mod dataset;
mod encode;
mod error;
mod input;
mod keys;
mod memory;
mod named;
mod normalise;
mod part;
mod preprocessing;
mod readers;
mod source;
mod split;
pub(crate) mod tar;
mod targets;
mod text;
mod times;

pub use asked::{Asked, Questions};
pub use classes::Classes;
pub use csv::{Column, Columns, Decimal, Delimiter, Missing, TaskKind};
pub use dataset::{Dataset, Examples, Inputs, Task};
pub use encode::{Form, TableColumn};
pub use error::{DataError, Place};
pub use input::MAX_FILE_BYTES;
pub(crate) use input::open as open_file;
pub use named::{Home, NamedFile, NamedSet, Origin, SETS, fetch, find_named};
pub use normalise::{Normalise, Normaliser};
pub use part::Part;
pub use preprocessing::{Answers, KnownColumn, NewExamples, Preprocessing};
pub use readers::{FORMATS, Files, FormatInfo, Reader};
pub use source::{DataSource, Format, SplitColumns, SplitSetting, ValidationSource};
pub use split::{Division, FinalTest, PartSummary, Remark, SealedTest, SplitBy, SplitPlan, Splits};
pub use targets::{TargetScale, Targets};
pub use text::{TextOptions, Texts, Tokens, Vocabulary};

/// The most values (examples times values an example) that a dataset may hold: 2 GiB of memory.
pub const MAX_VALUES: usize = 1 << 29;

/// The most classes that a dataset may have.
pub const MAX_CLASSES: usize = 1 << 16;
