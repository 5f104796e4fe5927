//! The model of a request: the name that it has upstream, and where that is told. On the worker of the
//! exchange.

use llm::dialect::path::PathFacts;
use llm::model::{fits_header, not_found, rename};
use llm::place::Edits;
use llm::request::Request;

use super::denial::Denial;
use super::write::set;
use crate::ai::{AiExchange, AiProgram};
use crate::ops::TransformationOps;
use crate::stages::Applied;

impl AiExchange {
    /// Gives the model the name that it has upstream, and answers the path if that names it.
    pub(super) fn rename(
        &mut self,
        program: &AiProgram,
        path: &PathFacts<'_>,
        request: &Request,
        edits: &mut Edits,
    ) -> Result<Option<String>, Denial> {
        let Some(stage) = &program.model else {
            return Ok(None);
        };
        let asked = self.facts.request_model.as_deref();
        let model = asked.map(|name| stage.models.resolve(name));
        if !stage.models.allows(model.as_deref()) {
            return Err(Denial::new("model", "not_allowed", not_found()));
        }
        let Some(model) = model.filter(|model| Some(&**model) != asked) else {
            return Ok(None);
        };
        let model = model.into_owned();
        let in_path = path.model.as_ref().map(|it| it.replace(&model));
        if in_path.is_none() {
            rename(request, &model, edits);
        }
        self.facts.model = Some(model);
        Ok(in_path)
    }

    /// Tells routes and upstreams the model that goes upstream, whatever the client says.
    pub(super) fn tell_model(
        &self,
        header: &str,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
    ) {
        if header.is_empty() {
            return;
        }
        let model = self.facts.model.as_deref().filter(|it| fits_header(it));
        let (mut lines, mut same) = (0, true);
        ops.for_each_request_header_value(header, &mut |value| {
            lines += 1;
            same &= model.is_some_and(|model| model.as_bytes() == value);
        });
        if same && lines == usize::from(model.is_some()) {
            return;
        }
        applied.reroute = true;
        match model {
            Some(model) => set(header, model, ops, applied),
            None => {
                applied.headers = true;
                applied.refused += u32::from(!ops.remove_request_header(header));
            }
        }
    }
}
