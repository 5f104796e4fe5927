//! Metadata of the fake host: every source, every kind of value the ABI knows.
//!
//! Tests fill in the sources that Envoy would (route, cluster, host, locality) and read the dynamic
//! one afterwards.

use std::collections::BTreeMap;

/// A metadata value.
#[derive(Debug, Clone, PartialEq)]
pub enum MetadataValue {
    /// A number; metadata knows no other than this.
    Number(f64),
    /// Text.
    String(String),
    /// True or false; from Envoy 1.38.
    Bool(bool),
    /// Any of the others, in order; from Envoy 1.38.
    List(Vec<MetadataValue>),
}

impl From<f64> for MetadataValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for MetadataValue {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<bool> for MetadataValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<T: Into<MetadataValue>> From<Vec<T>> for MetadataValue {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

/// One source's metadata: namespace, then key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Metadata(BTreeMap<String, BTreeMap<String, MetadataValue>>);

impl Metadata {
    pub(crate) fn value(&self, namespace: &str, key: &str) -> Option<&MetadataValue> {
        self.0.get(namespace)?.get(key)
    }

    pub(crate) fn set(&mut self, namespace: &str, key: &str, value: MetadataValue) {
        self.0
            .entry(namespace.to_owned())
            .or_default()
            .insert(key.to_owned(), value);
    }

    /// Appends to the list at `key`, making it when nothing is there. False when something else is.
    pub(crate) fn push(&mut self, namespace: &str, key: &str, value: MetadataValue) -> bool {
        let entry = self
            .0
            .entry(namespace.to_owned())
            .or_default()
            .entry(key.to_owned());
        match entry.or_insert_with(|| MetadataValue::List(Vec::new())) {
            MetadataValue::List(values) => {
                values.push(value);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn list(&self, namespace: &str, key: &str) -> Option<&[MetadataValue]> {
        match self.value(namespace, key)? {
            MetadataValue::List(values) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn keys(&self, namespace: &str) -> impl Iterator<Item = &str> {
        self.0
            .get(namespace)
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_grows_and_other_values_refuse_to_become_one() {
        let mut metadata = Metadata::default();
        assert!(metadata.push("ns", "list", 1.0.into()));
        assert!(metadata.push("ns", "list", "two".into()));
        metadata.set("ns", "text", "x".into());
        assert!(!metadata.push("ns", "text", true.into()));
        assert_eq!(metadata.list("ns", "list").map(<[_]>::len), Some(2));
        assert_eq!(metadata.keys("ns").collect::<Vec<_>>(), ["list", "text"]);
    }
}
