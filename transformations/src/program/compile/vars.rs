//! Compiles `vars`, the variables of a configuration.

use super::Compiler;
use crate::codes::Code;
use crate::config::{OnError, Variable};
use crate::diagnostics::Diagnostic;
use crate::direction::Direction;
use crate::functions;
use crate::program::{DirectionProgram, Variables};

/// What templates mean something else by.
const RESERVED: [&str; 24] = [
    "ai", "and", "caller", "context", "else", "event", "false", "False", "if", "in", "is", "loop",
    "none", "None", "not", "or", "request", "response", "self", "super", "true", "True", "value",
    "vars",
];

impl Compiler<'_> {
    pub(super) fn variables(&mut self, variables: &[Variable]) -> Variables {
        let field = self.field(String::new());
        let mut compiled = DirectionProgram::new(Direction::Request, field, OnError::Fail);
        compiled.before_body = true;
        let mut templates = Vec::new();
        for variable in variables {
            let Variable { name, value, path } = variable;
            self.name_of_variable(name, path);
            compiled.reads.variables = false;
            compiled.reads.body = false;
            compiled.reads.document = false;
            templates.push(self.template(&mut compiled, value, path));
            if compiled.reads.any_body() {
                let message = "this is made of the headers of the request: it cannot read the body";
                let problem = Diagnostic::error(Code::BODY_IN_CONDITION, path, message);
                let help = "nor does a variable know others; what it takes from both goes into one";
                self.found.push(problem.with_help(help));
            }
        }
        // From here on, templates may read them.
        self.vars = variables.iter().map(|it| it.name.as_str().into()).collect();
        Variables {
            names: self.vars.clone(),
            templates: templates.into(),
            reads: compiled.reads,
        }
    }

    fn name_of_variable(&mut self, name: &str, path: &str) {
        let mut characters = name.chars();
        let begins = characters
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        let message = if !begins || !characters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
            "the name of a variable has letters, digits and _, and begins with no digit".to_owned()
        } else if functions::find(name).is_some() {
            format!("{name} is a function, which a variable would hide")
        } else if RESERVED.contains(&name) {
            format!("{name} means something else to templates")
        } else {
            return;
        };
        self.found
            .push(Diagnostic::error(Code::BAD_VARIABLE, path, message));
    }
}
