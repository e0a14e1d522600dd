//! Every score of every task, in its direction, wherever a run uses it.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use strata::architecture::Output;
use strata::run::{Experiment, ExperimentFile, Options, RecordedRun, Subject, start};
use strata::search::CONTROLLERS;
use strata::training::{ClassWeights, Direction, SCORES, Score};

/// Rows of two numbers and what a task says of them.
fn table(output: Output) -> String {
    let targets = match output {
        Output::Classes(_) | Output::Binary => "class",
        Output::Labels(_) => "left,right",
        Output::Regression(_) => "number",
    };
    let mut text = format!("a,b,{targets}\n");
    for n in 0..90_u32 {
        let (x, y) = (n * 7 % 19, n * 5 % 13);
        let (a, b) = (f64::from(x) - 9.0, f64::from(y) - 6.0);
        let classes = output.numbers().max(2) as u32;
        let target = match output {
            Output::Classes(_) | Output::Binary => ((x + n % 3) % classes).to_string(),
            Output::Labels(_) => format!("{},{}", u8::from(a + b > 1.0), u8::from(b > a)),
            Output::Regression(_) => (3.0 * a - b + f64::from(n % 4)).to_string(),
        };
        text += &format!("{a},{b},{target}\n");
    }
    text
}

/// An experiment of a task with a score and a way to search, in a folder with what it names.
fn written(folder: &Path, output: Output, score: &str, search: &str) -> ExperimentFile {
    let data = match output {
        Output::Classes(_) | Output::Binary => "label = \"class\"",
        Output::Labels(_) => "label = [\"left\", \"right\"]\ntask = \"multi_label\"",
        Output::Regression(_) => "label = \"number\"\ntask = \"regression\"",
    };
    let space = format!(
        "space tiny\ninput vector(features: 2)\noutput {output}\n\
         network {{\n    linear(2 | 3 | 4 | 6 | 8)\n    relu | tanh | silu\n    linear(outputs)\n}}\n"
    );
    let text = format!(
        "name = \"tiny\"\nspace = \"tiny.space\"\nscore = \"{score}\"\n\
         [data]\ntrain = \"t.csv\"\nvalidation = 0.4\n{data}\n[search]\n{search}\n\
         [budget]\ntrials = 9\n[recipe]\nepochs = 9\nbatch_size = 16\n\
         [final]\nretrain_seeds = 2\nmodels = []\n"
    );
    let rows = table(output);
    for (name, content) in [("t.csv", rows), ("tiny.space", space), ("e.toml", text)] {
        fs::write(folder.join(name), content).unwrap();
    }
    ExperimentFile::read(&folder.join("e.toml")).unwrap()
}

fn run(file: &ExperimentFile) -> RecordedRun {
    let runs = file.base.join("runs");
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(2),
        ..Options::new(&stop)
    };
    let ending = start(file, &runs, &options, &mut |_| ()).unwrap();
    RecordedRun::open(&ending.folder).unwrap()
}

const OUTPUTS: [Output; 5] = [
    Output::Classes(7),
    Output::Classes(2),
    Output::Binary,
    Output::Labels(2),
    Output::Regression(1),
];

/// The best is the best in the score's direction, as the journal has it, everywhere.
fn check(run: &RecordedRun, score: Score, output: Output) {
    let about = format!("{score} of {output}");
    assert_eq!(
        run.score_name().unwrap(),
        score.figure_name(output),
        "{about}"
    );
    let direction = run.state().direction();
    assert_eq!(direction, score.direction(), "{about}");
    let rows = run.trials();
    let highest = run.best().unwrap().fidelity;
    let full = rows.iter().filter(|row| row.fidelity == highest);
    let scores: Vec<f64> = full.filter_map(|row| row.score).collect();
    assert!(!scores.is_empty(), "{about}: {rows:?}");
    let (low, high) = score.info().range;
    assert!(
        scores.iter().all(|score| (low..=high).contains(score)),
        "{about}"
    );
    let best = match direction {
        Direction::Maximise => scores.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Direction::Minimise => scores.iter().copied().fold(f64::INFINITY, f64::min),
    };
    assert_eq!(run.best().unwrap().score, Some(best), "{about}");
    assert_eq!(run.state().winner.as_ref().unwrap().score, best, "{about}");
    let front = run.front(&["params".to_owned()]).unwrap();
    assert_eq!(
        front.trials[0].figures[0], best,
        "{about}: the front begins with the best"
    );
    let summary = run.summary().unwrap();
    assert_eq!(summary.direction, direction);
    let winner = &summary.finals[0];
    assert_eq!(winner.direction, direction);
    assert_eq!(winner.scores.len(), 2, "{about}");
    for row in rows.iter().flat_map(|row| &row.epochs) {
        let is_accuracy = score == Score::Accuracy;
        assert_eq!(row.validation_accuracy.is_some(), is_accuracy, "{about}");
        assert_eq!(row.validation_score.is_some(), !is_accuracy, "{about}");
    }
}

/// What each example gives has the score as its mean where the score is a mean, and comes back from the journal.
fn check_contributions(run: &RecordedRun, score: Score) {
    for ((subject, _), retrained) in &run.state().retrained {
        assert_eq!(*subject, Subject::Winner);
        let (found, each) = (
            retrained.result.score().unwrap(),
            retrained.result.contributions(),
        );
        let values = each
            .expect("a training says what each example gave")
            .values();
        assert_eq!(values.len() as u64, run.state().test_examples.unwrap());
        if score.is_mean() {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            assert!(
                (mean - found).abs() < 1e-5 * (1.0 + found.abs()),
                "{score}: {mean} {found}"
            );
        }
    }
}

