//! What is still to be walked, as interned lists: equal futures are one number.

use crate::space::program::BodyIx;
use crate::space::transfer::{Point, StateId};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// An interned continuation: a frame and the continuation after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ContId(u32);

/// An interned address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PathId(u32);

/// An interned map from shared bodies to where their decisions are addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ScopesId(u32);

/// One thing that is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Frame {
    /// The walk is over.
    End,
    /// The walk of a shared body by itself is over.
    Stop,
    /// Walk this point, with its decisions below this address.
    Go(Point, PathId),
    /// Put what came out of a guard, call or loop back into the whole state.
    Unfocus(Point, StateId),
    /// A shared body has been walked for all of its uses: go on from this state.
    Settled(BodyIx, StateId),
}

/// Where a walk is: what comes next, and what arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub cont: ContId,
    pub state: StateId,
    pub scopes: ScopesId,
}

type Scopes = Vec<(BodyIx, PathId)>;

/// Every continuation, address and scope that walks have met.
#[derive(Debug, Default)]
pub(super) struct Continuations {
    frames: Vec<(Frame, Option<ContId>, bool)>,
    frame_ids: FxHashMap<(Frame, Option<ContId>), ContId>,
    paths: Vec<Arc<str>>,
    path_ids: FxHashMap<Arc<str>, PathId>,
    scopes: Vec<Scopes>,
    scope_ids: FxHashMap<Scopes, ScopesId>,
}

impl Continuations {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.frames.len() + self.paths.len() + self.scopes.len()
    }

    pub fn push(&mut self, frame: Frame, rest: Option<ContId>) -> ContId {
        if let Some(&known) = self.frame_ids.get(&(frame, rest)) {
            return known;
        }
        let id = ContId(number(self.frames.len()));
        let exact = matches!(frame, Frame::Settled(..) | Frame::Stop)
            || rest.is_some_and(|rest| self.is_exact(rest));
        self.frames.push((frame, rest, exact));
        self.frame_ids.insert((frame, rest), id);
        id
    }

    /// The first frame, and what comes after it unless it is an end.
    pub fn frame(&self, cont: ContId) -> (Frame, Option<ContId>) {
        let (frame, rest, _) = self.frames[cont.0 as usize];
        (frame, rest)
    }

    /// Whether this is inside of a shared body, whose results must come out as promised.
    pub fn is_exact(&self, cont: ContId) -> bool {
        self.frames[cont.0 as usize].2
    }

    /// The address of the whole.
    pub fn top(&mut self) -> PathId {
        self.path("")
    }

    /// The address `segment` below another.
    pub fn below(&mut self, path: PathId, segment: &str) -> PathId {
        if segment.is_empty() {
            return path;
        }
        let text = self.text(path);
        if text.is_empty() {
            self.path(segment)
        } else {
            self.path(&format!("{text}/{segment}"))
        }
    }

    pub fn text(&self, path: PathId) -> Arc<str> {
        Arc::clone(&self.paths[path.0 as usize])
    }

    fn path(&mut self, text: &str) -> PathId {
        if let Some(&known) = self.path_ids.get(text) {
            return known;
        }
        let id = PathId(number(self.paths.len()));
        let text: Arc<str> = Arc::from(text);
        self.paths.push(Arc::clone(&text));
        self.path_ids.insert(text, id);
        id
    }

    pub fn no_scopes(&mut self) -> ScopesId {
        self.scopes_id(Vec::new())
    }

    /// The shared body's decisions are addressed below its name at `path`.
    pub fn open(&mut self, scopes: ScopesId, body: BodyIx, path: PathId, name: &str) -> ScopesId {
        let there = self.below(path, name);
        let mut scopes = self.scopes[scopes.0 as usize].clone();
        scopes.push((body, there));
        self.scopes_id(scopes)
    }

    /// The innermost scope of the shared body ends.
    pub fn close(&mut self, scopes: ScopesId, body: BodyIx) -> ScopesId {
        let mut scopes = self.scopes[scopes.0 as usize].clone();
        if let Some(last) = scopes.iter().rposition(|(known, _)| *known == body) {
            scopes.remove(last);
        }
        self.scopes_id(scopes)
    }

    /// Where the shared body's decisions are addressed.
    pub fn scope(&mut self, scopes: ScopesId, body: BodyIx) -> PathId {
        let known = self.scopes[scopes.0 as usize].iter();
        let found = known.rev().find(|(known, _)| *known == body).copied();
        found.map_or_else(|| self.top(), |(_, path)| path)
    }

    fn scopes_id(&mut self, scopes: Scopes) -> ScopesId {
        if let Some(&known) = self.scope_ids.get(&scopes) {
            return known;
        }
        let id = ScopesId(number(self.scopes.len()));
        self.scopes.push(scopes.clone());
        self.scope_ids.insert(scopes, id);
        id
    }
}

fn number(len: usize) -> u32 {
    u32::try_from(len).expect("plans are made afresh long before")
}
