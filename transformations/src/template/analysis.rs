//! One walk over a template's syntax tree: what it reads, and everything wrong with it.
//!
//! Runs on the main thread when a configuration is compiled. The engine itself accepts unknown
//! names until it meets them in a render; here they are found before any traffic, all at once.

use std::collections::BTreeSet;
use std::ops::Range;

use minijinja::machinery::{Span, WhitespaceConfig, parse, parse_expr};

use super::commands::{self, Edit, Rewritten};
use super::condition::{self, Test};
use super::context::FieldContext;
use super::guard;
use super::segments::{self, Roots, Segment};
use crate::codes::Code;
use crate::config::has_markers;
use crate::diagnostics::{Diagnostic, Excerpt, Severity, nearest};
use crate::direction::Direction;
use crate::functions::Patterns;
use crate::message::{EVENT, LINE, Reads};

mod calls;
mod comparisons;
mod effects;
mod expressions;
pub(super) mod facts;
mod literals;
mod statements;

/// The names that mean the message and not a JSON variable.
const NAMESPACES: [&str; 2] = ["request", "response"];

/// The result of the walk over a template without errors.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    pub(crate) reads: Reads,
    /// The fast path, if the template is simple enough.
    pub(crate) segments: Option<Vec<Segment>>,
    /// The same of a condition.
    pub(crate) test: Option<Test>,
    /// Fields of `request` and `response` that this template reads of the messages.
    pub(crate) fields: Vec<(&'static str, &'static str)>,
    /// Names that the template assigns itself; they are not what they are elsewhere.
    pub(crate) assigned: BTreeSet<String>,
    /// The longest literal text that a loop, macro or capture could repeat.
    pub(crate) repeated_literal: usize,
    /// The template to compile, if it has command operators.
    pub(crate) rewritten: Option<Rewritten>,
}

/// Analyses one template. What is wrong with it is added to `found`, and the regular expressions it
/// uses to `patterns`.
pub(crate) fn analyse(
    source: &str,
    context: &FieldContext<'_>,
    patterns: &mut Patterns,
    found: &mut Vec<Diagnostic>,
) -> Analysis {
    if let Some(problem) = guard::check(source, context.path) {
        found.push(problem);
        return Analysis::default();
    }
    let tree = match parse(source, "", Default::default(), WhitespaceConfig::default()) {
        Ok(tree) => tree,
        Err(error) => {
            found.push(syntax_error(source, context.path, &error));
            return Analysis::default();
        }
    };
    let mut walk = Walk::new(source, context, patterns, found);
    walk.statement(&tree);
    walk.tell_both_meanings();
    let (mut analysis, edits) = (walk.analysis, walk.edits);
    if let Some(first) = context.first_command
        && !edits.is_empty()
    {
        analysis.rewritten = Some(commands::rewrite(source, edits, first));
    }
    if analysis.assigned.is_empty() {
        let roots = Roots {
            rewritten: analysis.rewritten.as_ref(),
            ..Roots::of(context)
        };
        analysis.segments = match &analysis.rewritten {
            None => segments::recognise(&tree, &roots),
            Some(Rewritten { text, .. }) => {
                let tree = parse(text, "", Default::default(), WhitespaceConfig::default());
                tree.ok()
                    .and_then(|tree| segments::recognise(&tree, &roots))
            }
        };
    }
    analysis
}

/// Analyses a condition: an expression as it stands between `{% if` and `%}`.
pub(crate) fn analyse_expression(
    source: &str,
    context: &FieldContext<'_>,
    patterns: &mut Patterns,
    found: &mut Vec<Diagnostic>,
) -> Analysis {
    if let Some(problem) = guard::check_expression(source, context.path) {
        found.push(problem);
        return Analysis::default();
    }
    let tree = match parse_expr(source) {
        Ok(tree) => tree,
        Err(error) => {
            found.push(expression_error(source, context.path, &error));
            return Analysis::default();
        }
    };
    let mut walk = Walk::new(source, context, patterns, found);
    walk.is_expression = true;
    walk.expression(&tree);
    walk.tell_both_meanings();
    let (mut analysis, too_deep) = (walk.analysis, walk.too_deep);
    if too_deep {
        return analysis;
    }
    let roots = Roots::of(context);
    analysis.test = condition::recognise(&tree, &|expr| segments::expression(expr, &roots));
    analysis
}

fn expression_error(source: &str, path: &str, error: &minijinja::Error) -> Diagnostic {
    let detail: String = match source.trim() {
        "" => "a condition is an expression, such as response.status >= 500".to_owned(),
        _ => error
            .detail()
            .unwrap_or("it cannot be parsed")
            .chars()
            .take(160)
            .collect(),
    };
    let mut problem = Diagnostic::error(Code::SYNTAX, path, format!("syntax error: {detail}"));
    if let Some(range) = error.range().filter(|_| !source.is_empty()) {
        problem = problem.with_excerpt(Excerpt::of_expression(source, range));
    }
    if has_markers(source) {
        problem =
            problem.with_help("a condition is an expression by itself, without {{ }} around it");
    }
    problem
}

