//! Metadata as templates read it, put together from Envoy's calls, of which there is one for each kind.
//!
//! Read on workers, once for each value that a configuration asks for. A call for the wrong kind logs an
//! error, so the kind that was found last is asked for first. What is nested in a value (a map, a list in
//! a list) no Envoy shows to a module.

use envoy_proxy_dynamic_modules_rust_sdk::EnvoyHttpFilter;
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_metadata_source as Source;
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
