//! Facts about tables as text.

use super::*;
use crate::data::{DataError, Targets, Task};
use proptest::prelude::*;
use std::io::Read;

fn read(reader: impl Read, file: &str, options: &CsvOptions) -> Result<Table, DataError> {
    super::read(reader, file, options, Reading::Training)
}

fn parse(text: &str) -> Result<Table, DataError> {
    read(text.as_bytes(), "t.csv", &CsvOptions::default())
}

fn parse_with_label(text: &str, label: Column) -> Result<Table, DataError> {
    let options = CsvOptions {
        label: Some(Columns::One(label)),
        ..CsvOptions::default()
    };
    read(text.as_bytes(), "t.csv", &options)
}

fn error(text: &str) -> String {
    parse(text)
        .and_then(|table| table.classes().map(drop))
        .unwrap_err()
        .to_string()
}

fn targets(table: Table, task: &Task) -> Result<Targets, DataError> {
    table.examples(task).map(|examples| examples.targets)
}

fn labels(table: Table) -> Vec<u32> {
    let task = table.task().unwrap();
    targets(table, &task).unwrap().labels().unwrap().to_vec()
}

fn names(table: &Table) -> Vec<&str> {
    let columns = table.columns.iter();
    columns.map(|column| column.name.as_str()).collect()
}

#[test]
fn without_a_header_the_label_comes_first() {
    let table = parse("3,0.5,1\n1,-2,1e3\n").unwrap();
    assert_eq!(table.cells, [0.5, 1.0, -2.0, 1000.0]);
    assert_eq!(names(&table), ["2", "3"]);
    assert_eq!(labels(table), [1, 0]);
}

#[test]
fn a_first_row_without_numbers_is_a_header() {
    let table = parse("x,label,y\n0.5,cat,1\n2,ant,3\n").unwrap();
    assert_eq!(table.cells, [0.5, 1.0, 2.0, 3.0]);
    assert_eq!(names(&table), ["x", "y"]);
    assert_eq!(labels(table), [1, 0]);
}

#[test]
fn a_header_of_numbers_can_be_declared() {
    let options = CsvOptions {
        header: Some(true),
        label: Some(Columns::One(Column::Number(1))),
        ..CsvOptions::default()
    };
    let table = read("label,1,2\n0,5,6\n1,7,8\n".as_bytes(), "t.csv", &options).unwrap();
    assert_eq!(table.cells, [5.0, 6.0, 7.0, 8.0]);
}

#[test]
fn the_label_is_found_by_name_and_by_number() {
    let text = "x,species\n1,a\n2,b\n";
    for column in [Column::Name("species".to_owned()), Column::Number(2)] {
        assert_eq!(labels(parse_with_label(text, column).unwrap()), [0, 1]);
    }
}

#[test]
fn quotes_spaces_tabs_crlf_and_a_byte_order_mark_are_read() {
    let table = parse("\u{feff}label, x\r\n\"a, b\", 1\r\nc ,2").unwrap();
    assert_eq!(table.classes().unwrap().names(), ["a, b", "c"]);
    let options = CsvOptions {
        delimiter: Delimiter::TAB,
        ..CsvOptions::default()
    };
    assert_eq!(
        read("0\t1\n1\t2\n".as_bytes(), "t.tsv", &options)
            .unwrap()
            .cells,
        [1.0, 2.0]
    );
}

#[test]
fn a_missing_label_column_shows_the_closest_name() {
    let fault = |label| {
        parse_with_label("sepal,species\n1,a\n2,b\n", label)
            .unwrap_err()
            .to_string()
    };
    let name = |name: &str| Column::Name(name.to_owned());
    assert_eq!(
        fault(name("specie")),
        "t.csv: no column `specie`; did you mean `species`?"
    );
    assert_eq!(
        fault(name("target")),
        "t.csv: no column `target`; it has sepal, species"
    );
    assert_eq!(
        fault(Column::Number(3)),
        "t.csv: no column `3`; columns are counted from 1 to 2"
    );
    assert!(error("sepal,species\n1,a\n").contains("say which holds the labels"));
    let headless = parse_with_label("0,1\n", name("species"))
        .unwrap_err()
        .to_string();
    assert!(headless.contains("the table has no header"), "{headless}");
}

#[test]
fn a_ragged_row_is_placed() {
    let text = "label,x,y\n0,1,2\n1,2\n";
    let wanted = "t.csv:3:3: this row has 2 columns where the first has 3; \
                  quote cells with commas in them, or say `delimiter = \";\"` if that stands between cells";
    assert_eq!(error(text), wanted);
    assert!(error("0,1,2\n1,2,3,4\n").starts_with("t.csv:2:4: this row has 4 columns"));
}

