//! What one stage makes of a message, before anything of the message changes.
//!
//! Names and constants stay where they are, in the program; what was rendered stands in one text for all
//! values. The memory of a stage's edits is used again by the next message of the worker: it lies in a
//! thread-local, taken out while in use, so that a host which transforms another message from within a
//! call finds an empty place and makes new ones.

use std::cell::Cell;
use std::ops::Range;

use crate::direction::Direction;
use crate::http;
use crate::program::{Action, BodyRule, DirectionProgram, Rule, TemplateField};

/// Larger buffers go back to the allocator.
const KEEP_BYTES: usize = 64 << 10;

thread_local! {
    static IDLE: Cell<Option<Box<Edits>>> = const { Cell::new(None) };
}

/// The edits of one stage.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// Rendered values, one after the other.
    pub(super) text: String,
    /// What the body becomes, if a template writes it. Patches are applied where the document is.
    pub(super) body: Made,
    /// What each rule came to, in their order.
    pub(super) rules: Vec<Made>,
}

/// What a value came to.
#[derive(Debug, Default)]
pub(super) enum Made {
    /// It does nothing to this message.
    #[default]
    Nothing,
    /// The template is a constant: the text is in the program.
    Constant,
    /// The range of [`Edits::text`].
    Text(Range<usize>),
    /// What becomes of the lines of a header, of which the empty ones go.
    Lines(Vec<Line>),
}

impl Made {
    /// A value that failed and is left out is an empty one.
    pub(super) const EMPTY: Made = Made::Text(0..0);
}

/// What becomes of one line of a header.
#[derive(Debug)]
pub(super) enum Line {
    /// It stays as it came.
    Kept(Vec<u8>),
    /// The range of its new text.
    Made(Range<usize>),
}

impl Edits {
    /// Edits without any, in memory that was used before.
    pub(super) fn take() -> Box<Edits> {
        IDLE.take().unwrap_or_default()
    }

    /// Lets the next message of this worker have the memory.
    pub(super) fn give_back(mut self: Box<Self>) {
        if self.text.capacity() <= KEEP_BYTES {
            self.clear();
            IDLE.set(Some(self));
        }
    }

    /// Forgets what was made.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.body = Made::Nothing;
        self.rules.clear();
    }

    /// The bytes of a line.
    pub(super) fn line<'a>(&'a self, line: &'a Line) -> &'a [u8] {
        match line {
            Line::Kept(bytes) => bytes,
            Line::Made(range) => self.rendered(range).as_bytes(),
        }
    }

    #[inline]
    fn value<'a>(&'a self, made: &Made, of: &'a TemplateField) -> &'a str {
        match made {
            Made::Text(range) => self.rendered(range),
            Made::Constant => of.template.constant().unwrap_or_default(),
            Made::Nothing | Made::Lines(_) => "",
        }
    }

    fn rendered(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

/// The edits of a stage that was not skipped.
#[derive(Debug)]
pub(super) struct StageEdits<'p> {
    pub(super) stage: &'p DirectionProgram,
    pub(super) edits: Box<Edits>,
}

/// What happens to the header or the metadata of a rule.
pub(super) enum Change<'a> {
    /// What the rule says, with this value.
    To(&'a str),
    /// The lines of the header become these.
    Lines(&'a [Line]),
}

impl StageEdits<'_> {
    /// The body, if a template writes it.
    pub(super) fn body(&self) -> Option<&str> {
        match (&self.edits.body, &self.stage.body) {
            (Made::Nothing, _) => None,
            (made, Some(BodyRule::Template(of))) => Some(self.edits.value(made, of)),
            _ => None,
        }
    }

    /// The rules that do something, in the order in which they apply.
    #[inline]
    pub(super) fn changes(&self) -> impl Iterator<Item = (&Rule, Change<'_>)> {
        let all = self.stage.rules.iter().zip(&self.edits.rules);
        all.filter_map(|(rule, made)| {
            let change = match made {
                Made::Nothing => return None,
                Made::Lines(lines) => Change::Lines(lines),
                made => Change::To(self.edits.value(made, &rule.value)),
            };
            Some((rule, change))
        })
    }
}

impl Action {
    /// Whether this is about the header of a name, in lower case. A request's host has two names.
    pub(super) fn is_about(&self, direction: Direction, name: &str) -> bool {
        let is_host = |name: &str| matches!(name, "host" | ":authority");
        match self {
            Action::RemoveAll { names, .. } => {
                names.matches(name) && !http::is_vital(name, direction)
            }
            Action::Metadata { .. } => false,
            Action::Edit { name: own }
            | Action::Set { name: own }
            | Action::Add { name: own }
            | Action::Remove { name: own } => {
                **own == *name || direction == Direction::Request && is_host(name) && is_host(own)
            }
        }
    }
}
