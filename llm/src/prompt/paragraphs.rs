//! Prompts of the operator in one text: paragraphs before and behind those that are there.

use formats::json::quote;

use crate::place::{Edits, Place};

/// What stands between two prompts.
pub(super) const BETWEEN: &str = "\n\n";

/// Puts prompts before and behind the string at `place`, those apart that stand there. Tells how
/// many were put; none if there is no place.
pub(super) fn join(
    place: Place,
    body: &str,
    before: &[String],
    behind: &[String],
    edits: &mut Edits,
) -> Option<usize> {
    let there = place.contents(body)?;
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
    let parts = put.iter().map(|(at, text)| (*at..*at, text.as_str()));
    edits.rewrite(body, place, parts).then_some(())?;
    Some(put.len())
}
