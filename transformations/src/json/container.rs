//! A container that somebody looked into: its direct members, and the containers below it that were
//! looked into in turn.
//!
//! Shared by every node and patch of one document; filled once, on whichever thread asks first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use super::outline::{Member, Outline};
use super::scan::{self, Span};
use super::string;

type Slots = Box<[OnceLock<Arc<Container>>]>;

/// Up to this many members, a search from end to start is as quick as a table.
const FEW: usize = 64;

/// A wide object that was searched this often gets a table of its keys; most are asked once or
/// twice, and a table costs more than that.
const OFTEN: u32 = 4;

/// The members of one object or array. 16 bytes a member; what lies below costs nothing until
/// somebody descends.
pub(super) struct Container {
    members: Vec<Member>,
    /// One slot a member, made when the first member is descended into.
    below: OnceLock<Slots>,
    /// Members whose key comes again later, in ascending order; found when somebody counts or lists.
    shadowed: OnceLock<Vec<usize>>,
    /// Searches so far, of a wide object.
    searches: AtomicU32,
    /// The position of the last member of each key, once a wide object was searched often.
    table: OnceLock<HashMap<Box<str>, usize>>,
}

impl Container {
    pub(super) fn new(outline: Outline) -> Arc<Self> {
        let Outline { members, below } = outline;
        let slots = OnceLock::new();
        if !below.is_empty() {
            let mut filled = empty_slots(members.len());
            for (index, members) in below {
                let known = Self::new(Outline {
                    members,
                    below: Vec::new(),
                });
                if let Some(slot) = filled.get_mut(index) {
                    *slot = OnceLock::from(known);
                }
            }
            // Set just after it was made, so it was empty.
            let _ = slots.set(filled);
        }
        Arc::new(Self {
            members,
            below: slots,
            shadowed: OnceLock::new(),
            searches: AtomicU32::new(0),
            table: OnceLock::new(),
        })
    }

    /// Looks into the container at `span` of `text`. Cost: one pass over it.
    pub(super) fn scan(text: &str, span: Span) -> Arc<Self> {
        Self::new(scan::container(text, span))
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The position of the last member with this key. Cost: a pass over the keys; of a wide object
    /// only the first few times.
    pub(super) fn position(&self, text: &str, key: &str) -> Option<usize> {
        // A count that is off by a race only makes the table sooner or later.
        let is_wide = self.members.len() > FEW;
        if is_wide && self.searches.fetch_add(1, Ordering::Relaxed) >= OFTEN {
            return self.table(text).get(key).copied();
        }
        self.members
            .iter()
            .rposition(|member| string::spells(member.key.of(text), key))
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

    /// The container that is the value of member `index`, looked into at most once.
    pub(super) fn below(&self, text: &str, index: usize) -> Option<&Arc<Self>> {
        let slots = self.below.get_or_init(|| empty_slots(self.members.len()));
        let member = self.members.get(index)?;
        Some(
            slots
                .get(index)?
                .get_or_init(|| Self::scan(text, member.value)),
        )
    }

    /// The positions of members hidden by a later one of the same key; empty for arrays.
    pub(super) fn shadowed(&self, text: &str) -> &[usize] {
        self.shadowed.get_or_init(|| {
            if self
                .members
                .first()
                .is_none_or(|member| member.key.len() == 0)
            {
                return Vec::new();
            }
            let mut last = HashMap::with_capacity(self.members.len());
            let mut shadowed = Vec::new();
            for (index, member) in self.members.iter().enumerate() {
                shadowed.extend(last.insert(string::decode(member.key.of(text)), index));
            }
            shadowed.sort_unstable();
            shadowed
        })
    }
}

fn empty_slots(count: usize) -> Slots {
    (0..count).map(|_| OnceLock::new()).collect()
}
