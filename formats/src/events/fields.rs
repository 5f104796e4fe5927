//! The lines of an event, their fields, and how lines are written.

/// Appends `event: name`; anything from the first line end or NUL on is left out.
pub(super) fn write_name(name: &str, out: &mut Vec<u8>) {
    let line = name.split(['\n', '\r', '\0']).next().unwrap_or_default();
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

/// Appends `data` lines, one for each line of `data`.
pub(super) fn write_data(data: &[u8], line_end: &[u8], out: &mut Vec<u8>) {
    let mut write = |line: &[u8]| {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.extend_from_slice(line_end);
    };
    let mut ended = true;
    for line in lines(data) {
        write(line.text);
        ended = !line.end.is_empty();
    }
    // The empty line after a last line end, or instead of no line at all.
    if ended {
        write(b"");
    }
}

/// Appends text as one line, without its end. Line ends in it become spaces, which mean the same
/// between JSON tokens and cannot stand inside of them.
pub(super) fn write_line(text: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(text);
    let written = out.iter_mut().skip(start);
    for byte in written.filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
}

pub(super) struct Line<'a> {
    pub(super) text: &'a [u8],
    /// CR, LF or both; empty where the text just stops.
    pub(super) end: &'a [u8],
}

impl<'a> Line<'a> {
    /// Name and value. None for blank lines and comments.
    pub(super) fn field(&self) -> Option<(&'a [u8], &'a [u8])> {
        match memchr::memchr(b':', self.text) {
            Some(0) => None,
            None if self.text.is_empty() => None,
            None => Some((self.text, b"")),
            Some(colon) => {
                let name = self.text.get(..colon)?;
                let value = self.text.get(colon + 1..)?;
                Some((name, value.strip_prefix(b" ").unwrap_or(value)))
            }
        }
    }
}

/// The lines of `text`, each with its end. A text that ends with a line end has no line after it.
pub(super) fn lines(mut text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let length = memchr::memchr2(b'\n', b'\r', text).unwrap_or(text.len());
        let (line, rest) = text.split_at_checked(length)?;
        let end_length = if rest.starts_with(b"\r\n") {
            2
        } else {
            rest.len().min(1)
        };
        let (end, rest) = rest.split_at_checked(end_length)?;
        text = rest;
        Some(Line { text: line, end })
    })
}
