//! The report and the live page in headless Chromium: wide and narrow, light and dark, by pointer and by keyboard.
//!
//! Skipped where there is no `chromedriver`, unless `STRATA_BROWSER` asks for it. Pictures lie in
//! `target/tmp/browser/`.

mod driver;

use crate::live::serve;
use crate::run::fixture::{Bench, EXPERIMENT, Fake};
use driver::Browser;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use strata::run::RecordedRun;
use strata::run::journal::{FileJournal, Journal};
use strata::run::record::Record;
use strata::search::TrialId;

/// Name, width, height, and whether it is a phone.
const SCREENS: [(&str, u32, u32, bool); 2] =
    [("desktop", 1280, 900, false), ("phone", 390, 844, true)];

/// The longest that sorting and filtering may take, in milliseconds.
const SWIFT: f64 = 200.0;

/// What a page must have whatever it shows; gives a line for each fault.
const FAULTS: &str = include_str!("browser/faults.js");

/// A run of so many trials: the networks of a short one again and again, with figures of their own.
fn long_run(trials: u64) -> (Bench, PathBuf) {
    let bench = Bench::new(EXPERIMENT);
    bench.start(&Fake::default(), 2).unwrap();
    let run = bench.runs().join("tiny-1");
    let entries = RecordedRun::open(&run).unwrap().entries().unwrap();
    let runs = bench.path().join("long");
    let folder = runs.join("long-1");
    std::fs::create_dir_all(folder.join("baselines")).unwrap();
    for name in ["space.space", "experiment.toml", "baselines/one.space"] {
        std::fs::copy(run.join(name), folder.join(name)).unwrap();
    }
    let mut journal = FileJournal::create(&folder.join("journal.jsonl")).unwrap();
    let mut write = |record: Record, at: u64| {
        let seconds = at as f64 / 10.0;
        journal.append(record, 1.8e9 + seconds, seconds).unwrap();
    };
    let mut started = entries[0].record.clone();
    if let Record::Started(started) = &mut started {
        started.experiment.budget.trials = Some(trials + trials / 4);
    }
    write(started, 0);
    let of = |wanted: fn(&Record) -> bool| {
        let found = entries.iter().map(|entry| &entry.record);
        found
            .filter(|record| wanted(record))
            .cloned()
            .collect::<Vec<_>>()
    };
    let proposals = of(|record| matches!(record, Record::Proposed(_)));
    let results = of(|record| matches!(record, Record::Finished(_)));
    for number in 0..trials {
        let pick = number as usize % proposals.len();
        // A fixed scramble of the number, so that nothing is sorted yet.
        let scrambled = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        if let Record::Proposed(proposal) = &proposals[pick] {
            let mut proposal = proposal.clone();
            proposal.trial = TrialId(number);
            proposal.params = 1_000 + scrambled % 90_000;
            proposal.parents.clear();
            write(Record::Proposed(proposal), number);
        }
        let record = match (&results[pick], number % 97) {
            (Record::Finished(done), 13) => Record::Failed(strata::run::record::TrialFailed {
                trial: TrialId(number),
                kind: strata::evaluation::FailureKind::Diverged,
                message: "the loss of epoch 1 is not a number".to_owned(),
                epochs: Vec::new(),
                seconds: done.seconds,
                worker: 0,
            }),
            (Record::Finished(done), _) => {
                let mut done = done.clone();
                done.trial = TrialId(number);
                done.score = 0.5 + (scrambled % 4_999) as f64 / 10_000.0;
                Record::Finished(done)
            }
            _ => unreachable!("only results were picked"),
        };
        write(record, number);
    }
    (bench, runs)
}

fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Looks at what is open on every screen in both schemes.
fn look(browser: &Browser, name: &str) {
    for (screen, width, height, phone) in SCREENS {
        for scheme in ["light", "dark"] {
            browser.screen(width, height, phone, scheme);
            browser.settle();
            let faults = browser.script(FAULTS, json!([]));
            assert_eq!(faults, json!([]), "{name}, {screen}, {scheme}");
            let paper = browser.script(
                "return getComputedStyle(document.body).backgroundColor",
                json!([]),
            );
            let dark = paper == "rgb(22, 23, 24)";
            assert_eq!(dark, scheme == "dark", "{paper}");
            let path = pictures().join(format!("{name}-{screen}-{scheme}.png"));
            std::fs::write(path, browser.picture()).unwrap();
        }
    }
    browser.screen(1280, 900, false, "light");
}

