//! How data is divided, from `[data]` to what is said: groups, times and validation files of every format.

use super::cli::program::{Ended, strata_in};
use super::data_formats::{floats, folder, golden, npy};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use strata::data::{DataSource, Division, Splits};
use tempfile::TempDir;

fn splits(folder: &Path, section: &str) -> Result<Splits, String> {
    let source: DataSource = toml::from_str(section).map_err(|error| error.to_string())?;
    let root = format!("{}/", folder.display());
    source
        .splits(folder)
        .map_err(|error| error.to_string().replace(&root, ""))
}

fn division(folder: &Path, section: &str) -> Division {
    let splits = splits(folder, section);
    splits
        .unwrap_or_else(|error| panic!("{section}: {error}"))
        .division()
}

fn warnings(folder: &Path, section: &str) -> Vec<String> {
    let splits = splits(folder, section).unwrap_or_else(|error| panic!("{section}: {error}"));
    let warnings = splits
        .remarks()
        .into_iter()
        .filter(|remark| remark.is_warning);
    warnings.map(|remark| remark.text).collect()
}

/// A table of `who` times `each` visits, in which everything depends on who it is.
fn visits(who: usize, each: usize) -> String {
    let mut text = "patient,when,a,b,ill\n".to_owned();
    for row in 0..who * each {
        let (patient, visit) = (row % who, row / who);
        let a = (patient * 37 % 101) as f64 + 0.01 * visit as f64;
        let b = (patient * 53 % 89) as f64 - 0.02 * visit as f64;
        let ill = patient * 7 % 11 % 2;
        let day = 1 + visit;
        writeln!(text, "p{patient},2024-03-{day:02},{a},{b},{ill}").unwrap();
    }
    text
}

fn tables() -> TempDir {
    let text = visits(40, 10);
    let lines: Vec<&str> = text.lines().collect();
    let part = |rows: std::ops::Range<usize>| {
        let rows = lines[1..][rows].join("\n");
        format!("{}\n{rows}\n", lines[0])
    };
    let apart = |part: &str| part.replace("\np", "\nq");
    folder(&[
        ("all.csv", text.as_bytes()),
        ("all.tsv", text.replace(',', "\t").as_bytes()),
        ("train.csv", part(0..200).as_bytes()),
        ("known.csv", part(200..300).as_bytes()),
        ("new.csv", apart(&part(300..400)).as_bytes()),
        ("early.csv", apart(&part(0..40)).as_bytes()),
    ])
}

#[test]
fn groups_of_a_table_stand_in_one_part_each_and_are_no_feature() {
    let files = tables();
    for name in ["all.csv", "all.tsv"] {
        for split in [
            "split = { group = \"patient\" }",
            "split = { group = 1 }",
            "group = \"patient\"",
        ] {
            let section =
                format!("train = \"{name}\"\nlabel = \"ill\"\nignore = [\"when\"]\n{split}");
            let found = division(files.path(), &section);
            assert_eq!(found.column.as_deref(), Some("patient"));
            assert_eq!(
                found.parts.clone().map(|part| part.groups),
                [Some(24), Some(8), Some(8)]
            );
            assert_eq!(found.parts.map(|part| part.examples), [240, 80, 80]);
            let splits = splits(files.path(), &section).unwrap();
            assert_eq!(splits.train.shape.to_string(), "2");
            assert!(splits.remarks().iter().all(|remark| !remark.is_warning));
        }
    }
}

#[test]
fn two_spellings_of_a_division_are_one_question() {
    let read = |text: &str| toml::from_str::<DataSource>(text).unwrap();
    let pairs = [
        ("group = \"p\"", "split = { group = \"p\" }"),
        ("time = 2", "split = { time = 2 }"),
        (
            "validation = \"v.csv\"",
            "split = { validation = \"v.csv\" }",
        ),
        (
            "validation = \"v.csv\"\ngroup = \"p\"",
            "split = { validation = \"v.csv\", group = \"p\" }",
        ),
    ];
    for (short, long) in pairs {
        assert_eq!(read(short), read(long));
        let written = toml::to_string(&read(short)).unwrap();
        assert_eq!(read(&written), read(long), "{written}");
    }
    assert!(!read("validation = 0.3").needs_format_6());
    assert!(read("validation = \"v.csv\"").needs_format_6());
}

