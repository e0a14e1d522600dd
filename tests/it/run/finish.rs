//! The end of trainings: the best epoch counts, and every network of the final evaluation is retrained for as many
//! epochs as its own training took to its best.

use super::fixture::{Bench, EXPERIMENT, copy_cut, digest, only_run};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use strata::evaluation::EpochRecord;
use strata::model::Network;
use strata::random::{Purpose, Seed};
use strata::run::journal::{FileJournal, Journal};
use strata::run::record::{Record, Selected, SelectedResult};
use strata::run::{
    Event, ExperimentFile, Isolation, Options, Outcome, RecordedRun, Sample, Subject, Unit,
    WorkerProgram, resume, start, verify,
};
use strata::search::CONTROLLERS;
use strata::training::{Objective, evaluate};
use tempfile::TempDir;

const PATIENCE: usize = 2;
const EPOCHS: usize = 9;

/// A task: its name, the space's output, and what `[data]` says of the label.
const TASKS: [(&str, &str, &str); 4] = [
    ("classes", "classes(3)", "label = \"class\""),
    ("binary", "binary", "label = \"side\""),
    (
        "labels",
        "labels(2)",
        "label = [\"left\", \"right\"]\ntask = \"multi_label\"",
    ),
    (
        "regression",
        "regression",
        "label = \"size\"\ntask = \"regression\"",
    ),
];

/// A table whose targets follow from its features, but for noise that a network learns by heart.
fn table() -> String {
    let mut stream = Seed(4).stream(0, Purpose::Tool);
    let mut text = "a,b,c,d,class,side,left,right,size\n".to_owned();
    for _ in 0..90 {
        let values: Vec<f64> = (0..4).map(|_| stream.normal()).collect();
        let size = values[0] - 0.5 * values[1] + 1.5 * stream.normal();
        let class = ["low", "middle", "high"][usize::from(size > -0.6) + usize::from(size > 0.6)];
        let side = if size > 0.0 { "up" } else { "down" };
        let (left, right) = (
            u8::from(size > 0.3),
            u8::from(values[2] + stream.normal() > 0.0),
        );
        let features: Vec<String> = values.iter().map(|value| format!("{value:.4}")).collect();
        let features = features.join(",");
        writeln!(text, "{features},{class},{side},{left},{right},{size:.4}").unwrap();
    }
    text
}

/// An experiment on the table that says of its data only the columns of the task.
fn question(
    (name, output, label): (&str, &str, &str),
    search: &str,
    last: &str,
) -> (TempDir, ExperimentFile) {
    let folder = tempfile::tempdir().unwrap();
    let columns = match name {
        "classes" => "class",
        "binary" => "side",
        "labels" => "left,right",
        _ => "size",
    };
    let space = |name: &str, body: &str| {
        format!(
            "space {name}\ninput vector(features: 4)\noutput {output}\nnetwork {{\n{body}\n    linear(outputs)\n}}\n"
        )
    };
    let hidden = "    linear(4 | 8 | 16 | 24)\n    relu | tanh\n    batch_norm | identity";
    let text = format!(
        "name = \"{name}\"\nspace = \"t.space\"\nseed = 5\nbudget = {{ trials = 14 }}\n\
         [data]\ntrain = \"t.csv\"\n{label}\n[search]\nlookahead = 4\n{search}\n\
         [recipe]\nepochs = {EPOCHS}\npatience = {PATIENCE}\nlearning_rate = 0.1\ngradient_clip_norm = 1\nbatch_size = 16\n\
         [final]\nbaselines = [\"one.space\"]\n{last}\n"
    );
    let files = [
        ("t.csv", only(&table(), columns)),
        ("t.space", space("t", hidden)),
        ("one.space", space("one", "    linear(6); relu")),
        ("e.toml", text),
    ];
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let file = ExperimentFile::read(&folder.path().join("e.toml")).unwrap();
    (folder, file)
}

/// The features and some targets of a table.
fn only(table: &str, targets: &str) -> String {
    let names: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    let wanted: Vec<&str> = "a,b,c,d".split(',').chain(targets.split(',')).collect();
    let places = wanted
        .iter()
        .map(|name| names.iter().position(|n| n == name).unwrap());
    let places: Vec<usize> = places.collect();
    let line = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        places
            .iter()
            .map(|&at| cells[at])
            .collect::<Vec<_>>()
            .join(",")
            + "\n"
    };
    table.lines().map(line).collect()
}

