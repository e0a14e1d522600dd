//! A worker process as its attendant sees it.

use super::WorkerProgram;
use crate::evaluation::{Failure, FailureKind};
use crate::run::pipe::{self, GREETING};
use crate::run::wire::{Identity, Order, Report};
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How long the end of a process and of its standard error are waited for once its output has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The most of its standard error that is kept: the end.
const MOST_COMPLAINTS: usize = 2000;

/// How Rust says that memory ran out, before it aborts.
const OUT_OF_MEMORY: &str = "memory allocation of";

/// A worker process. It is killed when this is dropped.
pub(super) struct Child {
    process: std::process::Child,
    stdin: ChildStdin,
    inbox: Receiver<Said>,
    stderr: Receiver<Vec<u8>>,
}

/// What comes out of a worker's standard output.
enum Said {
    Greeting(Identity),
    Report(Report),
    /// No message: why not.
    Noise(String),
}

/// What was heard of a worker in a while.
pub(super) enum Heard {
    Nothing,
    Report(Report),
    /// Something that is no report, in words: it is not to be trusted any more.
    Noise(String),
    /// It will never say anything again.
    End,
}

impl Child {
    /// Starts a process for the run in `folder`, out of reach of the terminal's Ctrl-C: the run tells it
    /// when to end.
    ///
    /// # Errors
    /// When the system does not start it.
    pub fn start(program: &WorkerProgram, folder: &Path) -> io::Result<Self> {
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn()?;
        let stdin = process.stdin.take().expect("it is piped");
        let stdout = process.stdout.take().expect("it is piped");
        let stderr = process.stderr.take().expect("it is piped");
        Ok(Self {
            process,
            stdin,
            inbox: listen(stdout),
            stderr: end_of(stderr),
        })
    }

    /// Tells it something.
    ///
    /// # Errors
    /// When it does not listen any more.
    pub fn say(&mut self, order: &Order) -> io::Result<()> {
        pipe::write(&mut self.stdin, order)
    }

    /// What it is, if it says so in a while.
    pub fn greeting(&mut self, patience: Duration) -> Option<Result<Identity, String>> {
        match self.inbox.recv_timeout(patience) {
            Ok(Said::Greeting(identity)) => Some(Ok(identity)),
            Ok(_) => Some(Err("it does not speak as a worker does".to_owned())),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                let (ended, words) = self.last_words();
                let ended = ended.map_or_else(String::new, |status| format!(" ({status})"));
                Some(Err(format!("it ended before it was ready{ended}{words}")))
            }
        }
    }

    /// What it says next, if it says anything in a while.
    pub fn hear(&mut self, patience: Duration) -> Heard {
        match self.inbox.recv_timeout(patience) {
            Ok(Said::Report(report)) => Heard::Report(report),
            Ok(Said::Greeting(_)) => Heard::Noise("a second greeting".to_owned()),
            Ok(Said::Noise(what)) => Heard::Noise(what),
            Err(RecvTimeoutError::Disconnected) => Heard::End,
            Err(RecvTimeoutError::Timeout) => Heard::Nothing,
        }
    }

    /// What its end means for the task that it was at.
    pub fn autopsy(mut self) -> Failure {
        let (status, words) = self.last_words();
        let Some(status) = status else {
            return Failure::new(FailureKind::Lost, format!("its worker fell silent{words}"));
        };
        if words.contains(OUT_OF_MEMORY) {
            let message = format!("its worker process ran into its memory cap{words}");
            return Failure::new(FailureKind::OutOfMemory, message);
        }
        let kind = if is_abort(status) {
            FailureKind::Aborted
        } else {
            FailureKind::Lost
        };
        Failure::new(kind, format!("its worker process ended: {status}{words}"))
    }

    /// How it ended, if it did by itself, and the end of its standard error.
    fn last_words(&mut self) -> (Option<ExitStatus>, String) {
        let status = self.wait_a_while();
        self.kill();
        let said = self.stderr.recv_timeout(LAST_WORDS).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let words = match said.trim() {
            "" => String::new(),
            said => format!("; its standard error ended with: {said}"),
        };
        (status, words)
    }

    fn wait_a_while(&mut self) -> Option<ExitStatus> {
        let pause = Duration::from_millis(5);
        for _ in 0..LAST_WORDS.as_millis() / pause.as_millis() {
            match self.process.try_wait() {
                Ok(None) => thread::sleep(pause),
                ended => return ended.ok().flatten(),
            }
        }
        None
    }

    fn kill(&mut self) {
        // It is a process group of its own, and so is everything that it started.
        #[cfg(unix)]
        if let Ok(group) = i32::try_from(self.process.id()) {
            use nix::sys::signal::{Signal, killpg};
            let _ = killpg(nix::unistd::Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a process was ended by a signal that is its own doing.
#[cfg(unix)]
fn is_abort(status: ExitStatus) -> bool {
    use nix::sys::signal::Signal;
    use std::os::unix::process::ExitStatusExt;
    let outside = [
        Signal::SIGKILL,
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
    ];
    let signal = status.signal();
    signal.is_some_and(|signal| outside.iter().all(|&known| known as i32 != signal))
}

#[cfg(not(unix))]
fn is_abort(_status: ExitStatus) -> bool {
    false
}

/// Reads a worker's standard output on a thread of its own. What comes before the greeting, such as
/// the words of a wrapper, is passed over.
fn listen(stdout: impl Read + Send + 'static) -> Receiver<Said> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        let greeted = pipe::skip_to(&mut stdout, GREETING).and_then(|()| pipe::read(&mut stdout));
        match greeted {
            Ok(Some(identity)) => {
                let _ = sender.send(Said::Greeting(identity));
            }
            _ => return,
        }
        loop {
            let said = match pipe::read(&mut stdout) {
                Ok(Some(report)) => Said::Report(report),
                Ok(None) => return,
                Err(error) => Said::Noise(error.to_string()),
            };
            let over = matches!(said, Said::Noise(_));
            if sender.send(said).is_err() || over {
                return;
            }
        }
    });
    receiver
}

/// Reads a pipe to its end on a thread of its own, and sends its last bytes.
fn end_of(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut kept, mut chunk) = (Vec::new(), [0; 4096]);
        while let Ok(read @ 1..) = pipe.read(&mut chunk) {
            kept.extend_from_slice(&chunk[..read]);
            let spare = kept.len().saturating_sub(MOST_COMPLAINTS);
            kept.drain(..spare);
        }
        let _ = sender.send(kept);
    });
    receiver
}
