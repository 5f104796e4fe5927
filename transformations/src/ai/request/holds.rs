//! Whether a request has to be there as a whole. On the worker, before anything of its body has come.

use formats::events::Format;
use llm::dialect::path::PathFacts;

use crate::ai::AiProgram;
use crate::direction::Direction;
use crate::message::append_header;
use crate::ops::TransformationOps;

impl AiProgram {
    /// Whether the body of this request has to be there as a whole: not if neither its path nor its
    /// content type lets it be one of a dialect.
    pub(crate) fn holds_request(&self, ops: &(impl TransformationOps + ?Sized)) -> bool {
        if self.dialect.is_some() {
            return true;
        }
        let mut path = String::new();
        append_header(ops, Direction::Request, ":path", &mut path);
        if PathFacts::of(&path).dialect.is_some() {
            return true;
        }
        let mut content_type = String::new();
        append_header(ops, Direction::Request, "content-type", &mut content_type);
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let media_type = media_type.to_ascii_lowercase();
        let is_json = media_type == "application/json" || media_type.ends_with("+json");
        (media_type.is_empty() || is_json) && Format::of(&media_type).is_none()
    }
}
