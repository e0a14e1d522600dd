//! Every format of data: whole files load, damaged ones are refused with place and remedy, and no
//! change of bytes makes a reader panic.

use std::fs;
use std::io::Write;
use std::path::Path;
use strata::data::{DataSource, Dataset, FORMATS, Splits};
use strata::random::{Purpose, Seed};
use tempfile::TempDir;

pub fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn load(folder: &Path, section: &str) -> Result<Dataset, String> {
    let source: DataSource = toml::from_str(section).unwrap();
    let text = |error: strata::data::DataError| {
        let root = format!("{}/", folder.display());
        error.to_string().replace(&root, "")
    };
    source.load(folder).map_err(text)
}

pub fn golden(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/golden/data/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read(path).unwrap()
}

pub fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(bytes);
    out
}

pub fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// CIFAR-10 records of these labels.
fn cifar(labels: &[u8]) -> Vec<u8> {
    let record = |&label: &u8| {
        let mut record = vec![label.wrapping_mul(20); 3073];
        record[0] = label;
        record
    };
    labels.iter().flat_map(record).collect()
}

fn shape(set: &Dataset) -> String {
    set.shape()
        .map_or("?".to_owned(), |shape| shape.to_string())
}

#[test]
fn files_as_other_tools_write_them_are_read() {
    let picture = golden("picture.png");
    let jpeg = golden("picture.jpg");
    let files = folder(&[
        ("table.parquet", &golden("table.parquet")),
        ("arrays.npz", &golden("arrays.npz")),
        ("pets/cat/1.png", &picture),
        ("pets/cat/2.jpg", &jpeg),
        ("pets/dog/1.JPG", &jpeg),
    ]);
    let cases = [
        ("train = \"table.parquet\"\nlabel = \"species\"", 12, "?"),
        ("train = \"arrays.npz\"", 12, "1x2x3"),
        ("train = \"pets\"", 3, "3x4x6"),
        ("train = \"pets\"\nshape = [1, 2, 3]", 3, "1x2x3"),
    ];
    for (section, examples, wanted) in cases {
        let set = load(files.path(), section).unwrap();
        assert_eq!(
            (set.len(), shape(&set).as_str()),
            (examples, wanted),
            "{section}"
        );
        assert_eq!(set.class_names().len(), 2, "{section}");
    }
    let arrays = load(files.path(), "train = \"arrays.npz\"").unwrap();
    assert_eq!(arrays.official_test_len(), Some(4));
}

#[test]
fn parquet_becomes_numbers_with_categories_and_gaps() {
    let files = folder(&[("table.parquet", &golden("table.parquet"))]);
    let section = "train = \"table.parquet\"\nlabel = \"species\"\nignore = [\"count\"]";
    let source: DataSource = toml::from_str(section).unwrap();
    let splits = source.splits(files.path()).unwrap();
    // Size with or without the mark of its gap, and two islands.
    let features = splits.train.shape.elements();
    assert!((3..=4).contains(&features), "{features}");
    assert!(splits.train.inputs.iter().all(|value| value.is_finite()));
}

#[test]
fn pictures_keep_their_channels_apart() {
    let files = folder(&[
        ("p/a/1.png", &golden("picture.png")),
        ("p/b/1.jpg", &golden("picture.jpg")),
    ]);
    let source = "train = \"p\"\nnormalise = \"none\"\nvalidation = 0.5\ntest = \"p\"";
    let source: DataSource = toml::from_str(source).unwrap();
    let Err(error) = source.splits(files.path()) else {
        panic!("one picture a class is too few to divide");
    };
    assert!(error.to_string().contains("too few examples"), "{error}");
}

