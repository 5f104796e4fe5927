//! Limits of every dialect, refused and clamped.

use Dialect::{
    AnthropicMessages, Gemini, OpenaiChat, OpenaiCompletions, OpenaiEmbeddings, OpenaiResponses,
};

use super::*;

fn apply(limits: Limits, dialect: Dialect, body: &str) -> Result<String, Excess> {
    let request = Request::read(dialect, body).unwrap();
    let mut edits = Edits::new();
    let is_clamped = limits.apply(&request, body, false, &mut edits)?;
    assert_eq!(is_clamped, !edits.is_empty());
    Ok(edits.write(body))
}

fn tokens(on_excess: OnExcess) -> Limits {
    Limits {
        max_output_tokens: Some(100),
        on_excess,
        ..Limits::default()
    }
}

#[test]
fn messages_and_bytes_are_counted() {
    let limits = |messages, prompt_bytes| Limits {
        messages,
        prompt_bytes,
        ..Limits::default()
    };
    let chat =
        r#"{"messages":[{"role":"system","content":"ab"},{"role":"user","content":"\u00dfc"}]}"#;
    assert_eq!(
        apply(limits(Some(2), Some(5)), OpenaiChat, chat).as_deref(),
        Ok(chat)
    );
    assert_eq!(
        apply(limits(Some(1), None), OpenaiChat, chat),
        Err(Excess::Messages { limit: 1, found: 2 })
    );
    // ß is two bytes.
    assert_eq!(
        apply(limits(None, Some(4)), OpenaiChat, chat),
        Err(Excess::PromptBytes { limit: 4, found: 5 })
    );
    let parts = r#"{"contents":[{"parts":[{"text":"abc"},{"inlineData":{"data":"eHh4eHg="}}]}],"systemInstruction":{"parts":[{"text":"d"}]}}"#;
    assert_eq!(
        apply(limits(Some(1), Some(4)), Gemini, parts).as_deref(),
        Ok(parts)
    );
    assert!(apply(limits(None, Some(3)), Gemini, parts).is_err());
    let deep = format!(
        r#"{{"messages":[{{"role":"user","content":{}"x"{}}}]}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    assert_eq!(
        apply(limits(None, Some(900)), OpenaiChat, &deep),
        Err(Excess::TooDeep)
    );
    assert!(apply(limits(Some(1), None), OpenaiChat, &deep).is_ok());
    assert!(apply(Limits::default(), OpenaiChat, &deep).is_ok());
}

