//! `strata compare`: hand-designed networks and searches on the same terms, and what may be concluded.

use super::data::DataDir;
use super::failure::Failure;
use super::progress::{Progress, tally};
use super::recent::RUNS;
use super::report::Format;
use super::table::{Side, Table};
use super::terminal::Terminal;
use super::tracking::{TrackArgs, Trackers};
use super::{interrupt, isolated, numbers, report, search};
use crate::report::{Agreed, Analysis, Expected, comparison_page};
use crate::run::comparison::{self, Compared, Notice, Plan, RecordedComparison};
use crate::run::{Event, ExperimentFile, Options, RunError};
use crate::statistics::claims::alpha;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Arguments of `strata compare`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The experiment file; or the folder of a comparison to go on with
    #[arg(value_name = "EXPERIMENT or FOLDER")]
    path: PathBuf,
    /// Only a look: one search seed, a quarter of the budget, validation examples only; not evidence
    #[arg(long)]
    quick: bool,
    /// Hold the result against expected.json beside the experiment
    #[arg(long, conflicts_with = "bless")]
    check: bool,
    /// Write expected.json and report.html beside the experiment
    #[arg(long)]
    bless: bool,
    /// Also pack plan, journals and trained networks into one file, for `strata retest`
    #[arg(long, value_name = "FILE")]
    pack: Option<PathBuf>,
    /// Where the comparison's folder is made
    #[arg(long, value_name = "DIR", default_value = RUNS)]
    runs: PathBuf,
    /// Trials that run at the same time; changes no result
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// What is written to stdout; by default the verdict and the arms in short
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    #[command(flatten)]
    datasets: DataDir,
    #[command(flatten)]
    track: TrackArgs,
    /// Say nothing on stderr but errors
    #[arg(long, short)]
    quiet: bool,
}

/// Carries the comparison out, or goes on with it, and writes its report.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.quiet {
        terminal.be_quiet();
    }
    // What nothing could be held against is said before hours of searching, and not after.
    let expected = args.check.then(|| expected(args)).transpose()?;
    let compared = if args.path.is_dir() {
        check_folder(args)?;
        let opened = RecordedComparison::open(&args.path)?;
        let settings = &opened.plan().experiment.tracking;
        let trackers = args.track.trackers(settings)?;
        watched(args.workers, terminal, trackers, |options, watch| {
            comparison::resume(&args.path, options, watch)
        })?
    } else {
        let mut file = ExperimentFile::read(&args.path)?;
        file.experiment.data.folder = Some(args.datasets.folder());
        let trackers = args.track.trackers(&file.experiment.tracking)?;
        watched(args.workers, terminal, trackers, |options, watch| {
            comparison::compare(&file, args.quick, &args.runs, options, watch)
        })?
    };
    if !compared.complete {
        return Err(Failure::Interrupted(format!(
            "interrupted; go on with `strata compare {}`",
            compared.folder.display()
        )));
    }
    finish(args, expected.as_ref(), &compared.folder, terminal)
}

/// Whether a folder is a comparison's, and nothing is asked that needs its experiment.
fn check_folder(args: &Args) -> Result<(), Failure> {
    let path = args.path.display();
    if !RecordedComparison::is_in(&args.path) {
        return Err(Failure::Input(format!(
            "{path} is no comparison: it has no comparison.json; name an experiment file, or the folder \
             that `strata compare` made"
        )));
    }
    if args.check || args.bless {
        return Err(Failure::Input(format!(
            "{path} is a folder, and what is expected stands beside an experiment file: name that one with \
             `--check` or `--bless`"
        )));
    }
    Ok(())
}

