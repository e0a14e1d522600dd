//! `strata completions` and `strata man`: what shells and manuals need, from the verbs' own declarations.

use super::failure::Failure;
use super::terminal::Terminal;
use clap::Command;
use std::path::PathBuf;

/// Arguments of `strata completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

/// Writes a shell's completions to stdout.
pub fn completions(args: &CompletionsArgs, terminal: &mut Terminal) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "strata", &mut text);
    terminal.data(&String::from_utf8_lossy(&text))
}

/// Arguments of `strata man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The folder that the pages are written to: strata.1, and one for each verb
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the manual's pages.
pub fn man(args: &ManArgs, terminal: &mut Terminal) -> Result<(), Failure> {
    std::fs::create_dir_all(&args.folder)?;
    let whole = super::command();
    page(&whole, "strata", &args.folder)?;
    for verb in whole
        .get_subcommands()
        .filter(|verb| verb.get_name() != "help")
    {
        page(verb, &format!("strata-{}", verb.get_name()), &args.folder)?;
    }
    terminal.say(&format!(
        "read one with `man {}`",
        args.folder.join("strata.1").display()
    ));
    Ok(())
}

fn page(command: &Command, name: &str, folder: &std::path::Path) -> Result<(), Failure> {
    let mut text = Vec::new();
    let named: &'static str = Box::leak(name.to_owned().into_boxed_str());
    clap_mangen::Man::new(command.clone().name(named).display_name(named)).render(&mut text)?;
    Ok(std::fs::write(folder.join(format!("{name}.1")), text)?)
}
