//! The model of a request: the name that it has upstream, and where that is told. On the worker of the
//! exchange.

use llm::dialect::path::PathFacts;
use llm::model::{fits_header, not_found};

use super::denial::Denial;
use super::write::set;
use super::{Made, NewPath};
use crate::ai::{AiExchange, AiProgram};
use crate::applied::Applied;
use crate::ops::TransformationOps;

impl AiExchange {
    /// Gives the model the name that it has upstream: in the path, if that names it. Answers the name if it
    /// is to be written into the body.
    pub(super) fn rename(
        &mut self,
        program: &AiProgram,
        path: &PathFacts<'_>,
        made: &mut Made,
    ) -> Option<String> {
        let stage = program.model.as_ref()?;
        let asked = self.facts.request_model.as_deref()?;
        let model = stage.models.resolve(asked);
        if model == asked {
            return None;
        }
        let model = model.into_owned();
        if stage.is_shadow {
            self.facts.add_shadow("model", "renamed");
            return None;
        }
        self.facts.model = Some(model.clone());
        let Some(named) = &path.model else {
            return Some(model);
        };
        let (was, is) = (named.path().to_owned(), named.replace(&model));
        made.path = Some(NewPath { was, is });
        None
    }

    /// Whether the model may be asked.
    pub(super) fn allow(&mut self, program: &AiProgram) -> Result<(), Denial> {
        const REASON: &str = "not_allowed";
        let Some(stage) = &program.model else {
            return Ok(());
        };
        let model = self.facts.model.as_deref();
        if !stage.is_shadow {
            return match stage.models.allows(model) {
                true => Ok(()),
                false => Err(Denial::new("model", REASON, not_found())),
            };
        }
        // It has not got its other name.
        let model = model.map(|model| stage.models.resolve(model));
        if !stage.models.allows(model.as_deref()) {
            self.facts.add_shadow("model", REASON);
        }
        Ok(())
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
