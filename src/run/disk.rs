//! The disk as a run sees it: the few operations that a run is made of, each of which can fail.
//!
//! Everything that a run writes goes through a [`Disk`], so that tests can have one that fails where
//! they like and forgets what was never made safe.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Somewhere to keep files.
pub(super) trait Disk: fmt::Debug + Send + Sync {
    /// The content of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// A file to be read from its beginning on, which need not fit into memory.
    fn reader(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(Cursor::new(self.read(path)?)))
    }

    /// Puts content into a file, in place of what was there. It is not safe yet.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()>;

    /// Returns when the content of a file is safe.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Gives a file or a folder another name, in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes a folder, and those above it where they are missing.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder that must not be there yet.
    fn create_new_folder(&self, path: &Path) -> io::Result<()>;

    /// Returns when the names in a folder are safe.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Takes a file away.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Takes a folder away with all that is in it.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;

    /// The names in a folder, in no order.
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>>;

    /// Whether there is anything of that name.
    fn exists(&self, path: &Path) -> bool;

    /// Opens a file to add to, which nobody else has open.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] when somebody has; whether the file has to be `new`, it is or is not.
    fn log(&self, path: &Path, new: bool) -> io::Result<Box<dyn Log>>;
}

/// A file that is added to. Nobody else can open it as long as this is there.
pub(super) trait Log: fmt::Debug + Send {
    /// Everything in it, from its beginning on.
    fn reader(&mut self) -> io::Result<Box<dyn Read + '_>>;

    /// Adds to its end. It is not safe yet.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything in it is safe.
    fn sync(&mut self) -> io::Result<()>;

    /// Writes its end again as it is, from byte `from` on. It is not safe yet.
    fn rewrite(&mut self, from: u64, end: &[u8]) -> io::Result<()>;

    /// Cuts it to a length.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// The disk of the machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine;

impl Disk for Machine {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn reader(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(path)?))
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        fs::write(path, content)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn create_new_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        // Only some systems can open a folder; elsewhere names are as durable as they get.
        match File::open(path) {
            Ok(folder) => folder.sync_all(),
            Err(_) => Ok(()),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(folder)?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn log(&self, path: &Path, new: bool) -> io::Result<Box<dyn Log>> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(new).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// A file that was opened by [`Machine::log`], and is locked as long as it is open.
impl Log for File {
    fn reader(&mut self) -> io::Result<Box<dyn Read + '_>> {
        self.seek(SeekFrom::Start(0))?;
        Ok(Box::new(self))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::End(0))?;
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn rewrite(&mut self, from: u64, end: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(from))?;
        self.write_all(end)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}
