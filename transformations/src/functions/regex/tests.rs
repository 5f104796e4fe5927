use proptest::prelude::*;

use super::*;

fn replace(pattern: &str, text: &str, replacement: &str) -> Result<String, Fault> {
    let mut patterns = Patterns::default();
    patterns.add(pattern).unwrap();
    patterns.replace(pattern, text, replacement, 1_000)
}

#[test]
fn an_expression_matches_anywhere_unless_it_is_anchored() {
    for (pattern, text, matches) in [
        ("b+", "abbc", true),
        ("^b+", "abbc", false),
        ("(?i)BEARER", "bearer x", true),
        ("^$", "", true),
        (r"^\p{L}+$", "né", true),
    ] {
        let mut patterns = Patterns::default();
        patterns.add(pattern).unwrap();
        assert_eq!(
            patterns.matches(pattern, text),
            Ok(matches),
            "{pattern} {text}"
        );
    }
}

#[test]
fn every_match_is_replaced_and_groups_are_filled_in() {
    for (pattern, text, replacement, replaced) in [
        ("b", "abcb", "x", "axcx"),
        ("z", "abc", "x", "abc"),
        ("", "ab", "-", "-a-b-"),
        (
            r"(\w+)@(\w+)",
            "me@here you@there",
            "$2 at ${1}",
            "here at me there at you",
        ),
        (
            r"(?P<year>\d{4})-(\d\d)",
            "2026-11",
            "$2/${year}",
            "11/2026",
        ),
        ("a", "a", "$0$0", "aa"),
        ("a", "a", "$$1", "$1"),
        ("(x)?a", "a", "[$1]", "[]"),
        (r"(\d)", "1", "${1}0", "10"),
        ("é", "né", "e", "ne"),
    ] {
        assert_eq!(
            replace(pattern, text, replacement).as_deref(),
            Ok(replaced),
            "{pattern}"
        );
    }
}

#[test]
fn a_replacement_names_only_groups_that_exist() {
    for (replacement, fault) in [
        ("$2", Fault::UnknownGroup),
        ("$10", Fault::UnknownGroup),
        ("${name}", Fault::UnknownGroup),
        ("$99999999999999999999", Fault::UnknownGroup),
        ("$", Fault::Replacement),
        ("$x", Fault::Replacement),
        ("${1", Fault::Replacement),
        ("${}", Fault::Replacement),
    ] {
        let regex = compile("(a)").unwrap();
        assert_eq!(
            check_replacement(&regex, replacement),
            Err(fault),
            "{replacement}"
        );
        assert_eq!(
            replace("(a)", "b", replacement),
            Err(fault),
            "{replacement}"
        );
    }
}

#[test]
fn an_expression_that_was_not_added_is_refused() {
    let patterns = Patterns::default();
    assert_eq!(patterns.matches("a", "a"), Err(Fault::UnknownPattern));
    assert_eq!(
        patterns.replace("a", "a", "", 9),
        Err(Fault::UnknownPattern)
    );
}

#[test]
fn a_replacement_that_multiplies_stops_at_the_limit() {
    let text = "a".repeat(400);
    assert_eq!(
        replace("^a+$", &text, "$0$0").map(|replaced| replaced.len()),
        Ok(800)
    );
    assert_eq!(replace("^a+$", &text, "$0$0$0"), Err(Fault::TooLarge));
    assert_eq!(replace("b", &"a".repeat(1_001), ""), Err(Fault::TooLarge));
}

#[test]
fn a_bad_expression_is_explained_in_one_line() {
    for (pattern, reason) in [
        ("(", "unclosed group"),
        (
            "a{2,1}",
            "invalid repetition count range, the start must be <= the end",
        ),
        (
            "(?=a)",
            "look-around, including look-ahead and look-behind, is not supported",
        ),
        (r"(a)\1", "backreferences are not supported"),
        (
            r"\w{5000}",
            "it needs more than 1048576 bytes when compiled",
        ),
    ] {
        assert_eq!(compile(pattern).unwrap_err(), reason, "{pattern}");
    }
}

#[test]
fn the_classic_catastrophe_is_linear() {
    let text = format!("{}!", "a".repeat(100_000));
    let mut patterns = Patterns::default();
    patterns.add("^(a+)+$").unwrap();
    let start = std::time::Instant::now();
    assert_eq!(patterns.matches("^(a+)+$", &text), Ok(false));
    assert!(start.elapsed().as_secs() < 5);
}

proptest! {
    #[test]
    fn any_expression_and_replacement_give_a_result_or_a_reason(
        pattern in "[ab()\\[\\]*+?|.^$\\\\]{0,12}", text in "[ab\n]{0,20}", replacement in "[a$0-2{}]{0,8}",
    ) {
        let mut patterns = Patterns::default();
        match patterns.add(&pattern) {
            Err(reason) => prop_assert!(!reason.is_empty() && !reason.contains('\n')),
            Ok(_) => {
                if let Ok(replaced) = patterns.replace(&pattern, &text, &replacement, 64) {
                    prop_assert!(replaced.len() <= 64);
                }
            }
        }
    }

    #[test]
    fn replacements_without_dollars_agree_with_the_regex_crate(
        pattern in "[ab.?*]{1,4}", text in "[abc]{0,20}", replacement in "[xy]{0,3}",
    ) {
        if let Ok(regex) = compile(&pattern) {
            let expected = regex.replace_all(&text, replacement.as_str()).into_owned();
            prop_assert_eq!(replace(&pattern, &text, &replacement), Ok(expected));
        }
    }
}
