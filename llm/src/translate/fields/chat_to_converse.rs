//! From OpenAI's chat to Bedrock's Converse.

use super::Becomes::{Dropped, Field, Nothing, Refused};
use super::{Row, row};

/// From OpenAI's chat to Bedrock's Converse.
pub const CHAT_TO_CONVERSE: &[Row] = &[
    row("model", Field("the path")),
    row("messages", Field("system, messages")),
    row("messages[].name", Refused),
    row("messages[].audio", Refused),
    row("messages[].function_call", Refused),
    row("messages[].content[].text", Field("blocks of text")),
    row("messages[].content[].refusal", Field("blocks of text")),
    row(
        "messages[].content[].image_url",
        Field("blocks `image`, in the request alone"),
    ),
    row(
        "messages[].content[].image_url.detail",
        Nothing("it is a hint of how closely to look"),
    ),
    row(
        "messages[].content[].file",
        Field("blocks `document`: pdf, txt, csv, html, md"),
    ),
    row("messages[].content[].file.file_id", Refused),
    row("messages[].content[].input_audio", Refused),
    row("messages[].content[].(other)", Refused),
    row(
        "messages[].content[].cache_control",
        Field("blocks `cachePoint`, not behind results of tools"),
    ),
    row("messages[].refusal", Field("blocks of text")),
    row(
        "messages[].tool_calls",
        Field("blocks `toolUse` and `toolResult`"),
    ),
    row("messages[].tool_calls[].custom", Refused),
    row(
        "messages[].reasoning_content",
        Nothing("thoughts without a signature may not be sent back"),
    ),
    row(
        "messages[].thinking_blocks",
        Field("blocks `reasoningContent`"),
    ),
    row(
        "messages[].annotations",
        Nothing("they say where an earlier answer came from"),
    ),
    row("max_tokens", Field("inferenceConfig.maxTokens")),
    row("max_completion_tokens", Field("inferenceConfig.maxTokens")),
    row("stream", Field("the path")),
    row(
        "stream_options",
        Nothing("usage is always told, and passed on where it is asked for"),
    ),
    row(
        "temperature",
        Field("inferenceConfig.temperature, up to 1, but of models of Anthropic's since 4.7"),
    ),
    row(
        "top_p",
        Field(
            "inferenceConfig.topP, but of models of Anthropic's since 4.7, since 4.1 beside a temperature",
        ),
    ),
    row("top_k", Field("additionalModelRequestFields.top_k")),
    row("stop", Field("inferenceConfig.stopSequences")),
    row("tools", Field("toolConfig.tools")),
    row(
        "tools[].function",
        Field("toolSpec: name, description, inputSchema"),
    ),
    row(
        "tools[].function.strict",
        Field("strict, of schemas without limits; else dropped and counted"),
    ),
    row("tools[].(other)", Refused),
    row("tool_choice", Field("toolConfig.toolChoice")),
    row("tool_choice.allowed_tools", Refused),
    row("tool_choice.(other)", Refused),
    row("parallel_tool_calls", Refused),
    row(
        "response_format",
        Field("outputConfig.textFormat, of json_schema, with closed objects"),
    ),
    row("response_format.json_schema.(limits)", Refused),
    row("response_format.json_object", Refused),
    row(
        "response_format.json_schema.strict",
        Nothing("answers always keep to the schema"),
    ),
    row(
        "response_format.json_schema.description",
        Dropped("a schema has no description but its own there"),
    ),
    row("response_format.(other)", Refused),
    row(
        "reasoning_effort",
        Field("additionalModelRequestFields, of models of Anthropic and OpenAI"),
    ),
    row("reasoning_effort.(beside thinking)", Refused),
    row("thinking", Field("additionalModelRequestFields.thinking")),
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
        Nothing("it is a hint; caching is asked for by `cache_control`"),
    ),
    row(
        "prompt_cache_retention",
        Nothing("it is a hint; caching is asked for by `cache_control`"),
    ),
    row("service_tier", Refused),
    row("n", Refused),
    row("seed", Refused),
    row("logit_bias", Refused),
    row("logprobs", Refused),
    row("top_logprobs", Refused),
    row("presence_penalty", Refused),
    row("frequency_penalty", Refused),
    row("prediction", Refused),
    row("modalities", Refused),
    row("audio", Refused),
    row("verbosity", Refused),
    row("web_search_options", Refused),
    row("functions", Refused),
    row("function_call", Refused),
    row("(unknown)", Refused),
];
