//! Controlling a shared run: started and resumed as a run in a folder is, with the journal and the work in
//! a database. The folder has a copy of everything, for whatever reads run folders.

use super::address::{Address, is_run_name};
use super::error::SharedError;
use super::executor::Shared;
use super::journal::SharedJournal;
use super::runs::{LeaseTerms, Program, check_versions};
use super::session::{Away, Database};
use super::worker::{run_of, started_of};
use crate::run::error::RunError;
use crate::run::evaluators::{Evaluators, Given};
use crate::run::event::Event;
use crate::run::experiment::{Budget, ExperimentFile};
use crate::run::extension;
use crate::run::folder::RunFolder;
use crate::run::journal::{Entry, FileJournal, line_of};
use crate::run::lifecycle::{
    Ending, Options, Place, Until, check_hashes, check_training, limits, load, started_with,
};
use crate::run::manifest;
use crate::run::models;
use crate::run::past::Past;
use crate::run::record::{Record, Started};
use crate::run::setup::{Setup, Texts};
use crate::run::time::{Clocks, Time};
use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

/// Where a shared run is, and who takes part.
#[derive(Clone, Debug)]
pub struct Sharing {
    /// The database, and the run if it is named.
    pub address: Address,
    /// This program.
    pub program: Program,
    /// Whether the program and the processor may be others than the run was started with.
    pub mixed: bool,
    /// How the run deals with workers that go silent, if it is new. How many may be lost over a trial is the
    /// experiment's: its `retries` and one more.
    pub terms: LeaseTerms,
    /// How long the database may be away.
    pub patience: Duration,
    /// Is told when it is waited for.
    pub away: Away,
}

