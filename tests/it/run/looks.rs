//! Looks at test examples: written down once, counted across a folder, and no part of what happened.

use super::fixture::{Bench, EXPERIMENT, Fake, digest, resume};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use strata::run::comparison::{Notice, RecordedComparison, compare_with};
use strata::run::looks::{FILE_NAME, Look, Looks};
use strata::run::{Evaluators, Event, ExperimentFile, Options, RecordedRun, RunError, start_with};

fn looks(bench: &Bench) -> Vec<Look> {
    Looks::read(bench.path()).unwrap().all().to_vec()
}

/// Another experiment in the folder of a bench.
fn sibling(bench: &Bench, name: &str, text: &str) -> ExperimentFile {
    let path = bench.path().join(name);
    fs::write(&path, text).unwrap();
    ExperimentFile::read(&path).unwrap()
}

fn start(file: &ExperimentFile, runs: &Path, events: &mut Vec<Event>) -> std::path::PathBuf {
    let stop = AtomicBool::new(false);
    let options = Options::new(&stop);
    let mut watch = |event: &Event| events.push(event.clone());
    let ended = start_with(file, &mut Fake::default(), runs, &options, &mut watch);
    ended.unwrap().folder
}

#[test]
fn a_final_evaluation_is_a_look_and_the_same_one_again_is_the_same_look() {
    let bench = Bench::new(EXPERIMENT);
    let first = bench.start(&Fake::default(), 2).unwrap().folder;
    let again = bench.start(&Fake::default(), 1).unwrap().folder;
    let found = looks(&bench);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].look, found[0].seeds[0].0), (1, 7));
    assert_eq!(digest(&first), digest(&again));

    let mut events = Vec::new();
    let file = sibling(
        &bench,
        "other.toml",
        &EXPERIMENT.replace("seed = 7", "seed = 8"),
    );
    let second = start(&file, &bench.runs(), &mut events);
    let is_second = |event: &Event| {
        matches!(
            event,
            Event::TestOpened {
                look: 2,
                unwritten: None
            }
        )
    };
    assert!(events.iter().any(is_second), "{events:?}");
    assert_eq!(looks(&bench).len(), 2);
    let run = RecordedRun::open(&second).unwrap();
    assert_eq!(run.state().look, Some(2));
    assert_eq!(run.summary().unwrap().look, Some(2));
}

#[test]
fn which_look_it_was_is_no_part_of_the_digest() {
    let bench = Bench::new(EXPERIMENT);
    let first = bench.start(&Fake::default(), 2).unwrap().folder;
    let elsewhere = Bench::new(EXPERIMENT);
    let other = EXPERIMENT.replace("seed = 7", "seed = 8");
    let file = sibling(&elsewhere, "other.toml", &other);
    start(&file, &elsewhere.runs(), &mut Vec::new());
    let second = elsewhere.start(&Fake::default(), 2).unwrap().folder;
    assert_eq!(RecordedRun::open(&second).unwrap().state().look, Some(2));
    assert_eq!(digest(&first), digest(&second));
    let format = |folder: &Path| {
        let text = fs::read_to_string(folder.join("journal.jsonl")).unwrap();
        let line = text
            .lines()
            .find(|line| line.contains("test_opened"))
            .unwrap();
        line.contains("\"format\":6")
    };
    assert!(!format(&first), "a first look is written as it always was");
    assert!(format(&second));
}

#[test]
fn a_run_that_goes_on_keeps_its_look() {
    let bench = Bench::new(EXPERIMENT);
    let stop = AtomicBool::new(false);
    let ended = bench.start_watched(&Fake::default(), 2, &stop, &mut |event| {
        let opened = matches!(event, Event::TestOpened { .. });
        stop.fetch_or(opened, Ordering::Relaxed);
    });
    let ended = ended.unwrap();
    assert_eq!(ended.reason, None);
    resume(&ended.folder, &Fake::default(), 2).unwrap();
    assert_eq!(looks(&bench).len(), 1);
}

#[test]
fn a_sealed_test_part_is_not_looked_at() {
    let sealed = EXPERIMENT.replace("retrain_seeds = 2", "retrain_seeds = 0");
    let bench = Bench::new(&sealed);
    bench.start(&Fake::default(), 2).unwrap();
    assert!(!bench.path().join(FILE_NAME).exists());
}

#[test]
fn an_experiment_without_a_file_keeps_no_ledger() {
    let bench = Bench::new(EXPERIMENT);
    let file = ExperimentFile {
        path: None,
        ..bench.file.clone()
    };
    let folder = start(&file, &bench.runs(), &mut Vec::new());
    assert_eq!(RecordedRun::open(&folder).unwrap().state().look, Some(1));
    assert!(!bench.path().join(FILE_NAME).exists());
}

#[test]
fn a_ledger_in_the_way_is_said_and_the_run_goes_on() {
    let bench = Bench::new(EXPERIMENT);
    fs::create_dir(bench.path().join(FILE_NAME)).unwrap();
    let mut events = Vec::new();
    start(&bench.file, &bench.runs(), &mut events);
    let said = |event: &Event| match event {
        Event::TestOpened { unwritten, .. } => unwritten.clone(),
        _ => None,
    };
    let why: Vec<String> = events.iter().filter_map(said).collect();
    assert_eq!(why.len(), 1, "{events:?}");
    assert!(why[0].contains(FILE_NAME), "{why:?}");
}

