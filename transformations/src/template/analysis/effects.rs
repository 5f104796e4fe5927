//! What calling a function reads, and whether its constant arguments make sense.
//!
//! Some arguments must be constants: header names may be, so that only these headers are fetched;
//! expressions, metadata keys, attributes and extractors have to be, so that nothing is compiled or
//! looked up while a message waits.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallArg, Expr};

use super::Walk;
use crate::codes::Code;
use crate::config::{ExtractorSource, has_markers};
use crate::diagnostics::{Diagnostic, Severity, nearest};
use crate::direction::Direction;
use crate::functions::{Effect, Function, dates, digest, environment, host, regex};
use crate::host::{Attribute, MetadataSource};
use crate::message::HostRead;
use crate::value::Fault;
use formats::json::Pointer;

/// The arguments of a call by position. What a filter is applied to may come from elsewhere.
pub(super) type Given<'e, 's> = Vec<Option<&'e Expr<'s>>>;

/// The arguments by position; nothing is known of calls with spread or named ones.
pub(super) fn positional<'e, 's>(arguments: &'e [CallArg<'s>]) -> Option<Given<'e, 's>> {
    let value = |argument: &'e CallArg<'s>| match argument {
        CallArg::Pos(value) => Some(Some(value)),
        _ => None,
    };
    arguments.iter().map(value).collect()
}

fn constant<'e>(given: &Given<'e, '_>, index: usize) -> Option<&'e str> {
    match given.get(index)? {
        Some(Expr::Const(constant)) => constant.value.as_str(),
        _ => None,
    }
}

impl Walk<'_, '_> {
    pub(super) fn effect(&mut self, function: &Function, given: &Given<'_, '_>, span: Span) {
        let here = self.context.direction;
        match function.effect() {
            Effect::None => {}
            Effect::Header => self.header(here, constant(given, 0)),
            Effect::HeaderLines => {
                self.header(here, constant(given, 0));
                self.analysis.reads.headers_mut(here).ask_for_lines();
            }
            Effect::RequestHeader => self.header(Direction::Request, constant(given, 0)),
            Effect::Cookie => self.header(Direction::Request, Some("cookie")),
            Effect::Path(complete) => {
                if given.len() != complete {
                    self.header(Direction::Request, Some(":path"));
                }
            }
            Effect::Body => self.analysis.reads.body = true,
            Effect::Document => self.analysis.reads.document = true,
            Effect::Clock => self.analysis.reads.clock = true,
            Effect::Environment => self.environment(constant(given, 0), span),
            Effect::Pattern => {
                self.pattern(function, given, span);
            }
            Effect::Replacement => self.replacement(function, given, span),
            Effect::Pointer => self.pointer(constant(given, 1), span),
            Effect::DateFormat => {
                if let Some(Err(fault)) = constant(given, 1).map(dates::check_format) {
                    self.bad_argument(fault, span);
                }
            }
            Effect::Encoding(place) => {
                if let Some(Err(fault)) = constant(given, place).map(digest::check_encoding) {
                    self.bad_argument(fault, span);
                }
            }
            Effect::Metadata => {
                let names = constant(given, 0).zip(constant(given, 1));
                self.metadata(function, MetadataSource::Dynamic, names, span);
            }
            Effect::KeyedMetadata(source) => {
                let namespace = match given.len() {
                    1 => Some(host::CLASSIC_NAMESPACE),
                    _ => constant(given, 1),
                };
                self.metadata(function, source, namespace.zip(constant(given, 0)), span);
            }
            Effect::Attribute => self.attribute(function, constant(given, 0), span),
            Effect::Extraction => self.extraction(function, constant(given, 0), span),
        }
    }

    fn header(&mut self, direction: Direction, name: Option<&str>) {
        let names = self.analysis.reads.headers_mut(direction);
        match name {
            Some(name) => names.insert(name),
            None => names.insert_all(),
        }
    }

    fn environment(&mut self, name: Option<&str>, span: Span) {
        self.context.env.read();
        if let Some(name) = name
            && !self.context.env.allows(name)
        {
            let message = format!("the environment variable \"{name}\" is not allowed");
            let problem = self.problem(Code::ENV_NOT_ALLOWED, span, message);
            self.found.push(problem.with_help(self.context.env.help()));
        }
        let told = |problem: &Diagnostic| problem.code() == Code::ENV_WITHOUT_LIST;
        if self.context.env.is_open() && !self.found.iter().any(told) {
            let message = "templates may read every environment variable, secrets included";
            let problem = self
                .problem(Code::ENV_WITHOUT_LIST, span, message.to_owned())
                .with_severity(Severity::Warning);
            self.found.push(problem.with_help(environment::OPEN_HELP));
        }
    }

