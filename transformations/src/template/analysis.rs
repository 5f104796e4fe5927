//! One walk over a template's syntax tree: what it reads, and everything wrong with it.
//!
//! Runs on the main thread when a configuration is compiled. The engine itself accepts unknown
//! names until it meets them in a render; here they are found before any traffic, all at once.

use std::collections::BTreeSet;
use std::ops::Range;

use minijinja::machinery::{Span, WhitespaceConfig, ast, parse};

use super::commands::{self, Edit, Rewritten};
use super::segments::{self, Part, Segment};
use super::{Phase, Reads, guard};
use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Excerpt, Severity};
use crate::events::EVENT;
use crate::functions::environment::EnvAccess;
use crate::functions::{Extractors, Patterns};
use crate::options::Capabilities;

mod calls;
mod comparisons;
mod effects;
mod expressions;
mod literals;
mod statements;

/// The names that mean the message and not a JSON variable.
const NAMESPACES: [&str; 2] = ["request", "response"];

/// Where a template stands, and what that lets it see.
pub(crate) struct Site<'a> {
    pub(crate) path: &'a str,
    pub(crate) phase: Phase,
    /// The body is parsed as JSON, so unknown names may be its fields.
    pub(crate) as_json: bool,
    /// The message is an event of a stream, which has a name of its own.
    pub(crate) event: bool,
    pub(crate) env: &'a EnvAccess,
    pub(crate) extractors: &'a Extractors,
    pub(crate) capabilities: Capabilities,
    /// In a header value: the number of its first command operator.
    pub(crate) first_command: Option<usize>,
}

/// The result of the walk over a template without errors.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    pub(crate) reads: Reads,
    /// The fast path, if the template is simple enough.
    pub(crate) segments: Option<Vec<Segment>>,
    /// Fields of `request` and `response` that this template reads of the messages.
    pub(crate) fields: Vec<(&'static str, &'static str)>,
    /// Names that the template assigns itself; they are not what they are elsewhere.
    pub(crate) assigned: BTreeSet<String>,
    /// The longest literal text that a loop, macro or capture could repeat.
    pub(crate) repeated_literal: usize,
    /// The template to compile, if it has command operators.
    pub(crate) rewritten: Option<Rewritten>,
}

/// How names resolve while segments are recognised.
pub(crate) struct Roots<'a> {
    pub(super) phase: Phase,
    pub(super) as_json: bool,
    pub(super) env: &'a EnvAccess,
    pub(super) rewritten: Option<&'a Rewritten>,
}

impl Roots<'_> {
    /// The field of a message that `holder.name` is, if it is one.
    pub(super) fn field(&self, holder: &ast::Expr<'_>, name: &str) -> Option<(Phase, Attribute)> {
        let ast::Expr::Var(var) = holder else {
            return None;
        };
        let phase = to_phase(var.id)?;
        let field = Attribute::find(phase, name)?;
        (!self.as_json || field.exists(phase, self.phase)).then_some((phase, field))
    }
}

fn to_phase(name: &str) -> Option<Phase> {
    match name {
        "request" => Some(Phase::Request),
        "response" => Some(Phase::Response),
        _ => None,
    }
}

/// A field of `request` or `response`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Headers,
    Header { name: &'static str, part: Part },
    Status,
    Body,
    Json,
}

impl Attribute {
    const REQUEST: [(&'static str, Attribute); 9] = [
        ("headers", Attribute::Headers),
        (
            "method",
            Attribute::Header {
                name: ":method",
                part: Part::Whole,
            },
        ),
        (
            "path",
            Attribute::Header {
                name: ":path",
                part: Part::Whole,
            },
        ),
        (
            "url_path",
            Attribute::Header {
                name: ":path",
                part: Part::BeforeQuery,
            },
        ),
        (
            "query",
            Attribute::Header {
                name: ":path",
                part: Part::Query,
            },
        ),
        (
            "host",
            Attribute::Header {
                name: ":authority",
                part: Part::Whole,
            },
        ),
        (
            "scheme",
            Attribute::Header {
                name: ":scheme",
                part: Part::Whole,
            },
        ),
        ("body", Attribute::Body),
        ("json", Attribute::Json),
    ];
    const RESPONSE: [(&'static str, Attribute); 4] = [
        ("headers", Attribute::Headers),
        ("status", Attribute::Status),
        ("body", Attribute::Body),
        ("json", Attribute::Json),
    ];

    /// All fields of one side.
    pub(crate) fn all(phase: Phase) -> &'static [(&'static str, Attribute)] {
        match phase {
            Phase::Request => &Self::REQUEST,
            Phase::Response => &Self::RESPONSE,
        }
    }

