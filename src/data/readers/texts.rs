//! Texts with a class each: between tabs, or as lines of JSON.

use super::files::{class_targets, class_task};
use super::{Files, FormatInfo, Reader};
use crate::data::csv::Column;
use crate::data::dataset::Inputs;
use crate::data::error::excerpt;
use crate::data::keys::{KeyColumn, RowKeys};
use crate::data::{
    Asked, Columns, DataError, Dataset, Examples, Form, MAX_VALUES, Place, Questions, Task,
    TextOptions, Texts, Tokens, input,
};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The settings of texts.
const SETTINGS: &[&str] = &[
    "label",
    "text",
    "tokens",
    "vocabulary",
    "length",
    "split.group",
    "split.time",
    "header",
];

/// The settings of objects, which have no first line that could name their fields.
const JSONL_SETTINGS: &[&str] = SETTINGS.split_at(SETTINGS.len() - 1).0;

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 1 << 26;

/// The longest text in tokens, and the largest vocabulary.
const MOST_TOKENS: usize = 1 << 20;

/// A text and its class between tabs; quotes are part of the text.
pub(super) struct Tabs;

/// An object a line.
pub(super) struct Jsonl;

impl Reader for Tabs {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "text",
            endings: &[],
            about: "lines of a class, a tab and a text, made into tokens",
            settings: SETTINGS,
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        dataset(files, &Line::tabs)
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        questions(asked, &Line::tabs)
    }
}

impl Reader for Jsonl {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "jsonl",
            endings: &["jsonl", "ndjson"],
            about: "lines of JSON objects with a class and a text, made into tokens",
            settings: JSONL_SETTINGS,
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        dataset(files, &Line::json)
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        questions(asked, &Line::json)
    }
}

/// Texts and labels as they were read.
#[derive(Default)]
struct Labelled {
    texts: Texts,
    labels: Vec<String>,
    keys: RowKeys,
    bytes: usize,
}

/// The parts of a line that are used.
struct ParsedLine {
    label: String,
    text: String,
    /// Group and time of the line.
    group: Option<String>,
    time: Option<String>,
}

impl ParsedLine {
    /// A text whose class is asked.
    fn asked(text: impl Into<String>) -> Self {
        Self {
            label: String::new(),
            text: text.into(),
            group: None,
            time: None,
        }
    }
}

/// Finds what is wanted in a line.
type Find<'a> = dyn Fn(&Line<'_>) -> Result<ParsedLine, DataError> + 'a;

fn dataset(files: &Files<'_>, find: &Find<'_>) -> Result<Dataset, DataError> {
    let form = Form::Text(options(files)?);
    let columns = Wanted::of(files)?;
    let training = &mut files.open(files.train)?;
    let training = read(training, &files.name(files.train), &columns, find)?;
    let task = class_task(training.labels.iter().map(String::as_str));
    let Task::Classes(classes) = &task else {
        unreachable!("texts have classes");
    };
    let examples = |labelled: Labelled, file: String| {
        let labels = labelled.labels.iter().map(String::as_str);
        let targets = class_targets(&file, labels, classes)?;
        let inputs = Inputs::Texts(labelled.texts);
        Ok::<_, DataError>(Examples::new(inputs, targets).keyed(labelled.keys))
    };
    let training = examples(training, files.name(files.train))?;
    let others = Wanted {
        may_lack_keys: true,
        ..columns
    };
    let follow = |path: Option<&Path>| {
        let labelled = path.map(|path| {
            let name = files.name(path);
            examples(read(&mut files.open(path)?, &name, &others, find)?, name)
        });
        labelled.transpose()
    };
    let (test, validation) = (follow(files.test())?, follow(files.validation())?);
    Dataset::new(files.stem(), form, task, training, test)?.validated_by(validation)
}

fn questions(asked: &Asked<'_>, find: &Find<'_>) -> Result<Questions, DataError> {
    let wanted = Wanted {
        text: asked.file().text.clone(),
        has_header: asked.file().header.unwrap_or(false),
        asks: true,
        ..Wanted::default()
    };
    let read = read(&mut asked.open()?, &asked.name(), &wanted, find)?;
    Ok(Questions {
        inputs: Inputs::Texts(read.texts),
        files: Vec::new(),
    })
}

