//! Prompts in every dialect, put once and put again.

use proptest::prelude::*;

use Dialect::{AnthropicMessages, Gemini, OpenaiChat, OpenaiCompletions, OpenaiResponses};

use super::*;

const S: Prompt<'static> = Prompt {
    role: PromptRole::System,
    content: "Be \"brief\".",
};
const D: Prompt<'static> = Prompt {
    role: PromptRole::Developer,
    content: "Dev.",
};
const U: Prompt<'static> = Prompt {
    role: PromptRole::User,
    content: "Hi ß.",
};
const A: Prompt<'static> = Prompt {
    role: PromptRole::Assistant,
    content: "Ok.",
};

fn put(
    dialect: Dialect,
    body: &str,
    prepend: &[Prompt<'_>],
    append: &[Prompt<'_>],
) -> Result<(usize, String), NoPlace> {
    let request = Request::read(dialect, body).unwrap();
    let mut edits = Edits::new();
    let count = enrich(&request, body, prepend, append, &mut edits)?;
    let edited = edits.write(body);
    assert!(
        serde_json::from_str::<serde_json::Value>(&edited).is_ok(),
        "{edited}"
    );
    Ok((count, edited))
}

/// Puts prompts, and puts them again, which changes nothing.
fn enriched(dialect: Dialect, body: &str, prepend: &[Prompt<'_>], append: &[Prompt<'_>]) -> String {
    let (_, once) = put(dialect, body, prepend, append).unwrap();
    assert_eq!(put(dialect, &once, prepend, append), Ok((0, once.clone())));
    once
}

#[test]
fn chats_have_messages() {
    for (body, prepend, append, expected) in [
        (
            r#"{"messages":[ {"role":"user","content":"x"} ]}"#,
            &[S][..],
            &[U][..],
            r#"{"messages":[ {"role":"system","content":"Be \"brief\"."},{"role":"user","content":"x"},{"role":"user","content":"Hi ß."} ]}"#,
        ),
        // The operator first.
        (
            r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}]}"#,
            &[U, S, A, D],
            &[],
            r#"{"messages":[{"role":"system","content":"Be \"brief\"."},{"role":"developer","content":"Dev."},{"role":"user","content":"Hi ß."},{"role":"assistant","content":"Ok."},{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}]}"#,
        ),
        (
            r#"{"messages":[]}"#,
            &[S],
            &[U],
            r#"{"messages":[{"role":"system","content":"Be \"brief\"."},{"role":"user","content":"Hi ß."}]}"#,
        ),
        // However it is spelled, and with what else the message says.
        (
            r#"{"messages":[{"content":"Be \u0022brief\".","name":"op","role":"developer"}]}"#,
            &[S],
            &[],
            r#"{"messages":[{"content":"Be \u0022brief\".","name":"op","role":"developer"}]}"#,
        ),
        // Only in the same place, said by the same.
        (
            r#"{"messages":[{"role":"user","content":"Hi ß."},{"role":"user","content":"x"}]}"#,
            &[S],
            &[U],
            r#"{"messages":[{"role":"system","content":"Be \"brief\"."},{"role":"user","content":"Hi ß."},{"role":"user","content":"x"},{"role":"user","content":"Hi ß."}]}"#,
        ),
        (
            r#"{"messages":[{"role":"user","content":"Be \"brief\"."}]}"#,
            &[S],
            &[],
            r#"{"messages":[{"role":"system","content":"Be \"brief\"."},{"role":"user","content":"Be \"brief\"."}]}"#,
        ),
        // Some are there.
        (
            r#"{"messages":[{"role":"system","content":"Dev."},{"role":"user","content":"x"}]}"#,
            &[S, D],
            &[],
            r#"{"messages":[{"role":"system","content":"Be \"brief\"."},{"role":"system","content":"Dev."},{"role":"user","content":"x"}]}"#,
        ),
        (
            r#"{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"Ok."}]}"#,
            &[],
            &[A, U],
            r#"{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"Ok."},{"role":"user","content":"Hi ß."}]}"#,
        ),
    ] {
        assert_eq!(enriched(OpenaiChat, body, prepend, append), expected);
    }
}

#[test]
fn one_message_is_not_taken_for_a_prompt_before_and_one_behind() {
    let body = r#"{"messages":[{"role":"user","content":"Hi ß."}]}"#;
    let expected =
        r#"{"messages":[{"role":"user","content":"Hi ß."},{"role":"user","content":"Hi ß."}]}"#;
    assert_eq!(enriched(OpenaiChat, body, &[U], &[U]), expected);
}

