//! The `[evaluator]` section of an experiment.

use super::fixture::{Bench, EXPERIMENT, Fake, copy_cut, digest, resume};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use strata::random::Seed;
use strata::run::{
    Bound, EVALUATORS, EvaluatorSettings, Experiment, Limit, Options, RecordedRun, RunError,
    Sample, start, start_with, verify,
};

/// What is said of an experiment with `section` in it, and where.
fn fault(section: &str) -> (String, String) {
    let text = format!("{EXPERIMENT}\n{section}");
    match Experiment::parse("e.toml", &text).unwrap_err() {
        RunError::Text { file, diagnostics } => {
            let diagnostic = &diagnostics[0];
            let at = diagnostic.span.start..diagnostic.span.end;
            (diagnostic.message.clone(), file.text()[at].to_owned())
        }
        other => panic!("{other}"),
    }
}

#[test]
fn an_experiment_without_the_section_trains_and_is_written_without_it() {
    let experiment = Experiment::parse("e.toml", EXPERIMENT).unwrap();
    assert_eq!(experiment.evaluator, EvaluatorSettings::default());
    assert_eq!(experiment.evaluator.info().name, "training");
    let written = serde_json::to_string(&experiment).unwrap();
    assert!(!written.contains("evaluator"));
    let named = format!("{EXPERIMENT}\n[evaluator]\nkind = \"training\"");
    assert_eq!(Experiment::parse("e.toml", &named).unwrap(), experiment);
}

#[test]
fn an_unknown_kind_or_setting_is_an_error_at_its_place() {
    let (said, place) = fault("[evaluator]\nkind = \"trainig\"");
    assert_eq!(
        (said.as_str(), place.as_str()),
        ("unknown value `trainig`", "\"trainig\"")
    );
    let (said, place) = fault("[evaluator]\nkind = \"training\"\nepochs = 3");
    assert_eq!(
        (said.as_str(), place.as_str()),
        ("unknown key `epochs`", "epochs")
    );
}

#[test]
fn an_evaluator_that_needs_data_says_so() {
    let text = EXPERIMENT.replace("data = { name = \"digits\" }\n", "");
    let said = Experiment::parse("e.toml", &text).unwrap_err().to_string();
    assert!(
        said.contains("`kind = \"training\"` needs a `name` or `train`"),
        "{said}"
    );
}

#[test]
fn the_page_names_every_kind_and_every_setting() {
    let path = format!("{}/docs/evaluators.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(path).unwrap();
    for info in EVALUATORS {
        let line = format!("| `{}` | {} |", info.name, info.about);
        assert!(page.contains(&line), "write `{line}`");
        for setting in info.settings {
            let default = setting
                .default
                .map_or(String::new(), |text| format!("`{text}`"));
            let line = format!("| `{}` | {default} | {} |", setting.key, setting.about);
            assert!(page.contains(&line), "write `{line}`");
        }
    }
}

/// The fixture's experiment without data, with `section` in it.
fn without_data(section: &str) -> String {
    let text = EXPERIMENT.replace("data = { name = \"digits\" }\n", "");
    format!(
        "{}\n{section}",
        text.replace("baselines = [\"one.space\"]", "")
    )
}

fn run_to_its_end(bench: &Bench, workers: usize) -> Result<RecordedRun, RunError> {
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(workers),
        ..Options::new(&stop)
    };
    let ending = start(&bench.file, &bench.runs(), &options, &mut |_| ())?;
    RecordedRun::open(&ending.folder)
}

const BY_PROXY: &str =
    "[evaluator]\nkind = \"proxy\"\nproxies = [\"synflow\", \"grad_norm\"]\nbatch = 8";

