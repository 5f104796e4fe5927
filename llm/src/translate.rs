//! Translation: a client speaks one dialect, the provider that answers another.
//!
//! A [`Translation`] is chosen once for a client's dialect and a [`Provider`]. It turns the request
//! into one of the provider's, with its path; the answer, whole or as a stream, into one of the
//! client's; and what goes wrong into an error that the client knows. Bytes in, bytes out: neither
//! HTTP nor configurations are known here. It is called on the worker thread of an exchange, once
//! for each attempt, always with the client's own request.
//!
//! What the target cannot express is refused with the name of the field, or left out and counted;
//! the tables in [`fields`] say which. Nothing becomes wrong silently. A stream is translated event
//! by event and holds one unfinished event; however it is cut into chunks, the same comes out.
//!
//! ```
//! use llm::dialect::Dialect;
//! use llm::translate::{Moment, Options, Provider, Translation};
//!
//! let translation = Translation::of(Dialect::OpenaiChat, Provider::Anthropic);
//! let translation = translation.ok_or("no such pair")?;
//! let options = Options { model: Some("claude-sonnet-4-5"), ..Options::default() };
//! let body = br#"{"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}"#;
//! let request = translation.request(body, &options).map_err(|refusal| refusal.message)?;
//! assert_eq!(request.path, "/v1/messages");
//!
//! let answer = br#"{"id": "msg_1", "type": "message", "role": "assistant",
//!     "content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn",
//!     "usage": {"input_tokens": 8, "output_tokens": 2}}"#;
//! let moment = Moment { id: "req-1", now: 1_790_000_000 };
//! let answer = translation.response(&request.asked, &moment, answer);
//! assert!(answer.is_ok_and(|it| it.contains(r#""content":"hello""#)));
//! # Ok::<(), String>(())
//! ```

use formats::json::read;

use crate::dialect::Dialect;
use crate::dialect::path::PathFacts;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::usage::{Reported, estimate};

mod anthropic;
mod chat;
mod converse;
mod failure;
pub mod fields;
mod gemini;
mod json;
mod loss;
mod members;
mod messages;
mod provider;
mod same;
mod schema;
mod stream;
mod unfold;

pub use failure::Failure;
pub use loss::Unsupported;
pub use provider::{CREDENTIAL_HEADERS, Provider, ProviderFacts, without_key};
pub use stream::{MAX_EVENT_BYTES, StreamTranslation};

use chat::Chat;
use converse::names::Names;
use json::Value;
use loss::Losses;
use provider::Asks;

/// A client's dialect and a provider that is to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Translation {
    client: Dialect,
    provider: Provider,
    pair: Pair,
}

/// What has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Pair {
    /// Both speak the same.
    Same,
    ChatToAnthropic,
    ChatToGemini,
    ChatToConverse,
    MessagesToChat,
}

impl Pair {
    fn rows(self) -> Option<&'static [fields::Row]> {
        match self {
            Pair::Same => None,
            Pair::ChatToAnthropic => Some(fields::CHAT_TO_ANTHROPIC),
            Pair::ChatToGemini => Some(fields::CHAT_TO_GEMINI),
            Pair::ChatToConverse => Some(fields::CHAT_TO_CONVERSE),
            Pair::MessagesToChat => Some(fields::MESSAGES_TO_CHAT),
        }
    }
}

/// What an operator decides of requests; the default decides nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'o> {
    /// The path that the client sent, query included.
    pub path: &'o str,
    /// The model that is to answer; none for the one that the client names.
    pub model: Option<&'o str>,
    /// How many tokens an answer may have where the target must be told and the client does not
    /// say; 4096 if this does not either.
    pub max_tokens: Option<u64>,
    /// What becomes of what the target cannot express.
    pub unsupported: Unsupported,
    /// Members at the top of the client's request that are left out before it is read.
    pub remove: &'o [String],
    /// Vertex and Bedrock: where.
    pub region: &'o str,
    /// Vertex: whose.
    pub project: &'o str,
    /// Azure: `api-version`, none for its version 1. Where bodies say a version: another one.
    pub api_version: &'o str,
    /// What the client's header `anthropic-beta` says, for Bedrock, where it goes into the body.
    pub betas: &'o str,
    /// What paths begin with; empty for what is usual at the provider.
    pub path_prefix: &'o str,
}

