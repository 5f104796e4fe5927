//! Compiles `body.decode`.

use formats::coding::Limits;

use super::Compiler;
use crate::codes::Code;
use crate::config::Transform;
use crate::config::fields::{body, transform};
use crate::diagnostics::{Diagnostic, Severity};
use crate::program::DirectionProgram;

/// How long a decoded body may be where `maxBodyBytes` says nothing.
const MAX_BYTES: usize = 16 << 20;

impl Compiler<'_> {
    /// How far the compressed bodies of a transform are decoded, if they are.
    pub(super) fn decode(
        &mut self,
        compiled: &DirectionProgram,
        transform: &Transform,
    ) -> Option<Limits> {
        if !transform.body.decode {
            return None;
        }
        if !compiled.reads_body() && transform.stream.is_none() {
            let (body, decode) = (transform::BODY_HERE.name, body::DECODE.name);
            let path = format!("{}.{body}.{decode}", transform.path);
            let message = "nothing reads this body, so it is not decoded";
            let warning = Diagnostic::error(Code::DECODES_NOTHING, &path, message);
            self.found.push(warning.with_severity(Severity::Warning));
        }
        let max_bytes = transform.max_body_bytes.map(usize::try_from);
        Some(Limits {
            max_bytes: max_bytes.and_then(Result::ok).unwrap_or(MAX_BYTES),
            max_ratio: self.decode_ratio,
        })
    }
}
