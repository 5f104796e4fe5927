//! What programs follow beside their text: files that the host reads, and reads again when they change.
//!
//! The compiler asks on the main thread, once for each program; what it is given lives with the program.
//! Nothing here touches a file: a host with threads watches them, a command-line tool reads them once, and
//! [`NoFiles`] has none.

use std::sync::Arc;

pub use llm::price::Prices;

use crate::live::Live;
pub use crate::profiles::NoProfiles;
use crate::profiles::Profiles;
use crate::provider::{Keys, NoKeys};

/// The files of a host.
pub trait Files {
    /// The profiles that configurations can choose.
    ///
    /// # Errors
    /// Why there are none.
    fn profiles(&self) -> Result<Arc<Profiles>, NoProfiles>;

    /// The prices in the file at `path`, as they are at any later time.
    ///
    /// # Errors
    /// Why there are none: one sentence that names what would be right, without the path.
    fn prices(&self, path: &str) -> Result<Arc<dyn Live<Prices>>, String>;

    /// The keys for providers.
    fn keys(&self) -> &dyn Keys {
        &NoKeys
    }
}

/// No files at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn profiles(&self) -> Result<Arc<Profiles>, NoProfiles> {
        Err(NoProfiles::Unset)
    }

    fn prices(&self, _path: &str) -> Result<Arc<dyn Live<Prices>>, String> {
        Err("files of prices cannot be read here".to_owned())
    }
}

/// Reads the text of a file of prices, of either shape.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read_prices(text: &[u8]) -> Result<Prices, String> {
    let text = str::from_utf8(text).map_err(|_| "the prices are not UTF-8 text".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let loaded = Prices::read(text).map_err(|error| error.to_string())?;
    if loaded.prices.is_empty() {
        return Err("no model has a price in it".to_owned());
    }
    Ok(loaded.prices)
}
