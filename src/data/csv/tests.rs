//! Facts about tables as text.

use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Table, DataError> {
    read(text.as_bytes(), "t.csv", &CsvOptions::default())
}

fn parse_with_label(text: &str, label: Column) -> Result<Table, DataError> {
    let options = CsvOptions {
        label: Some(label),
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

fn labels(table: &Table) -> Vec<u32> {
    table.labels(&table.classes().unwrap()).unwrap()
}

#[test]
fn without_a_header_the_label_comes_first() {
    let table = parse("3,0.5,1\n1,-2,1e3\n").unwrap();
    assert_eq!(table.inputs, [0.5, 1.0, -2.0, 1000.0]);
    assert_eq!(labels(&table), [1, 0]);
    assert_eq!(table.names, None);
}

#[test]
fn a_first_row_without_numbers_is_a_header() {
    let table = parse("x,label,y\n0.5,cat,1\n2,ant,3\n").unwrap();
    assert_eq!(table.inputs, [0.5, 1.0, 2.0, 3.0]);
    assert_eq!(labels(&table), [1, 0]);
    assert_eq!(
        table.names.as_deref(),
        Some(&["x".to_owned(), "y".to_owned()][..])
    );
}

#[test]
fn a_header_of_numbers_can_be_declared() {
    let options = CsvOptions {
        header: Some(true),
        label: Some(Column::Number(1)),
        delimiter: b',',
    };
    let table = read("label,1,2\n0,5,6\n1,7,8\n".as_bytes(), "t.csv", &options).unwrap();
    assert_eq!(table.inputs, [5.0, 6.0, 7.0, 8.0]);
}

#[test]
fn the_label_is_found_by_name_and_by_number() {
    let text = "x,species\n1,a\n2,b\n";
    for column in [Column::Name("species".to_owned()), Column::Number(2)] {
        assert_eq!(labels(&parse_with_label(text, column).unwrap()), [0, 1]);
    }
}

#[test]
fn quotes_spaces_tabs_crlf_and_a_byte_order_mark_are_read() {
    let table = parse("\u{feff}label, x\r\n\"a, b\", 1\r\nc ,2").unwrap();
    assert_eq!(table.classes().unwrap().names(), ["a, b", "c"]);
    let options = CsvOptions {
        delimiter: b'\t',
        ..CsvOptions::default()
    };
    assert_eq!(
        read("0\t1\n1\t2\n".as_bytes(), "t.tsv", &options)
            .unwrap()
            .inputs,
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
                  check the delimiter and unquoted commas";
    assert_eq!(error(text), wanted);
    assert!(error("0,1,2\n1,2,3,4\n").starts_with("t.csv:2:4: this row has 4 columns"));
}

#[test]
fn lines_are_counted_through_blank_lines_quotes_and_crlf() {
    assert!(error("label,x\n0,1\n\n\n1,?\n").starts_with("t.csv:5:2: `?`"));
    assert!(error("label,x\r\n0,1\r\n\r\n1,?\r\n").starts_with("t.csv:4:2: `?`"));
    assert!(error("label,x\n\"a\nb\",1\nc,?").starts_with("t.csv:4:2: `?`"));
}

#[test]
fn a_cell_that_is_no_finite_number_is_named() {
    let fault = |cell: &str| error(&format!("label,x,y\n0,1,2\n1,{cell},3\n"));
    let not_a_number = "t.csv:3:2: `male` in column `x` is not a number; \
                        drop the column or give its values numbers";
    assert_eq!(fault("male"), not_a_number);
    for cell in ["NaN", "inf", "-inf", "1e39"] {
        assert!(fault(cell).contains("is not finite in 32 bits"), "{cell}");
    }
    assert!(fault("").contains("is empty; fill the gap or drop the row"));
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
        fault.starts_with("t.csv:3:1: label `2.5` is not a whole number; regression"),
        "{fault}"
    );
}

#[test]
fn whole_numbers_that_hardly_repeat_are_no_classes_either() {
    let rows = |count: u32| (0..count).map(|n| format!("{n},1\n")).collect::<String>();
    assert!(error(&rows(33)).contains("label `0` is one of 33 among 33 examples; regression"));
    assert!(parse(&rows(32)).unwrap().classes().is_ok());
}

#[test]
fn a_label_that_training_lacks_is_placed_and_advised() {
    let classes = parse("label,x\nsetosa,1\nvirginica,2\n")
        .unwrap()
        .classes()
        .unwrap();
    let test = parse("label,x\nsetosa,1\nsetossa,2\n").unwrap();
    assert_eq!(
        test.labels(&classes).unwrap_err().to_string(),
        "t.csv:3:1: label `setossa` is not in the training file; did you mean `setosa`?"
    );
}

#[test]
fn the_test_file_needs_the_training_columns() {
    let training = parse("label,x,y\n0,1,2\n").unwrap();
    let fault = |text| {
        parse(text)
            .unwrap()
            .check_columns(&training)
            .unwrap_err()
            .to_string()
    };
    assert!(fault("label,y,x\n0,1,2\n").ends_with("`y` stands where `x` stood"));
    assert!(fault("label,x\n0,1\n").ends_with("1 feature columns instead of 2"));
    assert!(parse("0,1,2\n").unwrap().check_columns(&training).is_ok());
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
        prop_assert_eq!(&table.inputs, &values);
        prop_assert_eq!(table.labels.rows.len(), rows.len());
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
            && let Ok(classes) = table.classes()
        {
            prop_assert_eq!(table.labels(&classes).unwrap().len() * table.features, table.inputs.len());
        }
    }
}