fn options(files: &Files<'_>) -> Result<TextOptions, DataError> {
    let source = files.source;
    let tokens = source.tokens.unwrap_or_default();
    if tokens == Tokens::Byte && source.vocabulary.is_some() {
        let problem = format!("bytes have {} tokens; remove it", TextOptions::BYTES);
        return Err(DataError::setting("vocabulary", problem));
    }
    let vocabulary = match tokens {
        Tokens::Byte => TextOptions::BYTES,
        Tokens::Char => source.vocabulary.unwrap_or(256),
        Tokens::Word | Tokens::Bpe => source.vocabulary.unwrap_or(4096),
    };
    let length = source.length.unwrap_or(64);
    let checks = [("vocabulary", vocabulary, 4), ("length", length, 1)];
    for (key, number, least) in checks {
        if !(least..=MOST_TOKENS).contains(&number) {
            let problem = format!("{number} is not from {least} to {MOST_TOKENS}");
            return Err(DataError::setting(key, problem));
        }
    }
    Ok(TextOptions {
        tokens,
        vocabulary,
        length,
    })
}

/// Which columns or fields are wanted.
#[derive(Clone, Default)]
struct Wanted {
    label: Option<Column>,
    text: Option<Column>,
    group: Option<Column>,
    time: Option<Column>,
    /// True of files that are not divided themselves, whose lines may lack group and time.
    may_lack_keys: bool,
    has_header: bool,
    /// Whether the text alone will do: its class is what is asked.
    asks: bool,
}

impl Wanted {
    fn of(files: &Files<'_>) -> Result<Self, DataError> {
        let label = match &files.source.label {
            None => None,
            Some(Columns::One(column)) => Some(column.clone()),
            Some(Columns::Many(_)) => {
                return Err(DataError::setting(
                    "label",
                    "a text has one class; name one",
                ));
            }
        };
        let split = files.source.split_columns();
        if split.feature == Some(true) {
            let problem = "a network sees the text alone, so that no other field can be a feature; remove `feature`";
            return Err(DataError::setting("split", problem));
        }
        Ok(Self {
            label,
            text: files.source.text.clone(),
            group: split.group,
            time: split.time,
            has_header: files.source.header.unwrap_or(false),
            ..Self::default()
        })
    }
}

/// One line of a file.
struct Line<'a> {
    file: &'a str,
    number: u64,
    text: &'a str,
    header: Option<&'a [String]>,
    wanted: &'a Wanted,
}

fn read(
    reader: &mut dyn Read,
    file: &str,
    wanted: &Wanted,
    find: &Find<'_>,
) -> Result<Labelled, DataError> {
    let mut reader = BufReader::new(reader);
    let mut out = Labelled::default();
    let key = |column: &Option<Column>| {
        let column = column.as_ref();
        column.map(|column| KeyColumn::new(column.to_string(), file))
    };
    (out.keys.group, out.keys.time) = (key(&wanted.group), key(&wanted.time));
    let mut header: Option<Vec<String>> = None;
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let read = reader
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut bytes);
        if read.map_err(|error| input::read_error(Path::new(file), error))? == 0 {
            break;
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            DataError::format(&format!("{file}:{number}"), "the line is not text in UTF-8")
        })?;
        let text = text.trim_end_matches(['\n', '\r']);
        if text.trim().is_empty() {
            continue;
        }
        if wanted.has_header && header.is_none() {
            header = Some(
                text.split('\t')
                    .map(|name| name.trim().to_owned())
                    .collect(),
            );
            continue;
        }
        let line = Line {
            file,
            number,
            text,
            header: header.as_deref(),
            wanted,
        };
        let row = find(&line)?;
        for (key, text) in [
            (&mut out.keys.group, row.group),
            (&mut out.keys.time, row.time),
        ] {
            // A file with a line that has none has none.
            *key = key.take().filter(|_| text.is_some());
            if let (Some(key), Some(text)) = (key, text) {
                key.push_said(text.trim(), number)?;
            }
        }
        out.bytes += row.text.len();
        if out.bytes > MAX_VALUES {
            let found = format!("more than {MAX_VALUES}");
            return Err(DataError::too_large(file, "bytes", found, MAX_VALUES));
        }
        out.texts.push(&row.text);
        out.labels.push(row.label);
    }
    if out.labels.is_empty() {
        let file = file.to_owned();
        return Err(DataError::Empty { file });
    }
    Ok(out)
}

