//! The live page's server, asked as a browser asks.

use crate::run::fixture::{self, Bench, EXPERIMENT, Fake};
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use strata::live::{RunsFolder, Server};

/// Serves a folder of runs from another thread, until the test's process ends.
pub fn serve(runs: &Path) -> String {
    let library = Box::new(RunsFolder::new(runs));
    let server = Server::bind(library, "127.0.0.1", 0).unwrap();
    assert!(!server.is_public());
    let url = server.url();
    std::thread::spawn(|| server.run());
    url.trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned()
}

/// An answer: its status, its head in lower case, and the rest of the connection.
struct Answer {
    status: u16,
    head: String,
    body: BufReader<TcpStream>,
}

fn ask(address: &str, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut body = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(body.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_lowercase(),
        body,
    }
}

fn get_with(address: &str, path: &str, headers: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
    ask(address, &request)
}

/// An answer as a whole: its status, its head in lower case, its body.
pub fn get(address: &str, path: &str) -> (u16, String, String) {
    let mut answer = get_with(address, path, "Connection: close\r\n");
    let mut text = String::new();
    answer.body.read_to_string(&mut text).unwrap();
    (answer.status, answer.head, text)
}

/// A stream of events, in pieces as they come.
pub struct Events(BufReader<TcpStream>);

impl Events {
    /// Those of a run.
    pub fn of(address: &str, run: &str, headers: &str) -> Self {
        let answer = get_with(address, &format!("/runs/{run}/events"), headers);
        assert_eq!(answer.status, 200);
        assert!(answer.head.contains("text/event-stream"), "{}", answer.head);
        Self(answer.body)
    }

    /// Those of the list of runs.
    pub fn of_list(address: &str) -> Self {
        Self(get_with(address, "/runs", "").body)
    }

    /// The next event that is not a sign of life: its name, its id and its data.
    pub fn next(&mut self) -> (String, String, Value) {
        let (mut name, mut id, mut data) = (String::new(), String::new(), String::new());
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the stream ended");
            let line = line.trim_end();
            let field = |key: &str| line.strip_prefix(key).map(|value| value.trim().to_owned());
            if let Some(value) = field("event:") {
                name = value;
            } else if let Some(value) = field("id:") {
                id = value;
            } else if let Some(value) = field("data:") {
                data = value;
            } else if line.is_empty() && !name.is_empty() && !data.is_empty() {
                return (name, id, serde_json::from_str(&data).unwrap());
            }
        }
    }

    /// Everything up to the event `last`: the names of the others, and the kinds of entries in order.
    pub fn until(&mut self, last: &str) -> (Vec<String>, Vec<String>) {
        let (mut names, mut kinds) = (Vec::new(), Vec::new());
        loop {
            let (name, _, data) = self.next();
            if name == last {
                return (names, kinds);
            }
            if name == "entries" {
                kinds.extend(data.as_array().unwrap().iter().map(kind));
            }
            names.push(name);
        }
    }

    /// The kinds of further entries, up to the first of `last`.
    fn entries_until(&mut self, last: &str) -> Vec<String> {
        let mut kinds: Vec<String> = Vec::new();
        while kinds.last().is_none_or(|kind| kind != last) {
            let (name, _, data) = self.next();
            assert!(name == "entries" || name == "level", "{name}: {data}");
            if name == "entries" {
                kinds.extend(data.as_array().unwrap().iter().map(kind));
            }
        }
        kinds
    }
}

/// What an entry is about.
pub fn kind(entry: &Value) -> String {
    let what = &entry["what"];
    match what.as_object() {
        Some(fields) => fields.keys().next().unwrap().clone(),
        None => what.as_str().unwrap().to_owned(),
    }
}

fn finished() -> Bench {
    let bench = Bench::new(EXPERIMENT);
    bench.start(&Fake::default(), 2).unwrap();
    bench
}

