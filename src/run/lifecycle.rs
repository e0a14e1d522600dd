//! From an experiment to its end: starting, resuming, and the phases in between.

use super::core::{Clock, Core, Flow, Unsafe};
use super::dispatcher;
use super::error::RunError;
use super::evaluators::{Evaluators, Given};
use super::event::{Event, Phase};
use super::executor::{Limits, Processes, Threads, WorkerProgram, Workforce};
use super::experiment::{Budget, Experiment, ExperimentFile, Isolation, workers_on};
use super::extension;
use super::files::Files;
use super::final_evaluation;
use super::folder::{RunFolder, holds_comparison};
use super::forecast::Forecast;
use super::journal::{Entry, FileJournal, Journal};
use super::looks::Counting;
use super::manifest;
use super::models;
use super::origin::Origin;
use super::past::{Past, Story};
use super::preprocessing;
use super::record::{EndReason, Host, Record, SearchEnd, Started};
use super::setup::{Setup, Texts};
use super::state::State;
use super::time::{Clocks, Time};
use super::wire::Identity;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What a run is given from outside: nothing here changes its results.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Trials that run at the same time; by default what the experiment says.
    pub workers: Option<usize>,
    /// Set to end the run: what runs is told to stop, and the run can be resumed.
    pub stop: &'a AtomicBool,
    /// What trials are kept apart by; by default what the experiment says.
    pub isolate: Option<Isolation>,
    /// What worker processes run, where trials are to have some.
    pub program: Option<WorkerProgram>,
    /// Where the data is, for a run that is gone on with or verified elsewhere.
    pub place: Elsewhere,
}

impl<'a> Options<'a> {
    /// What the experiment says, until `stop` is set.
    pub fn new(stop: &'a AtomicBool) -> Self {
        Self {
            workers: None,
            stop,
            isolate: None,
            program: None,
            place: Elsewhere::default(),
        }
    }
}

/// How [`start`] or [`resume`] ended without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The run folder.
    pub folder: PathBuf,
    /// How the run ended; nothing if it was interrupted and can be resumed.
    pub reason: Option<EndReason>,
}

