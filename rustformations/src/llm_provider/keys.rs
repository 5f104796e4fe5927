//! The keys of this process: files, which are watched, and variables of its environment. What is in them is
//! never logged.

use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::sync::Arc;

use envoy_proxy_dynamic_modules_rust_sdk::{envoy_log_error, envoy_log_info};
use once_cell::sync::Lazy;
use transformations::live::Live;
use transformations::provider::{Key, Keys};

use crate::watch::file::{Content, OpenFiles, WatchedFile};

/// The keys of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModuleKeys;

/// Files of keys that are in use.
static FILES: Lazy<OpenFiles<WatchedFile<Key>>> = Lazy::new(OpenFiles::default);

impl Keys for ModuleKeys {
    fn file(&self, path: &str) -> Result<Arc<dyn Live<Key>>, String> {
        Ok(WatchedFile::open(&FILES, path)?)
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        std::env::var_os(name).map(|value| value.into_vec())
    }
}

impl Content for Key {
    fn read(content: &[u8]) -> Result<Key, String> {
        Key::read(content).map_err(|error| error.to_string())
    }

    fn tell(path: &Path, change: Result<&Key, &str>) {
        let path = path.display();
        match change {
            Ok(_) => envoy_log_info!("{path}: the new key is in use from now on"),
            Err(why) => {
                envoy_log_error!("{path}: the key before this change stays in use: {why}");
            }
        }
    }
}
