//! Trials in processes of their own: the same results as in threads, and nothing that a trial does
//! reaches the run.

use super::fixture::{Bench, EXPERIMENT, digest, only_run};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use strata::architecture::Output;
use strata::evaluation::{
    Control, EpochRecord, Evaluation, Evaluator, FAILURES, FailureKind, Policy, TrialJob,
};
use strata::layers::Shape;
use strata::run::record::Started;
use strata::run::{
    EndReason, Ending, Evaluators, Event, Given, Isolation, Options, RecordedRun, RunError,
    WorkerProgram, start, start_with, work_with,
};
use strata::training::Recipe;

/// How the tests' own worker is told from a test.
const WORKER: &str = "run::isolation::this_program_is_a_worker_if_it_is_given_a_run";

/// The fixture's experiment, training in earnest.
const TRAINING: &str = r#"
name = "tiny"
space = "tiny.space"
seed = 3
data = { name = "digits" }
recipe = { epochs = 1 }
budget = { trials = 18 }
search = { controller = "random", lookahead = 4, workers = 2 }
final = { retrain_seeds = 0 }
trial = { deadline_seconds = 5, memory_cap_mb = 256 }
"#;

fn strata() -> WorkerProgram {
    WorkerProgram {
        path: PathBuf::from(env!("CARGO_BIN_EXE_strata")),
        arguments: vec!["isolated".to_owned()],
    }
}

/// This program as a worker whose evaluator misbehaves.
fn misbehaving() -> WorkerProgram {
    let arguments = [WORKER, "--exact", "--nocapture", "--test-threads=1"];
    WorkerProgram {
        path: std::env::current_exe().unwrap(),
        arguments: arguments.map(str::to_owned).to_vec(),
    }
}

#[test]
fn this_program_is_a_worker_if_it_is_given_a_run() {
    let last = std::env::args().next_back().unwrap_or_default();
    let folder = Path::new(&last);
    if !folder.join("journal.jsonl").is_file() {
        return;
    }
    let leave = || std::process::exit(0);
    let ended = work_with(folder, io::stdin(), io::stdout(), leave, |started| {
        Ok(Box::new(Misbehaving::of(started, folder)?))
    });
    ended.unwrap();
}

/// Trains in earnest, but for some trials, which go wrong in every way there is.
struct Misbehaving {
    trained: Box<dyn Evaluators>,
    folder: PathBuf,
}

impl Misbehaving {
    fn of(started: &Started, folder: &Path) -> Result<Self, RunError> {
        let trained = started.experiment.evaluator.load(Given {
            experiment: &started.experiment,
            data: &started.data(),
            base: Path::new(&started.host.base),
        })?;
        let folder = folder.to_owned();
        Ok(Self { trained, folder })
    }
}

impl Evaluators for Misbehaving {
    fn data_hash(&self) -> &str {
        self.trained.data_hash()
    }
    fn split_hash(&self) -> &str {
        self.trained.split_hash()
    }
    fn check(&self, input: Shape, output: Output) -> Result<(), String> {
        self.trained.check(input, output)
    }
    fn search(&self) -> Box<dyn Evaluator + '_> {
        Box::new(Troubled {
            evaluator: self.trained.search(),
            folder: &self.folder,
        })
    }
    fn test_examples(&self) -> u64 {
        self.trained.test_examples()
    }
    fn open_test(&mut self) -> Box<dyn Evaluator + '_> {
        self.trained.open_test()
    }
}

struct Troubled<'a> {
    evaluator: Box<dyn Evaluator + 'a>,
    folder: &'a Path,
}

impl Evaluator for Troubled<'_> {
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        control: &Control<'_>,
        observe: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation {
        let (mut recipe, mut control) = (job.recipe.clone(), *control);
        match job.number {
            1 => recipe = too_fast(),
            3 => panic!("trial 3 hit a rock"),
            5 => std::process::abort(),
            7 => take_all_memory(),
            9 => control.memory_limit = Some(1),
            11 => loop {
                std::thread::sleep(Duration::from_secs(1));
            },
            13 => kill_this_process(),
            15 => recipe.batch_size = 0,
            17 if self.is_first_time() => kill_this_process(),
            _ => {}
        }
        let job = TrialJob {
            recipe: &recipe,
            ..*job
        };
        self.evaluator.evaluate(&job, &control, observe)
    }
}

impl Troubled<'_> {
    fn is_first_time(&self) -> bool {
        fs::File::create_new(self.folder.join("seen")).is_ok()
    }
}

