//! Bounds what one render may produce: text, and containers nested in each other.
//!
//! The engine counts instructions (fuel), but a single instruction can make any amount of text.
//! Whatever makes text or containers here pays first. The account is a thread-local, since the
//! engine gives functions no place for one; a render runs on one thread from start to end.

use std::cell::Cell;

use minijinja::{Error, ErrorKind};

/// Lists and maps that templates may build in one render. Each could hold the one before, and
/// dropping such a chain takes stack for every link.
const CONTAINERS: usize = 10_000;

thread_local! {
    static TEXT_LEFT: Cell<usize> = const { Cell::new(0) };
    static CONTAINERS_LEFT: Cell<usize> = const { Cell::new(0) };
    static OVERDRAWN: Cell<bool> = const { Cell::new(false) };
}

/// Opens an account for one render.
pub(crate) fn open(bytes: usize) {
    TEXT_LEFT.set(bytes);
    CONTAINERS_LEFT.set(CONTAINERS);
    OVERDRAWN.set(false);
}

/// Bytes that are left, to be carried over to the next render of the same message.
pub(crate) fn left() -> usize {
    TEXT_LEFT.get()
}

/// Whether the render failed because it produced too much.
pub(crate) fn is_overdrawn() -> bool {
    OVERDRAWN.get()
}

/// Pays for text that is about to be produced.
pub(crate) fn charge(bytes: usize) -> Result<(), Error> {
    take(&TEXT_LEFT, bytes)
}

/// Pays for one list or map.
pub(crate) fn charge_container() -> Result<(), Error> {
    take(&CONTAINERS_LEFT, 1)
}

fn take(account: &'static std::thread::LocalKey<Cell<usize>>, amount: usize) -> Result<(), Error> {
    match account.get().checked_sub(amount) {
        Some(left) => {
            account.set(left);
            Ok(())
        }
        None => {
            OVERDRAWN.set(true);
            Err(Error::new(
                ErrorKind::InvalidOperation,
                "output budget exceeded",
            ))
        }
    }
}
