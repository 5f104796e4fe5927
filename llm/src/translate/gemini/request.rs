//! A chat request as one of Gemini's.

use super::contents::Contents;
use crate::refusal::Refusal;
use crate::translate::chat::sampling::number;
use crate::translate::chat::tools::{Choice, Function};
use crate::translate::chat::{Chat, Format};
use crate::translate::json::{Json, Value};
use crate::translate::loss::Losses;

/// Writes the body. `model` is the one that is to answer.
pub(in crate::translate) fn write(
    chat: &Chat<'_>,
    model: &str,
    losses: &mut Losses,
) -> Result<String, Refusal> {
    let mut contents = Contents::new(version(model).is_none_or(|it| it >= (3, 0)));
    for message in &chat.messages {
        contents.push(*message, losses)?;
    }
    contents.close();
    let mut json = Json::with_capacity(contents.text().len() + contents.system.text().len() + 512);
    json.open_object();
    if !contents.system.is_empty() {
        json.key("systemInstruction");
        json.open_object();
        json.key("parts");
        json.open_array();
        json.raw(contents.system.text());
        json.close_array();
        json.close_object();
    }
    json.key("contents");
    json.open_array();
    if !contents.text().is_empty() {
        json.raw(contents.text());
    }
    json.close_array();
    write_tools(chat, &mut json, losses)?;
    let mut generation = Json::default();
    write_generation(chat, model, &mut generation, losses)?;
    if !generation.is_empty() {
        json.key("generationConfig");
        // An object without its brackets: whether there is anything in it is known at its end.
        json.open_object();
        json.raw(generation.text());
        json.close_object();
    }
    json.close_object();
    Ok(json.into_text())
}

fn write_tools(chat: &Chat<'_>, json: &mut Json, losses: &mut Losses) -> Result<(), Refusal> {
    let functions = Function::read_all(&chat.tools, losses)?;
    let choice = Choice::read(chat.tool_choice, losses)?;
    if chat.one_call && !functions.is_empty() {
        losses.lose("parallel_tool_calls")?;
    }
    if functions.is_empty() {
        return Ok(());
    }
    json.key("tools");
    json.open_array();
    json.open_object();
    json.key("functionDeclarations");
    json.open_array();
    for function in &functions {
        json.open_object();
        json.member("name", function.name.text());
        json.member_if("description", function.description);
        json.member_if("parametersJsonSchema", function.parameters);
        json.close_object();
    }
    json.close_array();
    json.close_object();
    json.close_array();
    let Some(choice) = choice else {
        return Ok(());
    };
    json.key("toolConfig");
    json.open_object();
    json.key("functionCallingConfig");
    json.open_object();
    let mode = match choice {
        Choice::Auto => "AUTO",
        Choice::None => "NONE",
        Choice::Required | Choice::Named(_) => "ANY",
    };
    json.member_string("mode", mode);
    if let Choice::Named(name) = choice {
        json.key("allowedFunctionNames");
        json.open_array();
        json.raw(name.text());
        json.close_array();
    }
    json.close_object();
    json.close_object();
    Ok(())
}

/// Writes the members of `generationConfig`.
fn write_generation(
    chat: &Chat<'_>,
    model: &str,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let numbers = [
        ("max_tokens", "maxOutputTokens", chat.max_tokens),
        ("temperature", "temperature", chat.temperature),
        ("top_p", "topP", chat.top_p),
        ("top_k", "topK", chat.top_k),
        ("n", "candidateCount", chat.n),
        ("presence_penalty", "presencePenalty", chat.presence_penalty),
        (
            "frequency_penalty",
            "frequencyPenalty",
            chat.frequency_penalty,
        ),
    ];
    for (field, key, value) in numbers {
        let Some(value) = value else { continue };
        number(value, field)?;
        json.member(key, value.text());
    }
    if let Some(seed) = chat.seed {
        match seed.text().parse::<i32>() {
            Ok(_) => json.member("seed", seed.text()),
            // Seeds of OpenAI's have twice as many bits.
            Err(_) => losses.lose("seed")?,
        }
    }
    chat.write_stop_sequences(json)?;
    match Format::read(chat.response_format, losses)? {
        None => {}
        Some(Format::Json) => json.member_string("responseMimeType", "application/json"),
        Some(Format::Schema { schema, .. }) => {
            json.member_string("responseMimeType", "application/json");
            json.member("responseJsonSchema", schema.text());
        }
    }
    if let Some(effort) = &chat.reasoning_effort {
        write_thinking(effort, model, json, losses)?;
    }
    Ok(())
}

