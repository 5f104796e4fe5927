//! A body as Envoy holds it: bytes in slices.
//!
//! Used by the fake host for the chunk in a body hook and for what was buffered before.

/// Bytes in the slices in which they arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chunks(Vec<Vec<u8>>);

impl Chunks {
    /// One slice; none when there is nothing in it.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut chunks = Self::default();
        chunks.append(bytes);
        chunks
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.push(bytes.to_vec());
        }
    }

    /// Moves the slices of `other` to the end, as Envoy moves buffers: without copying them.
    pub(crate) fn take_from(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Drops up to `count` bytes from the front.
    pub(crate) fn drain(&mut self, mut count: usize) {
        while let Some(first) = self.0.first_mut()
            && count > 0
        {
            if count < first.len() {
                first.drain(..count);
                return;
            }
            count -= first.len();
            self.0.remove(0);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.0.iter_mut().map(Vec::as_mut_slice)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draining_crosses_slices_and_stops_at_the_end() {
        let mut chunks = Chunks::of(b"abc");
        chunks.append(b"def");
        chunks.drain(4);
        assert_eq!(chunks.bytes(), b"ef");
        chunks.drain(9);
        assert_eq!(chunks.len(), 0);
    }

    #[test]
    fn an_empty_append_makes_no_slice() {
        let mut chunks = Chunks::of(b"");
        chunks.append(b"");
        assert_eq!(chunks.iter().count(), 0);
    }
}
