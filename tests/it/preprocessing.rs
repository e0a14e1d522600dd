//! What a run keeps of its data: read back from JSON, it gives the inputs that training and tests saw, to the bit.

use super::data_formats::{floats, folder, golden, npy};
use proptest::prelude::*;
use std::path::Path;
use strata::data::{Answers, DataSource, FinalTest, KnownColumn, Preprocessing, Targets};

/// The official test part as the final evaluation sees it, and the test file read by what is kept, for each scale.
fn both(folder: &Path, section: &str, test: &str) -> [(Vec<f32>, Vec<f32>); 2] {
    let source: DataSource = toml::from_str(&format!("test = {test:?}\n{section}")).unwrap();
    let splits = source.splits(folder).unwrap();
    let kept = [
        splits.preprocessing(),
        splits.retraining_and_preprocessing().1,
    ];
    let FinalTest {
        for_searched,
        for_retrained,
    } = splits.test.open();
    let parts = [for_searched, for_retrained];
    let mut number = 0;
    kept.map(|kept| {
        let part = &parts[number];
        number += 1;
        assert_eq!(kept.input(), part.shape);
        let kept = read_back(&kept);
        if let (
            Answers::Numbers {
                mean, deviation, ..
            },
            Targets::Numbers { scale, .. },
        ) = (kept.answers(), &part.targets)
        {
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(mean), bits(&scale.mean));
            assert_eq!(bits(deviation), bits(&scale.deviation));
        }
        let read = kept.read(&folder.join(test)).unwrap();
        if !has_answers_alone(&folder.join(test)) {
            return (part.inputs.clone(), read.inputs);
        }
        let labels = source.test_labels.as_ref().map(|file| folder.join(file));
        let answered = kept.read_answered(&source, &folder.join(test), labels.as_deref());
        let answered = answered.unwrap();
        assert_eq!(answered.targets, part.targets, "{section}");
        assert_eq!(answered.inputs, read.inputs, "{section}");
        (part.inputs.clone(), read.inputs)
    })
}

/// Whether a file can be read by itself: a table of one row, or in which nothing stands in a column, can't, and is
/// asked about alone.
fn has_answers_alone(path: &Path) -> bool {
    let is_table = path
        .extension()
        .is_some_and(|end| end == "csv" || end == "tsv");
    let text = if is_table {
        std::fs::read_to_string(path).unwrap_or_default()
    } else {
        return true;
    };
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|line| line.split([',', ';', '\t']).collect())
        .collect();
    let columns = rows.first().map_or(0, Vec::len);
    let is_gap = |cell: &str| matches!(cell.trim(), "" | "NA" | "?");
    rows.len() > 1
        && (0..columns).all(|at| {
            rows.iter()
                .any(|row| row.get(at).is_some_and(|cell| !is_gap(cell)))
        })
}

fn read_back(kept: &Preprocessing) -> Preprocessing {
    let read = Preprocessing::parse("kept.json", kept.to_json().as_bytes()).unwrap();
    assert_eq!(&read, kept);
    read
}

fn same_bits(folder: &Path, section: &str, test: &str) {
    for (seen, read) in both(folder, section, test) {
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert!(!seen.is_empty());
        assert_eq!(bits(&seen), bits(&read), "{section}");
    }
}

/// A row: two numbers, either of which may be missing, a category or none, a target.
type Cells = (Option<f32>, f32, Option<u8>, f32);

fn table(rows: &[Cells], delimiter: char, point: char) -> String {
    let number = |value: f32| value.to_string().replace('.', &point.to_string());
    let mut text = ["age", "pay", "city", "y"].join(&delimiter.to_string()) + "\n";
    for (age, pay, city, y) in rows {
        let cells = [
            age.map_or_else(String::new, number),
            number(*pay),
            city.map_or_else(|| "NA".to_owned(), |city| format!("c{city}")),
            number(*y),
        ];
        text += &(cells.join(&delimiter.to_string()) + "\n");
    }
    text
}

