//! Gemini's generateContent. Calls have no ids here: results follow in their order, by name.

use serde_json::{Value, json};

use super::items;
use crate::mock_llm::provider::speech::signature;
use crate::mock_llm::provider::strict::door::Refused;
use crate::mock_llm::provider::strict::plan::{Choice, Wants};

/// What stands for a signature that is lost.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

pub(super) fn check(body: &Value, model: &str) -> Result<Wants, Refused> {
    let is_third = model.starts_with("gemini-3");
    let contents = items(&body["contents"]);
    check_turns(contents, is_third)?;
    let generation = &body["generationConfig"];
    let thinking = &generation["thinkingConfig"];
    if !is_third && !thinking["thinkingLevel"].is_null() {
        return Err(Refused::bad(
            "Thinking level is not supported for this model.",
        ));
    }
    let functions = || {
        let tools = items(&body["tools"]).iter();
        tools.flat_map(|tool| items(&tool["functionDeclarations"]))
    };
    let is_json = generation["responseMimeType"] == "application/json";
    if is_json && !is_third && functions().next().is_some() {
        return Err(Refused::bad(
            "Function calling with a response mime type: 'application/json' is unsupported",
        ));
    }
    let calling = &body["toolConfig"]["functionCallingConfig"];
    if !calling["allowedFunctionNames"].is_null() && calling["mode"] != "ANY" {
        return Err(Refused::bad(
            "allowed_function_names may only be set where the mode is ANY",
        ));
    }
    let last = contents
        .last()
        .map(|last| items(&last["parts"]))
        .unwrap_or_default();
    let results = last
        .iter()
        .map(|part| &part["functionResponse"]["response"]);
    let results = results
        .filter(|it| !it.is_null())
        .map(|it| match it["output"].as_str() {
            Some(text) => text.to_owned(),
            None => it.to_string(),
        });
    let calls = contents.iter().flat_map(|content| items(&content["parts"]));
    Ok(Wants {
        tools: functions()
            .map(|function| {
                let name = function["name"].as_str().unwrap_or_default();
                let schema = function.get("parametersJsonSchema").cloned();
                (name.to_owned(), schema.unwrap_or(json!({"type": "object"})))
            })
            .collect(),
        choice: match (
            calling["mode"].as_str(),
            &calling["allowedFunctionNames"][0],
        ) {
            (Some("NONE"), _) => Choice::None,
            (Some("ANY"), Value::String(name)) => Choice::Named(name.clone()),
            (Some("ANY"), _) => Choice::Any,
            _ => Choice::Auto,
        },
        results: results.collect(),
        schema: generation.get("responseJsonSchema").cloned(),
        json: is_json,
        thinks: thinking["includeThoughts"] == true,
        signs_calls: is_third,
        calls_before: calls.filter(|part| !part["functionCall"].is_null()).count(),
        id_prefix: "call_mock",
        ..Wants::default()
    })
}

/// Calls follow the user, results follow calls: as many, of the same names, and nothing else.
fn check_turns(contents: &[Value], must_sign: bool) -> Result<(), Refused> {
    let mut called: Vec<&str> = Vec::new();
    for (at, content) in contents.iter().enumerate() {
        let parts = items(&content["parts"]);
        let names = |kind: &str| -> Vec<&str> {
            let names = parts.iter().filter_map(|part| part[kind]["name"].as_str());
            names.collect()
        };
        let (calls, results) = (names("functionCall"), names("functionResponse"));
        let is_model = content["role"] == "model";
        if (is_model && !results.is_empty()) || (!is_model && !calls.is_empty()) {
            return Err(Refused::bad("models call, and users answer calls"));
        }
        if !results.is_empty() && results.len() != parts.len() {
            return Err(Refused::bad(
                "function response parts may not stand beside others",
            ));
        }
        if results != called {
            let message = format!(
                "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn ({called:?}, {results:?})."
            );
            return Err(Refused::bad(message));
        }
        let follows_model = at
            .checked_sub(1)
            .is_none_or(|before| contents[before]["role"] == "model");
        if !calls.is_empty() && follows_model {
            return Err(Refused::bad(
                "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
            ));
        }
        if must_sign {
            check_signed(parts)?;
        }
        called = calls;
    }
    match called.is_empty() {
        true => Ok(()),
        false => Err(Refused::bad("the calls of the last turn have no responses")),
    }
}

/// The first call of a turn is signed, with what it was signed with.
fn check_signed(parts: &[Value]) -> Result<(), Refused> {
    let call = parts.iter().find(|part| !part["functionCall"].is_null());
    let Some(call) = call else {
        return Ok(());
    };
    let name = call["functionCall"]["name"].as_str().unwrap_or_default();
    match call["thoughtSignature"].as_str() {
        None => Err(Refused::bad(format!(
            "Function call `{name}` is missing a `thought_signature`"
        ))),
        Some(signed) if signed == signature(name) || signed == NO_SIGNATURE => Ok(()),
        Some(_) => Err(Refused::bad("Thought signature is not valid")),
    }
}
