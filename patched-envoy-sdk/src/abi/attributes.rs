//! The ids of attributes. Envoy only ever appends to this list.

use super::enums::c_enums;

c_enums! {
    /// An attribute of a stream, named in the documentation of each variant as Envoy names it.
    ///
    /// Most Envoys implement only some of them. The getters answer `None` for those that the
    /// running Envoy is known not to implement, without asking it: older Envoys log an error for
    /// each such question.
    envoy_dynamic_module_type_attribute_id {
        /// `request.path`.
        RequestPath,
        /// `request.url_path`.
        RequestUrlPath,
        /// `request.host`.
        RequestHost,
        /// `request.scheme`.
        RequestScheme,
        /// `request.method`.
        RequestMethod,
        /// `request.headers`.
        RequestHeaders,
        /// `request.referer`.
        RequestReferer,
        /// `request.useragent`.
        RequestUserAgent,
        /// `request.time`.
        RequestTime,
        /// `request.id`.
        RequestId,
        /// `request.protocol`.
        RequestProtocol,
        /// `request.query`.
        RequestQuery,
        /// `request.duration`.
        RequestDuration,
        /// `request.size`.
        RequestSize,
        /// `request.total_size`.
        RequestTotalSize,
        /// `response.code`.
        ResponseCode,
        /// `response.code_details`.
        ResponseCodeDetails,
        /// `response.flags`.
        ResponseFlags,
        /// `response.grpc_status`.
        ResponseGrpcStatus,
        /// `response.headers`.
        ResponseHeaders,
        /// `response.trailers`.
        ResponseTrailers,
        /// `response.size`.
        ResponseSize,
        /// `response.total_size`.
        ResponseTotalSize,
        /// `response.backend_latency`.
        ResponseBackendLatency,
        /// `source.address`.
        SourceAddress,
        /// `source.port`.
        SourcePort,
        /// `destination.address`.
        DestinationAddress,
        /// `destination.port`.
        DestinationPort,
        /// `connection.id`.
        ConnectionId,
        /// `connection.mtls`.
        ConnectionMtls,
        /// `connection.requested_server_name`.
        ConnectionRequestedServerName,
        /// `connection.tls_version`.
        ConnectionTlsVersion,
        /// `connection.subject_local_certificate`.
        ConnectionSubjectLocalCertificate,
        /// `connection.subject_peer_certificate`.
        ConnectionSubjectPeerCertificate,
        /// `connection.dns_san_local_certificate`.
        ConnectionDnsSanLocalCertificate,
        /// `connection.dns_san_peer_certificate`.
        ConnectionDnsSanPeerCertificate,
        /// `connection.uri_san_local_certificate`.
        ConnectionUriSanLocalCertificate,
        /// `connection.uri_san_peer_certificate`.
        ConnectionUriSanPeerCertificate,
        /// `connection.sha256_peer_certificate_digest`.
        ConnectionSha256PeerCertificateDigest,
        /// `connection.transport_failure_reason`.
        ConnectionTransportFailureReason,
        /// `connection.termination_details`.
        ConnectionTerminationDetails,
        /// `upstream.address`.
        UpstreamAddress,
        /// `upstream.port`.
        UpstreamPort,
        /// `upstream.tls_version`.
        UpstreamTlsVersion,
        /// `upstream.subject_local_certificate`.
        UpstreamSubjectLocalCertificate,
        /// `upstream.subject_peer_certificate`.
        UpstreamSubjectPeerCertificate,
        /// `upstream.dns_san_local_certificate`.
        UpstreamDnsSanLocalCertificate,
        /// `upstream.dns_san_peer_certificate`.
        UpstreamDnsSanPeerCertificate,
        /// `upstream.uri_san_local_certificate`.
        UpstreamUriSanLocalCertificate,
        /// `upstream.uri_san_peer_certificate`.
        UpstreamUriSanPeerCertificate,
        /// `upstream.sha256_peer_certificate_digest`.
        UpstreamSha256PeerCertificateDigest,
        /// `upstream.local_address`.
        UpstreamLocalAddress,
        /// `upstream.transport_failure_reason`.
        UpstreamTransportFailureReason,
        /// `upstream.request_attempt_count`.
        UpstreamRequestAttemptCount,
        /// `upstream.cx_pool_ready_duration`.
        UpstreamCxPoolReadyDuration,
        /// `upstream.locality`.
        UpstreamLocality,
        /// `xds.node`.
        XdsNode,
        /// `xds.cluster_name`.
        XdsClusterName,
        /// `xds.cluster_metadata`.
        XdsClusterMetadata,
        /// `xds.listener_direction`.
        XdsListenerDirection,
        /// `xds.listener_metadata`.
        XdsListenerMetadata,
        /// `xds.route_name`.
        XdsRouteName,
        /// `xds.route_metadata`.
        XdsRouteMetadata,
        /// `xds.virtual_host_name`; before Envoy 1.40 this gave the virtual cluster's name.
        XdsVirtualHostName,
        /// `xds.virtual_host_metadata`.
        XdsVirtualHostMetadata,
        /// `xds.upstream_host_metadata`.
        XdsUpstreamHostMetadata,
        /// `xds.filter_chain_name`.
        XdsFilterChainName,
        /// Whether the request is a health check; a boolean (Envoy 1.38+).
        HealthCheck,
        /// The SNI sent to the upstream host (Envoy 1.40+).
        UpstreamRequestedServerName,
        /// The name of the virtual cluster (Envoy 1.40+).
        XdsVirtualClusterName,
    }
}

#[cfg(test)]
mod tests {
    use super::envoy_dynamic_module_type_attribute_id as Id;

    #[test]
    fn landmarks_have_the_values_of_the_abi() {
        let landmarks = [
            (Id::ResponseCode, 15),
            (Id::SourceAddress, 24),
            (Id::ConnectionId, 28),
            (Id::ConnectionSha256PeerCertificateDigest, 38),
            (Id::UpstreamAddress, 41),
            (Id::UpstreamLocalAddress, 51),
            (Id::UpstreamLocality, 55),
            (Id::XdsRouteName, 61),
            (Id::XdsVirtualHostName, 63),
            (Id::XdsFilterChainName, 66),
            (Id::HealthCheck, 67),
            (Id::XdsVirtualClusterName, 69),
        ];
        for (id, value) in landmarks {
            assert_eq!(id as u32, value, "{id:?}");
        }
    }
}
