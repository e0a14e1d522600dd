//! A real disk that is full. Needs the right to mount a small one.

use super::fixture::{Bench, EXPERIMENT, digest, only_run};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use strata::run::RecordedRun;

/// A disk in memory, which is taken down when this is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Nothing where the system does not let us.
    fn mount(place: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(place).unwrap();
        let size = format!("size={size}");
        let arguments = ["-t", "tmpfs", "-o", &size, "strata-test"];
        let mounted = Command::new("mount").args(arguments).arg(place).output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then(|| Self(place.to_owned()))
    }

    fn resize(&self, size: &str) {
        let options = format!("remount,size={size}");
        let done = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.0)
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn strata(bench: &Bench, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_strata"))
        .args(arguments)
        .current_dir(bench.path())
        .output()
        .unwrap()
}

#[test]
fn a_full_disk_ends_the_run_with_a_word_and_the_run_goes_on_when_there_is_room() {
    let whole = Bench::new(EXPERIMENT);
    assert!(
        strata(&whole, &["search", "tiny.toml", "--runs", "runs"])
            .status
            .success()
    );
    let wanted = digest(&only_run(&whole.runs()).unwrap());
    for size in ["72k", "128k", "200k"] {
        let bench = Bench::new(EXPERIMENT);
        let Some(disk) = SmallDisk::mount(&bench.runs(), size) else {
            eprintln!("skipped: a full disk needs the right to mount one");
            return;
        };
        let ended = strata(&bench, &["search", "tiny.toml", "--runs", "runs"]);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{size}: {said}");
        assert!(said.contains("No space left on device"), "{size}: {said}");
        assert!(said.contains("failed to"), "{size}: {said}");
        disk.resize("64m");
        let run = only_run(&bench.runs());
        let run = run.unwrap_or_else(|| panic!("{size} is too small to begin: {said}"));
        assert!(RecordedRun::open(&run).is_ok());
        let resumed = strata(&bench, &["resume", run.to_str().unwrap()]);
        assert!(
            resumed.status.success(),
            "{}",
            String::from_utf8_lossy(&resumed.stderr)
        );
        assert_eq!(digest(&run), wanted, "{size}");
        drop(disk);
    }
}
