//! Equality of JSON values by meaning, not by spelling.
//!
//! Called by the patch operation `test` on worker threads.

use super::node::{Kind, Node};
use super::number;

/// Whether two values mean the same: strings by their characters, numbers by their value, objects
/// whatever the order of their keys. Objects in which a key repeats are equal to nothing, since readers
/// differ in what they take them for; neither is what nests too deeply to be looked into.
///
/// Cost: proportional to the smaller of the two.
pub(super) fn equal(left: &Node, right: &Node) -> bool {
    let is_clear = |node: &Node| !node.is_too_deep() && !node.has_repeats();
    if !is_clear(left) || !is_clear(right) {
        return false;
    }
    match (left.kind(), right.kind()) {
        (Kind::Number, Kind::Number) => number::equal(left.raw(), right.raw()),
        (Kind::String, Kind::String) => left.as_str() == right.as_str(),
        (Kind::Array, Kind::Array) => {
            left.len() == right.len() && left.items().zip(right.items()).all(|(l, r)| equal(&l, &r))
        }
        (Kind::Object, Kind::Object) => {
            left.len() == right.len()
                && left
                    .entries()
                    .all(|(key, l)| right.get(&key).is_some_and(|r| equal(&l, &r)))
        }
        (left, right) => left == right,
    }
}
