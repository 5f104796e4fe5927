//! What the scanner remembers of a container while it checks it.
//!
//! Filled on the thread that parses or first looks into a container; lives on in that container.

use super::scan::Span;

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
    /// The members of those of its members that are large containers, by their place: bodies keep what
    /// is large in one array (`messages`, `choices`, `data`), which then needs no pass of its own.
    pub(super) below: Vec<(usize, Vec<Member>)>,
}

/// Hears of the members of a container as they are read.
pub(super) trait Sink {
    /// Hears of the members of a member.
    type Below: Sink;
    fn below(&mut self) -> &mut Self::Below;
    /// A member was read, after its own members were told to `below`.
    fn member(&mut self, member: Member);
}

#[derive(Default)]
pub(super) struct TwoLevels {
    pub(super) outline: Outline,
    /// The members of the member being read.
    current: OneLevel,
}

#[derive(Default)]
pub(super) struct OneLevel {
    members: Vec<Member>,
    deeper: Ignore,
}

#[derive(Default)]
pub(super) struct Ignore;

impl Sink for TwoLevels {
    type Below = OneLevel;

    fn below(&mut self) -> &mut OneLevel {
        &mut self.current
    }

    fn member(&mut self, member: Member) {
        /// Below this, another pass is cheaper than remembering.
        const LARGE: usize = 1024;

        if member.value.len() < LARGE {
            self.current.members.clear();
        } else if !self.current.members.is_empty() {
            let members = std::mem::take(&mut self.current.members);
            self.outline
                .below
                .push((self.outline.members.len(), members));
        }
        self.outline.members.push(member);
    }
}

impl Sink for OneLevel {
    type Below = Ignore;

    fn below(&mut self) -> &mut Ignore {
        &mut self.deeper
    }

    fn member(&mut self, member: Member) {
        self.members.push(member);
    }
}

impl Sink for Ignore {
    type Below = Self;

    fn below(&mut self) -> &mut Self {
        self
    }

    fn member(&mut self, _: Member) {}
}
