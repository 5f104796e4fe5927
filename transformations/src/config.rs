//! The configuration as its author wrote it, checked for shape but not yet compiled.
//!
//! Read on the main thread by the compiler. The schema is the union of what kgateway 2.2 and 2.3
//! and later send, the map shape of 2.2 while it was made, and this project's additions. Unknown fields are
//! ignored with a warning. All problems are reported at once, each with its JSON path, which is why
//! the reading is a walk over JSON values and not a derived deserializer that stops at the first.

use self::fields::shape::Whole;
use self::fields::{Field, top};
use crate::http::NamePattern;

pub mod access;
pub(crate) mod ai;
mod bytes;
mod events;
pub mod fields;
mod schema;
pub use events::{EventEdit, EventRule, EventRules, NewEvent, StreamFormat, When};
mod names_once;
mod patch;
mod policy;
pub mod provider;
mod read;

pub(crate) use bytes::to_json;
pub(crate) use read::{config as read, has_markers};

pub use ai::publish::{Publish, PublishedHeader, PublishedMetadata};
pub use ai::{Ai, Cost, PriceFile, Usage};
pub use policy::beyond_policy;
pub use schema::Schema;

pub use patch::{JsonPiece, PatchOperation, ValueTemplate};

/// Both directions and what they share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// What happens to requests: the first transform whose condition holds is applied.
    pub request: Vec<Transform>,
    /// What happens to responses, likewise.
    pub response: Vec<Transform>,
    /// What is rendered once for each exchange, by name.
    pub vars: Vec<Variable>,
    /// Bounds on rendering.
    pub limits: Limits,
    /// The environment variables that templates may read; `None`: no opinion.
    pub env_allow: Option<Vec<String>>,
    /// What is done about LLM traffic.
    pub ai: Option<Ai>,
    /// Who answers.
    pub provider: Option<provider::ProviderRules>,
}

/// One direction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transform {
    /// Where it stands in the configuration.
    pub path: String,
    /// When it is applied; always without a condition.
    pub when: Option<Expression>,
    /// An answer in place of one from the upstream; requests only.
    pub reply: Option<Reply>,
    /// Header lines to be made of themselves, each alone.
    pub edit: Vec<HeaderRule>,
    /// Headers to overwrite, or remove when the value renders empty.
    pub set: Vec<HeaderRule>,
    /// Headers to append, unless the value renders empty.
    pub add: Vec<HeaderRule>,
    /// Headers to remove, after everything else.
    pub remove: Vec<RemoveRule>,
    /// How the body is read and what it becomes.
    pub body: Body,
    /// Metadata to write.
    pub dynamic_metadata: Vec<MetadataRule>,
    /// Rules for the events of a streamed body; responses only.
    pub stream: Option<EventRules>,
    /// What `extraction` can find, by name.
    pub extractors: Vec<Extractor>,
    /// What a failure does.
    pub on_error: OnError,
    /// When a request asks for its route to be chosen again.
    pub clear_route_cache: ClearRouteCache,
    /// Headers that routes match on, beside those that they match on by nature.
    pub route_headers: Vec<HeaderName>,
    /// How large a body may be held, if larger than the host would allow by itself.
    pub max_body_bytes: Option<u64>,
}

/// When a request asks for its route to be chosen again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClearRouteCache {
    /// When one of the listed headers changes, and so never where none is listed.
    #[default]
    Listed,
    /// When the transform changes what routes match on, listed or by nature.
    Auto,
    /// After every transform.
    Always,
    /// Never: the request keeps its route.
    Never,
}

/// A regular expression over a part of the message.
#[derive(Clone, Debug, PartialEq)]
pub struct Extractor {
    /// The name that templates use.
    pub name: String,
    /// Where the text comes from.
    pub source: ExtractorSource,
    /// The expression, which must match the whole text.
    pub regex: String,
    /// The group that is the result; 0 is the whole text.
    pub subgroup: usize,
    /// Where the extractor stands in the configuration.
    pub path: String,
}

impl Extractor {
    /// Whether both are the same but for the place where they stand.
    pub(crate) fn finds_the_same(&self, other: &Extractor) -> bool {
        let Extractor {
            name,
            source,
            regex,
            subgroup,
            path: _,
        } = self;
        (name, source, regex, subgroup)
            == (&other.name, &other.source, &other.regex, &other.subgroup)
    }
}

