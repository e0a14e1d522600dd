//! Starting workers, and keeping as many as were asked for.
//!
//! A [`Launcher`] starts processes somewhere and says how many there are. [`keep`] compares that with what
//! is wanted, again and again: what ended is replaced, what can't run any more is cancelled. It decides
//! nothing about a run: workers come and go without changing its result.

mod local;
mod slurm;

pub use local::Local;
pub use slurm::{Slurm, SlurmOptions};

use super::shared::SharedError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Why workers can't be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A program can't be run.
    #[error("failed to run {program}: {message}")]
    Program {
        /// The program.
        program: String,
        /// Why, in its own words where it has any.
        message: String,
    },
    /// Workers end as soon as they begin.
    #[error("{workers} workers in a row ended as soon as they began; {advice}")]
    Fruitless {
        /// How many.
        workers: usize,
        /// Where to look.
        advice: String,
    },
    /// The run can't be looked at.
    #[error(transparent)]
    Shared(#[from] SharedError),
}

/// How many workers there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Those that run, and those that will without anybody's help.
    pub alive: usize,
    /// Those that wait for somebody to free them.
    pub held: Vec<String>,
}

/// A way of starting workers.
pub trait Launcher {
    /// Starts workers, and returns what they are called.
    ///
    /// # Errors
    /// When that fails.
    fn start(&mut self, count: usize) -> Result<String, LaunchError>;

    /// Counts the workers it has started.
    ///
    /// # Errors
    /// When that can't be found out.
    fn census(&mut self) -> Result<Census, LaunchError>;

    /// Ends workers that are held.
    ///
    /// # Errors
    /// When that fails.
    fn cancel(&mut self, held: &[String]) -> Result<(), LaunchError>;

    /// Tells all workers to end. They give their leases back.
    ///
    /// # Errors
    /// When that fails.
    fn end(&mut self) -> Result<(), LaunchError>;

    /// Where to look when workers end at once.
    fn advice(&self) -> String;
}

/// What happens to the workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaunchEvent {
    /// Workers were started.
    Started {
        /// How many.
        count: usize,
        /// What they are called.
        name: String,
    },
    /// Workers that could not begin were cancelled.
    Cancelled(Vec<String>),
    /// The launcher can't be asked at the moment.
    Unclear(String),
    /// All is over.
    Ended,
}

/// How workers are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keeping<'a> {
    /// How many are wanted.
    pub workers: usize,
    /// How often they are counted.
    pub period: Duration,
    /// Set to end them.
    pub stop: &'a AtomicBool,
}

/// How long workers may take to see that their run is over.
const FAREWELL: Duration = Duration::from_secs(5);

/// Rounds of replacements without a worker that lived for a while, before it is given up.
const FRUITLESS_ROUNDS: u32 = 5;

/// Keeps as many workers as are wanted until `is_over`, or until told to stop.
///
/// # Errors
/// When workers can't be started, or end as soon as they begin.
pub fn keep(
    launcher: &mut dyn Launcher,
    keeping: Keeping<'_>,
    is_over: &mut dyn FnMut() -> Result<bool, SharedError>,
    watch: &mut dyn FnMut(&LaunchEvent),
) -> Result<(), LaunchError> {
    let mut replacing = Replacing::default();
    while !keeping.stop.load(Ordering::Relaxed) {
        if is_over()? {
            return drain(launcher, keeping, watch);
        }
        match launcher.census() {
            Ok(census) => replacing.round(launcher, keeping, &census, watch)?,
            // A scheduler that restarts is away for a while.
            Err(error) => watch(&LaunchEvent::Unclear(error.to_string())),
        }
        pause(keeping);
    }
    launcher.end()?;
    watch(&LaunchEvent::Ended);
    Ok(())
}

/// Lets workers find out by themselves that the run is over, and ends those that have not begun.
fn drain(
    launcher: &mut dyn Launcher,
    keeping: Keeping<'_>,
    watch: &mut dyn FnMut(&LaunchEvent),
) -> Result<(), LaunchError> {
    let begun = Instant::now();
    let period = keeping.period.min(Duration::from_millis(200));
    while begun.elapsed() < FAREWELL && launcher.census().is_ok_and(|census| census.alive > 0) {
        pause(Keeping { period, ..keeping });
    }
    launcher.end()?;
    watch(&LaunchEvent::Ended);
    Ok(())
}

/// What is known of replacements so far.
#[derive(Default)]
struct Replacing {
    last: Option<Instant>,
    fruitless: u32,
    started: usize,
}

