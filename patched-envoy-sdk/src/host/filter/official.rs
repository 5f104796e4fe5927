//! `EnvoyHttpFilter` for the real host: the official names over the topics beside this file.
//!
//! Header and body methods come from the trait's defaults. Calls that may run other hooks of the
//! filter are recorded here and made by the slot.

use std::any::Any;
use std::sync::Arc;

use super::socket::SocketOption;
use super::{EnvoyHttpFilterImpl, headers, metrics, replies};
use crate::abi;
use crate::abi::envoy_dynamic_module_type_attribute_id as AttributeId;
use crate::abi::envoy_dynamic_module_type_http_callout_init_result as InitResult;
use crate::abi::envoy_dynamic_module_type_metadata_source as MetadataSource;
use crate::abi::envoy_dynamic_module_type_metrics_result as MetricsResult;
use crate::abi::envoy_dynamic_module_type_socket_direction as SocketDirection;
use crate::abi::envoy_dynamic_module_type_socket_option_state as SocketOptionState;
use crate::buffer::EnvoyBuffer;
use crate::capabilities::Capability;
use crate::host::once;
use crate::http::grpc;
use crate::http::{
    ClusterHostCount, EnvoyChildSpan, EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId,
    EnvoyGaugeVecId, EnvoyHistogramId, EnvoyHistogramVecId, EnvoyHttpFilter,
    EnvoyHttpFilterScheduler, EnvoySpan,
};
use crate::stream::call::{Call, Lines};

fn owned(lines: &[(&str, &[u8])]) -> Lines {
    lines
        .iter()
        .map(|(key, value)| (key.as_bytes().to_vec(), value.to_vec()))
        .collect()
}

/// One method per metric update, labelled and unlabelled.
macro_rules! metric_updates {
    ($($plain:ident($plain_id:ty), $labelled:ident($labelled_id:ty) => $update:ident;)*) => {$(
        fn $plain(&self, id: $plain_id, value: u64) -> Result<(), MetricsResult> {
            let (host, envoy) = self.live().ok_or(MetricsResult::MetricNotFound)?;
            // SAFETY: live.
            unsafe { metrics::$update(host, envoy, id.0, None, value) }
        }

        fn $labelled(
            &self,
            id: $labelled_id,
            labels: &[&str],
            value: u64,
        ) -> Result<(), MetricsResult> {
            let (host, envoy) = self.live().ok_or(MetricsResult::MetricNotFound)?;
            // SAFETY: live.
            unsafe { metrics::$update(host, envoy, id.0, Some(labels), value) }
        }
    )*};
}