/// Starts a run in a new folder under `runs`, and runs it to its end.
///
/// # Errors
/// When the experiment can't be run, something can't be written, or too many trials fail in a row.
pub fn start(
    file: &ExperimentFile,
    runs: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Ending, RunError> {
    file.experiment.validate()?;
    let mut evaluators = file.experiment.evaluator.load(Given {
        experiment: &file.experiment,
        data: &file.experiment.data,
        base: &file.base,
    })?;
    start_with(file, evaluators.as_mut(), runs, options, watch)
}

/// As [`start`], with evaluators of the caller's.
///
/// # Errors
/// As [`start`].
pub fn start_with(
    file: &ExperimentFile,
    evaluators: &mut dyn Evaluators,
    runs: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Ending, RunError> {
    begin(file, evaluators, runs, options, watch, Until::End)
}

/// As [`start_with`], up to where the caller wants it.
pub(super) fn begin(
    file: &ExperimentFile,
    evaluators: &mut dyn Evaluators,
    runs: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
    until: Until,
) -> Result<Ending, RunError> {
    file.experiment.validate()?;
    let file = &models::settled(file, evaluators)?;
    let limits = limits(&file.experiment, options)?;
    let texts = Texts::given(file)?;
    let setup = Setup::compile(file.experiment.clone(), &texts)?;
    setup.check(evaluators)?;
    let (files, time) = (Files::of_machine(), Clocks::of_machine());
    let (folder, journal, entry) = create(&files, &time, file, &texts, evaluators, runs)?;
    let Record::Started(started) = &entry.record else {
        unreachable!("a run begins with its start");
    };
    let workforce = workforce(&folder, started, options)?;
    let place = Place {
        folder: &folder,
        setup: &setup,
        limits,
        workforce: workforce.as_ref(),
        time: &time,
        until,
    };
    let past = Past::of(&folder, &[entry])?;
    place.run(Box::new(journal), past, evaluators, options, watch)
}

/// A new run folder with a journal that says what the run was started with.
pub(super) fn create(
    files: &Files,
    time: &dyn Time,
    file: &ExperimentFile,
    texts: &Texts,
    evaluators: &dyn Evaluators,
    runs: &Path,
) -> Result<(RunFolder, FileJournal, Entry), RunError> {
    let started = started_with(file, texts, evaluators);
    let fill = |folder: &RunFolder| {
        texts.keep(folder)?;
        files.replace(&folder.experiment(), file.text.as_bytes())?;
        let mut journal = FileJournal::create_on(files.disk(), &folder.journal())?;
        let start = Record::Started(Box::new(started.clone()));
        let entry = journal.append(start, time.now(), 0.0)?;
        let mut story = Story::default();
        story.add(&entry);
        manifest::write(folder, &started, &story, None)?;
        files.sync_folder(folder.path())?;
        Ok((journal, entry))
    };
    let name = &file.experiment.name;
    let (folder, (mut journal, entry)) = RunFolder::create(files, runs, name, fill)?;
    journal.moved_to(folder.journal());
    Ok((folder, journal, entry))
}

/// What a run of an experiment is started with here and now.
pub(super) fn started_with(
    file: &ExperimentFile,
    texts: &Texts,
    evaluators: &dyn Evaluators,
) -> Started {
    Started {
        experiment: file.experiment.clone(),
        space_hash: texts.space_hash(),
        baseline_hashes: texts.baseline_hashes(),
        data_hash: evaluators.data_hash().to_owned(),
        split_hash: evaluators.split_hash().to_owned(),
        strata: manifest::STRATA.to_owned(),
        burn: manifest::BURN.to_owned(),
        host: host(file),
    }
}

/// Goes on with a run that was interrupted or killed. Its result is that of an uninterrupted run.
///
/// # Errors
/// When there is no run, it is one of a comparison, it has ended, another process runs it, its journal is damaged, its data has
/// changed, or as [`start`].
pub fn resume(
    folder: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Ending, RunError> {
    resume_by(folder, options, watch, |started| {
        load(started, &options.place)
    })
}

/// As [`resume`], with evaluators of the caller's.
///
/// # Errors
/// As [`resume`].
pub fn resume_by(
    folder: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
    load: impl FnOnce(&Started) -> Result<Box<dyn Evaluators>, RunError>,
) -> Result<Ending, RunError> {
    // By itself it would read the test examples before the other searches have ended, and nobody would count it.
    if let Some(comparison) = folder.parent().filter(|it| holds_comparison(it)) {
        return Err(RunError::OfAComparison {
            folder: folder.to_owned(),
            comparison: comparison.to_owned(),
        });
    }
    go_on(folder, None, options, watch, load, Until::End)
}

/// Goes on with a search, which may have ended, with a larger budget: what of `raise` is given takes the place
/// of what the run has. Its digest is then that of a run which had the larger budget from the start.
///
/// # Errors
/// When the budget is not larger or would change nothing, or as [`resume`].
pub fn extend(
    folder: &Path,
    raise: &Budget,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Ending, RunError> {
    extend_by(folder, raise, options, watch, |started| {
        load(started, &options.place)
    })
}

/// As [`extend`], with evaluators of the caller's.
///
/// # Errors
/// As [`extend`].
pub fn extend_by(
    folder: &Path,
    raise: &Budget,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
    load: impl FnOnce(&Started) -> Result<Box<dyn Evaluators>, RunError>,
) -> Result<Ending, RunError> {
    go_on(folder, Some(raise), options, watch, load, Until::End)
}

/// As [`resume_by`], up to where the caller wants it.
pub(super) fn go_on(
    folder: &Path,
    raise: Option<&Budget>,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
    load: impl FnOnce(&Started) -> Result<Box<dyn Evaluators>, RunError>,
    until: Until,
) -> Result<Ending, RunError> {
    let (folder, mut journal, mut past) = open(&Files::of_machine(), folder)?;
    let started = past.state.started.clone();
    let mut started = started.expect("a past begins with the start");
    check_training(&started, &past.state)?;
    let raised = match (raise, past.state.ended) {
        (Some(raise), _) => Some(extension::raised(&folder, &past, raise)?),
        (None, Some(reason)) => {
            let (folder, how) = (folder.path().to_owned(), reason.describe());
            return Err(RunError::AlreadyEnded { folder, how });
        }
        (None, None) => None,
    };
    started.experiment.budget = raised.unwrap_or(started.experiment.budget);
    let started = &*started;
    let limits = limits(&started.experiment, options)?;
    let texts = Texts::kept(&folder, started)?;
    if let Some(origin) = &started.host.experiment {
        origin.check_in(&folder)?;
    }
    let setup = Setup::compile(started.experiment.clone(), &texts)?;
    let mut evaluators = load(started)?;
    check_hashes(started, evaluators.as_ref())?;
    let workforce = workforce(&folder, started, options)?;
    let time = &Clocks::of_machine();
    if let Some(budget) = raised {
        extension::write(&folder, &mut journal, &mut past, budget, time)?;
    }
    let place = Place {
        folder: &folder,
        setup: &setup,
        limits,
        workforce: workforce.as_ref(),
        time,
        until,
    };
    place.run(Box::new(journal), past, evaluators.as_mut(), options, watch)
}

/// A run that is gone on with, with everything in it made safe: whoever was here before may have been
/// stopped before it was.
pub(super) fn open(files: &Files, path: &Path) -> Result<(RunFolder, FileJournal, Past), RunError> {
    let folder = RunFolder::open_on(files.clone(), path)?;
    let mut past = Past::default();
    let journal = FileJournal::open_each_on(files.disk(), &folder.journal(), |entry| {
        past.take(&folder, entry)
    })?;
    folder.make_names_safe()?;
    past.digest_anew_on(&folder)?;
    let past = past.begun(&folder)?;
    Ok((folder, journal, past))
}

/// Where the data of a run is on this machine, if it is not where it was when the run was started.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// What paths of data files are relative to.
    pub base: Option<PathBuf>,
    /// The folder of named datasets.
    pub datasets: Option<PathBuf>,
}

/// The evaluators of a run that was started before.
pub(super) fn load(started: &Started, place: &Elsewhere) -> Result<Box<dyn Evaluators>, RunError> {
    let mut data = started.data();
    data.folder = place.datasets.clone().or(data.folder);
    let base = place.base.as_deref();
    started.experiment.evaluator.load(Given {
        experiment: &started.experiment,
        data: &data,
        base: base.unwrap_or(Path::new(&started.host.base)),
    })
}

/// How far a run goes this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Until there is a winner, with the test examples sealed.
    Winner,
    /// To its end, its look at the test examples being part of one that is written down.
    Tested {
        /// The how manieth.
        look: u32,
    },
    /// To its end.
    End,
}

/// Where a run takes place.
pub(super) struct Place<'a> {
    pub folder: &'a RunFolder,
    pub setup: &'a Setup,
    pub limits: Limits,
    pub workforce: &'a dyn Workforce,
    pub time: &'a dyn Time,
    pub until: Until,
}

impl Place<'_> {
    /// Runs what is left.
    pub fn run(
        &self,
        journal: Box<dyn Journal + '_>,
        past: Past,
        evaluators: &mut dyn Evaluators,
        options: &Options<'_>,
        watch: &mut dyn FnMut(&Event),
    ) -> Result<Ending, RunError> {
        let mut core = Core {
            setup: self.setup,
            folder: self.folder,
            journal,
            clock: Clock::after(&past.story, self.time),
            story: past.story,
            state: past.state,
            unsafe_yet: Unsafe::default(),
            limits: self.limits,
            workforce: self.workforce,
            stop: options.stop,
            watch,
            forecast: Forecast::of(self.setup, evaluators, self.limits.workers),
            announces: self.until == Until::End,
        };
        core.tell(&opened(&core));
        for remark in evaluators.remarks() {
            core.tell(&Event::Remark(remark));
        }
        let started = core.state.started.as_ref();
        let started = started.expect("a past begins with the start");
        let counting = match self.until {
            Until::Tested { look } => Counting::Taken(look),
            _ => Counting::of(started, options.place.base.as_deref()),
        };
        let reason = phases(&mut core, evaluators, self.until, &counting)?;
        let folder = self.folder.path().to_owned();
        if reason.is_none() && core.is_interrupted() {
            core.tell(&Event::Interrupted {
                folder: folder.clone(),
            });
        }
        Ok(Ending { folder, reason })
    }
}