/// The best of a training's epochs: the highest score, of equals the lowest loss, of equals the earliest.
fn best(epochs: &[EpochRecord]) -> (u32, f64, f64) {
    let figures = epochs.iter().map(|record| {
        let loss = record.validation_loss.unwrap();
        (record.epoch, record.score().unwrap(), loss)
    });
    let better = |held: (u32, f64, f64), next: (u32, f64, f64)| {
        let is_better = next.1 > held.1 || (next.1 == held.1 && next.2 < held.2);
        if is_better { next } else { held }
    };
    figures.reduce(better).unwrap()
}

fn with_workers(stop: &AtomicBool, workers: usize) -> Options<'_> {
    Options {
        workers: Some(workers),
        ..Options::new(stop)
    }
}

/// Runs a question, and counts the epochs of every piece of work.
fn run(file: &ExperimentFile, runs: &Path) -> (RecordedRun, BTreeMap<Unit, u32>) {
    let stop = AtomicBool::new(false);
    let mut counts = BTreeMap::new();
    let mut watch = |event: &Event| {
        if let Event::Epoch { unit, .. } = event {
            *counts.entry(unit.clone()).or_default() += 1;
        }
    };
    let ending = start(file, runs, &with_workers(&stop, 2), &mut watch).unwrap();
    (RecordedRun::open(&ending.folder).unwrap(), counts)
}

/// A trial's figures are those of the best of its epochs, and patience ended it that many epochs later.
fn check_trials(run: &RecordedRun) {
    let state = run.state();
    for (proposal, outcome) in state.proposals.iter().zip(&state.outcomes) {
        let Outcome::Finished(done) = outcome else {
            panic!("{outcome:?}");
        };
        let curve = state.curve(done.trial, &done.epochs);
        let (epoch, score, loss) = best(&curve);
        assert_eq!(done.best_epoch, Some(epoch), "trial {}", done.trial);
        assert_eq!(
            (done.score, done.loss),
            (score, loss),
            "trial {}",
            done.trial
        );
        let waited = curve.len() - epoch as usize;
        let planned = proposal.fidelity().epochs_of(EPOCHS);
        assert!(waited <= PATIENCE && curve.len() <= planned);
        assert!(curve.len() == planned || waited == PATIENCE);
    }
}

/// Whether a run's winner was trained in full, from fresh weights.
fn is_whole(run: &RecordedRun, inherits: bool) -> bool {
    let state = run.state();
    let winner = state.winner.as_ref().unwrap().trial;
    let first = &state.proposals[state.stream(winner) as usize];
    let is_full = state.proposals[winner.0 as usize].fidelity().is_full();
    is_full && (first.parents.is_empty() || !inherits)
}

/// Every network of the final evaluation was retrained for as many epochs as its own training took to its best.
fn check_finals(run: &RecordedRun, inherits: bool, counts: &BTreeMap<Unit, u32>) {
    let state = run.state();
    let winner = run.best().unwrap();
    let mut wanted: BTreeMap<Subject, u32> = BTreeMap::new();
    for Selected {
        subject,
        result,
        epochs,
        ..
    } in state.selected.values()
    {
        let (epoch, score, loss) = best(epochs);
        let said = SelectedResult::Validated {
            best_epoch: epoch,
            score,
            loss,
        };
        assert_eq!(*result, said, "{subject}");
        wanted.insert(subject.clone(), epoch);
    }
    if is_whole(run, inherits) {
        let held = wanted.insert(Subject::Winner, winner.best_epoch.unwrap());
        assert_eq!(held, None, "its trial is its own training");
    }
    let subjects = [
        Subject::Winner,
        Subject::Baseline("one".to_owned()),
        Subject::Random(0),
    ];
    assert_eq!(wanted.keys().cloned().collect::<Vec<_>>(), subjects);
    assert_eq!(state.retrained.len(), 5);
    for ((subject, index), retrained) in &state.retrained {
        assert_eq!(retrained.epochs, Some(wanted[subject]), "{subject}");
        let (subject, index) = (subject.clone(), *index);
        let trained = counts[&Unit::Retraining {
            subject: subject.clone(),
            index,
        }];
        assert_eq!(trained, wanted[&subject], "{subject}");
    }
}

