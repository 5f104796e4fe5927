//! What comes out of a stream, and what goes into one.

use super::Format::{Ndjson, Sse};
use super::{Decoder, Event, Format, Frame};

/// Everything there is to know about a frame, as text.
fn describe(frame: &Frame<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (kind, event) = match frame {
        Frame::Event(event) => ("event", event),
        Frame::Tail(event) => ("tail", event),
        Frame::Oversized(bytes) => return format!("oversized {:?}", text(bytes)),
    };
    format!(
        "{kind} raw={:?} name={:?} id={:?} data={:?}",
        text(event.raw()),
        event.name().as_deref().unwrap_or("-"),
        event.id().as_deref().unwrap_or("-"),
        event.data().map_or("-".to_owned(), |data| text(&data)),
    )
}

fn read_with(format: Format, chunks: &[&str], limit: usize) -> Vec<String> {
    let mut seen = Vec::new();
    let mut decoder = Decoder::new(format, limit);
    for chunk in chunks {
        let mut rest = chunk.as_bytes();
        while let Some(frame) = decoder.next(&mut rest) {
            seen.push(describe(&frame));
        }
    }
    seen.extend(decoder.finish().as_ref().map(describe));
    seen
}

fn read(stream: &str) -> Vec<String> {
    read_with(Sse, &[stream], 1000)
}

