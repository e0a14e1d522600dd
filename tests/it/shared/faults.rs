//! Shared runs whose processes die, pause, double and lose their database: each gives the digest of one
//! process with one worker and a journal in a file.

use super::fixture::{Shared, experiment, strata, wanted};
use super::postgresql::{PASSWORD, Postgresql};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;
use strata::evaluation::FailureKind;
use strata::random::{Purpose, Seed};
use strata::run::RecordedRun;
use strata::run::shared::Lease;

const KILLS: u32 = 30;

fn any_number_of_workers(count: usize) {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let mut shared = Shared::new(&server, &format!("workers-{count}"));
    shared.lease = "30";
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    let mut workers: Vec<_> = (0..count)
        .map(|n| shared.worker(&format!("worker-{n}")))
        .collect();
    shared.ends_well(&mut controller, "runs");
    for worker in &mut workers {
        assert!(worker.wait().success(), "{}", worker.said());
        assert!(
            worker.said().contains("the run is over"),
            "{}",
            worker.said()
        );
    }
    let unfinished = "SELECT count(*) FROM strata.attempt WHERE run = $1 AND outcome IS DISTINCT FROM 'finished'";
    // A worker gives the first retraining back, to close its search and open the test examples.
    assert!(shared.count(unfinished) <= count as i64);
}

#[test]
fn one_worker_gives_the_digest_of_one_process() {
    any_number_of_workers(1);
}

#[test]
fn two_workers_give_the_digest_of_one_process() {
    any_number_of_workers(2);
}

#[test]
fn five_workers_give_the_digest_of_one_process() {
    any_number_of_workers(5);
}

#[test]
fn a_worker_that_is_killed_changes_nothing() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let shared = Shared::new(&server, "killed-worker");
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    let mut victim = shared.worker("victim");
    shared.wait_for_lease(0);
    victim.kill();
    let _other = shared.worker("other");
    shared.ends_well(&mut controller, "runs");
    let lost =
        "SELECT count(*) FROM strata.attempt WHERE run = $1 AND outcome = 'lost' AND worker = 0";
    assert!(shared.count(lost) > 0);
}

#[test]
fn a_worker_that_is_paused_past_its_lease_is_refused() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let shared = Shared::new(&server, "paused-worker");
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    let mut victim = shared.worker("victim");
    shared.wait_for_lease(0);
    victim.signal("STOP");
    let held =
        "SELECT unit, attempt FROM strata.work WHERE run = $1 AND state = 'running' AND worker = 0";
    let held = server.client().query_opt(held, &[&shared.run]).unwrap();
    let _other = shared.worker("other");
    let lost =
        "SELECT count(*) FROM strata.attempt WHERE run = $1 AND outcome = 'lost' AND worker = 0";
    // It may have been paused between two trials.
    if let Some(row) = held {
        shared.wait_for(lost);
        let lease = Lease {
            unit: row.get(0),
            attempt: row.get(1),
            worker: 0,
        };
        let late = server
            .session()
            .queue(&shared.run)
            .finish(&lease, b"too late")
            .unwrap();
        assert!(!late);
    }
    victim.signal("CONT");
    shared.ends_well(&mut controller, "runs");
    assert!(victim.wait().success(), "{}", victim.said());
    if shared.count(lost) > 0 {
        let said = victim.said();
        assert!(
            said.contains("refused") || said.contains("given up"),
            "{said}"
        );
    }
}

#[test]
fn a_database_that_crashes_and_starts_again_loses_nothing() {
    let Some(server) = Postgresql::start("127.0.0.1", &[]) else {
        return;
    };
    let mut shared = Shared::new(&server, "crashed-database");
    shared.lease = "30";
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    let _workers = [shared.worker("worker-0"), shared.worker("worker-1")];
    for records in [8, 20] {
        shared.wait_for(&format!(
            "SELECT count(*) FROM strata.record WHERE run = $1 AND seq >= {records}"
        ));
        server.crash();
        thread::sleep(Duration::from_millis(300));
        server.restart();
    }
    shared.ends_well(&mut controller, "runs");
    let lost = "SELECT count(*) FROM strata.work WHERE run = $1 AND losses > 0";
    assert_eq!(shared.count(lost), 0);
}

#[test]
fn two_controllers_at_once_do_no_harm() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let shared = Shared::new(&server, "two-controllers");
    let mut one = shared.controller("runs-1");
    let mut two = shared.controller("runs-2");
    shared.wait_for_start();
    let _workers = [shared.worker("worker-0"), shared.worker("worker-1")];
    shared.ends_well(&mut one, "runs-1");
    // The other may find that everything has been done.
    let status = two.wait();
    assert!(
        status.success() || two.said().contains("ended"),
        "{status}: {}",
        two.said()
    );
    let records = "SELECT count(*) FROM strata.record WHERE run = $1";
    // Started, 24 trials with their results, the end of the search, the winner, the opening of the test
    // examples, four retrainings, the end.
    assert_eq!(shared.count(records), 1 + 2 * 24 + 3 + 4 + 1);
}