/// A request for the provider.
#[derive(Clone, Debug)]
pub struct Translated {
    /// The path, query included.
    pub path: String,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the answer is asked for as a stream.
    pub stream: bool,
    /// The fields that were left out, by the names of [`fields`].
    pub dropped: Vec<&'static str>,
    /// What the answer's translation must know.
    pub asked: Asked,
}

/// What is remembered of a request until its answer is translated.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The model that answers, as it was asked for.
    model: String,
    /// The client wants to be told the usage of a stream.
    wants_usage: bool,
    /// The names of tools that had to change.
    names: Names,
    /// What clients are told of the input before it is known.
    estimated_input_tokens: u64,
}

/// What an answer needs and no provider tells.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'m> {
    /// An id of the exchange, for answers and calls that come without one.
    pub id: &'m str,
    /// The time, in seconds since 1970.
    pub now: u64,
}

/// How a stream goes on behind an event.
#[derive(Debug)]
enum Step {
    More,
    /// The answer is whole.
    End,
    /// The answer failed.
    Fail(Failure),
}

impl Translation {
    /// The translation of a pair; none where there is none.
    pub fn of(client: Dialect, provider: Provider) -> Option<Translation> {
        use Provider::{
            Anthropic, AzureOpenai, Bedrock, BedrockAnthropic, Gemini, Openai, VertexAnthropic,
            VertexGemini,
        };
        let pair = match (client, provider) {
            (
                Dialect::OpenaiChat
                | Dialect::OpenaiResponses
                | Dialect::OpenaiCompletions
                | Dialect::OpenaiEmbeddings,
                Openai | AzureOpenai,
            ) => Pair::Same,
            (Dialect::AnthropicMessages, Anthropic | VertexAnthropic | BedrockAnthropic) => {
                Pair::Same
            }
            (Dialect::Gemini, Gemini | VertexGemini) => Pair::Same,
            (Dialect::OpenaiChat, Anthropic | VertexAnthropic | BedrockAnthropic) => {
                Pair::ChatToAnthropic
            }
            (Dialect::OpenaiChat, Gemini | VertexGemini) => Pair::ChatToGemini,
            (Dialect::OpenaiChat, Bedrock) => Pair::ChatToConverse,
            (Dialect::AnthropicMessages, Openai | AzureOpenai) => Pair::MessagesToChat,
            _ => return None,
        };
        Some(Translation {
            client,
            provider,
            pair,
        })
    }

    /// What the client speaks.
    pub fn client(&self) -> Dialect {
        self.client
    }

    /// Who answers.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Whether answers are the client's as they come: neither bodies nor streams are touched.
    pub fn answers_alike(&self) -> bool {
        self.pair == Pair::Same && !self.provider.facts().is_framed
    }

    /// Whether the body of an error is of the client's shape already.
    pub fn is_error(&self, body: &str) -> bool {
        failure::is_of(self.client, body)
    }

    /// Translates a request.
    ///
    /// # Errors
    ///
    /// A body that is no request of the client's dialect (400), a field that the target cannot
    /// express (422), or a count of tokens that the target cannot make (404); in words for the
    /// client.
    ///
    /// # Cost
    ///
    /// A handful of passes over the body, one copy of what goes on.
    pub fn request(&self, body: &[u8], options: &Options<'_>) -> Result<Translated, Refusal> {
        let Some(value) = Value::parse_bytes(body) else {
            return Err(Refusal::new(400, "The body is not JSON."));
        };
        let facts = PathFacts::of(options.path);
        match self.pair.rows() {
            None => same::request(self, body, value, &facts, options),
            Some(_) if facts.is_count => Err(same::does_not_count()),
            Some(rows) if self.pair == Pair::MessagesToChat => self.messages(value, rows, options),
            Some(rows) => self.chat(value, rows, options),
        }
    }