#[test]
fn arrays_load_with_channels_first_and_last() {
    let x: Vec<f32> = (0..4 * 2 * 5 * 3).map(|value| value as f32).collect();
    let y: Vec<u8> = vec![0, 1, 0, 1];
    let files = folder(&[
        ("last.npy", &npy("<f4", "4, 2, 5, 3", &floats(&x))),
        ("first.npy", &npy("<f4", "4, 3, 2, 5", &floats(&x))),
        ("flat.npy", &npy("<f4", "4, 30", &floats(&x))),
        ("y.npy", &npy("|u1", "4,", &y)),
        ("r.npy", &npy("<f4", "4, 2", &floats(&x[..8]))),
        (
            "f.npy",
            &npy("|b1", "4, 3", &[0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]),
        ),
    ]);
    let cases = [
        ("last", "y", "", "3x2x5"),
        ("first", "y", "", "3x2x5"),
        ("flat", "y", "shape = [3, 10]", "3x10"),
        ("flat", "r", "task = \"regression\"", "30"),
        ("flat", "f", "task = \"multi_label\"", "30"),
    ];
    for (x, y, more, wanted) in cases {
        let section = format!("train = \"{x}.npy\"\nlabels = \"{y}.npy\"\n{more}");
        assert_eq!(
            shape(&load(files.path(), &section).unwrap()),
            wanted,
            "{section}"
        );
    }
    let section = "train = \"last.npy\"\nlabels = \"y.npy\"\nnormalise = \"none\"\nvalidation = 0.5\n\
                   test = \"last.npy\"\ntest_labels = \"y.npy\"";
    let source: DataSource = toml::from_str(section).unwrap();
    let test = source.splits(files.path()).unwrap().test.open();
    let first: Vec<f32> = test.for_searched.example(0)[..4].to_vec();
    assert_eq!(first, [0.0, 3.0, 6.0, 9.0]);
}

#[test]
fn cifar_loads_from_a_file_a_folder_and_with_a_test_file() {
    let (some, others) = (cifar(&[0, 1, 2, 1, 0, 2]), cifar(&[1, 2, 0]));
    let hundred: Vec<u8> = [[0u8, 7], [3, 99]]
        .iter()
        .flat_map(|labels| [labels.to_vec(), vec![9; 3072]].concat())
        .collect();
    let mut files = vec![("b.bin", some.as_slice()), ("c100.bin", hundred.as_slice())];
    let names: Vec<String> = (1..=5)
        .map(|n| format!("cifar-10-batches-bin/data_batch_{n}.bin"))
        .collect();
    files.extend(names.iter().map(|name| (name.as_str(), some.as_slice())));
    files.push(("cifar-10-batches-bin/test_batch.bin", &others));
    let files = folder(&files);
    let set = load(files.path(), "train = \"cifar-10-batches-bin\"").unwrap();
    assert_eq!(
        (set.len(), set.official_test_len(), shape(&set).as_str()),
        (30, Some(3), "3x32x32")
    );
    let section = "train = \"b.bin\"\nformat = \"cifar10\"\ntest = \"b.bin\"";
    assert_eq!(
        load(files.path(), section).unwrap().official_test_len(),
        Some(6)
    );
    let set = load(files.path(), "train = \"c100.bin\"\nformat = \"cifar100\"").unwrap();
    assert_eq!(set.class_names().len(), 100);
}

