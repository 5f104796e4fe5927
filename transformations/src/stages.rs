//! What happens to the messages of an exchange, stage by stage.
//!
//! Run by an [`Exchange`](crate::Exchange) on its worker. A stage reads the message as the stages before
//! it have left it, and leaves edits; the host is written to once, behind the last stage, so that a
//! failure leaves the message as it came. The order is that of
//! [`Stages`]: the rules for events come first, and see the headers as they came, then templates.

use crate::config::OnError;
use crate::direction::Direction;
use crate::error::Failure;
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::{DirectionProgram, Program, Stages};
use formats::json::patch::Edited;

mod choose;
mod commands;
mod commit;
mod edits;
pub(crate) mod events;
mod framing;
mod host;
mod transform;
pub(crate) mod vars;
mod view;
mod working;

pub(crate) use choose::choose;
pub(crate) use commands::Captured;
pub(crate) use transform::reply;

use commit::{Commit, NewBody};
use edits::Edits;
use host::DirectionHost;
use reply::OwnReply;
use transform::{Outcome, Parsed};
use working::{Body, Working};

/// What of the body is at hand when a message is transformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyAccess {
    /// The body, which may be empty, is complete if the program reads or writes it. A response whose
    /// status allows none is not given one.
    Whole,
    /// The body passes by unbuffered (a WebSocket, CONNECT), or there cannot be one. The body
    /// template is ignored, `body()` and `context()` are empty, and there are no JSON variables.
    HeadersOnly,
    /// There is no body and never will be, as in the response to HEAD. What the headers say of one is
    /// about that of the response to GET; it goes if there is a rule for the body. Templates see as
    /// much as with [`HeadersOnly`](Self::HeadersOnly).
    Absent,
    /// The body is a stream of events, which pass one by one. What reads or writes the body as a
    /// whole is left out, whatever `onError` says.
    Stream,
}

/// What became of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyChange {
    /// It is as it was.
    #[default]
    Unchanged,
    /// It was replaced, and `content-length` set, unless it came without one.
    Replaced,
    /// It was emptied, `content-length` set to 0 and `content-type` removed.
    Emptied,
    /// A rule set a status that allows no body: it was emptied, and whatever is still to come of it
    /// is dropped. `content-length`, `transfer-encoding` and `content-type` were removed.
    Forbidden,
}

/// What was done to a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The message was transformed: once in each direction in which there is something to do.
    pub transformed: bool,
    /// Headers were written.
    pub headers: bool,
    /// What became of the body.
    pub body: BodyChange,
    /// Dynamic metadata was written.
    pub metadata: bool,
    /// The request's route is to be chosen again: what routes match on has changed, or the
    /// configuration says so. The program of the exchange stays the same.
    pub reroute: bool,
    /// Writes that the host refused.
    pub refused: u32,
    /// Events of a stream that a rule applied to.
    pub events: u32,
    /// What failed and was left out, to be logged and counted: the first of each kind, and of the events
    /// in a chunk the first.
    pub failures: Vec<Failure>,
    /// How many failures of events there were beside the one in `failures`.
    pub more_failures: u32,
}

impl Applied {
    /// Adds what was done later to the same message.
    pub(crate) fn add(&mut self, later: Applied) {
        self.transformed |= later.transformed;
        self.headers |= later.headers;
        self.metadata |= later.metadata;
        self.reroute |= later.reroute;
        if later.body != BodyChange::Unchanged {
            self.body = later.body;
        }
        self.refused = self.refused.saturating_add(later.refused);
        self.events = self.events.saturating_add(later.events);
        self.more_failures = self.more_failures.saturating_add(later.more_failures);
        self.failures.extend(later.failures);
    }
}

