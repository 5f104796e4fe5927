//! An opened object: entries keep their place, new ones come last.
//!
//! Entries are found through the container they come from, so that a merge of many entries into many
//! does not compare each with each.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Change, Child, Key, Original, Style, Written};
use crate::json::splice::edited::{Edited, Slice};
use crate::json::splice::tree::Tree;
use crate::json::string;

#[derive(Clone)]
pub(in crate::json) struct Members<'a> {
    original: Original<'a>,
    /// The entries that are no longer as they were, by their place; none for one that is gone.
    changed: BTreeMap<usize, Option<Child<'a>>>,
    /// New entries that come before all others.
    first: Vec<Child<'a>>,
    /// New entries in order; none for one that is gone again.
    added: Vec<Option<Child<'a>>>,
    /// The place of each new entry.
    names: BTreeMap<Cow<'a, str>, usize>,
    /// How new entries are set, once there is one.
    style: Option<Style<'a>>,
    /// Whether each key is there once.
    is_settled: bool,
}

impl<'a> Members<'a> {
    pub(super) fn new(original: Original<'a>) -> Self {
        Self {
            original,
            changed: BTreeMap::new(),
            first: Vec::new(),
            added: Vec::new(),
            names: BTreeMap::new(),
            style: None,
            is_settled: false,
        }
    }

    /// See [`Layout::changed`](super::Layout::changed).
    pub(super) fn changed(original: Original<'a>, changes: Vec<(usize, Change<'a>)>) -> Self {
        let mut members = Self::new(original);
        members.settle();
        let original = &members.original;
        let changed = changes
            .into_iter()
            .filter_map(|(place, change)| match change {
                Change::Put(value) => {
                    let child = original.child(place)?;
                    Some((place, Some(Child { value, ..child })))
                }
                Change::Remove => Some((place, None)),
                Change::Insert(_) => None,
            });
        members.changed.extend(changed);
        members
    }

    /// Adds an entry in front of those that stand in the text. Its key must be new.
    pub(in crate::json) fn put_first(&mut self, key: Cow<'a, str>, value: Tree<'a>) {
        let style = self.original.style(0);
        let child = self.new_entry(style.unwrap_or(self.no_style()), key, value);
        self.first.push(child);
    }

    /// Removes entries whose key comes again later. Cost: a comparison of all keys, once.
    pub(in crate::json) fn settle(&mut self) {
        if !self.is_settled {
            self.is_settled = true;
            let shadowed = self.shadowed().to_vec();
            self.changed
                .extend(shadowed.into_iter().map(|index| (index, None)));
        }
    }

    /// Whether the key is there more than once.
    pub(super) fn repeats(&self, key: &str) -> bool {
        let source = self.original.slice.source;
        let is_key = |index: &usize| {
            let member = self.original.container.members().get(*index);
            member.is_some_and(|member| string::spells(member.key.of(source), key))
        };
        !self.is_settled && self.shadowed().iter().any(is_key)
    }

    fn shadowed(&self) -> &[usize] {
        (self.original.container).shadowed(self.original.slice.source)
    }

    /// The value of the entry with this key; the last of them, as long as the object is not settled.
    pub(in crate::json) fn child(&mut self, key: &str) -> Option<&mut Tree<'a>> {
        if let Some(&place) = self.names.get(key) {
            return self
                .added
                .get_mut(place)?
                .as_mut()
                .map(|child| &mut child.value);
        }
        let index = self.position(key)?;
        let original = &self.original;
        let child = self
            .changed
            .entry(index)
            .or_insert_with(|| original.child(index));
        child.as_mut().map(|child| &mut child.value)
    }

    /// Takes an entry out.
    pub(in crate::json) fn remove(&mut self, key: &str) -> Option<Tree<'a>> {
        if let Some(place) = self.names.remove(key) {
            return self.added.get_mut(place)?.take().map(|child| child.value);
        }
        let index = self.position(key)?;
        let child = match self.changed.insert(index, None) {
            Some(changed) => changed,
            None => self.original.child(index),
        };
        child.map(|child| child.value)
    }

    /// Gives the entry with this key the value; a new one goes to the end, in the style of the entry
    /// before it.
    pub(in crate::json) fn put(&mut self, key: Cow<'a, str>, value: Tree<'a>) {
        if let Some(present) = self.child(&key) {
            *present = value;
            return;
        }
        let style = match self.style {
            Some(style) => style,
            None => self.last_style(),
        };
        self.style = Some(style);
        self.names.insert(key.clone(), self.added.len());
        let child = self.new_entry(style, key, value);
        self.added.push(Some(child));
    }

    fn new_entry(&self, style: Style<'a>, key: Cow<'a, str>, value: Tree<'a>) -> Child<'a> {
        Child {
            before: style.before,
            key: Some(Key {
                written: Written::Name(key),
                colon: style.colon,
            }),
            value,
            after: self.original.nothing(),
        }
    }

    pub(super) fn write(&self, out: &mut Edited<'a>) {
        out.push(self.original.opening());
        let mut is_first = true;
        let mut comma = |out: &mut Edited<'a>| {
            if !std::mem::take(&mut is_first) {
                out.push_comma();
            }
        };
        for child in &self.first {
            comma(out);
            child.write(out);
        }
        let mut next = 0;
        let end = (self.original.count(), &None);
        let changed = self.changed.iter().map(|(index, child)| (*index, child));
        for (index, child) in changed.chain([end]) {
            if next < index {
                comma(out);
                out.push(self.original.kept(&(next..index)));
            }
            next = index + 1;
            if let Some(child) = child {
                comma(out);
                child.write(out);
            }
        }
        for child in self.added.iter().flatten() {
            comma(out);
            child.write(out);
        }
        out.push(self.original.closing());
    }

    /// The place of the last entry with this key, if it is still there.
    fn position(&self, key: &str) -> Option<usize> {
        let source = self.original.slice.source;
        let index = self.original.container.position(source, key)?;
        match self.changed.get(&index) {
            Some(None) => None,
            _ => Some(index),
        }
    }

    /// How the last entry is set.
    fn last_style(&self) -> Style<'a> {
        let is_there = |index: &usize| !matches!(self.changed.get(index), Some(None));
        let last = (0..self.original.count()).rev().find(is_there);
        last.and_then(|last| self.original.style(last))
            .unwrap_or(self.no_style())
    }

    /// For the first entry of an object.
    fn no_style(&self) -> Style<'a> {
        Style {
            before: self.original.nothing(),
            colon: Slice::whole(":"),
        }
    }
}
