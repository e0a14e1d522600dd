//! Workers that are jobs of the Slurm workload manager: one array for each time that workers are started.

use super::{Census, LaunchError, Launcher};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// How workers are submitted.
#[derive(Clone, Debug)]
pub struct SlurmOptions {
    /// The name of the jobs: they are told from all others by it.
    pub name: String,
    /// What a job runs: a program and its arguments.
    pub command: Vec<String>,
    /// Where the jobs' output goes.
    pub logs: PathBuf,
    /// Further options of `sbatch`, such as `--partition=gpu` and `--gres=gpu:1`.
    pub further: Vec<String>,
}

/// Jobs of Slurm.
#[derive(Clone, Debug)]
pub struct Slurm {
    options: SlurmOptions,
}

impl Slurm {
    /// Jobs that are submitted like this.
    pub fn new(options: SlurmOptions) -> Self {
        Self { options }
    }

    fn sbatch(&self, count: usize) -> Command {
        let SlurmOptions {
            name,
            logs,
            further,
            ..
        } = &self.options;
        let mut command = Command::new("sbatch");
        command.arg("--parsable");
        command.arg(format!("--job-name={name}"));
        command.arg(format!("--array=0-{}", count.saturating_sub(1)));
        command.arg(format!(
            "--output={}",
            logs.join("worker-%A_%a.log").display()
        ));
        // A worker hears of the end 90 seconds before, gives its lease back and ends. What ends is replaced
        // by a new job, so nothing is requeued: a job whose start failed would wait for ever.
        command.args(["--signal=B:TERM@90", "--no-requeue"]);
        command.args(further);
        command
    }

    fn script(&self) -> String {
        let words: Vec<String> = self
            .options
            .command
            .iter()
            .map(|word| quoted(word))
            .collect();
        // `exec`: the signals of Slurm go to the worker itself.
        format!("#!/bin/sh\nexec {}\n", words.join(" "))
    }
}

impl Launcher for Slurm {
    fn start(&mut self, count: usize) -> Result<String, LaunchError> {
        let job = output(self.sbatch(count), &self.script())?;
        // `job` or `job;cluster`.
        let number = job.trim().split(';').next().unwrap_or_default().to_owned();
        Ok(format!("job array {number}"))
    }

    fn census(&mut self) -> Result<Census, LaunchError> {
        let mut command = Command::new("squeue");
        command.args(["--me", "--noheader", "--array", "--format=%i|%T|%r"]);
        command.arg(format!("--name={}", self.options.name));
        Ok(census_of(&output(command, "")?))
    }

    fn cancel(&mut self, held: &[String]) -> Result<(), LaunchError> {
        let mut command = Command::new("scancel");
        command.args(held);
        output(command, "").map(|_| ())
    }

    fn end(&mut self) -> Result<(), LaunchError> {
        let mut command = Command::new("scancel");
        command.args(["--me", &format!("--name={}", self.options.name)]);
        output(command, "").map(|_| ())
    }

    fn advice(&self) -> String {
        format!("see their logs in {}", self.options.logs.display())
    }
}

/// Reads what `squeue` says: `job|state|reason` in each line.
fn census_of(text: &str) -> Census {
    let mut census = Census::default();
    for line in text.lines() {
        let mut fields = line.trim().splitn(3, '|');
        let mut next = || fields.next().unwrap_or_default();
        let (job, state, reason) = (next(), next(), next());
        match state {
            "PENDING" if is_held(reason) => census.held.push(job.to_owned()),
            "PENDING" | "CONFIGURING" | "RUNNING" | "SUSPENDED" | "STAGE_OUT" => census.alive += 1,
            // It ends, or has ended.
            _ => {}
        }
    }
    census
}

/// Whether a job waits until somebody frees it.
fn is_held(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    [
        "held",
        "never",
        "badconstraints",
        "launch_failed",
        "launch failed",
    ]
    .iter()
    .any(|sign| reason.contains(sign))
}

/// A word as the shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What a program says, given something to read.
fn output(mut command: Command, input: &str) -> Result<String, LaunchError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |message: String| LaunchError::Program {
        program: program.clone(),
        message,
    };
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    if let Some(mut pipe) = child.stdin.take() {
        // A program that reads nothing may have ended already.
        let _ = pipe.write_all(input.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(said.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_counted_by_their_states() {
        let text = "12_0|RUNNING|None\n12_1|PENDING|Resources\n12_2|COMPLETING|None\n\
                    12_3|PENDING|launch failed requeued held\n12_4|PENDING|JobHeldUser\n\
                    12_5|NODE_FAIL|NodeDown\n";
        let census = census_of(text);
        assert_eq!(census.alive, 2);
        assert_eq!(census.held, ["12_3", "12_4"]);
    }

    #[test]
    fn the_script_says_every_word_as_it_is() {
        let slurm = Slurm::new(SlurmOptions {
            name: "strata-a".to_owned(),
            command: vec![
                "/opt/st rata".to_owned(),
                "worker".to_owned(),
                "it's?".to_owned(),
            ],
            logs: PathBuf::from("logs"),
            further: vec!["--gres=gpu:1".to_owned()],
        });
        assert_eq!(
            slurm.script(),
            "#!/bin/sh\nexec '/opt/st rata' worker 'it'\\''s?'\n"
        );
        let command = slurm.sbatch(3);
        let arguments: Vec<_> = command.get_args().collect();
        assert!(arguments.contains(&"--array=0-2".as_ref()));
        assert_eq!(arguments.last(), Some(&"--gres=gpu:1".as_ref()));
    }
}
