//! Whether data fits into this machine's memory, before it is taken.

use super::DataError;

/// Refuses `values` numbers of 32 bits for `file` if the machine has no room for them.
///
/// # Errors
/// When they need more than is available, with both figures. Where the system doesn't say how much is
/// available, nothing is refused.
pub(super) fn check(file: &str, values: usize) -> Result<(), DataError> {
    check_against(file, values, available())
}

fn check_against(file: &str, values: usize, available: Option<u64>) -> Result<(), DataError> {
    let needed = 4u64.saturating_mul(values as u64);
    match available {
        Some(available) if needed > available => Err(DataError::Memory {
            file: file.to_owned(),
            needed: in_words(needed),
            available: in_words(available),
        }),
        _ => Ok(()),
    }
}

/// Bytes that can be taken without swapping, as Linux tells it.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

fn in_words(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes < 10 * 1024 * MIB {
        format!("{} MiB", bytes.div_ceil(MIB))
    } else {
        format!("{} GiB", bytes.div_ceil(1024 * MIB))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_says_how_much_it_needs() {
        let error = check_against("big.npy", 1 << 30, Some(1 << 31)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "big.npy: it needs 4096 MiB of memory to train on, and 2048 MiB are available; \
             use a part of the data"
        );
        assert!(check_against("small", 1 << 20, Some(1 << 31)).is_ok());
        assert!(check_against("anywhere", usize::MAX / 8, None).is_ok());
    }
}