#[test]
fn the_report_reads_well_on_every_screen() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let scores = format!(
        "{}/experiments/digits/report.html",
        env!("CARGO_MANIFEST_DIR")
    );
    browser.open(&format!("file://{scores}"));
    look(&browser, "scores");
    let (_bench, runs) = long_run(40);
    let run = strata::run::RecordedRun::open(&runs.join("long-1")).unwrap();
    let report = runs.join("report.html");
    std::fs::write(&report, strata::report::run_page(&run).unwrap()).unwrap();
    browser.open(&format!("file://{}", report.display()));
    look(&browser, "report");
    let stops = browser.tab_through(60);
    assert!(
        stops.iter().any(|stop| stop.starts_with("svg")),
        "{stops:?}"
    );
    assert!(
        stops.iter().any(|stop| stop.starts_with("button Zoom in")),
        "{stops:?}"
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_live_page_shows_a_run_and_goes_on_with_it() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (bench, runs) = long_run(300);
    let address = serve(&runs);
    browser.open(&format!("http://{address}/"));
    browser.wait("return document.querySelectorAll('#runs tbody tr').length === 1");
    look(&browser, "list");
    browser.script("document.querySelector('#runs a').click()", json!([]));
    browser.wait("return document.querySelector('table[role=grid]').ariaRowCount === '301'");
    look(&browser, "run");

    let keys = browser.tab_through(40);
    for wanted in [
        "a Runs",
        "svg Best validation",
        "input",
        "button Score",
        "table Trials",
    ] {
        let found = keys.iter().any(|stop| stop.starts_with(wanted));
        assert!(found, "Tab does not reach {wanted}: {keys:?}");
    }
    browser.script(
        "document.querySelector('table[role=grid]').focus()",
        json!([]),
    );
    browser.keys(&["ArrowDown", "ArrowDown", "Enter"]);
    browser.wait("return document.querySelector('#sheet-title')?.textContent === 'Trial 2'");
    browser.wait(
        "return [...document.querySelectorAll('#sheet img')].every((image) => image.complete)",
    );
    look(&browser, "trial");
    browser.keys(&["Escape"]);
    browser.wait("return !document.querySelector('#sheet').open");
    let back = browser.script(
        "return document.activeElement.getAttribute('role')",
        json!([]),
    );
    assert_eq!(back, "grid");
    browser.keys(&["Space", "ArrowDown", "Space"]);
    browser.wait("return document.querySelector('#compare').textContent === 'Compare 2 and 3'");
    browser.script("document.querySelector('#compare').click()", json!([]));
    browser.wait("return document.querySelector('#sheet-title')?.textContent === 'Trials 2 and 3'");
    browser.wait("return document.querySelectorAll('#sheet img').length === 2 && [...document.querySelectorAll('#sheet img')].every((image) => image.complete)");
    let beside = "return new Set([...document.querySelectorAll('#sheet .drawings figure')].map((figure) => figure.getBoundingClientRect().top)).size === 1";
    assert_eq!(
        browser.script(beside, json!([])),
        json!(true),
        "the drawings stand below each other"
    );
    look(&browser, "two");
    let address = browser.script("return location.hash", json!([]));
    assert_eq!(address, "#/long-1/2+3");
    browser.keys(&["Escape"]);

    // Something happens while the page is open.
    let (mut journal, entries) = FileJournal::open(&runs.join("long-1/journal.jsonl")).unwrap();
    let Record::Proposed(mut proposal) = entries[1].record.clone() else {
        unreachable!("a proposal follows the start");
    };
    proposal.trial = TrialId(300);
    journal
        .append(Record::Proposed(proposal), 1.9e9, 40.0)
        .unwrap();
    let Record::Finished(mut done) = entries[2].record.clone() else {
        unreachable!("its result follows");
    };
    (done.trial, done.score) = (TrialId(300), 0.9999);
    journal.append(Record::Finished(done), 1.9e9, 40.0).unwrap();
    browser.wait("return document.querySelector('#headline').textContent.startsWith('The best of 301 trials so far scores 0.9999')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    drop(bench);
}

#[test]
fn ten_thousand_trials_answer_at_once() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (_bench, runs) = long_run(10_000);
    let address = serve(&runs);
    browser.open(&format!("http://{address}/#/long-1"));
    browser.wait("return document.querySelector('table[role=grid]')?.ariaRowCount === '10001'");
    look(&browser, "long");
    let timed = browser.script_async(include_str!("browser/timed.js"));
    eprintln!("10,000 trials, milliseconds: {timed}");
    for what in ["sort_number", "sort_text", "filter", "scroll"] {
        assert!(timed[what].as_f64().unwrap() < SWIFT, "{what}: {timed}");
    }
    assert!(timed["rows"].as_u64().unwrap() < 100, "{timed}");
    let (count, best) = expected(&runs.join("long-1"));
    assert_eq!(timed["shown"], format!("{count} of 10,000 trials"));
    assert_eq!(timed["first"], format!("{best:.4}"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// How many trials have fewer than 20,000 parameters and a score above 0.9, and the best score among them.
fn expected(run: &Path) -> (usize, f64) {
    let rows = RecordedRun::open(run).unwrap().trials();
    let small = rows.iter().filter(|row| row.params < 20_000);
    let scores: Vec<f64> = small
        .filter_map(|row| row.score.filter(|score| *score > 0.9))
        .collect();
    (scores.len(), scores.iter().copied().fold(0.0, f64::max))
}

#[test]
fn a_filter_holds_of_what_it_says_and_a_run_that_is_not_there_is_told() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (_bench, runs) = long_run(20);
    browser.open(&format!("http://{}/", serve(&runs)));
    let found: Value = browser.script_async(include_str!("browser/filters.js"));
    let holding = [
        "",
        "params<20k",
        "params<=12k",
        "score>0.9 loss<0.5",
        "macs=5m",
        "a1b",
        "finished",
        "trial=7",
        "time<3",
    ];
    assert_eq!(found, json!(holding));
    browser.script("location.hash = '#/nothing'", json!([]));
    browser
        .wait("return document.querySelector('#trouble').textContent.includes('no run “nothing”')");
    browser.script("location.hash = '#/long-1'", json!([]));
    browser.wait(
        "return document.querySelector('#headline').textContent.startsWith('The best of 20')",
    );
    browser.wait("return document.querySelector('#trouble').hidden");
}
