//! How a table is written down, and what its columns are for.

use crate::data::error::excerpt;
use crate::diagnostics::closest_name;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// How a table is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// What stands between two cells.
    pub delimiter: Delimiter,
    /// What stands between a number's whole part and its fraction.
    pub decimal: Decimal,
    /// Whether the first row names the columns. If not said, it does when none of its cells is a
    /// number.
    pub header: Option<bool>,
    /// The columns of the targets. If not said, it is the one called `label` in a table with a
    /// header, and the first one in a table without.
    pub label: Option<Columns>,
    /// What is asked about each row.
    pub task: TaskKind,
    /// Columns whose numbers are names of categories.
    pub categorical: Vec<Column>,
    /// Columns that are left out.
    pub ignore: Vec<Column>,
    /// What is done about gaps.
    pub missing: Missing,
    /// The column that rows are kept together by.
    pub group: Option<Column>,
    /// The column that rows are ordered by.
    pub time: Option<Column>,
    /// True if the column of times is a feature too.
    pub time_is_feature: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::COMMA,
            decimal: Decimal::Point,
            header: None,
            label: None,
            task: TaskKind::Classification,
            categorical: Vec::new(),
            ignore: Vec::new(),
            missing: Missing::Impute,
            group: None,
            time: None,
            time_is_feature: false,
        }
    }
}

/// What stands between two cells of a row: one character of ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct Delimiter(u8);

impl Delimiter {
    /// A comma, as in `.csv` files.
    pub const COMMA: Self = Self(b',');
    /// A tab, as in `.tsv` files.
    pub const TAB: Self = Self(b'\t');
    /// What spreadsheets write where a comma stands in numbers.
    pub const SEMICOLON: Self = Self(b';');

    /// The character as a byte.
    pub fn byte(self) -> u8 {
        self.0
    }
}

impl TryFrom<char> for Delimiter {
    type Error = String;

    fn try_from(character: char) -> Result<Self, String> {
        let means_something = character.is_ascii_alphanumeric() || "\"\n\r.-+".contains(character);
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() && !means_something => Ok(Self(byte)),
            _ => Err(format!(
                "{character:?} can't stand between cells; `\";\"`, `\"|\"` or `\"\\t\"` can"
            )),
        }
    }
}

impl From<Delimiter> for char {
    fn from(delimiter: Delimiter) -> Self {
        Self::from(delimiter.0)
    }
}

/// What stands between a number's whole part and its fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decimal {
    /// A point: `1.5`.
    #[default]
    #[serde(rename = ".")]
    Point,
    /// A comma: `1,5`.
    #[serde(rename = ",")]
    Comma,
}

/// What is asked about each example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Which class it is.
    #[default]
    Classification,
    /// How large a number is, or several.
    Regression,
    /// Which labels it has, any number of them: columns of 0 and 1.
    MultiLabel,
}

/// What is done about gaps in the features of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// A gap becomes the training part's mean, with a column that says so, or its commonest category.
    #[default]
    Impute,
    /// A gap is an error.
    Refuse,
}

/// One column, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Columns {
    /// One.
    One(Column),
    /// Several.
    Many(Vec<Column>),
}

impl Columns {
    /// The columns in order.
    pub fn iter(&self) -> impl Iterator<Item = &Column> {
        match self {
            Self::One(column) => std::slice::from_ref(column).iter(),
            Self::Many(columns) => columns.iter(),
        }
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnsVisitor)
    }
}

struct ColumnsVisitor;

impl<'de> de::Visitor<'de> for ColumnsVisitor {
    type Value = Columns;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column's name or number counted from 1, or a list of them")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Columns, E> {
        ColumnVisitor.visit_str(name).map(Columns::One)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Columns, E> {
        ColumnVisitor.visit_u64(number).map(Columns::One)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Columns, E> {
        ColumnVisitor.visit_i64(number).map(Columns::One)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Columns, A::Error> {
        let mut columns = Vec::new();
        while let Some(column) = list.next_element()? {
            columns.push(column);
        }
        if columns.is_empty() {
            return Err(de::Error::invalid_length(0, &self));
        }
        Ok(Columns::Many(columns))
    }
}

/// A column of a table, by its name or by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// The name in the header.
    Name(String),
    /// The number, counted from 1 as messages do.
    Number(usize),
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// A name as a string, a number as an integer: `label = "species"`, `label = 1`.
impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => serializer.serialize_str(name),
            Self::Number(number) => serializer.serialize_u64(*number as u64),
        }
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnVisitor)
    }
}

struct ColumnVisitor;

impl de::Visitor<'_> for ColumnVisitor {
    type Value = Column;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column's name, or its number counted from 1")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Column, E> {
        Ok(Column::Name(name.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Column, E> {
        usize::try_from(number)
            .map(Column::Number)
            .map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Column, E> {
        usize::try_from(number)
            .map(Column::Number)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }
}

/// The index of a column, or of the label's where none is named; or what was looked for and advice.
pub(super) fn column_index(
    asked: Option<&Column>,
    names: Option<&[String]>,
    columns: usize,
) -> Result<usize, (String, String)> {
    match (asked, names) {
        (None, None) => Ok(0),
        (None, Some(names)) => find_name("label", names).map_err(|advice| {
            (
                "label".to_owned(),
                format!("{advice}; say which holds the labels: `label = \"…\"`"),
            )
        }),
        (Some(Column::Name(name)), Some(names)) => {
            find_name(name, names).map_err(|advice| (name.clone(), advice))
        }
        (Some(Column::Name(name)), None) => Err((
            name.clone(),
            "the table has no header, or one with a number in it, which `header = true` says; give the column's \
             number, counted from 1"
                .to_owned(),
        )),
        (Some(&Column::Number(number)), _) if (1..=columns).contains(&number) => Ok(number - 1),
        (Some(Column::Number(number)), _) => Err((
            number.to_string(),
            format!("columns are counted from 1 to {columns}"),
        )),
    }
}

/// The index of the column called `wanted`, or advice.
pub(super) fn find_name(wanted: &str, names: &[String]) -> Result<usize, String> {
    const SHOWN: usize = 12;
    if let Some(index) = names.iter().position(|name| name == wanted) {
        return Ok(index);
    }
    if let Some(close) = closest_name(wanted, names.iter().map(String::as_str)) {
        return Err(format!("did you mean `{}`?", excerpt(close.as_bytes())));
    }
    let shown = names
        .iter()
        .take(SHOWN)
        .map(|name| excerpt(name.as_bytes()));
    let list = shown.collect::<Vec<_>>().join(", ");
    let rest = if names.len() > SHOWN { ", …" } else { "" };
    Err(format!("it has {list}{rest}"))
}