#[test]
fn a_proxy_judges_noise_without_data_and_trains_in_the_end_with_it() {
    let bench = Bench::new(&without_data(BY_PROXY));
    let runs = [1, 4].map(|workers| run_to_its_end(&bench, workers).unwrap());
    assert_eq!(runs[0].digest(), runs[1].digest());
    assert_eq!(runs[0].score_name().unwrap(), "synflow");
    let best = runs[0].best().unwrap();
    assert_eq!(best.score, Some(best.metrics["synflow"]));
    assert!(best.metrics.contains_key("grad_norm"));
    assert!(runs[0].finals().unwrap().is_empty());
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(1),
        ..Options::new(&stop)
    };
    let folder = runs[0].folder().path();
    let verified = verify(folder, Sample::Drawn(3, Seed(0)), &options, &mut |_| ()).unwrap();
    assert!(verified.is_equal() && verified.checked.len() == 3);

    let bench =
        Bench::new(&format!("{EXPERIMENT}\n{BY_PROXY}").replace("trials = 20", "trials = 3"));
    let run = run_to_its_end(&bench, 2).unwrap();
    let finals = run.finals().unwrap();
    assert_eq!(finals[0].score_name, "accuracy");
    assert_eq!(finals[0].scores.len(), 2);
}

const FILTERED: &str = "[prefilter]\nproxies = [\"synflow\", \"naswot\"]\ndraws = 4\nbatch = 8";

#[test]
fn a_prefilter_is_part_of_the_fixed_past() {
    let bench = Bench::new(&format!("{EXPERIMENT}\n{FILTERED}"));
    let stop = AtomicBool::new(false);
    let folders = [1, 4].map(|workers| {
        let options = Options {
            workers: Some(workers),
            ..Options::new(&stop)
        };
        let fake = &mut Fake::default();
        start_with(&bench.file, fake, &bench.runs(), &options, &mut |_| ())
            .unwrap()
            .folder
    });
    assert_eq!(digest(&folders[0]), digest(&folders[1]));
    // A run that was cut anywhere goes on to the same.
    let journal = std::fs::read(folders[0].join("journal.jsonl")).unwrap();
    for length in [journal.len() / 3, journal.len() / 2] {
        let copy = bench.path().join(format!("cut-{length}"));
        copy_cut(&folders[0], &copy, length);
        resume(&copy, &Fake::default(), 2).unwrap();
        assert_eq!(digest(&copy), digest(&folders[0]));
    }
    let rows = RecordedRun::open(&folders[0]).unwrap().trials();
    let keys: BTreeSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys.len(), rows.len(), "no network is tried twice");
}

#[test]
fn a_prefilter_of_one_draw_is_none_and_of_several_prefers_what_it_ranks_high() {
    let params = |section: &str| {
        let bench = Bench::new(&format!("{EXPERIMENT}\n{section}"));
        let folder = bench.start(&Fake::default(), 2).unwrap().folder;
        let rows = RecordedRun::open(&folder).unwrap().trials();
        let initial = rows.iter().take(6).map(|row| row.params);
        initial.collect::<Vec<u64>>()
    };
    let by_size = |draws: u32| format!("[prefilter]\nproxies = [\"params\"]\ndraws = {draws}");
    assert_eq!(params(""), params(&by_size(1)));
    let (free, filtered) = (params(""), params(&by_size(8)));
    assert!(filtered.iter().sum::<u64>() > free.iter().sum::<u64>());
}

#[test]
fn a_controller_that_walks_on_is_not_filtered() {
    let text = EXPERIMENT.replace("population = 6, sample = 3", "controller = \"exhaustive\"");
    let bench = Bench::new(&format!("{text}\n{FILTERED}"));
    let said = bench.start(&Fake::default(), 1).unwrap_err().to_string();
    assert!(said.contains("none of them can be dropped"), "{said}");
}

#[test]
fn latency_is_kept_in_the_journal_and_not_verified() {
    let text = without_data("[evaluator]\nkind = \"latency\"\nruns = 3\nwarmup = 1");
    let bench = Bench::new(&text.replace("trials = 20", "trials = 4"));
    let run = run_to_its_end(&bench, 2).unwrap();
    for row in run.trials() {
        let (score, latency) = (row.score.unwrap(), row.metrics["latency_ms"]);
        assert!(latency > 0.0 && row.loss == Some(latency));
        assert!((score - 1e3 / latency).abs() < 1e-9 * score);
    }
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(1),
        ..Options::new(&stop)
    };
    let folder = run.folder().path();
    let said = verify(folder, Sample::Drawn(1, Seed(0)), &options, &mut |_| ()).unwrap_err();
    assert!(said.to_string().contains("never the same twice"), "{said}");
}