#[test]
fn requests_for_too_many_tokens_are_refused() {
    let over = |field| Err(Excess::OutputTokens { limit: 100, field });
    let none = |field| Err(Excess::NoNumber { field });
    for (dialect, body, expected) in [
        (OpenaiChat, r#"{"max_tokens":100}"#, Ok(())),
        (OpenaiChat, r#"{"max_tokens":1e2}"#, Ok(())),
        (OpenaiChat, r#"{"max_tokens":null}"#, Ok(())),
        (OpenaiChat, "{}", Ok(())),
        (
            OpenaiChat,
            r#"{"max_tokens":101}"#,
            over(LimitField::MaxTokens),
        ),
        (
            OpenaiChat,
            r#"{"max_tokens":1.01e2}"#,
            over(LimitField::MaxTokens),
        ),
        (
            OpenaiChat,
            r#"{"max_tokens":1,"max_completion_tokens":"500"}"#,
            over(LimitField::MaxCompletionTokens),
        ),
        (
            OpenaiChat,
            r#"{"max_tokens":1,"max_tokens":999}"#,
            over(LimitField::MaxTokens),
        ),
        (
            OpenaiChat,
            r#"{"max_tokens":-1}"#,
            none(LimitField::MaxTokens),
        ),
        (
            OpenaiChat,
            r#"{"max_tokens":"many"}"#,
            none(LimitField::MaxTokens),
        ),
        (
            OpenaiChat,
            r#"{"max_tokens":[1]}"#,
            none(LimitField::MaxTokens),
        ),
        (
            OpenaiCompletions,
            r#"{"max_tokens":101}"#,
            over(LimitField::MaxTokens),
        ),
        (
            OpenaiResponses,
            r#"{"max_output_tokens":101}"#,
            over(LimitField::MaxOutputTokens),
        ),
        (
            AnthropicMessages,
            r#"{"max_tokens":101}"#,
            over(LimitField::MaxTokens),
        ),
        (
            Gemini,
            r#"{"generationConfig":{"maxOutputTokens":101}}"#,
            over(LimitField::GenerationMaxOutputTokens),
        ),
        (
            Gemini,
            r#"{"generation_config":{"max_output_tokens":101}}"#,
            over(LimitField::GenerationMaxOutputTokens),
        ),
        (OpenaiEmbeddings, "{}", Ok(())),
    ] {
        let applied = apply(tokens(OnExcess::Refuse), dialect, body);
        assert_eq!(applied, expected.map(|()| body.to_owned()), "{body}");
    }
}

#[test]
fn numbers_are_clamped_where_they_stand_and_added_where_there_are_none() {
    for (dialect, body, expected) in [
        (
            OpenaiChat,
            r#"{"max_tokens": 99 }"#,
            r#"{"max_tokens": 99 }"#,
        ),
        (
            OpenaiChat,
            r#"{"max_tokens": 5e9 }"#,
            r#"{"max_tokens": 100 }"#,
        ),
        (
            OpenaiChat,
            r#"{"max_tokens":"x","n":1.0}"#,
            r#"{"max_tokens":100,"n":1.0}"#,
        ),
        (
            OpenaiChat,
            r#"{"max_tokens":101,"max_completion_tokens":102}"#,
            r#"{"max_tokens":100,"max_completion_tokens":100}"#,
        ),
        (
            OpenaiChat,
            r#"{"n":1}"#,
            r#"{"n":1,"max_completion_tokens":100}"#,
        ),
        (
            OpenaiChat,
            r#"{"max_tokens":null}"#,
            r#"{"max_tokens":null,"max_completion_tokens":100}"#,
        ),
        (
            OpenaiChat,
            r#"{"max_completion_tokens":null}"#,
            r#"{"max_completion_tokens":100}"#,
        ),
        // What this provider does not read is not taken for its limit.
        (
            OpenaiChat,
            r#"{"max_output_tokens":7}"#,
            r#"{"max_output_tokens":7,"max_completion_tokens":100}"#,
        ),
        (
            OpenaiCompletions,
            r#"{"prompt":"x"}"#,
            r#"{"prompt":"x","max_tokens":100}"#,
        ),
        (
            OpenaiResponses,
            r#"{"input":"x"}"#,
            r#"{"input":"x","max_output_tokens":100}"#,
        ),
        (
            AnthropicMessages,
            r#"{"max_tokens":4096}"#,
            r#"{"max_tokens":100}"#,
        ),
        (
            Gemini,
            "{}",
            r#"{"generationConfig":{"maxOutputTokens":100}}"#,
        ),
        (
            Gemini,
            r#"{"generationConfig":{"topK":1}}"#,
            r#"{"generationConfig":{"topK":1,"maxOutputTokens":100}}"#,
        ),
        (
            Gemini,
            r#"{"generation_config":{"max_output_tokens":null}}"#,
            r#"{"generation_config":{"max_output_tokens":100}}"#,
        ),
        (
            Gemini,
            r#"{"generationConfig":null}"#,
            r#"{"generationConfig":{"maxOutputTokens":100}}"#,
        ),
        (OpenaiEmbeddings, r#"{"input":"x"}"#, r#"{"input":"x"}"#),
    ] {
        let clamped = apply(tokens(OnExcess::Clamp), dialect, body);
        assert_eq!(clamped.as_deref(), Ok(expected), "{body}");
        assert_eq!(
            apply(tokens(OnExcess::Clamp), dialect, expected).as_deref(),
            Ok(expected)
        );
    }
    let elder = Limits {
        chat_field: ChatField::MaxTokens,
        ..tokens(OnExcess::Clamp)
    };
    assert_eq!(
        apply(elder, OpenaiChat, r#"{"max_tokens":null}"#).as_deref(),
        Ok(r#"{"max_tokens":100}"#)
    );
    assert_eq!(
        apply(elder, OpenaiChat, r#"{"max_completion_tokens":7}"#).as_deref(),
        Ok(r#"{"max_completion_tokens":7}"#)
    );
}

#[test]
fn what_is_only_counted_gets_no_member() {
    let body = r#"{"messages":[]}"#;
    let request = Request::read(AnthropicMessages, body).unwrap();
    let mut edits = Edits::new();
    let clamped = tokens(OnExcess::Clamp).apply(&request, body, true, &mut edits);
    assert_eq!((clamped, edits.is_empty()), (Ok(false), true));
}

#[test]
fn clients_are_told_which_limit_and_where() {
    let excess = Excess::OutputTokens {
        limit: 100,
        field: LimitField::MaxTokens,
    };
    assert_eq!(excess.reason(), "max_output_tokens");
    let refusal = excess.refusal();
    assert_eq!((refusal.status, refusal.param), (400, Some("max_tokens")));
    assert!(refusal.message.contains("100 tokens"));
    let excess = Excess::Messages { limit: 1, found: 2 };
    assert_eq!(
        excess.refusal().message,
        "The request has 2 messages; 1 are allowed."
    );
}