/// Starts a run in a database, or goes on with the one of its name if it was started with the same
/// experiment. The run folder is made under `runs`, with the run's name.
///
/// # Errors
/// As [`start`](crate::run::start), or when the database can't be reached or its run is another.
pub fn start_shared(
    file: &ExperimentFile,
    sharing: &Sharing,
    runs: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Ending, RunError> {
    file.experiment.validate()?;
    let run = sharing.address.run().unwrap_or(&file.experiment.name);
    if !is_run_name(run) {
        return Err(RunError::Shared(SharedError::Address(format!(
            "`{run}` is no name for a run in a database: name one with `?run=name`"
        ))));
    }
    let texts = Texts::given(file)?;
    let setup = Setup::compile(file.experiment.clone(), &texts)?;
    let evaluators = file.experiment.evaluator.load(Given {
        experiment: &file.experiment,
        data: &file.experiment.data,
        base: &file.base,
    })?;
    setup.check(evaluators.as_ref())?;
    limits(&file.experiment, options)?;
    let file = &models::settled(file, evaluators.as_ref())?;
    let started = started_with(file, &texts, evaluators.as_ref());
    let mut database = sharing.database(options);
    let first = first_line(&started);
    sharing.create(&mut database, run, file, &texts, &first)?;
    let control = Control {
        sharing,
        run: run.to_owned(),
        runs,
    };
    let found = control.find(&mut database)?;
    // What was written down has been read back; what is compared with it has to be, too.
    same_start(run, &found, &started_of(run, std::slice::from_ref(&first))?)?;
    control.go_on(database, None, evaluators, options, watch)
}

/// Goes on with a run in a database, from whatever machine.
///
/// # Errors
/// As [`resume`](crate::run::resume), or when the database can't be reached or has no such run.
pub fn resume_shared(
    sharing: &Sharing,
    runs: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Ending, RunError> {
    go_on(sharing, None, runs, options, watch)
}

/// Goes on with a search in a database with a larger budget, also if it has ended. Workers that went when it
/// ended have to be started again.
///
/// # Errors
/// As [`extend`](crate::run::extend), or when the database can't be reached or has no such run.
pub fn extend_shared(
    sharing: &Sharing,
    raise: &Budget,
    runs: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Ending, RunError> {
    go_on(sharing, Some(raise), runs, options, watch)
}

fn go_on(
    sharing: &Sharing,
    raise: Option<&Budget>,
    runs: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Ending, RunError> {
    let mut database = sharing.database(options);
    let control = Control {
        sharing,
        run: run_of(&sharing.address, &mut database)?,
        runs,
    };
    let started = control.find(&mut database)?;
    let evaluators = load(&started, &options.place)?;
    control.go_on(database, raise, evaluators, options, watch)
}

impl Sharing {
    fn database<'a>(&self, options: &Options<'a>) -> Database<'a> {
        Database::new(self.address.clone(), self.patience, options.stop).telling(self.away)
    }

    /// Makes the run unless it is there.
    fn create(
        &self,
        database: &mut Database<'_>,
        run: &str,
        file: &ExperimentFile,
        texts: &Texts,
        first: &str,
    ) -> Result<(), RunError> {
        let mut files = texts.as_files();
        files.push(("experiment.toml".to_owned(), file.text.clone().into_bytes()));
        let program = &self.program;
        let terms = LeaseTerms {
            losses: file.experiment.trial.retries.saturating_add(1),
            ..self.terms
        };
        Ok(database.ask(|session| {
            let mut runs = session.run(run);
            runs.create(program, terms, &files, Some(first))
        })?)
    }
}

/// The first line of a run's journal.
fn first_line(started: &Started) -> String {
    let start = Record::Started(Box::new(started.clone()));
    let line = line_of(&Entry::new(0, Clocks::of_machine().now(), 0.0, start));
    line.trim_end().to_owned()
}

struct Control<'a> {
    sharing: &'a Sharing,
    run: String,
    runs: &'a Path,
}

impl Control<'_> {
    /// What the run was started with, if this program may take part.
    fn find(&self, database: &mut Database<'_>) -> Result<Started, RunError> {
        let run = &self.run;
        let (found, first) = database.ask(|session| {
            let mut runs = session.run(run);
            match runs.find()? {
                Some(found) => Ok((found, runs.first_line()?)),
                None => Err(SharedError::NoRun {
                    run: run.clone(),
                    known: runs.names()?,
                }),
            }
        })?;
        let started = started_of(run, &first)?;
        check_versions(&started, run)?;
        let Sharing { program, mixed, .. } = self.sharing;
        program.check(&found.program, run, *mixed)?;
        Ok(started)
    }

    fn go_on(
        &self,
        mut database: Database<'_>,
        raise: Option<&Budget>,
        mut evaluators: Box<dyn Evaluators>,
        options: &Options<'_>,
        watch: &mut dyn FnMut(&Event),
    ) -> Result<Ending, RunError> {
        let run = &self.run;
        let started = self.find(&mut database)?;
        check_hashes(&started, evaluators.as_ref())?;
        let (held, terms, lines) = database.ask(|session| {
            let mut runs = session.run(run);
            let terms = runs.find()?.map(|found| found.terms).unwrap_or_default();
            Ok((runs.files()?, terms, runs.lines(0)?))
        })?;
        let texts = Texts::held(&started, &held)?;
        let folder = RunFolder::named(self.runs, run);
        let copy = self.copy(&folder, &texts, &held, &lines)?;
        let (mut journal, entries) = SharedJournal::open(database, run, copy)?;
        let mut past = Past::of(&folder, &entries)?;
        check_training(&started, &past.state)?;
        let mut database = self.sharing.database(options);
        if let Some(raise) = raise {
            let budget = extension::raised(&folder, &past, raise)?;
            // Before the record: whoever goes on with the run finds a queue without what is superseded.
            database.ask(|session| session.run(run).reopen())?;
            let time = &Clocks::of_machine();
            extension::write(&folder, &mut journal, &mut past, budget, time)?;
        }
        // With the budget that it has by now.
        let started = past.state.started.as_deref().cloned().unwrap_or(started);
        let setup = Setup::compile(started.experiment.clone(), &texts)?;
        let ended = past.state.ended;
        manifest::write(&folder, &started, &past.story, ended)?;
        if let Some(reason) = ended {
            database.ask(|session| session.run(run).end())?;
            let (folder, how) = (folder.path().to_owned(), reason.describe());
            return Err(RunError::AlreadyEnded { folder, how });
        }
        let workforce = Shared {
            database: RefCell::new(database),
            run: run.clone(),
            lease: terms.length,
        };
        let place = Place {
            folder: &folder,
            setup: &setup,
            limits: limits(&started.experiment, options)?,
            workforce: &workforce,
            time: &Clocks::of_machine(),
            until: Until::End,
        };
        let journal = Box::new(journal);
        let ending = place.run(journal, past, evaluators.as_mut(), options, watch);
        let ended = match &ending {
            Ok(ending) => ending.reason.is_some(),
            Err(error) => matches!(error, RunError::ConsecutiveFailures { .. }),
        };
        if ended {
            let mut database = workforce.database.into_inner();
            database.ask(|session| session.run(run).end())?;
        }
        ending
    }

    /// The run folder's journal, with the texts beside it.
    fn copy(
        &self,
        folder: &RunFolder,
        texts: &Texts,
        held: &[(String, Vec<u8>)],
        lines: &[String],
    ) -> Result<(FileJournal, Vec<Entry>), RunError> {
        if folder.journal().exists() {
            return FileJournal::open(&folder.journal());
        }
        let files = folder.files();
        files.create_folder(folder.path())?;
        texts.keep(folder)?;
        let experiment = held.iter().find(|(path, _)| path == "experiment.toml");
        if let Some((_, text)) = experiment {
            files.replace(&folder.experiment(), text)?;
        }
        let mut journal = lines.join("\n");
        journal.push('\n');
        files.replace(&folder.journal(), journal.as_bytes())?;
        files.sync_folder(folder.path())?;
        files.sync_folder(self.runs)?;
        FileJournal::open(&folder.journal())
    }
}

/// Refuses to go on with a run that was started with something else. Where it was started counts for
/// nothing.
fn same_start(run: &str, then: &Started, now: &Started) -> Result<(), RunError> {
    let differs = [
        ("space", then.space_hash != now.space_hash),
        ("baseline", then.baseline_hashes != now.baseline_hashes),
        ("data", then.data_hash != now.data_hash),
        ("split of the data", then.split_hash != now.split_hash),
        ("experiment", then.experiment != now.experiment),
    ];
    match differs.into_iter().find(|(_, differs)| *differs) {
        None => Ok(()),
        Some((what, _)) => Err(RunError::Shared(SharedError::Other {
            run: run.to_owned(),
            what,
        })),
    }
}
