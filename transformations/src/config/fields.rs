//! The table of fields: each field of a configuration is declared here, once.
//!
//! The reader takes from it the names, types, words, bounds and defaults, and knows by it which field
//! somebody meant who misspelt one. The JSON Schema (`schema`) and the tables of
//! `docs/configuration.md` are made of it, so that a field which is read is also described. Nothing
//! here reads a configuration; what a field may hold beyond its shape is the reader's to check.
//!
//! A field that is new is declared in the file of its object below, listed in that object, and read.

use std::fmt;

pub mod access;
pub mod ai;
pub mod body;
pub mod events;
pub mod header;
pub mod metadata;
mod on_error;
pub mod patch;
pub mod profiles;
pub mod provider;
pub mod reply;
pub mod shape;
pub mod top;
pub mod transform;
pub mod when;

use shape::Shape;

/// One field of one object of a configuration.
#[derive(Clone, Copy)]
pub struct Field<S: ?Sized> {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it means, in Markdown: a cell of a table of the documentation.
    pub text: &'static str,
    /// Whether a kgateway `TrafficPolicy` can carry it.
    pub policy: Policy,
    /// The first Envoy, by major and minor version, in which it has an effect, unless all have.
    pub envoy: Option<(u16, u16)>,
    /// Without it the object makes no sense.
    pub is_needed: bool,
    /// What goes for its value where it is absent, if its shape does not say so.
    pub absent: &'static str,
    /// What it holds.
    pub shape: S,
}

/// A field of any shape.
pub type AnyField = Field<dyn Shape>;

/// Whether kgateway's `TrafficPolicy` (`spec.transformation`) has a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// As the field that holds it.
    AsHolder,
    /// Since this release of kgateway.
    Since(&'static str),
    /// Since this release, but for a word that came with a later one: the word, and that release.
    SinceBut(&'static str, (&'static str, &'static str)),
    /// Not so far.
    Never,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Policy::AsHolder => Ok(()),
            Policy::Since(release) => f.write_str(release),
            Policy::SinceBut(release, (word, later)) => {
                write!(f, "{release}, `{word}` from {later} on")
            }
            Policy::Never => f.write_str("no"),
        }
    }
}

/// An object with named fields.
#[derive(Clone, Copy)]
pub struct Object {
    /// Its name among the definitions of the schema, and above its table in the documentation.
    pub name: &'static str,
    /// What it is.
    pub text: &'static str,
    /// Its fields, in groups that objects may share.
    pub groups: &'static [&'static [&'static AnyField]],
}

impl Object {
    /// All fields, in the order in which they are described.
    pub fn fields(&self) -> impl Iterator<Item = &'static AnyField> {
        self.groups.iter().flat_map(|group| group.iter().copied())
    }

    /// Whether there is a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.fields().any(|field| field.name == name)
    }
}

impl<S: Copy> Field<S> {
    const fn new(name: &'static str, shape: S, text: &'static str) -> Field<S> {
        Field {
            name,
            text,
            policy: Policy::AsHolder,
            envoy: None,
            is_needed: false,
            absent: "",
            shape,
        }
    }

    const fn since(mut self, release: &'static str) -> Field<S> {
        self.policy = Policy::Since(release);
        self
    }

    const fn since_but(
        mut self,
        release: &'static str,
        word: &'static str,
        later: &'static str,
    ) -> Field<S> {
        self.policy = Policy::SinceBut(release, (word, later));
        self
    }

    const fn not_in_policies(mut self) -> Field<S> {
        self.policy = Policy::Never;
        self
    }

    const fn needs_envoy(mut self, major: u16, minor: u16) -> Field<S> {
        self.envoy = Some((major, minor));
        self
    }

    const fn needed(mut self) -> Field<S> {
        self.is_needed = true;
        self
    }

    const fn or_else(mut self, absent: &'static str) -> Field<S> {
        self.absent = absent;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::shape::Words;
    use super::{Field, body, events, top};

    /// Whatever is made without a configuration is what an empty one says.
    #[test]
    fn the_defaults_of_words_are_those_of_their_types() {
        fn agrees<T: Default + PartialEq>(field: &Field<Words<T>>) -> bool {
            field.shape.default == Some(T::default())
        }
        assert!(agrees(&top::ON_ERROR) && agrees(&body::PARSE_AS) && agrees(&events::FORMAT));
    }
}
