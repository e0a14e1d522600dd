//! The live page over runs whose journal is in a database.

use super::fixture::Shared;
use super::postgresql::{PASSWORD, Postgresql};
use crate::live::{Events, get, kind};
use serde_json::Value;

/// The database itself as an address, with its password.
fn database(server: &Postgresql) -> String {
    let url = server.url("any").replace("run=any&", "");
    url.replace("strata@", &format!("strata:{PASSWORD}@"))
}

/// Everything that a stream of a run tells from its beginning to the end of the run.
struct Told {
    kinds: Vec<String>,
    troubles: Vec<String>,
    text: String,
}

impl Told {
    fn take(&mut self, events: &mut Events) -> String {
        let (name, _, data) = events.next();
        self.text.push_str(&data.to_string());
        match (name.as_str(), &data) {
            ("entries", Value::Array(entries)) => self.kinds.extend(entries.iter().map(kind)),
            ("trouble", Value::String(trouble)) => self.troubles.push(trouble.clone()),
            _ => {}
        }
        name
    }
}

#[test]
fn a_shared_run_is_shown_while_its_database_goes_and_comes_back() {
    let Some(server) = Postgresql::start("127.0.0.1", &[]) else {
        return;
    };
    let mut shared = Shared::new(&server, "looked-at");
    shared.lease = "30";
    let (serving, address) = shared.serving(&database(&server));
    assert!(
        serving
            .said()
            .contains("there is no run in the database yet"),
        "{}",
        serving.said()
    );
    let tables = "SELECT to_regclass('strata.run') IS NOT NULL";
    let made: bool = server.client().query_one(tables, &[]).unwrap().get(0);
    assert!(!made, "looking makes no tables");

    let mut list = Events::of_list(&address);
    let (name, _, cards) = list.next();
    assert_eq!(
        (name.as_str(), &cards["names"]),
        ("runs", &serde_json::json!([]))
    );
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    let (name, _, cards) = list.next();
    assert_eq!(
        (name.as_str(), &cards["names"]),
        ("runs", &serde_json::json!(["looked-at"]))
    );
    let mut told = Told {
        kinds: Vec::new(),
        troubles: Vec::new(),
        text: String::new(),
    };
    let mut events = Events::of(&address, "looked-at", "");
    while told.take(&mut events) != "level" {}
    let _worker = shared.worker("worker");
    while !told.kinds.iter().any(|kind| kind == "finished") {
        told.take(&mut events);
    }
    server.crash();
    while told.troubles.is_empty() {
        told.take(&mut events);
    }
    assert!(
        told.troubles[0].contains("the database does not answer"),
        "{:?}",
        told.troubles
    );
    while list.next().0 != "trouble" {}
    server.restart();
    while told.kinds.last().is_none_or(|kind| kind != "ended") {
        told.take(&mut events);
    }
    assert_eq!(told.troubles.last().unwrap(), "", "it was taken back");
    shared.ends_well(&mut controller, "runs");
    // Started, 24 trials with their results, the end of the search, the winner, the opening of the test
    // examples, four retrainings, the end: each once, whatever happened to the database.
    assert_eq!(told.kinds.len(), 1 + 2 * 24 + 3 + 4 + 1);

    let mut shown = vec![told.text, serving.said(), cards.to_string()];
    for path in ["trials/3", "trials/3/drawing", "report"] {
        let (status, head, body) = get(&address, &format!("/runs/looked-at/{path}"));
        assert_eq!(status, 200, "{path}: {body}");
        shown.extend([head, body]);
    }
    assert!(shown.iter().all(|text| !text.contains(PASSWORD)));
    assert_eq!(get(&address, "/runs/nothing/report").0, 404);
}
