//! The command line as a whole: verbs, help, and the way from arguments to an exit code.

use super::exit::Exit;
use super::failure::Failure;
use super::terminal::{self, Terminal};
use super::{
    bench, best, check, compare, count, data, diff, distance, enumerate, export, fmt, generate,
    isolated, launch, layers, looks, pareto, predict, proxy, refit, reporting, resume, retest,
    sample, search, serve, show, status, train, trials, verify, worker,
};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// Neural architecture search with an exact search-space language and bit-reproducible runs.
#[derive(Debug, Parser)]
#[command(name = "strata", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check space files; report every problem
    Check(check::Args),
    /// Format space files
    Fmt(fmt::Args),
    /// Count the architectures of a space, exactly
    Count(count::Args),
    /// Draw architectures from a space
    Sample(sample::Args),
    /// List the architectures of a space in the order of their indices
    Enumerate(enumerate::Args),
    /// Compare two networks, side by side
    Diff(diff::Args),
    /// In which decisions two architectures of a space differ
    Distance(distance::Args),
    /// Show one architecture with its shapes and costs
    Show(show::Args),
    /// List the layers of the language
    Layers(layers::Args),
    /// Run an experiment: search, then retrain and test the winner
    Search(search::Args),
    /// Compare hand-designed networks and searches on the same terms, with statistics
    Compare(compare::Args),
    /// List how often test examples were looked at, by the ledger beside the experiments
    Looks(looks::Args),
    /// Write the report of a run or a comparison: HTML, Markdown, JSON or CSV
    Report(reporting::Args),
    /// Show runs in a browser while they go on
    Serve(serve::Args),
    /// Say which decisions of a run or a comparison mattered
    Importance(reporting::ImportanceArgs),
    /// Continue a run that was interrupted or killed
    Resume(resume::Args),
    /// Do trials of a run that many machines share
    Worker(worker::Args),
    /// Start workers for a run that many machines share, and keep them
    Launch(launch::Args),
    /// Say how a run stands
    Status(status::Args),
    /// List the trials of a run
    Trials(trials::Args),
    /// Show the best architecture of a run and its test accuracy
    Best(best::Args),
    /// Compare controllers on a table of results, over many seeds
    Bench(bench::Args),
    /// List the trials of a run that no other beats in everything
    Pareto(pareto::Args),
    /// Train one architecture
    Train(train::Args),
    /// Say what is known of networks before they are trained
    Proxy(proxy::Args),
    /// Say what a run's winner makes of new examples
    Predict(predict::Args),
    /// Train a run's tested winner once more, on all rows, test examples included
    Refit(refit::Args),
    /// Write a network as PyTorch, ONNX, burn, a drawing and more
    Export(export::Args),
    /// Test the trained networks of a comparison or a run on other examples
    Retest(retest::Args),
    /// Run trials of a finished run again and compare them bit for bit
    Verify(verify::Args),
    /// Do a run's trials as it tells; started by the run itself
    #[command(hide = true)]
    Isolated(isolated::Args),
    /// List and fetch datasets, list file formats
    Data(data::Args),
    /// Write completions for a shell
    Completions(generate::CompletionsArgs),
    /// Write manual pages
    Man(generate::ManArgs),
    /// List the exit codes
    ExitCodes,
}

/// The command line's definition, for help, completions and documentation.
pub fn command() -> clap::Command {
    Arguments::command().after_long_help(Exit::table())
}

/// The program: reads the process's arguments, does what they say, and returns the exit code.
pub fn main() -> ExitCode {
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    if let Verb::Isolated(args) = &arguments.verb {
        return isolated::main(args);
    }
    let mut terminal = Terminal::open();
    let result = run(arguments.verb, &mut terminal);
    let result = result.and_then(|()| terminal.finish());
    let Err(failure) = result else {
        return Exit::Success.into();
    };
    // What was found before the failure comes first; the failure itself matters more than this one.
    let _ = terminal.finish();
    let message = failure.render(terminal.color);
    if !message.is_empty() {
        terminal::say(&message);
    }
    failure.exit().into()
}

fn parse() -> Result<Arguments, ExitCode> {
    let matches = command().try_get_matches();
    matches
        .and_then(|matches| Arguments::from_arg_matches(&matches))
        .map_err(|error| {
            // Help and version are no errors, and a reader that went away is none either.
            let _ = error.print();
            if error.use_stderr() {
                Exit::Input.into()
            } else {
                Exit::Success.into()
            }
        })
}

fn run(verb: Verb, terminal: &mut Terminal) -> Result<(), Failure> {
    match verb {
        Verb::Check(args) => check::run(&args, terminal),
        Verb::Fmt(args) => fmt::run(&args, terminal),
        Verb::Count(args) => count::run(&args, terminal),
        Verb::Sample(args) => sample::run(&args, terminal),
        Verb::Enumerate(args) => enumerate::run(&args, terminal),
        Verb::Diff(args) => diff::run(&args, terminal),
        Verb::Distance(args) => distance::run(&args, terminal),
        Verb::Show(args) => show::run(&args, terminal),
        Verb::Layers(args) => layers::run(&args, terminal),
        Verb::Search(args) => search::run(&args, terminal),
        Verb::Compare(args) => compare::run(&args, terminal),
        Verb::Looks(args) => looks::run(&args, terminal),
        Verb::Report(args) => reporting::run(&args, terminal),
        Verb::Serve(args) => serve::run(&args, terminal),
        Verb::Importance(args) => reporting::importance(&args, terminal),
        Verb::Resume(args) => resume::run(&args, terminal),
        Verb::Worker(args) => worker::run(&args, terminal),
        Verb::Launch(args) => launch::run(&args, terminal),
        Verb::Status(args) => status::run(&args, terminal),
        Verb::Trials(args) => trials::run(&args, terminal),
        Verb::Best(args) => best::run(&args, terminal),
        Verb::Bench(args) => bench::run(&args, terminal),
        Verb::Pareto(args) => pareto::run(&args, terminal),
        Verb::Train(args) => train::run(&args, terminal),
        Verb::Proxy(args) => proxy::run(&args, terminal),
        Verb::Predict(args) => predict::run(&args, terminal),
        Verb::Refit(args) => refit::run(&args, terminal),
        Verb::Export(args) => export::run(&args, terminal),
        Verb::Retest(args) => retest::run(&args, terminal),
        Verb::Verify(args) => verify::run(&args, terminal),
        Verb::Isolated(args) => isolated::run(&args),
        Verb::Data(args) => data::run(&args, terminal),
        Verb::Completions(args) => generate::completions(&args, terminal),
        Verb::Man(args) => generate::man(&args, terminal),
        Verb::ExitCodes => terminal.data(&Exit::table()),
    }
}