/// The winner's weights, trained again, give its score and its loss on the validation part to the bit.
fn check_weights(run: &RecordedRun, file: &ExperimentFile) {
    let stop = AtomicBool::new(false);
    let winner = run.best().unwrap();
    let sample = Sample::Trial(winner.trial);
    let verified = verify(
        run.folder().path(),
        sample,
        &with_workers(&stop, 1),
        &mut |_| (),
    )
    .unwrap();
    assert!(verified.is_equal(), "{verified:?}");
    let weights = verified.checked[0].weights.as_deref().unwrap();
    check_scores(run, file, weights);
}

fn check_scores(run: &RecordedRun, file: &ExperimentFile, weights: &[u8]) {
    let winner = run.best().unwrap();
    let architecture = run.candidate(winner.trial).unwrap().architecture;
    let network = Network::trained(&architecture, weights).unwrap();
    let objective = Objective::of(&file.experiment.recipe, architecture.output()).unwrap();
    let splits = file.experiment.data.splits(&file.base).unwrap();
    let scores = evaluate(&network, &splits.validation, &objective).unwrap();
    assert_eq!(Some(scores.score), winner.score);
    assert_eq!(Some(scores.loss), winner.loss);
    assert_eq!(scores.metrics, winner.metrics);
}

const LAST: &str = "retrain_seeds = 2\nrandom_networks = 1\nmodels = []";

/// What a controller needs to be itself within few trials.
fn settings(controller: &str) -> String {
    let further = match controller {
        "predictor" => "initial = 6\npopulation = 4\ncandidates = 8\nmembers = 4",
        "evolution" | "mu_plus_lambda" | "nsga2" => "population = 5",
        "local_search" => "initial = 3",
        _ => "",
    };
    format!("controller = \"{controller}\"\n{further}")
}

#[test]
fn with_every_controller_and_task_the_best_epoch_counts_and_says_how_long_to_retrain() {
    let mut early = 0;
    for controller in CONTROLLERS {
        for task in TASKS {
            let (folder, file) = question(task, &settings(controller.name), LAST);
            let (run, counts) = run(&file, &folder.path().join("runs"));
            check_trials(&run);
            check_finals(&run, false, &counts);
            check_weights(&run, &file);
            early += run
                .trials()
                .iter()
                .filter(|row| row.epochs.len() < EPOCHS)
                .count();
        }
    }
    assert!(early > 100, "patience ended {early} trials");
}

#[test]
fn a_winner_that_was_not_trained_whole_has_a_selection_training_too() {
    let cases = [
        (
            "controller = \"evolution\"\npopulation = 4\nsample = 4\ninherit = true",
            true,
        ),
        (
            "controller = \"evolution_hyperband\"\ninherit = true\npopulation = 4",
            true,
        ),
        (
            "controller = \"hyperband\"\nfidelity = \"data\"\nmin_fidelity = 0.3",
            false,
        ),
        // So few that none of them is a full evaluation.
        ("controller = \"successive_halving\"", false),
    ];
    let mut selected = 0;
    for (number, (search, inherits)) in cases.into_iter().enumerate() {
        let (folder, mut file) = question(TASKS[number], search, LAST);
        if number == 3 {
            file.experiment.budget.trials = Some(2);
        }
        let (run, counts) = run(&file, &folder.path().join("runs"));
        check_trials(&run);
        check_finals(&run, inherits, &counts);
        selected += usize::from(!is_whole(&run, inherits));
    }
    assert!(selected > 1, "{selected} winners");
}

#[test]
fn the_weights_that_a_search_leaves_are_those_of_the_best_epoch() {
    for task in TASKS {
        let (folder, file) = question(task, &settings("random"), "retrain_seeds = 0");
        let (run, _) = run(&file, &folder.path().join("runs"));
        let weights = run.folder().best().join("weights.safetensors");
        check_scores(&run, &file, &fs::read(weights).unwrap());
        let about = fs::read_to_string(run.folder().best().join("about.json")).unwrap();
        let about: serde_json::Value = serde_json::from_str(&about).unwrap();
        assert_eq!(
            about["epochs"].as_u64(),
            run.best().unwrap().best_epoch.map(u64::from)
        );
    }
}

