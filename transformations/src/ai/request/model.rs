//! The model of a request: the name that it has upstream, and where that is told. On the worker of the
//! exchange.

use std::borrow::Cow;

use llm::dialect::path::PathFacts;
use llm::model::{fits_header, not_found, rename};
use llm::place::Edits;
use llm::request::Request;

use super::denial::Denial;
use super::write::set;
use super::{Made, NewPath};
use crate::ai::{AiExchange, AiProgram};
use crate::ops::TransformationOps;
use crate::stages::Applied;

impl AiExchange {
    /// Gives the model the name that it has upstream, where it is named: in the body or in the path.
    pub(super) fn rename(
        &mut self,
        program: &AiProgram,
        path: &PathFacts<'_>,
        request: &Request,
        edits: &mut Edits,
        made: &mut Made,
    ) -> Result<(), Denial> {
        let Some(stage) = &program.model else {
            return Ok(());
        };
        let asked = self.facts.request_model.as_deref();
        let model = asked.map(|name| stage.models.resolve(name));
        let is_allowed = stage.models.allows(model.as_deref());
        let model = model.filter(|model| Some(&**model) != asked);
        if let Some(model) = model.map(Cow::into_owned) {
            match &path.model {
                Some(named) => {
                    let (was, is) = (named.path().to_owned(), named.replace(&model));
                    made.path = Some(NewPath { was, is });
                }
                None => {
                    rename(request, &model, edits);
                }
            }
            self.facts.model = Some(model);
        }
        match is_allowed {
            true => Ok(()),
            false => Err(Denial::new("model", "not_allowed", not_found())),
        }
    }

    /// Tells routes and upstreams the model that goes upstream, whatever the client says. Answers whether
    /// that is another one than the client said.
    pub(super) fn tell_model(
        &self,
        header: &str,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
    ) -> bool {
        if header.is_empty() {
            return false;
        }
        let model = self.facts.model.as_deref().filter(|it| fits_header(it));
        let (mut lines, mut same) = (0, true);
        ops.for_each_request_header_value(header, &mut |value| {
            lines += 1;
            same &= model.is_some_and(|model| model.as_bytes() == value);
        });
        if same && lines == usize::from(model.is_some()) {
            return false;
        }
        match model {
            Some(model) => set(header, model, ops, applied),
            None => {
                applied.headers = true;
                applied.refused += u32::from(!ops.remove_request_header(header));
            }
        }
        true
    }
}
