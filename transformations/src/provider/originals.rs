//! What a client sent in the headers that attempts change.
//!
//! A host does not restore headers between attempts: the second one sees what the first has made of
//! them. So the first notes them in dynamic metadata, and every later one begins with the note.
//! Credentials are not among them: none of the client's goes to any provider.

use llm::translate::without_key;

use super::NAMESPACE;
use crate::host::{Attribute, HostValue, MetadataSource};
use crate::ops::TransformationOps;

/// The key of the note.
const KEY: &str = "originals";

/// The headers that attempts change, other than those that hold credentials or a length.
const HEADERS: [&str; 7] = [
    ":path",
    ":authority",
    "accept-encoding",
    "anthropic-beta",
    "anthropic-version",
    "content-encoding",
    "content-type",
];

/// The headers as the client sent them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Originals(Vec<Option<String>>);

impl Originals {
    /// Reads the note of an earlier attempt, or the headers, which then are noted where attempts may
    /// follow.
    pub(super) fn of(ops: &mut (impl TransformationOps + ?Sized), is_attempt: bool) -> Originals {
        if !is_attempt {
            return Originals::read(ops);
        }
        // Where the host counts attempts, the first one need not look for what nobody has written.
        let attempt = Attribute::find("upstream.request_attempt_count");
        let attempt = attempt.and_then(|it| ops.attribute(it));
        if attempt != Some(HostValue::Integer(1))
            && let Some(noted) = ops.metadata_text(MetadataSource::Dynamic, NAMESPACE, KEY)
            && let Ok(noted) = serde_json::from_str(&noted)
        {
            return Originals(noted);
        }
        let read = Originals::read(ops);
        // Texts and nothing else: this cannot fail.
        let noted = serde_json::to_string(&read.0).unwrap_or_default();
        ops.set_dynamic_metadata_string(NAMESPACE, KEY, &noted);
        read
    }

    fn read(ops: &(impl TransformationOps + ?Sized)) -> Originals {
        let mut values = vec![None; HEADERS.len()];
        for (name, value) in HEADERS.iter().zip(&mut values) {
            ops.for_each_request_header_value(name, &mut |it| {
                let text = String::from_utf8_lossy(it);
                match value {
                    None => *value = Some(text.into_owned()),
                    Some(joined) => {
                        let joined: &mut String = joined;
                        joined.push(',');
                        joined.push_str(&text);
                    }
                }
            });
        }
        if let Some(Some(path)) = values.first_mut() {
            *path = without_key(path);
        }
        Originals(values)
    }

    /// The value of one of the headers; empty where there was none.
    pub(super) fn get(&self, name: &str) -> &str {
        let at = HEADERS.iter().position(|it| *it == name);
        let value = at.and_then(|at| self.0.get(at)?.as_deref());
        value.unwrap_or_default()
    }
}
