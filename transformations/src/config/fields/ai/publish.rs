//! The fields of `publish`: names under which facts are told beside our own.

use llm::facts::Fact;

use super::FACTS;
use crate::config::fields::shape::{List, Names, Text, Words};
use crate::config::fields::{Field, Object};

/// `publish.metadata`
pub static METADATA: Field<List> = Field::new(
    "metadata",
    List {
        of: &&PUBLISHED_METADATA,
    },
    "list of `{\"namespace\", \"key\", \"from\"}`: dynamic metadata that existing limits and dashboards \
     know by another name",
);

/// `publish.headers`
pub static HEADERS: Field<Names> = Field::new(
    "headers",
    Names::of(Text::HeaderName, &FACT),
    "`{\"header\": \"fact\"}`: headers of responses that say what is known of the exchange; streams and \
     errors get none",
);

/// `publish.models`
pub static MODELS: Field<List> = Field::new(
    "models",
    List { of: &Text::Plain },
    "names of models that [statistics](#statistics) tell apart, beside those in `aliases`, `allow` and \
     `prices`; no patterns",
);

/// Where facts are published.
pub static PUBLISH: Object = Object {
    name: "publish",
    text: "Where facts are published beside the namespace `rustformations.ai`.",
    groups: &[&[&METADATA, &HEADERS, &MODELS]],
};

/// `publish.metadata[].namespace`
pub static NAMESPACE: Field<Text> =
    Field::new("namespace", Text::Plain, "the namespace of the metadata").needed();

/// `publish.metadata[].key`
pub static KEY: Field<Text> = Field::new("key", Text::Plain, "the key in it").needed();

/// A fact, by its name.
pub static FACT: Words<Fact> = Words {
    all: FACTS,
    default: None,
};

/// `publish.metadata[].from`
pub static FROM: Field<Words<Fact>> = Field::new(
    "from",
    Words {
        all: FACTS,
        default: None,
    },
    "the fact, by its name in [the table of facts](#facts)",
)
.needed();

/// A fact under another name.
pub static PUBLISHED_METADATA: Object = Object {
    name: "publishedMetadata",
    text: "A fact under another name.",
    groups: &[&[&NAMESPACE, &KEY, &FROM]],
};
