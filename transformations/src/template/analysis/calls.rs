//! The calls of a template: which function, with how many arguments, reading what.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{Call, CallArg, CallType, Expr, Filter};

use super::Walk;
use super::effects::positional;
use crate::codes::Code;
use crate::functions::{self, Function, filters};

impl Walk<'_, '_> {
    pub(super) fn call(&mut self, call: &Call<'_>, span: Span) {
        match call.identify_call() {
            CallType::Function(name) => self.function(name, call, span),
            CallType::Method(object, name) => {
                if call
                    .args
                    .iter()
                    .any(|it| matches!(it, CallArg::PosSplat(_) | CallArg::KwargSplat(_)))
                {
                    // How many arguments there are is known only when they are on the stack.
                    let message = format!("the arguments of the method \"{name}\" must be listed");
                    let problem = self.problem(Code::METHOD_CALL, span, message);
                    self.found
                        .push(problem.with_help("write them one by one, without *"));
                }
                self.method(object, name, span);
            }
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
                // Spread and named arguments cannot be counted here.
                match positional(&call.args) {
                    Some(given) if !self.count_arguments(function, given.len(), span) => {}
                    given => self.effect(function, &given.unwrap_or_default(), span),
                }
            }
            None => self.unknown(Code::UNKNOWN_FUNCTION, "function", name, call.expr.span()),
        }
    }

    /// A filter of our own, applied to `value` unless that comes from around it.
    pub(super) fn own_filter(&mut self, function: &Function, filter: &Filter<'_>, span: Span) {
        let Some(mut given) = positional(&filter.args) else {
            self.effect(function, &Vec::new(), span);
            return;
        };
        given.insert(0, filter.expr.as_ref());
        let (least, most) = function.arguments();
        if (least..=most).contains(&given.len()) {
            self.effect(function, &given, span);
            return;
        }
        let usage = function.filter().unwrap_or_default();
        self.wrong_count(
            function,
            (least - 1, most - 1),
            filter.args.len(),
            usage,
            span,
        );
    }

    fn count_arguments(&mut self, function: &Function, found: usize, span: Span) -> bool {
        let (least, most) = function.arguments();
        if (least..=most).contains(&found) {
            return true;
        }
        self.wrong_count(function, (least, most), found, function.signature(), span);
        false
    }

    fn wrong_count(
        &mut self,
        function: &Function,
        range: (usize, usize),
        found: usize,
        usage: &str,
        span: Span,
    ) {
        let expected = match range {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "one argument".to_owned(),
            (least, most) if least == most => format!("{least} arguments"),
            (least, usize::MAX) => format!("at least {least} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        };
        let message = format!("{} takes {expected}, found {found}", function.name());
        let problem = self.problem(Code::ARGUMENT_COUNT, span, message);
        self.found.push(problem.with_help(format!("write {usage}")));
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
        if filters::is_filter(name) {
            problem = problem.with_help(format!("use the filter: {{{{ value | {name} }}}}"));
        }
        self.found.push(problem);
    }
}
