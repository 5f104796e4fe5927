//! The targets: each takes any bytes and panics where a promise is broken.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::goldens::Goldens;

mod acl;
mod coding;
mod dialects;
mod edits;
mod events;
mod exchange;
mod json;
mod mask;
mod patch;
mod render;
mod restored;
mod stages;
mod streams;
mod translate;

/// A promise to try with any bytes.
#[derive(Debug)]
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// Its folder in the corpus, shared by the targets that read the same kind of input.
    pub folder: &'static str,
    /// Tries an input. Panics if the promise is broken; otherwise tells what kind of outcome it was, so
    /// that an input with a new one is kept to go on from.
    pub run: fn(&[u8]) -> Outcome,
    /// What it starts from, beside its corpus.
    pub seeds: fn(&Goldens) -> Vec<Vec<u8>>,
}

/// A fingerprint of what kind of outcome an input had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outcome(u64);

impl Outcome {
    fn of(what: impl Hash) -> Outcome {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        Outcome(hasher.finish())
    }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "render",
        folder: "scenes",
        run: render::run,
        seeds: Goldens::scenes,
    },
    Target {
        name: "exchange",
        folder: "scenes",
        run: exchange::run,
        seeds: Goldens::scenes,
    },
    Target {
        name: "json",
        folder: "json",
        run: json::run,
        seeds: json::seeds,
    },
    Target {
        name: "patch",
        folder: "patch",
        run: patch::run,
        seeds: Goldens::patches,
    },
    Target {
        name: "edits",
        folder: "edits",
        run: edits::run,
        seeds: |_| Vec::new(),
    },
    Target {
        name: "events",
        folder: "scenes",
        run: events::run,
        seeds: Goldens::scenes,
    },
    Target {
        name: "sse",
        folder: "streams",
        run: streams::sse,
        seeds: Goldens::bodies,
    },
    Target {
        name: "ndjson",
        folder: "streams",
        run: streams::ndjson,
        seeds: Goldens::bodies,
    },
    Target {
        name: "dialects",
        folder: "dialects",
        run: dialects::run,
        seeds: Goldens::traffic,
    },
    Target {
        name: "stages",
        folder: "stages",
        run: stages::run,
        seeds: Goldens::traffic,
    },
    Target {
        name: "translate",
        folder: "translate",
        run: translate::run,
        seeds: Goldens::translations,
    },
    Target {
        name: "coding",
        folder: "coding",
        run: coding::run,
        seeds: |_| Vec::new(),
    },
    Target {
        name: "acl",
        folder: "acl",
        run: acl::run,
        seeds: |_| Vec::new(),
    },
    Target {
        name: "mask",
        folder: "mask",
        run: mask::run,
        seeds: mask::seeds,
    },
    Target {
        name: "restored",
        folder: "mask",
        run: restored::run,
        seeds: restored::seeds,
    },
];

/// Choices that an input makes by itself: the same bytes always make the same.
struct Choices(u64);

impl Choices {
    fn of(input: &[u8]) -> Choices {
        let Outcome(seed) = Outcome::of(input);
        Choices(seed)
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        let Outcome(next) = Outcome::of(self.0);
        self.0 = next;
        // The remainder fits, since `end` does.
        (next % end as u64) as usize
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 1
    }

    /// How long an event of these bytes may be.
    fn limit(&mut self, bytes: &[u8]) -> usize {
        self.below(bytes.len() + 8)
    }

    /// Cuts bytes into up to five chunks, some of them empty; now and then into single bytes.
    fn chunks<'b>(&mut self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        if self.below(8) == 0 {
            return bytes.chunks(1).collect();
        }
        let mut places: Vec<_> = (0..self.below(5))
            .map(|_| self.below(bytes.len() + 1))
            .collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        places
            .windows(2)
            .filter_map(|pair| bytes.get(pair[0]..pair[1]))
            .collect()
    }
}
