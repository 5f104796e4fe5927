//! HTTP/1.1 as it is on the wire, for the two sides that tests look at: what a client sends and sees,
//! and what an origin sees and sends.
//!
//! Used by [`crate::client`] and [`crate::origin`], one connection per thread. Header lines keep their
//! order, repeats and bytes; a general-purpose HTTP library would tidy away what is to be tested.
//! Refuses heads over 64 KiB or 256 lines.

mod read;
mod send;

use std::fmt;

pub(crate) use read::{Framing, Incoming, read_request, read_response};
pub use send::Body;
pub(crate) use send::{send_body, send_head};

/// Header (or trailer) lines in the order they came, repeats and all.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, Vec<u8>)>);

impl Headers {
    /// Appends a line.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// The value of the first line called `name` (in any case), as text.
    pub fn value(&self, name: &str) -> Option<String> {
        self.values(name).into_iter().next()
    }

    /// The values of all lines called `name`, in order, as text.
    pub fn values(&self, name: &str) -> Vec<String> {
        self.raw_values(name)
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// The same as bytes.
    pub fn raw_values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.0
            .iter()
            .filter(move |(line, _)| line.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// Whether there is any line called `name`.
    pub fn has(&self, name: &str) -> bool {
        self.raw_values(name).next().is_some()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            |(name, value): &(String, Vec<u8>)| (name.clone(), value.escape_ascii().to_string());
        f.debug_list()
            .entries(
                self.0
                    .iter()
                    .map(text)
                    .map(|(name, value)| format!("{name}: {value}")),
            )
            .finish()
    }
}
