//! One stream of the fake host: what a test puts there, and what it finds there afterwards.
//!
//! A filter sees it as [`EnvoyHttpFilter`](crate::EnvoyHttpFilter) (the files in `envoy/`); a test
//! prepares it with the `with_*` methods, gives it to an [`Exchange`](super::Exchange), and reads it
//! through [`Exchange::envoy`](super::Exchange::envoy).

mod bodies;
mod headers;
mod lookups;
mod stream;

use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::abi::{
    envoy_dynamic_module_type_attribute_id as AttributeId,
    envoy_dynamic_module_type_metadata_source as MetadataSource,
};
use crate::{Capabilities, Capability, ClusterHostCount, EnvoyVersion, HttpMessage};

use super::actions::Action;
use super::callouts::{Callouts, FakeCallout, FakeHttpStream};
use super::header_map::FakeHeaderMap;
use super::in_flight::InFlight;
use super::message::FakeMessage;
use super::metadata::{Metadata, MetadataValue};
use super::metrics::FakeMetrics;
use super::scheduler::FakeScheduler;
use super::spans::FakeSpan;

/// Envoy's default for `per_connection_buffer_limit_bytes`.
const DEFAULT_BUFFER_LIMIT: u64 = 1024 * 1024;

/// One stream of an Envoy that is not there.
#[derive(Debug)]
pub struct FakeEnvoy {
    pub(crate) version: EnvoyVersion,
    pub(crate) capabilities: Capabilities,
    pub(crate) request: InFlight,
    pub(crate) response: InFlight,
    pub(crate) actions: Vec<Action>,
    pub(crate) callouts: Callouts,
    pub(crate) answers: BTreeMap<String, FakeMessage>,
    pub(crate) scheduler: FakeScheduler,
    pub(crate) buffer_limit: u64,
    metrics: FakeMetrics,
    metadata: [Metadata; 5],
    metadata_structs: Vec<(String, Vec<u8>)>,
    filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    typed_filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    attributes: HashMap<AttributeId, Attribute>,
    route_config: Option<Arc<dyn Any>>,
    cluster: Option<(String, ClusterHostCount)>,
    override_host: Option<(String, bool)>,
    socket_options: BTreeMap<(i64, i64, u32, u32), SocketOption>,
    span: Option<FakeSpan>,
    worker_index: u32,
    upstream_connection_id: Option<u64>,
    custom_flags: Vec<String>,
    route_cache_clears: usize,
    cluster_cache_clears: usize,
    recreated_with: Option<Option<FakeHeaderMap>>,
    go_away: Option<bool>,
    calls: RefCell<Vec<&'static str>>,
}

#[derive(Debug, Clone)]
enum Attribute {
    String(Vec<u8>),
    Int(i64),
    Bool(bool),
}

#[derive(Debug, Clone)]
enum SocketOption {
    Int(i64),
    Bytes(Vec<u8>),
}

impl Default for FakeEnvoy {
    fn default() -> Self {
        Self::new(EnvoyVersion::V1_40)
    }
}

impl FakeEnvoy {
    /// A stream on an Envoy of this release line, with metrics of its own. Where the filter's
    /// config defines metrics, make the stream with
    /// [`FakeEnvoyConfig::stream`](super::FakeEnvoyConfig::stream) instead.
    #[must_use]
    pub fn new(version: EnvoyVersion) -> Self {
        Self::with_host(version, Capabilities::of(version), FakeMetrics::default())
    }

