//! Files that are watched: one thread for the process looks once a second whether any of them has changed.
//!
//! Whoever follows a file reads it with [`read`], registers with [`Watcher::follow`], and is told of each
//! later content on the watcher's thread, away from workers and from Envoy's main thread. The thread runs for
//! as long as there is a [`Watching`]: what Envoy holds of a configuration that follows something holds one, so
//! that the thread has ended before Envoy unloads the module, or its own logger.
//!
//! A file is known by what its path leads to: its device, inode, size and times. So a file that was written to
//! is seen, one that was moved into place, and a link that leads elsewhere now, as Kubernetes updates mounted
//! ConfigMaps and Secrets. What has the same content as before is no change. Nothing of a content is logged.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{io, mem};

use envoy_proxy_dynamic_modules_rust_sdk::{envoy_log_error, envoy_log_warn};
use once_cell::sync::Lazy;

pub(crate) mod file;
mod seen;

pub(crate) use seen::{Seen, read};

/// How often files are looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// The watcher of this process.
static WATCHER: Lazy<Arc<Watcher>> = Lazy::new(|| Arc::new(Watcher::new(PAUSE)));

/// Someone who wants to know what a file holds.
pub(crate) trait Follower: Send + Sync {
    /// Which file.
    fn path(&self) -> &Path;

    /// The file holds something else now, or cannot be read any more. On the watcher's thread.
    fn on_change(&self, content: io::Result<Vec<u8>>);
}

/// Looks at files, for as long as somebody wants it to.
pub(crate) struct Watcher {
    pause: Duration,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    followers: Vec<(Weak<dyn Follower>, Seen)>,
    /// How many want the thread to run.
    users: usize,
    /// Which thread is to run, by number; another one ends.
    run: u64,
    thread: Option<JoinHandle<()>>,
}

/// Keeps the watcher's thread running; the last one to go ends it, and waits until it has ended.
///
/// Must not be dropped on that thread: it would wait for itself.
pub(crate) struct Watching(Arc<Watcher>);

impl Watcher {
    /// A watcher of its own, which looks at files with this pause in between.
    fn new(pause: Duration) -> Self {
        Self {
            pause,
            state: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// That of the process.
    pub(crate) fn of_process() -> &'static Arc<Self> {
        &WATCHER
    }

    /// Tells `follower` of what its file becomes after it was `seen`, while both the follower and the thread
    /// live. What happened while the thread did not run is told when it does again.
    pub(crate) fn follow(&self, follower: Weak<dyn Follower>, seen: Seen) {
        let mut state = self.lock();
        state.followers.retain(|(it, _)| it.strong_count() > 0);
        state.followers.push((follower, seen));
    }

    /// Has the thread run from now on.
    pub(crate) fn watch(self: &Arc<Self>) -> Watching {
        let mut state = self.lock();
        state.users += 1;
        if state.users == 1 {
            let (watcher, run) = (Arc::clone(self), state.run);
            let thread = thread::Builder::new().name("rf-watch".to_owned());
            match thread.spawn(move || watcher.run(run)) {
                Ok(thread) => state.thread = Some(thread),
                Err(error) => envoy_log_error!("files are not watched for changes: {error}"),
            }
        }
        Watching(Arc::clone(self))
    }

    fn run(&self, run: u64) {
        loop {
            self.look();
            let waited = self
                .ended
                .wait_timeout_while(self.lock(), self.pause, |state| state.run == run);
            let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if state.run != run {
                return;
            }
        }
    }

    /// Looks at each file once.
    fn look(&self) {
        // Looked at without the lock: a file can be slow, and whoever follows it may register others.
        let mut followers = mem::take(&mut self.lock().followers);
        followers.retain_mut(|(follower, seen)| {
            let Some(follower) = follower.upgrade() else {
                return false;
            };
            if let Some(content) = seen.look(follower.path()) {
                let told = catch_unwind(AssertUnwindSafe(|| follower.on_change(content)));
                if told.is_err() {
                    let path = follower.path().display();
                    envoy_log_warn!("{path}: a change could not be taken in: a bug of this module");
                }
            }
            true
        });
        self.lock().followers.append(&mut followers);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let thread = {
            let mut state = self.0.lock();
            state.users -= 1;
            if state.users > 0 {
                return;
            }
            state.run += 1;
            state.thread.take()
        };
        self.0.ended.notify_all();
        if let Some(thread) = thread {
            // What panics in it is caught there.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
