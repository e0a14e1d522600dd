//! Memory that no operation needs from one call to the next: one for all that a thread computes.

use super::windows::{Packed, Run};
use std::cell::RefCell;

/// What products of windows need while they run.
#[derive(Debug, Default)]
pub struct Room {
    /// The matrix that windows are multiplied by.
    pub packed: Packed,
    /// Images with zeros around them.
    pub padded: Vec<f32>,
    /// Sums before they are put in order.
    pub sums: Vec<f32>,
    /// Rows as runs of windows.
    pub runs: Vec<Run>,
}

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

/// Works with the thread's room. Whoever has it must not ask again.
pub fn with_room<T>(work: impl FnOnce(&mut Room) -> T) -> T {
    ROOM.with_borrow_mut(work)
}

/// Makes this many zeros of whatever there was.
pub fn zeros(values: &mut Vec<f32>, count: usize) {
    values.resize(count, 0.0);
    values.fill(0.0);
}
