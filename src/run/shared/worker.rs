//! A worker: leases work of a run, carries it out, and hands in what came of it.
//!
//! Before it takes anything it makes sure that it is what the run was started with: the program, the
//! space, the data and how it is divided. It holds nothing that matters: whenever it dies, its leases run
//! out and the work is done elsewhere.

use super::address::Address;
use super::error::SharedError;
use super::executor::name_of;
use super::heart::{Heart, Parting};
use super::journal::entries;
use super::queue::{Lease, Leased};
use super::runs::{Program, check_versions};
use super::session::{Away, Database};
use crate::evaluation::{Control, Evaluator, Failure, FailureKind};
use crate::run::error::RunError;
use crate::run::evaluators::{Evaluators, Given};
use crate::run::event::Unit;
use crate::run::executor::{Assignment, carry_out, thread_pool};
use crate::run::lifecycle::check_hashes;
use crate::run::record::{Record, Started};
use crate::run::setup::{Setup, Texts};
use crate::run::wire::{self, Attempt, Completed};
use crate::run::worker::selects_nothing;
use rayon::ThreadPool;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a worker without work waits before it asks again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// How long work that hangs, and all other work of its process, is given to stop before the process ends.
const LAST_CHANCE: Duration = Duration::from_secs(1);

/// The most that a worker waits if it is the run's only one, and for each that came before it: thousands of
/// workers without work ask as often together as a few hundred.
fn longest_pause(worker: i32) -> Duration {
    let before = u64::try_from(worker).unwrap_or_default();
    LONGEST_PAUSE.max(Duration::from_millis(before))
}

/// What a worker is given.
pub struct WorkerOptions<'a> {
    /// Where the run is.
    pub address: Address,
    /// This program.
    pub program: Program,
    /// Whether the program and the processor may be others than the run was started with.
    pub mixed: bool,
    /// How many pieces of work are done at a time.
    pub slots: usize,
    /// Host and process, for people.
    pub name: String,
    /// The folder that the experiment's files are relative to, if not the one of the run's start.
    pub base: Option<PathBuf>,
    /// The folder of named datasets, if not the one of the run's start.
    pub datasets: Option<PathBuf>,
    /// How long a piece of work may say nothing before it counts as hung; by default three times its
    /// deadline, where it has one.
    pub stall: Option<Duration>,
    /// How long the database may be away.
    pub patience: Duration,
    /// Is told when it is waited for.
    pub away: Away,
    /// Set to end: what runs is told to stop, and its leases are given back.
    pub stop: &'a AtomicBool,
    /// Ends the process: a piece of work hangs, and nothing can stop it.
    pub abandon: &'a (dyn Fn(&SharedError) + Sync),
}

/// What happens to a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerEvent {
    /// It takes part in the run, under these numbers.
    Joined {
        /// The run.
        run: String,
        /// One number for each piece of work at a time.
        workers: Vec<i32>,
    },
    /// It begins a piece of work.
    Begun {
        /// Which.
        unit: Unit,
        /// How many times it has been given away.
        attempt: i32,
    },
    /// A result was taken.
    Finished {
        /// Of which piece of work.
        unit: Unit,
    },
    /// A result came too late: the work had gone to another.
    Refused {
        /// Of which piece of work.
        unit: Unit,
    },
    /// A lease was lost, and the work given up.
    Lost {
        /// Of which piece of work.
        unit: Unit,
    },
    /// A piece of work said nothing for too long, and stopped when it was told to. Its lease runs out.
    Hung {
        /// Which.
        unit: Unit,
    },
    /// A lease was given back because the worker is to end.
    Released {
        /// Of which piece of work.
        unit: Unit,
    },
}

/// Why a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerEnd {
    /// The run is over.
    RunEnded,
    /// It was told to.
    Stopped,
}

