//! Prompts among the items of a list: messages, or blocks of one text each.

use formats::json::{quote, read};

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

/// An item that is there.
pub(super) struct Said {
    pub(super) place: Place,
    pub(super) role: Option<Role>,
    /// None if it is more than a text.
    pub(super) text: Option<String>,
}

impl Said {
    fn is(&self, made: &Made) -> bool {
        self.role == made.role && self.text.as_deref() == Some(&made.text)
    }
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

/// What a JSON text says, if it is a string.
pub(super) fn text(json: &str) -> Option<String> {
    let mut text = None;
    let read = read(json, |reader| {
        text = reader.value()?.as_str().map(|text| text.into_owned());
        Ok(())
    });
    read.ok().and(text)
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

/// Puts prompts before and behind the items of the list at `list`, those apart that stand there. Tells
/// how many were put; none if there is no place.
///
/// Compared are the first items with the prompts before them, and the last ones with those behind, each
/// with what would be its neighbour.
pub(super) fn put(
    list: Place,
    body: &str,
    said: &[Said],
    before: &[Made],
    behind: &[Made],
    edits: &mut Edits,
) -> Option<usize> {
    // What goes before the item of an index; before the one behind the last is the end.
    let mut gaps: Vec<(usize, &str)> = Vec::new();
    let mut first = 0;
    for made in before {
        match said.get(first) {
            Some(item) if item.is(made) => first += 1,
            _ => gaps.push((first, &made.json)),
        }
    }
    let mut end = said.len();
    let mut last = Vec::new();
    for made in behind.iter().rev() {
        let neighbour = end.checked_sub(1).filter(|index| *index >= first);
        match neighbour.and_then(|index| said.get(index)) {
            Some(item) if item.is(made) => end -= 1,
            _ => last.push((end, made.json.as_str())),
        }
    }
    gaps.extend(last.into_iter().rev());
    // Sorting keeps the order of those at one place.
    gaps.sort_by_key(|(index, _)| *index);
    for gap in gaps.chunk_by(|one, next| one.0 == next.0) {
        let items: Vec<&str> = gap.iter().map(|(_, json)| *json).collect();
        let index = gap.first().map_or(0, |(index, _)| *index);
        let is_put = match said.get(index) {
            Some(item) => edits.insert_item_before(item.place, &items.join(",")),
            None => edits.push_item(body, list, &items.join(",")),
        };
        is_put.then_some(())?;
    }
    Some(gaps.len())
}
