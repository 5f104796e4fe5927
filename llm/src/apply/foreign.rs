//! Masks what a response says outside of the texts of its dialect: errors, answers of other servers,
//! plain text. On the worker thread of a response.

use formats::json::read;

use super::Unmasked;
use crate::mask::{Form, apply};
use crate::place::{Edits, Place};
use crate::response::Response;
use crate::text::{Depth, Leaves};

/// A response that cannot be looked at as a whole. Carries nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    /// Something in it nests too deeply to be looked into.
    #[error("the response nests too deeply to be looked into")]
    TooDeep,
    /// A text was edited before: two edits of it would not both be made.
    #[error("a text of the response was edited twice")]
    EditedTwice,
}

impl Unmasked {
    /// Rewrites every string of JSON, each for itself, but those that `response`, which was read from
    /// it, knows as texts or as [tokens](field@Response::logprobs) of them. Keys stay.
    ///
    /// # Errors
    /// JSON that nests too deeply.
    ///
    /// # Cost
    /// A pass over the data, and that of masking its strings.
    pub fn foreign(
        &mut self,
        response: &Response,
        data: &str,
        edits: &mut Edits,
    ) -> Result<(), ForeignError> {
        let mut strings: Vec<Place> = Vec::new();
        let mut all = true;
        // What is no JSON has no strings, and is plain text.
        let _ = read(data, |reader| {
            all = Leaves { keys: false }.read(Depth::TOP, reader, &mut |raw| {
                strings.push(raw.into());
            })?;
            Ok(())
        });
        if !all {
            return Err(ForeignError::TooDeep);
        }
        let mut known: Vec<_> = response.pieces.iter().map(|it| it.place.start).collect();
        known.sort_unstable();
        let taken_out = |place: &Place| {
            let mut gone = response.logprobs.iter();
            gone.any(|it| it.start <= place.start && place.end <= it.end)
        };
        strings.retain(|place| known.binary_search(&place.start).is_err() && !taken_out(place));
        let mut own = Edits::new();
        for place in strings {
            let contents = place.contents(data).unwrap_or_default();
            let changes = self.unmasking.edits(&contents, Form::Plain);
            let parts = changes.iter();
            let parts = parts.map(|it| (it.range.clone(), it.replacement.as_str()));
            own.rewrite(data, place, parts);
        }
        match edits.merge(own) {
            true => Ok(()),
            false => Err(ForeignError::EditedTwice),
        }
    }

    /// Rewrites text that is no JSON as one; nothing if it stays. What begins like JSON is read with its
    /// escapes, so that nothing hides in a document that is broken.
    pub fn plain(&mut self, text: &str) -> Option<String> {
        let form = match text.trim_start().as_bytes() {
            [b'{' | b'[' | b'"', ..] => Form::Json,
            _ => Form::Plain,
        };
        let edits = self.unmasking.edits(text, form);
        (!edits.is_empty()).then(|| apply(text, &edits))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dialect::Dialect;
    use crate::mask::{Action, HashKey, Kind, Masker, Returns, Settings};

    fn unmasked() -> Unmasked {
        let settings = Settings {
            detectors: vec![(Kind::Email, Action::Mask)],
            hash_key: HashKey::new(b"k"),
            ..Settings::default()
        };
        let masker = Arc::new(Masker::compile(&settings).unwrap());
        Unmasked::new(masker.open().into_response(Returns::Mask))
    }

    fn foreign(data: &str) -> Result<String, ForeignError> {
        let mut response = Response::default();
        let _ = response.read_body(Dialect::OpenaiChat, data);
        let mut edits = Edits::new();
        unmasked().foreign(&response, data, &mut edits)?;
        Ok(edits.write(data))
    }

    #[test]
    fn every_string_of_an_error_is_looked_at_and_no_text_of_the_dialect() {
        assert_eq!(
            foreign(
                r#"{"error":{"message":"jo@example.com","param":["b\u0040example.com"],"jo@example.com":1}}"#
            ),
            Ok(
                r#"{"error":{"message":"[EMAIL_1]","param":["[EMAIL_2]"],"jo@example.com":1}}"#
                    .to_owned()
            )
        );
        let known = r#"{"choices":[{"message":{"content":"jo@example.com"}}]}"#;
        assert_eq!(foreign(known).as_deref(), Ok(known));
    }

    #[test]
    fn what_nests_too_deeply_is_refused() {
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        assert_eq!(foreign(&deep), Err(ForeignError::TooDeep));
    }

    #[test]
    fn plain_text_is_one_text_and_broken_json_hides_nothing() {
        let mut unmasked = unmasked();
        assert_eq!(
            unmasked.plain("no jo@example.com").as_deref(),
            Some("no [EMAIL_1]")
        );
        assert_eq!(
            unmasked
                .plain(r#"{"a": "jo\u0040example.com", "#)
                .as_deref(),
            Some(r#"{"a": "[EMAIL_1]", "#)
        );
        assert_eq!(unmasked.plain("nothing"), None);
    }
}
