//! What masking costs: prose and programs without anything to find, texts with values, and the pieces
//! of a stream.
//!
//! Run with `cargo bench -p llm --bench mask`.

#![expect(clippy::unwrap_used, reason = "a failure here is a broken benchmark")]

use std::sync::Arc;

use divan::{Bencher, black_box, counter::BytesCount, counter::ItemsCount};
use llm::guard::{Guard, Rule, Terms};
use llm::mask::{
    Action, Form, Kind, Masker, PatternSetting, Returns, Running, Settings, WordsSetting,
};

fn main() {
    divan::main();
}

const SIZE: usize = 64 * 1024;

const PROSE: &str = "The committee met on Tuesday to discuss the new library. It was agreed, after a \
    long debate (in which nearly everybody spoke), that the reading room should face north; \
    the cost - about 12,500 in all - would be shared. \"We begin in 2027,\" said the chair.\n";

const PROGRAM: &str = "fn next_line(&mut self, at: usize) -> Option<&str> {\n    let rest = \
    self.text.get(at..self.len - 1)?;\n    match rest.find('\\n') { Some(0) => None, Some(it) => \
    std::str::from_utf8(&rest[..it]).ok(), None => Some(\"x_y\") }\n}\n";

const VALUES: &str = "Please write to jo@example.com or call +49 30 1234567; the card is \
    4111 1111 1111 1111 and the server 10.0.0.1. Thanks a lot for looking into it so soon.\n";

fn long(text: &str) -> String {
    text.chars().cycle().take(SIZE).collect()
}

fn settings() -> Settings {
    Settings {
        detectors: Kind::ALL.map(|kind| (kind, Action::Mask)).to_vec(),
        ..Settings::default()
    }
}

fn own() -> Settings {
    Settings {
        patterns: vec![PatternSetting {
            name: "EMPLOYEE".into(),
            regex: r"\bE-[0-9]{6}\b".into(),
            action: Action::Mask,
        }],
        words: vec![WordsSetting {
            name: "CODENAME".into(),
            words: (0..100).map(|it| format!("Bluebird{it}")).collect(),
            case_sensitive: false,
            action: Action::Mask,
        }],
        ..settings()
    }
}

fn mask(bencher: Bencher<'_, '_>, settings: &Settings, text: &str) {
    let text = long(text);
    let masker = Arc::new(Masker::compile(settings).unwrap());
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        let mut masking = masker.open();
        masking.reserve(&text);
        masking.mask(black_box(&text), Form::Plain).unwrap().len()
    });
}

#[divan::bench(args = [("prose", PROSE), ("a program", PROGRAM), ("values", VALUES)])]
fn all_detectors_over_64_kib(bencher: Bencher<'_, '_>, (_, text): (&str, &str)) {
    mask(bencher, &settings(), text);
}

#[divan::bench(args = [("prose", PROSE), ("a program", PROGRAM), ("values", VALUES)])]
fn with_a_pattern_and_a_hundred_words(bencher: Bencher<'_, '_>, (_, text): (&str, &str)) {
    mask(bencher, &own(), text);
}

#[divan::bench(args = [Returns::Restore, Returns::Mask, Returns::Both])]
fn two_hundred_pieces_of_a_stream(bencher: Bencher<'_, '_>, returns: Returns) {
    let masker = Arc::new(Masker::compile(&settings()).unwrap());
    let mut request = masker.open();
    request.mask(VALUES, Form::Plain).unwrap();
    let mut response = request.into_response(returns);
    let reply = "Certainly: I will write to [EMAIL_1] and then call [PHONE_1] at once. ".repeat(12);
    let pieces: Vec<_> = reply.split_inclusive(' ').take(200).collect();
    bencher
        .counter(ItemsCount::new(pieces.len()))
        .bench_local(|| {
            let mut running = Running::new(Form::Plain);
            let mut out = String::new();
            for piece in &pieces {
                out.clear();
                running.push(&mut response, piece, &mut out);
                black_box(&out);
            }
            running.end(&mut response, &mut out);
        });
}

#[divan::bench(args = [1, 10, 100, 1000])]
fn a_guard_with_this_many_rules_over_64_kib(bencher: Bencher<'_, '_>, rules: usize) {
    let rules: Vec<_> = (0..rules)
        .map(|index| Rule {
            name: index.to_string(),
            terms: match index % 2 {
                0 => Terms::Regex(format!(
                    "(?i)ignore rule {index} and .{{0,20}} instructions"
                )),
                _ => Terms::words([format!("Bluebird{index}")]),
            },
        })
        .collect();
    let guard = Guard::compile(&rules).unwrap();
    let text = long(PROSE);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| guard.first_match(black_box(&text), |_| true));
}
