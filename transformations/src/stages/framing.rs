//! Where a message ends, and what may not change that: the method and the status decide, and what
//! describes the body goes with the body that it describes.

use super::BodyAccess;
use super::host::DirectionHost;
use crate::direction::Direction;
use crate::http;
use crate::ops::TransformationOps;
use crate::program::Action;

/// Headers that describe the bytes of a body.
pub(super) const DESCRIPTIONS: [&str; 5] = {
    let [a, b, c, d] = http::DIGESTS;
    ["etag", a, b, c, d]
};

/// What the headers of a message say about its body.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Described {
    /// Which of [`DESCRIPTIONS`] there are; an entity tag that is weak promises no bytes.
    pub(super) by: [bool; DESCRIPTIONS.len()],
    /// Its length.
    pub(super) has_length: bool,
}

/// What the headers say about the body, in one look at all of them.
pub(super) fn descriptions<O: TransformationOps + ?Sized>(
    host: &DirectionHost<'_, O>,
) -> Described {
    let mut described = Described::default();
    host.for_each(&mut |name, value| {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        described.has_length |= is("content-length");
        for (known, found) in DESCRIPTIONS.into_iter().zip(&mut described.by) {
            *found |= is(known) && (known != "etag" || http::is_strong_etag(value));
        }
    });
    described
}

/// The headers of a response that describe the bytes of a body which will change on its way, as they came.
#[derive(Debug, Default)]
pub(crate) struct Outdated(Vec<(&'static str, Vec<u8>)>);

impl Outdated {
    pub(crate) fn of_response<O: TransformationOps + ?Sized>(ops: &O) -> Outdated {
        let mut found = Vec::new();
        ops.for_each_response_header(&mut |name, value| {
            let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
            if let Some(known) = DESCRIPTIONS.into_iter().find(is)
                && (known != "etag" || http::is_strong_etag(value))
            {
                found.push((known, value.to_vec()));
            }
        });
        Outdated(found)
    }

    /// Removes those that no rule has given another value.
    pub(crate) fn remove<O: TransformationOps + ?Sized>(&self, ops: &mut O) {
        for (name, came) in &self.0 {
            let mut is_there = false;
            ops.for_each_response_header_value(name, &mut |value| is_there |= value == came);
            if is_there {
                ops.remove_response_header(name);
            }
        }
    }
}

/// What of the body a transform can see and change, where the host could give `offered`.
pub(super) fn access<O: TransformationOps + ?Sized>(
    holds: bool,
    sets_status: bool,
    host: &DirectionHost<'_, O>,
    offered: BodyAccess,
) -> BodyAccess {
    match offered {
        // Nobody has waited for it.
        BodyAccess::Whole if !holds => BodyAccess::HeadersOnly,
        BodyAccess::Whole if !sets_status && host.has_no_content() => BodyAccess::Absent,
        _ => offered,
    }
}

/// What becomes of the content of a message.
pub(super) enum Content {
    /// It is at hand, to be changed.
    Here,
    /// It passes by.
    Passing,
    /// There is none, though headers may describe that of another response.
    Described,
    /// There must be none, whatever came or is still to come.
    Forbidden,
}

/// Decides by the status that the message will have: `set` by a rule, or its own.
pub(super) fn content<O: TransformationOps + ?Sized>(
    sets_status: bool,
    host: &DirectionHost<'_, O>,
    body: BodyAccess,
    set: Option<u16>,
) -> Content {
    let stays_without = || set.is_none() && sets_status && host.has_no_content();
    match body {
        _ if set.is_some_and(http::has_no_content) => Content::Forbidden,
        BodyAccess::Absent => Content::Described,
        BodyAccess::Whole if stays_without() => Content::Described,
        BodyAccess::Whole => Content::Here,
        BodyAccess::HeadersOnly | BodyAccess::Stream => Content::Passing,
    }
}

/// Whether the action is about the status of an answer that refuses a tunnel: a client would take one of
/// 2xx for a tunnel that is open.
pub(super) fn refuses_tunnel<O: TransformationOps + ?Sized>(
    host: &DirectionHost<'_, O>,
    action: &Action,
) -> bool {
    action.sets_status() && host.is_to_connect() && !matches!(host.status(), Some(200..=299))
}

/// Whether the message has to keep what the action would set, since the other side is bound by it: a
/// client that sent HEAD reads no body, and one that opened a tunnel reads no more responses.
pub(super) fn keeps<O: TransformationOps + ?Sized>(
    host: &DirectionHost<'_, O>,
    action: &Action,
) -> bool {
    let Action::Set { name } = action else {
        return false;
    };
    match (host.direction, &**name) {
        (Direction::Request, ":method") => host.any(":method", http::has_its_own_framing),
        (Direction::Response, ":status") => match host.status() {
            Some(100..=199) => true,
            Some(200..=299) => host.is_to_connect(),
            _ => false,
        },
        _ => false,
    }
}
