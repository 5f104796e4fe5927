use proptest::prelude::*;
use regex_automata::meta::Regex;

use super::*;

fn all(regex: &str, text: &str) -> Vec<(usize, usize)> {
    let pattern = Pattern::compile(regex, 0).unwrap();
    let mut search = Search::default();
    let (mut found, mut from, mut passed) = (Vec::new(), 0, 0);
    while let Next::Found(it) = pattern.next(&mut search, text, from, Extent::WHOLE, &mut passed) {
        found.push((it.start, it.end));
        from = it.end;
    }
    found
}

/// What begins in an incomplete text.
fn open(regex: &str, text: &str) -> Next {
    let extent = Extent {
        complete: false,
        window: 64,
    };
    let pattern = Pattern::compile(regex, 0).unwrap();
    pattern.next(&mut Search::default(), text, 0, extent, &mut 0)
}

#[test]
fn an_incomplete_text_waits_for_what_could_decide() {
    for (regex, text, waits) in [
        (r"E-[0-9]{6}", "see E-12", Some(4)),
        (r"E-[0-9]{6}", "see E-x", None),
        (r"E-[0-9]{6}\b", "E-123456", Some(0)),
        (r"E-[0-9]+", "E-1", Some(0)),
        (r"a.*?b", "xa ", Some(1)),
        (r"(?m)^a$", "a", Some(0)),
        (r"(?m)^a$", "b\na", Some(2)),
        (r"\bé+\b", "xé", None),
        (r"abcd|b", "ab", Some(0)),
        (r"abcd|b", "abc", Some(0)),
    ] {
        let expected = waits.map_or(Next::Nothing, Next::Waits);
        assert_eq!(open(regex, text), expected, "{regex} in {text}");
    }
}

#[test]
fn what_is_decided_does_not_wait() {
    for (regex, text, range) in [
        (r"E-[0-9]{6}", "E-123456", (0, 8)),
        (r"E-[0-9]+", "E-12 ", (0, 4)),
        (r"a.*?b", "xaab", (1, 4)),
        (r"abcd|b", "abx", (1, 2)),
        (r"ab|abc", "ab", (0, 2)),
    ] {
        let next = open(regex, text);
        assert!(
            matches!(next, Next::Found(it) if (it.start, it.end) == range),
            "{regex} in {text}: {next:?}"
        );
    }
}

#[test]
fn a_text_in_which_everything_may_begin_a_match_takes_linear_time() {
    let pattern = Pattern::compile("[a-z]+X", 0).unwrap();
    let text = "a".repeat(1 << 14);
    let extent = Extent {
        complete: true,
        window: 896,
    };
    let mut search = Search::default();
    let next = pattern.next(&mut search, &text, 0, extent, &mut 0);
    assert_eq!(next, Next::Nothing);
    // Two windows for each stride; one window for each character were 32 times as many.
    let steps = search.steps / text.len();
    assert!(steps <= 28, "{steps} steps for each byte");
}

const REGEXES: &[&str] = &[
    "ab",
    "a+b?",
    "a.*?b",
    "(?s)a.*b",
    "ab|abc|b",
    r"\ba\b",
    r"\b[ab]+\b",
    "(?m)^a|b$",
    "[^a]b",
    r"\w+c",
    "(?i)É+",
    r"\Aa",
    r"c\z",
    "a{2,3}",
    "(a|ab)(c|bcd)?",
    r"\B[bc]",
    "é.",
    r"(?R)c$|ab",
    r"\b{start}a",
    r"b\b{end-half}",
    "a??b",
    "(?-u)[a-c]+",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn whole_texts_are_searched_as_by_the_regex_crate(
        regex in prop::sample::select(REGEXES),
        text in "[abcdÉé \n\r_日]{0,20}",
    ) {
        let expected: Vec<_> = Regex::new(regex)
            .unwrap()
            .find_iter(&text)
            .map(|it| (it.start(), it.end()))
            .collect();
        prop_assert_eq!(all(regex, &text), expected);
    }

    #[test]
    fn what_is_found_before_the_end_is_what_is_found_at_the_end(
        regex in prop::sample::select(REGEXES),
        text in "[abcdÉé \n_日]{0,20}",
        more in "[abcdÉé \n_日]{0,20}",
    ) {
        let whole = all(regex, &format!("{text}{more}")).first().copied();
        match open(regex, &text) {
            Next::Found(it) => prop_assert_eq!(whole, Some((it.start, it.end))),
            Next::Waits(start) => prop_assert!(whole.is_none_or(|it| it.0 >= start)),
            Next::Nothing => prop_assert!(whole.is_none_or(|it| it.0 >= text.len())),
        }
    }
}
