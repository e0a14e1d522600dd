//! Comparisons: several searches and hand-designed networks on the same data, recipe and budget.
//!
//! A comparison is a folder of [runs](crate::run) and two records beside them: the plan, written before anything
//! is run, and the winners, written when every search is over. Only then are the test examples read, in each
//! run's final evaluation. All else is in the runs' journals, so a comparison that is killed goes on like a
//! run, and gives the same for any number of workers.
//!
//! What the figures mean is not decided here.

mod archive;
mod designs;
mod look;
mod plan;
mod record;
mod settings;

pub use archive::Packed;
pub use designs::Design;
pub use look::look_of;
pub use plan::{LEAST_RETRAIN_SEEDS, LEAST_SEARCH_SEEDS, Part, Plan};
pub use record::{FixedWinner, RecordedComparison, Winners};
pub use settings::{CompareSettings, Search};

use super::evaluators::{Evaluators, Given};
use super::event::Event;
use super::lifecycle::{Until, begin, go_on};
use super::looks::Written;
use super::time::{Clocks, Time};
use super::{ExperimentFile, Options, RunError};
use crate::data::DataSource;
use std::path::{Path, PathBuf};

/// Something happened in a comparison.
#[derive(Clone, Debug)]
pub enum Notice<'a> {
    /// The comparison is open.
    Opened {
        /// Its folder.
        folder: &'a Path,
        /// What will be done.
        plan: &'a Plan,
    },
    /// A run begins, or goes on.
    Run {
        /// Which search.
        search: &'a Search,
        /// Which of its seeds, from 1.
        seed: u32,
        /// Of how many.
        seeds: u32,
        /// Whether the search is over and its winner is tested now.
        tests: bool,
    },
    /// Every search is over; from now on the test examples are known.
    WinnersFixed {
        /// The how manieth [look](super::looks) at them this is.
        look: u32,
        /// Why the look could not be written into the ledger of its folder, if it couldn't.
        unwritten: Option<String>,
    },
    /// The searches of a quick comparison are over; its hand-designed networks are trained, to be scored on validation
    /// examples.
    Designs,
    /// Something happened in the run.
    Of(&'a Event),
}

/// How a comparison ended without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it was seen to its end, and not interrupted.
    pub complete: bool,
}

/// Loads what judges candidates.
pub type Load<'a> = &'a dyn Fn(Given<'_>) -> Result<Box<dyn Evaluators>, RunError>;

/// Carries out the comparison of an experiment in a new folder under `runs`. `quick` reads no test example, and is no
/// evidence.
///
/// # Errors
/// When the experiment can't be compared, or as a run.
pub fn compare(
    file: &ExperimentFile,
    quick: bool,
    runs: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Notice<'_>),
) -> Result<Compared, RunError> {
    compare_with(file, quick, &load, runs, options, watch)
}

/// As [`compare`], with evaluators of the caller's.
///
/// # Errors
/// As [`compare`].
pub fn compare_with(
    file: &ExperimentFile,
    quick: bool,
    load: Load<'_>,
    runs: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Notice<'_>),
) -> Result<Compared, RunError> {
    file.experiment.validate()?;
    let plan = Plan::of(&file.experiment, quick)?;
    for part in plan.parts() {
        plan.experiment(part).validate()?;
    }
    let (plan, look) = look::planned(file, plan, load)?;
    let folder = record::create(file, plan, look, runs, Clocks::of_machine().now())?;
    resume_with(&folder, load, options, watch)
}

/// Goes on with a comparison that was interrupted or killed. Nothing is done if it is complete.
///
/// # Errors
/// When there is no comparison, or as a run.
pub fn resume(
    folder: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Notice<'_>),
) -> Result<Compared, RunError> {
    resume_with(folder, &load, options, watch)
}

/// As [`resume`], with evaluators of the caller's.
///
/// # Errors
/// As [`resume`].
pub fn resume_with(
    folder: &Path,
    load: Load<'_>,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Notice<'_>),
) -> Result<Compared, RunError> {
    let held = record::lock(folder)?;
    let opened = RecordedComparison::open(folder)?;
    watch(&Notice::Opened {
        folder,
        plan: opened.plan(),
    });
    let work = Work {
        folder,
        file: opened.file()?,
        plan: opened.plan(),
        load,
        options,
    };
    let complete = work.all(watch)?;
    drop(held);
    Ok(Compared {
        folder: folder.to_owned(),
        complete,
    })
}

fn load(given: Given<'_>) -> Result<Box<dyn Evaluators>, RunError> {
    given.experiment.evaluator.load(given)
}

struct Work<'a> {
    folder: &'a Path,
    file: ExperimentFile,
    plan: &'a Plan,
    load: Load<'a>,
    options: &'a Options<'a>,
}

