//! What comes out of a stream, and what goes into one.

use super::{Decoder, Event, Frame, Oversize, SseError, Writer};

/// Everything there is to know about an event, as text.
fn describe(kind: &str, event: &Event<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!(
        "{kind} raw={:?} event={:?} id={:?} data={:?}",
        text(event.raw()),
        event.event(),
        event.id(),
        event.data().map(|data| text(&data)),
    )
}

fn read_with(
    chunks: &[&[u8]],
    limit: usize,
    oversize: Oversize,
) -> (Vec<String>, Result<(), SseError>) {
    let mut seen = Vec::new();
    let mut out = |frame: Frame<'_>| {
        seen.push(match &frame {
            Frame::Event(event) => describe("event", event),
            Frame::Tail(event) => describe("tail", event),
            Frame::Oversized(bytes) => format!("oversized {:?}", String::from_utf8_lossy(bytes)),
        });
    };
    let mut decoder = Decoder::new(limit, oversize);
    let pushed = chunks
        .iter()
        .try_for_each(|chunk| decoder.push(chunk, &mut out));
    let outcome = pushed.and_then(|()| decoder.finish(&mut out));
    (seen, outcome)
}

fn read(stream: &str) -> Vec<String> {
    let (seen, outcome) = read_with(&[stream.as_bytes()], 1000, Oversize::Refuse);
    assert_eq!(outcome, Ok(()));
    seen
}

fn with_first<T>(stream: &str, read: impl FnOnce(&Event<'_>) -> T) -> T {
    let mut result = None;
    let mut read = Some(read);
    let mut out = |frame: Frame<'_>| {
        if let (Frame::Event(event) | Frame::Tail(event), Some(read)) = (frame, read.take()) {
            result = Some(read(&event));
        }
    };
    let mut decoder = Decoder::new(1000, Oversize::Refuse);
    decoder.push(stream.as_bytes(), &mut out).unwrap();
    decoder.finish(&mut out).unwrap();
    result.unwrap()
}

fn data(stream: &str) -> Option<String> {
    with_first(stream, |event| {
        event
            .data()
            .map(|data| String::from_utf8(data.to_vec()).unwrap())
    })
}

fn rewritten(stream: &str, data: &str) -> String {
    let mut out = Vec::new();
    with_first(stream, |event| {
        event.write_with_data(data.as_bytes(), &mut out)
    });
    String::from_utf8(out).unwrap()
}

#[test]
fn events_end_at_blank_lines_whatever_the_line_end() {
    for end in ["\n", "\r\n", "\r"] {
        let stream = format!("event: a{end}data: 1{end}{end}data: 2{end}{end}");
        let first = format!("event: a{end}data: 1{end}{end}");
        let second = format!("data: 2{end}{end}");
        let expected = [
            format!("event raw={first:?} event=Some(\"a\") id=None data=Some(\"1\")"),
            format!("event raw={second:?} event=None id=None data=Some(\"2\")"),
        ];
        assert_eq!(read(&stream), expected);
    }
}

#[test]
fn an_event_is_given_out_with_the_chunk_that_completes_it() {
    let mut decoder = Decoder::new(100, Oversize::Refuse);
    let mut push = |chunk: &str| {
        let mut count = 0;
        decoder.push(chunk.as_bytes(), &mut |_| count += 1).unwrap();
        count
    };
    assert_eq!(push("data: 1\n"), 0);
    assert_eq!(push("\n"), 1);
    assert_eq!(push("data: 2\r\n\r\n"), 1);
    assert_eq!(push("data: 3\n\ndata: 4\n\n"), 2);
}

#[test]
fn data_loses_one_space_and_lines_are_joined() {
    assert_eq!(data("data:x\n\n").unwrap(), "x");
    assert_eq!(data("data: x\n\n").unwrap(), "x");
    assert_eq!(data("data:  x \n\n").unwrap(), " x ");
    assert_eq!(data("data\n\n").unwrap(), "");
    assert_eq!(
        data("data: a\nevent: e\ndata:\ndata: b\n\n").unwrap(),
        "a\n\nb"
    );
    assert_eq!(data("data: a:b\n\n").unwrap(), "a:b");
    assert_eq!(data("datax: a\nDATA: b\n data: c\n: data: d\n\n"), None);
}

#[test]
fn the_last_name_and_id_count() {
    let seen = read("event: a\nid: 1\nid: 2\nevent: b\nid: 3\0\ndata: x\n\n");
    assert!(
        seen[0].contains("event=Some(\"b\") id=Some(\"2\")"),
        "{seen:?}"
    );
}

