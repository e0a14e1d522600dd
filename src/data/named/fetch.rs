//! Downloading named datasets from their homes.

use super::{Home, NamedFile, NamedSet, Origin};
use crate::data::dataset::hexadecimal;
use crate::data::{DataError, MAX_FILE_BYTES, input};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::http::{HeaderMap, StatusCode, header};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Downloads the files of a set into its own folder in `folder`, and tells of each. A file that is
/// there and right is left alone; one that is being written has another name until it is whole and
/// its SHA-256 is right. A download that breaks off is gone on with by the next call, if the server can.
/// `home` stands in for the set's own address.
///
/// # Errors
/// When the set is part of the program or has no address, the server can't be reached or says no, or what came is not
/// what should have come.
pub fn fetch(
    set: &NamedSet,
    folder: &Path,
    home: Option<&str>,
    tell: &mut dyn FnMut(&str),
) -> Result<PathBuf, DataError> {
    let (files, address) = match (set.origin, home) {
        (Origin::Embedded(_), _) => {
            let name = set.name;
            let problem = format!("`{name}` is part of the program; there is nothing to fetch");
            return Err(DataError::setting("name", problem));
        }
        (Origin::Files { files, .. }, Some(home)) => (files, home),
        (Origin::Files { files, home, .. }, None) => match home {
            Home::Address(address) => (files, address),
            Home::ByHand(_) => return Err(DataError::setting("name", set.by_hand(folder))),
        },
    };
    let folder = folder.join(set.name);
    fs::create_dir_all(&folder).map_err(|error| input::write_error(&folder, error))?;
    for file in files {
        let path = folder.join(file.name);
        if path.is_file() && file.verify(&path).is_ok() {
            tell(&format!("{} is there already", path.display()));
            continue;
        }
        let url = format!("{address}{}", file.name);
        let part = path.with_file_name(format!("{}.part", file.name));
        let download = Download {
            file,
            url: &url,
            part: &part,
        };
        download.run(tell)?;
        fs::rename(&part, &path).map_err(|error| input::write_error(&path, error))?;
    }
    Ok(folder)
}

/// A file on its way: `part` holds what has come so far.
struct Download<'a> {
    file: &'a NamedFile,
    url: &'a str,
    part: &'a Path,
}

impl Download<'_> {
    fn run(&self, tell: &mut dyn FnMut(&str)) -> Result<(), DataError> {
        let there = fs::metadata(self.part).map_or(0, |file| file.len());
        if there > 0 {
            tell(&format!("going on with {} after {there} bytes", self.url));
            // A server that can't begin in the middle begins at the start.
            if let Some((body, begins)) = self.ask(there)?
                && (begins == there || begins == 0)
            {
                return self.receive(body, begins);
            }
        } else {
            tell(&format!("fetching {}", self.url));
        }
        match self.ask(0)? {
            Some((body, 0)) => self.receive(body, 0),
            _ => Err(self.failed("the server sends only a part of the file")),
        }
    }

    fn failed(&self, problem: impl Into<String>) -> DataError {
        DataError::Fetch {
            url: self.url.to_owned(),
            problem: problem.into(),
        }
    }

    /// What the server sends when it is asked from this byte on, and which byte that begins with; nothing if there is
    /// no such byte.
    fn ask(&self, from: u64) -> Result<Option<(ureq::Body, u64)>, DataError> {
        let agent = ureq::Agent::config_builder()
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .build()
            .new_agent();
        let mut request = agent.get(self.url);
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let response = match request.call() {
            Err(ureq::Error::StatusCode(416)) if from > 0 => return Ok(None),
            response => response.map_err(|error| self.failed(error.to_string()))?,
        };
        let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
        let begins = if is_part {
            first_byte(response.headers())
        } else {
            Some(0)
        };
        Ok(begins.map(|begins| (response.into_body(), begins)))
    }

    /// Adds what comes to the first `there` bytes. What came before a break is kept for the next time.
    fn receive(&self, body: ureq::Body, there: u64) -> Result<(), DataError> {
        let written = |error| input::write_error(self.part, error);
        let mut hash = Sha256::new();
        let mut out = if there == 0 {
            File::create(self.part).map_err(written)?
        } else {
            let so_far = File::open(self.part).map_err(written)?;
            io::copy(&mut so_far.take(there), &mut Hashing(&mut hash)).map_err(written)?;
            OpenOptions::new()
                .append(true)
                .open(self.part)
                .map_err(written)?
        };
        let limit = MAX_FILE_BYTES.saturating_sub(there);
        let mut reader = body.into_with_config().limit(limit).reader();
        let mut block = vec![0; 1 << 16];
        loop {
            let count = match reader.read(&mut block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let advice = "fetch it again to go on from there";
                    let problem = format!("the download broke off ({error}); {advice}");
                    return Err(self.failed(problem));
                }
            };
            hash.update(&block[..count]);
            out.write_all(&block[..count]).map_err(written)?;
        }
        out.sync_all().map_err(written)?;
        let found = hexadecimal(hash);
        if self.file.sha256.contains(&found.as_str()) {
            return Ok(());
        }
        // What is left of another file is of no use, and its removal no reason for another error.
        let _ = fs::remove_file(self.part);
        Err(self.failed(format!(
            "what came has the SHA-256 {found} instead of {}; nothing was kept",
            self.file.sha256[0]
        )))
    }
}

/// The first byte of `Content-Range: bytes 3-4/5`.
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (first, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    first.trim().parse().ok()
}

/// A hash as a place to write to.
pub(super) struct Hashing<'a>(pub &'a mut Sha256);

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