fn too_fast() -> Recipe {
    Recipe {
        learning_rate: 1000.0,
        weight_decay: 1.0,
        ..Recipe::default()
    }
}

fn take_all_memory() {
    let mut all = Vec::new();
    loop {
        all.push(vec![1u8; 8 << 20]);
    }
}

fn kill_this_process() {
    use nix::sys::signal::{Signal, raise};
    raise(Signal::SIGKILL).unwrap();
}

fn carry_out(
    bench: &Bench,
    program: WorkerProgram,
    watch: &mut dyn FnMut(&Event),
) -> Result<Ending, RunError> {
    let stop = AtomicBool::new(false);
    let options = Options {
        isolate: Some(Isolation::Process),
        program: Some(program),
        ..Options::new(&stop)
    };
    start(&bench.file, &bench.runs(), &options, watch)
}

#[test]
fn every_kind_of_failure_is_told_from_the_others_and_the_search_goes_on() {
    let bench = Bench::new(TRAINING);
    let mut lost = Vec::new();
    let mut watch = |event: &Event| {
        if let Event::Lost { unit, kind, .. } = event {
            lost.push((unit.to_string(), *kind));
        }
    };
    let ending = carry_out(&bench, misbehaving(), &mut watch).unwrap();
    assert_eq!(ending.reason, Some(EndReason::Completed));
    let rows = RecordedRun::open(&ending.folder).unwrap().trials();
    let found: Vec<_> = rows.iter().map(|row| (row.trial.0, row.failure)).collect();
    let wanted = [
        (1, FailureKind::Diverged),
        (3, FailureKind::Crashed),
        (5, FailureKind::Aborted),
        (7, FailureKind::OutOfMemory),
        (9, FailureKind::Rejected),
        (11, FailureKind::TimedOut),
        (13, FailureKind::Lost),
        (15, FailureKind::EvaluatorError),
    ];
    let wanted_of = |trial: u64| {
        wanted
            .iter()
            .find(|(of, _)| *of == trial)
            .map(|(_, kind)| *kind)
    };
    for (trial, failure) in found {
        let row = &rows[trial as usize];
        assert_eq!(
            failure,
            wanted_of(trial),
            "trial {trial}: {:?}",
            row.message
        );
        assert_eq!(row.score.is_some(), failure.is_none());
    }
    assert_eq!(rows.len(), 18);
    assert!(
        FAILURES
            .iter()
            .all(|info| wanted.iter().any(|(_, kind)| *kind == info.kind))
    );
    // Two are lost for good at the third loss, one only once.
    lost.sort();
    let again = |trial: u64, kind| (format!("trial {trial}"), kind);
    let twice = [FailureKind::Lost; 2].map(|kind| again(13, kind));
    assert_eq!(lost[..2], twice);
    assert_eq!(lost[2], again(17, FailureKind::Lost));
    assert_eq!(
        lost[3..],
        [FailureKind::Aborted; 2].map(|kind| again(5, kind))
    );
    for (trial, words) in [
        (3, "trial 3 hit a rock"),
        (5, "SIGABRT"),
        (5, "tried 3 times"),
        (7, "memory allocation of"),
        (11, "was killed"),
        (13, "SIGKILL"),
    ] {
        let said = rows[trial].message.clone().unwrap();
        assert!(said.contains(words), "trial {trial}: {said}");
    }
    let seconds = rows[11].seconds.unwrap();
    assert!((5.0..7.5).contains(&seconds), "killed after {seconds} s");
}

/// Digests of a run in threads and one in processes.
fn both_ways(experiment: &str) -> (String, String) {
    let bench = Bench::new(experiment);
    let stop = AtomicBool::new(false);
    let ending = start(
        &bench.file,
        &bench.runs(),
        &Options::new(&stop),
        &mut |_| (),
    )
    .unwrap();
    let other = Bench::new(experiment);
    let isolated = carry_out(&other, strata(), &mut |_| ()).unwrap();
    (digest(&ending.folder), digest(&isolated.folder))
}

#[test]
fn processes_give_what_threads_give() {
    let text = EXPERIMENT.replace("trials = 20", "trials = 8");
    let (threads, processes) = both_ways(&text);
    assert_eq!(threads, processes);
}

