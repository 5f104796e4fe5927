//! The version string of the ABI, as it stands in Envoy's own executable.
//!
//! Envoy 1.36 and 1.37.0 refuse a module that does not name the hash of their header, and patch releases
//! may have another one. It is a constant of the executable: 64 hexadecimal digits between other bytes.
//! Read once, from `program_init`, on such hosts only: some 80 MB, one byte in 64 looked at.

use std::fs::File;
use std::io::{self, Read};

/// How many digits a hash has.
const DIGITS: usize = 64;
/// How much is read at once.
const CHUNK: usize = 1 << 20;
/// How much of a chunk is looked at again with the next one: a hash with its two neighbours fits in.
const OVERLAP: usize = 2 * DIGITS;
/// The hash of nothing, which every executable with SHA-256 in it holds.
const OF_NOTHING: &[u8; DIGITS] =
    b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What the running executable expects instead of `ours`; `None` if it has `ours`, cannot be read, or does
/// not hold exactly one other hash.
pub(super) fn expects_instead_of(ours: &str) -> Option<String> {
    let executable = File::open("/proc/self/exe").ok()?;
    instead_of(ours, executable).ok()?
}

fn instead_of(ours: &str, executable: impl Read) -> io::Result<Option<String>> {
    let (mut known, mut others) = (false, Vec::new());
    for_each_hash(executable, |hash| {
        known |= hash == ours.as_bytes();
        if hash != OF_NOTHING && !others.iter().any(|other| other == hash) {
            others.push(hash.to_vec());
        }
    })?;
    match others.as_slice() {
        [other] if !known => Ok(String::from_utf8(other.clone()).ok()),
        _ => Ok(None),
    }
}

fn for_each_hash(mut from: impl Read, mut visit: impl FnMut(&[u8])) -> io::Result<()> {
    let mut window = vec![0; CHUNK + OVERLAP];
    // The byte before the first one, which ends a run of digits as any other byte does.
    let mut len = 1;
    loop {
        let read = from.read(&mut window[len..])?;
        len += read;
        if read == 0 {
            // The byte behind the last one; there is room, since a full window is emptied below.
            window[len] = 0;
            hashes_in(&window[..=len], &mut visit);
            return Ok(());
        }
        if len == window.len() {
            hashes_in(&window, &mut visit);
            window.copy_within(len - OVERLAP.., 0);
            len = OVERLAP;
        }
    }
}

/// Visits the runs of exactly so many digits whose two neighbours are in the window.
fn hashes_in(window: &[u8], visit: &mut impl FnMut(&[u8])) {
    let mut at = DIGITS;
    while at < window.len() {
        if !is_digit(&window[at]) {
            at += DIGITS;
            continue;
        }
        let before = window[..at]
            .iter()
            .rev()
            .take_while(|byte| is_digit(byte))
            .count();
        let start = at - before;
        let len = window[start..]
            .iter()
            .take_while(|byte| is_digit(byte))
            .count();
        let end = start + len;
        if len == DIGITS && start > 0 && end < window.len() {
            visit(&window[start..end]);
        }
        at = end + DIGITS;
    }
}

fn is_digit(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "7ee559f16f35086fa7dc9ed380e2efc6b4d89031a001fb504aa71eccd25882f7";
    const OTHER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// A reader that gives `step` bytes at a time.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(to.len()).min(self.0.len());
            let (now, rest) = self.0.split_at(count);
            to[..count].copy_from_slice(now);
            self.0 = rest;
            Ok(count)
        }
    }

    fn found(executable: &[u8]) -> Option<String> {
        instead_of(OURS, Slowly(executable, 100_003)).expect("memory can be read")
    }

    #[test]
    fn the_only_other_hash_is_taken_wherever_it_stands() {
        for before in [
            0,
            1,
            63,
            64,
            CHUNK - 70,
            CHUNK - 1,
            CHUNK,
            CHUNK + OVERLAP - 33,
            2 * CHUNK,
        ] {
            let executable = [&vec![0xff; before][..], OTHER.as_bytes(), b"\0tail"].concat();
            assert_eq!(found(&executable).as_deref(), Some(OTHER), "{before}");
            assert_eq!(
                found(&executable[..before + 64]).as_deref(),
                Some(OTHER),
                "{before}, at the end"
            );
        }
    }

    #[test]
    fn ours_nothing_two_others_and_longer_runs_leave_ours() {
        let nothing = String::from_utf8_lossy(OF_NOTHING);
        let twice = format!("{OTHER}\0{OTHER}");
        assert_eq!(found(twice.as_bytes()).as_deref(), Some(OTHER));
        let reversed: String = OTHER.chars().rev().collect();
        for text in [
            format!("{OTHER}\0{OURS}\0"),
            format!("\0{nothing}\0"),
            format!("{OTHER}\0{reversed}"),
            format!("{OTHER}0"),
            OTHER[1..].to_owned(),
            OTHER.to_uppercase(),
            String::new(),
        ] {
            assert_eq!(found(text.as_bytes()), None, "{text}");
        }
    }
}
