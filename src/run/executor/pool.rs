//! The dispatcher's end of workers on this machine, whatever they are: a thread here sees to each, and takes
//! the next work when it is free. The dispatcher need not listen for that: it may be waiting for a disk.

use super::attempts::Attempts;
use super::queue::Queue;
use super::{Assignment, Executor, Limits, Message, Shift};
use crate::run::error::RunError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What a worker says; an error ends the run.
pub(super) type Outbox = Sender<Result<Message, RunError>>;

/// What one worker has besides the work that comes: its number, and where it says what it does. When the flag is set,
/// work that still runs is to stop.
pub(super) struct Desk<'a> {
    pub worker: usize,
    pub outbox: Outbox,
    pub halt: &'a AtomicBool,
}

/// Work that waits for whichever worker is free first.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: Queue,
    /// Whether there will be no more work, and what there is need not be done.
    over: bool,
}

impl Tasks {
    /// The next work, once there is any; nothing when all is over.
    pub fn next(&self) -> Option<Assignment> {
        let mut waiting = self.lock();
        loop {
            if waiting.over {
                return None;
            }
            if let Some(assignment) = waiting.queue.pop() {
                return Some(assignment);
            }
            let woken = self.changed.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn push(&self, assignment: Assignment) {
        self.lock().queue.push(assignment);
        self.changed.notify_one();
    }

    fn cancel(&self) -> usize {
        self.lock().queue.cancel()
    }

    fn end(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries out `shift` with as many workers as `limits` says, each a thread that runs `work`. When it returns, work that
/// still runs is told to stop, and is waited for.
pub(super) fn with_desks(
    limits: Limits,
    shift: &mut Shift<'_>,
    work: &(impl Fn(Desk<'_>, &Tasks) + Sync),
) -> Result<(), RunError> {
    let (halt, deserted) = (AtomicBool::new(false), AtomicBool::new(false));
    let (halt, deserted) = (&halt, &deserted);
    let tasks = &Tasks::default();
    thread::scope(|scope| {
        let (outbox, inbox) = mpsc::channel();
        for worker in 0..limits.workers {
            let outbox = outbox.clone();
            scope.spawn(move || {
                let _leaving = OnDrop(|| deserted.store(true, Ordering::Release));
                let desk = Desk {
                    worker,
                    outbox,
                    halt,
                };
                work(desk, tasks);
            });
        }
        // A panic in `shift` must not leave the scope waiting for workers that wait for work.
        let _halting = OnDrop(|| {
            halt.store(true, Ordering::Relaxed);
            tasks.end();
        });
        let mut pool = Pool {
            tasks,
            inbox,
            deserted,
        };
        shift(&mut Attempts::new(&mut pool, limits.retries))
    })
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

struct Pool<'a> {
    tasks: &'a Tasks,
    inbox: Receiver<Result<Message, RunError>>,
    /// Whether a worker is gone, which has said why before.
    deserted: &'a AtomicBool,
}

impl Executor for Pool<'_> {
    fn submit(&mut self, assignment: Assignment) -> Result<(), RunError> {
        self.tasks.push(assignment);
        Ok(())
    }

    fn cancel_pending(&mut self) -> Result<usize, RunError> {
        Ok(self.tasks.cancel())
    }

    fn next(&mut self, patience: Duration) -> Result<Option<Message>, RunError> {
        // Asked before: what a worker said when it went is in the inbox by now.
        let deserted = self.deserted.load(Ordering::Acquire);
        match self.inbox.recv_timeout(patience) {
            Ok(message) => message.map(Some),
            Err(_) if !deserted => Ok(None),
            Err(_) => panic!("a worker that goes before the dispatcher says why"),
        }
    }
}
