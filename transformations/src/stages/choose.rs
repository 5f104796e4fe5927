//! Chooses the transform of a message by the conditions of all, before anything is held.

use super::commands::Captured;
use super::edits::Edits;
use super::view::MessageView;
use super::{BodyAccess, note};
use crate::config::OnError;
use crate::direction::Direction;
use crate::error::{Failure, StageName};
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::{Program, Transforms};
use crate::template::render::{Renderer, View};

/// The number of the first transform whose condition holds, and what failed on the way to it.
///
/// A condition that fails counts as false, unless `onError` answers that with an error. Under `auto` it
/// does for a request: what a condition lets pass may have been meant to be refused.
pub(crate) fn choose<O: TransformationOps + ?Sized>(
    program: &Program,
    transforms: &Transforms,
    captured: Captured<'_>,
    ops: &mut O,
) -> Result<(Option<usize>, Vec<Failure>), Failure> {
    let conditions = &transforms.conditions;
    let view = MessageView::new(conditions, captured, ops, BodyAccess::HeadersOnly);
    let engine = program.engine.as_ref();
    let mut templates = Renderer::new(engine, OnError::Auto, program.output_bytes, view);
    let mut edits = Edits::take();
    let chosen = first_that_holds(transforms, &mut templates, &mut edits.text);
    edits.give_back();
    chosen
}

fn first_that_holds<V: View>(
    transforms: &Transforms,
    templates: &mut Renderer<'_, V>,
    text: &mut String,
) -> Result<(Option<usize>, Vec<Failure>), Failure> {
    let direction = transforms.conditions.direction;
    let mut failures = Vec::new();
    for (number, transform) in transforms.all.iter().enumerate() {
        let Some(when) = &transform.when else {
            return Ok((Some(number), failures));
        };
        let cause = match templates.holds(when.field, &when.test, text) {
            Ok(true) => return Ok((Some(number), failures)),
            Ok(false) => continue,
            Err(cause) => cause,
        };
        let failure = Failure::new(cause, StageName::Opening, direction, when.field);
        let place = match direction {
            Direction::Request => Place::Body,
            Direction::Response => Place::Value,
        };
        let is_left_out = transform.on_error.leaves_out(failure.error(), place);
        match transform.on_error {
            _ if is_left_out => note(&mut failures, failure),
            OnError::Skip => {
                note(&mut failures, failure);
                return Ok((None, failures));
            }
            _ => return Err(failure),
        }
    }
    Ok((None, failures))
}
