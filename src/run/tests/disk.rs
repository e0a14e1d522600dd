//! A disk in memory that fails where it is told to, and that forgets what was never made safe.
//!
//! Content is safe once its file was synced, a name once its folder was. What is not may survive a
//! power cut in part: a prefix of the changes to a folder, and of a file any part of what was written
//! since, with zeros where it had made room. After a sync that failed, another does nothing for what was
//! written before, as on Linux.

use crate::random::Stream;
use crate::run::disk::{Disk, Log};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, MutexGuard};

/// What happens at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and may have happened in part.
    Error,
    /// It fails because the disk is full, and so does every write after it.
    Full,
    /// The process is killed; what the system holds in memory stays.
    Kill,
    /// The machine is cut off from its power.
    PowerCut,
}

/// A disk that is shared by those who use it.
#[derive(Clone, Debug)]
pub struct FaultyDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    nodes: Vec<Node>,
    locked: BTreeSet<usize>,
    operations: u64,
    plan: Option<(u64, Fault)>,
    full: bool,
    /// What ended this life, if anything did.
    ended: Option<Fault>,
    stream: Stream,
}

#[derive(Debug)]
enum Node {
    Folder(Folder),
    File(Content),
}

#[derive(Debug, Default)]
struct Folder {
    names: BTreeMap<OsString, usize>,
    safe: BTreeMap<OsString, usize>,
    /// What led from the safe names to the present ones.
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Put(OsString, usize),
    Rename(OsString, OsString),
    Remove(OsString),
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    safe: Vec<u8>,
    /// From which byte on `safe` may not be what is in `bytes`.
    dirty: Option<usize>,
}

const ROOT: usize = 0;

impl FaultyDisk {
    /// An empty disk, whose accidents are drawn from `stream`.
    pub fn new(stream: Stream) -> Self {
        Self(Arc::new(Mutex::new(State {
            nodes: vec![Node::Folder(Folder::default())],
            locked: BTreeSet::new(),
            operations: 0,
            plan: None,
            full: false,
            ended: None,
            stream,
        })))
    }

    /// Has `fault` happen at the operation after `operations` more.
    pub fn plan(&self, fault: Option<(u64, Fault)>) {
        let mut state = self.state();
        let now = state.operations;
        state.plan = fault.map(|(after, fault)| (now + after, fault));
    }

    /// How many operations there were.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Whether the process or the machine is dead.
    pub fn is_dead(&self) -> bool {
        self.state().ended.is_some()
    }

    /// The machine, and on it a process that knows nothing yet.
    pub fn restart(&self) {
        let mut state = self.state();
        if state.ended == Some(Fault::PowerCut) {
            state.forget();
        }
        state.locked.clear();
        (state.plan, state.full, state.ended) = (None, false, None);
    }

    /// Puts bytes into a file, safe and without a fault.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.state();
        let file = state.find(path).unwrap();
        let content = state.file(file);
        content.bytes = bytes.to_owned();
        content.safe = bytes.to_owned();
        content.dirty = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

/// Whether an operation is carried out, and what is said of it.
struct Verdict {
    happens: bool,
    said: io::Result<()>,
}

impl State {
    /// Counts an operation. `writes` tells those that need room.
    fn step(&mut self, writes: bool) -> Verdict {
        self.operations += 1;
        let off = || io::Error::other("the machine is off");
        if self.ended.is_some() {
            return Verdict {
                happens: false,
                said: Err(off()),
            };
        }
        let fault = self.plan.filter(|(at, _)| *at == self.operations);
        let error = match fault.map(|(_, fault)| fault) {
            None if writes && self.full => ErrorKind::StorageFull.into(),
            None => {
                return Verdict {
                    happens: true,
                    said: Ok(()),
                };
            }
            Some(Fault::Error) => io::Error::other("input/output error"),
            Some(Fault::Full) => {
                self.full = true;
                if !writes {
                    return Verdict {
                        happens: true,
                        said: Ok(()),
                    };
                }
                ErrorKind::StorageFull.into()
            }
            Some(end) => {
                self.ended = Some(end);
                off()
            }
        };
        Verdict {
            happens: self.stream.below(2) == 0,
            said: Err(error),
        }
    }

