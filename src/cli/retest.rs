//! `strata retest`: the trained networks of a comparison or a run, tested on other examples.

use super::elsewhere::{self, PlaceArgs};
use super::failure::Failure;
use super::table::{Side, Table};
use super::terminal::Terminal;
use crate::data::Part;
use crate::report::{Retest, RetestedRun};
use crate::run::comparison::RecordedComparison;
use crate::run::{self, Elsewhere, RecordedRun, RunError};
use std::path::{Path, PathBuf};

/// The archive that `strata compare --bless` leaves beside an experiment.
const ARCHIVE: &str = "runs.tar.gz";

/// Arguments of `strata retest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of a comparison or a run; the folder or the runs.tar.gz that `strata compare --bless` wrote
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// A file of examples like the training file, with targets; without it, the test examples once more, whose scores
    /// have to be those recorded
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The file of the targets, for formats that have them in a file of their own
    #[arg(long, value_name = "FILE", requires = "data")]
    labels: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What is tested again.
enum Subject {
    Comparison(Box<RecordedComparison>),
    Run(Box<RecordedRun>),
}

/// A run by the name of its search and its own.
type Place<'a> = (String, String, &'a RecordedRun);

/// Tests the networks and prints what they score.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let (subject, place) = subject(args)?;
    let places: Vec<Place<'_>> = match &subject {
        Subject::Comparison(comparison) => RetestedRun::places(comparison),
        Subject::Run(run) => vec![("winner".to_owned(), name(args), run.as_ref())],
    };
    let Some((_, _, first)) = places.first() else {
        let folder = args.folder.display();
        return Err(Failure::Input(format!("{folder} has no run yet")));
    };
    let (mut found, mut left) = (Vec::new(), 0);
    let part = part(args, &places, &place, terminal)?;
    for (search, name, run) in &places {
        let tested = run::retest(run, &part)?;
        left += run.state().retrained.len() - tested.len();
        found.push(RetestedRun {
            search: search.clone(),
            run: name.clone(),
            tested,
        });
    }
    let retest = Retest::of(&found, part.len() as u64, first.test_score_name()?);
    if retest.networks.is_empty() {
        return Err(nothing(args));
    }
    if left > 0 {
        terminal.say(&format!(
            "of {} retrainings the weights of {} are kept here; the others can't be tested again",
            left + retest.networks.len(),
            retest.networks.len()
        ));
    }
    match args.json {
        true => terminal.json(&retest)?,
        false => describe(&retest, terminal)?,
    }
    if args.data.is_none() {
        as_recorded(&found, first, terminal)?;
    }
    Ok(())
}

/// What the folder holds, and where its data is.
fn subject(args: &Args) -> Result<(Subject, Elsewhere), Failure> {
    let mut place = args.place.place();
    let folder = &args.folder;
    if RecordedComparison::is_in(folder) {
        let comparison = RecordedComparison::open(folder)?;
        return Ok((Subject::Comparison(Box::new(comparison)), place));
    }
    let archive = match folder.is_dir() {
        true => folder.join(ARCHIVE),
        false => folder.clone(),
    };
    if archive.is_file() {
        // The folder is named like the experiment beside it, and paths are relative to that.
        let beside = archive.parent().and_then(Path::parent);
        place.base = place.base.or(beside.map(Path::to_owned));
        place.datasets = place.datasets.or(Some(args.place.datasets()));
        let comparison = RecordedComparison::open_packed(&archive)?;
        return Ok((Subject::Comparison(Box::new(comparison)), place));
    }
    match RecordedRun::open(folder) {
        Ok(run) => Ok((Subject::Run(Box::new(run)), place)),
        Err(RunError::NotARun(_)) => Err(Failure::Input(format!(
            "{} is no comparison, no run, and has no {ARCHIVE}: name a folder that `strata compare` or \
             `strata search` made, or that `strata compare EXPERIMENT --bless` wrote",
            folder.display()
        ))),
        Err(error) => Err(error.into()),
    }
}

