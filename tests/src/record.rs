//! What an origin was told to answer, and what it received: the half of an origin that does not depend
//! on the protocol.
//!
//! Shared by the threads of an origin and the test that started it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wire::Headers;

/// A request as the origin got it.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The target with its query.
    pub path: String,
    /// Header lines in order.
    pub headers: Headers,
    /// The body, dechunked.
    pub body: Vec<u8>,
    /// Trailer lines in order.
    pub trailers: Headers,
    /// The body as it arrived.
    pub pieces: Vec<(Instant, Vec<u8>)>,
    /// Whether the connection broke off before the body had ended.
    pub cut: bool,
}

impl Received {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none: the test fails here and shows the body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// The first value of header `name`, or `""`: for comparisons.
    pub fn header(&self, name: &str) -> String {
        self.headers.value(name).unwrap_or_default()
    }
}

type Script<R> = Box<dyn Fn(&Received) -> R + Send>;

struct State<R> {
    scripts: Vec<(String, Script<R>)>,
    received: Vec<Received>,
}

/// Scripts that give replies of type `R`, and requests.
pub struct Record<R> {
    state: Mutex<State<R>>,
    news: Condvar,
}

impl<R> Default for Record<R> {
    fn default() -> Self {
        let state = State {
            scripts: Vec::new(),
            received: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
            news: Condvar::new(),
        }
    }
}

impl<R> Record<R> {
    fn state(&self) -> MutexGuard<'_, State<R>> {
        // A script that panics fails its test by itself; the record is still sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers requests for `path` (without query) with what `script` makes of them, from now on.
    pub fn answer_with(&self, path: &str, script: impl Fn(&Received) -> R + Send + 'static) {
        let mut state = self.state();
        state.scripts.push((path.to_owned(), Box::new(script)));
    }

    /// What the newest script for the request's path says; `None` without one.
    pub fn reply(&self, received: &Received) -> Option<R> {
        let path = received.path.split('?').next().unwrap_or_default();
        let state = self.state();
        let mut scripts = state.scripts.iter().rev();
        let (_, script) = scripts.find(|(scripted, _)| scripted == path)?;
        Some(script(received))
    }

    /// Records a complete request.
    pub fn push(&self, received: Received) {
        self.state().received.push(received);
        self.news.notify_all();
    }

    /// All requests so far, in the order they were complete.
    pub fn received(&self) -> Vec<Received> {
        self.state().received.clone()
    }

    /// The request that was complete last; waits for one.
    ///
    /// # Panics
    /// When none comes within `patience`.
    pub fn last(&self, patience: Duration) -> Received {
        let state = self.state();
        let waited = self
            .news
            .wait_timeout_while(state, patience, |state| state.received.is_empty());
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.received.last() {
            Some(received) => received.clone(),
            None => panic!("the origin has received no request"),
        }
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.state().received.clear();
    }
}
