//! Runs of every task, from data to test scores.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use strata::run::{ExperimentFile, FinalRow, Options, RecordedRun, start};

fn experiment(name: &str) -> ExperimentFile {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("experiments").join(format!("{name}.toml"));
    let mut file = ExperimentFile::read(&path).unwrap();
    // As one without a file it is no look: a test changes nothing beside the experiments.
    file.path = None;
    file.experiment.budget.trials = Some(10);
    file.experiment.search.population = Some(5);
    file
}

fn finals(file: &ExperimentFile) -> Vec<FinalRow> {
    let runs = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(2),
        ..Options::new(&stop)
    };
    let ending = start(file, runs.path(), &options, &mut |_| ()).unwrap();
    RecordedRun::open(&ending.folder).unwrap().finals().unwrap()
}

#[test]
fn the_tabular_experiments_reach_what_linear_models_are_known_for() {
    for (name, score_name, least, arms) in [
        ("wine", "accuracy", 0.9, 4),
        ("breast_cancer", "accuracy", 0.95, 6),
        ("penguins", "accuracy", 0.95, 4),
        ("diabetes", "R2", 0.4, 4),
    ] {
        let rows = finals(&experiment(name));
        assert_eq!(
            rows.len(),
            arms,
            "{name}: the winner, the baselines and two models"
        );
        for row in rows {
            assert_eq!(row.score_name, score_name);
            assert!(row.mean.unwrap() > least, "{name}: {row:?}");
        }
    }
}

#[test]
fn a_regression_reports_errors_in_the_units_of_the_data() {
    let rows = finals(&experiment("diabetes"));
    let rmse = rows[0].metrics["rmse"];
    assert!((40.0..70.0).contains(&rmse), "{rmse}");
}

#[test]
fn several_labels_are_learnt_and_augmented_inputs_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = "a,b,left,right\n".to_owned();
    for n in 0..80 {
        let (a, b) = (f64::from(n % 9) - 4.0, f64::from(n % 7) - 3.0);
        table += &format!("{a},{b},{},{}\n", u8::from(a > 0.0), u8::from(b > 0.0));
    }
    let space = "space flags\ninput vector(features: 2)\noutput labels(2)\n\
                 network {\n    linear(8 | 4)\n    relu\n    linear(outputs)\n}\n";
    let text = "name = \"flags\"\nspace = \"flags.space\"\nbudget = { trials = 2 }\n\
                final = { retrain_seeds = 2 }\n\
                [data]\ntrain = \"t.csv\"\nlabel = [\"left\", \"right\"]\ntask = \"multi_label\"\n\
                [recipe]\nepochs = 40\nbatch_size = 16\nmixup = 0.1\n";
    for (name, content) in [
        ("t.csv", table.as_str()),
        ("flags.space", space),
        ("e.toml", text),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let file = ExperimentFile::read(&folder.path().join("e.toml")).unwrap();
    let rows = finals(&file);
    assert_eq!(rows[0].score_name, "F1");
    assert!(rows[0].mean.unwrap() > 0.85, "{rows:?}");
    assert!(rows[0].metrics.contains_key("exact_match"));
}

#[test]
fn a_network_or_a_loss_of_another_task_is_refused_before_anything_runs() {
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(1),
        ..Options::new(&stop)
    };
    let runs = tempfile::tempdir().unwrap();
    let fault = |file: &ExperimentFile| {
        let error = start(file, runs.path(), &options, &mut |_| ()).unwrap_err();
        error.to_string()
    };
    let mut wrong_output = experiment("diabetes");
    wrong_output.experiment.space = "../search_spaces/wine_mlp.space".into();
    wrong_output.experiment.data = experiment("breast_cancer").experiment.data;
    let said = fault(&wrong_output);
    assert!(said.contains("its input is 13 (vector)"), "{said}");
    let mut wrong_loss = experiment("wine");
    wrong_loss.experiment.recipe.loss = Some(strata::training::LossKind::Mse);
    let said = fault(&wrong_loss);
    assert!(
        said.contains("`loss` is cross_entropy for `output classes(3)`"),
        "{said}"
    );
    let mut wrong_change = experiment("wine");
    wrong_change.experiment.recipe.flip = Some(true);
    let said = fault(&wrong_change);
    assert!(said.contains("`flip` is for images"), "{said}");
}
