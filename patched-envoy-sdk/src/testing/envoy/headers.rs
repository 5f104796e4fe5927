//! The header callbacks of the fake host.

use crate::abi::envoy_dynamic_module_type_http_header_type as HeaderMap;
use crate::{AbiError, Capability, EnvoyBuffer, EnvoyHeaderMaps};

use crate::testing::FakeEnvoy;
use crate::testing::header_map::FakeHeaderMap;

impl FakeEnvoy {
    fn map(&self, map: HeaderMap) -> Option<&FakeHeaderMap> {
        match map {
            HeaderMap::RequestHeader => self.request.headers.as_ref(),
            HeaderMap::RequestTrailer => self.request.trailers.as_ref(),
            HeaderMap::ResponseHeader => self.response.headers.as_ref(),
            HeaderMap::ResponseTrailer => self.response.trailers.as_ref(),
        }
    }

    fn map_mut(&mut self, map: HeaderMap) -> Option<&mut FakeHeaderMap> {
        match map {
            HeaderMap::RequestHeader => self.request.headers.as_mut(),
            HeaderMap::RequestTrailer => self.request.trailers.as_mut(),
            HeaderMap::ResponseHeader => self.response.headers.as_mut(),
            HeaderMap::ResponseTrailer => self.response.trailers.as_mut(),
        }
    }

    /// What hosts that cannot add a line do instead: join, and never `set-cookie`.
    fn join_header(&mut self, map: HeaderMap, key: &str, value: &[u8]) -> Result<(), AbiError> {
        let unsupported = AbiError::Unsupported {
            capability: Capability::AddHeader,
            host: Some(self.version),
        };
        let lines = self.map_mut(map).ok_or(REFUSED)?;
        if value.is_empty() || key.starts_with(':') || key.eq_ignore_ascii_case("host") {
            return Err(REFUSED);
        }
        let mut values: Vec<&[u8]> = lines.values_bytes(key).collect();
        if key.eq_ignore_ascii_case("set-cookie") && !values.is_empty() {
            return Err(unsupported);
        }
        values.push(value);
        let separator: &[u8] = if key.eq_ignore_ascii_case("cookie") {
            b"; "
        } else {
            b", "
        };
        let joined = values.join(separator);
        lines.set(key, &joined);
        Ok(())
    }
}

const REFUSED: AbiError = AbiError::Refused {
    operation: "adding a header line",
};

impl EnvoyHeaderMaps for FakeEnvoy {
    fn header_value<'a>(&'a self, map: HeaderMap, key: &str) -> Option<EnvoyBuffer<'a>> {
        self.note_call("header");
        self.map(map)?.value_bytes(key).map(EnvoyBuffer::new)
    }

    fn header_values<'a>(&'a self, map: HeaderMap, key: &str) -> Vec<EnvoyBuffer<'a>> {
        self.note_call("header");
        self.map(map)
            .map(|lines| lines.values_bytes(key).map(EnvoyBuffer::new).collect())
            .unwrap_or_default()
    }

    fn header_lines<'a>(&'a self, map: HeaderMap) -> Vec<(EnvoyBuffer<'a>, EnvoyBuffer<'a>)> {
        self.note_call("headers");
        let view = |(key, value)| (EnvoyBuffer::new(key), EnvoyBuffer::new(value));
        self.map(map)
            .map(|lines| lines.lines().map(view).collect())
            .unwrap_or_default()
    }

    fn set_header(&mut self, map: HeaderMap, key: &str, value: &[u8]) -> bool {
        self.note_call("set");
        self.map_mut(map)
            .map(|lines| lines.set(key, value))
            .is_some()
    }

    fn try_add_header(&mut self, map: HeaderMap, key: &str, value: &[u8]) -> Result<(), AbiError> {
        self.note_call("add");
        if !self.has(Capability::AddHeader) {
            return self.join_header(map, key, value);
        }
        let added = self.map_mut(map).is_some_and(|lines| lines.add(key, value));
        if added { Ok(()) } else { Err(REFUSED) }
    }

    fn remove_header(&mut self, map: HeaderMap, key: &str) -> bool {
        self.note_call("remove");
        self.map_mut(map).map(|lines| lines.remove(key)).is_some()
    }
}
