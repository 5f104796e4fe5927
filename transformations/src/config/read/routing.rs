//! What concerns the host more than the message: when to choose the route again, and how large a
//! body may be held.

use serde_json::{Map, Value};

use super::{Reader, join};
use crate::codes::Code;
use crate::config::{ClearRouteCache, HeaderName, Transform};

impl Reader {
    pub(super) fn clear_route_cache(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
    ) -> ClearRouteCache {
        let choices = [
            ("auto", ClearRouteCache::Auto),
            ("always", ClearRouteCache::Always),
            ("never", ClearRouteCache::Never),
        ];
        self.choice(fields, path, "clearRouteCache", &choices)
            .unwrap_or_default()
    }

    pub(super) fn route_headers(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
    ) -> Vec<HeaderName> {
        let list = self.list(fields, path, "clearRouteCacheHeaders");
        let path = join(path, "clearRouteCacheHeaders");
        let names = list.iter().enumerate().filter_map(|(index, item)| {
            let path = format!("{path}[{index}]");
            let Value::String(name) = item else {
                self.wrong_type(&path, "a header name", item);
                return None;
            };
            let name = self.header_name(name, &path)?;
            Some(HeaderName { name, path })
        });
        names.collect()
    }

    pub(super) fn max_body_bytes(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
    ) -> Option<u64> {
        let value = fields
            .get("maxBodyBytes")
            .filter(|value| !value.is_null())?;
        let most = Transform::MAX_BODY_BYTES;
        let bytes = value.as_u64().filter(|bytes| (1..=most).contains(bytes));
        if bytes.is_none() {
            let message = format!("expected a whole number from 1 to {most}");
            self.error(Code::BAD_LIMIT, &join(path, "maxBodyBytes"), message);
        }
        bytes
    }
}
