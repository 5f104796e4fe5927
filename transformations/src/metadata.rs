//! Values for dynamic metadata: from text to a value of the configured type.
//!
//! Used by the compiler on the main thread to check constants, and by workers to check and apply
//! what templates rendered. Refused is what metadata cannot hold: numbers beyond a double, what nests
//! deeper than Envoy reads, and whatever nests where the host cannot store it.

use std::borrow::Cow;

use crate::config::MetadataKind;
use formats::json::{Document, Kind, Node};

/// How deep a value of dynamic metadata may nest. Envoy reads messages of 100 levels, and each level of
/// JSON is three of them.
pub const MAX_METADATA_DEPTH: usize = 30;

/// A metadata value of the configured type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum MetadataValue<'a> {
    /// Rendered empty, or null, or an empty list: the entry is skipped.
    Nothing,
    String(Cow<'a, str>),
    Number(f64),
    Bool(bool),
    /// A list of scalars.
    List(Vec<MetadataValue<'a>>),
    /// The JSON text of an object, or of a list that holds anything else.
    Nested(&'a str),
}

/// The type of a metadata value, as far as it is known when the configuration is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MetadataType {
    pub(crate) kind: MetadataKind,
    /// Whether the host stores what nests.
    pub(crate) may_nest: bool,
}

impl MetadataType {
    /// What a value of this type must be, for a message.
    pub(crate) fn expected(self) -> &'static str {
        match self.kind {
            MetadataKind::String => "a string",
            MetadataKind::Number => "a number",
            MetadataKind::Bool => "true or false",
            MetadataKind::Json if self.may_nest => {
                "JSON of at most 30 levels, its numbers within those of a double"
            }
            MetadataKind::Json => "a JSON string, number or boolean, or a list of these",
        }
    }

    /// Reads text as a metadata value; `None` if it is not of the type.
    pub(crate) fn read(self, text: &str) -> Option<MetadataValue<'_>> {
        if text.is_empty() {
            return Some(MetadataValue::Nothing);
        }
        match self.kind {
            MetadataKind::String => Some(MetadataValue::String(text.into())),
            MetadataKind::Number => {
                let number: f64 = text.trim().parse().ok()?;
                number.is_finite().then_some(MetadataValue::Number(number))
            }
            MetadataKind::Bool => text.trim().parse().ok().map(MetadataValue::Bool),
            MetadataKind::Json => {
                let document = Document::parse(text).ok()?;
                let nested = || {
                    let fits = self.may_nest && can_nest(&document.root(), 1);
                    fits.then_some(MetadataValue::Nested(text))
                };
                to_flat(&document.root()).or_else(nested)
            }
        }
    }
}

/// A scalar, or a list of scalars.
fn to_flat(node: &Node) -> Option<MetadataValue<'static>> {
    if node.kind() != Kind::Array {
        return to_scalar(node);
    }
    let items = node
        .items()
        .map(|item| to_scalar(&item).filter(|value| *value != MetadataValue::Nothing))
        .collect::<Option<Vec<_>>>()?;
    Some(if items.is_empty() {
        MetadataValue::Nothing
    } else {
        MetadataValue::List(items)
    })
}

fn to_scalar(node: &Node) -> Option<MetadataValue<'static>> {
    match node.kind() {
        Kind::Null => Some(MetadataValue::Nothing),
        Kind::Bool(flag) => Some(MetadataValue::Bool(flag)),
        Kind::Number => node.as_f64().map(MetadataValue::Number),
        Kind::String => node
            .as_str()
            .map(|text| MetadataValue::String(text.into_owned().into())),
        Kind::Array | Kind::Object => None,
    }
}

/// Whether metadata can hold this, which is `depth` levels deep.
fn can_nest(node: &Node, depth: usize) -> bool {
    match node.kind() {
        Kind::Number => node.as_f64().is_some(),
        Kind::Null | Kind::Bool(_) | Kind::String => true,
        Kind::Array | Kind::Object if depth > MAX_METADATA_DEPTH => false,
        Kind::Array => node.items().all(|item| can_nest(&item, depth + 1)),
        Kind::Object => node
            .entries()
            .all(|(_, member)| can_nest(&member, depth + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAT: MetadataType = of(MetadataKind::Json, false);
    const NESTED: MetadataType = of(MetadataKind::Json, true);

    const fn of(kind: MetadataKind, may_nest: bool) -> MetadataType {
        MetadataType { kind, may_nest }
    }

    #[test]
    fn json_becomes_the_value_it_spells() {
        for json in [FLAT, NESTED] {
            assert_eq!(json.read("12.5"), Some(MetadataValue::Number(12.5)));
            assert_eq!(json.read(" true "), Some(MetadataValue::Bool(true)));
            let text = Some(MetadataValue::String("a\n".into()));
            assert_eq!(json.read(r#""a\n""#), text);
            for nothing in ["", "null", "[]"] {
                assert_eq!(
                    json.read(nothing),
                    Some(MetadataValue::Nothing),
                    "{nothing}"
                );
            }
            let list = vec![
                MetadataValue::Number(1.0),
                MetadataValue::String("a".into()),
                MetadataValue::Bool(false),
            ];
            let expected = Some(MetadataValue::List(list));
            assert_eq!(json.read(r#"[1, "a", false]"#), expected);
        }
    }

    #[test]
    fn what_nests_is_kept_where_the_host_stores_it() {
        for text in [
            "{}",
            r#"{"a": {"b": [1, null]}}"#,
            "[[1]]",
            "[{}]",
            "[null]",
        ] {
            assert_eq!(FLAT.read(text), None, "{text}");
            assert_eq!(
                NESTED.read(text),
                Some(MetadataValue::Nested(text)),
                "{text}"
            );
        }
        let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(NESTED.read(&nested(MAX_METADATA_DEPTH)).is_some());
        assert_eq!(NESTED.read(&nested(MAX_METADATA_DEPTH + 1)), None);
    }

    #[test]
    fn what_metadata_cannot_hold_is_refused() {
        for text in ["1e400", "[1e400]", r#"{"a": 1e400}"#, "a", "1,", "{"] {
            assert_eq!(NESTED.read(text), None, "{text}");
        }
        for (kind, text) in [
            (MetadataKind::Number, "one"),
            (MetadataKind::Number, "inf"),
            (MetadataKind::Bool, "1"),
        ] {
            assert_eq!(of(kind, true).read(text), None, "{text}");
        }
    }
}
