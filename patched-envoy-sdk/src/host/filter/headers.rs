//! Header maps: reading, setting, adding and removing, on both ABI families.
//!
//! On the stream's worker thread. Adding a line is where the families differ most: 1.36 cannot.

use super::{EnvoyHttpFilterImpl, view};
use crate::abi::envoy_dynamic_module_type_http_header_type as HeaderMap;
use crate::buffer::EnvoyBuffer;
use crate::capabilities::Capability;
use crate::error::AbiError;
use crate::host::raw::{Buf, FilterPtr, Pair};
use crate::host::table_136::Table136;
use crate::host::{Family, Host, once};
use crate::http::{EnvoyHeaderMaps, grpc};
use crate::stream::Stream;

const CONTENT_TYPE: &str = "content-type";

/// The value at `index` and how many there are; `None` where there is no value at `index`.
///
/// # Safety
/// `envoy` is the live Envoy object of this stream.
unsafe fn value_at(
    host: &Host,
    envoy: FilterPtr,
    map: HeaderMap,
    key: &str,
    index: usize,
) -> (Option<Buf>, usize) {
    let key = Buf::of(key.as_bytes());
    let mut value = Buf::EMPTY;
    // SAFETY: the caller's promise; the key is read and the out values are written during the call.
    unsafe {
        match &host.family {
            Family::V136(table) => {
                let get = match map {
                    HeaderMap::RequestHeader => table.http_get_request_header,
                    HeaderMap::RequestTrailer => table.http_get_request_trailer,
                    HeaderMap::ResponseHeader => table.http_get_response_header,
                    HeaderMap::ResponseTrailer => table.http_get_response_trailer,
                };
                let (ptr, len) = (&raw mut value.ptr, &raw mut value.len);
                let total = get(envoy, key.ptr, key.len, ptr, len, index);
                ((index < total).then_some(value), total)
            }
            Family::V137(table) => {
                let mut total = 0;
                let found =
                    (table.http_get_header)(envoy, map as u32, key, &mut value, index, &mut total);
                (found.then_some(value), total)
            }
        }
    }
}

/// The `grpc-status` to send along with a local reply of this HTTP status, whose headers have these
/// names; none if the request is no gRPC call.
pub(crate) fn grpc_status<'h>(
    stream: &Stream,
    http: u32,
    names: impl IntoIterator<Item = &'h str>,
) -> Option<&'static str> {
    grpc::status_for(http, names).filter(|_| is_grpc_call(stream))
}

/// Whether the request is a gRPC call. Looked up for the first reply, or before the header that says
/// so is changed: Envoy has made up its mind when the request came.
fn is_grpc_call(stream: &Stream) -> bool {
    if let Some(known) = stream.grpc.get() {
        return known;
    }
    let Some(envoy) = stream.live() else {
        return false;
    };
    // SAFETY: not gone, so Envoy's object is alive; nothing changes the value while it is looked at.
    let is_call = unsafe {
        let map = HeaderMap::RequestHeader;
        let (value, _) = value_at(stream.host, envoy, map, CONTENT_TYPE, 0);
        value.is_some_and(|value| grpc::is_call(view(value).as_slice()))
    };
    stream.grpc.set(Some(is_call));
    is_call
}

/// Replaces all values; an empty `value` removes the header.
///
/// # Safety
/// `envoy` is the live Envoy object of this stream.
unsafe fn set(host: &Host, envoy: FilterPtr, map: HeaderMap, key: &str, value: &[u8]) -> bool {
    let key = Buf::of(key.as_bytes());
    // Removal is spelled "null pointer" in 1.36 and "length 0" later; this is both.
    let value = if value.is_empty() {
        Buf::EMPTY
    } else {
        Buf::of(value)
    };
    // SAFETY: the caller's promise; Envoy copies both strings during the call.
    unsafe {
        match &host.family {
            Family::V136(table) => {
                let set = match map {
                    HeaderMap::RequestHeader => table.http_set_request_header,
                    HeaderMap::RequestTrailer => table.http_set_request_trailer,
                    HeaderMap::ResponseHeader => table.http_set_response_header,
                    HeaderMap::ResponseTrailer => table.http_set_response_trailer,
                };
                set(envoy, key.ptr, key.len, value.ptr, value.len)
            }
            Family::V137(table) => (table.http_set_header)(envoy, map as u32, key, value),
        }
    }
}

