//! One event, read from its bytes.
//!
//! Fields are looked for when somebody asks: an event that is only forwarded costs nothing here. Lives
//! as long as the call that gives it out.

use std::borrow::Cow;
use std::fmt;

use super::Format;
use super::fields::{lines, write_data, write_line};

pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// An event of a stream, as bytes.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    format: Format,
    raw: &'a [u8],
    /// It is the first of its stream, where a byte order mark is no content.
    starts_stream: bool,
}

impl<'a> Event<'a> {
    pub(super) fn new(format: Format, raw: &'a [u8], starts_stream: bool) -> Event<'a> {
        Event {
            format,
            raw,
            starts_stream,
        }
    }

    /// The bytes as they came, the end of the event included.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The byte order mark with which an event stream may start; empty where there is none. It belongs
    /// to the stream and not to this event.
    pub fn mark(&self) -> &'a [u8] {
        match self.raw.split_at_checked(BOM.len()) {
            Some((mark, _)) if mark == BOM && self.starts_stream && self.format == Format::Sse => {
                mark
            }
            _ => b"",
        }
    }

    /// The data: the contents of all `data` fields, joined by line feeds, or the line without its end
    /// (LF or CRLF). None for what reaches no reader: events without such a field, and blank lines.
    /// Borrows unless there are several fields, which is rare.
    pub fn data(&self) -> Option<Cow<'a, [u8]>> {
        if self.format == Format::Ndjson {
            return Some(Cow::Borrowed(self.line())).filter(|line| !line.is_empty());
        }
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

    /// The name: what the last `event` field says, with bytes that are not UTF-8 replaced, or `message`
    /// where there is no such field. Lines have no name.
    pub fn name(&self) -> Option<Cow<'a, str>> {
        match self.format {
            Format::Sse => {
                let name = self.fields(b"event").last();
                Some(name.map_or(Cow::Borrowed("message"), String::from_utf8_lossy))
            }
            Format::Ndjson => None,
        }
    }

    /// The id. None without an `id` field; the last one counts, and one that contains NUL does not.
    pub fn id(&self) -> Option<Cow<'a, str>> {
        match self.format {
            Format::Sse => {
                let ids = self.fields(b"id").filter(|id| !id.contains(&0));
                ids.last().map(String::from_utf8_lossy)
            }
            Format::Ndjson => None,
        }
    }

    /// Appends this event with other data; everything else of it stays as it is.
    ///
    /// New `data` fields stand where the first of the old stood, or at the end of an event that had
    /// none. Data of several lines becomes as many fields, in which a reader finds line feeds for
    /// whatever line ends `data` has; in a line of JSON, line ends become spaces.
    pub fn write_with_data(&self, data: &[u8], out: &mut Vec<u8>) {
        match self.format {
            Format::Sse => self.write_with_fields(data, out),
            Format::Ndjson => {
                write_line(data, out);
                out.extend_from_slice(self.raw.get(self.line().len()..).unwrap_or_default());
            }
        }
    }

    fn write_with_fields(&self, data: &[u8], out: &mut Vec<u8>) {
        let mut pending = Some(data);
        out.extend_from_slice(self.mark());
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

    /// What readers see.
    fn text(&self) -> &'a [u8] {
        self.raw.get(self.mark().len()..).unwrap_or_default()
    }

    /// A line of JSON without its end.
    fn line(&self) -> &'a [u8] {
        let line = self.raw.strip_suffix(b"\n").unwrap_or(self.raw);
        line.strip_suffix(b"\r").unwrap_or(line)
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
