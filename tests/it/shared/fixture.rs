//! A run that is shared by processes: a controller, workers, and what to expect of them.

use super::postgresql::{PASSWORD, Postgresql};
use crate::run::fixture::{BASELINE, SPACE, digest, only_run};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take on a busy machine.
pub const LONG: Duration = Duration::from_secs(120);

const EXPERIMENT: &str = r#"
name = "shared"
space = "tiny.space"
seed = 7
evaluator = { kind = "command", argv = ["sh", "score.sh"], tests = true }
budget = { trials = 24 }
search = { population = 6, sample = 3, lookahead = 6, workers = 1 }
final = { retrain_seeds = 2, baselines = ["one.space"] }
"#;

/// Scores that look random and follow from the question alone, after a while that costs no processor time.
const SCORE: &str = r#"
sum=$(cksum | cut -d' ' -f1)
[ -z "$CUDA_VISIBLE_DEVICES" ] || echo "$SLURMD_NODENAME $CUDA_VISIBLE_DEVICES" >>devices.log
sleep "${STRATA_TEST_SLEEP:-0.1}"
printf '{"score": 0.%010d, "loss": 1.5}\n' "$sum"
"#;

/// The folder of an experiment.
pub fn experiment() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("tiny.space"), SPACE).unwrap();
    fs::write(path.join("one.space"), BASELINE).unwrap();
    fs::write(path.join("score.sh"), SCORE).unwrap();
    fs::write(path.join("tiny.toml"), EXPERIMENT).unwrap();
    folder
}

/// The digest of the experiment in one process with one worker and a journal in a file.
pub fn wanted() -> &'static str {
    static WANTED: OnceLock<String> = OnceLock::new();
    WANTED.get_or_init(|| {
        let folder = experiment();
        let mut strata = strata(folder.path());
        strata
            .env("STRATA_TEST_SLEEP", "0")
            .args(["search", "tiny.toml", "--workers", "1"]);
        let output = strata.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        digest(&only_run(&folder.path().join("runs")).unwrap())
    })
}

/// The program, in a folder.
pub fn strata(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
    command
        .current_dir(folder)
        .env("PGPASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// A run in a database, and the folder of its experiment.
pub struct Shared<'a> {
    pub server: &'a Postgresql,
    pub run: String,
    pub folder: TempDir,
    pub lease: &'static str,
}

impl<'a> Shared<'a> {
    pub fn new(server: &'a Postgresql, run: &str) -> Self {
        Self {
            server,
            run: run.to_owned(),
            folder: experiment(),
            lease: "2",
        }
    }

    /// Starts a process that controls the run, with its run folder under `runs`.
    pub fn controller(&self, runs: &str) -> Process {
        self.search(runs, &[])
    }

    /// As [`controller`](Self::controller), with more arguments.
    pub fn search(&self, runs: &str, more: &[&str]) -> Process {
        let mut strata = strata(self.folder.path());
        strata
            .args([
                "search",
                "tiny.toml",
                "--runs",
                runs,
                "--lease",
                self.lease,
                "--journal",
            ])
            .arg(self.server.url(&self.run))
            .args(more);
        self.process(strata, "controller")
    }

    /// Starts a worker.
    pub fn worker(&self, name: &str) -> Process {
        let mut strata = strata(self.folder.path());
        strata.arg("worker").arg(self.server.url(&self.run));
        self.process(strata, name)
    }

    /// Starts a process whose stderr goes to a file.
    pub fn process(&self, mut command: Command, name: &str) -> Process {
        let log = self.folder.path().join(format!("{name}.log"));
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        command.stderr(file);
        Process {
            child: command.spawn().unwrap(),
            log,
        }
    }

    /// Starts a live page of what `journal` names, and returns the address that it answers at.
    pub fn serving(&self, journal: &str) -> (Process, String) {
        let mut strata = strata(self.folder.path());
        strata.env_remove("PGPASSWORD");
        strata.args(["serve", "--port", "0", "--journal", journal]);
        let url = self.folder.path().join("url");
        strata.stdout(File::create(&url).unwrap());
        let mut serving = self.process(strata, "serving");
        let begun = Instant::now();
        loop {
            let said = fs::read_to_string(&url).unwrap();
            if let Some(url) = said.strip_suffix("/\n") {
                return (serving, url.trim_start_matches("http://").to_owned());
            }
            assert!(serving.is_running(), "{}", serving.said());
            assert!(begun.elapsed() < LONG, "it never serves");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the database holds what `sql` asks for: a count that is not 0, of the run `$1`.
    pub fn wait_for(&self, sql: &str) {
        let begun = Instant::now();
        while self.count(sql) == 0 {
            assert!(begun.elapsed() < LONG, "never: {sql}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What `sql` counts of the run `$1`; 0 if there are no tables yet.
    pub fn count(&self, sql: &str) -> i64 {
        let row = self.server.client().query_one(sql, &[&self.run]);
        row.map_or(0, |row| row.get(0))
    }

    /// Waits until the run is there, so that workers can join it.
    pub fn wait_for_start(&self) {
        self.wait_for("SELECT count(*) FROM strata.run WHERE name = $1");
    }

    /// Waits until a worker of this number holds a lease.
    pub fn wait_for_lease(&self, number: i32) {
        self.wait_for(&format!(
            "SELECT count(*) FROM strata.work WHERE run = $1 AND state = 'running' AND worker = {number}"
        ));
    }

    /// Makes sure that a controller ends well and that what it leaves is the run that was wanted.
    pub fn ends_well(&self, controller: &mut Process, runs: &str) {
        let status = controller.wait();
        assert!(status.success(), "{status}: {}", controller.said());
        assert_eq!(digest(&self.run_folder(runs)), wanted());
    }

    pub fn run_folder(&self, runs: &str) -> PathBuf {
        self.folder.path().join(runs).join(&self.run)
    }
}

/// A process that doesn't outlive the test.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &process]).status();
        assert!(status.unwrap().success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < LONG, "it never ends: {}", self.said());
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it said on stderr so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
