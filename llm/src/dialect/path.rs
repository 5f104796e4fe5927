//! What the path of a request says: its dialect, its model, and whether its answer is a stream.
//!
//! Whatever stands in front (`/v1`, `/openai/v1`, `/anthropic/v1`, a tenant) and behind (a query, a
//! slash at the end) does not matter. A path that leads elsewhere by dots (`..`) says nothing, since its
//! provider may follow them. Called once a request, on its worker thread; any text is a path.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Dialect;

/// What a path says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathFacts<'p> {
    /// The dialect. None where the path tells of none of ours.
    pub dialect: Option<Dialect>,
    /// The path is known, and of a dialect that is none of ours.
    pub is_foreign: bool,
    /// The model. None where the body names it.
    pub model: Option<PathModel<'p>>,
    /// Whether the answer will be a stream. None where the body says so.
    pub stream: Option<bool>,
    /// The request is only counted: its answer is a number of tokens, and no usage.
    pub is_count: bool,
}

/// A model that is named by a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathModel<'p> {
    path: &'p str,
    range: Range<usize>,
}

/// What stands for itself in a segment of a path: the unreserved characters of RFC 3986, `@`, which
/// Vertex has before versions, and `:` only where it does not end the name.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@');

impl<'p> PathModel<'p> {
    /// The name, decoded; bytes that are not UTF-8 are replaced.
    pub fn name(&self) -> Cow<'p, str> {
        let raw = self.path.get(self.range.clone()).unwrap_or_default();
        percent_decode_str(raw).decode_utf8_lossy()
    }

    /// The path that names it.
    pub fn path(&self) -> &'p str {
        self.path
    }

    /// The path with another model in this one's place; everything else stays.
    pub fn replace(&self, name: &str) -> String {
        let before = self.path.get(..self.range.start).unwrap_or_default();
        let behind = self.path.get(self.range.end..).unwrap_or_default();
        format!("{before}{}{behind}", utf8_percent_encode(name, SEGMENT))
    }
}

impl<'p> PathFacts<'p> {
    /// What `path` (Envoy's `:path`, its query included) says.
    ///
    /// # Cost
    /// One pass over the path.
    pub fn of(path: &'p str) -> PathFacts<'p> {
        let end = path.find(['?', '#']).unwrap_or(path.len());
        let path_alone = path.get(..end).unwrap_or_default();
        let (mut before, mut last, mut is_thread) = ("", "", false);
        let mut end = 0;
        for Segment { text, start } in segments(path_alone) {
            if is_dots(text) {
                return Self::default();
            }
            (before, last, end) = (last, text, start);
            is_thread |= text == "threads";
        }
        let mut facts = match (before, last) {
            ("chat", "completions") => Self::speaking(Dialect::OpenaiChat),
            (_, "completions") => Self::speaking(Dialect::OpenaiCompletions),
            (_, "embeddings") => Self::speaking(Dialect::OpenaiEmbeddings),
            (_, "responses") => Self::speaking(Dialect::OpenaiResponses),
            ("responses", "input_tokens") => Self::counting(Dialect::OpenaiResponses),
            // What a thread of OpenAI's assistants holds are messages too, and others.
            (_, "messages") if !is_thread => Self::speaking(Dialect::AnthropicMessages),
            ("messages", "count_tokens") => Self::counting(Dialect::AnthropicMessages),
            _ => Self::default(),
        };
        let mut all = segments(path_alone).peekable();
        let mut publisher = "";
        while let Some(segment) = all.next() {
            let Some(next) = all.peek() else { break };
            match segment.text {
                "deployments" => facts.model = next.model(path, next.text.len()),
                "publishers" => publisher = next.text,
                "models" | "tunedModels" | "endpoints" => {
                    // Verbs end a path: nothing before its end tells what is asked.
                    if let Some((name, verb)) = next.text.rsplit_once(':')
                        && next.start == end
                    {
                        facts.of_verb(verb, publisher);
                        facts.model = next.model(path, name.len());
                    }
                }
                "model" => facts.of_bedrock(last, next.model(path, next.text.len())),
                _ => {}
            }
        }
        facts
    }

    fn speaking(dialect: Dialect) -> Self {
        Self {
            dialect: Some(dialect),
            ..Self::default()
        }
    }

    fn counting(dialect: Dialect) -> Self {
        Self {
            is_count: true,
            ..Self::speaking(dialect)
        }
    }

    /// Google's custom verbs, behind the colon.
    fn of_verb(&mut self, verb: &str, publisher: &str) {
        let anthropic = (publisher == "anthropic").then_some(Dialect::AnthropicMessages);
        let (dialect, stream, is_count) = match verb {
            "generateContent" => (Some(Dialect::Gemini), Some(false), false),
            "streamGenerateContent" => (Some(Dialect::Gemini), Some(true), false),
            "countTokens" => (Some(Dialect::Gemini), Some(false), true),
            // Vertex, for models of others: the body is their own.
            "rawPredict" => (anthropic, None, false),
            "streamRawPredict" => (anthropic, Some(true), false),
            _ => return,
        };
        (self.dialect, self.stream, self.is_count) = (dialect, stream, is_count);
    }

    /// Bedrock's operations, which are the last segment.
    fn of_bedrock(&mut self, operation: &str, model: Option<PathModel<'p>>) {
        let stream = match operation {
            "converse" | "invoke" => false,
            "converse-stream" | "invoke-with-response-stream" => true,
            "count-tokens" => {
                self.is_count = true;
                false
            }
            _ => return,
        };
        (self.stream, self.model, self.is_foreign) = (Some(stream), model, true);
    }
}

/// A part of a path between slashes.
#[derive(Clone, Copy, Debug, Default)]
struct Segment<'p> {
    text: &'p str,
    start: usize,
}

