//! The dispatcher's end of workers on this machine, whatever they are: a thread here sees to each.

use super::attempts::Attempts;
use super::queue::Queue;
use super::{Assignment, Executor, Limits, Message, Shift};
use crate::run::error::RunError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
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

/// Carries out `shift` with as many workers as `limits` says, each a thread that runs `work`. When it returns, work that
/// still runs is told to stop, and is waited for.
pub(super) fn with_desks(
    limits: Limits,
    shift: &mut Shift<'_>,
    work: &(impl Fn(Desk<'_>, &Receiver<Assignment>) + Sync),
) -> Result<(), RunError> {
    let halt = AtomicBool::new(false);
    let halt = &halt;
    thread::scope(|scope| {
        let (outbox, inbox) = mpsc::channel();
        let mut desks = Vec::new();
        for worker in 0..limits.workers {
            let (desk, tasks) = mpsc::channel();
            let outbox = outbox.clone();
            scope.spawn(move || {
                let desk = Desk {
                    worker,
                    outbox,
                    halt,
                };
                work(desk, &tasks);
            });
            desks.push(desk);
        }
        let mut pool = Pool {
            desks,
            queue: Queue::new(limits.workers),
            inbox,
            deserted: false,
        };
        // A panic in `shift` must not leave the scope waiting for workers that wait for work.
        let _halting = HaltOnDrop(halt);
        shift(&mut Attempts::new(&mut pool, limits.retries))
    })
}

struct HaltOnDrop<'a>(&'a AtomicBool);

impl Drop for HaltOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Pool {
    desks: Vec<Sender<Assignment>>,
    queue: Queue,
    inbox: Receiver<Result<Message, RunError>>,
    /// Whether a worker is gone, which has said why before.
    deserted: bool,
}

impl Executor for Pool {
    fn submit(&mut self, assignment: Assignment) -> Result<(), RunError> {
        self.queue.push(assignment);
        self.hand_out();
        Ok(())
    }

    fn cancel_pending(&mut self) -> Result<usize, RunError> {
        Ok(self.queue.cancel())
    }

    fn next(&mut self, patience: Duration) -> Result<Option<Message>, RunError> {
        let message = match self.inbox.recv_timeout(patience) {
            Ok(message) => message?,
            Err(RecvTimeoutError::Timeout) if !self.deserted => return Ok(None),
            Err(_) => panic!("a worker that goes before the dispatcher says why"),
        };
        if let Message::Done(done) = &message {
            self.queue.release(done.worker);
            self.hand_out();
        }
        Ok(Some(message))
    }
}

impl Pool {
    fn hand_out(&mut self) {
        while let Some((worker, assignment)) = self.queue.pair() {
            self.deserted |= self.desks[worker].send(assignment).is_err();
        }
    }
}
