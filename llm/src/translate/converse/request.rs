//! A chat request as one of Converse's.

use super::messages::{Turns, write_cache_point};
use super::names::Names;
use crate::refusal::Refusal;
use crate::translate::Options;
use crate::translate::anthropic::effort::{Thinking, takes_one_of_sampling};
use crate::translate::chat::tools::{Choice, Function};
use crate::translate::chat::{Chat, Format};
use crate::translate::json::{Json, Value};
use crate::translate::loss::{Losses, invalid};
use crate::translate::schema::write_closed;

/// What stands where a conversation has calls and the request no tools: Bedrock wants some.
const NO_TOOL: &str = concat!(
    r#"{"toolSpec":{"name":"no_tool","description":"There is nothing to call.","#,
    r#""inputSchema":{"json":{"type":"object","properties":{}}}}}"#
);

/// Writes the body, and tells which names had to change. `model` is the one that is to answer.
pub(in crate::translate) fn write(
    chat: &Chat<'_>,
    model: &str,
    options: &Options<'_>,
    losses: &mut Losses,
) -> Result<(String, Names), Refusal> {
    let mut names = Names::default();
    let mut turns = Turns::default();
    for message in &chat.messages {
        turns.push(*message, &mut names, losses)?;
    }
    turns.close();
    let mut json = Json::with_capacity(turns.messages().len() + turns.system.text().len() + 512);
    json.open_object();
    if !turns.system.is_empty() {
        json.key("system");
        json.open_array();
        json.raw(turns.system.text());
        json.close_array();
    }
    json.key("messages");
    json.open_array();
    if !turns.messages().is_empty() {
        json.raw(turns.messages());
    }
    json.close_array();
    let is_forced = write_tools(chat, turns.has_tools, &mut names, &mut json, losses)?;
    let mut more = Json::default();
    let max_tokens = chat
        .max_tokens
        .and_then(Value::count)
        .or(options.max_tokens);
    let thinks = write_effort(
        chat, model, max_tokens, is_forced, &turns, &mut more, losses,
    )?;
    let mut inference = Json::default();
    write_inference(
        chat,
        model,
        options,
        thinks,
        &mut inference,
        &mut more,
        losses,
    )?;
    for (key, members) in [
        ("inferenceConfig", &inference),
        ("additionalModelRequestFields", &more),
    ] {
        if !members.is_empty() {
            json.key(key);
            json.open_object();
            json.raw(members.text());
            json.close_object();
        }
    }
    write_format(chat, &mut json, losses)?;
    json.close_object();
    Ok((json.into_text(), names))
}

