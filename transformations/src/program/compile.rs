//! From a checked configuration to a program: each template in its cheapest form, the needs of all.

mod events;
mod patch;

pub(crate) use patch::PatchRule;

use super::{Action, BodyRule, DirectionProgram, Program, Rule, TemplateField};
use crate::codes::Code;
use crate::config::{
    ClearRouteCache, Config, MetadataKind, MetadataRule, OnError, ParseAs, Transform, ValueTemplate,
};
use crate::diagnostics::{Diagnostic, Severity};
use crate::direction::Direction;
use crate::error::FieldId;
use crate::functions::environment::EnvAccess;
use crate::functions::{Configured, Extractors, Patterns};
use crate::http;
use crate::message::{HeaderNames, Reads};
use crate::metadata::{MetadataType, MetadataValue};
use crate::needs::{DirectionNeeds, Needs};
use crate::options::{Capabilities, CompileOptions};
use crate::template::analysis::{FieldContext, analyse};
use crate::template::engine::{Engine, Source};
use crate::template::{Segment, Template};

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
        patterns: Patterns::default(),
        extractors: Extractors::default(),
        capabilities: options.capabilities,
        found,
        sources: Vec::new(),
        paths: Vec::new(),
        trailers: Vec::new(),
    };
    let request = compiler.transform(&config.request, Direction::Request);
    let response = compiler.transform(&config.response, Direction::Response);
    let stream = config.response.stream.as_ref();
    let events = stream.map(|rules| compiler.events(rules, config.response.on_error));
    let Compiler {
        sources,
        paths,
        patterns,
        extractors,
        trailers,
        ..
    } = compiler;
    if found
        .iter()
        .any(|problem| problem.severity() == Severity::Error)
    {
        return None;
    }
    let engine = if sources.is_empty() {
        None
    } else {
        let configured = Configured {
            env,
            patterns,
            extractors,
        };
        match Engine::new(sources, &config.limits, configured) {
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
    let mut captured = response.reads.request_headers.clone();
    let reads_start = request.reads.start || response.reads.start;
    let mut response_needs = needs(&response, &config.response);
    // Streams of events are let through by what would hold them to be read.
    response_needs.streams = response_needs.reads_body;
    if let Some(events) = &events {
        captured.merge(&events.reads.request_headers);
        response_needs.has_work = true;
        response_needs.streams = true;
    }
    let needs = Needs {
        request: needs(&request, &config.request),
        response: response_needs,
        captures_request_headers: !captured.is_empty() || reads_start,
    };
    if !needs.response.buffers() {
        found.extend(trailers.iter().map(|path| never_in_time(path)));
    }
    Some(Program {
        request,
        response,
        events,
        captured,
        reads_start,
        engine,
        output_bytes: config.limits.output_bytes,
        needs,
        warnings: Vec::new(),
        paths,
    })
}

fn needs(compiled: &DirectionProgram, transform: &Transform) -> DirectionNeeds {
    let parses_json = compiled.parses_json();
    let writes = |rule: &Rule| !matches!(rule.action, Action::Metadata { .. });
    DirectionNeeds {
        has_work: compiled.body.is_some() || !compiled.rules.is_empty() || compiled.always_reroutes,
        reads_body: parses_json || (compiled.reads.body && !compiled.headers_only),
        parses_json,
        writes_body: compiled.body.is_some(),
        writes_headers: compiled.body.is_some() || compiled.rules.iter().any(writes),
        writes_metadata: compiled.rules.iter().any(|rule| !writes(rule)),
        reroutes: compiled.always_reroutes || compiled.rules.iter().any(|rule| rule.reroutes),
        max_body_bytes: transform.max_body_bytes,
        streams: false,
    }
}

/// Whether the route is to be chosen again when this header changes: because the configuration lists
/// it, or because routes match on it by nature and the configuration leaves it to that.
fn is_routing(name: &str, transform: &Transform) -> bool {
    let is_listed = || {
        let mut listed = transform.route_headers.iter();
        listed.any(|header| header.name == name)
    };
    match transform.clear_route_cache {
        ClearRouteCache::Listed => is_listed(),
        ClearRouteCache::Auto => {
            matches!(name, ":path" | ":method" | ":authority" | "host") || is_listed()
        }
        ClearRouteCache::Always | ClearRouteCache::Never => false,
    }
}

pub(super) struct Compiler<'a> {
    env: &'a EnvAccess,
    patterns: Patterns,
    extractors: Extractors,
    capabilities: Capabilities,
    pub(super) found: &'a mut Vec<Diagnostic>,
    sources: Vec<Source>,
    paths: Vec<String>,
    /// The fields that read trailers.
    trailers: Vec<String>,
}