/// Works for a run until it is over.
///
/// # Errors
/// When there is no such run, this process is not what the run was started with, the data can't be read, or
/// the database is away for too long.
pub fn work(
    options: &WorkerOptions<'_>,
    watch: &(dyn Fn(&WorkerEvent) + Sync),
) -> Result<WorkerEnd, RunError> {
    let mut database = options.database(options.patience);
    let run = run_of(&options.address, &mut database)?;
    let Joined {
        setup,
        mut evaluators,
        lease,
    } = join(options, &run, &mut database)?;
    let workers: Vec<i32> = (0..options.slots)
        .map(|_| {
            let join = database.ask(|session| session.queue(&run).join(&options.name));
            Ok(join?.0)
        })
        .collect::<Result<_, SharedError>>()?;
    watch(&WorkerEvent::Joined {
        run: run.clone(),
        workers: workers.clone(),
    });
    let place = Place {
        options,
        watch,
        run: &run,
        setup: &setup,
        lease,
        workers: &workers,
        database: Mutex::new(database),
        looked: Mutex::new(Instant::now()),
    };
    let turn = {
        let (search, selection) = (evaluators.search(), evaluators.selection());
        place.serve(search.as_ref(), selection.as_deref(), Phase::Search)?
    };
    let turn = match turn {
        Turn::Test => place.serve(evaluators.open_test().as_ref(), None, Phase::Last)?,
        other => other,
    };
    Ok(match turn {
        Turn::Stopped => WorkerEnd::Stopped,
        Turn::Ended | Turn::Test => WorkerEnd::RunEnded,
    })
}

impl WorkerOptions<'_> {
    fn database(&self, patience: Duration) -> Database<'_> {
        Database::new(self.address.clone(), patience, self.stop).telling(self.away)
    }
}

/// The name of the run that an address means.
pub(super) fn run_of(
    address: &Address,
    database: &mut Database<'_>,
) -> Result<String, SharedError> {
    match address.run() {
        Some(run) => Ok(run.to_owned()),
        None => Err(SharedError::Unnamed(
            database.ask(|session| session.run("").names())?,
        )),
    }
}

/// What a worker has made of a run.
struct Joined {
    setup: Setup,
    evaluators: Box<dyn Evaluators>,
    lease: Duration,
}

/// Reads a run's texts and data, and makes sure that all is as it was when the run was started.
fn join(
    options: &WorkerOptions<'_>,
    run: &str,
    database: &mut Database<'_>,
) -> Result<Joined, RunError> {
    let (found, files, lines) = database.ask(|session| {
        let mut runs = session.run(run);
        let Some(found) = runs.find()? else {
            let (run, known) = (run.to_owned(), runs.names()?);
            return Err(SharedError::NoRun { run, known });
        };
        Ok((found, runs.files()?, runs.first_line()?))
    })?;
    let started = started_of(run, &lines)?;
    check_versions(&started, run)?;
    options.program.check(&found.program, run, options.mixed)?;
    let texts = Texts::held(&started, &files)?;
    let setup = Setup::compile(started.experiment.clone(), &texts)?;
    let mut data = started.data();
    if options.datasets.is_some() {
        data.folder.clone_from(&options.datasets);
    }
    let base = options.base.clone();
    let evaluators = started.experiment.evaluator.load(Given {
        experiment: &started.experiment,
        data: &data,
        base: &base.unwrap_or_else(|| PathBuf::from(&started.host.base)),
    })?;
    check_hashes(&started, evaluators.as_ref())?;
    Ok(Joined {
        setup,
        evaluators,
        lease: found.terms.length,
    })
}

/// What a run was started with, by the first line of its journal.
pub(super) fn started_of(run: &str, lines: &[String]) -> Result<Started, RunError> {
    let first = entries(run, 0, lines.get(..1).unwrap_or_default())?.pop();
    match first.map(|entry| entry.record) {
        Some(Record::Started(started)) => Ok(*started),
        _ => Err(RunError::Shared(SharedError::Damaged {
            run: run.to_owned(),
            what: "record 0".to_owned(),
            message: "it does not start a run".to_owned(),
        })),
    }
}

/// Which examples results come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Search,
    /// Test examples are known; no trial may be done any more.
    Last,
}

/// Why a slot asks for no more work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Ended,
    Test,
    Stopped,
}

struct Place<'a> {
    options: &'a WorkerOptions<'a>,
    watch: &'a (dyn Fn(&WorkerEvent) + Sync),
    run: &'a str,
    setup: &'a Setup,
    lease: Duration,
    workers: &'a [i32],
    /// All slots ask over one connection: a process is two connections, however much it does at a time.
    database: Mutex<Database<'a>>,
    /// When the run was last looked at.
    looked: Mutex<Instant>,
}