#[test]
fn every_score_of_every_task_is_searched_in_its_direction() {
    let folder = tempfile::tempdir().unwrap();
    for output in OUTPUTS {
        for info in SCORES.iter().filter(|info| info.score.fits(output)) {
            let search = "controller = \"evolution\"\npopulation = 4\nsample = 2\nlookahead = 2";
            let run = run(&written(folder.path(), output, info.name, search));
            check(&run, info.score, output);
            check_contributions(&run, info.score);
            let page = strata::report::run_page(&run).unwrap();
            assert!(page.contains(run.score_name().unwrap()), "{}", info.name);
        }
    }
}

#[test]
fn every_controller_makes_a_loss_small() {
    let folder = tempfile::tempdir().unwrap();
    let small = [
        ("population", 4),
        ("offspring", 2),
        ("sample", 2),
        ("initial", 3),
    ];
    for controller in CONTROLLERS {
        let mut search = format!("controller = \"{}\"\n", controller.name);
        for (setting, value) in small
            .iter()
            .filter(|(setting, _)| controller.takes(setting))
        {
            search += &format!("{setting} = {value}\n");
        }
        for (output, score) in [
            (Output::Classes(2), Score::LogLoss),
            (Output::Regression(1), Score::Rmse),
        ] {
            let run = run(&written(folder.path(), output, score.name(), &search));
            check(&run, score, output);
        }
    }
}

#[test]
fn a_score_of_another_task_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), Output::Regression(1), "auroc", "");
    let stop = AtomicBool::new(false);
    let options = Options::new(&stop);
    let error = start(&file, &folder.path().join("runs"), &options, &mut |_| ()).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("score") && said.contains("`r2`, `rmse`"),
        "{said}"
    );
    let text = fs::read_to_string(folder.path().join("e.toml")).unwrap();
    let error = Experiment::parse("e.toml", &text.replace("auroc", "rmsee")).unwrap_err();
    assert!(
        error.to_string().contains("did you mean `rmse`?"),
        "{error}"
    );
}

/// Rows of which one in twelve is of the second class, likelier where the first number is large, and nowhere likelier
/// than the other.
fn imbalanced(folder: &Path, head: &str, recipe: &str) -> RecordedRun {
    let mut text = "a,b,c,fraud\n".to_owned();
    for n in 0..480_u32 {
        let number = |step: u32| f64::from(n * step % 97) / 97.0 - 0.5;
        let is_fraud = n % 12 == 5;
        let a = if is_fraud {
            number(31).max(number(41))
        } else {
            number(31)
        };
        text += &format!("{a},{},{},{}\n", number(17), number(53), u8::from(is_fraud));
    }
    let space = "space x\ninput vector(features: 3)\noutput classes(2)\n\
                 network {\n    linear(4 | 8 | 16)\n    relu\n    linear(outputs)\n}\n";
    let experiment = format!(
        "name = \"x\"\nspace = \"x.space\"\nseed = 1\n{head}\n\
         [data]\ntrain = \"cards.csv\"\nlabel = \"fraud\"\n\
         [search]\ncontroller = \"random\"\n[budget]\ntrials = 3\n\
         [recipe]\noptimizer = \"adam\"\nlearning_rate = 0.01\nepochs = 10\n{recipe}\n\
         [final]\nretrain_seeds = 1\n"
    );
    for (name, content) in [
        ("cards.csv", &*text),
        ("x.space", space),
        ("x.toml", &experiment),
    ] {
        fs::write(folder.join(name), content).unwrap();
    }
    run(&ExperimentFile::read(&folder.join("x.toml")).unwrap())
}

#[test]
fn networks_that_all_answer_the_most_common_class_are_told_of_with_what_changes_it() {
    let folder = tempfile::tempdir().unwrap();
    let alike = imbalanced(folder.path(), "", "");
    let notice = alike.notice().unwrap().expect("every trial says class 0");
    for part in [
        "always answering the most common class",
        "score = \"balanced_accuracy\"",
        "class_weights = \"balanced\"",
    ] {
        assert!(notice.contains(part), "{notice}");
    }
    let weighed = imbalanced(
        folder.path(),
        "score = \"balanced_accuracy\"",
        "class_weights = \"balanced\"",
    );
    assert_eq!(weighed.notice().unwrap(), None);
    let best = weighed.best().unwrap();
    assert!(best.score.unwrap() > 0.5, "{best:?}");
    let kept = &weighed.started().experiment;
    assert_eq!(kept.recipe.class_weights, ClassWeights::Balanced);
    let by_area = imbalanced(folder.path(), "score = \"auroc\"", "");
    assert_eq!(by_area.notice().unwrap(), None);
}

#[test]
fn the_case_of_a_rare_class_is_told_of() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("STRATA_SHARED").map_or(beside, std::path::PathBuf::from);
    let case = root.join("cases/imbalanced");
    if !case.is_dir() {
        eprintln!("skipped: no case at {}", case.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["cards.csv", "x.space", "x.toml"] {
        fs::copy(case.join(name), folder.path().join(name)).unwrap();
    }
    let mut file = ExperimentFile::read(&folder.path().join("x.toml")).unwrap();
    let notice = run(&file).notice().unwrap().expect("all trials are alike");
    assert!(notice.contains("score = \"balanced_accuracy\""), "{notice}");
    file.experiment.score = Some(Score::BalancedAccuracy);
    file.experiment.recipe.class_weights = ClassWeights::Balanced;
    let weighed = run(&file);
    assert_eq!(weighed.notice().unwrap(), None);
    assert!(weighed.best().unwrap().score.unwrap() > 0.5);
    assert!(weighed.finals().unwrap()[0].mean.unwrap() > 0.5);
}
