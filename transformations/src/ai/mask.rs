//! What is masked in requests, and what becomes of it in responses: compiled on the main thread, shared
//! by workers.

use std::sync::Arc;

use llm::mask::{Masker, Returns};
use llm::text::Role;

/// The compiled `mask`.
#[derive(Debug)]
pub(super) struct MaskStage {
    /// What is looked for.
    pub(super) masker: Arc<Masker>,
    /// Whose words of a request are looked at.
    pub(super) roles: Box<[Role]>,
    /// What becomes of responses, if anything does.
    pub(super) returns: Option<Returns>,
    /// What cannot be looked at passes.
    pub(super) passes_unseen: bool,
    /// Messages go on as they came.
    pub(super) is_shadow: bool,
}

impl MaskStage {
    /// Whether what cannot be looked at is refused.
    pub(super) fn must_see(&self) -> bool {
        !self.passes_unseen && !self.is_shadow
    }
}
