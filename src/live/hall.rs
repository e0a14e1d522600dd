//! What the connections of a server share: cards of the list, and the networks of runs that someone looks at.

use super::card::{Card, Followed};
use super::library::Library;
use super::trial::Networks;
use crate::run::{RunError, Source};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many runs keep their networks at hand.
const MOST_OPEN: usize = 8;

/// How old the list of runs may be.
const FRESH: Duration = Duration::from_millis(400);

/// What connections share.
pub struct Hall {
    library: Box<dyn Library>,
    cards: Mutex<Cards>,
    open: Mutex<Vec<(String, Arc<Mutex<Networks>>)>>,
}

#[derive(Default)]
struct Cards {
    followed: BTreeMap<String, Followed>,
    looked: Option<Instant>,
    trouble: String,
}

impl Hall {
    /// The hall of a library.
    pub fn new(library: Box<dyn Library>) -> Self {
        Self {
            library,
            cards: Mutex::default(),
            open: Mutex::default(),
        }
    }

    /// The card of every run, at most [`FRESH`] old; and what keeps them from being so, else nothing.
    pub fn cards(&self) -> (Vec<Card>, String) {
        let mut cards = lock(&self.cards);
        if cards.looked.is_none_or(|looked| looked.elapsed() > FRESH) {
            cards.trouble = match self.library.names() {
                Ok(names) => {
                    self.look(&mut cards.followed, &names);
                    String::new()
                }
                Err(error) => error.to_string(),
            };
            cards.looked = Some(Instant::now());
        }
        let followed = cards.followed.values();
        let shown = followed.map(|followed| followed.card.clone()).collect();
        (shown, cards.trouble.clone())
    }

    fn look(&self, followed: &mut BTreeMap<String, Followed>, names: &[String]) {
        followed.retain(|name, _| names.binary_search(name).is_ok());
        for name in names {
            if !followed.contains_key(name)
                && let Some(source) = self.library.open(name)
            {
                followed.insert(name.clone(), Followed::new(name, source));
            }
        }
        followed.values_mut().for_each(Followed::catch_up);
    }

    /// A run from its beginning; nothing if there is none of this name.
    pub fn source(&self, name: &str) -> Option<Box<dyn Source>> {
        self.library.open(name)
    }

    /// What `ask` wants to know of a run's networks, which are up to date; nothing if there is no such run.
    pub fn of_networks<T>(
        &self,
        name: &str,
        ask: impl FnOnce(&Networks) -> T,
    ) -> Option<Result<T, RunError>> {
        let source = self.source(name)?;
        Some(self.networks(name, source).and_then(|networks| {
            let mut networks = lock(&networks);
            if !networks.catch_up()? {
                networks.restart()?;
            }
            Ok(ask(&networks))
        }))
    }

    fn networks(
        &self,
        name: &str,
        source: Box<dyn Source>,
    ) -> Result<Arc<Mutex<Networks>>, RunError> {
        let mut open = lock(&self.open);
        if let Some(at) = open.iter().position(|(known, _)| known == name) {
            let entry = open.remove(at);
            let networks = Arc::clone(&entry.1);
            open.push(entry);
            return Ok(networks);
        }
        let networks = Arc::new(Mutex::new(Networks::open(source)?));
        if open.len() >= MOST_OPEN {
            open.remove(0);
        }
        open.push((name.to_owned(), Arc::clone(&networks)));
        Ok(networks)
    }
}

/// What a connection that panicked leaves is still sound: every change is taken in whole at the next look.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