#[test]
fn what_can_not_be_meant_is_refused_with_what_can() {
    let files = tables();
    let table = "train = \"all.csv\"\nlabel = \"ill\"\n";
    let cases = [
        (
            "split = \"group\"",
            "name the column: `split = { group = \"patient\" }`",
        ),
        (
            "split = \"time\"",
            "name the column: `split = { time = \"date\" }`",
        ),
        ("split = \"rows\"", "it is `split = \"file_order\"`"),
        ("split = { groups = \"patient\" }", "unknown field `groups`"),
        ("split = {}", "data.split: say by what"),
        (
            "split = { group = \"patient\", time = \"when\" }",
            "data.split: rows are divided by `group` or by `time`",
        ),
        (
            "split = { time = \"when\" }\ngroup = \"patient\"",
            "data.group: `split` says by what rows are divided",
        ),
        (
            "validation = 0.1\nsplit = { validation = \"known.csv\" }",
            "data.validation: `split` has a `validation` too",
        ),
        (
            "split = { group = \"pateint\" }",
            "all.csv: no column `pateint`; did you mean `patient`?",
        ),
        (
            "split = { group = \"ill\" }",
            "data.split.group: column `ill` holds the targets",
        ),
        (
            "split = { time = \"patient\" }",
            "all.csv:2: `p0` in column `patient` is neither a number",
        ),
        (
            "split = { time = \"when\", feature = true }",
            "column `when` holds dates, where a feature is a number",
        ),
        (
            "validation = true",
            "a share between 0 and 1, or a file's name",
        ),
    ];
    for (line, said) in cases {
        let fault = splits(files.path(), &format!("{table}{line}"))
            .map(drop)
            .unwrap_err();
        assert!(fault.contains(said), "{line}: {fault}");
    }
    let gap = folder(&[("t.csv", b"who,x,label\na,1,0\n,2,1\nb,3,0\nc,4,1\n")]);
    let fault = splits(gap.path(), "train = \"t.csv\"\ngroup = \"who\"")
        .map(drop)
        .unwrap_err();
    assert!(
        fault.starts_with("t.csv:3: nothing stands in column `who`"),
        "{fault}"
    );
    let fault = splits(gap.path(), "name = \"digits\"\nvalidation = \"t.csv\"")
        .map(drop)
        .unwrap_err();
    assert!(
        fault.starts_with("data.validation: has no meaning for `name`"),
        "{fault}"
    );
}

#[test]
fn the_latest_rows_of_a_table_test() {
    let files = tables();
    let section =
        "train = \"all.csv\"\nlabel = \"ill\"\nignore = [\"patient\"]\nsplit = { time = \"when\" }";
    let found = division(files.path(), section);
    let times = found.parts.clone().map(|part| part.times.unwrap());
    assert_eq!(
        times,
        [
            ["2024-03-01", "2024-03-06"],
            ["2024-03-07", "2024-03-08"],
            ["2024-03-09", "2024-03-10"]
        ]
    );
    assert_eq!(found.parts.map(|part| part.examples), [240, 80, 80]);
    let splits = splits(files.path(), section).unwrap();
    assert_eq!(splits.train.shape.to_string(), "2");
    let said = splits.remarks()[0].to_string();
    assert!(
        said.contains("`split = { time = \"when\", feature = true }`"),
        "{said}"
    );
    let section = section.replace("{ time = \"when\" }", "\"file_order\"");
    assert_eq!(
        division(files.path(), &section)
            .parts
            .map(|part| part.examples),
        [240, 80, 80]
    );
}

