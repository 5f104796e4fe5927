//! From a checked configuration to a program: each template in its cheapest form, the needs of all.

use super::{Action, BodyRule, Half, Program, Rule};
use crate::codes::Code;
use crate::config::{Config, MetadataKind, MetadataRule, ParseAs, Transform};
use crate::diagnostics::{Diagnostic, Severity};
use crate::error::FieldId;
use crate::functions::environment::EnvAccess;
use crate::needs::{Needs, PhaseNeeds};
use crate::options::{Capabilities, CompileOptions};
use crate::template::analysis::{Site, analyse};
use crate::template::engine::{Engine, Source};
use crate::template::{HeaderNames, Phase, Reads, Segment, Template};

/// Compiles both directions. What is wrong is added to `found`; without a program there is always
/// an error among it.
pub(super) fn program(
    config: &Config,
    options: &CompileOptions,
    found: &mut Vec<Diagnostic>,
) -> Option<Program> {
    let env = EnvAccess::new(options.env_allow.as_deref(), config.env_allow.as_deref());
    let mut compiler = Compiler {
        env: &env,
        capabilities: options.capabilities,
        found,
        sources: Vec::new(),
        paths: Vec::new(),
    };
    let request = compiler.half(&config.request, Phase::Request);
    let response = compiler.half(&config.response, Phase::Response);
    let Compiler { sources, paths, .. } = compiler;
    if found
        .iter()
        .any(|problem| problem.severity() == Severity::Error)
    {
        return None;
    }
    let engine = if sources.is_empty() {
        None
    } else {
        match Engine::new(sources, &config.limits, &env) {
            Ok(engine) => Some(engine),
            Err(_) => {
                found.push(Diagnostic::error(
                    Code::SYNTAX,
                    "",
                    "a template cannot be compiled",
                ));
                return None;
            }
        }
    };
    let captured = response.reads.request_headers.clone();
    let needs = Needs {
        request: needs(&request),
        response: needs(&response),
        captures_request_headers: !captured.is_empty(),
    };
    Some(Program {
        request,
        response,
        captured,
        engine,
        output_bytes: config.limits.output_bytes,
        needs,
        warnings: Vec::new(),
        paths,
    })
}

fn needs(half: &Half) -> PhaseNeeds {
    let parses_json = half.as_json && (half.reads.document || half.reads.variables);
    let writes = |rule: &Rule| !matches!(rule.action, Action::Metadata { .. });
    let routes = |rule: &Rule| match &rule.action {
        Action::Set { name } | Action::Add { name } | Action::Remove { name } => {
            half.phase == Phase::Request && is_routing(name)
        }
        Action::Metadata { .. } => false,
    };
    PhaseNeeds {
        has_work: half.body.is_some() || !half.rules.is_empty(),
        reads_body: parses_json || (half.reads.body && !half.headers_only),
        parses_json,
        writes_body: half.body.is_some(),
        writes_headers: half.body.is_some() || half.rules.iter().any(writes),
        writes_metadata: half.rules.iter().any(|rule| !writes(rule)),
        routes: half.rules.iter().any(routes),
    }
}

/// Whether routes match on this header by nature.
pub(crate) fn is_routing(name: &str) -> bool {
    matches!(name, ":path" | ":method" | ":authority" | "host")
}

struct Compiler<'a> {
    env: &'a EnvAccess,
    capabilities: Capabilities,
    found: &'a mut Vec<Diagnostic>,
    sources: Vec<Source>,
    paths: Vec<String>,
}