#[test]
fn a_single_epoch_is_its_own_best() {
    let (folder, mut file) = question(TASKS[0], &settings("random"), LAST);
    file.experiment.recipe.epochs = 1;
    let (run, _) = run(&file, &folder.path().join("runs"));
    assert!(run.trials().iter().all(|row| row.best_epoch == Some(1)));
    let finals = run.finals().unwrap();
    assert!(
        finals
            .iter()
            .all(|row| (row.epochs, row.recipe_epochs) == (Some(1), Some(1)))
    );
}

/// Networks on digits with dropout, baselines and random networks, that stop early.
fn digits() -> Bench {
    let text = EXPERIMENT
        .replace("trials = 20", "trials = 5")
        .replace("population = 6", "population = 3")
        .replace(
            "{ epochs = 2 }",
            "{ epochs = 5, patience = 1, learning_rate = 0.1 }",
        )
        .replace(
            "retrain_seeds = 2",
            "retrain_seeds = 2, random_networks = 2",
        );
    Bench::new(&text)
}

#[test]
fn selection_trainings_are_the_same_on_any_workers_in_processes_and_resumed_from_any_record() {
    let bench = digits();
    let stop = AtomicBool::new(false);
    let folders = [1, 2, 4].map(|workers| {
        start(
            &bench.file,
            &bench.runs(),
            &with_workers(&stop, workers),
            &mut |_| (),
        )
        .unwrap()
        .folder
    });
    let wanted = digest(&folders[0]);
    assert_eq!(
        [digest(&folders[1]), digest(&folders[2])],
        [wanted.clone(), wanted.clone()]
    );
    let apart = Options {
        isolate: Some(Isolation::Process),
        program: Some(WorkerProgram {
            path: PathBuf::from(env!("CARGO_BIN_EXE_strata")),
            arguments: vec!["isolated".to_owned()],
        }),
        ..with_workers(&stop, 2)
    };
    let apart = start(&bench.file, &bench.runs(), &apart, &mut |_| ())
        .unwrap()
        .folder;
    assert_eq!(digest(&apart), wanted);
    let entries = RecordedRun::open(&folders[0]).unwrap().entries().unwrap();
    let kinds: Vec<&str> = entries.iter().map(|entry| kind(&entry.record)).collect();
    let last = kinds.iter().position(|kind| *kind == "winner").unwrap();
    let finals = ["winner", "selected", "selected", "selected", "opened"];
    assert_eq!(kinds[last..last + 5], finals);
    let journal = fs::read(folders[0].join("journal.jsonl")).unwrap();
    let lines = journal
        .split_inclusive(|&byte| byte == b'\n')
        .map(<[u8]>::len);
    let lengths: Vec<usize> = lines.collect();
    for cut in last..entries.len() - 1 {
        let copy = bench.runs().join(format!("cut-{cut}"));
        copy_cut(&folders[0], &copy, lengths[..=cut].iter().sum());
        let progress = RecordedRun::open(&copy)
            .unwrap()
            .summary()
            .unwrap()
            .final_progress
            .unwrap();
        assert_eq!((progress.selections, progress.retrainings), (3, 6));
        assert_eq!(progress.selected, 3.min(cut - last) as u64);
        resume(&copy, &with_workers(&stop, 1 + cut % 4), &mut |_| ()).unwrap();
        assert_eq!(digest(&copy), wanted, "cut behind record {cut}");
    }
}

fn kind(record: &Record) -> &'static str {
    match record {
        Record::Winner(_) => "winner",
        Record::Selected(_) => "selected",
        Record::TestOpened(_) => "opened",
        Record::Retrained(_) => "retrained",
        _ => "other",
    }
}

/// A run as an earlier build would have begun it: its first `count` records, which don't say what a training is.
fn of_an_earlier_build(run: &RecordedRun, to: &Path, count: usize) {
    copy_cut(run.folder().path(), to, 0);
    fs::remove_file(to.join("journal.jsonl")).unwrap();
    let mut journal = FileJournal::create(&to.join("journal.jsonl")).unwrap();
    for mut entry in run.entries().unwrap().into_iter().take(count) {
        if let Record::Started(started) = &mut entry.record {
            started.host.training = None;
        }
        if let Record::Finished(done) = &mut entry.record {
            done.best_epoch = None;
        }
        journal
            .append(entry.record, entry.at, entry.seconds)
            .unwrap();
    }
}

