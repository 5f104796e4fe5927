//! Anthropic's Messages: its own, Vertex's and Bedrock's.

use serde_json::{Value, json};

use crate::mock_llm::provider::strict::account::Provider;
use crate::mock_llm::provider::strict::schema::{
    between, closed, count, like, list, object_schema, tagged, text, words,
};

/// What is tried out that Bedrock knows.
const BETAS: [&str; 4] = [
    "computer-use-2025-01-24",
    "context-1m-2025-08-07",
    "interleaved-thinking-2025-05-14",
    "token-efficient-tools-2025-02-19",
];

pub(in super::super) fn schema(provider: Provider) -> Value {
    let mut members = members(provider);
    members["max_tokens"] = count(1);
    members["temperature"] = between(0.0, 1.0);
    members["top_p"] = between(0.0, 1.0);
    members["top_k"] = count(0);
    members["stop_sequences"] = list(0, words());
    members["metadata"] = closed(
        &[],
        json!({"user_id": {"type": ["string", "null"], "maxLength": 256}}),
    );
    let mut required = vec!["max_tokens", "messages"];
    match provider {
        Provider::Anthropic => {
            required.push("model");
            members["stream"] = json!({"type": "boolean"});
            members["service_tier"] = json!({"enum": ["auto", "standard_only"]});
            members["container"] = json!({"type": ["string", "null"]});
            members["inference_geo"] = json!({"type": ["string", "null"]});
        }
        Provider::VertexAnthropic => {
            required.push("anthropic_version");
            members["stream"] = json!({"type": "boolean"});
        }
        _ => {
            required.push("anthropic_version");
            members["anthropic_beta"] = list(0, json!({"enum": BETAS}));
        }
    }
    closed(&required, members)
}

pub(in super::super) fn count_schema(provider: Provider) -> Value {
    closed(&["model", "messages"], {
        let mut members = members(provider);
        members["model"] = text();
        members
    })
}

/// What is the same whether there is to be an answer or a count.
fn members(provider: Provider) -> Value {
    let mut members = json!({
        "messages": list(1, message()),
        "system": {"anyOf": [{"type": "string"}, list(0, block_of_text())]},
        "tools": list(0, tool()),
        "tool_choice": choice(),
        "thinking": tagged("type", &[
            ("enabled", &["budget_tokens"], json!({"budget_tokens": count(1024)})),
            ("adaptive", &[], json!({"display": {"enum": ["summarized", "omitted"]}})),
            ("disabled", &[], json!({})),
        ]),
        "output_config": closed(&[], json!({
            "effort": {"enum": ["low", "medium", "high", "xhigh", "max"]},
            "format": tagged("type", &[("json_schema", &["schema"], json!({"schema": {"type": "object"}}))]),
        })),
    });
    match provider {
        Provider::Anthropic => {
            members["model"] = text();
            members["cache_control"] = cache();
        }
        Provider::VertexAnthropic => {
            members["anthropic_version"] = json!({"const": "vertex-2023-10-16"});
        }
        _ => members["anthropic_version"] = json!({"const": "bedrock-2023-05-31"}),
    }
    members
}

fn cache() -> Value {
    json!({"anyOf": [
        {"type": "null"},
        tagged("type", &[("ephemeral", &[], json!({"ttl": {"enum": ["5m", "1h"]}}))]),
    ]})
}

fn message() -> Value {
    let content = |blocks| json!({"anyOf": [text(), list(1, blocks)]});
    tagged(
        "role",
        &[
            (
                "user",
                &["content"],
                json!({"content": content(block_of_user())}),
            ),
            (
                "assistant",
                &["content"],
                json!({"content": content(block_of_assistant())}),
            ),
        ],
    )
}

fn block_of_text() -> Value {
    tagged("type", &[of_text()])
}

fn of_text() -> (&'static str, &'static [&'static str], Value) {
    (
        "text",
        &["text"],
        json!({
            "text": words(), "cache_control": cache(), "citations": {"type": ["array", "null"]},
        }),
    )
}

fn of_image() -> (&'static str, &'static [&'static str], Value) {
    (
        "image",
        &["source"],
        json!({"cache_control": cache(), "source": tagged("type", &[
            ("base64", &["media_type", "data"], json!({
                "media_type": {"enum": ["image/jpeg", "image/png", "image/gif", "image/webp"]},
                "data": like("[A-Za-z0-9+/]+=*"),
            })),
            ("url", &["url"], json!({"url": like("https?://.+")})),
        ])}),
    )
}

fn of_document() -> (&'static str, &'static [&'static str], Value) {
    (
        "document",
        &["source"],
        json!({
            "cache_control": cache(), "title": {"type": ["string", "null"]},
            "context": {"type": ["string", "null"]},
            "citations": closed(&[], json!({"enabled": {"type": "boolean"}})),
            "source": tagged("type", &[
                ("base64", &["media_type", "data"], json!({
                    "media_type": {"const": "application/pdf"}, "data": like("[A-Za-z0-9+/]+=*"),
                })),
                ("text", &["media_type", "data"], json!({
                    "media_type": {"const": "text/plain"}, "data": text(),
                })),
                ("url", &["url"], json!({"url": like("https?://.+")})),
            ]),
        }),
    )
}

fn block_of_user() -> Value {
    let inner = tagged("type", &[of_text(), of_image(), of_document()]);
    tagged(
        "type",
        &[
            of_text(),
            of_image(),
            of_document(),
            (
                "tool_result",
                &["tool_use_id"],
                json!({
                    "tool_use_id": like("[a-zA-Z0-9_-]+"),
                    "content": {"anyOf": [{"type": "string"}, list(0, inner)]},
                    "is_error": {"type": "boolean"},
                    "cache_control": cache(),
                }),
            ),
        ],
    )
}

fn block_of_assistant() -> Value {
    tagged(
        "type",
        &[
            of_text(),
            (
                "tool_use",
                &["id", "name", "input"],
                json!({
                    "id": like("[a-zA-Z0-9_-]+"), "name": like("[a-zA-Z0-9_-]{1,200}"),
                    "input": {"type": "object"}, "cache_control": cache(),
                }),
            ),
            (
                "thinking",
                &["thinking", "signature"],
                json!({
                    "thinking": {"type": "string"}, "signature": text(),
                }),
            ),
            ("redacted_thinking", &["data"], json!({"data": text()})),
        ],
    )
}

fn tool() -> Value {
    let custom = closed(
        &["name", "input_schema"],
        json!({
            "type": {"const": "custom"}, "name": like("[a-zA-Z0-9_-]{1,128}"),
            "description": text(), "input_schema": object_schema(), "strict": {"type": "boolean"},
            "cache_control": cache(),
        }),
    );
    let server = json!({"required": ["type", "name"], "properties": {
        "type": like("(web_search|bash|text_editor|code_execution)_[0-9]{8}"),
    }});
    // Tools of one's own need no type.
    json!({
        "type": "object",
        "if": {"required": ["type"], "properties": {"type": {"not": {"const": "custom"}}}},
        "then": server, "else": custom,
    })
}

fn choice() -> Value {
    let one = || json!({"type": "boolean"});
    tagged(
        "type",
        &[
            ("auto", &[], json!({"disable_parallel_tool_use": one()})),
            ("any", &[], json!({"disable_parallel_tool_use": one()})),
            (
                "tool",
                &["name"],
                json!({"name": text(), "disable_parallel_tool_use": one()}),
            ),
            ("none", &[], json!({})),
        ],
    )
}
