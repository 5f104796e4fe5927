//! What an exchange answers to its host.

use crate::ai::Refused;
use crate::applied::Applied;
use crate::error::Failure;
use crate::program::Program;
use crate::stages::reply::OwnReply;

/// What the host is to do with a piece of a message, and what was done to the message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Answer {
    /// What the host is to do.
    pub next: Next,
    /// What was done: to be counted, logged, and followed where the route is to be chosen again.
    pub applied: Applied,
}

/// What the host is to do with a piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// The piece goes on, and with it what was held before it.
    Pass,
    /// The host keeps the piece, behind what it keeps already of this message.
    Hold,
    /// The piece is dropped: neither does it go on, nor does the host keep it.
    Drop,
    /// The response ends with these bytes, in the place of the piece and of everything behind it. Its headers
    /// have gone on.
    End(Vec<u8>),
    /// The exchange is answered with this, or ended if the answer has begun. Nothing of the piece goes on.
    Reply(Box<Reply>),
}

/// An answer in place of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// Its status.
    pub status: u32,
    /// Its headers, in order; names are lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, which may be empty.
    pub body: String,
    /// Why, for the access log: a token, and the field of the configuration in braces.
    pub details: String,
    /// What failed, to be logged and counted; none if the configuration asks for this answer.
    pub failure: Option<Failure>,
}

impl Answer {
    pub(super) fn of(next: Next) -> Answer {
        Answer {
            next,
            applied: Applied::default(),
        }
    }

    pub(super) fn pass() -> Answer {
        Answer::of(Next::Pass)
    }

    pub(super) fn hold() -> Answer {
        Answer::of(Next::Hold)
    }

    /// The answer, with failures that went before.
    #[inline]
    pub(super) fn with(mut self, noted: Vec<Failure>) -> Answer {
        if !noted.is_empty() {
            self.applied.put_first(noted);
        }
        self
    }

    /// The answer, with what was done before it, if anything was.
    #[inline]
    pub(super) fn after(mut self, earlier: Option<Applied>) -> Answer {
        if let Some(earlier) = earlier {
            let later = std::mem::replace(&mut self.applied, earlier);
            self.applied.add(later);
        }
        self
    }

    /// The answer, with what was done beside.
    pub(super) fn and(mut self, later: Applied) -> Answer {
        self.applied.add(later);
        self
    }

    /// What was done, or the failure that the exchange is answered with.
    ///
    /// # Errors
    /// The failure, if the answer is a reply because of one.
    pub fn into_result(self) -> Result<Applied, Failure> {
        match self.next {
            Next::Reply(reply) => reply.failure.map_or(Ok(self.applied), Err),
            _ => Ok(self.applied),
        }
    }
}

impl Reply {
    pub(super) fn to_failure(program: &Program, failure: Failure) -> Box<Reply> {
        let error = failure.error();
        let field = program.field_path(error.field());
        Box::new(Reply {
            status: error.status(),
            headers: Vec::new(),
            body: String::new(),
            details: format!("{}{{{field}}}", error.details()),
            failure: Some(failure),
        })
    }

    /// The answer to what a stage for LLM traffic refuses.
    pub(super) fn refused(refused: Refused) -> Box<Reply> {
        let json = ("content-type".to_owned(), "application/json".to_owned());
        Box::new(Reply {
            status: refused.status.into(),
            headers: vec![json],
            body: refused.body,
            details: format!("rustformation_ai_{}", refused.stage),
            failure: None,
        })
    }

    /// The answer that the configuration asks for.
    pub(super) fn own(program: &Program, reply: OwnReply) -> Box<Reply> {
        let field = program.field_path(reply.field);
        Box::new(Reply {
            status: reply.status.into(),
            details: format!("rustformation_reply{{{field}}}"),
            headers: reply.headers,
            body: reply.body,
            failure: None,
        })
    }
}
