//! The AI half of an exchange: what the `ai` block of a configuration does, between the templates and
//! the upstream.
//!
//! [`AiProgram`] is compiled with the program, on the main thread, and shared. [`AiExchange`] is the state
//! of one exchange, on its worker: an [`Exchange`](crate::Exchange) tells it of the request behind the
//! templates, and of each piece of the response before them. A request is parsed once for all stages, and
//! edited once. What is read of a response is a copy of what passes by, unless something in it is to be
//! changed: of a stream each event is then, and another body waits here with its headers. Nothing of a
//! message is logged.
//!
//! What the model, limits, the guard, the mask and prompts are configured for is refused if it cannot be
//! read; so is a response that is to be restored or masked. Nothing is refused by usage and cost: what
//! cannot be read passes, and is published as not known.

use std::sync::Arc;

use llm::apply::PromptGuard;
use llm::dialect::Dialect;
use llm::facts::Facts;
use llm::model::{ModelScan, Models, NamedModel};
use llm::prompt::PromptRole;
use llm::response::Response;
use llm::stats::{Labels, Metric, Names};
use llm::usage::Meter;

use crate::config::ai::stages::LimitRules;
use crate::config::{PublishedMetadata, Usage};
use crate::direction::Direction;
use crate::error::{Failure, FieldId, StageName, TransformErrorKind};
use crate::files::Prices;
use crate::live::Live;
use crate::needs::{BodyNeed, DirectionNeeds, Writes};
use crate::observer::Observer;

mod compile;
mod headers;
pub(crate) mod known;
mod mask;
mod prices;
mod publish;
mod request;
mod response;

use headers::Headers;
use known::Known;
use mask::MaskStage;
use prices::PriceTables;
pub(crate) use request::Holding;
pub(crate) use response::Passage;
use response::{Reading, Rewriting};

/// The compiled `ai` block.
#[derive(Debug)]
pub(crate) struct AiProgram {
    /// What everybody speaks here, if the configuration says so.
    dialect: Option<Dialect>,
    /// What is of no known dialect is refused.
    refuses_unknown: bool,
    model: Option<ModelStage>,
    limits: Option<LimitRules>,
    guard: Option<GuardStage>,
    mask: Option<MaskStage>,
    prompts: Option<Prompts>,
    /// How usage is read, if it is.
    usage: Option<Usage>,
    prices: Option<PriceTables>,
    /// Facts under names of others.
    metadata: Box<[PublishedMetadata]>,
    /// What statistics may name.
    names: Names,
    /// Facts in headers of responses.
    headers: Headers,
    /// What makes facts known.
    known: Known,
    /// Nothing here has anything to do, but for templates that read facts.
    is_idle: bool,
    /// How much of a body, or of one event, is held or read.
    body_bytes: u64,
    size_field: FieldId,
    prompt_field: FieldId,
}

/// Names of models.
#[derive(Debug)]
struct ModelStage {
    /// Where the one that goes upstream is told; nowhere if it is empty.
    header: Box<str>,
    models: Models,
    /// Nothing is done but to tell it.
    is_shadow: bool,
}

/// What prompts must not say.
#[derive(Debug)]
struct GuardStage {
    guard: PromptGuard,
    status: u16,
    message: Box<str>,
    /// Rules only tell what they match.
    monitors: bool,
}

/// Who says the operator's prompts. What they say is rendered with the variables of the program, in this
/// order, behind those of the configuration.
#[derive(Debug)]
struct Prompts {
    prepend: Box<[PromptRole]>,
    append: Box<[PromptRole]>,
    /// They are not put in.
    is_shadow: bool,
}

/// Where the body of a request is.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// It is not there yet, and will pass by.
    Passing,
    /// With the host.
    WithHost,
    /// Here, and what becomes of it is to be given to the host.
    Kept(Vec<u8>),
    /// The same where only its model matters, which has come if there is one.
    Scanned {
        bytes: Vec<u8>,
        model: Option<NamedModel>,
        /// More of it is to come, and will pass by.
        is_begun: bool,
    },
}

/// An answer that says no, in the words of the client's dialect.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Its status.
    pub(crate) status: u16,
    /// Who refuses.
    pub(crate) stage: &'static str,
    /// The body, JSON.
    pub(crate) body: String,
}

impl AiProgram {
    /// How many bytes of a request are held.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// What makes facts known.
    pub(crate) fn known(&self) -> Known {
        self.known
    }

    /// The program, if it has anything to do where templates read facts, or facts that are known when the
    /// response has ended, or do not.
    pub(crate) fn for_templates(mut self, reads: bool, reads_end: bool) -> Option<AiProgram> {
        if reads_end {
            self.headers.wait();
        }
        (reads || !self.is_idle).then_some(self)
    }

