//! The literal text of a template: command operators, in header values.

use std::ops::Range;

use super::Walk;
use crate::codes::Code;
use crate::diagnostics::Severity;
use crate::direction::Direction;
use crate::template::commands::{self, Edit, Token};

impl Walk<'_, '_> {
    /// Finds the operators in a piece of literal text, and everything wrong with them.
    pub(super) fn operators(&mut self, text: &str) {
        if self.context.first_command.is_none() || !text.contains('%') {
            return;
        }
        let Some(start) = self.place(text) else {
            return;
        };
        if commands::is_raw(self.source.get(..start).unwrap_or_default()) {
            return;
        }
        for (range, token) in commands::scan(text) {
            self.operator(start + range.start..start + range.end, token);
        }
    }

    /// Where a piece of the source begins. The parser cuts literal text out of the source.
    fn place(&self, text: &str) -> Option<usize> {
        let start = (text.as_ptr() as usize).checked_sub(self.source.as_ptr() as usize)?;
        let found = self.source.get(start..start.checked_add(text.len())?)?;
        (found == text).then_some(start)
    }

    fn operator(&mut self, place: Range<usize>, token: Token<'_>) {
        let call = match token {
            Token::Percent => {
                self.edits.push((place, Edit::Percent));
                return;
            }
            Token::Open(name) => {
                if let Some(usage) = commands::usage(name) {
                    let message = format!("{name} is text here, since it does not end");
                    let problem = self
                        .problem_at(Code::OPEN_OPERATOR, place, message)
                        .with_severity(Severity::Warning)
                        .with_help(format!("write {usage}"));
                    self.found.push(problem);
                }
                return;
            }
            Token::Operator(call) => call,
        };
        match commands::parse(&call, self.context.direction) {
            Ok(command) => {
                let reads = &mut self.analysis.reads;
                for name in command.request_headers() {
                    // In the request they are read when they are needed.
                    if self.context.direction == Direction::Response {
                        reads.request_headers.insert(name);
                    }
                }
                reads.trailers |= command.reads_trailers();
                reads.start |= command.reads_start();
                self.edits.push((place, Edit::Command(command)));
            }
            Err(fault) => {
                let problem = self.problem_at(fault.code, place, fault.message);
                self.found.push(problem.with_help(fault.help));
            }
        }
    }
}
