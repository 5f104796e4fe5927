//! What a program reads and writes, known before any traffic.
//!
//! The filter reads this once per stream to decide what to buffer and which hooks have work. It is
//! computed by the compiler on the main thread and never changes.

/// The needs of both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// The request direction.
    pub request: DirectionNeeds,
    /// The response direction.
    pub response: DirectionNeeds,
    /// Response templates read request headers, or something reads when the request came:
    /// [`Stream::on_request_headers`] must be called so that they see what the client sent.
    ///
    /// [`Stream::on_request_headers`]: crate::Stream::on_request_headers
    pub captures_request_headers: bool,
}

/// The needs of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirectionNeeds {
    /// Something may change; otherwise the direction can be left alone altogether.
    pub has_work: bool,
    /// Some template reads the body, as text or as JSON.
    pub reads_body: bool,
    /// Some template reads the body as JSON.
    pub parses_json: bool,
    /// The body is replaced.
    pub writes_body: bool,
    /// Headers are set, added or removed.
    pub writes_headers: bool,
    /// Dynamic metadata is written.
    pub writes_metadata: bool,
    /// The body may be a stream of events to be transformed one by one, of which nothing is to be
    /// buffered: [`Stream::open_events`](crate::Stream::open_events) decides.
    pub streams: bool,
    /// The route may have to be chosen again: see
    /// [`Applied::reroute`](crate::Applied::reroute).
    pub reroutes: bool,
    /// How large a body may be held, if larger than the host would allow by itself. The host should
    /// raise its limit before the first byte arrives, if it can.
    pub max_body_bytes: Option<u64>,
}

impl DirectionNeeds {
    /// Those of a direction in which nothing is to be done.
    pub(crate) const NONE: DirectionNeeds = DirectionNeeds {
        has_work: false,
        reads_body: false,
        parses_json: false,
        writes_body: false,
        writes_headers: false,
        writes_metadata: false,
        streams: false,
        reroutes: false,
        max_body_bytes: None,
    };

    /// Adds the needs of another transform.
    pub(crate) fn merge(&mut self, other: &DirectionNeeds) {
        self.has_work |= other.has_work;
        self.reads_body |= other.reads_body;
        self.parses_json |= other.parses_json;
        self.writes_body |= other.writes_body;
        self.writes_headers |= other.writes_headers;
        self.writes_metadata |= other.writes_metadata;
        self.streams |= other.streams;
        self.reroutes |= other.reroutes;
        self.max_body_bytes = self.max_body_bytes.max(other.max_body_bytes);
    }

    /// Whether the whole body must be there before the transform runs.
    pub fn buffers(&self) -> bool {
        self.reads_body || self.writes_body
    }
}
