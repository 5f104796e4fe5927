//! From a checked configuration to a program: each template in its cheapest form, the needs of all.

use std::sync::Arc;

mod decode;
mod events;
mod extractors;
mod headers;
mod metadata;
mod patch;
mod reply;
mod template;
mod vars;
mod when;

pub(crate) use patch::{PatchRule, RenderedPatch};

use super::{
    Action, BodyRule, DirectionProgram, EventProgram, Program, Rule, Stage, Stages, TemplateField,
    Transforms, When,
};
use crate::ai::AiProgram;
use crate::ai::known::{FactsHere, Known};
use crate::codes::Code;
use crate::config::{ClearRouteCache, Config, OnError, ParseAs, Transform};
use crate::diagnostics::{Diagnostic, Severity};
use crate::direction::Direction;
use crate::error::FieldId;
use crate::functions::environment::EnvAccess;
use crate::functions::{Configured, Extractors, Patterns};
use crate::message::{HeaderNames, Reads};
use crate::needs::{BodyNeed, DirectionNeeds, Needs, Writes};
use crate::options::{Capabilities, CompileOptions};
use crate::template::engine::{Engine, Source};
use formats::coding;

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
        vars: Arc::default(),
        decode_ratio: config.limits.decode_ratio,
        trailers: Vec::new(),
        body_readers: Vec::new(),
        known: None,
    };
    let ai = config.ai.as_ref();
    let ai = ai.map(|ai| {
        let size = compiler.field("ai.bodyBytes".to_owned());
        let prompt = compiler.field("ai.prompt".to_owned());
        AiProgram::compile(ai, (size, prompt), compiler.found)
    });
    compiler.known = ai.as_ref().map(AiProgram::known);
    let prompts = config.ai.as_ref().and_then(|ai| ai.prompt.as_ref());
    let prompts = prompts
        .into_iter()
        .flat_map(|it| it.prepend.iter().chain(&it.append));
    let prompts: Vec<_> = prompts.map(|it| (&*it.content, &*it.path)).collect();
    // Before all that may name them.
    compiler.extractors(&config.request, Direction::Request);
    compiler.extractors(&config.response, Direction::Response);
    let vars = compiler.variables(&config.vars, &prompts);
    let request = compiler.transforms(&config.request, Direction::Request);
    let response = compiler.transforms(&config.response, Direction::Response);
    let Compiler {
        sources,
        paths,
        patterns,
        extractors,
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
    let mut captured = HeaderNames::default();
    for reads in response.reads() {
        captured.merge(&reads.request_headers);
    }
    let reads_vars = |transforms: &Transforms| transforms.reads().any(|it| !it.vars.is_empty());
    if reads_vars(&request) || reads_vars(&response) || !prompts.is_empty() {
        captured.merge(&vars.reads.request_headers);
    }
    let reads_start = request
        .reads()
        .chain(response.reads())
        .any(|reads| reads.start);
    let reads_facts = response.reads().any(|reads| reads.facts);
    let reads_end = response.reads().any(|reads| reads.end_facts);
    let ai = ai.and_then(|ai| ai.for_templates(reads_facts, reads_end));
    let mut request_needs = request.needs();
    if ai.is_some() {
        request_needs.merge(&AiProgram::REQUEST_NEEDS);
    }
    let needs = Needs {
        request: request_needs,
        response: response.needs(),
        captures_request_headers: !captured.is_empty() || reads_start,
    };
    Some(Program {
        request,
        response,
        vars,
        ai,
        captured,
        reads_start,
        engine,
        output_bytes: config.limits.output_bytes,
        needs,
        profile: None,
        follows_prices: false,
        provider: None,
        warnings: Vec::new(),
        paths: paths.into_iter().map(String::into_boxed_str).collect(),
    })
}