impl Work<'_> {
    /// Whether everything was done: first every search, then every test.
    fn all(&self, watch: &mut dyn FnMut(&Notice<'_>)) -> Result<bool, RunError> {
        if !self.parts(Until::Winner, watch)? {
            return Ok(false);
        }
        let searched = RecordedComparison::open(self.folder)?;
        check_alike(&searched)?;
        record::fix(&searched, Clocks::of_machine().now())?;
        if self.plan.quick {
            // Their experiments retrain nothing, so this only writes down that they are over.
            return Ok(self.parts(Until::End, watch)? && self.designs(watch)?);
        }
        let Written {
            look, unwritten, ..
        } = look::take(&searched)?;
        watch(&Notice::WinnersFixed { look, unwritten });
        self.parts(Until::Tested { look }, watch)
    }

    /// Scores the hand-designed networks of a quick comparison, unless they have been; false if it was interrupted.
    fn designs(&self, watch: &mut dyn FnMut(&Notice<'_>)) -> Result<bool, RunError> {
        let searched = RecordedComparison::open(self.folder)?;
        if searched.designs().is_some() {
            return Ok(true);
        }
        watch(&Notice::Designs);
        let Some(found) = designs::train(&searched, self.load, self.options)? else {
            return Ok(false);
        };
        record::write_designs(self.folder, found)?;
        Ok(true)
    }

    /// Sees every run to where it should be; false if one was interrupted.
    fn parts(&self, until: Until, watch: &mut dyn FnMut(&Notice<'_>)) -> Result<bool, RunError> {
        for part in self.plan.parts() {
            if !self.part(part, until, watch)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sees one run to where it should be; false if it was interrupted.
    fn part(
        &self,
        part: Part,
        until: Until,
        watch: &mut dyn FnMut(&Notice<'_>),
    ) -> Result<bool, RunError> {
        let path = self.folder.join(self.plan.folder(part));
        let state = path
            .is_dir()
            .then(|| super::RecordedRun::open(&path))
            .transpose()?
            .map(|run| run.state().clone());
        let is_there = state.as_ref().is_some_and(|state| match until {
            Until::Winner => state.winner.is_some() || state.ended.is_some(),
            Until::Tested { .. } | Until::End => state.ended.is_some(),
        });
        if is_there {
            return Ok(true);
        }
        watch(&Notice::Run {
            search: &self.plan.searches[part.search],
            seed: part.seed + 1,
            seeds: self.plan.search_seeds,
            tests: until != Until::Winner,
        });
        let watch = &mut |event: &Event| watch(&Notice::Of(event));
        match state {
            Some(_) => self.go_on(&path, until, watch)?,
            None => self.begin(part, watch)?,
        }
        let run = super::RecordedRun::open(&path)?;
        Ok(match until {
            Until::Winner => run.state().winner.is_some() || run.state().ended.is_some(),
            Until::Tested { .. } | Until::End => run.state().ended.is_some(),
        })
    }

    fn begin(&self, part: Part, watch: &mut dyn FnMut(&Event)) -> Result<(), RunError> {
        let mut experiment = self.plan.experiment(part);
        experiment
            .data
            .folder
            .clone_from(&self.file.experiment.data.folder);
        let file = ExperimentFile {
            experiment,
            ..self.file.clone()
        };
        let mut evaluators = (self.load)(Given {
            experiment: &file.experiment,
            data: &file.experiment.data,
            base: &file.base,
        })?;
        let (runs, options) = (self.folder, self.options);
        begin(
            &file,
            evaluators.as_mut(),
            runs,
            options,
            watch,
            Until::Winner,
        )?;
        Ok(())
    }

    fn go_on(
        &self,
        path: &Path,
        until: Until,
        watch: &mut dyn FnMut(&Event),
    ) -> Result<(), RunError> {
        let load = |started: &super::record::Started| {
            let data: DataSource = started.data();
            (self.load)(Given {
                experiment: &started.experiment,
                data: &data,
                base: Path::new(&started.host.base),
            })
        };
        go_on(path, None, self.options, watch, load, until)?;
        Ok(())
    }
}

/// Refuses to compare runs of unlike things: a text or the data may have been changed between two of them.
fn check_alike(comparison: &RecordedComparison) -> Result<(), RunError> {
    let Some((_, first)) = comparison.runs().first() else {
        return Ok(());
    };
    let first = first.started();
    for (_, run) in comparison.runs() {
        let started = run.started();
        let pairs = [
            ("the space", &started.space_hash, &first.space_hash),
            ("the data", &started.data_hash, &first.data_hash),
            (
                "the split of the data",
                &started.split_hash,
                &first.split_hash,
            ),
        ];
        if let Some((what, now, then)) = pairs.into_iter().find(|(_, now, then)| now != then) {
            return Err(RunError::Changed {
                what: what.to_owned(),
                now: now.clone(),
                then: then.clone(),
            });
        }
    }
    Ok(())
}
