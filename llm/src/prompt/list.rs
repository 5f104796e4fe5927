//! Prompts among the items of a list: messages, or blocks of one text each.

use formats::json::quote;

use super::Prompt;
use crate::place::{Edits, Place};
use crate::text::Role;

/// A prompt as an item.
pub(super) struct Made {
    /// None where items have no roles.
    pub(super) role: Option<Role>,
    pub(super) text: String,
    pub(super) json: String,
}

/// What is there.
pub(super) trait Items {
    /// How many there are.
    fn len(&self) -> usize;
    /// Where the item of an index stands.
    fn place(&self, index: usize) -> Place;
    /// Whether it says what a prompt says, and no more, in the same role.
    fn is(&self, index: usize, made: &Made) -> bool;
}

/// A prompt as a message.
pub(super) fn message(is_gemini: bool, prompt: &Prompt<'_>) -> Made {
    let text = quote(prompt.content);
    let json = match (is_gemini, prompt.role.role()) {
        (true, Role::Assistant) => format!(r#"{{"role":"model","parts":[{{"text":{text}}}]}}"#),
        (true, _) => format!(r#"{{"role":"user","parts":[{{"text":{text}}}]}}"#),
        _ => format!(r#"{{"role":"{}","content":{text}}}"#, prompt.role.name()),
    };
    Made {
        role: Some(prompt.role.role()),
        text: prompt.content.to_owned(),
        json,
    }
}

/// All prompts as a list of their own.
pub(super) fn whole(before: &[Made], behind: &[Made]) -> String {
    let items: Vec<&str> = before
        .iter()
        .chain(behind)
        .map(|made| made.json.as_str())
        .collect();
    format!("[{}]", items.join(","))
}

/// Puts prompts before and behind the items of the list at `list`, those apart that stand there.
/// Tells how many were put; none if there is no place.
///
/// Compared are the first items with the prompts before them, and the last ones with those behind,
/// each with what would be its neighbour.
pub(super) fn put(
    list: Place,
    body: &str,
    items: &impl Items,
    before: &[Made],
    behind: &[Made],
    edits: &mut Edits,
) -> Option<usize> {
    // What goes before the item of an index; before the one behind the last is the end.
    let mut gaps: Vec<(usize, &str)> = Vec::new();
    let mut first = 0;
    for made in before {
        match first < items.len() && items.is(first, made) {
            true => first += 1,
            false => gaps.push((first, &made.json)),
        }
    }
    let mut end = items.len();
    let mut last = Vec::new();
    for made in behind.iter().rev() {
        match end > first && items.is(end - 1, made) {
            true => end -= 1,
            false => last.push((end, made.json.as_str())),
        }
    }
    gaps.extend(last.into_iter().rev());
    // Sorting keeps the order of those at one place.
    gaps.sort_by_key(|(index, _)| *index);
    for gap in gaps.chunk_by(|one, next| one.0 == next.0) {
        let made: Vec<&str> = gap.iter().map(|(_, json)| *json).collect();
        let index = gap.first().map_or(0, |(index, _)| *index);
        let is_put = match index < items.len() {
            true => edits.insert_item_before(items.place(index), &made.join(",")),
            false => edits.push_item(body, list, &made.join(",")),
        };
        is_put.then_some(())?;
    }
    Some(gaps.len())
}
