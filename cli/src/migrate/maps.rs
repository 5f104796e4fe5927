//! The shape that kgateway 2.2 had while it was made: headers as maps, in place of lists.

use serde_json::{Map, Value, json};

const DIRECTIONS: [&str; 2] = ["request", "response"];
const HEADERS: [&str; 2] = ["set", "add"];

/// Whether these are the fields of one.
pub(super) fn is_one(fields: &Map<String, Value>) -> bool {
    let has_map = |direction: &&str| {
        let transform = fields.get(*direction);
        let is_map = |list: &&str| {
            transform
                .and_then(|it| it.get(*list))
                .is_some_and(Value::is_object)
        };
        HEADERS.iter().any(is_map)
    };
    DIRECTIONS.iter().any(has_map)
}

/// The same with lists.
pub(super) fn moved(fields: &Map<String, Value>) -> Value {
    let mut config = fields.clone();
    for direction in DIRECTIONS {
        for list in HEADERS {
            let headers = config.get_mut(direction).and_then(|it| it.get_mut(list));
            if let Some(headers) = headers
                && let Value::Object(map) = headers
            {
                let pairs = map.iter();
                *headers = pairs
                    .map(|(name, value)| json!({"name": name, "value": value}))
                    .collect();
            }
        }
    }
    Value::Object(config)
}
