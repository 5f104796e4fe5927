//! JSON text with a space after each comma and colon and no other white space.
//!
//! Called on worker threads when a container of a message is printed. One pass over the text finds keys
//! that repeat, another one writes; neither opens containers, nor takes stack for their depth.

use std::fmt::{self, Write};
use std::ops::Range;

use super::repeats::repeats;
use super::string;

/// How much is collected before it is handed on.
const CHUNK: usize = 8 << 10;

/// Writes a checked JSON text, such as [`Node::raw`](super::Node::raw), spaced evenly. Strings and
/// numbers keep their spelling; of members with the same key, the last one is written.
///
/// # Errors
///
/// If `out` refuses text.
pub fn write_spaced(out: &mut dyn Write, text: &str) -> fmt::Result {
    let bytes = text.as_bytes();
    let mut hidden = hidden(text).into_iter().peekable();
    let mut chunk = String::with_capacity(text.len().min(CHUNK));
    // What stands from `done` to `at` was read and is not yet written.
    let (mut done, mut at) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        let separator = matches!(byte, b',' | b':');
        match byte {
            b'"' => {
                if let Some(member) = hidden.next_if(|member| member.start == at) {
                    chunk.push_str(text.get(done..at).unwrap_or_default());
                    at = member.end;
                    done = at;
                    // What is hidden within it is gone with it.
                    while hidden.next_if(|inner| inner.start < at).is_some() {}
                    continue;
                }
                at = string::end(bytes, at);
                continue;
            }
            b',' | b':' => at += 1,
            b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => {
                at += 1;
                continue;
            }
        }
        chunk.push_str(text.get(done..at).unwrap_or_default());
        if separator {
            chunk.push(' ');
        }
        at = skip_whitespace(bytes, at);
        done = at;
        if chunk.len() >= CHUNK {
            out.write_str(&chunk)?;
            chunk.clear();
        }
    }
    out.write_str(&chunk)?;
    out.write_str(text.get(done..at).unwrap_or_default())
}

/// A key as it is written, and where.
type Key<'t> = (&'t str, usize);

/// The members whose key comes again later in the same object, in ascending order: from the key up to
/// the next one, so that the comma between them goes too.
fn hidden(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut hidden = Vec::new();
    // The keys of all open objects, and where those of each open container begin; none for an array.
    let mut keys: Vec<Key<'_>> = Vec::new();
    let mut open: Vec<Option<usize>> = Vec::new();
    let (mut at, mut is_key) = (0, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = string::end(bytes, at);
                if is_key {
                    keys.push((text.get(at..end).unwrap_or_default(), at));
                    is_key = false;
                }
                at = end;
                continue;
            }
            b'{' => {
                open.push(Some(keys.len()));
                is_key = true;
            }
            b'[' => {
                open.push(None);
                is_key = false;
            }
            b'}' | b']' => {
                if let Some(Some(first)) = open.pop() {
                    hide(keys.get(first..).unwrap_or_default(), &mut hidden);
                    keys.truncate(first);
                }
                is_key = false;
            }
            b',' => is_key = matches!(open.last(), Some(Some(_))),
            _ => {}
        }
        at += 1;
    }
    hidden.sort_unstable_by_key(|member| member.start);
    hidden
}

fn hide(keys: &[Key<'_>], hidden: &mut Vec<Range<usize>>) {
    let quoted: Vec<&str> = keys.iter().map(|(quoted, _)| *quoted).collect();
    for index in repeats(&quoted) {
        // A repeated key has another one after it.
        if let (Some((_, start)), Some((_, end))) = (keys.get(index), keys.get(index + 1)) {
            hidden.push(*start..*end);
        }
    }
}

fn skip_whitespace(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    at + rest.iter().take_while(is_space).count()
}
