//! The line of a template that a diagnostic is about, with a caret under the mistake.
//!
//! Long lines are cut to a window around the caret, and what may be a secret is hidden, so that no
//! more of a template is shown than is needed to find the place.

use std::fmt;
use std::ops::Range;

use super::mask::{mask, mask_expression};

/// Characters shown before and after the marked part.
const WINDOW: usize = 48;

/// A cut-out of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    line: usize,
    text: String,
    caret: usize,
    width: usize,
}

impl Excerpt {
    /// Cuts the line around `range` (bytes) out of `source`. A range outside the text, or not on
    /// character boundaries, is moved to the nearest valid place.
    pub(crate) fn new(source: &str, range: Range<usize>) -> Excerpt {
        Excerpt::hiding(source, &mask(source), range)
    }

    /// As [`new`](Self::new), out of an expression that has no braces around it.
    pub(crate) fn of_expression(source: &str, range: Range<usize>) -> Excerpt {
        Excerpt::hiding(source, &mask_expression(source), range)
    }

    fn hiding(source: &str, masked: &str, range: Range<usize>) -> Excerpt {
        let start = floor(source, range.start);
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..]
            .find('\n')
            .map_or(source.len(), |at| start + at);
        let end = floor(source, range.end).clamp(start, line_end);

        // Hiding keeps the number of characters, though not of bytes.
        let line = source[..line_start].chars().count();
        let hidden: Vec<char> = masked.chars().skip(line).collect();
        let mut rest = hidden.into_iter();
        let mut next =
            |part: &str| -> Vec<char> { rest.by_ref().take(part.chars().count()).collect() };
        let before = next(&source[line_start..start]);
        let mut marked = next(&source[start..end]);
        let after = next(&source[end..line_end]);
        marked.truncate(WINDOW);
        let cut = before.len().saturating_sub(WINDOW);

        let mut text = String::new();
        if cut > 0 {
            text.push('…');
        }
        text.extend(before.iter().skip(cut).map(|&c| printable(c)));
        let caret = text.chars().count();
        text.extend(marked.iter().map(|&c| printable(c)));
        text.extend(after.iter().take(WINDOW).map(|&c| printable(c)));
        if after.len() > WINDOW {
            text.push('…');
        }
        Excerpt {
            line: source[..start].matches('\n').count() + 1,
            text,
            caret,
            width: marked.len().max(1),
        }
    }
}

/// The nearest character boundary at or before `at`.
fn floor(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Control characters would break the caret's column, and logs.
fn printable(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, " {number} | {}", self.text)?;
        write!(
            f,
            " {margin} | {}{}",
            " ".repeat(self.caret),
            "^".repeat(self.width)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_counts_characters_not_bytes() {
        let excerpt = Excerpt::new("ünï {{ x }}", 9..10);
        assert_eq!(excerpt.to_string(), " 1 | *** {{ x }}\n   |        ^");
    }

    #[test]
    fn a_long_line_is_cut_around_the_mistake() {
        let source = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let text = Excerpt::new(&source, 500..501).to_string();
        assert!(text.len() < 250, "{text}");
        assert!(text.contains('…'));
    }

    #[test]
    fn ranges_outside_the_text_are_harmless() {
        Excerpt::new("", 5..9);
        Excerpt::new("é", 1..1);
        Excerpt::new("a\nb", std::ops::Range { start: 2, end: 1 });
    }
}
