//! Gemini's generateContent, and Vertex's.

use serde_json::{Value, json};

use crate::mock_llm::provider::strict::account::Provider;
use crate::mock_llm::provider::strict::schema::{between, closed, count, like, list, text};

const NAME: &str = "[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}";

pub(in super::super) fn schema(provider: Provider) -> Value {
    closed(
        &["contents"],
        json!({
            "contents": list(1, closed(&["role", "parts"], json!({
                "role": {"enum": ["user", "model"]}, "parts": list(1, part(provider)),
            }))),
            "systemInstruction": closed(&["parts"], json!({
                "role": {"type": "string"}, "parts": list(1, closed(&["text"], json!({"text": text()}))),
            })),
            "tools": list(1, closed(&[], json!({
                "functionDeclarations": list(1, function()),
                "googleSearch": {"type": "object"}, "codeExecution": {"type": "object"},
            }))),
            "toolConfig": closed(&[], json!({"functionCallingConfig": closed(&[], json!({
                "mode": {"enum": ["AUTO", "ANY", "NONE", "VALIDATED"]},
                "allowedFunctionNames": list(1, like(NAME)),
            }))})),
            "safetySettings": list(0, json!({"type": "object"})),
            "cachedContent": {"type": "string"},
            "labels": {"type": "object"},
            "generationConfig": generation(),
        }),
    )
}

fn part(provider: Provider) -> Value {
    let mut call = json!({"name": like(NAME), "args": {"type": "object"}});
    let mut result = json!({"name": like(NAME), "response": {"type": "object"}});
    // Vertex knows calls by their order alone.
    if provider == Provider::Gemini {
        call["id"] = text();
        result["id"] = text();
    }
    let mut part = closed(
        &[],
        json!({
            "text": text(),
            "inlineData": closed(&["mimeType", "data"], json!({
                "mimeType": like("[a-z]+/[a-zA-Z0-9.+-]+"), "data": like("[A-Za-z0-9+/]+=*"),
            })),
            "fileData": closed(&["mimeType", "fileUri"], json!({
                "mimeType": like("[a-z]+/[a-zA-Z0-9.+-]+"), "fileUri": like("(gs|https)://.+"),
            })),
            "functionCall": closed(&["name"], call),
            "functionResponse": closed(&["name", "response"], result),
            "thought": {"type": "boolean"},
            "thoughtSignature": text(),
        }),
    );
    let kinds = [
        "text",
        "inlineData",
        "fileData",
        "functionCall",
        "functionResponse",
    ];
    let kinds = kinds.map(|kind| json!({"required": [kind]}));
    part["oneOf"] = json!(kinds);
    part
}

fn function() -> Value {
    let mut function = closed(
        &["name"],
        json!({
            "name": like(NAME), "description": {"type": "string"},
            "parametersJsonSchema": {"type": "object"}, "parameters": {"type": "object"},
            "behavior": {"enum": ["BLOCKING", "NON_BLOCKING"]},
        }),
    );
    function["not"] = json!({"required": ["parametersJsonSchema", "parameters"]});
    function
}

fn generation() -> Value {
    let mut generation = closed(
        &[],
        json!({
            "maxOutputTokens": {"type": "integer", "minimum": 1, "maximum": i32::MAX},
            "temperature": between(0.0, 2.0),
            "topP": between(0.0, 1.0),
            "topK": count(1),
            "candidateCount": {"type": "integer", "minimum": 1, "maximum": 8},
            "presencePenalty": between(-2.0, 2.0),
            "frequencyPenalty": between(-2.0, 2.0),
            "seed": {"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX},
            "stopSequences": {"type": "array", "maxItems": 5, "items": text()},
            "responseMimeType": {"enum": ["text/plain", "application/json", "text/x.enum"]},
            "responseJsonSchema": {"type": "object"},
            "responseSchema": {"type": "object"},
            "thinkingConfig": {
                "type": "object", "additionalProperties": false,
                "properties": {
                    "includeThoughts": {"type": "boolean"},
                    "thinkingBudget": {"type": "integer", "minimum": -1, "maximum": 32768},
                    "thinkingLevel": {"enum": ["minimal", "low", "medium", "high"]},
                },
                "not": {"required": ["thinkingBudget", "thinkingLevel"]},
            },
        }),
    );
    let is_json = json!({"required": ["responseMimeType"], "properties": {
        "responseMimeType": {"const": "application/json"},
    }});
    generation["allOf"] = json!([
        {"if": {"required": ["responseJsonSchema"]}, "then": is_json},
        {"not": {"required": ["responseJsonSchema", "responseSchema"]}},
    ]);
    generation
}
