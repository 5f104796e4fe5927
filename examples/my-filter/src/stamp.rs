//! `stamp`: a configuration for each route.
//!
//! Puts a header on every response. A route, a virtual host or a whole route table can have a stamp of its own
//! (`typed_per_filter_config`): Envoy hands over the most specific one, and it replaces the filter's as a whole.
//! Merging would be this filter's business.

use std::any::Any;
use std::sync::{Arc, Once};

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use serde::Deserialize;

pub(crate) const NAME: &str = "stamp";

/// What both levels configure.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stamp {
    header: String,
    text: String,
}

impl Stamp {
    fn new(config: &[u8]) -> Result<Self, String> {
        let stamp: Self = crate::parse(config)?;
        if stamp.header.is_empty() || stamp.header.starts_with(':') {
            return Err("`header` must be the name of a header".to_owned());
        }
        Ok(stamp)
    }

    fn put_on(&self, envoy: &mut impl EnvoyHttpFilter) {
        envoy.set_response_header(&self.header, self.text.as_bytes());
    }
}

/// A route's configuration. Workers read it, and one of them may drop it: it must be `Send + Sync`.
pub(crate) fn for_route(config: &[u8]) -> Result<Box<dyn Any>, String> {
    Stamp::new(config).map(|stamp| Box::new(stamp) as Box<dyn Any>)
}

pub(crate) struct Stamps(Arc<Stamp>);

impl Stamps {
    pub(crate) fn new(config: &[u8]) -> Result<Self, String> {
        Stamp::new(config).map(|stamp| Self(Arc::new(stamp)))
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Stamps {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Stamped(Arc::clone(&self.0)))
    }
}

/// One response.
struct Stamped(Arc<Stamp>);

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Stamped {
    fn on_response_headers(
        &mut self,
        envoy: &mut EHF,
        _end_of_stream: bool,
    ) -> ResponseHeadersStatus {
        let of_route = envoy.get_most_specific_route_config();
        match of_route
            .as_ref()
            .map(|config| config.downcast_ref::<Stamp>())
        {
            Some(Some(stamp)) => stamp.put_on(envoy),
            None => self.0.put_on(envoy),
            // A route that names another filter for this entry. Clients can repeat it at will: said once.
            Some(None) => {
                static SAID: Once = Once::new();
                SAID.call_once(|| {
                    envoy_log_error!("{NAME}: a route has no stamp but something else")
                });
            }
        }
        ResponseHeadersStatus::Continue
    }
}

#[cfg(test)]
mod tests {
    use envoy_proxy_dynamic_modules_rust_sdk::testing::{Exchange, FakeEnvoy, FakeMessage};

    use super::*;

    fn stamped(route: Option<Box<dyn Any>>) -> Option<String> {
        let config = Stamps::new(br#"{"header": "x-stamp", "text": "all"}"#).unwrap();
        let envoy = FakeEnvoy::default();
        let envoy = match route {
            Some(route) => envoy.with_route_config(route),
            None => envoy,
        };
        let mut exchange = Exchange::new(&config, envoy);
        exchange.run(
            &FakeMessage::request("GET", "/"),
            &FakeMessage::response(200),
        );
        exchange.downstream().header("x-stamp")
    }

    #[test]
    fn the_stamp_of_a_route_replaces_the_filters() {
        let route = for_route(br#"{"header": "x-stamp", "text": "route"}"#).unwrap();
        assert_eq!(stamped(Some(route)).as_deref(), Some("route"));
        assert_eq!(stamped(None).as_deref(), Some("all"));
    }

    #[test]
    fn what_is_no_stamp_is_none() {
        assert_eq!(stamped(Some(Box::new(7))), None);
    }
}
