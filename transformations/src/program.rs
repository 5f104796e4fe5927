//! A configuration that was found valid, in the form that runs.
//!
//! Compiled once on the main thread, then shared by all workers in an `Arc`. If a program exists,
//! every template in it is parsed, every name in it is known, and what it needs of the host is
//! known too. Nothing in it changes, locks or parses afterwards.

use std::sync::Arc;

use crate::ai::AiProgram;
use crate::codes::Code;
use crate::config::{Config, OnError};
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::direction::Direction;
use crate::error::FieldId;
use crate::files::{Files, NoFiles, Prices};
use crate::http::NamePattern;
use crate::live::Live;
use crate::message::{HeaderNames, Reads};
use crate::metadata::MetadataType;
use crate::needs::{DirectionNeeds, Needs};
use crate::options::CompileOptions;
use crate::profiles::{self, Chosen, Parsed};
use crate::provider::Providers;
use crate::template::commands::Command;
use crate::template::engine::Engine;
use crate::template::{Template, Test};
use formats::coding;

mod compile;
mod events;
mod reply;

pub(crate) use compile::{PatchRule, RenderedPatch};
pub(crate) use events::{Condition, Edit, EventProgram, EventRule, EventTemplate, NewEvent};
pub(crate) use reply::ReplyRule;

/// A compiled configuration.
#[derive(Debug)]
pub struct Program {
    pub(crate) request: Transforms,
    pub(crate) response: Transforms,
    pub(crate) vars: Variables,
    /// What is done about LLM traffic, if anything is.
    pub(crate) ai: Option<AiProgram>,
    /// The request headers that the response reads.
    pub(crate) captured: HeaderNames,
    /// Something reads the time at which the request came.
    pub(crate) reads_start: bool,
    pub(crate) engine: Option<Engine>,
    /// Bytes that the templates of one direction may produce together.
    pub(crate) output_bytes: usize,
    needs: Needs,
    profile: Option<Box<str>>,
    follows_prices: bool,
    provider: Option<Arc<Providers>>,
    warnings: Vec<Diagnostic>,
    /// The configuration path of each [`FieldId`].
    paths: Box<[Box<str>]>,
}

/// The variables of a configuration, which every exchange renders for itself.
#[derive(Debug)]
pub(crate) struct Variables {
    pub(crate) names: Arc<[Box<str>]>,
    pub(crate) templates: Box<[Template]>,
    /// Everything that they read of the request.
    pub(crate) reads: Reads,
}

/// The transforms of one direction.
#[derive(Debug)]
pub(crate) struct Transforms {
    /// In the order in which they are tried: the first whose condition holds is applied.
    pub(crate) all: Box<[Stages]>,
    /// What their conditions read, as a transform that does nothing.
    pub(crate) conditions: DirectionProgram,
}

/// One transform of a direction: what happens to the messages that it is for.
#[derive(Debug)]
pub(crate) struct Stages {
    pub(crate) when: Option<When>,
    pub(crate) needs: DirectionNeeds,
    /// Some stage has a rule for the status.
    pub(crate) sets_status: bool,
    /// Some stage answers requests when there are only headers.
    pub(crate) replies_at_once: bool,
    pub(crate) on_error: OnError,
    /// The field to blame for what concerns the body as a whole.
    pub(crate) body_field: FieldId,
    /// The field to blame for what is too large.
    pub(crate) limit_field: FieldId,
    /// The fields because of which a message is held, if it is.
    pub(crate) held_for: Box<[FieldId]>,
    /// Those that have something to do, in the order in which they apply.
    pub(crate) all: Box<[Stage]>,
}

/// Something that happens to a message.
#[derive(Debug)]
pub(crate) enum Stage {
    /// The events of a streamed body, one by one. They see the headers as they came.
    Events(EventProgram),
    /// A whole message: templates for headers, body and metadata.
    Templates(Box<DirectionProgram>),
}

/// The templates of one transform.
#[derive(Debug)]
pub(crate) struct DirectionProgram {
    pub(crate) direction: Direction,
    /// What answers a request in place of the upstream.
    pub(crate) reply: Option<ReplyRule>,
    /// There are rules for events beside these.
    pub(crate) beside_events: bool,
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
    /// What is compiled here is rendered before there is a body.
    before_body: bool,
    /// How far a compressed body is decoded to be read, if it is.
    pub(crate) decode: Option<Box<coding::Limits>>,
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
    pub(crate) when: Option<When>,
    pub(crate) action: Action,
    pub(crate) value: TemplateField,
    /// The route is chosen again if this changes the message.
    pub(crate) reroutes: bool,
}

impl Action {
    /// Whether this is about the status.
    pub(crate) fn sets_status(&self) -> bool {
        matches!(self, Action::Set { name } if &**name == ":status")
    }

    /// The header that changes.
    pub(crate) fn header(&self) -> Option<&str> {
        match self {
            Action::Edit { name }
            | Action::Set { name }
            | Action::Add { name }
            | Action::Remove { name } => Some(name),
            Action::RemoveAll { .. } | Action::Metadata { .. } => None,
        }
    }
}

