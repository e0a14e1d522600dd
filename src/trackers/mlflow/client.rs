//! As much of MLflow's REST API (2.0) as a tracker needs.

use crate::trackers::calendar::millis;
use crate::trackers::error::TrackError;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most of each that one request logs: 1000 together are allowed.
const MOST_METRICS: usize = 900;
const MOST_PARAMS: usize = 100;

/// The longest name and value.
const MOST_NAME: usize = 250;
const MOST_VALUE: usize = 5000;

/// How many runs one answer lists.
const PAGE: u32 = 1000;

/// A server that is asked.
pub struct Client {
    agent: ureq::Agent,
    server: String,
    authorization: Option<String>,
}

/// A name with a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    key: String,
    value: String,
}

/// A number under a name, at a moment and a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metric {
    key: String,
    value: f64,
    timestamp: i64,
    step: i64,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Running,
    Finished,
    Failed,
}

/// A run that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub id: String,
    pub status: String,
    tags: Vec<(String, String)>,
}

impl Found {
    pub fn tag(&self, name: &str) -> Option<&str> {
        let tag = self.tags.iter().find(|(key, _)| key == name)?;
        Some(&tag.1)
    }

    fn of(run: &Value) -> Option<Self> {
        let tags = run["data"]["tags"].as_array().into_iter().flatten();
        let tag = |tag: &Value| {
            let (key, value) = (tag["key"].as_str()?, tag["value"].as_str()?);
            Some((key.to_owned(), value.to_owned()))
        };
        Some(Self {
            id: run["info"]["run_id"].as_str()?.to_owned(),
            status: run["info"]["status"].as_str()?.to_owned(),
            tags: tags.filter_map(tag).collect(),
        })
    }
}

impl Pair {
    pub fn new(key: &str, value: &str) -> Self {
        Self {
            key: allowed(key),
            value: cut(value, MOST_VALUE).to_owned(),
        }
    }
}

impl Metric {
    pub fn new(key: &str, value: f64, at: f64, step: i64) -> Self {
        Self {
            key: allowed(key),
            value,
            timestamp: millis(at),
            step,
        }
    }
}