impl<'p> Segment<'p> {
    /// The first `length` bytes as a model of the path.
    fn model(&self, path: &'p str, length: usize) -> Option<PathModel<'p>> {
        let range = self.start..self.start + length;
        (length > 0).then_some(PathModel { path, range })
    }
}

/// Whether a segment leads elsewhere, however its dots and slashes are spelled.
fn is_dots(segment: &str) -> bool {
    if !segment.contains(['.', '%']) {
        return false;
    }
    let decoded = percent_decode_str(segment).decode_utf8_lossy();
    let mut parts = decoded.split(['/', '\\']);
    parts.any(|it| matches!(it, "." | ".."))
}

/// The segments that are not empty.
fn segments(path: &str) -> impl Iterator<Item = Segment<'_>> {
    let mut next = 0;
    let segments = path.split('/').map(move |text| {
        let start = next;
        next += text.len() + 1;
        Segment { text, start }
    });
    segments.filter(|segment| !segment.text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_model_of_a_path_is_replaced_alone() {
        let replaced = |path: &str, name: &str| {
            let model = PathFacts::of(path).model.unwrap();
            (model.name().into_owned(), model.replace(name))
        };
        assert_eq!(
            replaced(
                "/openai/deployments/gpt%2D4/chat/completions?api-version=1",
                "a/b:c ü"
            ),
            (
                "gpt-4".to_owned(),
                "/openai/deployments/a%2Fb%3Ac%20%C3%BC/chat/completions?api-version=1".to_owned()
            )
        );
        assert_eq!(
            replaced("/v1beta/models/a:generateContent", "b@001"),
            (
                "a".to_owned(),
                "/v1beta/models/b@001:generateContent".to_owned()
            )
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_path(path in r"(/(chat|completions|models|model|deployments|[a-z:%é?#]{0,4})){0,5}") {
            let facts = PathFacts::of(&path);
            if let Some(model) = facts.model {
                let name = model.name();
                prop_assert!(!name.is_empty());
                let again = model.replace(&name);
                let model = PathFacts::of(&again).model;
                prop_assert_eq!(model.map(|it| it.name().into_owned()), Some(name.into_owned()));
            }
        }
    }
}
