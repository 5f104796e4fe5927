//! The buffer that one transform renders into: one text for all values, reused on each worker.
//!
//! A thread-local, taken out while in use, so that a host which transforms another message from
//! within a call finds an empty place and makes a new one.

use std::cell::Cell;
use std::ops::Range;

/// Larger buffers go back to the allocator.
const KEEP_BYTES: usize = 64 << 10;

thread_local! {
    static IDLE: Cell<Scratch> = const { Cell::new(Scratch::new()) };
}

/// Rendered values, one after the other.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) text: String,
    values: Vec<Rendered>,
    /// The lines of edited headers.
    lines: Vec<Vec<Line>>,
}

/// What becomes of one line of a header.
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// It stays as it came.
    Kept(Vec<u8>),
    /// The range of its new text; it goes if that is empty.
    Made(Range<usize>),
}

/// One rendered value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rendered {
    /// The template is a constant: the text is in the program.
    Constant,
    /// The range of the text.
    Text(usize, usize),
    /// The lines of an edited header, by their number.
    Lines(usize),
    /// The rule does nothing to this message.
    Skipped,
    /// The template failed, and its rule is left out.
    Failed,
}

impl Scratch {
    const fn new() -> Scratch {
        Scratch {
            text: String::new(),
            values: Vec::new(),
            lines: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, value: Rendered) {
        self.values.push(value);
    }

    pub(super) fn push_lines(&mut self, lines: Vec<Line>) {
        self.values.push(Rendered::Lines(self.lines.len()));
        self.lines.push(lines);
    }

    /// The lines of an edited header: the bytes of each.
    pub(super) fn lines(&self, number: usize) -> impl Iterator<Item = &[u8]> {
        let lines = self.lines.get(number).into_iter().flatten();
        lines.map(|line| match line {
            Line::Kept(bytes) => bytes.as_slice(),
            Line::Made(range) => {
                let text = self.text.get(range.clone());
                text.unwrap_or_default().as_bytes()
            }
        })
    }

    /// The value rendered by this number.
    pub(super) fn value(&self, index: usize) -> Rendered {
        self.values.get(index).copied().unwrap_or(Rendered::Failed)
    }
}

/// Runs `work` with an empty buffer.
pub(super) fn with<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    let mut scratch = IDLE.take();
    let result = work(&mut scratch);
    scratch.text.clear();
    scratch.values.clear();
    scratch.lines.clear();
    if scratch.text.capacity() <= KEEP_BYTES {
        IDLE.set(scratch);
    }
    result
}
