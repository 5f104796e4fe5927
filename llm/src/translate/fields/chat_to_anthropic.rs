//! From OpenAI's chat to Anthropic's Messages.

use super::Becomes::{Dropped, Field, Nothing, Refused};
use super::{Row, row};

/// From OpenAI's chat to Anthropic's Messages.
pub const CHAT_TO_ANTHROPIC: &[Row] = &[
    row("model", Field("model, or the path")),
    row("messages", Field("system, messages")),
    row("messages[].name", Refused),
    row("messages[].audio", Refused),
    row("messages[].function_call", Refused),
    row("messages[].content[].text", Field("blocks of text")),
    row("messages[].content[].refusal", Field("blocks of text")),
    row(
        "messages[].content[].image_url",
        Field("blocks `image`: base64 of jpeg, png, gif and webp, or an address"),
    ),
    row(
        "messages[].content[].image_url.detail",
        Nothing("it is a hint of how closely to look"),
    ),
    row(
        "messages[].content[].file",
        Field("blocks `document` of application/pdf or text/plain in UTF-8"),
    ),
    row("messages[].content[].file.file_id", Refused),
    row("messages[].content[].input_audio", Refused),
    row("messages[].content[].(other)", Refused),
    row("messages[].content[].cache_control", Field("cache_control")),
    row("messages[].refusal", Field("blocks of text")),
    row("messages[].tool_calls", Field("blocks `tool_use`")),
    row("messages[].tool_calls[].custom", Refused),
    row(
        "messages[].reasoning_content",
        Nothing("thoughts without a signature may not be sent back"),
    ),
    row(
        "messages[].thinking_blocks",
        Field("blocks `thinking` and `redacted_thinking`"),
    ),
    row(
        "messages[].annotations",
        Nothing("they say where an earlier answer came from"),
    ),
    row("max_tokens", Field("max_tokens")),
    row("max_completion_tokens", Field("max_tokens")),
    row("stream", Field("stream, or the path")),
    row(
        "stream_options",
        Nothing("usage is always told, and passed on where it is asked for"),
    ),
    row(
        "temperature",
        Field("temperature, up to 1, of models of Anthropic's before 4.7"),
    ),
    row(
        "top_p",
        Field(
            "top_p, of models of Anthropic's before 4.7, since 4.1 in the place of a temperature",
        ),
    ),
    row("top_k", Field("top_k")),
    row("stop", Field("stop_sequences, of more than white space")),
    row("tools", Field("tools")),
    row("tools[].function", Field("name, description, input_schema")),
    row(
        "tools[].function.strict",
        Field("strict, of schemas without limits; else dropped and counted"),
    ),
    row("tools[].(other)", Refused),
    row("tool_choice", Field("tool_choice")),
    row("tool_choice.allowed_tools", Refused),
    row("tool_choice.(other)", Refused),
    row(
        "parallel_tool_calls",
        Field("tool_choice.disable_parallel_tool_use"),
    ),
    row(
        "response_format",
        Field("output_config.format, of json_schema, with closed objects"),
    ),
    row("response_format.json_schema.(limits)", Refused),
    row("response_format.json_object", Refused),
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
    row("reasoning_effort", Field("thinking, output_config.effort")),
    row("reasoning_effort.(beside thinking)", Refused),
    row("thinking", Field("thinking")),
    row("user", Field("metadata.user_id")),
    row("safety_identifier", Field("metadata.user_id")),
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
