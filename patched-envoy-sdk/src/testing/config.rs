//! The fake host's side of a filter config.
//!
//! A test makes one, gives it to the module's own constructor function, and opens streams from it:
//! they share its release line and its metrics.

use crate::abi::{
    envoy_dynamic_module_type_http_callout_init_result as InitResult,
    envoy_dynamic_module_type_metrics_result as MetricsResult,
};
use crate::{
    Capabilities, Capability, EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId, EnvoyGaugeVecId,
    EnvoyHistogramId, EnvoyHistogramVecId, EnvoyHttpFilterConfig, EnvoyHttpFilterConfigScheduler,
    EnvoyVersion, HttpFilterConfig,
};

use super::callouts::{Callouts, FakeCallout, FakeHttpStream, Start};
use super::envoy::FakeEnvoy;
use super::metrics::{Change, FakeMetrics, Kind};
use super::scheduler::FakeScheduler;

/// The configuration side of an Envoy that is not there.
///
/// It records callouts and HTTP streams of the config but cannot complete them: those hooks take
/// the real [`EnvoyHttpFilterConfigImpl`](crate::EnvoyHttpFilterConfigImpl), as in the official
/// crate, and there is no Envoy behind one here.
#[derive(Debug)]
pub struct FakeEnvoyConfig {
    version: EnvoyVersion,
    capabilities: Capabilities,
    metrics: FakeMetrics,
    callouts: Callouts,
    scheduler: FakeScheduler,
}

impl Default for FakeEnvoyConfig {
    fn default() -> Self {
        Self::new(EnvoyVersion::V1_40)
    }
}

impl FakeEnvoyConfig {
    /// The configuration side of an Envoy of this release line.
    #[must_use]
    pub fn new(version: EnvoyVersion) -> Self {
        Self {
            version,
            capabilities: Capabilities::of(version),
            metrics: FakeMetrics::default(),
            callouts: Callouts::default(),
            scheduler: FakeScheduler::default(),
        }
    }

    /// Takes a capability away: a host with a gap. Streams made from it lack it, too.
    #[must_use]
    pub fn without(mut self, capability: Capability) -> Self {
        self.capabilities = self.capabilities.without(capability);
        self
    }

    /// A cluster that callouts and HTTP streams may go to, those of the config and those of its streams: clusters
    /// are the process's. Others are `ClusterNotFound`.
    #[must_use]
    pub fn with_cluster(mut self, name: &str) -> Self {
        self.callouts.clusters.insert(name.to_owned());
        self
    }

    /// A stream on the same host. From now on defining metrics is refused, as in Envoy.
    #[must_use]
    pub fn stream(&self) -> FakeEnvoy {
        self.metrics.freeze();
        let mut stream =
            FakeEnvoy::with_host(self.version, self.capabilities, self.metrics.clone());
        stream.callouts.clusters = self.callouts.clusters.clone();
        stream
    }

    /// The metrics, shared with every stream made from this config.
    #[must_use]
    pub fn metrics(&self) -> &FakeMetrics {
        &self.metrics
    }

    /// The callouts of the config.
    #[must_use]
    pub fn callouts(&self) -> &[FakeCallout] {
        &self.callouts.callouts
    }

    /// The HTTP streams of the config.
    #[must_use]
    pub fn http_streams(&self) -> &[FakeHttpStream] {
        &self.callouts.streams
    }

    /// Delivers what was committed to the config's schedulers. Returns how many events that was.
    pub fn run_scheduled(&self, config: &dyn HttpFilterConfig<FakeEnvoy>) -> usize {
        let mut count = 0;
        while let Some(event_id) = self.scheduler.pop() {
            config.on_scheduled(event_id);
            count += 1;
        }
        count
    }

    fn change(
        &self,
        kind: Kind,
        id: usize,
        labels: Option<&[&str]>,
        change: Change,
    ) -> Result<(), MetricsResult> {
        if !self.capabilities.has(Capability::ConfigMetrics) {
            return Err(MetricsResult::MetricNotFound);
        }
        self.metrics.change(kind, id, labels, change)
    }
}

impl EnvoyHttpFilterConfig for FakeEnvoyConfig {
    fn define_counter(&mut self, name: &str) -> Result<EnvoyCounterId, MetricsResult> {
        self.metrics
            .define(Kind::Counter, name, None)
            .map(EnvoyCounterId)
    }

    fn define_counter_vec(
        &mut self,
        name: &str,
        labels: &[&str],
    ) -> Result<EnvoyCounterVecId, MetricsResult> {
        self.metrics
            .define(Kind::Counter, name, Some(labels))
            .map(EnvoyCounterVecId)
    }

    fn define_gauge(&mut self, name: &str) -> Result<EnvoyGaugeId, MetricsResult> {
        self.metrics
            .define(Kind::Gauge, name, None)
            .map(EnvoyGaugeId)
    }

    fn define_gauge_vec(
        &mut self,
        name: &str,
        labels: &[&str],
    ) -> Result<EnvoyGaugeVecId, MetricsResult> {
        self.metrics
            .define(Kind::Gauge, name, Some(labels))
            .map(EnvoyGaugeVecId)
    }

    fn define_histogram(&mut self, name: &str) -> Result<EnvoyHistogramId, MetricsResult> {
        self.metrics
            .define(Kind::Histogram, name, None)
            .map(EnvoyHistogramId)
    }

