//! The program killed by the system, at moments it can't choose.

use super::fixture::{Bench, EXPERIMENT, digest, only_run};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use strata::random::{Purpose, Seed};
use strata::run::{Phase, RecordedRun};

const KILLS: u32 = 20;

fn strata(folder: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_strata"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Whether the run is over, after going on with it for `patience` and killing it.
fn go_on(bench: &Bench, patience: Duration) -> bool {
    let mut child = match only_run(&bench.runs()) {
        Some(run) => strata(
            bench.path(),
            &["resume", run.to_str().unwrap(), "--workers", "3"],
        ),
        None => strata(bench.path(), &["search", "tiny.toml", "--runs", "runs"]),
    };
    std::thread::sleep(patience);
    child.kill().unwrap();
    child.wait().unwrap();
    let run = only_run(&bench.runs());
    run.is_some_and(|run| RecordedRun::open(&run).unwrap().phase() == Phase::Ended)
}

#[test]
fn a_run_that_is_killed_twenty_times_gives_the_same_digest() {
    let whole = Bench::new(EXPERIMENT);
    let ended = strata(whole.path(), &["search", "tiny.toml", "--runs", "runs"])
        .wait()
        .unwrap();
    assert!(ended.success());
    let wanted = digest(&only_run(&whole.runs()).unwrap());
    let mut stream = Seed(1).stream(0, Purpose::Tool);
    let mut kills = 0;
    while kills < KILLS {
        let bench = Bench::new(EXPERIMENT);
        // On a busy machine it may not even begin in that time, so it gets more with every kill.
        let mut most = 200;
        while !go_on(&bench, Duration::from_millis(20 + stream.below(most))) {
            kills += 1;
            most += 20;
        }
        assert_eq!(digest(&only_run(&bench.runs()).unwrap()), wanted);
    }
}
