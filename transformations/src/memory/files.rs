//! Files in memory, which never change: for tests, and for whoever checks configurations away from a proxy.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::files::{Files, NoProfiles, Prices, read_prices};
use crate::live::{Fixed, Live};
use crate::profiles::Profiles;

/// Texts in the place of files.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    /// The name and the text of the file of profiles.
    pub profiles: Option<(String, String)>,
    /// Names and texts of files of prices.
    pub prices: BTreeMap<String, String>,
}

impl Files for MemoryFiles {
    fn profiles(&self) -> Result<Arc<Profiles>, NoProfiles> {
        let (file, text) = self.profiles.as_ref().ok_or(NoProfiles::Unset)?;
        let profiles = Profiles::parse(file, text.as_bytes());
        profiles.map(Arc::new).map_err(|why| NoProfiles::Broken {
            file: file.clone(),
            why: why.to_string(),
        })
    }

    fn prices(&self, path: &str) -> Result<Arc<dyn Live<Prices>>, String> {
        let text = self.prices.get(path).ok_or("there is no such file")?;
        let prices = read_prices(text.as_bytes())?;
        Ok(Arc::new(Fixed::new(prices)))
    }
}
