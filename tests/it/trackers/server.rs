//! As much of an MLflow server as answers a tracker. `tests/trackers/check.py` asks a real one.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A run as the server has it.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub id: String,
    pub status: String,
    pub tags: BTreeMap<String, String>,
    pub params: BTreeMap<String, String>,
    /// The name of each number that was logged.
    pub metrics: Vec<String>,
}

#[derive(Default)]
struct State {
    experiment: Option<String>,
    runs: Vec<Run>,
    requests: usize,
}

/// A server in a thread of its own.
pub struct FakeServer {
    pub address: String,
    state: Arc<Mutex<State>>,
}

impl FakeServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || answer_all(stream.unwrap(), &shared));
            }
        });
        Self { address, state }
    }

    pub fn runs(&self) -> Vec<Run> {
        self.state.lock().unwrap().runs.clone()
    }

    pub fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }
}

fn answer_all(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let path = first.split(' ').nth(1).unwrap();
        let what = path.strip_prefix("/api/2.0/mlflow/").unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let answer = answer(what, &body, &mut state.lock().unwrap()).to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        writer.write_all((head + &answer).as_bytes()).unwrap();
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn pairs(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_array().into_iter().flatten();
    pairs
        .map(|pair| (text(&pair["key"]), text(&pair["value"])))
        .collect()
}

/// Whether a run has the tag of a filter such as ``tags.`name` = 'value'``.
fn fits(run: &Run, filter: &str) -> bool {
    let parts: Vec<&str> = filter.split(['`', '\'']).collect();
    let [_, name, _, value, _] = parts[..] else {
        panic!("{filter}");
    };
    run.tags.get(name).is_some_and(|found| found == value)
}

fn answer(what: &str, body: &Value, state: &mut State) -> Value {
    state.requests += 1;
    let id = body["run_id"].as_str().unwrap_or_default().to_owned();
    let run = state.runs.iter_mut().find(|run| run.id == id);
    match (what, run) {
        ("experiments/search", _) => match &state.experiment {
            Some(_) => json!({"experiments": [{"experiment_id": "1"}]}),
            None => json!({}),
        },
        ("experiments/create", _) => {
            state.experiment = Some(text(&body["name"]));
            json!({"experiment_id": "1"})
        }
        ("runs/search", _) => {
            let run = |run: &Run| {
                let tags = run.tags.iter();
                let tags: Vec<Value> = tags
                    .map(|(key, value)| json!({"key": key, "value": value}))
                    .collect();
                json!({"info": {"run_id": run.id, "status": run.status}, "data": {"tags": tags}})
            };
            let filter = text(&body["filter"]);
            let found = state.runs.iter().filter(|run| fits(run, &filter));
            json!({"runs": found.map(run).collect::<Vec<_>>()})
        }
        ("runs/create", _) => {
            assert_eq!(body["experiment_id"], "1");
            let id = format!("run-{}", state.runs.len());
            state.runs.push(Run {
                id: id.clone(),
                status: "RUNNING".to_owned(),
                tags: pairs(&body["tags"]),
                ..Run::default()
            });
            json!({"run": {"info": {"run_id": id}}})
        }
        ("runs/log-batch", Some(run)) => {
            run.params.extend(pairs(&body["params"]));
            let metrics = body["metrics"].as_array().into_iter().flatten();
            run.metrics
                .extend(metrics.map(|metric| text(&metric["key"])));
            json!({})
        }
        ("runs/set-tag", Some(run)) => {
            run.tags.insert(text(&body["key"]), text(&body["value"]));
            json!({})
        }
        ("runs/update", Some(run)) => {
            run.status = text(&body["status"]);
            json!({})
        }
        _ => panic!("{what} with {body}"),
    }
}