    /// Finds pointers that were meant to be templates, and such that lead nowhere in any document.
    fn pointer(&mut self, pointer: Option<&str>, span: Span) {
        let Some(pointer) = pointer else { return };
        if has_markers(pointer) {
            let message = "inside a string there are no templates: these characters are looked for";
            let problem = self.problem(Code::TEMPLATE_IN_POINTER, span, message.to_owned());
            let help = "join the parts with ~, as in \"/items/\" ~ index";
            self.found.push(problem.with_help(help));
        } else if Pointer::parse(pointer).is_err() {
            self.bad_argument(Fault::BadPointer, span);
        }
    }

    /// Compiles the expression that is the second argument.
    fn pattern(&mut self, function: &Function, given: &Given<'_, '_>, span: Span) -> bool {
        let Some(pattern) = constant(given, 1) else {
            self.not_constant(function, "the regular expression", span);
            return false;
        };
        let Err(reason) = self.patterns.add(pattern).map(drop) else {
            return true;
        };
        let message = format!("the regular expression is not valid: {reason}");
        let problem = self.problem(Code::BAD_PATTERN, span, message);
        self.found.push(problem);
        false
    }

    fn replacement(&mut self, function: &Function, given: &Given<'_, '_>, span: Span) {
        if !self.pattern(function, given, span) {
            return;
        }
        let (Some(pattern), Some(replacement)) = (constant(given, 1), constant(given, 2)) else {
            return;
        };
        let checked = self
            .patterns
            .add(pattern)
            .map(|it| regex::check_replacement(it, replacement));
        if let Ok(Err(fault)) = checked {
            self.bad_argument(fault, span);
        }
    }

    fn metadata(
        &mut self,
        function: &Function,
        source: MetadataSource,
        names: Option<(&str, &str)>,
        span: Span,
    ) {
        let Some((namespace, key)) = names else {
            self.not_constant(function, "each name", span);
            return;
        };
        let (namespace, key) = (namespace.into(), key.into());
        self.analysis.reads.insert_host(HostRead::Metadata {
            source,
            namespace,
            key,
        });
    }

    fn attribute(&mut self, function: &Function, name: Option<&str>, span: Span) {
        let Some(name) = name else {
            self.not_constant(function, "the name", span);
            return;
        };
        let Some(attribute) = Attribute::find(name) else {
            let known = Attribute::ALL.into_iter().map(Attribute::name);
            self.unknown_name("attribute", name, known, span);
            return;
        };
        let (major, minor) = attribute.since();
        if (major, minor) > self.context.capabilities.attributes_of_envoy {
            let message = format!("this Envoy does not tell \"{name}\": it will be empty");
            let help = format!("Envoy tells it from {major}.{minor} on");
            let problem = self.problem(Code::MISSING_CAPABILITY, span, message);
            self.found
                .push(problem.with_severity(Severity::Warning).with_help(help));
        }
        self.analysis
            .reads
            .insert_host(HostRead::Attribute(attribute));
    }

    fn extraction(&mut self, function: &Function, name: Option<&str>, span: Span) {
        let Some(name) = name else {
            self.not_constant(function, "the name", span);
            return;
        };
        let extractors = self.context.extractors.of(self.context.direction);
        match extractors.get(name).map(|extractor| &extractor.source) {
            Some(ExtractorSource::Header(header)) => {
                self.header(self.context.direction, Some(header))
            }
            Some(ExtractorSource::Body) => self.analysis.reads.body = true,
            None => self.unknown_name(
                "extractor",
                name,
                extractors.keys().map(String::as_str),
                span,
            ),
        }
    }

    fn unknown_name<'n>(
        &mut self,
        kind: &str,
        name: &str,
        known: impl Iterator<Item = &'n str>,
        span: Span,
    ) {
        let mut problem = self.problem(
            Code::UNKNOWN_NAME,
            span,
            format!("there is no {kind} \"{name}\""),
        );
        if let Some(near) = nearest(name, known) {
            problem = problem.with_help(format!("did you mean \"{near}\"?"));
        }
        self.found.push(problem);
    }

    fn bad_argument(&mut self, fault: Fault, span: Span) {
        let problem = self.problem(Code::BAD_ARGUMENT, span, fault.to_string());
        self.found.push(problem);
    }

    fn not_constant(&mut self, function: &Function, what: &str, span: Span) {
        let message = format!("{what} of {} must be a constant", function.name());
        let problem = self.problem(Code::NOT_CONSTANT, span, message);
        self.found
            .push(problem.with_help("write it in quotes; use {% if %} to choose between several"));
    }
}
