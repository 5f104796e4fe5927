use proptest::prelude::*;

use super::super::*;
use super::*;

/// Every kind, an expression and a word, with one action.
fn masker(action: Action) -> Arc<Masker> {
    let settings = Settings {
        detectors: Kind::ALL.map(|kind| (kind, action)).to_vec(),
        patterns: vec![
            PatternSetting {
                name: "EMPLOYEE".into(),
                regex: r"\bE-[0-9]{6}\b".into(),
                action,
            },
            PatternSetting {
                name: "TAG".into(),
                regex: r"(?i)<secret>.*?</secret>|ab+c?".into(),
                action,
            },
        ],
        words: vec![WordsSetting {
            name: "CODENAME".into(),
            words: vec!["Bluebird".into(), "Red Kite".into(), "秘密".into()],
            case_sensitive: false,
            action,
        }],
        hash_key: HashKey::new(b"key"),
    };
    Arc::new(Masker::compile(&settings).unwrap())
}

fn response(returns: Returns, request: &str) -> (String, Unmasking) {
    let mut masking = masker(Action::Mask).open();
    masking.reserve(request);
    let edits = masking.mask(request, Form::Plain).unwrap();
    (apply(request, &edits), masking.into_response(returns))
}

/// What comes out for each piece, and for the end.
fn run(response: &mut Unmasking, form: Form, pieces: &[&str]) -> Vec<String> {
    let mut running = Running::new(form);
    let mut came: Vec<String> = Vec::new();
    for piece in pieces {
        let mut out = String::new();
        running.push(response, piece, &mut out);
        came.push(out);
        if form == Form::Plain {
            assert!(running.waiting() <= MAX_WAITING);
        }
    }
    let mut out = String::new();
    running.end(response, &mut out);
    assert_eq!(running.waiting(), 0);
    came.push(out);
    came
}

fn characters(text: &str) -> Vec<&str> {
    text.split_inclusive(|_| true).collect()
}

const REQUEST: &str = "jo@example.com, +49 30 1234567, Bluebird, \"E-123456\" and 10.0.0.1";

#[test]
fn placeholders_become_values_wherever_they_are_cut() {
    let (masked, mut response) = response(Returns::Restore, REQUEST);
    assert_eq!(
        masked,
        "[EMAIL_1], [PHONE_1], [CODENAME_1], \"[EMPLOYEE_1]\" and [IP_1]"
    );
    assert_eq!(
        run(&mut response, Form::Plain, &characters(&masked)).concat(),
        REQUEST
    );
    let pieces = [
        "Hi [",
        "EMA",
        "IL_1",
        "], [",
        "x] [EMAIL_2] [[IP_1]",
        "] a[b",
    ];
    let came = run(&mut response, Form::Plain, &pieces);
    let expected = [
        "Hi ",
        "",
        "",
        "jo@example.com, ",
        "[x] [EMAIL_2] [10.0.0.1",
        "] a[b",
        "",
    ];
    assert_eq!(came, expected);
}

#[test]
fn the_end_gives_up_what_waited() {
    let (_, mut restore) = response(Returns::Restore, REQUEST);
    assert_eq!(
        run(&mut restore, Form::Plain, &["a [EMAIL_"]),
        ["a ", "[EMAIL_"]
    );
    let (_, mut mask) = response(Returns::Mask, REQUEST);
    assert_eq!(
        run(&mut mask, Form::Plain, &["ask jo@exam"]),
        ["ask ", "jo@exam"]
    );
    assert_eq!(
        run(&mut mask, Form::Plain, &["at 10.0.0.1"]),
        ["at ", "[IP_2]"]
    );
}

#[test]
fn text_that_cannot_match_is_not_delayed() {
    let (_, mut both) = response(Returns::Both, REQUEST);
    let pieces = [
        "Well, ",
        "here: ",
        "(a) ",
        "日本語",
        "。",
        "1, 2; ",
        "\"x\" ",
    ];
    let came = run(&mut both, Form::Plain, &pieces);
    assert_eq!(came[..pieces.len()], pieces);
}

#[test]
fn a_word_waits_for_what_follows_it() {
    let (_, mut mask) = response(Returns::Mask, "");
    let came = run(&mut mask, Form::Plain, &["The", " cat", " sat", "."]);
    assert_eq!(came, ["", "The ", "cat ", "", "sat."]);
}

