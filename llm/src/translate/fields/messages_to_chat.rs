//! From Anthropic's Messages to OpenAI's chat.

use super::Becomes::{Dropped, Field, Nothing, Refused};
use super::{Row, row};

/// From Anthropic's Messages to OpenAI's chat.
pub const MESSAGES_TO_CHAT: &[Row] = &[
    row("model", Field("model, or the path")),
    row("messages", Field("messages")),
    row("system", Field("a message of the system")),
    row("system[].cache_control", Nothing("OpenAI caches by itself")),
    row("messages[].content[].text", Field("parts of text")),
    row(
        "messages[].content[].text.citations",
        Nothing("they say where an earlier answer came from"),
    ),
    row(
        "messages[].content[].image",
        Field("parts `image_url`, of base64 or an address"),
    ),
    row("messages[].content[].image.(other)", Refused),
    row(
        "messages[].content[].document",
        Field("parts `file` of base64, parts of text"),
    ),
    row("messages[].content[].document.(other)", Refused),
    row(
        "messages[].content[].document.title",
        Field("file.filename, of base64; else dropped and counted"),
    ),
    row("messages[].content[].document.context", Refused),
    row("messages[].content[].document.citations", Refused),
    row("messages[].content[].tool_use", Field("tool_calls")),
    row(
        "messages[].content[].tool_result",
        Field("messages of tools; images in them go to the user's"),
    ),
    row(
        "messages[].content[].tool_result.is_error",
        Nothing("the text of a result says what went wrong"),
    ),
    row(
        "messages[].content[].thinking",
        Nothing("thoughts are signed by another provider"),
    ),
    row(
        "messages[].content[].cache_control",
        Nothing("OpenAI caches by itself"),
    ),
    row("messages[].content[].(other)", Refused),
    row("max_tokens", Field("max_completion_tokens")),
    row("stream", Field("stream, stream_options.include_usage")),
    row("temperature", Field("temperature")),
    row("top_p", Field("top_p")),
    row("top_k", Refused),
    row("stop_sequences", Field("stop, up to four")),
    row("tools", Field("tools[].function")),
    row(
        "tools[].(server)",
        Dropped("OpenAI has no tools of its own here"),
    ),
    row(
        "tools[].strict",
        Field("strict, of schemas in which nothing may be left out; else dropped and counted"),
    ),
    row(
        "tools[].name",
        Field(
            "name, of 64 letters, digits, `_` and `-` at most; others are changed, and changed back",
        ),
    ),
    row("tools[].cache_control", Nothing("OpenAI caches by itself")),
    row(
        "tools[].input_examples",
        Dropped("OpenAI has no place for examples, and schemas say what is right"),
    ),
    row("tool_choice", Field("tool_choice, parallel_tool_calls")),
    row("output_config", Field("response_format, reasoning_effort")),
    row("output_config.format.(other)", Refused),
    row(
        "output_config.format.(strict)",
        Field("strict, of schemas in which nothing may be left out; else dropped and counted"),
    ),
    row(
        "thinking",
        Field("reasoning_effort, of models that are known to think; else dropped and counted"),
    ),
    row(
        "thinking.(disabled)",
        Nothing("models think as they do unless told, and not all can be told not to"),
    ),
    row(
        "metadata",
        Field("user, of `user_id`; its SHA-256 in hexadecimal if it is longer than 64 characters"),
    ),
    row("service_tier", Field("service_tier")),
    row("cache_control", Nothing("OpenAI caches by itself")),
    row(
        "context_management",
        Nothing("it trims what is sent again, which costs and does not change what is asked"),
    ),
    row(
        "anthropic_version",
        Nothing("it is the version of another API"),
    ),
    row(
        "anthropic_beta",
        Nothing("it names what another API tries out"),
    ),
    row("container", Refused),
    row("mcp_servers", Refused),
    row("inference_geo", Refused),
    row("(unknown)", Refused),
];