/// What an extractor reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtractorSource {
    /// A header of the message being transformed, in lower case.
    Header(String),
    /// The body.
    Body,
}

/// A condition: an expression of the template language, without braces around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// The expression.
    pub text: String,
    /// Where it stands in the configuration.
    pub path: String,
}

/// A text that is rendered once for each exchange, from the headers of its request.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// The name that templates use.
    pub name: String,
    /// The template.
    pub value: String,
    /// Where it stands in the configuration.
    pub path: String,
}

/// An answer that does not come from the upstream.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The template of its status.
    pub status: String,
    /// Header lines to add.
    pub headers: Vec<HeaderRule>,
    /// The template of its body.
    pub body: Option<String>,
    /// When it is sent; always without a condition.
    pub when: Option<Expression>,
    /// Where it stands in the configuration.
    pub path: String,
}

/// Headers to remove.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoveRule {
    /// Which.
    pub names: NamePattern,
    /// When; always without a condition.
    pub when: Option<Expression>,
    /// Where it stands in the configuration.
    pub path: String,
}

/// A header name with the JSON path it came from. The name is valid and lower case.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderName {
    /// The lower-case name.
    pub name: String,
    /// Where it stands in the configuration.
    pub path: String,
}

/// A header and the template of its value.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderRule {
    /// The lower-case name.
    pub name: String,
    /// The template; empty means remove (in `set`) or nothing (in `add`).
    pub value: String,
    /// When the rule applies; always without a condition.
    pub when: Option<Expression>,
    /// Where the value stands in the configuration.
    pub path: String,
}

/// How the body is read, and its template.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// How templates see the body.
    pub parse_as: ParseAs,
    /// The template; empty leaves the body alone.
    pub value: String,
    /// Where the template stands in the configuration.
    pub path: String,
    /// Edits of a JSON body, in place of a template.
    pub patch: Vec<PatchOperation>,
    /// A compressed body is decoded to be read.
    pub decode: bool,
}

/// How templates see the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParseAs {
    /// As text.
    #[default]
    AsString,
    /// As JSON, whose top-level keys become variables.
    AsJson,
    /// Not at all: nothing is buffered.
    None,
}

/// One dynamic metadata entry.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRule {
    /// The metadata namespace.
    pub namespace: String,
    /// The key in the namespace.
    pub key: String,
    /// The type of the value.
    pub kind: MetadataKind,
    /// The value.
    pub value: ValueTemplate,
    /// When it is written; always without a condition.
    pub when: Option<Expression>,
}

/// The type of a metadata value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataKind {
    /// `stringValue`
    String,
    /// `numberValue`: a number, or a template that renders to one.
    Number,
    /// `boolValue`: a boolean, or a template that renders to `true` or `false`.
    Bool,
    /// `jsonValue`: a scalar or a list of scalars, or a template that renders to one as JSON.
    Json,
}

/// What a failure of one direction does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// Requests that lack what the configuration reads are answered with an error, responses that
    /// lack it pass without what reads it, and so does a header or metadata value that cannot be
    /// rendered. Where the configuration cannot make a body that it is to make, the answer is a 500.
    #[default]
    Auto,
    /// The transform answers with an error; nothing is applied.
    Fail,
    /// The message passes as it came; nothing is applied.
    Skip,
    /// The failed field is left out: a `set` removes its header, an `add`, a metadata entry and
    /// the body do nothing. The rest is applied.
    Continue,
}

/// Bounds on the rendering of one direction of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Template instructions for each template. A long body that is read adds one for each byte.
    pub fuel: u64,
    /// Bytes that all templates of a direction may produce, intermediate values included.
    pub output_bytes: usize,
    /// Depth of template recursion.
    pub recursion: usize,
    /// Decoded bytes for each byte of a compressed body.
    pub decode_ratio: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let default = |limit: &Field<Whole>| limit.shape.default.unwrap_or(limit.shape.most);
        let size = |limit| usize::try_from(default(limit)).unwrap_or(usize::MAX);
        Limits {
            fuel: default(&top::FUEL),
            output_bytes: size(&top::OUTPUT_BYTES),
            recursion: size(&top::RECURSION),
            decode_ratio: size(&top::DECODE_RATIO),
        }
    }
}
