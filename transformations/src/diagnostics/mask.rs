//! Hides what may be a secret in a template before any of it is shown.
//!
//! A header value such as `Bearer s3cr3t {{ heder("x") }}` must not reach a log because of the
//! mistake beside the secret. Literal text and the insides of string literals become asterisks,
//! character for character, so that carets still point at the right place; the code of the template
//! (names, operators, numbers) stays readable. Works on broken templates too: this is a scan, not a
//! parser, and where it is in doubt it hides.

/// What hides a character.
const HIDDEN: char = '*';

enum Place {
    Text,
    /// Between `{% raw %}` and `{% endraw %}`, where tags are text.
    Raw,
    /// Inside a tag that ends with this character and `}`.
    Code(char),
    /// Inside a string literal of a tag.
    Quoted {
        quote: char,
        closing: char,
    },
}

/// The template with everything but its code hidden. Has as many characters and lines as before.
pub(super) fn mask(source: &str) -> String {
    mask_from(Place::Text, source)
}

/// As [`mask`], for an expression that has no braces around it.
pub(super) fn mask_expression(source: &str) -> String {
    // No character ends it.
    mask_from(Place::Code('\0'), source)
}

fn mask_from(mut place: Place, source: &str) -> String {
    let mut masked = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let (length, show, then) = step(&place, rest, next);
        let (token, after) = rest.split_at(length);
        masked.extend(
            token
                .chars()
                .map(|c| if show || c.is_whitespace() { c } else { HIDDEN }),
        );
        if let Some(then) = then {
            place = then;
        }
        rest = after;
    }
    masked
}

/// The next token: its length in bytes, whether it is shown, and where it leads.
fn step(place: &Place, rest: &str, next: char) -> (usize, bool, Option<Place>) {
    let one = next.len_utf8();
    match *place {
        Place::Text => {
            if let Some(length) = raw_tag(rest, "raw") {
                return (length, true, Some(Place::Raw));
            }
            let closing = match rest.as_bytes() {
                [b'{', b'{', ..] => '}',
                [b'{', b'%', ..] => '%',
                [b'{', b'#', ..] => '#',
                _ => return (one, false, None),
            };
            (2, true, Some(Place::Code(closing)))
        }
        Place::Raw => match raw_tag(rest, "endraw") {
            Some(length) => (length, true, Some(Place::Text)),
            None => (one, false, None),
        },
        // A comment is prose, and may hold anything.
        Place::Code('#') if !rest.starts_with("#}") => (one, false, None),
        Place::Code(closing) => {
            if rest
                .strip_prefix(closing)
                .is_some_and(|after| after.starts_with('}'))
            {
                return (one + 1, true, Some(Place::Text));
            }
            let quoted = (next == '"' || next == '\'').then_some(Place::Quoted {
                quote: next,
                closing,
            });
            (one, true, quoted)
        }
        Place::Quoted { quote, closing } if next == quote => {
            (one, true, Some(Place::Code(closing)))
        }
        Place::Quoted { .. } if next == '\\' => {
            let escaped = rest.chars().nth(1).map_or(0, char::len_utf8);
            (one + escaped, false, None)
        }
        Place::Quoted { .. } => (one, false, None),
    }
}

/// The length of `{% name %}` at the start of `rest`, with or without whitespace control.
fn raw_tag(rest: &str, name: &str) -> Option<usize> {
    let inside = rest.strip_prefix("{%")?;
    let end = inside.find("%}")?;
    let word = inside
        .get(..end)?
        .trim_start_matches(['-', '+'])
        .trim_end_matches(['-', '+']);
    (word.trim() == name).then_some(end + 4)
}

#[cfg(test)]
mod tests {
    use super::{mask, mask_expression};

    #[test]
    fn text_and_strings_are_hidden_and_code_is_not() {
        assert_eq!(
            mask("Bearer s3cr3t {{ heder('x-key') ~ 12 }}!"),
            "****** ****** {{ heder('*****') ~ 12 }}*"
        );
    }

    #[test]
    fn an_expression_is_all_code() {
        assert_eq!(
            mask_expression("header('x') == \"a}}b\""),
            "header('*') == \"****\""
        );
    }

    #[test]
    fn a_quote_that_is_escaped_does_not_end_a_string() {
        assert_eq!(mask(r#"{{ f("a\"b") }}"#), r#"{{ f("****") }}"#);
    }

    #[test]
    fn comments_and_raw_blocks_are_hidden() {
        assert_eq!(mask("{# note #}x"), "{# **** #}*");
        assert_eq!(
            mask("{% raw %}{{ a }}{% endraw %}{{ b }}"),
            "{% raw %}** * **{% endraw %}{{ b }}"
        );
        assert_eq!(
            mask("{%- raw -%}a{%- endraw -%}"),
            "{%- raw -%}*{%- endraw -%}"
        );
    }

    #[test]
    fn broken_templates_are_masked_as_well() {
        assert_eq!(mask("key {{ 'open"), "*** {{ '****");
        assert_eq!(mask("key {{ a"), "*** {{ a");
        assert_eq!(mask("é {{ 'ü' }}\nx"), "* {{ '*' }}\n*");
        assert_eq!(mask(r"{{ 'a\"), r"{{ '**");
    }
}
