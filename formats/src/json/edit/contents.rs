//! Changes of a string's contents.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::EditError;
use crate::json::splice::{Piece, Slice};
use crate::json::string::{self, HALF, Spelling};

/// Which parts of the contents are written anew, by where they start: first what is inserted there, in
/// its order, then what takes the place of something.
#[derive(Default)]
pub(super) struct Contents<'a> {
    parts: BTreeMap<(usize, Order), Part<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Inserted(usize),
    Replaced,
}

struct Part<'a> {
    end: usize,
    text: Cow<'a, str>,
}

impl<'a> Contents<'a> {
    pub(super) fn rewrite(
        &mut self,
        range: Range<usize>,
        text: Cow<'a, str>,
    ) -> Result<(), EditError> {
        let Range { start, end } = range;
        let order = match start == end {
            true => Order::Inserted(self.parts.len()),
            false => Order::Replaced,
        };
        let mut before = self.parts.range(..(start, Order::Inserted(0)));
        let mut after = self.parts.range((start + 1, Order::Inserted(0))..);
        if before.next_back().is_some_and(|(_, part)| part.end > start)
            || after.next().is_some_and(|((next, _), _)| *next < end)
            || self.parts.contains_key(&(start, order))
        {
            return Err(EditError::Overlap);
        }
        self.parts.insert((start, order), Part { end, text });
        Ok(())
    }

    /// The text of the string in `slice` with these changes.
    pub(super) fn pieces(self, slice: Slice<'a>) -> Vec<Piece<'a>> {
        let quoted = slice.text();
        let mut spelling = Spelling::new(quoted);
        let mut pieces = Vec::with_capacity(2 * self.parts.len() + 1);
        // Up to where the text is written, and whether what is written last is half a surrogate pair.
        let (mut done, mut half) = (0, false);
        for ((start, _), part) in self.parts {
            let (from, after_half) = spelling.move_to(start);
            keep(&mut pieces, slice, done..from, half);
            half = if done < from { after_half } else { half };
            (done, _) = spelling.move_to(part.end);
            if !part.text.is_empty() {
                pieces.push(Piece::Owned(escaped(&part.text)));
                half = false;
            }
        }
        keep(&mut pieces, slice, done..quoted.len(), half);
        pieces
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // Writing to a string cannot fail.
    let _ = string::write_escaped(&mut escaped, text);
    escaped
}

/// Goes on with a part of the text as it stands. Two halves of a surrogate pair between which nothing is
/// left would become a character that was not there.
fn keep<'a>(pieces: &mut Vec<Piece<'a>>, slice: Slice<'a>, part: Range<usize>, half: bool) {
    if part.is_empty() {
        return;
    }
    let kept = slice.cut(slice.start + part.start, slice.start + part.end);
    if half
        && string::is_second_half(kept.text())
        && let Some(Piece::Slice(last)) = pieces.last_mut()
    {
        last.end -= HALF;
        pieces.push(Piece::Owned("\\ufffd".to_owned()));
    }
    pieces.push(Piece::Slice(kept));
}
