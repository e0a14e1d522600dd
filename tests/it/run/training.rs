//! Runs that train on real digits.

use super::fixture::{BASELINE, Bench, EXPERIMENT, SPACE, digest};
use std::sync::atomic::AtomicBool;
use strata::random::Seed;
use strata::run::{EndReason, Options, RecordedRun, Sample, resume, start, verify};

fn small() -> Bench {
    let settings = EXPERIMENT
        .replace("trials = 20", "trials = 6")
        .replace("population = 6", "population = 3");
    let with_dropout = SPACE.replace(
        "    linear(classes)",
        "    dropout(0.1)\n    linear(classes)",
    );
    Bench::with_space(&settings, &with_dropout)
}

#[test]
fn training_gives_the_same_digest_on_any_number_of_workers_and_verifies() {
    let bench = small();
    let stop = AtomicBool::new(false);
    let folders = [1, 2, 4].map(|workers| {
        let options = Options {
            workers: Some(workers),
            ..Options::new(&stop)
        };
        let ending = start(&bench.file, &bench.runs(), &options, &mut |_| ()).unwrap();
        assert_eq!(ending.reason, Some(EndReason::Completed));
        ending.folder
    });
    assert_eq!(digest(&folders[0]), digest(&folders[1]));
    assert_eq!(digest(&folders[0]), digest(&folders[2]));
    let options = Options {
        workers: None,
        ..Options::new(&stop)
    };
    let verification = verify(
        &folders[0],
        Sample::Drawn(4, Seed(1)),
        &options,
        &mut |_| (),
    )
    .unwrap();
    assert_eq!(verification.checked.len(), 4);
    assert!(verification.is_equal(), "{verification:?}");
}

#[test]
fn a_killed_training_run_resumes_from_its_folder_alone() {
    let bench = small();
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(2),
        ..Options::new(&stop)
    };
    let whole = start(&bench.file, &bench.runs(), &options, &mut |_| ())
        .unwrap()
        .folder;
    let length = std::fs::read(whole.join("journal.jsonl")).unwrap().len();
    for part in [3, 5, 8] {
        let copy = bench.runs().join(format!("cut-{part}"));
        super::fixture::copy_cut(&whole, &copy, length * part / 10);
        resume(&copy, &options, &mut |_| ()).unwrap();
        assert_eq!(digest(&copy), digest(&whole));
    }
}

#[test]
fn a_space_that_does_not_fit_the_data_is_refused_before_anything_runs() {
    let bench = Bench::with_space(EXPERIMENT, &BASELINE.replace("height: 8", "height: 9"));
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(1),
        ..Options::new(&stop)
    };
    let error = start(&bench.file, &bench.runs(), &options, &mut |_| ()).unwrap_err();
    assert!(
        error.to_string().contains("its input is 1x9x8 (image)"),
        "{error}"
    );
    assert!(!bench.runs().exists());
}

#[test]
fn winners_and_baselines_are_tested_with_every_seed() {
    let bench = small();
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(2),
        ..Options::new(&stop)
    };
    let folder = start(&bench.file, &bench.runs(), &options, &mut |_| ())
        .unwrap()
        .folder;
    let finals = RecordedRun::open(&folder).unwrap().finals().unwrap();
    assert_eq!(finals.len(), 2);
    assert!(
        finals
            .iter()
            .all(|row| row.scores.len() == 2 && row.mean.unwrap() > 0.3),
        "{finals:?}"
    );
}

#[test]
fn a_trial_predicted_to_need_too_much_memory_is_refused_before_it_is_built() {
    let limit = "[trial]\nmemory_limit_mb = 0\n";
    let bench = Bench::new(&format!("{EXPERIMENT}{limit}"));
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(1),
        ..Options::new(&stop)
    };
    let error = start(&bench.file, &bench.runs(), &options, &mut |_| ()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("5 trials failed in a row: trials 0 to 4 rejected (it is predicted"),
        "{text}"
    );
}
