//! The last chunk of a body on the Envoys that hide it, up to 1.37.
//!
//! Once a stream has a buffer, such an Envoy moves the last chunk to its end before the body hook, for a
//! filter that collects the body there, and calls the hook with nothing. But the buffer is the whole
//! chain's. If this filter collects nothing, what it lets pass is empty then: the chunk is lost, because a
//! filter has released the body from the middle and nobody sends the buffer on, or it goes unseen by
//! whoever collects behind this filter (Buffer announces a length without it, the router keeps it for
//! retries and does not send it). So the slot moves the chunk back, out of the buffer, before the hook.
//!
//! How much of the buffer is the chunk the host does not say. What lay there before are the bytes that this
//! filter let pass and a filter behind it has collected, unless it has released them since. [`Passed`]
//! remembers them, by number, place and end, and recognises them. No Envoy and no unsafe code in here: the
//! slot shows views of the bytes.

/// How many bytes of the end of a chunk are remembered.
const SAMPLE: usize = 64;

/// What somebody behind this filter does with the bytes that it lets pass.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Keeper {
    /// Nothing has shown yet.
    #[default]
    Unknown,
    /// Collects all of them.
    All,
    /// Collects none, or none any more.
    None,
    /// Collects something else, such as what another filter has made of them.
    Other,
}

/// What the last body hook of one direction left behind.
#[derive(Debug, Default)]
pub(super) struct Passed {
    keeper: Keeper,
    /// Bytes in the buffer that somebody keeps.
    kept: usize,
    /// Bytes that the hook let pass.
    passed: usize,
    /// Where the first of both is in memory. It stays there as long as somebody keeps it.
    first: Option<*const u8>,
    /// The last of them.
    end: Vec<u8>,
}

impl Passed {
    /// Remembers what is there when a body hook that is not the last returns. `held`: this filter keeps it.
    pub(super) fn remember(&mut self, buffered: &[&[u8]], received: &[&[u8]], held: bool) {
        let (kept, passed) = (size(buffered), size(received));
        self.keeper = if held {
            Keeper::Unknown
        } else if self.passed == 0 {
            self.keeper
        } else if kept == self.kept + self.passed {
            Keeper::All
        } else if kept == self.kept || kept == 0 {
            Keeper::None
        } else {
            Keeper::Other
        };
        // What this filter holds passes as a whole, when it does.
        (self.kept, self.passed) = if held {
            (0, kept + passed)
        } else {
            (kept, passed)
        };
        self.first = first(buffered).or_else(|| first(received));
        let end = if passed > 0 { received } else { buffered };
        let from = size(end).saturating_sub(SAMPLE);
        self.end = range(end, from, usize::MAX);
    }

    /// How many bytes at the end of the buffer are the last chunk.
    pub(super) fn last_chunk(&self, buffered: &[&[u8]]) -> usize {
        let total = size(buffered);
        let all = self.kept + self.passed;
        let in_place = self.first.is_some() && self.first == first(buffered);
        let before = match self.keeper {
            Keeper::Other => total,
            Keeper::Unknown | Keeper::All if in_place && self.ends_at(buffered, all) => all,
            _ if in_place && self.kept <= total => self.kept,
            _ => 0,
        };
        total - before
    }

    fn ends_at(&self, buffered: &[&[u8]], end: usize) -> bool {
        let from = end.checked_sub(self.end.len());
        from.is_some_and(|from| range(buffered, from, self.end.len()) == self.end)
    }
}

fn size(chunks: &[&[u8]]) -> usize {
    chunks.iter().map(|chunk| chunk.len()).sum()
}

fn first(chunks: &[&[u8]]) -> Option<*const u8> {
    let chunk = chunks.iter().find(|chunk| !chunk.is_empty());
    chunk.map(|chunk| chunk.as_ptr())
}

/// A copy of up to `len` bytes from `from` on.
pub(super) fn range(chunks: &[&[u8]], from: usize, len: usize) -> Vec<u8> {
    let mut copy = Vec::with_capacity(len.min(size(chunks).saturating_sub(from)));
    let mut skip = from;
    for chunk in chunks {
        let skipped = skip.min(chunk.len());
        skip -= skipped;
        let wanted = &chunk[skipped..];
        copy.extend_from_slice(&wanted[..wanted.len().min(len - copy.len())]);
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body hook that let `received` pass while somebody kept `buffered`.
    fn after(hooks: &[(&[u8], &[u8])]) -> Passed {
        let mut passed = Passed::default();
        for (buffered, received) in hooks {
            passed.remember(&[buffered], &[received], false);
        }
        passed
    }

    #[test]
    fn a_chunk_after_a_release_is_alone_in_the_buffer() {
        let body = b"onetwothree";
        // A filter before released "one", then "two" came; nobody keeps anything.
        let passed = after(&[(b"", &body[..3]), (b"", &body[3..6])]);
        assert_eq!(passed.last_chunk(&[&body[6..]]), 5);
        // As long as what was released, equal to it, and at its old place.
        assert_eq!(passed.last_chunk(&[&body[3..6]]), 3);
    }

    #[test]
    fn a_chunk_behind_what_somebody_collects_is_found() {
        let body = b"onetwothree";
        for hooks in [
            &[(&body[..0], &body[..6])][..],
            &[(&body[..0], &body[..3]), (&body[..3], &body[3..6])],
        ] {
            assert_eq!(after(hooks).last_chunk(&[body]), 5, "{hooks:?}");
            assert_eq!(
                after(hooks).last_chunk(&[&body[..6]]),
                0,
                "an empty last chunk"
            );
            assert_eq!(
                after(hooks).last_chunk(&[b"three"]),
                5,
                "released meanwhile"
            );
            let other = b"threethree!";
            assert_eq!(
                after(hooks).last_chunk(&[other]),
                other.len(),
                "released, longer"
            );
        }
    }

    #[test]
    fn somebody_who_gave_up_collecting_keeps_what_there_was() {
        let body = b"onetwothree";
        let hooks: [(&[u8], &[u8]); 3] = [
            (b"", &body[..3]),
            (&body[..3], b"two"),
            (&body[..3], b"two"),
        ];
        assert_eq!(after(&hooks).last_chunk(&[body]), 8);
        // At the very end, too: what follows is not what passed.
        assert_eq!(after(&hooks[..2]).last_chunk(&[&body[..3], b"last"]), 4);
    }

    #[test]
    fn what_another_filter_has_made_of_the_bytes_stays_where_it_is() {
        let body = b"ONETWOthree";
        let passed = after(&[(b"", b"1"), (&body[..3], b"2"), (&body[..6], b"3")]);
        assert_eq!(passed.last_chunk(&[body]), 0);
    }

    #[test]
    fn what_this_filter_held_itself_is_gone_or_kept_as_a_whole() {
        let body = b"onetwothree";
        let mut passed = Passed::default();
        passed.remember(&[], &[&body[..3]], true);
        passed.remember(&[&body[..3]], &[&body[3..6]], true);
        assert_eq!(passed.last_chunk(&[body]), 5);
        assert_eq!(passed.last_chunk(&[b"three"]), 5);
    }
}
