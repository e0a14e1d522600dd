//! The program killed by the system, at moments it can't choose.

use super::fixture::{Bench, EXPERIMENT, digest, only_run};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use strata::random::{Purpose, Seed};
use strata::run::{Phase, RecordedRun};

/// Kills in every test run, and in a slow one.
const KILLS: u32 = 10;
const SLOW_KILLS: u32 = 200;

fn kills() -> u32 {
    match std::env::var_os("STRATA_SLOW_TESTS") {
        Some(_) => SLOW_KILLS,
        None => KILLS,
    }
}

fn strata(folder: &Path, arguments: &[&str]) -> Child {
    let stderr = File::create(folder.join("said")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_strata"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap()
}

/// Begins the run, or goes on with it.
fn go_on(bench: &Bench, how: &[&str]) -> Child {
    let run = only_run(&bench.runs());
    let mut arguments = match &run {
        Some(run) => vec!["resume", run.to_str().unwrap()],
        None => vec!["search", "tiny.toml", "--runs", "runs"],
    };
    arguments.extend(how);
    strata(bench.path(), &arguments)
}

/// Trials whose results were told: each is a line on stderr, written after its record.
fn told(bench: &Bench) -> usize {
    let said = fs::read_to_string(bench.path().join("said")).unwrap();
    let results = said.lines().filter(|line| {
        let trial = line.strip_prefix("trial ");
        trial.is_some_and(|rest| !rest.contains("tried again"))
    });
    results.count()
}

/// Whether the run is over, after it was killed. Nothing that was told is lost, and what the journal
/// held before it still holds.
fn is_over(bench: &Bench, before: &[u8], finished_before: usize) -> bool {
    let Some(run) = only_run(&bench.runs()) else {
        return false;
    };
    let journal = fs::read(run.join("journal.jsonl")).unwrap();
    assert!(journal.starts_with(before));
    let run = RecordedRun::open(&run).unwrap();
    let trials = run.state().outcomes.len();
    let told = told(bench);
    assert!(
        trials >= finished_before + told,
        "{told} told, {trials} kept"
    );
    run.phase() == Phase::Ended
}

/// The whole lines of the journal, and the trials that it has results of.
fn held(bench: &Bench) -> (Vec<u8>, usize) {
    let Some(run) = only_run(&bench.runs()) else {
        return (Vec::new(), 0);
    };
    let mut journal = fs::read(run.join("journal.jsonl")).unwrap();
    let end = journal.iter().rposition(|&byte| byte == b'\n');
    journal.truncate(end.map_or(0, |at| at + 1));
    let run = RecordedRun::open(&run).unwrap();
    (journal, run.state().outcomes.len())
}

/// Kills runs of 50 trials until there were enough kills; each must come to the undisturbed digest.
fn killed(how: &[&str], kills: u32) {
    let experiment = EXPERIMENT.replace("trials = 20", "trials = 50");
    let whole = Bench::new(&experiment);
    assert!(go_on(&whole, how).wait().unwrap().success());
    let wanted = digest(&only_run(&whole.runs()).unwrap());
    let mut stream = Seed(1).stream(0, Purpose::Tool);
    let mut done = 0;
    while done < kills {
        let bench = Bench::new(&experiment);
        // On a busy machine it may not even begin in that time, so it gets more with every kill.
        let mut most = 400;
        loop {
            let (before, finished) = held(&bench);
            let mut child = go_on(&bench, how);
            std::thread::sleep(Duration::from_millis(20 + stream.below(most)));
            child.kill().unwrap();
            child.wait().unwrap();
            if is_over(&bench, &before, finished) {
                break;
            }
            done += 1;
            most += 40;
        }
        assert_eq!(digest(&only_run(&bench.runs()).unwrap()), wanted);
    }
}

#[test]
fn a_run_that_is_killed_again_and_again_gives_the_same_digest() {
    killed(&["--workers", "3"], kills());
}

#[test]
fn a_run_in_processes_that_is_killed_gives_the_same_digest() {
    killed(&["--workers", "2", "--isolate", "process"], kills() / 5);
}
