//! OpenAI's chat, as clients speak it: its requests are read here, its answers written.
//!
//! Shared by every pair whose client speaks it, on the worker thread of the exchange.

use std::borrow::Cow;

use super::Options;
use super::fields::Row;
use super::json::{Json, Value};
use super::loss::{Losses, invalid};
use super::members::Members;
use crate::refusal::Refusal;

pub(super) mod answer;
pub(super) mod chunks;
pub(super) mod message;
pub(super) mod sampling;
pub(super) mod tools;
pub(super) mod turns;

/// The members of a request that some target has a place for.
#[derive(Debug)]
pub(super) struct Chat<'t> {
    pub(super) model: Option<Cow<'t, str>>,
    pub(super) messages: Vec<Value<'t>>,
    pub(super) stream: bool,
    /// The client asked for the usage of a stream.
    pub(super) wants_usage: bool,
    /// `max_completion_tokens`, else `max_tokens`.
    pub(super) max_tokens: Option<Value<'t>>,
    pub(super) temperature: Option<Value<'t>>,
    pub(super) top_p: Option<Value<'t>>,
    pub(super) top_k: Option<Value<'t>>,
    /// One text or several.
    pub(super) stop: Vec<Value<'t>>,
    pub(super) tools: Vec<Value<'t>>,
    pub(super) tool_choice: Option<Value<'t>>,
    /// `parallel_tool_calls` is false.
    pub(super) one_call: bool,
    pub(super) response_format: Option<Value<'t>>,
    pub(super) reasoning_effort: Option<Cow<'t, str>>,
    /// Anthropic's own, which clients of gateways send.
    pub(super) thinking: Option<Value<'t>>,
    /// `user`, else `safety_identifier`.
    pub(super) user: Option<Value<'t>>,
    pub(super) n: Option<Value<'t>>,
    pub(super) seed: Option<Value<'t>>,
    pub(super) presence_penalty: Option<Value<'t>>,
    pub(super) frequency_penalty: Option<Value<'t>>,
}

impl<'t> Chat<'t> {
    /// Reads a request. Members that the target of these rows has no place for are lost.
    pub(super) fn read(
        body: Value<'t>,
        rows: &'static [Row],
        options: &Options<'_>,
        losses: &mut Losses,
    ) -> Result<Chat<'t>, Refusal> {
        let members = Members::read(body, rows, options, losses)?;
        let get = |name: &str| members.get(name);
        let messages = match get("messages") {
            Some(messages) if messages.is_array() => messages.items(),
            _ => return Err(invalid("messages", "must be a list of messages")),
        };
        let tools = get("tools").map(Value::items).unwrap_or_default();
        let tool_choice = get("tool_choice");
        // What must be called is then nothing: no target would say so.
        let is_free = |it: Value<'_>| it.is("auto") || it.is("none");
        if tools.is_empty() && tool_choice.is_some_and(|it| !is_free(it)) {
            return Err(invalid("tool_choice", "must not be there without `tools`"));
        }
        let flag = |name: &str| get(name).and_then(Value::bool);
        let wants_usage = get("stream_options").and_then(|it| it.get("include_usage"));
        Ok(Chat {
            model: get("model").and_then(Value::string),
            messages,
            stream: flag("stream").unwrap_or_default(),
            wants_usage: wants_usage.and_then(Value::bool).unwrap_or_default(),
            max_tokens: get("max_completion_tokens").or(get("max_tokens")),
            temperature: get("temperature"),
            top_p: get("top_p"),
            top_k: get("top_k"),
            stop: match get("stop") {
                Some(stop) if stop.is_array() => stop.items(),
                stop => stop.into_iter().collect(),
            },
            tools,
            tool_choice,
            one_call: flag("parallel_tool_calls") == Some(false),
            response_format: get("response_format"),
            reasoning_effort: get("reasoning_effort").and_then(Value::string),
            thinking: get("thinking"),
            user: get("user").or(get("safety_identifier")),
            n: get("n"),
            seed: get("seed"),
            presence_penalty: get("presence_penalty"),
            frequency_penalty: get("frequency_penalty"),
        })
    }

    /// Whether the client asks for thoughts in Anthropic's own words.
    pub(super) fn asks_to_think(&self) -> bool {
        let of = self.thinking.and_then(|it| it.get("type"));
        of.is_some_and(|of| !of.is("disabled"))
    }

    /// How many tokens it lets be thought, in the same words.
    pub(super) fn budget(&self) -> Option<u64> {
        let budget = self.thinking.and_then(|it| it.get("budget_tokens"))?;
        budget.count().filter(|_| self.asks_to_think())
    }

    /// The effort that is asked for where nothing else says how much to think. Beside that it is
    /// lost: only one of them could be right.
    pub(super) fn effort(&self, losses: &mut Losses) -> Result<Option<&str>, Refusal> {
        let effort = self.reasoning_effort.as_deref();
        if effort.is_some() && self.thinking.is_some() {
            losses.lose("reasoning_effort.(beside thinking)")?;
            return Ok(None);
        }
        Ok(effort)
    }

    /// Writes what the answer is to stop at, as Bedrock and Gemini are told it.
    ///
    /// # Errors
    /// If something of it is no string.
    pub(super) fn write_stop_sequences(&self, json: &mut Json) -> Result<(), Refusal> {
        if self.stop.is_empty() {
            return Ok(());
        }
        if self.stop.iter().any(|it| !it.is_string()) {
            return Err(invalid("stop", "must be a string or a list of strings"));
        }
        json.key("stopSequences");
        json.open_array();
        for stop in &self.stop {
            json.raw(stop.text());
        }
        json.close_array();
        Ok(())
    }
}

/// What an answer must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format<'t> {
    /// Some JSON object.
    Json,
    /// JSON by a schema, which has a name.
    Schema {
        schema: Value<'t>,
        name: Option<Value<'t>>,
    },
}

impl<'t> Format<'t> {
    /// Reads `response_format`; none for plain text, and if it is lost.
    pub(super) fn read(
        format: Option<Value<'t>>,
        losses: &mut Losses,
    ) -> Result<Option<Format<'t>>, Refusal> {
        let Some(format) = format else {
            return Ok(None);
        };
        let [of, described] = format.members(["type", "json_schema"]);
        match of.and_then(Value::string).as_deref() {
            Some("text") => Ok(None),
            Some("json_object") => Ok(Some(Format::Json)),
            Some("json_schema") => {
                let [schema, name, description] = described.map_or([None; 3], |it| {
                    it.members(["schema", "name", "description"])
                });
                if description.is_some_and(|it| !it.is_blank()) {
                    losses.drop("response_format.json_schema.description");
                }
                match schema.filter(|it| it.is_object()) {
                    Some(schema) => Ok(Some(Format::Schema { schema, name })),
                    None => Err(invalid("response_format.json_schema", "must hold a schema")),
                }
            }
            _ => {
                losses.lose("response_format.(other)")?;
                Ok(None)
            }
        }
    }
}
