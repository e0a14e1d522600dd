//! Facts about `[data]` sections.

use super::*;
use crate::data::input::tests::gzip;
use crate::data::readers::tests::idx_file;
use crate::layers::Shape;
use std::fs;
use tempfile::TempDir;

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn source(text: &str) -> DataSource {
    toml::from_str(text).unwrap()
}

fn error(folder: &TempDir, text: &str) -> String {
    let text = source(text)
        .splits(folder.path())
        .map(drop)
        .unwrap_err()
        .to_string();
    text.replace(&format!("{}/", folder.path().display()), "")
}

const TABLE: &[u8] = b"x,y,species\n1,2,a\n3,4,b\n5,6,a\n7,8,b\n9,9,a\n1,1,b\n2,2,a\n3,3,b\n";

#[test]
fn the_digits_need_one_line() {
    let splits = source("name = \"digits\"").splits(Path::new("")).unwrap();
    assert_eq!(
        (
            splits.train.len(),
            splits.validation.len(),
            splits.test.len()
        ),
        (1079, 359, 359)
    );
    assert_eq!(splits.train.class_counts().len(), 10);
}

#[test]
fn a_table_loads_plain_and_packed_with_one_hash() {
    let packed = gzip(TABLE);
    let folder = folder(&[("flowers.csv", TABLE), ("flowers.csv.gz", &packed)]);
    let load = |file: &str| {
        let text = format!("train = \"{file}\"\nlabel = \"species\"");
        source(&text).load(folder.path()).unwrap()
    };
    let plain = load("flowers.csv");
    assert_eq!((plain.name(), plain.len()), ("flowers", 8));
    assert_eq!(plain.shape(), Some(Shape::Vector { features: 2 }));
    assert_eq!(plain.class_names(), ["a", "b"]);
    assert_eq!(plain.hash(), load("flowers.csv.gz").hash());
}

#[test]
fn a_declared_shape_turns_rows_into_images_and_signals() {
    let folder = folder(&[("t.csv", b"0,1,2,3,4\n1,5,6,7,8\n")]);
    let shape = |sizes: &str| {
        let text = format!("train = \"t.csv\"\nshape = {sizes}");
        source(&text)
            .load(folder.path())
            .map(|set| set.shape().unwrap().to_string())
    };
    assert_eq!(shape("[1, 2, 2]").unwrap(), "1x2x2");
    assert_eq!(shape("[1, 4]").unwrap(), "1x4");
    let fault = shape("[1, 3, 3]").unwrap_err().to_string();
    assert!(
        fault.ends_with("each example has 4 values, but `shape = [1, 3, 3]` needs 9"),
        "{fault}"
    );
    for (sizes, said) in [
        ("[1, 2, 2, 1]", "give 3 sizes"),
        ("[9000000000, 9000000000]", "more than"),
    ] {
        assert!(
            shape(sizes).unwrap_err().to_string().contains(said),
            "{sizes}"
        );
    }
}

#[test]
fn official_test_files_are_read_with_the_training_classes() {
    let test: &[u8] = b"x,y,species\n0,0,b\n";
    let folder = folder(&[
        ("t.csv", TABLE),
        ("e.csv", test),
        ("bad.csv", b"x,y,species\n0,0,c\n"),
    ]);
    let text = "train = \"t.csv\"\ntest = \"e.csv\"\nlabel = 3\nvalidation = 0.25";
    let splits = source(text).splits(folder.path()).unwrap();
    assert_eq!((splits.train.len(), splits.validation.len()), (6, 2));
    let test = splits.test.open().for_searched;
    assert_eq!(test.targets.labels().unwrap(), [1]);
    let fault = error(&folder, &text.replace("e.csv", "bad.csv"));
    assert_eq!(
        fault,
        "bad.csv:2:3: label `c` is not in the training file; did you mean `a`?"
    );
    let fault = error(&folder, &format!("{text}\ntest_fraction = 0.1"));
    assert!(
        fault.starts_with("data.test_fraction: `test` gives all"),
        "{fault}"
    );
}

