//! What a request says: model, stream, limits, messages, and every text in it.
//!
//! Read once, for all stages, on the worker thread of a request that was held as a whole. It holds
//! places and no copies; stages edit at places ([`Edits`](crate::place::Edits)).
//!
//! What is refused: a body that is not JSON, or no object. Members that repeat a key are told of: readers
//! differ in which one counts.

use formats::json::{Fault, Kind, ParseError, Raw, Reader, read};

use crate::dialect::Dialect;
use crate::place::Place;
use crate::text::{Depth, Role, Text, TextKind};

mod anthropic;
mod chat;
mod gemini;
mod keys;
mod messages;
mod responses;

use keys::Keys;

/// A request of a dialect.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it is written in.
    pub dialect: Dialect,
    /// The whole object.
    pub body: Place,
    /// The model, a string. None where the path names it.
    pub model: Option<Place>,
    /// Whether it asks for a stream. None if it does not say; then there is none, unless the path
    /// says so.
    pub stream: Option<bool>,
    /// `stream_options`, whatever it is.
    pub stream_options: Option<StreamOptions>,
    /// Every limit of the tokens of the answer.
    pub output_limits: Vec<OutputLimit>,
    /// `generationConfig` of Gemini, where its limits stand.
    pub generation_config: Option<Place>,
    /// Where prompts of the operator go that are not messages: the value of `system`, `instructions`
    /// or `systemInstruction`.
    pub system: Option<Place>,
    /// Where messages go: the value of `messages`, `input` or `contents`, an array or what a client
    /// put in its place.
    pub messages: Option<Place>,
    /// The messages, in order.
    pub turns: Vec<Turn>,
    /// Every text, in the order of the body.
    pub texts: Vec<Text>,
    /// The key that repeats one at the top, or one that decides about a message.
    pub repeated: Option<Place>,
    /// Something that could hold texts nests too deeply to be looked into.
    pub is_too_deep: bool,
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// The whole message.
    pub place: Place,
    /// What is said: the value of `content` or `parts`.
    pub content: Option<Place>,
}

/// What a client wants of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// Its value.
    pub place: Place,
    /// The value of `include_usage` in it.
    pub include_usage: Option<Place>,
    /// Whether that is `true`.
    pub asks_for_usage: bool,
}

/// A limit of the tokens of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    /// The member that sets it.
    pub field: LimitField,
    /// Its value.
    pub place: Place,
    /// The limit; none if it is no number of tokens.
    pub tokens: Option<u64>,
    /// It is `null`, which is how clients say nothing.
    pub is_null: bool,
}

/// The members that limit the tokens of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitField {
    /// OpenAI's elder one, and Anthropic's.
    MaxTokens,
    /// OpenAI chat's.
    MaxCompletionTokens,
    /// Responses'.
    MaxOutputTokens,
    /// Gemini's, in `generationConfig`.
    GenerationMaxOutputTokens,
}

impl LimitField {
    /// The key.
    pub const fn key(self) -> &'static str {
        match self {
            LimitField::MaxTokens => "max_tokens",
            LimitField::MaxCompletionTokens => "max_completion_tokens",
            LimitField::MaxOutputTokens => "max_output_tokens",
            LimitField::GenerationMaxOutputTokens => "maxOutputTokens",
        }
    }
}

/// A body that is no request. Carries nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// It is not JSON.
    Json(ParseError),
    /// It is JSON, and no object.
    NoObject,
}

impl std::fmt::Display for RequestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(error) => write!(f, "the body is not JSON: {error}"),
            Self::NoObject => f.write_str("the body is not a JSON object"),
        }
    }
}

impl std::error::Error for RequestError {}

