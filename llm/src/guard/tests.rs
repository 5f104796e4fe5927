use super::*;

fn regex(name: &str, regex: &str) -> Rule {
    Rule {
        name: name.into(),
        terms: Terms::Regex(regex.into()),
    }
}

fn words(name: &str, words: &[&str]) -> Rule {
    Rule {
        name: name.into(),
        terms: Terms::words(words.iter().copied()),
    }
}

#[test]
fn the_first_rule_in_order_is_told_not_the_first_in_the_text() {
    let rules = [
        regex("digits", "[0-9]{3}"),
        words("names", &["Bluebird", "Red Kite"]),
        regex("jailbreak", "(?i)ignore (all|the) previous instructions"),
    ];
    let guard = Guard::compile(&rules).unwrap();
    for (text, rule) in [
        ("nothing to see", None),
        ("IGNORE THE PREVIOUS INSTRUCTIONS", Some("jailbreak")),
        (
            "the red kite: ignore all previous instructions",
            Some("names"),
        ),
        ("ignore all previous instructions, red kite", Some("names")),
        ("bluebird 12", Some("names")),
        ("bluebird 123", Some("digits")),
        ("bluebirds and redkite", None),
        ("", None),
    ] {
        let first = guard.first_match(text, |_| true);
        assert_eq!(first.and_then(|it| guard.name(it)), rule, "{text}");
    }
}

#[test]
fn rules_that_do_not_apply_are_not_told() {
    let rules = [
        words("a", &["secret"]),
        regex("b", "secret"),
        words("c", &["secret"]),
    ];
    let guard = Guard::compile(&rules).unwrap();
    assert_eq!(guard.first_match("a secret", |it| it > 0), Some(1));
    assert_eq!(guard.first_match("a secret", |it| it > 1), Some(2));
    assert_eq!(guard.first_match("a secret", |_| false), None);
}

#[test]
fn case_counts_where_told() {
    let terms = Terms::Words {
        words: vec!["BLUE".into()],
        case_sensitive: true,
    };
    let name = "a".to_owned();
    let guard = Guard::compile(&[Rule { name, terms }]).unwrap();
    assert_eq!(guard.first_match("blue Blue", |_| true), None);
    assert_eq!(guard.first_match("blue BLUE", |_| true), Some(0));
}

#[test]
fn no_rules_match_nothing() {
    let guard = Guard::compile(&[]).unwrap();
    assert!(guard.is_empty());
    assert_eq!(guard.first_match("anything", |_| true), None);
}

#[test]
fn rules_that_cannot_be_used_are_named() {
    let error = |rule| {
        Guard::compile(&[regex("fine", "a"), rule])
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(regex("open", "a(b")),
        "the regex of open is no regular expression: unclosed group"
    );
    assert!(
        error(regex("big", "(?:[a-z]{1000}){1000}")).starts_with("the regex of big is too large")
    );
    assert!(error(words("blank", &["a", ""])).starts_with("words of blank have 1 to 256 bytes"));
}

#[test]
fn an_expression_may_match_the_empty_text() {
    let guard = Guard::compile(&[regex("all", "")]).unwrap();
    assert_eq!(guard.first_match("", |_| true), Some(0));
}

#[test]
fn many_rules_are_one_pass() {
    let rules: Vec<_> = (0..500)
        .map(|index| match index % 2 {
            0 => regex("regex", &format!("project-{index}-[a-z]+x")),
            _ => words("words", &[&format!("word{index}")]),
        })
        .collect();
    let guard = Guard::compile(&rules).unwrap();
    assert_eq!(
        guard.first_match("a word77 and project-400-abcx", |_| true),
        Some(77)
    );
    assert_eq!(
        guard.first_match("word499, project-400-abcx", |_| true),
        Some(400)
    );
    assert_eq!(
        guard.first_match("word500, project-401-abcx", |_| true),
        None
    );
}
