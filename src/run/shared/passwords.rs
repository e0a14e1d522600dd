//! PostgreSQL's password files: `host:port:database:user:password`, a line each.

use super::address::Secret;
use super::error::SharedError;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// What a password is for.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
}

/// The password of the first line that fits; nothing if none does or there is no file.
///
/// # Errors
/// When the file can't be read, or can be read by others.
pub(super) fn find_password(file: &Path, place: &Place) -> Result<Option<Secret>, SharedError> {
    let unreadable = |source: std::io::Error| SharedError::PasswordFile {
        path: file.to_owned(),
        message: source.to_string(),
    };
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if !is_private(file).map_err(unreadable)? {
        return Err(SharedError::PasswordFile {
            path: file.to_owned(),
            message: "others can read it; run `chmod 600` on it".to_owned(),
        });
    }
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Ok(lines.map(fields).find_map(|fields| fits(fields, place)))
}

fn fits(mut fields: Vec<String>, place: &Place) -> Option<Secret> {
    let port = place.port.to_string();
    let wanted = [&place.host, &port, &place.database, &place.user];
    if fields.len() != wanted.len() + 1 {
        return None;
    }
    let password = fields.pop()?;
    let all = fields
        .iter()
        .zip(wanted)
        .all(|(field, wanted)| field == "*" || field == wanted);
    all.then(|| Secret::new(password))
}

/// The fields of a line: parted by colons, with a backslash before what is meant as it stands.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        let field = fields.last_mut().expect("there is a first field");
        match c {
            '\\' => field.extend(rest.next()),
            ':' => fields.push(String::new()),
            c => field.push(c),
        }
    }
    fields
}

#[cfg(unix)]
fn is_private(file: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(file)?.permissions().mode() & 0o077 == 0)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn is_private(_: &Path) -> std::io::Result<bool> {
    Ok(true)
}

/// Writes a file that only its owner can read.
#[cfg(test)]
#[cfg(unix)]
pub(super) fn write_private(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn place() -> Place {
        Place {
            host: "db".to_owned(),
            port: 5432,
            database: "nas".to_owned(),
            user: "ada".to_owned(),
        }
    }

    fn found(text: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgpass");
        write_private(&file, text);
        let secret = find_password(&file, &place()).unwrap();
        secret.map(|secret| secret.reveal().to_owned())
    }

    #[test]
    fn the_first_line_that_fits_counts() {
        let text =
            "# mine\nother:5432:nas:ada:no\nshort:line\ndb:*:*:ada:a\\:b\\\\c\n*:*:*:*:later\n";
        assert_eq!(found(text).as_deref(), Some("a:b\\c"));
        assert_eq!(found("db:5433:nas:ada:no\n"), None);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgpass");
        write_private(&file, "*:*:*:*:hunter2\n");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let error = find_password(&file, &place()).unwrap_err().to_string();
        assert!(
            error.contains("chmod 600") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn no_file_is_no_password() {
        let nowhere = Path::new("/nowhere/pgpass");
        assert!(find_password(nowhere, &place()).unwrap().is_none());
    }
}
