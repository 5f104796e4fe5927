//! What a host knows about a stream beside its messages: metadata and attributes.
//!
//! Templates name what they read with constants, which the compiler checks on the main thread. A
//! transform then asks the host for just these, on the stream's worker, once for all templates of a
//! direction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use minijinja::Value;

/// Whose metadata is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataSource {
    /// The stream's dynamic metadata.
    Dynamic,
    /// The metadata of the cluster that was chosen.
    Cluster,
    /// The metadata of the upstream host that was chosen.
    Host,
}

/// The kind of a metadata value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataKind {
    /// A string.
    Text,
    /// A number.
    Number,
    /// A boolean.
    Bool,
    /// A list of these.
    List,
}

impl MetadataKind {
    /// Every kind, in the order in which a host is asked that has told nothing yet.
    pub const ALL: [MetadataKind; 4] = [
        MetadataKind::Text,
        MetadataKind::Number,
        MetadataKind::Bool,
        MetadataKind::List,
    ];
}

/// The kinds that one read of metadata found last: of the value, and of the items if it is a list.
///
/// Envoy has a call for each kind, and logs an error for each that does not fit. The value of one key
/// hardly ever changes its kind, so asking for the last one first keeps its log quiet. Shared by all
/// streams of a program; a copy is the same memory.
#[derive(Clone, Debug, Default)]
pub struct LastKinds(Arc<[AtomicU8; 2]>);

impl LastKinds {
    /// Every kind, in the order to ask for the value.
    pub fn of_value(&self) -> impl Iterator<Item = MetadataKind> + use<> {
        Self::order(&self.0[0])
    }

    /// Every kind, in the order to ask for an item of the list.
    pub fn of_items(&self) -> impl Iterator<Item = MetadataKind> + use<> {
        Self::order(&self.0[1])
    }

    /// Notes the kind that a value had.
    pub fn found_value(&self, kind: MetadataKind) {
        self.0[0].store(kind as u8, Ordering::Relaxed);
    }

    /// Notes the kind that an item had.
    pub fn found_item(&self, kind: MetadataKind) {
        self.0[1].store(kind as u8, Ordering::Relaxed);
    }

    fn order(last: &AtomicU8) -> impl Iterator<Item = MetadataKind> + use<> {
        let last = last.load(Ordering::Relaxed);
        let is_last = move |kind: &MetadataKind| *kind as u8 == last;
        let first = MetadataKind::ALL.into_iter().filter(is_last);
        first.chain(
            MetadataKind::ALL
                .into_iter()
                .filter(move |kind| !is_last(kind)),
        )
    }
}

/// What was found last is no part of what is asked for.
impl PartialEq for LastKinds {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for LastKinds {}

/// A value that a host answers with.
#[derive(Clone, Debug, PartialEq)]
pub enum HostValue {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number, as protobuf structs hold them.
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// A list of the others.
    List(Vec<HostValue>),
}

impl HostValue {
    pub(crate) fn to_value(&self) -> Value {
        match self {
            HostValue::Text(text) => Value::from(text.as_str()),
            HostValue::Integer(number) => Value::from(*number),
            HostValue::Number(number) => to_number(*number),
            HostValue::Bool(flag) => Value::from(*flag),
            HostValue::List(items) => items.iter().map(HostValue::to_value).collect(),
        }
    }
}

/// Metadata knows only floats; those that are whole are meant, and printed, as integers.
fn to_number(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

/// The type of an attribute: which of the host's calls reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// A boolean.
    Bool,
}

/// An attribute of a stream, by the name that Envoy gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    name: &'static str,
    kind: AttributeKind,
    since: (u16, u16),
}

impl Attribute {
    /// Every attribute that templates may read. Those whose values are maps or times, or that have
    /// none while a message is transformed, are left out.
    pub const ALL: [Attribute; 35] = [
        text("request.path"),
        text("request.url_path"),
        text("request.query"),
        text("request.host"),
        text("request.scheme"),
        text("request.method"),
        text("request.referer"),
        text("request.useragent"),
        text("request.id"),
        text("request.protocol"),
        integer("request.size").since_envoy(1, 40),
        integer("request.total_size").since_envoy(1, 40),
        text("source.address"),
        integer("source.port"),
        text("destination.address"),
        integer("destination.port"),
        integer("connection.id"),
        Attribute::new("connection.mtls", AttributeKind::Bool).since_envoy(1, 38),
        text("connection.requested_server_name").since_envoy(1, 39),
        text("connection.tls_version"),
        text("connection.subject_local_certificate"),
        text("connection.subject_peer_certificate"),
        text("connection.dns_san_local_certificate"),
        text("connection.dns_san_peer_certificate"),
        text("connection.uri_san_local_certificate"),
        text("connection.uri_san_peer_certificate"),
        text("connection.sha256_peer_certificate_digest"),
        text("upstream.address"),
        integer("upstream.port"),
        text("upstream.local_address").since_envoy(1, 39),
        integer("upstream.request_attempt_count").since_envoy(1, 39),
        text("xds.cluster_name").since_envoy(1, 40),
        text("xds.route_name"),
        text("xds.virtual_host_name").since_envoy(1, 40),
        text("xds.filter_chain_name").since_envoy(1, 40),
    ];

    /// The name, such as `source.address`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The type of its value.
    pub fn kind(self) -> AttributeKind {
        self.kind
    }

    /// The first Envoy, by major and minor version, that tells modules its value. `(1, 36)` stands for
    /// the first one that has modules like this, and so for always.
    pub fn since(self) -> (u16, u16) {
        self.since
    }

    /// The attribute of this name.
    pub fn find(name: &str) -> Option<Attribute> {
        Attribute::ALL
            .into_iter()
            .find(|attribute| attribute.name == name)
    }

    const fn new(name: &'static str, kind: AttributeKind) -> Self {
        Self {
            name,
            kind,
            since: (1, 36),
        }
    }

    const fn since_envoy(mut self, major: u16, minor: u16) -> Self {
        self.since = (major, minor);
        self
    }
}

const fn text(name: &'static str) -> Attribute {
    Attribute::new(name, AttributeKind::Text)
}

const fn integer(name: &'static str) -> Attribute {
    Attribute::new(name, AttributeKind::Integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_of_metadata_print_as_integers() {
        for (number, text) in [
            (3.0, "3"),
            (-2.0, "-2"),
            (0.5, "0.5"),
            (1e16, "10000000000000000.0"),
        ] {
            assert_eq!(HostValue::Number(number).to_value().to_string(), text);
        }
    }

    #[test]
    fn the_kind_that_was_found_last_is_asked_for_first() {
        let last = LastKinds::default();
        assert_eq!(last.of_value().collect::<Vec<_>>(), MetadataKind::ALL);
        last.clone().found_value(MetadataKind::Bool);
        last.found_item(MetadataKind::Number);
        let [text, number, bool, list] = MetadataKind::ALL;
        assert_eq!(
            last.of_value().collect::<Vec<_>>(),
            [bool, text, number, list]
        );
        assert_eq!(
            last.of_items().collect::<Vec<_>>(),
            [number, text, bool, list]
        );
    }

    #[test]
    fn attributes_are_found_by_name_and_listed_once() {
        for attribute in Attribute::ALL {
            assert_eq!(Attribute::find(attribute.name()), Some(attribute));
        }
        assert_eq!(Attribute::find("source"), None);
    }
}
