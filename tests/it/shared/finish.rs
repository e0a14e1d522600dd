//! Selection trainings over a database: the digest of one process.

use super::fixture::{Shared, strata};
use super::postgresql::Postgresql;
use crate::run::fixture::{digest, only_run};
use std::fs;
use strata::run::RecordedRun;

const EXPERIMENT: &str = r#"
name = "shared"
space = "tiny.space"
seed = 7
data = { name = "digits" }
recipe = { epochs = 4, patience = 1, learning_rate = 0.1 }
budget = { trials = 4 }
search = { controller = "random", lookahead = 4, workers = 1 }
final = { retrain_seeds = 2, random_networks = 2, baselines = ["one.space"] }
"#;

#[test]
fn workers_find_the_numbers_of_epochs_that_one_process_finds() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let mut shared = Shared::new(&server, "finish");
    shared.lease = "30";
    fs::write(shared.folder.path().join("tiny.toml"), EXPERIMENT).unwrap();
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    let mut workers = [shared.worker("one"), shared.worker("two")];
    let status = controller.wait();
    assert!(status.success(), "{}", controller.said());
    for worker in &mut workers {
        assert!(worker.wait().success(), "{}", worker.said());
    }
    let alone = strata(shared.folder.path())
        .args(["search", "tiny.toml", "--runs", "alone", "--workers", "1"])
        .status();
    assert!(alone.unwrap().success());
    let alone = only_run(&shared.folder.path().join("alone")).unwrap();
    let run = shared.run_folder("runs");
    assert_eq!(digest(&run), digest(&alone));
    let selected = &RecordedRun::open(&run).unwrap().state().selected.clone();
    assert_eq!(selected.len(), 3);
}
