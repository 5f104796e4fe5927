//! The rule of what is an operator, and the formats of times.

use proptest::prelude::*;

use super::*;

/// Operators as they stand in the text, `%` for a doubled percent sign, `NAME...` for an open one.
fn found(text: &str) -> Vec<String> {
    let shown = |(place, token): (std::ops::Range<usize>, Token<'_>)| match token {
        Token::Percent => "%".to_owned(),
        Token::Operator(_) => text[place].to_owned(),
        Token::Open(name) => format!("{name}..."),
    };
    scan(text).map(shown).collect()
}

#[test]
fn operators_are_found_in_text() {
    for (text, expected) in [
        ("%PROTOCOL%", vec!["%PROTOCOL%"]),
        (
            "a=%REQ(:METHOD)%&b=%REQ(A?B):10%",
            vec!["%REQ(:METHOD)%", "%REQ(A?B):10%"],
        ),
        ("%PROTOCOL%%REQ(a)%", vec!["%PROTOCOL%", "%REQ(a)%"]),
        ("%START_TIME(%Y %s.%3f)%", vec!["%START_TIME(%Y %s.%3f)%"]),
        (
            "%DYNAMIC_METADATA(a.b:c)%",
            vec!["%DYNAMIC_METADATA(a.b:c)%"],
        ),
        ("%PROTOCOL:3%", vec!["%PROTOCOL:3%"]),
        ("50%PROTOCOL%", vec!["%PROTOCOL%"]),
        ("ü%REQ(ü)%ü", vec!["%REQ(ü)%"]),
        ("100%%", vec!["%"]),
        ("%%REQ(a)%", vec!["%"]),
        ("%%%REQ(a)%", vec!["%", "%REQ(a)%"]),
        ("%REQ(a)", vec!["REQ..."]),
        ("%REQ(a", vec!["REQ..."]),
        ("%REQ(a):x%", vec!["REQ..."]),
        ("%REQ(a) %PROTOCOL%", vec!["REQ...", "%PROTOCOL%"]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn plain_text_with_percent_signs_stays_text() {
    for text in [
        "50% off",
        "100%",
        "%",
        "5% to 10%",
        "50%OFF and 20%",
        "a%2Fb%20c",
        "caf%C3%A9%21",
        "caf%C3%A9S%20BAR%20",
        "%E2%82%AC%E2%82%AC",
        "%25PROTOCOL%25",
        "%Y%m%d%H%M%S%",
        "%s %d %S%",
        "%name% %Name%",
        "%2REQ% %_REQ%",
        "%PROTO COL%",
        "%PROTOCOL",
        "%PROTOCOL:%",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

#[test]
fn the_content_of_a_raw_block_is_known_by_the_tag_before_it() {
    for (before, raw) in [
        ("{% raw %}", true),
        ("a{%- raw -%} \n", true),
        ("{%raw%}", true),
        ("", false),
        ("{% endraw %}", false),
        ("{% raw %}a{% endraw %}", false),
        ("{{ x }}", false),
        ("{% if raw %}", false),
    ] {
        assert_eq!(is_raw(before), raw, "{before}");
    }
}

#[test]
fn the_called_function_has_a_name_that_the_template_lacks() {
    let command = Command {
        operator: Operator::StartTime(TimeFormat::parse("").unwrap()),
        length: None,
    };
    let source = "{{ command }} %A% {{ command_ }}%%";
    let edits = vec![(32..34, Edit::Percent), (14..17, Edit::Command(command))];
    let rewritten = rewrite(source, edits, 7);
    let expected = "{{ command }} {{ command__(7) }} {{ command_ }}{{ '%' }}";
    assert_eq!(rewritten.text, expected);
    assert!(rewritten.command(7).is_some());
    assert!(rewritten.command(6).is_none());
    assert!(rewritten.command(8).is_none());
}

#[test]
fn times_are_written_as_their_format_says() {
    // Thursday, 5 March 2026, 07:08:09.012345678.
    let time = 1_772_694_489_012_345_678;
    for (format, text) in [
        (TimeFormat::DEFAULT, "2026-03-05T07:08:09.012Z"),
        (
            "%Y/%m/%dT%H:%M:%S%z %s",
            "2026/03/05T07:08:09+0000 1772694489",
        ),
        (
            "%s.%3f %s.%6f %s.%9f %f",
            "1772694489.012 1772694489.012345 1772694489.012345678 012345678",
        ),
        ("%E4Y-%m-%dT%H:%M:%E3S%Ez", "2026-03-05T07:08:09.012+00:00"),
        (
            "%a %A %b %B %h %e %y %j %u %w",
            "Thu Thursday Mar March Mar  5 26 064 4 4",
        ),
        (
            "%I:%M %p %F %T %R %D %Z 100%%",
            "07:08 AM 2026-03-05 07:08:09 07:08 03/05/26 UTC 100%",
        ),
        ("é", "é"),
    ] {
        let mut out = String::new();
        let written = TimeFormat::parse(format).unwrap().append(time, &mut out);
        assert_eq!((written, &*out), (Some(()), text), "{format}");
    }
}

#[test]
fn noon_and_midnight_have_their_hours() {
    for (hour, text) in [(0, "12 AM"), (1, "01 AM"), (12, "12 PM"), (23, "11 PM")] {
        let mut out = String::new();
        let time = hour * 3_600 * 1_000_000_000;
        let written = TimeFormat::parse("%I %p").unwrap().append(time, &mut out);
        assert_eq!((written, &*out), (Some(()), text));
    }
}

#[test]
fn unknown_specifiers_are_named() {
    for (format, specifier) in [
        ("%Y-%Q", "%Q"),
        ("%U%Y", "%U%"),
        ("%", "%"),
        ("%0f", "%0f"),
        ("%3s", "%3s"),
        ("%E3Y", "%E3"),
        ("%c", "%c"),
    ] {
        let error = TimeFormat::parse(format).unwrap_err();
        assert_eq!(error, specifier, "{format}");
    }
}

#[test]
fn the_documentation_lists_every_operator_and_specifier() {
    let text = include_str!("../../../../docs/commands.md");
    for (_, usage) in parse::KNOWN {
        assert!(text.contains(&format!("`{usage}`")), "{usage}");
    }
    for specifier in TimeFormat::SPECIFIERS.split_whitespace() {
        let is_listed = specifier == "to" || text.contains(&format!("`{specifier}`"));
        assert!(is_listed, "{specifier}");
    }
}

#[test]
fn every_documented_specifier_is_known_to_the_formatter() {
    let known = TimeFormat::SPECIFIERS.split_whitespace();
    for specifier in known.filter(|word| *word != "to") {
        assert!(TimeFormat::parse(specifier).is_ok(), "{specifier}");
    }
}

proptest! {
    #[test]
    fn places_are_in_order_and_hold_what_was_found(text in "[%A-F(): é?0-9a]{0,40}") {
        let mut at = 0;
        for (place, token) in scan(&text) {
            prop_assert!(place.start >= at && text.get(place.clone()).is_some());
            if let Token::Operator(_) = token {
                prop_assert!(text[place.clone()].ends_with('%'));
            }
            at = place.end;
        }
    }

    #[test]
    fn any_time_can_be_written(time: i64, format in "[%YmdeHjaAbBfsSEz34 ]{0,10}") {
        if let Ok(format) = TimeFormat::parse(&format) {
            prop_assert_eq!(format.append(time, &mut String::new()), Some(()));
        }
    }
}
