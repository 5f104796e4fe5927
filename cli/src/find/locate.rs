//! Where in a file something stands that a diagnostic names, by line and column.
//!
//! A configuration may be a string in a document that is a string in another document, or stand in a fence of a
//! page. The way to it is followed from the outside to the inside, and what is found there is carried back: the
//! spelling of each string is read along with what it says.

use std::cell::OnceCell;

use super::path::Path;
use super::tree::{self, Node, What};

mod spelling;

/// Where a configuration stands in a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spot {
    /// What is to be taken out before, from the outside to the inside.
    around: Vec<Around>,
    /// The number of its document in the text, from 0.
    document: usize,
    path: Path,
}

/// A text in a text.
#[derive(Clone, Debug)]
pub(crate) enum Around {
    /// Lines of a page: the first, from 1, and how many, each without what indents it.
    Lines {
        first: usize,
        count: usize,
        indent: usize,
    },
    /// What a string of a document says.
    String { document: usize, path: Path },
}

/// A text, read when something in it is looked for.
#[derive(Debug)]
pub(crate) struct Text<'t> {
    text: &'t str,
    documents: OnceCell<Result<Vec<Node>, usize>>,
}

impl<'t> Text<'t> {
    pub(crate) fn new(text: &'t str) -> Text<'t> {
        Text {
            text,
            documents: OnceCell::new(),
        }
    }

    /// # Errors
    /// The byte from which on it cannot be read.
    fn documents(&self) -> Result<&[Node], usize> {
        let read = self.documents.get_or_init(|| tree::read(self.text));
        read.as_deref().map_err(|at| *at)
    }
}

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Spot {
    /// A value of a document.
    pub(crate) fn of(path: Path) -> Spot {
        Spot {
            path,
            ..Spot::default()
        }
    }

    /// What a string of a document says.
    pub(crate) fn inside(path: Path) -> Spot {
        Spot::default().within(Around::String { document: 0, path })
    }

    /// The same, in a text that is in another.
    pub(crate) fn within(mut self, around: Around) -> Spot {
        self.around.insert(0, around);
        self
    }

    /// The same, in the document of this number.
    pub(crate) fn in_document(mut self, number: usize) -> Spot {
        match self.around.first_mut() {
            Some(Around::String { document, .. }) => *document = number,
            Some(Around::Lines { .. }) => {}
            None => self.document = number,
        }
        self
    }

    /// The same, in a document that is a part of another.
    pub(crate) fn below(mut self, base: &Path) -> Spot {
        let path = match self.around.first_mut() {
            Some(Around::String { path, .. }) => path,
            Some(Around::Lines { .. }) => return self,
            None => &mut self.path,
        };
        *path = base.join(path);
        self
    }

    /// The way to what is taken out first, or to the configuration itself.
    pub(crate) fn outermost(&self) -> &Path {
        match self.around.first() {
            Some(Around::String { path, .. }) => path,
            Some(Around::Lines { .. }) | None => &self.path,
        }
    }

    /// The line of a page at which its fence begins.
    pub(crate) fn line(&self) -> Option<usize> {
        match self.around.first()? {
            Around::Lines { first, .. } => Some(*first),
            Around::String { .. } => None,
        }
    }

    /// Where a field of the configuration stands in the text of a file: as far as the way to it can be followed.
    /// `is_malformed` asks for the place at which the text of the configuration is no JSON any more.
    pub(crate) fn locate(
        &self,
        text: &Text<'_>,
        field: &str,
        is_malformed: bool,
    ) -> Option<Position> {
        let wanted = Wanted {
            spot: self,
            field,
            is_malformed,
        };
        let offset = wanted.offset(text, &self.around)?;
        Some(position(text.text, offset))
    }
}

/// What is looked for.
struct Wanted<'s> {
    spot: &'s Spot,
    field: &'s str,
    is_malformed: bool,
}

impl Wanted<'_> {
    /// The byte of `text` at which it stands.
    fn offset(&self, source: &Text<'_>, around: &[Around]) -> Option<usize> {
        let text = source.text;
        match around.split_first() {
            None => self.here(source),
            Some((
                Around::Lines {
                    first,
                    count,
                    indent,
                },
                rest,
            )) => {
                let (start, inner) = lines(text, *first, *count, *indent);
                let found = position(&inner, self.offset(&Text::new(&inner), rest)?);
                let line = text.get(start..)?.split_inclusive('\n');
                let before: usize = line.take(found.line - 1).map(str::len).sum();
                let line = text.get(start + before..)?.lines().next()?;
                let blank = line.len() - line.trim_start().len();
                let column = line
                    .char_indices()
                    .nth(found.column - 1 + blank.min(*indent));
                Some(start + before + column.map_or(line.len(), |(at, _)| at))
            }
            Some((Around::String { document, path }, rest)) => {
                let documents = source.documents().ok()?;
                let node = documents.get(*document)?.follow(path);
                let What::Text(inner) = &node.what else {
                    return Some(node.at);
                };
                let offset = self.offset(&Text::new(inner), rest)?;
                Some(spelling::offset(text, node.at, inner, offset))
            }
        }
    }

    /// The same in the innermost text.
    fn here(&self, source: &Text<'_>) -> Option<usize> {
        let is_all = self.spot.path.segments().is_empty();
        if self.is_malformed
            && is_all
            && let Some(at) = tree::malformed_at(source.text)
        {
            return Some(at);
        }
        match source.documents() {
            Ok(documents) => {
                let node = documents.get(self.spot.document)?;
                Some(node.follow(&self.spot.path).find(self.field))
            }
            Err(at) => Some(at),
        }
    }
}

/// Where the lines of a fence begin, and their text without what indents them.
fn lines(text: &str, first: usize, count: usize, indent: usize) -> (usize, String) {
    let all = text.split_inclusive('\n');
    let start = all.clone().take(first - 1).map(str::len).sum();
    let mut inner = String::new();
    for line in all.skip(first - 1).take(count) {
        let blank = line.len() - line.trim_start().len();
        inner.push_str(line.get(indent.min(blank)..).unwrap_or_default());
    }
    (start, inner)
}

/// The line and the column of a byte.
fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Position {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
    }
}

#[cfg(test)]
mod tests;
