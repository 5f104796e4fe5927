//! `response.stream`: rules for the events of a streamed body.

use serde_json::{Map, Value};

use super::{Reader, join};
use crate::codes::Code;
use crate::config::fields::shape::{List, Text};
use crate::config::fields::{Field, events, transform};
use crate::config::{EventEdit, EventRule, EventRules, NewEvent, StreamFormat, When};
use crate::diagnostics::Diagnostic;

impl Reader {
    /// The rules, if there are any.
    pub(super) fn event_rules(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
    ) -> Option<EventRules> {
        let (fields, path) = self.object_field(fields, parent, &transform::STREAM)?;
        let format = self
            .choice(fields, &path, &events::FORMAT)
            .unwrap_or_default();
        let max_event_bytes = self
            .whole(fields, &path, &events::MAX_EVENT_BYTES)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .unwrap_or(usize::MAX);
        let mut rules = Vec::new();
        let name = events::RULES.name;
        for (index, item) in self.list(fields, &path, &events::RULES).iter().enumerate() {
            rules.extend(self.event_rule(item, &format!("{path}.{name}[{index}]"), format));
        }
        let at_end = self.new_events(fields, &path, &events::AT_END, format);
        if rules.is_empty() && at_end.is_empty() {
            return None;
        }
        Some(EventRules {
            format,
            max_event_bytes,
            rules,
            at_end,
            path,
        })
    }

    fn event_rule(&mut self, item: &Value, path: &str, format: StreamFormat) -> Option<EventRule> {
        let Value::Object(fields) = item else {
            self.wrong_type(path, "an object", item);
            return None;
        };
        self.known(fields, path, &events::EVENT_RULE);
        let event = self.event_name(fields, path, &events::EVENT, format);
        let when = self.when(fields, path);
        let edit = self.event_edit(fields, path);
        let before = self.new_events(fields, path, &events::BEFORE, format);
        let after = self.new_events(fields, path, &events::AFTER, format);
        if edit == Some(EventEdit::Keep) && before.is_empty() && after.is_empty() {
            self.found.push(
                Diagnostic::error(Code::BAD_EVENT_RULE, path, "this rule does nothing")
                    .with_help("give it one of drop, data, patch, before and after"),
            );
        }
        Some(EventRule {
            event,
            when,
            edit: edit?,
            before,
            after,
            path: path.to_owned(),
        })
    }

    /// The name of an event; a field that lines of JSON do not have.
    fn event_name(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        field: &Field<Text>,
        format: StreamFormat,
    ) -> Option<String> {
        let name = self.string(fields, path, field)?;
        let path = join(path, field.name);
        if format == StreamFormat::Ndjson {
            self.error(
                Code::BAD_EVENT_RULE,
                &path,
                "with format ndjson events have no names",
            );
        }
        if name.contains(['\r', '\n', '\0']) {
            self.error(
                Code::BAD_EVENT_RULE,
                &path,
                "the name of an event is a single line",
            );
        }
        Some(name)
    }

    fn when(&mut self, fields: &Map<String, Value>, path: &str) -> Option<When> {
        let (fields, path) = self.object_field(fields, path, &events::CONDITION)?;
        let data = self.string(fields, &path, &events::DATA);
        let pointer = self.pointer(fields, &path, &events::POINTER);
        let exists = self.flag(fields, &path, &events::EXISTS);
        // Here null is a value like others: it can be what is looked for.
        let equals = fields.get(events::EQUALS.name).cloned();
        match (data, pointer, exists, equals) {
            (Some(data), None, None, None) => Some(When::Data(data)),
            (None, Some(pointer), exists, None) => Some(When::Exists {
                pointer,
                exists: exists.unwrap_or(true),
            }),
            (None, Some(pointer), None, Some(value)) => Some(When::Equals { pointer, value }),
            _ => {
                let message = "a condition is either on the data or on what a pointer leads to";
                let help = "write {\"data\": text}, {\"pointer\": path, \"equals\": value} or \
                            {\"pointer\": path, \"exists\": true}";
                let problem = Diagnostic::error(Code::BAD_EVENT_RULE, &path, message);
                self.found.push(problem.with_help(help));
                None
            }
        }
    }

    /// What becomes of the event; `None` if the rule says more than one thing.
    fn event_edit(&mut self, fields: &Map<String, Value>, path: &str) -> Option<EventEdit> {
        let drop = self.flag(fields, path, &events::DROP);
        let drop = drop.filter(|drop| *drop).map(|_| EventEdit::Drop);
        let data = self
            .string(fields, path, &events::NEW_DATA)
            .map(|value| EventEdit::Data {
                value,
                path: join(path, events::NEW_DATA.name),
            });
        let patch = Some(self.patch(fields, path)).filter(|operations| !operations.is_empty());
        let mut edits = drop
            .into_iter()
            .chain(data)
            .chain(patch.map(EventEdit::Patch));
        let edit = edits.next().unwrap_or(EventEdit::Keep);
        if edits.next().is_some() {
            let message = "only one of drop, data and patch can become of an event";
            self.error(Code::BAD_EVENT_RULE, path, message);
            return None;
        }
        Some(edit)
    }

    fn new_events(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
        field: &Field<List>,
        format: StreamFormat,
    ) -> Vec<NewEvent> {
        let list = self.list(fields, parent, field);
        let path = join(parent, field.name);
        let found = list.iter().enumerate().filter_map(|(index, item)| {
            let path = format!("{path}[{index}]");
            let Value::Object(fields) = item else {
                self.wrong_type(&path, "an object with data", item);
                return None;
            };
            self.known(fields, &path, &events::NEW_EVENT);
            let event = self.event_name(fields, &path, &events::NEW_NAME, format);
            let Some(data) = self.string(fields, &path, &events::DATA_OF_NEW) else {
                self.error(Code::BAD_EVENT_RULE, &path, "an event needs data");
                return None;
            };
            Some(NewEvent {
                event,
                data,
                path: join(&path, events::DATA_OF_NEW.name),
            })
        });
        found.collect()
    }
}
