//! Comparisons: the same whatever the workers and the kills, the test examples read last.

use super::fixture::{Bench, EXPERIMENT, Fake};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use strata::report::{Analysis, Contrast, Family, Finding, Role};
use strata::run::comparison::{
    Compared, Notice, Part, Plan, RecordedComparison, compare_with, resume_with,
};
use strata::run::{Evaluators, Experiment, Options, RunError};

/// The fixture's experiment with as many seeds as a comparison asks for.
fn bench() -> Bench {
    Bench::new(&experiment())
}

fn experiment() -> String {
    EXPERIMENT
        .replace("retrain_seeds = 2", "retrain_seeds = 5")
        .replace("trials = 20", "trials = 8")
        .replace("seed = 7", "seed = 7\ncompare.search_seeds = 3")
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
    // Three searches are too few to conclude anything, and every contrast says so.
    assert!(!analysis.verdict.evidence, "{:?}", analysis.verdict);
    assert!(
        analysis
            .verdict
            .headline
            .starts_with("Not evidence: 3 searches")
    );
    let families: Vec<Family> = analysis.contrasts.iter().map(|it| it.family).collect();
    let wanted = [
        Family::RandomSearch,
        Family::RandomNetworks,
        Family::Designs,
    ];
    assert_eq!(families, wanted);
    assert!(analysis.contrasts[0].paired);
}

/// A comparison of as many searches as are evidence.
fn six_searches(change: impl Fn(String) -> String) -> Analysis {
    let text = experiment().replace(
        "compare.search_seeds = 3",
        "compare = { search_seeds = 6, margin = 0.01 }",
    );
    let bench = Bench::new(&change(text));
    let folder = compare(&bench, false, 2, &mut |_, _| ()).unwrap().folder;
    Analysis::of(&RecordedComparison::open(&folder).unwrap()).unwrap()
}

#[test]
fn six_searches_are_enough_and_designs_are_not_needed() {
    let few = "Not evidence: 10 test examples, and at least 100 are needed.";
    let with_design = six_searches(|text| text);
    assert_eq!(with_design.verdict.headline, few);
    let all = |it: &Contrast| it.equivalence.is_some() && it.lacking.len() == 1;
    assert!(with_design.contrasts.iter().all(all));
    let without =
        six_searches(|text| text.replace("baselines = [\"one.space\"]", "baselines = []"));
    assert_eq!(without.verdict.headline, few);
    let families: Vec<Family> = without.contrasts.iter().map(|it| it.family).collect();
    assert_eq!(families, [Family::RandomSearch, Family::RandomNetworks]);
}