#[test]
fn checkpoints_and_weights_reach_other_processes() {
    let search = "search = { population = 6, sample = 3, lookahead = 4, workers = 2 }";
    let halving = "search = { controller = \"successive_halving\", lookahead = 4, workers = 2 }";
    let text = EXPERIMENT
        .replace("recipe = { epochs = 2 }", "recipe = { epochs = 9 }")
        .replace("retrain_seeds = 2", "retrain_seeds = 0");
    let (threads, processes) = both_ways(&text.replace(search, halving));
    assert_eq!(threads, processes);
    let heirs = search.replace("sample = 3", "sample = 3, inherit = true");
    let text = text.replace("epochs = 9", "epochs = 1");
    let (threads, processes) = both_ways(&text.replace(search, &heirs));
    assert_eq!(threads, processes);
}

#[test]
fn a_program_that_is_no_worker_ends_the_run_with_a_word() {
    let bench = Bench::new(TRAINING);
    for (path, arguments, words) in [
        ("/no/such/program", vec![], "it can't be started"),
        (
            "/bin/sh",
            vec!["-c", "echo hello; echo sorry >&2; exit 7"],
            "sorry",
        ),
        (
            "/bin/sh",
            vec!["-c", "echo strata-worker; echo hello; sleep 1"],
            "ended before it was ready",
        ),
    ] {
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        let path = PathBuf::from(path);
        let error = carry_out(&bench, WorkerProgram { path, arguments }, &mut |_| ());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    // The last of them is a run that can go on.
    let run = only_run(&bench.runs()).unwrap();
    let stop = AtomicBool::new(false);
    let ending = strata::run::resume(&run, &Options::new(&stop), &mut |_| ()).unwrap();
    assert_eq!(ending.reason, Some(EndReason::Completed));
}

#[test]
fn other_data_is_noticed_before_the_first_trial() {
    let bench = Bench::new(TRAINING);
    let stop = AtomicBool::new(false);
    let options = Options {
        isolate: Some(Isolation::Process),
        program: Some(strata()),
        ..Options::new(&stop)
    };
    let mut fake = super::fixture::Fake::default();
    let error = start_with(&bench.file, &mut fake, &bench.runs(), &options, &mut |_| ());
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("it is not fit for the run: the data: "),
        "{error}"
    );
}

/// The worker processes of runs that were started in `folder`.
fn workers_in(folder: &Path) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let ours = entries.filter(|entry| {
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let place = fs::read_link(entry.path().join("cwd"));
        let is_worker = String::from_utf8_lossy(&arguments).contains("strata\0isolated\0");
        is_worker && place.is_ok_and(|place| place == folder)
    });
    ours.count()
}

fn search(bench: &Bench) -> Child {
    Command::new(env!("CARGO_BIN_EXE_strata"))
        .args([
            "search",
            "tiny.toml",
            "--runs",
            "runs",
            "--isolate",
            "process",
        ])
        .current_dir(bench.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until `holds`, for as long as a busy machine may need.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_worker_outlives_the_run_that_started_it() {
    let long = TRAINING
        .replace("epochs = 1", "epochs = 100000")
        .replace("trial = { deadline_seconds = 5, memory_cap_mb = 256 }", "");
    let bench = Bench::new(&long);
    for ends_by_itself in [false, true] {
        let mut controller = search(&bench);
        let pid = i32::try_from(controller.id()).unwrap();
        let place = fs::canonicalize(bench.path()).unwrap();
        wait_until("two workers", || workers_in(&place) == 2);
        let run = only_run(&bench.runs()).unwrap();
        let pid = nix::unistd::Pid::from_raw(pid);
        let signal = if ends_by_itself {
            nix::sys::signal::Signal::SIGINT
        } else {
            nix::sys::signal::Signal::SIGKILL
        };
        nix::sys::signal::kill(pid, signal).unwrap();
        let ended = controller.wait().unwrap();
        assert_eq!(ended.code(), ends_by_itself.then_some(130));
        wait_until("no worker", || workers_in(&place) == 0);
        fs::remove_dir_all(&run).unwrap();
    }
}

#[test]
fn the_page_names_every_kind_of_failure_and_what_follows() {
    let path = format!("{}/docs/faults.md", env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(path).unwrap();
    for info in &FAILURES {
        let follows = match info.policy {
            Policy::Again => "tried again",
            _ => "final at once",
        };
        let line = format!("| {} | {} | {follows} |", info.name, info.about);
        assert!(page.contains(&line), "write `{line}`");
    }
    let (_, settings) = page.split_once("```toml\n").unwrap();
    let (settings, _) = settings.split_once("```").unwrap();
    assert!(
        Bench::new(&format!("{EXPERIMENT}{settings}"))
            .file
            .experiment
            .trial
            .retries
            == 2
    );
}
