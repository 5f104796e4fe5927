//! Events as bytes, and the bytes in the pieces they are written in.
//!
//! Called by [`super`] for each answer; pure.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::knobs::{LineEnd, Pieces, Sse};

/// The payload that ends OpenAI's streams of chat and completions.
pub(super) const DONE: &str = "[DONE]";

/// An event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// What `event:` says, where the dialect has it.
    pub(super) name: Option<&'static str>,
    /// JSON, or [`DONE`].
    pub(super) payload: String,
}

impl Event {
    /// An event that has nothing but a payload.
    pub(super) fn bare(payload: impl Into<String>) -> Self {
        Self {
            name: None,
            payload: payload.into(),
        }
    }

    /// An event whose `type` stands before its payload too.
    pub(super) fn named(name: &'static str, payload: impl Into<String>) -> Self {
        Self {
            name: Some(name),
            payload: payload.into(),
        }
    }
}

/// Each event as it stands in a stream.
pub(super) fn event_texts(events: &[Event], sse: &Sse) -> Vec<Vec<u8>> {
    let line_end = match sse.line_end {
        LineEnd::Lf => "\n",
        LineEnd::CrLf => "\r\n",
        LineEnd::Cr => "\r",
    };
    let blank = if sse.tight { "" } else { " " };
    let text = |(index, event): (usize, &Event)| {
        let mut text = String::new();
        if sse.bom && index == 0 {
            text.push('\u{feff}');
        }
        if sse.comments {
            text.push_str(&format!(": keep-alive{line_end}{line_end}"));
        }
        if let Some(name) = event.name {
            text.push_str(&format!("event:{blank}{name}{line_end}"));
        }
        let payload = match event.payload.split_once(",\"") {
            Some((head, tail)) if sse.multiline => {
                format!("{head},{line_end}data:{blank}\"{tail}")
            }
            _ => event.payload.clone(),
        };
        text.push_str(&format!("data:{blank}{payload}"));
        if !(sse.no_blank && index + 1 == events.len()) {
            text.push_str(&format!("{line_end}{line_end}"));
        }
        text.into_bytes()
    };
    events.iter().enumerate().map(text).collect()
}

/// Each event as an element of a growing array, which is what Gemini streams unless it is told not
/// to.
pub(super) fn array_elements(events: &[Event]) -> Vec<Vec<u8>> {
    let element = |(index, event): (usize, &Event)| {
        let before = if index == 0 { "[" } else { ",\r\n" };
        let after = if index + 1 == events.len() {
            "\n]\n"
        } else {
            ""
        };
        format!("{before}{}{after}", event.payload).into_bytes()
    };
    events.iter().enumerate().map(element).collect()
}

/// One compressed stream, flushed behind each of `texts`: joined, the pieces are a file.
pub(super) fn gzip(texts: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut pieces = Vec::new();
    for text in texts {
        // Writing into memory does not fail.
        let written = encoder.write_all(text).and_then(|()| encoder.flush());
        debug_assert!(written.is_ok(), "memory refused bytes");
        pieces.push(std::mem::take(encoder.get_mut()));
    }
    pieces.push(encoder.finish().unwrap_or_default());
    pieces
}

/// `texts` cut or joined to the pieces that are written at once.
pub(super) fn cut(texts: Vec<Vec<u8>>, pieces: Pieces) -> Vec<Vec<u8>> {
    let chunks = |size: usize| texts.concat().chunks(size).map(<[u8]>::to_vec).collect();
    match pieces {
        Pieces::Events(count) => texts.chunks(count).map(<[_]>::concat).collect(),
        Pieces::Bytes(count) => chunks(count),
        Pieces::Whole => vec![texts.concat()],
        Pieces::Lines => split_behind(&texts.concat(), |byte| *byte == b'\n'),
        Pieces::Utf8 => {
            let starts_long = |byte: &u8| *byte >= 0xc0;
            let pieces = texts.iter().map(|text| split_behind(text, starts_long));
            pieces.flatten().collect()
        }
    }
}

fn split_behind(bytes: &[u8], ends: impl Fn(&u8) -> bool) -> Vec<Vec<u8>> {
    bytes.split_inclusive(ends).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn texts() -> Vec<Vec<u8>> {
        let events = [
            Event::named("one", r#"{"a":1,"b":"ß"}"#),
            Event::bare(r#"{"c":"🌍"}"#),
            Event::bare(DONE),
        ];
        event_texts(&events, &Sse::default())
    }

    #[test]
    fn however_it_is_cut_the_bytes_are_the_same() {
        let whole = texts().concat();
        for pieces in [
            Pieces::Events(1),
            Pieces::Events(2),
            Pieces::Bytes(1),
            Pieces::Bytes(7),
            Pieces::Utf8,
            Pieces::Lines,
            Pieces::Whole,
        ] {
            assert_eq!(cut(texts(), pieces).concat(), whole, "{pieces:?}");
        }
        assert_eq!(cut(texts(), Pieces::Events(2)).len(), 2);
        assert_eq!(cut(texts(), Pieces::Bytes(1)).len(), whole.len());
        assert!(cut(texts(), Pieces::Utf8)[0].ends_with(&[0xc3]));
    }

    #[test]
    fn events_have_the_lawful_forms() {
        let events = [Event::named("one", r#"{"a":1,"b":2}"#), Event::bare(DONE)];
        let text = |sse| String::from_utf8(event_texts(&events, &sse).concat()).unwrap();
        assert_eq!(
            text(Sse::default()),
            "event: one\ndata: {\"a\":1,\"b\":2}\n\ndata: [DONE]\n\n"
        );
        let awkward = Sse {
            line_end: LineEnd::CrLf,
            bom: true,
            tight: true,
            multiline: true,
            comments: false,
            no_blank: true,
        };
        assert_eq!(
            text(awkward),
            "\u{feff}event:one\r\ndata:{\"a\":1,\r\ndata:\"b\":2}\r\n\r\ndata:[DONE]"
        );
        let comments = Sse {
            comments: true,
            ..Sse::default()
        };
        assert!(text(comments).ends_with(": keep-alive\n\ndata: [DONE]\n\n"));
    }

    #[test]
    fn growing_arrays_are_arrays() {
        let events = [Event::bare("{\"a\":1}"), Event::bare("{\"a\":2}")];
        let text = array_elements(&events).concat();
        let read: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(read, serde_json::json!([{"a": 1}, {"a": 2}]));
    }

    #[test]
    fn compressed_events_can_be_read_as_they_come() {
        let pieces = gzip(&texts());
        let mut first = flate2::write::GzDecoder::new(Vec::new());
        first.write_all(&pieces[0]).unwrap();
        first.flush().unwrap();
        assert_eq!(first.get_ref(), &texts()[0]);
        let joined = pieces.concat();
        let mut read = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(joined.as_slice());
        decoder.read_to_end(&mut read).unwrap();
        assert_eq!(read, texts().concat());
    }
}
