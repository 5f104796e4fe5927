//! The stream as a filter sees it, under the official names.
//!
//! Called on the stream's worker thread, from inside its hooks. It is one trait because filters
//! written for the official crate know it as one; what is ours alone sits in the supertraits
//! [`EnvoyHeaderMaps`] and [`EnvoyBodies`] and in the last section.

use std::any::Any;
use std::sync::Arc;

use super::ids::{
    EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId, EnvoyGaugeVecId, EnvoyHistogramId,
    EnvoyHistogramVecId,
};
use super::{EnvoyBodies, EnvoyChildSpan, EnvoyHeaderMaps, EnvoyHttpFilterScheduler, EnvoySpan};
use crate::abi;
use crate::abi::envoy_dynamic_module_type_http_body_type as BodyView;
use crate::abi::envoy_dynamic_module_type_http_header_type as HeaderMap;
use crate::abi::envoy_dynamic_module_type_metadata_source as MetadataSource;
use crate::abi::envoy_dynamic_module_type_metrics_result as MetricsResult;
use crate::abi::envoy_dynamic_module_type_socket_direction as SocketDirection;
use crate::abi::envoy_dynamic_module_type_socket_option_state as SocketOptionState;
use crate::buffer::{EnvoyBuffer, EnvoyMutBuffer};
use crate::capabilities::Capabilities;
use crate::error::AbiError;

/// How many hosts a cluster has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterHostCount {
    /// All of them.
    pub total: usize,
    /// Those that may get traffic.
    pub healthy: usize,
    /// Those that get traffic only if they must.
    pub degraded: usize,
}

/// Envoy's side of one stream.
///
/// What a read returns is a view of Envoy's memory. It borrows the handle, and every change borrows
/// it mutably, so a view cannot outlive the thing it shows.
///
/// Calls that may end the stream or run other hooks of it (`send_response*`, `continue_*`,
/// `reset_stream`, `send_go_away_and_close`) are carried out right after the current hook of yours
/// has returned, in the order in which they were made; so no hook of a filter ever runs inside
/// another hook of that filter.
///
/// A method that names a first Envoy does what the sentence says on older ones; ask
/// [`capabilities`](Self::capabilities) while your configuration is created, not per stream.
pub trait EnvoyHttpFilter: EnvoyHeaderMaps + EnvoyBodies {
    // === request headers ===

