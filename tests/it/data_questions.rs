//! Examples to be asked about: the same numbers come out of a file with targets and of one without, in every format.

use super::data_formats::{floats, folder, golden, npy};
use std::path::Path;
use strata::data::{DataSource, Preprocessing};

/// Inputs as networks of the search and of the retraining meet them.
fn asked(folder: &Path, section: &str, data: &str) -> Result<[Vec<f32>; 2], String> {
    let source: DataSource = toml::from_str(section).unwrap();
    let text = |error: strata::data::DataError| error.to_string();
    let splits = source.splits(folder).map_err(text)?;
    let read = |known: Preprocessing| known.read(&folder.join(data)).map(|read| read.inputs);
    let searched = read(splits.preprocessing()).map_err(text)?;
    let retrained = read(splits.retraining_and_preprocessing().1).map_err(text)?;
    Ok([searched, retrained])
}

/// Both files of a pair give the same, and something.
fn same(folder: &Path, section: &str, with: &str, without: &str) {
    let [with, without] = [with, without].map(|data| asked(folder, section, data).unwrap());
    assert!(!with[0].is_empty(), "{section}");
    assert_eq!(with, without, "{section}");
}

#[test]
fn tables_are_asked_with_their_targets_or_without() {
    let mut train = "a,b,kind,spare\n".to_owned();
    for row in 0..40 {
        let kind = if row % 3 == 0 { "x" } else { "y" };
        train += &format!("{row},{},{kind},9\n", ["low", "high"][row % 2]);
    }
    let files = folder(&[
        ("t.csv", train.as_bytes()),
        (
            "with.csv",
            b"a,b,kind,spare\n1,low,nobody knows,9\n2,high,,9\n",
        ),
        ("without.csv", b"a,b\n1,low\n2,high\n"),
        ("bare.csv", b"1,low,9\n2,high,9\n"),
        ("gap.csv", b"a,b\n1,low\n,new\n"),
        ("other.csv", b"number,b,a,kind\n7,low,1,x\n8,high,2,y\n"),
        ("lacking.csv", b"a,c\n1,low\n"),
        ("few.csv", b"1\n"),
    ]);
    let section = "train = \"t.csv\"\nlabel = \"kind\"\nignore = [\"spare\"]";
    same(files.path(), section, "with.csv", "without.csv");
    let bare = format!("{section}\nheader = true");
    assert!(asked(files.path(), &bare, "bare.csv").is_err());
    let [searched, _] = asked(files.path(), section, "gap.csv").unwrap();
    assert!(searched.iter().all(|value| value.is_finite()));
    let fault = |data| asked(files.path(), section, data).unwrap_err();
    same(files.path(), section, "other.csv", "without.csv");
    let lacking = fault("lacking.csv");
    assert!(lacking.contains("no column is called `b`"), "{lacking}");
    assert!(
        fault("few.csv")
            .ends_with("1 columns instead of 4, or 3 without targets, or 2 of features alone"),
        "{}",
        fault("few.csv")
    );
    let section = "train = \"t.csv\"\nlabel = \"a\"\ntask = \"regression\"";
    let files = folder(&[
        (
            "t.csv",
            b"a,b\n1,2\n2,3\n3,4\n4,6\n5,1\n6,2\n7,3\n8,8\n9,9\n1,1\n",
        ),
        ("with.csv", b"a,b\n0,7\n"),
        ("without.csv", b"b\n7\n"),
    ]);
    same(files.path(), section, "with.csv", "without.csv");
}

#[test]
fn named_sets_are_asked_by_tables() {
    let files = folder(&[
        ("with.csv", b"9,1,2,3,4\n0,5,6,7,8\n"),
        ("without.csv", b"1,2,3,4\n5,6,7,8\n"),
        ("without.tsv", b"1\t2\t3\t4\n5\t6\t7\t8\n"),
        ("pixels.csv", format!("0{}", ",".repeat(63)).as_bytes()),
    ]);
    let order = asked(files.path(), "name = \"iris\"", "with.csv");
    // The species is the last column of that table.
    let last = order.unwrap();
    assert_ne!(
        last,
        asked(files.path(), "name = \"iris\"", "without.csv").unwrap()
    );
    same(
        files.path(),
        "name = \"iris\"",
        "without.csv",
        "without.tsv",
    );
    let error = asked(files.path(), "name = \"digits\"", "pixels.csv").unwrap_err();
    assert!(error.contains("a gap"), "{error}");
}

