//! Changes the texts of a response, piece by piece, and gives out what waited before a text ends.
//!
//! What is to become of a text is for a [`Rewrite`] to say; where texts stand, when they end and how an
//! event of its dialect looks is known here. Events keep their order, ids and indices; of an event only
//! the strings change whose text changes. One for each response that is rewritten, on its worker thread.

use std::ops::Range;

use formats::json::quote;

use super::own::{self, Labels, Shape};
use super::{End, Extent, Response, TextKey};
use crate::dialect::Dialect;
use crate::place::Edits;

/// How many texts may be open at once: what waits of each is held.
pub const MAX_TEXTS: usize = 64;

/// What becomes of texts.
pub trait Rewrite {
    /// Takes the next piece of a text and appends to `out` what can go on now.
    fn delta(&mut self, key: TextKey, delta: &str, out: &mut String);

    /// Appends to `out` what still waits of a text, which ends.
    fn end(&mut self, key: TextKey, out: &mut String);

    /// Calls `change` for each part of a whole text that changes, in order, with its range and what
    /// comes in its place.
    fn whole(&mut self, key: TextKey, text: &str, change: &mut dyn FnMut(Range<usize>, &str));

    /// The same for a text that came in pieces before.
    fn repeat(&mut self, key: TextKey, text: &str, change: &mut dyn FnMut(Range<usize>, &str)) {
        self.whole(key, text, change);
    }
}

/// The texts of a response that are open.
#[derive(Clone, Debug)]
pub struct Texts {
    dialect: Dialect,
    open: Vec<(TextKey, Labels)>,
    shape: Shape,
    /// What became of the piece at hand.
    scratch: String,
}

/// A response whose texts cannot be rewritten on. Carries nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// More than [`MAX_TEXTS`] texts are open at once.
    #[error("more than {MAX_TEXTS} texts are open in one response")]
    TooManyTexts,
    /// A text was edited before: two edits of it would not both be made.
    #[error("a text of the response was edited twice")]
    EditedTwice,
}

impl Texts {
    /// Before the response.
    pub fn new(dialect: Dialect) -> Texts {
        Texts {
            dialect,
            open: Vec::new(),
            shape: Shape::default(),
            scratch: String::new(),
        }
    }

    /// Rewrites the texts of the next event, or of a whole body: `response` was read from `data`. The
    /// changes of `data` are added to `edits`; what must stand before the event is appended to
    /// `before`, as events.
    ///
    /// # Errors
    /// Too many texts at once, or one that `edits` has edited already. What comes cannot be rewritten then.
    ///
    /// # Cost
    /// That of `rewrite`; memory only for texts that begin, change or end.
    pub fn event(
        &mut self,
        response: &Response,
        data: &str,
        rewrite: &mut dyn Rewrite,
        edits: &mut Edits,
        before: &mut Vec<u8>,
    ) -> Result<(), RewriteError> {
        self.shape.learn(response, data);
        for (at, piece) in response.pieces.iter().enumerate() {
            let contents = piece.place.contents(data).unwrap_or_default();
            if piece.extent != Extent::Delta {
                let mut parts: Vec<(Range<usize>, String)> = Vec::new();
                let mut change = |range, with: &str| parts.push((range, with.to_owned()));
                match piece.extent {
                    Extent::Repeat => rewrite.repeat(piece.key, &contents, &mut change),
                    _ => rewrite.whole(piece.key, &contents, &mut change),
                }
                let parts = parts
                    .iter()
                    .map(|(range, with)| (range.clone(), with.as_str()));
                if !edits.rewrite(data, piece.place, parts) {
                    return Err(RewriteError::EditedTwice);
                }
                continue;
            }
            self.open(piece.key, response, data)?;
            self.scratch.clear();
            rewrite.delta(piece.key, &contents, &mut self.scratch);
            let rest = response.pieces.get(at + 1..).unwrap_or_default();
            let goes_on = |it: &super::Piece| it.key == piece.key && it.extent == Extent::Delta;
            if ends(response, piece.key) && !rest.iter().any(goes_on) {
                rewrite.end(piece.key, &mut self.scratch);
                self.open.retain(|(key, _)| *key != piece.key);
            }
            let is_edited = self.scratch != *contents;
            if is_edited && !edits.replace(piece.place, quote(&self.scratch)) {
                return Err(RewriteError::EditedTwice);
            }
        }
        if !response.ends.is_empty() {
            let number = response.identity.sequence_number.map(|it| it.of(data));
            self.end(&response.ends, rewrite, number, before);
        }
        Ok(())
    }

    /// Ends what is open at the end of the response, and appends what waited as events.
    pub fn finish(&mut self, rewrite: &mut dyn Rewrite, out: &mut Vec<u8>) {
        self.end(&[End::All], rewrite, None, out);
    }

    fn open(&mut self, key: TextKey, response: &Response, data: &str) -> Result<(), RewriteError> {
        if self.open.iter().any(|(it, _)| *it == key) {
            return Ok(());
        }
        if self.open.len() == MAX_TEXTS {
            return Err(RewriteError::TooManyTexts);
        }
        self.open.push((key, Labels::of(response, data)));
        Ok(())
    }

    fn end(
        &mut self,
        ends: &[End],
        rewrite: &mut dyn Rewrite,
        number: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let Texts {
            dialect,
            open,
            shape,
            scratch,
        } = self;
        open.retain(|(key, labels)| {
            if !ends.iter().any(|end| end.covers(*key)) {
                return true;
            }
            scratch.clear();
            rewrite.end(*key, scratch);
            if !scratch.is_empty() {
                own::write(*dialect, shape, labels, *key, scratch, number, out);
            }
            false
        });
    }
}

fn ends(response: &Response, key: TextKey) -> bool {
    response.ends.iter().any(|end| end.covers(key))
}
