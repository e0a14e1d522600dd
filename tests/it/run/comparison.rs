//! Comparisons: the same whatever the workers and the kills, the test examples read last.

use super::fixture::{Bench, EXPERIMENT, Fake};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use strata::report::{Analysis, Role};
use strata::run::comparison::{Compared, Notice, RecordedComparison, compare_with, resume_with};
use strata::run::{Evaluators, Options, RunError};

/// The fixture's experiment with as many seeds as a comparison asks for.
fn bench() -> Bench {
    Bench::new(&experiment())
}

fn experiment() -> String {
    EXPERIMENT
        .replace("retrain_seeds = 2", "retrain_seeds = 5")
        .replace("trials = 20", "trials = 8")
}

fn load(_: strata::run::Given<'_>) -> Result<Box<dyn Evaluators>, RunError> {
    Ok(Box::new(Fake::default()))
}

fn compare(
    bench: &Bench,
    quick: bool,
    workers: usize,
    watch: &mut dyn FnMut(&Notice<'_>, &AtomicBool),
) -> Result<Compared, RunError> {
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(workers),
        ..Options::new(&stop)
    };
    let mut watch = |notice: &Notice<'_>| watch(notice, &stop);
    compare_with(
        &bench.file,
        quick,
        &load,
        &bench.runs(),
        &options,
        &mut watch,
    )
}

fn resume(folder: &Path, workers: usize) -> Compared {
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(workers),
        ..Options::new(&stop)
    };
    resume_with(folder, &load, &options, &mut |_| ()).unwrap()
}

/// The digests of a comparison's runs.
fn digests(folder: &Path) -> Vec<String> {
    let comparison = RecordedComparison::open(folder).unwrap();
    assert!(comparison.is_complete());
    comparison
        .runs()
        .iter()
        .map(|(_, run)| run.digest())
        .collect()
}

fn whole(workers: usize) -> (Bench, PathBuf) {
    let bench = bench();
    let compared = compare(&bench, false, workers, &mut |_, _| ()).unwrap();
    assert!(compared.complete);
    (bench, compared.folder)
}

#[test]
fn every_arm_is_tested_equally_often() {
    let (_bench, folder) = whole(2);
    let analysis = Analysis::of(&RecordedComparison::open(&folder).unwrap()).unwrap();
    let roles: Vec<(Role, usize, usize)> = analysis
        .arms
        .iter()
        .map(|arm| (arm.role, arm.networks.len(), arm.scores.len()))
        .collect();
    let wanted = [
        (Role::Search, 3, 15),
        (Role::RandomSearch, 3, 15),
        (Role::RandomNetworks, 15, 15),
        (Role::HandDesigned, 1, 15),
    ];
    assert_eq!(roles, wanted);
    assert_eq!(analysis.arms[0].cost.trials, 24);
    assert!(analysis.verdict.evidence, "{:?}", analysis.verdict);
}

#[test]
fn a_comparison_is_the_same_for_any_number_of_workers() {
    let ((_a, one), (_b, four)) = (whole(1), whole(4));
    assert_eq!(digests(&one), digests(&four));
    let analysis = |folder: &Path| {
        let mut analysis = Analysis::of(&RecordedComparison::open(folder).unwrap()).unwrap();
        for arm in &mut analysis.arms {
            (arm.cost.seconds, arm.cost.retraining_seconds) = (0.0, 0.0);
        }
        analysis
    };
    assert_eq!(analysis(&one), analysis(&four));
}

#[test]
fn an_interrupted_comparison_goes_on_to_the_same_end() {
    let (_bench, folder) = whole(2);
    let wanted = digests(&folder);
    for interrupt_at in [1, 9, 40, 75, 100, 140] {
        let bench = bench();
        let mut seen = 0;
        let compared = compare(&bench, false, 2, &mut |notice, stop| {
            if matches!(notice, Notice::Of(_)) {
                seen += 1;
            }
            stop.fetch_or(seen == interrupt_at, Ordering::Relaxed);
        });
        let compared = compared.unwrap();
        assert!(!compared.complete, "{seen} events");
        assert!(resume(&compared.folder, 3).complete);
        assert_eq!(digests(&compared.folder), wanted, "at event {interrupt_at}");
    }
}

#[test]
fn winners_are_fixed_before_any_test_example_is_read() {
    let bench = bench();
    let mut order = Vec::new();
    let compared = compare(&bench, false, 2, &mut |notice, _| match notice {
        Notice::WinnersFixed => order.push("fixed"),
        Notice::Of(strata::run::Event::TestOpened { .. }) => order.push("opened"),
        Notice::Of(strata::run::Event::Searched { .. }) => order.push("searched"),
        _ => {}
    });
    let searched = vec!["searched"; 6];
    let opened = vec!["opened"; 6];
    assert_eq!(order, [searched, vec!["fixed"], opened].concat());
    let folder = compared.unwrap().folder;
    let winners = RecordedComparison::open(&folder)
        .unwrap()
        .winners()
        .unwrap()
        .clone();
    assert_eq!(winners.winners.len(), 6);
    // A winner that was changed afterwards is noticed.
    let path = folder.join("winners.json");
    let text = fs::read_to_string(&path).unwrap();
    let key = winners.winners[0].key.clone().unwrap();
    fs::write(&path, text.replacen(&key, "another", 1)).unwrap();
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: None,
        ..Options::new(&stop)
    };
    let error = resume_with(&folder, &load, &options, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("other winners"), "{error}");
}

#[test]
fn too_few_seeds_are_refused_unless_it_is_a_look() {
    for (from, to, key) in [
        (
            "retrain_seeds = 5",
            "retrain_seeds = 4",
            "final.retrain_seeds",
        ),
        (
            "name = \"tiny\"",
            "name = \"tiny\"\ncompare = { search_seeds = 2 }",
            "compare.search_seeds",
        ),
        (
            "baselines = [\"one.space\"]",
            "baselines = []",
            "final.baselines",
        ),
    ] {
        let bench = Bench::new(&experiment().replace(from, to));
        let error = compare(&bench, false, 2, &mut |_, _| ()).unwrap_err();
        assert!(error.to_string().starts_with(key), "{error}");
    }
    let bench = Bench::new(EXPERIMENT);
    let folder = compare(&bench, true, 2, &mut |_, _| ()).unwrap().folder;
    let analysis = Analysis::of(&RecordedComparison::open(&folder).unwrap()).unwrap();
    assert!(!analysis.verdict.evidence);
    assert!(analysis.verdict.headline.starts_with("Not evidence"));
}

#[test]
fn searches_differ_from_the_common_settings_in_what_they_say() {
    let searches = r#"
[[compare.search]]
name = "young"
population = 3
sample = 2
[[compare.search]]
name = "chance"
controller = "random"
"#;
    let bench = Bench::new(&(experiment() + searches));
    let folder = compare(&bench, false, 2, &mut |_, _| ()).unwrap().folder;
    let comparison = RecordedComparison::open(&folder).unwrap();
    let settings = |index: usize| comparison.plan().searches[index].settings.clone();
    assert_eq!(comparison.plan().searches.len(), 2);
    assert_eq!(
        (settings(0).population, settings(0).lookahead),
        (Some(3), 4)
    );
    assert_eq!((settings(1).population, settings(1).lookahead), (None, 4));
    assert!(folder.join("young-3").is_dir() && folder.join("chance-3").is_dir());

    let unknown = Bench::new(&(experiment() + &searches.replace("population", "populaton")));
    let error = compare(&unknown, false, 2, &mut |_, _| ())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("young") && error.contains("populaton"),
        "{error}"
    );
}