/// What the comparison is held against.
fn expected(args: &Args) -> Result<(PathBuf, Expected), Failure> {
    if args.path.is_dir() {
        check_folder(args)?;
    }
    let path = beside(&args.path, args.quick, "expected", "json");
    let wrong = |message: String| Failure::Input(format!("{}: {message}", path.display()));
    if !path.exists() {
        let (experiment, quick) = (
            args.path.display(),
            if args.quick { " --quick" } else { "" },
        );
        return Err(wrong(format!(
            "there is no such file to hold the result against; `strata compare {experiment}{quick} --bless` writes it"
        )));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    let expected = Expected::parse(&text).map_err(wrong)?;
    Ok((path, expected))
}

/// Writes what was found and says it.
fn finish(
    args: &Args,
    expected: Option<&(PathBuf, Expected)>,
    folder: &Path,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let comparison = RecordedComparison::open(folder)?;
    let analysis = Analysis::of(&comparison)?;
    let page = comparison_page(&comparison, &analysis)?;
    let found = Expected::of(&comparison, &analysis);
    report::write(&folder.join("report.html"), &page)?;
    report::write(&folder.join("expected.json"), &found.to_text())?;
    if let Err(error) = comparison.conclude(&analysis.verdict.headline, analysis.verdict.p) {
        terminal.say(&format!(
            "warning: the ledger of looks is not told the verdict: {error}"
        ));
    }
    if let Some(path) = &args.pack {
        pack(&comparison, path, terminal)?;
    }
    match args.format {
        Some(format) => terminal.data(&report::comparison(&comparison, &analysis, format)?)?,
        None => short(&analysis, terminal)?,
    }
    terminal.say(&format!(
        "the report: {}",
        folder.join("report.html").display()
    ));
    if args.bless {
        let beside = |stem: &str, end: &str| beside(&args.path, analysis.quick, stem, end);
        let folder = args.path.with_extension("");
        std::fs::create_dir_all(&folder)?;
        report::write(&beside("report", "html"), &page)?;
        report::write(&beside("expected", "json"), &found.to_text())?;
        pack(&comparison, &beside("runs", "tar.gz"), terminal)?;
        terminal.say(&format!("written to {}", folder.display()));
    }
    match expected {
        Some((path, expected)) => check(path, expected, &found, terminal),
        None => Ok(()),
    }
}

/// Packs the journals and the trained networks, so that others can look at them and test them again.
fn pack(
    comparison: &RecordedComparison,
    path: &Path,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let packed = comparison.pack()?;
    std::fs::write(path, &packed.bytes)
        .map_err(|error| Failure::Other(format!("failed to write {}: {error}", path.display())))?;
    if packed.networks < packed.tested {
        terminal.say(&format!(
            "{} holds {} of {} trained networks: all of them would be too much to keep with the report",
            path.display(),
            packed.networks,
            packed.tested
        ));
    }
    Ok(())
}

/// A file in the folder beside an experiment that is named like it.
fn beside(experiment: &Path, quick: bool, stem: &str, end: &str) -> PathBuf {
    let quick = if quick { "-quick" } else { "" };
    let folder = experiment.with_extension("");
    folder.join(format!("{stem}{quick}.{end}"))
}

fn check(
    path: &Path,
    expected: &Expected,
    found: &Expected,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    match expected.agrees(found) {
        Agreed::Exactly => terminal.line(&format!("as {} says, to the last bit", path.display())),
        Agreed::Nearly(differences) => terminal.line(&format!(
            "as {} says: the same verdict, and each mean within three standard errors; to the last bit it is not, \
             as it was made by {}, and this by {}:\n  {}",
            path.display(),
            expected.made_by(),
            found.made_by(),
            differences.join("\n  ")
        )),
        Agreed::Not(differences) => {
            let file = path.display();
            Err(Failure::Mismatch(format!(
                "not as {file} says:\n  {}",
                differences.join("\n  ")
            )))
        }
    }
}

/// The verdict and the arms.
fn short(analysis: &Analysis, terminal: &mut Terminal) -> Result<(), Failure> {
    terminal.line(&analysis.verdict.headline)?;
    for sentence in &analysis.verdict.sentences {
        terminal.line(sentence)?;
    }
    terminal.line("")?;
    let part = if analysis.quick { "validation" } else { "test" };
    let score = format!("{part} {}", analysis.score_name);
    let mut table = Table::new(&[
        ("arm", Side::Left),
        (score.as_str(), Side::Left),
        ("95% interval", Side::Left),
        ("n", Side::Right),
        ("params", Side::Right),
        ("trials", Side::Right),
    ]);
    for arm in &analysis.arms {
        let mean = arm.sample.map(|sample| sample.mean);
        let deviation = arm.sample.and_then(|sample| sample.deviation);
        let interval = arm.sample.and_then(|sample| sample.low.zip(sample.high));
        let params = match arm.range(|network| network.params) {
            None => "-".to_owned(),
            Some((low, high)) if low == high => numbers::grouped(low),
            Some((low, high)) => format!("{}..{}", numbers::short(low), numbers::short(high)),
        };
        table.row(vec![
            arm.title(),
            numbers::with_deviation(mean, deviation),
            interval.map_or_else(
                || "-".to_owned(),
                |(low, high)| format!("{low:.4}..{high:.4}"),
            ),
            arm.scores.len().to_string(),
            params,
            numbers::grouped(arm.cost.trials),
        ]);
    }
    terminal.data(&table.render())
}

/// What is compared, and why it can be no evidence, if it can't.
fn opened(folder: &Path, plan: &Plan) -> String {
    let mut out = format!(
        "comparison in {}: {} with {} each",
        folder.display(),
        numbers::plural(plan.searches.len() as u64, "search").replace("searchs", "searches"),
        numbers::plural(u64::from(plan.search_seeds), "seed")
    );
    if plan.look > 1 {
        let level = numbers::level(alpha(plan.look));
        out.push_str(&format!(
            "; look {} at these test examples (level {level}): `strata looks` lists those before",
            plan.look
        ));
    }
    for why in plan.shortcomings() {
        out.push_str(&format!("\nnot evidence: {why}"));
    }
    out
}

/// Carries out `work` with progress on stderr, Ctrl-C as its end, and trackers that are told each run.
fn watched(
    workers: Option<usize>,
    terminal: &Terminal,
    mut trackers: Trackers,
    work: impl FnOnce(&Options<'_>, &mut dyn FnMut(&Notice<'_>)) -> Result<Compared, RunError>,
) -> Result<Compared, Failure> {
    let stop: &AtomicBool = &interrupt::flag();
    let mut progress = Progress::new(terminal);
    let quiet = terminal.is_quiet();
    let say = |text: &str| {
        if !quiet {
            super::terminal::say(text);
        }
    };
    let options = Options {
        workers,
        program: isolated::program(),
        ..Options::new(stop)
    };
    // The data is that of every run.
    let mut remarked = BTreeSet::new();
    let result = work(&options, &mut |notice| match notice {
        Notice::Designs => {
            progress.close();
            say("== hand-designed networks: validating");
        }
        Notice::Of(Event::Remark(remark)) if !remarked.insert(remark.to_string()) => {}
        Notice::Of(event) => {
            trackers.see(event);
            progress.see(event);
        }
        Notice::Opened { folder, plan } => say(&opened(folder, plan)),
        Notice::Run {
            search,
            seed,
            seeds,
            tests,
        } => {
            progress.close();
            progress = Progress::new(terminal);
            let what = if *tests { "testing" } else { "searching" };
            say(&format!(
                "== {}, seed {seed} of {seeds}: {what}",
                search.name
            ));
        }
        Notice::WinnersFixed { look, unwritten } => {
            progress.close();
            say(&format!(
                "== every search has ended and its winner is written down; {}",
                tally::test_opened(*look, unwritten.as_deref())
            ));
        }
    });
    progress.close();
    trackers.close();
    result.map_err(|error| search::with_next_step(error.into()))
}
