//! OpenAI's chat completions.

use serde_json::{Value, json};

use crate::mock_llm::provider::strict::schema::{
    between, closed, count, like, list, or_null, tagged, text,
};

const NAME: &str = "[a-zA-Z0-9_-]{1,64}";

pub(in super::super) fn schema() -> Value {
    let mut schema = closed(
        &["model", "messages"],
        json!({
            "model": text(),
            "messages": list(1, message()),
            "stream": {"type": ["boolean", "null"]},
            "stream_options": or_null(closed(&[], json!({
                "include_usage": {"type": "boolean"}, "include_obfuscation": {"type": "boolean"},
            }))),
            "max_tokens": or_null(count(1)),
            "max_completion_tokens": or_null(count(1)),
            "temperature": or_null(between(0.0, 2.0)),
            "top_p": or_null(between(0.0, 1.0)),
            "presence_penalty": or_null(between(-2.0, 2.0)),
            "frequency_penalty": or_null(between(-2.0, 2.0)),
            "n": or_null(json!({"type": "integer", "minimum": 1, "maximum": 128})),
            "seed": {"type": ["integer", "null"]},
            "stop": {"anyOf": [
                {"type": ["string", "null"]},
                {"type": "array", "minItems": 1, "maxItems": 4, "items": {"type": "string"}},
            ]},
            "logprobs": {"type": ["boolean", "null"]},
            "top_logprobs": or_null(json!({"type": "integer", "minimum": 0, "maximum": 20})),
            "logit_bias": or_null(json!({
                "type": "object", "additionalProperties": between(-100.0, 100.0),
            })),
            "user": {"type": "string"},
            "safety_identifier": {"type": "string", "maxLength": 64},
            "metadata": or_null(json!({
                "type": "object", "maxProperties": 16,
                "additionalProperties": {"type": "string", "maxLength": 512},
            })),
            "store": {"type": ["boolean", "null"]},
            "service_tier": {"enum": ["auto", "default", "flex", "scale", "priority", null]},
            "prompt_cache_key": {"type": "string"},
            "prompt_cache_retention": {"enum": ["in_memory", "24h", null]},
            "reasoning_effort": {"enum": ["none", "minimal", "low", "medium", "high", "xhigh", null]},
            "verbosity": {"enum": ["low", "medium", "high", null]},
            "modalities": or_null(list(1, json!({"enum": ["text", "audio"]}))),
            "response_format": format(),
            "tools": {"type": "array", "minItems": 1, "maxItems": 128, "items": tool()},
            "tool_choice": choice(),
            "parallel_tool_calls": {"type": "boolean"},
        }),
    );
    // What may only be said beside something else.
    schema["allOf"] = json!([
        {"if": {"required": ["stream_options"], "properties": {"stream_options": {"type": "object"}}},
         "then": {"required": ["stream"], "properties": {"stream": {"const": true}}}},
        {"if": {"required": ["metadata"], "properties": {"metadata": {"type": "object"}}},
         "then": {"required": ["store"], "properties": {"store": {"const": true}}}},
        {"if": {"required": ["top_logprobs"]}, "then": {"required": ["logprobs"]}},
        {"if": {"required": ["tool_choice"]}, "then": {"required": ["tools"]}},
        {"if": {"required": ["parallel_tool_calls"]}, "then": {"required": ["tools"]}},
        {"not": {"required": ["max_tokens", "max_completion_tokens"]}},
    ]);
    schema
}

