//! A host in memory, for command-line tools, tests and fuzzers.
//!
//! A small real host: it holds two messages and does what it is told. What the messages are afterwards is the
//! result.

mod files;
mod send;

pub use files::MemoryFiles;

use std::sync::Arc;

use crate::direction::Direction;
use crate::exchange::{ExchangeOps, Reply};
use crate::host::{Attribute, HostValue, LastKinds, MetadataSource};
use crate::ops::TransformationOps;
use crate::program::Program;

/// One HTTP message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Headers in order, repeats included; names in lower case.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body, in the chunks it came in.
    pub body: Vec<Vec<u8>>,
}

impl Message {
    /// A message with these headers and a body in one chunk (none if it is empty).
    pub fn new(headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Message {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let body = body.into();
        Message {
            headers: headers
                .iter()
                .map(|(name, value)| (bytes(name), bytes(value)))
                .collect(),
            body: if body.is_empty() {
                Vec::new()
            } else {
                vec![body]
            },
        }
    }

    /// The values of a header, in order; bytes that are not UTF-8 become U+FFFD.
    pub fn values(&self, name: &str) -> Vec<String> {
        let named = self
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        named
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// The whole body.
    pub fn body_bytes(&self) -> Vec<u8> {
        self.body.concat()
    }

    fn for_each(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.headers
            .iter()
            .for_each(|(name, value)| visit(name, value));
    }

    fn add(&mut self, name: &str, value: &[u8]) -> bool {
        self.headers
            .push((name.as_bytes().to_vec(), value.to_vec()));
        true
    }

    fn set(&mut self, name: &str, value: &[u8]) -> bool {
        let position = self.position(name);
        self.remove(name);
        let at = position.unwrap_or(self.headers.len());
        self.headers
            .insert(at, (name.as_bytes().to_vec(), value.to_vec()));
        true
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.headers
            .iter()
            .position(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
    }

    fn remove(&mut self, name: &str) -> bool {
        self.headers
            .retain(|(key, _)| !key.eq_ignore_ascii_case(name.as_bytes()));
        true
    }

    fn drain(&mut self, bytes: usize) -> bool {
        let rest = self.body_bytes().split_off(bytes.min(self.body_length()));
        self.body = if rest.is_empty() {
            Vec::new()
        } else {
            vec![rest]
        };
        true
    }

    fn append(&mut self, bytes: &[u8]) -> bool {
        self.body.push(bytes.to_vec());
        true
    }

    fn body_length(&self) -> usize {
        self.body.iter().map(Vec::len).sum()
    }
}

/// A metadata value as the host stored it.
#[derive(Clone, Debug, PartialEq)]
pub enum MetadataValue {
    /// A string.
    String(String),
    /// A number.
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// A list of the others.
    List(Vec<MetadataValue>),
    /// The JSON text of a value that nests.
    Json(String),
}

impl MetadataValue {
    /// What a transform reads of it; what nests no host shows.
    fn to_host_value(&self) -> Option<HostValue> {
        match self {
            MetadataValue::String(text) => Some(HostValue::Text(text.clone())),
            MetadataValue::Number(number) => Some(HostValue::Number(*number)),
            MetadataValue::Bool(flag) => Some(HostValue::Bool(*flag)),
            MetadataValue::List(items) => {
                let items = items.iter().map(MetadataValue::to_host_value);
                items.collect::<Option<_>>().map(HostValue::List)
            }
            MetadataValue::Json(_) => None,
        }
    }
}

/// The program of a route.
#[derive(Clone, Debug)]
pub struct RouteProgram(pub Arc<Program>);

impl PartialEq for RouteProgram {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A host that keeps everything in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemoryHost {
    /// The request.
    pub request: Message,
    /// The response.
    pub response: Message,
    /// Dynamic metadata as (namespace, key, value), in the order written.
    pub metadata: Vec<(String, String, MetadataValue)>,
    /// The metadata of the cluster and the upstream host as (source, namespace, key, value).
    pub upstream_metadata: Vec<(MetadataSource, String, String, HostValue)>,
    /// Attributes by name.
    pub attributes: Vec<(String, HostValue)>,
    /// The time in seconds since 1970.
    pub seconds: i64,
    /// The nanoseconds of that second.
    pub nanoseconds: i64,
    /// The trailers of the request.
    pub request_trailers: Vec<(String, String)>,
    /// The trailers of the response.
    pub response_trailers: Vec<(String, String)>,
    /// The exchange holds bodies itself, of 1 MiB unless the configuration says how many bytes.
    pub holds_nothing: bool,
    /// How many pieces of the body at hand came before the last one, and are held.
    pub held_pieces: usize,
    /// A body that is sent ends with an empty piece of its own, as in HTTP/1, and not with its last one.
    pub ends_alone: bool,
    /// The message of this direction is reset: it stops behind its last piece, which does not end it.
    pub reset: Option<Direction>,
    /// What the exchange answered to each piece that was sent, in order: `pass`, `hold`, `drop`, `end` or
    /// `reply`.
    pub answers: Vec<&'static str>,
    /// The exchange has ended the response before all of it had come.
    pub has_ended: bool,
    /// What the configuration had a message answered with.
    pub reply: Option<Reply>,
    /// The routes that the request leads to each time that one is chosen again, the last of them first;
    /// none if there are no routes here.
    pub routes: Vec<RouteProgram>,
}

impl MemoryHost {
    fn message(&mut self, direction: Direction) -> &mut Message {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    fn add_to_list(&mut self, namespace: &str, key: &str, value: MetadataValue) -> bool {
        let known = self
            .metadata
            .iter_mut()
            .find(|(ns, k, _)| ns == namespace && k == key);
        match known {
            Some((.., MetadataValue::List(items))) => items.push(value),
            Some(_) => return false,
            None => {
                let list = MetadataValue::List(vec![value]);
                self.metadata
                    .push((namespace.to_owned(), key.to_owned(), list));
            }
        }
        true
    }

    fn set_metadata(&mut self, namespace: &str, key: &str, value: MetadataValue) -> bool {
        self.metadata
            .retain(|(ns, k, _)| ns != namespace || k != key);
        self.metadata
            .push((namespace.to_owned(), key.to_owned(), value));
        true
    }
}

impl TransformationOps for MemoryHost {
    fn for_each_request_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.request.for_each(visit);
    }

    fn for_each_response_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.response.for_each(visit);
    }

    fn add_request_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.request.add(name, value)
    }

    fn set_request_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.request.set(name, value)
    }

    fn remove_request_header(&mut self, name: &str) -> bool {
        self.request.remove(name)
    }

    fn add_response_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.response.add(name, value)
    }

