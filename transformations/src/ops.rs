//! The host: what a transform needs from whoever carries the message.
//!
//! The filter implements this over Envoy, tests and tools over memory. Called on the worker thread
//! of the stream, only from within an [`Exchange`](crate::Exchange) method. Headers are bytes; names
//! passed in are lower case. A write answers `false` when the host refused it.
//!
//! The required methods are few and simple. The provided ones have a correct default; override
//! them where the host can avoid a copy, since the hot paths use only those.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::direction::Direction;
use crate::host::{Attribute, HostValue, LastKinds, MetadataSource};
use formats::json::{Document, ParseError};

/// Access to one HTTP message pair, with the names known from kgateway's transformation library.
pub trait TransformationOps {
    /// Visits every request header as (name, value), in order, repeats included.
    fn for_each_request_header(&self, visit: &mut dyn FnMut(&[u8], &[u8]));
    /// Visits every response header as (name, value), in order, repeats included.
    fn for_each_response_header(&self, visit: &mut dyn FnMut(&[u8], &[u8]));

    /// Appends a request header, keeping others of the same name.
    fn add_request_header(&mut self, name: &str, value: &[u8]) -> bool;
    /// Sets a request header, replacing all others of the same name.
    fn set_request_header(&mut self, name: &str, value: &[u8]) -> bool;
    /// Removes all request headers of a name. A name that is not there is fine.
    fn remove_request_header(&mut self, name: &str) -> bool;
    /// Appends a response header, keeping others of the same name.
    fn add_response_header(&mut self, name: &str, value: &[u8]) -> bool;
    /// Sets a response header, replacing all others of the same name.
    fn set_response_header(&mut self, name: &str, value: &[u8]) -> bool;
    /// Removes all response headers of a name. A name that is not there is fine.
    fn remove_response_header(&mut self, name: &str) -> bool;

    /// The whole request body, copied.
    fn get_request_body(&mut self) -> Vec<u8>;
    /// Drops the first `bytes` bytes of the request body.
    fn drain_request_body(&mut self, bytes: usize) -> bool;
    /// Appends to the request body.
    fn append_request_body(&mut self, bytes: &[u8]) -> bool;
    /// The whole response body, copied.
    fn get_response_body(&mut self) -> Vec<u8>;
    /// Drops the first `bytes` bytes of the response body.
    fn drain_response_body(&mut self, bytes: usize) -> bool;
    /// Appends to the response body.
    fn append_response_body(&mut self, bytes: &[u8]) -> bool;

    /// Writes a string into the stream's dynamic metadata.
    fn set_dynamic_metadata_string(&mut self, namespace: &str, key: &str, value: &str) -> bool;

    /// Writes a number into the stream's dynamic metadata. Not called unless the host declared
    /// [`Capabilities::metadata_number`](crate::Capabilities::metadata_number).
    fn set_dynamic_metadata_number(&mut self, namespace: &str, key: &str, value: f64) -> bool {
        let _ = (namespace, key, value);
        false
    }

    /// Writes a boolean into the stream's dynamic metadata. Not called unless the host declared
    /// [`Capabilities::metadata_bool`](crate::Capabilities::metadata_bool).
    fn set_dynamic_metadata_bool(&mut self, namespace: &str, key: &str, value: bool) -> bool {
        let _ = (namespace, key, value);
        false
    }

    /// Appends a string to a list in the stream's dynamic metadata, making the list if there is
    /// none. Not called unless the host declared
    /// [`Capabilities::metadata_list`](crate::Capabilities::metadata_list), as for its twins.
    fn add_dynamic_metadata_list_string(
        &mut self,
        namespace: &str,
        key: &str,
        value: &str,
    ) -> bool {
        let _ = (namespace, key, value);
        false
    }

    /// Appends a number to a list in the stream's dynamic metadata.
    fn add_dynamic_metadata_list_number(&mut self, namespace: &str, key: &str, value: f64) -> bool {
        let _ = (namespace, key, value);
        false
    }

    /// Appends a boolean to a list in the stream's dynamic metadata.
    fn add_dynamic_metadata_list_bool(&mut self, namespace: &str, key: &str, value: bool) -> bool {
        let _ = (namespace, key, value);
        false
    }

    /// Writes what a JSON text spells into the stream's dynamic metadata, in the place of what is there
    /// under the key: an object, or a list of anything. It nests
    /// [`MAX_METADATA_DEPTH`](crate::MAX_METADATA_DEPTH) deep at most, and its numbers are doubles. Not
    /// called unless the host declared
    /// [`Capabilities::metadata_struct`](crate::Capabilities::metadata_struct).
    fn set_dynamic_metadata_json(&mut self, namespace: &str, key: &str, json: &str) -> bool {
        let _ = (namespace, key, json);
        false
    }

