//! What becomes of every field of a request, by pair: the tables that translations obey.
//!
//! Members at the top of a request are looked up here on the worker thread of the request; what is
//! further in is named by the code that reads it, with the names of these tables. Documentation is
//! made of them, and tests go through every row.

use formats::json::Kind;

use super::json::Value;
use super::{Provider, Translation};
use crate::dialect::Dialect;

/// A field of a client's request, and what becomes of it at a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands in the request.
    pub field: &'static str,
    /// What becomes of it.
    pub becomes: Becomes,
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Becomes {
    /// This at the target.
    Field(&'static str),
    /// Nothing, and why that changes no answer.
    Nothing(&'static str),
    /// Nothing, which is counted, whatever is done with others: clients send it whether they need it
    /// or not. Why the target cannot have it.
    Dropped(&'static str),
    /// Nothing: the target has no such thing, and says so, or leaves it out where that is
    /// configured. Values that ask for nothing are fine.
    Refused,
}

use Becomes::{Dropped, Field, Nothing, Refused};

const fn row(field: &'static str, becomes: Becomes) -> Row {
    Row { field, becomes }
}

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

/// The tables, each with a pair that obeys it.
pub const TABLES: &[(Dialect, Provider, &[Row])] = &[
    (Dialect::OpenaiChat, Provider::Anthropic, CHAT_TO_ANTHROPIC),
    (Dialect::OpenaiChat, Provider::Gemini, CHAT_TO_GEMINI),
    (Dialect::OpenaiChat, Provider::Bedrock, CHAT_TO_CONVERSE),
    (
        Dialect::AnthropicMessages,
        Provider::Openai,
        MESSAGES_TO_CHAT,
    ),
];

/// The table of a pair; none where both speak the same.
pub fn of(translation: &Translation) -> Option<&'static [Row]> {
    translation.pair.rows()
}

/// What becomes of a member at the top; none if the table does not know it.
pub(super) fn becomes(rows: &'static [Row], name: &str) -> Option<Row> {
    rows.iter().copied().find(|row| row.field == name)
}

/// Whether a value asks for what is done anyway, so that it is no loss to leave it out.
pub(super) fn asks_for_nothing(name: &str, value: Value<'_>) -> bool {
    let is_number = |number: f64| value.float() == Some(number);
    match value.kind() {
        Kind::Null => return true,
        Kind::Array | Kind::Object if is_empty(value) => return true,
        _ => {}
    }
    match name {
        "n" => is_number(1.0),
        "presence_penalty" | "frequency_penalty" | "top_logprobs" => is_number(0.0),
        "logprobs" | "store" => value.bool() == Some(false),
        "modalities" => value.items().iter().all(|it| it.is("text")),
        "service_tier" => value.is("auto") || value.is("default"),
        "verbosity" => value.is("medium"),
        "function_call" => value.is("none") || value.is("auto"),
        // That calls come one by one is lost by who writes the tools: without any, nothing is.
        "parallel_tool_calls" => value.bool().is_some(),
        _ => false,
    }
}

fn is_empty(value: Value<'_>) -> bool {
    let mut is_empty = value.items().is_empty();
    value.each(|_, _| is_empty = false);
    is_empty
}