#[test]
fn a_validation_file_is_read_as_the_test_file_is() {
    let files = tables();
    let base = "train = \"train.csv\"\nlabel = \"ill\"\nignore = [\"when\", \"patient\"]\nvalidation = \"known.csv\"\n";
    let splits = splits(files.path(), base).unwrap();
    assert_eq!(
        (
            splits.train.len(),
            splits.validation.len(),
            splits.test.len()
        ),
        (160, 100, 40)
    );
    assert_eq!(splits.retraining().len(), 260);
    let all = format!("{base}test = \"new.csv\"\nexamples = 150");
    let parts = division(files.path(), &all).parts.map(|part| part.examples);
    assert_eq!(parts, [150, 100, 100]);
}

#[test]
fn groups_that_are_trained_on_and_tested_on_by_files_are_told() {
    let files = tables();
    let base = "train = \"train.csv\"\nlabel = \"ill\"\nignore = [\"when\"]\ngroup = \"patient\"\n";
    let told = warnings(files.path(), &format!("{base}test = \"known.csv\""));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("of the 40 groups of the test file are trained on too, such as `p"),
        "{told:?}"
    );
    let none = warnings(files.path(), &format!("{base}test = \"new.csv\""));
    assert!(none.is_empty(), "{none:?}");
    let base = base
        .replace("\"when\"", "\"patient\"")
        .replace("group = \"patient\"", "time = \"when\"");
    let told = warnings(files.path(), &format!("{base}test = \"early.csv\""));
    assert!(
        told.iter()
            .any(|text| text.contains("40 of the 40 rows of the test file are no later")),
        "{told:?}"
    );
}

#[test]
fn rows_that_belong_together_are_told_and_others_are_not() {
    let files = tables();
    let base = "train = \"all.csv\"\nlabel = \"ill\"\n";
    let told = warnings(
        files.path(),
        &format!("{base}ignore = [\"when\", \"patient\"]"),
    );
    assert!(
        told[0].contains("column `patient` has 40 values in 400 rows"),
        "{told:?}"
    );
    assert!(
        told[0].contains("`split = { group = \"patient\" }` keeps them together"),
        "{told:?}"
    );
    let meant = format!("{base}ignore = [\"when\", \"patient\"]\nsplit = \"random\"");
    assert!(warnings(files.path(), &meant).is_empty());
    // Whatever the column is called, rows of one value are alike.
    let text = visits(40, 10).replace("patient", "name");
    fs::write(files.path().join("named.csv"), text).unwrap();
    let section = base.replace("all", "named");
    let told = warnings(
        files.path(),
        &format!("{section}ignore = [\"name\", \"when\"]"),
    );
    assert!(
        told[0].contains("2 of 2 columns of numbers hardly differ"),
        "{told:?}"
    );
    for name in [
        "iris",
        "wine",
        "breast_cancer",
        "penguins",
        "diabetes",
        "digits",
        "mnist1d",
    ] {
        let told = warnings(files.path(), &format!("name = \"{name}\""));
        assert!(told.is_empty(), "{name}: {told:?}");
    }
}

#[test]
fn repeated_rows_are_told_where_they_are_many_and_no_chance() {
    let mut text = "a,b,label\n".to_owned();
    for row in 0..300 {
        let thing = row % 150;
        writeln!(
            text,
            "{},{},{}",
            thing as f64 * 0.37,
            thing * thing % 97,
            thing % 2
        )
        .unwrap();
    }
    let mut coarse = "a,b,label\n".to_owned();
    for row in 0..300 {
        writeln!(coarse, "{},{},{}", row % 2, row / 2 % 3, row / 6 % 2).unwrap();
    }
    let files = folder(&[
        ("twice.csv", text.as_bytes()),
        ("coarse.csv", coarse.as_bytes()),
    ]);
    let told = warnings(files.path(), "train = \"twice.csv\"");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].contains("of the 60 test examples are also among those to train on"),
        "{told:?}"
    );
    assert!(warnings(files.path(), "train = \"coarse.csv\"").is_empty());
}