fn cells() -> impl Strategy<Value = Cells> {
    let number = || prop_oneof![-1e3f32..1e3, Just(0.1f32), Just(-3.4e38f32), Just(1e-40f32)];
    let maybe = prop_oneof![3 => number().prop_map(Some), 1 => Just(None)];
    let city = prop_oneof![5 => (0..6u8).prop_map(Some), 1 => Just(None)];
    (maybe, number(), city, -1e3f32..1e3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn tables_with_gaps_and_categories_are_read_as_training_read_them(
        mut train in proptest::collection::vec(cells(), 12..40),
        test in proptest::collection::vec(cells(), 1..12),
        spreadsheet in any::<bool>(),
    ) {
        // No column is nothing but gaps.
        for row in &mut train[..6] {
            (row.0, row.2) = (Some(row.0.unwrap_or(7.5)), Some(row.2.unwrap_or(3)));
        }
        let (delimiter, point) = if spreadsheet { (';', ',') } else { (',', '.') };
        let files = folder(&[
            ("train.csv", table(&train, delimiter, point).as_bytes()),
            ("test.csv", table(&test, delimiter, point).as_bytes()),
        ]);
        let style = if spreadsheet { "delimiter = \";\"\ndecimal = \",\"\n" } else { "" };
        let sections = ["label = \"y\"\ntask = \"regression\"", "label = \"y\"\ntask = \"regression\"\nnormalise = \"none\"\nignore = [\"pay\"]"];
        for section in sections {
            let section = format!("train = \"train.csv\"\n{style}{section}");
            // A column may still be all gaps in the training part: that is refused, and nothing to keep.
            let source: DataSource = toml::from_str(&section).unwrap();
            if source.splits(files.path()).is_ok() {
                same_bits(files.path(), &section, "test.csv");
                same_bits(files.path(), &section, "train.csv");
            }
        }
    }
}

#[test]
fn plain_tables_pictures_arrays_series_and_texts_are_read_as_training_read_them() {
    let labels: Vec<u8> = (0..20).map(|row| row % 2).collect();
    let values: Vec<f32> = (0..20 * 5 * 2 * 3)
        .map(|v| libm::sinf(v as f32 * 0.37))
        .collect();
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("x.npy".into(), npy("<f4", "20, 5, 2, 3", &floats(&values))),
        ("y.npy".into(), npy("|u1", "20,", &labels)),
        ("arrays.npz".into(), golden("arrays.npz")),
    ];
    let (mut plain, mut words, mut ts) = (
        "a,b,kind\n".to_owned(),
        String::new(),
        "@classLabel true a b\n@data\n".to_owned(),
    );
    for row in 0..40 {
        let class = ["a", "b"][row % 2];
        plain += &format!("{row},{},{class}\n", row * row);
        words += &format!("{class}\tThe {row} words, as they were: höher und {row}\n");
        ts += &format!("{row},2,3:4,5,{row}:{class}\n");
    }
    files.push(("plain.csv".into(), plain.into_bytes()));
    files.push(("t.txt".into(), words.into_bytes()));
    files.push(("t.ts".into(), ts.into_bytes()));
    for number in 0..8 {
        for class in ["a", "b"] {
            let name = ["picture.png", "picture.jpg"][number % 2];
            files.push((format!("p/{class}/{number}.{}", &name[8..]), golden(name)));
        }
    }
    files.push(("p/Thumbs.db".into(), b"left over".to_vec()));
    files.push(("p/a/desktop.ini".into(), b"left over".to_vec()));
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let files = folder(&files);
    let cases = [
        ("train = \"plain.csv\"\nlabel = \"kind\"", "plain.csv"),
        (
            "train = \"plain.csv\"\nlabel = \"kind\"\nmissing = \"refuse\"",
            "plain.csv",
        ),
        (
            "train = \"plain.csv\"\nlabel = \"kind\"\nshape = [1, 2]",
            "plain.csv",
        ),
        ("train = \"p\"\nshape = [3, 4, 4]", "p"),
        (
            "train = \"x.npy\"\nlabels = \"y.npy\"\ntest_labels = \"y.npy\"",
            "x.npy",
        ),
        (
            "train = \"x.npy\"\nlabels = \"y.npy\"\ntest_labels = \"y.npy\"\nshape = [1, 30]",
            "x.npy",
        ),
        ("train = \"t.ts\"", "t.ts"),
    ];
    for (section, test) in cases {
        same_bits(files.path(), section, test);
    }
    for tokens in ["byte", "char", "word", "bpe"] {
        let size = if tokens == "byte" {
            ""
        } else {
            "vocabulary = 30\n"
        };
        let section = format!(
            "train = \"t.txt\"\nformat = \"text\"\nlength = 9\ntokens = {tokens:?}\n{size}"
        );
        same_bits(files.path(), &section, "t.txt");
    }
}

