//! Streams of server-sent events: the list of runs, and what is appended to a journal.

use super::card::Card;
use super::hall::Hall;
use super::told::{Head, Told};
use crate::run::journal::Entry;
use crate::run::{News, RunError, Source};
use serde::Serialize;
use std::io::{self, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long is waited before a source is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// How long after it failed.
const LONG_PAUSE: Duration = Duration::from_secs(1);

/// How long nothing is sent before a sign of life is, which shows whether the browser is still there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// A browser that listens.
pub struct Out {
    stream: TcpStream,
    last: Instant,
}

impl Out {
    /// A connection whose head has been sent.
    pub fn new(stream: TcpStream) -> Self {
        let last = Instant::now();
        Self { stream, last }
    }

    fn send(&mut self, name: &str, id: Option<&str>, data: &impl Serialize) -> io::Result<()> {
        let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
        let data = serde_json::to_string(data).expect("what is told is plain data");
        let event = format!("event: {name}\n{id}data: {data}\n\n");
        self.last = Instant::now();
        self.stream.write_all(event.as_bytes())
    }

    fn pause(&mut self, time: Duration) -> io::Result<()> {
        if self.last.elapsed() > SIGN_OF_LIFE {
            self.last = Instant::now();
            self.stream.write_all(b":\n\n")?;
        }
        std::thread::sleep(time);
        Ok(())
    }
}

/// Sends the cards of all runs: at first and whenever one changes, those that changed, and the names of all. Before
/// that, why they can't be brought up to date, if that has changed.
///
/// # Errors
/// When the browser has gone.
pub fn cards(hall: &Hall, out: &mut Out) -> io::Result<()> {
    #[derive(Serialize)]
    struct Update<'a> {
        names: Vec<&'a str>,
        changed: Vec<&'a Card>,
    }
    let mut sent: Option<Vec<Card>> = None;
    let mut told = String::new();
    loop {
        let (cards, trouble) = hall.cards();
        if trouble != told {
            out.send("trouble", None, &trouble)?;
            told = trouble;
        }
        if sent.as_ref() != Some(&cards) {
            let known = sent.unwrap_or_default();
            let is_new = |card: &&Card| {
                let at = known.binary_search_by(|known| known.name.cmp(&card.name));
                at.map_or(true, |at| known[at] != **card)
            };
            let update = Update {
                names: cards.iter().map(|card| card.name.as_str()).collect(),
                changed: cards.iter().filter(is_new).collect(),
            };
            out.send("runs", None, &update)?;
            sent = Some(cards);
        }
        out.pause(PAUSE * 2)?;
    }
}

/// Sends what a journal holds and what is appended to it, after the event that the browser has seen last.
///
/// `run` says what the run was started with, `entries` what happened, `level` that everything written so far has
/// been sent, `restart` that what was sent does not count, `trouble` why nothing can be read; empty: it can be again.
///
/// # Errors
/// When the browser has gone.
pub fn entries(mut source: Box<dyn Source>, last: Option<&str>, out: &mut Out) -> io::Result<()> {
    let mut tail = Tail {
        out,
        seen: last.and_then(Seen::parse),
        begun: 0,
        level: false,
        standing: String::new(),
        trouble: String::new(),
    };
    loop {
        let pause = tail.look(source.as_mut())?;
        if let Some(pause) = pause {
            tail.out.pause(pause)?;
        }
    }
}

/// The last entry that a browser has: when its run was begun, in milliseconds, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    begun: u64,
    seq: u64,
}

impl Seen {
    fn parse(id: &str) -> Option<Self> {
        let (begun, seq) = id.split_once('-')?;
        Some(Self {
            begun: begun.parse().ok()?,
            seq: seq.parse().ok()?,
        })
    }
}

/// A journal as far as it was sent.
struct Tail<'a> {
    out: &'a mut Out,
    seen: Option<Seen>,
    begun: u64,
    level: bool,
    /// What is wrong with the run's texts.
    standing: String,
    /// What was last told to be wrong.
    trouble: String,
}

impl Tail<'_> {
    /// Asks the source once and sends what is new; how long to wait if nothing is.
    fn look(&mut self, source: &mut dyn Source) -> io::Result<Option<Duration>> {
        let mut pause = None;
        let mut trouble = None;
        match source.more() {
            Ok(News::Entries(entries)) if entries.is_empty() => {
                if !std::mem::replace(&mut self.level, true) {
                    self.out.send("level", None, &())?;
                }
                pause = Some(PAUSE);
            }
            Ok(News::Entries(entries)) => {
                let first = entries.first().filter(|entry| entry.seq == 0);
                if let Some(first) = first {
                    self.begin(first)?;
                }
                self.send(&entries)?;
                // The space of a run may take a while to understand; what happened need not wait for it.
                if first.is_some() {
                    self.head(source.run().and_then(|run| Head::of(&run)))?;
                }
            }
            Ok(News::Restarted) => self.restart()?,
            Err(error) => {
                trouble = Some(error.to_string());
                pause = Some(LONG_PAUSE);
            }
        }
        let trouble = trouble.unwrap_or_else(|| self.standing.clone());
        if trouble != self.trouble {
            self.out.send("trouble", None, &trouble)?;
            self.trouble = trouble;
        }
        Ok(pause)
    }

    fn begin(&mut self, first: &Entry) -> io::Result<()> {
        self.begun = (first.at * 1e3) as u64;
        match self.seen.filter(|seen| seen.begun != self.begun) {
            Some(_) => self.restart(),
            None => Ok(()),
        }
    }

    fn head(&mut self, head: Result<Head, RunError>) -> io::Result<()> {
        match head {
            Ok(head) => self.out.send("run", None, &head),
            Err(error) => {
                self.standing = error.to_string();
                Ok(())
            }
        }
    }

    fn restart(&mut self) -> io::Result<()> {
        (self.seen, self.level) = (None, false);
        self.standing.clear();
        self.out.send("restart", None, &())
    }

    fn send(&mut self, entries: &[Entry]) -> io::Result<()> {
        let seen = self.seen;
        let new = |entry: &&Entry| seen.is_none_or(|seen| entry.seq > seen.seq);
        let told: Vec<Told> = entries.iter().filter(new).map(Told::of).collect();
        match entries.last().filter(|_| !told.is_empty()) {
            Some(last) => {
                let id = format!("{}-{}", self.begun, last.seq);
                self.out.send("entries", Some(&id), &told)
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_says_it_has_seen_is_read_with_care() {
        let seen = Seen { begun: 17, seq: 4 };
        assert_eq!(Seen::parse("17-4"), Some(seen));
        for id in ["", "17", "-", "17-", "a-4", "17-4-4", "-1--1"] {
            assert_eq!(Seen::parse(id), None, "{id}");
        }
    }
}
