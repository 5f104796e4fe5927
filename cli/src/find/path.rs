//! The way to a value in a document.

use std::fmt;

/// The names and numbers on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<Segment>);

/// A name, or a number from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Name(String),
    Number(usize),
}

impl Path {
    /// The way to a member.
    pub(crate) fn name(&self, name: &str) -> Path {
        self.then(Segment::Name(name.to_owned()))
    }

    /// The way to an item.
    pub(crate) fn number(&self, number: usize) -> Path {
        self.then(Segment::Number(number))
    }

    /// The way on from its end.
    pub(crate) fn join(&self, other: &Path) -> Path {
        let all = self.0.iter().chain(&other.0);
        Path(all.cloned().collect())
    }

    fn then(&self, segment: Segment) -> Path {
        let mut all = self.0.clone();
        all.push(segment);
        Path(all)
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Name(name) if index == 0 => f.write_str(name)?,
                Segment::Name(name) => write!(f, ".{name}")?,
                Segment::Number(number) => write!(f, "[{number}]")?,
            }
        }
        Ok(())
    }
}