    /// A metadata value, if it is there and is a string, a number, a boolean or a list of these.
    ///
    /// `last` belongs to this source, namespace and key: a host that must guess the kind of a value
    /// guesses by it, and notes what it found.
    fn metadata(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        last: &LastKinds,
    ) -> Option<HostValue> {
        let _ = (source, namespace, key, last);
        None
    }

    /// A metadata value that is text, if there is one. For keys of which nobody expects anything else.
    fn metadata_text(&self, source: MetadataSource, namespace: &str, key: &str) -> Option<String> {
        match self.metadata(source, namespace, key, &LastKinds::default())? {
            HostValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An attribute of the stream, if it has a value.
    fn attribute(&self, attribute: Attribute) -> Option<HostValue> {
        let _ = attribute;
        None
    }

    /// The time in nanoseconds since 1970, UTC. Asked for once a direction, if a template reads it.
    fn unix_nanoseconds(&self) -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    }

    /// The time in seconds since 1970, UTC. Asked for once a direction, if a template reads it.
    fn unix_seconds(&self) -> i64 {
        self.unix_nanoseconds().div_euclid(1_000_000_000)
    }

    /// Visits the values of one response trailer in order. `name` is lower case. There are none
    /// unless the whole response was held and ended with trailers.
    fn for_each_response_trailer_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        let _ = (name, visit);
    }

    /// Visits the values of one request header in order. `name` is lower case.
    fn for_each_request_header_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.for_each_request_header(&mut |key, value| {
            if key.eq_ignore_ascii_case(name.as_bytes()) {
                visit(value);
            }
        });
    }

    /// Visits the values of one response header in order. `name` is lower case.
    fn for_each_response_header_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.for_each_response_header(&mut |key, value| {
            if key.eq_ignore_ascii_case(name.as_bytes()) {
                visit(value);
            }
        });
    }

    /// The length of the request body in bytes.
    fn request_body_length(&mut self) -> usize {
        self.get_request_body().len()
    }

    /// The length of the response body in bytes.
    fn response_body_length(&mut self) -> usize {
        self.get_response_body().len()
    }

    /// The request body as a JSON document; `None` if the body is empty.
    ///
    /// # Errors
    /// If it is not valid JSON.
    fn parse_request_json_body(&mut self) -> Result<Option<Document>, ParseError> {
        parse(self.get_request_body())
    }

    /// The response body as a JSON document; `None` if the body is empty.
    ///
    /// # Errors
    /// If it is not valid JSON.
    fn parse_response_json_body(&mut self) -> Result<Option<Document>, ParseError> {
        parse(self.get_response_body())
    }

    /// Visits what the hook is about: the pieces of the body that came last, and not what is held before
    /// them. To a host that holds nothing that is the body.
    fn for_each_received(&mut self, direction: Direction, visit: &mut dyn FnMut(&[u8])) {
        let body = match direction {
            Direction::Request => self.get_request_body(),
            Direction::Response => self.get_response_body(),
        };
        if !body.is_empty() {
            visit(&body);
        }
    }

    /// Puts `bytes` in the place of what the hook is about; `length` is how long that is, if it is
    /// known.
    fn replace_received(
        &mut self,
        direction: Direction,
        length: Option<usize>,
        bytes: &[u8],
    ) -> bool {
        let drained = match (direction, length) {
            (_, Some(0)) => true,
            (Direction::Request, _) => {
                let length = length.unwrap_or_else(|| self.request_body_length());
                length == 0 || self.drain_request_body(length)
            }
            (Direction::Response, _) => {
                let length = length.unwrap_or_else(|| self.response_body_length());
                length == 0 || self.drain_response_body(length)
            }
        };
        drained
            && (bytes.is_empty()
                || match direction {
                    Direction::Request => self.append_request_body(bytes),
                    Direction::Response => self.append_response_body(bytes),
                })
    }

    /// How many bytes of a body the exchange is to hold in memory of its own; none if the host holds it,
    /// within a limit of its own. Asked before the first byte comes. `wanted` is what the configuration
    /// allows, if it says so.
    fn hold_at_most(&mut self, wanted: Option<u64>) -> Option<u64> {
        let _ = wanted;
        None
    }

    /// A body of this many bytes is about to be made, in pieces: a host that would refuse one so long can
    /// raise its limit.
    fn expect_body(&mut self, direction: Direction, length: usize) {
        let _ = (direction, length);
    }

    /// Whether the host ended the exchange because it should have held more of this message than it may.
    /// Asked when the exchange is over, and only if the message was held then.
    fn held_too_much(&self, direction: Direction) -> bool {
        let _ = direction;
        false
    }

    /// Whether the host ended the exchange because it was given a larger body than it may hold. Asked when
    /// the exchange is over.
    fn wrote_too_much(&self, direction: Direction) -> bool {
        let _ = direction;
        false
    }
}

fn parse(body: Vec<u8>) -> Result<Option<Document>, ParseError> {
    if body.is_empty() {
        return Ok(None);
    }
    Document::parse(body).map(Some)
}
