//! One attempt: what the client sent becomes a request to a provider.
//!
//! Told of everything that comes, on the worker of the stream, by whoever carries the messages. The
//! body is held here and goes on as a whole; what is refused is answered in the client's shape. What
//! becomes of the response is in [`answer`](super::answer).

use std::sync::Arc;

use formats::coding::{CodingError, Decoder, Limits};
use formats::json::Document;
use llm::dialect::Dialect;
use llm::dialect::path::PathFacts;
use llm::refusal::Refusal;
use llm::translate::{CREDENTIAL_HEADERS, Options, Translated, Translation, without_key};

use super::NAMESPACE;
use super::answer::Answering;
use super::compile::{Choice, Credential, Providers, Target};
use super::keys::Key;
use super::originals::Originals;
use crate::direction::Direction;
use crate::host::{Attribute, HostValue, MetadataSource};
use crate::ops::TransformationOps;

/// How large a request may be that is held here, unless the host allows more.
const MAX_REQUEST_BYTES: u64 = 10 << 20;

/// Where the host says what a path was before its route has rewritten it.
const REWRITTEN: &str = "x-envoy-original-path";

/// What the host is to do with a piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The piece goes on.
    Pass,
    /// Headers wait; of a body, the piece is dropped and nothing goes on yet.
    Wait,
    /// The attempt is answered with this, for good.
    Reply(Refused),
}

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its status.
    pub status: u16,
    /// Its body, `application/json`.
    pub body: String,
}

/// What is to be counted of an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that went to a provider.
    pub requests: u64,
    /// Requests that were refused here.
    pub refusals: u64,
    /// Fields that were left out since the provider cannot express them.
    pub dropped_fields: u64,
    /// Answers that could not be given to the client as they came: errors, and what cannot be read.
    pub failures: u64,
}

/// One attempt at a provider.
#[derive(Debug)]
pub struct Attempt {
    providers: Arc<Providers>,
    request: Asking,
    answering: Answering,
    counts: Counts,
    is_upstream: bool,
}

/// Where the request stands.
#[derive(Debug)]
enum Asking {
    Unread,
    Held(Box<Held>),
    Done,
}

#[derive(Debug)]
struct Held {
    client: Dialect,
    target: Arc<Target>,
    key: Option<Arc<Key>>,
    originals: Originals,
    /// The path before the host's route has rewritten it, without a key; none if it had none.
    rewritten: Option<String>,
    body: Vec<u8>,
    limit: usize,
}

impl Attempt {
    pub(super) fn new(providers: Arc<Providers>) -> Attempt {
        Attempt {
            providers,
            request: Asking::Unread,
            answering: Answering::AsItComes,
            counts: Counts::default(),
            is_upstream: false,
        }
    }

