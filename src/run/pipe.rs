//! Messages through a pipe: each is its length in four bytes, then itself.

use super::wire::{from_bytes, to_bytes};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, BufRead, ErrorKind, Read, Write};

/// What a worker says before its first message.
pub(super) const GREETING: &[u8] = b"strata-worker\n";

/// The longest message that is taken: more than any network's weights and checkpoint.
const LONGEST: u32 = 1 << 30;

/// How much may come before what is looked for.
const MOST_PREAMBLE: usize = 1 << 16;

/// Writes a message and sees that it leaves.
///
/// # Errors
/// When nobody reads, or it is too long.
pub(super) fn write(pipe: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let bytes = to_bytes(message);
    let length = u32::try_from(bytes.len()).ok();
    let length = length.filter(|&length| length <= LONGEST);
    let length = length.ok_or_else(|| io::Error::other("the message is longer than 1 GiB"))?;
    pipe.write_all(&length.to_le_bytes())?;
    pipe.write_all(&bytes)?;
    pipe.flush()
}

/// Reads a message; nothing where the pipe ends.
///
/// # Errors
/// When the pipe ends inside a message, or what comes is none.
pub(super) fn read<T: DeserializeOwned>(pipe: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match pipe.read(&mut length[..1])? {
        0 => return Ok(None),
        _ => pipe.read_exact(&mut length[1..])?,
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::Error::new(ErrorKind::InvalidData, "no message"));
    }
    let mut bytes = Vec::new();
    pipe.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let message = from_bytes(&bytes);
    let message = message.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    Ok(Some(message))
}

/// Reads up to and including `mark`, which ends with a line break.
///
/// # Errors
/// When it does not come.
pub(super) fn skip_to(pipe: &mut impl BufRead, mark: &[u8]) -> io::Result<()> {
    let mut passed = 0;
    while passed < MOST_PREAMBLE {
        let mut line = Vec::new();
        passed += pipe
            .take(MOST_PREAMBLE as u64)
            .read_until(b'\n', &mut line)?;
        if line.ends_with(mark) {
            return Ok(());
        }
        if line.is_empty() {
            break;
        }
    }
    Err(ErrorKind::UnexpectedEof.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in() {
        let mut pipe = b"running 1 test\n test x ... strata-worker\n".to_vec();
        write(&mut pipe, &"one").unwrap();
        write(&mut pipe, &vec![7u64; 1000]).unwrap();
        let mut pipe = pipe.as_slice();
        skip_to(&mut pipe, GREETING).unwrap();
        assert_eq!(read::<String>(&mut pipe).unwrap().unwrap(), "one");
        assert_eq!(read::<Vec<u64>>(&mut pipe).unwrap().unwrap(), [7; 1000]);
        assert!(read::<String>(&mut pipe).unwrap().is_none());
    }

    #[test]
    fn what_is_cut_or_none_is_an_error() {
        let mut pipe = Vec::new();
        write(&mut pipe, &"a message").unwrap();
        for cut in 1..pipe.len() {
            assert!(read::<String>(&mut &pipe[..cut]).is_err(), "{cut}");
        }
        assert!(read::<String>(&mut &[0xff; 8][..]).is_err());
        assert!(skip_to(&mut &b"nothing of the kind"[..], GREETING).is_err());
        assert!(skip_to(&mut vec![b'x'; 1 << 20].as_slice(), GREETING).is_err());
    }
}