/// Bytes packed with gzip.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// A tar archive of files.
fn tar(files: &[(String, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
        header[156] = b'0';
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(header);
        out.extend(*bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.extend([0; 1024]);
    out
}

/// An archive whose only file claims eight gigabytes.
fn claiming_tar() -> Vec<u8> {
    let mut out = tar(&[("x/other.bin".to_owned(), b"")]);
    out[124..135].copy_from_slice(b"77777777777");
    out[148..156].fill(b' ');
    let sum: u32 = out[..512].iter().map(|&byte| u32::from(byte)).sum();
    out[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out
}

#[test]
fn cifar_loads_from_its_archive_as_from_its_folder() {
    let (some, others) = (cifar(&[0, 1, 2, 1]), cifar(&[1, 2, 0]));
    let name = |file: String| format!("cifar-10-batches-bin/{file}");
    let batches = (1..=5).map(|n| (name(format!("data_batch_{n}.bin")), some.as_slice()));
    let mut files: Vec<(String, &[u8])> = batches.collect();
    files.push((name("test_batch.bin".to_owned()), &others));
    files.push((name("readme.html".to_owned()), b"<html>"));
    let archive = gzip(&tar(&files));
    let mut unpacked: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (n.as_str(), *b)).collect();
    unpacked.push(("cifar-10-binary.tar.gz", &archive));
    let folder = folder(&unpacked);
    let packed = load(folder.path(), "train = \"cifar-10-binary.tar.gz\"").unwrap();
    let plain = load(folder.path(), "train = \"cifar-10-batches-bin\"").unwrap();
    assert_eq!((packed.len(), packed.official_test_len()), (20, Some(3)));
    assert_eq!(packed.hash(), plain.hash());
}

#[test]
fn texts_become_tokens_by_what_training_knows() {
    let lines = "ham\tGo until jurong \"point\nspam\tFree entry now\n".repeat(6);
    let json =
        "{\"label\": 1, \"text\": \"good\"}\n{\"label\": 0, \"text\": \"bad day\"}\n".repeat(5);
    let files = folder(&[("sms.tsv", lines.as_bytes()), ("r.jsonl", json.as_bytes())]);
    for (tokens, wanted) in [
        ("byte", "8 tokens of 258"),
        ("char", "8 tokens of 256"),
        ("word", "8 tokens of 4096"),
        ("bpe", "8 tokens of 4096"),
    ] {
        for train in [
            "train = \"sms.tsv\"\nformat = \"text\"",
            "train = \"r.jsonl\"",
        ] {
            let section = format!("{train}\ntokens = \"{tokens}\"\nlength = 8");
            let source: DataSource = toml::from_str(&section).unwrap();
            let splits: Splits = source.splits(files.path()).unwrap();
            assert_eq!(splits.train.shape.to_string(), wanted, "{section}");
            let whole = |value: &f32| value.fract() == 0.0 && *value >= 0.0;
            assert!(splits.train.inputs.iter().all(whole));
        }
    }
}

/// A section of `[data]`, its files, and what the error says.
type Case<'a> = (&'a str, Vec<(&'a str, Vec<u8>)>, &'a str);

fn with_labels(x: Vec<u8>, y: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    vec![("x.npy", x), ("y.npy", y)]
}

const NPY: &str = "train = \"x.npy\"\nlabels = \"y.npy\"";
const CIFAR: &str = "train = \"b.bin\"\nformat = \"cifar10\"";
const PARQUET: &str = "train = \"t.parquet\"\nlabel = \"species\"";
const TEXT: &str = "train = \"t.tsv\"\nformat = \"text\"";
const JSONL: &str = "train = \"t.jsonl\"";
const PETS: &str = "train = \"pets\"";

fn malformed_arrays() -> Vec<Case<'static>> {
    let labels = || npy("|u1", "2,", &[0, 1]);
    let inputs = || npy("<f4", "2, 1", &floats(&[1.0, 2.0]));
    let nan = npy("<f4", "2, 1", &floats(&[1.0, f32::NAN]));
    vec![
        (
            NPY,
            with_labels(b"nonsense".to_vec(), labels()),
            "x.npy: it does not start",
        ),
        (
            NPY,
            with_labels(inputs()[..30].to_vec(), labels()),
            "x.npy: it ends within its header",
        ),
        (
            NPY,
            with_labels(npy("<f4", "9999999999, 99", &[]), labels()),
            "at most 536870912",
        ),
        (
            NPY,
            with_labels(npy("<f4", "2, 2", &[0; 8]), labels()),
            "promises 16 bytes but 8",
        ),
        (
            NPY,
            with_labels(npy("<f4", "2,", &[0; 8]), labels()),
            "x.npy: 1 dimensions",
        ),
        (
            NPY,
            with_labels(nan, labels()),
            "x.npy: example 2 holds NaN",
        ),
        (
            NPY,
            with_labels(inputs(), npy("|u1", "3,", &[0; 3])),
            "holds 2 examples but y.npy",
        ),
        (
            NPY,
            with_labels(inputs(), npy("|u1", "2,", &[4, 4])),
            "every label is `4`",
        ),
        (
            NPY,
            with_labels(inputs(), npy("<f4", "2,", &floats(&[0.5, 1.0]))),
            "no whole number",
        ),
        (
            NPY,
            with_labels(inputs(), npy("|u1", "2, 2", &[0; 4])),
            "2 targets an example",
        ),
        (
            "train = \"x.npy\"\nlabels = \"y.npy\"\ntest = \"x.npy\"\ntest_labels = \"z.npy\"",
            [
                with_labels(inputs(), labels()),
                vec![("z.npy", npy("|u1", "2,", &[0, 9]))],
            ]
            .concat(),
            "z.npy: example 2 has the label 9, which is not in the training file",
        ),
        (
            "train = \"x.npy\"",
            with_labels(inputs(), labels()),
            "`x.npy` holds no labels",
        ),
        (
            "train = \"x.npz\"",
            vec![("x.npz", b"PK\x03\x04cut".to_vec())],
            "as a zip archive",
        ),
        (
            "train = \"x.npz\"",
            vec![("x.npz", golden("arrays.npz")[..400].to_vec())],
            "as a zip",
        ),
        (
            "train = \"x.npz\"",
            vec![("x.npz", Vec::new())],
            "as a zip archive",
        ),
    ]
}

fn malformed_binaries() -> Vec<Case<'static>> {
    let parquet = golden("table.parquet");
    let half = parquet[..parquet.len() / 2].to_vec();
    let (png, jpeg) = (golden("picture.png"), golden("picture.jpg"));
    vec![
        (CIFAR, vec![("b.bin", Vec::new())], "no examples in it"),
        (
            CIFAR,
            vec![("b.bin", cifar(&[0, 1])[..4000].to_vec())],
            "no whole number of records",
        ),
        (
            CIFAR,
            vec![("b.bin", cifar(&[0, 10]))],
            "b.bin:1:3074: label `10` is not from 0 to 9",
        ),
        (CIFAR, vec![("b.bin", cifar(&[3, 3]))], "every label is `3`"),
        (
            "train = \"cifar-10-binary.tar.gz\"",
            vec![("cifar-10-binary.tar.gz", vec![1; 99])],
            "ends too early",
        ),
        (
            PARQUET,
            vec![("t.parquet", Vec::new())],
            "can't be read as Parquet",
        ),
        (
            PARQUET,
            vec![("t.parquet", half)],
            "can't be read as Parquet",
        ),
        (
            PARQUET,
            vec![("t.parquet", b"label,x\n1,2\n".to_vec())],
            "can't be read as Parquet",
        ),
        (
            "train = \"t.parquet\"",
            vec![("t.parquet", parquet)],
            "no column `label`",
        ),
        (
            PETS,
            vec![("pets/cat/a.png", png[..60].to_vec())],
            "can't be read as a picture",
        ),
        (
            PETS,
            vec![("pets/cat/a.png", b"text".to_vec())],
            "can't be read as a picture",
        ),
        (
            PETS,
            vec![("pets/cat/a.jpg", jpeg[..jpeg.len() - 9].to_vec())],
            "can't be read as a picture (it has no end)",
        ),
        (
            PETS,
            vec![("pets/cat/a.png", wide_png(1 << 30))],
            "limits are exceeded",
        ),
        (
            PETS,
            vec![("pets/cat/a.png", wide_png(1 << 20))],
            "1048576 pixels, where 16384 a side are the limit",
        ),
        (
            PETS,
            vec![("pets/cat/a.jpg", wide_jpeg())],
            "can't be read as a picture",
        ),
        (
            PETS,
            vec![("pets/cat/a.png", Vec::new())],
            "neither PNG nor JPEG",
        ),
        (
            "train = \"cifar-10-binary.tar\"",
            vec![("cifar-10-binary.tar", claiming_tar())],
            "ends too early",
        ),
        (
            PETS,
            vec![("pets/cat/a.txt", b"text".to_vec())],
            "only png, jpg, jpeg are read",
        ),
        (
            PETS,
            vec![("pets/a.png", png.clone())],
            "`a.png` is no folder of a class",
        ),
        (
            PETS,
            vec![("pets/cat/a.png", png.clone())],
            "every label is `cat`",
        ),
        (
            PETS,
            vec![("pets/a/1.png", png.clone()), ("pets/b/1.png", tiny_png())],
            "1x1 pixels, where the first picture makes examples 3x4x6",
        ),
        (
            "train = \"pets\"\ntest = \"more\"",
            vec![
                ("pets/a/1.png", png.clone()),
                ("pets/b/1.png", png.clone()),
                ("more/c/1.png", png),
            ],
            "example 1 has the label `c`, which is not in the training file",
        ),
    ]
}

fn malformed_texts() -> Vec<Case<'static>> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        (TEXT, vec![("t.tsv", Vec::new())], "no examples in it"),
        (
            TEXT,
            vec![("t.tsv", text("ham\tx\nspam\n"))],
            "t.tsv:2:1: 1 columns, where column 2",
        ),
        (
            TEXT,
            vec![("t.tsv", text("ham\tx\nham\ty\n"))],
            "every label is `ham`",
        ),
        (
            TEXT,
            vec![("t.tsv", text("ham\tx\n\ty\n"))],
            "t.tsv:2:1: the label is empty",
        ),
        (
            TEXT,
            vec![("t.tsv", b"ham\tx\nspam\t\xff\n".to_vec())],
            "t.tsv:2: the line is not text",
        ),
        (
            JSONL,
            vec![("t.jsonl", text("{\"label\": 1\n"))],
            "t.jsonl:1:11: no JSON",
        ),
        (
            JSONL,
            vec![("t.jsonl", text("{\"label\": 1}\n"))],
            "no field `text`",
        ),
        (JSONL, vec![("t.jsonl", text("[]\n"))], "no field `label`"),
        (
            JSONL,
            vec![("t.jsonl", text("{\"label\": [], \"text\": \"\"}"))],
            "neither text nor",
        ),
        (
            "train = \"t.tsv\"\nformat = \"text\"\nlength = 0",
            vec![("t.tsv", text("a\tb\nb\tc"))],
            "data.length: 0 is not from 1",
        ),
        (
            "train = \"t.tsv\"\nformat = \"text\"\ntokens = \"byte\"\nvocabulary = 9",
            vec![("t.tsv", text("a\tb\nb\tc"))],
            "data.vocabulary: bytes have 258 tokens",
        ),
        (
            "train = \"t.ts\"",
            vec![("t.ts", text("@data\n1,2:a\n1,2:a\n"))],
            "every label is `a`",
        ),
        (
            "train = \"t.ts\"\ntest = \"e.ts\"",
            vec![
                ("t.ts", text("@data\n1,2:a\n1,2:b\n")),
                ("e.ts", text("@data\n1,2,3:a\n")),
            ],
            "series of 1x3 instead of 1x2",
        ),
        (
            "train = \"t.ts\"\ntest = \"e.ts\"",
            vec![
                ("t.ts", text("@data\n1,2:a\n1,2:b\n")),
                ("e.ts", text("@data\n1,2:c\n")),
            ],
            "e.ts: example 1 has the label `c`, which is not in the training file",
        ),
        (
            "train = \"t.ts\"\ntask = \"regression\"",
            vec![("t.ts", text("@data\n1,2:0.5\n1,2:b\n"))],
            "series 2 has the target `b`",
        ),
        (
            "train = \"t.ts\"\nlabel = 1",
            Vec::new(),
            "data.label: has no meaning for `ts`",
        ),
    ]
}

