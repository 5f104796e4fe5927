//! Header values copied out of a message, joined per name.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use crate::ops::TransformationOps;
use crate::template::{HeaderNames, Phase};

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
    end: usize,
}

impl HeaderSnapshot {
    /// Copies the named headers. Absent ones take no room; nothing to copy allocates nothing.
    pub(crate) fn take(
        ops: &(impl TransformationOps + ?Sized),
        phase: Phase,
        names: &HeaderNames,
    ) -> HeaderSnapshot {
        let mut snapshot = HeaderSnapshot::default();
        match names {
            HeaderNames::Listed(names) => {
                snapshot.entries.reserve_exact(names.len());
                for name in names {
                    let start = snapshot.text.len();
                    if append(ops, phase, name, &mut snapshot.text) {
                        let end = snapshot.text.len();
                        snapshot.entries.push(Entry {
                            name: name.clone(),
                            start,
                            end,
                        });
                    }
                }
            }
            HeaderNames::All => {
                let mut found: Vec<(String, String)> = Vec::new();
                visit_all(ops, phase, &mut |name, value| {
                    let (Ok(name), Ok(value)) = (str::from_utf8(name), str::from_utf8(value))
                    else {
                        return;
                    };
                    let name = name.to_ascii_lowercase();
                    match found.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, values)) => {
                            values.push_str(", ");
                            values.push_str(value);
                        }
                        None => found.push((name, value.to_owned())),
                    }
                });
                for (name, value) in found {
                    let start = snapshot.text.len();
                    snapshot.text.push_str(&value);
                    let end = snapshot.text.len();
                    snapshot.entries.push(Entry {
                        name: name.into(),
                        start,
                        end,
                    });
                }
            }
        }
        snapshot
    }

    /// The joined values of a header.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))?;
        self.text.get(entry.start..entry.end)
    }
}

/// Appends the values of one header to `out`, joined with `", "`. Answers whether there were any.
pub(crate) fn append(
    ops: &(impl TransformationOps + ?Sized),
    phase: Phase,
    name: &str,
    out: &mut String,
) -> bool {
    let mut found = false;
    let mut visit = |value: &[u8]| {
        if let Ok(value) = str::from_utf8(value) {
            if found {
                out.push_str(", ");
            }
            out.push_str(value);
            found = true;
        }
    };
    match phase {
        Phase::Request => ops.for_each_request_header_value(name, &mut visit),
        Phase::Response => ops.for_each_response_header_value(name, &mut visit),
    }
    found
}

fn visit_all(
    ops: &(impl TransformationOps + ?Sized),
    phase: Phase,
    visit: &mut dyn FnMut(&[u8], &[u8]),
) {
    match phase {
        Phase::Request => ops.for_each_request_header(visit),
        Phase::Response => ops.for_each_response_header(visit),
    }
}

/// `request.headers` and `response.headers` in a template: a map.
#[derive(Debug)]
pub(super) struct HeadersValue(pub(super) Arc<HeaderSnapshot>);

impl Object for HeadersValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).map(Value::from)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.0.entries.iter().map(|entry| Value::from(&*entry.name));
        Enumerator::Values(names.collect())
    }
}
