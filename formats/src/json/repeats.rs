//! Keys of one object that mean the same.
//!
//! Called on worker threads for objects that are counted, listed, printed or written to. Whoever reads a
//! message next may take another one of them than we do.

use std::borrow::Cow;

use super::string;

/// Up to this many keys are compared with each other.
const FEW: usize = 8;

/// Which of these quoted keys come again later, in ascending order. Cost: sorting them, if they are
/// many; an object seldom has a repeated key, and then nothing else.
pub(super) fn repeats(keys: &[&str]) -> Vec<usize> {
    if keys.len() <= FEW {
        let again = |&index: &usize| {
            let (Some(key), Some(later)) = (keys.get(index), keys.get(index + 1..)) else {
                return false;
            };
            later.iter().any(|other| mean_the_same(key, other))
        };
        return (0..keys.len()).filter(again).collect();
    }
    let mut names: Vec<(Cow<'_, str>, usize)> = keys
        .iter()
        .enumerate()
        .map(|(index, key)| (string::decode(key), index))
        .collect();
    names.sort_unstable();
    let mut repeated: Vec<usize> = names
        .windows(2)
        .filter_map(|pair| match pair {
            [(name, index), (next, _)] if name == next => Some(*index),
            _ => None,
        })
        .collect();
    repeated.sort_unstable();
    repeated
}

fn mean_the_same(left: &str, right: &str) -> bool {
    let has_escapes = |key: &str| memchr::memchr(b'\\', key.as_bytes()).is_some();
    left == right
        || (has_escapes(left) || has_escapes(right))
            && string::decode(left) == string::decode(right)
}