impl<'a> Place<'a> {
    fn serve(
        &self,
        evaluator: &dyn Evaluator,
        selection: Option<&dyn Evaluator>,
        phase: Phase,
    ) -> Result<Turn, RunError> {
        let threads = self.setup.experiment.trial.threads;
        let pools: Vec<ThreadPool> = self
            .workers
            .iter()
            .map(|_| thread_pool(threads))
            .collect::<Result<_, _>>()?;
        let heart = self.heart();
        let (quit, test) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| heart.beat(self.options.database(Duration::ZERO)));
            let slots: Vec<_> = self
                .workers
                .iter()
                .zip(pools)
                .map(|(&worker, pool)| {
                    let slot = Slot {
                        place: self,
                        heart: &heart,
                        quit: &quit,
                        test: &test,
                        evaluator,
                        selection,
                        phase,
                        worker,
                    };
                    scope.spawn(move || pool.install(|| slot.work()))
                })
                .collect();
            let mut hung = None;
            while slots.iter().any(|slot| !slot.is_finished()) {
                let all = self.is_stopped() || quit.load(Ordering::Relaxed);
                if let Some(unit) = heart.check(all) {
                    quit.store(true, Ordering::Relaxed);
                    hung = hung.or_else(|| Some((unit, Instant::now())));
                }
                let over = |(_, since): &&(_, Instant)| since.elapsed() > LAST_CHANCE;
                if let Some((unit, _)) = hung.as_ref().filter(over) {
                    self.abandon(unit);
                }
                thread::sleep(heart.period());
            }
            heart.end();
            if let Some((unit, _)) = &hung {
                self.abandon(unit);
            }
            let turns = slots.into_iter().map(|slot| match slot.join() {
                Ok(turn) => turn,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            let turns: Vec<Turn> = turns.collect::<Result<_, _>>()?;
            Ok(turns.into_iter().max().unwrap_or(Turn::Ended))
        })
    }

    fn abandon(&self, unit: &str) {
        let unit = unit.to_owned();
        (self.options.abandon)(&SharedError::Hung { unit });
    }

    fn heart(&self) -> Heart {
        let deadline = self.setup.experiment.trial.deadline_seconds;
        let hung = deadline.map(|seconds| 3 * Duration::from_secs_f64(seconds));
        Heart::new(self.run.to_owned(), self.lease, self.options.stall.or(hung))
    }

    fn is_stopped(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }

    fn database(&self) -> MutexGuard<'_, Database<'a>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes back what lost workers held, and returns whether the run is over. Once in a while is enough.
    fn look_around(&self) -> Result<bool, SharedError> {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.elapsed() < LONGEST_PAUSE {
            return Ok(false);
        }
        let found = self.database().ask(|session| {
            session.queue(self.run).reap()?;
            session.run(self.run).find()
        })?;
        *looked = Instant::now();
        Ok(found.is_none_or(|found| found.ended))
    }
}

/// One piece of work at a time.
struct Slot<'s, 'a> {
    place: &'s Place<'a>,
    heart: &'s Heart,
    /// Set when one slot can't go on, so that none does.
    quit: &'s AtomicBool,
    /// Set when the search is over, so that no slot asks for more of it.
    test: &'s AtomicBool,
    evaluator: &'s dyn Evaluator,
    /// What carries out selection trainings.
    selection: Option<&'s dyn Evaluator>,
    phase: Phase,
    worker: i32,
}

impl Slot<'_, '_> {
    fn work(&self) -> Result<Turn, RunError> {
        let turn = self.until_no_more();
        if turn.is_err() {
            self.quit.store(true, Ordering::Relaxed);
            // The error is what is told; what can't be given back runs out.
            let _ = self.release();
        }
        turn
    }

    fn until_no_more(&self) -> Result<Turn, RunError> {
        let mut pause = FIRST_PAUSE;
        loop {
            if self.place.is_stopped() {
                return Ok(Turn::Stopped);
            }
            if self.quit.load(Ordering::Relaxed) {
                return Ok(Turn::Ended);
            }
            if self.test.load(Ordering::Relaxed) {
                return Ok(Turn::Test);
            }
            let asked = Instant::now();
            if let Some(leased) = self.lease()? {
                pause = FIRST_PAUSE;
                self.carry_out(leased, asked)?;
            } else {
                if self.place.look_around()? {
                    return Ok(Turn::Ended);
                }
                thread::sleep(pause);
                pause = (2 * pause).min(longest_pause(self.worker));
            }
        }
    }

    fn lease(&self) -> Result<Option<Leased>, SharedError> {
        let mut asked_before = false;
        self.place.database().ask(|session| {
            let mut queue = session.queue(self.place.run);
            if asked_before {
                // The answer was lost, and may have been a lease.
                queue.release_all(self.worker)?;
            }
            asked_before = true;
            queue.lease(self.worker)
        })
    }

