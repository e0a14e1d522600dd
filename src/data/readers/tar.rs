//! Walking through a tar archive without unpacking it to disk.

use crate::data::{DataError, input};
use std::io::{self, Read};
use std::path::Path;

const BLOCK: usize = 512;

/// Calls `visit` with the last part of the name and the bytes of each file in the archive.
///
/// # Errors
/// When it is no tar archive, ends too early, or `visit` says so.
pub(super) fn each_file(
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
        let path = text(&header[..100]);
        let member = path.rsplit('/').next().unwrap_or_default();
        let mut content = reader.take(size);
        // Plain files are of type 0, in old archives of type NUL.
        if matches!(header[156], b'0' | 0) && !member.is_empty() {
            visit(member, &mut content)?;
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
pub(super) mod tests {
    use super::*;

    /// An archive of files.
    pub fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, bytes) in files {
            let mut header = [0; BLOCK];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
            header[156] = b'0';
            header[148..156].fill(b' ');
            let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
            header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
            header[154] = 0;
            out.extend(header);
            out.extend(*bytes);
            out.resize(out.len().next_multiple_of(BLOCK), 0);
        }
        out.resize(out.len() + 2 * BLOCK, 0);
        out
    }

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
        let bytes = archive(&[("a/b.bin", &[1; 700]), ("c.bin", &[])]);
        let wanted = [("b.bin".to_owned(), 700), ("c.bin".to_owned(), 0)];
        assert_eq!(members(&bytes).unwrap(), wanted);
    }

    #[test]
    fn cut_and_foreign_files_are_refused() {
        let bytes = archive(&[("b.bin", &[1; 700])]);
        for end in [100, 600, 1300] {
            let error = members(&bytes[..end]).unwrap_err().to_string();
            assert!(error.contains("ends too early"), "{end}: {error}");
        }
        let error = members(&[7; 1024]).unwrap_err().to_string();
        assert!(error.contains("no tar archive"), "{error}");
    }
}
