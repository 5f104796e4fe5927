//! The structures that cross the C boundary by value or by array, and how slices become them.
//!
//! Used by the callback tables and by the event hooks, on every thread. Nothing here reads memory
//! except [`Buf::as_slice`], which refuses to build a slice from a null pointer: Envoy hands out
//! `{null, 0}` freely and Rust slices may not be null.

use std::ffi::c_void;
use std::marker::PhantomData;

/// Envoy's object for one stream's filter (`http_filter_envoy_ptr`).
pub(crate) type FilterPtr = *mut c_void;
/// Envoy's object for one filter config (`http_filter_config_envoy_ptr`).
pub(crate) type ConfigPtr = *mut c_void;
/// Envoy's object for one span (`span_envoy_ptr`).
pub(crate) type SpanPtr = *mut c_void;
/// A scheduler made by Envoy and owned by the module.
pub(crate) type SchedulerPtr = *mut c_void;

/// A pointer and a length: the ABI's buffer, in both directions.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buf {
    pub(crate) ptr: *const u8,
    pub(crate) len: usize,
}

impl Buf {
    /// No bytes and no memory; what Envoy reads as "absent".
    pub(crate) const EMPTY: Self = Self {
        ptr: std::ptr::null(),
        len: 0,
    };

    /// The view of `bytes` a callback may read while it runs.
    pub(crate) const fn of(bytes: &[u8]) -> Self {
        Self {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// The bytes Envoy points at; empty for a null pointer whatever the length says.
    ///
    /// # Safety
    /// A non-null `ptr` must be readable for `len` bytes, unchanged, for all of `'a`.
    pub(crate) unsafe fn as_slice<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() || self.len == 0 {
            return &[];
        }
        // SAFETY: not null, and the caller promises `len` readable bytes for `'a`.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

/// One header line or one key/value pair: `{key_ptr, key_length, value_ptr, value_length}` in C,
/// which is the same sixteen-byte pair twice.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) key: Buf,
    pub(crate) value: Buf,
}

impl Pair {
    pub(crate) const EMPTY: Self = Self {
        key: Buf::EMPTY,
        value: Buf::EMPTY,
    };
}

/// An array the ABI reads while a callback runs, borrowed from the caller's slices.
///
/// The common sizes live on the stack, so that answering a request or starting a callout with a
/// handful of headers allocates nothing here.
pub(crate) struct Borrowed<'a, T> {
    inline: [T; INLINE],
    spilled: Vec<T>,
    len: usize,
    borrows: PhantomData<&'a [u8]>,
}

/// How many header lines fit on the stack.
const INLINE: usize = 16;

impl<'a, T: Copy> Borrowed<'a, T> {
    fn collect(empty: T, len: usize, items: impl Iterator<Item = T>) -> Self {
        let mut inline = [empty; INLINE];
        let mut spilled = Vec::new();
        if len <= INLINE {
            for (place, item) in inline.iter_mut().zip(items) {
                *place = item;
            }
        } else {
            spilled.extend(items);
        }
        Self {
            inline,
            spilled,
            len,
            borrows: PhantomData,
        }
    }

    /// Where the array starts; null when it is empty, which every callback accepts with length 0.
    pub(crate) fn as_ptr(&self) -> *const T {
        match self.len {
            0 => std::ptr::null(),
            1..=INLINE => self.inline.as_ptr(),
            _ => self.spilled.as_ptr(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl<'a> Borrowed<'a, Pair> {
    /// The ABI's view of headers or key/value pairs.
    pub(crate) fn pairs<K: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: &'a [(K, V)]) -> Self {
        Self::collect(
            Pair::EMPTY,
            pairs.len(),
            pairs.iter().map(|(key, value)| Pair {
                key: Buf::of(key.as_ref()),
                value: Buf::of(value.as_ref()),
            }),
        )
    }
}

impl<'a> Borrowed<'a, Buf> {
    /// The ABI's view of label names or values.
    pub(crate) fn strings(strings: &'a [&'a str]) -> Self {
        Self::collect(
            Buf::EMPTY,
            strings.len(),
            strings.iter().map(|text| Buf::of(text.as_bytes())),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_buffer_is_an_empty_slice_whatever_its_length_claims() {
        let odd = Buf {
            ptr: std::ptr::null(),
            len: 7,
        };
        // SAFETY: a null pointer is never read.
        assert_eq!(unsafe { odd.as_slice() }, b"");
    }

    #[test]
    fn short_and_long_arrays_keep_their_order() {
        for count in [0usize, 1, INLINE, INLINE + 1, 40] {
            let owned: Vec<(String, String)> = (0..count)
                .map(|i| (format!("k{i}"), format!("v{i}")))
                .collect();
            let array = Borrowed::pairs(&owned);
            assert_eq!(array.len(), count);
            for (i, (key, value)) in owned.iter().enumerate() {
                // SAFETY: `i < count`, and `owned` outlives the array.
                let pair = unsafe { *array.as_ptr().add(i) };
                // SAFETY: both views borrow from `owned`.
                unsafe {
                    assert_eq!(pair.key.as_slice(), key.as_bytes());
                    assert_eq!(pair.value.as_slice(), value.as_bytes());
                }
            }
        }
    }
}
