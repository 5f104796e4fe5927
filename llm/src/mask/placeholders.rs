//! What stands in the place of values: numbers by first appearance, or digests under a key.
//!
//! Used on workers, one set for an exchange. Memory is bounded by the number and the bytes of the
//! values that are kept; nothing here prints them.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write};
use std::ops::Bound;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How many different values one exchange keeps.
pub const MAX_VALUES: usize = 4096;
/// How many bytes these may have together.
pub const MAX_VALUE_BYTES: usize = 1 << 20;
/// How many numbers of a name a request may use by itself before ours run out.
const MAX_NUMBER: usize = 2 * MAX_VALUES;

/// Why no further value can be masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// There are too many different values, or the request uses all numbers itself.
    #[error("has more than {MAX_VALUES} different values to mask; send fewer in one request")]
    TooManyValues,
    /// They are too long together.
    #[error("has more than {MAX_VALUE_BYTES} bytes of values to mask; send fewer in one request")]
    TooManyBytes,
}

/// The key of digests.
#[derive(Clone)]
pub struct HashKey(Box<[u8]>);

impl HashKey {
    /// A key of any length; 32 random bytes are right.
    pub fn new(key: &[u8]) -> HashKey {
        HashKey(key.into())
    }

    /// `[NAME#3f2a9c4e]`: the first four bytes of HMAC-SHA-256.
    pub(super) fn placeholder(&self, name: &str, value: &str) -> String {
        let mut placeholder = format!("[{name}#");
        // A key of any length is one.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            mac.update(value.as_bytes());
            for byte in mac.finalize().into_bytes().iter().take(4) {
                // Writing to a string does not fail.
                let _ = write!(placeholder, "{byte:02x}");
            }
        }
        placeholder.push(']');
        placeholder
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey")
    }
}

/// Numbers that were given to values, for each name apart.
#[derive(Default)]
pub(super) struct Numbering {
    names: Vec<Numbers>,
    bytes: usize,
    count: usize,
}

#[derive(Default)]
struct Numbers {
    /// Numbers that texts used by themselves, as bits; the first bit stands for 1.
    used: Vec<u64>,
    last: usize,
    values: HashMap<Box<str>, usize>,
}

impl Numbering {
    /// Numbers for names that are told by their index.
    pub(super) fn new(names: usize) -> Numbering {
        let mut numbering = Numbering::default();
        numbering.names.resize_with(names, Numbers::default);
        numbering
    }

    /// Skips the placeholders that a text uses by itself.
    pub(super) fn reserve(&mut self, text: &str, names: &[Box<str>]) {
        for start in memchr::memchr_iter(b'[', text.as_bytes()) {
            let inside = text.get(start + 1..).unwrap_or_default();
            for (name, numbers) in names.iter().zip(&mut self.names) {
                let behind = inside
                    .strip_prefix(&**name)
                    .and_then(|it| it.strip_prefix('_'));
                let Some(behind) = behind else {
                    continue;
                };
                let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
                let (number, rest) = behind.split_at_checked(digits).unwrap_or_default();
                let number = number.parse().unwrap_or(0);
                if rest.starts_with(']') && !number_is_padded(behind) {
                    numbers.mark(number);
                }
            }
        }
    }

    /// The number of a value, the same whenever it comes.
    pub(super) fn number(&mut self, name: usize, value: &str) -> Result<usize, MaskError> {
        let Some(numbers) = self.names.get_mut(name) else {
            return Err(MaskError::TooManyValues);
        };
        if let Some(&number) = numbers.values.get(value) {
            return Ok(number);
        }
        if self.bytes + value.len() > MAX_VALUE_BYTES {
            return Err(MaskError::TooManyBytes);
        }
        let free = |it: &usize| !numbers.is_used(*it);
        let number = (numbers.last + 1..=MAX_NUMBER).find(free);
        let number = number.filter(|_| self.count < MAX_VALUES);
        let number = number.ok_or(MaskError::TooManyValues)?;
        numbers.last = number;
        numbers.values.insert(value.into(), number);
        self.bytes += value.len();
        self.count += 1;
        Ok(number)
    }

    /// Gives up the values, by their placeholders.
    pub(super) fn originals(&mut self, names: &[Box<str>]) -> Originals {
        let mut originals = Originals::default();
        for (name, numbers) in names.iter().zip(&mut self.names) {
            for (value, number) in numbers.values.drain() {
                let placeholder = placeholder(name, number).into_boxed_str();
                originals.longest = originals.longest.max(placeholder.len());
                originals.values.insert(placeholder, value);
            }
        }
        originals
    }

    /// A numbering that goes on behind this one: it gives none of its numbers again.
    pub(super) fn follow(&self) -> Numbering {
        let follow = |numbers: &Numbers| Numbers {
            used: numbers.used.clone(),
            last: numbers.last,
            values: HashMap::new(),
        };
        Numbering {
            names: self.names.iter().map(follow).collect(),
            ..Numbering::default()
        }
    }
}

impl fmt::Debug for Numbering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Numbering({} values)", self.count)
    }
}

impl Numbers {
    fn mark(&mut self, number: usize) {
        if (1..=MAX_NUMBER).contains(&number) {
            let word = (number - 1) / 64;
            if self.used.len() <= word {
                self.used.resize(word + 1, 0);
            }
            if let Some(bits) = self.used.get_mut(word) {
                *bits |= 1 << ((number - 1) % 64);
            }
        }
    }

    fn is_used(&self, number: usize) -> bool {
        let word = self.used.get((number - 1) / 64);
        word.is_some_and(|bits| bits & (1 << ((number - 1) % 64)) != 0)
    }
}

/// `[NAME_1]`.
pub(super) fn placeholder(name: &str, number: usize) -> String {
    format!("[{name}_{number}]")
}

/// Whether a number is written as ours are not: `01`.
fn number_is_padded(text: &str) -> bool {
    text.starts_with('0')
}

/// The values of one request, by their placeholders.
#[derive(Default)]
pub struct Originals {
    values: BTreeMap<Box<str>, Box<str>>,
    /// How long the longest placeholder is.
    longest: usize,
}

impl Originals {
    /// Whether nothing was masked.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The value of a placeholder at the start of a text, with the placeholder's length; or whether
    /// one may begin there that is cut off. Costs a look at a placeholder's length.
    pub(super) fn at(&self, text: &str) -> At<'_> {
        let near = super::ahead::floor(text, self.longest);
        let near = text.get(..near).unwrap_or_default();
        if let Some(end) = near.find(']') {
            let placeholder = near.get(..=end).unwrap_or_default();
            return match self.values.get(placeholder) {
                Some(value) => At::Placeholder(placeholder.len(), value),
                None => At::Nothing,
            };
        }
        let from = (Bound::Included(near), Bound::Unbounded);
        let next = self.values.range::<str, _>(from).next();
        match next {
            Some((it, _)) if near.len() == text.len() && it.starts_with(near) => At::Cut,
            _ => At::Nothing,
        }
    }
}

/// What stands at the start of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum At<'o> {
    Placeholder(usize, &'o str),
    Cut,
    Nothing,
}

impl fmt::Debug for Originals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Originals({})", self.values.len())
    }
}

#[cfg(test)]
mod tests;
