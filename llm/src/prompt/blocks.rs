//! Prompts of the operator in Anthropic's `system` blocks and in the parts of Gemini's
//! `systemInstruction`.

use formats::json::{Fault, Kind, Reader, quote, read};

use super::list::{self, Items, Made};
use super::paragraphs;
use crate::place::{Edits, Place};

/// All prompts as a value of their own: a text, or Gemini's content.
pub(super) fn whole(is_gemini: bool, before: &[String], behind: &[String]) -> String {
    let all = [before, behind].concat();
    match is_gemini {
        true => format!(r#"{{"parts":{}}}"#, list::whole(&blocks(true, &all), &[])),
        false => quote(&all.join(paragraphs::BETWEEN)),
    }
}

/// Puts prompts among the blocks of the list at `place`.
pub(super) fn put(
    place: Place,
    body: &str,
    is_gemini: bool,
    before: &[String],
    behind: &[String],
    edits: &mut Edits,
) -> Option<usize> {
    let mut places = Vec::new();
    let whole = read(place.of(body), |reader| {
        reader.items(|_, reader| {
            let range = reader.value()?.range();
            let (start, end) = (place.start + range.start, place.start + range.end);
            places.push(Place { start, end });
            Ok(())
        })
    });
    whole.ok()?;
    let there = Blocks { body, places };
    let (before, behind) = (blocks(is_gemini, before), blocks(is_gemini, behind));
    list::put(place, body, &there, &before, &behind, edits)
}

/// Puts prompts among the parts of Gemini's content at `place`.
pub(super) fn put_parts(
    place: Place,
    body: &str,
    before: &[String],
    behind: &[String],
    edits: &mut Edits,
) -> Option<usize> {
    let mut parts = None;
    let whole = read(place.of(body), |reader| {
        reader.entries(|key, reader| {
            if key.is("parts") {
                let (kind, range) = (reader.kind(), reader.value()?.range());
                let (start, end) = (place.start + range.start, place.start + range.end);
                parts = Some((kind, Place { start, end }));
            }
            Ok(())
        })
    });
    whole.ok()?;
    match parts {
        Some((Kind::Array, parts)) => put(parts, body, true, before, behind, edits),
        Some((Kind::Null, parts)) => {
            let all = blocks(true, &[before, behind].concat());
            edits
                .replace(parts, list::whole(&all, &[]))
                .then_some(all.len())
        }
        Some(_) => None,
        None => {
            let all = blocks(true, &[before, behind].concat());
            let whole = list::whole(&all, &[]);
            edits
                .add_entry(body, place, "parts", &whole)
                .then_some(all.len())
        }
    }
}

/// Whether the parts of a message are one text, and say this.
pub(super) fn are(parts: &str, text: &str) -> bool {
    let (mut count, mut says) = (0, false);
    let whole = read(parts, |reader| {
        reader.items(|_, reader| {
            count += 1;
            // Of several parts no one needs to know what they say.
            says = count == 1 && block_is(reader, text)?;
            Ok(())
        })
    });
    whole.is_ok() && says
}

/// Whether a block has this `text`.
fn block_is(reader: &mut Reader<'_>, text: &str) -> Result<bool, Fault> {
    let mut is = false;
    reader.entries(|key, reader| {
        if key.is("text") {
            is = reader.value()?.is(text);
        }
        Ok(())
    })?;
    Ok(is)
}

/// The blocks of a list.
struct Blocks<'b> {
    body: &'b str,
    places: Vec<Place>,
}

impl Items for Blocks<'_> {
    fn len(&self) -> usize {
        self.places.len()
    }

    fn place(&self, index: usize) -> Place {
        self.places.get(index).copied().unwrap_or_default()
    }

    fn is(&self, index: usize, made: &Made) -> bool {
        let mut is = false;
        let whole = read(self.place(index).of(self.body), |reader| {
            is = block_is(reader, &made.text)?;
            Ok(())
        });
        whole.is_ok() && is
    }
}

fn blocks(is_gemini: bool, texts: &[String]) -> Vec<Made> {
    let block = |text: &String| Made {
        role: None,
        text: text.clone(),
        json: match is_gemini {
            true => format!(r#"{{"text":{}}}"#, quote(text)),
            false => format!(r#"{{"type":"text","text":{}}}"#, quote(text)),
        },
    };
    texts.iter().map(block).collect()
}
