//! Sends the messages of a [`MemoryHost`] through an exchange, piece by piece, as a server would.

use super::MemoryHost;
use crate::applied::Applied;
use crate::direction::Direction;
use crate::error::Failure;
use crate::exchange::{Answer, Exchange, Next};
use crate::observer::{Observer, Step};

impl MemoryHost {
    /// Sends a message: its headers, its body in the pieces it has, its trailers. What it is afterwards
    /// is what arrived on the other side; answers what was done to it. A message that is answered as the
    /// configuration says is as it was: see [`reply`](Self::reply). Of one that is
    /// [reset](Self::reset) no piece is the last, and there are no trailers.
    ///
    /// # Errors
    /// The failure that it is answered with. The message is as it was then, but for events that had
    /// passed by.
    pub fn send(
        &mut self,
        exchange: &mut Exchange,
        direction: Direction,
    ) -> Result<Applied, Failure> {
        let original = self.message(direction).clone();
        let mut delivered = Vec::new();
        let mut all = Applied::default();
        let sent = self.send_pieces(exchange, direction, &mut delivered, &mut all);
        match sent {
            Ok(()) if self.reply.is_some() => {
                *self.message(direction) = original;
                Ok(all)
            }
            Ok(()) => {
                self.message(direction).body = delivered;
                Ok(all)
            }
            Err(failure) => {
                *self.message(direction) = original;
                Err(failure)
            }
        }
    }

    fn send_pieces(
        &mut self,
        exchange: &mut Exchange,
        direction: Direction,
        delivered: &mut Vec<Vec<u8>>,
        all: &mut Applied,
    ) -> Result<(), Failure> {
        let mut pieces = std::mem::take(&mut self.message(direction).body);
        let is_reset = self.reset == Some(direction);
        let has_trailers = match direction {
            _ if is_reset => false,
            Direction::Request => !self.request_trailers.is_empty(),
            Direction::Response => !self.response_trailers.is_empty(),
        };
        let body_ends = !has_trailers && !is_reset;
        if self.ends_alone && !pieces.is_empty() && body_ends {
            pieces.push(Vec::new());
        }
        let ends = pieces.is_empty() && body_ends;
        let answer = match direction {
            Direction::Request => exchange.on_request_headers(self, ends),
            Direction::Response => exchange.on_response_headers(self, ends),
        };
        self.follow(answer, exchange.observer(), direction, delivered, all)?;
        let last = pieces.len().saturating_sub(1);
        for (index, piece) in pieces.into_iter().enumerate() {
            if self.reply.is_some() || self.has_ended {
                return Ok(());
            }
            self.held_pieces = self.message(direction).body.len();
            if !piece.is_empty() {
                self.message(direction).body.push(piece);
            }
            let ends = index == last && body_ends;
            let answer = match direction {
                Direction::Request => exchange.on_request_body(self, ends),
                Direction::Response => exchange.on_response_body(self, ends),
            };
            self.follow(answer, exchange.observer(), direction, delivered, all)?;
        }
        if has_trailers && self.reply.is_none() && !self.has_ended {
            let answer = match direction {
                Direction::Request => exchange.on_request_trailers(self),
                Direction::Response => exchange.on_response_trailers(self),
            };
            self.follow(answer, exchange.observer(), direction, delivered, all)?;
        }
        Ok(())
    }

    /// Does what the exchange asks for with the piece that it was told of.
    fn follow(
        &mut self,
        answer: Answer,
        observer: Option<&Observer>,
        direction: Direction,
        delivered: &mut Vec<Vec<u8>>,
        all: &mut Applied,
    ) -> Result<(), Failure> {
        let next = match &answer.next {
            Next::Pass => "pass",
            Next::Hold => "hold",
            Next::Drop => "drop",
            Next::End(_) => "end",
            Next::Reply(_) => "reply",
        };
        self.answers.push(next);
        let before = delivered.len();
        let mut failed = Ok(());
        match answer.next {
            Next::Pass => delivered.append(&mut self.message(direction).body),
            Next::Hold => {}
            Next::Drop => self.message(direction).body.clear(),
            Next::End(bytes) => {
                self.message(direction).body.clear();
                delivered.push(bytes);
                self.has_ended = true;
            }
            Next::Reply(reply) => match reply.failure {
                Some(failure) => failed = Err(failure),
                None => self.reply = Some(*reply),
            },
        }
        if let Some(observer) = observer {
            observer.tell(Step::Answered {
                direction,
                next,
                body: delivered.get(before..).unwrap_or_default().concat(),
            });
        }
        if failed.is_ok() {
            all.add(answer.applied);
        }
        failed
    }
}
