//! Winners that are trained on all rows once they have been tested.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use strata::run::{ExperimentFile, Options, RecordedRun, RunError, Subject, refit, start};
use tempfile::TempDir;

const SPACE: &str = "space rows\ninput vector(features: 2)\noutput regression(1)\n\
    network {\n    linear(8 | 4)\n    relu\n    linear(outputs)\n}\n";

/// A regression on a table of 60 rows, with a file of official test examples or without.
fn experiment(more: &str) -> (TempDir, ExperimentFile) {
    let folder = tempfile::tempdir().unwrap();
    let rows = |from: u32, to: u32| {
        let row = |n: u32| {
            let (a, b) = (f64::from(n % 9), f64::from(n % 7));
            format!("{a},{b},{}\n", 3.0 * a - b + 100.0)
        };
        "a,b,y\n".to_owned() + &(from..to).map(row).collect::<String>()
    };
    let text = format!(
        "name = \"rows\"\nspace = \"rows.space\"\nbudget = {{ trials = 2 }}\n\
         search = {{ controller = \"random\", lookahead = 2 }}\nfinal = {{ retrain_seeds = 2 }}\n\
         recipe = {{ epochs = 3, batch_size = 16 }}\n\
         [data]\ntrain = \"t.csv\"\nlabel = \"y\"\ntask = \"regression\"\n{more}\n"
    );
    for (name, content) in [
        ("t.csv", rows(0, 60)),
        ("test.csv", rows(60, 80)),
        ("rows.space", SPACE.to_owned()),
        ("e.toml", text),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let file = ExperimentFile::read(&folder.path().join("e.toml")).unwrap();
    (folder, file)
}

fn run(folder: &Path, file: &ExperimentFile) -> RecordedRun {
    let stop = AtomicBool::new(false);
    let options = Options::new(&stop);
    let ended = start(file, &folder.join("runs"), &options, &mut |_| ()).unwrap();
    RecordedRun::open(&ended.folder).unwrap()
}

#[test]
fn a_tested_winner_is_trained_on_every_row_and_keeps_its_score_of_before() {
    for (more, rows) in [("", 60), ("test = \"test.csv\"", 80)] {
        let (folder, file) = experiment(more);
        let run = run(folder.path(), &file);
        let digest = run.digest();
        let stop = AtomicBool::new(false);
        let options = Options::new(&stop);
        let refitted = || {
            refit(run.folder().path(), &options, &mut |_| ())
                .unwrap()
                .unwrap()
        };
        let first = refitted();
        let weights = fs::read(&first[0].weights).unwrap();
        assert_eq!((first.len(), first[0].rows), (1, rows));
        assert_eq!(Some(first[0].tested), run.finals().unwrap()[0].mean);
        assert_ne!(
            weights,
            fs::read(run.folder().best().join("weights.safetensors")).unwrap()
        );
        refitted();
        assert_eq!(
            fs::read(&first[0].weights).unwrap(),
            weights,
            "again, the same to the last bit"
        );
        let again = RecordedRun::open(run.folder().path()).unwrap();
        assert_eq!(again.digest(), digest, "the run is what it was");
        let (path, learnt) = run.refitted(&Subject::Winner).unwrap();
        assert_eq!(path, first[0].weights);
        let before = run.preprocessing(&options.place).unwrap().unwrap();
        assert_ne!(
            learnt.to_json(),
            before.to_json(),
            "scales are learnt from all rows"
        );
        let about = fs::read_to_string(path.with_file_name("refitted.json")).unwrap();
        assert!(
            about.contains("\"tested\"") && about.contains("\"rows\""),
            "{about}"
        );
    }
}

#[test]
fn a_winner_without_a_test_score_is_not_refitted() {
    let (folder, mut file) = experiment("");
    file.experiment.last.retrain_seeds = 0;
    let run = run(folder.path(), &file);
    let stop = AtomicBool::new(false);
    let error = refit(run.folder().path(), &Options::new(&stop), &mut |_| ()).unwrap_err();
    assert!(matches!(error, RunError::Setting { .. }), "{error}");
    assert!(error.to_string().contains("no test score"), "{error}");
    let error = run.refitted(&Subject::Winner).unwrap_err();
    assert!(error.to_string().contains("strata refit"), "{error}");
}
