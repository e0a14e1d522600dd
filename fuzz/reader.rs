//! What the targets of binary readers share.

use std::fs;
use std::path::PathBuf;
use strata::data::DataSource;

/// Loads `bytes` as the file `name` of a `[data]` section: read or refused, without a panic.
pub fn load(name: &str, section: &str, bytes: &[u8]) {
    let folder = folder();
    let path = folder.join(name);
    let parent = path.parent().expect("the file is in a folder");
    fs::create_dir_all(parent).expect("a temporary folder can be made");
    fs::write(&path, bytes).expect("a temporary file can be written");
    let source: DataSource = toml::from_str(section).expect("the section is right");
    if let Ok(set) = source.load(&folder) {
        assert!(!set.is_empty());
    }
}

/// One folder a process, in memory where the system has it.
fn folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let root = if memory.is_dir() { memory } else { std::env::temp_dir() };
    root.join(format!("strata-fuzz-{}", std::process::id()))
}