fn syntax_error(source: &str, path: &str, error: &minijinja::Error) -> Diagnostic {
    let detail = error.detail().unwrap_or("the template cannot be parsed");
    // Details may quote tokens of the template; keep them short.
    let detail: String = detail.chars().take(160).collect();
    let mut problem = Diagnostic::error(Code::SYNTAX, path, format!("syntax error: {detail}"));
    if let Some(range) = error.range() {
        problem = problem.with_excerpt(Excerpt::new(source, range));
    }
    problem
}

/// State of one walk.
struct Walk<'t, 's> {
    source: &'s str,
    context: &'t FieldContext<'t>,
    patterns: &'t mut Patterns,
    found: &'t mut Vec<Diagnostic>,
    analysis: Analysis,
    scopes: Vec<BTreeSet<String>>,
    /// Fields of `request` and `response` that only the JSON body can have, to be told if the template
    /// means the message by the same name elsewhere.
    of_body: Vec<(&'static str, Diagnostic)>,
    /// Command operators, and what takes their place.
    edits: Vec<(Range<usize>, Edit)>,
    /// Loops, macros and captures around the current place.
    repeated: usize,
    depth: usize,
    too_deep: bool,
    /// The source is an expression and no template.
    is_expression: bool,
}

/// Nesting of expressions and statements that the engine's own recursion can take.
const MAX_DEPTH: usize = 400;

impl<'t, 's> Walk<'t, 's> {
    fn new(
        source: &'s str,
        context: &'t FieldContext<'t>,
        patterns: &'t mut Patterns,
        found: &'t mut Vec<Diagnostic>,
    ) -> Walk<'t, 's> {
        let names = [(EVENT, context.event), (LINE, context.line)];
        let declared = names.into_iter().filter(|(_, is_known)| *is_known);
        Walk {
            source,
            context,
            patterns,
            found,
            analysis: Analysis::default(),
            scopes: vec![declared.map(|(name, _)| name.to_owned()).collect()],
            of_body: Vec::new(),
            edits: Vec::new(),
            repeated: 0,
            depth: 0,
            too_deep: false,
            is_expression: false,
        }
    }
}

impl Walk<'_, '_> {
    fn problem(&self, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        let range = span.start_offset as usize..span.end_offset as usize;
        self.problem_at(code, range, message)
    }

    /// As [`problem`](Self::problem), at a place in bytes.
    fn problem_at(
        &self,
        code: Code,
        range: Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let excerpt = match self.is_expression {
            true => Excerpt::of_expression(self.source, range),
            false => Excerpt::new(self.source, range),
        };
        Diagnostic::error(code, self.context.path, message).with_excerpt(excerpt)
    }

    /// Goes one level deeper, unless that is too deep, which is said once.
    fn deeper(&mut self, span: Span, visit: impl FnOnce(&mut Self)) {
        if self.depth >= MAX_DEPTH {
            if !self.too_deep {
                self.too_deep = true;
                let problem = self.problem(Code::TOO_LARGE, span, "the template nests too deeply");
                self.found
                    .push(problem.with_help("compute parts with {% set %} first"));
            }
            return;
        }
        self.depth += 1;
        visit(self);
        self.depth -= 1;
    }

    fn is_assigned(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.contains(name))
    }

    fn assign(&mut self, name: &str) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_owned());
        }
        self.analysis.assigned.insert(name.to_owned());
    }

    /// Visits what has its own scope.
    fn scoped(&mut self, visit: impl FnOnce(&mut Self)) {
        self.scopes.push(BTreeSet::new());
        visit(self);
        self.scopes.pop();
    }

    /// Visits what may run more than once, or into a capture.
    fn repeatedly(&mut self, visit: impl FnOnce(&mut Self)) {
        self.repeated += 1;
        visit(self);
        self.repeated -= 1;
    }

    /// Where `request` is both the message and a field of its body, either may be a mistake.
    fn tell_both_meanings(&mut self) {
        let fields = &self.analysis.fields;
        let both = |root: &str| fields.iter().any(|(of, _)| *of == root);
        let told = self.of_body.drain(..).filter(|(root, _)| both(root));
        self.found.extend(told.map(|(_, problem)| problem));
    }

    /// A variable that neither the template nor the engine defines.
    fn undeclared(&mut self, name: &str, span: Span) {
        self.analysis.reads.variables = true;
        // That it reads the body is then told of the whole.
        if self.context.as_json || self.context.before_body {
            return;
        }
        let vars = self.context.vars.iter().map(|known| &**known);
        let near = nearest(name, vars).map(|near| format!("did you mean \"{near}\"?"));
        let help = match crate::functions::find(name) {
            None if near.is_some() => near.unwrap_or_default(),
            None if self.context.event => "at the end of a stream there is no event to read".into(),
            None if name == crate::message::FACTS => {
                "what is known of LLM traffic needs an \"ai\" block".into()
            }
            Some(function) => format!("{name} is a function: write {}", function.signature()),
            None => "JSON fields become variables with \"body\": {\"parseAs\": \"AsJson\"}".into(),
        };
        let outcome = match self.context.direction {
            _ if self.context.event => "this will always fail",
            Direction::Request => "reading it is answered with 400",
            Direction::Response => "what reads it is left out",
        };
        let message = format!("\"{name}\" is never defined here: {outcome}");
        let problem = self.problem(Code::NEVER_DEFINED, span, message);
        self.found
            .push(problem.with_severity(Severity::Warning).with_help(help));
    }
}
