//! Real datasets that the project doesn't ship: read if they are there, skipped if not.
//!
//! They are looked for in the folder that `STRATA_SHARED` names, else in `../shared`.

use std::path::{Path, PathBuf};
use strata::data::{DataSource, Dataset, find_named};

/// The folder of the datasets, if it is there.
fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("STRATA_SHARED").map_or(beside, PathBuf::from);
    let data = root.join("data");
    if !data.is_dir() {
        eprintln!("skipped: no shared datasets at {}", data.display());
        return None;
    }
    Some(data)
}

/// The text of a table, if it is there.
pub fn table(name: &str) -> Option<String> {
    use std::io::Read;
    let file = std::fs::File::open(folder()?.join(name)).ok()?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    Some(text)
}

fn source(section: &str) -> DataSource {
    toml::from_str(section).unwrap()
}

fn load(section: &str) -> Option<Dataset> {
    Some(source(section).load(&folder()?).unwrap())
}

#[test]
fn tabular_sets_load_with_their_label_column() {
    let cases = [
        ("iris", "label", 150, 4, 3),
        ("wine", "label", 178, 13, 3),
        ("breast_cancer", "label", 569, 30, 2),
    ];
    for (name, label, examples, features, classes) in cases {
        let section = format!("train = \"{name}.csv.gz\"\nlabel = \"{label}\"");
        let Some(set) = load(&section) else { return };
        assert_eq!(set.len(), examples, "{name}");
        assert_eq!(
            set.shape().unwrap().to_string(),
            features.to_string(),
            "{name}"
        );
        assert_eq!(set.class_names().len(), classes, "{name}");
    }
}

#[test]
fn signals_load_without_a_header_and_with_their_test_file() {
    let section = "train = \"mnist1d_train.csv.gz\"\ntest = \"mnist1d_test.csv.gz\"\n\
                   shape = [1, 40]\nvalidation = 0.25";
    let Some(folder) = folder() else { return };
    let splits = source(section).splits(&folder).unwrap();
    assert_eq!((splits.train.len(), splits.validation.len()), (3000, 1000));
    assert_eq!(splits.test.len(), 1000);
    assert_eq!(splits.train.shape.to_string(), "1x40");
}

#[test]
fn fashion_loads_from_idx_files() {
    let section = "train = \"fashion_train10k_images.idx3.gz\"\n\
                   labels = \"fashion_train10k_labels.idx1.gz\"\n\
                   test = \"fashion_test3k_images.idx3.gz\"\n\
                   test_labels = \"fashion_test3k_labels.idx1.gz\"";
    let Some(set) = load(section) else { return };
    assert_eq!((set.len(), set.official_test_len()), (10_000, Some(3000)));
    assert_eq!(set.shape().unwrap().to_string(), "1x28x28");
    assert_eq!(set.class_names().len(), 10);
}

#[test]
fn messages_and_questions_become_tokens() {
    let Some(folder) = folder() else { return };
    let cases = [
        (
            "train = \"sms_spam.tsv.gz\"\ntokens = \"word\"",
            5574,
            2,
            "64 tokens of 4096",
        ),
        (
            "train = \"trec_train.tsv.gz\"\ntest = \"trec_test.tsv.gz\"\ntokens = \"bpe\"\n\
             vocabulary = 1000\nlength = 24",
            5452,
            6,
            "24 tokens of 1000",
        ),
    ];
    for (section, examples, classes, shape) in cases {
        let source = source(&format!("format = \"text\"\n{section}"));
        let set = source.load(&folder).unwrap();
        assert_eq!((set.len(), set.class_names().len()), (examples, classes));
        let splits = source.splits(&folder).unwrap();
        assert_eq!(splits.train.shape.to_string(), shape);
        let unknown = splits
            .validation
            .inputs
            .iter()
            .filter(|&&token| token == 1.0);
        let share = unknown.count() as f64 / splits.validation.inputs.len() as f64;
        assert!(share < 0.1, "{section}: {share}");
    }
}

#[test]
fn fashion_is_found_where_a_package_installs_it() {
    let set = find_named("fashion_mnist").unwrap();
    if set.place(None).is_none() {
        eprintln!("skipped: fashion_mnist is not installed");
        return;
    }
    let set = source("name = \"fashion_mnist\"")
        .load(Path::new(""))
        .unwrap();
    assert_eq!((set.len(), set.official_test_len()), (60_000, Some(10_000)));
}

#[test]
fn what_is_no_classification_says_so() {
    let Some(folder) = folder() else { return };
    let section = "train = \"diabetes_regression.csv.gz\"\nlabel = \"y\"";
    let fault = source(section).splits(&folder).unwrap_err().to_string();
    assert!(fault.contains("say `task = \"regression\"`"), "{fault}");
    let section = format!("{section}\ntask = \"regression\"");
    assert_eq!(source(&section).splits(&folder).unwrap().train.len(), 266);
}
