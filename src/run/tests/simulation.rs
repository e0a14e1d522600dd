//! Whole runs under a simulated clock, disk and workers. One seed decides everything that goes wrong; the
//! run must come to what an undisturbed one comes to, with nothing lost that was acknowledged.
//!
//! `STRATA_SIMULATION_SEED=n` plays one seed alone.

use super::disk::{Fault, FaultyDisk};
use super::scenario::Scenario;
use super::workers::{SimulatedTime, SimulatedWorkers};
use crate::random::{Purpose, Seed, Stream};
use crate::run::disk::Disk;
use crate::run::error::RunError;
use crate::run::executor::Limits;
use crate::run::experiment::Budget;
use crate::run::extension;
use crate::run::files::Files;
use crate::run::journal::{self, Entry, FileJournal, Journal};
use crate::run::lifecycle::{Options, Place, Until, create, open};
use crate::run::past::Past;
use crate::run::record::Record;
use crate::run::setup::{Setup, Texts};
use rayon::prelude::*;
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often a run is disturbed at most before it is let go on to its end.
const MOST_LIVES: u32 = 6;

/// Simulated runs in every test run, and in a slow one.
const SEEDS: u64 = 10_000;
const SLOW_SEEDS: u64 = 1_000_000;

/// Where simulated runs are.
pub fn runs() -> PathBuf {
    PathBuf::from("/runs")
}

/// A disk with a folder for runs.
pub fn disk(stream: Stream) -> FaultyDisk {
    let disk = FaultyDisk::new(stream);
    disk.create_folder(&runs()).unwrap();
    disk.sync_folder(Path::new("/")).unwrap();
    disk
}

/// A run through all of its lives.
pub struct Simulated<'a> {
    pub scenario: &'a Scenario,
    pub disk: FaultyDisk,
    pub time: SimulatedTime,
    /// Draws what happens to workers.
    pub stream: Stream,
    /// How many tasks of a hundred go as they should.
    pub well: u64,
    /// After how many events the run is told to end, if it is.
    pub interrupt: Option<u64>,
    /// The budget that the run is given when it is next gone on with, unless it has it.
    pub raise: Option<Budget>,
    acknowledged: Rc<RefCell<Vec<Entry>>>,
}

/// A journal that remembers what it acknowledged.
#[derive(Debug)]
struct Watched {
    journal: FileJournal,
    /// What was added and is not acknowledged yet.
    added: Vec<Entry>,
    acknowledged: Rc<RefCell<Vec<Entry>>>,
}

impl Journal for Watched {
    fn add(&mut self, record: Record, at: f64, seconds: f64) -> Result<Entry, RunError> {
        let entry = self.journal.add(record, at, seconds)?;
        self.added.push(entry.clone());
        Ok(entry)
    }

    fn commit(&mut self) -> Result<(), RunError> {
        self.journal.commit()?;
        self.acknowledged.borrow_mut().append(&mut self.added);
        Ok(())
    }

    fn entries(&mut self) -> Result<Vec<Entry>, RunError> {
        self.journal.entries()
    }
}

impl<'a> Simulated<'a> {
    pub fn new(scenario: &'a Scenario, seed: Seed) -> Self {
        Self {
            scenario,
            disk: FaultyDisk::new(seed.stream(1, Purpose::Tool)),
            time: SimulatedTime::default(),
            stream: seed.stream(2, Purpose::Tool),
            well: 100,
            interrupt: None,
            raise: None,
            acknowledged: Rc::default(),
        }
    }

