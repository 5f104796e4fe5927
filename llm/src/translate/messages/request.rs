//! A request of Anthropic's Messages API as one of OpenAI's chat.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::blocks::Turns;
use crate::refusal::Refusal;
use crate::translate::Options;
use crate::translate::converse::names::Names;
use crate::translate::fields::Row;
use crate::translate::json::{Json, Value};
use crate::translate::loss::{Losses, invalid};
use crate::translate::members::Members;
use crate::translate::model;
use crate::translate::schema::is_strict;

/// A request that was translated.
#[derive(Debug)]
pub(in crate::translate) struct Request {
    pub(in crate::translate) body: String,
    pub(in crate::translate) model: String,
    pub(in crate::translate) stream: bool,
    /// The names of tools, some of which had to change.
    pub(in crate::translate) names: Names,
}

/// The texts that an answer stops at, at most.
const MOST_STOPS: usize = 4;

/// How many characters a user has, at most.
const LONGEST_USER: usize = 64;

/// Translates a request.
pub(in crate::translate) fn write(
    body: Value<'_>,
    rows: &'static [Row],
    options: &Options<'_>,
    losses: &mut Losses,
) -> Result<Request, Refusal> {
    let members = Members::read(body, rows, options, losses)?;
    let get = |name: &str| members.get(name);
    let named = get("model").and_then(Value::string);
    let model = model(options, named.as_deref())?.to_owned();
    let Some(messages) = get("messages").filter(|it| it.is_array()) else {
        return Err(invalid("messages", "must be a list of messages"));
    };
    let mut turns = Turns::default();
    turns.system(get("system"))?;
    for message in messages.items() {
        turns.push(message, losses)?;
    }
    let mut json = Json::with_capacity(turns.messages.text().len() + 512);
    json.open_object();
    json.member_string("model", &model);
    json.key("messages");
    json.open_array();
    if !turns.messages.is_empty() {
        json.raw(turns.messages.text());
    }
    json.close_array();
    json.member_if("max_completion_tokens", get("max_tokens"));
    json.member_if("temperature", get("temperature"));
    json.member_if("top_p", get("top_p"));
    if let Some(stops) = get("stop_sequences") {
        match stops.items().len() {
            0 => {}
            1..=MOST_STOPS => json.member("stop", stops.text()),
            _ => losses.lose("stop_sequences")?,
        }
    }
    let user = get("metadata").and_then(|it| it.get("user_id"));
    if let Some(user) = user.and_then(Value::string) {
        json.member_string("user", &user_of(user));
    }
    if get("service_tier").is_some_and(|it| it.is("standard_only")) {
        json.member_string("service_tier", "default");
    }
    let (tools, choice) = (get("tools"), get("tool_choice"));
    write_tools(tools, choice, &mut turns.names, &mut json, losses)?;
    write_output(
        get("output_config"),
        get("thinking"),
        &model,
        &mut json,
        losses,
    )?;
    let stream = get("stream").and_then(Value::bool).unwrap_or_default();
    if stream {
        json.member("stream", "true");
        json.member("stream_options", r#"{"include_usage":true}"#);
    }
    json.close_object();
    Ok(Request {
        body: json.into_text(),
        model,
        stream,
        names: turns.names,
    })
}

/// The user as OpenAI takes one, of 64 characters at most: who has a longer name is told apart by
/// its digest.
fn user_of(user: Cow<'_, str>) -> Cow<'_, str> {
    match user.chars().nth(LONGEST_USER) {
        None => user,
        Some(_) => {
            let digest = Sha256::digest(user.as_bytes());
            Cow::Owned(digest.iter().map(|byte| format!("{byte:02x}")).collect())
        }
    }
}

fn write_tools(
    tools: Option<Value<'_>>,
    choice: Option<Value<'_>>,
    names: &mut Names,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let mut list = Json::default();
    for tool in tools.map(Value::items).unwrap_or_default() {
        let [of, name, description, schema, strict, examples] = tool.members([
            "type",
            "name",
            "description",
            "input_schema",
            "strict",
            "input_examples",
        ]);
        // Tools of the server's have no schema, and clients send them whether they are needed or
        // not.
        if of.is_some_and(|it| !it.is("custom")) {
            losses.drop("tools[].(server)");
            continue;
        }
        let Some(name) = name.filter(|it| it.is_string()) else {
            return Err(invalid("tools[].name", "must be a name"));
        };
        if examples.is_some() {
            losses.drop("tools[].input_examples");
        }
        list.open_object();
        list.member_string("type", "function");
        list.key("function");
        list.open_object();
        let name = name.string().unwrap_or_default();
        list.member_string("name", &names.send(&name)?);
        list.member_if("description", description.filter(|it| !it.is_blank()));
        list.member_if("parameters", schema);
        if strict.and_then(Value::bool) == Some(true) {
            match schema.is_some_and(is_strict) {
                true => list.member("strict", "true"),
                // OpenAI keeps to no schema in which something may be left out.
                false => losses.drop("tools[].strict"),
            }
        }
        list.close_object();
        list.close_object();
    }
    if list.is_empty() {
        return Ok(());
    }
    json.key("tools");
    json.open_array();
    json.raw(list.text());
    json.close_array();
    let Some(choice) = choice else {
        return Ok(());
    };
    let [of, name, one] = choice.members(["type", "name", "disable_parallel_tool_use"]);
    match of.and_then(Value::string).as_deref() {
        Some("auto") => json.member_string("tool_choice", "auto"),
        Some("none") => json.member_string("tool_choice", "none"),
        Some("any") => json.member_string("tool_choice", "required"),
        Some("tool") => {
            let Some(name) = name.filter(|it| it.is_string()) else {
                return Err(invalid("tool_choice.name", "must name a tool"));
            };
            json.key("tool_choice");
            json.open_object();
            json.member_string("type", "function");
            json.key("function");
            json.open_object();
            let name = name.string().unwrap_or_default();
            json.member_string("name", &names.send(&name)?);
            json.close_object();
            json.close_object();
        }
        _ => return Err(invalid("tool_choice.type", "is none that is known")),
    }
    if one.and_then(Value::bool) == Some(true) {
        json.member("parallel_tool_calls", "false");
    }
    Ok(())
}

/// Writes what an answer must be, and how much is thought for it.
fn write_output(
    output: Option<Value<'_>>,
    thinking: Option<Value<'_>>,
    model: &str,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let [format, effort] = output.map_or([None; 2], |it| it.members(["format", "effort"]));
    if let Some(format) = format {
        let [of, schema] = format.members(["type", "schema"]);
        match schema.filter(|it| it.is_object() && of.is_some_and(|of| of.is("json_schema"))) {
            None => losses.lose("output_config.format.(other)")?,
            Some(schema) => {
                json.key("response_format");
                json.open_object();
                json.member_string("type", "json_schema");
                json.key("json_schema");
                json.open_object();
                json.member_string("name", "answer");
                json.member("schema", schema.text());
                match is_strict(schema) {
                    true => json.member("strict", "true"),
                    false => losses.drop("output_config.format.(strict)"),
                }
                json.close_object();
                json.close_object();
            }
        }
    }
    let [of, budget] = thinking.map_or([None; 2], |it| it.members(["type", "budget_tokens"]));
    let is_off = of.is_some_and(|it| it.is("disabled"));
    let effort = effort.and_then(Value::string);
    let budget = budget.and_then(Value::count);
    let effort = match (effort.as_deref(), budget) {
        _ if is_off => None,
        (Some("max" | "xhigh"), _) => Some("xhigh"),
        (Some(effort), _) => Some(effort),
        (None, Some(0..=2048)) => Some("low"),
        (None, Some(2049..=8192)) => Some("medium"),
        (None, Some(_)) => Some("high"),
        (None, None) => None,
    };
    let Some(effort) = effort else {
        return Ok(());
    };
    // The others refuse to be told.
    match thinks(model) {
        true => json.member_string("reasoning_effort", effort),
        false => losses.drop("thinking"),
    }
    Ok(())
}

/// Whether a model thinks, as far as its name tells.
fn thinks(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    let digit = |text: &str| text.bytes().next().filter(u8::is_ascii_digit);
    let is_gpt = name.strip_prefix("gpt-").and_then(digit);
    let is_o = name.strip_prefix('o').and_then(digit).is_some();
    is_o || is_gpt.is_some_and(|it| it >= b'5') || name.starts_with("gpt-oss")
}