#[test]
fn own_values_are_masked_and_the_requests_are_restored() {
    let (_, mut both) = response(Returns::Both, REQUEST);
    let reply = "[EMAIL_1] is not al@example.com; jo@example.com is [EMAIL_2]";
    let expected = "jo@example.com is not [EMAIL_2]; [EMAIL_3] is [EMAIL_2]";
    assert_eq!(
        run(&mut both, Form::Plain, &characters(reply)).concat(),
        expected
    );
    assert_eq!(both.found_kinds(), "EMAIL=2");
    assert_eq!(apply(reply, &both.edits(reply, Form::Plain)), expected);
}

#[test]
fn what_is_put_into_json_is_escaped() {
    let settings = Settings {
        patterns: vec![PatternSetting {
            name: "QUOTE".into(),
            regex: "(?s)<.*?>".into(),
            action: Action::Mask,
        }],
        ..Settings::default()
    };
    let mut masking = Arc::new(Masker::compile(&settings).unwrap()).open();
    let text = "say <a \"b\"\n\\c>";
    let edits = masking.mask(text, Form::Plain).unwrap();
    assert_eq!(apply(text, &edits), "say [QUOTE_1]");
    let mut response = masking.into_response(Returns::Restore);
    let arguments = r#"{"x":"[QUOTE_1]"}"#;
    let expected = r#"{"x":"<a \"b\"\n\\c>"}"#;
    let came = run(&mut response, Form::Json, &characters(arguments));
    assert_eq!(came.concat(), expected);
    assert_eq!(
        apply(arguments, &response.edits(arguments, Form::Json)),
        expected
    );
}

#[test]
fn escapes_around_a_value_stay() {
    let (_, mut mask) = response(Returns::Mask, "");
    let arguments = r#"{"x":"a\u00e9\nj\u006f@example.com\tb\u00"#;
    let expected = r#"{"x":"a\u00e9\n[EMAIL_1]\tb\u00"#;
    for pieces in [vec![arguments], characters(arguments)] {
        assert_eq!(run(&mut mask, Form::Json, &pieces).concat(), expected);
    }
    assert_eq!(
        apply(arguments, &mask.edits(arguments, Form::Json)),
        expected
    );
}

#[test]
fn a_key_or_token_that_is_too_long_to_wait_for_goes_as_a_whole() {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(26);
    let key = [
        "-----BEGIN ",
        "PRIVATE KEY-----\n",
        &line,
        "-----END PRIVATE KEY-----",
    ]
    .concat();
    let token = format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", "YWJj".repeat(700));
    let text = format!("The key:\n{key}\nand {token}, fine.");
    let (_, mut mask) = response(Returns::Mask, "");
    let expected = "The key:\n[PRIVATE_KEY_1]\nand [JWT_1], fine.";
    for pieces in [vec![text.as_str()], characters(&text)] {
        let came = run(&mut mask, Form::Plain, &pieces);
        assert_eq!(came.concat(), expected);
    }
}

#[test]
fn a_long_candidate_is_taken_as_it_stands() {
    let (_, mut mask) = response(Returns::Mask, "");
    let open = format!("<secret>{} b", "a ".repeat(700));
    let matched = format!("a{}d", "b".repeat(1500));
    for text in [open.as_str(), matched.as_str()] {
        let one = run(&mut mask, Form::Plain, &[text]).concat();
        let many = run(&mut mask, Form::Plain, &characters(text)).concat();
        assert_eq!(one, many);
    }
    let came = run(&mut mask, Form::Plain, &[&open]).concat();
    assert_eq!(came, open, "no match, so nothing is lost");
    let came = run(&mut mask, Form::Plain, &[&matched]).concat();
    assert_eq!(came, format!("[TAG_1]{}d", "b".repeat(1501 - WINDOW)));
}

#[test]
fn numbers_are_decided_on_by_what_follows() {
    let (_, mut mask) = response(Returns::Mask, "");
    for (pieces, expected) in [
        (vec!["10.0.0.1", "0 x"], "[IP_1] x"),
        (vec!["10.0.0.1", ".5 x"], "10.0.0.1.5 x"),
        (vec!["415-555-267", "1", "9"], "415-555-26719"),
    ] {
        assert_eq!(run(&mut mask, Form::Plain, &pieces).concat(), expected);
        let (_, fresh) = response(Returns::Mask, "");
        mask = fresh;
    }
}