impl Compiler<'_> {
    fn half(&mut self, transform: &Transform, phase: Phase) -> Half {
        let mut half = Half {
            phase,
            rules: Vec::new(),
            body: None,
            body_field: self.field(format!("{}.body.parseAs", phase.name())),
            on_error: transform.on_error,
            reads: Reads::default(),
            as_json: transform.body.parse_as == ParseAs::AsJson,
            headers_only: transform.body.parse_as == ParseAs::None,
        };
        for rule in &transform.set {
            let action = Action::Set {
                name: rule.name.as_str().into(),
            };
            self.rule(&mut half, action, &rule.value, &rule.path);
        }
        for rule in transform.add.iter().filter(|rule| !rule.value.is_empty()) {
            let action = Action::Add {
                name: rule.name.as_str().into(),
            };
            self.rule(&mut half, action, &rule.value, &rule.path);
        }
        for rule in &transform.remove {
            let action = Action::Remove {
                name: rule.name.as_str().into(),
            };
            self.rule(&mut half, action, "", &rule.path);
        }
        self.body(&mut half, transform);
        for rule in &transform.dynamic_metadata {
            self.metadata(&mut half, rule);
        }
        half
    }

    fn rule(&mut self, half: &mut Half, action: Action, value: &str, path: &str) {
        let is_header = !matches!(action, Action::Metadata { .. });
        let (mut template, variables) = self.template(half, value, path);
        if is_header && let Template::Constant(text) = &mut template {
            *text = crate::stream::clean(text).into();
        }
        let field = self.field(path.to_owned());
        half.rules.push(Rule {
            action,
            template,
            variables,
            field,
        });
    }

    fn body(&mut self, half: &mut Half, transform: &Transform) {
        let body = &transform.body;
        if body.value.is_empty() {
            return;
        }
        if half.headers_only {
            self.found.push(
                Diagnostic::error(
                    Code::IGNORED_BODY,
                    &body.path,
                    "this template is ignored: with parseAs None the body is left alone",
                )
                .with_severity(Severity::Warning)
                .with_help("use parseAs AsString or AsJson to replace the body"),
            );
            return;
        }
        let (template, variables) = self.template(half, &body.value, &body.path);
        let field = self.field(body.path.clone());
        half.body = Some(BodyRule {
            template,
            variables,
            field,
        });
    }

    fn metadata(&mut self, half: &mut Half, rule: &MetadataRule) {
        let (can, type_name, since) = match rule.kind {
            MetadataKind::String => (true, "", ""),
            MetadataKind::Number => (self.capabilities.metadata_number, "numbers", "numberValue"),
            MetadataKind::Bool => (self.capabilities.metadata_bool, "booleans", "boolValue"),
        };
        if !can {
            let message = format!("this host cannot store {type_name} in dynamic metadata");
            let help = format!("use stringValue in place of {since}, or a newer Envoy");
            let problem = Diagnostic::error(Code::MISSING_CAPABILITY, &rule.path, message);
            self.found.push(problem.with_help(help));
        }
        let action = Action::Metadata {
            namespace: rule.namespace.as_str().into(),
            key: rule.key.as_str().into(),
            kind: rule.kind,
        };
        self.rule(half, action, &rule.value, &rule.path);
    }

    /// The cheapest form of a template, and whether it reads variables.
    fn template(&mut self, half: &mut Half, text: &str, path: &str) -> (Template, bool) {
        let site = Site {
            path,
            phase: half.phase,
            as_json: half.as_json,
            env: self.env,
        };
        let analysis = analyse(text, &site, self.found);
        half.reads.merge(&analysis.reads);
        let template = match analysis.segments {
            Some(segments) => from_segments(segments),
            None => {
                self.sources.push(Source {
                    text: text.to_owned(),
                    namespaces: analysis.namespaces,
                    assigned: analysis.assigned,
                    repeated_literal: analysis.repeated_literal,
                });
                Template::Engine(self.sources.len() - 1)
            }
        };
        (template, analysis.reads.variables)
    }

    fn field(&mut self, path: String) -> FieldId {
        // A configuration with more than 65,536 fields shares the last number: errors in it are
        // then blamed on a neighbour.
        let id = u16::try_from(self.paths.len()).unwrap_or(u16::MAX);
        self.paths.push(path);
        FieldId(id)
    }
}

fn from_segments(mut segments: Vec<Segment>) -> Template {
    match segments.pop() {
        None => Template::Constant("".into()),
        Some(Segment::Literal(text)) if segments.is_empty() => Template::Constant(text),
        Some(last) => {
            segments.push(last);
            Template::Segments(segments.into())
        }
    }
}

/// The headers that a half's templates read in a phase.
impl Half {
    pub(crate) fn header_names(&self, phase: Phase) -> &HeaderNames {
        self.reads.headers(phase)
    }
}
