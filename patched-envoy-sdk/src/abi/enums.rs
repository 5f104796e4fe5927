//! The C enums of the ABI, with checked conversions from the host's integers.

/// Declares C enums whose variants count up from 0, as all of the ABI's HTTP enums do.
macro_rules! c_enums {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The variant with this value; `None` for values this crate does not know.
            #[must_use]
            pub const fn from_raw(value: u32) -> Option<Self> {
                $(if value == Self::$variant as u32 { return Some(Self::$variant); })+
                None
            }
        }
    )+};
}
pub(super) use c_enums;

c_enums! {
    /// What Envoy notes about a stream for its access log, as `%RESPONSE_FLAGS%` shows it.
    envoy_dynamic_module_type_response_flag {
        /// Failed local health check.
        FailedLocalHealthCheck,
        /// No healthy upstream.
        NoHealthyUpstream,
        /// Upstream request timeout.
        UpstreamRequestTimeout,
        /// Local reset.
        LocalReset,
        /// Upstream remote reset.
        UpstreamRemoteReset,
        /// Upstream connection failure.
        UpstreamConnectionFailure,
        /// Upstream connection termination.
        UpstreamConnectionTermination,
        /// Upstream overflow.
        UpstreamOverflow,
        /// No route found.
        NoRouteFound,
        /// Delay injected.
        DelayInjected,
        /// Fault injected.
        FaultInjected,
        /// Rate limited.
        RateLimited,
        /// Unauthorized external service.
        UnauthorizedExternalService,
        /// Rate limit service error.
        RateLimitServiceError,
        /// Downstream connection termination.
        DownstreamConnectionTermination,
        /// Upstream retry limit exceeded.
        UpstreamRetryLimitExceeded,
        /// Stream idle timeout.
        StreamIdleTimeout,
        /// Invalid envoy request headers.
        InvalidEnvoyRequestHeaders,
        /// Downstream protocol error.
        DownstreamProtocolError,
        /// Upstream max stream duration reached.
        UpstreamMaxStreamDurationReached,
        /// Response from cache filter.
        ResponseFromCacheFilter,
        /// No filter config found.
        NoFilterConfigFound,
        /// Duration timeout.
        DurationTimeout,
        /// Upstream protocol error.
        UpstreamProtocolError,
        /// No cluster found.
        NoClusterFound,
        /// Overload manager.
        OverloadManager,
        /// Dns resolution failed.
        DnsResolutionFailed,
        /// Drop over load.
        DropOverLoad,
        /// Downstream remote reset.
        DownstreamRemoteReset,
        /// Unconditional drop overload.
        UnconditionalDropOverload,
    }
    /// What to do after the request headers hook.
    envoy_dynamic_module_type_on_http_filter_request_headers_status {
        /// On to the next filter.
        Continue,
        /// Hold the headers; body hooks still run, and `Continue` from one of them resumes.
        StopIteration,
        /// On to the next filter, but the message does not end with these headers: the filter must
        /// produce the end itself.
        ContinueAndDontEndStream,
        /// Hold everything and buffer; over the limit Envoy answers with an error.
        StopAllIterationAndBuffer,
        /// Hold everything and buffer; at the limit Envoy stops reading.
        StopAllIterationAndWatermark,
    }
    /// What to do after the response headers hook; as for the request.
    envoy_dynamic_module_type_on_http_filter_response_headers_status {
        /// On to the next filter.
        Continue,
        /// Hold the headers; body hooks still run, and `Continue` from one of them resumes.
        StopIteration,
        /// On to the next filter, but the message does not end with these headers: the filter must
        /// produce the end itself.
        ContinueAndDontEndStream,
        /// Hold everything and buffer; over the limit Envoy answers with an error.
        StopAllIterationAndBuffer,
        /// Hold everything and buffer; at the limit Envoy stops reading.
        StopAllIterationAndWatermark,
    }
    /// What to do after the request body hook.
    envoy_dynamic_module_type_on_http_filter_request_body_status {
        /// This chunk, and all that was buffered, goes on.
        Continue,
        /// Buffer this chunk; over the limit Envoy answers 413.
        StopIterationAndBuffer,
        /// Buffer this chunk; at the limit Envoy stops reading, so waiting for the end can stall.
        StopIterationAndWatermark,
        /// Drop this chunk, unless the filter has taken it.
        StopIterationNoBuffer,
    }
    /// What to do after the response body hook.
    envoy_dynamic_module_type_on_http_filter_response_body_status {
        /// This chunk, and all that was buffered, goes on.
        Continue,
        /// Buffer this chunk; over the limit Envoy answers 500 or, after headers, resets.
        StopIterationAndBuffer,
        /// Buffer this chunk; at the limit Envoy stops reading, so waiting for the end can stall.
        StopIterationAndWatermark,
        /// Drop this chunk, unless the filter has taken it.
        StopIterationNoBuffer,
    }
    /// What to do after the request trailers hook.
    envoy_dynamic_module_type_on_http_filter_request_trailers_status {
        /// On to the next filter.
        Continue,
        /// Hold the stream.
        StopIteration,
    }
    /// What to do after the response trailers hook.
    envoy_dynamic_module_type_on_http_filter_response_trailers_status {
        /// On to the next filter.
        Continue,
        /// Hold the stream.
        StopIteration,
    }
    /// What to do after the local reply hook (Envoy 1.38+).
    envoy_dynamic_module_type_on_http_filter_local_reply_status {
        /// Send the reply.
        Continue,
        /// Send the reply, then reset the stream.
        ContinueAndResetStream,
    }
    /// One of the four header maps of a stream.
    envoy_dynamic_module_type_http_header_type {
        /// Request headers.
        RequestHeader,
        /// Request trailers.
        RequestTrailer,
        /// Response headers.
        ResponseHeader,
        /// Response trailers.
        ResponseTrailer,
    }
    /// One of the four views of the bodies of a stream.
    envoy_dynamic_module_type_http_body_type {
        /// The chunk of request body that the running body hook was called with.
        ReceivedRequestBody,
        /// The request body that earlier stops have collected.
        BufferedRequestBody,
        /// The chunk of response body that the running body hook was called with.
        ReceivedResponseBody,
        /// The response body that earlier stops have collected.
        BufferedResponseBody,
    }
    /// Levels of Envoy's log.
    envoy_dynamic_module_type_log_level {
        /// Never printed by Envoy 1.36.
        Trace,
        /// For whoever debugs the filter.
        Debug,
        /// Rare, normal events.
        Info,
        /// Something an operator may want to change.
        Warn,
        /// Something went wrong.
        Error,
        /// The process is in danger.
        Critical,
        /// As a setting: nothing is printed. Not a level to log at.
        Off,
    }
    /// Where metadata is read from. Before routing, `Route`, `Cluster` and `Host` are empty.
    envoy_dynamic_module_type_metadata_source {
        /// The stream's own, the one filters write.
        Dynamic,
        /// The matched route.
        Route,
        /// The chosen cluster.
        Cluster,
        /// The chosen upstream host.
        Host,
        /// The locality of the chosen upstream host.
        HostLocality,
    }
    /// Outcome of defining or updating a metric.
    envoy_dynamic_module_type_metrics_result {
        /// Done.
        Success,
        /// No metric has this id.
        MetricNotFound,
        /// The number of label values differs from the number of labels.
        InvalidLabels,
        /// Metrics can only be defined while the filter config is created.
        Frozen,
    }
    /// Outcome of starting a callout or an HTTP stream.
    envoy_dynamic_module_type_http_callout_init_result {
        /// Started; it may even be finished already.
        Success,
        /// `:method`, `:path` or `host` is missing.
        MissingRequiredHeaders,
        /// No cluster has this name.
        ClusterNotFound,
        /// The id is in use.
        DuplicateCalloutId,
        /// Envoy could not create the request, or this Envoy cannot make it at all.
        CannotCreateRequest,
    }
    /// How a callout ended.
    envoy_dynamic_module_type_http_callout_result {
        /// A response arrived, whatever its status.
        Success,
        /// The upstream stream was reset, or the time was over.
        Reset,
        /// The response was larger than Envoy's limit for callouts.
        ExceedResponseBufferLimit,
    }
    /// Why an HTTP stream opened by the filter was reset (Envoy 1.37+).
    envoy_dynamic_module_type_http_stream_reset_reason {
        /// No connection could be made.
        ConnectionFailure,
        /// The connection was closed.
        ConnectionTermination,
        /// Reset on this side.
        LocalReset,
        /// Refused on this side.
        LocalRefusedStreamReset,
        /// A circuit breaker was open.
        Overflow,
        /// Reset by the peer.
        RemoteReset,
        /// Refused by the peer.
        RemoteRefusedStreamReset,
        /// The peer broke the protocol.
        ProtocolError,
    }
    /// What a filter says when it resets its own stream (Envoy 1.38+).
    envoy_dynamic_module_type_http_filter_stream_reset_reason {
        /// Reset.
        LocalReset,
        /// Refused: safe to retry.
        LocalRefusedStreamReset,
    }
    /// When a socket option is applied (Envoy 1.38+).
    envoy_dynamic_module_type_socket_option_state {
        /// Before the socket is bound.
        Prebind,
        /// After the socket is bound.
        Bound,
        /// When the socket listens.
        Listening,
    }
    /// Which connection a socket option is for (Envoy 1.38+).
    envoy_dynamic_module_type_socket_direction {
        /// The connection to the upstream host.
        Upstream,
        /// The connection from the client.
        Downstream,
    }
    /// How long filter state lives (Envoy 1.39+).
    envoy_dynamic_module_type_filter_state_life_span {
        /// As long as this filter chain.
        FilterChain,
        /// As long as the request, internal redirects included.
        Request,
        /// As long as the downstream connection.
        Connection,
    }
}

