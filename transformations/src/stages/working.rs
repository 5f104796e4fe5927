//! A message in work: what the host has, with what earlier stages made of it and a body in memory.
//!
//! The host of every stage behind the first, and of all stages where the body was held in memory. The
//! first stage that finds the body with the host works on the host itself, and pays for none of this.
//! Nothing is written through it before the last stage is done; see [`commit`](super::commit).

use super::edits::{Change, StageEdits};
use crate::direction::Direction;
use crate::host::{Attribute, HostValue, LastKinds, MetadataSource};
use crate::http;
use crate::ops::TransformationOps;
use crate::program::Action;
use formats::json::{Document, ParseError};

/// A body in memory.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Bytes(Vec<u8>),
    /// As it was parsed, so that it is not parsed again.
    Parsed(Document),
}

impl Body {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Body::Bytes(bytes) => bytes,
            Body::Parsed(document) => document.text().as_bytes(),
        }
    }
}

/// The message of one direction between two stages.
pub(super) struct Working<'a, 'p, O: ?Sized> {
    ops: &'a mut O,
    direction: Direction,
    earlier: &'a [StageEdits<'p>],
    /// The body, unless it is where the host has it.
    body: Option<Body>,
    /// The body is in no coding, whatever the host's headers tell of the one that the host has.
    is_plain: bool,
}

impl<'a, 'p, O: TransformationOps + ?Sized> Working<'a, 'p, O> {
    pub(super) fn new(
        ops: &'a mut O,
        direction: Direction,
        earlier: &'a [StageEdits<'p>],
        body: Option<Body>,
        is_plain: bool,
    ) -> Working<'a, 'p, O> {
        Working {
            ops,
            direction,
            earlier,
            body,
            is_plain,
        }
    }

    /// The body in memory, unless it was taken out or is where the host has it.
    pub(super) fn into_body(self) -> Option<Body> {
        self.body
    }

    /// The body in memory, if it is of this direction.
    fn body(&self, direction: Direction) -> Option<&Body> {
        self.body.as_ref().filter(|_| direction == self.direction)
    }

    /// Visits the values that a header has behind the earlier stages.
    fn values(&self, direction: Direction, name: &str, visit: &mut dyn FnMut(&[u8])) {
        let is_ours = self.is_plain && self.body(direction).is_some();
        if is_ours && name == "content-encoding" {
            return;
        }
        let changes = || {
            let all = self.earlier.iter();
            let all = all.flat_map(|made| made.changes().map(move |it| (made, it)));
            all.filter(move |(_, (rule, _))| rule.action.is_about(direction, name))
        };
        if direction != self.direction || changes().next().is_none() {
            return match direction {
                Direction::Request => self.ops.for_each_request_header_value(name, visit),
                Direction::Response => self.ops.for_each_response_header_value(name, visit),
            };
        }
        let mut values: Vec<Vec<u8>> = Vec::new();
        let mut collect = |value: &[u8]| values.push(value.to_vec());
        match direction {
            Direction::Request => self.ops.for_each_request_header_value(name, &mut collect),
            Direction::Response => self.ops.for_each_response_header_value(name, &mut collect),
        }
        for (made, (rule, change)) in changes() {
            match (&rule.action, change) {
                (Action::Set { .. }, Change::To("")) if http::is_vital(name, direction) => {}
                (Action::Add { .. }, Change::To("")) => {}
                (Action::Set { .. }, Change::To(value)) if !value.is_empty() => {
                    values = vec![value.into()];
                }
                (Action::Add { .. }, Change::To(value)) => values.push(value.into()),
                (_, Change::Lines(lines)) => {
                    let lines = lines.iter().map(|line| made.edits.line(line).to_vec());
                    values = lines.filter(|line| !line.is_empty()).collect();
                }
                (_, Change::To(_)) => values.clear(),
            }
        }
        values.iter().for_each(|value| visit(value));
    }

    /// Visits all headers as they are behind the earlier stages.
    fn lines(&self, direction: Direction, visit: &mut dyn FnMut(&[u8], &[u8])) {
        if self.earlier.is_empty() && !self.is_plain {
            return match direction {
                Direction::Request => self.ops.for_each_request_header(visit),
                Direction::Response => self.ops.for_each_response_header(visit),
            };
        }
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut collect = |name: &[u8], _: &[u8]| {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name.to_vec());
            }
        };
        match direction {
            Direction::Request => self.ops.for_each_request_header(&mut collect),
            Direction::Response => self.ops.for_each_response_header(&mut collect),
        }
        if direction == self.direction {
            let changes = self.earlier.iter().flat_map(StageEdits::changes);
            for name in changes.filter_map(|(rule, _)| rule.action.header()) {
                collect(name.as_bytes(), b"");
            }
        }
        for name in &names {
            // Names of headers that are no text match no edit.
            if let Ok(text) = str::from_utf8(name) {
                let text = text.to_ascii_lowercase();
                self.values(direction, &text, &mut |value| visit(name, value));
            }
        }
    }
}