    /// Translates a request of Anthropic's Messages API.
    fn messages(
        &self,
        body: Value<'_>,
        rows: &'static [fields::Row],
        options: &Options<'_>,
    ) -> Result<Translated, Refusal> {
        let mut losses = Losses::new(options.unsupported, self.provider);
        let request = messages::request::write(body, rows, options, &mut losses)?;
        let read = Request::read(Dialect::AnthropicMessages, body.text());
        let text_bytes = read.map_or(0, |it| it.text_bytes(body.text()));
        let asks = Asks {
            dialect: Some(Dialect::OpenaiChat),
            model: &request.model,
            stream: request.stream,
            count: false,
            query: None,
        };
        Ok(Translated {
            path: provider::path(self.provider, asks, options),
            body: request.body.into_bytes(),
            stream: request.stream,
            dropped: losses.into_dropped(),
            asked: Asked {
                model: request.model,
                names: request.names,
                estimated_input_tokens: estimate(u64::try_from(text_bytes).unwrap_or(u64::MAX)),
                ..Asked::default()
            },
        })
    }

    /// Translates a request of OpenAI's chat.
    fn chat(
        &self,
        body: Value<'_>,
        rows: &'static [fields::Row],
        options: &Options<'_>,
    ) -> Result<Translated, Refusal> {
        let mut losses = Losses::new(options.unsupported, self.provider);
        let chat = Chat::read(body, rows, options, &mut losses)?;
        let model = model(options, chat.model.as_deref())?;
        let mut names = Names::default();
        let body = match self.pair {
            Pair::ChatToGemini => gemini::request::write(&chat, model, &mut losses)?,
            Pair::ChatToConverse => {
                let (body, changed) = converse::request::write(&chat, model, options, &mut losses)?;
                names = changed;
                body
            }
            Pair::ChatToAnthropic | Pair::MessagesToChat | Pair::Same => {
                anthropic::request::write(&chat, model, self.provider, options, &mut losses)?
            }
        };
        let asks = Asks {
            dialect: (self.pair == Pair::ChatToAnthropic).then_some(Dialect::AnthropicMessages),
            model,
            stream: chat.stream,
            count: false,
            query: None,
        };
        Ok(Translated {
            path: provider::path(self.provider, asks, options),
            body: body.into_bytes(),
            stream: chat.stream,
            dropped: losses.into_dropped(),
            asked: Asked {
                model: model.to_owned(),
                wants_usage: chat.wants_usage,
                names,
                estimated_input_tokens: 0,
            },
        })
    }

    /// Translates a whole answer whose status is good.
    ///
    /// # Errors
    ///
    /// A body that is no answer of the provider's.
    pub fn response(
        &self,
        asked: &Asked,
        moment: &Moment<'_>,
        body: &[u8],
    ) -> Result<String, Failure> {
        let value = Value::parse_bytes(body).ok_or_else(Failure::unreadable)?;
        let answer = match self.pair {
            Pair::Same => Some(value.text().to_owned()),
            Pair::ChatToAnthropic => anthropic::answer::read(value, asked, moment),
            Pair::ChatToGemini => gemini::answer::read(value, asked, moment),
            Pair::ChatToConverse => converse::answer::read(value, asked, moment),
            Pair::MessagesToChat => messages::answer::read(value, asked, moment),
        };
        answer.ok_or_else(Failure::unreadable)
    }

    /// Translates a whole answer whose status is good and that was to be a stream: into the events
    /// of one.
    ///
    /// # Errors
    ///
    /// A body that is no answer of the provider's.
    pub fn unfolded(
        &self,
        asked: &Asked,
        moment: &Moment<'_>,
        body: &[u8],
    ) -> Result<String, Failure> {
        let answer = self.response(asked, moment, body)?;
        let events = Value::parse(&answer).and_then(|answer| match self.client {
            Dialect::OpenaiChat => unfold::chunks(answer, asked),
            Dialect::AnthropicMessages => unfold::events(answer),
            _ => None,
        });
        events.ok_or_else(Failure::unreadable)
    }

    /// Translates a streamed answer whose status is good.
    pub fn stream(&self, asked: &Asked, moment: &Moment<'_>) -> StreamTranslation {
        StreamTranslation::new(self, asked, moment)
    }
}

/// The model that is asked.
fn model<'m>(options: &Options<'m>, named: Option<&'m str>) -> Result<&'m str, Refusal> {
    let model = options.model.or(named).filter(|it| !it.is_empty());
    model.ok_or_else(|| loss::invalid("model", "must name a model"))
}

/// What a report of usage says.
fn reported(usage: Value<'_>) -> Option<Reported> {
    let mut reported = None;
    // The text was checked.
    let _ = read(usage.text(), |reader| {
        reported = Reported::read(reader)?;
        Ok(())
    });
    reported
}
