//! A search in a database that is given a larger budget.

use super::fixture::{Process, Shared, strata};
use super::postgresql::Postgresql;
use std::thread;
use std::time::Duration;
use strata::run::{Phase, RecordedRun};

impl Shared<'_> {
    /// Goes on with the run, with the larger budget if it is named.
    fn resumed(&self, trials: Option<&str>, name: &str) -> Process {
        let mut strata = strata(self.folder.path());
        strata.arg("resume").arg(self.server.url(&self.run));
        strata.args(trials.into_iter().flat_map(|trials| ["--trials", trials]));
        self.process(strata, name)
    }
}

#[test]
fn a_search_in_a_database_that_is_given_more_has_the_digest_of_one_process() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let shared = Shared::new(&server, "extended");
    let mut first = shared.search("runs", &["--trials", "10"]);
    shared.wait_for_start();
    let mut worker = shared.worker("first-worker");
    assert!(first.wait().success(), "{}", first.said());
    assert!(worker.wait().success(), "{}", worker.said());
    let folder = shared.run_folder("runs");
    let refused = shared.resumed(None, "refused").wait();
    assert!(!refused.success(), "it has ended");

    let mut killed = shared.resumed(Some("24"), "killed");
    shared.wait_for("SELECT count(*) FROM strata.run WHERE name = $1 AND ended_at IS NULL");
    let _workers = [
        shared.worker("second-worker"),
        shared.worker("third-worker"),
    ];
    let more = "SELECT count(*) FROM strata.record WHERE run = $1 AND line LIKE '%\"extended\"%'";
    shared.wait_for(more);
    thread::sleep(Duration::from_millis(700));
    killed.kill();
    let mut last = shared.resumed(None, "last");
    let said = |process: &Process| process.said();
    let status = last.wait();
    assert!(
        status.success(),
        "{status}: {}\n{}",
        said(&last),
        said(&killed)
    );
    let run = RecordedRun::open(&folder).unwrap();
    assert_eq!(run.phase(), Phase::Ended);
    assert_eq!(run.digest(), super::fixture::wanted());
    assert_eq!(run.state().test_looks(), [10, 24]);
    assert!(last.said().contains("read at 10 trials"), "{}", last.said());
}