/// Writes the member `toolConfig`; tells whether a call is forced.
fn write_tools(
    chat: &Chat<'_>,
    is_used: bool,
    names: &mut Names,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<bool, Refusal> {
    let functions = Function::read_all(&chat.tools, losses)?;
    let choice = Choice::read(chat.tool_choice, losses)?;
    if chat.one_call && !functions.is_empty() {
        losses.lose("parallel_tool_calls")?;
    }
    let has_none = functions.is_empty() || matches!(choice, Some(Choice::None));
    if has_none {
        if is_used {
            json.key("toolConfig");
            json.open_object();
            json.key("tools");
            json.open_array();
            json.raw(NO_TOOL);
            json.close_array();
            json.close_object();
        }
        return Ok(false);
    }
    json.key("toolConfig");
    json.open_object();
    json.key("tools");
    json.open_array();
    for function in &functions {
        let name = function.name.string().unwrap_or_default();
        json.open_object();
        json.key("toolSpec");
        json.open_object();
        json.member_string("name", &names.send(&name)?);
        json.member_if("description", function.description);
        json.key("inputSchema");
        json.open_object();
        json.key("json");
        function.write_schema(json);
        json.close_object();
        if function.strict {
            json.member("strict", "true");
        }
        json.close_object();
        json.close_object();
        write_cache_point(function.cache, json);
    }
    json.close_array();
    let is_forced = match choice {
        None | Some(Choice::Auto | Choice::None) => false,
        Some(Choice::Required) => {
            json.member("toolChoice", r#"{"any":{}}"#);
            true
        }
        Some(Choice::Named(name)) => {
            let name = name.string().unwrap_or_default();
            json.key("toolChoice");
            json.open_object();
            json.key("tool");
            json.open_object();
            json.member_string("name", &names.send(&name)?);
            json.close_object();
            json.close_object();
            true
        }
    };
    json.close_object();
    Ok(is_forced)
}

/// Writes how much is to be thought, in the words of the model; tells whether a model of
/// Anthropic's thinks.
fn write_effort(
    chat: &Chat<'_>,
    model: &str,
    max_tokens: Option<u64>,
    is_forced: bool,
    turns: &Turns,
    more: &mut Json,
    losses: &mut Losses,
) -> Result<bool, Refusal> {
    if let Some(thinking) = chat.thinking {
        more.member("thinking", thinking.text());
        return Ok(false);
    }
    let Some(effort) = &chat.reasoning_effort else {
        return Ok(false);
    };
    if model.contains("openai.") {
        more.member_string("reasoning_effort", effort);
        return Ok(false);
    }
    if !model.contains("claude") {
        if effort != "none" {
            losses.lose("reasoning_effort")?;
        }
        return Ok(false);
    }
    let thinking = Thinking::of(effort, model, max_tokens.unwrap_or(u64::MAX));
    let Some(thinking) = thinking else {
        if effort != "none" {
            losses.drop("reasoning_effort");
        }
        return Ok(false);
    };
    // Nobody thinks who must call.
    if is_forced {
        losses.lose("reasoning_effort")?;
        return Ok(false);
    }
    // Models with a budget go on thinking only from what they thought.
    if turns.lacks_thoughts && matches!(thinking, Thinking::Budget(_)) {
        losses.drop("reasoning_effort");
        return Ok(false);
    }
    thinking.write(more);
    if let Thinking::Effort(effort) = thinking {
        more.key("output_config");
        more.open_object();
        more.member_string("effort", effort);
        more.close_object();
    }
    Ok(true)
}

/// Writes the members of `inferenceConfig`, and what is beside it.
fn write_inference(
    chat: &Chat<'_>,
    model: &str,
    options: &Options<'_>,
    thinks: bool,
    json: &mut Json,
    more: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let number = |value: Value<'_>, param| {
        let should = "must be a number";
        value.float().ok_or_else(|| invalid(param, should))
    };
    if let Some(tokens) = chat.max_tokens {
        number(tokens, "max_tokens")?;
        json.member("maxTokens", tokens.text());
    } else if let Some(tokens) = options.max_tokens {
        json.member_number("maxTokens", tokens);
    }
    if let Some(value) = chat.temperature {
        let temperature = number(value, "temperature")?;
        match temperature > 1.0 || (thinks && temperature != 1.0) {
            true => losses.lose("temperature")?,
            false => json.member("temperature", value.text()),
        }
    }
    if let Some(value) = chat.top_p {
        let is_second = chat.temperature.is_some() && takes_one_of_sampling(model);
        match is_second || (number(value, "top_p")? < 0.95 && thinks) {
            true => losses.lose("top_p")?,
            false => json.member("topP", value.text()),
        }
    }
    if let Some(value) = chat.top_k {
        number(value, "top_k")?;
        match thinks {
            true => losses.lose("top_k")?,
            false => more.member("top_k", value.text()),
        }
    }
    chat.write_stop_sequences(json)?;
    Ok(())
}

fn write_format(chat: &Chat<'_>, json: &mut Json, losses: &mut Losses) -> Result<(), Refusal> {
    let (schema, name) = match Format::read(chat.response_format, losses)? {
        None => return Ok(()),
        Some(Format::Json) => return losses.lose("response_format.json_object"),
        Some(Format::Schema { schema, name }) => (schema, name),
    };
    json.key("outputConfig");
    json.open_object();
    json.key("textFormat");
    json.open_object();
    json.member_string("type", "json_schema");
    json.key("structure");
    json.open_object();
    json.key("jsonSchema");
    json.open_object();
    // Bedrock takes the schema as text.
    let mut closed = Json::with_capacity(schema.text().len() + 64);
    write_closed(schema, &mut closed);
    json.member_string("schema", closed.text());
    json.member_if("name", name);
    json.close_object();
    json.close_object();
    json.close_object();
    json.close_object();
    Ok(())
}