impl Request {
    /// Reads a body of `dialect`.
    ///
    /// # Errors
    /// A body that is not one JSON object.
    ///
    /// # Cost
    /// One pass over the body; memory for a place of each message and each text.
    pub fn read(dialect: Dialect, body: &str) -> Result<Request, RequestError> {
        let mut request = Request {
            dialect,
            body: Place::default(),
            model: None,
            stream: None,
            stream_options: None,
            output_limits: Vec::new(),
            generation_config: None,
            system: None,
            messages: None,
            turns: Vec::new(),
            texts: Vec::new(),
            repeated: None,
            is_too_deep: false,
        };
        let mut keys = Keys::default();
        let mut is_object = false;
        read(body, |reader| {
            is_object = reader.kind() == Kind::Object;
            let body = reader.value_with(|reader| {
                reader.entries(|key, reader| {
                    if keys.repeats(key) {
                        request.repeated = Some(key.into());
                    }
                    request.member(key, reader)
                })
            })?;
            request.body = body.into();
            Ok(())
        })
        .map_err(RequestError::Json)?;
        match is_object {
            true => Ok(request),
            false => Err(RequestError::NoObject),
        }
    }

    /// How many bytes all texts have together, decoded.
    ///
    /// # Cost
    /// One pass over the texts, in large steps; nothing is decoded.
    pub fn text_bytes(&self, body: &str) -> usize {
        let length = |text: &Text| Raw::of_value(text.place.of(body)).contents_len();
        self.texts.iter().map(length).sum()
    }

    /// Whether the client asked for the usage of a stream.
    pub fn asks_for_usage(&self) -> bool {
        self.stream_options.is_some_and(|it| it.asks_for_usage)
    }

    /// Reads a member at the top.
    fn member(&mut self, key: Raw<'_>, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let key = key.as_str().unwrap_or_default();
        match keys::member(&key) {
            "model" if reader.kind() == Kind::String => self.model = Some(reader.value()?.into()),
            "stream" => self.stream = Some(reader.value()?.kind() == Kind::Bool(true)),
            "stream_options" => self.stream_options(reader)?,
            "max_tokens" => self.output_limit(LimitField::MaxTokens, reader)?,
            "max_completion_tokens" => {
                self.output_limit(LimitField::MaxCompletionTokens, reader)?;
            }
            "max_output_tokens" => self.output_limit(LimitField::MaxOutputTokens, reader)?,
            key => match self.dialect {
                Dialect::OpenaiChat => self.chat(key, reader)?,
                Dialect::OpenaiCompletions | Dialect::OpenaiEmbeddings => {
                    self.other(key, reader)?;
                }
                Dialect::OpenaiResponses => self.responses(key, reader)?,
                Dialect::AnthropicMessages => self.anthropic(key, reader)?,
                Dialect::Gemini => self.gemini(key, reader)?,
            },
        }
        Ok(())
    }

    fn output_limit(&mut self, field: LimitField, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let raw = reader.value()?;
        self.output_limits.push(OutputLimit {
            field,
            place: raw.into(),
            tokens: crate::count::count(raw),
            is_null: raw.kind() == Kind::Null,
        });
        Ok(())
    }

    fn stream_options(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let (mut include_usage, mut asks_for_usage) = (None, false);
        let options = reader.value_with(|reader| {
            reader.entries(|key, reader| {
                if key.is("include_usage") {
                    if include_usage.is_some() {
                        self.repeated = Some(key.into());
                    }
                    let raw = reader.value()?;
                    asks_for_usage = raw.kind() == Kind::Bool(true);
                    include_usage = Some(raw.into());
                }
                Ok(())
            })
        })?;
        self.stream_options = Some(StreamOptions {
            place: options.into(),
            include_usage,
            asks_for_usage,
        });
        Ok(())
    }

    /// A member that the dialect does not know. Servers that speak it borrow from others, so what holds
    /// texts anywhere is looked at; completions and embeddings have no others.
    fn other(&mut self, key: &str, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if keys::holds_texts(key) {
            self.leaves(Depth::TOP, TextKind::Text, reader)?;
        }
        Ok(())
    }
}

/// The member of a body that names its model.
pub(crate) const MODEL: &str = "model";

#[cfg(test)]
mod tests;