impl EnvoyHttpFilter for EnvoyHttpFilterImpl {
    fn send_response<'a>(
        &mut self,
        status_code: u32,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        details: Option<&'a str>,
    ) {
        let names = headers.iter().map(|(name, _)| *name);
        let grpc_status = headers::grpc_status(self.stream(), status_code, names);
        let mut headers = owned(headers);
        headers.extend(grpc_status.map(|status| (grpc::STATUS.into(), status.into())));
        self.defer(Call::SendResponse {
            status: status_code,
            headers,
            body: body.map(<[u8]>::to_vec),
            details: details.map(str::to_owned),
        });
    }

    fn send_response_headers<'a>(&mut self, headers: &'a [(&'a str, &'a [u8])], end_stream: bool) {
        if self.is_out_of_reach("send_response_headers") {
            return self.send_response(500, &[], None, None);
        }
        self.defer(Call::SendHeaders {
            headers: owned(headers),
            end_stream,
        });
    }

    fn send_response_data(&mut self, body: &[u8], end_stream: bool) {
        if !self.is_out_of_reach("send_response_data") {
            self.defer(Call::SendData {
                data: body.to_vec(),
                end_stream,
            });
        }
    }

    fn send_response_trailers<'a>(&mut self, trailers: &'a [(&'a str, &'a [u8])]) {
        if !self.is_out_of_reach("send_response_trailers") {
            self.defer(Call::SendTrailers {
                trailers: owned(trailers),
            });
        }
    }

    fn add_custom_flag(&mut self, flag: &str) {
        self.flag_added(flag);
    }

    fn get_metadata_number(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<f64> {
        self.metadata_number(source, namespace, key)
    }

    fn set_dynamic_metadata_number(&mut self, namespace: &str, key: &str, value: f64) {
        self.put_metadata_number(namespace, key, value);
    }

    fn get_metadata_string<'a>(
        &'a self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<EnvoyBuffer<'a>> {
        self.metadata_string(source, namespace, key)
    }

    fn set_dynamic_metadata_string(&mut self, namespace: &str, key: &str, value: &str) {
        self.put_metadata_string(namespace, key, value.as_bytes());
    }

    fn set_dynamic_metadata_bytes(&mut self, namespace: &str, key: &str, value: &[u8]) {
        self.put_metadata_string(namespace, key, value);
    }

    fn set_dynamic_metadata_string_batch<'a>(
        &mut self,
        namespace: &'a str,
        entries: &'a [(&'a str, &'a str)],
    ) {
        self.put_metadata_strings(namespace, entries);
    }

    fn get_metadata_bool(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<bool> {
        self.metadata_bool(source, namespace, key)
    }

    fn set_dynamic_metadata_bool(&mut self, namespace: &str, key: &str, value: bool) {
        self.put_metadata_bool(namespace, key, value);
    }

    fn set_dynamic_metadata_struct(&mut self, namespace: &str, serialized_struct: &[u8]) {
        self.put_metadata_struct(namespace, serialized_struct);
    }

    fn get_metadata_keys<'a>(
        &'a self,
        source: MetadataSource,
        namespace: &str,
    ) -> Option<Vec<EnvoyBuffer<'a>>> {
        self.metadata_keys(source, namespace)
    }

    fn get_metadata_namespaces<'a>(
        &'a self,
        source: MetadataSource,
    ) -> Option<Vec<EnvoyBuffer<'a>>> {
        self.metadata_namespaces(source)
    }

    fn add_dynamic_metadata_list_number(&mut self, namespace: &str, key: &str, value: f64) -> bool {
        self.list_add_number(namespace, key, value)
    }

    fn add_dynamic_metadata_list_string(
        &mut self,
        namespace: &str,
        key: &str,
        value: &str,
    ) -> bool {
        self.list_add_string(namespace, key, value)
    }

    fn add_dynamic_metadata_list_bool(&mut self, namespace: &str, key: &str, value: bool) -> bool {
        self.list_add_bool(namespace, key, value)
    }

    fn get_metadata_list_size(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<usize> {
        self.list_size(source, namespace, key)
    }

    fn get_metadata_list_number(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<f64> {
        self.list_number(source, namespace, key, index)
    }

    fn get_metadata_list_string<'a>(
        &'a self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<EnvoyBuffer<'a>> {
        self.list_string(source, namespace, key, index)
    }

    fn get_metadata_list_bool(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<bool> {
        self.list_bool(source, namespace, key, index)
    }

    fn get_filter_state_bytes<'a>(&'a self, key: &[u8]) -> Option<EnvoyBuffer<'a>> {
        self.state_bytes(key)
    }

    fn set_filter_state_bytes(&mut self, key: &[u8], value: &[u8]) -> bool {
        self.put_state_bytes(key, value)
    }

    fn set_filter_state_typed(&mut self, key: &[u8], value: &[u8]) -> bool {
        self.put_state_typed(key, value)
    }

    fn get_filter_state_typed<'a>(&'a self, key: &[u8]) -> Option<EnvoyBuffer<'a>> {
        self.state_typed(key)
    }

    fn clear_route_cache(&mut self) {
        self.route_cache_cleared();
    }

    fn clear_route_cluster_cache(&mut self) {
        self.route_cluster_cache_cleared();
    }

    fn get_most_specific_route_config(&self) -> Option<Arc<dyn Any>> {
        self.per_route_config()
    }

    fn get_attribute_string<'a>(&'a self, attribute_id: AttributeId) -> Option<EnvoyBuffer<'a>> {
        self.attribute_string(attribute_id)
    }

    fn get_attribute_int(&self, attribute_id: AttributeId) -> Option<i64> {
        self.attribute_int(attribute_id)
    }

    fn get_attribute_bool(&self, attribute_id: AttributeId) -> Option<bool> {
        self.attribute_bool(attribute_id)
    }

    fn get_cluster_name<'a>(&'a self) -> Option<EnvoyBuffer<'a>> {
        self.cluster_name()
    }

    fn get_cluster_host_count(&self, priority: u32) -> Option<ClusterHostCount> {
        self.cluster_host_count(priority)
    }

    fn set_upstream_override_host(&mut self, host: &str, strict: bool) -> bool {
        self.override_host(host, strict)
    }

    fn send_http_callout<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        timeout_milliseconds: u64,
    ) -> (InitResult, u64) {
        self.callout(cluster_name, headers, body, timeout_milliseconds)
    }

    fn start_http_stream<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        end_stream: bool,
        timeout_milliseconds: u64,
    ) -> (InitResult, u64) {
        self.http_stream(
            cluster_name,
            headers,
            body,
            end_stream,
            timeout_milliseconds,
        )
    }

    unsafe fn send_http_stream_data(
        &mut self,
        stream_handle: u64,
        data: &[u8],
        end_stream: bool,
    ) -> bool {
        // SAFETY: the caller promises an open stream of this filter.
        unsafe { self.stream_data(stream_handle, data, end_stream) }
    }

    unsafe fn send_http_stream_trailers<'a>(
        &mut self,
        stream_handle: u64,
        trailers: &'a [(&'a str, &'a [u8])],
    ) -> bool {
        // SAFETY: the caller promises an open stream of this filter.
        unsafe { self.stream_trailers(stream_handle, trailers) }
    }

    unsafe fn reset_http_stream(&mut self, stream_handle: u64) {
        // SAFETY: the caller promises an open stream of this filter.
        unsafe { self.stream_reset(stream_handle) }
    }

    fn continue_decoding(&mut self) {
        self.defer(Call::ContinueDecoding);
    }

    fn continue_encoding(&mut self) {
        self.defer(Call::ContinueEncoding);
    }

    fn new_scheduler(&self) -> impl EnvoyHttpFilterScheduler + 'static {
        self.scheduler()
    }

    fn reset_stream(
        &mut self,
        reason: abi::envoy_dynamic_module_type_http_filter_stream_reset_reason,
        details: &str,
    ) {
        if !replies::can_reset(self.stream()) {
            if !self.is_out_of_reach("reset_stream") {
                once::warn_unsupported(self.stream().host, Capability::ResetStream, "reset_stream");
            }
            // Envoy makes a reset of it when response headers are already out.
            return self.send_response(500, &[], None, Some(details));
        }
        self.defer(Call::ResetStream {
            reason: reason as u32,
            details: details.to_owned(),
        });
    }

    fn send_go_away_and_close(&mut self, graceful: bool) {
        if !self.is_out_of_reach("send_go_away_and_close") {
            self.defer(Call::GoAway { graceful });
        }
    }

    fn recreate_stream<'a>(&mut self, headers: Option<&'a [(&'a str, &'a [u8])]>) -> bool {
        self.recreated(headers)
    }

    fn get_buffer_limit(&self) -> u64 {
        self.buffer_limit()
    }

    fn set_buffer_limit(&mut self, limit: u64) {
        self.limit_buffer(limit);
    }

    fn get_worker_index(&self) -> u32 {
        self.worker_index()
    }

    metric_updates! {
        increment_counter(EnvoyCounterId), increment_counter_vec(EnvoyCounterVecId)
            => increment_counter;
        increase_gauge(EnvoyGaugeId), increase_gauge_vec(EnvoyGaugeVecId)
            => increase_gauge;
        decrease_gauge(EnvoyGaugeId), decrease_gauge_vec(EnvoyGaugeVecId)
            => decrease_gauge;
        set_gauge(EnvoyGaugeId), set_gauge_vec(EnvoyGaugeVecId)
            => set_gauge;
        record_histogram_value(EnvoyHistogramId), record_histogram_value_vec(EnvoyHistogramVecId)
            => record_histogram_value;
    }

    fn set_socket_option_int(
        &mut self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
        value: i64,
    ) -> bool {
        self.put_socket_int(
            SocketOption {
                level,
                name,
                state,
                direction,
            },
            value,
        )
    }

    fn set_socket_option_bytes(
        &mut self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
        value: &[u8],
    ) -> bool {
        self.put_socket_bytes(
            SocketOption {
                level,
                name,
                state,
                direction,
            },
            value,
        )
    }

    fn get_socket_option_int(
        &self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
    ) -> Option<i64> {
        self.socket_int(SocketOption {
            level,
            name,
            state,
            direction,
        })
    }

    fn get_socket_option_bytes(
        &self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
    ) -> Option<Vec<u8>> {
        self.socket_bytes(SocketOption {
            level,
            name,
            state,
            direction,
        })
    }

    fn get_active_span<'a>(&'a self) -> Option<Box<dyn EnvoySpan + 'a>> {
        self.active_span()
            .map(|span| Box::new(span) as Box<dyn EnvoySpan + 'a>)
    }

    fn spawn_child_span<'a>(
        &'a self,
        operation_name: &str,
    ) -> Option<Box<dyn EnvoyChildSpan + 'a>> {
        let child = self.active_span()?.child(operation_name)?;
        Some(Box::new(child))
    }

    fn upstream_connection_id(&self) -> Option<u64> {
        self.connection_id_upstream()
    }
}