fn load(_: strata::run::Given<'_>) -> Result<Box<dyn Evaluators>, RunError> {
    Ok(Box::new(Fake::default()))
}

fn compare(bench: &Bench, file: &ExperimentFile, quick: bool) -> RecordedComparison {
    let stop = AtomicBool::new(false);
    let options = Options::new(&stop);
    let mut watch = |_: &Notice<'_>| ();
    let compared = compare_with(file, quick, &load, &bench.runs(), &options, &mut watch);
    RecordedComparison::open(&compared.unwrap().folder).unwrap()
}

fn compared() -> String {
    EXPERIMENT.replace("trials = 20", "trials = 8") + "compare.search_seeds = 2\n"
}

#[test]
fn a_comparison_is_one_look_and_a_later_one_searches_with_other_seeds() {
    let bench = Bench::new(&compared());
    let first = compare(&bench, &bench.file, false);
    let again = compare(&bench, &bench.file, false);
    assert_eq!((first.plan().look, again.plan().look), (1, 1));
    let found = looks(&bench);
    assert_eq!(found.len(), 1, "{found:?}");
    first
        .conclude("No difference is shown.", Some(0.5))
        .unwrap();
    again.conclude("Something else.", None).unwrap();
    assert_eq!(
        looks(&bench)[0].verdict.as_deref(),
        Some("No difference is shown.")
    );

    let more = compared().replace("trials = 8", "trials = 10");
    let file = sibling(&bench, "more.toml", &more);
    let second = compare(&bench, &file, false);
    assert_eq!(second.plan().look, 2);
    assert!(!second.plan().repeats_seeds);
    let found = looks(&bench);
    assert_eq!(found.len(), 2);
    assert!(
        found[1]
            .seeds
            .iter()
            .all(|seed| !found[0].seeds.contains(seed))
    );
    let seeds = |comparison: &RecordedComparison| {
        let runs = comparison.runs().iter();
        let seeds = runs.map(|(_, run)| run.started().experiment.seed);
        seeds.collect::<Vec<_>>()
    };
    assert!(
        seeds(&second)
            .iter()
            .all(|seed| found[1].seeds.contains(seed))
    );
    // The second again is the second, with the seeds that it had.
    let repeated = compare(&bench, &file, false);
    assert_eq!(seeds(&repeated), seeds(&second));
    assert_eq!(looks(&bench).len(), 2);
}

#[test]
fn a_quick_comparison_reads_no_test_example() {
    let bench = Bench::new(&compared());
    let quick = compare(&bench, &bench.file, true);
    assert!(quick.is_complete());
    assert!(quick.runs().iter().all(|(_, run)| !run.state().test_opened));
    assert!(!bench.path().join(FILE_NAME).exists());
    let designs = quick.designs().unwrap();
    assert_eq!(designs.len(), 1);
    assert!(designs[0].score.is_some());
}

#[test]
fn a_look_that_others_took_meanwhile_makes_it_a_later_one() {
    let bench = Bench::new(&compared());
    let stop = AtomicBool::new(false);
    let options = Options::new(&stop);
    let other = sibling(
        &bench,
        "other.toml",
        &EXPERIMENT.replace("trials = 20", "trials = 9"),
    );
    let (mut taken, mut looked) = (false, 0);
    let mut watch = |notice: &Notice<'_>| match notice {
        Notice::Of(Event::Searched { .. }) if !taken => {
            taken = true;
            start(&other, &bench.runs(), &mut Vec::new());
        }
        Notice::WinnersFixed { look, .. } => looked = *look,
        _ => {}
    };
    let compared = compare_with(
        &bench.file,
        false,
        &load,
        &bench.runs(),
        &options,
        &mut watch,
    );
    let comparison = RecordedComparison::open(&compared.unwrap().folder).unwrap();
    assert_eq!((looked, comparison.plan().look), (2, 2));
    assert!(comparison.plan().repeats_seeds, "both began with seed 7");
    let said = comparison.plan().shortcomings().join("\n");
    assert!(said.contains("same seeds"), "{said}");
}

#[test]
fn a_look_whose_seeds_are_known_is_made_again_with_them() {
    let bench = Bench::new(&compared());
    let first = compare(&bench, &bench.file, false);
    // As if it had been a second look before seeds were counted by looks.
    let path = bench.path().join(FILE_NAME);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"look\":1", "\"look\":2")).unwrap();
    let again = compare(&bench, &bench.file, false);
    assert_eq!(again.plan().look, 2);
    let digests = |comparison: &RecordedComparison| -> Vec<String> {
        comparison
            .runs()
            .iter()
            .map(|(_, run)| run.digest())
            .collect()
    };
    assert_eq!(digests(&again), digests(&first));
    assert_eq!(looks(&bench).len(), 1);
}
