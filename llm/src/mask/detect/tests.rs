use super::*;

const EXAMPLES: [(Kind, &str); 9] = [
    (Kind::Email, include_str!("examples/email.txt")),
    (Kind::Phone, include_str!("examples/phone.txt")),
    (Kind::CreditCard, include_str!("examples/credit_card.txt")),
    (Kind::Ssn, include_str!("examples/ssn.txt")),
    (Kind::Iban, include_str!("examples/iban.txt")),
    (Kind::Ip, include_str!("examples/ip.txt")),
    (Kind::ApiKey, include_str!("examples/api_key.txt")),
    (Kind::Jwt, include_str!("examples/jwt.txt")),
    (Kind::PrivateKey, include_str!("examples/private_key.txt")),
];

fn all() -> Detectors {
    let kinds: Vec<_> = Kind::ALL.into_iter().zip(0..).collect();
    Detectors::new(&kinds, Words::default())
}

fn only(kind: Kind) -> Detectors {
    Detectors::new(&[(kind, kind as usize)], Words::default())
}

fn found(detectors: &Detectors, text: &str) -> Vec<(usize, usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Next::Found(it) = detectors.next(text, from, Extent::WHOLE) {
        assert!(it.start >= from && it.end > it.start, "{text}");
        found.push((it.start, it.end, it.rule));
        from = it.end;
    }
    found
}

fn marked(text: &str, found: &[(usize, usize, usize)]) -> String {
    let mut marked = String::new();
    let mut at = 0;
    for &(start, end, _) in found {
        marked.extend([&text[at..start], "«", &text[start..end], "»"]);
        at = end;
    }
    marked + &text[at..]
}

/// The examples of a kind: the text, and the text with marks around what is to be found.
fn examples(lines: &str) -> Vec<(String, String)> {
    let lines = lines.lines().filter(|it| !it.starts_with("# "));
    let example = |line: &str| {
        let line = line.replace('¦', "").replace('␍', "\r").replace('␤', "\n");
        (line.replace(['«', '»'], ""), line)
    };
    lines.map(example).collect()
}

#[test]
fn each_kind_finds_what_its_examples_mark_and_nothing_else() {
    let mut wrong = Vec::new();
    for (kind, lines) in EXAMPLES {
        let detectors = only(kind);
        let examples = examples(lines);
        let positive = examples.iter().filter(|(text, line)| text != line).count();
        assert!(
            examples.len() >= 58 && positive >= 20,
            "{kind}: {} examples",
            examples.len()
        );
        for (text, line) in examples {
            let found = marked(&text, &found(&detectors, &text));
            if found != line {
                wrong.push(format!("{kind}: {line}\n  found {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_one_kind_finds_is_found_among_all() {
    let detectors = all();
    for (kind, lines) in EXAMPLES {
        for (text, line) in examples(lines)
            .into_iter()
            .filter(|(text, line)| text != line)
        {
            let all = found(&detectors, &text);
            let alone = found(&only(kind), &text);
            for (start, end, rule) in alone {
                let covered = all.iter().any(|it| it.0 <= start && end <= it.1);
                assert!(covered, "{kind}: {line}: {start}..{end} of {rule}");
            }
        }
    }
}

#[test]
fn the_longest_match_wins_then_the_earlier_row() {
    let detectors = all();
    for (text, kind, value) in [
        ("10.0.0.1@example.com", Kind::Email, "10.0.0.1@example.com"),
        (
            "415-555-2671@example.com",
            Kind::Email,
            "415-555-2671@example.com",
        ),
        ("+1 415 555 2671", Kind::Phone, "+1 415 555 2671"),
    ] {
        let found = found(&detectors, text);
        assert_eq!(found.len(), 1, "{text}");
        let (start, end, rule) = found[0];
        assert_eq!((&text[start..end], Kind::ALL[rule]), (value, kind));
    }
}

#[test]
fn a_number_that_fails_its_check_is_none_of_any_kind() {
    let detectors = all();
    // From the second or third group on these are cards, but for the account that they are part of.
    for text in [
        "FR77 3000 4111 1111 1111 1111 189",
        "DE88 4111 1111 1111 1111 00",
    ] {
        assert_eq!(found(&detectors, text), [], "{text}");
        let card = &text[text.find("4111").unwrap()..][..19];
        assert_eq!(found(&detectors, card).len(), 1, "{card}");
    }
    // What only looks a little like one hides nothing.
    let text = "be12 call 415-555-2671 BE12 CALL 4111 1111 1111 1111";
    assert_eq!(
        marked(text, &found(&detectors, text)),
        "be12 call «415-555-2671» BE12 CALL «4111 1111 1111 1111»"
    );
}

#[test]
fn text_is_never_cut_inside_of_a_character() {
    let detectors = all();
    for text in [
        "é@é.éé",
        "ж+49 30 1234567ж",
        "日本10.0.0.1日本",
        "\u{1F600}jo@example.com\u{1F600}",
    ] {
        for (start, end, _) in found(&detectors, text) {
            assert!(text.get(start..end).is_some());
        }
    }
}

#[test]
fn an_incomplete_text_waits_only_from_where_a_value_may_begin() {
    let detectors = all();
    let extent = Extent {
        complete: false,
        window: 896,
    };
    for (text, waits) in [
        ("", None),
        ("Hello ", None),
        ("Hello", Some(0)),
        ("Hello, wor", Some(7)),
        ("a b c d. ", None),
        ("see [1] and \"", None),
        ("call +49 30 12", Some(5)),
        ("call (41", Some(5)),
        ("in 2026 ", None),
        ("row 4026 ", Some(4)),
        ("in 2026 we", Some(8)),
        ("日本", None),
        ("日本語。", None),
        ("x -", Some(2)),
        ("x - ", None),
        ("a --- b ", None),
        ("-----BEGIN RSA PRIV", Some(0)),
        ("-----BEGIN CERT", Some(0)),
        ("-----BEGIN CERT-----", Some(11)),
        ("-----begin ", None),
        ("std::vec", Some(5)),
        ("fe80::1 ", None),
    ] {
        let next = detectors.next(text, 0, extent);
        let expected = waits.map_or(Next::Nothing, Next::Waits);
        match (text, next) {
            ("fe80::1 ", Next::Found(found)) => assert_eq!(found.end, 7),
            _ => assert_eq!(next, expected, "{text:?}"),
        }
    }
}
