//! Why a verb did not do what was asked, and how that is told.

use super::Exit;
use crate::data::DataError;
use crate::diagnostics::{self, Diagnostic, SourceFile};
use crate::run::RunError;
use std::io;

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Bad input, in words.
    #[error("{0}")]
    Input(String),
    /// Texts with errors, each with all of them.
    #[error("{}", summary(.0))]
    Texts(Vec<(SourceFile, Vec<Diagnostic>)>),
    /// Data that can't be used.
    #[error("failed to load the data: {0}")]
    Data(#[from] DataError),
    /// A run that can't be started, continued or read.
    #[error(transparent)]
    Run(RunError),
    /// Results that differ where they must not.
    #[error("{0}")]
    Mismatch(String),
    /// Interrupted; the message says what is left to do.
    #[error("{0}")]
    Interrupted(String),
    /// Writing to stdout failed.
    #[error("failed to write to stdout: {0}")]
    Output(#[from] io::Error),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Text { file, diagnostics } => Self::Texts(vec![(file, diagnostics)]),
            error => Self::Run(error),
        }
    }
}

impl Failure {
    /// The exit code that tells of it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Input(_) | Self::Texts(_) | Self::Data(_) => Exit::Input,
            Self::Run(error) => exit_of(error),
            Self::Mismatch(_) => Exit::Mismatch,
            Self::Interrupted(_) => Exit::Interrupted,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
            Self::Output(_) | Self::Other(_) => Exit::Failure,
        }
    }

    /// What stderr says about it; empty where there is nothing to say.
    pub fn render(&self, color: bool) -> String {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => String::new(),
            Self::Texts(texts) => {
                let each = |(file, diagnostics): &(SourceFile, Vec<Diagnostic>)| {
                    diagnostics::render(file, diagnostics, color)
                };
                let blocks: Vec<String> = texts.iter().map(each).collect();
                format!("{}\n\n{}: {self}", blocks.join("\n\n"), error_word(color))
            }
            Self::Interrupted(message) => message.clone(),
            _ => format!("{}: {self}", error_word(color)),
        }
    }
}

fn exit_of(error: &RunError) -> Exit {
    match error {
        RunError::ConsecutiveFailures { .. } => Exit::Stopped,
        RunError::Locked(_)
        | RunError::Damaged { .. }
        | RunError::NewerFormat { .. }
        | RunError::Diverging { .. }
        | RunError::OtherTraining { .. } => Exit::Folder,
        RunError::File { source, .. } if !is_about_input(source.kind()) => Exit::Failure,
        _ => Exit::Input,
    }
}

/// Whether the user named the wrong file, rather than the system failing.
fn is_about_input(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidData, IsADirectory, NotADirectory, NotFound};
    matches!(kind, NotFound | InvalidData | IsADirectory | NotADirectory)
}

fn summary(texts: &[(SourceFile, Vec<Diagnostic>)]) -> String {
    let errors: usize = texts.iter().map(|(_, diagnostics)| diagnostics.len()).sum();
    let files: Vec<&str> = texts.iter().map(|(file, _)| file.name()).collect();
    let plural = if errors == 1 { "" } else { "s" };
    format!("{errors} problem{plural} in {}", files.join(", "))
}

fn error_word(color: bool) -> &'static str {
    if color {
        "\x1b[1;31merror\x1b[0m"
    } else {
        "error"
    }
}
