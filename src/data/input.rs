//! Opening files: gzip by its magic bytes, and a limit on what comes out.

use super::DataError;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// The most bytes that are read from one file, after unpacking: 4 GiB.
pub const MAX_FILE_BYTES: u64 = 1 << 32;

/// The first bytes of every gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Opens `path`, unpacking it if it is gzip, whatever its name says.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, DataError> {
    let opened = File::open(path).and_then(|file| unpacked(BufReader::new(file), MAX_FILE_BYTES));
    opened.map_err(|source| read_error(path, source))
}

/// An error of reading `path`.
pub(super) fn read_error(path: &Path, source: io::Error) -> DataError {
    DataError::Read {
        path: path.to_owned(),
        source,
    }
}

/// An error of writing `path`.
pub(super) fn write_error(path: &Path, source: io::Error) -> DataError {
    DataError::Write {
        path: path.to_owned(),
        source,
    }
}

/// `reader` without its gzip packing, if it has one, ending in an error after `limit` bytes.
pub(super) fn unpacked<R: BufRead + 'static>(
    mut reader: R,
    limit: u64,
) -> io::Result<Box<dyn Read>> {
    let packed = reader.fill_buf()?.starts_with(&GZIP_MAGIC);
    let left = limit;
    Ok(if packed {
        Box::new(Capped {
            inner: MultiGzDecoder::new(reader),
            left,
            limit,
        })
    } else {
        Box::new(Capped {
            inner: reader,
            left,
            limit,
        })
    })
}

/// A reader that fails, rather than ends, after `limit` bytes: a silently shortened file would be
/// a different dataset.
struct Capped<R> {
    inner: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(format!(
                "it is longer than {} bytes when unpacked",
                self.limit
            ))
        })?;
        Ok(count)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    /// `bytes` in gzip form.
    pub fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn read(bytes: Vec<u8>, limit: u64) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        unpacked(Cursor::new(bytes), limit)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn gzip_is_known_by_its_first_bytes() {
        assert_eq!(read(b"plain".to_vec(), 100).unwrap(), b"plain");
        assert_eq!(read(gzip(b"packed"), 100).unwrap(), b"packed");
        assert_eq!(read(Vec::new(), 100).unwrap(), b"");
    }

    #[test]
    fn what_unpacks_to_more_than_the_limit_is_an_error() {
        let bomb = gzip(&[0; 100_000]);
        assert!(bomb.len() < 1000);
        assert!(read(bomb.clone(), 100_000).is_ok());
        let error = read(bomb, 99_999).unwrap_err().to_string();
        assert!(error.contains("longer than 99999 bytes"), "{error}");
    }

    #[test]
    fn a_cut_gzip_is_an_error() {
        let mut cut = gzip(&[7; 1000]);
        cut.truncate(cut.len() - 9);
        assert!(read(cut, 10_000).is_err());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = open(Path::new("no/such/file.csv"))
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.starts_with("can't read no/such/file.csv: "),
            "{error}"
        );
    }
}
