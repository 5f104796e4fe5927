//! The four header maps of a stream, addressed by map. Not in the official crate.
//!
//! The official names (`get_request_header_value`, ...) on
//! [`EnvoyHttpFilter`](super::EnvoyHttpFilter) are one-line spellings of these. Called on the
//! stream's worker thread, from inside its hooks.

use crate::abi::envoy_dynamic_module_type_http_header_type as HeaderMap;
use crate::buffer::EnvoyBuffer;
use crate::error::AbiError;

/// Reading and writing header maps.
///
/// Names are compared without regard to case; `host` and `:authority` are one entry. A map that
/// does not exist yet (response headers during the request, trailers before they arrived) reads as
/// empty and refuses writes. Values are bytes, not always text.
pub trait EnvoyHeaderMaps {
    /// The first value of a header, without copying or allocating.
    fn header_value<'a>(&'a self, map: HeaderMap, key: &str) -> Option<EnvoyBuffer<'a>>;

    /// Every value of a header, in order. Costs one allocation.
    fn header_values<'a>(&'a self, map: HeaderMap, key: &str) -> Vec<EnvoyBuffer<'a>>;

    /// Visits every value of a header, in order. A host may do it without allocating; this default
    /// costs what [`header_values`](Self::header_values) costs.
    fn for_each_header_value<'a>(
        &'a self,
        map: HeaderMap,
        key: &str,
        visit: &mut dyn FnMut(EnvoyBuffer<'a>),
    ) {
        self.header_values(map, key).into_iter().for_each(visit);
    }

    /// Every line of a map, in order. Costs one allocation.
    fn header_lines<'a>(&'a self, map: HeaderMap) -> Vec<(EnvoyBuffer<'a>, EnvoyBuffer<'a>)>;

    /// Replaces all values of a header by one; an empty value removes the header, on every Envoy.
    /// `false` if the map does not exist.
    fn set_header(&mut self, map: HeaderMap, key: &str, value: &[u8]) -> bool;

    /// Adds a line and keeps those that are there.
    ///
    /// Envoy 1.36 cannot: there the values are joined with `, ` into one line, which means the same
    /// for headers that are lists.
    ///
    /// # Errors
    ///
    /// [`AbiError::Unsupported`] for `set-cookie` on Envoy 1.36, where joining would change the
    /// meaning. [`AbiError::Refused`] for a pseudo-header, an empty value or a map that does not
    /// exist.
    fn try_add_header(&mut self, map: HeaderMap, key: &str, value: &[u8]) -> Result<(), AbiError>;

    /// Removes every line of a header. `true` also when there was none; `false` if the map does
    /// not exist.
    fn remove_header(&mut self, map: HeaderMap, key: &str) -> bool;
}
