//! Metadata as templates read it, put together from Envoy's calls, of which there is one for each kind;
//! and values that nest as Envoy takes them.
//!
//! Read on workers, once for each value that a configuration asks for. A call for the wrong kind logs an
//! error, so the kind that was found last is asked for first. What is nested in a value (a map, a list in
//! a list) no Envoy shows to a module; one takes it, as a serialised message, since Envoy 1.40.

use envoy_proxy_dynamic_modules_rust_sdk::prelude::{EnvoyHttpFilter, MetadataSource as Source};
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::Value as Json;
use transformations::{HostValue, LastKinds, MetadataKind};

/// More items than this are not read: the list counts as absent.
const MAX_ITEMS: usize = 10_000;

/// The value under a key. Text that is not UTF-8 counts as absent.
pub(super) fn read<EHF: EnvoyHttpFilter>(
    envoy: &EHF,
    source: Source,
    namespace: &str,
    key: &str,
    last: &LastKinds,
) -> Option<HostValue> {
    last.of_value().find_map(|kind| {
        let value = match kind {
            MetadataKind::Text => {
                let value = envoy.get_metadata_string(source, namespace, key)?;
                HostValue::Text(str::from_utf8(value.as_slice()).ok()?.to_owned())
            }
            MetadataKind::Number => {
                HostValue::Number(envoy.get_metadata_number(source, namespace, key)?)
            }
            MetadataKind::Bool => HostValue::Bool(envoy.get_metadata_bool(source, namespace, key)?),
            MetadataKind::List => HostValue::List(items(envoy, source, namespace, key, last)?),
        };
        last.found_value(kind);
        Some(value)
    })
}

/// All items of a list, unless one of them cannot be read.
fn items<EHF: EnvoyHttpFilter>(
    envoy: &EHF,
    source: Source,
    namespace: &str,
    key: &str,
    last: &LastKinds,
) -> Option<Vec<HostValue>> {
    let count = envoy.get_metadata_list_size(source, namespace, key)?;
    let item = |index| {
        last.of_items().find_map(|kind| {
            let item = match kind {
                MetadataKind::Text => {
                    let item = envoy.get_metadata_list_string(source, namespace, key, index)?;
                    HostValue::Text(str::from_utf8(item.as_slice()).ok()?.to_owned())
                }
                MetadataKind::Number => HostValue::Number(
                    envoy.get_metadata_list_number(source, namespace, key, index)?,
                ),
                MetadataKind::Bool => {
                    HostValue::Bool(envoy.get_metadata_list_bool(source, namespace, key, index)?)
                }
                MetadataKind::List => return None,
            };
            last.found_item(kind);
            Some(item)
        })
    };
    (count <= MAX_ITEMS)
        .then(|| (0..count).map(item).collect())
        .flatten()
}

/// The `Struct` with this one field, serialised; `None` if the text is no JSON. Costs as much for each
/// level as the text is long, and there are few: see `MAX_METADATA_DEPTH` of the library.
pub(super) fn serialize(key: &str, json: &str) -> Option<Vec<u8>> {
    let value = to_value(serde_json::from_str(json).ok()?);
    let fields = [(key.to_owned(), value)].into();
    Some(Struct { fields }.encode_to_vec())
}

fn to_value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(flag) => Kind::BoolValue(flag),
        // Metadata has no other numbers than doubles, and the text was checked to have none beyond.
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(items) => Kind::ListValue(ListValue {
            values: items.into_iter().map(to_value).collect(),
        }),
        Json::Object(members) => {
            let fields = members
                .into_iter()
                .map(|(key, value)| (key, to_value(value)));
            Kind::StructValue(Struct {
                fields: fields.collect(),
            })
        }
    };
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_serialised_as_the_message_that_it_stands_for() {
        let bytes = serialize("k", r#"{"a": [1.5, null, true, "x"]}"#).unwrap_or_default();
        // Field 1 of each message: the entry (key 1, value 2) of a map, the items of a list. Kinds: null
        // 1, number 2, string 3, boolean 4, map 5, list 6.
        let number = [&[2 << 3 | 1][..], &1.5f64.to_le_bytes()].concat();
        let items = [
            nested(1, &number),
            nested(1, &[1 << 3, 0]),
            nested(1, &[4 << 3, 1]),
            nested(1, &nested(3, b"x")),
        ];
        let list = nested(6, &items.concat());
        let map = nested(5, &nested(1, &entry(b"a", &list)));
        assert_eq!(bytes, nested(1, &entry(b"k", &map)));
    }

    #[test]
    fn the_last_of_members_of_one_name_counts() {
        assert_eq!(
            serialize("k", r#"{"a": 1, "a": 2}"#),
            serialize("k", r#"{"a": 2}"#)
        );
        assert_eq!(serialize("k", "{"), None);
    }

    fn entry(key: &[u8], value: &[u8]) -> Vec<u8> {
        [nested(1, key), nested(2, value)].concat()
    }

    fn nested(field: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
        [&[field << 3 | 2, length][..], content].concat()
    }
}