#[test]
fn lines_are_counted_through_blank_lines_quotes_and_crlf() {
    assert!(error("label,x\n0,1\n\n\n1,y\n").starts_with("t.csv:5:2: `y`"));
    assert!(error("label,x\r\n0,1\r\n\r\n1,y\r\n").starts_with("t.csv:4:2: `y`"));
    assert!(error("label,x\n\"a\nb\",1\nc,y").starts_with("t.csv:4:2: `y`"));
}

#[test]
fn a_cell_that_is_no_finite_number_is_named() {
    let fault = |cell: &str| error(&format!("label,x,y\n0,1,2\n1,{cell},3\n"));
    let not_a_number = "t.csv:3:2: `male` in column `x` is not a number; \
                        fix the cell, or name the column in `categorical` or `ignore`";
    assert_eq!(fault("male"), not_a_number);
    for cell in ["NaN", "inf", "-inf", "1e39"] {
        assert!(fault(cell).contains("is not finite in 32 bits"), "{cell}");
    }
    assert!(error("0,1\n1,x\n").contains("in column `2` is not a number"));
}

#[test]
fn empty_tables_and_lone_classes_are_refused() {
    for text in ["", "\n\n", "label,x\n"] {
        assert!(error(text).contains("no examples in it"), "{text:?}");
    }
    assert_eq!(
        error("0,1\n0,2\n"),
        "t.csv: every label is `0`; a classification needs at least two classes"
    );
    assert!(error("label\n1\n2\n").contains("only one column"));
    assert!(error("label,x\n,1\n").starts_with("t.csv:2:1: label `` is empty"));
}

#[test]
fn measurements_are_no_classes() {
    let fault = error("label,x\n1,1\n2.5,1\n");
    assert!(
        fault.starts_with("t.csv:3:1: label `2.5` is not a whole number; for a regression"),
        "{fault}"
    );
}

#[test]
fn whole_numbers_that_hardly_repeat_are_no_classes_either() {
    let rows = |count: u32| (0..count).map(|n| format!("{n},1\n")).collect::<String>();
    assert!(
        error(&rows(33)).contains("label `0` is one of 33 among 33 examples; for a regression")
    );
    assert!(parse(&rows(32)).unwrap().classes().is_ok());
}

#[test]
fn a_label_that_training_lacks_is_placed_and_advised() {
    let training = parse("label,x\nsetosa,1\nvirginica,2\n").unwrap();
    let task = training.task().unwrap();
    let test = parse("label,x\nsetosa,1\nsetossa,2\n").unwrap();
    assert_eq!(
        targets(test, &task).unwrap_err().to_string(),
        "t.csv:3:1: label `setossa` is not in the training file; did you mean `setosa`?"
    );
}

