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
    /// Compiles the variables of the configuration and, behind them, texts that are made like them but
    /// that no template can name, each with its place in the configuration.
    pub(super) fn variables(
        &mut self,
        variables: &[Variable],
        unnamed: &[(&str, &str)],
    ) -> Variables {
        let field = self.field(String::new());
        let mut compiled = DirectionProgram::new(Direction::Request, field, OnError::Fail);
        compiled.before_body = true;
        let mut templates = Vec::new();
        let named = variables.iter();
        let named = named.map(|Variable { name, value, path }| (Some(name), &**value, &**path));
        let unnamed = unnamed.iter().map(|(value, path)| (None, *value, *path));
        let mut names: Vec<Box<str>> = Vec::new();
        for (name, value, path) in named.chain(unnamed) {
            if let Some(name) = name {
                self.name_of_variable(name, path);
            }
            names.push(name.map_or_else(Box::default, |name| name.as_str().into()));
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
            names: names.into(),
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
