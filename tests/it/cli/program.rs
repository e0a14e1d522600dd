//! Running the binary.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// How a run of the program ended.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// stdout as one JSON value.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// The program, in a folder.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs the program in the crate's folder.
pub fn strata<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ended {
    strata_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments)
}

/// Runs the program in a folder.
pub fn strata_in<A: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = A>) -> Ended {
    Ended::of(&command(folder).args(arguments).output().unwrap())
}

/// Runs the program with a text on its stdin.
pub fn with_stdin<A: AsRef<OsStr>>(text: &[u8], arguments: impl IntoIterator<Item = A>) -> Ended {
    let mut command = command(Path::new(env!("CARGO_MANIFEST_DIR")));
    let piped = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = piped.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    Ended::of(&child.wait_with_output().unwrap())
}

/// Runs the program with a stdout that nobody reads.
#[cfg(unix)]
pub fn with_closed_stdout<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ended {
    let mut command = command(Path::new(env!("CARGO_MANIFEST_DIR")));
    let piped = command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    drop(child.stdout.take());
    Ended::of(&child.wait_with_output().unwrap())
}
