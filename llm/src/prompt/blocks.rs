//! Prompts of the operator in Anthropic's `system` blocks and in the parts of Gemini's
//! `systemInstruction`.

use formats::json::{Kind, quote, read};

use super::list::{self, Made, Said};
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
    let mut said = Vec::new();
    let whole = read(place.of(body), |reader| {
        reader.items(|_, reader| {
            let block = reader.value()?;
            let range = block.range();
            said.push(Said {
                place: Place {
                    start: place.start + range.start,
                    end: place.start + range.end,
                },
                role: None,
                text: block_text(block.text()),
            });
            Ok(())
        })
    });
    whole.ok()?;
    let (before, behind) = (blocks(is_gemini, before), blocks(is_gemini, behind));
    list::put(place, body, &said, &before, &behind, edits)
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

/// What the parts of a message say, if they are one text.
pub(super) fn only_text(parts: &str) -> Option<String> {
    let mut texts = Vec::new();
    let whole = read(parts, |reader| {
        reader.items(|_, reader| {
            texts.push(block_text(reader.value()?.text()));
            Ok(())
        })
    });
    whole.ok()?;
    match texts.len() {
        1 => texts.pop().flatten(),
        _ => None,
    }
}

/// What a block says: its `text`.
fn block_text(block: &str) -> Option<String> {
    let mut text = None;
    let whole = read(block, |reader| {
        reader.entries(|key, reader| {
            if key.is("text") {
                text = reader.value()?.as_str().map(|text| text.into_owned());
            }
            Ok(())
        })
    });
    whole.ok().and(text)
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
