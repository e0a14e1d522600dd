//! A run's memory does not grow with its trials.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The most memory, in KiB, that a search of this many trials had at any time.
fn peak(trials: u64) -> u64 {
    let folder = tempfile::TempDir::new_in("/dev/shm").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("experiments/nasbench201.toml")).unwrap();
    let text = text.replace("../", &format!("{}/", root.display()));
    let experiment = folder.path().join("nasbench201.toml");
    std::fs::write(&experiment, text).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_strata"))
        .arg("search")
        .arg(&experiment)
        .args(["--quiet", "--trials"])
        .arg(trials.to_string())
        .arg("--runs")
        .arg(folder.path())
        .current_dir(root)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
        peak = kilobytes
            .and_then(|number| number.parse().ok())
            .unwrap_or(peak);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            return peak;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ten_times_the_trials_take_a_fifth_more_memory_at_most() {
    let trials = match std::env::var_os("STRATA_SLOW_TESTS") {
        Some(_) => 1000,
        None => 100,
    };
    let (few, many) = (peak(trials), peak(10 * trials));
    eprintln!("{few} KiB for {trials} trials, {many} KiB for ten times as many");
    assert!(
        many as f64 <= 1.2 * few as f64,
        "{few} KiB, then {many} KiB"
    );
}