#[test]
fn responses_have_instructions_and_input() {
    for (body, prepend, append, expected) in [
        (
            r#"{"input":"x \u00df"}"#,
            &[S, U][..],
            &[A][..],
            r#"{"input":[{"role":"user","content":"Hi ß."},{"role":"user","content":"x \u00df"},{"role":"assistant","content":"Ok."}],"instructions":"Be \"brief\"."}"#,
        ),
        (
            r#"{"input":"x","instructions":"Be \u006bind."}"#,
            &[S],
            &[S],
            r#"{"input":"x","instructions":"Be \"brief\".\n\nBe \u006bind.\n\nBe \"brief\"."}"#,
        ),
        (
            r#"{"instructions":null,"input":[{"role":"user","content":"x"}]}"#,
            &[S, D],
            &[],
            r#"{"instructions":"Be \"brief\".","input":[{"role":"developer","content":"Dev."},{"role":"user","content":"x"}]}"#,
        ),
        (
            r#"{"instructions":"","input":"x"}"#,
            &[S],
            &[],
            r#"{"instructions":"Be \"brief\".","input":"x"}"#,
        ),
        (
            r#"{"previous_response_id":"r"}"#,
            &[],
            &[U],
            r#"{"previous_response_id":"r","input":[{"role":"user","content":"Hi ß."}]}"#,
        ),
        (
            r#"{"input":null}"#,
            &[],
            &[U],
            r#"{"input":[{"role":"user","content":"Hi ß."}]}"#,
        ),
        (
            r#"{"input":[{"type":"function_call_output","call_id":"c","output":"x"}]}"#,
            &[],
            &[U],
            r#"{"input":[{"type":"function_call_output","call_id":"c","output":"x"},{"role":"user","content":"Hi ß."}]}"#,
        ),
    ] {
        assert_eq!(enriched(OpenaiResponses, body, prepend, append), expected);
    }
}

#[test]
fn anthropic_has_a_system_that_keeps_its_shape() {
    for (body, prepend, append, expected) in [
        (
            r#"{"messages":[{"role":"user","content":"x"}]}"#,
            &[S, D, U][..],
            &[][..],
            r#"{"messages":[{"role":"user","content":"Hi ß."},{"role":"user","content":"x"}],"system":"Be \"brief\".\n\nDev."}"#,
        ),
        (
            r#"{"system":"Old.","messages":[]}"#,
            &[S],
            &[D, A],
            r#"{"system":"Be \"brief\".\n\nOld.\n\nDev.","messages":[{"role":"assistant","content":"Ok."}]}"#,
        ),
        (
            r#"{"system":[{"type":"text","text":"Old.","cache_control":{"type":"ephemeral"}}],"messages":[]}"#,
            &[S],
            &[D],
            r#"{"system":[{"type":"text","text":"Be \"brief\"."},{"type":"text","text":"Old.","cache_control":{"type":"ephemeral"}},{"type":"text","text":"Dev."}],"messages":[]}"#,
        ),
        (
            r#"{"system":[{"type":"text","text":"Be \"brief\".","cache_control":{"type":"ephemeral"}}],"messages":[]}"#,
            &[S],
            &[],
            r#"{"system":[{"type":"text","text":"Be \"brief\".","cache_control":{"type":"ephemeral"}}],"messages":[]}"#,
        ),
        (
            r#"{"system":[],"messages":[]}"#,
            &[S],
            &[D],
            r#"{"system":[{"type":"text","text":"Be \"brief\"."},{"type":"text","text":"Dev."}],"messages":[]}"#,
        ),
    ] {
        assert_eq!(enriched(AnthropicMessages, body, prepend, append), expected);
    }
}

