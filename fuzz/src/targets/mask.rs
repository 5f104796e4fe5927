//! Masking: what was masked comes back, chunks never change what comes out, and no more waits than is
//! allowed.
//!
//! The first section is the text of a request, the second that of a response.

use std::sync::{Arc, LazyLock};

use llm::mask::{
    Action, Form, HashKey, Kind, MAX_WAITING, Masker, Masking, PatternSetting, Returns, Running,
    Settings, Unmasking, WordsSetting, apply,
};

use super::{Choices, Outcome};
use crate::goldens::Goldens;
use crate::scene::sections;

/// Every kind, expressions with every sort of assertion, and words.
static MASKER: LazyLock<Option<Arc<Masker>>> = LazyLock::new(|| {
    let pattern = |name: &str, regex: &str| PatternSetting {
        name: name.into(),
        regex: regex.into(),
        action: Action::Mask,
    };
    let settings = Settings {
        detectors: Kind::ALL.map(|kind| (kind, Action::Mask)).to_vec(),
        patterns: vec![
            pattern("EMPLOYEE", r"\bE-[0-9]{6}\b"),
            pattern("LAZY", r"(?is)<secret>.*?</secret>"),
            pattern("LINE", r"(?m)^key=\S+$|\bkey\b{end-half}"),
            pattern("RUN", r"[a-c]+[0-9]"),
        ],
        words: vec![WordsSetting {
            name: "CODENAME".into(),
            words: ["Bluebird", "Red Kite", "秘密", "C++"]
                .map(String::from)
                .to_vec(),
            case_sensitive: false,
            action: Action::Mask,
        }],
        hash_key: HashKey::new(b"key"),
    };
    Masker::compile(&settings).ok().map(Arc::new)
});

pub(super) fn run(input: &[u8]) -> Outcome {
    let Some(masker) = MASKER.as_ref() else {
        panic!("settings that do not compile");
    };
    let mut sections = sections(input);
    let mut next = || String::from_utf8_lossy(sections.next().unwrap_or_default()).into_owned();
    let (request, response) = (next(), next());
    let mut choices = Choices::of(input);

    let open = |returns| -> Option<(String, Unmasking)> {
        let mut masking: Masking = masker.open();
        masking.reserve(&request);
        masking.reserve(&response);
        let edits = masking.mask(&request, Form::Plain).ok()?;
        Some((apply(&request, &edits), masking.into_response(returns)))
    };
    let Some((masked, mut restoring)) = open(Returns::Restore) else {
        return Outcome::of("too many values");
    };
    let edits = restoring.edits(&masked, Form::Plain);
    assert_eq!(
        apply(&masked, &edits),
        request,
        "what was masked did not come back"
    );
    let came = stream(&mut restoring, Form::Plain, &choices.texts(&masked));
    assert_eq!(came, request, "what was masked did not come back in pieces");

    let returns = [Returns::Restore, Returns::Mask, Returns::Both][choices.below(3)];
    let form = if choices.flip() {
        Form::Plain
    } else {
        Form::Json
    };
    let text = format!("{response}{masked}");
    let through = |chunks: &[&str]| {
        let (_, mut response) = open(returns)?;
        let came = stream(&mut response, form, chunks);
        Some((came, response.found_kinds()))
    };
    let whole = through(&[&text]);
    assert_eq!(
        whole,
        through(&choices.texts(&text)),
        "chunks change the text"
    );
    let kinds = whole.map(|(_, kinds)| kinds);
    Outcome::of((kinds, returns == Returns::Restore, form == Form::Json))
}

/// What comes out of a text that comes in pieces.
fn stream(response: &mut Unmasking, form: Form, pieces: &[&str]) -> String {
    let mut running = Running::new(form);
    let mut out = String::new();
    for piece in pieces {
        running.push(response, piece, &mut out);
        let most = if form == Form::Json { 12 } else { 1 } * MAX_WAITING;
        assert!(running.waiting() <= most, "too much waits");
    }
    running.end(response, &mut out);
    assert_eq!(running.waiting(), 0, "something was lost");
    out
}

impl Choices {
    /// As [`chunks`](Self::chunks), cut between characters.
    pub(super) fn texts<'t>(&mut self, text: &'t str) -> Vec<&'t str> {
        let chunks = self.chunks(text.as_bytes());
        let mut places = vec![0];
        let mut at = 0;
        for chunk in chunks {
            at += chunk.len();
            let place = (at..=text.len()).find(|&it| text.is_char_boundary(it));
            places.extend(place.filter(|it| Some(it) >= places.last()));
        }
        let pairs = places.windows(2);
        pairs
            .filter_map(|pair| text.get(pair[0]..pair[1]))
            .collect()
    }
}

/// The examples of each kind.
pub(super) fn seeds(_: &Goldens) -> Vec<Vec<u8>> {
    let examples = [
        include_str!("../../../llm/src/mask/detect/examples/api_key.txt"),
        include_str!("../../../llm/src/mask/detect/examples/credit_card.txt"),
        include_str!("../../../llm/src/mask/detect/examples/email.txt"),
        include_str!("../../../llm/src/mask/detect/examples/iban.txt"),
        include_str!("../../../llm/src/mask/detect/examples/ip.txt"),
        include_str!("../../../llm/src/mask/detect/examples/jwt.txt"),
        include_str!("../../../llm/src/mask/detect/examples/phone.txt"),
        include_str!("../../../llm/src/mask/detect/examples/private_key.txt"),
        include_str!("../../../llm/src/mask/detect/examples/ssn.txt"),
    ];
    let lines = examples.iter().flat_map(|it| it.lines());
    let plain = |line: &str| {
        line.replace(['«', '»', '¦'], "")
            .replace('␤', "\n")
            .into_bytes()
    };
    lines.map(plain).collect()
}
