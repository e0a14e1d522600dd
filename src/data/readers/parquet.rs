//! Parquet files: the columns of a table, read as the rows of one.

use super::tables::{SETTINGS, asking, options};
use super::{Files, FormatInfo, Reader};
use crate::data::csv::{self, CsvOptions, Delimiter, Next, Reading, Table};
use crate::data::{
    Asked, Column, DataError, Dataset, KnownColumn, MAX_FILE_BYTES, MAX_VALUES, Questions, input,
};
use ::csv::ByteRecord;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::{Field, Row};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Columns with names and types.
pub(super) struct Parquet;

impl Reader for Parquet {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "parquet",
            endings: &["parquet"],
            about: "columns with names, as `csv`; plain or packed with Snappy",
            settings: SETTINGS,
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        let options = CsvOptions {
            header: Some(true),
            ..options(files, Delimiter::COMMA)
        };
        super::tables::dataset(files, |path: &Path, reading: Reading<'_>| {
            let name = files.name(path);
            self::read(bytes(files.open(path)?, &name)?, &name, &options, reading)
        })
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        let name = asked.name();
        let asking = csv::Asking {
            header: Some(true),
            ..asking(asked, &name)
        };
        let features = asked.columns().iter().filter(|column| column.is_feature());
        let features: Vec<&String> = features.map(KnownColumn::name).collect();
        let is_read = |_, column: &str| features.iter().any(|feature| *feature == column);
        let cells = decoded(bytes(asked.open()?, &name)?, &name, &is_read, |next| {
            asking.read(next)
        })?;
        Ok(cells.into())
    }
}

fn bytes(reader: impl Read, name: &str) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let read = reader.take(MAX_FILE_BYTES).read_to_end(&mut bytes);
    read.map_err(|error| input::read_error(Path::new(name), error))?;
    Ok(bytes)
}

/// Reads a whole file.
pub(super) fn read(
    bytes: Vec<u8>,
    file: &str,
    options: &CsvOptions,
    reading: Reading<'_>,
) -> Result<Table, DataError> {
    let others = options.ignore.iter().chain(&options.group);
    let others: Vec<&Column> = others.chain(&options.time).collect();
    let is_read = |number: usize, name: &str| {
        let is_it = |column: &&Column| match column {
            Column::Name(other) => other == name,
            Column::Number(other) => *other == number,
        };
        !others.iter().any(is_it)
    };
    decoded(bytes, file, &is_read, |next| {
        csv::read_records(file, options, reading, next)
    })
}

/// True of a column, by its number from 1 and its name, that has to be numbers or text.
type IsRead<'a> = dyn Fn(usize, &str) -> bool + 'a;

/// What `take` makes of the rows.
fn decoded<T>(
    bytes: Vec<u8>,
    file: &str,
    is_read: &IsRead<'_>,
    take: impl FnOnce(&mut Next<'_>) -> Result<T, DataError>,
) -> Result<T, DataError> {
    // The decoder answers some damage with a panic.
    let read = AssertUnwindSafe(|| rows(bytes, file, is_read, take));
    catch_unwind(read).unwrap_or_else(|_| Err(broken(file, "it is damaged")))
}

fn rows<T>(
    bytes: Vec<u8>,
    file: &str,
    is_read: &IsRead<'_>,
    take: impl FnOnce(&mut Next<'_>) -> Result<T, DataError>,
) -> Result<T, DataError> {
    let reader = SerializedFileReader::new(::bytes::Bytes::from(bytes));
    let reader = reader.map_err(|error| broken(file, error))?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let columns = schema.num_columns();
    let fields = schema.root_schema().get_fields().iter();
    let names = fields.map(|field| field.name().to_owned());
    let header = ByteRecord::from(names.collect::<Vec<_>>());
    let claimed = reader.metadata().file_metadata().num_rows();
    let values = usize::try_from(claimed)
        .unwrap_or(usize::MAX)
        .saturating_mul(columns);
    if values > MAX_VALUES {
        return Err(DataError::too_large(file, "values", values, MAX_VALUES));
    }
    let rows = reader.get_row_iter(None);
    let mut rows = rows.map_err(|error| broken(file, error))?;
    let mut header = Some(header);
    let mut line = 0;
    take(&mut |record| {
        line += 1;
        if let Some(header) = header.take() {
            *record = header;
            return Ok(Some(line));
        }
        match rows.next() {
            None => Ok(None),
            Some(Err(error)) => Err(broken(file, error)),
            Some(Ok(row)) => {
                fill(record, &row, file, is_read)?;
                Ok(Some(line))
            }
        }
    })
}

fn fill(
    record: &mut ByteRecord,
    row: &Row,
    file: &str,
    is_read: &IsRead<'_>,
) -> Result<(), DataError> {
    record.clear();
    for (at, (name, field)) in row.get_column_iter().enumerate() {
        let cell = match field {
            Field::Null => String::new(),
            Field::Bool(flag) => u8::from(*flag).to_string(),
            Field::Byte(n) => n.to_string(),
            Field::Short(n) => n.to_string(),
            Field::Int(n) => n.to_string(),
            Field::Long(n) => n.to_string(),
            Field::UByte(n) => n.to_string(),
            Field::UShort(n) => n.to_string(),
            Field::UInt(n) => n.to_string(),
            Field::ULong(n) => n.to_string(),
            Field::Float(x) => x.to_string(),
            Field::Double(x) => x.to_string(),
            Field::Str(text) => text.clone(),
            Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
            Field::Date(_)
            | Field::TimestampMillis(_)
            | Field::TimestampMicros(_)
            | Field::Decimal(_)
                if !is_read(at + 1, name) =>
            {
                field.to_string()
            }
            _ if !is_read(at + 1, name) => String::new(),
            _ => {
                let problem = format!(
                    "column `{name}` holds neither numbers nor text; \
                     leave it out: `ignore = [\"{name}\"]`"
                );
                return Err(DataError::format(file, problem));
            }
        };
        record.push_field(cell.as_bytes());
    }
    Ok(())
}

fn broken(file: &str, error: impl std::fmt::Display) -> DataError {
    let problem = format!(
        "can't be read as Parquet ({error}); is the download complete, and packed with Snappy \
         or not at all?"
    );
    DataError::format(file, problem)
}
