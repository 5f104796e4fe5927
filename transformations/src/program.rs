//! A configuration that was found valid, in the form that runs.
//!
//! Compiled once on the main thread, then shared by all workers in an `Arc`. If a program exists,
//! every template in it is parsed, every name in it is known, and what it needs of the host is
//! known too. Nothing in it changes, locks or parses afterwards.

use crate::config::{Config, OnError};
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::direction::Direction;
use crate::error::FieldId;
use crate::message::{HeaderNames, Reads};
use crate::metadata::MetadataType;
use crate::needs::Needs;
use crate::options::CompileOptions;
use crate::template::Template;
use crate::template::commands::Command;
use crate::template::engine::Engine;

mod compile;
mod events;

pub(crate) use compile::PatchRule;
pub(crate) use events::{Condition, Edit, EventProgram, EventRule, EventTemplate, NewEvent};

/// A compiled configuration.
#[derive(Debug)]
pub struct Program {
    pub(crate) request: DirectionProgram,
    pub(crate) response: DirectionProgram,
    /// What happens to the events of a streamed response.
    pub(crate) events: Option<EventProgram>,
    /// The request headers that the response reads.
    pub(crate) captured: HeaderNames,
    /// Something reads the time at which the request came.
    pub(crate) reads_start: bool,
    pub(crate) engine: Option<Engine>,
    /// Bytes that the templates of one direction may produce together.
    pub(crate) output_bytes: usize,
    needs: Needs,
    warnings: Vec<Diagnostic>,
    /// The configuration path of each [`FieldId`].
    paths: Vec<String>,
}

/// One direction of a program.
#[derive(Debug)]
pub(crate) struct DirectionProgram {
    pub(crate) direction: Direction,
    /// Set, add, remove and metadata, in the order in which they apply.
    pub(crate) rules: Vec<Rule>,
    pub(crate) body: Option<BodyRule>,
    /// The field to blame when the body is not JSON.
    pub(crate) body_field: FieldId,
    pub(crate) on_error: OnError,
    /// Everything that the templates of this direction read.
    pub(crate) reads: Reads,
    /// Variables come from the body.
    pub(crate) as_json: bool,
    /// The message is an event of a stream, which templates know by that name.
    pub(crate) event: bool,
    /// `parseAs: None`: the body is neither read nor written.
    pub(crate) headers_only: bool,
    /// The route is chosen again whatever changes.
    pub(crate) always_reroutes: bool,
    /// The command operators of templates that enter the engine, by number.
    pub(crate) commands: Vec<Command>,
}

impl DirectionProgram {
    /// The body is edited in place.
    pub(crate) fn patches(&self) -> bool {
        matches!(self.body, Some(BodyRule::Patch(_)))
    }

    /// Something reads the body as JSON.
    pub(crate) fn parses_json(&self) -> bool {
        let reads = &self.reads;
        self.as_json && (reads.document || reads.variables || self.patches())
    }

    /// Something reads the body in any form.
    pub(crate) fn reads_body(&self) -> bool {
        self.reads.any_body() || self.patches()
    }
}

/// What to do with one rendered value.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) action: Action,
    pub(crate) value: TemplateField,
    /// The route is chosen again if this changes the message.
    pub(crate) reroutes: bool,
}

impl Action {
    /// The header that changes.
    pub(crate) fn header(&self) -> Option<&str> {
        match self {
            Action::Set { name } | Action::Add { name } | Action::Remove { name } => Some(name),
            Action::Metadata { .. } => None,
        }
    }
}

/// A template and where it stands.
#[derive(Debug)]
pub(crate) struct TemplateField {
    pub(crate) template: Template,
    pub(crate) field: FieldId,
}

/// The effect of a rule. Names are valid and lower case.
#[derive(Debug)]
pub(crate) enum Action {
    Set {
        name: Box<str>,
    },
    Add {
        name: Box<str>,
    },
    Remove {
        name: Box<str>,
    },
    Metadata {
        namespace: Box<str>,
        key: Box<str>,
        value: MetadataType,
    },
}

/// What the body becomes.
#[derive(Debug)]
pub(crate) enum BodyRule {
    /// What a template renders to.
    Template(TemplateField),
    /// Itself, edited.
    Patch(PatchRule),
}

impl Program {
    /// Compiles a configuration. Empty and blank input mean `{}`.
    ///
    /// # Errors
    /// Everything that is wrong with it, all at once, as text for its author.
    pub fn compile(bytes: &[u8], options: &CompileOptions) -> Result<Program, Diagnostics> {
        let (config, mut found) = Config::parse(bytes);
        let program = compile::program(&config, options, &mut found);
        let refused = found
            .iter()
            .any(|problem| problem.severity() == Severity::Error);
        match program {
            Some(mut program) if !refused => {
                program.warnings = found;
                Ok(program)
            }
            _ => Err(Diagnostics::new(found)),
        }
    }

    /// What the program reads and writes.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What is worth telling the configuration's author although it loads.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Where a field stands in the configuration, such as `response.set[0].value`.
    pub fn field_path(&self, field: FieldId) -> &str {
        self.paths
            .get(usize::from(field.0))
            .map_or("", String::as_str)
    }

    pub(crate) fn of(&self, direction: Direction) -> &DirectionProgram {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }
}
