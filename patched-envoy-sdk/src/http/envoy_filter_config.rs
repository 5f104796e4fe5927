//! Envoy's side of a filter config: defining metrics, waking the config, callouts of its own.
//!
//! Called on the main thread, while the config is created or from its own hooks.

use super::ids::{
    EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId, EnvoyGaugeVecId, EnvoyHistogramId,
    EnvoyHistogramVecId,
};
use super::scheduler::EnvoyHttpFilterConfigScheduler;
use crate::abi::envoy_dynamic_module_type_http_callout_init_result as CalloutInitResult;
use crate::abi::envoy_dynamic_module_type_metrics_result as MetricsResult;
use crate::capabilities::Capabilities;

/// Envoy's side of one filter config.
///
/// Metrics can be defined only while the config is created; later attempts are `Frozen`.
pub trait EnvoyHttpFilterConfig {
    /// Defines a counter.
    fn define_counter(&mut self, name: &str) -> Result<EnvoyCounterId, MetricsResult>;

    /// Defines a counter with labels.
    fn define_counter_vec(
        &mut self,
        name: &str,
        labels: &[&str],
    ) -> Result<EnvoyCounterVecId, MetricsResult>;

    /// Defines a gauge.
    fn define_gauge(&mut self, name: &str) -> Result<EnvoyGaugeId, MetricsResult>;

    /// Defines a gauge with labels.
    fn define_gauge_vec(
        &mut self,
        name: &str,
        labels: &[&str],
    ) -> Result<EnvoyGaugeVecId, MetricsResult>;

    /// Defines a histogram.
    fn define_histogram(&mut self, name: &str) -> Result<EnvoyHistogramId, MetricsResult>;

    /// Defines a histogram with labels.
    fn define_histogram_vec(
        &mut self,
        name: &str,
        labels: &[&str],
    ) -> Result<EnvoyHistogramVecId, MetricsResult>;

    /// Makes a scheduler through which any thread can wake the config (Envoy 1.37+; before, its
    /// commits go nowhere).
    fn new_scheduler(&self) -> Box<dyn EnvoyHttpFilterConfigScheduler>;

    /// Sends a request of the config's own (Envoy 1.38+; `CannotCreateRequest` before).
    fn send_http_callout<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        timeout_milliseconds: u64,
    ) -> (CalloutInitResult, u64);

    /// Opens an HTTP stream of the config's own (Envoy 1.38+; `CannotCreateRequest` before).
    fn start_http_stream<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        end_stream: bool,
        timeout_milliseconds: u64,
    ) -> (CalloutInitResult, u64);

    /// Sends data on such a stream (Envoy 1.38+; `false` before).
    ///
    /// # Safety
    ///
    /// `stream_handle` came from [`start_http_stream`](Self::start_http_stream) of this config and
    /// neither `on_http_stream_complete` nor `on_http_stream_reset` has been called for it.
    unsafe fn send_http_stream_data(
        &mut self,
        stream_handle: u64,
        data: &[u8],
        end_stream: bool,
    ) -> bool;

    /// Ends such a stream with trailers (Envoy 1.38+; `false` before).
    ///
    /// # Safety
    ///
    /// As for [`send_http_stream_data`](Self::send_http_stream_data).
    unsafe fn send_http_stream_trailers<'a>(
        &mut self,
        stream_handle: u64,
        trailers: &'a [(&'a str, &'a [u8])],
    ) -> bool;

    /// Resets such a stream (Envoy 1.38+; nothing before).
    ///
    /// # Safety
    ///
    /// As for [`send_http_stream_data`](Self::send_http_stream_data).
    unsafe fn reset_http_stream(&mut self, stream_handle: u64);

    // === updating metrics: Envoy 1.39+; `MetricNotFound` before ===

    /// Adds to a counter.
    fn increment_counter(&self, _id: EnvoyCounterId, _value: u64) -> Result<(), MetricsResult> {
        Err(MetricsResult::MetricNotFound)
    }

    /// Adds to a counter with labels.
    fn increment_counter_vec(
        &self,
        _id: EnvoyCounterVecId,
        _labels: &[&str],
        _value: u64,
    ) -> Result<(), MetricsResult> {
        Err(MetricsResult::MetricNotFound)
    }

    /// Adds to a gauge.
    fn increase_gauge(&self, _id: EnvoyGaugeId, _value: u64) -> Result<(), MetricsResult> {
        Err(MetricsResult::MetricNotFound)
    }

    /// Adds to a gauge with labels.
    fn increase_gauge_vec(
        &self,
        _id: EnvoyGaugeVecId,
        _labels: &[&str],
        _value: u64,
    ) -> Result<(), MetricsResult> {
        Err(MetricsResult::MetricNotFound)
    }

    /// Subtracts from a gauge.
    fn decrease_gauge(&self, _id: EnvoyGaugeId, _value: u64) -> Result<(), MetricsResult> {
        Err(MetricsResult::MetricNotFound)
    }

    /// Subtracts from a gauge with labels.
    fn decrease_gauge_vec(
        &self,
        _id: EnvoyGaugeVecId,
        _labels: &[&str],
        _value: u64,
    ) -> Result<(), MetricsResult> {
        Err(MetricsResult::MetricNotFound)
    }

    /// Sets a gauge.
    fn set_gauge(&self, _id: EnvoyGaugeId, _value: u64) -> Result<(), MetricsResult> {
        Err(MetricsResult::MetricNotFound)
    }

    /// Sets a gauge with labels.
    fn set_gauge_vec(
        &self,
        _id: EnvoyGaugeVecId,
        _labels: &[&str],
        _value: u64,
    ) -> Result<(), MetricsResult> {
        Err(MetricsResult::MetricNotFound)
    }

    /// Records a value in a histogram.
    fn record_histogram_value(
        &self,
        _id: EnvoyHistogramId,
        _value: u64,
    ) -> Result<(), MetricsResult> {
        Err(MetricsResult::MetricNotFound)
    }

    /// Records a value in a histogram with labels.
    fn record_histogram_value_vec(
        &self,
        _id: EnvoyHistogramVecId,
        _labels: &[&str],
        _value: u64,
    ) -> Result<(), MetricsResult> {
        Err(MetricsResult::MetricNotFound)
    }

    // === not in the official crate ===

    /// What this Envoy can do: the place to refuse a configuration that it could not keep.
    fn capabilities(&self) -> Capabilities {
        Capabilities::of_host()
    }
}
