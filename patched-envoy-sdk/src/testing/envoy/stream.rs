//! Everything else a filter may ask of the fake host, under the official names.
//!
//! Long because the official trait is one trait; each method is one thought.

use std::any::Any;
use std::sync::Arc;

use crate::abi::{
    envoy_dynamic_module_type_attribute_id as AttributeId,
    envoy_dynamic_module_type_http_callout_init_result as InitResult,
    envoy_dynamic_module_type_http_filter_stream_reset_reason as ResetReason,
    envoy_dynamic_module_type_metadata_source as MetadataSource,
    envoy_dynamic_module_type_metrics_result as MetricsResult,
    envoy_dynamic_module_type_socket_direction as SocketDirection,
    envoy_dynamic_module_type_socket_option_state as SocketOptionState,
};
use crate::{
    Capabilities, Capability, ClusterHostCount, EnvoyBuffer, EnvoyChildSpan, EnvoyCounterId,
    EnvoyCounterVecId, EnvoyGaugeId, EnvoyGaugeVecId, EnvoyHistogramId, EnvoyHistogramVecId,
    EnvoyHttpFilter, EnvoyHttpFilterScheduler, EnvoySpan,
};

use super::{Attribute, FakeEnvoy, SocketOption};
use crate::http::grpc;
use crate::testing::actions::Action;
use crate::testing::callouts::Start;
use crate::testing::header_map::FakeHeaderMap;
use crate::testing::metadata::MetadataValue;
use crate::testing::metrics::{Change, Kind};

type Lines<'a> = &'a [(&'a str, &'a [u8])];

fn owned(lines: Lines<'_>) -> FakeHeaderMap {
    FakeHeaderMap::from_lines(lines.iter().copied())
}

/// The twins of each metric update, with and without labels.
macro_rules! metric_updates {
    ($($plain:ident($id:ident), $labelled:ident($vec_id:ident) => $kind:ident $change:ident;)+) => {$(
        fn $plain(&self, id: $id, value: u64) -> Result<(), MetricsResult> {
            self.metrics.change(Kind::$kind, id.0, None, Change::$change(value))
        }

        fn $labelled(
            &self,
            id: $vec_id,
            labels: &[&str],
            value: u64,
        ) -> Result<(), MetricsResult> {
            self.metrics.change(Kind::$kind, id.0, Some(labels), Change::$change(value))
        }
    )+};
}

impl EnvoyHttpFilter for FakeEnvoy {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    // === replies ===

