//! Files of keys: each is one key in the process, read again when it changes.
//!
//! Opened while a configuration is compiled; read again on the watcher's thread. A file that is empty,
//! broken or gone changes nothing: the last good key stays. What is in a file is never logged.

use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::ArcSwap;
use envoy_proxy_dynamic_modules_rust_sdk::{envoy_log_error, envoy_log_info};
use once_cell::sync::Lazy;
use transformations::provider::{Key, Keys, LiveKey};

use crate::watch::{self, Follower, Watcher};

/// The keys of this process: its files and its environment.
#[derive(Clone, Copy, Debug)]
pub(super) struct ModuleKeys;

/// One file of a key.
#[derive(Debug)]
struct KeyFile {
    path: PathBuf,
    current: ArcSwap<Key>,
}

/// Those that are in use.
static FILES: Lazy<Mutex<HashMap<PathBuf, Weak<KeyFile>>>> = Lazy::new(Mutex::default);

impl Keys for ModuleKeys {
    fn file(&self, path: &str) -> Result<Arc<dyn LiveKey>, String> {
        let path = PathBuf::from(path);
        let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(&path).and_then(Weak::upgrade) {
            return Ok(file);
        }
        let (seen, content) = watch::read(&path);
        let file = Arc::new(KeyFile {
            current: ArcSwap::from_pointee(read(content)?),
            path: path.clone(),
        });
        let follower: Weak<dyn Follower> = Arc::downgrade(&file) as _;
        Watcher::of_process().follow(follower, seen);
        files.retain(|_, file| file.strong_count() > 0);
        files.insert(path, Arc::downgrade(&file));
        Ok(file)
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        std::env::var_os(name).map(|value| value.into_vec())
    }
}

fn read(content: io::Result<Vec<u8>>) -> Result<Key, String> {
    let content = content.map_err(|error| error.to_string())?;
    Key::read(&content).map_err(|error| error.to_string())
}

impl LiveKey for KeyFile {
    fn current(&self) -> Arc<Key> {
        self.current.load_full()
    }
}

impl Follower for KeyFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn on_change(&self, content: io::Result<Vec<u8>>) {
        let path = self.path.display();
        match read(content) {
            Ok(key) => {
                self.current.store(Arc::new(key));
                envoy_log_info!("{path}: the new key is in use from now on");
            }
            Err(why) => {
                envoy_log_error!("{path}: the key before this change stays in use: {why}");
            }
        }
    }
}