#[test]
fn a_search_that_ends_before_it_makes_a_child_is_called_random() {
    let bench = Bench::new(&experiment().replace("trials = 8", "trials = 4"));
    let folder = compare(&bench, false, 2, &mut |_, _| ()).unwrap().folder;
    let analysis = Analysis::of(&RecordedComparison::open(&folder).unwrap()).unwrap();
    let search = &analysis.arms[0];
    assert!(search.drawn_at_random.is_some());
    assert!(
        search.title().contains("all trials drawn at random"),
        "{}",
        search.title()
    );
    let contrast = analysis.contrasts_of(Family::RandomSearch).next().unwrap();
    assert_eq!(contrast.finding, Finding::Same);
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
        Notice::WinnersFixed { .. } => order.push("fixed"),
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

/// Why nothing that comes of an experiment's comparison can be evidence.
fn shortcomings(experiment: &str, quick: bool) -> Vec<String> {
    let experiment = Experiment::parse("tiny.toml", experiment).unwrap();
    Plan::of(&experiment, quick).unwrap().shortcomings()
}

#[test]
fn a_comparison_has_eight_searches_and_three_retrainings_unless_it_says_otherwise() {
    let plan = |text: &str| {
        let experiment = Experiment::parse("tiny.toml", text).unwrap();
        let plan = Plan::of(&experiment, false).unwrap();
        (plan.search_seeds, plan.retrain_seeds, plan.random_networks)
    };
    let silent = EXPERIMENT.replace("retrain_seeds = 2, ", "");
    assert_eq!(plan(&silent), (8, 3, 3));
    assert_eq!(plan(EXPERIMENT), (8, 2, 2), "what `final` says counts");
    assert_eq!(
        plan(&(silent.clone() + "compare.retrain_seeds = 4\n")),
        (8, 4, 4)
    );
    let of_search = Experiment::parse("tiny.toml", &silent).unwrap();
    assert_eq!(
        of_search.last.retrain_seeds, 5,
        "a search by itself is as it was"
    );
    assert!(shortcomings(EXPERIMENT, false).is_empty());
}

#[test]
fn too_few_seeds_are_said_before_anything_begins() {
    for (from, to, wanted) in [
        (
            "retrain_seeds = 2",
            "retrain_seeds = 1",
            "`final.retrain_seeds` is 1, and at least 2 are needed",
        ),
        (
            "seed = 7",
            "seed = 7\ncompare.search_seeds = 5",
            "`compare.search_seeds` is 5, and at least 6",
        ),
        (
            "population = 6",
            "population = 20",
            "evolution draws all of its trials at random",
        ),
    ] {
        let found = shortcomings(&EXPERIMENT.replace(from, to), false);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(wanted), "{found:?}");
    }
    assert!(shortcomings(EXPERIMENT, true)[0].contains("validation examples only"));
    let none = EXPERIMENT.replace("retrain_seeds = 2", "retrain_seeds = 0");
    let experiment = Experiment::parse("tiny.toml", &none).unwrap();
    let error = Plan::of(&experiment, false).unwrap_err().to_string();
    assert!(error.starts_with("final.retrain_seeds"), "{error}");
}

#[test]
fn searches_may_be_compared_without_any_design_and_by_roots_of_their_own() {
    let text = experiment().replace("baselines = [\"one.space\"]", "baselines = []")
        + "[[compare.search]]\nname = \"a\"\n[[compare.search]]\nname = \"b\"\nseed = 1000\n";
    let bench = Bench::new(&text);
    let compared = compare(&bench, false, 2, &mut |_, _| ()).unwrap();
    assert!(compared.complete);
    let comparison = RecordedComparison::open(&compared.folder).unwrap();
    let seeds = |name: &str| -> Vec<u64> {
        let of = |(part, _): &&(Part, strata::run::RecordedRun)| {
            comparison.plan().searches[part.search].name == name
        };
        let runs = comparison.runs().iter().filter(of);
        runs.map(|(_, run)| run.started().experiment.seed.0)
            .collect()
    };
    assert_eq!(
        (seeds("a"), seeds("b")),
        (vec![7, 8, 9], vec![1000, 1001, 1002])
    );
    assert_eq!(seeds("random"), [7, 8, 9]);
    let wrong = Bench::new(&text.replace("seed = 1000", "seed = -1"));
    let error = compare(&wrong, false, 2, &mut |_, _| ())
        .unwrap_err()
        .to_string();
    assert!(error.contains("b: `seed` is a whole number"), "{error}");
}

#[test]
fn a_quick_comparison_shows_validation_scores_and_is_no_evidence() {
    let bench = Bench::new(EXPERIMENT);
    let folder = compare(&bench, true, 2, &mut |_, _| ()).unwrap().folder;
    let comparison = RecordedComparison::open(&folder).unwrap();
    let analysis = Analysis::of(&comparison).unwrap();
    assert!(!analysis.verdict.evidence);
    assert!(analysis.verdict.headline.starts_with("Not evidence"));
    assert_eq!(analysis.test_examples, None);
    let winners: Vec<f64> = comparison
        .runs()
        .iter()
        .map(|(_, run)| run.state().winner.as_ref().unwrap().score)
        .collect();
    assert_eq!(analysis.arms[0].values(), winners[..1]);
    assert_eq!(analysis.arms[1].values(), winners[1..]);
    assert_eq!(analysis.arms[2].values().len(), 1);
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