impl Client {
    pub fn new(server: &str, token: Option<&str>) -> Result<Self, TrackError> {
        let server = server.trim_end_matches('/').to_owned();
        if !server.starts_with("http://") && !server.starts_with("https://") {
            let message =
                "an MLflow server has an address such as http://127.0.0.1:5000".to_owned();
            return Err(TrackError::Server { server, message });
        }
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            server,
            authorization: token.map(|token| format!("Bearer {token}")),
        })
    }

    /// The experiment of this name, which is made if there is none: its id.
    pub fn experiment(&self, name: &str) -> Result<String, TrackError> {
        let filter = format!("name = '{}'", name.replace('\'', ""));
        let search = json!({"filter": filter, "max_results": 1, "view_type": "ACTIVE_ONLY"});
        let found = self.ask("experiments/search", &search)?;
        let found = &found["experiments"][0]["experiment_id"];
        match found.as_str() {
            Some(id) => Ok(id.to_owned()),
            None => {
                let made = self.ask("experiments/create", &json!({"name": name}))?;
                self.text(&made["experiment_id"], "experiment")
            }
        }
    }

    /// The runs of an experiment whose tag `name` is `value`.
    pub fn find(
        &self,
        experiment: &str,
        name: &str,
        value: &str,
    ) -> Result<Vec<Found>, TrackError> {
        let filter = format!("tags.`{name}` = '{}'", value.replace('\'', ""));
        let (mut found, mut token) = (Vec::new(), None::<String>);
        loop {
            let mut search =
                json!({"experiment_ids": [experiment], "filter": filter, "max_results": PAGE});
            if let Some(token) = token {
                search["page_token"] = token.into();
            }
            let answer = self.ask("runs/search", &search)?;
            let runs = answer["runs"].as_array().into_iter().flatten();
            found.extend(runs.filter_map(Found::of));
            token = answer["next_page_token"].as_str().map(str::to_owned);
            if token.as_ref().is_none_or(String::is_empty) {
                return Ok(found);
            }
        }
    }

    /// A new run: its id.
    pub fn create(
        &self,
        experiment: &str,
        name: &str,
        at: f64,
        tags: Vec<Pair>,
    ) -> Result<String, TrackError> {
        let run = json!({
            "experiment_id": experiment,
            "run_name": name,
            "start_time": millis(at),
            "tags": tags,
        });
        let made = self.ask("runs/create", &run)?;
        self.text(&made["run"]["info"]["run_id"], "run")
    }

    /// Adds to a run; numbers that are none are left out.
    pub fn log(&self, run: &str, metrics: &[Metric], params: Vec<Pair>) -> Result<(), TrackError> {
        let finite: Vec<&Metric> = metrics
            .iter()
            .filter(|metric| metric.value.is_finite())
            .collect();
        let (mut metrics, mut params) = (finite.chunks(MOST_METRICS), params.chunks(MOST_PARAMS));
        loop {
            let (metrics, params) = (metrics.next(), params.next());
            if metrics.is_none() && params.is_none() {
                break;
            }
            let batch = json!({
                "run_id": run,
                "metrics": metrics.unwrap_or_default(),
                "params": params.unwrap_or_default(),
            });
            self.ask("runs/log-batch", &batch)?;
        }
        Ok(())
    }

    pub fn tag(&self, run: &str, name: &str, value: &str) -> Result<(), TrackError> {
        let Pair { key, value } = Pair::new(name, value);
        let tag = json!({"run_id": run, "key": key, "value": value});
        self.ask("runs/set-tag", &tag).map(drop)
    }

    pub fn update(&self, run: &str, status: Status, end: Option<f64>) -> Result<(), TrackError> {
        let mut update = json!({"run_id": run, "status": status});
        if let Some(end) = end {
            update["end_time"] = millis(end).into();
        }
        self.ask("runs/update", &update).map(drop)
    }

    fn ask(&self, what: &str, body: &Value) -> Result<Value, TrackError> {
        let url = format!("{}/api/2.0/mlflow/{what}", self.server);
        let mut request = self
            .agent
            .post(url)
            .header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let mut response = request
            .send(body.to_string())
            .map_err(|error| self.failed(&error.to_string()))?;
        let status = response.status();
        let text = response
            .body_mut()
            .read_to_string()
            .map_err(|error| self.failed(&error.to_string()))?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let message = answer["message"].as_str().unwrap_or("it says no more");
        let message = cut(message, 300);
        Err(self.failed(&format!("{what} was answered with {status}: {message}")))
    }

    fn text(&self, value: &Value, what: &str) -> Result<String, TrackError> {
        let text = value.as_str().map(str::to_owned);
        text.ok_or_else(|| {
            self.failed(&format!(
                "the answer names no {what}; is this an MLflow server?"
            ))
        })
    }

    fn failed(&self, message: &str) -> TrackError {
        TrackError::Server {
            server: self.server.clone(),
            message: message.to_owned(),
        }
    }
}

/// A name with what MLflow allows in names.
fn allowed(name: &str) -> String {
    let letter = |letter: char| match letter {
        '/' | '_' | '-' | '.' | ' ' | ':' => letter,
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '_',
    };
    cut(&name.chars().map(letter).collect::<String>(), MOST_NAME).to_owned()
}

/// As much of a text as fits, in whole characters.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_what_is_allowed_and_fit() {
        let key = "network[0]/conv2d(16 | 32)";
        assert_eq!(Pair::new(key, "é").key, "network_0_/conv2d_16 _ 32_");
        assert_eq!(allowed(&"a".repeat(300)).len(), MOST_NAME);
        assert_eq!(cut("aé", 2), "a");
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        let refused = Client::new("localhost:5000", None);
        let message = refused.err().unwrap().to_string();
        assert!(message.contains("http://127.0.0.1:5000"), "{message}");
    }
}
