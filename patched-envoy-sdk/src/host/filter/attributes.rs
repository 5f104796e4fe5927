//! Attributes, asked only where this Envoy has an answer.
//!
//! On the stream's worker thread. Up to 1.38 an attribute that Envoy does not implement costs an
//! error line in its log for each question, so such questions are not passed on.

use super::{EnvoyHttpFilterImpl, view};
use crate::abi::envoy_dynamic_module_type_attribute_id as Id;
use crate::buffer::EnvoyBuffer;
use crate::capabilities::EnvoyVersion;
use crate::host::raw::{Buf, FilterPtr};
use crate::host::{Family, Host};

/// How an attribute is asked for.
#[derive(Clone, Copy)]
enum As {
    Text,
    Number,
    Bool,
}

/// Whether asking is quiet: from 1.39 on always, before that only where an answer exists.
fn may_ask(host: &Host, id: Id, wanted: As) -> bool {
    host.version >= EnvoyVersion::V1_39
        || match wanted {
            As::Text => matches!(
                id,
                Id::RequestPath
                    | Id::RequestUrlPath
                    | Id::RequestHost
                    | Id::RequestScheme
                    | Id::RequestMethod
                    | Id::RequestReferer
                    | Id::RequestUserAgent
                    | Id::RequestId
                    | Id::RequestProtocol
                    | Id::RequestQuery
                    | Id::SourceAddress
                    | Id::DestinationAddress
                    | Id::ConnectionTlsVersion
                    | Id::ConnectionSubjectLocalCertificate
                    | Id::ConnectionSubjectPeerCertificate
                    | Id::ConnectionDnsSanLocalCertificate
                    | Id::ConnectionDnsSanPeerCertificate
                    | Id::ConnectionUriSanLocalCertificate
                    | Id::ConnectionUriSanPeerCertificate
                    | Id::ConnectionSha256PeerCertificateDigest
                    | Id::UpstreamAddress
                    | Id::XdsRouteName
            ),
            As::Number => matches!(
                id,
                Id::ResponseCode
                    | Id::SourcePort
                    | Id::DestinationPort
                    | Id::ConnectionId
                    | Id::UpstreamPort
            ),
            As::Bool => matches!(id, Id::ConnectionMtls),
        }
}

/// A textual attribute, where the host has it.
///
/// # Safety
/// `envoy` is the live Envoy object of this stream.
pub(crate) unsafe fn text(host: &Host, envoy: FilterPtr, id: Id) -> Option<Buf> {
    if !may_ask(host, id, As::Text) {
        return None;
    }
    let mut value = Buf::EMPTY;
    // SAFETY: the caller's promise; the out value is written during the call.
    let found = unsafe {
        match &host.family {
            Family::V136(table) => {
                let (ptr, len) = (&raw mut value.ptr, &raw mut value.len);
                (table.http_filter_get_attribute_string)(envoy, id as u32, ptr, len)
            }
            Family::V137(table) => {
                (table.http_filter_get_attribute_string)(envoy, id as u32, &mut value)
            }
        }
    };
    found.then_some(value)
}

impl EnvoyHttpFilterImpl {
    pub(super) fn attribute_string(&self, id: Id) -> Option<EnvoyBuffer<'_>> {
        let (host, envoy) = self.live()?;
        // SAFETY: live; the value stays until the hook ends or what it describes is changed, which
        // needs `&mut self`.
        unsafe { text(host, envoy, id).map(|value| view(value)) }
    }

    pub(super) fn attribute_int(&self, id: Id) -> Option<i64> {
        let (host, envoy) = self.live()?;
        if !may_ask(host, id, As::Number) {
            return None;
        }
        let mut value = 0;
        // SAFETY: live; the out value is written during the call.
        let found =
            unsafe { (host.common.http_filter_get_attribute_int)(envoy, id as u32, &mut value) };
        found.then_some(value.cast_signed())
    }

    pub(super) fn attribute_bool(&self, id: Id) -> Option<bool> {
        let (get, envoy) = self.later(|later| later.http_filter_get_attribute_bool)?;
        if !may_ask(self.stream().host, id, As::Bool) {
            return None;
        }
        let mut value = false;
        // SAFETY: live; the out value is written during the call.
        unsafe { get(envoy, id as u32, &mut value) }.then_some(value)
    }
}
