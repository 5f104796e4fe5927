//! One opened container: which of its members are as they were, which are new or opened themselves.
//!
//! Members that stay are kept as ranges, so an array of a million items with one edit is three runs,
//! and is written as three pieces.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::apply::PatchErrorKind;
use super::edited::{Edited, Slice};
use super::tree::{Closed, Found, Tree};
use crate::json::container::Container;
use crate::json::outline::Member;
use crate::json::pointer;
use crate::json::string;

/// A container being edited.
#[derive(Clone)]
pub(super) struct Layout<'a> {
    /// The container's text before any edit.
    slice: Slice<'a>,
    container: Arc<Container>,
    runs: Vec<Run<'a>>,
}

#[derive(Clone)]
enum Run<'a> {
    /// Members of the original, untouched. Never empty.
    Kept(Range<usize>),
    Child(Child<'a>),
}

/// A member that is new, or that somebody descended into.
#[derive(Clone)]
struct Child<'a> {
    /// Whitespace after the preceding comma or bracket.
    before: Slice<'a>,
    key: Option<Key<'a>>,
    value: Tree<'a>,
    /// Whitespace before a following comma.
    after: Slice<'a>,
}

#[derive(Clone)]
struct Key<'a> {
    /// What the key means.
    name: Cow<'a, str>,
    /// How it is written, if it comes from the text.
    quoted: Option<Slice<'a>>,
    /// What stands between the key and its value: the colon and its whitespace.
    colon: Slice<'a>,
}

/// Where a member is.
#[derive(Clone, Copy)]
struct Spot {
    run: usize,
    /// The offset within a kept run.
    within: usize,
}

impl<'a> Layout<'a> {
    pub(super) fn new(slice: Slice<'a>, container: Arc<Container>) -> Self {
        let count = container.members().len();
        let runs = if count == 0 {
            Vec::new()
        } else {
            vec![Run::Kept(0..count)]
        };
        Self {
            slice,
            container,
            runs,
        }
    }