    fn send_response<'a>(
        &mut self,
        status_code: u32,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        details: Option<&'a str>,
    ) {
        self.note_call("reply");
        let details = details
            .filter(|_| self.has(Capability::ReplyDetails))
            .unwrap_or_default();
        let names = headers.iter().map(|(name, _)| *name);
        let grpc_status = grpc::status_for(status_code, names);
        let is_call = self
            .get_request_header_value("content-type")
            .is_some_and(|value| grpc::is_call(value.as_slice()));
        let mut headers = owned(headers);
        if let Some(status) = grpc_status.filter(|_| is_call) {
            headers.push(grpc::STATUS.as_bytes(), status.as_bytes());
        }
        self.actions.push(Action::SendResponse {
            status: status_code,
            headers,
            body: body.unwrap_or_default().to_vec(),
            details: details.to_owned(),
        });
    }

    fn send_response_headers<'a>(&mut self, headers: &'a [(&'a str, &'a [u8])], end_stream: bool) {
        self.actions.push(Action::SendHeaders {
            headers: owned(headers),
            end_stream,
        });
    }

    fn send_response_data(&mut self, body: &[u8], end_stream: bool) {
        self.actions.push(Action::SendData {
            data: body.to_vec(),
            end_stream,
        });
    }

    fn send_response_trailers<'a>(&mut self, trailers: &'a [(&'a str, &'a [u8])]) {
        self.actions.push(Action::SendTrailers {
            trailers: owned(trailers),
        });
    }

    fn add_custom_flag(&mut self, flag: &str) {
        if self.has(Capability::CustomFlag) {
            self.custom_flags.push(flag.to_owned());
        }
    }

    // === metadata ===

    fn get_metadata_number(&self, source: MetadataSource, ns: &str, key: &str) -> Option<f64> {
        match self.metadata(source, ns, key)? {
            MetadataValue::Number(value) => Some(*value),
            _ => None,
        }
    }

    fn set_dynamic_metadata_number(&mut self, namespace: &str, key: &str, value: f64) {
        self.set_dynamic(namespace, key, value.into());
    }

    fn get_metadata_string<'a>(
        &'a self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<EnvoyBuffer<'a>> {
        match self.metadata(source, namespace, key)? {
            MetadataValue::String(value) => Some(EnvoyBuffer::new(value)),
            _ => None,
        }
    }

    fn set_dynamic_metadata_string(&mut self, namespace: &str, key: &str, value: &str) {
        self.set_dynamic(namespace, key, value.into());
    }

    fn get_metadata_bool(&self, source: MetadataSource, ns: &str, key: &str) -> Option<bool> {
        match self.value_if(Capability::MetadataBool, source, ns, key)? {
            MetadataValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn set_dynamic_metadata_bool(&mut self, namespace: &str, key: &str, value: bool) {
        if self.has(Capability::MetadataBool) {
            self.set_dynamic(namespace, key, value.into());
        }
    }

    fn set_dynamic_metadata_struct(&mut self, namespace: &str, serialized_struct: &[u8]) {
        if self.has(Capability::MetadataStruct) {
            self.metadata_structs
                .push((namespace.to_owned(), serialized_struct.to_vec()));
        }
    }

    fn get_metadata_keys<'a>(
        &'a self,
        source: MetadataSource,
        namespace: &str,
    ) -> Option<Vec<EnvoyBuffer<'a>>> {
        if !self.has(Capability::MetadataKeys) {
            return None;
        }
        let keys = self.metadata[source as usize]
            .keys(namespace)
            .map(EnvoyBuffer::new);
        Some(keys.collect::<Vec<_>>()).filter(|keys| !keys.is_empty())
    }

    fn get_metadata_namespaces<'a>(
        &'a self,
        source: MetadataSource,
    ) -> Option<Vec<EnvoyBuffer<'a>>> {
        if !self.has(Capability::MetadataKeys) {
            return None;
        }
        let names = self.metadata[source as usize]
            .namespaces()
            .map(EnvoyBuffer::new);
        Some(names.collect::<Vec<_>>()).filter(|names| !names.is_empty())
    }

    fn add_dynamic_metadata_list_number(&mut self, ns: &str, key: &str, value: f64) -> bool {
        self.push_dynamic(ns, key, value.into())
    }

    fn add_dynamic_metadata_list_string(&mut self, ns: &str, key: &str, value: &str) -> bool {
        self.push_dynamic(ns, key, value.into())
    }

    fn add_dynamic_metadata_list_bool(&mut self, ns: &str, key: &str, value: bool) -> bool {
        self.push_dynamic(ns, key, value.into())
    }

    fn get_metadata_list_size(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<usize> {
        match self.value_if(Capability::MetadataLists, source, namespace, key)? {
            MetadataValue::List(values) => Some(values.len()),
            _ => None,
        }
    }

    fn get_metadata_list_number(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<f64> {
        match self.list_item(source, namespace, key, index)? {
            MetadataValue::Number(value) => Some(*value),
            _ => None,
        }
    }

    fn get_metadata_list_string<'a>(
        &'a self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<EnvoyBuffer<'a>> {
        match self.list_item(source, namespace, key, index)? {
            MetadataValue::String(value) => Some(EnvoyBuffer::new(value)),
            _ => None,
        }
    }

    fn get_metadata_list_bool(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<bool> {
        match self.list_item(source, namespace, key, index)? {
            MetadataValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    // === filter state ===

    fn get_filter_state_bytes<'a>(&'a self, key: &[u8]) -> Option<EnvoyBuffer<'a>> {
        self.filter_state.get(key).map(EnvoyBuffer::new)
    }

    fn set_filter_state_bytes(&mut self, key: &[u8], value: &[u8]) -> bool {
        self.filter_state.insert(key.to_vec(), value.to_vec());
        true
    }

    fn set_filter_state_typed(&mut self, key: &[u8], value: &[u8]) -> bool {
        let known = self.has(Capability::TypedFilterState);
        if known {
            self.typed_filter_state.insert(key.to_vec(), value.to_vec());
        }
        known
    }

    fn get_filter_state_typed<'a>(&'a self, key: &[u8]) -> Option<EnvoyBuffer<'a>> {
        self.typed_filter_state.get(key).map(EnvoyBuffer::new)
    }

    // === route, cluster, attributes ===

    fn clear_route_cache(&mut self) {
        self.note_call("clear route");
        self.route_cache_clears += 1;
    }

    fn clear_route_cluster_cache(&mut self) {
        if self.has(Capability::RouteClusterCache) {
            self.cluster_cache_clears += 1;
        } else {
            self.clear_route_cache();
        }
    }

    fn get_most_specific_route_config(&self) -> Option<Arc<dyn Any>> {
        self.note_call("route");
        self.route_config.clone()
    }

    fn get_attribute_string<'a>(&'a self, attribute_id: AttributeId) -> Option<EnvoyBuffer<'a>> {
        match self.attributes.get(&attribute_id) {
            Some(Attribute::String(value)) => Some(EnvoyBuffer::new(value)),
            Some(_) => None,
            None => self.message_attribute(attribute_id).map(EnvoyBuffer::new),
        }
    }

    fn get_attribute_int(&self, attribute_id: AttributeId) -> Option<i64> {
        match self.attributes.get(&attribute_id) {
            Some(Attribute::Int(value)) => Some(*value),
            None if attribute_id == AttributeId::ResponseCode => self
                .response
                .headers
                .as_ref()?
                .value(":status")?
                .parse()
                .ok(),
            _ => None,
        }
    }

    fn get_attribute_bool(&self, attribute_id: AttributeId) -> Option<bool> {
        match self.attributes.get(&attribute_id) {
            Some(Attribute::Bool(value)) if self.has(Capability::AttributeBool) => Some(*value),
            _ => None,
        }
    }

    fn get_cluster_name<'a>(&'a self) -> Option<EnvoyBuffer<'a>> {
        let cluster = self
            .cluster
            .as_ref()
            .filter(|_| self.has(Capability::ClusterHosts));
        cluster.map(|(name, _)| EnvoyBuffer::new(name))
    }

    fn get_cluster_host_count(&self, priority: u32) -> Option<ClusterHostCount> {
        let cluster = self
            .cluster
            .as_ref()
            .filter(|_| self.has(Capability::ClusterHosts));
        cluster.filter(|_| priority == 0).map(|(_, hosts)| *hosts)
    }

    fn set_upstream_override_host(&mut self, host: &str, strict: bool) -> bool {
        let known = self.has(Capability::UpstreamOverrideHost);
        if known {
            self.override_host = Some((host.to_owned(), strict));
        }
        known
    }

    // === callouts ===

    fn send_http_callout<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        timeout_milliseconds: u64,
    ) -> (InitResult, u64) {
        let start = Start {
            cluster: cluster_name,
            headers,
            body,
            timeout_milliseconds,
        };
        let (result, id) = self.callouts.call(&start);
        if result == InitResult::Success && self.answers.contains_key(cluster_name) {
            self.actions.push(Action::AnswerCallout { id });
        }
        (result, id)
    }

    fn start_http_stream<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        end_stream: bool,
        timeout_milliseconds: u64,
    ) -> (InitResult, u64) {
        if !self.has(Capability::HttpStreams) {
            return (InitResult::CannotCreateRequest, 0);
        }
        let start = Start {
            cluster: cluster_name,
            headers,
            body,
            timeout_milliseconds,
        };
        let (result, id) = self.callouts.open(&start, end_stream);
        if result == InitResult::Success && self.answers.contains_key(cluster_name) {
            self.actions.push(Action::AnswerHttpStream { id });
        }
        (result, id)
    }

    unsafe fn send_http_stream_data(
        &mut self,
        stream_handle: u64,
        data: &[u8],
        end_stream: bool,
    ) -> bool {
        self.callouts.send_data(stream_handle, data, end_stream)
    }

    unsafe fn send_http_stream_trailers<'a>(
        &mut self,
        stream_handle: u64,
        trailers: &'a [(&'a str, &'a [u8])],
    ) -> bool {
        self.callouts.send_trailers(stream_handle, trailers)
    }

    unsafe fn reset_http_stream(&mut self, stream_handle: u64) {
        self.callouts.close(stream_handle);
    }

    // === stream control ===

    fn continue_decoding(&mut self) {
        self.actions.push(Action::ContinueDecoding);
    }

    fn continue_encoding(&mut self) {
        self.actions.push(Action::ContinueEncoding);
    }

    fn new_scheduler(&self) -> impl EnvoyHttpFilterScheduler + 'static {
        self.scheduler.clone()
    }

    fn reset_stream(&mut self, _reason: ResetReason, details: &str) {
        self.actions.push(Action::ResetStream {
            details: details.to_owned(),
        });
    }

    fn send_go_away_and_close(&mut self, graceful: bool) {
        if self.has(Capability::GoAway) {
            self.go_away = Some(graceful);
        }
    }

    fn recreate_stream<'a>(&mut self, headers: Option<&'a [(&'a str, &'a [u8])]>) -> bool {
        let headers = headers.map(owned);
        let complete = headers
            .as_ref()
            .is_none_or(|lines| lines.value_bytes(":status").is_some());
        let accepted = complete && self.has(Capability::RecreateStream);
        if accepted {
            self.recreated_with = Some(headers);
            self.actions.push(Action::Recreated);
        }
        accepted
    }

    fn get_buffer_limit(&self) -> u64 {
        self.note_call("limit");
        if self.has(Capability::BufferLimit) {
            self.buffer_limit
        } else {
            0
        }
    }

    fn set_buffer_limit(&mut self, limit: u64) {
        self.note_call("raise limit");
        if self.has(Capability::BufferLimit) {
            self.buffer_limit = limit;
        }
    }

    fn get_worker_index(&self) -> u32 {
        if self.has(Capability::WorkerIndex) {
            self.worker_index
        } else {
            0
        }
    }

    // === metrics ===

    metric_updates! {
        increment_counter(EnvoyCounterId), increment_counter_vec(EnvoyCounterVecId)
            => Counter Add;
        increase_gauge(EnvoyGaugeId), increase_gauge_vec(EnvoyGaugeVecId) => Gauge Add;
        decrease_gauge(EnvoyGaugeId), decrease_gauge_vec(EnvoyGaugeVecId) => Gauge Subtract;
        set_gauge(EnvoyGaugeId), set_gauge_vec(EnvoyGaugeVecId) => Gauge Set;
        record_histogram_value(EnvoyHistogramId), record_histogram_value_vec(EnvoyHistogramVecId)
            => Histogram Record;
    }

    // === socket options ===

    fn set_socket_option_int(
        &mut self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
        value: i64,
    ) -> bool {
        self.set_socket_option(level, name, state, direction, SocketOption::Int(value))
    }

    fn set_socket_option_bytes(
        &mut self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
        value: &[u8],
    ) -> bool {
        self.set_socket_option(
            level,
            name,
            state,
            direction,
            SocketOption::Bytes(value.to_vec()),
        )
    }

    fn get_socket_option_int(
        &self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
    ) -> Option<i64> {
        match self.socket_option(level, name, state, direction)? {
            SocketOption::Int(value) => Some(*value),
            SocketOption::Bytes(_) => None,
        }
    }

    fn get_socket_option_bytes(
        &self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
    ) -> Option<Vec<u8>> {
        match self.socket_option(level, name, state, direction)? {
            SocketOption::Bytes(value) => Some(value.clone()),
            SocketOption::Int(_) => None,
        }
    }

    // === spans ===

    fn get_active_span<'a>(&'a self) -> Option<Box<dyn EnvoySpan + 'a>> {
        let span = self.span.as_ref().filter(|_| self.has(Capability::Spans))?;
        Some(Box::new(span.on(self.capabilities)))
    }

    fn spawn_child_span<'a>(
        &'a self,
        operation_name: &str,
    ) -> Option<Box<dyn EnvoyChildSpan + 'a>> {
        let span = self.span.as_ref().filter(|_| self.has(Capability::Spans))?;
        Some(span.child(operation_name))
    }

    // === not in the official crate ===

    fn upstream_connection_id(&self) -> Option<u64> {
        self.upstream_connection_id
            .filter(|_| self.has(Capability::UpstreamConnectionId))
    }
}
