//! Files of prices: each is one table in the process, for all configurations that name its path. Workers take
//! the table as it is when an exchange ends.

use std::path::Path;
use std::sync::Arc;

use envoy_proxy_dynamic_modules_rust_sdk::{envoy_log_error, envoy_log_info};
use once_cell::sync::Lazy;
use transformations::files::{Prices, read_prices};
use transformations::live::Live;

use super::reloads::{self, Reload};
use crate::watch::file::{Content, OpenFiles, WatchedFile};

/// Those that are in use.
static FILES: Lazy<OpenFiles<WatchedFile<Prices>>> = Lazy::new(OpenFiles::default);

/// The prices of the file at `path`.
///
/// # Errors
/// Why it cannot be read, or what is wrong in it.
pub(super) fn open(path: &str) -> Result<Arc<dyn Live<Prices>>, String> {
    Ok(WatchedFile::open(&FILES, path)?)
}

impl Content for Prices {
    fn read(content: &[u8]) -> Result<Prices, String> {
        read_prices(content)
    }

    fn tell(path: &Path, change: Result<&Prices, &str>) {
        let path = path.display();
        match change {
            Ok(prices) => {
                envoy_log_info!("{path}: {} prices are in use from now on", prices.len());
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
