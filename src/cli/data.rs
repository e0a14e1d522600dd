//! `strata data`: datasets by name, and the formats of files.

mod show;

use super::failure::Failure;
use super::table::{Side, Table};
use super::terminal::{self, Terminal};
use crate::data::{self, FORMATS, NamedSet, Origin, SETS};
use crate::diagnostics::closest_name;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The environment variable that names the data folder.
const VARIABLE: &str = "STRATA_DATA";

/// The data folder where nothing else is said.
const DEFAULT: &str = "datasets";

/// Arguments of `strata data`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the datasets that have a name, and where they are
    List {
        #[command(flatten)]
        datasets: DataDir,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Download a dataset into the data folder
    Fetch {
        /// Its name
        name: String,
        #[command(flatten)]
        datasets: DataDir,
        /// Download from this address instead of the dataset's home
        #[arg(long, value_name = "URL")]
        from: Option<String>,
    },
    /// Show what data looks like to a space: columns, gaps, classes, input and output
    Show(Box<show::Args>),
    /// List the formats of files
    Formats,
}

/// Where datasets with a name are looked for.
#[derive(Clone, Debug, clap::Args)]
pub struct DataDir {
    /// The folder of datasets; by default $STRATA_DATA, else `datasets`
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl DataDir {
    /// The folder, if an argument names one.
    pub fn argument(&self) -> Option<PathBuf> {
        self.data_dir.clone()
    }

    /// The folder, if one was named.
    pub fn named(&self) -> Option<PathBuf> {
        let named = self.data_dir.clone();
        named.or_else(|| std::env::var_os(VARIABLE).map(PathBuf::from))
    }

    /// The folder.
    pub fn folder(&self) -> PathBuf {
        self.named().unwrap_or_else(|| PathBuf::from(DEFAULT))
    }
}

/// A dataset as a script sees it.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    about: &'static str,
    licence: &'static str,
    place: String,
}

/// Lists or fetches.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    match &args.verb {
        Verb::List { datasets, json } => list(&datasets.folder(), *json, terminal),
        Verb::Fetch {
            name,
            datasets,
            from,
        } => fetch(name, &datasets.folder(), from.as_deref(), terminal),
        Verb::Show(args) => show::run(args, terminal),
        Verb::Formats => formats(terminal),
    }
}

fn list(folder: &Path, json: bool, terminal: &mut Terminal) -> Result<(), Failure> {
    let rows: Vec<Row> = SETS.iter().map(|set| row(set, folder)).collect();
    if json {
        return terminal.json(&rows);
    }
    let mut table = Table::new(&[
        ("name", Side::Left),
        ("where", Side::Left),
        ("licence", Side::Left),
        ("what", Side::Left),
    ]);
    for row in rows {
        let (name, about) = (row.name.to_owned(), row.about.to_owned());
        table.row([name, row.place, row.licence.to_owned(), about]);
    }
    terminal.data(&table.render())
}

fn row(set: &NamedSet, folder: &Path) -> Row {
    let place = match (set.origin, set.place(Some(folder))) {
        (Origin::Embedded(_), _) => "in the program".to_owned(),
        (_, Some(place)) => place.display().to_string(),
        (_, None) => "to be fetched".to_owned(),
    };
    Row {
        name: set.name,
        about: set.about,
        licence: set.licence,
        place,
    }
}

fn fetch(
    name: &str,
    folder: &Path,
    from: Option<&str>,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let Some(set) = data::find_named(name) else {
        let advice = match closest_name(name, SETS.iter().map(|set| set.name)) {
            Some(close) => format!("did you mean `{close}`?"),
            None => "see `strata data list`".to_owned(),
        };
        let message = format!("no dataset is called `{name}`; {advice}");
        return Err(Failure::Input(message));
    };
    let place = data::fetch(set, folder, from, &mut terminal::say)?;
    terminal.line(&format!("{name} is in {}", place.display()))
}

fn formats(terminal: &mut Terminal) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("format", Side::Left),
        ("endings", Side::Left),
        ("settings", Side::Left),
        ("what", Side::Left),
    ]);
    for format in FORMATS {
        let info = format.describe();
        table.row([
            info.name.to_owned(),
            info.endings.join(", "),
            info.settings.join(", "),
            info.about.to_owned(),
        ]);
    }
    terminal.data(&table.render())
}
