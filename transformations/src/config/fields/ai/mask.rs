//! The fields of `mask`. Kinds and actions may also be spelt as others do, which the reader knows.

use llm::mask::{Action, Returns};

use super::stages::{CASE_SENSITIVE, REGEX, ROLE_WORDS};
use crate::config::fields::shape::{Flag, List, Text, Words};
use crate::config::fields::{Field, Object};

/// `mask.detectors`
pub static DETECTORS: Field<&Object> = Field::new(
    "detectors",
    &DETECTOR_ACTIONS,
    "`{\"email\": \"mask\"}`: what becomes of the values of each kind; see [kinds](#kinds)",
);

/// `mask.patterns`
pub static PATTERNS: Field<List> = Field::new(
    "patterns",
    List { of: &&PATTERN },
    "list of `{\"name\", \"regex\", \"action\"}`: expressions of your own",
);

/// `mask.words`
pub static WORD_LISTS: Field<List> = Field::new(
    "words",
    List { of: &&WORD_LIST },
    "list of `{\"name\", \"words\", \"action\"}`: words of your own, each looked for as a whole word",
);

/// `mask.roles`
pub static ROLES: Field<List> = Field::new(
    "roles",
    List { of: &ROLE_WORDS },
    "whose words of a request are looked at: `system`, `user`, `assistant`, `tool`",
)
.or_else("`user`, `assistant`, `tool`");

/// `mask.response`; none is for leaving it alone.
pub static RESPONSE: Field<Words<Option<Returns>>> = Field::new(
    "response",
    Words {
        all: &[
            ("restore", Some(Returns::Restore)),
            ("mask", Some(Returns::Mask)),
            ("both", Some(Returns::Both)),
            ("off", None),
        ],
        default: Some(Some(Returns::Restore)),
    },
    "`restore` puts the values of this request in the place of their placeholders; `mask` masks what \
     the response has of its own, and restores nothing; `both` masks that, then restores; `off` leaves \
     responses alone",
);

/// `mask.onError`; true for letting pass.
pub static ON_ERROR: Field<Words<bool>> = Field::new(
    "onError",
    Words {
        all: &[("refuse", false), ("pass", true)],
        default: Some(false),
    },
    "what becomes of what cannot be looked at; `pass` lets it go on as it came, unmasked",
);

/// `mask.shadow`
pub static SHADOW: Field<Flag> = Field::new(
    "shadow",
    Flag {
        default: Some(false),
    },
    "looks for values, counts and publishes them, and lets messages go on as they came",
);

/// `mask.hashKeyFile`
pub static HASH_KEY_FILE: Field<Text> = Field::new(
    "hashKeyFile",
    Text::Plain,
    "a file with the key of digests, 16 bytes to 4 KiB, so that all processes that have it make the \
     same ones; it is read with the configuration, without a line end that it ends with",
)
.or_else("a key that is random for each process");

/// What is masked.
pub static MASK: Object = Object {
    name: "mask",
    text: "What is masked, and what becomes of it in responses.",
    groups: &[&[
        &DETECTORS,
        &PATTERNS,
        &WORD_LISTS,
        &ROLES,
        &RESPONSE,
        &ON_ERROR,
        &SHADOW,
        &HASH_KEY_FILE,
    ]],
};

/// The actions by their names.
const ACTIONS: &[(&str, Action)] = &[
    ("mask", Action::Mask),
    ("hash", Action::Hash),
    ("block", Action::Block),
    ("monitor", Action::Monitor),
];

const fn detector(name: &'static str, text: &'static str) -> Field<Words<Action>> {
    Field::new(
        name,
        Words {
            all: ACTIONS,
            default: None,
        },
        text,
    )
    .or_else("not looked for")
}

static EMAIL: Field<Words<Action>> = detector("email", "e-mail addresses");
static PHONE: Field<Words<Action>> = detector("phone", "telephone numbers");
static CREDIT_CARD: Field<Words<Action>> = detector("credit-card", "numbers of payment cards");
static SSN: Field<Words<Action>> = detector("ssn", "US social security numbers");
static IBAN: Field<Words<Action>> = detector("iban", "international bank account numbers");
static IP: Field<Words<Action>> = detector("ip", "IP addresses");
static API_KEY: Field<Words<Action>> = detector("api-key", "keys of services");
static JWT: Field<Words<Action>> = detector("jwt", "JSON web tokens");
static PRIVATE_KEY: Field<Words<Action>> = detector("private-key", "private keys");

/// What becomes of the values of each kind.
pub static DETECTOR_ACTIONS: Object = Object {
    name: "detectors",
    text: "What becomes of the values of each kind: `mask`, `hash`, `block` or `monitor`.",
    groups: &[&[
        &EMAIL,
        &PHONE,
        &CREDIT_CARD,
        &SSN,
        &IBAN,
        &IP,
        &API_KEY,
        &JWT,
        &PRIVATE_KEY,
    ]],
};

/// `name` of a pattern or a list of words
pub static NAME: Field<Text> = Field::new(
    "name",
    Text::Plain,
    "what its values are called in placeholders and counts: letters, digits and underscores, such as \
     `EMPLOYEE`",
)
.needed();

/// `words` of a list
pub static WORDS: Field<List> = Field::new(
    "words",
    List { of: &Text::Plain },
    "words, each of which is looked for as a whole word",
)
.needed();

/// `regex` of a pattern
pub static PATTERN_REGEX: Field<Text> = REGEX.needed();

/// `action` of a pattern or a list of words
pub static ACTION: Field<Words<Action>> = Field::new(
    "action",
    Words {
        all: ACTIONS,
        default: Some(Action::Mask),
    },
    "what becomes of its values: `mask`, `hash`, `block` or `monitor`",
);

/// An expression of the operator.
pub static PATTERN: Object = Object {
    name: "maskPattern",
    text: "An expression whose matches are masked.",
    groups: &[&[&NAME, &PATTERN_REGEX, &ACTION]],
};

/// Words of the operator.
pub static WORD_LIST: Object = Object {
    name: "maskWords",
    text: "Words that are masked.",
    groups: &[&[&NAME, &WORDS, &CASE_SENSITIVE, &ACTION]],
};

#[cfg(test)]
mod tests {
    use llm::mask::Kind;

    use super::*;

    #[test]
    fn every_kind_and_every_action_has_its_word() {
        let detectors: Vec<_> = DETECTOR_ACTIONS.fields().map(|field| field.name).collect();
        assert_eq!(detectors, Kind::ALL.map(Kind::configured));
        assert_eq!(ACTIONS, Action::ALL.map(|action| (action.name(), action)));
    }
}