#[test]
fn every_format_with_groups_keeps_them_together() {
    let bytes = |values: &[u8]| values.to_vec();
    let count = 40;
    let x: Vec<f32> = (0..count * 2).map(|value| value as f32).collect();
    let y: Vec<u8> = (0..count).map(|row| row as u8 % 2).collect();
    let who: Vec<u8> = (0..count).map(|row| row as u8 / 4).collect();
    let shape = format!("{count},");
    let mut idx_pictures = vec![0, 0, 8, 2, 0, 0, 0, count as u8, 0, 0, 0, 2];
    idx_pictures.extend((0..count * 2).map(|value| value as u8));
    let idx_column = |values: &[u8]| [&[0, 0, 8, 1, 0, 0, 0, count as u8][..], values].concat();
    let mut lines = String::new();
    let mut tabs = "label\ttext\twho\twhen\n".to_owned();
    for row in 0..count {
        let (label, who) = (row % 2, row / 4);
        writeln!(
            lines,
            "{{\"label\": {label}, \"text\": \"word {row}\", \"who\": \"w{who}\", \"when\": {row}}}"
        )
        .unwrap();
        writeln!(tabs, "{label}\tword {row}\tw{who}\t{row}").unwrap();
    }
    let files = folder(&[
        ("x.npy", &npy("<f4", &format!("{count}, 2"), &floats(&x))),
        ("y.npy", &npy("|u1", &shape, &bytes(&y))),
        ("who.npy", &npy("|u1", &shape, &bytes(&who))),
        ("x.idx", &idx_pictures),
        ("y.idx", &idx_column(&y)),
        ("who.idx", &idx_column(&who)),
        ("t.jsonl", lines.as_bytes()),
        ("t.txt", tabs.as_bytes()),
    ]);
    let picture = golden("picture.png");
    for class in ["cat", "dog"] {
        for row in 0..12 {
            let who = row / 3;
            for path in [
                format!("flat/{class}/{class}{who}_{row}.png"),
                format!("deep/{class}/{class}{who}/{row}.png"),
            ] {
                let path = files.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, &picture).unwrap();
            }
        }
    }
    let npy_text = "train = \"x.npy\"\nlabels = \"y.npy\"\n";
    let idx_text = "train = \"x.idx\"\nlabels = \"y.idx\"\n";
    let text =
        "train = \"t.txt\"\nformat = \"text\"\nheader = true\nlabel = \"label\"\ntext = \"text\"\n";
    let cases = [
        (format!("{npy_text}split = {{ group = \"who.npy\" }}"), 10),
        (format!("{idx_text}split = {{ group = \"who.idx\" }}"), 10),
        (format!("{idx_text}split = {{ group = \"who.npy\" }}"), 10),
        (
            "train = \"t.jsonl\"\nsplit = { group = \"who\" }".to_owned(),
            10,
        ),
        (format!("{text}split = {{ group = \"who\" }}"), 10),
        (format!("{text}split = {{ group = 3 }}"), 10),
        ("train = \"flat\"\nsplit = { group = \"_\" }".to_owned(), 8),
        ("train = \"deep\"\nsplit = { group = \"/\" }".to_owned(), 8),
        (
            "name = \"penguins\"\nsplit = { group = \"island\" }".to_owned(),
            3,
        ),
    ];
    for (section, groups) in cases {
        let found = division(files.path(), &section);
        let counts = found.parts.map(|part| part.groups.unwrap());
        assert_eq!(
            counts.iter().sum::<usize>(),
            groups,
            "{section}: {counts:?}"
        );
    }
    for section in [
        format!("{npy_text}split = {{ time = \"who.npy\" }}"),
        "train = \"t.jsonl\"\nsplit = { time = \"when\" }".to_owned(),
        format!("{text}split = {{ time = \"when\" }}"),
    ] {
        let found = division(files.path(), &section);
        assert_eq!(
            found.parts.map(|part| part.examples),
            [24, 8, 8],
            "{section}"
        );
    }
    let refused = [
        (
            "train = \"flat\"\nsplit = { group = \"patient\" }",
            "pictures have no column `patient`",
        ),
        (
            "train = \"flat\"\nsplit = { group = \"-\" }",
            "no `-` ends a group's name",
        ),
        (
            "train = \"flat\"\nsplit = \"file_order\"",
            "in the order of their classes",
        ),
        ("train = \"deep\"", "only png, jpg, jpeg are read"),
        (
            "train = \"b.ts\"\nsplit = { group = \"who\" }",
            "data.split.group: has no meaning for `ts`",
        ),
    ];
    for (section, said) in refused {
        let fault = splits(files.path(), section).map(drop).unwrap_err();
        assert!(fault.contains(said), "{section}: {fault}");
    }
}

