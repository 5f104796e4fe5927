//! Files that the process holds once: whoever names the same path has the same file, which is read again when it
//! changes.
//!
//! Opened while a configuration is compiled, on Envoy's main thread; read again on the watcher's. What is broken
//! or gone changes nothing: what was read last stays.

use std::collections::HashMap;
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::ArcSwap;
use transformations::live::Live;

use super::{Follower, Watcher, read};

/// Those files of a kind that somebody uses, by their paths.
#[derive(Debug)]
pub(crate) struct OpenFiles<F>(Mutex<HashMap<PathBuf, Weak<F>>>);

impl<F> Default for OpenFiles<F> {
    fn default() -> Self {
        OpenFiles(Mutex::default())
    }
}

impl<F: Follower + 'static> OpenFiles<F> {
    /// The file at `path`, made of its content unless it is open; followed from now on.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn open<E>(
        &self,
        path: &Path,
        make: impl FnOnce(io::Result<Vec<u8>>) -> Result<F, E>,
    ) -> Result<Arc<F>, E> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(path).and_then(Weak::upgrade) {
            return Ok(file);
        }
        let (seen, content) = read(path);
        let file = Arc::new(make(content)?);
        let follower: Weak<dyn Follower> = Arc::downgrade(&file) as _;
        Watcher::of_process().follow(follower, seen);
        files.retain(|_, file| file.strong_count() > 0);
        files.insert(path.to_owned(), Arc::downgrade(&file));
        Ok(file)
    }
}

/// What a file can hold.
pub(crate) trait Content: Debug + Send + Sync + Sized + 'static {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong, in one sentence without the path.
    fn read(content: &[u8]) -> Result<Self, String>;

    /// Tells what became of a change: what is in use now, or why it is what was before.
    fn tell(path: &Path, change: Result<&Self, &str>);
}

/// A file, and what it held when it could be read last.
#[derive(Debug)]
pub(crate) struct WatchedFile<T> {
    path: PathBuf,
    current: ArcSwap<T>,
}

impl<T: Content> WatchedFile<T> {
    /// The file of this kind at `path`.
    ///
    /// # Errors
    /// Why it cannot be read, or what is wrong in it.
    pub(crate) fn open(files: &OpenFiles<Self>, path: &str) -> Result<Arc<Self>, String> {
        let path = Path::new(path);
        files.open(path, |content| {
            Ok(WatchedFile {
                path: path.to_owned(),
                current: ArcSwap::from_pointee(parse(content)?),
            })
        })
    }
}

fn parse<T: Content>(content: io::Result<Vec<u8>>) -> Result<T, String> {
    T::read(&content.map_err(|error| error.to_string())?)
}

impl<T: Content> Live<T> for WatchedFile<T> {
    fn current(&self) -> Arc<T> {
        self.current.load_full()
    }
}

impl<T: Content> Follower for WatchedFile<T> {
    fn path(&self) -> &Path {
        &self.path
    }

    fn on_change(&self, content: io::Result<Vec<u8>>) {
        match parse(content) {
            Ok(fresh) => {
                T::tell(&self.path, Ok(&fresh));
                self.current.store(Arc::new(fresh));
            }
            Err(why) => T::tell(&self.path, Err(&why)),
        }
    }
}
