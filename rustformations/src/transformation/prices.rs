//! Files of prices: each is one table in the process, read again when it changes.
//!
//! Opened while a configuration is compiled; read again on the watcher's thread. A file that is broken or gone
//! changes nothing: the last good table stays. Workers take the table as it is when an exchange ends.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::ArcSwap;
use envoy_proxy_dynamic_modules_rust_sdk::{envoy_log_error, envoy_log_info};
use once_cell::sync::Lazy;
use transformations::files::{LivePrices, Prices, read_prices};

use super::reloads::{self, Reload};
use crate::watch::{self, Follower, Watcher};

/// One file of prices.
#[derive(Debug)]
struct PriceFile {
    path: PathBuf,
    current: ArcSwap<Prices>,
}

/// Those that are in use.
static FILES: Lazy<Mutex<HashMap<PathBuf, Weak<PriceFile>>>> = Lazy::new(Mutex::default);

/// The prices of the file at `path`, shared by all that name it so.
///
/// # Errors
/// Why it cannot be read, or what is wrong in it.
pub(super) fn open(path: &str) -> Result<Arc<dyn LivePrices>, String> {
    let path = PathBuf::from(path);
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = files.get(&path).and_then(Weak::upgrade) {
        return Ok(file);
    }
    let (seen, content) = watch::read(&path);
    let file = Arc::new(PriceFile {
        current: ArcSwap::from_pointee(read(content)?),
        path: path.clone(),
    });
    let follower: Weak<dyn Follower> = Arc::downgrade(&file) as _;
    Watcher::of_process().follow(follower, seen);
    files.retain(|_, file| file.strong_count() > 0);
    files.insert(path, Arc::downgrade(&file));
    Ok(file)
}

fn read(content: io::Result<Vec<u8>>) -> Result<Prices, String> {
    read_prices(&content.map_err(|error| error.to_string())?)
}

impl LivePrices for PriceFile {
    fn current(&self) -> Arc<Prices> {
        self.current.load_full()
    }
}

impl Follower for PriceFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn on_change(&self, content: io::Result<Vec<u8>>) {
        let path = self.path.display();
        match read(content) {
            Ok(prices) => {
                envoy_log_info!("{path}: {} prices are in use from now on", prices.len());
                self.current.store(Arc::new(prices));
                reloads::count(Reload::PricesTaken);
            }
            Err(why) => {
                envoy_log_error!("{path}: the prices before this change stay in use: {why}");
                reloads::count(Reload::PricesRefused);
            }
        }
    }
}

#[cfg(test)]
mod tests;