#[test]
fn the_json_says_what_people_and_programs_ask() {
    let mut train = "id;age;city;churn\n".to_owned();
    for row in 0..30 {
        let age = if row % 7 == 0 {
            String::new()
        } else {
            format!("{row},5")
        };
        train += &format!(
            "{row};{age};{};{}\n",
            ["Bern", "Basel"][row % 2],
            ["no", "yes"][row % 3 / 2]
        );
    }
    let files = folder(&[("churn.csv", train.as_bytes())]);
    let section = "train = \"churn.csv\"\ndelimiter = \";\"\ndecimal = \",\"\nlabel = \"churn\"\nignore = [\"id\"]";
    let source: DataSource = toml::from_str(section).unwrap();
    let kept = source.splits(files.path()).unwrap().preprocessing();
    let names: Vec<&str> = kept
        .columns()
        .iter()
        .map(|column| column.name().as_str())
        .collect();
    assert_eq!(names, ["id", "age", "city", "churn"]);
    assert!(matches!(
        &kept.columns()[1],
        KnownColumn::Number {
            gap: Some(_),
            marks_gaps: true,
            ..
        }
    ));
    assert_eq!(kept.columns()[2].categories(), ["Bern", "Basel"]);
    assert_eq!(kept.answers().names(), ["no", "yes"]);
    assert_eq!(kept.input().to_string(), "4");
    let json = kept.to_json();
    let fault = |text: &str| {
        Preprocessing::parse("p.json", text.as_bytes())
            .unwrap_err()
            .to_string()
    };
    assert!(fault("{").starts_with("p.json: it is no preprocessing"));
    let newer = json.replacen("\"version\": 1", "\"version\": 2", 1);
    assert!(fault(&newer).contains("use a newer strata"));
    let wide = json.replacen("\"features\": 4", "\"features\": 5", 1);
    assert!(fault(&wide).contains("`scale` has not"), "{}", fault(&wide));
    let narrow = json.replacen("\"marks_gaps\": true", "\"marks_gaps\": false", 1);
    assert!(
        fault(&narrow).contains("more or fewer values"),
        "{}",
        fault(&narrow)
    );
    let stranger = json.replacen("\"gap\": \"B", "\"gap\": \"Z", 1);
    assert!(fault(&stranger).contains("a category that is none"));
}

#[test]
fn answers_are_found_by_name_whatever_their_order_and_strangers_are_named() {
    let mut train = "age,city,kind\n".to_owned();
    for row in 0..30 {
        let kind = ["bird", "cat", "dog"][row % 3];
        train += &format!("{row},{},{kind}\n", ["Bern", "Basel"][row % 2]);
    }
    let files = folder(&[
        ("train.csv", train.as_bytes()),
        (
            "other.csv",
            b"kind,city,age,spare\ndog,Basel,3,x\nbird,Chur,,y\ndog,Bern,5,z\n",
        ),
        ("strange.csv", b"age,city,kind\n1,Bern,cat\n2,Bern,cow\n"),
        ("asked.csv", b"age,city\n1,Bern\n2,Bern\n"),
        ("measured.csv", b"age,city,kind\n1,Bern,0.25\n2,Bern,1.75\n"),
        ("other.jsonl", b"{}\n"),
    ]);
    let section = "train = \"train.csv\"\nlabel = \"kind\"";
    let source: DataSource = toml::from_str(section).unwrap();
    let splits = source.splits(files.path()).unwrap();
    let (_, kept) = splits.retraining_and_preprocessing();
    let read = |file: &str| {
        let read = kept.read_answered(&source, &files.path().join(file), None);
        read.map_err(|error| error.to_string())
    };
    let other = read("other.csv").unwrap();
    assert_eq!(other.targets, Targets::classes(vec![2, 0, 2], 3));
    let asked = kept.read(&files.path().join("other.csv")).unwrap();
    assert_eq!(other.inputs, asked.inputs);
    let strange = read("strange.csv").unwrap_err();
    let wanted = "class `cow` is none that the networks know: `bird`, `cat`, `dog`";
    assert!(strange.contains(wanted), "{strange}");
    assert!(read("asked.csv").unwrap_err().contains("`kind`"));
    assert!(read("measured.csv").is_err());
    assert!(read("other.jsonl").unwrap_err().contains("convert it"));
}
