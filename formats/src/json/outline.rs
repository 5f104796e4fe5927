//! What the scanner remembers of a container while it checks it.
//!
//! Filled on the thread that parses or first looks into a container; lives on in that container.

use super::span::Span;

/// One direct member of a container: an item of an array, or an entry of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// The key with its quotes; empty for an array's items.
    pub(super) key: Span,
    pub(super) value: Span,
}

impl Member {
    /// Where the member starts: at its key, or at its value in an array.
    pub(super) fn start(&self) -> usize {
        if self.key.len() == 0 {
            self.value.start()
        } else {
            self.key.start()
        }
    }
}

/// What one pass over a container comes by.
#[derive(Default)]
pub(super) struct Outline {
    /// Its direct members.
    pub(super) members: Vec<Member>,
    /// The outlines of those of its members that are containers worth remembering, by their place:
    /// they then need no pass of their own.
    pub(super) below: Vec<(usize, Outline)>,
}

impl Outline {
    fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Forgets everything but the memory it stood in.
    fn clear(&mut self) {
        self.members.clear();
        self.below.clear();
    }
}

/// Below this many bytes, another pass is cheaper than remembering.
const LARGE: usize = 1024;

/// Hears of the members of a container as they are read.
pub(super) trait Sink {
    /// Who hears of the members of the member that is about to be read; none if nobody does.
    fn below(&mut self) -> Option<&mut Recorder>;
    /// A member was read, after its own members were told to [`below`](Self::below).
    fn member(&mut self, member: Member);
}

/// Forgets everything. Most of a text is read with this one, which must cost nothing.
pub(super) struct Ignore;

impl Sink for Ignore {
    fn below(&mut self) -> Option<&mut Recorder> {
        None
    }

    fn member(&mut self, _: Member) {}
}

/// Remembers a container and some levels of what is in it.
pub(super) struct Recorder {
    pub(super) outline: Outline,
    /// How many levels are remembered: 1 for the direct members alone. Never 0.
    levels: usize,
    /// How long a container must be to be remembered.
    floor: usize,
    /// Hears of the members of the member being read.
    below: Option<Box<Recorder>>,
}

impl Recorder {
    /// Remembers this many levels of what is large.
    pub(super) fn of_levels(levels: usize) -> Self {
        Self::new(levels, LARGE)
    }

    /// For a container of `length` bytes: as many levels of what is large, and everything if all of it
    /// is small.
    pub(super) fn of_container(length: usize, levels: usize) -> Self {
        if length < LARGE {
            Self::new(usize::MAX, 0)
        } else {
            Self::of_levels(levels)
        }
    }

    fn new(levels: usize, floor: usize) -> Self {
        Self {
            outline: Outline::default(),
            levels,
            floor,
            below: None,
        }
    }
}

impl Sink for Recorder {
    fn below(&mut self) -> Option<&mut Recorder> {
        if self.levels <= 1 {
            return None;
        }
        let (levels, floor) = (self.levels - 1, self.floor);
        let below = self
            .below
            .get_or_insert_with(|| Box::new(Self::new(levels, floor)));
        Some(below)
    }

    fn member(&mut self, member: Member) {
        if let Some(below) = &mut self.below
            && !below.outline.is_empty()
        {
            if member.value.len() < self.floor {
                below.outline.clear();
            } else {
                let outline = std::mem::take(&mut below.outline);
                self.outline
                    .below
                    .push((self.outline.members.len(), outline));
            }
        }
        self.outline.members.push(member);
    }
}
