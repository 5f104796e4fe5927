//! The expressions of a template: names, fields, filters, tests and operators.

use minijinja::Value;
use minijinja::machinery::Span;
use minijinja::machinery::ast::{BinOp, BinOpKind, Expr};

use super::{NAMESPACES, Walk};
use crate::codes::Code;
use crate::diagnostics::{Severity, nearest};
use crate::direction::Direction;
use crate::functions::filters;
use crate::message::Field;
use crate::message::{EVENT, EVENT_FIELDS};
use crate::template::segments::member;

/// The largest constant that `*` may build; the engine computes constants when it compiles.
const MAX_CONSTANT: usize = 1 << 20;

impl Walk<'_, '_> {
    pub(super) fn expression(&mut self, expr: &Expr<'_>) {
        self.deeper(expr.span(), |walk| walk.expression_inside(expr));
    }

    fn expression_inside(&mut self, expr: &Expr<'_>) {
        if self.message_field(expr) || self.fact(expr) {
            return;
        }
        match expr {
            Expr::Const(_) => {}
            Expr::Var(var) => self.variable(var.id, var.span()),
            Expr::Slice(slice) => {
                self.part_of_number(&slice.expr, expr.span());
                self.expression(&slice.expr);
                let bounds = [&slice.start, &slice.stop, &slice.step];
                bounds
                    .into_iter()
                    .flatten()
                    .for_each(|bound| self.expression(bound));
            }
            Expr::UnaryOp(unary) => self.expression(&unary.expr),
            Expr::BinOp(binary) => {
                let problems = self.found.len();
                self.expression(&binary.left);
                self.expression(&binary.right);
                // Operands with problems may themselves be too large to compute.
                if self.found.len() == problems {
                    self.repetition(binary, binary.span());
                    self.comparison_of_two(binary, binary.span());
                }
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr);
                compare.ops.iter().for_each(|op| self.expression(&op.expr));
                self.chain(compare, compare.span());
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                self.expression(&choice.true_expr);
                if let Some(other) = &choice.false_expr {
                    self.expression(other);
                }
            }
            Expr::Filter(filter) => {
                if let Some(value) = &filter.expr {
                    self.expression(value);
                }
                if let Some(function) = filters::own(filter.name) {
                    self.own_filter(function, filter, filter.span());
                } else if !filters::is_filter(filter.name) {
                    self.unknown(Code::UNKNOWN_FILTER, "filter", filter.name, filter.span());
                }
                self.arguments(&filter.args);
            }
            Expr::Test(test) => {
                self.expression(&test.expr);
                if !filters::is_test(test.name) {
                    self.unknown(Code::UNKNOWN_TEST, "test", test.name, test.span());
                }
                self.arguments(&test.args);
                self.test_of_equality(test, test.span());
            }
            Expr::GetAttr(get) => self.expression(&get.expr),
            Expr::GetItem(get) => {
                self.part_of_number(&get.expr, expr.span());
                self.expression(&get.expr);
                self.expression(&get.subscript_expr);
            }
            Expr::Call(call) => self.call(call, call.span()),
            Expr::List(list) => list.items.iter().for_each(|item| self.expression(item)),
            Expr::Map(map) => {
                map.keys
                    .iter()
                    .chain(&map.values)
                    .for_each(|part| self.expression(part));
            }
        }
    }

    fn variable(&mut self, name: &str, span: Span) {
        if self.is_assigned(name) {
            return;
        }
        let var = self.context.vars.iter().position(|known| **known == *name);
        if let Some(number) = var {
            self.analysis.reads.insert_var(number);
            return;
        }
        if self.all_facts(name, span) {
            return;
        }
        match NAMESPACES.into_iter().find(|known| *known == name) {
            Some(root) if !self.context.as_json => {
                let message = format!("{root} has no value of its own");
                let problem = self.problem(Code::UNKNOWN_ATTRIBUTE, span, message);
                let help = format!("read one of its fields, such as {root}.headers");
                self.found.push(problem.with_help(help));
            }
            _ => self.undeclared(name, span),
        }
    }

    /// `request.method`, `request.headers["x"]`, `request.headers` with anything else around it.
    fn message_field(&mut self, expr: &Expr<'_>) -> bool {
        let Some((parent, name)) = member(expr) else {
            return false;
        };
        if self.event_field(parent, name, expr.span()) {
            return true;
        }
        if let Some((grandparent, "headers")) = member(parent)
            && let Some((root, direction)) = self.message(grandparent)
            && self.is_of_message(Field::Headers, direction)
        {
            self.read_field(root, direction, "headers", None, expr.span());
            self.analysis.reads.headers_mut(direction).insert(name);
            return true;
        }
        let Some((root, direction)) = self.message(parent) else {
            return false;
        };
        match Field::find(direction, name) {
            Some(field) if self.is_of_message(field, direction) => {
                self.read_field(root, direction, name, Some(field), expr.span());
            }
            found => self.field_of_json(root, name, found.is_some(), expr.span()),
        }
        true
    }

    /// Whether a field that messages have is read of the message here. In a JSON body there may be a
    /// field of that name, which is what kgateway's templates mean by it; but only what no message can
    /// have here is left to the body, which the sender makes up.
    pub(super) fn is_of_message(&self, field: Field, direction: Direction) -> bool {
        !self.context.as_json || field.exists(direction, self.context.direction)
    }

    /// `request.name` that the message does not have: a field of the JSON body, if there is one.
    fn field_of_json(&mut self, root: &'static str, name: &str, wrong_direction: bool, span: Span) {
        let known = Direction::named(root).map_or([].as_slice(), Field::all);
        let help = match nearest(name, known.iter().map(|(name, _)| *name)) {
            Some(near) if !wrong_direction => format!("did you mean \"{root}.{near}\"?"),
            _ => {
                let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
                format!("{root} has the fields {}", names.join(", "))
            }
        };
        if !self.context.as_json {
            let message = format!("{root} has no field \"{name}\"");
            let problem = self.problem(Code::UNKNOWN_ATTRIBUTE, span, message);
            self.found.push(problem.with_help(help));
            return;
        }
        self.analysis.reads.variables = true;
        let body = format!("this is the field \"{root}\" of the JSON body");
        if wrong_direction {
            let here = self.context.direction.name();
            let message =
                format!("{root}.{name} is not there while the {here} is transformed: {body}");
            let problem = self.problem(Code::WRONG_DIRECTION, span, message);
            self.found.push(problem.with_severity(Severity::Warning));
            return;
        }
        let message = format!("{root} has no field \"{name}\": {body}");
        let problem = self
            .problem(Code::UNKNOWN_ATTRIBUTE, span, message)
            .with_severity(Severity::Warning)
            .with_help(help);
        self.of_body.push((root, problem));
    }

    /// `event.name` and its like.
    fn event_field(&mut self, parent: &Expr<'_>, name: &str, span: Span) -> bool {
        let Expr::Var(var) = parent else { return false };
        let declared = self.context.event && !self.analysis.assigned.contains(EVENT);
        if var.id != EVENT || !declared {
            return false;
        }
        match name {
            "data" => self.analysis.reads.body = true,
            "json" => self.analysis.reads.document = true,
            _ if EVENT_FIELDS.contains(&name) => {}
            _ => {
                let message = format!("{EVENT} has no field \"{name}\"");
                let help = match nearest(name, EVENT_FIELDS) {
                    Some(near) => format!("did you mean \"{EVENT}.{near}\"?"),
                    None => format!("{EVENT} has the fields {}", EVENT_FIELDS.join(", ")),
                };
                let problem = self.problem(Code::UNKNOWN_ATTRIBUTE, span, message);
                self.found.push(problem.with_help(help));
            }
        }
        true
    }

    fn message(&self, expr: &Expr<'_>) -> Option<(&'static str, Direction)> {
        let Expr::Var(var) = expr else { return None };
        let root = NAMESPACES.into_iter().find(|known| *known == var.id)?;
        if self.is_assigned(root) {
            return None;
        }
        Some((root, Direction::named(root)?))
    }

    fn read_field(
        &mut self,
        root: &'static str,
        direction: Direction,
        name: &str,
        field: Option<Field>,
        span: Span,
    ) {
        if let Some(name) = Field::name(direction, name)
            && !self.analysis.fields.contains(&(root, name))
        {
            self.analysis.fields.push((root, name));
        }
        let here = self.context.direction;
        let reads = &mut self.analysis.reads;
        let other_body = matches!(field, Some(Field::Body | Field::Json)) && direction != here;
        match field {
            Some(Field::Headers) => reads.headers_mut(direction).insert_all(),
            Some(Field::Header { name, .. }) => reads.headers_mut(direction).insert(name),
            Some(Field::Status) => reads.headers_mut(direction).insert(":status"),
            Some(Field::Body) => reads.body = true,
            Some(Field::Json) => reads.document = true,
            None => {}
        }
        if direction == Direction::Response && here == Direction::Request {
            let message = "there is no response yet while the request is transformed";
            let problem = self.problem(Code::WRONG_DIRECTION, span, message);
            self.found
                .push(problem.with_help("move this rule to \"response\""));
        } else if other_body {
            let message = "the request body is gone when the response is transformed";
            let problem = self.problem(Code::WRONG_DIRECTION, span, message);
            let help = "keep what you need in a header or in dynamicMetadata of the request";
            self.found.push(problem.with_help(help));
        } else if field == Some(Field::Json) && !self.context.as_json && !self.context.before_body {
            let problem = self.problem(Code::NEEDS_JSON, span, "the body is not parsed as JSON");
            self.found
                .push(problem.with_help("set \"body\": {\"parseAs\": \"AsJson\"}"));
        }
    }

    pub(super) fn unknown(&mut self, code: Code, kind: &str, name: &str, span: Span) {
        let mut problem = self.problem(code, span, format!("unknown {kind} \"{name}\""));
        let near = match code {
            Code::UNKNOWN_FILTER => nearest(name, filters::filter_names()),
            Code::UNKNOWN_TEST => nearest(name, filters::test_names()),
            _ => nearest(
                name,
                crate::functions::all().map(|function| function.name()),
            ),
        };
        if code == Code::UNKNOWN_FILTER && name == "format" {
            let help = "write {{ number | fixed(2) }} for two decimals, and ~ to join texts";
            problem = problem.with_help(help);
        } else if let Some(near) = near {
            problem = problem.with_help(format!("did you mean \"{near}\"?"));
        } else if code != Code::UNKNOWN_FILTER && filters::is_filter(name) {
            problem = problem.with_help(format!("{name} is a filter: {{{{ value | {name} }}}}"));
        } else if code == Code::UNKNOWN_FILTER && crate::functions::find(name).is_some() {
            problem = problem.with_help(format!("{name} is a function: {name}(...)"));
        }
        self.found.push(problem);
    }

    /// Constant text or lists repeated by a constant: computed by the engine at once.
    fn repetition(&mut self, binary: &BinOp<'_>, span: Span) {
        if !matches!(binary.op, BinOpKind::Mul) {
            return;
        }
        let (Some(left), Some(right)) = (binary.left.as_const(), binary.right.as_const()) else {
            return;
        };
        let size = match (left.len(), right.len()) {
            (Some(length), None) => Some((length, times(&right))),
            (None, Some(length)) => Some((length, times(&left))),
            _ => None,
        };
        if let Some((length, times)) = size
            && length.saturating_mul(times) > MAX_CONSTANT
        {
            let problem = self.problem(Code::REPETITION, span, "this constant is too large");
            let help = format!("a repeated constant may have {MAX_CONSTANT} characters or items");
            self.found.push(problem.with_help(help));
        }
    }
}

fn times(value: &Value) -> usize {
    value.as_usize().unwrap_or(0)
}