    fn alive(&self) -> io::Result<()> {
        match self.ended {
            None => Ok(()),
            Some(_) => Err(io::Error::other("the machine is off")),
        }
    }

    fn folder(&mut self, node: usize) -> io::Result<&mut Folder> {
        match &mut self.nodes[node] {
            Node::Folder(folder) => Ok(folder),
            Node::File(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn file(&mut self, node: usize) -> &mut Content {
        match &mut self.nodes[node] {
            Node::File(content) => content,
            Node::Folder(_) => panic!("a folder is no file"),
        }
    }

    fn find(&mut self, path: &Path) -> io::Result<usize> {
        let mut node = ROOT;
        for part in path.components() {
            if let Component::Normal(name) = part {
                let folder = self.folder(node)?;
                node = *folder.names.get(name).ok_or(ErrorKind::NotFound)?;
            }
        }
        Ok(node)
    }

    /// The folder that a path is in, and its name there.
    fn place(&mut self, path: &Path) -> io::Result<(usize, OsString)> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
        Ok((self.find(parent)?, name.to_owned()))
    }

    fn change(&mut self, folder: usize, change: Change) -> io::Result<()> {
        let folder = self.folder(folder)?;
        change.apply(&mut folder.names);
        folder.pending.push(change);
        Ok(())
    }

    fn add(&mut self, path: &Path, node: Node) -> io::Result<usize> {
        let (folder, name) = self.place(path)?;
        let new = self.nodes.len();
        self.nodes.push(node);
        self.change(folder, Change::Put(name, new))?;
        Ok(new)
    }

    /// A power cut: what was never made safe survives in part.
    fn forget(&mut self) {
        let Self { nodes, stream, .. } = self;
        for node in nodes {
            match node {
                Node::Folder(folder) => folder.forget(stream),
                Node::File(content) => content.forget(stream),
            }
        }
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<OsString, usize>) {
        match self {
            Self::Put(name, node) => {
                names.insert(name.clone(), *node);
            }
            Self::Rename(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

impl Folder {
    fn forget(&mut self, stream: &mut Stream) {
        let kept = stream.below(self.pending.len() as u64 + 1) as usize;
        for change in self.pending.drain(..).take(kept) {
            change.apply(&mut self.safe);
        }
        self.names = self.safe.clone();
    }

    fn sync(&mut self) {
        self.pending.clear();
        self.safe = self.names.clone();
    }
}

impl Content {
    fn touch(&mut self, from: usize) {
        self.dirty = Some(self.dirty.map_or(from, |dirty| dirty.min(from)));
    }

    fn append(&mut self, bytes: &[u8]) {
        self.touch(self.bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    fn sync(&mut self) {
        if let Some(from) = self.dirty.take() {
            let length = self.bytes.len();
            self.safe.resize(length, 0);
            let from = from.min(length);
            self.safe[from..].copy_from_slice(&self.bytes[from..]);
        }
    }

    fn forget(&mut self, stream: &mut Stream) {
        if let Some(from) = self.dirty.take() {
            let from = from.min(self.bytes.len());
            let new = self.bytes.len() - from;
            let kept = stream.below(new as u64 + 1) as usize;
            if stream.below(2) == 0 {
                // The new length is safe, and there are zeros where nothing was written yet.
                self.safe.resize(self.bytes.len(), 0);
            }
            let longest = self.safe.len().max(from + kept);
            self.safe.resize(longest, 0);
            let backwards = stream.below(4) == 0 && self.safe.len() == self.bytes.len();
            let range = if backwards {
                from + new - kept..from + new
            } else {
                from..from + kept
            };
            self.safe[range.clone()].copy_from_slice(&self.bytes[range]);
        }
        self.bytes = self.safe.clone();
    }
}

impl Disk for FaultyDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        state.alive()?;
        let node = state.find(path)?;
        match &state.nodes[node] {
            Node::File(content) => Ok(content.bytes.clone()),
            Node::Folder(_) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let verdict = state.step(true);
        let written = match (&verdict.said, verdict.happens) {
            (Ok(()), _) => content.len(),
            (Err(_), true) => state.stream.below(content.len() as u64 + 1) as usize,
            (Err(_), false) => return verdict.said,
        };
        let mut file = Content::default();
        file.append(&content[..written]);
        state.add(path, Node::File(file))?;
        verdict.said
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let verdict = state.step(false);
        if verdict.said.is_err() && state.ended.is_some() && !verdict.happens {
            return verdict.said;
        }
        let node = state.find(path)?;
        let content = state.file(node);
        if verdict.said.is_ok() || verdict.happens {
            content.sync();
        } else {
            content.dirty = None;
        }
        verdict.said
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let verdict = state.step(false);
        if verdict.happens {
            let (folder, name) = state.place(from)?;
            let (other, new) = state.place(to)?;
            assert_eq!(folder, other, "names change within a folder");
            state.change(folder, Change::Rename(name, new))?;
        }
        verdict.said
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let verdict = state.step(true);
        if verdict.happens {
            let parents: Vec<&Path> = path.ancestors().collect();
            for folder in parents.into_iter().rev() {
                if state.find(folder).is_err() {
                    state.add(folder, Node::Folder(Folder::default()))?;
                }
            }
        }
        verdict.said
    }

    fn create_new_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let verdict = state.step(true);
        if verdict.happens {
            if state.find(path).is_ok() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            state.add(path, Node::Folder(Folder::default()))?;
        }
        verdict.said
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let verdict = state.step(false);
        if verdict.happens {
            let node = state.find(path)?;
            state.folder(node)?.sync();
        }
        verdict.said
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let verdict = state.step(false);
        if verdict.happens {
            let (folder, name) = state.place(path)?;
            state.change(folder, Change::Remove(name))?;
        }
        verdict.said
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.remove(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let mut state = self.state();
        state.alive()?;
        let node = state.find(folder)?;
        Ok(state.folder(node)?.names.keys().cloned().collect())
    }

    fn exists(&self, path: &Path) -> bool {
        self.state().find(path).is_ok()
    }

    fn log(&self, path: &Path, new: bool) -> io::Result<Box<dyn Log>> {
        let mut state = self.state();
        let node = if new {
            let verdict = state.step(true);
            verdict.said?;
            state.add(path, Node::File(Content::default()))?
        } else {
            state.alive()?;
            state.find(path)?
        };
        if !state.locked.insert(node) {
            return Err(ErrorKind::WouldBlock.into());
        }
        let disk = self.clone();
        Ok(Box::new(OpenLog { disk, node }))
    }
}

/// A file of a [`FaultyDisk`] that is open.
#[derive(Debug)]
struct OpenLog {
    disk: FaultyDisk,
    node: usize,
}

impl Drop for OpenLog {
    fn drop(&mut self) {
        // A test that fails may have left the disk in any state.
        if let Ok(mut state) = self.disk.0.lock() {
            state.locked.remove(&self.node);
        }
    }
}

impl Log for OpenLog {
    fn reader(&mut self) -> io::Result<Box<dyn Read + '_>> {
        let mut state = self.disk.state();
        state.alive()?;
        Ok(Box::new(Cursor::new(state.file(self.node).bytes.clone())))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let verdict = state.step(true);
        let written = match (&verdict.said, verdict.happens) {
            (Ok(()), _) => bytes.len(),
            (Err(_), true) => state.stream.below(bytes.len() as u64 + 1) as usize,
            (Err(_), false) => 0,
        };
        state.file(self.node).append(&bytes[..written]);
        verdict.said
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        let verdict = state.step(false);
        let ended = state.ended.is_some();
        let content = state.file(self.node);
        if verdict.happens {
            content.sync();
        } else if !ended {
            content.dirty = None;
        }
        verdict.said
    }

    fn rewrite(&mut self, from: u64, end: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let verdict = state.step(true);
        if verdict.happens {
            let content = state.file(self.node);
            let from = from as usize;
            assert_eq!(&content.bytes[from..], end, "the end is written as it was");
            content.touch(from);
        }
        verdict.said
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let verdict = state.step(false);
        if verdict.happens {
            let content = state.file(self.node);
            content.bytes.truncate(length as usize);
            content.touch(length as usize);
        }
        verdict.said
    }
}
