//! `serve`, `--track` and `export` of trials.

use super::program::{command, strata_in};
use super::runs::experiment;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

#[test]
fn the_page_is_where_the_program_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = command(folder.path())
        .args(["serve", "--port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(serving.stdout.take().unwrap());
    let mut url = String::new();
    lines.read_line(&mut url).unwrap();
    let address = url
        .trim()
        .strip_prefix("http://")
        .and_then(|rest| rest.strip_suffix('/'))
        .unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{url}");
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let port = address.split(':').nth(1).unwrap();
    let taken = strata_in(folder.path(), ["serve", "--port", port]);
    assert_eq!(taken.code, 2);
    assert!(taken.err.contains("--port 0"), "{}", taken.err);
    serving.kill().unwrap();
    let mut said = String::new();
    serving
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    serving.wait().unwrap();
    assert!(said.contains("runs does not exist yet"), "{said}");
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn trackers_are_told_and_change_nothing_even_when_they_fail() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| strata_in(folder.path(), arguments);
    experiment(folder.path(), "tracking.optuna = \"told.log\"\n");
    // Nothing answers at port 9.
    let tracked = run(&[
        "search",
        "small.toml",
        "--track",
        "tensorboard",
        "--track",
        "mlflow=http://127.0.0.1:9",
    ]);
    assert_eq!(tracked.code, 0, "{}", tracked.err);
    let warnings = tracked.err.matches("warning: mlflow is not told").count();
    assert_eq!(warnings, 1, "{}", tracked.err);
    let told = folder.path().join("runs/small-1");
    assert!(told.join("tensorboard/trial-0003").is_dir());
    let log = fs::read_to_string(told.join("told.log")).unwrap();
    assert_eq!(log.matches("\"op_code\":4").count(), 4);

    experiment(folder.path(), "");
    assert_eq!(run(&["search", "small.toml"]).code, 0);
    let digest = |name: &str| run(&["status", name, "--json"]).json()["digest"].clone();
    assert_eq!(digest("runs/small-1"), digest("runs/small-2"));
    assert!(!folder.path().join("runs/small-2/tensorboard").exists());

    let exported = run(&[
        "export",
        "runs/small-1",
        "--to",
        "optuna",
        "-o",
        "again.log",
    ]);
    assert_eq!(exported.code, 0, "{}", exported.err);
    assert_eq!(
        fs::read_to_string(folder.path().join("again.log")).unwrap(),
        log
    );
    let csv = run(&["export", "runs/small-1", "--to", "csv"]);
    assert_eq!(csv.out.lines().count(), 5);
    assert!(
        csv.out.starts_with("trial,score,loss,params,macs,"),
        "{}",
        csv.out
    );
    assert_eq!(
        run(&[
            "export",
            "runs/small-1",
            "--to",
            "parquet",
            "-o",
            "t.parquet"
        ])
        .code,
        0
    );
    let bytes = fs::read(folder.path().join("t.parquet")).unwrap();
    assert_eq!(&bytes[..4], b"PAR1");

    let unknown = run(&["search", "small.toml", "--track", "wandb"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("tensorboard, optuna, mlflow"),
        "{}",
        unknown.err
    );
}
