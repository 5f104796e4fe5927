//! The ids under which Envoy's callbacks know the attributes that templates name.
//!
//! Read on workers, once for each attribute that a configuration asks for.

use envoy_proxy_dynamic_modules_rust_sdk::prelude::{AttributeId as Id, EnvoyHttpFilter};
use transformations::{Attribute, AttributeKind, HostValue};

/// The value of an attribute, if this Envoy has one. Text that is not UTF-8 counts as absent.
pub(super) fn read<EHF: EnvoyHttpFilter>(envoy: &EHF, attribute: Attribute) -> Option<HostValue> {
    let id = to_id(attribute)?;
    match attribute.kind() {
        AttributeKind::Text => {
            let value = envoy.get_attribute_string(id)?;
            let text = str::from_utf8(value.as_slice()).ok()?;
            Some(HostValue::Text(text.to_owned()))
        }
        AttributeKind::Integer => envoy.get_attribute_int(id).map(HostValue::Integer),
        AttributeKind::Bool => envoy.get_attribute_bool(id).map(HostValue::Bool),
    }
}

fn to_id(attribute: Attribute) -> Option<Id> {
    Some(match attribute.name() {
        "request.path" => Id::RequestPath,
        "request.url_path" => Id::RequestUrlPath,
        "request.query" => Id::RequestQuery,
        "request.host" => Id::RequestHost,
        "request.scheme" => Id::RequestScheme,
        "request.method" => Id::RequestMethod,
        "request.referer" => Id::RequestReferer,
        "request.useragent" => Id::RequestUserAgent,
        "request.id" => Id::RequestId,
        "request.protocol" => Id::RequestProtocol,
        "request.size" => Id::RequestSize,
        "request.total_size" => Id::RequestTotalSize,
        "source.address" => Id::SourceAddress,
        "source.port" => Id::SourcePort,
        "destination.address" => Id::DestinationAddress,
        "destination.port" => Id::DestinationPort,
        "connection.id" => Id::ConnectionId,
        "connection.mtls" => Id::ConnectionMtls,
        "connection.requested_server_name" => Id::ConnectionRequestedServerName,
        "connection.tls_version" => Id::ConnectionTlsVersion,
        "connection.subject_local_certificate" => Id::ConnectionSubjectLocalCertificate,
        "connection.subject_peer_certificate" => Id::ConnectionSubjectPeerCertificate,
        "connection.dns_san_local_certificate" => Id::ConnectionDnsSanLocalCertificate,
        "connection.dns_san_peer_certificate" => Id::ConnectionDnsSanPeerCertificate,
        "connection.uri_san_local_certificate" => Id::ConnectionUriSanLocalCertificate,
        "connection.uri_san_peer_certificate" => Id::ConnectionUriSanPeerCertificate,
        "connection.sha256_peer_certificate_digest" => Id::ConnectionSha256PeerCertificateDigest,
        "upstream.address" => Id::UpstreamAddress,
        "upstream.port" => Id::UpstreamPort,
        "upstream.local_address" => Id::UpstreamLocalAddress,
        "upstream.request_attempt_count" => Id::UpstreamRequestAttemptCount,
        "xds.cluster_name" => Id::XdsClusterName,
        "xds.route_name" => Id::XdsRouteName,
        "xds.virtual_host_name" => Id::XdsVirtualHostName,
        "xds.filter_chain_name" => Id::XdsFilterChainName,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_of_the_library_has_an_id_of_its_own() {
        let mut ids: Vec<_> = Attribute::ALL.into_iter().filter_map(to_id).collect();
        assert_eq!(ids.len(), Attribute::ALL.len());
        ids.sort_by_key(|id| *id as u32);
        ids.dedup();
        assert_eq!(ids.len(), Attribute::ALL.len());
    }
}