#[test]
fn a_worker_that_is_told_to_end_gives_its_work_back() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let mut shared = Shared::new(&server, "preempted");
    // Only what is given back can be done in time.
    shared.lease = "600";
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    let mut victim = shared.worker("victim");
    shared.wait_for_lease(0);
    victim.signal("TERM");
    assert_eq!(victim.wait().code(), Some(130), "{}", victim.said());
    let _other = shared.worker("other");
    shared.ends_well(&mut controller, "runs");
    let lost = "SELECT count(*) FROM strata.work WHERE run = $1 AND losses > 0";
    assert_eq!(shared.count(lost), 0);
}

#[test]
fn a_controller_that_is_killed_thirty_times_changes_nothing() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let mut stream = Seed(2).stream(0, Purpose::Tool);
    let (mut kills, mut runs) = (0, 0);
    while kills < KILLS {
        runs += 1;
        let mut shared = Shared::new(&server, &format!("killed-controller-{runs}"));
        shared.lease = "30";
        let mut controller = shared.controller("runs");
        shared.wait_for_start();
        let _workers = [shared.worker("worker-0"), shared.worker("worker-1")];
        let mut most = 200;
        loop {
            thread::sleep(Duration::from_millis(20 + stream.below(most)));
            if !controller.is_running() {
                break;
            }
            controller.kill();
            kills += 1;
            // On a busy machine it may not even begin in that time, so it gets more with every kill.
            most += 40;
            controller = shared.controller("runs");
        }
        let said = controller.said();
        let status = controller.wait();
        // It may have been killed between the last record and its own end.
        assert!(status.success() || said.contains("has ended"), "{said}");
        assert_eq!(
            crate::run::fixture::digest(&shared.run_folder("runs")),
            wanted()
        );
        let twice = "SELECT count(*) - count(DISTINCT unit) FROM strata.attempt WHERE run = $1 AND outcome = 'finished'";
        assert_eq!(shared.count(twice), 0);
    }
}

#[test]
fn a_worker_that_is_another_program_is_refused() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let shared = Shared::new(&server, "other-program");
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    let other = shared.folder.path().join("other");
    let mut program = fs::read(env!("CARGO_BIN_EXE_strata")).unwrap();
    program.push(0);
    fs::write(&other, program).unwrap();
    let permissions = fs::metadata(env!("CARGO_BIN_EXE_strata"))
        .unwrap()
        .permissions();
    fs::set_permissions(&other, permissions).unwrap();
    let started = |further: &[&str]| {
        let mut command = std::process::Command::new(&other);
        command
            .current_dir(shared.folder.path())
            .env("PGPASSWORD", PASSWORD)
            .arg("worker")
            .arg(server.url(&shared.run))
            .args(further);
        shared.process(command, "other")
    };
    let mut refused = started(&[]);
    assert_eq!(refused.wait().code(), Some(2));
    assert!(
        refused.said().contains("the program (SHA-256) differs"),
        "{}",
        refused.said()
    );
    let _allowed = started(&["--mixed"]);
    shared.ends_well(&mut controller, "runs");
}

/// The first to ask for a score waits for ever.
fn with_one_that_hangs<'a>(server: &'a Postgresql, run: &str) -> Shared<'a> {
    let shared = Shared::new(server, run);
    let path = shared.folder.path().join("score.sh");
    let score = fs::read_to_string(&path).unwrap();
    let hang = "mkdir hung 2>/dev/null && { echo $$ >hung/process; exec sleep 1000; }";
    fs::write(path, format!("{hang}\n{score}")).unwrap();
    shared
}

/// Starts a worker that hangs, and returns when it has ended itself and what hung.
fn hang(shared: &Shared<'_>) {
    let mut command = strata(shared.folder.path());
    command.args(["worker", "--stall", "0.5"]);
    command.arg(shared.server.url(&shared.run));
    let mut victim = shared.process(command, "victim");
    assert_eq!(victim.wait().code(), Some(1), "{}", victim.said());
    let said = victim.said();
    assert!(
        said.contains("says nothing any more: this process ends"),
        "{said}"
    );
    assert!(!said.contains("given back"), "{said}");
    let process = fs::read_to_string(shared.folder.path().join("hung/process")).unwrap();
    let left = Path::new("/proc").join(process.trim());
    assert!(!left.exists(), "what hung goes with its worker");
}