/// Models think by a level since 3, by a budget of tokens in 2.5, and not at all before.
fn write_thinking(
    effort: &str,
    model: &str,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let version = version(model);
    if version.is_some_and(|it| it < (2, 5)) {
        return match effort {
            "none" => Ok(()),
            _ => losses.lose("reasoning_effort"),
        };
    }
    let by_budget = version.is_some_and(|it| it < (3, 0));
    if effort == "none" && !by_budget {
        // They cannot be told not to think.
        return losses.lose("reasoning_effort");
    }
    json.key("thinkingConfig");
    json.open_object();
    if by_budget {
        json.member_number(
            "thinkingBudget",
            match effort {
                "none" => 0,
                "minimal" | "low" => 1024,
                "medium" => 2048,
                "high" => 4096,
                "xhigh" => 8192,
                _ => 16384,
            },
        );
    } else {
        json.member_string(
            "thinkingLevel",
            match effort {
                "minimal" => "minimal",
                "low" => "low",
                "medium" => "medium",
                _ => "high",
            },
        );
    }
    if effort != "none" {
        json.member("includeThoughts", "true");
    }
    json.close_object();
    Ok(())
}

/// Which version a model is of; none where its name does not tell.
fn version(model: &str) -> Option<(u32, u32)> {
    let (_, name) = model.rsplit_once("gemini-")?;
    let number = name.split('-').next()?;
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// What a call is named by a client whose provider does not: the exchange, and which call of it.
pub(super) fn call_id(exchange: &str, call: u64, signature: Option<Value<'_>>) -> String {
    use crate::translate::chat::tools::SIGNED;
    let signature = signature.and_then(Value::string);
    let exchange = short(exchange);
    match signature.filter(|it| !it.is_empty()) {
        Some(signature) => format!("call_{exchange}_{call}{SIGNED}{signature}"),
        None => format!("call_{exchange}_{call}"),
    }
}

/// The end of a name, which tells long ones apart: OpenAI takes ids of 40 letters, and a
/// conversation may go on there.
fn short(exchange: &str) -> &str {
    let start = exchange.len().saturating_sub(30);
    exchange.get(start..).unwrap_or(exchange)
}

#[cfg(test)]
mod tests {
    use super::{call_id, version};

    #[test]
    fn ids_of_calls_are_short_enough_for_others() {
        let exchange = "8a1e6c0e-3a5c-4c8e-9d1b-0123456789ab";
        assert_eq!(call_id(exchange, 12, None).len(), 38);
        assert_eq!(call_id("req-1", 0, None), "call_req-1_0");
        assert_ne!(
            call_id(exchange, 0, None),
            call_id("8a1e6c0e-3a5c-4c8e-9d1b-0123456789ac", 0, None)
        );
    }

    #[test]
    fn versions_are_told_by_names() {
        let table = [
            ("gemini-2.5-flash", Some((2, 5))),
            ("models/gemini-3-pro-preview", Some((3, 0))),
            ("gemini-3.1-pro", Some((3, 1))),
            ("gemini-1.5-pro-002", Some((1, 5))),
            ("gemini-flash-latest", None),
            ("mine", None),
        ];
        for (model, expected) in table {
            assert_eq!(version(model), expected, "{model}");
        }
    }
}
