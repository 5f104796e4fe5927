//! A container that somebody looked into: its direct members, and the containers below it that were
//! looked into in turn.
//!
//! Shared by every node and patch of one document; filled once, on whichever thread asks first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::outline::{Member, Outline};
use super::repeats::repeats;
use super::scan::{self, MAX_DEPTH};
use super::span::Span;
use super::string;

/// Up to this many members, a search from end to start is as quick as a table.
const FEW: usize = 64;

/// An object that cost this many long searches, or keys decoded by them, gets a table of its keys;
/// most are asked once or twice, and a table costs more than that.
const OFTEN: u32 = 4;

/// The members of one object or array. 16 bytes a member; what is in the members costs nothing until
/// somebody asks for it.
pub(super) struct Container {
    members: Vec<Member>,
    /// How many containers this stands in, itself included.
    depth: usize,
    /// How many levels the next pass over something in here remembers. Each remembers twice as many as
    /// the one before, so that a way down to the bottom takes a handful of passes, however deep it is.
    reach: usize,
    /// What the pass over this came by of the containers in it, until they are looked into. Most are
    /// not, and what is made for those that are costs more than these.
    noted: Mutex<Vec<(usize, Outline)>>,
    /// One slot a member, made when the first member is asked for what is in it.
    inside: OnceLock<Box<[OnceLock<Inside>]>>,
    /// Members whose key comes again later, in ascending order; found when somebody counts or lists.
    shadowed: OnceLock<Vec<usize>>,
    /// Long searches so far.
    searches: AtomicU32,
    /// The position of the last member of each key, once the object was searched often.
    table: OnceLock<HashMap<Box<str>, usize>>,
}

/// What is in a member that somebody asked for it.
enum Inside {
    Members(Arc<Container>),
    /// The contents of a string.
    Text(Arc<str>),
}

impl Container {
    /// The container at the root of a text, which parsing has come by.
    pub(super) fn root(outline: Outline) -> Arc<Self> {
        Self::new(outline, 1, 4)
    }

    /// Looks into the container at `span` of `text`, which counts as a root. Cost: one pass over it.
    pub(super) fn scan(text: &str, span: Span) -> Arc<Self> {
        Self::root(scan::container(text, span, 2))
    }

    fn new(outline: Outline, depth: usize, reach: usize) -> Arc<Self> {
        Arc::new(Self {
            members: outline.members,
            depth,
            reach,
            noted: Mutex::new(outline.below),
            inside: OnceLock::new(),
            shadowed: OnceLock::new(),
            searches: AtomicU32::new(0),
            table: OnceLock::new(),
        })
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The position of the last member with this key. Cost: a pass over the keys, but only the first few
    /// times if they are many, or have to be decoded.
    pub(super) fn position(&self, text: &str, key: &str) -> Option<usize> {
        // A count that is off by a race only makes the table sooner or later.
        if self.searches.load(Ordering::Relaxed) >= OFTEN {
            return self.table(text).get(key).copied();
        }
        let mut long = u32::from(self.members.len() > FEW);
        let found = self.members.iter().rposition(|member| {
            let quoted = member.key.of(text);
            string::spells_plainly(quoted, key).unwrap_or_else(|| {
                long = long.saturating_add(1);
                string::spells_with_escapes(quoted, key)
            })
        });
        if long > 0 {
            self.searches.fetch_add(long.min(OFTEN), Ordering::Relaxed);
        }
        found
    }

    /// The member whose value holds this position of the text, if there is one.
    pub(super) fn at(&self, position: usize) -> Option<usize> {
        let index = (self.members).partition_point(|member| member.value.end() <= position);
        let member = self.members.get(index)?;
        (member.value.start() <= position).then_some(index)
    }

    /// How many keys a search has to look at, in the long run.
    pub(super) fn search_width(&self) -> usize {
        self.members.len().min(FEW)
    }

    fn table(&self, text: &str) -> &HashMap<Box<str>, usize> {
        self.table.get_or_init(|| {
            let key = |member: &Member| string::decode(member.key.of(text)).into();
            let members = self.members.iter().enumerate();
            members
                .map(|(index, member)| (key(member), index))
                .collect()
        })
    }

    /// Whether what is in here cannot be looked into.
    pub(super) fn is_lowest(&self) -> bool {
        self.depth >= MAX_DEPTH
    }

    /// The container that is the value of member `index`, looked into at most once; none if it nests
    /// too deeply.
    pub(super) fn below(&self, text: &str, index: usize) -> Option<&Arc<Self>> {
        if self.is_lowest() {
            return None;
        }
        let span = self.members.get(index)?.value;
        let look = || {
            let (outline, reach) = match self.take_noted(index) {
                Some(outline) => (outline, self.reach),
                None => {
                    let reach = self.reach.saturating_mul(2);
                    (scan::container(text, span, self.reach), reach)
                }
            };
            Inside::Members(Self::new(outline, self.depth + 1, reach))
        };
        match self.slot(index)?.get_or_init(look) {
            Inside::Members(container) => Some(container),
            Inside::Text(_) => None,
        }
    }

    /// What was noted of the container that is the value of member `index`; it is asked for once.
    fn take_noted(&self, index: usize) -> Option<Outline> {
        // Nothing panics while it is locked.
        let mut noted = self.noted.lock().ok()?;
        let place = noted
            .binary_search_by_key(&index, |(index, _)| *index)
            .ok()?;
        noted
            .get_mut(place)
            .map(|(_, outline)| std::mem::take(outline))
    }

    /// The contents of the string that is the value of member `index`, decoded at most once.
    pub(super) fn contents(&self, text: &str, index: usize) -> Option<&Arc<str>> {
        let span = self.members.get(index)?.value;
        let decode = || Inside::Text(string::decode(span.of(text)).into());
        match self.slot(index)?.get_or_init(decode) {
            Inside::Text(contents) => Some(contents),
            Inside::Members(_) => None,
        }
    }

    fn slot(&self, index: usize) -> Option<&OnceLock<Inside>> {
        let slots = self.inside.get_or_init(|| empty_slots(self.members.len()));
        slots.get(index)
    }

    /// The positions of members hidden by a later one of the same key; empty for arrays.
    pub(super) fn shadowed(&self, text: &str) -> &[usize] {
        self.shadowed.get_or_init(|| {
            if !self.has_keys() {
                return Vec::new();
            }
            let keys: Vec<&str> = self
                .members
                .iter()
                .map(|member| member.key.of(text))
                .collect();
            repeats(&keys)
        })
    }

    fn has_keys(&self) -> bool {
        self.members
            .first()
            .is_some_and(|member| member.key.len() > 0)
    }
}

fn empty_slots(count: usize) -> Box<[OnceLock<Inside>]> {
    (0..count).map(|_| OnceLock::new()).collect()
}
