//! Envoy's command operators in header values: `%REQ(:path)%` and its kin.
//!
//! Recognised by the compiler, on the main thread, in the literal text of a template; evaluated by
//! streams on workers, like any other read. What templates render is never searched for operators,
//! so nothing in a message can become one.
//!
//! The rule, made so that plain text with percent signs stays what it is: an operator is `%`, a name
//! of at least three capitals, digits and underscores that begins with a capital, perhaps
//! `(arguments)`, perhaps `:length`, and `%`. Without arguments, a name that begins with two
//! hexadecimal digits is percent-encoded text. `%%` is one percent sign. Everything else is text.
//! Refused are names that are no operator, and operators that cannot have a value where they stand.

use crate::host::{Attribute, LastKinds};

mod parse;
mod rewrite;
mod scan;
mod time;

#[cfg(test)]
mod tests;

pub(crate) use parse::{parse, usage};
pub(crate) use rewrite::{Edit, Rewritten, is_raw, rewrite};
pub(crate) use scan::{Call, Token, scan};
pub(crate) use time::TimeFormat;

/// What stands for a value that is not there, as in Envoy.
pub(crate) const MISSING: char = '-';

/// One operator, ready to be evaluated.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Command {
    pub(crate) operator: Operator,
    /// The bytes of the value that are kept.
    pub(crate) length: Option<usize>,
}

/// Where a value comes from. Names of headers are lower case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operator {
    /// The first value of a header, or of another one if there is none.
    Header {
        source: HeaderSource,
        name: Box<str>,
        other: Option<Box<str>>,
    },
    /// When the request came.
    StartTime(TimeFormat),
    /// A value of the stream's dynamic metadata.
    Metadata {
        namespace: Box<str>,
        key: Box<str>,
        last: LastKinds,
    },
    /// An attribute of the stream.
    Attribute(Attribute),
    /// An attribute that is an address, without its port.
    AddressWithoutPort(Attribute),
}

/// Whose headers an operator reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderSource {
    /// The request, as the client sent it.
    Request,
    Response,
    /// The trailers of the response.
    Trailers,
}

impl Command {
    /// The request headers that the operator reads.
    pub(crate) fn request_headers(&self) -> impl Iterator<Item = &str> {
        let (name, other) = match &self.operator {
            Operator::Header {
                source: HeaderSource::Request,
                name,
                other,
            } => (Some(&**name), other.as_deref()),
            _ => (None, None),
        };
        name.into_iter().chain(other)
    }

    /// Whether the operator reads trailers.
    pub(crate) fn reads_trailers(&self) -> bool {
        matches!(
            self.operator,
            Operator::Header {
                source: HeaderSource::Trailers,
                ..
            }
        )
    }

    /// Whether the operator reads the time at which the request came.
    pub(crate) fn reads_start(&self) -> bool {
        matches!(self.operator, Operator::StartTime(_))
    }
}
