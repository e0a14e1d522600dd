//! Evaluation by a program of the user's, in any language.
//!
//! The program is started once a trial, without a shell. It reads one JSON object from its standard input,
//! and what it says last on its standard output is one: `docs/evaluators.md` has both.

mod process;

use super::{
    Control, EpochRecord, Evaluation, Evaluator, Failure, FailureKind, Finished, TrialJob,
};
use crate::architecture::ArchitectureJson;
use crate::search::Fidelity;
use crate::training::{Recipe, Score};
use process::{Ended, Program};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// The version of what is written to the program.
pub const PROTOCOL: u32 = 1;

/// A program and how long it is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandSettings {
    /// The program and its arguments; never a shell's line.
    pub argv: Vec<String>,
    /// After how many seconds an attempt is killed with its children; nothing is no limit but the trial's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
    /// How often an attempt that failed is made again.
    #[serde(default)]
    pub retries: u32,
    /// Whether the program tests the winner and the baselines too: it is then called with the phase
    /// `test`, once a seed.
    #[serde(default)]
    pub tests: bool,
}

impl CommandSettings {
    /// The first setting that makes no sense: its name, and what it needs.
    pub fn nonsense(&self) -> Option<(&'static str, String)> {
        if self.argv.first().is_none_or(String::is_empty) {
            return Some((
                "argv",
                "a program, such as [\"python3\", \"train.py\"]".to_owned(),
            ));
        }
        let fits = |seconds: f64| seconds > 0.0 && Duration::try_from_secs_f64(seconds).is_ok();
        if self.timeout_seconds.is_some_and(|seconds| !fits(seconds)) {
            return Some(("timeout_seconds", "more than 0".to_owned()));
        }
        None
    }
}

/// What a program is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A score by validation examples.
    Search,
    /// A score by test examples, after training on all others.
    Test,
}

/// Asks a program.
#[derive(Clone, Debug)]
pub struct CommandEvaluator<'a> {
    /// The program.
    pub settings: &'a CommandSettings,
    /// The folder that it runs in.
    pub folder: &'a Path,
    /// What it is asked for.
    pub phase: Phase,
    /// Which of the figures that it gives is the score; its own `score` if absent.
    pub score: Option<Score>,
}

/// What the program reads.
#[derive(Serialize)]
struct Question<'a> {
    protocol: u32,
    phase: Phase,
    trial: u64,
    seed: u64,
    params: u64,
    macs: u64,
    #[serde(skip_serializing_if = "Fidelity::is_full")]
    fidelity: Fidelity,
    recipe: &'a Recipe,
    architecture: ArchitectureJson,
}

/// What the program says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    score: Option<f64>,
    loss: Option<f64>,
    #[serde(default)]
    metrics: BTreeMap<String, f64>,
    error: Option<String>,
}

impl Evaluator for CommandEvaluator<'_> {
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        control: &Control<'_>,
        _observe: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation {
        let metrics = job.architecture.metrics();
        let question = Question {
            protocol: PROTOCOL,
            phase: self.phase,
            trial: job.number,
            seed: job.seed.0,
            params: metrics.params,
            macs: metrics.macs,
            fidelity: job.fidelity,
            recipe: job.recipe,
            architecture: job.architecture.to_json(),
        };
        let mut question = serde_json::to_vec(&question).expect("a question is plain data");
        question.push(b'\n');
        let mut attempt = 0;
        loop {
            let failure = match self.attempt(&question, control)? {
                Ok(answer) => return finished(answer, self.score),
                Err(failure) => failure,
            };
            if attempt == self.settings.retries {
                return Err(failure);
            }
            attempt += 1;
        }
    }
}

impl CommandEvaluator<'_> {
    /// One attempt: an answer, or a failure that may pass.
    ///
    /// # Errors
    /// When no further attempt makes sense: the trial's time is over, or there is no such program.
    fn attempt(
        &self,
        question: &[u8],
        control: &Control<'_>,
    ) -> Result<Result<Answer, Failure>, Failure> {
        let name = &self.settings.argv[0];
        let limit = self.settings.timeout_seconds.map(Duration::from_secs_f64);
        let deadline = limit.map(|limit| Instant::now() + limit);
        let program = Program::start(&self.settings.argv, self.folder, question);
        let program = program.map_err(|error| {
            let message = format!("failed to start `{name}`: {error}; see evaluator.argv");
            Failure::new(FailureKind::EvaluatorError, message)
        })?;
        let ended = program.wait(|| {
            control.check()?;
            match deadline {
                Some(deadline) if Instant::now() >= deadline => Ok(true),
                _ => Ok(false),
            }
        })?;
        Ok(self.read(name, &ended))
    }

    fn read(&self, name: &str, ended: &Ended) -> Result<Answer, Failure> {
        let said = |what: String| format!("`{name}` {what}{}", ended.last_words());
        let failed = |what| Failure::new(FailureKind::EvaluatorError, said(what));
        let Some(status) = ended.status else {
            let seconds = self.settings.timeout_seconds.unwrap_or_default();
            let message = said(format!("ran longer than {seconds} s and was killed"));
            return Err(Failure::new(FailureKind::TimedOut, message));
        };
        if !status.success() {
            let message = said(format!("ended with {status}"));
            // A program that a signal ends has no exit code.
            let kind = match status.code() {
                Some(_) => FailureKind::EvaluatorError,
                None => FailureKind::Aborted,
            };
            return Err(Failure::new(kind, message));
        }
        let text = String::from_utf8_lossy(&ended.stdout);
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        let Some(last) = last else {
            return Err(failed("said nothing on its standard output".to_owned()));
        };
        serde_json::from_str(last).map_err(|error| {
            let line: String = last.chars().take(LONGEST_QUOTE).collect();
            failed(format!(
                "gave no answer in its last line, `{line}`: {error}"
            ))
        })
    }
}

/// How much of a wrong answer is quoted.
const LONGEST_QUOTE: usize = 120;

fn finished(answer: Answer, named: Option<Score>) -> Evaluation {
    if let Some(error) = answer.error {
        return Err(Failure::new(FailureKind::EvaluatorError, error));
    }
    let failed = |message: String| Failure::new(FailureKind::EvaluatorError, message);
    let score = match named {
        None => answer
            .score
            .ok_or_else(|| failed("the answer has neither `score` nor `error`".to_owned()))?,
        Some(named) => {
            let mut figures = answer.metrics.iter();
            let found = figures.find(|(name, _)| Score::named(name) == Some(named));
            let (_, figure) = found.ok_or_else(|| {
                failed(format!(
                    "the answer has no figure `{named}` under `metrics`, which the experiment's `score` asks for"
                ))
            })?;
            *figure
        }
    };
    Ok(Finished {
        metrics: answer.metrics,
        ..Finished::scored(score, answer.loss.unwrap_or(0.0))
    })
}
