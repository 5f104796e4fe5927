//! Values for dynamic metadata: from text to a value of the configured type.
//!
//! Used by the compiler on the main thread to check constants, and by workers to check and apply
//! what templates rendered. Metadata cannot hold everything that JSON can: objects, lists in lists,
//! null in lists and numbers beyond a double are refused.

use std::borrow::Cow;

use crate::config::MetadataKind;
use formats::json::{Document, Kind, Node};

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
}

impl MetadataKind {
    /// What a value of this kind must be, for a message.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            MetadataKind::String => "a string",
            MetadataKind::Number => "a number",
            MetadataKind::Bool => "true or false",
            MetadataKind::Json => "a JSON string, number or boolean, or a list of these",
        }
    }
}

/// Reads text as a metadata value; `None` if it is not of the type.
pub(crate) fn to_value(kind: MetadataKind, text: &str) -> Option<MetadataValue<'_>> {
    if text.is_empty() {
        return Some(MetadataValue::Nothing);
    }
    match kind {
        MetadataKind::String => Some(MetadataValue::String(text.into())),
        MetadataKind::Number => {
            let number: f64 = text.trim().parse().ok()?;
            number.is_finite().then_some(MetadataValue::Number(number))
        }
        MetadataKind::Bool => text.trim().parse().ok().map(MetadataValue::Bool),
        MetadataKind::Json => to_json_value(&Document::parse(text).ok()?.root()),
    }
}

fn to_json_value(node: &Node) -> Option<MetadataValue<'static>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_the_value_it_spells() {
        let json = |text| to_value(MetadataKind::Json, text);
        assert_eq!(json("12.5"), Some(MetadataValue::Number(12.5)));
        assert_eq!(json(" true "), Some(MetadataValue::Bool(true)));
        assert_eq!(json(r#""a\n""#), Some(MetadataValue::String("a\n".into())));
        for nothing in ["", "null", "[]"] {
            assert_eq!(json(nothing), Some(MetadataValue::Nothing), "{nothing}");
        }
        let list = vec![
            MetadataValue::Number(1.0),
            MetadataValue::String("a".into()),
            MetadataValue::Bool(false),
        ];
        assert_eq!(json(r#"[1, "a", false]"#), Some(MetadataValue::List(list)));
    }

    #[test]
    fn what_metadata_cannot_hold_is_refused() {
        for text in [
            "{}", "[[1]]", "[{}]", "[null]", "1e400", "[1e400]", "a", "1,",
        ] {
            assert_eq!(to_value(MetadataKind::Json, text), None, "{text}");
        }
        for (kind, text) in [
            (MetadataKind::Number, "one"),
            (MetadataKind::Number, "inf"),
            (MetadataKind::Bool, "1"),
        ] {
            assert_eq!(to_value(kind, text), None, "{text}");
        }
    }
}