    fn define_histogram_vec(
        &mut self,
        name: &str,
        labels: &[&str],
    ) -> Result<EnvoyHistogramVecId, MetricsResult> {
        self.metrics
            .define(Kind::Histogram, name, Some(labels))
            .map(EnvoyHistogramVecId)
    }

    fn new_scheduler(&self) -> Box<dyn EnvoyHttpFilterConfigScheduler> {
        if self.capabilities.has(Capability::ConfigScheduler) {
            Box::new(self.scheduler.clone())
        } else {
            // Its commits go nowhere, as on the hosts that have no such scheduler.
            Box::new(FakeScheduler::default())
        }
    }

    fn send_http_callout<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        timeout_milliseconds: u64,
    ) -> (InitResult, u64) {
        if !self.capabilities.has(Capability::ConfigCallouts) {
            return (InitResult::CannotCreateRequest, 0);
        }
        self.callouts.call(&Start {
            cluster: cluster_name,
            headers,
            body,
            timeout_milliseconds,
        })
    }

    fn start_http_stream<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: Option<&'a [u8]>,
        end_stream: bool,
        timeout_milliseconds: u64,
    ) -> (InitResult, u64) {
        if !self.capabilities.has(Capability::ConfigCallouts) {
            return (InitResult::CannotCreateRequest, 0);
        }
        let start = Start {
            cluster: cluster_name,
            headers,
            body,
            timeout_milliseconds,
        };
        self.callouts.open(&start, end_stream)
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

    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult> {
        self.change(Kind::Counter, id.0, None, Change::Add(value))
    }

    fn increment_counter_vec(
        &self,
        id: EnvoyCounterVecId,
        labels: &[&str],
        value: u64,
    ) -> Result<(), MetricsResult> {
        self.change(Kind::Counter, id.0, Some(labels), Change::Add(value))
    }

    fn increase_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult> {
        self.change(Kind::Gauge, id.0, None, Change::Add(value))
    }

    fn increase_gauge_vec(
        &self,
        id: EnvoyGaugeVecId,
        labels: &[&str],
        value: u64,
    ) -> Result<(), MetricsResult> {
        self.change(Kind::Gauge, id.0, Some(labels), Change::Add(value))
    }

    fn decrease_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult> {
        self.change(Kind::Gauge, id.0, None, Change::Subtract(value))
    }

    fn decrease_gauge_vec(
        &self,
        id: EnvoyGaugeVecId,
        labels: &[&str],
        value: u64,
    ) -> Result<(), MetricsResult> {
        self.change(Kind::Gauge, id.0, Some(labels), Change::Subtract(value))
    }

    fn set_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult> {
        self.change(Kind::Gauge, id.0, None, Change::Set(value))
    }

    fn set_gauge_vec(
        &self,
        id: EnvoyGaugeVecId,
        labels: &[&str],
        value: u64,
    ) -> Result<(), MetricsResult> {
        self.change(Kind::Gauge, id.0, Some(labels), Change::Set(value))
    }

    fn record_histogram_value(
        &self,
        id: EnvoyHistogramId,
        value: u64,
    ) -> Result<(), MetricsResult> {
        self.change(Kind::Histogram, id.0, None, Change::Record(value))
    }

    fn record_histogram_value_vec(
        &self,
        id: EnvoyHistogramVecId,
        labels: &[&str],
        value: u64,
    ) -> Result<(), MetricsResult> {
        self.change(Kind::Histogram, id.0, Some(labels), Change::Record(value))
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_and_its_streams_share_metrics_which_freeze_at_the_first_stream() {
        let mut config = FakeEnvoyConfig::default();
        let id = config.define_counter("seen").expect("defined");
        let stream = config.stream();
        crate::EnvoyHttpFilter::increment_counter(&stream, id, 2).expect("counted");
        config.increment_counter(id, 1).expect("counted");
        assert_eq!(config.metrics().counter("seen"), 3);
        assert_eq!(config.define_counter("late"), Err(MetricsResult::Frozen));
    }

    #[test]
    fn a_cluster_of_the_config_is_one_of_its_streams() {
        let config = FakeEnvoyConfig::default().with_cluster("up");
        let headers: [(&str, &[u8]); 3] = [(":method", b"GET"), (":path", b"/"), ("host", b"h")];
        for (cluster, expected) in [
            ("up", InitResult::Success),
            ("down", InitResult::ClusterNotFound),
        ] {
            let mut stream = config.stream();
            let call = crate::EnvoyHttpFilter::send_http_callout;
            assert_eq!(call(&mut stream, cluster, &headers, None, 0).0, expected);
        }
    }

    #[test]
    fn an_old_host_has_no_metrics_callouts_or_scheduler_in_the_config() {
        let mut config = FakeEnvoyConfig::new(EnvoyVersion::V1_36).with_cluster("up");
        let id = config.define_counter("seen").expect("defined");
        assert_eq!(
            config.increment_counter(id, 1),
            Err(MetricsResult::MetricNotFound)
        );
        let headers: [(&str, &[u8]); 3] = [(":method", b"GET"), (":path", b"/"), ("host", b"h")];
        let (result, _) = config.send_http_callout("up", &headers, None, 0);
        assert_eq!(result, InitResult::CannotCreateRequest);
        config.new_scheduler().commit(1);
        assert_eq!(config.scheduler.pop(), None);
    }
}