impl Compiler<'_> {
    fn transform(&mut self, transform: &Transform, direction: Direction) -> DirectionProgram {
        let body_field = self.field(format!("{}.body.parseAs", direction.name()));
        let mut compiled = DirectionProgram {
            as_json: transform.body.parse_as == ParseAs::AsJson,
            headers_only: transform.body.parse_as == ParseAs::None,
            always_reroutes: transform.clear_route_cache == ClearRouteCache::Always,
            ..DirectionProgram::new(direction, body_field, transform.on_error)
        };
        self.max_body_bytes(transform, direction);
        self.extractors
            .compile(direction, &transform.extractors, self.found);
        for rule in &transform.set {
            let action = Action::Set {
                name: rule.name.as_str().into(),
            };
            self.header(&mut compiled, action, &rule.value, &rule.path);
        }
        for rule in transform.add.iter().filter(|rule| !rule.value.is_empty()) {
            let action = Action::Add {
                name: rule.name.as_str().into(),
            };
            self.header(&mut compiled, action, &rule.value, &rule.path);
        }
        for rule in &transform.remove {
            let action = Action::Remove {
                name: rule.name.as_str().into(),
            };
            self.header(&mut compiled, action, "", &rule.path);
        }
        for rule in &mut compiled.rules {
            let header = rule.action.header();
            rule.reroutes = header.is_some_and(|name| is_routing(name, transform));
        }
        self.body(&mut compiled, transform);
        for rule in &transform.dynamic_metadata {
            self.metadata(&mut compiled, rule);
        }
        compiled
    }

    fn header(&mut self, compiled: &mut DirectionProgram, action: Action, value: &str, path: &str) {
        let mut template = self.header_value(compiled, value, path);
        if let Template::Constant(text) = &mut template {
            *text = http::clean(text).into();
            self.check_header(&action, compiled.direction, text, path);
        }
        let value = TemplateField {
            template,
            field: self.field(path.to_owned()),
        };
        compiled.rules.push(Rule {
            action,
            value,
            reroutes: false,
        });
    }

    /// Refuses a constant that the header cannot have; an empty one leaves the header alone.
    fn check_header(&mut self, action: &Action, direction: Direction, text: &str, path: &str) {
        let name = action.header().filter(|_| !text.is_empty());
        let expected = name.and_then(|name| http::expected(name, direction, text));
        if let (Some(name), Some(expected)) = (name, expected) {
            let message = format!("{name} cannot be this: expected {expected}");
            self.found
                .push(Diagnostic::error(Code::BAD_HEADER_VALUE, path, message));
        }
    }

    fn body(&mut self, compiled: &mut DirectionProgram, transform: &Transform) {
        let body = &transform.body;
        if !body.patch.is_empty() {
            compiled.body = self.patch(compiled, &body.patch).map(BodyRule::Patch);
            return;
        }
        if body.value.is_empty() {
            return;
        }
        if compiled.headers_only {
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
        let template = self.template(compiled, &body.value, &body.path);
        compiled.body = Some(BodyRule::Template(TemplateField {
            template,
            field: self.field(body.path.clone()),
        }));
    }

    fn metadata(&mut self, compiled: &mut DirectionProgram, rule: &MetadataRule) {
        let value = match &rule.value {
            ValueTemplate::Template { value, path } => TemplateField {
                template: self.template(compiled, value, path),
                field: self.field(path.clone()),
            },
            json @ ValueTemplate::Json { .. } => self.json(compiled, json),
        };
        self.check_metadata(rule, &value.template);
        let action = Action::Metadata {
            namespace: rule.namespace.as_str().into(),
            key: rule.key.as_str().into(),
            value: MetadataType {
                kind: rule.kind,
                may_nest: self.capabilities.metadata_struct,
            },
        };
        compiled.rules.push(Rule {
            action,
            value,
            reroutes: false,
        });
    }

    /// Refuses values that the host cannot store, as far as that is known by now.
    fn check_metadata(&mut self, rule: &MetadataRule, template: &Template) {
        let (kind, path) = (rule.kind, rule.value.path());
        let constant = match template {
            Template::Constant(text) => {
                let any = MetadataType {
                    kind,
                    may_nest: true,
                };
                let value = any.read(text);
                if value.is_none() {
                    let message = format!("this is not {}", any.expected());
                    self.found
                        .push(Diagnostic::error(Code::BAD_METADATA_VALUE, path, message));
                    return;
                }
                value
            }
            _ => None,
        };
        const FLAT_HELP: &str =
            "use stringValue, or numberValue for a number; Envoy can do it from 1.38 on";
        const NESTED_HELP: &str = "write its parts as entries of their own, or its text as a \
                                   stringValue; Envoy can do it from 1.40 on";
        let can = self.capabilities;
        let nests = rule.value.is_object();
        // What a template renders to is not known: for jsonValue it may be anything.
        let (values, help, is_there) = match (kind, &constant) {
            (_, Some(MetadataValue::Nothing)) => return,
            (_, Some(MetadataValue::Nested(_))) => {
                ("nested values", NESTED_HELP, can.metadata_struct)
            }
            (MetadataKind::Json, None) if nests => {
                ("nested values", NESTED_HELP, can.metadata_struct)
            }
            (MetadataKind::Number, _) => ("numbers", FLAT_HELP, can.metadata_number),
            (MetadataKind::Bool, _) | (_, Some(MetadataValue::Bool(_))) => {
                ("booleans", FLAT_HELP, can.metadata_bool)
            }
            (MetadataKind::Json, None | Some(MetadataValue::List(_))) => {
                ("lists", FLAT_HELP, can.metadata_list)
            }
            _ => return,
        };
        if !is_there {
            let message = format!("this host cannot store {values} in dynamic metadata");
            self.found
                .push(Diagnostic::error(Code::MISSING_CAPABILITY, path, message).with_help(help));
        }
    }

    /// Warns of a limit that this host cannot raise.
    fn max_body_bytes(&mut self, transform: &Transform, direction: Direction) {
        if transform.max_body_bytes.is_none() || self.capabilities.buffer_limit {
            return;
        }
        self.found.push(
            Diagnostic::error(
                Code::NO_BUFFER_LIMIT,
                &format!("{}.maxBodyBytes", direction.name()),
                "this host cannot raise the buffer limit of a stream, so this has no effect",
            )
            .with_severity(Severity::Warning)
            .with_help(
                "set per_connection_buffer_limit_bytes on the listener; Envoy can do it from 1.38 on",
            ),
        );
    }

    /// The cheapest form of a template.
    pub(super) fn template(
        &mut self,
        compiled: &mut DirectionProgram,
        text: &str,
        path: &str,
    ) -> Template {
        self.template_with(compiled, text, path, None)
    }

    /// As [`template`](Self::template), for a text that may hold command operators.
    fn header_value(
        &mut self,
        compiled: &mut DirectionProgram,
        text: &str,
        path: &str,
    ) -> Template {
        let first_command = Some(compiled.commands.len());
        self.template_with(compiled, text, path, first_command)
    }

    fn template_with(
        &mut self,
        compiled: &mut DirectionProgram,
        text: &str,
        path: &str,
        first_command: Option<usize>,
    ) -> Template {
        let context = FieldContext {
            path,
            direction: compiled.direction,
            as_json: compiled.as_json,
            event: compiled.event,
            env: self.env,
            extractors: &self.extractors,
            capabilities: self.capabilities,
            first_command,
        };
        let analysis = analyse(text, &context, &mut self.patterns, self.found);
        compiled.reads.merge(&analysis.reads);
        if analysis.reads.trailers {
            self.trailers.push(path.to_owned());
        }
        match analysis.segments {
            Some(segments) => from_segments(segments),
            None => {
                let (text, command_function) = match analysis.rewritten {
                    Some(rewritten) => {
                        compiled.commands.extend(rewritten.commands);
                        (rewritten.text, Some(rewritten.function))
                    }
                    None => (text.to_owned(), None),
                };
                self.sources.push(Source {
                    text,
                    fields: analysis.fields,
                    assigned: analysis.assigned,
                    repeated_literal: analysis.repeated_literal,
                    command_function,
                });
                Template::Engine(self.sources.len() - 1)
            }
        }
    }

    pub(super) fn field(&mut self, path: String) -> FieldId {
        // A configuration with more than 65,536 fields shares the last number: errors in it are
        // then blamed on a neighbour.
        let id = u16::try_from(self.paths.len()).unwrap_or(u16::MAX);
        self.paths.push(path);
        FieldId(id)
    }
}