/// A condition and where it stands.
#[derive(Debug)]
pub(crate) struct When {
    pub(crate) test: Test,
    pub(crate) field: FieldId,
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
    /// Each line becomes what the template makes of it.
    Edit {
        name: Box<str>,
    },
    Set {
        name: Box<str>,
    },
    Add {
        name: Box<str>,
    },
    Remove {
        name: Box<str>,
    },
    /// All headers of a pattern.
    RemoveAll {
        names: NamePattern,
        /// Those among them that routes match on.
        routing: Box<[Box<str>]>,
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

impl Transforms {
    /// What any of them, or their conditions, read.
    fn reads(&self) -> impl Iterator<Item = &Reads> {
        let stages = self.all.iter().flat_map(|it| &it.all);
        let reads = stages.map(|stage| match stage {
            Stage::Events(rules) => &rules.reads,
            Stage::Templates(compiled) => &compiled.reads,
        });
        reads.chain([&self.conditions.reads])
    }

    /// What any of them needs.
    fn needs(&self) -> DirectionNeeds {
        let mut needs = DirectionNeeds::default();
        self.all.iter().for_each(|it| needs.merge(&it.needs));
        needs
    }
}

impl Stages {
    /// Those for whole messages.
    pub(crate) fn templates(&self) -> impl DoubleEndedIterator<Item = &DirectionProgram> {
        self.all.iter().filter_map(|stage| match stage {
            Stage::Templates(compiled) => Some(&**compiled),
            Stage::Events(_) => None,
        })
    }

    /// That for events.
    pub(crate) fn events(&self) -> Option<&EventProgram> {
        self.all.iter().find_map(|stage| match stage {
            Stage::Events(rules) => Some(rules),
            Stage::Templates(_) => None,
        })
    }
}

impl Program {
    /// Compiles a configuration. Empty and blank input mean `{}`.
    ///
    /// # Errors
    /// Everything that is wrong with it, all at once, as text for its author.
    pub fn compile(bytes: &[u8], options: &CompileOptions) -> Result<Program, Diagnostics> {
        Program::compile_with(bytes, options, &NoFiles)
    }

    /// As [`compile`](Self::compile), for a configuration that may follow files: a profile that it
    /// chooses, prices.
    ///
    /// # Errors
    /// As for [`compile`](Self::compile); what stands in a profile is told with the file and the profile.
    pub fn compile_with(
        bytes: &[u8],
        options: &CompileOptions,
        files: &dyn Files,
    ) -> Result<Program, Diagnostics> {
        let Parsed {
            config,
            profile,
            chosen_badly: mut found,
            found: mut problems,
        } = profiles::parse(bytes, || files.profiles());
        let prices = prices(&config, files, &mut problems);
        let provider = config.provider.clone();
        let envoy = options.capabilities.attributes_of_envoy;
        let provider = provider.map(|it| Providers::of(it, envoy, files.keys(), &mut problems));
        let mut program = compile::program(&config, options, &mut problems);
        if let Some(program) = &mut program
            && let Some((ai, prices)) = program.ai.as_mut().zip(prices)
        {
            ai.follow_prices(prices);
            program.follows_prices = true;
        }
        if let Some(program) = &mut program {
            program.provider = provider;
        }
        match profile {
            Some(Chosen { name, origins }) => {
                for problem in problems.into_iter().map(|it| origins.relocate(it)) {
                    // A rule of the policy may stand in several transforms of the profile.
                    if !found.contains(&problem) {
                        found.push(problem);
                    }
                }
                if let Some(program) = &mut program {
                    let paths = &mut program.paths;
                    paths
                        .iter_mut()
                        .for_each(|path| *path = origins.of(path).into());
                    program.profile = Some(name.into());
                }
            }
            None => found.append(&mut problems),
        }
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

    /// The profile that it has under what its own text says.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// Whether something about it changes with a file: its profile, prices, or a key.
    pub fn follows_files(&self) -> bool {
        let provider = self.provider.as_ref();
        let follows_key = provider.is_some_and(|it| it.follows_files());
        self.profile.is_some() || self.follows_prices || follows_key
    }

    /// Who answers what goes upstream, if that is to be translated for somebody.
    pub fn provider(&self) -> Option<&Arc<Providers>> {
        self.provider.as_ref()
    }

    /// What the program reads and writes, whichever of its transforms applies.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What is worth telling the configuration's author although it loads.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The names that statistics of LLM traffic may tell apart, by this configuration; none if it is not
    /// about LLM traffic.
    pub fn names(&self) -> Option<&llm::stats::Names> {
        self.ai.as_ref().map(AiProgram::names)
    }

    /// What masks the texts of its requests, for whoever shows what it would find; none if it masks nothing.
    pub fn masker(&self) -> Option<Arc<llm::mask::Masker>> {
        self.ai.as_ref()?.masker()
    }

    /// Where a field stands in the configuration, such as `response.set[0].value`.
    pub fn field_path(&self, field: FieldId) -> &str {
        let number = usize::try_from(field.0).ok();
        let path = number.and_then(|number| self.paths.get(number));
        path.map_or("", |path| path)
    }

    /// The rules for events of one transform of responses.
    pub(crate) fn events(&self, transform: usize) -> Option<&EventProgram> {
        self.response.all.get(transform)?.events()
    }

    pub(crate) fn of(&self, direction: Direction) -> &Transforms {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }
}

/// The prices of the file that a configuration names.
fn prices(
    config: &Config,
    files: &dyn Files,
    found: &mut Vec<Diagnostic>,
) -> Option<Arc<dyn Live<Prices>>> {
    let cost = config.ai.as_ref()?.cost.as_ref()?;
    let file = cost.file.as_ref()?;
    let refuse = |why| {
        let message = format!("{}: {why}", file.name);
        found.push(Diagnostic::error(Code::BAD_PRICE_FILE, &file.path, message));
    };
    files.prices(&file.name).map_err(refuse).ok()
}