#[test]
fn waiting_is_bounded_whatever_comes() {
    let (_, mut both) = response(Returns::Both, REQUEST);
    for text in [
        "4 ".repeat(1000),
        "eyJhbGci".repeat(250),
        "a.".repeat(1000),
        "[EMAIL_".repeat(300),
        "<secret>".repeat(250),
        "ab".repeat(700),
        "-".repeat(2000),
        "::".repeat(1000),
        "-----BEGIN PRIVATE KEY-----".repeat(70),
        "日本".repeat(400),
    ] {
        let one = run(&mut both, Form::Plain, &[&text]).concat();
        let (_, mut again) = response(Returns::Both, REQUEST);
        let (_, mut other) = response(Returns::Both, REQUEST);
        let one_again = run(&mut again, Form::Plain, &[&text]).concat();
        let many = run(&mut other, Form::Plain, &characters(&text)).concat();
        assert_eq!(one_again, many);
        assert!(!one.is_empty());
    }
}

#[test]
fn nothing_of_a_value_is_printed() {
    let (_, mut both) = response(Returns::Both, REQUEST);
    let mut running = Running::new(Form::Plain);
    let mut out = String::new();
    running.push(&mut both, "ask al@example.com and [EMAI", &mut out);
    let printed = format!(
        "{both:?} {running:?} {:?}",
        both.edits("al@example.org", Form::Plain)
    );
    for secret in ["example", "jo@", "1234567", "Bluebird@"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// Pieces of text in which values, parts of values and what looks like them come often.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "jo@example.com",
        "jo",
        "@",
        ".",
        "example.com",
        "+49 30 1234567",
        "415-555-2671",
        "415",
        "-",
        " ",
        "5",
        "4111 1111 1111 1111",
        "4111",
        "1",
        "123-45-6789",
        "DE89 3704 0044 0532 0130 00",
        "DE89",
        "10.0.0.1",
        "::1",
        ":",
        "fe80:",
        "E-123456",
        "E-12",
        "3456",
        "<secret>",
        "</secret>",
        "x",
        "ab",
        "bbb",
        "c",
        "Bluebird",
        "blue",
        "bird",
        "Red",
        "Kite",
        "秘",
        "密",
        "[EMAIL_1]",
        "[",
        "EMAIL",
        "_1",
        "]",
        "[IP_1]",
        "[EMAIL#",
        "eyJhbGciOiJIUzI1NiJ9",
        ".e30.c2ln",
        "sk-",
        "0123456789abcdefghijklmn",
        "AKIA",
        "ABCDEFGHIJKLMNOP",
        "-----BEGIN PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
        "\n",
        "-----END PRIVATE KEY-----",
        "é",
        "\u{1F600}",
        "\\",
        "\\n",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\ud83d",
        "u0",
        "\"",
        "{",
        "}",
        ",",
        "The quick brown fox",
        "\u{2011}",
        "\u{a0}",
        "_",
        "%",
        "(",
        ")",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

/// Cuts a text at places between characters.
fn cut<'t>(text: &'t str, places: &[prop::sample::Index]) -> Vec<&'t str> {
    let mut places: Vec<_> = places
        .iter()
        .map(|it| super::super::ahead::floor(text, it.index(text.len() + 1)))
        .collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.windows(2).map(|it| &text[it[0]..it[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn chunks_do_not_change_what_comes_out(
        text in text(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        returns in prop::sample::select(vec![Returns::Restore, Returns::Mask, Returns::Both]),
        form in prop::sample::select(vec![Form::Plain, Form::Json]),
    ) {
        let whole = run(&mut response(returns, REQUEST).1, form, &[&text]).concat();
        let pieces = run(&mut response(returns, REQUEST).1, form, &cut(&text, &places)).concat();
        prop_assert_eq!(&whole, &pieces);
        let single = run(&mut response(returns, REQUEST).1, form, &characters(&text)).concat();
        prop_assert_eq!(&whole, &single);
        if text.len() < WINDOW {
            let mut response = response(returns, REQUEST).1;
            let edits = response.edits(&text, form);
            prop_assert_eq!(apply(&text, &edits), whole);
        }
    }

    #[test]
    fn what_is_masked_comes_back(text in text()) {
        let (masked, mut response) = response(Returns::Restore, &text);
        let edits = response.edits(&masked, Form::Plain);
        prop_assert_eq!(&apply(&masked, &edits), &text);
        let came = run(&mut response, Form::Plain, &characters(&masked)).concat();
        prop_assert_eq!(came, text);
    }
}
