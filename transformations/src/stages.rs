//! What happens to the messages of an exchange, stage by stage.
//!
//! Run by an [`Exchange`](crate::Exchange) on its worker. A stage reads the message as the stages before
//! it have left it, and leaves edits; the host is written to once, behind the last stage, so that a
//! failure leaves the message as it came. The order is that of
//! [`Stages`]: the rules for events come first, and see the headers as they came, then templates.

use crate::applied::Applied;
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
pub(crate) use framing::Outdated;
pub(crate) use transform::reply;

use commit::{Commit, NewBody};
use edits::{Edits, StageEdits};
use host::DirectionHost;
use reply::OwnReply;
use transform::Parsed;
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
        earlier: Vec::new(),
        body: None,
        is_changed: false,
        read_bytes: None,
        was_decoded: false,
        noted: 0,
        failures: &mut applied.failures,
        reply: None,
    };
    for stage in stages {
        work.pass(stage, ops)?;
        if work.reply.is_some() {
            return Ok(work.reply);
        }
    }
    let mut parsed = Parsed::default();
    let mut made = work.edit(last, ops, &mut parsed)?;
    if work.reply.is_some() {
        return Ok(work.reply);
    }
    let edited = work.patch(&mut made, &parsed)?;
    let written = made.as_ref().and_then(|made| Some(made.body()?.as_bytes()));
    let earlier = || work.body.as_ref().filter(|_| work.is_changed);
    let body = match &edited {
        Some(edited) => Some(NewBody::Edited(edited)),
        None => (written.or_else(|| Some(earlier()?.bytes()))).map(NewBody::Text),
    };
    let commit = Commit {
        earlier: &work.earlier,
        last: made.as_ref(),
        body,
        sets_status,
        read_bytes: work.read_bytes,
        was_decoded: work.was_decoded,
    };
    commit.write(ops, direction, access, applied);
    drop(edited);
    if let Some(made) = made {
        made.edits.give_back();
    }
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
struct Work<'p, 'a> {
    program: &'p Program,
    direction: Direction,
    captured: Captured<'a>,
    access: BodyAccess,
    /// What each stage made, unless it was skipped.
    earlier: Vec<StageEdits<'p>>,
    /// The body behind the stages so far, unless it is where the host has it.
    body: Option<Body>,
    /// The body is another than the host's.
    is_changed: bool,
    /// How long the host's body is, once it was read.
    read_bytes: Option<usize>,
    /// The host's body is compressed, and `body` is not.
    was_decoded: bool,
    failures: &'a mut Vec<Failure>,
    /// How many of them there were before the stage that runs.
    noted: usize,
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
        let mut parsed = Parsed::default();
        let mut made = self.edit(stage, ops, &mut parsed)?;
        let edited = self.patch(&mut made, &parsed)?;
        let written = match (&edited, &made) {
            (Some(edited), _) => (!edited.is_unchanged()).then(|| edited.to_vec()),
            (None, Some(made)) => made.body().map(Into::into),
            (None, None) => None,
        };
        drop(edited);
        if let Some(bytes) = written {
            self.body = Some(Body::Bytes(bytes));
            self.is_changed = true;
        } else if let Some(document) = parsed.document {
            self.body = Some(Body::Parsed(document));
        }
        self.earlier.extend(made);
        Ok(())
    }

    /// Renders a stage on the message as the earlier ones have left it. Answers nothing if it is skipped,
    /// or the request has its answer.
    fn edit<O: TransformationOps + ?Sized>(
        &mut self,
        stage: &'p DirectionProgram,
        ops: &mut O,
        parsed: &mut Parsed,
    ) -> Result<Option<StageEdits<'p>>, Failure> {
        let (program, captured, access) = (self.program, self.captured, self.access);
        self.noted = self.failures.len();
        let mut edits = Edits::take();
        let outcome = transform::Outcome {
            edits: &mut edits,
            failures: self.failures,
            parsed,
        };
        let rendered = match self.earlier.as_slice() {
            [] => transform::edit(program, stage, captured, ops, access, outcome),
            earlier => {
                let body = self.body.clone();
                // A body that was written unread may stand in the place of a compressed one.
                let is_unread = self.read_bytes.unwrap_or_default() == 0;
                let is_plain = self.was_decoded || self.is_changed && is_unread;
                let mut working = Working::new(ops, self.direction, earlier, body, is_plain);
                transform::edit(program, stage, captured, &mut working, access, outcome)
            }
        };
        match rendered {
            Ok(None) => {}
            Ok(reply) => {
                self.reply = reply;
                edits.give_back();
                return Ok(None);
            }
            Err(failure) => {
                edits.give_back();
                self.skip(stage, failure)?;
                return Ok(None);
            }
        }
        if !self.is_changed {
            self.read_bytes = self.read_bytes.or(parsed.read_bytes);
            self.was_decoded |= parsed.was_decoded;
        }
        Ok(Some(StageEdits { stage, edits }))
    }

    /// Applies the patch of a stage, if it has one. Nothing is copied yet.
    #[inline]
    fn patch<'d>(
        &mut self,
        made: &mut Option<StageEdits<'p>>,
        parsed: &'d Parsed,
    ) -> Result<Option<Edited<'d>>, Failure>
    where
        'p: 'd,
    {
        let stage = made.as_ref().map(|made| made.stage);
        match stage.filter(|stage| stage.patches()) {
            Some(stage) => self.apply_patch(stage, made, parsed),
            None => Ok(None),
        }
    }

    fn apply_patch<'d>(
        &mut self,
        stage: &'p DirectionProgram,
        made: &mut Option<StageEdits<'p>>,
        parsed: &'d Parsed,
    ) -> Result<Option<Edited<'d>>, Failure>
    where
        'p: 'd,
    {
        match parsed.edit(stage, self.program.output_bytes) {
            Ok(edited) => return Ok(edited),
            Err(failure) if stage.on_error.leaves_out(failure.error(), Place::Body) => {
                note(self.failures, failure);
            }
            Err(failure) => {
                self.skip(stage, failure)?;
                *made = None;
            }
        }
        Ok(None)
    }

    /// What a failed stage comes to: an error, or a message that passes as it came to the stage. Only
    /// this failure is told then: the others are part of what is skipped.
    fn skip(&mut self, stage: &DirectionProgram, failure: Failure) -> Result<(), Failure> {
        if stage.on_error != OnError::Skip {
            return Err(failure);
        }
        self.failures.truncate(self.noted);
        note(self.failures, failure);
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
