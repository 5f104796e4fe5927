//! The author's handle on one filter config: `EnvoyHttpFilterConfig` over the real callbacks.
//!
//! Lent to author code on the main thread: while the config is created, and in its own hooks.

mod metrics;
mod scheduler;

use super::raw::{Borrowed, Buf, ConfigPtr};
use super::{Host, once};
use crate::abi::envoy_dynamic_module_type_http_callout_init_result as InitResult;
use crate::abi::envoy_dynamic_module_type_metrics_result as MetricsResult;
use crate::capabilities::Capability;
use crate::host::filter::callouts::init_result;
use crate::http::envoy_filter_config::EnvoyHttpFilterConfig;
use crate::http::ids::{
    EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId, EnvoyGaugeVecId, EnvoyHistogramId,
    EnvoyHistogramVecId,
};
use crate::http::scheduler::EnvoyHttpFilterConfigScheduler;

/// Envoy's side of one filter config; see
/// [`EnvoyHttpFilterConfig`](crate::EnvoyHttpFilterConfig) for what it can do.
pub struct EnvoyHttpFilterConfigImpl {
    host: &'static Host,
    envoy: ConfigPtr,
}

impl EnvoyHttpFilterConfigImpl {
    /// # Safety
    /// `envoy` is Envoy's live filter config object, used on the main thread, for as long as the
    /// handle exists.
    pub(crate) unsafe fn new(host: &'static Host, envoy: ConfigPtr) -> Self {
        Self { host, envoy }
    }

    /// A callback that sends something out on behalf of the config, from 1.38 on.
    fn sender<T>(&self, method: &str, callback: Option<T>) -> Option<T> {
        if callback.is_none() {
            once::warn_unsupported(self.host, Capability::ConfigCallouts, method);
        }
        callback
    }
}

macro_rules! definitions {
    ($(
        $plain:ident -> $plain_id:ident, $labelled:ident -> $labelled_id:ident => $define:ident;
    )*) => {$(
        fn $plain(&mut self, name: &str) -> Result<$plain_id, MetricsResult> {
            // SAFETY: the creator of the handle promises a live config on the main thread.
            unsafe { metrics::$define(self.host, self.envoy, name, None) }.map($plain_id)
        }

        fn $labelled(
            &mut self,
            name: &str,
            labels: &[&str],
        ) -> Result<$labelled_id, MetricsResult> {
            // SAFETY: as above.
            unsafe { metrics::$define(self.host, self.envoy, name, Some(labels)) }.map($labelled_id)
        }
    )*};
}

macro_rules! updates {
    ($($plain:ident($plain_id:ty), $labelled:ident($labelled_id:ty) => $callback:ident;)*) => {$(
        fn $plain(&self, id: $plain_id, value: u64) -> Result<(), MetricsResult> {
            // SAFETY: the creator of the handle promises a live config on the main thread.
            unsafe {
                metrics::update(self.host.later.$callback, self.envoy, id.0, &[], value)
            }
        }

        fn $labelled(
            &self,
            id: $labelled_id,
            labels: &[&str],
            value: u64,
        ) -> Result<(), MetricsResult> {
            // SAFETY: as above.
            unsafe {
                metrics::update(self.host.later.$callback, self.envoy, id.0, labels, value)
            }
        }
    )*};
}

impl EnvoyHttpFilterConfig for EnvoyHttpFilterConfigImpl {
    definitions! {
        define_counter -> EnvoyCounterId, define_counter_vec -> EnvoyCounterVecId
            => define_counter;
        define_gauge -> EnvoyGaugeId, define_gauge_vec -> EnvoyGaugeVecId
            => define_gauge;
        define_histogram -> EnvoyHistogramId, define_histogram_vec -> EnvoyHistogramVecId
            => define_histogram;
    }

    updates! {
        increment_counter(EnvoyCounterId), increment_counter_vec(EnvoyCounterVecId)
            => http_filter_config_increment_counter;
        increase_gauge(EnvoyGaugeId), increase_gauge_vec(EnvoyGaugeVecId)
            => http_filter_config_increment_gauge;
        decrease_gauge(EnvoyGaugeId), decrease_gauge_vec(EnvoyGaugeVecId)
            => http_filter_config_decrement_gauge;
        set_gauge(EnvoyGaugeId), set_gauge_vec(EnvoyGaugeVecId)
            => http_filter_config_set_gauge;
        record_histogram_value(EnvoyHistogramId), record_histogram_value_vec(EnvoyHistogramVecId)
            => http_filter_config_record_histogram_value;
    }

    fn new_scheduler(&self) -> Box<dyn EnvoyHttpFilterConfigScheduler> {
        // SAFETY: the creator of the handle promises a live config on the main thread.
        Box::new(unsafe { scheduler::ConfigScheduler::new(self.host, self.envoy) })
    }

    fn send_http_callout<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        timeout_milliseconds: u64,
    ) -> (InitResult, u64) {
        let start = self.sender(
            "send_http_callout",
            self.host.later.http_filter_config_http_callout,
        );
        let Some(start) = start else {
            return (InitResult::CannotCreateRequest, 0);
        };
        let lines = Borrowed::pairs(headers);
        let mut id = 0;
        // SAFETY: the creator of the handle promises a live config; everything is copied.
        let raw = unsafe {
            start(
                self.envoy,
                &mut id,
                Buf::of(cluster_name.as_bytes()),
                lines.as_ptr(),
                lines.len(),
                body.map_or(Buf::EMPTY, Buf::of),
                timeout_milliseconds,
            )
        };
        (init_result(raw), id)
    }

    fn start_http_stream<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        end_stream: bool,
        timeout_milliseconds: u64,
    ) -> (InitResult, u64) {
        let start = self.sender(
            "start_http_stream",
            self.host.later.http_filter_config_start_http_stream,
        );
        let Some(start) = start else {
            return (InitResult::CannotCreateRequest, 0);
        };
        let lines = Borrowed::pairs(headers);
        let mut id = 0;
        // SAFETY: the creator of the handle promises a live config; everything is copied.
        let raw = unsafe {
            start(
                self.envoy,
                &mut id,
                Buf::of(cluster_name.as_bytes()),
                lines.as_ptr(),
                lines.len(),
                body.map_or(Buf::EMPTY, Buf::of),
                end_stream,
                timeout_milliseconds,
            )
        };
        (init_result(raw), id)
    }

    unsafe fn send_http_stream_data(
        &mut self,
        stream_handle: u64,
        data: &[u8],
        end_stream: bool,
    ) -> bool {
        self.host
            .later
            .http_filter_config_stream_send_data
            .is_some_and(
                // SAFETY: a live config, and the caller promises an open stream of it.
                |send| unsafe { send(self.envoy, stream_handle, Buf::of(data), end_stream) },
            )
    }

    unsafe fn send_http_stream_trailers<'a>(
        &mut self,
        stream_handle: u64,
        trailers: &'a [(&'a str, &'a [u8])],
    ) -> bool {
        let lines = Borrowed::pairs(trailers);
        self.host
            .later
            .http_filter_config_stream_send_trailers
            .is_some_and(
                // SAFETY: a live config, and the caller promises an open stream of it.
                |send| unsafe { send(self.envoy, stream_handle, lines.as_ptr(), lines.len()) },
            )
    }

    unsafe fn reset_http_stream(&mut self, stream_handle: u64) {
        if let Some(reset) = self.host.later.http_filter_config_reset_http_stream {
            // SAFETY: a live config, and the caller promises an open stream of it.
            unsafe { reset(self.envoy, stream_handle) }
        }
    }
}