    /// The value of an existing member, ready to be edited or replaced.
    pub(super) fn child(&mut self, token: &str) -> Result<&mut Tree<'a>, PatchErrorKind> {
        let spot = self.existing(token)?;
        Ok(&mut self.isolate(spot)?.value)
    }

    /// Takes a member out; in an object, together with its duplicates.
    pub(super) fn remove(&mut self, token: &str) -> Result<Tree<'a>, PatchErrorKind> {
        let spot = self.existing(token)?;
        let taken = self.take(spot)?;
        if self.is_object() {
            while let Some(duplicate) = self.find_key(token) {
                self.take(duplicate)?;
            }
        }
        Ok(taken)
    }

    /// Adds a member: replaces the entry of an object that has the key, inserts before the item an
    /// array has at that place.
    pub(super) fn add(&mut self, token: &'a str, value: Tree<'a>) -> Result<(), PatchErrorKind> {
        if self.is_object() {
            if let Some(spot) = self.find_key(token) {
                self.isolate(spot)?.value = value;
                return Ok(());
            }
            let style = self.runs.last().and_then(|run| self.style(run, true));
            let (before, colon) = style.unwrap_or((self.nothing(), Slice::whole(":")));
            let key = Some(Key {
                name: Cow::Borrowed(token),
                quoted: None,
                colon,
            });
            self.runs.push(Run::Child(Child {
                before,
                key,
                value,
                after: self.nothing(),
            }));
            return Ok(());
        }
        let count = self.count();
        let place = match token {
            "-" => count,
            _ => pointer::array_index(token).ok_or(PatchErrorKind::InvalidIndex)?,
        };
        if place > count {
            return Err(PatchErrorKind::NotFound);
        }
        let run = match self.find_place(place) {
            Some(spot) => self.split(spot),
            None => self.runs.len(),
        };
        let neighbour = self.runs.get(run).map(|run| (run, false));
        let neighbour = neighbour.or_else(|| self.runs.last().map(|run| (run, true)));
        let style = neighbour.and_then(|(run, last)| self.style(run, last));
        let before = style.map_or(self.nothing(), |(before, _)| before);
        self.runs.insert(
            run,
            Run::Child(Child {
                before,
                key: None,
                value,
                after: self.nothing(),
            }),
        );
        Ok(())
    }

    pub(super) fn write(&self, out: &mut Edited<'a>) {
        let slice = self.slice;
        out.push(slice.cut(slice.start, slice.start + 1));
        for (index, run) in self.runs.iter().enumerate() {
            if index > 0 {
                out.push_comma();
            }
            match run {
                Run::Kept(range) => out.push(self.kept(range)),
                Run::Child(child) => child.write(out),
            }
        }
        out.push(slice.cut(self.last_end(), slice.end));
    }

    fn is_object(&self) -> bool {
        self.slice.text().starts_with('{')
    }

    fn nothing(&self) -> Slice<'a> {
        self.slice.cut(self.slice.end, self.slice.end)
    }

    fn count(&self) -> usize {
        self.runs.iter().map(Run::len).sum()
    }

    fn existing(&self, token: &str) -> Result<Spot, PatchErrorKind> {
        let spot = if self.is_object() {
            self.find_key(token)
        } else if token == "-" {
            // The place after the last item, where there is nothing.
            None
        } else {
            self.find_place(pointer::array_index(token).ok_or(PatchErrorKind::InvalidIndex)?)
        };
        spot.ok_or(PatchErrorKind::NotFound)
    }

    fn find_place(&self, mut place: usize) -> Option<Spot> {
        for (run, members) in self.runs.iter().enumerate() {
            if place < members.len() {
                return Some(Spot { run, within: place });
            }
            place -= members.len();
        }
        None
    }

    /// The last entry with this key.
    fn find_key(&self, key: &str) -> Option<Spot> {
        let names = |member: &Member| string::spells(member.key.of(self.slice.source), key);
        self.runs
            .iter()
            .enumerate()
            .rev()
            .find_map(|(run, members)| match members {
                Run::Kept(range) => {
                    let within = self.members(range).iter().rposition(names)?;
                    Some(Spot { run, within })
                }
                Run::Child(child) => {
                    let found = child.key.as_ref().is_some_and(|own| own.name == key);
                    found.then_some(Spot { run, within: 0 })
                }
            })
    }

    /// Makes `spot` the start of a run; gives that run's place.
    fn split(&mut self, spot: Spot) -> usize {
        if spot.within > 0
            && let Some(Run::Kept(range)) = self.runs.get_mut(spot.run)
        {
            let middle = range.start + spot.within;
            let right = Run::Kept(middle..range.end);
            range.end = middle;
            self.runs.insert(spot.run + 1, right);
            return spot.run + 1;
        }
        spot.run
    }

    /// Makes the member at `spot` a run of its own.
    fn isolate(&mut self, spot: Spot) -> Result<&mut Child<'a>, PatchErrorKind> {
        let run = self.split(spot);
        if let Some(Run::Kept(range)) = self.runs.get(run) {
            let index = range.start;
            let rest = index + 1..range.end;
            let child = self.kept_child(index).ok_or(PatchErrorKind::NotFound)?;
            let rest = if rest.is_empty() {
                None
            } else {
                Some(Run::Kept(rest))
            };
            self.runs
                .splice(run..=run, [Run::Child(child)].into_iter().chain(rest));
        }
        match self.runs.get_mut(run) {
            Some(Run::Child(child)) => Ok(child),
            _ => Err(PatchErrorKind::NotFound),
        }
    }

    fn take(&mut self, spot: Spot) -> Result<Tree<'a>, PatchErrorKind> {
        self.isolate(spot)?;
        let run = if spot.within > 0 {
            spot.run + 1
        } else {
            spot.run
        };
        match self.runs.remove(run) {
            Run::Child(child) => Ok(child.value),
            Run::Kept(_) => Err(PatchErrorKind::NotFound),
        }
    }

    fn members(&self, range: &Range<usize>) -> &[Member] {
        self.container
            .members()
            .get(range.clone())
            .unwrap_or_default()
    }

    fn kept_child(&self, index: usize) -> Option<Child<'a>> {
        let source = self.slice.source;
        let member = self.container.members().get(index)?;
        let value = member.value;
        let found = Found::MemberOf(Arc::clone(&self.container), index);
        let closed = Closed {
            slice: self.slice.cut(value.start(), value.end()),
            found,
        };
        let key = (self.is_object()).then(|| Key {
            name: string::decode(member.key.of(source)),
            quoted: Some(self.slice.cut(member.key.start(), member.key.end())),
            colon: self.slice.cut(member.key.end(), value.start()),
        });
        Some(Child {
            before: self.slice.cut(self.region_start(index), member.start()),
            key,
            value: Tree::Closed(closed),
            after: self.slice.cut(value.end(), self.region_end(index)),
        })
    }

    /// How the members of a run are set: the whitespace before one, and the colon of an entry.
    fn style(&self, run: &Run<'a>, last: bool) -> Option<(Slice<'a>, Slice<'a>)> {
        let index = match run {
            Run::Child(child) => {
                let colon = child.key.as_ref().map_or(self.nothing(), |key| key.colon);
                return Some((child.before, colon));
            }
            Run::Kept(range) if last => range.end.checked_sub(1)?,
            Run::Kept(range) => range.start,
        };
        let child = self.kept_child(index)?;
        Some((
            child.before,
            child.key.map_or(self.nothing(), |key| key.colon),
        ))
    }

    /// A run of untouched members with everything between them.
    fn kept(&self, range: &Range<usize>) -> Slice<'a> {
        let end = range
            .end
            .checked_sub(1)
            .map_or(self.slice.start, |last| self.region_end(last));
        self.slice.cut(self.region_start(range.start), end)
    }

    /// Where what belongs to member `index` starts: after the comma or bracket before it.
    fn region_start(&self, index: usize) -> usize {
        match index.checked_sub(1) {
            None => self.slice.start + 1,
            Some(previous) => self.region_end(previous) + 1,
        }
    }

    /// Where what belongs to member `index` ends: at the comma after it. The last one ends with its
    /// value, since the whitespace before the closing bracket belongs to the bracket.
    fn region_end(&self, index: usize) -> usize {
        let members = self.container.members();
        let Some(member) = members.get(index) else {
            return self.slice.start + 1;
        };
        if index + 1 == members.len() {
            return member.value.end();
        }
        let rest = self
            .slice
            .source
            .as_bytes()
            .get(member.value.end()..)
            .unwrap_or_default();
        member.value.end() + memchr::memchr(b',', rest).unwrap_or_default()
    }

    /// Where the last member ended before any edit.
    fn last_end(&self) -> usize {
        match self.container.members().last() {
            Some(member) => member.value.end(),
            None => self.slice.start + 1,
        }
    }
}

impl Run<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Kept(range) => range.len(),
            Self::Child(_) => 1,
        }
    }
}

impl<'a> Child<'a> {
    fn write(&self, out: &mut Edited<'a>) {
        out.push(self.before);
        if let Some(key) = &self.key {
            match key.quoted {
                Some(quoted) => out.push(quoted),
                None => out.push_owned(string::encode(&key.name)),
            }
            out.push(key.colon);
        }
        self.value.write(out);
        out.push(self.after);
    }
}
