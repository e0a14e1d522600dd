//! Tar archives: walking through one without unpacking it to disk, and making one.

use crate::data::{DataError, input};
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

const BLOCK: usize = 512;

/// The field of a path, or of its end.
const NAME: Range<usize> = 0..100;

/// The field of a path's folders where it has no room in the other.
const PREFIX: Range<usize> = 345..500;

/// Calls `visit` with the path and the bytes of each file in the archive.
///
/// # Errors
/// When it is no tar archive, ends too early, or `visit` says so.
pub(crate) fn each_file(
    reader: &mut dyn Read,
    name: &str,
    mut visit: impl FnMut(&str, &mut dyn Read) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let mut header = [0; BLOCK];
    loop {
        read_exact(reader, &mut header, name)?;
        if header.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let size = size(&header).ok_or_else(|| {
            DataError::format(name, "it is no tar archive; is the download complete?")
        })?;
        let path = path(&header);
        let mut content = reader.take(size);
        // Plain files are of type 0, in old archives of type NUL.
        if matches!(header[156], b'0' | 0) && !path.is_empty() && !path.ends_with('/') {
            visit(&path, &mut content)?;
        }
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        let left = content.limit();
        skip(reader, left + padding, name)?;
    }
}

fn read_exact(reader: &mut dyn Read, block: &mut [u8], name: &str) -> Result<(), DataError> {
    reader.read_exact(block).map_err(|error| cut(name, error))
}

fn skip(reader: &mut dyn Read, bytes: u64, name: &str) -> Result<(), DataError> {
    let skipped = io::copy(&mut reader.take(bytes), &mut io::sink());
    let skipped = skipped.map_err(|error| cut(name, error))?;
    if skipped < bytes {
        return Err(cut(name, io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(())
}

fn cut(name: &str, error: io::Error) -> DataError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return DataError::format(
            name,
            "the archive ends too early; is the download complete?",
        );
    }
    input::read_error(Path::new(name), error)
}

/// The path that a header gives: archives of POSIX may have its folders in a field of their own.
fn path(header: &[u8; BLOCK]) -> String {
    let name = text(&header[NAME]);
    let folders = match &header[257..263] {
        b"ustar\0" => text(&header[PREFIX]),
        _ => String::new(),
    };
    match &folders[..] {
        "" => name,
        folders => format!("{folders}/{name}"),
    }
}

/// An archive of files, by their paths. The same files give the same bytes: there are no times and no owners in it.
///
/// # Errors
/// When a path is longer than an archive of POSIX can say, or a file larger.
pub(crate) fn archive<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Vec<u8>, DataError> {
    let mut out = Vec::new();
    for (path, bytes) in files {
        out.extend(header(path, bytes.len())?);
        out.extend(bytes);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    Ok(out)
}

fn header(path: &str, size: usize) -> Result<[u8; BLOCK], DataError> {
    // Where the path is too long for one field, its folders go into another.
    let split = |at: usize| (&path[..at], &path[at + 1..]);
    let slashes = path.match_indices('/').map(|(at, _)| split(at));
    let fits =
        |(folders, name): &(&str, &str)| folders.len() <= PREFIX.len() && name.len() <= NAME.len();
    let fitting = std::iter::once(("", path)).chain(slashes).find(fits);
    let (folders, name) =
        fitting.ok_or_else(|| DataError::format(path, "the path is too long for an archive"))?;
    let digits = format!("{size:011o}");
    if digits.len() > 11 {
        return Err(DataError::format(
            path,
            "the file is too large for an archive",
        ));
    }
    let mut header = [0; BLOCK];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(NAME.start, name);
    put(PREFIX.start, folders);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &digits);
    put(136, "00000000000");
    put(148, "        0");
    put(257, "ustar");
    put(263, "00");
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    Ok(header)
}

/// The size that a header gives in octal digits, if its checksum is right.
fn size(header: &[u8; BLOCK]) -> Option<u64> {
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    let own: u64 = header[148..156].iter().map(|&byte| u64::from(byte)).sum();
    let blank = 8 * u64::from(b' ');
    (octal(&header[148..156])? == sum - own + blank).then_some(())?;
    octal(&header[124..136])
}

fn octal(field: &[u8]) -> Option<u64> {
    u64::from_str_radix(text(field).trim(), 8).ok()
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0);
    String::from_utf8_lossy(&field[..end.unwrap_or(field.len())]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(bytes: &[u8]) -> Result<Vec<(String, usize)>, DataError> {
        let mut found = Vec::new();
        each_file(&mut &bytes[..], "a.tar", |name, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).unwrap();
            found.push((name.to_owned(), bytes.len()));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn files_are_found_with_their_bytes() {
        let long = format!("{}/{}/c.bin", "a".repeat(90), "b".repeat(60));
        let bytes = archive([("a/b.bin", &[1; 700][..]), (&long, &[])]).unwrap();
        let wanted = [("a/b.bin".to_owned(), 700), (long, 0)];
        assert_eq!(members(&bytes).unwrap(), wanted);
        let error = archive([("a".repeat(101).as_str(), &[][..])]).unwrap_err();
        assert!(error.to_string().contains("too long"), "{error}");
    }

    #[test]
    fn cut_and_foreign_files_are_refused() {
        let bytes = archive([("b.bin", &[1; 700][..])]).unwrap();
        for end in [100, 600, 1300] {
            let error = members(&bytes[..end]).unwrap_err().to_string();
            assert!(error.contains("ends too early"), "{end}: {error}");
        }
        let error = members(&[7; 1024]).unwrap_err().to_string();
        assert!(error.contains("no tar archive"), "{error}");
    }
}
