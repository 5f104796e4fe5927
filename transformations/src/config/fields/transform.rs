//! The fields of a transform: of both directions, of requests, of responses.

use super::body::BODY;
use super::events::EVENT_RULES;
use super::header::{HEADER_EDIT, HEADER_RULE, REMOVAL};
use super::metadata::ENTRY;
use super::on_error::ON_ERRORS;
use super::reply;
use super::shape::{Form, Forms, Json, List, Names, Text, Whole, Words};
use super::when::WHEN;
use super::{AnyField, Field, Object};
use crate::config::{ClearRouteCache, OnError};

/// `edit`
pub static EDIT: Field<List> = Field::new(
    "edit",
    List { of: &&HEADER_EDIT },
    "list of `{\"name\", \"value\"}`: each line of the header alone becomes what its template makes of it; \
     see [`edit`](#edit)",
)
.not_in_policies();

/// `set`
pub static SET: Field<Forms> = Field::new(
    "set",
    RULES,
    "list of `{\"name\", \"value\"}`: replaces all values of the header. A value that renders empty \
     removes it. Of entries with the same name the later wins. `{\"name\": \"value\"}`, the map of \
     kgateway 2.2 while it was made, is understood too",
)
.since("2.2");

/// `add`
pub static ADD: Field<Forms> = Field::new(
    "add",
    RULES,
    "the same shape: adds a header line and keeps the others; nothing is added when the value renders \
     empty",
)
.since("2.2");

static LIST_OF_RULES: List = List { of: &&HEADER_RULE };

const RULES: Forms = Forms {
    all: &[
        Form::of(&LIST_OF_RULES),
        Form::instead(
            &Names::of(Text::HeaderName, &Text::HeaderValue),
            "the map of kgateway 2.2 while it was made",
        ),
    ],
};

/// `remove`
pub static REMOVE: Field<List> = Field::new(
    "remove",
    List {
        of: &Forms {
            all: &[Form::of(&Text::NamePattern), Form::of(&&REMOVAL)],
        },
    },
    "list of names, in which `*` stands for any run of characters (`x-internal-*`; neither \
     pseudo-headers nor the `host` of a request match such a pattern), or of `{\"name\", \"when\"}`; wins \
     over `edit`, `set` and `add`",
)
.since("2.2");

/// `body`
pub static BODY_HERE: Field<&Object> = Field::new(
    "body",
    &BODY,
    "how the body is read, and what it becomes; see [`body`](#body)",
)
.since("2.2");

/// `dynamicMetadata`
pub static DYNAMIC_METADATA: Field<List> = Field::new(
    "dynamicMetadata",
    List { of: &&ENTRY },
    "list of `{\"namespace\", \"key\", \"value\"}`; see [`dynamicMetadata`](#dynamicmetadata)",
)
.since("2.3");

/// `extractors`
pub static EXTRACTORS: Field<Names> = Field::new(
    "extractors",
    Names::of(Text::Plain, &&EXTRACTOR),
    "regular expressions for `extraction(name)`; see [templates](templates.md#extractors)",
)
.not_in_policies();

/// `onError`
pub static ON_ERROR: Field<Words<OnError>> = Field::new(
    "onError",
    Words {
        all: ON_ERRORS,
        default: None,
    },
    "what a failure does, if not what is said at the top; see [`onError`](#onerror)",
)
.not_in_policies();

/// `maxBodyBytes`
pub static MAX_BODY_BYTES: Field<Whole> = Field::new(
    "maxBodyBytes",
    Whole::bytes(1 << 30),
    "how large a body may be that is held for this transform, if Envoy's own limit is lower or not \
     known (before Envoy 1.38); see [large bodies](#large-bodies)",
)
.not_in_policies();

/// `reply`
pub static REPLY: Field<&Object> = Field::new(
    "reply",
    &reply::REPLY,
    "requests only: an answer in place of one from the upstream; see [`reply`](#reply)",
)
.not_in_policies();

/// `clearRouteCache`
pub static CLEAR_ROUTE_CACHE: Field<Words<ClearRouteCache>> = Field::new(
    "clearRouteCache",
    Words {
        all: &[
            ("auto", ClearRouteCache::Auto),
            ("always", ClearRouteCache::Always),
            ("never", ClearRouteCache::Never),
        ],
        default: None,
    },
    "requests only: whether Envoy chooses the route again: `never` (default, but see \
     `clearRouteCacheHeaders`), `always`, or `auto`, when the transform changed `:path`, `:method`, \
     `:authority` or a header of `clearRouteCacheHeaders`. The new route's own configuration of this \
     filter is not applied to the same request",
)
.not_in_policies();

/// `clearRouteCacheHeaders`
pub static CLEAR_ROUTE_CACHE_HEADERS: Field<List> = Field::new(
    "clearRouteCacheHeaders",
    List { of: &Text::HeaderName },
    "requests only: names of headers that your routes match on; Envoy chooses the route again when the \
     transform changed one of them, unless `clearRouteCache` says `never`",
)
.not_in_policies();

/// `stream`
pub static STREAM: Field<&Object> = Field::new(
    "stream",
    &EVENT_RULES,
    "responses only: event streams, event by event; see [`response.stream`](#responsestream)",
)
.not_in_policies();

/// What both directions have.
pub static OF_BOTH: [&AnyField; 10] = [
    &WHEN,
    &EDIT,
    &SET,
    &ADD,
    &REMOVE,
    &BODY_HERE,
    &DYNAMIC_METADATA,
    &EXTRACTORS,
    &ON_ERROR,
    &MAX_BODY_BYTES,
];

/// What requests have beside it.
pub static OF_REQUESTS: [&AnyField; 3] = [&REPLY, &CLEAR_ROUTE_CACHE, &CLEAR_ROUTE_CACHE_HEADERS];

/// What responses have beside it.
pub static OF_RESPONSES: [&AnyField; 1] = [&STREAM];

/// The transform of requests.
pub static REQUEST: Object = Object {
    name: "requestTransform",
    text: "What happens to a request.",
    groups: &[&OF_BOTH, &OF_REQUESTS],
};

/// The transform of responses.
pub static RESPONSE: Object = Object {
    name: "responseTransform",
    text: "What happens to a response.",
    groups: &[&OF_BOTH, &OF_RESPONSES],
};

/// `header` of an extractor
pub static HEADER: Field<Text> = Field::new(
    "header",
    Text::Plain,
    "the header that it reads, unless it reads the body",
);

/// `body` of an extractor
pub static READS_BODY: Field<Json> = Field::new("body", Json, "`{}`: it reads the body");

/// `regex` of an extractor
pub static REGEX: Field<Text> = Field::new(
    "regex",
    Text::Pattern,
    "the expression, which must match the whole text",
)
.needed();

/// `subgroup` of an extractor
pub static SUBGROUP: Field<Whole> = Field::new(
    "subgroup",
    Whole::pieces(0, u64::MAX).or(0),
    "the group of the expression that is the result; 0 is the whole text",
);

/// A regular expression over a header or the body.
pub static EXTRACTOR: Object = Object {
    name: "extractor",
    text: "A regular expression over a header or the body.",
    groups: &[&[&HEADER, &READS_BODY, &REGEX, &SUBGROUP]],
};
