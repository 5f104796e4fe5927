//! The outcome of edits: pieces of old and new text in order.
//!
//! Made on the worker thread that edits, read once by whoever writes the body.

/// An edited document as a list of pieces, most of them borrowed from the document and the values that
/// went in.
#[derive(Debug)]
pub struct Edited<'a> {
    /// The document's text.
    source: &'a str,
    pieces: Vec<Piece<'a>>,
}

#[derive(Clone, Debug)]
pub(in crate::json) enum Piece<'a> {
    Slice(Slice<'a>),
    Owned(String),
}

impl<'a> Edited<'a> {
    /// The pieces in order. Adjacent bytes of the document come as one piece, so one edit gives about
    /// three.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(|piece| match piece {
            Piece::Slice(slice) => slice.text().as_bytes(),
            Piece::Owned(text) => text.as_bytes(),
        })
    }

    /// How many bytes all pieces have together.
    pub fn len(&self) -> usize {
        self.segments().map(<[u8]>::len).sum()
    }

    /// Never: a JSON document has at least one byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the result is the document as it was, so that nothing needs writing.
    pub fn is_unchanged(&self) -> bool {
        match self.pieces.as_slice() {
            [Piece::Slice(slice)] => std::ptr::eq(slice.source, self.source) && slice.is_whole(),
            _ => false,
        }
    }

    /// All pieces in one buffer. Cost: one copy of everything.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        self.segments()
            .for_each(|segment| bytes.extend_from_slice(segment));
        bytes
    }

    pub(super) fn new(source: &'a str) -> Self {
        Self {
            source,
            pieces: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, slice: Slice<'a>) {
        if slice.start == slice.end {
            return;
        }
        if let Some(Piece::Slice(last)) = self.pieces.last_mut()
            && std::ptr::eq(last.source, slice.source)
            && last.end == slice.start
        {
            last.end = slice.end;
            return;
        }
        self.pieces.push(Piece::Slice(slice));
    }

    pub(super) fn push_piece(&mut self, piece: &Piece<'a>) {
        match piece {
            Piece::Slice(slice) => self.push(*slice),
            Piece::Owned(text) => self.push_owned(text.clone()),
        }
    }

    pub(super) fn push_owned(&mut self, text: String) {
        self.pieces.push(Piece::Owned(text));
    }

    /// A comma; the one that stands in the document, if the document goes on with one here.
    pub(super) fn push_comma(&mut self) {
        if let Some(Piece::Slice(last)) = self.pieces.last_mut()
            && last.source.as_bytes().get(last.end) == Some(&b',')
        {
            last.end += 1;
            return;
        }
        self.push(Slice::whole(","));
    }
}

/// A piece of a text that knows which text it is from.
#[derive(Clone, Copy, Debug)]
pub(in crate::json) struct Slice<'a> {
    pub(in crate::json) source: &'a str,
    pub(in crate::json) start: usize,
    pub(in crate::json) end: usize,
}

impl<'a> Slice<'a> {
    pub(in crate::json) fn whole(source: &'a str) -> Self {
        Self {
            source,
            start: 0,
            end: source.len(),
        }
    }

    /// The text itself. Slices are cut at places the scanner found, so they are inside their text and
    /// on character boundaries.
    pub(in crate::json) fn text(&self) -> &'a str {
        self.source.get(self.start..self.end).unwrap_or_default()
    }

    pub(in crate::json) fn len(&self) -> usize {
        self.end - self.start
    }

    fn is_whole(&self) -> bool {
        self.start == 0 && self.end == self.source.len()
    }

    /// Another piece of the same text.
    pub(in crate::json) fn cut(&self, start: usize, end: usize) -> Self {
        Self {
            source: self.source,
            start,
            end,
        }
    }
}
