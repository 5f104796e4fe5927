//! Comparisons that can never be true: of a text with a number, and the other way round.
//!
//! An order takes a text that spells a number for that number. Whether two values are equal asks for
//! their kind too, so `header("x") == 5` is always false, as it is in kgateway. That is told: as an
//! error where only this module knows the name, else as a warning, since kgateway takes the template.

use minijinja::Value;
use minijinja::machinery::Span;
use minijinja::machinery::ast::{
    BinOp, BinOpKind, Call, CallArg, CallType, Compare, CompareOpKind, Expr, Test,
};
use minijinja::value::ValueKind;

use super::Walk;
use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Severity};
use crate::direction::Direction;
use crate::message::Field;
use crate::template::segments::member;
use crate::value::numbers;

/// The functions that give text, and whether kgateway has them too.
const TEXTS: &[(&str, bool)] = &[
    ("header", true),
    ("request_header", true),
    ("get_cookie", true),
    ("get_cookie_i", true),
    ("body", true),
    ("env", true),
    ("substring", true),
    ("base64_decode", true),
    ("base64url_decode", true),
    ("raw_string", true),
    ("replace_with_string", true),
    ("query_param", false),
    ("extraction", false),
    ("urldecode", false),
    ("regex_replace", false),
    ("date", false),
];

/// What is known of an operand before there is a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operand {
    /// Always a text; `classic` if kgateway takes the expression.
    Text {
        classic: bool,
    },
    /// Always a number.
    Number,
    Unknown,
}

impl Walk<'_, '_> {
    /// `a == b`, or another operator.
    pub(super) fn comparison_of_two(&mut self, binary: &BinOp<'_>, span: Span) {
        let (left, right) = (&binary.left, &binary.right);
        match binary.op {
            BinOpKind::Eq | BinOpKind::Ne => self.equality(left, right, span),
            BinOpKind::Lt | BinOpKind::Lte | BinOpKind::Gt | BinOpKind::Gte => {
                self.order(left, right, span);
            }
            BinOpKind::In => self.membership(left, right, span),
            _ => {}
        }
    }

    /// `a < b < c`.
    pub(super) fn chain(&mut self, compare: &Compare<'_>, span: Span) {
        let mut left = &compare.expr;
        for op in &compare.ops {
            match op.op {
                CompareOpKind::Eq | CompareOpKind::Ne => self.equality(left, &op.expr, span),
                CompareOpKind::In | CompareOpKind::NotIn => self.membership(left, &op.expr, span),
                _ => self.order(left, &op.expr, span),
            }
            left = &op.expr;
        }
    }

    /// `value is eq(other)`.
    pub(super) fn test_of_equality(&mut self, test: &Test<'_>, span: Span) {
        if matches!(test.name, "eq" | "equalto" | "==" | "ne" | "!=" | "sameas")
            && let [CallArg::Pos(other)] = test.args.as_slice()
        {
            self.equality(&test.expr, other, span);
        }
    }

    /// `response.status[0]`: a number has no parts.
    pub(super) fn part_of_number(&mut self, whole: &Expr<'_>, span: Span) {
        if self.operand(whole) == Operand::Number {
            let message = "a number has no characters";
            let problem = self.problem(Code::COMPARISON, span, message);
            self.found
                .push(problem.with_help("make it a text first: (... | string)"));
        }
    }

    fn equality(&mut self, left: &Expr<'_>, right: &Expr<'_>, span: Span) {
        for (operand, other) in [(left, right), (right, left)] {
            if let Some(constant) = other.as_const() {
                self.never_equal(operand, &constant, span);
            }
        }
    }

    fn membership(&mut self, left: &Expr<'_>, right: &Expr<'_>, span: Span) {
        let Some(constant) = right.as_const() else {
            return;
        };
        if constant.kind() == ValueKind::Seq
            && let Ok(items) = constant.try_iter()
        {
            for item in items {
                if self.never_equal(left, &item, span) {
                    return;
                }
            }
        }
    }

    /// Whether an expression can never equal a constant, which is told.
    fn never_equal(&mut self, left: &Expr<'_>, constant: &Value, span: Span) -> bool {
        let problem = match (self.operand(left), constant.kind()) {
            (Operand::Text { classic }, ValueKind::Number) => {
                let message = "this is a text, which never equals a number";
                let help = "make it a number with | int, or write the number in quotes";
                self.comparison(message, classic, span).with_help(help)
            }
            (Operand::Number, ValueKind::String) => {
                let message = "this is a number, which never equals a text";
                let help = "write the number without quotes";
                self.comparison(message, false, span).with_help(help)
            }
            _ => return false,
        };
        self.found.push(problem);
        true
    }

    /// Two texts are ordered letter by letter, also where one of them spells a number.
    fn order(&mut self, left: &Expr<'_>, right: &Expr<'_>, span: Span) {
        for (operand, other) in [(left, right), (right, left)] {
            let spells_number =
                |it: &Value| it.as_str().is_some() && numbers::of_value(it).is_some();
            if matches!(self.operand(operand), Operand::Text { .. })
                && other.as_const().is_some_and(|it| spells_number(&it))
            {
                let message = "these are two texts, of which \"9\" comes after \"10\"";
                let problem = self.comparison(message, true, span);
                self.found
                    .push(problem.with_help("write the number without quotes"));
            }
        }
    }

    fn comparison(&self, message: &str, warning: bool, span: Span) -> Diagnostic {
        let severity = if warning {
            Severity::Warning
        } else {
            Severity::Error
        };
        self.problem(Code::COMPARISON, span, message)
            .with_severity(severity)
    }

    fn operand(&self, expr: &Expr<'_>) -> Operand {
        if let Expr::Call(call) = expr {
            return self.called(call);
        }
        if let Expr::Var(var) = expr
            && self.context.vars.iter().any(|known| **known == *var.id)
            && !self.is_assigned(var.id)
        {
            return Operand::Text { classic: false };
        }
        let Some((holder, name)) = member(expr) else {
            return Operand::Unknown;
        };
        // A header by its name, or a field of its own.
        let (root, name, of_headers) = match member(holder) {
            Some((root, "headers")) => (root, "headers", true),
            _ => (holder, name, false),
        };
        let Expr::Var(var) = root else {
            return Operand::Unknown;
        };
        let field = Direction::named(var.id).and_then(|direction| {
            Field::find(direction, name).filter(|field| self.is_of_message(*field, direction))
        });
        match field.filter(|_| !self.is_assigned(var.id)) {
            Some(Field::Headers) if of_headers => Operand::Text { classic: false },
            Some(Field::Header { .. } | Field::Body) if !of_headers => {
                Operand::Text { classic: false }
            }
            Some(Field::Status) if !of_headers => Operand::Number,
            _ => Operand::Unknown,
        }
    }

    fn called(&self, call: &Call<'_>) -> Operand {
        let CallType::Function(name) = call.identify_call() else {
            return Operand::Unknown;
        };
        match TEXTS.iter().find(|(known, _)| *known == name) {
            Some((_, classic)) if !self.is_assigned(name) => Operand::Text { classic: *classic },
            _ => Operand::Unknown,
        }
    }
}
