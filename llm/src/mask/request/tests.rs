use super::super::{HashKey, Kind, PatternSetting, Settings, SettingsError, WordsSetting, apply};
use super::*;

fn masker(settings: Settings) -> Arc<Masker> {
    Arc::new(Masker::compile(&settings).unwrap())
}

fn detectors(detectors: &[(Kind, Action)]) -> Settings {
    Settings {
        detectors: detectors.to_vec(),
        hash_key: HashKey::new(b"key"),
        ..Settings::default()
    }
}

fn pattern(name: &str, regex: &str, action: Action) -> PatternSetting {
    PatternSetting {
        name: name.into(),
        regex: regex.into(),
        action,
    }
}

fn masked(masking: &mut Masking, text: &str) -> String {
    apply(text, &masking.mask(text, Form::Plain).unwrap())
}

#[test]
fn one_value_has_one_placeholder_throughout_a_request() {
    let mut masking = masker(detectors(&[(Kind::Email, Action::Mask)])).open();
    let texts = [
        "a@example.com b@example.com",
        "b@example.com a@example.com c@example.com",
    ];
    texts.iter().for_each(|it| masking.reserve(it));
    assert_eq!(masked(&mut masking, texts[0]), "[EMAIL_1] [EMAIL_2]");
    assert_eq!(
        masked(&mut masking, texts[1]),
        "[EMAIL_2] [EMAIL_1] [EMAIL_3]"
    );
    assert_eq!(
        (masking.found(), masking.found_kinds()),
        (5, "EMAIL=5".to_owned())
    );
    assert_eq!(masking.blocked(), None);
}

#[test]
fn each_action_does_what_it_says() {
    let settings = detectors(&[
        (Kind::Email, Action::Mask),
        (Kind::Ip, Action::Hash),
        (Kind::Ssn, Action::Block),
        (Kind::Phone, Action::Monitor),
    ]);
    let mut masking = masker(settings).open();
    let text = "a@example.com 10.0.0.1 123-45-6789 415-555-2671";
    let hmac = "[IP#27d9fca0]";
    let expected = format!("[EMAIL_1] {hmac} 123-45-6789 415-555-2671");
    assert_eq!(masked(&mut masking, text), expected);
    assert_eq!(masking.blocked(), Some("SSN"));
    assert_eq!(masking.found_kinds(), "EMAIL=1,PHONE=1,SSN=1,IP=1");
    let counts: Vec<_> = masking.counts().collect();
    assert_eq!(counts[1], ("PHONE", Action::Monitor, 1));
    let mut response = masking.into_response(Returns::Restore);
    let edits = response.edits(&expected, Form::Plain);
    let restored = format!("a@example.com {hmac} 123-45-6789 415-555-2671");
    assert_eq!(apply(&expected, &edits), restored);
}

#[test]
fn own_patterns_and_words_take_part() {
    let settings = Settings {
        patterns: vec![
            pattern("EMPLOYEE", r"\bE-[0-9]{6}\b", Action::Mask),
            pattern("DOMAIN", r"example\.(com|org)", Action::Mask),
        ],
        words: vec![WordsSetting {
            name: "CODENAME".into(),
            words: vec!["Bluebird".into()],
            case_sensitive: false,
            action: Action::Mask,
        }],
        ..detectors(&[(Kind::Email, Action::Mask)])
    };
    let mut masking = masker(settings).open();
    let text = "E-123456 of BLUEBIRD: a@example.com, example.org, E-1234567, bluebirds";
    let expected = "[EMPLOYEE_1] of [CODENAME_1]: [EMAIL_1], [DOMAIN_1], E-1234567, bluebirds";
    assert_eq!(masked(&mut masking, text), expected);
    assert_eq!(
        masking.found_kinds(),
        "EMAIL=1,EMPLOYEE=1,DOMAIN=1,CODENAME=1"
    );
}

#[test]
fn of_what_begins_together_the_longest_wins_then_the_earlier_row() {
    let settings = Settings {
        patterns: vec![
            pattern("SHORT", "a@example", Action::Mask),
            pattern("LONG", "b@example.com!", Action::Mask),
            pattern("SAME", "c@example.com", Action::Mask),
        ],
        ..detectors(&[(Kind::Email, Action::Mask)])
    };
    let mut masking = masker(settings).open();
    let text = "a@example.com b@example.com! c@example.com";
    assert_eq!(masked(&mut masking, text), "[EMAIL_1] [LONG_1] [EMAIL_2]");
}

#[test]
fn rows_of_one_name_share_their_numbers() {
    let settings = Settings {
        patterns: vec![
            pattern("ID", "x[0-9]", Action::Mask),
            pattern("ID", "y[0-9]", Action::Mask),
        ],
        ..Settings::default()
    };
    let mut masking = masker(settings).open();
    assert_eq!(
        masked(&mut masking, "x1 y1 x1 y2"),
        "[ID_1] [ID_2] [ID_1] [ID_3]"
    );
    assert_eq!(masking.found_kinds(), "ID=4");
}

#[test]
fn in_json_as_text_only_the_value_changes() {
    let mut masking = masker(detectors(&[(Kind::Email, Action::Mask)])).open();
    let arguments = r#"{"to":"\u00e9\na\u0040example.com","x":1.50}"#;
    let edits = masking.mask(arguments, Form::Json).unwrap();
    assert_eq!(
        apply(arguments, &edits),
        r#"{"to":"\u00e9\n[EMAIL_1]","x":1.50}"#
    );
}

#[test]
fn too_many_values_are_refused_not_let_through() {
    let mut masking = masker(detectors(&[(Kind::Email, Action::Mask)])).open();
    let text: String = (0..5000).map(|it| format!("u{it}@example.com ")).collect();
    assert_eq!(
        masking.mask(&text, Form::Plain),
        Err(MaskError::TooManyValues)
    );
}

#[test]
fn settings_that_cannot_be_used_are_told() {
    let error = |settings: Settings| Masker::compile(&settings).unwrap_err();
    let of = |name: &str, regex: &str| Settings {
        patterns: vec![
            pattern("FINE", "a", Action::Mask),
            pattern(name, regex, Action::Mask),
        ],
        ..Settings::default()
    };
    for name in ["", "1A", "A-B", "A B", "Ä", &"A".repeat(49)] {
        assert_eq!(
            error(of(name, "a")),
            SettingsError::Name { name: name.into() }
        );
    }
    assert_eq!(
        error(of("OPEN", "a(b")).to_string(),
        "the regex of OPEN is no regular expression: unclosed group"
    );
    for empty in ["", "a*", "^", r"\b", "a|"] {
        let told = error(of("EMPTY", empty)).to_string();
        assert!(
            told.starts_with("the regex of EMPTY matches the empty text"),
            "{told}"
        );
    }
    let big = error(of("BIG", "(?:[a-z]{1000}){1000}"));
    assert!(
        matches!(big, SettingsError::Pattern { index: 1, .. }),
        "{big}"
    );
    for word in ["", " a", "a ", &"a".repeat(257)] {
        let words = vec![WordsSetting {
            name: "WORDS".into(),
            words: vec!["fine".into(), word.into()],
            case_sensitive: false,
            action: Action::Mask,
        }];
        let told = error(Settings {
            words,
            ..Settings::default()
        });
        assert_eq!(
            told,
            SettingsError::Word {
                name: "WORDS".into(),
                index: 0
            }
        );
    }
}
