//! Bedrock's Converse.

use serde_json::{Value, json};

use crate::mock_llm::provider::strict::schema::{
    between, closed, count, like, list, object_schema, one_of, text, words,
};

const NAME: &str = "[a-zA-Z0-9_-]{1,64}";

pub(in super::super) fn schema() -> Value {
    closed(
        &["messages"],
        json!({
            "messages": list(1, closed(&["role", "content"], json!({
                "role": {"enum": ["user", "assistant"]}, "content": list(1, block()),
            }))),
            "system": list(0, one_of(json!({"text": words(), "cachePoint": cache_point()}))),
            "inferenceConfig": closed(&[], json!({
                "maxTokens": count(1),
                "temperature": between(0.0, 1.0),
                "topP": between(0.0, 1.0),
                "stopSequences": {"type": "array", "maxItems": 2500, "items": text()},
            })),
            "toolConfig": closed(&["tools"], json!({
                "tools": list(1, one_of(json!({
                    "toolSpec": closed(&["name", "inputSchema"], json!({
                        "name": like(NAME), "description": text(), "strict": {"type": "boolean"},
                        "inputSchema": closed(&["json"], json!({"json": object_schema()})),
                    })),
                    "cachePoint": cache_point(),
                }))),
                "toolChoice": one_of(json!({
                    "auto": closed(&[], json!({})), "any": closed(&[], json!({})),
                    "tool": closed(&["name"], json!({"name": like(NAME)})),
                })),
            })),
            "outputConfig": closed(&[], json!({"textFormat": closed(&["type", "structure"], json!({
                "type": {"const": "json_schema"},
                "structure": one_of(json!({"jsonSchema": closed(&["schema"], json!({
                    "schema": {"type": "string"}, "name": text(), "description": text(),
                }))})),
            }))})),
            "additionalModelRequestFields": more(),
            "additionalModelResponseFieldPaths": list(0, like("/.{1,255}")),
            "requestMetadata": {"type": "object", "additionalProperties": {"type": "string"}},
            "guardrailConfig": {"type": "object"},
            "performanceConfig": {"type": "object"},
            "serviceTier": {"type": "object"},
        }),
    )
}

fn cache_point() -> Value {
    closed(
        &["type"],
        json!({"type": {"const": "default"}, "ttl": {"enum": ["5m", "1h"]}}),
    )
}

fn source() -> Value {
    one_of(json!({"bytes": like("[A-Za-z0-9+/]+=*"), "s3Location": {"type": "object"}}))
}

fn image() -> Value {
    closed(
        &["format", "source"],
        json!({
            "format": {"enum": ["png", "jpeg", "gif", "webp"]}, "source": source(),
        }),
    )
}

fn document() -> Value {
    closed(
        &["format", "name", "source"],
        json!({
            "format": {"enum": ["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"]},
            // Letters, digits, hyphens, brackets, and blanks one by one.
            "name": like(r"[a-zA-Z0-9()\[\]-]+( [a-zA-Z0-9()\[\]-]+)*"),
            "source": source(),
        }),
    )
}

fn block() -> Value {
    one_of(json!({
        "text": words(),
        "image": image(),
        "document": document(),
        "cachePoint": cache_point(),
        "toolUse": closed(&["toolUseId", "name", "input"], json!({
            "toolUseId": like(NAME), "name": like(NAME), "input": {"type": "object"},
        })),
        "toolResult": closed(&["toolUseId", "content"], json!({
            "toolUseId": like(NAME), "status": {"enum": ["success", "error"]},
            "content": list(1, one_of(json!({
                "text": words(), "json": {"type": "object"}, "image": image(),
                "document": document(),
            }))),
        })),
        "reasoningContent": one_of(json!({
            "reasoningText": closed(&["text", "signature"], json!({
                "text": {"type": "string"}, "signature": text(),
            })),
            "redactedContent": text(),
        })),
    }))
}

/// What a model of Anthropic's may be told besides.
fn more() -> Value {
    closed(
        &[],
        json!({
            "top_k": count(0),
            "anthropic_beta": list(0, text()),
            "thinking": {
                "type": "object", "required": ["type"], "additionalProperties": false,
                "properties": {
                    "type": {"enum": ["enabled", "adaptive", "disabled"]},
                    "budget_tokens": count(1024),
                },
            },
            "output_config": closed(&["effort"], json!({
                "effort": {"enum": ["low", "medium", "high", "xhigh", "max"]},
            })),
        }),
    )
}
