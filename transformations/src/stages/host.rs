//! One direction of the host: picks the request or the response twin of each operation.

use crate::direction::Direction;
use crate::http;
use crate::ops::TransformationOps;
use formats::json::{Document, ParseError};

/// The host, seen from one direction.
pub(super) struct DirectionHost<'a, O: ?Sized> {
    pub(super) ops: &'a mut O,
    pub(super) direction: Direction,
}

impl<O: TransformationOps + ?Sized> DirectionHost<'_, O> {
    pub(super) fn set(&mut self, name: &str, value: &[u8]) -> bool {
        match self.direction {
            Direction::Request => self.ops.set_request_header(name, value),
            Direction::Response => self.ops.set_response_header(name, value),
        }
    }

    pub(super) fn add(&mut self, name: &str, value: &[u8]) -> bool {
        match self.direction {
            Direction::Request => self.ops.add_request_header(name, value),
            Direction::Response => self.ops.add_response_header(name, value),
        }
    }

    pub(super) fn remove(&mut self, name: &str) -> bool {
        match self.direction {
            Direction::Request => self.ops.remove_request_header(name),
            Direction::Response => self.ops.remove_response_header(name),
        }
    }

    pub(super) fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        match self.direction {
            Direction::Request => self.ops.for_each_request_header_value(name, visit),
            Direction::Response => self.ops.for_each_response_header_value(name, visit),
        }
    }

    /// Visits every header as (name, value), in order, repeats included.
    pub(super) fn for_each(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        match self.direction {
            Direction::Request => self.ops.for_each_request_header(visit),
            Direction::Response => self.ops.for_each_response_header(visit),
        }
    }

    /// Whether a line of the header is as `test` says.
    pub(super) fn any(&self, name: &str, test: impl Fn(&[u8]) -> bool) -> bool {
        let mut found = false;
        self.for_each_value(name, &mut |value| found |= test(value));
        found
    }

    /// The status, of a response that has one.
    pub(super) fn status(&self) -> Option<u16> {
        let mut status = None;
        if self.direction == Direction::Response {
            self.for_each_value(":status", &mut |value| status = http::status(value));
        }
        status
    }

    /// Whether the status says that there is no content.
    pub(super) fn has_no_content(&self) -> bool {
        self.status().is_some_and(http::has_no_content)
    }

    /// Whether the request is a CONNECT.
    pub(super) fn is_to_connect(&self) -> bool {
        let mut found = false;
        let mut visit = |method: &[u8]| found |= method == b"CONNECT";
        self.ops
            .for_each_request_header_value(":method", &mut visit);
        found
    }

    pub(super) fn body_length(&mut self) -> usize {
        match self.direction {
            Direction::Request => self.ops.request_body_length(),
            Direction::Response => self.ops.response_body_length(),
        }
    }

    pub(super) fn body(&mut self) -> Vec<u8> {
        match self.direction {
            Direction::Request => self.ops.get_request_body(),
            Direction::Response => self.ops.get_response_body(),
        }
    }

    pub(super) fn parse_json(&mut self) -> Result<Option<Document>, ParseError> {
        match self.direction {
            Direction::Request => self.ops.parse_request_json_body(),
            Direction::Response => self.ops.parse_response_json_body(),
        }
    }

    pub(super) fn drain(&mut self, bytes: usize) -> bool {
        match self.direction {
            Direction::Request => self.ops.drain_request_body(bytes),
            Direction::Response => self.ops.drain_response_body(bytes),
        }
    }

    /// Tells the host how long the body will be that is about to be appended to.
    pub(super) fn expect_body(&mut self, length: usize) {
        self.ops.expect_body(self.direction, length);
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> bool {
        match self.direction {
            Direction::Request => self.ops.append_request_body(bytes),
            Direction::Response => self.ops.append_response_body(bytes),
        }
    }
}