#[test]
fn a_validation_file_of_every_format_is_read() {
    let x: Vec<f32> = (0..20).map(|value| value as f32).collect();
    let small: Vec<f32> = (0..8).map(|value| value as f32).collect();
    let labels = |count: u8| (0..count).map(|row| row % 2).collect::<Vec<u8>>();
    let idx = |count: u8| {
        let mut bytes = vec![0, 0, 8, 2, 0, 0, 0, count, 0, 0, 0, 2];
        bytes.extend(0..count * 2);
        bytes
    };
    let idx_labels = |count: u8| [&[0, 0, 8, 1, 0, 0, 0, count][..], &labels(count)].concat();
    let series = |count: usize| {
        let mut text = "@data\n".to_owned();
        for row in 0..count {
            writeln!(text, "{row},2,3:{}", row % 2).unwrap();
        }
        text
    };
    let tabs = |count: usize| {
        (0..count)
            .map(|row| format!("{}\tword {row}\n", row % 2))
            .collect::<String>()
    };
    let cifar = |count: u8| {
        let record = |label: u8| {
            let mut record = vec![7; 3073];
            record[0] = label;
            record
        };
        (0..count)
            .flat_map(|row| record(row % 2))
            .collect::<Vec<u8>>()
    };
    let files = folder(&[
        ("x.npy", &npy("<f4", "10, 2", &floats(&x))),
        ("y.npy", &npy("|u1", "10,", &labels(10))),
        ("vx.npy", &npy("<f4", "4, 2", &floats(&small))),
        ("vy.npy", &npy("|u1", "4,", &labels(4))),
        ("x.idx", &idx(10)),
        ("y.idx", &idx_labels(10)),
        ("vx.idx", &idx(4)),
        ("vy.idx", &idx_labels(4)),
        ("t.ts", series(10).as_bytes()),
        ("v.ts", series(4).as_bytes()),
        ("t.txt", tabs(10).as_bytes()),
        ("v.txt", tabs(4).as_bytes()),
        ("b.bin", &cifar(10)),
        ("v.bin", &cifar(4)),
        ("table.parquet", &golden("table.parquet")),
        ("arrays.npz", &golden("arrays.npz")),
    ]);
    let cases = [
        (
            "train = \"x.npy\"\nlabels = \"y.npy\"\nvalidation = \"vx.npy\"\nvalidation_labels = \"vy.npy\"",
            4,
        ),
        (
            "train = \"x.idx\"\nlabels = \"y.idx\"\nvalidation = \"vx.idx\"\nvalidation_labels = \"vy.idx\"",
            4,
        ),
        ("train = \"t.ts\"\nvalidation = \"v.ts\"", 4),
        (
            "train = \"t.txt\"\nformat = \"text\"\nvalidation = \"v.txt\"",
            4,
        ),
        (
            "train = \"b.bin\"\nformat = \"cifar10\"\nvalidation = \"v.bin\"",
            4,
        ),
        (
            "train = \"table.parquet\"\nlabel = \"species\"\nvalidation = \"table.parquet\"",
            12,
        ),
        ("train = \"arrays.npz\"\nvalidation = \"arrays.npz\"", 12),
    ];
    for (section, wanted) in cases {
        let splits =
            splits(files.path(), section).unwrap_or_else(|error| panic!("{section}: {error}"));
        assert_eq!(splits.validation.len(), wanted, "{section}");
        assert_eq!(splits.validation.shape, splits.train.shape, "{section}");
    }
    let fault = splits(
        files.path(),
        "train = \"x.npy\"\nlabels = \"y.npy\"\nvalidation = \"vx.npy\"",
    );
    let fault = fault.map(drop).unwrap_err();
    assert!(
        fault.starts_with("data.validation_labels: `vx.npy` holds no labels"),
        "{fault}"
    );
}