    pub(crate) fn find(phase: Phase, name: &str) -> Option<Attribute> {
        let (_, found) = Self::all(phase).iter().find(|(known, _)| *known == name)?;
        Some(*found)
    }

    /// The name as the table has it, which lives as long as the program.
    fn name(phase: Phase, name: &str) -> Option<&'static str> {
        let (known, _) = Self::all(phase).iter().find(|(known, _)| *known == name)?;
        Some(known)
    }

    /// Whether a message has this field while the one of direction `here` is transformed. The response
    /// is still to come when the request is, and then the request's body is gone.
    pub(crate) fn exists(self, phase: Phase, here: Phase) -> bool {
        match phase {
            Phase::Request => here == phase || !matches!(self, Attribute::Body | Attribute::Json),
            Phase::Response => here == phase,
        }
    }
}

/// Analyses one template. What is wrong with it is added to `found`, and the regular expressions it
/// uses to `patterns`.
pub(crate) fn analyse(
    source: &str,
    site: &Site<'_>,
    patterns: &mut Patterns,
    found: &mut Vec<Diagnostic>,
) -> Analysis {
    if let Some(problem) = guard::check(source, site.path) {
        found.push(problem);
        return Analysis::default();
    }
    let tree = match parse(source, "", Default::default(), WhitespaceConfig::default()) {
        Ok(tree) => tree,
        Err(error) => {
            found.push(syntax_error(source, site.path, &error));
            return Analysis::default();
        }
    };
    let mut declared = BTreeSet::new();
    if site.event {
        declared.insert(EVENT.to_owned());
    }
    let mut walk = Walk {
        source,
        site,
        patterns,
        found,
        analysis: Analysis::default(),
        scopes: vec![declared],
        of_body: Vec::new(),
        edits: Vec::new(),
        repeated: 0,
        depth: 0,
        too_deep: false,
    };
    walk.statement(&tree);
    walk.tell_both_meanings();
    let (mut analysis, edits) = (walk.analysis, walk.edits);
    if let Some(first) = site.first_command
        && !edits.is_empty()
    {
        analysis.rewritten = Some(commands::rewrite(source, edits, first));
    }
    if analysis.assigned.is_empty() {
        let roots = Roots {
            phase: site.phase,
            as_json: site.as_json,
            env: site.env,
            rewritten: analysis.rewritten.as_ref(),
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
    site: &'t Site<'t>,
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
}

/// Nesting of expressions and statements that the engine's own recursion can take.
const MAX_DEPTH: usize = 400;

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
        Diagnostic::error(code, self.site.path, message)
            .with_excerpt(Excerpt::new(self.source, range))
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
        if self.site.as_json {
            return;
        }
        let help = match crate::functions::find(name) {
            None if self.site.event => "at the end of a stream there is no event to read".into(),
            Some(function) => format!("{name} is a function: write {}", function.signature()),
            None => "JSON fields become variables with \"body\": {\"parseAs\": \"AsJson\"}".into(),
        };
        let outcome = match self.site.phase {
            _ if self.site.event => "this will always fail",
            Phase::Request => "reading it is answered with 400",
            Phase::Response => "what reads it is left out",
        };
        let message = format!("\"{name}\" is never defined here: {outcome}");
        let problem = self.problem(Code::NEVER_DEFINED, span, message);
        self.found
            .push(problem.with_severity(Severity::Warning).with_help(help));
    }
}