fn with_first<T>(format: Format, stream: &str, read: impl FnOnce(&Event<'_>) -> T) -> T {
    let mut decoder = Decoder::new(format, 1000);
    if let Some(Frame::Event(event)) = decoder.next(&mut stream.as_bytes()) {
        return read(&event);
    }
    match decoder.finish().unwrap() {
        Frame::Event(event) | Frame::Tail(event) => read(&event),
        Frame::Oversized(_) => panic!("the event is short"),
    }
}

fn data(stream: &str) -> Option<String> {
    with_first(Sse, stream, |event| {
        event
            .data()
            .map(|data| String::from_utf8(data.to_vec()).unwrap())
    })
}

fn rewritten(format: Format, stream: &str, data: &str) -> String {
    let mut out = Vec::new();
    with_first(format, stream, |event| {
        event.write_with_data(data.as_bytes(), &mut out)
    });
    String::from_utf8(out).unwrap()
}

fn written(format: Format, name: Option<&str>, data: &str) -> String {
    let mut out = Vec::new();
    format.write(name, data.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn content_types_name_their_format() {
    assert_eq!(Format::of("text/event-stream"), Some(Sse));
    assert_eq!(Format::of(" Text/Event-Stream ; charset=utf-8"), Some(Sse));
    assert_eq!(Format::of("application/x-ndjson"), Some(Ndjson));
    assert_eq!(Format::of("application/jsonl"), Some(Ndjson));
    for other in [
        "",
        "application/json",
        "text/event-streams",
        ";text/event-stream",
    ] {
        assert_eq!(Format::of(other), None, "{other}");
    }
}

#[test]
fn events_end_at_blank_lines_whatever_the_line_end() {
    for end in ["\n", "\r\n", "\r"] {
        let stream = format!("event: a{end}data: 1{end}{end}data: 2{end}{end}");
        let first = format!("event: a{end}data: 1{end}{end}");
        let second = format!("data: 2{end}{end}");
        let expected = [
            format!("event raw={first:?} name=\"a\" id=\"-\" data=\"1\""),
            format!("event raw={second:?} name=\"message\" id=\"-\" data=\"2\""),
        ];
        assert_eq!(read(&stream), expected);
    }
}

#[test]
fn an_event_is_given_out_with_the_chunk_that_completes_it() {
    let mut decoder = Decoder::new(Sse, 100);
    let mut push = |chunk: &str| {
        let mut rest = chunk.as_bytes();
        std::iter::from_fn(|| decoder.next(&mut rest).map(drop)).count()
    };
    assert_eq!(push("data: 1\n"), 0);
    assert_eq!(push("\n"), 1);
    assert_eq!(push("data: 2\r\n\r\n"), 1);
    assert_eq!(push("data: 3\n\ndata: 4\n\n"), 2);
}

#[test]
fn an_event_that_is_whole_in_a_chunk_is_not_copied() {
    let chunk = b"data: 1\n\ndata: 2\n\n".as_slice();
    let mut decoder = Decoder::new(Sse, 100);
    let mut rest = chunk;
    for place in [0, 9] {
        let Some(Frame::Event(event)) = decoder.next(&mut rest) else {
            panic!("there are two events");
        };
        assert!(std::ptr::eq(event.raw(), &chunk[place..place + 9]));
    }
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
    assert!(seen[0].contains("name=\"b\" id=\"2\""), "{seen:?}");
}

#[test]
fn comments_and_blank_lines_are_kept_as_bytes() {
    let seen = read("\n: keep-alive\n\nretry: 5\n\n");
    let expected = ["\"\\n\"", "\": keep-alive\\n\\n\"", "\"retry: 5\\n\\n\""];
    let expected =
        expected.map(|raw| format!("event raw={raw} name=\"message\" id=\"-\" data=\"-\""));
    assert_eq!(seen, expected);
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_start_only() {
    assert_eq!(data("\u{feff}data: x\n\n").unwrap(), "x");
    assert_eq!(read("\u{feff}\n\u{feff}data: x\n\n").len(), 2);
    assert!(read("\u{feff}\n\u{feff}data: x\n\n")[1].ends_with("data=\"-\""));
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
fn an_event_above_the_limit_passes_unread() {
    let chunks = ["data: 1\n\ndata: 1234", "5678\n", "\ndata: 2\n\n"];
    let seen = read_with(Sse, &chunks, 12);
    assert!(seen[0].ends_with("data=\"1\""));
    assert_eq!(
        seen[1..4],
        [
            "oversized \"data: 1234\"",
            "oversized \"5678\\n\"",
            "oversized \"\\n\""
        ]
    );
    assert!(seen[4].ends_with("data=\"2\""));
    // Its end counts.
    assert!(read_with(Sse, &["data: 12\n\n"], 10)[0].starts_with("event"));
    assert!(read_with(Sse, &["data: 12\n\n"], 9)[0].starts_with("oversized"));
}

#[test]
fn what_is_held_of_an_event_above_the_limit_goes_first() {
    let seen = read_with(Ndjson, &["12", "3", "45", "6\n7\n"], 4);
    let expected = [
        "oversized \"123\"",
        "oversized \"45\"",
        "oversized \"6\\n\"",
        "event raw=\"7\\n\" name=\"-\" id=\"-\" data=\"7\"",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn lines_come_whole_and_the_last_may_lack_its_end() {
    let seen = read_with(Ndjson, &["{\"a\"", ":1}\r\n\n[]", "\n{"], 100);
    let expected = [
        "event raw=\"{\\\"a\\\":1}\\r\\n\" name=\"-\" id=\"-\" data=\"{\\\"a\\\":1}\"",
        "event raw=\"\\n\" name=\"-\" id=\"-\" data=\"-\"",
        "event raw=\"[]\\n\" name=\"-\" id=\"-\" data=\"[]\"",
        "tail raw=\"{\" name=\"-\" id=\"-\" data=\"{\"",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_byte_order_mark_belongs_to_an_event_stream_alone() {
    let mark = |format, stream| with_first(format, stream, |event| event.mark().len());
    assert_eq!(mark(Sse, "\u{feff}data: x\n\n"), 3);
    assert_eq!(mark(Sse, "data: x\n\n"), 0);
    assert_eq!(mark(Sse, "\u{fefe}\n\n"), 0);
    assert_eq!(mark(Ndjson, "\u{feff}{}\n"), 0);
}

#[test]
fn new_data_leaves_the_other_lines_as_they_were() {
    assert_eq!(
        rewritten(Sse, "event:  a\nid:7\n:c\ndata: x\n\n", "y"),
        "event:  a\nid:7\n:c\ndata: y\n\n"
    );
    assert_eq!(
        rewritten(Sse, "data: x\r\nevent: a\r\n\r\n", "y"),
        "data: y\r\nevent: a\r\n\r\n"
    );
    assert_eq!(
        rewritten(Sse, "data: 1\nid: 2\ndata: 3\n\n", "a\nb"),
        "data: a\ndata: b\nid: 2\n\n"
    );
    assert_eq!(
        rewritten(Sse, "event: a\r\n\r\n", "y"),
        "event: a\r\ndata: y\r\n\r\n"
    );
    assert_eq!(
        rewritten(Sse, "\u{feff}data: x\n\n", "y"),
        "\u{feff}data: y\n\n"
    );
    assert_eq!(rewritten(Sse, "data: x", "y"), "data: y\n");
    assert_eq!(rewritten(Sse, "event: a", "y"), "event: a\ndata: y\n");
    assert_eq!(rewritten(Sse, "event: a\n", "y"), "event: a\ndata: y\n");
}

#[test]
fn a_new_line_keeps_the_end_of_the_old() {
    assert_eq!(rewritten(Ndjson, "{}\r\n", "[1,\n2]"), "[1, 2]\r\n");
    assert_eq!(rewritten(Ndjson, "{}", "[]"), "[]");
}

#[test]
fn what_is_written_reads_back() {
    for text in ["", "x", " x", "a\nb", "a\n", "\n", "{\"a\": 1}", "é"] {
        let stream = written(Sse, Some("message_stop"), text);
        assert_eq!(data(&stream).unwrap(), text, "{stream:?}");
        assert!(read(&stream)[0].contains("name=\"message_stop\" id=\"-\""));
        assert_eq!(rewritten(Sse, &stream, text), stream);
    }
}

#[test]
fn the_written_form_is_canonical() {
    let sse = written(Sse, Some("x"), "line");
    assert_eq!(sse, "event: x\ndata: line\n\n");
    assert_eq!(written(Sse, None, ""), "data: \n\n");
    assert_eq!(written(Ndjson, Some("x"), "{\r\n}"), "{  }\n");
}

#[test]
fn a_name_cannot_bring_fields_of_its_own() {
    let stream = written(Sse, Some("a\r\n\r\ndata: evil"), "ok\rstill ok");
    assert_eq!(stream, "event: a\ndata: ok\ndata: still ok\n\n");
}

#[test]
fn what_is_cut_off_is_ended_before_another_event() {
    let ended = |format: Format, stream: &str| {
        let mut out = stream.as_bytes().to_vec();
        format.separate(*out.last().unwrap(), &mut out);
        format.write(None, b"2", &mut out);
        let out = String::from_utf8(out).unwrap();
        let last = read_with(format, &[&out], 100).pop().unwrap();
        assert!(
            last.starts_with("event") && last.ends_with("data=\"2\""),
            "{last}"
        );
    };
    for stream in ["data: 1", "data: 1\n", "data: 1\r", ": c", "data: 1\r\n"] {
        ended(Sse, stream);
    }
    ended(Ndjson, "1");
    ended(Ndjson, "1\n");
}

#[test]
fn debug_output_shows_no_contents() {
    assert!(
        !with_first(Sse, "data: hunter2\n\n", |event| format!("{event:?}")).contains("hunter2")
    );
}