/// Runs what is left. Nothing if it was interrupted.
fn phases(
    core: &mut Core<'_>,
    evaluators: &mut dyn Evaluators,
    until: Until,
    counting: &Counting,
) -> Result<Option<EndReason>, RunError> {
    if core.announces && core.state.searched.is_none() {
        tell_plan(core);
    }
    if dispatcher::search(core, evaluators)? == Flow::Interrupted {
        return Ok(None);
    }
    let searched = core.state.searched.as_ref().expect("the search is over");
    if searched.reason == SearchEnd::ConsecutiveFailures {
        return Err(dispatcher::give_up(core)?);
    }
    if final_evaluation::name_winner(core)?.is_none() {
        let reason = match core.state.best() {
            Some(_) => EndReason::NothingWithin,
            None => EndReason::NothingFinished,
        };
        core.end(reason)?;
        return Ok(Some(reason));
    }
    if until == Until::Winner {
        return Ok(None);
    }
    if core.setup.experiment.last.retrain_seeds > 0
        && evaluators.can_test()
        && final_evaluation::evaluate(core, evaluators, counting)? == Flow::Interrupted
    {
        return Ok(None);
    }
    preprocessing::write(core.folder, &core.state, evaluators)?;
    core.end(EndReason::Completed)?;
    core.tell(&Event::Phase {
        phase: Phase::Ended,
        units: None,
    });
    Ok(Some(EndReason::Completed))
}

