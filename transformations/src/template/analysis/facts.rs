//! `ai.model`, `ai.usage.input_tokens` and their like: what is known of an exchange as LLM traffic, read by
//! templates of responses.
//!
//! Without an `ai` block the name is as any other: a field of the JSON body, where there is one.

use llm::facts::{Fact, FactTime};
use minijinja::machinery::Span;
use minijinja::machinery::ast::Expr;

use super::Walk;
use crate::ai::known::FactsHere;
use crate::codes::Code;
use crate::diagnostics::{Severity, nearest};
use crate::message::{FACTS, fact_path, fact_spelling};
use crate::template::segments::member;

impl Walk<'_, '_> {
    /// Whether the expression is a fact, or was meant to be.
    pub(super) fn fact(&mut self, expr: &Expr<'_>) -> bool {
        let Some((group, name)) = below_facts(expr) else {
            return false;
        };
        if self.is_assigned(FACTS) {
            return false;
        }
        let fact = fact_path(group, name);
        match self.context.facts {
            FactsHere::NoBlock => false,
            FactsHere::None => self.fact_elsewhere(fact, expr.span()),
            FactsHere::Some(known) => {
                let Some(fact) = fact else {
                    self.unknown_fact(group, name, expr.span());
                    return true;
                };
                let reads = &mut self.analysis.reads;
                reads.facts = true;
                reads.end_facts |= fact.when() == FactTime::End;
                if let Some((message, help)) = known.problem_in_response(fact) {
                    let problem = self.problem(Code::NEVER_KNOWN, expr.span(), message);
                    let problem = problem.with_severity(Severity::Warning);
                    self.found.push(problem.with_help(help));
                }
                true
            }
        }
    }

    /// `ai` by itself.
    pub(super) fn all_facts(&mut self, name: &str, span: Span) -> bool {
        let is_meant = name == FACTS && matches!(self.context.facts, FactsHere::Some(_));
        if is_meant {
            let message = format!("{FACTS} has no value of its own");
            let problem = self.problem(Code::UNKNOWN_ATTRIBUTE, span, message);
            let help = format!("read one of its facts, such as {FACTS}.model");
            self.found.push(problem.with_help(help));
        }
        is_meant
    }

    /// A fact where there is none: in a JSON body there may be a field of that name.
    fn fact_elsewhere(&mut self, fact: Option<Fact>, span: Span) -> bool {
        let help = "read it in \"response\", in anything but the rules for events";
        if !self.context.as_json {
            let message = "what is known of LLM traffic is not there yet";
            let problem = self.problem(Code::WRONG_DIRECTION, span, message);
            self.found.push(problem.with_help(help));
            return true;
        }
        if let Some(fact) = fact {
            let spelling = fact_spelling(fact);
            let message = format!("{spelling} is a field of the JSON body here, and no fact");
            let problem = self.problem(Code::WRONG_DIRECTION, span, message);
            let problem = problem.with_severity(Severity::Warning);
            self.found.push(problem.with_help(help));
        }
        false
    }

    fn unknown_fact(&mut self, group: Option<&str>, name: &str, span: Span) {
        let shown = match group {
            Some(group) => format!("{group}.{name}"),
            None => name.to_owned(),
        };
        let mut members = Fact::ALL.iter().filter(|fact| fact.group() == Some(name));
        let (message, help) = match members.next().filter(|_| group.is_none()) {
            Some(member) => {
                let message = format!("{FACTS}.{name} has no value of its own");
                (
                    message,
                    format!("read one of its facts, such as {}", fact_spelling(*member)),
                )
            }
            None => (
                format!("{FACTS} has no fact \"{shown}\""),
                nearest_fact(name),
            ),
        };
        let problem = self.problem(Code::UNKNOWN_ATTRIBUTE, span, message);
        self.found.push(problem.with_help(help));
    }
}

/// What somebody meant who wrote this name. The group does not count: who leaves it out means the same.
fn nearest_fact(name: &str) -> String {
    let near = Fact::named(name).or_else(|| {
        let near = nearest(name, Fact::ALL.iter().map(|fact| fact.name()))?;
        Fact::named(near)
    });
    match near {
        Some(fact) => format!("did you mean \"{}\"?", fact_spelling(fact)),
        None => {
            let all: Vec<_> = Fact::ALL.iter().map(|fact| fact_spelling(*fact)).collect();
            format!("there are {}", all.join(", "))
        }
    }
}

/// The group and the name of what is read below `ai`.
pub(in crate::template) fn below_facts<'t>(
    expr: &'t Expr<'_>,
) -> Option<(Option<&'t str>, &'t str)> {
    let (parent, name) = member(expr)?;
    let is_root = |expr: &Expr<'_>| matches!(expr, Expr::Var(var) if var.id == FACTS);
    if is_root(parent) {
        return Some((None, name));
    }
    let (root, group) = member(parent)?;
    is_root(root).then_some((Some(group), name))
}