    /// One life: begins the run or goes on with it. Whether it is over.
    pub fn live(&mut self, workers: usize) -> Result<bool, RunError> {
        let files = Files::on(std::sync::Arc::new(self.disk.clone()));
        let scenario = self.scenario;
        let names = files.disk().names(&runs()).unwrap_or_default();
        let found = names.iter().find(|name| *name == "tiny-1");
        let (folder, mut journal, mut past) = match found {
            None => {
                let (file, texts) = (&scenario.file, &scenario.texts);
                let evaluators = &scenario.evaluators;
                let (folder, journal, entry) =
                    create(&files, &self.time, file, texts, evaluators, &runs())?;
                let past = Past::of(&folder, &[entry])?;
                (folder, journal, past)
            }
            Some(name) => open(&files, &runs().join(name))?,
        };
        self.check_acknowledged(&journal.entries()?);
        if let Some(raise) = self.raise.filter(|raise| budget_of(&past) != *raise) {
            let has = budget_of(&past);
            let raise = Budget {
                trials: raise.trials.filter(|_| raise.trials != has.trials),
                seconds: raise.seconds.filter(|_| raise.seconds != has.seconds),
                epochs: raise.epochs.filter(|_| raise.epochs != has.epochs),
                total_seconds: raise
                    .total_seconds
                    .filter(|_| raise.total_seconds != has.total_seconds),
            };
            let raised = extension::raised(&folder, &past, &raise)?;
            extension::write(&folder, &mut journal, &mut past, raised, &self.time)?;
            self.check_acknowledged(&journal.entries()?);
        }
        if past.state.ended.is_some() {
            return Ok(true);
        }
        Texts::kept(&folder, past.state.started.as_ref().unwrap())?;
        let experiment = past.state.started.as_ref().unwrap().experiment.clone();
        let raised = (experiment.budget != scenario.setup.experiment.budget)
            .then(|| Setup::compile(experiment, &scenario.texts).unwrap());
        let stop = AtomicBool::new(false);
        let left = Cell::new(self.interrupt);
        let mut watch = |_: &crate::run::Event| {
            left.set(left.get().map(|left| left.saturating_sub(1)));
            stop.store(left.get() == Some(0), Ordering::Relaxed);
        };
        let place = Place {
            folder: &folder,
            setup: raised.as_ref().unwrap_or(&scenario.setup),
            limits: Limits {
                workers,
                threads: 1,
                deadline: None,
                memory: None,
                retries: 2,
            },
            workforce: &SimulatedWorkers {
                time: &self.time,
                stream: RefCell::new(self.stream.clone()),
                well: self.well,
            },
            time: &self.time,
            until: Until::End,
        };
        // Another life has other luck.
        self.stream.bits();
        let acknowledged = Rc::clone(&self.acknowledged);
        let journal = Box::new(Watched {
            journal,
            added: Vec::new(),
            acknowledged,
        });
        let mut evaluators = scenario.evaluators;
        let options = Options::new(&stop);
        match place.run(journal, past, &mut evaluators, &options, &mut watch) {
            Ok(ending) => Ok(ending.reason.is_some()),
            Err(RunError::ConsecutiveFailures { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Everything that was acknowledged is still there, in its place.
    fn check_acknowledged(&self, entries: &[Entry]) {
        let mut acknowledged = self.acknowledged.borrow_mut();
        assert!(
            entries.len() >= acknowledged.len(),
            "acknowledged records are lost"
        );
        assert_eq!(entries[..acknowledged.len()], acknowledged[..]);
        *acknowledged = entries.to_vec();
    }

    /// The journal's entries.
    pub fn entries(&self) -> Vec<Entry> {
        let journal = runs().join("tiny-1").join(journal::FILE_NAME);
        FileJournal::read_on(&self.disk, &journal).unwrap()
    }

    /// Whether the run was begun.
    pub fn is_there(&self) -> bool {
        let names = self.disk.names(&runs()).unwrap_or_default();
        names.iter().any(|name| name == "tiny-1")
    }

    /// What comes is another run's.
    pub fn forget_acknowledged(&self) {
        self.acknowledged.borrow_mut().clear();
    }

    /// The digest of what the run came to.
    pub fn digest(&self) -> String {
        let journal = runs().join("tiny-1").join(journal::FILE_NAME);
        let (_, entries) = FileJournal::open_on(&self.disk, &journal).unwrap();
        self.check_acknowledged(&entries);
        journal::digest(&entries)
    }
}

/// The budget that a run has by now.
fn budget_of(past: &Past) -> Budget {
    past.state.started.as_ref().unwrap().experiment.budget
}

/// What a scenario comes to when nothing goes wrong, and how many operations of the disk that takes.
pub fn undisturbed(scenario: &Scenario) -> (String, u64) {
    let mut run = Simulated::new(scenario, Seed(0));
    assert!(run.live(2).unwrap());
    (run.digest(), run.disk.operations())
}

/// Plays one seed, and returns what the run came to.
fn play(scenario: &Scenario, operations: u64, seed: Seed) -> String {
    let mut luck = seed.stream(3, Purpose::Tool);
    let mut run = Simulated::new(scenario, seed);
    let most = scenario.file.experiment.search.lookahead;
    for life in 0.. {
        let disturbed = life < MOST_LIVES;
        let fault = (disturbed && luck.below(8) > 0).then(|| {
            let faults = [Fault::Error, Fault::Full, Fault::Kill, Fault::PowerCut];
            let fault = faults[luck.index(faults.len())];
            // Often soon, so that what a life begins with is disturbed too.
            let range = if luck.below(3) == 0 { 40 } else { operations };
            (1 + luck.below(range), fault)
        });
        run.disk.plan(fault);
        run.well = if disturbed { 60 + luck.below(41) } else { 100 };
        run.interrupt = (disturbed && luck.below(6) == 0).then(|| 1 + luck.below(60));
        let workers = 1 + luck.below(most) as usize;
        match run.live(workers) {
            Ok(true) if !run.disk.is_dead() => {
                run.disk.restart();
                return run.digest();
            }
            Ok(_) => {}
            Err(RunError::File { .. }) if fault.is_some() => {}
            Err(error) => panic!("life {life}: {error}"),
        }
        assert!(
            life < MOST_LIVES + 1,
            "a life without faults comes to its end"
        );
        run.disk.restart();
    }
    unreachable!("some life is the last")
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    if let Some(seed) = number("STRATA_SIMULATION_SEED") {
        return seed..seed + 1;
    }
    match std::env::var_os("STRATA_SLOW_TESTS") {
        Some(_) => 0..SLOW_SEEDS,
        None => 0..SEEDS,
    }
}

#[test]
fn whatever_goes_wrong_a_run_comes_to_the_same_end() {
    let scenarios = Scenario::all();
    let wanted: Vec<(String, u64)> = scenarios.iter().map(undisturbed).collect();
    seeds().into_par_iter().for_each(|seed| {
        let at = (seed % scenarios.len() as u64) as usize;
        let (digest, operations) = &wanted[at];
        let play = || play(&scenarios[at], *operations, Seed(seed));
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(play));
        let found = found.unwrap_or_else(|_| panic!("STRATA_SIMULATION_SEED={seed} replays this"));
        assert_eq!(&found, digest, "STRATA_SIMULATION_SEED={seed} replays this");
    });
}

#[test]
fn scenarios_end_in_different_ways() {
    let digests: Vec<String> = Scenario::all().iter().map(|s| undisturbed(s).0).collect();
    let distinct: std::collections::BTreeSet<&String> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
    let given_up = Scenario::all().pop().unwrap();
    let mut run = Simulated::new(&given_up, Seed(0));
    assert!(run.live(1).unwrap());
    let reasons = |entry: &Entry| matches!(&entry.record, Record::Ended(ended) if ended.reason == crate::run::EndReason::ConsecutiveFailures);
    assert!(run.acknowledged.borrow().iter().any(reasons));
}
