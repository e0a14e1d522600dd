//! Exit codes: the part of the command line that scripts build on.

use std::fmt::Write;
use std::process::ExitCode;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for was done.
    Success,
    /// Something failed that no other code names.
    Failure,
    /// The command line, a space, an experiment, a network or data is wrong.
    Input,
    /// A run stopped itself: too many trials failed in a row.
    Stopped,
    /// A trial that was run again gave another result.
    Mismatch,
    /// A run folder is damaged, of a newer format, or in use.
    Folder,
    /// Interrupted; a run that was interrupted can be resumed.
    Interrupted,
}

impl Exit {
    /// Every exit code, in order.
    pub const ALL: [Self; 7] = [
        Self::Success,
        Self::Failure,
        Self::Input,
        Self::Stopped,
        Self::Mismatch,
        Self::Folder,
        Self::Interrupted,
    ];

    /// The number the system sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Input => 2,
            Self::Stopped => 3,
            Self::Mismatch => 4,
            Self::Folder => 5,
            Self::Interrupted => 130,
        }
    }

    /// When it is given, in a line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Success => "done; also when the reader of stdout went away",
            Self::Failure => "failed for a reason that no other code names, such as a full disk",
            Self::Input => "bad input: the command line, a space, an experiment, a network or data",
            Self::Stopped => "the run stopped: too many trials failed in a row",
            Self::Mismatch => {
                "verification found a trial whose metrics differ, a comparison is not as expected, or a retest not as recorded"
            }
            Self::Folder => "the run folder is damaged, in use, or written by a newer strata",
            Self::Interrupted => "interrupted; a run that was interrupted can be resumed",
        }
    }

    /// The table of all codes.
    pub fn table() -> String {
        let mut out = String::from("Exit codes:\n");
        for exit in Self::ALL {
            let _ = writeln!(out, "{:>5}  {}", exit.code(), exit.meaning());
        }
        out
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_in_order() {
        let codes = Exit::ALL.map(Exit::code);
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