fn needs(compiled: &DirectionProgram, transform: &Transform) -> DirectionNeeds {
    let parses_json = compiled.parses_json();
    let writes = |rule: &Rule| !matches!(rule.action, Action::Metadata { .. });
    let reads_body = parses_json || (compiled.reads.body && !compiled.headers_only);
    let holds = reads_body || compiled.body.is_some();
    let is_response = compiled.direction == Direction::Response;
    DirectionNeeds {
        body: match compiled.beside_events {
            // Streams of events are let through by what would hold them to be read.
            true if holds => BodyNeed::WholeUnlessEvents,
            false if reads_body && is_response => BodyNeed::WholeUnlessEvents,
            false if holds => BodyNeed::Whole,
            true => BodyNeed::Events,
            false if compiled.has_rules() => BodyNeed::Headers,
            false => BodyNeed::Nothing,
        },
        parses_json,
        writes: Writes {
            headers: compiled.body.is_some() || compiled.rules.iter().any(writes),
            body: compiled.body.is_some(),
            metadata: compiled.rules.iter().any(|rule| !writes(rule)),
            route: compiled.always_reroutes || compiled.rules.iter().any(|rule| rule.reroutes),
        },
        max_body_bytes: transform.max_body_bytes,
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
    /// The names that templates know beside those of the body.
    vars: Arc<[Box<str>]>,
    /// Decoded bytes for each byte of a compressed body.
    decode_ratio: usize,
    /// The fields that read trailers.
    trailers: Vec<String>,
    /// The fields that read the body as a whole.
    body_readers: Vec<String>,
    /// What makes facts of LLM traffic known, if there is an `ai` block.
    known: Option<Known>,
}

impl Compiler<'_> {
    /// What templates of this sort know of the exchange as LLM traffic.
    fn facts_for(&self, compiled: &DirectionProgram) -> FactsHere {
        let is_response = compiled.direction == Direction::Response && !compiled.event;
        match self.known {
            None => FactsHere::NoBlock,
            Some(known) if is_response => FactsHere::Some(known),
            Some(_) => FactsHere::None,
        }
    }

    fn transforms(&mut self, transforms: &[Transform], direction: Direction) -> Transforms {
        let field = self.field(direction.name().to_owned());
        let mut conditions = DirectionProgram::new(direction, field, OnError::Auto);
        let all = transforms
            .iter()
            .map(|transform| {
                let when = self.when_of_transform(&mut conditions, transform.when.as_ref());
                self.transform(transform, direction, when)
            })
            .collect();
        Transforms { all, conditions }
    }

    fn transform(
        &mut self,
        transform: &Transform,
        direction: Direction,
        when: Option<When>,
    ) -> Stages {
        let body_field = self.field(format!("{}.body.parseAs", transform.path));
        let mut compiled = DirectionProgram {
            as_json: transform.body.parse_as == ParseAs::AsJson,
            headers_only: transform.body.parse_as == ParseAs::None,
            always_reroutes: transform.clear_route_cache == ClearRouteCache::Always,
            ..DirectionProgram::new(direction, body_field, transform.on_error)
        };
        let limit_field = self.field(format!("{}.maxBodyBytes", transform.path));
        self.headers(&mut compiled, transform);
        self.body(&mut compiled, transform);
        for rule in &transform.dynamic_metadata {
            self.metadata(&mut compiled, rule);
        }
        compiled.reply = self.reply(&mut compiled, transform);
        let stream = transform.stream.as_ref();
        let decode = self.decode(&compiled, transform);
        compiled.decode = decode.map(Box::new);
        let events = stream.map(|rules| EventProgram {
            // As long as they are, event by event.
            decode: decode.map(|limits| coding::Limits {
                max_bytes: usize::MAX,
                ..limits
            }),
            ..self.events(rules, transform.on_error)
        });
        compiled.beside_events = events.is_some();
        // Kept for as long as the route is, and there are thousands.
        compiled.rules.shrink_to_fit();
        let needs = needs(&compiled, transform);
        let readers = std::mem::take(&mut self.body_readers);
        let held_for = match needs.buffers() {
            true => self.held_for(&compiled, transform, readers),
            false => Box::default(),
        };
        let trailers = std::mem::take(&mut self.trailers);
        if !needs.buffers() {
            self.found
                .extend(trailers.iter().map(|path| never_in_time(path)));
        }
        let sets_status = compiled.rules.iter().any(|rule| rule.action.sets_status());
        let mut replies = compiled.reply.iter();
        let replies_at_once = replies.any(|reply| !reply.reads_body);
        let has_rules = compiled.has_rules();
        let templates = has_rules.then(|| Stage::Templates(Box::new(compiled)));
        Stages {
            when,
            needs,
            sets_status,
            replies_at_once,
            on_error: transform.on_error,
            body_field,
            limit_field,
            held_for,
            all: events
                .map(Stage::Events)
                .into_iter()
                .chain(templates)
                .collect(),
        }
    }

    /// The fields that read a body, and the one that writes it.
    fn held_for(
        &mut self,
        compiled: &DirectionProgram,
        transform: &Transform,
        mut readers: Vec<String>,
    ) -> Box<[FieldId]> {
        let writer = match &compiled.body {
            Some(BodyRule::Template(_)) => Some(transform.body.path.clone()),
            Some(BodyRule::Patch(_)) => Some(format!("{}.body.patch", transform.path)),
            None => None,
        };
        readers.retain(|path| Some(path) != writer.as_ref());
        let all = writer.into_iter().chain(readers);
        all.map(|path| self.field(path)).collect()
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

    pub(super) fn field(&mut self, path: String) -> FieldId {
        // A text that Envoy can hold has fewer fields.
        let id = u32::try_from(self.paths.len()).map_or(FieldId::NONE, FieldId);
        self.paths.push(path);
        id
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

impl DirectionProgram {
    /// A direction in which nothing is to be done.
    pub(super) fn new(
        direction: Direction,
        body_field: FieldId,
        on_error: OnError,
    ) -> DirectionProgram {
        DirectionProgram {
            direction,
            reply: None,
            beside_events: false,
            rules: Vec::new(),
            body: None,
            body_field,
            on_error,
            reads: Reads::default(),
            as_json: false,
            event: false,
            before_body: false,
            decode: None,
            headers_only: false,
            always_reroutes: false,
            commands: Vec::new(),
        }
    }

    /// Something is done to every message, beside the events of a stream.
    pub(crate) fn has_rules(&self) -> bool {
        let has_reply = self.reply.is_some();
        has_reply || self.body.is_some() || !self.rules.is_empty() || self.always_reroutes
    }

    pub(crate) fn header_names(&self, direction: Direction) -> &HeaderNames {
        self.reads.headers(direction)
    }
}
