//! The scanner against the reader of whole bodies, cut everywhere.

use proptest::prelude::*;

use super::*;

/// What a body comes to, fed in chunks of `size`.
fn scan(body: &[u8], size: usize) -> Result<ScannedModel, ScanFault> {
    let mut scan = ModelScan::new();
    for chunk in body.chunks(size.max(1)) {
        scan.feed(chunk)?;
    }
    scan.finish().cloned()
}

fn named(body: &str) -> Option<(String, &str)> {
    match scan(body.as_bytes(), body.len()).unwrap() {
        ScannedModel::Named(model) => Some((model.name, &body[model.range])),
        _ => None,
    }
}

#[test]
fn the_model_at_the_top_is_found_however_it_is_spelled() {
    for (body, expected) in [
        (r#"{"model":"m"}"#, Some(("m", r#""m""#))),
        (
            r#" { "model" : "a\"\u00df\ud83c\udf0d" , "x":1}"#,
            Some(("a\"ß🌍", r#""a\"\u00df\ud83c\udf0d""#)),
        ),
        (r#"{"mod\u0065l":"m"}"#, Some(("m", r#""m""#))),
        ("\u{feff}{\"model\":\"m\"}", Some(("m", r#""m""#))),
        (
            r#"{"messages":[{"model":"no","x":{"model":"no"}}],"model":"m"}"#,
            Some(("m", r#""m""#)),
        ),
        (
            r#"{"a":"\"model\":\"no\"","model":"m"}"#,
            Some(("m", r#""m""#)),
        ),
        (r#"{"model":""}"#, Some(("", r#""""#))),
        (
            r#"{"model":"grün \/ blau"}"#,
            Some(("grün / blau", r#""grün \/ blau""#)),
        ),
        (r#"{"model":null,"x":"model"}"#, None),
        (r#"{"model":{"model":"no"}}"#, None),
        (r#"{"model":["no"]}"#, None),
        (r#"{"model":12}"#, None),
        (r#"{"Model":"no"}"#, None),
        (r#"{"models":"no","mode":"no"}"#, None),
        (r#"[{"model":"no"}]"#, None),
        (r#""model""#, None),
        ("1.5e3", None),
        ("{}", None),
    ] {
        let expected = expected.map(|(name, raw)| (name.to_owned(), raw));
        assert_eq!(named(body), expected, "{body}");
        for size in 1..6 {
            let whole = scan(body.as_bytes(), body.len());
            assert_eq!(scan(body.as_bytes(), size), whole, "{body} by {size}");
        }
    }
}

#[test]
fn a_second_model_is_refused_wherever_it_comes() {
    for body in [
        r#"{"model":"a","model":"b"}"#,
        r#"{"model":"a","messages":[],"mod\u0065l":"a"}"#,
        r#"{"model":null,"model":"b"}"#,
        r#"{"model":"a","Model":"b"}"#,
        r#"{"MODEL":1,"model":"b"}"#,
        r#"{"\u006dodel":"a","model":"a"}"#,
    ] {
        for size in 1..body.len() {
            assert_eq!(
                scan(body.as_bytes(), size),
                Err(ScanFault::Repeated),
                "{body}"
            );
        }
    }
    let mut scan = ModelScan::new();
    assert!(matches!(
        scan.feed(br#"{"model":"a","#),
        Ok(ScannedModel::Named(_))
    ));
    assert!(matches!(
        scan.feed(br#""x":[1,{"model":"b"}],"#),
        Ok(ScannedModel::Named(_))
    ));
    assert_eq!(scan.feed(br#""model""#), Err(ScanFault::Repeated));
    assert_eq!(scan.feed(b":1}"), Err(ScanFault::Repeated));
    assert_eq!(scan.finish(), Err(ScanFault::Repeated));
}

#[test]
fn the_model_is_known_with_its_last_byte() {
    let body = br#"{"stream":true,"model":"gpt","messages":[]}"#;
    let mut scan = ModelScan::new();
    for (at, byte) in body.iter().enumerate() {
        let known = scan.feed(&[*byte]).unwrap() != &ScannedModel::Unknown;
        assert_eq!(known, at >= 27, "{at}");
    }
    let mut scan = ModelScan::new();
    assert_eq!(scan.feed(br#"{"model":"#), Ok(&ScannedModel::Unknown));
    assert_eq!(scan.feed(b"n"), Ok(&ScannedModel::Absent));
}

#[test]
fn what_is_not_json_is_refused() {
    for body in [
        "",
        " ",
        "{",
        r#"{"model""#,
        r#"{"model":"a"#,
        r#"{"model":"a"}}"#,
        r#"{"model":"a"} x"#,
        r#"{'model':"a"}"#,
        r#"{model:"a"}"#,
        r#"{"model":"a",}"#,
        r#"{"model" "a"}"#,
        "[1,]",
        "[,1]",
        "{\"a\":\"\n\"}",
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12g4"}"#,
        "01",
        "1.",
        "-",
        "1e",
        "1e+",
        "+1",
        ".5",
        "tru",
        "truex",
        "nul",
        "1 2",
        "// no\n{}",
        "\u{feff}",
        "]",
        "[}",
        "{]",
        "NaN",
    ] {
        for size in 1..=body.len().max(1) {
            assert_eq!(
                scan(body.as_bytes(), size),
                Err(ScanFault::NotJson),
                "{body:?}"
            );
        }
    }
    for body in [
        &b"{\"a\":\"\xff\"}"[..],
        b"{\"a\":\"\xc3\"}",
        b"\xef\xbb{}",
        b"{\"a\":\"\xed\xa0\x80\"}",
    ] {
        for size in 1..=body.len() {
            assert_eq!(scan(body, size), Err(ScanFault::NotJson), "{body:?}");
        }
    }
}

#[test]
fn nesting_has_an_end() {
    let deep = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
    assert_eq!(scan(&deep(MAX_NESTING), 4096), Ok(ScannedModel::Absent));
    assert_eq!(scan(&deep(MAX_NESTING + 1), 4096), Err(ScanFault::TooDeep));
}

#[test]
fn long_keys_take_no_memory() {
    let body = format!(r#"{{"{}":1,"model":"m"}}"#, "\\u006d".repeat(1000));
    let mut scan = ModelScan::new();
    scan.feed(body.as_bytes()).unwrap();
    assert!(scan.token.capacity() < 128, "{}", scan.token.capacity());
    assert!(matches!(scan.finish(), Ok(ScannedModel::Named(_))));
}

#[test]
fn another_name_takes_the_place_of_its_bytes() {
    let mut held = br#"{"model": "fast", "n": 1.0"#.to_vec();
    let mut scan = ModelScan::new();
    let Ok(ScannedModel::Named(model)) = scan.feed(&held) else {
        panic!("it is there");
    };
    assert_eq!(model.rename(&mut held, "a \"b\""), 3);
    assert_eq!(held, br#"{"model": "a \"b\"", "n": 1.0"#);
    assert_eq!(model.rename(&mut vec![b'{'], "x"), 0);
}

proptest! {
    #[test]
    fn any_text_is_taken_or_refused_as_by_the_reader(
        text in r#"(\{|\}|\[|\]|"model"|"m"|"x"|:|,| |1|-|\.5|e3|true|null|"\\u006dodel"|"ß\\n"){0,12}"#,
        size in 1usize..8,
    ) {
        let mut models = Vec::new();
        let mut likeness = 0;
        let whole = read(&text, |reader| {
            reader.entries(|key, reader| {
                if key.is(MODEL) {
                    likeness += 1;
                    models.push(reader.value()?);
                }
                Ok(())
            })
        });
        let scanned = scan(text.as_bytes(), size);
        match whole {
            Err(_) => prop_assert!(matches!(scanned, Err(ScanFault::NotJson | ScanFault::Repeated))),
            Ok(()) if likeness > 1 => prop_assert_eq!(scanned, Err(ScanFault::Repeated)),
            Ok(()) => {
                let named = models.first().and_then(|raw| {
                    let name = raw.as_str()?.into_owned();
                    Some(NamedModel { name, range: raw.range() })
                });
                let expected = named.map_or(ScannedModel::Absent, ScannedModel::Named);
                prop_assert_eq!(scanned, Ok(expected));
            }
        }
    }

    #[test]
    fn any_bytes_are_taken_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
        size in 1usize..9,
    ) {
        // Which of two faults is met first may depend on the cuts.
        let whole = scan(&bytes, 64).map_err(drop);
        prop_assert_eq!(scan(&bytes, size).map_err(drop), whole);
    }
}
