//! The digest of what is planned: equal for two plans exactly when they ask the same of the same networks.

use crate::random::Seed;
use crate::run::comparison::Plan;
use crate::run::experiment::Experiment;
use crate::run::files::sha256;
use serde::Serialize;
use serde_json::{Value, json};

/// Settings that change no result, or that say where something is. Texts and data count by their hashes.
const NO_PART: [(&str, &str); 10] = [
    ("", "name"),
    ("", "space"),
    ("data", "name"),
    ("data", "train"),
    ("data", "test"),
    ("search", "workers"),
    ("trial", "isolate"),
    ("trial", "memory_cap_mb"),
    ("trial", "retries"),
    ("final", "baselines"),
];

/// The texts of a space and of baselines, by their hashes.
#[derive(Clone, Copy, Debug)]
pub(in crate::run) struct TextHashes<'a> {
    pub space: &'a str,
    pub baselines: &'a [String],
}

/// The digest of one search and its final evaluation.
pub(in crate::run) fn of_search(experiment: &Experiment, texts: TextHashes<'_>) -> String {
    digest(&json!({
        "kind": "search",
        "experiment": bare(experiment),
        "space": texts.space,
        "baselines": texts.baselines,
    }))
}

/// The digest of a comparison. Searches have names for people, and roots of their seeds of their own or the
/// experiment's.
pub(in crate::run) fn of_comparison(plan: &Plan, texts: TextHashes<'_>) -> String {
    let mut experiment = bare(&plan.experiment);
    if let Value::Object(experiment) = &mut experiment {
        experiment.remove("search");
    }
    let root = |seed: Option<Seed>| seed.unwrap_or(plan.experiment.seed);
    let searches: Vec<Value> = plan
        .searches
        .iter()
        .map(|search| {
            let mut settings = plain(&search.settings);
            remove(&mut settings, "workers");
            json!({"settings": settings, "seed": root(search.seed)})
        })
        .collect();
    digest(&json!({
        "kind": "comparison",
        "experiment": experiment,
        "searches": searches,
        "search_seeds": plan.search_seeds,
        "retrain_seeds": plan.retrain_seeds,
        "random_networks": plan.random_networks,
        "space": texts.space,
        "baselines": texts.baselines,
    }))
}

/// An experiment without what changes no result.
fn bare(experiment: &Experiment) -> Value {
    let mut value = plain(experiment);
    for (section, key) in NO_PART {
        match section {
            "" => remove(&mut value, key),
            section => {
                if let Some(section) = value.get_mut(section) {
                    remove(section, key);
                }
            }
        }
    }
    value
}

fn remove(value: &mut Value, key: &str) {
    if let Value::Object(fields) = value {
        fields.remove(key);
    }
}

fn plain(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("settings are plain data")
}

/// The digest of a value in words, its keys in their order.
fn digest(value: &Value) -> String {
    let mut text = "strata plan 1\n".to_owned();
    write(value, &mut text);
    sha256(text.as_bytes())
}

/// Writes a value with the keys of objects in alphabetical order, whatever order they are kept in.
fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for key in keys {
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(&fields[key], text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for value in values {
                write(value, text);
                text.push(',');
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}