/// The twins of both directions, each with the name of the method it stands for.
macro_rules! of_each_direction {
    ($(($direction:ident, $get:ident, $drain:ident, $append:ident, $length:ident, $parse:ident)),*) => {$(
        fn $get(&mut self) -> Vec<u8> {
            match self.body(Direction::$direction) {
                Some(body) => body.bytes().to_vec(),
                None => self.ops.$get(),
            }
        }

        fn $drain(&mut self, bytes: usize) -> bool {
            match self.body(Direction::$direction) {
                // Nobody takes less than all of it.
                Some(_) => {
                    self.body = None;
                    true
                }
                None => self.ops.$drain(bytes),
            }
        }

        fn $append(&mut self, bytes: &[u8]) -> bool {
            self.ops.$append(bytes)
        }

        fn $length(&mut self) -> usize {
            match self.body(Direction::$direction) {
                Some(body) => body.bytes().len(),
                None => self.ops.$length(),
            }
        }

        fn $parse(&mut self) -> Result<Option<Document>, ParseError> {
            match self.body(Direction::$direction) {
                Some(Body::Parsed(document)) => Ok(Some(document.clone())),
                Some(Body::Bytes(bytes)) if bytes.is_empty() => Ok(None),
                Some(Body::Bytes(bytes)) => {
                    let document = Document::parse(bytes.as_slice())?;
                    // The same bytes need not be here twice.
                    self.body = Some(Body::Parsed(document.clone()));
                    Ok(Some(document))
                }
                None => self.ops.$parse(),
            }
        }
    )*};
}

impl<O: TransformationOps + ?Sized> TransformationOps for Working<'_, '_, O> {
    fn for_each_request_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.lines(Direction::Request, visit);
    }

    fn for_each_response_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.lines(Direction::Response, visit);
    }

    fn for_each_request_header_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.values(Direction::Request, name, visit);
    }

    fn for_each_response_header_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.values(Direction::Response, name, visit);
    }

    fn for_each_response_trailer_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.ops.for_each_response_trailer_value(name, visit);
    }

    fn add_request_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.ops.add_request_header(name, value)
    }

    fn set_request_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.ops.set_request_header(name, value)
    }

    fn remove_request_header(&mut self, name: &str) -> bool {
        self.ops.remove_request_header(name)
    }

    fn add_response_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.ops.add_response_header(name, value)
    }

    fn set_response_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.ops.set_response_header(name, value)
    }

    fn remove_response_header(&mut self, name: &str) -> bool {
        self.ops.remove_response_header(name)
    }

    of_each_direction! {
        (
            Request,
            get_request_body,
            drain_request_body,
            append_request_body,
            request_body_length,
            parse_request_json_body
        ),
        (
            Response,
            get_response_body,
            drain_response_body,
            append_response_body,
            response_body_length,
            parse_response_json_body
        )
    }

    fn set_dynamic_metadata_string(&mut self, namespace: &str, key: &str, value: &str) -> bool {
        self.ops.set_dynamic_metadata_string(namespace, key, value)
    }

    fn set_dynamic_metadata_number(&mut self, namespace: &str, key: &str, value: f64) -> bool {
        self.ops.set_dynamic_metadata_number(namespace, key, value)
    }

    fn set_dynamic_metadata_bool(&mut self, namespace: &str, key: &str, value: bool) -> bool {
        self.ops.set_dynamic_metadata_bool(namespace, key, value)
    }

    fn expect_body(&mut self, direction: Direction, length: usize) {
        self.ops.expect_body(direction, length);
    }

    fn set_dynamic_metadata_json(&mut self, namespace: &str, key: &str, json: &str) -> bool {
        self.ops.set_dynamic_metadata_json(namespace, key, json)
    }

    fn add_dynamic_metadata_list_string(
        &mut self,
        namespace: &str,
        key: &str,
        value: &str,
    ) -> bool {
        self.ops
            .add_dynamic_metadata_list_string(namespace, key, value)
    }

    fn add_dynamic_metadata_list_number(&mut self, namespace: &str, key: &str, value: f64) -> bool {
        self.ops
            .add_dynamic_metadata_list_number(namespace, key, value)
    }

    fn add_dynamic_metadata_list_bool(&mut self, namespace: &str, key: &str, value: bool) -> bool {
        self.ops
            .add_dynamic_metadata_list_bool(namespace, key, value)
    }

    fn metadata(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        last: &LastKinds,
    ) -> Option<HostValue> {
        self.ops.metadata(source, namespace, key, last)
    }

    fn attribute(&self, attribute: Attribute) -> Option<HostValue> {
        self.ops.attribute(attribute)
    }

    fn unix_nanoseconds(&self) -> i64 {
        self.ops.unix_nanoseconds()
    }

    fn unix_seconds(&self) -> i64 {
        self.ops.unix_seconds()
    }
}