#[test]
fn latency_is_a_figure_beside_an_accuracy_if_asked_for() {
    let section = "[evaluator]\nlatency = { batch = 4, runs = 2, warmup = 0 }\nkind = \"training\"";
    let text = format!("{EXPERIMENT}\n{section}").replace("retrain_seeds = 2", "retrain_seeds = 0");
    let bench = Bench::new(&text.replace("trials = 20", "trials = 2"));
    let run = run_to_its_end(&bench, 2).unwrap();
    assert!(
        run.trials()
            .iter()
            .all(|row| row.metrics["latency_ms"] > 0.0)
    );
    let (said, place) = fault("[evaluator]\nkind = \"training\"\nlatency = { runs = 0 }");
    assert!(
        said.contains("`latency` needs a `runs` of at least 1"),
        "{said}"
    );
    assert!(place.contains("latency"), "{place}");
}

/// A bench with `script` beside the experiment, asked by `sh`.
#[cfg(unix)]
fn scripted(script: &str, settings: &str, trials: u32) -> Bench {
    let section =
        format!("[evaluator]\nkind = \"command\"\nargv = [\"sh\", \"ask.sh\"]\n{settings}");
    let text = without_data(&section).replace("trials = 20", &format!("trials = {trials}"));
    let bench = Bench::new(&format!("{text}\n[stop]\nconsecutive_failures = 1"));
    std::fs::write(bench.path().join("ask.sh"), script).unwrap();
    bench
}

#[cfg(unix)]
const BY_SIZE: &str = r#"
question=$(cat)
params=$(printf '%s' "$question" | grep -o '"params":[0-9]*' | head -n 1 | cut -d : -f 2)
case $question in *'"phase":"test"'*) params=7;; esac
echo "something to read"
echo "{\"score\": $params, \"loss\": 0.5, \"metrics\": {\"seen\": 1, \"auroc\": $params}}"
"#;

#[cfg(unix)]
#[test]
fn a_command_judges_and_tests() {
    let bench = scripted(BY_SIZE, "tests = true", 8);
    let run = run_to_its_end(&bench, 2).unwrap();
    for row in run.trials() {
        assert_eq!((row.score, row.loss), (Some(row.params as f64), Some(0.5)));
        assert_eq!(row.metrics["seen"], 1.0);
    }
    let finals = run.finals().unwrap();
    assert_eq!(finals[0].scores, [7.0, 7.0]);
    assert_eq!(run.score_name().unwrap(), "score");
    assert_eq!(finals[0].score_name, "score");
}

#[cfg(unix)]
#[test]
fn a_figure_of_quality_is_to_be_large() {
    let bench = scripted(BY_SIZE, "tests = true", 8);
    let run = run_to_its_end(&bench, 2).unwrap();
    let best = run.best().unwrap();
    let by = |name: &str| run.front(&[name.to_owned()]).unwrap();
    let both = by("auroc");
    assert!(
        both.trials
            .iter()
            .all(|row| row.figures == [best.params as f64; 2]),
        "the largest of both is all there is: {both:?}"
    );
    assert_eq!(both.trials[0].trial, best.trial);
    assert!(by("params").trials.len() > both.trials.len());
    let enough = Bound {
        name: "auroc".to_owned(),
        limit: Limit::Least(best.params as f64),
    };
    assert_eq!(
        run.best_within(&[enough]).unwrap().unwrap().trial,
        best.trial
    );
}