    /// What masks the texts of requests, if something does.
    pub(crate) fn masker(&self) -> Option<Arc<llm::mask::Masker>> {
        self.mask.as_ref().map(|stage| Arc::clone(&stage.masker))
    }

    /// The names of models, rules and kinds that statistics may tell apart.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// How many prompts of the operator there are.
    pub(crate) fn prompts(&self) -> usize {
        let prompts = self.prompts.as_ref();
        prompts.map_or(0, |it| it.prepend.len() + it.append.len())
    }

    /// Routes may match on what it makes of requests.
    pub(crate) fn tells_routes(&self) -> bool {
        self.model.is_some()
    }

    /// Where the model is told; empty if nowhere.
    pub(crate) fn model_header(&self) -> &str {
        self.model.as_ref().map_or("", |stage| &stage.header)
    }

    /// Takes the prices of a file, for models that the configuration itself does not know.
    pub(crate) fn follow_prices(&mut self, file: Arc<dyn Live<Prices>>) {
        if let Some(prices) = &mut self.prices {
            prices.file = Some(file);
        }
    }

    /// The field to blame for prompts that cannot be rendered.
    pub(crate) fn prompt_field(&self) -> FieldId {
        self.prompt_field
    }

    /// The stages that read requests.
    pub(crate) fn stages(&self) -> Vec<&'static str> {
        let stages = [
            ("model", self.model.is_some()),
            ("limits", self.limits.is_some()),
            ("guard", self.guard.is_some()),
            ("mask", self.mask.is_some()),
            ("prompt", self.prompts.is_some()),
            ("usage", self.usage.is_some()),
        ];
        let there = stages.into_iter().filter(|(_, is_there)| *is_there);
        there.map(|(stage, _)| stage).collect()
    }

    /// What it means that a request has more.
    pub(crate) fn too_large(&self) -> Failure {
        let kind = TransformErrorKind::BodyTooLarge;
        Failure::new(
            kind.into(),
            StageName::Ai,
            Direction::Request,
            self.size_field,
        )
    }

    /// The same of a response, or of one of its events.
    fn body_limit(&self) -> usize {
        usize::try_from(self.body_bytes).unwrap_or(usize::MAX)
    }

    /// What it reads and writes of requests.
    pub(crate) const REQUEST_NEEDS: DirectionNeeds = DirectionNeeds {
        body: BodyNeed::Whole,
        parses_json: true,
        writes: Writes {
            headers: true,
            body: true,
            metadata: true,
            route: true,
        },
        max_body_bytes: None,
    };
}

/// The state of one exchange.
#[derive(Debug)]
pub(crate) struct AiExchange {
    facts: Facts,
    /// When the exchange began, in nanoseconds since 1970.
    began: i64,
    /// When the first text or tool call came.
    first_output: Option<i64>,
    /// What the answer took; none if nobody wants to know, or it is no request of a known dialect.
    meter: Option<Meter>,
    /// Bytes of text of the request, if what is not told is to be guessed.
    input_bytes: Option<u64>,
    /// Usage was asked for in the client's name.
    hides_usage: bool,
    /// The texts of the response, if anything becomes of them.
    rewriting: Option<Box<Rewriting>>,
    /// The status of the response says that it is an error.
    is_error: bool,
    /// What looks for the model, if nothing but that matters of the request.
    scan: Option<Box<ModelScan>>,
    reading: Reading,
    /// What was read last; kept for its memory.
    view: Response,
    /// Request facts were published.
    published: bool,
    /// Everything was published.
    is_over: bool,
    /// Everything was counted.
    is_counted: bool,
    /// Whoever looks on.
    observer: Option<Observer>,
}

impl AiExchange {
    /// When the exchange began, in nanoseconds since 1970.
    pub(crate) fn began(&self) -> i64 {
        self.began
    }

    /// What is known by now.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether the request was refused here.
    pub(crate) fn has_refused(&self) -> bool {
        self.facts.refused.is_some()
    }

    /// Tells what the exchange adds to which metric, once, when nothing more is to be known of it.
    pub(crate) fn count_once(
        &mut self,
        labels: &Labels,
        add: &mut dyn FnMut(Metric, &[&str], u64),
    ) {
        let is_final = self.is_over || self.has_refused();
        if is_final && !std::mem::replace(&mut self.is_counted, true) {
            llm::stats::count(&self.facts, labels, add);
        }
    }

    /// Before the first hook. `began` is when that was, in nanoseconds since 1970.
    pub(crate) fn new(began: i64, observer: Option<Observer>) -> AiExchange {
        AiExchange {
            facts: Facts::default(),
            began,
            first_output: None,
            meter: None,
            input_bytes: None,
            hides_usage: false,
            rewriting: None,
            is_error: false,
            scan: None,
            reading: Reading::Nothing,
            view: Response::default(),
            published: false,
            is_over: false,
            is_counted: false,
            observer,
        }
    }
}
