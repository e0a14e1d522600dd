//! Searches whose trials are looked up: all that is to be known of those is in the journal.

use super::fixture::{digest, only_run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use strata::random::{Purpose, Seed};
use strata::run::{ExperimentFile, Options, Phase, RecordedRun, resume, start};
use tempfile::TempDir;

/// A folder in memory with an experiment on the table of NAS-Bench-201, and where its runs are.
struct Lookups(TempDir);

impl Lookups {
    fn new(trials: u64, search: &str) -> Self {
        let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
        let folder = folder.unwrap();
        let root = env!("CARGO_MANIFEST_DIR");
        let text = format!(
            "name = \"lookups\"\nspace = \"{root}/search_spaces/nasbench201.space\"\nseed = 3\n\
             search = {{ {search} }}\nbudget.trials = {trials}\nfinal.retrain_seeds = 1\n\
             [evaluator]\nkind = \"table\"\nfile = \"{root}/data/nb201_cifar10.csv.gz\"\nkey = \"ops\"\n\
             score = \"c10_val12\"\n"
        );
        fs::write(folder.path().join("lookups.toml"), text).unwrap();
        Self(folder)
    }

    fn runs(&self) -> PathBuf {
        self.0.path().join("runs")
    }

    /// The run folder of the whole run.
    fn run(&self, workers: usize) -> PathBuf {
        let file = ExperimentFile::read(&self.0.path().join("lookups.toml")).unwrap();
        let stop = AtomicBool::new(false);
        let options = Options {
            workers: Some(workers),
            ..Options::new(&stop)
        };
        let ending = start(&file, &self.runs(), &options, &mut |_| ());
        ending.unwrap().folder
    }

    fn strata(&self, arguments: &[&str]) -> Command {
        let mut strata = Command::new(env!("CARGO_BIN_EXE_strata"));
        let quiet = strata.args(arguments).current_dir(self.0.path());
        quiet.stdout(Stdio::null()).stderr(Stdio::null());
        strata
    }
}

fn resumed(folder: &Path) {
    let stop = AtomicBool::new(false);
    resume(folder, &Options::new(&stop), &mut |_| ()).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

const EVOLUTION: &str = "controller = \"evolution\", population = 20, duplicates = true";

#[test]
fn trials_that_are_looked_up_leave_nothing_beside_the_journal() {
    let lookups = Lookups::new(60, EVOLUTION);
    let folder = lookups.run(2);
    let left = [
        "best",
        "experiment.toml",
        "journal.jsonl",
        "manifest.json",
        "space.space",
    ];
    assert_eq!(names(&folder), left);
    let run = RecordedRun::open(&folder).unwrap();
    let trials = run.trials();
    assert_eq!(trials.len(), 60);
    for row in trials.iter().step_by(7) {
        let candidate = run.candidate(row.trial).unwrap();
        assert_eq!(candidate.architecture.canonical().digest(), row.key);
    }
    for verb in [
        &["verify", "-n", "9"][..],
        &["report"],
        &["trials", "--json"],
        &["best"],
        &["pareto", "--by", "params"],
        &["importance"],
        &["export", "--to", "csv", "-o", "trials.csv"],
        &["best", "--format", "svg"],
        &["export", "runs/lookups-1#7", "--to", "json"],
    ] {
        let status = lookups.strata(verb).status().unwrap();
        assert!(status.success(), "strata {}", verb.join(" "));
    }
}

#[test]
fn a_search_of_a_table_that_is_killed_gives_the_same_digest() {
    let whole = Lookups::new(3000, EVOLUTION);
    let wanted = digest(&whole.run(1));
    let killed = Lookups::new(3000, EVOLUTION);
    let mut stream = Seed(1).stream(1, Purpose::Tool);
    let mut kills = 0;
    // On a busy machine it may not even begin in that time, so it gets more with every kill.
    for most in (200..).step_by(40) {
        let run = only_run(&killed.runs());
        let mut child = match &run {
            Some(run) => killed.strata(&["resume", run.to_str().unwrap(), "--workers", "3"]),
            None => killed.strata(&["search", "lookups.toml", "--runs", "runs", "--quiet"]),
        }
        .spawn()
        .unwrap();
        std::thread::sleep(Duration::from_millis(30 + stream.below(most)));
        child.kill().unwrap();
        child.wait().unwrap();
        let run = only_run(&killed.runs()).map(|run| RecordedRun::open(&run).unwrap());
        if run.is_some_and(|run| run.phase() == Phase::Ended) {
            break;
        }
        kills += 1;
    }
    eprintln!("killed {kills} times");
    let run = only_run(&killed.runs()).unwrap();
    assert_eq!(digest(&run), wanted);
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    assert!(manifest.contains(&wanted), "{manifest}");
}

/// Runs once had a folder for every trial.
#[test]
fn a_run_with_folders_of_trials_that_were_looked_up_opens_and_goes_on() {
    let lookups = Lookups::new(40, "controller = \"random\", lookahead = 3");
    let whole = lookups.run(1);
    let journal = fs::read(whole.join("journal.jsonl")).unwrap();
    let breaks = journal
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n');
    for (end, _) in breaks.step_by(9).take(8) {
        let older = lookups.runs().join(format!("older-{end}"));
        fs::create_dir_all(&older).unwrap();
        for name in ["space.space", "experiment.toml"] {
            fs::copy(whole.join(name), older.join(name)).unwrap();
        }
        fs::write(older.join("journal.jsonl"), &journal[..=end]).unwrap();
        let told = RecordedRun::open(&older).unwrap().state().outcomes.len();
        for trial in 0..told {
            let folder = older.join("trials").join(format!("{trial:04}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("architecture.json"), "{}\n").unwrap();
        }
        resumed(&older);
        assert_eq!(digest(&older), digest(&whole));
        let left = fs::read_dir(older.join("trials")).map_or(0, Iterator::count);
        assert_eq!(left, told, "it adds none and takes none away");
    }
}
