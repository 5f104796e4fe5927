//! What an exchange keeps of LLM traffic: in one piece of its own, so that others do not carry it.
//!
//! Made by the first hook of an exchange whose program has an AI half, or where another program is opened.
//! On the worker of the exchange.

use std::ops::{Deref, DerefMut};

use super::Reply;
use crate::ai::AiExchange;
use crate::observer::Observer;

/// The state of the AI half, and what the exchange has to know because of it.
#[derive(Debug)]
pub(super) struct AiTraffic {
    ai: AiExchange,
    /// The route was chosen again and led to this program.
    pub(super) is_settled: bool,
    /// How much of what is kept of the request was looked at, if only the model matters.
    pub(super) scanned: usize,
    /// The answer to a request that is refused, and has not ended.
    pub(super) owed: Option<Box<Reply>>,
    /// What the response was ended with here, before the upstream ended it.
    pub(super) last: Option<Vec<u8>>,
}

impl AiTraffic {
    /// That of an exchange which began at this time, in nanoseconds since 1970.
    pub(super) fn new(began: i64, observer: Option<Observer>) -> Box<AiTraffic> {
        Box::new(AiTraffic {
            ai: AiExchange::new(began, observer),
            is_settled: false,
            scanned: 0,
            owed: None,
            last: None,
        })
    }

    /// The same, for a program that the route led to when it was chosen again.
    pub(super) fn settled(began: i64, observer: Option<Observer>) -> Box<AiTraffic> {
        let mut traffic = AiTraffic::new(began, observer);
        traffic.is_settled = true;
        traffic
    }
}

impl Deref for AiTraffic {
    type Target = AiExchange;

    fn deref(&self) -> &AiExchange {
        &self.ai
    }
}

impl DerefMut for AiTraffic {
    fn deref_mut(&mut self) -> &mut AiExchange {
        &mut self.ai
    }
}
