//! How much of a request has to be there. On the worker, before anything of its body has come.

use formats::events::Format;
use llm::dialect::path::PathFacts;

use crate::ai::AiProgram;
use crate::direction::Direction;
use crate::message::{append_header, is_compressed};
use crate::ops::TransformationOps;

/// What of a request's body has to be there before it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    Nothing,
    /// Its beginning, up to the model.
    Model,
    Whole,
}

impl AiProgram {
    /// What of the body of this request has to be there: nothing, if neither its path nor its content type
    /// lets it be one of a dialect, or if only its model matters and its path names that.
    pub(crate) fn holds_request(&self, ops: &(impl TransformationOps + ?Sized)) -> Holding {
        let mut path = String::new();
        append_header(ops, Direction::Request, ":path", &mut path);
        let path = PathFacts::of(&path);
        if self.minds_model_alone(&path) {
            return match path.model {
                Some(_) => Holding::Nothing,
                // What is compressed is refused as a whole.
                None if is_compressed(ops, Direction::Request) => Holding::Whole,
                None => Holding::Model,
            };
        }
        if self.dialect.is_some() || path.dialect.is_some() {
            return Holding::Whole;
        }
        let mut content_type = String::new();
        append_header(ops, Direction::Request, "content-type", &mut content_type);
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let media_type = media_type.to_ascii_lowercase();
        let is_json = media_type == "application/json" || media_type.ends_with("+json");
        match (media_type.is_empty() || is_json) && Format::of(&media_type).is_none() {
            true => Holding::Whole,
            false => Holding::Nothing,
        }
    }
}