impl Replacing {
    fn round(
        &mut self,
        launcher: &mut dyn Launcher,
        keeping: Keeping<'_>,
        census: &Census,
        watch: &mut dyn FnMut(&LaunchEvent),
    ) -> Result<(), LaunchError> {
        if !census.held.is_empty() {
            launcher.cancel(&census.held)?;
            watch(&LaunchEvent::Cancelled(census.held.clone()));
        }
        let missing = keeping.workers.saturating_sub(census.alive);
        if missing == 0 {
            return Ok(());
        }
        let soon = 3 * keeping.period;
        let at_once = self.last.is_some_and(|last| last.elapsed() <= soon) && census.alive == 0;
        self.fruitless = if at_once { self.fruitless + 1 } else { 0 };
        self.started = if at_once { self.started } else { 0 } + missing;
        if self.fruitless >= FRUITLESS_ROUNDS {
            return Err(LaunchError::Fruitless {
                workers: self.started - missing,
                advice: launcher.advice(),
            });
        }
        let name = launcher.start(missing)?;
        self.last = Some(Instant::now());
        watch(&LaunchEvent::Started {
            count: missing,
            name,
        });
        Ok(())
    }
}

/// Waits for a period, or until told to stop.
fn pause(keeping: Keeping<'_>) {
    let begun = Instant::now();
    while begun.elapsed() < keeping.period && !keeping.stop.load(Ordering::Relaxed) {
        let left = keeping.period.saturating_sub(begun.elapsed());
        thread::sleep(left.min(Duration::from_millis(50)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// A launcher whose workers are as many as a script says.
    struct Scripted {
        census: VecDeque<Census>,
        started: Vec<usize>,
        cancelled: Vec<String>,
        ended: bool,
    }

    impl Launcher for Scripted {
        fn start(&mut self, count: usize) -> Result<String, LaunchError> {
            self.started.push(count);
            Ok("scripted".to_owned())
        }

        fn census(&mut self) -> Result<Census, LaunchError> {
            let program = "squeue".to_owned();
            let message = "away".to_owned();
            self.census
                .pop_front()
                .ok_or(LaunchError::Program { program, message })
        }

        fn cancel(&mut self, held: &[String]) -> Result<(), LaunchError> {
            self.cancelled.extend_from_slice(held);
            Ok(())
        }

        fn end(&mut self) -> Result<(), LaunchError> {
            self.ended = true;
            Ok(())
        }

        fn advice(&self) -> String {
            "look there".to_owned()
        }
    }

    fn alive(alive: usize) -> Census {
        Census {
            alive,
            held: Vec::new(),
        }
    }

    /// Keeps four workers for as many rounds as the script has, and one more.
    fn kept(census: Vec<Census>) -> (Scripted, Result<(), LaunchError>) {
        let mut rounds = census.len() + 1;
        let mut launcher = Scripted {
            census: census.into(),
            started: Vec::new(),
            cancelled: Vec::new(),
            ended: false,
        };
        let keeping = Keeping {
            workers: 4,
            period: Duration::from_millis(1),
            stop: &AtomicBool::new(false),
        };
        let mut is_over = || {
            let over = rounds == 0;
            rounds = rounds.saturating_sub(1);
            Ok(over)
        };
        let result = keep(&mut launcher, keeping, &mut is_over, &mut |_| ());
        (launcher, result)
    }

    #[test]
    fn what_is_missing_is_started_and_no_more() {
        let (launcher, result) = kept(vec![alive(0), alive(4), alive(3), alive(4), alive(5)]);
        assert!(result.is_ok());
        assert_eq!(launcher.started, [4, 1]);
        assert!(launcher.ended);
    }

    #[test]
    fn what_is_held_is_cancelled_and_replaced() {
        let held = Census {
            alive: 3,
            held: vec!["7_2".to_owned()],
        };
        let (launcher, _) = kept(vec![held]);
        assert_eq!(
            (launcher.cancelled, launcher.started),
            (vec!["7_2".to_owned()], vec![1])
        );
    }

    #[test]
    fn a_scheduler_that_is_away_is_asked_again() {
        let (launcher, result) = kept(vec![]);
        assert!(result.is_ok() && launcher.started.is_empty());
    }

    #[test]
    fn workers_are_told_to_end() {
        let mut launcher = kept(vec![]).0;
        let keeping = Keeping {
            workers: 4,
            period: Duration::from_millis(1),
            stop: &AtomicBool::new(true),
        };
        keep(&mut launcher, keeping, &mut || Ok(false), &mut |_| ()).unwrap();
        assert!(launcher.ended);
    }
}
