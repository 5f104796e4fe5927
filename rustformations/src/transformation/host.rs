//! One stream of Envoy as the library sees it: [`TransformationOps`] over [`EnvoyHttpFilter`].
//!
//! Made for the length of one hook, on the stream's worker. It translates and decides nothing.

use std::sync::Arc;

use envoy_proxy_dynamic_modules_rust_sdk::prelude::{
    EnvoyHttpFilter, HeaderMap, HttpMessage, MetadataSource as EnvoySource,
};
use transformations::{
    Attribute, Direction, ExchangeOps, HostValue, LastKinds, MetadataSource, Program,
    TransformationOps,
};

use super::configured::Configured;
use super::{attributes, limits, metadata};

/// The host handle of one hook.
pub(crate) struct Host<'a, EHF> {
    envoy: &'a mut EHF,
    /// None where no route decides what runs.
    configured: Option<&'a mut Configured>,
    /// What Envoy holds of the message counts as received: whoever held it lets it pass.
    takes_held: bool,
    /// What stands in the place of the piece that was received, in a hook that has none.
    piece: Option<&'a mut Vec<u8>>,
}

impl<'a, EHF: EnvoyHttpFilter> Host<'a, EHF> {
    pub(super) fn new(envoy: &'a mut EHF, configured: &'a mut Configured) -> Self {
        Self {
            configured: Some(configured),
            ..Self::without_routes(envoy)
        }
    }

    /// The host of a filter that does not have routes chosen again.
    pub(crate) fn without_routes(envoy: &'a mut EHF) -> Self {
        Self {
            envoy,
            configured: None,
            takes_held: false,
            piece: None,
        }
    }

    /// The host for whoever is told of all that was held at once.
    pub(super) fn taking_held(envoy: &'a mut EHF) -> Self {
        Self {
            takes_held: true,
            ..Self::without_routes(envoy)
        }
    }

    /// The host of a hook without a piece of the response, with this one.
    pub(super) fn with_piece(envoy: &'a mut EHF, piece: &'a mut Vec<u8>) -> Self {
        Self::without_routes(envoy).and_piece(piece)
    }

    /// This host, with this piece of the response.
    pub(super) fn and_piece(mut self, piece: &'a mut Vec<u8>) -> Self {
        self.piece = Some(piece);
        self
    }

    fn for_each_line(&self, map: HeaderMap, visit: &mut dyn FnMut(&[u8], &[u8])) {
        for (name, value) in self.envoy.header_lines(map) {
            visit(name.as_slice(), value.as_slice());
        }
    }

    fn for_each_value(&self, map: HeaderMap, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.envoy
            .for_each_header_value(map, name, &mut |value| visit(value.as_slice()));
    }

    fn drain_front(&mut self, message: HttpMessage, bytes: usize) -> bool {
        let buffered = self.envoy.body_view_size(message.buffered()).min(bytes);
        let received = bytes - buffered;
        (buffered == 0 || self.envoy.drain_body(message.buffered(), buffered))
            && (received == 0 || self.envoy.drain_body(message.received(), received))
    }

    fn append_end(&mut self, message: HttpMessage, data: &[u8]) -> bool {
        self.envoy.append_body(message.received(), data)
            || self.envoy.append_body(message.buffered(), data)
    }
}

