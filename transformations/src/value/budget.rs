//! Bounds what one render may produce: text, and containers nested in each other.
//!
//! The engine counts instructions (fuel), but a single instruction can make any amount of text.
//! Whatever makes text or containers here pays first. The account is a thread-local, since the
//! engine gives functions no place for one; a render runs on one thread from start to end.

use std::cell::Cell;
use std::fmt;

use minijinja::{Error, ErrorKind};

use super::Fault;

/// Lists and maps that templates may build in one render. Each could hold the one before, and
/// dropping such a chain takes stack for every link.
const CONTAINERS: usize = 10_000;

/// What looking at one value costs.
const NODE: usize = 24;

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

/// Pays for work on a text that makes none: half of what making it would cost. Without this,
/// a loop over a large body could work on it once for every few instructions.
pub(crate) fn charge_reading(bytes: usize) -> Result<(), Error> {
    charge(bytes / 2)
}

/// Pays for looking at one value. Costs as much as reading 48 bytes: lists are made of pointers.
pub(crate) fn charge_node() -> Result<(), Error> {
    charge(NODE)
}

/// Pays for looking at so many values.
pub(crate) fn charge_nodes(count: usize) -> Result<(), Error> {
    charge(count.saturating_mul(NODE))
}

/// Pays for finding a key of this length among this many, which are compared one by one.
pub(crate) fn charge_lookup(keys: usize, length: usize) -> Result<(), Error> {
    charge(keys.saturating_mul(1 + length / 64))
}

/// A text that pays for itself as it grows.
#[derive(Default)]
pub(crate) struct PaidText(String);

impl PaidText {
    pub(crate) fn into_string(self) -> String {
        self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Write for PaidText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        charge(text.len()).map_err(|_| fmt::Error)?;
        self.0.push_str(text);
        Ok(())
    }
}

/// Makes a text that is told how long it may be, and pays for it.
pub(crate) fn within(make: impl FnOnce(usize) -> Result<String, Fault>) -> Result<String, Error> {
    match make(left()) {
        Ok(text) => {
            charge(text.len())?;
            Ok(text)
        }
        Err(Fault::TooLarge) => Err(overdrawn()),
        Err(fault) => Err(fault.into()),
    }
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
        None => Err(overdrawn()),
    }
}

/// Fails a render for which it has become too much.
pub(crate) fn overdrawn() -> Error {
    OVERDRAWN.set(true);
    Error::new(ErrorKind::InvalidOperation, "output budget exceeded")
}
