//! What a render fails with when it reads something that the message does not have.

use std::fmt;

use minijinja::{Error, ErrorKind};

use crate::error::TransformErrorKind;

/// Why something of the message is not there to be read.
#[derive(Debug)]
pub(crate) struct Absent(pub(crate) TransformErrorKind);

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl std::error::Error for Absent {}

impl Absent {
    /// Fails a render that reads what is not there.
    pub(crate) fn error(kind: TransformErrorKind) -> Error {
        let detail = "what is read is not there";
        Error::new(ErrorKind::UndefinedError, detail).with_source(Absent(kind))
    }
}
