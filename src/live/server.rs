//! The server: what is answered to which address.

use super::hall::Hall;
use super::http::{self, Answer, Request, Status};
use super::library::Library;
use super::stream::{self, Out};
use crate::report;
use crate::run::RunError;
use crate::search::TrialId;
use serde::Serialize;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The most connections that are answered at a time; a page keeps one.
const MOST_CONNECTIONS: usize = 256;

/// How long after a connection could not be taken the next is.
const BREATH: Duration = Duration::from_millis(50);

/// The files of the page: address, kind, content.
const FILES: [(&str, &str, &str); 9] = [
    (
        "",
        "text/html; charset=utf-8",
        include_str!("page/live.html"),
    ),
    (
        "live.css",
        "text/css; charset=utf-8",
        include_str!("page/live.css"),
    ),
    ("report.css", "text/css; charset=utf-8", report::STYLE),
    ("live.js", JAVASCRIPT, include_str!("page/live.js")),
    ("plot.js", JAVASCRIPT, include_str!("page/plot.js")),
    ("run.js", JAVASCRIPT, include_str!("page/run.js")),
    ("sheet.js", JAVASCRIPT, include_str!("page/sheet.js")),
    ("table.js", JAVASCRIPT, include_str!("page/table.js")),
    ("words.js", JAVASCRIPT, include_str!("page/words.js")),
];

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// A server that has its address and waits to be run.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    hall: Hall,
}

impl Server {
    /// Takes an address; port 0 is any that is free.
    ///
    /// # Errors
    /// When the host is not one of this machine, or the port is taken.
    pub fn bind(library: Box<dyn Library>, host: &str, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((host, port))?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            hall: Hall::new(library),
        })
    }

    /// What a browser opens.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Whether other machines can reach it.
    pub fn is_public(&self) -> bool {
        !self.address.ip().is_loopback()
    }

    /// Answers until the process ends: each connection in a thread of its own.
    pub fn run(self) -> ! {
        let public = self.is_public();
        let hall = Arc::new(self.hall);
        let open = Arc::new(AtomicUsize::new(0));
        loop {
            let Ok((mut stream, _)) = self.listener.accept() else {
                // Out of files, or the browser was gone before it was heard.
                std::thread::sleep(BREATH);
                continue;
            };
            let counted = Counted::one_of(&open);
            if counted.number > MOST_CONNECTIONS {
                let busy = Answer::refusal(Status::Busy, "too many pages are open");
                let _ = busy.send(&mut stream);
                continue;
            }
            let hall = Arc::clone(&hall);
            // A browser that has gone needs no answer, and one that no thread is left for has to come again.
            let _ = std::thread::Builder::new().spawn(move || {
                let _counted = counted;
                let _ = converse(stream, &hall, public);
            });
        }
    }
}

/// An open connection, which counts until its thread ends in whatever way.
struct Counted {
    open: Arc<AtomicUsize>,
    number: usize,
}

impl Counted {
    fn one_of(open: &Arc<AtomicUsize>) -> Self {
        Self {
            open: Arc::clone(open),
            number: open.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Reads a request and answers it.
fn converse(mut stream: TcpStream, hall: &Hall, public: bool) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let request = match http::receive(&mut stream)? {
        Ok(request) => request,
        Err(refusal) => return refusal.send(&mut stream),
    };
    if !public && !http::is_loopback(request.host.as_deref()) {
        let message =
            "this server answers to localhost; start it with --host to reach it by another name";
        return Answer::refusal(Status::WrongHost, message).send(&mut stream);
    }
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match path[..] {
        ["runs"] => {
            http::begin_events(&mut stream)?;
            stream::cards(hall, &mut Out::new(stream))
        }
        ["runs", name, "events"] => match hall.source(name) {
            Some(source) => {
                http::begin_events(&mut stream)?;
                let last = request.last_event.as_deref();
                stream::entries(source, last, &mut Out::new(stream))
            }
            None => no_run(name).send(&mut stream),
        },
        _ => whole(&request, hall).send(&mut stream),
    }
}

/// The answer to what is no stream.
fn whole(request: &Request, hall: &Hall) -> Answer {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match path[..] {
        [] => file(""),
        [name] => file(name),
        ["runs", name, "report"] => match hall.source(name) {
            Some(source) => page(source.run().and_then(|run| report::run_page(&run))),
            None => no_run(name),
        },
        ["runs", name, "trials", trial] => of_trial(hall, name, trial, |networks, trial| {
            networks.sheet(trial).map(|sheet| json(&sheet))
        }),
        ["runs", name, "trials", trial, "drawing"] => {
            of_trial(hall, name, trial, |networks, trial| {
                let svg = networks.drawing(trial)?;
                Some(Answer::of("image/svg+xml", svg))
            })
        }
        _ => Answer::refusal(Status::NotFound, "there is nothing here"),
    }
}

fn file(name: &str) -> Answer {
    match FILES.iter().find(|(address, ..)| *address == name) {
        Some((_, kind, content)) => Answer::of(kind, *content),
        None => Answer::refusal(Status::NotFound, "there is nothing here"),
    }
}

fn page(written: Result<String, RunError>) -> Answer {
    match written {
        Ok(text) => Answer {
            policy: http::REPORT,
            ..Answer::of("text/html; charset=utf-8", text)
        },
        Err(error) => Answer::refusal(Status::Failed, &error.to_string()),
    }
}

fn of_trial(
    hall: &Hall,
    name: &str,
    trial: &str,
    ask: impl FnOnce(&super::trial::Networks, TrialId) -> Option<Answer>,
) -> Answer {
    let Ok(number) = trial.parse() else {
        return Answer::refusal(Status::BadRequest, &format!("`{trial}` is no trial"));
    };
    match hall.of_networks(name, |networks| ask(networks, TrialId(number))) {
        None => no_run(name),
        Some(Ok(Some(answer))) => answer,
        Some(Ok(None)) => Answer::refusal(Status::NotFound, &format!("there is no trial {number}")),
        Some(Err(error)) => Answer::refusal(Status::Failed, &error.to_string()),
    }
}

fn json(value: &impl Serialize) -> Answer {
    let text = serde_json::to_string(value).expect("what is told is plain data");
    Answer::of("application/json", text)
}

fn no_run(name: &str) -> Answer {
    Answer::refusal(Status::NotFound, &format!("there is no run `{name}`"))
}
