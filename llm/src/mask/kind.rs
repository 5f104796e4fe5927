//! The kinds of values that are recognised without being described, and what may be done with a value.
//!
//! Called on the main thread, when a configuration is read: both are spelled as we do or as others do.

use std::fmt;

/// A kind of value with a recogniser of its own. The order is that of the documentation: of two
/// matches that begin and end at the same places, the earlier row wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `local@domain.tld`.
    Email,
    /// International numbers with `+`, North American ones with separators.
    Phone,
    /// Payment cards: 13 to 19 digits that pass Luhn's check.
    CreditCard,
    /// US social security numbers.
    Ssn,
    /// International bank account numbers.
    Iban,
    /// IPv4 and IPv6 addresses.
    Ip,
    /// Tokens with a known prefix and length.
    ApiKey,
    /// JSON web tokens.
    Jwt,
    /// PEM blocks of private keys.
    PrivateKey,
}

/// Our name of a kind in placeholders, our name in configurations, and what others call it.
const SPELLINGS: [(Kind, &str, &str, &[&str]); 9] = [
    (Kind::Email, "EMAIL", "email", &["emailAddress"]),
    (Kind::Phone, "PHONE", "phone", &["phoneNumber"]),
    (Kind::CreditCard, "CREDIT_CARD", "credit-card", &[]),
    (Kind::Ssn, "SSN", "ssn", &["usSsn"]),
    (Kind::Iban, "IBAN", "iban", &["ibanCode"]),
    (Kind::Ip, "IP", "ip", &["ipAddress"]),
    (Kind::ApiKey, "API_KEY", "api-key", &[]),
    (Kind::Jwt, "JWT", "jwt", &[]),
    (Kind::PrivateKey, "PRIVATE_KEY", "private-key", &[]),
];

impl Kind {
    /// All kinds, in their order.
    pub const ALL: [Kind; 9] = [
        Kind::Email,
        Kind::Phone,
        Kind::CreditCard,
        Kind::Ssn,
        Kind::Iban,
        Kind::Ip,
        Kind::ApiKey,
        Kind::Jwt,
        Kind::PrivateKey,
    ];

    /// The name in placeholders and counts: `CREDIT_CARD`.
    pub fn name(self) -> &'static str {
        self.spelling().1
    }

    /// The name in configurations: `credit-card`. What a message about unknown kinds lists.
    pub fn configured(self) -> &'static str {
        self.spelling().2
    }

    /// Reads a name of ours or of others (`credit-card`, `creditCard`, `CREDIT_CARD`, `US_SSN`,
    /// `EMAIL_ADDRESS`), whatever its case, hyphens and underscores.
    pub fn parse(name: &str) -> Option<Kind> {
        let is = |other: &&str| same(name, other);
        let mut rows = SPELLINGS.iter();
        let row = rows.find(|(_, ours, _, others)| is(ours) || others.iter().any(is));
        row.map(|&(kind, ..)| kind)
    }

    fn spelling(self) -> &'static (Kind, &'static str, &'static str, &'static [&'static str]) {
        // The table has a row for each kind, in the same order, as a test says.
        SPELLINGS.get(self as usize).unwrap_or(&SPELLINGS[0])
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is done with a value that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A numbered placeholder stands in its place, and becomes the value again in the response.
    Mask,
    /// A keyed digest stands in its place, for good.
    Hash,
    /// The request is refused. In responses it is as `Mask`.
    Block,
    /// It is counted, and stays.
    Monitor,
}

impl Action {
    /// All actions.
    pub const ALL: [Action; 4] = [Action::Mask, Action::Hash, Action::Block, Action::Monitor];

    /// The name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Action::Mask => "mask",
            Action::Hash => "hash",
            Action::Block => "block",
            Action::Monitor => "monitor",
        }
    }

    /// Reads a name of ours or of others, in any case: `block` is also `reject`.
    pub fn parse(name: &str) -> Option<Action> {
        if same(name, "reject") {
            return Some(Action::Block);
        }
        Action::ALL.into_iter().find(|it| same(name, it.name()))
    }
}

/// Whether two names have the same letters and digits.
fn same(one: &str, other: &str) -> bool {
    let letters = |name: &str| -> Vec<char> {
        let kept = name.chars().filter(|it| !matches!(it, '-' | '_' | ' '));
        kept.map(|it| it.to_ascii_lowercase()).collect()
    };
    letters(one) == letters(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_each_kind() {
        for kind in Kind::ALL {
            assert_eq!(kind.spelling().0, kind);
            assert_eq!(Kind::parse(kind.name()), Some(kind));
            assert_eq!(Kind::parse(kind.configured()), Some(kind));
        }
    }

    #[test]
    fn names_of_others_are_understood() {
        for (name, kind) in [
            ("creditCard", Kind::CreditCard),
            ("phoneNumber", Kind::Phone),
            ("EMAIL_ADDRESS", Kind::Email),
            ("PHONE_NUMBER", Kind::Phone),
            ("US_SSN", Kind::Ssn),
            ("IBAN_CODE", Kind::Iban),
            ("IP_ADDRESS", Kind::Ip),
            ("apiKey", Kind::ApiKey),
        ] {
            assert_eq!(Kind::parse(name), Some(kind), "{name}");
        }
        for name in ["", "mail", "passport", "e mail address of mine"] {
            assert_eq!(Kind::parse(name), None, "{name}");
        }
    }

    #[test]
    fn actions_of_others_are_understood() {
        for (name, action) in [
            ("reject", Action::Block),
            ("BLOCK", Action::Block),
            ("MASK", Action::Mask),
            ("hash", Action::Hash),
            ("Monitor", Action::Monitor),
        ] {
            assert_eq!(Action::parse(name), Some(action), "{name}");
        }
        assert_eq!(Action::parse("redact"), None);
    }
}
