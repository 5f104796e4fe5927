//! HTTP messages that a test sends, and those that came out.
//!
//! [`FakeMessage`] describes a request, a response, or the answer to a callout;
//! [`DeliveredMessage`] is what reached the other side of the filter.

use super::header_map::FakeHeaderMap;

/// A request, a response, or the answer to a callout.
#[derive(Debug, Clone, Default)]
pub struct FakeMessage {
    pub(crate) headers: FakeHeaderMap,
    pub(crate) chunks: Vec<Vec<u8>>,
    pub(crate) trailers: Option<FakeHeaderMap>,
}

impl FakeMessage {
    /// A request with this method and path, to host `fake.example`.
    #[must_use]
    pub fn request(method: &str, path: &str) -> Self {
        Self::default()
            .header(":method", method)
            .header(":path", path)
            .header(":scheme", "http")
            .header(":authority", "fake.example")
    }

    /// A response with this status.
    #[must_use]
    pub fn response(status: u32) -> Self {
        Self::default().header(":status", status.to_string())
    }

    /// One more header line.
    #[must_use]
    pub fn header(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(key.as_bytes(), value.as_ref());
        self
    }

    /// One more chunk of body. `content-length` is up to the test.
    #[must_use]
    pub fn chunk(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.chunks.push(bytes.as_ref().to_vec());
        self
    }

    /// One more trailer line.
    #[must_use]
    pub fn trailer(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.trailers
            .get_or_insert_default()
            .push(key.as_bytes(), value.as_ref());
        self
    }
}

/// What arrived on the other side of the filter: upstream for a request, downstream for a response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveredMessage {
    pub(crate) headers: Option<FakeHeaderMap>,
    pub(crate) chunks: Vec<Vec<u8>>,
    pub(crate) trailers: Option<FakeHeaderMap>,
    pub(crate) complete: bool,
}

impl DeliveredMessage {
    /// Whether the headers have arrived.
    #[must_use]
    pub fn has_headers(&self) -> bool {
        self.headers.is_some()
    }

    /// Whether the message has ended properly.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The first value of a header.
    #[must_use]
    pub fn header(&self, key: &str) -> Option<String> {
        self.headers.as_ref()?.value(key)
    }

    /// Every value of a header.
    #[must_use]
    pub fn headers(&self, key: &str) -> Vec<String> {
        self.headers
            .as_ref()
            .map(|headers| headers.values(key))
            .unwrap_or_default()
    }

    /// All headers; `None` before they arrived.
    #[must_use]
    pub fn header_map(&self) -> Option<&FakeHeaderMap> {
        self.headers.as_ref()
    }

    /// The status of a response; `None` for a request or before the headers arrived.
    #[must_use]
    pub fn status(&self) -> Option<u32> {
        self.header(":status")?.parse().ok()
    }

    /// The whole body.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    /// The body as text, with bytes that are not UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body()).into_owned()
    }

    /// The body in the pieces in which it was passed on.
    #[must_use]
    pub fn chunks(&self) -> &[Vec<u8>] {
        &self.chunks
    }

    /// The trailers; `None` if there were none.
    #[must_use]
    pub fn trailers(&self) -> Option<&FakeHeaderMap> {
        self.trailers.as_ref()
    }

    pub(crate) fn push(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.chunks.push(bytes);
        }
    }
}