#[test]
fn data_show_prints_the_parts() {
    let files = tables();
    let section = "[data]\ntrain = \"all.csv\"\nlabel = \"ill\"\nignore = [\"when\"]\nsplit = { group = \"patient\" }\n";
    let experiment = format!("name = \"x\"\nspace = \"x.space\"\n{section}[budget]\ntrials = 1\n");
    fs::write(files.path().join("x.toml"), experiment).unwrap();
    let shown: Ended = strata_in(files.path(), ["data", "show", "x.toml"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let rows: Vec<Vec<&str>> = shown
        .out
        .lines()
        .skip(2)
        .take(2)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["part", "examples", "groups", "classes"]);
    assert_eq!(rows[1][..3], ["training", "240", "24"]);
    assert!(
        shown
            .err
            .contains("rows of one `patient` stand in one part"),
        "{}",
        shown.err
    );
    let json = strata_in(files.path(), ["data", "show", "x.toml", "--json"]).json();
    assert_eq!(json["division"]["by"], "group");
    assert_eq!(json["division"]["parts"][2]["groups"], 8);
}

/// The case of rows of one patient, if it is there.
fn patients() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("STRATA_SHARED").map_or(beside, PathBuf::from);
    let case = root.join("cases/rows-of-one-patient");
    if !case.is_dir() {
        eprintln!("skipped: no {}", case.display());
        return None;
    }
    Some(case)
}

#[test]
fn patients_kept_together_are_tested_as_new_patients_would_be() {
    let Some(case) = patients() else { return };
    let files = tempfile::tempdir().unwrap();
    for name in ["group.csv", "x.space"] {
        fs::copy(case.join(name), files.path().join(name)).unwrap();
    }
    let given = fs::read_to_string(case.join("x.toml")).unwrap();
    fs::write(files.path().join("given.toml"), &given).unwrap();
    // Eight patients test, so one division says little: the mean over six says what new patients would.
    for seed in 0..6 {
        let split = format!("split = {{ group = \"patient\" }}\nsplit_seed = {seed}");
        let together = given.replace("ignore = [\"patient\"]", &split);
        fs::write(files.path().join(format!("together{seed}.toml")), together).unwrap();
    }
    let accuracy = |experiment: &str| {
        let ended = strata_in(files.path(), ["search", experiment]);
        assert_eq!(ended.code, 0, "{}", ended.err);
        let told = ended.err.clone();
        let at = told
            .find("test accuracy ")
            .unwrap_or_else(|| panic!("{told}"));
        let text = &told[at + "test accuracy ".len()..];
        (text[..6].parse::<f64>().unwrap(), ended.err)
    };
    let (as_given, err) = accuracy("given.toml");
    assert!(as_given > 0.95, "{as_given}");
    assert!(
        err.contains("warning: column `patient` has 40 values in 400 rows"),
        "{err}"
    );
    let mut total = 0.0;
    for seed in 0..6 {
        let (together, err) = accuracy(&format!("together{seed}.toml"));
        total += together;
        assert!(!err.contains("warning:"), "{err}");
    }
    // New patients are told with .61.
    assert!((0.5..0.75).contains(&(total / 6.0)), "{}", total / 6.0);
}
