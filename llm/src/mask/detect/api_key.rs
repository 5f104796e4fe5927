//! Keys of programming interfaces: tokens whose beginning and length are known.

use super::super::ahead::{Ahead, Verdict};

/// A form of keys.
#[derive(Debug)]
pub(super) struct Form {
    /// What it begins with.
    pub(super) prefix: &'static str,
    alphabet: Alphabet,
    /// How many characters follow, least and most.
    length: (usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    /// Letters and digits.
    Plain,
    /// Letters and digits, of these at least one digit: names with hyphens are no keys.
    Mixed,
    /// Letters, digits, `-` and `_`.
    Url,
    /// Capitals and digits.
    Capitals,
    /// Hexadecimal digits.
    Hex,
    /// Two parts in base64url with a dot between.
    SendGrid,
}

const fn form(prefix: &'static str, alphabet: Alphabet, least: usize, most: usize) -> Form {
    Form {
        prefix,
        alphabet,
        length: (least, most),
    }
}

/// The forms, as their issuers describe or show them.
pub(super) const FORMS: &[Form] = &[
    form("sk-proj-", Alphabet::Url, 40, 256),
    form("sk-svcacct-", Alphabet::Url, 40, 256),
    form("sk-admin-", Alphabet::Url, 40, 256),
    form("sk-ant-", Alphabet::Url, 32, 256),
    form("sk-or-v1-", Alphabet::Hex, 64, 64),
    form("sk-", Alphabet::Mixed, 20, 64),
    form("AKIA", Alphabet::Capitals, 16, 16),
    form("ASIA", Alphabet::Capitals, 16, 16),
    form("ghp_", Alphabet::Plain, 36, 255),
    form("gho_", Alphabet::Plain, 36, 255),
    form("ghu_", Alphabet::Plain, 36, 255),
    form("ghs_", Alphabet::Plain, 36, 255),
    form("ghr_", Alphabet::Plain, 36, 255),
    form("github_pat_", Alphabet::Url, 82, 255),
    form("glpat-", Alphabet::Url, 20, 64),
    form("gldt-", Alphabet::Url, 20, 64),
    form("glrt-", Alphabet::Url, 20, 64),
    form("xoxb-", Alphabet::Url, 20, 255),
    form("xoxp-", Alphabet::Url, 20, 255),
    form("xoxa-", Alphabet::Url, 20, 255),
    form("xoxr-", Alphabet::Url, 20, 255),
    form("xoxs-", Alphabet::Url, 20, 255),
    form("xapp-", Alphabet::Url, 20, 255),
    form("AIza", Alphabet::Url, 35, 35),
    form("GOCSPX-", Alphabet::Url, 28, 28),
    form("hf_", Alphabet::Plain, 34, 40),
    form("SG.", Alphabet::SendGrid, 66, 66),
    form("npm_", Alphabet::Plain, 36, 36),
    form("pypi-AgEI", Alphabet::Url, 50, 255),
    form("sk_live_", Alphabet::Plain, 24, 247),
    form("sk_test_", Alphabet::Plain, 24, 247),
    form("rk_live_", Alphabet::Plain, 24, 247),
    form("rk_test_", Alphabet::Plain, 24, 247),
    form("pk_live_", Alphabet::Plain, 24, 247),
    form("pk_test_", Alphabet::Plain, 24, 247),
    form("dop_v1_", Alphabet::Hex, 64, 64),
    form("gsk_", Alphabet::Plain, 52, 52),
    form("xai-", Alphabet::Plain, 80, 80),
    form("pplx-", Alphabet::Plain, 48, 48),
    form("r8_", Alphabet::Plain, 37, 37),
    form("shpat_", Alphabet::Hex, 32, 32),
    form("shpss_", Alphabet::Hex, 32, 32),
    form("shpca_", Alphabet::Hex, 32, 32),
    form("lin_api_", Alphabet::Plain, 40, 40),
];

/// A key that begins here.
pub(super) fn api_key(ahead: Ahead<'_>) -> Verdict {
    if ahead.before().0 == Some('-') {
        return Ok(None);
    }
    let mut longest = None;
    for form in FORMS {
        longest = longest.max(form.read(ahead)?);
    }
    Ok(longest)
}

impl Form {
    fn read(&self, mut ahead: Ahead<'_>) -> Verdict {
        if !ahead.eat_all(self.prefix)? {
            return Ok(None);
        }
        let start = ahead.at();
        let (least, most) = self.length;
        let allowed = |it: char| match self.alphabet {
            Alphabet::Plain | Alphabet::Mixed => it.is_ascii_alphanumeric(),
            Alphabet::Url => is_url(it),
            Alphabet::Capitals => it.is_ascii_uppercase() || it.is_ascii_digit(),
            Alphabet::Hex => it.is_ascii_hexdigit(),
            Alphabet::SendGrid => is_url(it) || it == '.',
        };
        if ahead.eat_run(most, allowed)? < least {
            return Ok(None);
        }
        let token = ahead.since(start);
        let formed = match self.alphabet {
            Alphabet::Mixed => token.bytes().any(|it| it.is_ascii_digit()),
            Alphabet::SendGrid => token.find('.') == Some(22) && token.rfind('.') == Some(22),
            _ => true,
        };
        let longer = ahead.peek()?.is_some_and(is_url);
        Ok((formed && !longer).then_some(ahead.at()))
    }
}

fn is_url(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}
