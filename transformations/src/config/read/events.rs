//! `response.stream`: rules for the events of a streamed body.

use serde_json::{Map, Value};

use super::{Reader, join};
use crate::codes::Code;
use crate::config::{EventEdit, EventRule, EventRules, NewEvent, StreamFormat, When};
use crate::diagnostics::Diagnostic;

impl Reader {
    /// The rules, if there are any.
    pub(super) fn event_rules(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
    ) -> Option<EventRules> {
        let path = join(parent, "stream");
        let fields = self.object(fields.get("stream")?, &path)?;
        self.known(
            fields,
            &path,
            &["format", "maxEventBytes", "rules", "atEnd"],
        );
        let choices = [
            ("auto", StreamFormat::Auto),
            ("sse", StreamFormat::Sse),
            ("ndjson", StreamFormat::Ndjson),
        ];
        let format = self
            .choice(fields, &path, "format", &choices)
            .unwrap_or_default();
        let max_event_bytes = self.event_bytes(fields, &path);
        let mut rules = Vec::new();
        for (index, item) in self.list(fields, &path, "rules").iter().enumerate() {
            rules.extend(self.event_rule(item, &format!("{path}.rules[{index}]"), format));
        }
        let at_end = self.new_events(fields, &path, "atEnd", format);
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

    fn event_bytes(&mut self, fields: &Map<String, Value>, path: &str) -> usize {
        let Some(value) = fields.get("maxEventBytes").filter(|value| !value.is_null()) else {
            return EventRules::DEFAULT_EVENT_BYTES;
        };
        let most = EventRules::MAX_EVENT_BYTES;
        let bytes = value.as_u64().and_then(|bytes| usize::try_from(bytes).ok());
        bytes
            .filter(|bytes| (1..=most).contains(bytes))
            .unwrap_or_else(|| {
                let message = format!("expected a whole number from 1 to {most}");
                self.error(Code::BAD_LIMIT, &join(path, "maxEventBytes"), message);
                most
            })
    }

    fn event_rule(&mut self, item: &Value, path: &str, format: StreamFormat) -> Option<EventRule> {
        let Value::Object(fields) = item else {
            self.wrong_type(path, "an object", item);
            return None;
        };
        let known = ["event", "when", "drop", "data", "patch", "before", "after"];
        self.known(fields, path, &known);
        let event = self.event_name(fields, path, format);
        let when = self.when(fields, path);
        let edit = self.event_edit(fields, path);
        let before = self.new_events(fields, path, "before", format);
        let after = self.new_events(fields, path, "after", format);
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
        format: StreamFormat,
    ) -> Option<String> {
        let name = self.string(fields, path, "event")?;
        let path = join(path, "event");
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
        let path = join(path, "when");
        let fields = self.object(fields.get("when")?, &path)?;
        self.known(fields, &path, &["data", "pointer", "equals", "exists"]);
        let data = self.string(fields, &path, "data");
        let pointer = self.pointer(fields, &path, "pointer");
        let exists = match fields.get("exists") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(exists)) => Some(*exists),
            Some(other) => {
                self.wrong_type(&join(&path, "exists"), "a boolean", other);
                None
            }
        };
        // Here null is a value like others: it can be what is looked for.
        let equals = fields.get("equals").cloned();
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
        let drop = match fields.get("drop") {
            None | Some(Value::Null | Value::Bool(false)) => None,
            Some(Value::Bool(true)) => Some(EventEdit::Drop),
            Some(other) => {
                self.wrong_type(&join(path, "drop"), "a boolean", other);
                None
            }
        };
        let data = self
            .string(fields, path, "data")
            .map(|value| EventEdit::Data {
                value,
                path: join(path, "data"),
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
        name: &str,
        format: StreamFormat,
    ) -> Vec<NewEvent> {
        let list = self.list(fields, parent, name);
        let path = join(parent, name);
        let events = list.iter().enumerate().filter_map(|(index, item)| {
            let path = format!("{path}[{index}]");
            let Value::Object(fields) = item else {
                self.wrong_type(&path, "an object with data", item);
                return None;
            };
            self.known(fields, &path, &["event", "data"]);
            let event = self.event_name(fields, &path, format);
            let Some(data) = self.string(fields, &path, "data") else {
                self.error(Code::BAD_EVENT_RULE, &path, "an event needs data");
                return None;
            };
            Some(NewEvent {
                event,
                data,
                path: join(&path, "data"),
            })
        });
        events.collect()
    }
}
