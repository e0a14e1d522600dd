//! Ctrl-C: first a request, then an order.

use super::exit::Exit;
use super::terminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that the first interrupt sets; the second ends the process at once.
///
/// Where the system refuses a handler the flag is never set, and an interrupt ends the process as it
/// would without one: the journal is made for that.
pub fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&flag);
    let _ = ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        terminal::say("stopping: running trials end within a batch; once more to end at once");
    });
    flag
}