fn tiny_png() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 1, 1);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0; 3]).unwrap();
    writer.finish().unwrap();
    out
}

/// The start of a PNG file that claims to be this wide.
fn wide_png(width: u32) -> Vec<u8> {
    let mut out = golden("picture.png");
    out[16..20].copy_from_slice(&width.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&out[12..29]);
    out[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    out
}

/// A JPEG file whose header claims to be as large as one can be.
fn wide_jpeg() -> Vec<u8> {
    let mut out = golden("picture.jpg");
    let start = |pair: &[u8]| pair[0] == 0xff && matches!(pair[1], 0xc0..=0xc2);
    let at = out.windows(2).position(start).unwrap();
    out[at + 5..at + 9].fill(0xff);
    out
}

#[test]
fn malformed_data_of_every_format_is_refused_with_place_and_remedy() {
    let cases = [malformed_arrays(), malformed_binaries(), malformed_texts()].concat();
    let mut faults = Vec::new();
    for (section, files, said) in cases {
        let files: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (*n, b.as_slice())).collect();
        let folder = folder(&files);
        match load(folder.path(), section) {
            Err(fault) if fault.contains(said) => {}
            Err(fault) => faults.push(format!("{section:?} says {fault:?} instead of {said:?}")),
            Ok(_) => faults.push(format!("{section:?} loads instead of {said:?}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// How many changes of each file are tried.
fn iterations() -> usize {
    let asked = std::env::var("STRATA_FUZZ_ITERATIONS").ok();
    asked.and_then(|count| count.parse().ok()).unwrap_or(150)
}

#[test]
fn changed_bytes_are_read_or_refused_in_every_binary_format() {
    let x = npy("<f4", "4, 1", &floats(&[1.0, 2.0, 3.0, 4.0]));
    let y = npy("|u1", "4,", &[0, 1, 0, 1]);
    let idx = [&[0, 0, 8, 2, 0, 0, 0, 4, 0, 0, 0, 1][..], &[1, 2, 3, 4]].concat();
    let idx_labels = [&[0, 0, 8, 1, 0, 0, 0, 4][..], &[0, 1, 0, 1]].concat();
    let with = |name: &'static str| vec![(name, golden(name))];
    let batch = cifar(&[0, 1]);
    let batches = (1..=5).map(|n| (format!("data_batch_{n}.bin"), batch.as_slice()));
    let archive = tar(&batches.collect::<Vec<_>>());
    let packed = "train = \"cifar-10-a.tar.gz\"";
    let cases = [
        (
            "cifar-10-a.tar.gz",
            packed,
            vec![("cifar-10-a.tar.gz", gzip(&archive))],
        ),
        (
            "cifar-10-a.tar",
            "train = \"cifar-10-a.tar\"",
            vec![("cifar-10-a.tar", archive)],
        ),
        ("x.npy", NPY, with_labels(x, y.clone())),
        ("y.npy", NPY, with_labels(npy("<f4", "4, 1", &[0; 16]), y)),
        (
            "x.idx",
            "train = \"x.idx\"\nlabels = \"y.idx\"",
            vec![("x.idx", idx), ("y.idx", idx_labels)],
        ),
        ("arrays.npz", "train = \"arrays.npz\"", with("arrays.npz")),
        (
            "table.parquet",
            "train = \"table.parquet\"\nlabel = \"species\"",
            with("table.parquet"),
        ),
        ("b.bin", CIFAR, vec![("b.bin", cifar(&[0, 1]))]),
        (
            "pets/a/1.png",
            PETS,
            vec![("pets/a/1.png", golden("picture.png"))],
        ),
        (
            "pets/a/1.jpg",
            PETS,
            vec![("pets/a/1.jpg", golden("picture.jpg"))],
        ),
    ];
    let mut stream = Seed(5).stream(0, Purpose::Tool);
    for (changed, section, files) in cases {
        let borrowed: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (*n, b.as_slice())).collect();
        let folder = folder(&borrowed);
        let (_, whole) = files.iter().find(|(name, _)| *name == changed).unwrap();
        for _ in 0..iterations() {
            let mut bytes = whole.clone();
            for _ in 0..=stream.below(3) {
                let at = stream.index(bytes.len());
                bytes[at] = stream.bits() as u8;
            }
            if stream.below(4) == 0 {
                bytes.truncate(stream.index(bytes.len()));
            }
            fs::write(folder.path().join(changed), &bytes).unwrap();
            if let Ok(set) = load(folder.path(), section) {
                assert!(!set.is_empty());
            }
        }
    }
}

#[test]
fn every_format_is_documented_with_its_settings() {
    let page = format!("{}/docs/data.md", env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(page).unwrap();
    for format in FORMATS {
        let info = format.describe();
        assert!(
            page.contains(&format!("| `{}` |", info.name)),
            "{} is missing",
            info.name
        );
        for setting in info.settings {
            assert!(
                page.contains(&format!("`{setting}`")),
                "{setting} is missing"
            );
        }
    }
    for set in strata::data::SETS {
        assert!(
            page.contains(&format!("| `{}` |", set.name)),
            "{} is missing",
            set.name
        );
    }
}
