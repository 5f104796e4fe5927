//! Prompts of the operator in one text: paragraphs before and behind those that are there.

use formats::json::quote;

use super::list;
use crate::place::{Edits, Place};

/// What stands between two prompts.
pub(super) const BETWEEN: &str = "\n\n";

/// Puts prompts before and behind the string at `place`, those apart that stand there. Tells how many
/// were put; none if there is no place.
pub(super) fn join(
    place: Place,
    body: &str,
    before: &[String],
    behind: &[String],
    edits: &mut Edits,
) -> Option<usize> {
    let there = list::text(place.of(body))?;
    if there.is_empty() {
        let all = [before, behind].concat();
        let whole = quote(&all.join(BETWEEN));
        return edits.replace(place, whole).then_some(all.len());
    }
    let mut put = Vec::new();
    let mut from = 0;
    for prompt in before {
        match there
            .get(from..)
            .and_then(|rest| rest.strip_prefix(prompt.as_str()))
        {
            Some("") => from = there.len(),
            Some(rest) if rest.starts_with(BETWEEN) => from += prompt.len() + BETWEEN.len(),
            // Behind a text that is all ours, a paragraph begins with what is between.
            _ if from == there.len() => put.push((from, format!("{BETWEEN}{prompt}"))),
            _ => put.push((from, format!("{prompt}{BETWEEN}"))),
        }
    }
    let mut end = there.len();
    let mut last = Vec::new();
    for prompt in behind.iter().rev() {
        let rest = there
            .get(from..end)
            .and_then(|rest| rest.strip_suffix(prompt.as_str()));
        match rest {
            Some("") => end = from,
            Some(rest) if rest.ends_with(BETWEEN) => end -= prompt.len() + BETWEEN.len(),
            // Before a text of ours alone, a paragraph ends with what is between.
            _ if end == from && end < there.len() => last.push((end, format!("{prompt}{BETWEEN}"))),
            _ => last.push((end, format!("{BETWEEN}{prompt}"))),
        }
    }
    put.extend(last.into_iter().rev());
    for (at, text) in &put {
        let at = place.start + spelled_at(place.of(body), *at);
        let escaped = quote(text);
        let inside = escaped.get(1..escaped.len() - 1).unwrap_or_default();
        edits.insert(at, inside).then_some(())?;
    }
    Some(put.len())
}

/// Where in a string, as it stands, the byte of its contents at `at` is spelled.
fn spelled_at(quoted: &str, at: usize) -> usize {
    let mut rest = quoted.get(1..).unwrap_or_default();
    let mut done = 0;
    while done < at {
        let (contents, spelled) = next(rest);
        done += contents;
        rest = rest.get(spelled..).unwrap_or_default();
    }
    quoted.len() - rest.len()
}

/// How many bytes of contents come next, and how many bytes spell them. Never nothing.
fn next(rest: &str) -> (usize, usize) {
    let Some(escape) = rest.strip_prefix('\\') else {
        let character = rest.chars().next().map_or(1, char::len_utf8);
        return (character, character);
    };
    if !escape.starts_with('u') {
        return (1, 2);
    }
    let unit = |at: usize| {
        let digits = rest
            .get(at + 2..at + 6)
            .filter(|_| rest.get(at..at + 2) == Some("\\u"));
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok())
    };
    let first = unit(0).unwrap_or_default();
    let pairs = matches!(first, 0xd800..0xdc00)
        && unit(6).is_some_and(|second| matches!(second, 0xdc00..0xe000));
    match pairs {
        true => (4, 12),
        // Half a pair stands for the replacement character.
        false => (
            char::from_u32(first)
                .unwrap_or(char::REPLACEMENT_CHARACTER)
                .len_utf8(),
            6,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_among_escapes() {
        let quoted = r#""aß\n\u00dfb\ud83c\udf0d\ud800c\"""#;
        let contents = list::text(quoted).unwrap();
        for (at, character) in contents.char_indices() {
            let from = spelled_at(quoted, at);
            let upto = spelled_at(quoted, at + character.len_utf8());
            let spelled = format!("\"{}\"", &quoted[from..upto]);
            assert_eq!(list::text(&spelled).unwrap(), character.to_string());
        }
        assert_eq!(spelled_at(quoted, contents.len()), quoted.len() - 1);
    }
}
