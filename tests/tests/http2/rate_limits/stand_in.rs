//! A stand-in for the rate limit service: one limit for every account, counted in memory and never reset.
//!
//! Started by tests that look at each question, and where the real service cannot be had. It knows no
//! time, no units and no domains.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::collections::HashMap;
use std::sync::Mutex;

use anyhow::Result;

use super::question;
use crate::message::Message;
use crate::origin::{Http2Origin, Reply};

/// Where Envoy asks.
pub(super) const SERVICE: &str = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";

/// A service that allows `limit` hits to each account.
pub(super) fn start(limit: u64) -> Result<Http2Origin> {
    let service = Http2Origin::start()?;
    let taken: Mutex<HashMap<String, u64>> = Mutex::default();
    service.answer_with(SERVICE, move |received| {
        let mut taken = taken.lock().unwrap();
        let descriptors = question::descriptors(&received.body);
        // As the real one does: all are counted, and one that is over refuses.
        let over = descriptors.into_iter().filter(|descriptor| {
            let hits = taken.entry(descriptor.account.clone()).or_default();
            *hits += descriptor.hits_addend.unwrap_or(1);
            *hits > limit
        });
        verdict(over.count() == 0)
    });
    Ok(service)
}

/// What the service answers.
pub(super) fn verdict(is_allowed: bool) -> Reply {
    // A message of two bytes: overall_code is OK or OVER_LIMIT.
    let code = if is_allowed { 1 } else { 2 };
    let message = Message::new()
        .header("content-type", "application/grpc")
        .piece(vec![0, 0, 0, 0, 2, 8, code])
        .trailer("grpc-status", "0");
    Reply::new(200, message)
}
