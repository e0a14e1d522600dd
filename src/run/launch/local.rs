//! Workers that are processes of this machine.

use super::{Census, LaunchError, Launcher};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long workers may take to end before they are killed.
const GRACE: Duration = Duration::from_secs(30);

/// Processes of this machine.
#[derive(Debug)]
pub struct Local {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    workers: Vec<Child>,
}

impl Local {
    /// Workers that are started as `program` with `arguments`, with `environment` added.
    pub fn new(
        program: PathBuf,
        arguments: Vec<OsString>,
        environment: Vec<(String, String)>,
    ) -> Self {
        Self {
            program,
            arguments,
            environment,
            workers: Vec::new(),
        }
    }

    fn failed(&self) -> impl FnOnce(std::io::Error) -> LaunchError {
        let program = self.program.display().to_string();
        move |error| LaunchError::Program {
            program,
            message: error.to_string(),
        }
    }

    fn forget_the_dead(&mut self) {
        self.workers
            .retain_mut(|worker| matches!(worker.try_wait(), Ok(None)));
    }
}

impl Launcher for Local {
    fn start(&mut self, count: usize) -> Result<String, LaunchError> {
        let mut names = Vec::new();
        for _ in 0..count {
            let mut command = Command::new(&self.program);
            command.args(&self.arguments).stdin(Stdio::null());
            command.envs(self.environment.iter().map(|(name, value)| (name, value)));
            let worker = command.spawn().map_err(self.failed())?;
            names.push(worker.id().to_string());
            self.workers.push(worker);
        }
        Ok(format!("process {}", names.join(", ")))
    }

    fn census(&mut self) -> Result<Census, LaunchError> {
        self.forget_the_dead();
        Ok(Census {
            alive: self.workers.len(),
            held: Vec::new(),
        })
    }

    fn cancel(&mut self, _: &[String]) -> Result<(), LaunchError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), LaunchError> {
        self.workers.iter().for_each(terminate);
        let begun = Instant::now();
        while !self.workers.is_empty() && begun.elapsed() < GRACE {
            thread::sleep(Duration::from_millis(20));
            self.forget_the_dead();
        }
        for worker in &mut self.workers {
            // It may have ended between the two.
            let _ = worker.kill();
            let _ = worker.wait();
        }
        self.workers.clear();
        Ok(())
    }

    fn advice(&self) -> String {
        "what they say stands above".to_owned()
    }
}

#[cfg(unix)]
fn terminate(worker: &Child) {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    if let Ok(process) = i32::try_from(worker.id()) {
        // It may have ended already.
        let _ = kill(Pid::from_raw(process), Signal::SIGTERM);
    }
}

#[cfg(not(unix))]
fn terminate(_: &Child) {}