const LOST_BY_THE_FIRST: &str =
    "SELECT count(*) FROM strata.attempt WHERE run = $1 AND outcome = 'lost' AND worker = 0";

#[test]
fn a_worker_whose_trial_says_nothing_ends_itself_and_the_trial_is_done_by_another() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let shared = with_one_that_hangs(&server, "hung-trial");
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    hang(&shared);
    let _other = shared.worker("other");
    shared.ends_well(&mut controller, "runs");
    assert_eq!(shared.count(LOST_BY_THE_FIRST), 1);
}

#[test]
fn a_trial_that_hangs_once_too_often_has_failed_as_lost() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let shared = with_one_that_hangs(&server, "hung-for-good");
    let path = shared.folder.path().join("tiny.toml");
    let experiment = fs::read_to_string(&path).unwrap();
    fs::write(path, experiment + "trial = { retries = 0 }\n").unwrap();
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    hang(&shared);
    let _other = shared.worker("other");
    assert!(controller.wait().success(), "{}", controller.said());
    assert_eq!(shared.count(LOST_BY_THE_FIRST), 1);
    let run = RecordedRun::open(&shared.run_folder("runs")).unwrap();
    let failures: Vec<_> = run.trials().iter().map(|trial| trial.failure).collect();
    assert_eq!(failures.len(), 24);
    assert_eq!(failures[0], Some(FailureKind::Lost));
    assert!(failures[1..].iter().all(Option::is_none));
}

#[test]
fn an_assignment_without_work_is_named_and_ends_its_worker() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let shared = Shared::new(&server, "no-work");
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    controller.kill();
    // {"attempt": 0, "earlier": [], "legacy": null} in CBOR, before all other work.
    let assignment = b"\xa3gattempt\x00gearlier\x80flegacy\xf6";
    let submit =
        "INSERT INTO strata.work (run, unit, place, assignment) VALUES ($1, 'empty', -1, $2)";
    let mut client = server.client();
    client
        .execute(submit, &[&shared.run, &&assignment[..]])
        .unwrap();
    let mut worker = shared.worker("worker");
    assert_eq!(worker.wait().code(), Some(2), "{}", worker.said());
    let named = "the assignment of empty of the run `no-work` is damaged";
    assert!(
        worker.said().contains(named) && worker.said().contains("missing field `work`"),
        "{}",
        worker.said()
    );
    let waits =
        "SELECT count(*) FROM strata.work WHERE run = $1 AND unit = 'empty' AND state = 'waiting'";
    assert_eq!(shared.count(waits), 1, "it was given back");
}

#[test]
fn a_run_of_another_experiment_is_not_taken_over() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let shared = Shared::new(&server, "taken");
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    let other = experiment();
    let mut command = strata(other.path());
    command
        .args(["search", "tiny.toml", "--seed", "8", "--journal"])
        .arg(server.url(&shared.run));
    let mut other = shared.process(command, "other");
    assert_eq!(other.wait().code(), Some(2));
    assert!(
        other.said().contains("was started with another experiment"),
        "{}",
        other.said()
    );
    controller.kill();
    let mut command = strata(shared.folder.path());
    command.arg("worker").arg(server.url("nowhere"));
    let mut lost = shared.process(command, "lost");
    assert_eq!(lost.wait().code(), Some(2));
    assert!(lost.said().contains("no run `nowhere`"), "{}", lost.said());
}

#[test]
fn no_process_shows_the_password() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let shared = Shared::new(&server, "secret");
    let url = server
        .url("secret")
        .replace("strata@", &format!("strata:{PASSWORD}@"));
    let mut command = strata(shared.folder.path());
    command.env_remove("PGPASSWORD");
    command.args(["search", "tiny.toml", "--journal", &url]);
    let mut controller = shared.process(command, "controller");
    shared.wait_for_start();
    let mut command = strata(shared.folder.path());
    command.env_remove("PGPASSWORD");
    command.args(["launch", "local", "-n", "2", "--every", "0.2", &url]);
    let mut launcher = shared.process(command, "launcher");
    shared.ends_well(&mut controller, "runs");
    assert!(launcher.wait().success(), "{}", launcher.said());
    let mut searched = vec![controller.said(), launcher.said()];
    for row in server
        .client()
        .query("SELECT line FROM strata.record", &[])
        .unwrap()
    {
        searched.push(row.get(0));
    }
    for file in walk(&shared.run_folder("runs")) {
        searched.push(String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned());
    }
    assert!(searched.iter().all(|text| !text.contains(PASSWORD)));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}
