//! Compiles the rules of `response.stream`.

use super::{Compiler, watch_reads};
use crate::codes::Code;
use crate::config::{self, EventEdit, EventRules, OnError, When};
use crate::diagnostics::Diagnostic;
use crate::direction::Direction;
use crate::program::{Condition, Edit, EventProgram, EventRule, EventTemplate, NewEvent};
use crate::program::{DirectionProgram, TemplateField};
use formats::json::{Document, Pointer};

impl Compiler<'_> {
    pub(super) fn events(&mut self, rules: &EventRules, on_error: OnError) -> EventProgram {
        let field = self.field(rules.path.clone());
        // To a template an event is a message of its own, whose data is the body.
        let mut compiled = DirectionProgram {
            as_json: true,
            event: true,
            ..DirectionProgram::new(Direction::Response, field, on_error)
        };
        let made = rules
            .rules
            .iter()
            .map(|rule| self.event_rule(rule, &mut compiled))
            .collect();
        // At the end of a stream there is no event to be seen.
        compiled.as_json = false;
        let at_end = self.new_events(&rules.at_end, &mut compiled);
        EventProgram {
            format: rules.format,
            max_event_bytes: rules.max_event_bytes,
            rules: made,
            at_end,
            on_error,
            reads: compiled.reads,
            decode: None,
            field,
        }
    }

    fn event_rule(
        &mut self,
        rule: &config::EventRule,
        compiled: &mut DirectionProgram,
    ) -> EventRule {
        let condition = rule
            .when
            .as_ref()
            .and_then(|when| self.condition(when, &rule.path));
        let edit = match &rule.edit {
            EventEdit::Keep => Edit::Keep,
            EventEdit::Drop => Edit::Drop,
            EventEdit::Data { value, path } => {
                Edit::Data(self.event_template(value, path, compiled))
            }
            EventEdit::Patch(operations) => match self.patch(compiled, operations) {
                Some(patch) => Edit::Patch(patch),
                // The configuration is refused.
                None => Edit::Keep,
            },
        };
        let before = self.new_events(&rule.before, compiled);
        let after = self.new_events(&rule.after, compiled);
        let json = condition.as_ref().is_some_and(Condition::is_json)
            || before.iter().chain(&after).any(|event| event.data.json)
            || match &edit {
                Edit::Keep | Edit::Drop => false,
                Edit::Data(text) => text.json,
                Edit::Patch(_) => true,
            };
        let name = rule.event.as_deref().map(Into::into);
        EventRule {
            name,
            condition,
            json,
            edit,
            before,
            after,
        }
    }

    /// The condition; `None`, after saying why, if its pointer is none.
    fn condition(&mut self, when: &When, path: &str) -> Option<Condition> {
        let mut parse = |pointer: &str| match Pointer::parse(pointer) {
            Ok(pointer) => Some(pointer),
            Err(error) => {
                let path = format!("{path}.when.pointer");
                let message = error.to_string();
                self.found
                    .push(Diagnostic::error(Code::BAD_EVENT_RULE, &path, message));
                None
            }
        };
        match when {
            When::Data(text) => Some(Condition::Data(text.as_str().into())),
            When::Exists { pointer, exists } => Some(Condition::Exists(parse(pointer)?, *exists)),
            When::Equals { pointer, value } => {
                let pointer = parse(pointer)?;
                // What serde_json wrote is JSON, so this cannot fail.
                let value = Document::parse(value.to_string()).ok()?;
                Some(Condition::Equals(pointer, value))
            }
        }
    }

    fn new_events(
        &mut self,
        events: &[config::NewEvent],
        compiled: &mut DirectionProgram,
    ) -> Box<[NewEvent]> {
        let made = events.iter().map(|event| NewEvent {
            name: event.event.as_deref().map(Into::into),
            data: self.event_template(&event.data, &event.path, compiled),
        });
        made.collect()
    }

    fn event_template(
        &mut self,
        text: &str,
        path: &str,
        compiled: &mut DirectionProgram,
    ) -> EventTemplate {
        let (template, reads) =
            watch_reads(compiled, |compiled| self.template(compiled, text, path));
        let field = self.field(path.to_owned());
        EventTemplate {
            value: TemplateField { template, field },
            json: reads.variables || reads.document,
        }
    }
}
