//! Tools and the choice among them, as Anthropic has them.

use crate::refusal::Refusal;
use crate::translate::chat::Chat;
use crate::translate::chat::tools::{Choice, Function};
use crate::translate::json::Json;
use crate::translate::loss::Losses;

/// Writes the members `tools` and `tool_choice`; tells whether a call is forced.
pub(super) fn write(
    chat: &Chat<'_>,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<bool, Refusal> {
    let functions = Function::read_all(&chat.tools, losses)?;
    let choice = Choice::read(chat.tool_choice, losses)?;
    if functions.is_empty() {
        return Ok(false);
    }
    json.key("tools");
    json.open_array();
    for function in &functions {
        write_function(function, json, losses);
    }
    json.close_array();
    // No choice is one of the model's own, but only a choice can say that calls come one by one.
    let choice = match (choice, chat.one_call) {
        (None, true) => Some(Choice::Auto),
        (choice, _) => choice,
    };
    let Some(choice) = choice else {
        return Ok(false);
    };
    json.key("tool_choice");
    json.open_object();
    match choice {
        Choice::Auto => json.member_string("type", "auto"),
        Choice::None => json.member_string("type", "none"),
        Choice::Required => json.member_string("type", "any"),
        Choice::Named(name) => {
            json.member_string("type", "tool");
            json.member("name", name.text());
        }
    }
    if chat.one_call && !matches!(choice, Choice::None) {
        json.member("disable_parallel_tool_use", "true");
    }
    json.close_object();
    Ok(matches!(choice, Choice::Required | Choice::Named(_)))
}

fn write_function(function: &Function<'_>, json: &mut Json, losses: &mut Losses) {
    json.open_object();
    json.member("name", function.name.text());
    json.member_if("description", function.description);
    json.key("input_schema");
    function.write_schema(json);
    if function.is_strict(losses) {
        json.member("strict", "true");
    }
    json.member_if("cache_control", function.cache);
    json.close_object();
}