    /// The first value of a request header; no copy, no allocation.
    fn get_request_header_value<'a>(&'a self, key: &str) -> Option<EnvoyBuffer<'a>> {
        self.header_value(HeaderMap::RequestHeader, key)
    }

    /// Every value of a request header.
    fn get_request_header_values<'a>(&'a self, key: &str) -> Vec<EnvoyBuffer<'a>> {
        self.header_values(HeaderMap::RequestHeader, key)
    }

    /// Every request header line.
    fn get_request_headers<'a>(&'a self) -> Vec<(EnvoyBuffer<'a>, EnvoyBuffer<'a>)> {
        self.header_lines(HeaderMap::RequestHeader)
    }

    /// Replaces all values of a request header; an empty value removes it.
    fn set_request_header(&mut self, key: &str, value: &[u8]) -> bool {
        self.set_header(HeaderMap::RequestHeader, key, value)
    }

    /// Adds a request header line; [`try_add_header`](EnvoyHeaderMaps::try_add_header) says why not.
    fn add_request_header(&mut self, key: &str, value: &[u8]) -> bool {
        self.try_add_request_header(key, value).is_ok()
    }

    /// Removes every line of a request header.
    fn remove_request_header(&mut self, key: &str) -> bool {
        self.remove_header(HeaderMap::RequestHeader, key)
    }

    // === request trailers ===

    /// The first value of a request trailer; no copy, no allocation.
    fn get_request_trailer_value<'a>(&'a self, key: &str) -> Option<EnvoyBuffer<'a>> {
        self.header_value(HeaderMap::RequestTrailer, key)
    }

    /// Every value of a request trailer.
    fn get_request_trailer_values<'a>(&'a self, key: &str) -> Vec<EnvoyBuffer<'a>> {
        self.header_values(HeaderMap::RequestTrailer, key)
    }

    /// Every request trailer line.
    fn get_request_trailers<'a>(&'a self) -> Vec<(EnvoyBuffer<'a>, EnvoyBuffer<'a>)> {
        self.header_lines(HeaderMap::RequestTrailer)
    }

    /// Replaces all values of a request trailer; an empty value removes it.
    fn set_request_trailer(&mut self, key: &str, value: &[u8]) -> bool {
        self.set_header(HeaderMap::RequestTrailer, key, value)
    }

    /// Adds a request trailer line; [`try_add_header`](EnvoyHeaderMaps::try_add_header) says why not.
    fn add_request_trailer(&mut self, key: &str, value: &[u8]) -> bool {
        self.try_add_request_trailer(key, value).is_ok()
    }

    /// Removes every line of a request trailer.
    fn remove_request_trailer(&mut self, key: &str) -> bool {
        self.remove_header(HeaderMap::RequestTrailer, key)
    }

    // === response headers ===

    /// The first value of a response header; no copy, no allocation.
    fn get_response_header_value<'a>(&'a self, key: &str) -> Option<EnvoyBuffer<'a>> {
        self.header_value(HeaderMap::ResponseHeader, key)
    }

    /// Every value of a response header.
    fn get_response_header_values<'a>(&'a self, key: &str) -> Vec<EnvoyBuffer<'a>> {
        self.header_values(HeaderMap::ResponseHeader, key)
    }

    /// Every response header line.
    fn get_response_headers<'a>(&'a self) -> Vec<(EnvoyBuffer<'a>, EnvoyBuffer<'a>)> {
        self.header_lines(HeaderMap::ResponseHeader)
    }

    /// Replaces all values of a response header; an empty value removes it.
    fn set_response_header(&mut self, key: &str, value: &[u8]) -> bool {
        self.set_header(HeaderMap::ResponseHeader, key, value)
    }

    /// Adds a response header line; [`try_add_header`](EnvoyHeaderMaps::try_add_header) says why not.
    fn add_response_header(&mut self, key: &str, value: &[u8]) -> bool {
        self.try_add_response_header(key, value).is_ok()
    }

    /// Removes every line of a response header.
    fn remove_response_header(&mut self, key: &str) -> bool {
        self.remove_header(HeaderMap::ResponseHeader, key)
    }

    // === response trailers ===

    /// The first value of a response trailer; no copy, no allocation.
    fn get_response_trailer_value<'a>(&'a self, key: &str) -> Option<EnvoyBuffer<'a>> {
        self.header_value(HeaderMap::ResponseTrailer, key)
    }

    /// Every value of a response trailer.
    fn get_response_trailer_values<'a>(&'a self, key: &str) -> Vec<EnvoyBuffer<'a>> {
        self.header_values(HeaderMap::ResponseTrailer, key)
    }

    /// Every response trailer line.
    fn get_response_trailers<'a>(&'a self) -> Vec<(EnvoyBuffer<'a>, EnvoyBuffer<'a>)> {
        self.header_lines(HeaderMap::ResponseTrailer)
    }

    /// Replaces all values of a response trailer; an empty value removes it.
    fn set_response_trailer(&mut self, key: &str, value: &[u8]) -> bool {
        self.set_header(HeaderMap::ResponseTrailer, key, value)
    }

    /// Adds a response trailer line; [`try_add_header`](EnvoyHeaderMaps::try_add_header) says why not.
    fn add_response_trailer(&mut self, key: &str, value: &[u8]) -> bool {
        self.try_add_response_trailer(key, value).is_ok()
    }

    /// Removes every line of a response trailer.
    fn remove_response_trailer(&mut self, key: &str) -> bool {
        self.remove_header(HeaderMap::ResponseTrailer, key)
    }

    // === bodies ===

    /// Views of the chunk of request body this hook was called with, to be changed in place.
    fn get_received_request_body<'a>(&'a mut self) -> Option<Vec<EnvoyMutBuffer<'a>>> {
        self.body_chunks_mut(BodyView::ReceivedRequestBody)
    }

    /// The size of the chunk of request body this hook was called with; 0 if there is none.
    fn get_received_request_body_size(&mut self) -> usize {
        self.body_view_size(BodyView::ReceivedRequestBody)
    }

    /// Drops bytes from the front of the chunk of request body this hook was called with.
    fn drain_received_request_body(&mut self, number_of_bytes: usize) -> bool {
        self.drain_body(BodyView::ReceivedRequestBody, number_of_bytes)
    }

    /// Adds bytes at the end of the chunk of request body this hook was called with.
    fn append_received_request_body(&mut self, data: &[u8]) -> bool {
        self.append_body(BodyView::ReceivedRequestBody, data)
    }

    /// Views of the request body collected so far, to be changed in place.
    fn get_buffered_request_body<'a>(&'a mut self) -> Option<Vec<EnvoyMutBuffer<'a>>> {
        self.body_chunks_mut(BodyView::BufferedRequestBody)
    }

    /// The size of the request body collected so far; 0 if there is none.
    fn get_buffered_request_body_size(&mut self) -> usize {
        self.body_view_size(BodyView::BufferedRequestBody)
    }

    /// Drops bytes from the front of the request body collected so far.
    fn drain_buffered_request_body(&mut self, number_of_bytes: usize) -> bool {
        self.drain_body(BodyView::BufferedRequestBody, number_of_bytes)
    }

    /// Adds bytes at the end of the request body collected so far.
    fn append_buffered_request_body(&mut self, data: &[u8]) -> bool {
        self.append_body(BodyView::BufferedRequestBody, data)
    }

    /// Whether the received and the buffered request body view show the same bytes. Here: never, see
    /// [`EnvoyBodies`]; so what is written for `false`, buffered followed by received, is right.
    fn received_buffered_request_body(&mut self) -> bool {
        false
    }

    /// Views of the chunk of response body this hook was called with, to be changed in place.
    fn get_received_response_body<'a>(&'a mut self) -> Option<Vec<EnvoyMutBuffer<'a>>> {
        self.body_chunks_mut(BodyView::ReceivedResponseBody)
    }

    /// The size of the chunk of response body this hook was called with; 0 if there is none.
    fn get_received_response_body_size(&mut self) -> usize {
        self.body_view_size(BodyView::ReceivedResponseBody)
    }

    /// Drops bytes from the front of the chunk of response body this hook was called with.
    fn drain_received_response_body(&mut self, number_of_bytes: usize) -> bool {
        self.drain_body(BodyView::ReceivedResponseBody, number_of_bytes)
    }

    /// Adds bytes at the end of the chunk of response body this hook was called with.
    fn append_received_response_body(&mut self, data: &[u8]) -> bool {
        self.append_body(BodyView::ReceivedResponseBody, data)
    }

    /// Views of the response body collected so far, to be changed in place.
    fn get_buffered_response_body<'a>(&'a mut self) -> Option<Vec<EnvoyMutBuffer<'a>>> {
        self.body_chunks_mut(BodyView::BufferedResponseBody)
    }

    /// The size of the response body collected so far; 0 if there is none.
    fn get_buffered_response_body_size(&mut self) -> usize {
        self.body_view_size(BodyView::BufferedResponseBody)
    }

    /// Drops bytes from the front of the response body collected so far.
    fn drain_buffered_response_body(&mut self, number_of_bytes: usize) -> bool {
        self.drain_body(BodyView::BufferedResponseBody, number_of_bytes)
    }

    /// Adds bytes at the end of the response body collected so far.
    fn append_buffered_response_body(&mut self, data: &[u8]) -> bool {
        self.append_body(BodyView::BufferedResponseBody, data)
    }

    /// Whether the received and the buffered response body view show the same bytes. Here: never, see
    /// [`EnvoyBodies`]; so what is written for `false`, buffered followed by received, is right.
    fn received_buffered_response_body(&mut self) -> bool {
        false
    }

    // === replies ===

    /// Answers the client and ends the stream. In a hook with a status the filter is stopped,
    /// whatever it returns. `details` end up in the access log (Envoy 1.37+; dropped before).
    ///
    /// A gRPC call gets the `grpc-status` that stands for the HTTP status, unless `headers` have one:
    /// Envoy by itself would send 0, a success.
    fn send_response<'a>(
        &mut self,
        status_code: u32,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        details: Option<&'a str>,
    );

    /// Starts a streamed answer; `headers` must contain `:status`.
    fn send_response_headers<'a>(&mut self, headers: &'a [(&'a str, &'a [u8])], end_stream: bool);

    /// Goes on with a streamed answer.
    fn send_response_data(&mut self, body: &[u8], end_stream: bool);

    /// Ends a streamed answer with trailers.
    fn send_response_trailers<'a>(&mut self, trailers: &'a [(&'a str, &'a [u8])]);

    /// Adds a response flag for the access log; no white space (Envoy 1.37+; nothing before).
    fn add_custom_flag(&mut self, flag: &str);

    // === metadata ===

    /// A number.
    fn get_metadata_number(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<f64>;

    /// Sets a number in the dynamic metadata of the stream.
    fn set_dynamic_metadata_number(&mut self, namespace: &str, key: &str, value: f64);

    /// A string.
    fn get_metadata_string<'a>(
        &'a self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<EnvoyBuffer<'a>>;

    /// Sets a string in the dynamic metadata of the stream.
    fn set_dynamic_metadata_string(&mut self, namespace: &str, key: &str, value: &str);

    /// As [`set_dynamic_metadata_string`](Self::set_dynamic_metadata_string), for a value that need not be
    /// text.
    fn set_dynamic_metadata_bytes(&mut self, namespace: &str, key: &str, value: &[u8]) {
        self.set_dynamic_metadata_string(namespace, key, &String::from_utf8_lossy(value));
    }

    /// Sets several strings of one namespace; of entries with the same key the last one stays. One
    /// call of Envoy's from 1.39 on, one for each entry before.
    fn set_dynamic_metadata_string_batch<'a>(
        &mut self,
        namespace: &'a str,
        entries: &'a [(&'a str, &'a str)],
    ) {
        for (key, value) in entries {
            self.set_dynamic_metadata_string(namespace, key, value);
        }
    }

    /// A boolean (Envoy 1.38+; `None` before).
    fn get_metadata_bool(&self, source: MetadataSource, namespace: &str, key: &str)
    -> Option<bool>;

    /// Sets a boolean in the dynamic metadata of the stream (Envoy 1.38+; nothing before).
    fn set_dynamic_metadata_bool(&mut self, namespace: &str, key: &str, value: bool);

    /// Puts the fields of a serialised `google.protobuf.Struct` into a namespace of the dynamic metadata of
    /// the stream, each in the place of what was there under its name. Bytes that are no such message
    /// change nothing, and Envoy logs an error (Envoy 1.40+; nothing before).
    fn set_dynamic_metadata_struct(&mut self, namespace: &str, serialized_struct: &[u8]);

    /// The keys of a namespace; `None` if there are none (Envoy 1.38+; `None` before).
    fn get_metadata_keys<'a>(
        &'a self,
        source: MetadataSource,
        namespace: &str,
    ) -> Option<Vec<EnvoyBuffer<'a>>>;

    /// The namespaces; `None` if there are none (Envoy 1.38+; `None` before).
    fn get_metadata_namespaces<'a>(
        &'a self,
        source: MetadataSource,
    ) -> Option<Vec<EnvoyBuffer<'a>>>;

    /// Adds a number to a list, which is created if need be; `false` if the key holds something
    /// else (Envoy 1.38+; `false` before).
    fn add_dynamic_metadata_list_number(&mut self, namespace: &str, key: &str, value: f64) -> bool;

    /// Adds a string to a list; see the number twin.
    fn add_dynamic_metadata_list_string(&mut self, namespace: &str, key: &str, value: &str)
    -> bool;

    /// Adds a boolean to a list; see the number twin.
    fn add_dynamic_metadata_list_bool(&mut self, namespace: &str, key: &str, value: bool) -> bool;

    /// The length of a list (Envoy 1.38+; `None` before).
    fn get_metadata_list_size(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<usize>;

    /// A number in a list (Envoy 1.38+; `None` before).
    fn get_metadata_list_number(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<f64>;

    /// A string in a list (Envoy 1.38+; `None` before).
    fn get_metadata_list_string<'a>(
        &'a self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<EnvoyBuffer<'a>>;

    /// A boolean in a list (Envoy 1.38+; `None` before).
    fn get_metadata_list_bool(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<bool>;

    // === filter state ===

    /// Bytes from the filter state.
    fn get_filter_state_bytes<'a>(&'a self, key: &[u8]) -> Option<EnvoyBuffer<'a>>;

    /// Puts bytes into the filter state; `false` if the entry is read-only.
    fn set_filter_state_bytes(&mut self, key: &[u8], value: &[u8]) -> bool;

    /// Puts an object of a type registered in Envoy into the filter state (Envoy 1.38+; `false`
    /// before).
    fn set_filter_state_typed(&mut self, key: &[u8], value: &[u8]) -> bool;

    /// The serialised form of a typed object (Envoy 1.38+; `None` before). Up to Envoy 1.39 the next
    /// typed read in the same hook frees the bytes under the view: copy them at once.
    fn get_filter_state_typed<'a>(&'a self, key: &[u8]) -> Option<EnvoyBuffer<'a>>;

    // === route, cluster, attributes ===

    /// Makes Envoy choose the route again.
    fn clear_route_cache(&mut self);

    /// Makes Envoy choose the cluster of the route again (Envoy 1.38+; before, the whole route).
    fn clear_route_cluster_cache(&mut self);

    /// The per-route config this module made for the most specific level that has one.
    fn get_most_specific_route_config(&self) -> Option<Arc<dyn Any>>;

    /// A string attribute; `None` if it has no value or this Envoy does not implement it.
    fn get_attribute_string<'a>(
        &'a self,
        attribute_id: abi::envoy_dynamic_module_type_attribute_id,
    ) -> Option<EnvoyBuffer<'a>>;

    /// A number attribute; `None` if it has no value or this Envoy does not implement it.
    fn get_attribute_int(
        &self,
        attribute_id: abi::envoy_dynamic_module_type_attribute_id,
    ) -> Option<i64>;

    /// A boolean attribute (Envoy 1.38+; `None` before).
    fn get_attribute_bool(
        &self,
        attribute_id: abi::envoy_dynamic_module_type_attribute_id,
    ) -> Option<bool>;

    /// The name of the chosen cluster (Envoy 1.38+; `None` before).
    fn get_cluster_name<'a>(&'a self) -> Option<EnvoyBuffer<'a>>;

    /// How many hosts the chosen cluster has (Envoy 1.38+; `None` before).
    fn get_cluster_host_count(&self, priority: u32) -> Option<ClusterHostCount>;

    /// Sends the stream to this `ip:port` of the chosen cluster (Envoy 1.38+; `false` before).
    fn set_upstream_override_host(&mut self, host: &str, strict: bool) -> bool;

    // === callouts ===

    /// Sends a request of the filter's own; the answer comes to `on_http_callout_done` with the
    /// returned id. `headers` must contain `:method`, `:path` and `host`.
    fn send_http_callout<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        timeout_milliseconds: u64,
    ) -> (abi::envoy_dynamic_module_type_http_callout_init_result, u64);

    /// Opens an HTTP stream of the filter's own; events come to `on_http_stream_*` with the
    /// returned handle. A timeout of 0 is none (Envoy 1.37+; `CannotCreateRequest` before).
    fn start_http_stream<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        end_stream: bool,
        timeout_milliseconds: u64,
    ) -> (abi::envoy_dynamic_module_type_http_callout_init_result, u64);

    /// Sends data on such a stream (Envoy 1.37+; `false` before).
    ///
    /// # Safety
    ///
    /// `stream_handle` came from [`start_http_stream`](Self::start_http_stream) of this stream and
    /// neither `on_http_stream_complete` nor `on_http_stream_reset` has been called for it.
    unsafe fn send_http_stream_data(
        &mut self,
        stream_handle: u64,
        data: &[u8],
        end_stream: bool,
    ) -> bool;

    /// Ends such a stream with trailers (Envoy 1.37+; `false` before).
    ///
    /// # Safety
    ///
    /// As for [`send_http_stream_data`](Self::send_http_stream_data).
    unsafe fn send_http_stream_trailers<'a>(
        &mut self,
        stream_handle: u64,
        trailers: &'a [(&'a str, &'a [u8])],
    ) -> bool;

    /// Resets such a stream (Envoy 1.37+; nothing before).
    ///
    /// # Safety
    ///
    /// As for [`send_http_stream_data`](Self::send_http_stream_data).
    unsafe fn reset_http_stream(&mut self, stream_handle: u64);

    // === stream control ===

    /// Resumes a stopped request.
    fn continue_decoding(&mut self);

    /// Resumes a stopped response.
    fn continue_encoding(&mut self);

    /// Makes a scheduler through which any thread can wake this filter. Costs one allocation.
    fn new_scheduler(&self) -> impl EnvoyHttpFilterScheduler + 'static
    where
        Self: Sized;

    /// Resets the stream (Envoy 1.38+; see [`Capability::ResetStream`] for before).
    ///
    /// [`Capability::ResetStream`]: crate::Capability::ResetStream
    fn reset_stream(
        &mut self,
        reason: abi::envoy_dynamic_module_type_http_filter_stream_reset_reason,
        details: &str,
    );

    /// Sends GOAWAY and closes the downstream connection: at once, or, if `graceful`, after the
    /// streams it carries. Envoy passes no more of this stream on, so answer it first with
    /// [`send_response`](Self::send_response), or the client waits in vain (Envoy 1.38+; nothing
    /// before, so a stream that is stopped for this must be answered as well).
    fn send_go_away_and_close(&mut self, graceful: bool);

    /// Starts this stream over with the request headers as they are now, as an internal redirect
    /// does; refused once the request body has been read. `headers` are those of the response that
    /// led to this, `:status` among them, if there is one.
    ///
    /// On `true`, return `StopIteration` and expect no other hook than `on_stream_complete`: a new
    /// filter sees the request again, so change something by which it is known (Envoy 1.38+;
    /// `false` before).
    fn recreate_stream<'a>(&mut self, headers: Option<&'a [(&'a str, &'a [u8])]>) -> bool;

    /// How many bytes Envoy buffers for this stream; 0 is no limit (Envoy 1.38+; 0 before).
    fn get_buffer_limit(&self) -> u64;

    /// Changes that limit (Envoy 1.38+; nothing before).
    fn set_buffer_limit(&mut self, limit: u64);

    /// The index of this worker thread (Envoy 1.38+; 0 before).
    fn get_worker_index(&self) -> u32;

    // === metrics ===

    /// Adds to a counter.
    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult>;

    /// Adds to a counter with labels; as many values as it has labels.
    fn increment_counter_vec(
        &self,
        id: EnvoyCounterVecId,
        labels: &[&str],
        value: u64,
    ) -> Result<(), MetricsResult>;

    /// Adds to a gauge.
    fn increase_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult>;

    /// Adds to a gauge with labels; as many values as it has labels.
    fn increase_gauge_vec(
        &self,
        id: EnvoyGaugeVecId,
        labels: &[&str],
        value: u64,
    ) -> Result<(), MetricsResult>;

    /// Subtracts from a gauge.
    fn decrease_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult>;

    /// Subtracts from a gauge with labels; as many values as it has labels.
    fn decrease_gauge_vec(
        &self,
        id: EnvoyGaugeVecId,
        labels: &[&str],
        value: u64,
    ) -> Result<(), MetricsResult>;

    /// Sets a gauge.
    fn set_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult>;

    /// Sets a gauge with labels; as many values as it has labels.
    fn set_gauge_vec(
        &self,
        id: EnvoyGaugeVecId,
        labels: &[&str],
        value: u64,
    ) -> Result<(), MetricsResult>;

    /// Records a value in a histogram.
    fn record_histogram_value(&self, id: EnvoyHistogramId, value: u64)
    -> Result<(), MetricsResult>;

    /// Records a value in a histogram with labels; as many values as it has labels.
    fn record_histogram_value_vec(
        &self,
        id: EnvoyHistogramVecId,
        labels: &[&str],
        value: u64,
    ) -> Result<(), MetricsResult>;

    // === socket options ===

    /// Sets a number option (Envoy 1.38+; `false` before).
    fn set_socket_option_int(
        &mut self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
        value: i64,
    ) -> bool;

    /// Sets a bytes option (Envoy 1.38+; `false` before).
    fn set_socket_option_bytes(
        &mut self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
        value: &[u8],
    ) -> bool;

    /// Reads a number option (Envoy 1.38+; `None` before).
    fn get_socket_option_int(
        &self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
    ) -> Option<i64>;

    /// Reads a bytes option, copied (Envoy 1.38+; `None` before).
    fn get_socket_option_bytes(
        &self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
    ) -> Option<Vec<u8>>;

    // === spans ===

    /// The span of this stream; `None` when it is not traced (Envoy 1.38+; `None` before).
    fn get_active_span<'a>(&'a self) -> Option<Box<dyn EnvoySpan + 'a>>;

    /// Starts a child of the span of this stream (Envoy 1.38+; `None` before).
    fn spawn_child_span<'a>(&'a self, operation_name: &str)
    -> Option<Box<dyn EnvoyChildSpan + 'a>>;

    // === not in the official crate ===

    /// What this Envoy can do.
    fn capabilities(&self) -> Capabilities {
        Capabilities::of_host()
    }

    /// The id of the upstream connection (Envoy 1.39+; `None` before, or without a connection).
    fn upstream_connection_id(&self) -> Option<u64>;

    /// Adds a request header line, or says why not.
    ///
    /// # Errors
    ///
    /// Those of [`try_add_header`](EnvoyHeaderMaps::try_add_header).
    fn try_add_request_header(&mut self, key: &str, value: &[u8]) -> Result<(), AbiError> {
        self.try_add_header(HeaderMap::RequestHeader, key, value)
    }

    /// Adds a request trailer line, or says why not.
    ///
    /// # Errors
    ///
    /// Those of [`try_add_header`](EnvoyHeaderMaps::try_add_header).
    fn try_add_request_trailer(&mut self, key: &str, value: &[u8]) -> Result<(), AbiError> {
        self.try_add_header(HeaderMap::RequestTrailer, key, value)
    }

    /// Adds a response header line, or says why not.
    ///
    /// # Errors
    ///
    /// Those of [`try_add_header`](EnvoyHeaderMaps::try_add_header).
    fn try_add_response_header(&mut self, key: &str, value: &[u8]) -> Result<(), AbiError> {
        self.try_add_header(HeaderMap::ResponseHeader, key, value)
    }

    /// Adds a response trailer line, or says why not.
    ///
    /// # Errors
    ///
    /// Those of [`try_add_header`](EnvoyHeaderMaps::try_add_header).
    fn try_add_response_trailer(&mut self, key: &str, value: &[u8]) -> Result<(), AbiError> {
        self.try_add_header(HeaderMap::ResponseTrailer, key, value)
    }
}
