//! Downloading named datasets from their homes.

use super::{NamedFile, NamedSet, Origin};
use crate::data::dataset::hexadecimal;
use crate::data::{DataError, MAX_FILE_BYTES, input};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Downloads the files of a set into its own folder in `folder`, and tells of each. A file that is
/// there and right is left alone; one that is being written has another name until it is whole and
/// its SHA-256 is right. `home` stands in for the set's own address.
///
/// # Errors
/// When the set is part of the program, the server can't be reached or says no, or what came is not
/// what should have come.
pub fn fetch(
    set: &NamedSet,
    folder: &Path,
    home: Option<&str>,
    tell: &mut dyn FnMut(&str),
) -> Result<PathBuf, DataError> {
    let Origin::Files {
        files, home: own, ..
    } = set.origin
    else {
        let problem = format!(
            "`{}` is part of the program; there is nothing to fetch",
            set.name
        );
        return Err(DataError::setting("name", problem));
    };
    let folder = folder.join(set.name);
    fs::create_dir_all(&folder).map_err(|error| input::write_error(&folder, error))?;
    for file in files {
        let path = folder.join(file.name);
        if path.is_file() && file.verify(&folder).is_ok() {
            tell(&format!("{} is there already", path.display()));
            continue;
        }
        let url = format!("{}{}", home.unwrap_or(own), file.name);
        tell(&format!("fetching {url}"));
        download(file, &url, &path)?;
    }
    Ok(folder)
}

fn download(file: &NamedFile, url: &str, path: &Path) -> Result<(), DataError> {
    let part = path.with_file_name(format!("{}.part", file.name));
    let result = receive(file, url, &part)
        .and_then(|()| fs::rename(&part, path).map_err(|error| input::write_error(path, error)));
    if result.is_err() {
        // What is left of a failed download is of no use, and its removal no reason for another error.
        let _ = fs::remove_file(&part);
    }
    result
}

fn receive(file: &NamedFile, url: &str, part: &Path) -> Result<(), DataError> {
    let failed = |problem: String| DataError::Fetch {
        url: url.to_owned(),
        problem,
    };
    let agent = ureq::Agent::config_builder()
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .build()
        .new_agent();
    let response = agent.get(url).call();
    let response = response.map_err(|error| failed(error.to_string()))?;
    let body = response
        .into_body()
        .into_with_config()
        .limit(MAX_FILE_BYTES);
    let mut out = File::create(part).map_err(|error| input::write_error(part, error))?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    let mut reader = body.reader();
    loop {
        let count = match reader.read(&mut block) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(format!("the download broke off: {error}"))),
        };
        hash.update(&block[..count]);
        let written = out.write_all(&block[..count]);
        written.map_err(|error| input::write_error(part, error))?;
    }
    out.sync_all()
        .map_err(|error| input::write_error(part, error))?;
    let found = hexadecimal(hash);
    if file.sha256.contains(&found.as_str()) {
        return Ok(());
    }
    Err(failed(format!(
        "what came has the SHA-256 {found} instead of {}; nothing was kept",
        file.sha256[0]
    )))
}
