//! Amazon's event streams: frames of binary headers, a payload, and two checksums.
//!
//! Called by [`super`]; pure. Events of Converse go as they are; those of another dialect go packed
//! into frames of the kind `chunk`, as InvokeModel has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Dialect;
use super::pieces::Event;

/// The content type.
pub(super) const KIND: &str = "application/vnd.amazon.eventstream";

/// The only type of header values that is used.
const STRING: u8 = 7;

/// Each event as a frame.
pub(super) fn of(dialect: Dialect, events: &[Event]) -> Vec<Vec<u8>> {
    let frame = |event: &Event| {
        let name = event.name.unwrap_or("chunk");
        if name.ends_with("Exception") {
            let headers = [
                (":exception-type", name),
                (":content-type", "application/json"),
                (":message-type", "exception"),
            ];
            return frame(&headers, event.payload.as_bytes());
        }
        let (name, payload) = match dialect {
            Dialect::Converse => (name, event.payload.clone()),
            _ => {
                let bytes = STANDARD.encode(&event.payload);
                (
                    "chunk",
                    json!({"bytes": bytes, "p": "abcdefghi"}).to_string(),
                )
            }
        };
        let headers = [
            (":event-type", name),
            (":content-type", "application/json"),
            (":message-type", "event"),
        ];
        frame(&headers, payload.as_bytes())
    };
    events.iter().map(frame).collect()
}

fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        // Names and values here are words, far shorter than their lengths can say.
        head.push(name.len() as u8);
        head.extend_from_slice(name.as_bytes());
        head.push(STRING);
        head.extend_from_slice(&(value.len() as u16).to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let total = 16 + head.len() + payload.len();
    let mut frame = Vec::with_capacity(total);
    frame.extend_from_slice(&(total as u32).to_be_bytes());
    frame.extend_from_slice(&(head.len() as u32).to_be_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&head);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_what_amazon_says_it_is() {
        let events = [Event::named("messageStop", "{}")];
        let frame = &of(Dialect::Converse, &events)[0];
        let number = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
        let headers = number(4) as usize;
        assert_eq!(number(0) as usize, frame.len());
        assert_eq!(number(8), crc32fast::hash(&frame[..8]));
        assert_eq!(
            number(frame.len() - 4),
            crc32fast::hash(&frame[..frame.len() - 4])
        );
        assert_eq!(&frame[12..12 + 14], b"\x0b:event-type\x07\x00");
        assert_eq!(&frame[12 + headers..frame.len() - 4], b"{}");
    }

    #[test]
    fn exceptions_are_no_events_and_other_dialects_are_packed() {
        let events = [
            Event::named("message_stop", "{\"type\":\"message_stop\"}"),
            Event::named("throttlingException", "{\"message\":\"later\"}"),
        ];
        let frames = of(Dialect::Messages, &events);
        let text = |at: usize| String::from_utf8_lossy(&frames[at]).into_owned();
        assert!(
            text(0).contains("chunk")
                && text(0).contains(r#"{"bytes":"eyJ0eXBlIjoibWVzc2FnZV9zdG9wIn0=""#)
        );
        assert!(
            text(1).contains("throttlingException") && text(1).contains(r#"{"message":"later"}"#)
        );
        assert!(text(1).contains(":exception-type") && !text(1).contains(":event-type"));
    }
}
