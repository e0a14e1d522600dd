//! Downloads, from a server of the test's own.

use crate::cli::program::strata_in;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use strata::data::{Home, NamedFile, NamedSet, Origin, fetch};

/// SHA-256 of `hello`.
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/// A server on loopback that gives each request the next of these responses, its address, and what it was asked.
fn server(responses: &'static [&'static str]) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let (asked, requests) = channel();
    std::thread::spawn(move || {
        for (stream, response) in listener.incoming().zip(responses) {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let _ = asked.send(head.join("\n").to_lowercase());
            let _ = stream.write_all(response.as_bytes());
        }
    });
    (address, requests)
}

const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
const BROKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhel";
const REST: &str = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 3-4/5\r\nContent-Length: 2\r\n\
                    Connection: close\r\n\r\nlo";

fn set() -> NamedSet {
    NamedSet {
        name: "made",
        about: "a file for the test",
        licence: "none",
        origin: Origin::Files {
            files: &[NamedFile {
                name: "greeting.txt",
                sha256: &[HELLO],
            }],
            installed: &[],
            home: Home::Address("http://127.0.0.1:9/"),
            section: "",
        },
    }
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_file_is_fetched_once_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _) = server(&[WHOLE]);
    let mut told = Vec::new();
    let mut tell = |line: &str| told.push(line.to_owned());
    let place = fetch(&set(), folder.path(), Some(&address), &mut tell).unwrap();
    assert_eq!(fs::read(place.join("greeting.txt")).unwrap(), b"hello");
    // The server is gone: the second time nothing is asked of it.
    fetch(&set(), folder.path(), Some(&address), &mut tell).unwrap();
    assert!(told[1].contains("is there already"), "{told:?}");
    assert_eq!(names(&place), ["greeting.txt"]);
}

#[test]
fn a_failed_download_leaves_no_file() {
    let cases: [(&'static [&'static str], &str); 4] = [
        (
            &["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"],
            "404",
        ),
        (
            &["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\njello"],
            "has the SHA-256",
        ),
        (
            &["HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhe"],
            "has the SHA-256",
        ),
        (&["nonsense\r\n\r\n"], "can't fetch"),
    ];
    for (responses, said) in cases {
        let folder = tempfile::tempdir().unwrap();
        let (address, _) = server(responses);
        let error = fetch(&set(), folder.path(), Some(&address), &mut |_| ()).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(said) && error.contains("by hand"),
            "{said}: {error}"
        );
        assert!(names(&folder.path().join("made")).is_empty(), "{said}");
    }
}

#[test]
fn a_download_that_broke_off_is_gone_on_with() {
    // A server that can begin anywhere; one that can't; one that has nothing there; one that begins elsewhere.
    let elsewhere = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/5\r\nContent-Length: 3\r\n\
                     Connection: close\r\n\r\nllo";
    let beyond =
        "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let cases: [(&'static [&'static str], usize); 4] = [
        (Box::leak(Box::new([BROKEN, REST])), 2),
        (Box::leak(Box::new([BROKEN, WHOLE])), 2),
        (Box::leak(Box::new([BROKEN, beyond, WHOLE])), 3),
        (Box::leak(Box::new([BROKEN, elsewhere, WHOLE])), 3),
    ];
    for (responses, asked) in cases {
        let folder = tempfile::tempdir().unwrap();
        let (address, requests) = server(responses);
        let mut told = Vec::new();
        let mut tell = |line: &str| told.push(line.to_owned());
        let error = fetch(&set(), folder.path(), Some(&address), &mut tell).unwrap_err();
        assert!(error.to_string().contains("again to go on"), "{error}");
        assert_eq!(names(&folder.path().join("made")), ["greeting.txt.part"]);
        let place = fetch(&set(), folder.path(), Some(&address), &mut tell).unwrap();
        assert_eq!(fs::read(place.join("greeting.txt")).unwrap(), b"hello");
        assert_eq!(names(&place), ["greeting.txt"]);
        assert!(told[1].contains("after 3 bytes"), "{told:?}");
        let heads: Vec<String> = requests.iter().take(asked).collect();
        assert!(!heads[0].contains("range:"), "{}", heads[0]);
        assert!(heads[1].contains("range: bytes=3-"), "{}", heads[1]);
        assert!(heads[2..].iter().all(|head| !head.contains("range:")));
    }
}

#[test]
fn a_part_of_another_file_is_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("made")).unwrap();
    fs::write(folder.path().join("made/greeting.txt.part"), b"jel").unwrap();
    let (address, _) = server(&[REST, WHOLE]);
    let error = fetch(&set(), folder.path(), Some(&address), &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("nothing was kept"), "{error}");
    let place = fetch(&set(), folder.path(), Some(&address), &mut |_| ()).unwrap();
    assert_eq!(names(&place), ["greeting.txt"]);
}

#[test]
fn a_damaged_file_is_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("made")).unwrap();
    fs::write(folder.path().join("made/greeting.txt"), b"hel").unwrap();
    let (address, _) = server(&[WHOLE]);
    let place = fetch(&set(), folder.path(), Some(&address), &mut |_| ()).unwrap();
    assert_eq!(fs::read(place.join("greeting.txt")).unwrap(), b"hello");
}

#[test]
fn the_command_line_lists_sets_and_formats_and_says_what_it_cannot_fetch() {
    let folder = tempfile::tempdir().unwrap();
    let list = strata_in(folder.path(), ["data", "list"]);
    assert!(
        list.out.contains("wine") && list.out.contains("in the program"),
        "{}",
        list.out
    );
    assert!(
        strata_in(folder.path(), ["data", "list", "--json"])
            .json()
            .is_array()
    );
    assert!(
        strata_in(folder.path(), ["data", "formats"])
            .out
            .contains("parquet")
    );
    let network = format!("{}/search_spaces/mlp.space", env!("CARGO_MANIFEST_DIR"));
    let mistyped: [&str; 4] = ["train", &network, "--data", "digist"];
    let cases = [
        (mistyped.as_slice(), "did you mean `digits`?"),
        (&["data", "fetch", "wine"], "is part of the program"),
        (
            &["data", "fetch", "trec"],
            "can't be fetched: put trec_train",
        ),
        (&["data", "fetch", "mnits"], "did you mean `mnist`?"),
        (
            &["data", "fetch", "mnist", "--from", "http://127.0.0.1:9/"],
            "can't fetch http://127.0.0.1:9/",
        ),
    ];
    for (arguments, said) in cases {
        let ended = strata_in(folder.path(), arguments);
        assert_eq!(ended.code, 2, "{said}");
        assert!(ended.err.contains(said), "{said}: {}", ended.err);
    }
}
