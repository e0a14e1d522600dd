//! What `[data]` says of how rows are divided: `split`, and `validation` as a share or a file.

use crate::data::{Column, DataError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::path::PathBuf;

/// The examples that validate: a share of those in `train`, or a file or folder of their own.
#[derive(Clone, Debug, PartialEq)]
pub enum ValidationSource {
    /// A share between 0 and 1.
    Share(f64),
    /// A file or folder like that of `train`.
    File(PathBuf),
}

impl Serialize for ValidationSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Share(share) => serializer.serialize_f64(*share),
            Self::File(path) => path.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ValidationSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValidationVisitor)
    }
}

struct ValidationVisitor;

impl de::Visitor<'_> for ValidationVisitor {
    type Value = ValidationSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a share between 0 and 1, or a file's name")
    }

    fn visit_f64<E: de::Error>(self, share: f64) -> Result<ValidationSource, E> {
        Ok(ValidationSource::Share(share))
    }

    fn visit_i64<E: de::Error>(self, share: i64) -> Result<ValidationSource, E> {
        Ok(ValidationSource::Share(share as f64))
    }

    fn visit_u64<E: de::Error>(self, share: u64) -> Result<ValidationSource, E> {
        Ok(ValidationSource::Share(share as f64))
    }

    fn visit_str<E: de::Error>(self, path: &str) -> Result<ValidationSource, E> {
        Ok(ValidationSource::File(PathBuf::from(path)))
    }
}

/// The rule by which rows are divided.
///
/// ```toml
/// split = "random"                        # the default
/// split = { group = "patient" }           # rows of one patient stand in one part
/// split = { time = "date" }               # the latest rows test, those before them validate
/// split = { validation = "val.csv" }      # as `validation = "val.csv"` beside `split`
/// split = "file_order"                    # by time, where rows stand in its order already
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum SplitSetting {
    /// Drawn by `split_seed`.
    Random,
    /// The last rows of the file test, those before them validate.
    FileOrder,
    /// By columns or files that are named.
    By(SplitColumns),
}

/// Columns and files that `split = { … }` names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitColumns {
    /// The column of groups: rows of one group stand in one part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Column>,
    /// The groups of the official test examples, where those of arrays are in files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_group: Option<Column>,
    /// The groups of the validation file, where those of arrays are in files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_group: Option<Column>,
    /// The column of times: the latest rows test, those before them validate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Column>,
    /// True if the column of times is a feature too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<bool>,
    /// As `validation` beside `split`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationSource>,
}

impl SplitSetting {
    /// Columns and files that it names.
    pub fn columns(&self) -> Option<&SplitColumns> {
        match self {
            Self::By(columns) => Some(columns),
            _ => None,
        }
    }

    /// The first contradiction in it.
    pub(super) fn check(&self) -> Result<(), DataError> {
        let Self::By(columns) = self else {
            return Ok(());
        };
        let problem = match columns {
            SplitColumns {
                group: Some(_),
                time: Some(_),
                ..
            } => {
                "rows are divided by `group` or by `time`; keep one of them (with both, put the latest \
                     rows into a file of their own, `test`, and divide the rest by `group`)"
            }
            SplitColumns {
                group: None,
                test_group: Some(_),
                ..
            }
            | SplitColumns {
                group: None,
                validation_group: Some(_),
                ..
            } => "there is no `group` that `test_group` or `validation_group` could be like",
            SplitColumns {
                time: None,
                feature: Some(_),
                ..
            } => "`feature` says whether the column of `time` is one, and there is no `time`",
            SplitColumns {
                group: None,
                time: None,
                validation: None,
                ..
            } => "say by what: `split = { group = \"patient\" }` or `split = { time = \"date\" }`",
            _ => return Ok(()),
        };
        Err(DataError::setting("split", problem))
    }
}

impl Serialize for SplitSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Random => serializer.serialize_str("random"),
            Self::FileOrder => serializer.serialize_str("file_order"),
            Self::By(columns) => columns.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for SplitSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SplitVisitor)
    }
}

struct SplitVisitor;

impl<'de> de::Visitor<'de> for SplitVisitor {
    type Value = SplitSetting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "`{ group = \"patient\" }`, `{ time = \"date\" }`, `{ validation = \"val.csv\" }`, \
             \"file_order\" or \"random\"",
        )
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<SplitSetting, E> {
        let advice = match word {
            "random" => return Ok(SplitSetting::Random),
            "file_order" => return Ok(SplitSetting::FileOrder),
            "group" | "groups" => "name the column: `split = { group = \"patient\" }`",
            "time" | "date" => {
                "name the column: `split = { time = \"date\" }`; where rows stand in the order of time \
                 already, `split = \"file_order\"`"
            }
            "order" | "rows" | "sequential" | "chronological" => {
                "where rows stand in the order of time already, it is `split = \"file_order\"`"
            }
            "validation" | "file" => "name the file: `split = { validation = \"val.csv\" }`",
            "stratified" => {
                "classes are divided in proportion anyway; leave `split` out, or say `split = \"random\"`"
            }
            _ => {
                "it is `{ group = \"patient\" }`, `{ time = \"date\" }`, `{ validation = \"val.csv\" }`, \
                 \"file_order\" or \"random\""
            }
        };
        Err(E::custom(format!(
            "no `split` is called \"{word}\"; {advice}"
        )))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<SplitSetting, A::Error> {
        let map = de::value::MapAccessDeserializer::new(map);
        SplitColumns::deserialize(map).map(SplitSetting::By)
    }
}
