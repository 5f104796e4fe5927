//! Callouts and HTTP streams on the fake host: what the filter sent, kept until the test answers.

use std::collections::BTreeSet;

use crate::abi::envoy_dynamic_module_type_http_callout_init_result as InitResult;

use super::header_map::FakeHeaderMap;

/// A callout that a filter, or a filter config, has started.
#[derive(Debug, Clone)]
pub struct FakeCallout {
    /// The id that its completion carries.
    pub id: u64,
    /// The cluster it went to.
    pub cluster: String,
    /// The request's headers.
    pub headers: FakeHeaderMap,
    /// The request's body.
    pub body: Vec<u8>,
    /// The time allowed, in milliseconds; 0 is no limit.
    pub timeout_milliseconds: u64,
}

/// An HTTP stream that a filter, or a filter config, has opened.
#[derive(Debug, Clone)]
pub struct FakeHttpStream {
    /// The handle that its events carry.
    pub id: u64,
    /// The cluster it went to.
    pub cluster: String,
    /// The request's headers.
    pub headers: FakeHeaderMap,
    /// The request's body so far.
    pub body: Vec<u8>,
    /// The request's trailers, once sent.
    pub trailers: Option<FakeHeaderMap>,
    /// Whether the filter has ended the request.
    pub end_of_stream: bool,
    /// Whether the stream is finished: completed, or reset by either side.
    pub closed: bool,
    /// The time allowed, in milliseconds; 0 is no limit.
    pub timeout_milliseconds: u64,
}

/// What a callout or a stream is started with.
pub(crate) struct Start<'a> {
    pub(crate) cluster: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a [u8])],
    pub(crate) body: Option<&'a [u8]>,
    pub(crate) timeout_milliseconds: u64,
}

/// Everything one side has called out to.
#[derive(Debug, Clone)]
pub(crate) struct Callouts {
    pub(crate) clusters: BTreeSet<String>,
    pub(crate) callouts: Vec<FakeCallout>,
    pub(crate) streams: Vec<FakeHttpStream>,
    next_id: u64,
}

impl Default for Callouts {
    fn default() -> Self {
        // Above 32 bits: an id that somebody truncated is then nobody's id.
        let next_id = u64::from(u32::MAX) + 1;
        Self {
            clusters: BTreeSet::new(),
            callouts: Vec::new(),
            streams: Vec::new(),
            next_id,
        }
    }
}

impl Callouts {
    pub(crate) fn call(&mut self, start: &Start<'_>) -> (InitResult, u64) {
        let headers = FakeHeaderMap::from_lines(start.headers.iter().copied());
        if let Some(refusal) = self.refusal(start.cluster, &headers) {
            return (refusal, 0);
        }
        let id = self.new_id();
        self.callouts.push(FakeCallout {
            id,
            cluster: start.cluster.to_owned(),
            headers,
            body: start.body.unwrap_or_default().to_vec(),
            timeout_milliseconds: start.timeout_milliseconds,
        });
        (InitResult::Success, id)
    }

    pub(crate) fn open(&mut self, start: &Start<'_>, end_of_stream: bool) -> (InitResult, u64) {
        let headers = FakeHeaderMap::from_lines(start.headers.iter().copied());
        if let Some(refusal) = self.refusal(start.cluster, &headers) {
            return (refusal, 0);
        }
        let id = self.new_id();
        self.streams.push(FakeHttpStream {
            id,
            cluster: start.cluster.to_owned(),
            headers,
            body: start.body.unwrap_or_default().to_vec(),
            trailers: None,
            end_of_stream,
            closed: false,
            timeout_milliseconds: start.timeout_milliseconds,
        });
        (InitResult::Success, id)
    }

    pub(crate) fn send_data(&mut self, id: u64, data: &[u8], end_of_stream: bool) -> bool {
        let Some(stream) = self.writable(id) else {
            return false;
        };
        stream.body.extend_from_slice(data);
        stream.end_of_stream = end_of_stream;
        true
    }

    pub(crate) fn send_trailers(&mut self, id: u64, trailers: &[(&str, &[u8])]) -> bool {
        let Some(stream) = self.writable(id) else {
            return false;
        };
        stream.trailers = Some(FakeHeaderMap::from_lines(trailers.iter().copied()));
        stream.end_of_stream = true;
        true
    }

    /// Closes a stream; false if it is unknown or closed already.
    pub(crate) fn close(&mut self, id: u64) -> bool {
        match self
            .streams
            .iter_mut()
            .find(|stream| stream.id == id && !stream.closed)
        {
            Some(stream) => {
                stream.closed = true;
                true
            }
            None => false,
        }
    }

    pub(crate) fn is_open(&self, id: u64) -> bool {
        self.streams
            .iter()
            .any(|stream| stream.id == id && !stream.closed)
    }

    /// Takes a callout that was not answered yet.
    pub(crate) fn take(&mut self, id: u64) -> Option<FakeCallout> {
        let index = self.callouts.iter().position(|callout| callout.id == id)?;
        Some(self.callouts.remove(index))
    }

    fn writable(&mut self, id: u64) -> Option<&mut FakeHttpStream> {
        self.streams
            .iter_mut()
            .find(|stream| stream.id == id && !stream.closed && !stream.end_of_stream)
    }

    fn refusal(&self, cluster: &str, headers: &FakeHeaderMap) -> Option<InitResult> {
        let required = [":method", ":path", ":authority"];
        if !self.clusters.contains(cluster) {
            Some(InitResult::ClusterNotFound)
        } else if required
            .iter()
            .any(|key| headers.value_bytes(key).is_none())
        {
            Some(InitResult::MissingRequiredHeaders)
        } else {
            None
        }
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: &[(&str, &[u8])] = &[(":method", b"GET"), (":path", b"/"), ("host", b"h")];

    fn start<'a>(cluster: &'a str, headers: &'a [(&'a str, &'a [u8])]) -> Start<'a> {
        Start {
            cluster,
            headers,
            body: None,
            timeout_milliseconds: 5,
        }
    }

    fn with_cluster() -> Callouts {
        let mut callouts = Callouts::default();
        callouts.clusters.insert("up".to_owned());
        callouts
    }

    #[test]
    fn a_callout_needs_a_known_cluster_and_the_required_headers() {
        let mut callouts = with_cluster();
        assert_eq!(
            callouts.call(&start("down", HEADERS)).0,
            InitResult::ClusterNotFound
        );
        let short = &HEADERS[..2];
        assert_eq!(
            callouts.call(&start("up", short)).0,
            InitResult::MissingRequiredHeaders
        );
        let (result, id) = callouts.call(&start("up", HEADERS));
        assert_eq!(result, InitResult::Success);
        assert!(callouts.take(id).is_some());
        assert!(callouts.take(id).is_none(), "a callout is answered once");
    }

    #[test]
    fn a_stream_takes_nothing_after_its_end() {
        let mut callouts = with_cluster();
        let (_, id) = callouts.open(&start("up", HEADERS), false);
        assert!(callouts.send_data(id, b"one", false));
        assert!(callouts.send_trailers(id, &[("t", b"1")]));
        assert!(!callouts.send_data(id, b"two", false));
        assert_eq!(callouts.streams[0].body, b"one");
        assert!(callouts.close(id));
        assert!(!callouts.close(id));
    }
}