    /// The calls for headers, bodies, routes, limits, counters and replies since this was last asked, by
    /// name: what a hook costs beside its own code. A call that Envoy answers in several steps is one.
    pub fn take_calls(&self) -> Vec<&'static str> {
        self.calls.take()
    }

    pub(crate) fn note_call(&self, name: &'static str) {
        self.calls.borrow_mut().push(name);
    }

    pub(crate) fn with_host(
        version: EnvoyVersion,
        capabilities: Capabilities,
        metrics: FakeMetrics,
    ) -> Self {
        Self {
            version,
            capabilities,
            request: InFlight::default(),
            response: InFlight::default(),
            actions: Vec::new(),
            callouts: Callouts::default(),
            answers: BTreeMap::new(),
            scheduler: FakeScheduler::default(),
            buffer_limit: DEFAULT_BUFFER_LIMIT,
            metrics,
            metadata: Default::default(),
            metadata_structs: Vec::new(),
            filter_state: BTreeMap::new(),
            typed_filter_state: BTreeMap::new(),
            attributes: HashMap::new(),
            route_config: None,
            cluster: None,
            override_host: None,
            socket_options: BTreeMap::new(),
            span: None,
            worker_index: 0,
            upstream_connection_id: None,
            custom_flags: Vec::new(),
            route_cache_clears: 0,
            cluster_cache_clears: 0,
            recreated_with: None,
            go_away: None,
            calls: RefCell::default(),
        }
    }

    // === what a test puts there ===

    /// Takes a capability away: a host with a gap.
    #[must_use]
    pub fn without(mut self, capability: Capability) -> Self {
        self.capabilities = self.capabilities.without(capability);
        self
    }

    /// The per-route config that wins, as the module's own constructor returned it.
    #[must_use]
    pub fn with_route_config(mut self, config: Box<dyn Any>) -> Self {
        self.route_config = Some(Arc::from(config));
        self
    }

    /// A cluster that callouts and HTTP streams may go to. Others are `ClusterNotFound`.
    #[must_use]
    pub fn with_cluster(mut self, name: &str) -> Self {
        self.callouts.clusters.insert(name.to_owned());
        self
    }

    /// A cluster that answers every callout and stream at once: the completion comes before Envoy's
    /// start function would have returned, hence right after the hook that called out.
    #[must_use]
    pub fn with_answer(mut self, cluster: &str, answer: FakeMessage) -> Self {
        self.answers.insert(cluster.to_owned(), answer);
        self.with_cluster(cluster)
    }

    /// The cluster that the route chose, and its hosts.
    #[must_use]
    pub fn with_chosen_cluster(mut self, name: &str, hosts: ClusterHostCount) -> Self {
        self.cluster = Some((name.to_owned(), hosts));
        self
    }

    /// A metadata value, of any source.
    #[must_use]
    pub fn with_metadata(
        mut self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        value: impl Into<MetadataValue>,
    ) -> Self {
        self.metadata[source as usize].set(namespace, key, value.into());
        self
    }

    /// Bytes in the filter state.
    #[must_use]
    pub fn with_filter_state(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.filter_state
            .insert(key.as_bytes().to_vec(), value.as_ref().to_vec());
        self
    }

    /// A string attribute. Those that come from the message itself (`request.path`, `request.method`,
    /// `response.code`, ...) need not be given.
    #[must_use]
    pub fn with_attribute_string(mut self, id: AttributeId, value: impl AsRef<[u8]>) -> Self {
        self.attributes
            .insert(id, Attribute::String(value.as_ref().to_vec()));
        self
    }

    /// A number attribute.
    #[must_use]
    pub fn with_attribute_int(mut self, id: AttributeId, value: i64) -> Self {
        self.attributes.insert(id, Attribute::Int(value));
        self
    }

    /// A boolean attribute (readable from Envoy 1.38).
    #[must_use]
    pub fn with_attribute_bool(mut self, id: AttributeId, value: bool) -> Self {
        self.attributes.insert(id, Attribute::Bool(value));
        self
    }

    /// How many bytes may be buffered; 0 is no limit. One MiB unless set.
    #[must_use]
    pub fn with_buffer_limit(mut self, limit: u64) -> Self {
        self.buffer_limit = limit;
        self
    }

    /// Makes the stream a traced one, with this trace id and span id.
    #[must_use]
    pub fn with_span(mut self, trace_id: &str, span_id: &str) -> Self {
        self.span = Some(FakeSpan::new(trace_id, span_id));
        self
    }

    /// The index of the worker thread (readable from Envoy 1.38).
    #[must_use]
    pub fn with_worker_index(mut self, index: u32) -> Self {
        self.worker_index = index;
        self
    }

    /// The id of the upstream connection (readable from Envoy 1.39).
    #[must_use]
    pub fn with_upstream_connection_id(mut self, id: u64) -> Self {
        self.upstream_connection_id = Some(id);
        self
    }

    // === what a test finds there ===

    /// A metadata value, of any source.
    #[must_use]
    pub fn metadata(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<&MetadataValue> {
        self.metadata[source as usize].value(namespace, key)
    }

    /// What was put into namespaces by `set_dynamic_metadata_struct`, in order and as it was serialised:
    /// the fake reads no protobuf, so that these values are not among [`metadata`](Self::metadata).
    #[must_use]
    pub fn dynamic_metadata_structs(&self) -> &[(String, Vec<u8>)] {
        &self.metadata_structs
    }

    /// A value of the stream's dynamic metadata.
    #[must_use]
    pub fn dynamic_metadata(&self, namespace: &str, key: &str) -> Option<&MetadataValue> {
        self.metadata(MetadataSource::Dynamic, namespace, key)
    }

    /// Bytes in the filter state.
    #[must_use]
    pub fn filter_state(&self, key: &str) -> Option<&[u8]> {
        self.filter_state.get(key.as_bytes()).map(Vec::as_slice)
    }

    /// The metrics, shared with the config that made this stream.
    #[must_use]
    pub fn metrics(&self) -> &FakeMetrics {
        &self.metrics
    }

    /// The callouts that nobody has answered yet.
    #[must_use]
    pub fn callouts(&self) -> &[FakeCallout] {
        &self.callouts.callouts
    }

    /// Every HTTP stream the filter has opened.
    #[must_use]
    pub fn http_streams(&self) -> &[FakeHttpStream] {
        &self.callouts.streams
    }

    /// The span, if the stream is traced.
    #[must_use]
    pub fn span(&self) -> Option<&FakeSpan> {
        self.span.as_ref()
    }

    /// The response flags the filter added, in order.
    #[must_use]
    pub fn custom_flags(&self) -> &[String] {
        &self.custom_flags
    }

    /// How often the route was asked to be chosen again.
    #[must_use]
    pub fn route_cache_clears(&self) -> usize {
        self.route_cache_clears
    }

    /// How often only the cluster of the route was asked to be chosen again.
    #[must_use]
    pub fn route_cluster_cache_clears(&self) -> usize {
        self.cluster_cache_clears
    }

    /// The upstream host the filter insists on, and whether strictly.
    #[must_use]
    pub fn override_host(&self) -> Option<(&str, bool)> {
        self.override_host
            .as_ref()
            .map(|(host, strict)| (host.as_str(), *strict))
    }

    /// Whether the filter started the request over, and the original response headers it gave.
    #[must_use]
    pub fn recreated_with(&self) -> Option<Option<&FakeHeaderMap>> {
        self.recreated_with.as_ref().map(Option::as_ref)
    }

    /// Whether the filter closed the downstream connection with GOAWAY, and whether gracefully.
    #[must_use]
    pub fn go_away(&self) -> Option<bool> {
        self.go_away
    }

    // === inside the fake ===

    pub(crate) fn has(&self, capability: Capability) -> bool {
        self.capabilities.has(capability)
    }

    pub(crate) fn in_flight(&self, message: HttpMessage) -> &InFlight {
        match message {
            HttpMessage::Request => &self.request,
            HttpMessage::Response => &self.response,
        }
    }

    pub(crate) fn in_flight_mut(&mut self, message: HttpMessage) -> &mut InFlight {
        match message {
            HttpMessage::Request => &mut self.request,
            HttpMessage::Response => &mut self.response,
        }
    }
}
