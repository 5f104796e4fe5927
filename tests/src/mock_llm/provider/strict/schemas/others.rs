//! What goes to its own provider alone: OpenAI's Responses, completions and embeddings.

use serde_json::{Value, json};

use crate::mock_llm::provider::strict::schema::{between, closed, count, list, tagged, text};

pub(in super::super) fn responses() -> Value {
    let part = tagged(
        "type",
        &[
            ("input_text", &["text"], json!({"text": text()})),
            (
                "output_text",
                &["text"],
                json!({"text": text(), "annotations": {"type": "array"}}),
            ),
        ],
    );
    let item = json!({
        "type": "object", "required": ["role", "content"], "additionalProperties": false,
        "properties": {
            "type": {"const": "message"}, "role": {"enum": ["user", "assistant", "system", "developer"]},
            "content": {"anyOf": [text(), list(1, part)]}, "id": text(), "status": text(),
        },
    });
    closed(
        &["model", "input"],
        json!({
            "model": text(),
            "input": {"anyOf": [text(), list(1, item)]},
            "instructions": {"type": ["string", "null"]},
            "max_output_tokens": count(16),
            "temperature": between(0.0, 2.0),
            "top_p": between(0.0, 1.0),
            "stream": {"type": "boolean"},
            "store": {"type": "boolean"},
            "metadata": {"type": "object"},
            "user": {"type": "string"},
            "reasoning": {"type": "object"},
            "text": {"type": "object"},
            "tools": list(0, json!({"type": "object"})),
            "previous_response_id": {"type": ["string", "null"]},
        }),
    )
}

pub(in super::super) fn completions() -> Value {
    closed(
        &["model", "prompt"],
        json!({
            "model": text(),
            "prompt": {"anyOf": [text(), list(1, text())]},
            "max_tokens": count(1),
            "temperature": between(0.0, 2.0),
            "stream": {"type": "boolean"},
            "stop": {"type": ["string", "array", "null"]},
            "user": {"type": "string"},
        }),
    )
}

pub(in super::super) fn embeddings() -> Value {
    closed(
        &["model", "input"],
        json!({
            "model": text(),
            "input": {"anyOf": [text(), list(1, text())]},
            "dimensions": count(1),
            "encoding_format": {"enum": ["float", "base64"]},
            "user": {"type": "string"},
        }),
    )
}
