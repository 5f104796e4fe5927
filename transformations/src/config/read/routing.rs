//! What concerns the host more than the message: when to choose the route again.

use serde_json::{Map, Value};

use super::{Reader, join};
use crate::config::HeaderName;
use crate::config::fields::transform::CLEAR_ROUTE_CACHE_HEADERS;

impl Reader {
    pub(super) fn route_headers(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
    ) -> Vec<HeaderName> {
        let list = self.list(fields, path, &CLEAR_ROUTE_CACHE_HEADERS);
        let path = join(path, CLEAR_ROUTE_CACHE_HEADERS.name);
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
}
