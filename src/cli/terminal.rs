//! Where words go: data to stdout, everything else to stderr.

use super::failure::Failure;
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, StderrLock, StdoutLock, Write};

/// The two streams, and what they are.
pub struct Terminal {
    out: BufWriter<StdoutLock<'static>>,
    /// Whether stderr is a terminal, so that bars can be drawn on it.
    pub draws: bool,
    /// Whether stderr takes colours.
    pub color: bool,
    quiet: bool,
}

impl Terminal {
    /// The streams of this process.
    pub fn open() -> Self {
        let draws = io::stderr().is_terminal();
        let color = draws && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            out: BufWriter::new(io::stdout().lock()),
            draws,
            color,
            quiet: false,
        }
    }

    /// Says nothing more on stderr but errors.
    pub fn be_quiet(&mut self) {
        self.quiet = true;
        self.draws = false;
    }

    /// Whether only errors are told.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Data: a piece of text to stdout, as it is.
    ///
    /// # Errors
    /// When stdout can't be written, as when its reader has gone.
    pub fn data(&mut self, text: &str) -> Result<(), Failure> {
        Ok(self.out.write_all(text.as_bytes())?)
    }

    /// Data: a line to stdout.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{}", text.trim_end())?)
    }

    /// Data: a value as JSON to stdout, over several lines.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        self.line(&text)
    }

    /// Data: a value as JSON to stdout, in one line.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn json_line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(io::Error::from)?;
        self.line(&text)
    }

    /// What happens, or what to do next: a line to stderr.
    pub fn say(&mut self, text: &str) {
        if !self.quiet {
            // On a terminal both streams meet, and should in this order. A stdout that can't be
            // written fails again, and is told, at the end.
            let _ = self.out.flush();
            say(text);
        }
    }

    /// Hands over what is still held back.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn finish(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}

/// A line to stderr. That nobody reads it is no reason to stop.
pub fn say(text: &str) {
    let mut err: StderrLock<'_> = io::stderr().lock();
    let _ = writeln!(err, "{}", text.trim_end());
}
