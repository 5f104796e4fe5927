//! What the host knows beside the message: `metadata` and its kin, `attribute`, and `now`.
//!
//! All names are constants, so that the values are there before a template runs.

use std::borrow::Cow;

use minijinja::{State, Value};

use super::{Function, function};
use crate::host::MetadataSource;
use crate::message::HostRead;
use crate::message::Message;

/// Where the classic functions look if no namespace is named.
pub(crate) const CLASSIC_NAMESPACE: &str = "io.solo.transformation";

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "metadata",
        "metadata(namespace, key)",
        "A value of the stream's dynamic metadata: text, a number, a boolean, or (from Envoy 1.38 on) a list of these; empty if it is not there. Both names must be constants.",
        ("{{ metadata(\"my.company\", \"user\") }}", "user-7"),
        (2, 2),
        Metadata,
        |environment, name| environment.add_function(name, metadata),
    ),
    function!(
        "dynamic_metadata",
        "dynamic_metadata(key, namespace?)",
        "As metadata, key first; the namespace is io.solo.transformation unless named.",
        ("{{ dynamic_metadata(\"tier\") }}", "gold"),
        (1, 2),
        KeyedMetadata(MetadataSource::Dynamic),
        |environment, name| environment.add_function(name, dynamic_metadata),
    ),
    function!(
        "cluster_metadata",
        "cluster_metadata(key, namespace?)",
        "A value of the chosen cluster's metadata, as dynamic_metadata.",
        ("{{ cluster_metadata(\"region\", \"my.company\") }}", "eu-1"),
        (1, 2),
        KeyedMetadata(MetadataSource::Cluster),
        |environment, name| environment.add_function(name, cluster_metadata),
    ),
    function!(
        "clusterMetadata",
        "clusterMetadata(key, namespace?)",
        "The older spelling of cluster_metadata.",
        ("{{ clusterMetadata(\"region\", \"my.company\") }}", "eu-1"),
        (1, 2),
        KeyedMetadata(MetadataSource::Cluster),
        |environment, name| environment.add_function(name, cluster_metadata),
    ),
    function!(
        "host_metadata",
        "host_metadata(key, namespace?)",
        "A value of the chosen upstream host's metadata, as dynamic_metadata.",
        ("{{ host_metadata(\"zone\", \"envoy.lb\") }}", "b"),
        (1, 2),
        KeyedMetadata(MetadataSource::Host),
        |environment, name| environment.add_function(name, host_metadata),
    ),
    function!(
        "attribute",
        "attribute(name)",
        "An attribute of the stream, by Envoy's name for it, which must be a constant; empty if this Envoy has no value for it.",
        ("{{ attribute(\"source.address\") }}", "192.0.2.7:51234"),
        (1, 1),
        Attribute,
        |environment, name| environment.add_function(name, attribute),
    ),
    function!(
        "now",
        "now()",
        "The time in whole seconds since 1970, the same for all templates of one message.",
        ("{{ now() }}", "1767225600"),
        (0, 0),
        Clock,
        |environment, name| environment.add_function(name, now),
    ),
];

fn metadata(state: &State<'_, '_>, namespace: Cow<'_, str>, key: Cow<'_, str>) -> Value {
    let source = MetadataSource::Dynamic;
    read(
        state,
        &HostRead::Metadata {
            source,
            namespace: (*namespace).into(),
            key: (*key).into(),
        },
    )
}

fn dynamic_metadata(
    state: &State<'_, '_>,
    key: Cow<'_, str>,
    namespace: Option<Cow<'_, str>>,
) -> Value {
    keyed(state, MetadataSource::Dynamic, &key, namespace.as_deref())
}

fn cluster_metadata(
    state: &State<'_, '_>,
    key: Cow<'_, str>,
    namespace: Option<Cow<'_, str>>,
) -> Value {
    keyed(state, MetadataSource::Cluster, &key, namespace.as_deref())
}

fn host_metadata(
    state: &State<'_, '_>,
    key: Cow<'_, str>,
    namespace: Option<Cow<'_, str>>,
) -> Value {
    keyed(state, MetadataSource::Host, &key, namespace.as_deref())
}

fn keyed(
    state: &State<'_, '_>,
    source: MetadataSource,
    key: &str,
    namespace: Option<&str>,
) -> Value {
    let namespace = namespace.unwrap_or(CLASSIC_NAMESPACE).into();
    read(
        state,
        &HostRead::Metadata {
            source,
            namespace,
            key: key.into(),
        },
    )
}

fn attribute(state: &State<'_, '_>, name: Cow<'_, str>) -> Value {
    crate::host::Attribute::find(&name)
        .map(|attribute| read(state, &HostRead::Attribute(attribute)))
        .unwrap_or_default()
}

fn read(state: &State<'_, '_>, wanted: &HostRead) -> Value {
    Message::with(state, |message| message.host_value(wanted))
}

fn now(state: &State<'_, '_>) -> i64 {
    Message::with(state, Message::seconds)
}
