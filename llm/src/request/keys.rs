//! Which keys of an object repeat one: readers differ in which of them counts.

use std::collections::HashSet;

use formats::json::Raw;

/// The keys of one object so far.
#[derive(Debug, Default)]
pub(super) struct Keys<'t> {
    /// The first ones, which are compared one by one.
    few: Vec<Raw<'t>>,
    /// All of them, once they are many.
    many: HashSet<String>,
}

/// Up to this many keys, comparing is as quick as a table.
const FEW: usize = 32;

impl<'t> Keys<'t> {
    /// Whether this key came before, however it is spelled.
    pub(super) fn repeats(&mut self, key: Raw<'t>) -> bool {
        if self.few.len() < FEW {
            let name = key.as_str().unwrap_or_default();
            let repeats = self.few.iter().any(|it| it.is(&name));
            self.few.push(key);
            return repeats;
        }
        let name = |raw: &Raw<'t>| raw.as_str().unwrap_or_default().into_owned();
        if self.many.is_empty() {
            self.many.extend(self.few.iter().map(name));
        }
        !self.many.insert(name(&key))
    }
}