impl Line<'_> {
    fn error(&self, column: usize, problem: impl Into<String>) -> DataError {
        let place = Place {
            file: self.file.to_owned(),
            line: self.number,
            column,
        };
        DataError::format(&place.to_string(), problem)
    }

    /// By default the first column is the class and the second the text. A text whose class is asked may be alone.
    fn tabs(line: &Line<'_>) -> Result<ParsedLine, DataError> {
        let cells: Vec<&str> = line.text.split('\t').collect();
        if line.wanted.asks && cells.len() == 1 {
            return Ok(ParsedLine::asked(line.text));
        }
        let place = |column: Option<&Column>, default: usize| match column {
            None => Ok(default),
            Some(Column::Number(number)) => Ok(number.saturating_sub(1)),
            Some(Column::Name(name)) => {
                let header = line.header.unwrap_or_default();
                let found = header.iter().position(|known| known == name);
                found.ok_or_else(|| {
                    let advice = "say `header = true` if the first line names the columns";
                    let shown = excerpt(name.as_bytes());
                    line.error(1, format!("no column is called `{shown}`; {advice}"))
                })
            }
        };
        let cell = |column: usize| {
            cells.get(column).copied().ok_or_else(|| {
                let found = cells.len();
                let problem = format!(
                    "{found} columns, where column {} is needed; columns are parted by tabs here, and \
                     `format = \"csv\"` reads commas",
                    column + 1
                );
                line.error(found, problem)
            })
        };
        let text = cell(place(line.wanted.text.as_ref(), 1)?)?;
        if line.wanted.asks {
            return Ok(ParsedLine::asked(text));
        }
        let label = place(line.wanted.label.as_ref(), 0)?;
        let label_text = cell(label)?.trim();
        if label_text.is_empty() {
            return Err(line.error(
                label + 1,
                "the label is empty; fill the gap or drop the line",
            ));
        }
        let key = |column: &Option<Column>| {
            let found = column.as_ref().map(|column| cell(place(Some(column), 0)?));
            line.key(found)
        };
        Ok(ParsedLine {
            label: label_text.to_owned(),
            text: text.to_owned(),
            group: key(&line.wanted.group)?.map(str::to_owned),
            time: key(&line.wanted.time)?.map(str::to_owned),
        })
    }

    /// Group or time of the line, which lines that are not to be divided may lack.
    fn key<T>(&self, found: Option<Result<T, DataError>>) -> Result<Option<T>, DataError> {
        match found {
            Some(Err(_)) if self.wanted.may_lack_keys => Ok(None),
            found => found.transpose(),
        }
    }

    /// By default the fields are called `label` and `text`.
    fn json(line: &Line<'_>) -> Result<ParsedLine, DataError> {
        let object: Value = serde_json::from_str(line.text)
            .map_err(|error| line.error(error.column().max(1), format!("no JSON: {error}")))?;
        let field = |column: Option<&Column>, default: &str| {
            let name = column.map_or_else(|| default.to_owned(), ToString::to_string);
            match object.get(&name) {
                Some(Value::String(text)) => Ok(text.clone()),
                Some(Value::Number(number)) => Ok(number.to_string()),
                Some(Value::Bool(flag)) => Ok(flag.to_string()),
                Some(_) => Err(line.error(1, format!("`{name}` is neither text nor a number"))),
                None => Err(line.error(1, format!("the object has no field `{name}`"))),
            }
        };
        let text = || field(line.wanted.text.as_ref(), "text");
        if line.wanted.asks {
            return Ok(ParsedLine::asked(text()?));
        }
        let label = field(line.wanted.label.as_ref(), "label")?;
        if label.is_empty() {
            return Err(line.error(1, "the label is empty; fill the gap or drop the line"));
        }
        let key = |column: &Option<Column>| {
            let found = column.as_ref();
            line.key(found.map(|column| field(Some(column), "")))
        };
        Ok(ParsedLine {
            label,
            text: text()?,
            group: key(&line.wanted.group)?,
            time: key(&line.wanted.time)?,
        })
    }
}