#[test]
fn texts_get_paragraphs_that_are_not_there() {
    let text = |text: &str| format!(r#"{{"system":"{text}","messages":[]}}"#);
    for (there, prepend, append, expected) in [
        ("Dev.", &[S, D][..], &[][..], r#"Be \"brief\".\n\nDev."#),
        (r#"Be \"brief\"."#, &[S, D], &[], r#"Be \"brief\".\n\nDev."#),
        (
            r#"Be \u0022brief\u0022.\n\nx"#,
            &[S, D],
            &[],
            r#"Be \u0022brief\u0022.\n\nDev.\n\nx"#,
        ),
        ("Dev.x", &[D], &[], r"Dev.\n\nDev.x"),
        ("x Dev.", &[], &[D], r"x Dev.\n\nDev."),
        (r"x\n\nDev.", &[], &[S, D], r#"x\n\nBe \"brief\".\n\nDev."#),
        ("Dev.", &[], &[S, D], r#"Be \"brief\".\n\nDev."#),
        ("Dev.", &[D], &[D], r"Dev.\n\nDev."),
        (r"Dev.\n\nDev.", &[D], &[D], r"Dev.\n\nDev."),
        (
            r#"Be \"brief\".\n\nDev."#,
            &[S],
            &[S, D],
            r#"Be \"brief\".\n\nBe \"brief\".\n\nDev."#,
        ),
    ] {
        let enriched = enriched(AnthropicMessages, &text(there), prepend, append);
        assert_eq!(enriched, text(expected), "{there}");
    }
}

#[test]
fn gemini_has_parts() {
    for (body, prepend, append, expected) in [
        (
            r#"{"contents":[{"parts":[{"text":"x"}]}]}"#,
            &[S, A][..],
            &[U][..],
            r#"{"contents":[{"role":"model","parts":[{"text":"Ok."}]},{"parts":[{"text":"x"}]},{"role":"user","parts":[{"text":"Hi ß."}]}],"systemInstruction":{"parts":[{"text":"Be \"brief\"."}]}}"#,
        ),
        (
            r#"{"system_instruction":{"parts":[{"text":"Old."}]},"contents":[]}"#,
            &[S],
            &[D],
            r#"{"system_instruction":{"parts":[{"text":"Be \"brief\"."},{"text":"Old."},{"text":"Dev."}]},"contents":[]}"#,
        ),
        (
            r#"{"systemInstruction":{"role":"user"},"contents":[]}"#,
            &[S],
            &[],
            r#"{"systemInstruction":{"role":"user","parts":[{"text":"Be \"brief\"."}]},"contents":[]}"#,
        ),
        (
            r#"{"systemInstruction":null,"contents":[]}"#,
            &[S],
            &[],
            r#"{"systemInstruction":{"parts":[{"text":"Be \"brief\"."}]},"contents":[]}"#,
        ),
        (
            r#"{"systemInstruction":{"parts":null},"contents":[]}"#,
            &[S],
            &[],
            r#"{"systemInstruction":{"parts":[{"text":"Be \"brief\"."}]},"contents":[]}"#,
        ),
    ] {
        assert_eq!(enriched(Gemini, body, prepend, append), expected);
    }
}

#[test]
fn a_request_without_a_place_is_refused() {
    for (dialect, body, prompt, member) in [
        (OpenaiChat, "{}", S, "messages"),
        (OpenaiChat, r#"{"messages":"x"}"#, S, "messages"),
        (
            OpenaiChat,
            r#"{"messages":{"role":"user","content":"x"}}"#,
            U,
            "messages",
        ),
        (
            OpenaiResponses,
            r#"{"instructions":["x"]}"#,
            S,
            "instructions",
        ),
        (OpenaiResponses, r#"{"input":7}"#, U, "input"),
        (AnthropicMessages, r#"{"system":{"text":"x"}}"#, S, "system"),
        (AnthropicMessages, "{}", U, "messages"),
        (
            Gemini,
            r#"{"systemInstruction":"x"}"#,
            S,
            "systemInstruction",
        ),
        (
            Gemini,
            r#"{"systemInstruction":{"parts":{"text":"x"}}}"#,
            S,
            "systemInstruction",
        ),
        (Gemini, r#"{"contents":{"parts":[]}}"#, U, "contents"),
    ] {
        assert_eq!(
            put(dialect, body, &[prompt], &[]),
            Err(NoPlace { member }),
            "{body}"
        );
        assert_eq!(
            put(dialect, body, &[], &[prompt]),
            Err(NoPlace { member }),
            "{body}"
        );
    }
    let refusal = NoPlace { member: "messages" }.refusal();
    assert_eq!((refusal.status, refusal.param), (400, Some("messages")));
}

#[test]
fn nothing_is_put_where_there_is_nothing_to_say() {
    let silent = Prompt { content: "", ..S };
    let body = r#"{"messages":"x"}"#;
    assert_eq!(
        put(OpenaiChat, body, &[silent], &[]),
        Ok((0, body.to_owned()))
    );
    assert_eq!(
        put(OpenaiCompletions, "{}", &[S], &[U]),
        Ok((0, "{}".to_owned()))
    );
}

#[test]
fn other_edits_of_the_same_texts_stand_beside_prompts() {
    let body = r#"{"instructions":"for ann@x.org","input":"call ann@x.org"}"#;
    let request = Request::read(OpenaiResponses, body).unwrap();
    let mut edits = Edits::new();
    for (start, text) in body.match_indices("ann@x.org") {
        let end = start + text.len();
        assert!(edits.replace(Place { start, end }, "[EMAIL_1]"));
    }
    assert!(edits.add_entry(body, request.body, "max_output_tokens", "9"));
    enrich(&request, body, &[S, U], &[], &mut edits).unwrap();
    assert_eq!(
        edits.write(body),
        r#"{"instructions":"Be \"brief\".\n\nfor [EMAIL_1]","input":[{"role":"user","content":"Hi ß."},{"role":"user","content":"call [EMAIL_1]"}],"max_output_tokens":9}"#
    );
}

/// A member of a body, or nothing.
fn member(key: &'static str, shapes: &'static [&'static str]) -> impl Strategy<Value = String> {
    let shape = prop::option::of(prop::sample::select(shapes));
    shape.prop_map(move |shape| shape.map_or(String::new(), |shape| format!("\"{key}\":{shape}")))
}

fn body() -> impl Strategy<Value = String> {
    const MESSAGES: &[&str] = &[
        "[]",
        "[ ]",
        "null",
        "\"\"",
        "\"x \\u00df\"",
        "7",
        r#"[{"role":"user","content":"a"}]"#,
        r#"[{"role":"user","content":"b"},{"role":"system","content":"a"}]"#,
        r#"[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"},{"text":"c"}]}]"#,
        r#"["a",{"role":"assistant","content":[{"type":"text","text":"a"}]}, 5 ]"#,
    ];
    const SYSTEM: &[&str] = &[
        "\"\"",
        "\"a\"",
        r#""a\n\nb""#,
        r#""\ud83c\udf0d\ud800 \u0061\n\n\u00df""#,
        "null",
        "[]",
        r#"[{"type":"text","text":"a"},"b"]"#,
        "{}",
        r#"{"parts":[]}"#,
        r#"{"parts":[{"text":"a"}]}"#,
        "7",
    ];
    const CONFIG: &[&str] = &["{}", "null", r#"{"maxOutputTokens":null}"#, r#"{"topK":1}"#];
    let members = (
        member("messages", MESSAGES),
        member("input", MESSAGES),
        member("contents", MESSAGES),
        member("system", SYSTEM),
        member("instructions", SYSTEM),
        member("systemInstruction", SYSTEM),
        member("generationConfig", CONFIG),
        member("max_tokens", &["null", "1", "1e9", "\"x\""]),
        member("stream", &["true"]),
        member(
            "stream_options",
            &["{}", "null", r#"{"include_usage":false}"#],
        ),
    );
    (members, any::<bool>()).prop_map(|(it, backwards)| {
        let mut members = vec![it.0, it.1, it.2, it.3, it.4, it.5, it.6, it.7, it.8, it.9];
        members.retain(|member| !member.is_empty());
        if backwards {
            members.reverse();
        }
        format!("{{{}}}", members.join(","))
    })
}

fn prompts() -> impl Strategy<Value = Vec<(PromptRole, &'static str)>> {
    let contents = prop::sample::select(&["a", "b", "a\n\nb", "ß", ""][..]);
    prop::collection::vec((prop::sample::select(&PromptRole::ALL[..]), contents), 0..4)
}

proptest! {
    #[test]
    fn all_stages_together_leave_a_document_and_change_it_once(
        body in body(),
        dialect in prop::sample::select(&Dialect::ALL[..]),
        prepend in prompts(),
        append in prompts(),
    ) {
        let prompts = |of: &[(PromptRole, &'static str)]| -> Vec<Prompt<'static>> {
            of.iter().map(|(role, content)| Prompt { role: *role, content }).collect()
        };
        let (prepend, append) = (prompts(&prepend), prompts(&append));
        let limits = crate::limits::Limits {
            max_output_tokens: Some(9),
            on_excess: crate::limits::OnExcess::Clamp,
            ..Default::default()
        };
        let run = |body: &str| {
            let request = Request::read(dialect, body).unwrap();
            let mut edits = Edits::new();
            let clamped = limits.apply(&request, body, false, &mut edits).unwrap();
            let put = enrich(&request, body, &prepend, &append, &mut edits).ok()?;
            let asks = crate::usage::ask(&request, body, &mut edits);
            Some((clamped, put, asks, edits.write(body)))
        };
        if let Some((.., once)) = run(&body) {
            let read = formats::json::Document::parse(once.as_str());
            prop_assert!(read.is_ok(), "{} became {}", body, once);
            prop_assert_eq!(run(&once), Some((false, 0, false, once.clone())));
        }
    }
}