#[test]
fn the_test_file_needs_the_training_columns() {
    let training = parse("label,x,y\n0,1,2\n").unwrap();
    let test = |text: &str| {
        super::read(
            text.as_bytes(),
            "e.csv",
            &CsvOptions::default(),
            Reading::Test(&training),
        )
    };
    let fault = |text| test(text).unwrap_err().to_string();
    assert!(fault("label,y,x\n0,1,2\n").ends_with("`y` stands where `x` stood"));
    assert!(fault("label,x\n0,1\n").ends_with("1 feature columns instead of 2"));
    assert!(test("0,1,2\n").is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(
        rows in prop::collection::vec((0u32..5, prop::array::uniform3(-1e6f32..1e6)), 1..20),
    ) {
        let line = |(label, x): &(u32, [f32; 3])| format!("{label},{},{},{}\n", x[0], x[1], x[2]);
        let text: String = rows.iter().map(line).collect();
        let table = parse(&text).unwrap();
        let values: Vec<f32> = rows.iter().flat_map(|row| row.1).collect();
        prop_assert_eq!(&table.cells, &values);
        prop_assert_eq!(table.cells.len(), 3 * rows.len());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in prop::collection::vec(
            prop_oneof![
                any::<u8>(),
                prop::sample::select(b"0123456789.,,,\n\n\r\"-e".to_vec()),
            ],
            0..200,
        ),
    ) {
        if let Ok(table) = read(bytes.as_slice(), "t.csv", &CsvOptions::default())
            && let Ok(task) = table.task()
        {
            let columns = table.columns.len();
            let cells = table.cells.len();
            prop_assert_eq!(targets(table, &task).unwrap().len() * columns, cells);
        }
    }
}

#[test]
fn categories_are_numbered_and_gaps_are_kept_for_later() {
    let table = parse("label,island,size\n0,b,1\n1,,NA\n0,a,3\n1,b,?\n").unwrap();
    let categories = table.columns[0].categories.clone().unwrap();
    assert_eq!(categories, ["b", "a"]);
    assert_eq!(table.columns[1].categories, None);
    let gaps: Vec<bool> = table.cells.iter().map(|cell| cell.is_nan()).collect();
    let wanted = [false, false, true, true, false, false, false, true];
    assert_eq!(gaps, wanted);
    assert_eq!(table.cells[4], 1.0);
    assert!(matches!(table.form(None), crate::data::Form::Table(_)));
}

#[test]
fn test_rows_use_the_training_rows_categories() {
    let training = parse("label,x\n0,b\n1,a\n").unwrap();
    let options = CsvOptions::default();
    let text = "label,x\n0,a\n1,new\n0,7\n";
    let test = super::read(text.as_bytes(), "e.csv", &options, Reading::Test(&training)).unwrap();
    assert_eq!(test.cells, [1.0, -1.0, -1.0]);
}

#[test]
fn columns_are_ignored_declared_categorical_and_refused_with_gaps() {
    let column = |name: &str| Column::Name(name.to_owned());
    let options = CsvOptions {
        ignore: vec![column("id")],
        categorical: vec![column("floor")],
        missing: Missing::Refuse,
        ..CsvOptions::default()
    };
    let table = read(
        "id,label,floor\n1,a,2\n2,b,1\n".as_bytes(),
        "t.csv",
        &options,
    )
    .unwrap();
    assert_eq!(names(&table), ["floor"]);
    assert_eq!(table.columns[0].categories.as_deref().unwrap(), ["2", "1"]);
    let text = "id,label,floor,x\n1,a,1,2\n2,b,1,\n";
    let fault = read(text.as_bytes(), "t.csv", &options)
        .unwrap_err()
        .to_string();
    assert_eq!(
        fault,
        "t.csv:3:4: `` in column `x` is a gap, and `missing = \"refuse\"` allows none"
    );
}

#[test]
fn numbers_and_flags_are_targets_of_their_tasks() {
    let options = |task, columns: &[&str]| {
        let column = |name: &&str| Column::Name((*name).to_owned());
        CsvOptions {
            task,
            label: Some(Columns::Many(columns.iter().map(column).collect())),
            ..CsvOptions::default()
        }
    };
    let text = "x,y,z\n1,0,1.5\n2,1,-2\n";
    let measured = options(TaskKind::Regression, &["z"]);
    let table = read(text.as_bytes(), "t.csv", &measured).unwrap();
    let task = table.task().unwrap();
    assert_eq!(task, Task::Numbers(vec!["z".to_owned()]));
    assert_eq!(
        targets(table, &task).unwrap(),
        Targets::numbers(vec![1.5, -2.0], 1)
    );
    let flagged = options(TaskKind::MultiLabel, &["y"]);
    let table = read(text.as_bytes(), "t.csv", &flagged).unwrap();
    let task = table.task().unwrap();
    let flags = vec![false, true];
    assert_eq!(
        targets(table, &task).unwrap(),
        Targets::Labels { flags, labels: 1 }
    );
    let wrong = |options: &CsvOptions| {
        let text = match options.task {
            TaskKind::Regression => "x,y,z\n1,0,1.5\n2,1,NaN\n",
            _ => "x,y,z\n1,0,1.5\n2,maybe,3\n",
        };
        read(text.as_bytes(), "t.csv", options)
            .unwrap_err()
            .to_string()
    };
    assert!(wrong(&measured).starts_with("t.csv:3:3: `NaN` in column `z` is no finite number"));
    assert!(wrong(&flagged).starts_with("t.csv:3:2: `maybe` in column `y` is neither 0 nor 1"));
}

#[test]
fn tables_of_spreadsheets_are_read_with_their_delimiter_and_commas_in_numbers() {
    let options = CsvOptions {
        delimiter: Delimiter::SEMICOLON,
        decimal: Decimal::Comma,
        ..CsvOptions::default()
    };
    let read = |text: &str| read(text.as_bytes(), "t.csv", &options);
    let table = read("a;b, c;label\n1,5;x, y;no\n-2;z;yes\n").unwrap();
    assert_eq!(names(&table), ["a", "b, c"]);
    assert_eq!(table.cells, [1.5, 0.0, -2.0, 1.0]);
    let fault = read("a;label\n1.234;no\n2;yes\n").unwrap_err().to_string();
    assert!(fault.contains("t.csv:2:1: `1.234`"), "{fault}");
    assert!(fault.contains("a number with a point"), "{fault}");
    for wrong in ["a", "\"", "é", "."] {
        let character = wrong.chars().next().unwrap();
        assert!(Delimiter::try_from(character).is_err(), "{wrong}");
    }
    let one = parse("a;b;label\n1;2;3\n").unwrap_err().to_string();
    assert!(one.contains("say `delimiter = \";\"`"), "{one}");
}
