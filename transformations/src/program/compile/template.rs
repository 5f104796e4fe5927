//! Compiles a template of any field.

use super::Compiler;
use crate::message::Reads;
use crate::program::DirectionProgram;
use crate::template::FieldContext;
use crate::template::analysis::analyse;
use crate::template::engine::Source;
use crate::template::{Segment, Template};

/// What a template makes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A body, or a part of one, or metadata.
    Value,
    /// The value of a header, which may hold command operators.
    HeaderValue,
    /// The same, made of one line of the header.
    Line,
}

impl Compiler<'_> {
    /// The cheapest form of a template.
    pub(super) fn template(
        &mut self,
        compiled: &mut DirectionProgram,
        text: &str,
        path: &str,
    ) -> Template {
        self.template_with(compiled, text, path, Kind::Value)
    }

    /// As [`template`](Self::template), for a text that may hold command operators.
    pub(super) fn header_value(
        &mut self,
        compiled: &mut DirectionProgram,
        text: &str,
        path: &str,
    ) -> Template {
        self.template_with(compiled, text, path, Kind::HeaderValue)
    }

    /// As [`header_value`](Self::header_value), for one that is made of the `value` of a line.
    pub(super) fn line(
        &mut self,
        compiled: &mut DirectionProgram,
        text: &str,
        path: &str,
    ) -> Template {
        self.template_with(compiled, text, path, Kind::Line)
    }

    /// Notes a field because of which messages are held.
    pub(super) fn note_body_reader(
        &mut self,
        compiled: &DirectionProgram,
        reads: &Reads,
        path: &str,
    ) {
        if reads.any_body() && !compiled.event && !compiled.headers_only {
            self.body_readers.push(path.to_owned());
        }
    }

    fn template_with(
        &mut self,
        compiled: &mut DirectionProgram,
        text: &str,
        path: &str,
        kind: Kind,
    ) -> Template {
        let context = FieldContext {
            first_command: (kind != Kind::Value).then_some(compiled.commands.len()),
            line: kind == Kind::Line,
            as_json: compiled.as_json,
            event: compiled.event,
            before_body: compiled.before_body,
            vars: &self.vars,
            facts: self.facts_for(compiled),
            capabilities: self.capabilities,
            ..FieldContext::new(path, compiled.direction, self.env, &self.extractors)
        };
        let analysis = analyse(text, &context, &mut self.patterns, self.found);
        compiled.reads.merge(&analysis.reads);
        if analysis.reads.trailers {
            self.trailers.push(path.to_owned());
        }
        self.note_body_reader(compiled, &analysis.reads, path);
        match analysis.segments {
            Some(segments) => from_segments(segments),
            None => {
                let (text, command_function) = match analysis.rewritten {
                    Some(rewritten) => {
                        compiled.commands.extend(rewritten.commands);
                        (rewritten.text, Some(rewritten.function))
                    }
                    None => (text.to_owned(), None),
                };
                self.sources.push(Source {
                    text,
                    fields: analysis.fields,
                    assigned: analysis.assigned,
                    repeated_literal: analysis.repeated_literal,
                    command_function,
                });
                Template::Engine(self.sources.len() - 1)
            }
        }
    }
}

fn from_segments(mut segments: Vec<Segment>) -> Template {
    match segments.pop() {
        None => Template::Constant("".into()),
        Some(Segment::Literal(text)) if segments.is_empty() => Template::Constant(text),
        Some(last) => {
            segments.push(last);
            Template::Segments(segments.into())
        }
    }
}