    /// What was not counted so far.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// The headers of the request have come, and with `end_of_stream` nothing behind them.
    pub fn on_request_headers(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Step {
        // Only where a host was picked is there an address of it.
        let address = Attribute::find("upstream.address").and_then(|it| ops.attribute(it));
        self.is_upstream = matches!(address, Some(HostValue::Text(address)) if !address.is_empty());
        let originals = Originals::of(ops, self.is_upstream);
        let client = PathFacts::of(originals.get(":path")).dialect;
        // Neither has an end to wait for.
        let mut is_upgrade = header_is(ops, ":method", b"CONNECT");
        ops.for_each_request_header_value("upgrade", &mut |_| is_upgrade = true);
        if is_upgrade {
            let message = "Upgrades of connections are not translated.";
            return self.refuse(client, Refusal::new(404, message));
        }
        // A body would be a guess: what looks like one of ours may be for another endpoint.
        let Some(client) = client else {
            let message = "This is no path of an API that is known here.";
            return self.refuse(None, Refusal::new(404, message));
        };
        let Some(target) = self.target(ops) else {
            let message = "No provider is configured for this host.";
            return self.refuse(Some(client), Refusal::new(500, message));
        };
        let key = match target.key(ops) {
            Ok(key) => key,
            Err(refusal) => return self.refuse(Some(client), refusal),
        };
        let limit = ops.hold_at_most(Some(MAX_REQUEST_BYTES));
        let limit = limit.unwrap_or(MAX_REQUEST_BYTES);
        self.request = Asking::Held(Box::new(Held {
            client,
            target,
            key,
            originals,
            rewritten: rewritten(ops),
            body: Vec::new(),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        }));
        match end_of_stream {
            true => self.ask(ops, false),
            false => Step::Wait,
        }
    }

    /// A piece of the request's body has come.
    pub fn on_request_body(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Step {
        let Asking::Held(held) = &mut self.request else {
            return Step::Pass;
        };
        let mut is_too_long = false;
        ops.for_each_received(Direction::Request, &mut |piece| {
            is_too_long |= piece.len() > held.limit.saturating_sub(held.body.len());
            if !is_too_long {
                held.body.extend_from_slice(piece);
            }
        });
        if is_too_long {
            let (client, refusal) = (held.client, too_long(held.limit));
            return self.refuse(Some(client), refusal);
        }
        ops.replace_received(Direction::Request, None, b"");
        match end_of_stream {
            true => self.ask(ops, false),
            false => Step::Wait,
        }
    }

    /// The request ends with trailers.
    pub fn on_request_trailers(&mut self, ops: &mut (impl TransformationOps + ?Sized)) -> Step {
        match self.request {
            Asking::Held(_) => self.ask(ops, true),
            _ => Step::Pass,
        }
    }

    /// Whether more of the request is waited for.
    pub fn awaits_request(&self) -> bool {
        matches!(self.request, Asking::Held(_))
    }

    /// The headers of the response have come, and with `end_of_stream` nothing behind them.
    pub fn on_response_headers(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Step {
        let may_be_repeated = self.providers.retries_held || !self.is_upstream;
        let answering = &mut self.answering;
        answering.on_headers(ops, end_of_stream, may_be_repeated, &mut self.counts)
    }

    /// A piece of the response's body has come.
    pub fn on_response_body(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Step {
        self.answering.on_body(ops, end_of_stream, &mut self.counts)
    }

    /// The response ends with trailers.
    pub fn on_response_trailers(&mut self, ops: &mut (impl TransformationOps + ?Sized)) -> Step {
        self.answering.on_trailers(ops, &mut self.counts)
    }

    /// The provider that is asked.
    fn target(&self, ops: &(impl TransformationOps + ?Sized)) -> Option<Arc<Target>> {
        match &self.providers.choice {
            Choice::One(target) => Some(Arc::clone(target)),
            Choice::ByHost(targets) => {
                let name = ops.metadata_text(MetadataSource::Host, NAMESPACE, "provider")?;
                targets.get(&name).map(Arc::clone)
            }
        }
    }

    fn refuse(&mut self, client: Option<Dialect>, refusal: Refusal) -> Step {
        self.request = Asking::Done;
        self.answering = Answering::AsItComes;
        self.counts.refusals += 1;
        Step::Reply(Refused {
            status: refusal.status,
            body: refusal.body(client),
        })
    }

    /// Sends on what was held, translated.
    fn ask(&mut self, ops: &mut (impl TransformationOps + ?Sized), has_trailers: bool) -> Step {
        let Asking::Held(mut held) = std::mem::replace(&mut self.request, Asking::Done) else {
            return Step::Pass;
        };
        let body = std::mem::take(&mut held.body);
        let path = held.originals.get(":path");
        let facts = PathFacts::of(path);
        let client = held.client;
        let body = match decoded(body, &held.originals, held.limit) {
            Ok(body) => body,
            Err(refusal) => return self.refuse(Some(client), refusal),
        };
        let provider = held.target.rules.provider;
        let Some(translation) = Translation::of(client, provider) else {
            let message = format!("{provider} cannot be asked with requests of {client}.");
            return self.refuse(Some(client), Refusal::new(404, message));
        };
        let target = &held.target;
        let body = match facts.is_count {
            true => body,
            false => target.with_defaults(body, &translation),
        };
        // What is set takes the place of every member of the name, also of one that comes twice.
        let remove = match translation.answers_alike() && !facts.is_count {
            true => &target.removed_alike,
            false => &target.rules.remove,
        };
        let model = target.model(&facts, &body);
        let options = Options {
            path,
            model,
            betas: held.originals.get("anthropic-beta"),
            remove,
            ..target.options()
        };
        let mut asked = match translation.request(&body, &options) {
            Ok(asked) => asked,
            Err(refusal) => return self.refuse(Some(client), refusal),
        };
        if !facts.is_count {
            target.set(&mut asked.body);
        }
        self.counts.requests += 1;
        self.counts.dropped_fields += asked.dropped.len() as u64;
        held.write(ops, &translation, &asked);
        if has_trailers {
            ops.remove_request_header("content-length");
        }
        ops.expect_body(Direction::Request, asked.body.len());
        ops.append_request_body(&asked.body);
        let mut id = String::new();
        ops.for_each_request_header_value("x-request-id", &mut |value| {
            id = String::from_utf8_lossy(value).into_owned();
        });
        let now = u64::try_from(ops.unix_seconds()).unwrap_or_default();
        self.answering = Answering::of(translation, asked.asked, asked.stream, (id, now));
        Step::Pass
    }
}

impl Held {
    /// Writes the headers of the attempt.
    fn write(
        &self,
        ops: &mut (impl TransformationOps + ?Sized),
        translation: &Translation,
        asked: &Translated,
    ) {
        let facts = translation.provider().facts();
        let (rules, originals) = (&self.target.rules, &self.originals);
        let mut set = |name: &str, value: &str| match value {
            "" => ops.remove_request_header(name),
            value => ops.set_request_header(name, value.as_bytes()),
        };
        for name in CREDENTIAL_HEADERS {
            set(name, "");
        }
        if let Some(path) = &self.rewritten {
            set(REWRITTEN, path);
        }
        if let Some(key) = &self.key {
            set(
                facts.key_header,
                &format!("{}{}", facts.key_prefix, key.expose()),
            );
        }
        let authority = self.target.authority.as_deref();
        set(
            ":authority",
            authority.unwrap_or(originals.get(":authority")),
        );
        set(":path", &asked.path);
        let is_anthropic = translation.client() == Dialect::AnthropicMessages;
        let version =
            facts
                .version_header
                .map(|(_, usual)| match originals.get("anthropic-version") {
                    _ if !rules.api_version.is_empty() => &rules.api_version,
                    clients if is_anthropic && !clients.is_empty() => clients,
                    _ => usual,
                });
        set("anthropic-version", version.unwrap_or_default());
        // Bedrock reads them from the body.
        let takes_betas = is_anthropic && translation.answers_alike();
        let betas = originals.get("anthropic-beta");
        set("anthropic-beta", if takes_betas { betas } else { "" });
        let is_read = !translation.answers_alike();
        let coding = originals.get("accept-encoding");
        set("accept-encoding", if is_read { "identity" } else { coding });
        set("content-encoding", "");
        set("content-type", "application/json");
        set(
            "content-length",
            itoa::Buffer::new().format(asked.body.len()),
        );
    }
}

impl Target {
    /// The key; none if it is somebody else's to say who asks.
    fn key(&self, ops: &(impl TransformationOps + ?Sized)) -> Result<Option<Arc<Key>>, Refusal> {
        match &self.auth {
            Credential::None => Ok(None),
            Credential::Key(key) => Ok(Some(key.current())),
            Credential::Metadata(namespace, key) => {
                let found = ops.metadata_text(MetadataSource::Dynamic, namespace, key);
                let key = found.and_then(|text| Key::read(text.as_bytes()).ok());
                let refusal = || Refusal::new(401, "There is no key for the provider.");
                key.map(|key| Some(Arc::new(key))).ok_or_else(refusal)
            }
        }
    }

    /// The model that is asked; none for the client's.
    fn model(&self, facts: &PathFacts<'_>, body: &[u8]) -> Option<&str> {
        let of_all = self.rules.model.as_deref();
        if self.models.is_empty() {
            return of_all;
        }
        let in_path = facts.model.as_ref().map(|it| it.name().into_owned());
        let in_body = || {
            let document = Document::parse(body).ok()?;
            let model = document.root().get("model")?;
            Some(model.as_str()?.into_owned())
        };
        let named = in_path.or_else(in_body);
        let model = named.and_then(|name| Some(self.models.find(&name)?.1.as_str()));
        model.or(of_all)
    }
}

/// Whether a header of the request has this value.
fn header_is(ops: &(impl TransformationOps + ?Sized), name: &str, value: &[u8]) -> bool {
    let mut is = false;
    ops.for_each_request_header_value(name, &mut |it| is |= it == value);
    is
}

/// What the path was before it was rewritten, if that held a key; without it.
fn rewritten(ops: &(impl TransformationOps + ?Sized)) -> Option<String> {
    let mut found = None;
    ops.for_each_request_header_value(REWRITTEN, &mut |it| {
        let path = String::from_utf8_lossy(it);
        let clean = without_key(&path);
        if clean != path {
            found = Some(clean);
        }
    });
    found
}

fn too_long(limit: usize) -> Refusal {
    let message = format!("The body is larger than {limit} bytes, which is as much as is held.");
    Refusal::new(413, message)
}

/// The body without its content codings, which is held to the same limit.
fn decoded(body: Vec<u8>, originals: &Originals, limit: usize) -> Result<Vec<u8>, Refusal> {
    let unreadable = |error| match error {
        CodingError::TooLarge => too_long(limit),
        CodingError::RatioExceeded => {
            let most = Limits::MAX_RATIO;
            let message = format!("The body decodes to more than {most} times its length.");
            Refusal::new(413, message)
        }
        _ => Refusal::new(415, "The content coding of the body cannot be undone."),
    };
    let limits = Limits::of_bytes(limit);
    let mut decoder = Decoder::of(originals.get("content-encoding"), limits).map_err(unreadable)?;
    if decoder.is_identity() {
        return Ok(body);
    }
    let mut out = Vec::new();
    decoder.push(&body, &mut out).map_err(unreadable)?;
    decoder.finish().map_err(unreadable)?;
    Ok(out)
}