#[test]
fn every_file_of_the_page_is_there_and_none_is_loaded_from_elsewhere() {
    let bench = finished();
    let address = serve(&bench.runs());
    let (status, head, page) = get(&address, "/");
    assert_eq!(status, 200);
    assert!(head.contains("content-security-policy: default-src 'none'"));
    assert!(!head.contains("unsafe"), "{head}");
    assert!(head.contains("x-content-type-options: nosniff"));
    let mut waiting = vec![page];
    let mut seen = Vec::new();
    while let Some(text) = waiting.pop() {
        assert!(!text.contains("https://"), "{text}");
        for quoted in text.split(['"', '\'']) {
            let is_file = quoted.ends_with(".js") || quoted.ends_with(".css");
            let path = format!("/{}", quoted.trim_start_matches(['.', '/']));
            if is_file && !seen.contains(&path) {
                let (status, _, file) = get(&address, &path);
                assert_eq!(status, 200, "{path}");
                seen.push(path);
                waiting.push(file);
            }
        }
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
}

#[test]
fn nothing_but_reading_is_answered_and_no_name_leads_out_of_the_folder() {
    let bench = finished();
    std::fs::create_dir(bench.path().join("secret")).unwrap();
    std::fs::write(bench.path().join("secret/journal.jsonl"), "").unwrap();
    let address = serve(&bench.runs());
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let request = format!(
            "{method} /runs/tiny-1/events HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(ask(&address, &request).status, 405, "{method}");
    }
    for name in [
        "..%2Fsecret",
        "tiny-1%2F..%2Ftiny-1",
        "%2Fetc",
        "%00",
        "nothing",
    ] {
        for rest in ["events", "trials/0", "trials/0/drawing", "report"] {
            let (status, _, text) = get(&address, &format!("/runs/{name}/{rest}"));
            assert_eq!(status, 404, "{name}/{rest}: {text}");
        }
    }
    assert_eq!(get(&address, "/runs/../secret/events").0, 404);
    assert_eq!(get(&address, "/runs/tiny-1/trials/99").0, 404);
    assert_eq!(
        get(&address, "/runs/tiny-1/trials/18446744073709551615").0,
        404
    );
    assert_eq!(get(&address, "/runs/tiny-1/trials/x").0, 400);
    let elsewhere = "GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n";
    assert_eq!(ask(&address, elsewhere).status, 421);
}

#[test]
fn a_run_is_told_from_its_beginning_to_its_end() {
    let bench = finished();
    let address = serve(&bench.runs());
    let mut events = Events::of(&address, "tiny-1", "");
    let (_, kinds) = events.until("run");
    let (rest, _) = events.until("level");
    assert!(rest.is_empty(), "{rest:?}");
    let mut events = Events::of(&address, "tiny-1", "");
    let head = loop {
        let (name, _, data) = events.next();
        if name == "run" {
            break data;
        }
    };
    assert_eq!(head["name"], "tiny");
    assert_eq!(head["score_name"], "accuracy");
    assert_eq!(head["trials"], 20);
    let count = |wanted: &str| kinds.iter().filter(|kind| *kind == wanted).count();
    assert_eq!((count("proposed"), count("finished")), (20, 20));
    assert_eq!((count("retrained"), count("winner")), (4, 1));
    assert_eq!(
        (kinds[0].as_str(), kinds.last().unwrap().as_str()),
        ("started", "ended")
    );
}

#[test]
fn a_browser_that_comes_back_is_told_what_it_missed_and_no_more() {
    let bench = finished();
    let address = serve(&bench.runs());
    let mut events = Events::of(&address, "tiny-1", "");
    let id = loop {
        let (name, id, _) = events.next();
        if name == "entries" {
            break id;
        }
    };
    let (begun, last) = id.split_once('-').unwrap();
    let last: u64 = last.parse().unwrap();
    let header = format!("Last-Event-ID: {begun}-{}\r\n", last - 2);
    let (names, kinds) = Events::of(&address, "tiny-1", &header).until("level");
    assert_eq!(kinds.len(), 2);
    assert!(!names.contains(&"restart".to_owned()));
    let header = format!("Last-Event-ID: 1-{}\r\n", last - 2);
    let (names, kinds) = Events::of(&address, "tiny-1", &header).until("level");
    assert_eq!(names[0], "restart", "it saw another run");
    assert_eq!(kinds.len() as u64, last + 1);
}

#[test]
fn a_run_that_is_killed_and_resumed_goes_on_under_the_page() {
    let bench = finished();
    let whole = bench.runs().join("tiny-1");
    let journal = std::fs::read(whole.join("journal.jsonl")).unwrap();
    let runs = bench.path().join("other");
    let folder = runs.join("tiny-1");
    // Killed in the middle of a line.
    fixture::copy_cut(&whole, &folder, journal.len() / 3);
    let address = serve(&runs);
    let mut events = Events::of(&address, "tiny-1", "");
    let (_, mut kinds) = events.until("level");
    fixture::resume(&folder, &Fake::default(), 2).unwrap();
    kinds.extend(events.entries_until("ended"));
    let mut uninterrupted = Events::of(&serve(&bench.runs()), "tiny-1", "");
    let (_, expected) = uninterrupted.until("level");
    let finals = |kind: &&String| *kind != "retrained";
    assert_eq!(
        kinds.iter().filter(finals).collect::<Vec<_>>(),
        expected.iter().filter(finals).collect::<Vec<_>>()
    );
    assert_eq!(kinds.len(), expected.len());
    let mut list = Events::of_list(&address);
    let (name, _, cards) = list.next();
    assert_eq!(name, "runs");
    assert_eq!(cards["names"], serde_json::json!(["tiny-1"]));
    assert_eq!(cards["changed"][0]["phase"], "completed");
    assert_eq!(cards["changed"][0]["trials"], 20);
}

#[test]
fn another_run_of_the_same_name_begins_the_page_anew_and_damage_is_told() {
    let bench = finished();
    let address = serve(&bench.runs());
    let mut events = Events::of(&address, "tiny-1", "");
    events.until("level");
    let path = bench.runs().join("tiny-1/journal.jsonl");
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"nonsense\n").unwrap();
    let (name, _, trouble) = events.next();
    assert_eq!(name, "trouble");
    assert!(
        trouble.as_str().unwrap().contains("journal.jsonl"),
        "{trouble}"
    );
    std::fs::remove_dir_all(bench.runs()).unwrap();
    bench.start(&Fake::default(), 2).unwrap();
    let (names, mut kinds) = events.until("run");
    assert!(names.contains(&"restart".to_owned()), "{names:?}");
    assert_eq!(kinds[0], "started");
    if kinds.last().is_none_or(|kind| kind != "ended") {
        kinds = events.entries_until("ended");
    }
    assert_eq!(kinds.last().unwrap(), "ended");
}

#[test]
fn a_trial_is_shown_with_its_network_and_its_curve() {
    let bench = finished();
    let address = serve(&bench.runs());
    let (status, head, text) = get(&address, "/runs/tiny-1/trials/3");
    assert_eq!(status, 200, "{text}");
    assert!(head.contains("application/json"));
    let json = text.lines().find(|line| line.starts_with('{')).unwrap();
    let sheet: Value = serde_json::from_str(json).unwrap();
    assert_eq!(sheet["curve"].as_array().unwrap().len(), 2);
    assert!(sheet["text"].as_str().unwrap().contains("linear"));
    assert!(!sheet["decisions"].as_array().unwrap().is_empty());
    let (status, head, svg) = get(&address, "/runs/tiny-1/trials/3/drawing");
    assert_eq!(status, 200);
    assert!(head.contains("image/svg+xml") && svg.contains("<svg"));
    let (status, head, report) = get(&address, "/runs/tiny-1/report");
    assert_eq!(status, 200);
    assert!(head.contains("default-src 'none'; script-src 'unsafe-inline'"));
    assert!(report.contains("Written by strata"));
}
