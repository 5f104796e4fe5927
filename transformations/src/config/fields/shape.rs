//! What a field may hold.
//!
//! Each shape is a type of its own, so that the reader cannot read a number from a field of words; whoever
//! describes fields looks at all of them through [`View`].

use super::Object;

/// What a value of JSON may be. `null` counts as absent in every field.
pub trait Shape: Sync {
    /// The same for whoever describes it.
    fn view(&self) -> View;
}

/// Every shape there is.
#[derive(Clone)]
pub enum View {
    /// A text.
    Text(Text),
    /// A whole number.
    Whole(Whole),
    /// A number of any kind.
    Number,
    /// A boolean.
    Flag(Flag),
    /// One of several words, and the one that goes for an absent one.
    Words(Vec<&'static str>, Option<&'static str>),
    /// An object with known fields.
    Object(&'static Object),
    /// An object with exactly one of its fields.
    OneOf(&'static Object),
    /// A list.
    List(List),
    /// An object with names of the author's own.
    Names(Names),
    /// Any of several shapes.
    Forms(Forms),
    /// Any JSON.
    Json,
}

/// A text, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// Taken as it is.
    Plain,
    /// A template.
    Template,
    /// A template that may hold Envoy's command operators.
    HeaderValue,
    /// The name of a header.
    HeaderName,
    /// The name of a header that is none of the request line's or the status line's.
    RegularHeaderName,
    /// A header name in which `*` stands for any run of characters.
    NamePattern,
    /// A condition: an expression of the template language, without braces.
    Expression,
    /// A JSON Pointer (RFC 6901).
    Pointer,
    /// A regular expression.
    Pattern,
    /// A name of the template language.
    Name,
    /// The name of a profile.
    ProfileName,
    /// A text that says something.
    Filled,
    /// Letters, digits, dots, colons, underscores and dashes.
    Word,
    /// A host, with or without a port.
    Host,
    /// What a path begins with.
    PathPrefix,
}

/// A whole number between bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The smallest.
    pub least: u64,
    /// The largest.
    pub most: u64,
    /// What goes for an absent one.
    pub default: Option<u64>,
    /// What it counts.
    pub unit: Unit,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Pieces,
    /// Bytes.
    Bytes,
}

/// `true` or `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// What goes for an absent one.
    pub default: Option<bool>,
}

/// One of several words, each with what it stands for.
#[derive(Clone, Copy, Debug)]
pub struct Words<T: 'static> {
    /// The words, spelt exactly.
    pub all: &'static [(&'static str, T)],
    /// What goes for an absent one.
    pub default: Option<T>,
}

/// A list of equals.
#[derive(Clone, Copy)]
pub struct List {
    /// What each item is.
    pub of: &'static dyn Shape,
}

/// An object whose names are the author's own.
#[derive(Clone, Copy)]
pub struct Names {
    /// What each name is.
    pub names: Text,
    /// What each value is.
    pub of: &'static dyn Shape,
    /// Whether a value may be null, which is as if it were not there.
    pub has_nulls: bool,
    /// Whether there may be none.
    pub may_be_empty: bool,
}

/// An object with exactly one of its fields.
#[derive(Clone, Copy)]
pub struct OneOf(pub &'static Object);

/// One of several shapes, the first of which is the one to write.
#[derive(Clone, Copy)]
pub struct Forms {
    /// The shapes.
    pub all: &'static [Form],
}

/// One of several shapes of a field.
#[derive(Clone, Copy)]
pub struct Form {
    /// The shape.
    pub shape: &'static dyn Shape,
    /// What it stands in for, if another one is better written.
    pub stands_in: Option<&'static str>,
}

/// Any JSON.
#[derive(Clone, Copy, Debug)]
pub struct Json;

/// A number of any kind.
#[derive(Clone, Copy, Debug)]
pub struct Number;

impl Form {
    pub(super) const fn of(shape: &'static dyn Shape) -> Form {
        Form {
            shape,
            stands_in: None,
        }
    }

    /// A shape that is understood, and better written in another one.
    pub(super) const fn instead(shape: &'static dyn Shape, text: &'static str) -> Form {
        Form {
            shape,
            stands_in: Some(text),
        }
    }
}

impl Names {
    pub(super) const fn of(names: Text, of: &'static dyn Shape) -> Names {
        Names {
            names,
            of,
            has_nulls: true,
            may_be_empty: true,
        }
    }

    pub(super) const fn without_nulls(mut self) -> Names {
        self.has_nulls = false;
        self
    }

    pub(super) const fn not_empty(mut self) -> Names {
        self.may_be_empty = false;
        self
    }
}

impl Whole {
    pub(super) const fn bytes(most: u64) -> Whole {
        Whole {
            unit: Unit::Bytes,
            ..Whole::pieces(1, most)
        }
    }

    pub(super) const fn pieces(least: u64, most: u64) -> Whole {
        Whole {
            least,
            most,
            default: None,
            unit: Unit::Pieces,
        }
    }

    pub(super) const fn or(mut self, default: u64) -> Whole {
        self.default = Some(default);
        self
    }
}

impl Shape for Text {
    fn view(&self) -> View {
        View::Text(*self)
    }
}

impl Shape for Whole {
    fn view(&self) -> View {
        View::Whole(*self)
    }
}

impl Shape for Number {
    fn view(&self) -> View {
        View::Number
    }
}

impl Shape for Flag {
    fn view(&self) -> View {
        View::Flag(*self)
    }
}

impl<T: PartialEq + Sync> Shape for Words<T> {
    fn view(&self) -> View {
        let default = self.default.as_ref().and_then(|default| {
            let (word, _) = self.all.iter().find(|(_, meaning)| meaning == default)?;
            Some(*word)
        });
        View::Words(self.all.iter().map(|(word, _)| *word).collect(), default)
    }
}

impl Shape for &'static Object {
    fn view(&self) -> View {
        View::Object(self)
    }
}

impl Shape for OneOf {
    fn view(&self) -> View {
        View::OneOf(self.0)
    }
}

impl Shape for List {
    fn view(&self) -> View {
        View::List(*self)
    }
}

impl Shape for Names {
    fn view(&self) -> View {
        View::Names(*self)
    }
}

impl Shape for Forms {
    fn view(&self) -> View {
        View::Forms(*self)
    }
}

impl Shape for Json {
    fn view(&self) -> View {
        View::Json
    }
}