#[test]
fn comments_and_blank_lines_are_kept_as_bytes() {
    let seen = read("\n: keep-alive\n\nretry: 5\n\n");
    let expected = ["\"\\n\"", "\": keep-alive\\n\\n\"", "\"retry: 5\\n\\n\""];
    let expected = expected.map(|raw| format!("event raw={raw} event=None id=None data=None"));
    assert_eq!(seen, expected);
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_start_only() {
    assert_eq!(data("\u{feff}data: x\n\n").unwrap(), "x");
    assert_eq!(read("\u{feff}\n\u{feff}data: x\n\n").len(), 2);
    assert!(read("\u{feff}\n\u{feff}data: x\n\n")[1].ends_with("data=None"));
    assert_eq!(read("\u{fefe}\n\n").len(), 1);
}

#[test]
fn what_follows_the_last_blank_line_comes_at_the_end() {
    assert_eq!(read("data: 1\n\ndata: [DONE]").len(), 2);
    assert!(read("data: 1\n\ndata: [DONE]\n")[1].starts_with("tail raw=\"data: [DONE]\\n\""));
    assert!(
        read("data: 1\r\r")[0].starts_with("event"),
        "a CR can end the stream"
    );
    assert!(read("").is_empty());
}

#[test]
fn an_event_above_the_limit_is_refused_for_good() {
    let stream = b"data: 1\n\ndata: 12\n\n".as_slice();
    let (seen, outcome) = read_with(&[stream], 9, Oversize::Refuse);
    assert_eq!(seen.len(), 1);
    assert_eq!(outcome, Err(SseError::EventTooLarge { limit: 9 }));
    assert_eq!(read_with(&[stream], 10, Oversize::Refuse).1, Ok(()));
    let mut decoder = Decoder::new(3, Oversize::Refuse);
    assert!(
        decoder
            .push(b"data", &mut |_| panic!("nothing fits"))
            .is_err()
    );
    assert!(
        decoder
            .push(b"\n", &mut |_| panic!("nothing fits"))
            .is_err()
    );
    assert!(decoder.finish(&mut |_| panic!("nothing fits")).is_err());
}

#[test]
fn an_event_above_the_limit_can_pass_unread() {
    let chunks: &[&[u8]] = &[b"data: 1\n\ndata: 1234", b"5678\n", b"\ndata: 2\n\n"];
    let (seen, outcome) = read_with(chunks, 12, Oversize::PassThrough);
    assert_eq!(outcome, Ok(()));
    assert!(seen[0].ends_with("data=Some(\"1\")"));
    assert_eq!(
        seen[1..4],
        [
            "oversized \"data: 1234\"",
            "oversized \"5678\\n\"",
            "oversized \"\\n\""
        ]
    );
    assert!(seen[4].ends_with("data=Some(\"2\")"));
}

#[test]
fn new_data_leaves_the_other_lines_as_they_were() {
    assert_eq!(
        rewritten("event:  a\nid:7\n:c\ndata: x\n\n", "y"),
        "event:  a\nid:7\n:c\ndata: y\n\n"
    );
    assert_eq!(
        rewritten("data: x\r\nevent: a\r\n\r\n", "y"),
        "data: y\r\nevent: a\r\n\r\n"
    );
    assert_eq!(
        rewritten("data: 1\nid: 2\ndata: 3\n\n", "a\nb"),
        "data: a\ndata: b\nid: 2\n\n"
    );
    assert_eq!(
        rewritten("event: a\r\n\r\n", "y"),
        "event: a\r\ndata: y\r\n\r\n"
    );
    assert_eq!(rewritten("\u{feff}data: x\n\n", "y"), "\u{feff}data: y\n\n");
    assert_eq!(rewritten("data: x", "y"), "data: y\n");
    assert_eq!(rewritten("event: a", "y"), "event: a\ndata: y\n");
    assert_eq!(rewritten("event: a\n", "y"), "event: a\ndata: y\n");
}

#[test]
fn what_is_written_reads_back() {
    for text in ["", "x", " x", "a\nb", "a\n", "\n", "{\"a\": 1}", "é"] {
        let mut stream = Vec::new();
        Writer::new(&mut stream)
            .event("message_stop")
            .id("7")
            .data(text.as_bytes())
            .end();
        let stream = String::from_utf8(stream).unwrap();
        assert_eq!(data(&stream).unwrap(), text, "{stream:?}");
        assert!(read(&stream)[0].contains("event=Some(\"message_stop\") id=Some(\"7\")"));
        assert_eq!(rewritten(&stream, text), stream);
    }
}

#[test]
fn the_written_form_is_canonical() {
    let mut stream = Vec::new();
    Writer::new(&mut stream).event("x").data(b"line").end();
    assert_eq!(stream, b"event: x\ndata: line\n\n");
}

#[test]
fn a_name_cannot_bring_fields_of_its_own() {
    let mut stream = Vec::new();
    Writer::new(&mut stream)
        .event("a\ndata: evil")
        .id("1\r\n\r\ndata: evil")
        .data(b"ok\rstill ok")
        .end();
    assert_eq!(stream, b"event: a\nid: 1\ndata: ok\ndata: still ok\n\n");
}

#[test]
fn debug_output_shows_no_contents() {
    assert!(!with_first("data: hunter2\n\n", |event| format!("{event:?}")).contains("hunter2"));
}
