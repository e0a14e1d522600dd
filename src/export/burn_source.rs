//! burn source.

use super::{ExportError, File};
use crate::architecture::Architecture;

/// A network as a burn module.
///
/// # Errors
/// When a layer has no counterpart.
pub fn burn(_: &Architecture, _: &[u8], _: &str) -> Result<Vec<File>, ExportError> {
    Ok(Vec::new())
}