fn never_in_time(path: &str) -> Diagnostic {
    let message = "trailers come after the headers are gone: this will always be -";
    Diagnostic::error(Code::NO_TRAILERS, path, message)
        .with_severity(Severity::Warning)
        .with_help("a response is held to its end only if a template reads or writes its body")
}

/// Compiles something of a direction; answers also what that reads.
pub(super) fn watch_reads<T>(
    compiled: &mut DirectionProgram,
    compile: impl FnOnce(&mut DirectionProgram) -> T,
) -> (T, Reads) {
    let before = std::mem::take(&mut compiled.reads);
    let result = compile(compiled);
    let reads = std::mem::replace(&mut compiled.reads, before);
    compiled.reads.merge(&reads);
    (result, reads)
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

impl DirectionProgram {
    /// A direction in which nothing is to be done.
    pub(super) fn new(
        direction: Direction,
        body_field: FieldId,
        on_error: OnError,
    ) -> DirectionProgram {
        DirectionProgram {
            direction,
            rules: Vec::new(),
            body: None,
            body_field,
            on_error,
            reads: Reads::default(),
            as_json: false,
            event: false,
            headers_only: false,
            always_reroutes: false,
            commands: Vec::new(),
        }
    }

    pub(crate) fn header_names(&self, direction: Direction) -> &HeaderNames {
        self.reads.headers(direction)
    }
}
