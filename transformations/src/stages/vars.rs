//! Renders the variables of a configuration: once in an exchange, from the request as it came, when
//! something that reads them is about to be rendered.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::ai::AiProgram;
use crate::config::OnError;
use crate::direction::Direction;
use crate::error::{Cause, FieldId, TransformErrorKind};
use crate::message::{BodyText, EventField, HeaderSnapshot, HostAnswers, Message, Private, Vars};
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::Program;
use crate::template::commands::Command;
use crate::template::render::{Renderer, View};
use formats::json::Document;

/// Renders those of the `wanted` variables that are not known yet. They may produce as much text
/// together as the templates of a direction.
pub(crate) fn render<O: TransformationOps + ?Sized>(
    program: &Program,
    vars: &Vars,
    wanted: &[usize],
    captured: Option<&HeaderSnapshot>,
    ops: &O,
) {
    let mut wanted = wanted.iter().filter(|number| !vars.is_known(**number));
    let Some(first) = wanted.next() else {
        return;
    };
    let nothing = HeaderSnapshot::default();
    let view = RequestView {
        headers: captured.unwrap_or(&nothing),
        host: HostAnswers::ask(ops, &program.vars.reads),
        absent: TransformErrorKind::UndeclaredVariable.into(),
        message: None,
    };
    let engine = program.engine.as_ref();
    let mut templates = Renderer::new(engine, OnError::Fail, program.output_bytes, view);
    for number in std::iter::once(first).chain(wanted) {
        let Some(template) = program.vars.templates.get(*number) else {
            continue;
        };
        let mut text = String::new();
        let rendered = templates.render(FieldId::NONE, template, Place::Value, &mut text);
        vars.keep(
            *number,
            rendered.map(|()| text.into()).map_err(|cause| cause.kind),
        );
    }
}

/// What the prompts of the operator say, in their order.
///
/// # Errors
/// Why one of them could not be rendered.
pub(crate) fn of_prompts<'v, O: TransformationOps + ?Sized>(
    program: &Program,
    vars: &'v OnceCell<Arc<Vars>>,
    captured: Option<&HeaderSnapshot>,
    ops: &O,
) -> Result<Vec<&'v str>, TransformErrorKind> {
    let count = program.ai.as_ref().map_or(0, AiProgram::prompts);
    if count == 0 {
        return Ok(Vec::new());
    }
    let names = &program.vars.names;
    let vars = vars.get_or_init(|| Arc::new(Vars::new(names)));
    // They stand behind the variables.
    let numbers: Vec<usize> = (names.len().saturating_sub(count)..names.len()).collect();
    render(program, vars, &numbers, captured, ops);
    numbers.iter().map(|number| vars.text(*number)).collect()
}

/// The request as it came, without its body.
struct RequestView<'a> {
    headers: &'a HeaderSnapshot,
    host: HostAnswers,
    absent: Cause,
    message: Option<Arc<Message>>,
}

impl View for RequestView<'_> {
    fn direction(&self) -> Direction {
        Direction::Request
    }

    fn header(&self, direction: Direction, name: &str, out: &mut String) {
        if direction == Direction::Request {
            out.push_str(self.headers.get(name).unwrap_or_default());
        }
    }

    /// Only values of headers may hold command operators.
    fn command(&self, _: &Command, _: &mut String) {}

    fn event(&self, _: EventField, _: &mut String) -> Result<(), TransformErrorKind> {
        Ok(())
    }

    /// Variables do not see each other.
    fn vars(&self) -> Option<&Vars> {
        None
    }

    fn document(&self) -> Option<&Document> {
        None
    }

    fn absent(&self) -> &Cause {
        &self.absent
    }

    fn read_bytes(&self) -> usize {
        0
    }

    fn message(&mut self, private: &Private) -> Arc<Message> {
        let message = self.message.get_or_insert_with(|| {
            let message = Message::new(
                Direction::Request,
                Arc::new(self.headers.clone()),
                None,
                BodyText::default(),
                Err(self.absent.kind),
                self.host.clone(),
            );
            Arc::new(message.with_private(private))
        });
        Arc::clone(message)
    }
}
