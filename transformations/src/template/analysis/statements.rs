//! The statements of a template: what they assign, and for how long.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{Expr, Macro, Stmt};

use super::Walk;
use crate::codes::Code;

impl Walk<'_, '_> {
    pub(super) fn statements(&mut self, body: &[Stmt<'_>]) {
        body.iter().for_each(|statement| self.statement(statement));
    }

    pub(super) fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::EmitRaw(raw) => {
                self.operators(raw.raw);
                if self.repeated > 0 {
                    let longest = self.analysis.repeated_literal.max(raw.raw.len());
                    self.analysis.repeated_literal = longest;
                }
            }
            Stmt::ForLoop(each) => self.deeper(each.span(), |walk| {
                walk.expression(&each.iter);
                walk.scoped(|walk| {
                    walk.target(&each.target);
                    walk.assign("loop");
                    if let Some(filter) = &each.filter_expr {
                        walk.expression(filter);
                    }
                    walk.repeatedly(|walk| walk.statements(&each.body));
                });
                walk.scoped(|walk| walk.statements(&each.else_body));
            }),
            Stmt::IfCond(choice) => self.deeper(choice.span(), |walk| {
                walk.expression(&choice.expr);
                // What a branch assigns stays assigned after it.
                walk.statements(&choice.true_body);
                walk.statements(&choice.false_body);
            }),
            Stmt::WithBlock(block) => self.deeper(block.span(), |walk| {
                walk.scoped(|walk| {
                    for (target, value) in &block.assignments {
                        walk.expression(value);
                        walk.target(target);
                    }
                    walk.statements(&block.body);
                });
            }),
            Stmt::Set(set) => {
                self.expression(&set.expr);
                self.target(&set.target);
            }
            Stmt::SetBlock(set) => self.deeper(set.span(), |walk| {
                if let Some(filter) = &set.filter {
                    walk.expression(filter);
                }
                walk.scoped(|walk| walk.repeatedly(|walk| walk.statements(&set.body)));
                walk.target(&set.target);
            }),
            Stmt::AutoEscape(block) => self.deeper(block.span(), |walk| {
                walk.expression(&block.enabled);
                walk.statements(&block.body);
            }),
            Stmt::FilterBlock(block) => self.deeper(block.span(), |walk| {
                walk.expression(&block.filter);
                walk.scoped(|walk| walk.repeatedly(|walk| walk.statements(&block.body)));
            }),
            Stmt::Macro(definition) => self.deeper(definition.span(), |walk| {
                walk.assign(definition.name);
                walk.macro_body(definition);
            }),
            Stmt::CallBlock(block) => self.deeper(block.span(), |walk| {
                walk.call(&block.call, block.call.span());
                walk.macro_body(&block.macro_decl);
            }),
            Stmt::Block(block) => self.other_template(block.span()),
            Stmt::Import(import) => self.other_template(import.span()),
            Stmt::FromImport(import) => self.other_template(import.span()),
            Stmt::Extends(extends) => self.other_template(extends.span()),
            Stmt::Include(include) => self.other_template(include.span()),
            Stmt::Do(block) => self.call(&block.call, block.call.span()),
        }
    }

    fn other_template(&mut self, span: Span) {
        let message = "block, extends, include and import need other templates; there are none";
        let problem = self.problem(Code::OTHER_TEMPLATE, span, message);
        self.found
            .push(problem.with_help("use {% macro %} for what is needed twice"));
    }

    fn macro_body(&mut self, definition: &Macro<'_>) {
        self.scoped(|walk| {
            definition
                .defaults
                .iter()
                .for_each(|value| walk.expression(value));
            definition
                .args
                .iter()
                .for_each(|argument| walk.target(argument));
            walk.assign("caller");
            walk.repeatedly(|walk| walk.statements(&definition.body));
        });
    }

    /// The left side of an assignment.
    fn target(&mut self, target: &Expr<'_>) {
        match target {
            Expr::Var(var) => self.assign(var.id),
            Expr::List(list) => list.items.iter().for_each(|item| self.target(item)),
            // `{% set ns.field = ... %}` reads ns.
            Expr::GetAttr(get) => self.expression(&get.expr),
            other => self.expression(other),
        }
    }
}