fn message() -> Value {
    let name = || json!({"type": "string"});
    let texts = || json!({"anyOf": [{"type": "string"}, list(1, part_of_text())]});
    let mut message = tagged(
        "role",
        &[
            (
                "system",
                &["content"],
                json!({"content": texts(), "name": name()}),
            ),
            (
                "developer",
                &["content"],
                json!({"content": texts(), "name": name()}),
            ),
            (
                "user",
                &["content"],
                json!({
                    "content": {"anyOf": [{"type": "string"}, list(1, part())]}, "name": name(),
                }),
            ),
            (
                "tool",
                &["content", "tool_call_id"],
                json!({
                    "content": texts(), "tool_call_id": id(),
                }),
            ),
            (
                "assistant",
                &[],
                json!({
                    "content": {"anyOf": [{"type": ["string", "null"]}, list(1, part_of_assistant())]},
                    "refusal": {"type": ["string", "null"]},
                    "name": name(),
                    "audio": {"type": ["object", "null"]},
                    "annotations": {"type": ["array", "null"]},
                    "tool_calls": list(1, call()),
                    "function_call": {"type": "null"},
                }),
            ),
        ],
    );
    // An assistant says something or calls something.
    let calls = json!({"required": ["tool_calls"]});
    let speaks =
        json!({"required": ["content"], "properties": {"content": {"type": ["string", "array"]}}});
    let refuses = json!({"required": ["refusal"], "properties": {"refusal": {"type": "string"}}});
    message["if"] = json!({"properties": {"role": {"const": "assistant"}}});
    message["then"] = json!({"anyOf": [calls, speaks, refuses]});
    message
}

fn id() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 40})
}

fn call() -> Value {
    tagged(
        "type",
        &[(
            "function",
            &["id", "function"],
            json!({
                "id": id(),
                "function": closed(&["name", "arguments"], json!({
                    "name": like(NAME), "arguments": {"type": "string"},
                })),
            }),
        )],
    )
}

fn part_of_text() -> Value {
    tagged(
        "type",
        &[("text", &["text"], json!({"text": {"type": "string"}}))],
    )
}

fn part_of_assistant() -> Value {
    tagged(
        "type",
        &[
            ("text", &["text"], json!({"text": {"type": "string"}})),
            (
                "refusal",
                &["refusal"],
                json!({"refusal": {"type": "string"}}),
            ),
        ],
    )
}

fn part() -> Value {
    tagged(
        "type",
        &[
            ("text", &["text"], json!({"text": {"type": "string"}})),
            (
                "image_url",
                &["image_url"],
                json!({"image_url": closed(&["url"], json!({
                    "url": like("(https?://.+|data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*)"),
                    "detail": {"enum": ["auto", "low", "high"]},
                }))}),
            ),
            (
                "input_audio",
                &["input_audio"],
                json!({"input_audio": closed(&["data", "format"], json!({
                    "data": text(), "format": {"enum": ["wav", "mp3"]},
                }))}),
            ),
            (
                "file",
                &["file"],
                json!({"file": closed(&[], json!({
                    "file_id": text(), "filename": text(),
                    "file_data": like("data:application/pdf;base64,[A-Za-z0-9+/]+=*"),
                }))}),
            ),
        ],
    )
}

fn tool() -> Value {
    let parameters = json!({
        "type": "object", "required": ["type"], "properties": {"type": {"const": "object"}},
    });
    tagged(
        "type",
        &[
            (
                "function",
                &["function"],
                json!({"function": closed(&["name"], json!({
                    "name": like(NAME), "description": {"type": "string"}, "parameters": parameters,
                    "strict": {"type": ["boolean", "null"]},
                }))}),
            ),
            (
                "custom",
                &["custom"],
                json!({"custom": {"type": "object", "required": ["name"]}}),
            ),
        ],
    )
}

fn choice() -> Value {
    let named = closed(&["name"], json!({"name": like(NAME)}));
    json!({"anyOf": [
        {"enum": ["auto", "none", "required"]},
        tagged("type", &[
            ("function", &["function"], json!({"function": named})),
            ("allowed_tools", &["allowed_tools"], json!({"allowed_tools": {"type": "object"}})),
        ]),
    ]})
}

fn format() -> Value {
    tagged(
        "type",
        &[
            ("text", &[], json!({})),
            ("json_object", &[], json!({})),
            (
                "json_schema",
                &["json_schema"],
                json!({"json_schema": closed(&["name"], json!({
                    "name": like(NAME), "description": {"type": "string"}, "schema": {"type": "object"},
                    "strict": {"type": ["boolean", "null"]},
                }))}),
            ),
        ],
    )
}