impl<EHF: EnvoyHttpFilter> TransformationOps for Host<'_, EHF> {
    fn for_each_request_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.for_each_line(HeaderMap::RequestHeader, visit);
    }

    fn for_each_response_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.for_each_line(HeaderMap::ResponseHeader, visit);
    }

    fn for_each_request_header_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.for_each_value(HeaderMap::RequestHeader, name, visit);
    }

    fn for_each_response_header_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.for_each_value(HeaderMap::ResponseHeader, name, visit);
    }

    fn for_each_response_trailer_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.for_each_value(HeaderMap::ResponseTrailer, name, visit);
    }

    fn metadata(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        last: &LastKinds,
    ) -> Option<HostValue> {
        metadata::read(self.envoy, to_source(source)?, namespace, key, last)
    }

    /// One question: Envoy writes a line into its log for each that finds nothing.
    fn metadata_text(&self, source: MetadataSource, namespace: &str, key: &str) -> Option<String> {
        let source = to_source(source)?;
        let value = self.envoy.get_metadata_string(source, namespace, key)?;
        str::from_utf8(value.as_slice()).ok().map(str::to_owned)
    }

    fn attribute(&self, attribute: Attribute) -> Option<HostValue> {
        attributes::read(self.envoy, attribute)
    }

    fn add_request_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.envoy.add_request_header(name, value)
    }

    fn set_request_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.envoy.set_request_header(name, value)
    }

    fn remove_request_header(&mut self, name: &str) -> bool {
        self.envoy.remove_request_header(name)
    }

    fn add_response_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.envoy.add_response_header(name, value)
    }

    fn set_response_header(&mut self, name: &str, value: &[u8]) -> bool {
        self.envoy.set_response_header(name, value)
    }

    fn remove_response_header(&mut self, name: &str) -> bool {
        self.envoy.remove_response_header(name)
    }

    fn get_request_body(&mut self) -> Vec<u8> {
        self.envoy.copy_body(HttpMessage::Request)
    }

    fn get_response_body(&mut self) -> Vec<u8> {
        self.envoy.copy_body(HttpMessage::Response)
    }

    fn request_body_length(&mut self) -> usize {
        self.envoy.body_size(HttpMessage::Request)
    }

    fn response_body_length(&mut self) -> usize {
        self.envoy.body_size(HttpMessage::Response)
    }

    fn drain_request_body(&mut self, bytes: usize) -> bool {
        self.drain_front(HttpMessage::Request, bytes)
    }

    fn drain_response_body(&mut self, bytes: usize) -> bool {
        self.drain_front(HttpMessage::Response, bytes)
    }

    fn append_request_body(&mut self, data: &[u8]) -> bool {
        self.append_end(HttpMessage::Request, data)
    }

    fn append_response_body(&mut self, data: &[u8]) -> bool {
        if let Some(piece) = &mut self.piece {
            piece.extend_from_slice(data);
            return true;
        }
        self.append_end(HttpMessage::Response, data)
    }

    /// Only what came: what Envoy shows as buffered may be held by another filter, and was here before.
    fn for_each_received(&mut self, direction: Direction, visit: &mut dyn FnMut(&[u8])) {
        if let Some(piece) = &self.piece {
            return visit(piece);
        }
        if self.takes_held {
            return visit(&self.envoy.copy_body(message(direction)));
        }
        let received = message(direction).received();
        for chunk in self.envoy.body_chunks_mut(received).unwrap_or_default() {
            visit(chunk.as_slice());
        }
    }

    fn replace_received(
        &mut self,
        direction: Direction,
        length: Option<usize>,
        bytes: &[u8],
    ) -> bool {
        if let Some(piece) = &mut self.piece {
            let length = length.unwrap_or(piece.len()).min(piece.len());
            piece.drain(..length);
            piece.extend_from_slice(bytes);
            return true;
        }
        if self.takes_held {
            let held = self.envoy.body_size(message(direction));
            return self.drain_front(message(direction), length.unwrap_or(held))
                && (bytes.is_empty() || self.append_end(message(direction), bytes));
        }
        let received = message(direction).received();
        let length = length.unwrap_or_else(|| self.envoy.body_view_size(received));
        (length == 0 || self.envoy.drain_body(received, length))
            && (bytes.is_empty() || self.envoy.append_body(received, bytes))
    }

    fn hold_at_most(&mut self, wanted: Option<u64>) -> Option<u64> {
        limits::hold_at_most(self.envoy, wanted)
    }

    /// Envoy refuses a body that a filter has made too large as it does one that came so.
    fn expect_body(&mut self, _: Direction, length: usize) {
        limits::raise(self.envoy, u64::try_from(length).ok());
    }

    fn held_too_much(&self, direction: Direction) -> bool {
        limits::was_too_large(self.envoy, message(direction))
    }

    fn wrote_too_much(&self, direction: Direction) -> bool {
        limits::became_too_large(self.envoy, message(direction))
    }

    fn set_dynamic_metadata_string(&mut self, namespace: &str, key: &str, value: &str) -> bool {
        self.envoy
            .set_dynamic_metadata_string(namespace, key, value);
        true
    }

    fn set_dynamic_metadata_number(&mut self, namespace: &str, key: &str, value: f64) -> bool {
        self.envoy
            .set_dynamic_metadata_number(namespace, key, value);
        true
    }

    fn set_dynamic_metadata_bool(&mut self, namespace: &str, key: &str, value: bool) -> bool {
        self.envoy.set_dynamic_metadata_bool(namespace, key, value);
        true
    }

    fn add_dynamic_metadata_list_string(
        &mut self,
        namespace: &str,
        key: &str,
        value: &str,
    ) -> bool {
        self.envoy
            .add_dynamic_metadata_list_string(namespace, key, value)
    }

    fn add_dynamic_metadata_list_number(&mut self, namespace: &str, key: &str, value: f64) -> bool {
        self.envoy
            .add_dynamic_metadata_list_number(namespace, key, value)
    }

    fn set_dynamic_metadata_json(&mut self, namespace: &str, key: &str, json: &str) -> bool {
        let serialized = metadata::serialize(key, json);
        let is_written = serialized.is_some();
        if let Some(fields) = serialized {
            self.envoy.set_dynamic_metadata_struct(namespace, &fields);
        }
        is_written
    }

    fn add_dynamic_metadata_list_bool(&mut self, namespace: &str, key: &str, value: bool) -> bool {
        self.envoy
            .add_dynamic_metadata_list_bool(namespace, key, value)
    }
}

impl<EHF: EnvoyHttpFilter> ExchangeOps for Host<'_, EHF> {
    fn choose_route(&mut self) -> Option<Arc<Program>> {
        let configured = self.configured.as_deref_mut()?;
        self.envoy.clear_route_cache();
        configured.ask_route(self.envoy);
        Some(Arc::clone(&configured.loaded().program))
    }
}

fn to_source(source: MetadataSource) -> Option<EnvoySource> {
    match source {
        MetadataSource::Dynamic => Some(EnvoySource::Dynamic),
        MetadataSource::Cluster => Some(EnvoySource::Cluster),
        MetadataSource::Host => Some(EnvoySource::Host),
        _ => None,
    }
}

fn message(direction: Direction) -> HttpMessage {
    match direction {
        Direction::Request => HttpMessage::Request,
        Direction::Response => HttpMessage::Response,
    }
}
