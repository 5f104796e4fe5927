//! Mutations that keep enough of an input's shape to get past the first check.
//!
//! Inputs are taken apart into words (names, numbers, marks such as `{{`), and mutants put words,
//! ranges of words and whole sections of several inputs together anew; now and then a byte changes,
//! too. All is chosen by one generator, so that a seed repeats a run.

use std::collections::BTreeSet;
use std::ops::Range;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::scene::{SEPARATOR, sections};

/// No mutant is longer: long inputs are slow, and rarely needed to break something.
const MAX_BYTES: usize = 16 << 10;

/// Words worth trying anywhere.
const WORDS: &[&[u8]] = &[
    b"0",
    b"-0",
    b"1e400",
    b"-1",
    b"1.0",
    b"0.1",
    b"18446744073709551616",
    b"-9223372036854775808",
    b"4294967296",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"\"\"",
    b"\\u0000",
    b"\\ud83d",
    b"\\ud83d\\ude00",
    b"\\\"",
    b"\xEF\xBB\xBF",
    b"\xFF",
    b"\xC3",
    b"\xE2\x82\xAC",
    b"\0",
    b"\r\n",
    b"\n\n",
    b"\r",
    b"\t",
    b"\x7F",
    b"/-",
    b"~1",
    b"~0",
    b"%00",
    b"%%",
    b"%REQ(:path)%",
    b"{{",
    b"}}",
    b"{%",
    b"%}",
    b"{#",
    b"#}",
    b"-%}",
    b"{%-",
    b"HEAD",
    b"CONNECT",
    b"204",
    b"304",
    b"101",
    b"data: ",
    b"[DONE]",
    b"text/event-stream",
    b"application/json",
    b"application/x-ndjson",
    b"gzip",
    b"chunked",
    b"::ffff:10.0.0.1",
    b"10.0.0.0/8",
];

/// Two bytes that mean something together.
const PAIRS: &[&[u8]] = &[
    b"{{", b"}}", b"{%", b"%}", b"{#", b"#}", b"\r\n", b"\n\n", b"\\\"", b"//", b"==",
];

/// Makes mutants.
#[derive(Debug)]
pub struct Mutator {
    rng: SmallRng,
    words: Vec<Vec<u8>>,
}

impl Mutator {
    /// A mutator that knows the words of these inputs.
    pub fn new(seed: u64, inputs: &[Vec<u8>]) -> Mutator {
        let known = inputs
            .iter()
            .flat_map(|input| words(input).map(|at| input[at].to_vec()));
        let all: BTreeSet<Vec<u8>> = known.chain(WORDS.iter().map(|it| it.to_vec())).collect();
        Mutator {
            rng: SmallRng::seed_from_u64(seed),
            words: all.into_iter().collect(),
        }
    }

    /// A mutant of the inputs of a pool, which must not be empty.
    pub fn mutant(&mut self, pool: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.pick(pool).clone();
        let steps = 1 << self.rng.random_range(0..4);
        for _ in 0..steps {
            let other = self.pick(pool);
            input = self.step(input, other);
            input.truncate(MAX_BYTES);
        }
        input
    }

    fn pick<'p, T>(&mut self, from: &'p [T]) -> &'p T {
        &from[self.rng.random_range(0..from.len())]
    }

    fn word(&mut self) -> Vec<u8> {
        let at = self.rng.random_range(0..self.words.len());
        self.words[at].clone()
    }

    fn step(&mut self, mut input: Vec<u8>, other: &[u8]) -> Vec<u8> {
        match self.rng.random_range(0..12) {
            0..=2 => {
                let at = self.range(&input, 1);
                let word = self.word();
                replace(&mut input, at, &word);
            }
            3 => {
                let at = self.range(&input, 1);
                let word = self.word();
                replace(&mut input, at.start..at.start, &word);
            }
            4 => {
                let at = self.range(&input, 6);
                replace(&mut input, at, b"");
            }
            5 => {
                let at = self.range(&input, 12);
                let again = input[at.clone()].to_vec();
                let times = if self.rng.random_ratio(1, 10) { 200 } else { 1 };
                let room = MAX_BYTES / again.len().max(1);
                replace(&mut input, at.end..at.end, &again.repeat(times.min(room)));
            }
            6..=7 => {
                let (at, from) = (self.range(&input, 4), self.range(other, 16));
                replace(&mut input, at, &other[from]);
            }
            8 => {
                let (at, from) = (self.range(&input, 8), self.range(&input, 8));
                let moved = input[from].to_vec();
                replace(&mut input, at, &moved);
            }
            9 if !input.is_empty() => {
                let at = self.rng.random_range(0..input.len());
                input[at] = self.rng.random();
            }
            _ => return self.swap_section(&input, other),
        }
        input
    }

    /// Up to `most` words of an input; nothing at its end if it is empty.
    fn range(&mut self, input: &[u8], most: usize) -> Range<usize> {
        let words: Vec<_> = words(input).collect();
        if words.is_empty() {
            return input.len()..input.len();
        }
        let first = self.rng.random_range(0..words.len());
        let last = first + self.rng.random_range(0..most);
        words[first].start..words[last.min(words.len() - 1)].end
    }

    /// One section comes from the other input.
    fn swap_section(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut ours: Vec<_> = sections(input).collect();
        let theirs: Vec<_> = sections(other).collect();
        let at = self.rng.random_range(0..ours.len().max(1));
        if let (Some(our), Some(their)) = (ours.get_mut(at), theirs.get(at)) {
            *our = their;
        }
        ours.join(SEPARATOR)
    }
}

fn replace(input: &mut Vec<u8>, at: Range<usize>, with: &[u8]) {
    input.splice(at, with.iter().copied());
}

/// Where the words of an input are: runs of letters and digits, doubled marks, single bytes.
fn words(input: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = input.get(at..)?;
        let first = *rest.first()?;
        let letters = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
        let length = if letters(&first) {
            rest.iter()
                .position(|byte| !letters(byte))
                .unwrap_or(rest.len())
        } else {
            let pair = PAIRS.iter().any(|pair| rest.starts_with(pair));
            1 + usize::from(pair)
        };
        at += length;
        Some(at - length..at)
    })
}
