//! The dataset that is part of the program, for experiments that run anywhere.

use super::csv::{self, CsvOptions};
use super::{DataError, Dataset, Examples, Targets};
use crate::diagnostics::closest_name;
use crate::layers::Shape;
use flate2::read::GzDecoder;
use std::sync::OnceLock;

/// The names of the embedded datasets.
pub const EMBEDDED_NAMES: [&str; 1] = ["digits"];

/// 1,797 handwritten digits; source and licence are in `data/README.md`.
static DIGITS: &[u8] = include_bytes!("../../data/digits8x8.csv.gz");

/// The embedded dataset called `name`. `digits` holds 1,797 images of shape 1x8x8 with values from 0
/// to 16 in 10 classes.
///
/// # Errors
/// When there is none of that name.
pub fn embedded(name: &str) -> Result<Dataset, DataError> {
    static UNPACKED: OnceLock<Dataset> = OnceLock::new();
    if name == "digits" {
        return Ok(UNPACKED.get_or_init(digits).clone());
    }
    let advice = match closest_name(name, EMBEDDED_NAMES) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!(
            "there is `{}`; for files, give `train = \"…\"`",
            EMBEDDED_NAMES.join("`, `")
        ),
    };
    Err(DataError::setting(
        "name",
        format!("no embedded dataset `{name}`; {advice}"),
    ))
}

fn digits() -> Dataset {
    const SOUND: &str = "the embedded file is checked by a test";
    let table = csv::read(GzDecoder::new(DIGITS), "digits", &CsvOptions::default()).expect(SOUND);
    let classes = table.classes().expect(SOUND);
    let targets = Targets::Classes(table.labels(&classes).expect(SOUND));
    let shape = Shape::Image {
        channels: 1,
        height: 8,
        width: 8,
    };
    Dataset::new(
        "digits",
        shape,
        classes,
        Examples {
            inputs: table.inputs,
            targets,
        },
        None,
    )
    .expect(SOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_are_as_their_authors_describe() {
        let digits = embedded("digits").unwrap();
        assert_eq!(digits.len(), 1797);
        assert_eq!(digits.shape().to_string(), "1x8x8");
        assert_eq!(
            digits.class_names(),
            ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
        );
        assert!(
            digits
                .examples
                .inputs
                .iter()
                .all(|value| (0.0..=16.0).contains(value))
        );
        assert_eq!(&digits.examples.labels()[..5], [0, 1, 2, 3, 4]);
    }

    #[test]
    fn an_unknown_name_is_shown_the_closest() {
        let fault = |name| embedded(name).unwrap_err().to_string();
        assert!(fault("digit").ends_with("did you mean `digits`?"));
        assert!(fault("imagenet").contains("there is `digits`; for files"));
    }
}
