//! Time series of the UCR and UEA archives: `.ts` files, and the older `.tsv` files.

use super::files::{class_targets, class_task};
use super::{Files, FormatInfo, Reader};
use crate::data::csv::TaskKind;
use crate::data::error::excerpt;
use crate::data::{
    Asked, DataError, Dataset, Examples, MAX_VALUES, Place, Questions, Targets, Task, input,
};
use crate::layers::Shape;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 1 << 28;

/// `.ts`: a header, then a series a line, its dimensions between colons and its class last.
pub(super) struct Ts;

/// The older form: the class, then the values, between tabs.
pub(super) struct Ucr;

impl Reader for Ts {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "ts",
            endings: &["ts"],
            about: "time series of the UEA and UCR archives, of one or more dimensions",
            settings: &["task"],
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        dataset(files, parse_ts)
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        questions(asked, parse_ts)
    }
}

impl Reader for Ucr {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "ucr",
            endings: &[],
            about: "time series of the UCR archive as tables: the class, then the values, in tabs",
            settings: &["task"],
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        dataset(files, parse_ucr)
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        questions(asked, parse_ucr)
    }
}

/// Series as they were read.
#[derive(Debug, Default)]
pub(super) struct Series {
    channels: usize,
    length: usize,
    values: Vec<f32>,
    labels: Vec<String>,
}

/// Reads series; those to be asked about, which need no class, have so many channels and values as training's.
type Parse = fn(&mut dyn Read, &str, Option<(usize, usize)>) -> Result<Series, DataError>;

fn dataset(files: &Files<'_>, parse: Parse) -> Result<Dataset, DataError> {
    let read = |path: &Path| parse(&mut files.open(path)?, &files.name(path), None);
    let training = read(files.train)?;
    let shape = Shape::Signal {
        channels: training.channels,
        length: training.length,
    };
    let task = match files.task() {
        TaskKind::Classification => class_task(training.labels.iter().map(String::as_str)),
        TaskKind::Regression => Task::Numbers(vec!["target".to_owned()]),
        TaskKind::MultiLabel => {
            let problem = "a series has one class or one number";
            return Err(DataError::setting("task", problem));
        }
    };
    let follow = |path: Option<&Path>| {
        let examples = path.map(|path| {
            let series = read(path)?;
            series.refuse_unlike(shape, &files.name(path))?;
            series.examples(&task, &files.name(path))
        });
        examples.transpose()
    };
    let (test, validation) = (follow(files.test())?, follow(files.validation())?);
    let training = training.examples(&task, &files.name(files.train))?;
    Dataset::new(files.stem(), shape, task, training, test)?.validated_by(validation)
}

fn questions(asked: &Asked<'_>, parse: Parse) -> Result<Questions, DataError> {
    let shape = asked.input();
    let like = (shape.features().unwrap_or(1), shape.positions());
    let series = parse(&mut asked.open()?, &asked.name(), Some(like))?;
    series.refuse_unlike(shape, &asked.name())?;
    Ok(series.values.into())
}

impl Series {
    fn refuse_unlike(&self, shape: Shape, file: &str) -> Result<(), DataError> {
        let (channels, length) = (self.channels, self.length);
        if (Shape::Signal { channels, length }) == shape {
            return Ok(());
        }
        Err(DataError::ColumnsDiffer {
            file: file.to_owned(),
            difference: format!("series of {channels}x{length} instead of {shape}"),
        })
    }

    fn examples(self, task: &Task, file: &str) -> Result<Examples, DataError> {
        let labels = self.labels.iter().map(String::as_str);
        let targets = match task {
            Task::Classes(classes) => class_targets(file, labels, classes)?,
            _ => {
                let number = |(index, label): (usize, &str)| match label.parse::<f32>() {
                    Ok(number) if number.is_finite() => Ok(number),
                    _ => {
                        let shown = excerpt(label.as_bytes());
                        let problem = format!(
                            "series {} has the target `{shown}`, which is no finite number",
                            index + 1
                        );
                        Err(DataError::format(file, problem))
                    }
                };
                let numbers = labels.enumerate().map(number);
                Targets::numbers(numbers.collect::<Result<_, _>>()?, 1)
            }
        };
        Ok(Examples::of_values(self.values, targets))
    }

