//! Compiles conditions.

use super::Compiler;
use crate::codes::Code;
use crate::config::Expression;
use crate::diagnostics::Diagnostic;
use crate::message::Reads;
use crate::program::{DirectionProgram, When};
use crate::template::FieldContext;
use crate::template::analysis::analyse_expression;
use crate::template::engine::Source;
use crate::template::{Template, Test};

impl Compiler<'_> {
    /// The condition of a rule, which may read all that its template may.
    pub(super) fn when(
        &mut self,
        compiled: &mut DirectionProgram,
        condition: Option<&Expression>,
    ) -> Option<When> {
        let condition = condition?;
        let (when, reads) = self.test(compiled, condition, false);
        compiled.reads.merge(&reads);
        self.note_body_reader(compiled, &reads, &condition.path);
        Some(when)
    }

    /// The condition of a transform, which is decided with the headers.
    pub(super) fn when_of_transform(
        &mut self,
        conditions: &mut DirectionProgram,
        condition: Option<&Expression>,
    ) -> Option<When> {
        let condition = condition?;
        let (when, reads) = self.test(conditions, condition, true);
        if reads.any_body() {
            let message = "this is decided with the headers, before there is a body to be read";
            let help = "a \"when\" of a rule, or {% if %} in a template, may read the body";
            let problem = Diagnostic::error(Code::BODY_IN_CONDITION, &condition.path, message);
            self.found.push(problem.with_help(help));
        }
        conditions.reads.merge(&reads);
        Some(when)
    }

    fn test(
        &mut self,
        compiled: &DirectionProgram,
        condition: &Expression,
        before_body: bool,
    ) -> (When, Reads) {
        let Expression { text, path } = condition;
        let context = FieldContext {
            before_body,
            vars: &self.vars,
            facts: self.facts_for(compiled),
            as_json: compiled.as_json,
            event: compiled.event,
            capabilities: self.capabilities,
            ..FieldContext::new(path, compiled.direction, self.env, &self.extractors)
        };
        let analysis = analyse_expression(text, &context, &mut self.patterns, self.found);
        let test = match analysis.test {
            Some(test) => test,
            None => {
                self.sources.push(Source {
                    text: format!("{{% if ({text}) %}}1{{% endif %}}"),
                    fields: analysis.fields,
                    assigned: analysis.assigned,
                    repeated_literal: analysis.repeated_literal,
                    command_function: None,
                });
                Test::Template(Template::Engine(self.sources.len() - 1))
            }
        };
        let field = self.field(path.clone());
        (When { test, field }, analysis.reads)
    }
}
