//! A compiled `reply`.

use super::{Rule, TemplateField, When};
use crate::error::FieldId;

/// An answer in place of one from the upstream.
#[derive(Debug)]
pub(crate) struct ReplyRule {
    /// When it is sent.
    pub(crate) when: Option<When>,
    pub(crate) status: TemplateField,
    /// Lines to add.
    pub(crate) headers: Box<[Rule]>,
    pub(crate) body: Option<TemplateField>,
    /// Something of it reads the body of the request; otherwise it is sent without waiting for that.
    pub(crate) reads_body: bool,
    /// The field to name as its reason.
    pub(crate) field: FieldId,
}
