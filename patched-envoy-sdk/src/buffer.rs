//! Views of bytes that belong to Envoy.
//!
//! Both types have the layout of the ABI's buffer, so that Envoy can fill arrays of them in place.
//! They live on the worker thread that asked for them. A null pointer with length 0 is normal and
//! reads as the empty slice. What they refuse: outliving the borrow they came from, and (unlike the
//! official crate) two mutable views of the same bytes.

use std::fmt;
use std::marker::PhantomData;

/// Bytes lent by Envoy: a header name or value, an attribute, a chunk of a body.
///
/// The bytes are whatever the peer sent; they need not be UTF-8. The view ends when the thing it
/// was borrowed from is changed, which the borrow of the filter handle enforces.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct EnvoyBuffer<'a> {
    raw_ptr: *const u8,
    length: usize,
    lent: PhantomData<&'a [u8]>,
}

impl Default for EnvoyBuffer<'_> {
    fn default() -> Self {
        Self {
            raw_ptr: std::ptr::null(),
            length: 0,
            lent: PhantomData,
        }
    }
}

impl<'a> EnvoyBuffer<'a> {
    /// A view of the caller's own bytes: `"text"`, `b"bytes"`, a `Vec<u8>`. Made for tests; costs
    /// nothing.
    #[must_use]
    pub fn new<T: AsRef<[u8]> + ?Sized>(bytes: &'a T) -> Self {
        let bytes = bytes.as_ref();
        Self {
            raw_ptr: bytes.as_ptr(),
            length: bytes.len(),
            lent: PhantomData,
        }
    }

    /// A view of bytes known by address.
    ///
    /// # Safety
    ///
    /// Either `length` is 0 (then the pointer may be anything, null included), or `raw_ptr` points
    /// to `length` initialised bytes that nobody writes to or frees during `'a`.
    #[must_use]
    pub const unsafe fn new_from_raw(raw_ptr: *const u8, length: usize) -> Self {
        Self {
            raw_ptr,
            length,
            lent: PhantomData,
        }
    }

    /// The bytes. They live as long as the view's source, not just as long as this value.
    #[must_use]
    pub fn as_slice(&self) -> &'a [u8] {
        if self.raw_ptr.is_null() || self.length == 0 {
            return &[];
        }
        // SAFETY: not null; both constructors promise `length` readable bytes for `'a`, and so does
        // Envoy for every buffer of this layout that it fills in and this crate hands out as `'a`.
        unsafe { std::slice::from_raw_parts(self.raw_ptr, self.length) }
    }
}

impl AsRef<[u8]> for EnvoyBuffer<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl fmt::Debug for EnvoyBuffer<'_> {
    /// Shows the length only: the bytes may be a secret of the traffic.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnvoyBuffer({} bytes)", self.as_slice().len())
    }
}

/// Bytes lent by Envoy that may be changed in place: a chunk of a body.
#[repr(C)]
pub struct EnvoyMutBuffer<'a> {
    raw_ptr: *mut u8,
    length: usize,
    lent: PhantomData<&'a mut [u8]>,
}

impl Default for EnvoyMutBuffer<'_> {
    fn default() -> Self {
        Self {
            raw_ptr: std::ptr::null_mut(),
            length: 0,
            lent: PhantomData,
        }
    }
}

impl<'a> EnvoyMutBuffer<'a> {
    /// A view of bytes that live somewhere in the module. Made for tests.
    ///
    /// # Safety
    ///
    /// `bytes` points to initialised bytes that nobody else reads, writes or frees during `'a`, or
    /// has length 0.
    #[must_use]
    pub const unsafe fn new(bytes: *mut [u8]) -> Self {
        Self {
            raw_ptr: bytes.cast::<u8>(),
            length: bytes.len(),
            lent: PhantomData,
        }
    }

    /// A view of bytes known by address.
    ///
    /// # Safety
    ///
    /// Either `length` is 0, or `raw_ptr` points to `length` initialised bytes that nobody else
    /// reads, writes or frees during `'a`.
    #[must_use]
    pub const unsafe fn new_from_raw(raw_ptr: *mut u8, length: usize) -> Self {
        Self {
            raw_ptr,
            length,
            lent: PhantomData,
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        if self.raw_ptr.is_null() || self.length == 0 {
            return &[];
        }
        // SAFETY: not null; the constructors, or Envoy for views it filled in, promise `length`
        // initialised bytes for `'a`; `&self` keeps `as_mut_slice` away meanwhile.
        unsafe { std::slice::from_raw_parts(self.raw_ptr, self.length) }
    }

    /// The bytes, to be changed in place.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        if self.raw_ptr.is_null() || self.length == 0 {
            return &mut [];
        }
        // SAFETY: as in `as_slice`; in addition this view is the only one of these bytes (it is not
        // `Copy`, and its constructors demand it), and `&mut self` makes this borrow of it unique.
        unsafe { std::slice::from_raw_parts_mut(self.raw_ptr, self.length) }
    }
}

impl AsRef<[u8]> for EnvoyMutBuffer<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl fmt::Debug for EnvoyMutBuffer<'_> {
    /// Shows the length only: the bytes may be a secret of the traffic.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnvoyMutBuffer({} bytes)", self.as_slice().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_buffer_is_the_empty_slice() {
        assert_eq!(EnvoyBuffer::default().as_slice(), b"");
        assert_eq!(EnvoyMutBuffer::default().as_mut_slice(), b"");
    }

    #[test]
    fn text_bytes_and_vectors_make_buffers() {
        assert_eq!(EnvoyBuffer::new("1.1.1.1:1").as_slice(), b"1.1.1.1:1");
        assert_eq!(EnvoyBuffer::new(b"host").as_slice(), b"host");
        assert_eq!(EnvoyBuffer::new(&vec![1_u8, 2]).as_slice(), [1, 2]);
    }

    #[test]
    fn a_mutable_buffer_changes_the_bytes_it_views() {
        let mut bytes = *b"abc";
        // SAFETY: `bytes` outlives the view and is not touched while the view is used.
        let mut view = unsafe { EnvoyMutBuffer::new(&raw mut bytes) };
        view.as_mut_slice()[0] = b'x';
        assert_eq!(&bytes, b"xbc");
    }

    #[test]
    fn debug_output_keeps_the_bytes_to_itself() {
        assert_eq!(
            format!("{:?}", EnvoyBuffer::new("token")),
            "EnvoyBuffer(5 bytes)"
        );
    }

    #[test]
    fn the_layout_is_the_one_of_the_abi() {
        let word = size_of::<usize>();
        assert_eq!(size_of::<EnvoyBuffer<'_>>(), 2 * word);
        assert_eq!(size_of::<EnvoyMutBuffer<'_>>(), 2 * word);
        assert_eq!(size_of::<(EnvoyBuffer<'_>, EnvoyBuffer<'_>)>(), 4 * word);
    }
}
