//! Runs at several fidelities: the same to the bit however they are cut.

use super::fixture::{Bench, EXPERIMENT, Fake, copy_cut, digest, resume};
use std::fs;
use std::sync::atomic::AtomicBool;
use strata::random::Seed;
use strata::run::{
    Options, RecordedRun, RunError, Sample, SearchEnd, choose, resume as go_on, start, verify,
};
use strata::search::{Fidelity, TrialId};

fn experiment(controller: &str, epochs: u32, trials: u32) -> String {
    EXPERIMENT
        .replace(
            "population = 6, sample = 3",
            &format!("controller = \"{controller}\""),
        )
        .replace("epochs = 2", &format!("epochs = {epochs}"))
        .replace("trials = 20", &format!("trials = {trials}"))
}

#[test]
fn a_run_with_brackets_is_the_same_on_any_workers_and_resumes_from_any_record() {
    let bench = Bench::new(&experiment("evolution_hyperband", 9, 26));
    let folders = [1, 4].map(|workers| bench.start(&Fake::default(), workers).unwrap().folder);
    let wanted = digest(&folders[0]);
    assert_eq!(digest(&folders[1]), wanted);
    let rows = RecordedRun::open(&folders[0]).unwrap().trials();
    assert!(rows.iter().any(|row| row.continues.is_some()));
    let journal = fs::read(folders[0].join("journal.jsonl")).unwrap();
    let breaks = journal
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n');
    let ends: Vec<usize> = breaks.map(|(at, _)| at + 1).collect();
    for (number, &end) in ends[..ends.len() - 1].iter().enumerate() {
        let copy = bench.runs().join(format!("cut-{end}"));
        copy_cut(&folders[0], &copy, end);
        resume(&copy, &Fake::default(), 1 + number % 4).unwrap();
        assert_eq!(digest(&copy), wanted, "cut at byte {end}");
    }
}

#[test]
fn the_winner_was_evaluated_in_full_and_epochs_are_counted_once() {
    let text = experiment("hyperband", 9, 26).replace("trials = 26", "epochs = 60");
    let bench = Bench::new(&text);
    let folder = bench.start(&Fake::default(), 2).unwrap().folder;
    let run = RecordedRun::open(&folder).unwrap();
    let (rows, state) = (run.trials(), run.state());
    assert_eq!(state.searched.as_ref().unwrap().reason, SearchEnd::Epochs);
    let paid: usize = rows.iter().map(|row| row.epochs.len()).sum();
    assert!(paid <= 60 && paid > 50, "{paid} epochs");
    assert_eq!(state.epochs(), paid as f64);
    for row in rows.iter().filter(|row| row.continues.is_some()) {
        let earlier = &rows[row.continues.unwrap().0 as usize];
        let last = earlier.epochs.last().unwrap().epoch;
        assert_eq!(row.epochs.first().unwrap().epoch, last + 1);
        let whole = row.fidelity.unwrap_or(Fidelity::FULL).epochs_of(9);
        assert_eq!(state.curve(row.trial, &row.epochs).len(), whole);
    }
    let best = &rows[state.winner.as_ref().unwrap().trial.0 as usize];
    assert_eq!(best.fidelity, None);
}

#[test]
fn training_on_from_a_checkpoint_and_anew_give_the_same_digest_and_verify() {
    let text =
        experiment("successive_halving", 9, 20).replace("retrain_seeds = 2", "retrain_seeds = 0");
    let bench = Bench::new(&text);
    let stop = AtomicBool::new(false);
    let options = |workers| Options {
        workers: Some(workers),
        ..Options::new(&stop)
    };
    let open = |workers| start(&bench.file, &bench.runs(), &options(workers), &mut |_| ()).unwrap();
    let (one, two) = (open(1).folder, open(2).folder);
    let wanted = digest(&one);
    assert_eq!(digest(&two), wanted);
    let run = RecordedRun::open(&one).unwrap();
    let promoted = run
        .trials()
        .into_iter()
        .filter(|row| row.continues.is_some());
    let promoted: Vec<TrialId> = promoted.map(|row| row.trial).collect();
    assert!(promoted.len() >= 3);
    assert!(!one.join("checkpoints").exists());
    // Every trial again, each from its beginning.
    assert_eq!(choose(&run, 20, Seed(0)).len(), 20);
    let verified = verify(&one, Sample::Drawn(20, Seed(0)), &options(2), &mut |_| ()).unwrap();
    assert!(verified.is_equal(), "{verified:?}");
    // A run cut in the middle has lost its checkpoints.
    let journal = fs::read_to_string(one.join("journal.jsonl")).unwrap();
    let half: usize = journal.lines().take(18).map(|line| line.len() + 1).sum();
    let copy = bench.runs().join("cut");
    copy_cut(&one, &copy, half);
    go_on(&copy, &options(2), &mut |_| ()).unwrap();
    assert_eq!(digest(&copy), wanted);
}

