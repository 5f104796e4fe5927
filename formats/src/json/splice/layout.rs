//! One opened container: which of its members are as they were, which are new or opened themselves.
//!
//! Members that stay are kept as ranges, so an array of a million items with one edit is three pieces.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::Misplaced;
use super::edited::{Edited, Slice};
use super::tree::{Closed, Found, Tree};
use crate::json::container::Container;
use crate::json::string;

mod array;
mod object;

use array::Items;
pub(in crate::json) use object::Members;

/// What is to become of a member, or of the place before it.
pub(in crate::json) enum Change<'a> {
    /// A new item stands before it; for arrays alone.
    Insert(Tree<'a>),
    /// It has another value.
    Put(Tree<'a>),
    /// It is gone.
    Remove,
}

/// A container being edited.
#[derive(Clone)]
pub(in crate::json) enum Layout<'a> {
    Object(Members<'a>),
    Array(Items<'a>),
}

impl<'a> Layout<'a> {
    pub(in crate::json) fn new(slice: Slice<'a>, container: Arc<Container>) -> Self {
        let original = Original { slice, container };
        if slice.text().starts_with('{') {
            Self::Object(Members::new(original))
        } else {
            Self::Array(Items::new(original))
        }
    }

    /// A container with all of these changes of its members, in ascending order of their places; what
    /// is inserted at a place comes before what is changed there. An object holds each key once then.
    pub(in crate::json) fn changed(
        slice: Slice<'a>,
        container: Arc<Container>,
        changes: Vec<(usize, Change<'a>)>,
    ) -> Self {
        let original = Original { slice, container };
        if slice.text().starts_with('{') {
            Self::Object(Members::changed(original, changes))
        } else {
            Self::Array(Items::changed(original, changes))
        }
    }

    /// The value of an existing member, ready to be edited or replaced.
    pub(in crate::json) fn child(&mut self, token: &str) -> Result<&mut Tree<'a>, Misplaced> {
        match self {
            Self::Object(members) => members.child(token).ok_or(Misplaced::NotFound),
            Self::Array(items) => items.child(token),
        }
    }

    /// Takes a member out.
    pub(in crate::json) fn remove(&mut self, token: &str) -> Result<Tree<'a>, Misplaced> {
        match self {
            Self::Object(members) => members.remove(token).ok_or(Misplaced::NotFound),
            Self::Array(items) => items.remove(token),
        }
    }

    /// Adds a member: replaces the entry of an object that has the key, inserts before the item an
    /// array has at that place.
    pub(in crate::json) fn add(
        &mut self,
        token: &'a str,
        value: Tree<'a>,
    ) -> Result<(), Misplaced> {
        match self {
            Self::Object(members) => {
                members.put(Cow::Borrowed(token), value);
                Ok(())
            }
            Self::Array(items) => items.add(token, value),
        }
    }

    /// Makes an object that is about to be written to hold each key once.
    pub(in crate::json) fn settle(&mut self) {
        if let Self::Object(members) = self {
            members.settle();
        }
    }

    /// Whether readers may differ in what they find here: an object repeats this key.
    pub(in crate::json) fn is_ambiguous(&self, token: &str) -> bool {
        match self {
            Self::Object(members) => members.repeats(token),
            Self::Array(_) => false,
        }
    }

    pub(in crate::json) fn write(&self, out: &mut Edited<'a>) {
        match self {
            Self::Object(members) => members.write(out),
            Self::Array(items) => items.write(out),
        }
    }
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
    written: Written<'a>,
    /// What stands between the key and its value: the colon and its whitespace.
    colon: Slice<'a>,
}

/// How a key is written.
#[derive(Clone)]
enum Written<'a> {
    /// As in the text.
    Quoted(Slice<'a>),
    /// As what it means has to be.
    Name(Cow<'a, str>),
}

impl<'a> Child<'a> {
    fn write(&self, out: &mut Edited<'a>) {
        out.push(self.before);
        if let Some(key) = &self.key {
            match &key.written {
                Written::Quoted(quoted) => out.push(*quoted),
                Written::Name(name) => out.push_owned(string::quote(name)),
            }
            out.push(key.colon);
        }
        self.value.write(out);
        out.push(self.after);
    }
}

/// How a member is set: the whitespace before it, and the colon of an entry.
#[derive(Clone, Copy)]
struct Style<'a> {
    before: Slice<'a>,
    colon: Slice<'a>,
}

/// A container before any edit.
#[derive(Clone)]
struct Original<'a> {
    slice: Slice<'a>,
    container: Arc<Container>,
}

impl<'a> Original<'a> {
    fn count(&self) -> usize {
        self.container.members().len()
    }

    fn nothing(&self) -> Slice<'a> {
        self.slice.cut(self.slice.end, self.slice.end)
    }

    /// The bracket, and nothing of what follows.
    fn opening(&self) -> Slice<'a> {
        self.slice.cut(self.slice.start, self.slice.start + 1)
    }

    /// What comes after the last member: whitespace and the bracket.
    fn closing(&self) -> Slice<'a> {
        let last_end = match self.container.members().last() {
            Some(member) => member.value.end(),
            None => self.slice.start + 1,
        };
        self.slice.cut(last_end, self.slice.end)
    }

    /// One member, to be edited.
    fn child(&self, index: usize) -> Option<Child<'a>> {
        let member = self.container.members().get(index)?;
        let value = member.value;
        let found = Found::MemberOf(Arc::clone(&self.container), index);
        let closed = Closed {
            slice: self.slice.cut(value.start(), value.end()),
            found,
        };
        let key = (member.key.len() > 0).then(|| Key {
            written: Written::Quoted(self.slice.cut(member.key.start(), member.key.end())),
            colon: self.slice.cut(member.key.end(), value.start()),
        });
        Some(Child {
            before: self.slice.cut(self.region_start(index), member.start()),
            key,
            value: Tree::Closed(closed),
            after: self.slice.cut(value.end(), self.region_end(index)),
        })
    }

    /// How one member is set.
    fn style(&self, index: usize) -> Option<Style<'a>> {
        let member = self.container.members().get(index)?;
        let colon = match member.key.len() {
            0 => self.nothing(),
            _ => self.slice.cut(member.key.end(), member.value.start()),
        };
        Some(Style {
            before: self.slice.cut(self.region_start(index), member.start()),
            colon,
        })
    }

    /// An item that is new, set like another one.
    fn new_item(&self, like: Option<Style<'a>>, value: Tree<'a>) -> Child<'a> {
        Child {
            before: like.map_or(self.nothing(), |style| style.before),
            key: None,
            value,
            after: self.nothing(),
        }
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
}