#[test]
fn idx_files_load_with_their_labels() {
    let images = gzip(&idx_file(&[4, 1, 2], &[0, 1, 2, 3, 4, 5, 6, 7]));
    let labels = idx_file(&[4], &[7, 3, 7, 3]);
    let test = idx_file(&[1, 1, 2], &[9, 9]);
    let folder = folder(&[
        ("train-images-idx3-ubyte.gz", &images),
        ("y.idx", &labels),
        ("test.idx", &test),
        ("test_y.idx", &idx_file(&[1], &[3])),
    ]);
    let text = "train = \"train-images-idx3-ubyte.gz\"\nlabels = \"y.idx\"\nvalidation = 0.5\n\
                test = \"test.idx\"\ntest_labels = \"test_y.idx\"\nnormalise = \"none\"";
    let set = source(text).load(folder.path()).unwrap();
    assert_eq!(
        (set.shape().unwrap().to_string().as_str(), set.len()),
        ("1x1x2", 4)
    );
    assert_eq!(set.class_names(), ["3", "7"]);
    assert_eq!(set.official_test_len(), Some(1));
    let splits = source(text).splits(folder.path()).unwrap();
    assert_eq!(splits.test.open().for_retrained.inputs, [9.0, 9.0]);
    let fault = error(&folder, "train = \"test.idx\"");
    assert_eq!(
        fault,
        "data.labels: `test.idx` holds no labels; name the file that does"
    );
    let fault = error(&folder, &text.replace("\"test_y.idx\"", "\"y.idx\""));
    assert_eq!(
        fault,
        "test.idx holds 1 examples but y.idx holds 4 labels; are they of the same set?"
    );
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let folder = folder(&[("t.csv", TABLE), ("t.dat", TABLE)]);
    let cases = [
        ("", "data.name: say where data comes from"),
        (
            "name = \"digits\"\ntrain = \"t.csv\"",
            "data.train: a dataset's `name`",
        ),
        (
            "name = \"digits\"\nshape = [1]",
            "data.shape: has no meaning for `name`",
        ),
        (
            "name = \"digits\"\nlabel = 1",
            "data.label: has no meaning for `name`",
        ),
        (
            "train = \"t.csv\"\nlabels = \"y\"",
            "data.labels: has no meaning for `csv`",
        ),
        (
            "train = \"t.idx\"\nheader = true",
            "data.header: has no meaning for `idx`",
        ),
        (
            "train = \"t.dat\"",
            "data.format: can't tell from the ending of `t.dat`",
        ),
        ("train = \"no.csv\"", "can't read no.csv"),
        (
            "train = \"t.csv\"",
            "t.csv: no column `label`; it has x, y, species; say which",
        ),
    ];
    for (text, said) in cases {
        let fault = error(&folder, text);
        assert!(fault.starts_with(said), "{text:?} says {fault:?}");
    }
}

#[test]
fn unknown_settings_and_values_are_refused() {
    for text in [
        "nam = \"digits\"",
        "normalise = \"best\"",
        "label = -1",
        "format = \"png\"",
        "label = []",
        "task = \"guess\"",
        "folder = \"x\"",
    ] {
        assert!(toml::from_str::<DataSource>(text).is_err(), "{text}");
    }
}

#[test]
fn a_section_survives_being_written_and_read() {
    let text = "train = \"t.csv\"\nformat = \"tsv\"\nlabel = 3\nshape = [1, 2]\nvalidation = 0.1";
    let read = source(text);
    assert_eq!(source(&toml::to_string(&read).unwrap()), read);
    let all = "train = \"t.tsv\"\nformat = \"text\"\ntokens = \"bpe\"\nvocabulary = 99\nlength = 5\n\
               task = \"multi_label\"\nlabel = [\"a\", 2]\nmissing = \"refuse\"\n\
               ignore = [\"id\"]\ncategorical = [3]\ntext = \"b\"";
    let read = source(all);
    assert_eq!(source(&toml::to_string(&read).unwrap()), read);
    let named = source("train = \"t.csv\"\nlabel = \"species\"");
    assert_eq!(source(&toml::to_string(&named).unwrap()), named);
}

#[test]
fn endings_name_formats() {
    let format = |name: &str| Format::of_ending(Path::new(name)).ok();
    let cases = [
        ("a/b.CSV.gz", Some("csv")),
        ("b.tsv", Some("tsv")),
        ("images.idx3.gz", Some("idx")),
        ("t10k-labels.idx1-ubyte", Some("idx")),
        ("t10k-labels-idx1-ubyte.gz", Some("idx")),
        ("png", None),
        ("", None),
    ];
    for (name, wanted) in cases {
        assert_eq!(format(name).map(Format::name), wanted, "{name}");
    }
}
