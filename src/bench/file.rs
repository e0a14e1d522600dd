//! The file that a comparison is read from.

use crate::diagnostics::{Diagnostic, SourceFile, Span};
use crate::evaluation::{TableError, TableSettings};
use crate::language;
use crate::random::Seed;
use crate::search::SearchSettings;
use crate::space::SearchSpace;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A comparison of controllers on a table. Read from TOML; a key it does not know is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchFile {
    /// What it is called.
    pub name: String,
    /// The file of the search space, relative to this file.
    pub space: PathBuf,
    /// The root of every random stream.
    #[serde(default)]
    pub seed: Seed,
    /// How many runs each controller makes.
    #[serde(default = "seeds")]
    pub seeds: u64,
    /// The table; its file is relative to this one.
    pub table: TableSettings,
    /// A column that is equal in rows about the same network, which counts as tried when one of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same: Option<String>,
    /// When a run ends.
    pub budget: BenchBudget,
    /// A final score, to ask after how many trials the best so far has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// What is compared.
    pub controller: Vec<Entry>,
}

fn seeds() -> u64 {
    100
}

/// When a run ends: with the first of these, or when nothing is left. At least one is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BenchBudget {
    /// After this many trials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials: Option<u64>,
    /// After this many simulated seconds; the trial that reaches beyond is the last, and counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// One controller of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is called here.
    pub name: String,
    /// As `[search]` in an experiment.
    pub search: SearchSettings,
}

/// Why a comparison can't be made.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A text has errors; render the diagnostics against it.
    #[error("{} has errors", file.name())]
    Text {
        /// The text.
        file: SourceFile,
        /// What is wrong with it.
        diagnostics: Vec<Diagnostic>,
    },
    /// The table is unfit.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A setting makes no sense, or space and table don't fit.
    #[error("{0}")]
    Setting(String),
}

impl BenchFile {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// When it can't be read, is not TOML, has an unknown key, or makes no sense.
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        Self::parse(&path.display().to_string(), &text(path)?)
    }

    /// The comparison that a text describes. `name` is the text's name in messages.
    ///
    /// # Errors
    /// When it is not TOML, has an unknown key, or makes no sense.
    pub fn parse(name: &str, text: &str) -> Result<Self, BenchError> {
        let parsed: Result<Self, toml::de::Error> = toml::from_str(text);
        let file = parsed.map_err(|error| {
            let span = error
                .span()
                .map_or(Span::default(), |at| Span::new(at.start, at.end));
            let message = error.message().trim_end().replace('\n', "; ");
            BenchError::Text {
                file: SourceFile::new(name, text),
                diagnostics: vec![Diagnostic::error(span, message)],
            }
        })?;
        file.validate()?;
        Ok(file)
    }

    /// Checks a comparison that was changed after reading.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn validate(&self) -> Result<(), BenchError> {
        let wrong = |message: &str| Err(BenchError::Setting(message.to_owned()));
        if self.budget == BenchBudget::default() {
            return wrong("`budget` needs `trials` or `seconds`");
        }
        let positive = self.budget.seconds.is_none_or(|seconds| seconds > 0.0);
        if !positive {
            return wrong("`budget.seconds` needs more than 0");
        }
        if self.controller.is_empty() || self.seeds == 0 {
            return wrong("a comparison needs at least one `[[controller]]` and one seed");
        }
        let names: BTreeSet<&str> = self.controller.iter().map(|entry| &*entry.name).collect();
        if names.len() < self.controller.len() {
            return wrong("two controllers have the same `name`");
        }
        for entry in &self.controller {
            let controller = entry.search.description();
            if controller.takes("fidelity") {
                return Err(BenchError::Setting(format!(
                    "{}: `{}` tries candidates at several fidelities, and a table has results at one",
                    entry.name, controller.name
                )));
            }
            if let Some((_, message)) = entry.search.nonsense() {
                return Err(BenchError::Setting(format!("{}: {message}", entry.name)));
            }
        }
        Ok(())
    }

    /// The search space, its path relative to `base`.
    ///
    /// # Errors
    /// When it can't be read or has errors.
    pub fn compile_space(&self, base: &Path) -> Result<SearchSpace, BenchError> {
        let path = base.join(&self.space);
        let text = text(&path)?;
        let compiled = language::compile(&text).map_err(|diagnostics| BenchError::Text {
            file: SourceFile::new(path.display().to_string(), text.as_str()),
            diagnostics,
        })?;
        Ok(compiled.space)
    }
}

fn text(path: &Path) -> Result<String, BenchError> {
    fs::read_to_string(path).map_err(|source| BenchError::Read {
        path: path.to_owned(),
        source,
    })
}
