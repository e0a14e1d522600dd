//! The `strata` program.

fn main() -> std::process::ExitCode {
    strata::cli::main()
}