#[test]
fn texts_and_series_are_asked_without_their_classes() {
    let mut texts = String::new();
    let mut ucr = String::new();
    let mut ts = "@classLabel true a b\n@data\n".to_owned();
    for row in 0..40 {
        let class = ["a", "b"][row % 2];
        texts += &format!("{class}\tword {row} here\n");
        ucr += &format!("{class}\t{row}\t{}\t3\n", row * row);
        ts += &format!("{row},2,3:4,5,{row}:{class}\n");
    }
    let files = folder(&[
        ("t.txt", texts.as_bytes()),
        ("with.txt", b"zzz\tword 3 here\n"),
        ("without.txt", b"word 3 here\n"),
        (
            "t.jsonl",
            b"{\"label\": 1, \"text\": \"one\"}\n{\"label\": 2, \"text\": \"two\"}\n"
                .repeat(20)
                .as_slice(),
        ),
        ("with.jsonl", b"{\"label\": 7, \"text\": \"two\"}\n"),
        ("without.jsonl", b"{\"text\": \"two\"}\n"),
        ("t.tsv", ucr.as_bytes()),
        ("with.tsv", b"c\t1\t2\t3\n"),
        ("without.tsv", b"1\t2\t3\n"),
        ("t.ts", ts.as_bytes()),
        ("with.ts", b"@data\n1,2,3:4,5,6:zzz\n"),
        ("without.ts", b"@data\n1,2,3:4,5,6\n"),
    ]);
    let cases = [
        ("train = \"t.txt\"\nformat = \"text\"\nlength = 4", "txt"),
        ("train = \"t.jsonl\"\nlength = 2", "jsonl"),
        ("train = \"t.tsv\"\nformat = \"ucr\"", "tsv"),
        ("train = \"t.ts\"", "ts"),
    ];
    for (section, ending) in cases {
        same(
            files.path(),
            section,
            &format!("with.{ending}"),
            &format!("without.{ending}"),
        );
    }
}

#[test]
fn arrays_and_pictures_are_asked_without_their_classes() {
    let labels: Vec<u8> = (0..20).map(|row| row % 2).collect();
    let values: Vec<f32> = (0..60).map(|value| value as f32).collect();
    let idx = |dimensions: &[u32], bytes: &[u8]| {
        let mut file = vec![0, 0, 8, dimensions.len() as u8];
        file.extend(dimensions.iter().flat_map(|size| size.to_be_bytes()));
        file.extend(bytes);
        file
    };
    let picture = golden("picture.png");
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("x.npy".into(), npy("<f4", "20, 3", &floats(&values))),
        ("y.npy".into(), npy("|u1", "20,", &labels)),
        (
            "asked.npy".into(),
            npy("<f4", "2, 3", &floats(&values[..6])),
        ),
        (
            "x.idx3".into(),
            idx(&[20, 1, 3], &(0..60).collect::<Vec<u8>>()),
        ),
        ("y.idx1".into(), idx(&[20], &labels)),
        ("asked.idx3".into(), idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6])),
        ("arrays.npz".into(), golden("arrays.npz")),
        ("asked/1.png".into(), picture.clone()),
        ("asked/more/2.png".into(), picture.clone()),
        ("one.png".into(), picture.clone()),
    ];
    for number in 0..8 {
        files.push((format!("p/a/{number}.png"), picture.clone()));
        files.push((format!("p/b/{number}.png"), picture.clone()));
    }
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let files = folder(&files);
    let cases = [
        ("train = \"x.npy\"\nlabels = \"y.npy\"", "asked.npy", 6),
        ("train = \"x.idx3\"\nlabels = \"y.idx1\"", "asked.idx3", 6),
        ("train = \"arrays.npz\"", "arrays.npz", 4 * 6),
        ("train = \"p\"", "asked", 2 * 72),
        ("train = \"p\"", "one.png", 72),
    ];
    for (section, data, values) in cases {
        let [searched, retrained] = asked(files.path(), section, data).unwrap();
        assert_eq!(
            (searched.len(), retrained.len()),
            (values, values),
            "{section}"
        );
    }
}
