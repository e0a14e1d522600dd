//! What a user names on the command line: texts, spaces, networks.

use super::failure::Failure;
use super::numbers;
use crate::architecture::Architecture;
use crate::diagnostics::SourceFile;
use crate::language::{self, Compiled};
use crate::space::{Candidate, DecodeError, Genome, SearchSpace};
use num_traits::Zero;
use std::io::{self, Read};
use std::path::Path;

/// The longest text that is read, in bytes.
const LONGEST_TEXT: u64 = 64 << 20;

/// The text of a file, or of stdin for `-`.
///
/// # Errors
/// When it can't be read or is not UTF-8.
pub fn text(path: &Path) -> Result<SourceFile, Failure> {
    let name = name_of(path);
    let bytes = read(path).map_err(|error| unreadable(&name, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(&name, &error))?;
    Ok(SourceFile::new(name, text))
}

/// The name a file is reported under.
fn name_of(path: &Path) -> String {
    if path == Path::new("-") {
        "<stdin>".to_owned()
    } else {
        path.display().to_string()
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin()
            .lock()
            .take(LONGEST_TEXT)
            .read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?
            .take(LONGEST_TEXT)
            .read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::IsADirectory => "; name a file in it",
        _ => "",
    };
    Failure::Input(format!("failed to read {name}: {}{advice}", plain(error)))
}

/// The system's words without its number, in this program's case.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or(&text)
        .to_lowercase()
}

fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Failure {
    let at = error.utf8_error().valid_up_to();
    let line = error.as_bytes()[..at]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
        + 1;
    Failure::Input(format!(
        "failed to read {name}: line {line}, byte {at} of the file, is not UTF-8; save it as UTF-8"
    ))
}

/// The space that a file describes.
///
/// # Errors
/// When it can't be read, or has errors: all of them.
pub fn space(path: &Path) -> Result<SearchSpace, Failure> {
    Ok(compiled(path)?.1.space)
}

/// The space that a file describes, with its text and warnings.
///
/// # Errors
/// As [`space`].
pub fn compiled(path: &Path) -> Result<(SourceFile, Compiled), Failure> {
    if has_ending(path, "json") {
        return Err(Failure::Input(format!(
            "{} is a network by its ending, and this verb takes a .space file",
            path.display()
        )));
    }
    compile(text(path)?)
}

/// The space that a text describes, with the text.
///
/// # Errors
/// When it has errors: all of them.
fn compile(file: SourceFile) -> Result<(SourceFile, Compiled), Failure> {
    match language::compile(file.text()) {
        Ok(compiled) => Ok((file, compiled)),
        Err(diagnostics) => Err(Failure::Texts(vec![(file, diagnostics)])),
    }
}

/// A file that holds networks: a space of them, or one as JSON.
pub enum Networks {
    /// A `.space` file.
    Space(Box<SearchSpace>),
    /// A `.json` file.
    One(Box<Architecture>),
}

/// The networks that a file describes, by its ending.
///
/// # Errors
/// When it can't be read or makes no sense.
pub fn networks(path: &Path) -> Result<Networks, Failure> {
    if !has_ending(path, "json") {
        return Ok(Networks::Space(Box::new(space(path)?)));
    }
    let file = text(path)?;
    let read = Architecture::from_json_text(file.text());
    let fail = |error| Failure::Input(format!("failed to read {}: {error}", file.name()));
    Ok(Networks::One(Box::new(read.map_err(fail)?)))
}

/// The only network of a space of one.
///
/// # Errors
/// When there is a choice; `advice` says how to make it.
pub fn only(space: &SearchSpace, advice: &str) -> Result<Candidate, Failure> {
    let count = space.count();
    if !count.is_one() {
        let count = numbers::architectures(count);
        return Err(Failure::Input(format!(
            "{} has {count}; {advice}",
            space.name()
        )));
    }
    let genome = space
        .get(&Zero::zero())
        .expect("a space of one has a first architecture");
    decode(space, &genome)
}

/// The network that a genome stands for.
///
/// # Errors
/// When the genome is not of this space.
pub fn decode(space: &SearchSpace, genome: &Genome) -> Result<Candidate, Failure> {
    space.decode(genome).map_err(|error| foreign(space, &error))
}

/// That a genome is not of a space.
pub fn foreign(space: &SearchSpace, error: &DecodeError) -> Failure {
    Failure::Input(format!(
        "the genome is not one of {}: {error}",
        space.name()
    ))
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(ending))
}