    /// Adds a series whose dimensions are in `dimensions`; the first one decides the shape.
    fn push(&mut self, dimensions: &[&str], label: &str, at: &At<'_>) -> Result<(), DataError> {
        let is_first = self.labels.is_empty();
        if is_first {
            self.channels = dimensions.len();
            self.length = dimensions
                .first()
                .map_or(0, |d| d.split(at.separator).count());
        }
        if dimensions.len() != self.channels {
            let (found, wanted) = (dimensions.len(), self.channels);
            return Err(at.error(
                1,
                format!("{found} dimensions where the first has {wanted}"),
            ));
        }
        for (channel, dimension) in dimensions.iter().enumerate() {
            let mut count = 0;
            for cell in dimension.split(at.separator) {
                count += 1;
                self.values.push(at.number(cell.trim(), count)?);
            }
            if count != self.length {
                let (wanted, channel) = (self.length, channel + 1);
                let problem = format!(
                    "dimension {channel} has {count} values where the first has {wanted}; \
                     pad or cut the series to one length"
                );
                return Err(at.error(count, problem));
            }
        }
        if self.values.len() > MAX_VALUES {
            let found = format!("more than {MAX_VALUES}");
            return Err(DataError::too_large(at.file, "values", found, MAX_VALUES));
        }
        if label.is_empty() {
            return Err(at.error(1, "the series has no class".to_owned()));
        }
        self.labels.push(label.to_owned());
        Ok(())
    }

    fn finish(self, file: &str) -> Result<Self, DataError> {
        if self.labels.is_empty() {
            let file = file.to_owned();
            return Err(DataError::Empty { file });
        }
        Ok(self)
    }
}

/// A line of a file.
struct At<'a> {
    file: &'a str,
    line: u64,
    separator: char,
}

impl At<'_> {
    fn place(&self, column: usize) -> Place {
        Place {
            file: self.file.to_owned(),
            line: self.line,
            column,
        }
    }

    fn error(&self, column: usize, problem: String) -> DataError {
        DataError::format(&self.place(column).to_string(), problem)
    }

    fn number(&self, cell: &str, column: usize) -> Result<f32, DataError> {
        match cell.parse::<f32>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ if cell == "?" || cell == "NaN" => {
                let problem = "a missing value; fill the gaps before";
                Err(self.error(column, problem.to_owned()))
            }
            _ => {
                let shown = excerpt(cell.as_bytes());
                Err(self.error(column, format!("`{shown}` is no finite number")))
            }
        }
    }
}

/// The lines of a file that are not blank, with their numbers.
fn each_line(
    reader: &mut dyn Read,
    file: &str,
    mut take: impl FnMut(&str, u64) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = reader
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line);
        if read.map_err(|error| input::read_error(Path::new(file), error))? == 0 {
            break;
        }
        let text = std::str::from_utf8(&line).map_err(|_| {
            DataError::format(&format!("{file}:{number}"), "the line is not text in UTF-8")
        })?;
        if !text.trim().is_empty() {
            take(text.trim(), number)?;
        }
    }
    Ok(())
}

/// The class of a series that is asked about.
const ASKED: &str = "?";

fn parse_ucr(
    reader: &mut dyn Read,
    file: &str,
    like: Option<(usize, usize)>,
) -> Result<Series, DataError> {
    let mut series = Series::default();
    each_line(reader, file, |text, line| {
        let at = At {
            file,
            line,
            separator: '\t',
        };
        if like.is_some_and(|(_, length)| text.split('\t').count() == length) {
            return series.push(&[text], ASKED, &at);
        }
        let (label, values) = text.split_once('\t').ok_or_else(|| {
            at.error(
                1,
                "no tab in the line; the class and the values stand between tabs".into(),
            )
        })?;
        series.push(&[values], label.trim(), &at)
    })?;
    series.finish(file)
}