/// Runs the stages for whole messages on the message that `ops` has, and notes what they did. Answers a
/// reply, if the request is to be answered with that; nothing was applied then.
///
/// # Errors
/// If something fails and `onError` does not let the message pass. Nothing was applied then.
pub(crate) fn run<O: TransformationOps + ?Sized>(
    program: &Program,
    stages: &Stages,
    captured: Captured<'_>,
    ops: &mut O,
    offered: BodyAccess,
    applied: &mut Applied,
) -> Result<Option<Box<OwnReply>>, Failure> {
    let sets_status = stages.sets_status;
    let holds = stages.needs.buffers();
    let mut stages = stages.templates();
    let Some(last) = stages.next_back() else {
        return Ok(None);
    };
    let direction = last.direction;
    let host = DirectionHost {
        ops: &mut *ops,
        direction,
    };
    let access = framing::access(holds, sets_status, &host, offered);
    let mut work = Work {
        program,
        direction,
        captured,
        access,
        edits: Vec::new(),
        body: None,
        is_changed: false,
        read_bytes: None,
        was_decoded: false,
        failures: Vec::new(),
        reply: None,
    };
    for stage in stages {
        work.pass(stage, ops)?;
        if work.reply.is_some() {
            applied.failures = work.failures;
            return Ok(work.reply);
        }
    }
    let mut edits = Edits::take();
    let parsed = work.edit(last, ops, &mut edits)?;
    if work.reply.is_some() {
        edits.give_back();
        applied.failures = work.failures;
        return Ok(work.reply);
    }
    let edited = work.patch(last, &parsed, &mut edits)?;
    let is_only = work.edits.is_empty();
    if !is_only {
        work.edits.push(std::mem::take(&mut edits));
    }
    let all_edits = match is_only {
        true => std::slice::from_ref(&edits),
        false => &work.edits,
    };
    let written = all_edits
        .last()
        .and_then(|edits| Some(edits.body()?.as_bytes()));
    let earlier = || work.body.as_ref().filter(|_| work.is_changed);
    let body = match &edited {
        Some(edited) => Some(NewBody::Edited(edited)),
        None => (written.or_else(|| Some(earlier()?.bytes()))).map(NewBody::Text),
    };
    let commit = Commit {
        edits: all_edits,
        body,
        sets_status,
        read_bytes: work.read_bytes,
        was_decoded: work.was_decoded,
    };
    commit.write(ops, direction, access, applied);
    drop(edited);
    applied.failures = work.failures;
    edits.give_back();
    Ok(None)
}

/// As [`run`], on a body that was held here, and not by the host. What the stages leave of it is given to
/// the host.
///
/// # Errors
/// As [`run`]; the body is gone then.
pub(crate) fn run_kept<O: TransformationOps + ?Sized>(
    program: &Program,
    stages: &Stages,
    captured: Captured<'_>,
    ops: &mut O,
    offered: BodyAccess,
    body: Vec<u8>,
    applied: &mut Applied,
) -> Result<Option<Box<OwnReply>>, Failure> {
    let Some(direction) = stages.templates().next().map(|it| it.direction) else {
        return Ok(None);
    };
    let mut working = Working::new(ops, direction, &[], Some(Body::Bytes(body)), false);
    let reply = run(program, stages, captured, &mut working, offered, applied)?;
    if reply.is_none()
        && let Some(body) = working.into_body()
        && !body.bytes().is_empty()
    {
        let mut host = DirectionHost { ops, direction };
        host.expect_body(body.bytes().len());
        applied.refused += u32::from(!host.append(body.bytes()));
    }
    Ok(reply)
}

/// The work on one message: what the stages so far have made of it.
struct Work<'p, 'c> {
    program: &'p Program,
    direction: Direction,
    captured: Captured<'c>,
    access: BodyAccess,
    /// What each stage made.
    edits: Vec<Edits<'p>>,
    /// The body behind the stages so far, unless it is where the host has it.
    body: Option<Body>,
    /// The body is another than the host's.
    is_changed: bool,
    /// How long the host's body is, once it was read.
    read_bytes: Option<usize>,
    /// The host's body is compressed, and `body` is not.
    was_decoded: bool,
    failures: Vec<Failure>,
    /// A stage answers the request.
    reply: Option<Box<OwnReply>>,
}

