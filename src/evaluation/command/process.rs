//! A program that is written to, read from, and killed with its children.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// How often a program that runs is looked at.
const PATIENCE: Duration = Duration::from_millis(5);

/// How long the rest of the output is waited for once a program has ended: a child that it left behind may hold
/// the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The most of the standard output that is kept: its end.
const MOST_OUTPUT: usize = 1 << 20;

/// The most of the standard error that is kept: its end.
const MOST_COMPLAINTS: usize = 2000;

/// A program that runs, in a process group of its own.
pub(super) struct Program {
    child: Child,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
}

/// How a program ended.
pub(super) struct Ended {
    /// Nothing if it was killed for taking too long.
    pub status: Option<ExitStatus>,
    pub stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Ended {
    /// The end of its standard error, to be added to a message.
    pub fn last_words(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let text = text.trim();
        if text.is_empty() {
            return String::new();
        }
        format!("; its standard error ended with: {text}")
    }
}

impl Program {
    /// Starts a program in `folder` and writes `input` to it. A program named by a path with a folder is
    /// looked for from there.
    pub fn start(argv: &[String], folder: &Path, input: &[u8]) -> io::Result<Self> {
        let (name, arguments) = argv.split_first().expect("settings were checked");
        let mut command = Command::new(named(name, folder));
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !folder.as_os_str().is_empty() {
            command.current_dir(folder);
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let (mut stdin, input) = (child.stdin.take(), input.to_vec());
        thread::spawn(move || {
            // A program that does not read what it is told is none the worse for it.
            let _ = stdin.take().map(|mut stdin| stdin.write_all(&input));
        });
        let stdout = end_of(child.stdout.take(), MOST_OUTPUT);
        let stderr = end_of(child.stderr.take(), MOST_COMPLAINTS);
        Ok(Self {
            child,
            stdout,
            stderr,
        })
    }

    /// Waits for its end, asking `is_over` meanwhile whether its time is over.
    ///
    /// # Errors
    /// What `is_over` says, after the program was killed.
    pub fn wait<E>(mut self, mut is_over: impl FnMut() -> Result<bool, E>) -> Result<Ended, E> {
        let status = loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                break Some(status);
            }
            match is_over() {
                Ok(false) => thread::sleep(PATIENCE),
                Ok(true) => {
                    self.kill();
                    break None;
                }
                Err(error) => {
                    self.kill();
                    return Err(error);
                }
            }
        };
        // What it left running would go on using the cores of later trials.
        self.kill_group();
        Ok(Ended {
            status,
            stdout: self.stdout.recv_timeout(LAST_WORDS).unwrap_or_default(),
            stderr: self.stderr.recv_timeout(LAST_WORDS).unwrap_or_default(),
        })
    }

    fn kill(&mut self) {
        self.kill_group();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    #[cfg(unix)]
    fn kill_group(&self) {
        use nix::sys::signal::{Signal, killpg};
        let group = i32::try_from(self.child.id()).map(nix::unistd::Pid::from_raw);
        if let Ok(group) = group {
            let _ = killpg(group, Signal::SIGKILL);
        }
    }

    #[cfg(not(unix))]
    fn kill_group(&self) {}
}

/// A panic or an interruption on the way leaves nothing running.
impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

/// `scripts/train.sh` is a file beside the experiment, `python3` a program of the system's.
fn named(name: &str, folder: &Path) -> std::path::PathBuf {
    let path = Path::new(name);
    let beside = path.is_relative() && path.components().count() > 1;
    if beside {
        let path = folder.join(path);
        return std::path::absolute(&path).unwrap_or(path);
    }
    path.to_owned()
}

/// Reads a pipe to its end on a thread of its own, and sends its last `most` bytes.
fn end_of(pipe: Option<impl Read + Send + 'static>, most: usize) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut kept, mut chunk) = (Vec::new(), [0; 8192]);
        let mut pipe = pipe;
        while let Some(read) = pipe.as_mut().and_then(|pipe| pipe.read(&mut chunk).ok()) {
            if read == 0 {
                break;
            }
            kept.extend_from_slice(&chunk[..read]);
            if kept.len() > 2 * most {
                kept.drain(..kept.len() - most);
            }
        }
        kept.drain(..kept.len().saturating_sub(most));
        let _ = sender.send(kept);
    });
    receiver
}