#[test]
fn a_run_of_an_earlier_build_is_not_verified_or_searched_on_and_ends_as_it_began() {
    let bench = digits();
    let stop = AtomicBool::new(false);
    let options = with_workers(&stop, 2);
    let folder = start(&bench.file, &bench.runs(), &options, &mut |_| ())
        .unwrap()
        .folder;
    let run = RecordedRun::open(&folder).unwrap();
    let entries = run.entries().unwrap();
    let winner = entries
        .iter()
        .position(|entry| kind(&entry.record) == "winner")
        .unwrap();
    let [searched, half] = ["searched", "half"].map(|name| bench.runs().join(name));
    of_an_earlier_build(&run, &searched, winner + 1);
    of_an_earlier_build(&run, &half, 6);
    let said = verify(&searched, Sample::Drawn(2, Seed(1)), &options, &mut |_| ())
        .unwrap_err()
        .to_string();
    assert!(said.contains("the scores of their last epoch; this build (revision 2) gives them those of their best epoch"), "{said}");
    let said = resume(&half, &options, &mut |_| ())
        .unwrap_err()
        .to_string();
    assert!(said.contains("can't go on with its search"), "{said}");
    resume(&searched, &options, &mut |_| ()).unwrap();
    let ended = RecordedRun::open(&searched).unwrap();
    assert!(ended.state().selected.is_empty());
    assert!(
        ended
            .state()
            .retrained
            .values()
            .all(|retrained| retrained.epochs.is_none())
    );
    assert_eq!(ended.state().retrained.len(), 6);
}

#[test]
fn a_winner_that_stopped_after_six_of_four_hundred_epochs_is_retrained_for_as_few() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("STRATA_SHARED").map_or(beside, PathBuf::from);
    let path = root.join("cases/patience-forgotten/x.toml");
    if !path.is_file() {
        eprintln!("skipped: no {}", path.display());
        return;
    }
    let file = ExperimentFile::read(&path).unwrap();
    let runs = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    start(&file, runs.path(), &with_workers(&stop, 2), &mut |_| ()).unwrap();
    let run = RecordedRun::open(&only_run(runs.path()).unwrap()).unwrap();
    let (best, finals) = (run.best().unwrap(), run.finals().unwrap());
    assert_eq!(finals[0].epochs, best.best_epoch);
    eprintln!(
        "{} of a trial with R2 {:.4}; test R2 {:?}",
        best.best_of_epochs().unwrap(),
        best.score.unwrap(),
        finals[0]
    );
    assert!(best.epochs.len() < 20, "{} epochs", best.epochs.len());
    let mean = finals[0].mean.unwrap();
    assert!(mean > 0.4, "{mean}");
}

#[test]
fn networks_that_a_proxy_judged_have_a_selection_training_each() {
    let last = format!("{LAST}\n[evaluator]\nkind = \"proxy\"\nproxies = [\"params\"]");
    let (folder, file) = question(TASKS[0], &settings("random"), &last);
    let (run, _) = run(&file, &folder.path().join("runs"));
    let state = run.state();
    assert_eq!(run.best().unwrap().best_epoch, None);
    assert_eq!(state.selected.len(), 3);
    for ((subject, _), retrained) in &state.retrained {
        let (epoch, ..) = best(&state.selected[subject].epochs);
        assert_eq!(retrained.epochs, Some(epoch), "{subject}");
    }
}

#[test]
fn only_what_says_something_new_is_of_a_new_format() {
    let bench = Bench::new(EXPERIMENT);
    let folder = bench
        .start(&super::fixture::Fake::default(), 2)
        .unwrap()
        .folder;
    let formats = |folder: &Path| -> Vec<u32> {
        let entries = RecordedRun::open(folder).unwrap().entries().unwrap();
        entries.iter().map(|entry| entry.format).collect()
    };
    let of_figures = formats(&folder);
    // The first line names the revision of trainings among what it says of the host.
    assert_eq!(of_figures[0], 6);
    assert!(of_figures[1..].iter().all(|&format| format == 3));
    let stop = AtomicBool::new(false);
    let folder = start(
        &digits().file,
        &bench.runs(),
        &with_workers(&stop, 2),
        &mut |_| (),
    )
    .unwrap()
    .folder;
    assert!(formats(&folder).contains(&6));
}
