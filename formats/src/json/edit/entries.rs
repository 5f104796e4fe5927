//! New entries of an object.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::json::splice::{Members, Tree};

/// New entries, none of which the document has. A key that is given twice keeps its first place and has
/// its last value.
#[derive(Default)]
pub(super) struct Entries<'a> {
    first: Vec<Cow<'a, str>>,
    last: Vec<Cow<'a, str>>,
    values: BTreeMap<Cow<'a, str>, Tree<'a>>,
}

impl<'a> Entries<'a> {
    pub(super) fn put_first(&mut self, key: Cow<'a, str>, value: Tree<'a>) {
        if self.values.insert(key.clone(), value).is_none() {
            self.first.push(key);
        }
    }

    pub(super) fn put_last(&mut self, key: Cow<'a, str>, value: Tree<'a>) {
        if self.values.insert(key.clone(), value).is_none() {
            self.last.push(key);
        }
    }

    pub(super) fn put_into(mut self, members: &mut Members<'a>) {
        for key in self.first {
            if let Some(value) = self.values.remove(&key) {
                members.put_first(key, value);
            }
        }
        for key in self.last {
            if let Some(value) = self.values.remove(&key) {
                members.put(key, value);
            }
        }
    }
}