impl<'p> Work<'p, '_> {
    /// Runs a stage that another follows.
    fn pass<O: TransformationOps + ?Sized>(
        &mut self,
        stage: &'p DirectionProgram,
        ops: &mut O,
    ) -> Result<(), Failure> {
        let mut edits = Edits::take();
        let parsed = self.edit(stage, ops, &mut edits)?;
        let edited = self.patch(stage, &parsed, &mut edits)?;
        let written = match &edited {
            Some(edited) => (!edited.is_unchanged()).then(|| edited.to_vec()),
            None => edits.body().map(Into::into),
        };
        drop(edited);
        if let Some(bytes) = written {
            self.body = Some(Body::Bytes(bytes));
            self.is_changed = true;
        } else if let Some(document) = parsed.document {
            self.body = Some(Body::Parsed(document));
        }
        self.edits.push(edits);
        Ok(())
    }

    /// Renders a stage on the message as the earlier ones have left it. What fails as a whole and is
    /// skipped has made nothing.
    #[inline]
    fn edit<O: TransformationOps + ?Sized>(
        &mut self,
        stage: &'p DirectionProgram,
        ops: &mut O,
        edits: &mut Edits<'p>,
    ) -> Result<Parsed, Failure> {
        let (program, captured, access) = (self.program, self.captured, self.access);
        let made = match self.edits.as_slice() {
            [] => transform::edit(program, stage, captured, ops, access, edits),
            earlier => {
                let mut working = Working::new(
                    ops,
                    self.direction,
                    earlier,
                    self.body.clone(),
                    self.was_decoded,
                );
                transform::edit(program, stage, captured, &mut working, access, edits)
            }
        };
        let Outcome {
            failures,
            reply,
            parsed,
        } = match made {
            Ok(outcome) => outcome,
            Err(failure) => {
                std::mem::take(edits).give_back();
                self.skip(stage, failure)?;
                return Ok(Parsed::default());
            }
        };
        self.reply = reply;
        if !self.is_changed {
            self.read_bytes = self.read_bytes.or(parsed.read_bytes);
            self.was_decoded |= parsed.was_decoded;
        }
        for failure in failures {
            note(&mut self.failures, failure);
        }
        Ok(parsed)
    }

    /// Applies the patch of a stage, if it has one. Nothing is copied yet.
    fn patch<'d>(
        &mut self,
        stage: &'d DirectionProgram,
        parsed: &'d Parsed,
        edits: &mut Edits<'p>,
    ) -> Result<Option<Edited<'d>>, Failure> {
        if !stage.patches() {
            return Ok(None);
        }
        match parsed.edit(stage, self.program.output_bytes) {
            Ok(edited) => return Ok(edited),
            Err(failure) if stage.on_error.leaves_out(failure.error(), Place::Body) => {
                note(&mut self.failures, failure);
            }
            Err(failure) => {
                // Only this one is told: the others are part of what is skipped.
                self.failures.clear();
                self.skip(stage, failure)?;
                *edits = Edits::default();
            }
        }
        Ok(None)
    }

    /// What a failed stage comes to: an error, or a message that passes as it came to the stage.
    fn skip(&mut self, stage: &DirectionProgram, failure: Failure) -> Result<(), Failure> {
        if stage.on_error != OnError::Skip {
            return Err(failure);
        }
        note(&mut self.failures, failure);
        Ok(())
    }
}

/// Keeps the first failure of each kind.
fn note(failures: &mut Vec<Failure>, failure: Failure) {
    let kind = |failure: &Failure| failure.error().kind();
    if !failures.iter().any(|noted| kind(noted) == kind(&failure)) {
        failures.push(failure);
    }
}

#[cfg(test)]
mod tests;