    fn set_response_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.response.set(name, value)
    }

    fn remove_response_header(&mut self, name: &str) -> bool {
        self.response.remove(name)
    }

    fn get_request_body(&mut self) -> Vec<u8> {
        self.request.body_bytes()
    }

    fn drain_request_body(&mut self, bytes: usize) -> bool {
        self.request.drain(bytes)
    }

    fn append_request_body(&mut self, bytes: &[u8]) -> bool {
        self.request.append(bytes)
    }

    fn get_response_body(&mut self) -> Vec<u8> {
        self.response.body_bytes()
    }

    fn drain_response_body(&mut self, bytes: usize) -> bool {
        self.response.drain(bytes)
    }

    fn append_response_body(&mut self, bytes: &[u8]) -> bool {
        self.response.append(bytes)
    }

    fn set_dynamic_metadata_string(&mut self, namespace: &str, key: &str, value: &str) -> bool {
        self.set_metadata(namespace, key, MetadataValue::String(value.to_owned()))
    }

    fn metadata(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        _: &LastKinds,
    ) -> Option<HostValue> {
        if source == MetadataSource::Dynamic {
            let mut written = self.metadata.iter();
            let (_, _, value) = written.find(|(ns, k, _)| ns == namespace && k == key)?;
            return value.to_host_value();
        }
        let mut known = self.upstream_metadata.iter();
        let (.., value) =
            known.find(|(from, ns, k, _)| *from == source && ns == namespace && k == key)?;
        Some(value.clone())
    }

    fn attribute(&self, attribute: Attribute) -> Option<HostValue> {
        let mut known = self.attributes.iter();
        let (_, value) = known.find(|(name, _)| name == attribute.name())?;
        Some(value.clone())
    }

    fn unix_nanoseconds(&self) -> i64 {
        self.seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(self.nanoseconds)
    }

    fn unix_seconds(&self) -> i64 {
        self.seconds
    }

    fn for_each_response_trailer_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        let named = self.response_trailers.iter().filter(|(key, _)| key == name);
        named.for_each(|(_, value)| visit(value.as_bytes()));
    }

    fn set_dynamic_metadata_number(&mut self, namespace: &str, key: &str, value: f64) -> bool {
        self.set_metadata(namespace, key, MetadataValue::Number(value))
    }

    fn set_dynamic_metadata_bool(&mut self, namespace: &str, key: &str, value: bool) -> bool {
        self.set_metadata(namespace, key, MetadataValue::Bool(value))
    }

    fn add_dynamic_metadata_list_string(
        &mut self,
        namespace: &str,
        key: &str,
        value: &str,
    ) -> bool {
        self.add_to_list(namespace, key, MetadataValue::String(value.to_owned()))
    }

    fn add_dynamic_metadata_list_number(&mut self, namespace: &str, key: &str, value: f64) -> bool {
        self.add_to_list(namespace, key, MetadataValue::Number(value))
    }

    fn add_dynamic_metadata_list_bool(&mut self, namespace: &str, key: &str, value: bool) -> bool {
        self.add_to_list(namespace, key, MetadataValue::Bool(value))
    }

    fn hold_at_most(&mut self, wanted: Option<u64>) -> Option<u64> {
        self.holds_nothing.then(|| wanted.unwrap_or(1 << 20))
    }

    fn set_dynamic_metadata_json(&mut self, namespace: &str, key: &str, json: &str) -> bool {
        self.set_metadata(namespace, key, MetadataValue::Json(json.to_owned()))
    }

    fn for_each_received(&mut self, direction: Direction, visit: &mut dyn FnMut(&[u8])) {
        let held = self.held_pieces;
        let received = self.message(direction).body.iter().skip(held);
        received.for_each(|piece| visit(piece));
    }

    fn replace_received(&mut self, direction: Direction, _: Option<usize>, bytes: &[u8]) -> bool {
        let held = self.held_pieces;
        let body = &mut self.message(direction).body;
        body.truncate(held);
        if !bytes.is_empty() {
            body.push(bytes.to_vec());
        }
        true
    }

    fn request_body_length(&mut self) -> usize {
        self.request.body_length()
    }

    fn response_body_length(&mut self) -> usize {
        self.response.body_length()
    }
}

impl ExchangeOps for MemoryHost {
    fn choose_route(&mut self) -> Option<Arc<Program>> {
        self.routes.pop().map(|route| route.0)
    }
}