#[test]
fn a_share_of_the_data_is_a_fidelity_too() {
    let text = experiment("hyperband", 2, 14)
        .replace(
            "controller = ",
            "fidelity = \"data\", min_fidelity = 0.3, controller = ",
        )
        .replace("retrain_seeds = 2", "retrain_seeds = 0");
    let bench = Bench::new(&text);
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(2),
        ..Options::new(&stop)
    };
    let folder = start(&bench.file, &bench.runs(), &options, &mut |_| ())
        .unwrap()
        .folder;
    let run = RecordedRun::open(&folder).unwrap();
    let third = Some(Fidelity::of_data(1.0 / 3.0));
    assert!(run.trials().iter().any(|row| row.fidelity == third));
    assert!(run.trials().iter().any(|row| row.fidelity.is_none()));
    let verified = verify(&folder, Sample::Drawn(14, Seed(0)), &options, &mut |_| ()).unwrap();
    assert!(verified.is_equal(), "{verified:?}");
}

#[test]
fn a_fidelity_that_the_space_does_not_have_is_refused() {
    let text = experiment("hyperband", 2, 4)
        .replace("controller = ", "fidelity = \"width\", controller = ");
    let error = Bench::new(&text).start(&Fake::default(), 1).unwrap_err();
    assert!(matches!(&error, RunError::Setting { key, .. } if key == "search.fidelity"));
    assert!(error.to_string().contains("`width` is none"), "{error}");
}

#[test]
fn inherited_weights_are_found_again_by_a_run_that_lost_them_and_by_verify() {
    let text = EXPERIMENT
        .replace("population = 6", "inherit = true, population = 4")
        .replace("trials = 20", "trials = 14")
        .replace("retrain_seeds = 2", "retrain_seeds = 0");
    let bench = Bench::new(&text);
    let stop = AtomicBool::new(false);
    let options = |workers| Options {
        workers: Some(workers),
        ..Options::new(&stop)
    };
    let open = |bench: &Bench, workers| {
        start(&bench.file, &bench.runs(), &options(workers), &mut |_| ()).unwrap()
    };
    let (one, two) = (open(&bench, 1).folder, open(&bench, 2).folder);
    let wanted = digest(&one);
    assert_eq!(digest(&two), wanted);
    assert!(!one.join("weights").exists());
    let verified = verify(&one, Sample::Drawn(14, Seed(0)), &options(2), &mut |_| ()).unwrap();
    assert!(verified.is_equal(), "{verified:?}");
    let journal = fs::read_to_string(one.join("journal.jsonl")).unwrap();
    let half: usize = journal.lines().take(20).map(|line| line.len() + 1).sum();
    let copy = bench.runs().join("cut");
    copy_cut(&one, &copy, half);
    go_on(&copy, &options(2), &mut |_| ()).unwrap();
    assert_eq!(digest(&copy), wanted);
    let alone = Bench::new(&text.replace("inherit = true, ", ""));
    let alone = RecordedRun::open(&open(&alone, 2).folder).unwrap().trials();
    let heirs = RecordedRun::open(&one).unwrap().trials();
    // Only those with parents differ.
    let first = heirs
        .iter()
        .position(|row| !row.parents.is_empty())
        .unwrap();
    assert_eq!(heirs[first - 1].score, alone[first - 1].score);
    assert_ne!(heirs[first].loss, alone[first].loss);
}
