//! A worker process: it reads a run as `resume` does, and carries out the tasks that come through a
//! pipe until the pipe ends.

use super::error::RunError;
use super::evaluators::Evaluators;
use super::executor::{carry_out, thread_pool};
use super::folder::RunFolder;
use super::journal::FileJournal;
use super::lifecycle::{Elsewhere, load};
use super::pipe;
use super::record::Started;
use super::setup::{Setup, Texts};
use super::wire::{Attempt, Completed, Identity, Order, Report, Stage, Task, Terms};
use crate::evaluation::{Control, EpochRecord, Evaluator};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Works for the run in `folder`: reads orders from `input`, writes reports to `output`, and returns when
/// there are no more orders. If `input` ends in the middle of a task, `leave` is called, which is to end
/// the process: whoever gave the orders is gone, and nobody waits for the result.
///
/// # Errors
/// When the run can't be read, or its data is not there.
pub fn work(
    folder: &Path,
    place: &Elsewhere,
    input: impl Read + Send + 'static,
    output: impl Write + Send,
    leave: impl FnOnce() + Send + 'static,
) -> Result<(), RunError> {
    work_with(folder, input, output, leave, |started| load(started, place))
}

/// As [`work`], with evaluators of the caller's.
///
/// # Errors
/// As [`work`].
pub fn work_with(
    folder: &Path,
    input: impl Read + Send + 'static,
    mut output: impl Write + Send,
    leave: impl FnOnce() + Send + 'static,
    load: impl FnOnce(&Started) -> Result<Box<dyn Evaluators>, RunError>,
) -> Result<(), RunError> {
    die_with_parent();
    let folder = RunFolder::open(folder)?;
    let started = FileJournal::start_of(&folder.journal())?;
    let texts = Texts::kept(&folder, &started)?;
    let setup = Setup::compile(started.experiment.clone(), &texts)?;
    let mut evaluators = load(&started)?;
    let (data, split) = (evaluators.data_hash(), evaluators.split_hash());
    let identity = Identity::here(&texts.space_hash(), data, split);
    let greeted = output.write_all(pipe::GREETING);
    greeted
        .and_then(|()| pipe::write(&mut output, &identity))
        .map_err(unheard)?;
    let orders = listen(input, leave);
    let terms = match orders.recv() {
        Ok(Ok(Order::Begin(terms))) => terms,
        Ok(Err(error)) => return Err(unread(error)),
        _ => return Ok(()),
    };
    let threads = thread_pool(terms.threads)?;
    cap_memory(terms.memory_cap)?;
    let evaluator = match terms.stage {
        Stage::Search => evaluators.search(),
        Stage::Selection => evaluators.selection().ok_or_else(selects_nothing)?,
        Stage::Last => evaluators.open_test(),
    };
    for order in orders {
        if let Order::Work(task) = order.map_err(unread)? {
            let bench = Workbench {
                setup: &setup,
                evaluator: evaluator.as_ref(),
                terms: &terms,
            };
            let done = threads.install(|| bench.carry_out(*task, &mut output))?;
            pipe::write(&mut output, &Report::Done(Box::new(done))).map_err(unheard)?;
        }
    }
    Ok(())
}

/// What a task is carried out with.
struct Workbench<'a> {
    setup: &'a Setup,
    evaluator: &'a dyn Evaluator,
    terms: &'a Terms,
}

impl Workbench<'_> {
    fn carry_out(&self, task: Task, output: &mut impl Write) -> Result<Completed, RunError> {
        let begun = Instant::now();
        let assignment = task.open(self.setup)?;
        let of = Attempt {
            unit: assignment.unit.clone(),
            attempt: assignment.attempt,
        };
        pipe::write(output, &Report::Started(of.clone())).map_err(unheard)?;
        let limit = self.terms.deadline.map(Duration::from_secs_f64);
        let control = Control {
            stop: &AtomicBool::new(false),
            deadline: limit.map(|limit| begun + limit),
            memory_limit: self.terms.memory_limit,
        };
        let mut observe = |record: EpochRecord| {
            // Whoever does not listen any more misses nothing: the result holds every epoch.
            let _ = pipe::write(output, &Report::Epoch(of.clone(), record));
        };
        let (epochs, result) = carry_out(&assignment, self.evaluator, &control, &mut observe);
        let seconds = begun.elapsed().as_secs_f64();
        Ok(Completed::new(of, epochs, result, seconds))
    }
}

/// Reads orders on a thread of its own, so that the end of the pipe is noticed in the middle of a task. What is
/// no order is the last thing that is read: whoever sent it is there to hear why.
fn listen(
    mut input: impl Read + Send + 'static,
    leave: impl FnOnce() + Send + 'static,
) -> Receiver<io::Result<Order>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        loop {
            let said = match pipe::read(&mut input) {
                Ok(Some(order)) => Ok(order),
                Err(error) if error.kind() == ErrorKind::InvalidData => Err(error),
                _ => break,
            };
            let over = said.is_err();
            if sender.send(said).is_err() || over {
                return;
            }
        }
        drop(sender);
        leave();
    });
    receiver
}

/// The fault of a run whose evaluators train no network to find a number of epochs.
pub(super) fn selects_nothing() -> RunError {
    RunError::Setting {
        key: "evaluator".to_owned(),
        message: "it has no selection trainings, and was asked for one".to_owned(),
    }
}

fn unread(error: io::Error) -> RunError {
    RunError::file("read", Path::new("the pipe from the run"))(error)
}

fn unheard(error: io::Error) -> RunError {
    RunError::file("write", Path::new("the pipe to the run"))(error)
}

/// Asks the system to kill this process when the one that started it dies, where it can.
fn die_with_parent() {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::{prctl, signal::Signal};
        // Without it the end of the pipe says the same, a moment later.
        let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    }
}

/// Limits the memory of this process to what it has now and `cap` bytes more.
#[cfg(unix)]
fn cap_memory(cap: Option<u64>) -> Result<(), RunError> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Some(cap) = cap else {
        return Ok(());
    };
    let limit = data_bytes().saturating_add(cap);
    let set = getrlimit(Resource::RLIMIT_DATA)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_DATA, limit.min(hard), hard));
    set.map_err(|error| RunError::Setting {
        key: "trial.memory_cap_mb".to_owned(),
        message: format!("the system refuses a limit of {limit} bytes: {error}"),
    })
}

#[cfg(not(unix))]
fn cap_memory(cap: Option<u64>) -> Result<(), RunError> {
    match cap {
        None => Ok(()),
        Some(_) => Err(RunError::Setting {
            key: "trial.memory_cap_mb".to_owned(),
            message: "this system has no way to cap a process's memory; leave it out".to_owned(),
        }),
    }
}

/// The bytes that this process may write to and that are its own, as the limit counts them.
#[cfg(unix)]
fn data_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    let number = line.and_then(|rest| rest.trim().strip_suffix("kB"));
    let kilobytes = number.and_then(|number| number.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) << 10
}
