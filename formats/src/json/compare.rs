//! Equality of JSON values by meaning, not by spelling.
//!
//! Called by the patch operation `test` on worker threads.

use super::node::{Kind, Node};
use super::number;

impl Node {
    /// Whether two values mean the same: strings by their characters, numbers by their value, objects
    /// whatever the order of their keys. Objects in which a key repeats are equal to nothing, since readers
    /// differ in what they take them for; neither is what nests too deeply to be looked into.
    ///
    /// Cost: at most the product of the sizes of two objects.
    pub fn equals(&self, other: &Self) -> bool {
        let is_clear = |node: &Node| !node.is_too_deep() && !node.has_repeats();
        if !is_clear(self) || !is_clear(other) {
            return false;
        }
        match (self.kind(), other.kind()) {
            (Kind::Number, Kind::Number) => number::equal(self.raw(), other.raw()),
            (Kind::String, Kind::String) => self.as_str() == other.as_str(),
            (Kind::Array, Kind::Array) => {
                self.len() == other.len()
                    && self
                        .items()
                        .zip(other.items())
                        .all(|(item, its)| item.equals(&its))
            }
            (Kind::Object, Kind::Object) => {
                self.len() == other.len()
                    && self
                        .entries()
                        .all(|(key, value)| other.get(&key).is_some_and(|its| value.equals(&its)))
            }
            (kind, its) => kind == its,
        }
    }
}