    fn carry_out(&self, leased: Leased, asked: Instant) -> Result<(), RunError> {
        let Leased { lease, assignment } = leased;
        let assignment = self.open(&lease, &assignment)?;
        let unit = assignment.unit.clone();
        match (self.phase, &unit) {
            (Phase::Search, Unit::Retraining { .. }) => {
                self.test.store(true, Ordering::Relaxed);
                return Ok(self.release()?);
            }
            (Phase::Last, Unit::Trial(_) | Unit::Selection { .. }) => {
                return Err(RunError::Shared(SharedError::Damaged {
                    run: self.place.run.to_owned(),
                    what: unit.to_string(),
                    message: "it waits although the test examples have been opened".to_owned(),
                }));
            }
            _ => {}
        }
        let attempt = lease.attempt;
        self.tell(&WorkerEvent::Begun { unit, attempt });
        let stop = self.heart.hold(lease.clone(), asked);
        let completed = self.evaluate(&assignment, attempt, &stop)?;
        let handed_in = match completed {
            Some(completed) => self.hand_in(&lease, &completed).map(Some),
            None => Ok(None),
        };
        let parting = self.heart.let_go(self.worker);
        let unit = assignment.unit;
        let event = match (handed_in?, parting) {
            (Some(true), _) => WorkerEvent::Finished { unit },
            (Some(false), _) => WorkerEvent::Refused { unit },
            (None, Parting::Hung) => WorkerEvent::Hung { unit },
            (None, Parting::Lost) => WorkerEvent::Lost { unit },
            (None, Parting::Kept) => WorkerEvent::Released { unit },
        };
        if matches!(
            event,
            WorkerEvent::Lost { .. } | WorkerEvent::Released { .. }
        ) {
            // Nobody may have taken it yet although it counts as lost here.
            self.release()?;
        }
        self.tell(&event);
        Ok(())
    }

    fn open(&self, lease: &Lease, bytes: &[u8]) -> Result<Assignment, RunError> {
        let damaged = |message: String| {
            RunError::Shared(SharedError::Damaged {
                run: self.place.run.to_owned(),
                what: format!("the assignment of {}", lease.unit),
                message,
            })
        };
        let task: wire::Task = wire::from_bytes(bytes).map_err(damaged)?;
        if name_of(task.unit()) != lease.unit {
            return Err(damaged(format!("it is one of {}", task.unit())));
        }
        task.open(self.place.setup)
    }

    /// What came of a piece of work; nothing if it was stopped.
    fn evaluate(
        &self,
        assignment: &Assignment,
        attempt: i32,
        stop: &AtomicBool,
    ) -> Result<Option<Completed>, RunError> {
        let evaluator = match &assignment.unit {
            Unit::Selection { .. } => self.selection.ok_or_else(selects_nothing)?,
            Unit::Trial(_) | Unit::Retraining { .. } => self.evaluator,
        };
        let begun = Instant::now();
        let trial = &self.place.setup.experiment.trial;
        let limit = trial.deadline_seconds.map(Duration::from_secs_f64);
        let control = Control {
            stop,
            deadline: limit.map(|limit| begun + limit),
            memory_limit: trial.memory_limit_mb.map(|limit| limit << 20),
        };
        let mut observe = |_| self.heart.progress(self.worker);
        let (epochs, result) = carry_out(assignment, evaluator, &control, &mut observe);
        if let Err(Failure {
            kind: FailureKind::Stopped,
            ..
        }) = &result
        {
            return Ok(None);
        }
        let of = Attempt {
            unit: assignment.unit.clone(),
            attempt: u32::try_from(attempt - 1).unwrap_or_default(),
        };
        let seconds = begun.elapsed().as_secs_f64();
        Ok(Some(Completed::new(of, epochs, result, seconds)))
    }

    fn hand_in(&self, lease: &Lease, completed: &Completed) -> Result<bool, SharedError> {
        let bytes = wire::to_bytes(completed);
        let run = self.place.run;
        self.place
            .database()
            .ask(|session| session.queue(run).finish(lease, &bytes))
    }

    fn release(&self) -> Result<(), SharedError> {
        let run = self.place.run;
        self.place
            .database()
            .ask(|session| session.queue(run).release_all(self.worker))
    }

    fn tell(&self, event: &WorkerEvent) {
        (self.place.watch)(event);
    }
}
