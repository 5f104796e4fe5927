//! Header values copied out of a message, joined per name.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::reads::{HeaderNames, Which};
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
    /// Where lines end that another of their header follows, in order; empty unless somebody asks for
    /// lines.
    cuts: Vec<usize>,
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
        match names.which() {
            Which::Listed(listed) => {
                snapshot.entries = Vec::with_capacity(listed.len());
                for name in listed {
                    snapshot.copy(ops, direction, name, names.has_lines());
                }
            }
            Which::All => {
                let mut found: Vec<(String, Vec<String>)> = Vec::new();
                visit_all(ops, direction, &mut |name, value| {
                    let (Ok(name), Ok(value)) = (str::from_utf8(name), str::from_utf8(value))
                    else {
                        return;
                    };
                    let name = name.to_ascii_lowercase();
                    match found.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, values)) => values.push(value.to_owned()),
                        None => found.push((name, vec![value.to_owned()])),
                    }
                });
                for (name, values) in found {
                    snapshot.join(name.into(), &values, names.has_lines());
                }
            }
        }
        snapshot
    }

    /// Copies one header, if it is there.
    fn copy(
        &mut self,
        ops: &(impl TransformationOps + ?Sized),
        direction: Direction,
        name: &Arc<str>,
        with_lines: bool,
    ) {
        let start = self.text.len();
        let (mut first, mut last) = (None, None);
        let cuts = &mut self.cuts;
        append_each(ops, direction, name, &mut self.text, |end| {
            first.get_or_insert(end);
            if let Some(before) = last.replace(end).filter(|_| with_lines) {
                cuts.push(before);
            }
        });
        if let Some(first) = first {
            self.entries.push(Entry {
                name: Arc::clone(name),
                start,
                first,
                end: self.text.len(),
            });
        }
    }

    /// Copies the values of one header, of which there is one at least.
    fn join(&mut self, name: Arc<str>, values: &[String], with_lines: bool) {
        let start = self.text.len();
        let mut first = None;
        for value in values {
            if let Some(end) = first.map(|_| self.text.len()) {
                if with_lines {
                    self.cuts.push(end);
                }
                self.text.push_str(separator(&name));
            }
            self.text.push_str(value);
            first.get_or_insert(self.text.len());
        }
        self.entries.push(Entry {
            name,
            start,
            first: first.unwrap_or(start),
            end: self.text.len(),
        });
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

    /// The values of a header one by one, if this was made for somebody who asks for them.
    pub(crate) fn lines(&self, name: &str) -> impl Iterator<Item = &str> {
        let entry = self.entry(name);
        let ends = entry.into_iter().flat_map(|entry| {
            let from = self.cuts.partition_point(|cut| *cut < entry.start);
            let cuts = self.cuts.get(from..).unwrap_or_default();
            let inside = cuts.iter().copied().take_while(|cut| *cut < entry.end);
            inside.chain([entry.end])
        });
        let mut start = entry.map_or(0, |entry| entry.start);
        let gap = separator(name).len();
        ends.map(move |end| {
            let line = self.text.get(start..end).unwrap_or_default();
            start = end + gap;
            line
        })
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| *entry.name == *name || entry.name.eq_ignore_ascii_case(name))
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
    append_each(ops, direction, name, out, |end| {
        first.get_or_insert(end);
    });
    first
}

/// Appends the values of one header to `out`, joined with its separator, and tells where each ends.
fn append_each(
    ops: &(impl TransformationOps + ?Sized),
    direction: Direction,
    name: &str,
    out: &mut String,
    mut ended: impl FnMut(usize),
) {
    let mut is_first = true;
    let mut visit = |value: &[u8]| {
        if let Ok(value) = str::from_utf8(value) {
            if !is_first {
                out.push_str(separator(name));
            }
            out.push_str(value);
            is_first = false;
            ended(out.len());
        }
    };
    match direction {
        Direction::Request => ops.for_each_request_header_value(name, &mut visit),
        Direction::Response => ops.for_each_response_header_value(name, &mut visit),
    }
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
