//! What a worker process makes of orders that are none.

use super::scenario::Scenario;
use crate::run::error::RunError;
use crate::run::files::Files;
use crate::run::lifecycle::create;
use crate::run::pipe;
use crate::run::time::Clocks;
use crate::run::wire::{Order, Stage, Terms};
use crate::run::worker::work_with;
use ciborium::Value;
use serde::Serialize;
use std::io::Cursor;

/// How a worker for a run ends that is told this.
fn told(orders: &[Vec<u8>]) -> Result<(), RunError> {
    let scenario = Scenario::all().remove(0);
    let runs = tempfile::tempdir().unwrap();
    let (folder, journal, _) = create(
        &Files::of_machine(),
        &Clocks::of_machine(),
        &scenario.file,
        &scenario.texts,
        &scenario.evaluators,
        runs.path(),
    )
    .unwrap();
    drop(journal);
    let evaluators = scenario.evaluators;
    work_with(
        folder.path(),
        Cursor::new(orders.concat()),
        std::io::sink(),
        || (),
        move |_| Ok(Box::new(evaluators)),
    )
}

/// An order as it comes through the pipe.
fn said(order: &impl Serialize) -> Vec<u8> {
    let mut pipe = Vec::new();
    pipe::write(&mut pipe, order).unwrap();
    pipe
}

fn begin() -> Vec<u8> {
    let terms = Terms {
        stage: Stage::Search,
        threads: 1,
        deadline: None,
        memory_limit: None,
        memory_cap: None,
    };
    said(&Order::Begin(terms))
}

/// A task that says nothing of what is to be done.
fn without_work() -> Vec<u8> {
    let fields = [
        ("attempt", Value::from(0)),
        ("earlier", Value::Array(Vec::new())),
        ("legacy", Value::Null),
    ];
    let task = fields.map(|(name, value)| (Value::from(name), value));
    let order = (Value::from("Work"), Value::Map(task.to_vec()));
    said(&Value::Map(vec![order]))
}

#[test]
fn an_order_that_is_none_ends_the_worker_with_a_word() {
    told(&[]).unwrap();
    told(&[begin()]).unwrap();
    for orders in [vec![begin(), without_work()], vec![without_work()]] {
        let refused = told(&orders).unwrap_err().to_string();
        assert!(
            refused.contains("the pipe from the run") && refused.contains("missing field `work`"),
            "{refused}"
        );
    }
}
