//! `strata controllers`: what can search, and what it can be told.

use super::failure::Failure;
use super::table::{Side, Table};
use super::terminal::Terminal;
use crate::search::{CONTROLLERS, Description, SETTINGS};

/// Arguments of `strata controllers`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this one, with the meaning of its settings
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Lists the controllers, or the settings of one.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let Some(name) = &args.name else {
        return terminal.data(&list());
    };
    let found = CONTROLLERS.iter().find(|row| row.name == *name);
    let row = found.ok_or_else(|| {
        let known: Vec<&str> = CONTROLLERS.iter().map(|row| row.name).collect();
        Failure::Input(format!(
            "there is no controller `{name}`; there are `{}`",
            known.join("`, `")
        ))
    })?;
    terminal.line(&format!("{}: {}", row.name, row.summary))?;
    if !row.source.is_empty() {
        terminal.line(&format!("({})", row.source))?;
    }
    if row.settings.is_empty() {
        return terminal.line("\nIt has no settings of its own.");
    }
    terminal.data(&format!("\n{}", settings(row)))
}

fn list() -> String {
    let mut table = Table::new(&[("controller", Side::Left), ("what it does", Side::Left)]);
    for row in CONTROLLERS {
        table.row([row.name.to_owned(), row.summary.to_owned()]);
    }
    table.render()
}

fn settings(row: &Description) -> String {
    let mut table = Table::new(&[
        ("setting", Side::Left),
        ("default", Side::Left),
        ("meaning", Side::Left),
    ]);
    for (name, default) in row.settings {
        let meaning = SETTINGS.iter().find(|(known, _)| known == name);
        let meaning = meaning.map_or("", |(_, meaning)| meaning);
        table.row([
            (*name).to_owned(),
            (*default).to_owned(),
            meaning.to_owned(),
        ]);
    }
    table.render()
}