fn name(args: &Args) -> String {
    let name = args.folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The examples that the networks are tested on.
fn part(
    args: &Args,
    places: &[Place<'_>],
    place: &Elsewhere,
    terminal: &mut Terminal,
) -> Result<Part, Failure> {
    let (_, _, first) = &places[0];
    first.refuse_untrained()?;
    let Some(path) = &args.data else {
        terminal.say("no --data: the test examples once more");
        let part = first.test_part(place);
        return part.map_err(|error| elsewhere::with_hint(error.into()));
    };
    if !path.exists() {
        return Err(Failure::Input(format!("there is no {}", path.display())));
    }
    // Runs of a comparison divide the data alike, and not every one keeps what was learnt of it.
    let mut kept = places.iter();
    let kept = kept.find_map(|(_, _, run)| run.kept_final_preprocessing().transpose());
    let preprocessing = match kept.transpose()? {
        Some(kept) => kept,
        None => {
            let learnt = first.final_preprocessing(place);
            let learnt = learnt.map_err(|error| elsewhere::with_hint(error.into()))?;
            learnt.ok_or_else(|| nothing(args))?
        }
    };
    Ok(first.other_part(&preprocessing, path, args.labels.as_deref())?)
}

fn nothing(args: &Args) -> Failure {
    Failure::Input(format!(
        "{} keeps no trained network of a final evaluation: runs of earlier versions and of tables have none, \
         and those whose weights take more than 64 MiB",
        args.folder.display()
    ))
}

/// Arms, differences and what they mean.
fn describe(retest: &Retest, terminal: &mut Terminal) -> Result<(), Failure> {
    let here = format!("{} here", retest.score_name);
    let mut table = Table::new(&[
        ("arm", Side::Left),
        ("networks", Side::Right),
        (here.as_str(), Side::Right),
        ("when tested", Side::Right),
    ]);
    let shown = |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |f| format!("{f:.4}"));
    for arm in &retest.arms {
        table.row([
            arm.name.clone(),
            arm.networks.to_string(),
            shown(Some(arm.mean)),
            shown(arm.recorded),
        ]);
    }
    terminal.data(&table.render())?;
    terminal.line("")?;
    let mut table = Table::new(&[
        ("network", Side::Left),
        ("run", Side::Left),
        ("retraining", Side::Right),
        (here.as_str(), Side::Right),
        ("when tested", Side::Right),
    ]);
    for network in &retest.networks {
        table.row([
            network.arm.clone(),
            network.run.clone(),
            network.retraining.to_string(),
            shown(Some(network.score)),
            shown(network.recorded),
        ]);
    }
    terminal.data(&table.render())?;
    if !retest.sentences.is_empty() {
        terminal.line("")?;
    }
    for sentence in &retest.sentences {
        terminal.line(sentence)?;
    }
    Ok(())
}

/// On the test examples themselves, nothing may have changed.
fn as_recorded(
    found: &[RetestedRun],
    first: &RecordedRun,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    let mut count = 0;
    for run in found {
        for tested in &run.tested {
            count += 1;
            if !tested.is_as_recorded() {
                let then = tested
                    .recorded
                    .map_or_else(|| "no score".to_owned(), |score| score.to_string());
                wrong.push(format!(
                    "{}, {}, retraining {}: {}, recorded {then}; loss {}, recorded {}",
                    run.run,
                    tested.subject,
                    tested.index + 1,
                    tested.score,
                    tested.loss,
                    tested
                        .recorded_loss
                        .map_or_else(|| "none".to_owned(), |loss| loss.to_string())
                ));
            }
        }
    }
    let by = first.started().made_by();
    if !wrong.is_empty() {
        return Err(Failure::Mismatch(format!(
            "not as recorded by {by}:\n  {}",
            wrong.join("\n  ")
        )));
    }
    terminal.say(&format!(
        "{count} of {count} scores are as recorded, to the last bit, by {by}"
    ));
    Ok(())
}