#[cfg(unix)]
#[test]
fn a_command_that_fails_is_tried_again_and_quoted() {
    let script = "if [ -e tried ]; then echo '{\"score\": 1}'; else : > tried; \
                  echo 'no such device' >&2; exit 3; fi";
    let bench = scripted(script, "retries = 1", 1);
    assert_eq!(
        run_to_its_end(&bench, 1).unwrap().best().unwrap().score,
        Some(1.0)
    );
    let bench = scripted(script, "", 1);
    let said = run_to_its_end(&bench, 1).unwrap_err().to_string();
    assert!(said.contains("`sh` ended with exit status: 3"), "{said}");
    assert!(
        said.contains("its standard error ended with: no such device"),
        "{said}"
    );
}

#[cfg(unix)]
#[test]
fn answers_that_are_none_are_quoted() {
    let said = |script: &str| {
        let bench = scripted(script, "", 1);
        run_to_its_end(&bench, 1).unwrap_err().to_string()
    };
    assert!(said("echo '{\"scor\": 1}'").contains("unknown field `scor`"));
    assert!(said("echo hello").contains("gave no answer in its last line, `hello`"));
    assert!(said("true").contains("said nothing on its standard output"));
    assert!(said("echo '{\"loss\": 1}'").contains("neither `score` nor `error`"));
    assert!(said("echo '{\"error\": \"out of paper\"}'").contains("out of paper"));
}

#[cfg(unix)]
#[test]
fn a_command_past_its_time_is_killed_with_its_children() {
    let script = "sleep 300 & echo $! > child; echo started >&2; wait";
    let bench = scripted(script, "timeout_seconds = 0.5", 1);
    let said = run_to_its_end(&bench, 1).unwrap_err().to_string();
    assert!(
        said.contains("ran longer than 0.5 s and was killed"),
        "{said}"
    );
    assert!(said.contains("started"), "{said}");
    let child = std::fs::read_to_string(bench.path().join("child")).unwrap();
    let gone = |_: &u32| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        // Gone, or waiting for someone to read how it ended.
        std::fs::read_to_string(format!("/proc/{}/stat", child.trim()))
            .map_or(true, |stat| stat.contains(") Z "))
    };
    assert!((0..100).any(|try_| gone(&try_)), "the child lives on");
}

#[cfg(unix)]
#[test]
fn a_program_that_does_not_exist_is_named() {
    let section = "[evaluator]\nkind = \"command\"\nargv = [\"no-such-program\"]";
    let bench = Bench::new(&format!(
        "{}\n[stop]\nconsecutive_failures = 1",
        without_data(section)
    ));
    let said = run_to_its_end(&bench, 1).unwrap_err().to_string();
    assert!(said.contains("failed to start `no-such-program`"), "{said}");
    let (said, _) = fault_without_data("[evaluator]\nkind = \"command\"\nargv = []");
    assert!(said.contains("`argv` needs a program"), "{said}");
}

#[test]
fn what_does_not_go_together_is_refused_at_its_place() {
    let (said, place) = fault("[evaluator]\nkind = \"latency\"");
    assert!(said.contains("reads no data"), "{said}");
    assert!(place.contains("data"), "{place}");
    let (said, _) = fault("[evaluator]\nkind = \"proxy\"\nproxies = []");
    assert!(said.contains("`proxies` needs a name"), "{said}");
    let (said, place) = fault("[evaluator]\nkind = \"proxy\"\nproxies = [\"synflo\"]");
    assert_eq!(said, "unknown value `synflo`");
    assert!(
        place.contains("evaluator") || place.contains("synflo"),
        "{place}"
    );
    let text = EXPERIMENT.replace("trials = 20", "epochs = 20");
    let said = Experiment::parse("e.toml", &format!("{text}\n{BY_PROXY}")).unwrap_err();
    assert!(said.to_string().contains("trains no epochs"), "{said}");
}

#[cfg(unix)]
fn fault_without_data(section: &str) -> (String, String) {
    match Experiment::parse("e.toml", &without_data(section)).unwrap_err() {
        RunError::Text { diagnostics, .. } => (diagnostics[0].message.clone(), String::new()),
        other => panic!("{other}"),
    }
}
