//! From OpenAI's chat to Gemini.

use super::Becomes::{Dropped, Field, Nothing, Refused};
use super::{Row, row};

/// From OpenAI's chat to Gemini.
pub const CHAT_TO_GEMINI: &[Row] = &[
    row("model", Field("the path")),
    row("messages", Field("systemInstruction, contents")),
    row("messages[].name", Refused),
    row("messages[].audio", Refused),
    row("messages[].function_call", Refused),
    row("messages[].content[].text", Field("parts of text")),
    row("messages[].content[].refusal", Field("parts of text")),
    row(
        "messages[].content[].image_url",
        Field("inlineData, or fileData of a `gs://` address"),
    ),
    row(
        "messages[].content[].image_url.detail",
        Nothing("it is a hint of how closely to look"),
    ),
    row(
        "messages[].content[].file",
        Field("inlineData, or fileData of a `gs://` address"),
    ),
    row("messages[].content[].file.file_id", Refused),
    row("messages[].content[].input_audio", Field("inlineData")),
    row("messages[].content[].(other)", Refused),
    row(
        "messages[].content[].cache_control",
        Nothing("Gemini caches by itself"),
    ),
    row("messages[].refusal", Field("parts of text")),
    row(
        "messages[].tool_calls",
        Field("functionCall, functionResponse; signatures travel in the ids of calls"),
    ),
    row("messages[].tool_calls[].custom", Refused),
    row(
        "messages[].reasoning_content",
        Nothing("thoughts without a signature may not be sent back"),
    ),
    row(
        "messages[].thinking_blocks",
        Nothing("they are signed by another provider"),
    ),
    row(
        "messages[].annotations",
        Nothing("they say where an earlier answer came from"),
    ),
    row("max_tokens", Field("generationConfig.maxOutputTokens")),
    row(
        "max_completion_tokens",
        Field("generationConfig.maxOutputTokens"),
    ),
    row("stream", Field("the path")),
    row(
        "stream_options",
        Nothing("usage is always told, and passed on where it is asked for"),
    ),
    row("temperature", Field("generationConfig.temperature")),
    row("top_p", Field("generationConfig.topP")),
    row("top_k", Field("generationConfig.topK")),
    row("stop", Field("generationConfig.stopSequences")),
    row("tools", Field("tools[].functionDeclarations")),
    row(
        "tools[].function",
        Field("name, description, parametersJsonSchema"),
    ),
    row("tools[].(other)", Refused),
    row("tool_choice", Field("toolConfig.functionCallingConfig")),
    row("tool_choice.allowed_tools", Refused),
    row("tool_choice.(other)", Refused),
    row("parallel_tool_calls", Refused),
    row(
        "response_format",
        Field("generationConfig.responseMimeType, responseJsonSchema"),
    ),
    row(
        "response_format.json_object",
        Field("generationConfig.responseMimeType"),
    ),
    row(
        "response_format.json_schema.name",
        Nothing("it names the schema, which changes no answer"),
    ),
    row(
        "response_format.json_schema.strict",
        Nothing("answers always keep to the schema"),
    ),
    row(
        "response_format.json_schema.description",
        Dropped("a schema has no description but its own there"),
    ),
    row("response_format.(other)", Refused),
    row("reasoning_effort", Field("generationConfig.thinkingConfig")),
    row("thinking", Refused),
    row("user", Nothing("it says who asks, which changes no answer")),
    row(
        "safety_identifier",
        Nothing("it says who asks, which changes no answer"),
    ),
    row(
        "metadata",
        Nothing("it labels stored answers, and none is stored"),
    ),
    row("store", Refused),
    row(
        "prompt_cache_key",
        Nothing("it is a hint; Gemini caches by itself"),
    ),
    row(
        "prompt_cache_retention",
        Nothing("it is a hint; Gemini caches by itself"),
    ),
    row("service_tier", Refused),
    row("n", Field("generationConfig.candidateCount")),
    row("seed", Field("generationConfig.seed, of 32 bits")),
    row("logit_bias", Refused),
    row("logprobs", Refused),
    row("top_logprobs", Refused),
    row(
        "presence_penalty",
        Field("generationConfig.presencePenalty"),
    ),
    row(
        "frequency_penalty",
        Field("generationConfig.frequencyPenalty"),
    ),
    row("prediction", Refused),
    row("modalities", Refused),
    row("audio", Refused),
    row("verbosity", Refused),
    row("web_search_options", Refused),
    row("functions", Refused),
    row("function_call", Refused),
    row(
        "tools[].function.strict",
        Nothing("calls follow their schemas as far as the model can"),
    ),
    row("(unknown)", Refused),
];
