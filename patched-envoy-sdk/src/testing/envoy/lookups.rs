//! What the callbacks of `stream.rs` look up and store.

use crate::Capability;
use crate::abi::{
    envoy_dynamic_module_type_attribute_id as AttributeId,
    envoy_dynamic_module_type_metadata_source as MetadataSource,
    envoy_dynamic_module_type_socket_direction as SocketDirection,
    envoy_dynamic_module_type_socket_option_state as SocketOptionState,
};

use super::{FakeEnvoy, SocketOption};
use crate::testing::metadata::MetadataValue;

impl FakeEnvoy {
    /// A metadata value, if this host can read its kind.
    pub(super) fn value_if(
        &self,
        capability: Capability,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<&MetadataValue> {
        if self.has(capability) {
            self.metadata(source, namespace, key)
        } else {
            None
        }
    }

    pub(super) fn list_item(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<&MetadataValue> {
        if !self.has(Capability::MetadataLists) {
            return None;
        }
        self.metadata[source as usize]
            .list(namespace, key)?
            .get(index)
    }

    pub(super) fn set_dynamic(&mut self, namespace: &str, key: &str, value: MetadataValue) {
        self.metadata[MetadataSource::Dynamic as usize].set(namespace, key, value);
    }

    pub(super) fn push_dynamic(
        &mut self,
        namespace: &str,
        key: &str,
        value: MetadataValue,
    ) -> bool {
        self.has(Capability::MetadataLists)
            && self.metadata[MetadataSource::Dynamic as usize].push(namespace, key, value)
    }

    /// The attributes that the message itself tells.
    pub(super) fn message_attribute(&self, id: AttributeId) -> Option<&[u8]> {
        let headers = self.request.headers.as_ref()?;
        let path = headers.value_bytes(":path");
        let query_at = |path: &[u8]| path.iter().position(|byte| *byte == b'?');
        match id {
            AttributeId::RequestPath => path,
            AttributeId::RequestUrlPath => {
                path.map(|path| path.split(|byte| *byte == b'?').next().unwrap_or(path))
            }
            AttributeId::RequestQuery => {
                path.and_then(|path| query_at(path).and_then(|at| path.get(at + 1..)))
            }
            AttributeId::RequestHost => headers.value_bytes(":authority"),
            AttributeId::RequestScheme => headers.value_bytes(":scheme"),
            AttributeId::RequestMethod => headers.value_bytes(":method"),
            AttributeId::RequestReferer => headers.value_bytes("referer"),
            AttributeId::RequestUserAgent => headers.value_bytes("user-agent"),
            AttributeId::RequestId => headers.value_bytes("x-request-id"),
            _ => None,
        }
    }

    pub(super) fn socket_option(
        &self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
    ) -> Option<&SocketOption> {
        if !self.has(Capability::SocketOptions) {
            return None;
        }
        self.socket_options
            .get(&(level, name, state as u32, direction as u32))
    }

    pub(super) fn set_socket_option(
        &mut self,
        level: i64,
        name: i64,
        state: SocketOptionState,
        direction: SocketDirection,
        value: SocketOption,
    ) -> bool {
        let known = self.has(Capability::SocketOptions);
        if known {
            self.socket_options
                .insert((level, name, state as u32, direction as u32), value);
        }
        known
    }
}
