//! The calls of a template: which function, with how many arguments, reading what.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{Call, CallArg, CallType, Expr};

use super::Walk;
use crate::codes::Code;
use crate::functions::{self, Effect, Function, names};
use crate::template::Phase;

impl Walk<'_, '_> {
    pub(super) fn call(&mut self, call: &Call<'_>, span: Span) {
        match call.identify_call() {
            CallType::Function(name) => self.function(name, call, span),
            CallType::Method(object, name) => self.method(object, name, span),
            CallType::Object(object) => self.expression(object),
            // `self.name()` calls a block, and there are none.
            CallType::Block(name) => self.unknown(Code::UNKNOWN_FUNCTION, "block", name, span),
        }
        self.arguments(&call.args);
    }

    pub(super) fn arguments(&mut self, arguments: &[CallArg<'_>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value)
                | CallArg::Kwarg(_, value)
                | CallArg::PosSplat(value)
                | CallArg::KwargSplat(value) => self.expression(value),
            }
        }
    }

    fn function(&mut self, name: &str, call: &Call<'_>, span: Span) {
        if self.is_assigned(name) {
            return;
        }
        match functions::find(name) {
            Some(function) => {
                self.count_arguments(function, &call.args, span);
                self.effect(function, &call.args, span);
            }
            None => self.unknown(Code::UNKNOWN_FUNCTION, "function", name, call.expr.span()),
        }
    }

    fn count_arguments(&mut self, function: &Function, arguments: &[CallArg<'_>], span: Span) {
        // Spread and keyword arguments cannot be counted here.
        if !arguments
            .iter()
            .all(|argument| matches!(argument, CallArg::Pos(_)))
        {
            return;
        }
        let (least, most) = function.arguments();
        if (least..=most).contains(&arguments.len()) {
            return;
        }
        let expected = match (least, most) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "one argument".to_owned(),
            (least, most) if least == most => format!("{least} arguments"),
            (least, usize::MAX) => format!("at least {least} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        };
        let message = format!(
            "{} takes {expected}, found {}",
            function.name(),
            arguments.len()
        );
        let problem = self.problem(Code::ARGUMENT_COUNT, span, message);
        self.found
            .push(problem.with_help(format!("write {}", function.signature())));
    }

    fn effect(&mut self, function: &Function, arguments: &[CallArg<'_>], span: Span) {
        let constant = match arguments.first() {
            Some(CallArg::Pos(Expr::Const(name))) => name.value.as_str(),
            _ => None,
        };
        let here = self.site.phase;
        let reads = &mut self.analysis.reads;
        match function.effect() {
            Effect::None => {}
            Effect::Header => match constant {
                Some(name) => reads.headers_mut(here).insert(name),
                None => reads.headers_mut(here).insert_all(),
            },
            Effect::RequestHeader => match constant {
                Some(name) => reads.headers_mut(Phase::Request).insert(name),
                None => reads.headers_mut(Phase::Request).insert_all(),
            },
            Effect::Cookie => reads.headers_mut(Phase::Request).insert("cookie"),
            Effect::Body => reads.body = true,
            Effect::Document => reads.document = true,
            Effect::Environment => {
                if let Some(name) = constant
                    && !self.site.env.allows(name)
                {
                    let message = format!("the environment variable \"{name}\" is not allowed");
                    let problem = self.problem(Code::ENV_NOT_ALLOWED, span, message);
                    self.found.push(problem.with_help(self.site.env.help()));
                }
            }
        }
    }

    /// Values have no methods, but loops, macros and namespaces of the template do.
    fn method(&mut self, object: &Expr<'_>, name: &str, span: Span) {
        self.expression(object);
        let mut root = object;
        while let Expr::GetAttr(get) = root {
            root = &get.expr;
        }
        if let Expr::Var(var) = root
            && self.is_assigned(var.id)
        {
            return;
        }
        let mut problem = self.problem(
            Code::METHOD_CALL,
            span,
            format!("values have no method \"{name}\""),
        );
        if names::is_filter(name) {
            problem = problem.with_help(format!("use the filter: {{{{ value | {name} }}}}"));
        }
        self.found.push(problem);
    }
}