fn parse_ts(
    reader: &mut dyn Read,
    file: &str,
    like: Option<(usize, usize)>,
) -> Result<Series, DataError> {
    let mut series = Series::default();
    let mut in_data = false;
    each_line(reader, file, |text, line| {
        let at = At {
            file,
            line,
            separator: ',',
        };
        if in_data {
            let parts: Vec<&str> = text.split(':').collect();
            if like.is_some_and(|(channels, _)| parts.len() == channels) {
                return series.push(&parts, ASKED, &at);
            }
            let (dimensions, label) = text.rsplit_once(':').ok_or_else(|| {
                at.error(
                    1,
                    "no colon in the line; the class stands behind the last one".into(),
                )
            })?;
            let dimensions: Vec<&str> = dimensions.split(':').collect();
            return series.push(&dimensions, label.trim(), &at);
        }
        let lower = text.to_lowercase();
        let mut words = lower.split_whitespace();
        match (words.next(), words.next()) {
            (Some("@data"), _) => in_data = true,
            (Some("@timestamps"), Some("true")) => {
                return Err(at.error(
                    1,
                    "series with time stamps are not read; resample them".into(),
                ));
            }
            (Some(word), _) if word.starts_with(['@', '#']) => {}
            _ => {
                let problem = "neither `@` nor `#` before `@data`; is it a .ts file?";
                return Err(at.error(1, problem.to_owned()));
            }
        }
        Ok(())
    })?;
    series.finish(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TS: &str = "# about\n@problemName made\n@timeStamps false\n@classLabel true a b\n@data\n\
                      1,2,3:4,5,6:a\n7,8,9:1,2,3:b\n";

    fn ts(text: &str) -> Result<Series, DataError> {
        parse_ts(&mut text.as_bytes(), "x.ts", None)
    }

    fn fault(text: &str) -> String {
        ts(text).unwrap_err().to_string()
    }

    #[test]
    fn series_of_two_dimensions_are_read() {
        let series = ts(TS).unwrap();
        assert_eq!((series.channels, series.length), (2, 3));
        assert_eq!(series.values[..6], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(series.labels, ["a", "b"]);
    }

    #[test]
    fn the_older_form_has_the_class_first() {
        let series = parse_ucr(&mut &b"2\t0.5\t1\n1\t-1\t2\n"[..], "x.tsv", None).unwrap();
        assert_eq!((series.channels, series.length), (1, 2));
        assert_eq!(series.labels, ["2", "1"]);
        let error = parse_ucr(&mut &b"1,2,3\n"[..], "x.tsv", None).unwrap_err();
        assert!(
            error.to_string().starts_with("x.tsv:1:1: no tab"),
            "{error}"
        );
    }

    #[test]
    fn malformed_series_are_placed() {
        let cases = [
            ("", "no examples in it"),
            ("@data\n", "no examples in it"),
            ("1,2:a\n", "x.ts:1:1: neither `@` nor `#`"),
            ("@data\n1,2,3\n", "x.ts:2:1: no colon"),
            ("@data\n1,2:a\n1:b\n", "x.ts:3:1: dimension 1 has 1 values"),
            (
                "@data\n1,2:a\n1,2:3,4:b\n",
                "x.ts:3:1: 2 dimensions where the first has 1",
            ),
            ("@data\n1,?:a\n", "x.ts:2:2: a missing value; fill the gaps"),
            ("@data\n1,inf:a\n", "x.ts:2:2: `inf` is no finite number"),
            ("@data\n1,x:a\n", "x.ts:2:2: `x` is no finite number"),
            ("@data\n1,2:\n", "x.ts:2:1: the series has no class"),
            (
                "@timeStamps true\n@data\n",
                "x.ts:1:1: series with time stamps",
            ),
        ];
        for (text, said) in cases {
            let found = fault(text);
            assert!(found.contains(said), "{text:?}: {found}");
        }
    }
}