/// Says what the final evaluation is going to be.
fn tell_plan(core: &mut Core<'_>) {
    if let Some(forecast) = &core.forecast {
        let plan = forecast.plan();
        let bound = core.setup.experiment.budget.total_seconds;
        core.tell(&Event::FinalPlanned { plan, bound });
    }
    if let Some(seconds) = core.forecast() {
        core.tell(&Event::FinalForecast { seconds });
    }
}

fn opened(core: &Core<'_>) -> Event {
    let experiment = &core.setup.experiment;
    Event::Opened {
        folder: core.folder.path().to_owned(),
        name: experiment.name.clone(),
        workers: core.limits.workers,
        trials: experiment.budget.trials,
        seconds: experiment.budget.seconds,
        epochs: experiment.budget.epochs,
        finished: core.state.outcomes.len() as u64,
        earlier_looks: core.state.earlier_looks.clone(),
    }
}

/// How much may run at a time, on this machine and as the caller wants it.
pub(super) fn limits(experiment: &Experiment, options: &Options<'_>) -> Result<Limits, RunError> {
    let mut search = experiment.search.clone();
    search.workers = options.workers.unwrap_or(search.workers);
    Ok(Limits {
        workers: workers_on(&search, experiment.trial.device, manifest::cores())?,
        threads: experiment.trial.threads,
        deadline: experiment
            .trial
            .deadline_seconds
            .map(Duration::from_secs_f64),
        memory: experiment.trial.memory_limit_mb.map(|limit| limit << 20),
        retries: experiment.trial.retries,
    })
}

/// Who does the work of a run.
fn workforce(
    folder: &RunFolder,
    started: &Started,
    options: &Options<'_>,
) -> Result<Box<dyn Workforce>, RunError> {
    let trial = &started.experiment.trial;
    if options.isolate.unwrap_or(trial.isolate) == Isolation::Thread {
        return Ok(Box::new(Threads));
    }
    let program = options.program.clone().ok_or_else(|| RunError::Setting {
        key: "trial.isolate".to_owned(),
        message: "worker processes need a program to run, and none was named".to_owned(),
    })?;
    Ok(Box::new(Processes {
        program,
        folder: folder.path().to_owned(),
        wanted: Identity::of_run(started),
        memory_cap: trial.memory_cap_mb.map(|cap| cap << 20),
    }))
}

/// Refuses to go on with a search whose trials have scores of other epochs than this version gives them: one
/// search would choose among figures of two kinds.
pub(super) fn check_training(started: &Started, state: &State) -> Result<(), RunError> {
    if state.searched.is_none() && started.scores_other_epochs() {
        return Err(RunError::other_training(
            "go on with its search; begin it anew with `strata search`",
            started,
        ));
    }
    Ok(())
}

/// Refuses data that is not what a run was started with.
pub(super) fn check_hashes(started: &Started, now: &dyn Evaluators) -> Result<(), RunError> {
    let pairs = [
        ("the data", now.data_hash(), &started.data_hash),
        (
            "the split of the data",
            now.split_hash(),
            &started.split_hash,
        ),
    ];
    match pairs.into_iter().find(|(_, now, then)| now != then) {
        None => Ok(()),
        Some((what, now, then)) => {
            let (what, now) = (what.to_owned(), now.to_owned());
            Err(RunError::Changed {
                what,
                now,
                then: then.clone(),
            })
        }
    }
}

fn host(file: &ExperimentFile) -> Host {
    let absolute = |path: &Path| {
        // An experiment beside which the program was started has an empty base.
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        path.to_string_lossy().into_owned()
    };
    Host {
        kernels: manifest::kernels(),
        training: Some(crate::training::REVISION),
        cpu: manifest::cpu_model(),
        base: absolute(&file.base),
        datasets: file.experiment.data.folder.as_deref().map(absolute),
        experiment: Origin::of(file),
    }
}
