//! Header values copied out of a message, joined per name.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::HeaderNames;
use crate::direction::Direction;
use crate::ops::TransformationOps;
use crate::value::budget;

/// Whether the body of a message is compressed, by its `content-encoding`: neither text nor JSON nor
/// events until somebody unpacks it.
pub(crate) fn is_compressed(ops: &(impl TransformationOps + ?Sized), direction: Direction) -> bool {
    let mut encoding = String::new();
    append(ops, direction, "content-encoding", &mut encoding);
    !matches!(encoding.trim(), "" | "identity")
}

/// Some headers, or all, of one message at one moment. Values that are not UTF-8 are left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeaderSnapshot {
    /// All values, one after the other.
    text: String,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Shared with the program, so that a snapshot does not allocate it again.
    name: Arc<str>,
    start: usize,
    /// Where the first value ends.
    first: usize,
    end: usize,
}

impl HeaderSnapshot {
    /// Copies the named headers. Absent ones take no room; nothing to copy allocates nothing.
    pub(crate) fn take(
        ops: &(impl TransformationOps + ?Sized),
        direction: Direction,
        names: &HeaderNames,
    ) -> HeaderSnapshot {
        let mut snapshot = HeaderSnapshot::default();
        match names {
            HeaderNames::Listed(names) => {
                snapshot.entries.reserve_exact(names.len());
                for name in names {
                    let start = snapshot.text.len();
                    if let Some(first) = append(ops, direction, name, &mut snapshot.text) {
                        let end = snapshot.text.len();
                        snapshot.entries.push(Entry {
                            name: name.clone(),
                            start,
                            first,
                            end,
                        });
                    }
                }
            }
            HeaderNames::All => {
                let mut found: Vec<(String, String, usize)> = Vec::new();
                visit_all(ops, direction, &mut |name, value| {
                    let (Ok(name), Ok(value)) = (str::from_utf8(name), str::from_utf8(value))
                    else {
                        return;
                    };
                    let name = name.to_ascii_lowercase();
                    match found.iter_mut().find(|(known, ..)| *known == name) {
                        Some((_, values, _)) => {
                            values.push_str(separator(&name));
                            values.push_str(value);
                        }
                        None => found.push((name, value.to_owned(), value.len())),
                    }
                });
                for (name, value, first) in found {
                    let start = snapshot.text.len();
                    snapshot.text.push_str(&value);
                    let end = snapshot.text.len();
                    snapshot.entries.push(Entry {
                        name: name.into(),
                        start,
                        first: start + first,
                        end,
                    });
                }
            }
        }
        snapshot
    }

    /// The joined values of a header.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let entry = self.entry(name)?;
        self.text.get(entry.start..entry.end)
    }

    /// The first value of a header.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        let entry = self.entry(name)?;
        self.text.get(entry.start..entry.first)
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))
    }
}

/// What stands between the values of a header that came more than once. A client may cut its
/// cookies into several, and a comma between them would be part of one (RFC 9113, 8.2.3).
fn separator(name: &str) -> &'static str {
    if name.eq_ignore_ascii_case("cookie") {
        "; "
    } else {
        ", "
    }
}

/// Appends the values of one header to `out`, joined with its separator. Answers where the first of them
/// ends, if there are any.
pub(crate) fn append(
    ops: &(impl TransformationOps + ?Sized),
    direction: Direction,
    name: &str,
    out: &mut String,
) -> Option<usize> {
    let mut first = None;
    let mut visit = |value: &[u8]| {
        if let Ok(value) = str::from_utf8(value) {
            if first.is_some() {
                out.push_str(separator(name));
            }
            out.push_str(value);
            first.get_or_insert(out.len());
        }
    };
    match direction {
        Direction::Request => ops.for_each_request_header_value(name, &mut visit),
        Direction::Response => ops.for_each_response_header_value(name, &mut visit),
    }
    first
}

fn visit_all(
    ops: &(impl TransformationOps + ?Sized),
    direction: Direction,
    visit: &mut dyn FnMut(&[u8], &[u8]),
) {
    match direction {
        Direction::Request => ops.for_each_request_header(visit),
        Direction::Response => ops.for_each_response_header(visit),
    }
}

/// A part of a header as a template value. Paid for, since a loop could read a long one again and again;
/// when nothing is left to pay with, the render fails.
pub(super) fn copied(text: &str) -> Option<Value> {
    budget::charge(text.len()).ok()?;
    Some(Value::from(text))
}

/// `request.headers` and `response.headers` in a template: a map.
#[derive(Debug)]
pub(super) struct HeadersValue(pub(super) Arc<HeaderSnapshot>);

impl Object for HeadersValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).and_then(copied)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.0.entries.iter().map(|entry| Value::from(&*entry.name));
        Enumerator::Values(names.collect())
    }
}