impl EnvoyHeaderMaps for EnvoyHttpFilterImpl {
    fn header_value<'a>(&'a self, map: HeaderMap, key: &str) -> Option<EnvoyBuffer<'a>> {
        let (host, envoy) = self.live()?;
        // SAFETY: live; the value stays until this map is changed, which needs `&mut self`.
        unsafe {
            value_at(host, envoy, map, key, 0)
                .0
                .map(|value| view(value))
        }
    }

    fn header_values<'a>(&'a self, map: HeaderMap, key: &str) -> Vec<EnvoyBuffer<'a>> {
        let Some((host, envoy)) = self.live() else {
            return Vec::new();
        };
        // SAFETY: live; the values stay until this map is changed, which needs `&mut self`.
        unsafe {
            let (first, total) = value_at(host, envoy, map, key, 0);
            let Some(first) = first else {
                return Vec::new();
            };
            let mut values = Vec::with_capacity(total);
            match host.later.http_get_header_values {
                Some(get_all) if total > 1 => {
                    let mut array = vec![Buf::EMPTY; total];
                    if get_all(
                        envoy,
                        map as u32,
                        Buf::of(key.as_bytes()),
                        array.as_mut_ptr(),
                    ) {
                        values.extend(array.into_iter().map(|value| view(value)));
                    }
                }
                _ => {
                    values.push(view(first));
                    values.extend(
                        (1..total)
                            .map_while(|index| value_at(host, envoy, map, key, index).0)
                            .map(|value| view(value)),
                    );
                }
            }
            values
        }
    }

    fn for_each_header_value<'a>(
        &'a self,
        map: HeaderMap,
        key: &str,
        visit: &mut dyn FnMut(EnvoyBuffer<'a>),
    ) {
        let Some((host, envoy)) = self.live() else {
            return;
        };
        let mut index = 0;
        // SAFETY: live; the values stay until this map is changed, which needs `&mut self`.
        while let (Some(value), total) = unsafe { value_at(host, envoy, map, key, index) } {
            // SAFETY: as above.
            visit(unsafe { view(value) });
            index += 1;
            if index >= total {
                break;
            }
        }
    }

    fn header_lines<'a>(&'a self, map: HeaderMap) -> Vec<(EnvoyBuffer<'a>, EnvoyBuffer<'a>)> {
        let Some((host, envoy)) = self.live() else {
            return Vec::new();
        };
        // SAFETY: live; the array has room for the number of lines Envoy has just named, and no
        // line can be added in between on this thread. The lines stay until this map is changed,
        // which needs `&mut self`.
        unsafe {
            let count = match &host.family {
                Family::V136(table) => (count_136(table, map))(envoy),
                Family::V137(table) => (table.http_get_headers_size)(envoy, map as u32),
            };
            if count == 0 {
                return Vec::new();
            }
            let mut lines = vec![Pair::EMPTY; count];
            let filled = match &host.family {
                Family::V136(table) => (lines_136(table, map))(envoy, lines.as_mut_ptr()),
                Family::V137(table) => {
                    (table.http_get_headers)(envoy, map as u32, lines.as_mut_ptr())
                }
            };
            if !filled {
                return Vec::new();
            }
            lines
                .into_iter()
                .map(|line| (view(line.key), view(line.value)))
                .collect()
        }
    }

    fn set_header(&mut self, map: HeaderMap, key: &str, value: &[u8]) -> bool {
        let Some((host, envoy)) = self.live() else {
            return false;
        };
        self.note_change(map, key);
        // SAFETY: live.
        unsafe { set(host, envoy, map, key, value) }
    }

    fn try_add_header(&mut self, map: HeaderMap, key: &str, value: &[u8]) -> Result<(), AbiError> {
        let (host, envoy) = self.live().ok_or(AbiError::StreamGone)?;
        let refused = |operation| Err(AbiError::Refused { operation });
        if key.starts_with(':') || key.eq_ignore_ascii_case("host") {
            return refused("adding a second pseudo-header line");
        }
        if value.is_empty() {
            return refused("adding a header line with an empty value");
        }
        self.note_change(map, key);
        let added = match &host.family {
            // SAFETY: live; Envoy copies both strings during the call.
            Family::V137(table) => unsafe {
                let (key, value) = (Buf::of(key.as_bytes()), Buf::of(value));
                (table.http_add_header)(envoy, map as u32, key, value)
            },
            Family::V136(_) => {
                let joined = self.joined(map, key, value).inspect_err(|_| {
                    once::warn_unsupported(host, Capability::AddHeader, "adding set-cookie");
                })?;
                // SAFETY: live.
                unsafe { set(host, envoy, map, key, joined.as_deref().unwrap_or(value)) }
            }
        };
        if added {
            Ok(())
        } else {
            refused("adding a header line to a map that is not there")
        }
    }

    fn remove_header(&mut self, map: HeaderMap, key: &str) -> bool {
        self.set_header(map, key, b"")
    }
}

impl EnvoyHttpFilterImpl {
    /// Remembers what a header said of the request, before it is changed.
    fn note_change(&self, map: HeaderMap, key: &str) {
        if map == HeaderMap::RequestHeader && key.eq_ignore_ascii_case(CONTENT_TYPE) {
            is_grpc_call(self.stream());
        }
    }

    /// All values and one more as one line, which for lists means the same as two lines; `None` if
    /// there is nothing to join. Cookies are joined by semicolons, set-cookie lines not at all.
    fn joined(&self, map: HeaderMap, key: &str, value: &[u8]) -> Result<Option<Vec<u8>>, AbiError> {
        let present = self.header_values(map, key);
        if present.is_empty() {
            return Ok(None);
        }
        if key.eq_ignore_ascii_case("set-cookie") {
            return Err(AbiError::Unsupported {
                capability: Capability::AddHeader,
                host: Some(self.stream().host.version),
            });
        }
        let separator: &[u8] = if key.eq_ignore_ascii_case("cookie") {
            b"; "
        } else {
            b", "
        };
        let mut line = Vec::new();
        for part in &present {
            line.extend_from_slice(part.as_slice());
            line.extend_from_slice(separator);
        }
        line.extend_from_slice(value);
        Ok(Some(line))
    }
}

fn count_136(table: &Table136, map: HeaderMap) -> unsafe extern "C" fn(FilterPtr) -> usize {
    match map {
        HeaderMap::RequestHeader => table.http_get_request_headers_count,
        HeaderMap::RequestTrailer => table.http_get_request_trailers_count,
        HeaderMap::ResponseHeader => table.http_get_response_headers_count,
        HeaderMap::ResponseTrailer => table.http_get_response_trailers_count,
    }
}

fn lines_136(
    table: &Table136,
    map: HeaderMap,
) -> unsafe extern "C" fn(FilterPtr, *mut Pair) -> bool {
    match map {
        HeaderMap::RequestHeader => table.http_get_request_headers,
        HeaderMap::RequestTrailer => table.http_get_request_trailers,
        HeaderMap::ResponseHeader => table.http_get_response_headers,
        HeaderMap::ResponseTrailer => table.http_get_response_trailers,
    }
}
