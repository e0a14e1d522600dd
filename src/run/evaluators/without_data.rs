//! What evaluators have in common that read no data.

use std::sync::LazyLock;

/// SHA-256 of nothing, in hexadecimal.
static OF_NOTHING: LazyLock<String> = LazyLock::new(|| crate::run::files::sha256(b""));

/// What stands for the hash of data where there is none.
pub(super) fn no_hash() -> &'static str {
    &OF_NOTHING
}
