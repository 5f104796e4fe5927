//! One event, read from its bytes.
//!
//! Fields are looked for when somebody asks: an event that is only forwarded costs nothing here. Lives
//! as long as the call that gives it out.

use std::borrow::Cow;
use std::fmt;

pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// An event of a stream, as bytes.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    raw: &'a [u8],
    /// It is the first of its stream, where a byte order mark is no content.
    starts_stream: bool,
}

impl<'a> Event<'a> {
    pub(super) fn new(raw: &'a [u8], starts_stream: bool) -> Self {
        Self { raw, starts_stream }
    }

    /// The bytes as they came, the blank line at the end included.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The name of the event. None without an `event` field, which readers take for `message`. The
    /// last one counts; bytes that are not UTF-8 are replaced.
    pub fn event(&self) -> Option<Cow<'a, str>> {
        self.fields(b"event").last().map(String::from_utf8_lossy)
    }

    /// The id. None without an `id` field; the last one counts, and one that contains NUL does not.
    pub fn id(&self) -> Option<Cow<'a, str>> {
        let ids = self.fields(b"id").filter(|id| !id.contains(&0));
        ids.last().map(String::from_utf8_lossy)
    }

    /// The contents of all `data` fields, joined by line feeds. None if there is none: such an event
    /// reaches no reader. Borrows if there is one, which is the rule.
    pub fn data(&self) -> Option<Cow<'a, [u8]>> {
        let mut fields = self.fields(b"data");
        let first = fields.next()?;
        let Some(second) = fields.next() else {
            return Some(Cow::Borrowed(first));
        };
        let mut joined = first.to_vec();
        for line in std::iter::once(second).chain(fields) {
            joined.push(b'\n');
            joined.extend_from_slice(line);
        }
        Some(Cow::Owned(joined))
    }

    /// Appends this event with other data. All lines but the `data` lines stay as they are; the new
    /// ones stand where the first of the old stood, or at the end of an event that had none.
    ///
    /// Data of several lines becomes as many fields, in which a reader finds line feeds for whatever
    /// line ends `data` has.
    pub fn write_with_data(&self, data: &[u8], out: &mut Vec<u8>) {
        let mut pending = Some(data);
        let mark = self.raw.len() - self.text().len();
        out.extend_from_slice(self.raw.get(..mark).unwrap_or_default());
        let mut line_end: &[u8] = b"\n";
        for line in lines(self.text()) {
            let is_data = line.field().is_some_and(|(name, _)| name == b"data");
            if !line.end.is_empty() {
                line_end = line.end;
            }
            let here = is_data || line.text.is_empty();
            if here && let Some(data) = pending.take() {
                write_data(data, line_end, out);
            }
            if !is_data {
                out.extend_from_slice(line.text);
                out.extend_from_slice(line.end);
            }
        }
        // An unterminated event without data: its last line must end before ours can start.
        if let Some(data) = pending {
            if !self.text().is_empty() && !self.raw.ends_with(b"\n") && !self.raw.ends_with(b"\r") {
                out.extend_from_slice(line_end);
            }
            write_data(data, line_end, out);
        }
    }

    fn text(&self) -> &'a [u8] {
        match self.raw.strip_prefix(BOM) {
            Some(text) if self.starts_stream => text,
            _ => self.raw,
        }
    }

    fn fields(&self, wanted: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
        let fields = lines(self.text()).filter_map(|line| line.field());
        fields.filter_map(move |(name, value)| (name == wanted).then_some(value))
    }
}

/// Says how long the event is, never what it says: streams do not belong in logs.
impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("len", &self.raw.len())
            .finish_non_exhaustive()
    }
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

struct Line<'a> {
    text: &'a [u8],
    /// CR, LF or both; empty where the text just stops.
    end: &'a [u8],
}

impl<'a> Line<'a> {
    /// Name and value. None for blank lines and comments.
    fn field(&self) -> Option<(&'a [u8], &'a [u8])> {
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
fn lines(mut text: &[u8]) -> impl Iterator<Item = Line<'_>> {
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
