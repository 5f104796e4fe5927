//! A chat request as one of Converse's.

use super::messages::{Messages, write_cache_point};
use super::names::Names;
use crate::refusal::Refusal;
use crate::translate::Options;
use crate::translate::anthropic::effort::Thinking;
use crate::translate::chat::sampling::number;
use crate::translate::chat::tools::{Choice, Function};
use crate::translate::chat::{Chat, Format};
use crate::translate::json::{Json, Value};
use crate::translate::loss::Losses;
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
    let mut messages = Messages::new();
    for message in &chat.messages {
        messages.push(*message, &mut names, losses)?;
    }
    messages.turns.close();
    let (system, turns) = (messages.system.text(), messages.turns.text());
    let mut json = Json::with_capacity(turns.len() + system.len() + 512);
    json.open_object();
    if !system.is_empty() {
        json.key("system");
        json.open_array();
        json.raw(system);
        json.close_array();
    }
    json.key("messages");
    json.open_array();
    if !turns.is_empty() {
        json.raw(turns);
    }
    json.close_array();
    let is_forced = write_tools(chat, messages.has_tools, &mut names, &mut json, losses)?;
    let mut more = Json::default();
    let max_tokens = chat.max_tokens.and_then(Value::count);
    let thoughts = write_effort(
        chat,
        model,
        max_tokens,
        (is_forced, messages.lacks_thoughts),
        &mut more,
        losses,
    )?;
    let mut inference = Json::default();
    write_inference(
        chat,
        model,
        options,
        thoughts,
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
        if function.is_strict(losses) {
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
/// Anthropic's thinks, and how many tokens at most.
fn write_effort(
    chat: &Chat<'_>,
    model: &str,
    max_tokens: Option<u64>,
    cannot: (bool, bool),
    more: &mut Json,
    losses: &mut Losses,
) -> Result<(bool, u64), Refusal> {
    let effort = chat.effort(losses)?;
    if let Some(thinking) = chat.thinking {
        more.member("thinking", thinking.text());
    }
    let Some(effort) = effort else {
        return Ok((chat.asks_to_think(), chat.budget().unwrap_or_default()));
    };
    if model.contains("openai.") {
        more.member_string("reasoning_effort", effort);
        return Ok((false, 0));
    }
    if !model.contains("claude") {
        if effort != "none" {
            losses.lose("reasoning_effort")?;
        }
        return Ok((false, 0));
    }
    let Some(thinking) = Thinking::asked(effort, model, max_tokens, cannot, losses)? else {
        return Ok((false, 0));
    };
    thinking.write(more);
    if let Thinking::Effort(effort) = thinking {
        more.key("output_config");
        more.open_object();
        more.member_string("effort", effort);
        more.close_object();
    }
    Ok((true, thinking.tokens()))
}

/// Writes the members of `inferenceConfig`, and what is beside it.
fn write_inference(
    chat: &Chat<'_>,
    model: &str,
    options: &Options<'_>,
    (thinks, thought): (bool, u64),
    json: &mut Json,
    more: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    if let Some(tokens) = chat.max_tokens {
        number(tokens, "max_tokens")?;
        json.member("maxTokens", tokens.text());
    } else if let Some(tokens) = options.max_tokens {
        // What is thought takes nothing away from what is said.
        json.member_number("maxTokens", tokens.saturating_add(thought));
    }
    let sampling = chat.sampling(model, thinks, losses)?;
    json.member_if("temperature", sampling.temperature);
    json.member_if("topP", sampling.top_p);
    more.member_if("top_k", sampling.top_k);
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
    write_closed(schema, losses, &mut closed)?;
    json.member_string("schema", closed.text());
    json.member_if("name", name);
    json.close_object();
    json.close_object();
    json.close_object();
    json.close_object();
    Ok(())
}