impl From<envoy_dynamic_module_type_metrics_result>
    for Result<(), envoy_dynamic_module_type_metrics_result>
{
    fn from(result: envoy_dynamic_module_type_metrics_result) -> Self {
        match result {
            envoy_dynamic_module_type_metrics_result::Success => Ok(()),
            failure => Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_integers_become_variants_and_unknown_ones_are_refused() {
        type Status = envoy_dynamic_module_type_on_http_filter_request_body_status;
        assert_eq!(Status::from_raw(0), Some(Status::Continue));
        assert_eq!(Status::from_raw(3), Some(Status::StopIterationNoBuffer));
        assert_eq!(Status::from_raw(4), None);
        assert_eq!(Status::from_raw(u32::MAX), None);
    }

    #[test]
    fn values_are_the_ones_of_the_abi() {
        type Headers = envoy_dynamic_module_type_on_http_filter_response_headers_status;
        assert_eq!(Headers::StopAllIterationAndWatermark as u32, 4);
        assert_eq!(
            envoy_dynamic_module_type_metadata_source::HostLocality as u32,
            4
        );
        assert_eq!(envoy_dynamic_module_type_log_level::Off as u32, 6);
        assert_eq!(
            envoy_dynamic_module_type_http_stream_reset_reason::ProtocolError as u32,
            7
        );
    }
}
