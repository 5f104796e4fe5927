//! The configuration of the filter `llm-provider` as its author wrote it, checked for shape.
//!
//! Read on the main thread. Holds names of files and variables, never a key.

use llm::translate::{Provider, Unsupported};

use super::{bytes, read};
use crate::diagnostics::Diagnostic;

/// One provider, or several by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProvidersRules {
    /// The only one.
    pub one: Option<ProviderRules>,
    /// Those that the metadata of a host chooses among.
    pub several: Vec<(String, ProviderRules)>,
}

/// One provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRules {
    /// Who answers.
    pub provider: Provider,
    /// The model that is asked, unless `models` has one.
    pub model: Option<String>,
    /// What is asked in the place of the client's model.
    pub models: Vec<(String, String)>,
    /// How it knows who asks.
    pub auth: Auth,
    /// Members of the client's request where it has none of the name, as JSON.
    pub defaults: Vec<(String, String)>,
    /// Members of the provider's request, as JSON.
    pub set: Vec<(String, String)>,
    /// Members of the client's request that are left out.
    pub remove: Vec<String>,
    /// What becomes of what it cannot express.
    pub unsupported: Unsupported,
    /// The host; empty for the provider's.
    pub authority: String,
    /// Where.
    pub region: String,
    /// Whose.
    pub project: String,
    /// The version; empty for what is usual.
    pub api_version: String,
    /// What paths begin with; empty for what is usual.
    pub path_prefix: String,
    /// Where it stands in the configuration.
    pub path: String,
}

/// How a provider knows who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// It is somebody else's to say.
    #[default]
    None,
    /// By a key, in the provider's own header.
    Key(KeyPlace),
    /// By an access token of Google's.
    GcpToken(KeyPlace),
}

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a file.
    File(String),
    /// In an environment variable.
    Env(String),
    /// In dynamic metadata, by namespace and key.
    Metadata(String, String),
}

impl ProvidersRules {
    /// Reads a configuration; always answers what could be read, beside everything that was found.
    pub fn parse(bytes: &[u8]) -> (ProvidersRules, Vec<Diagnostic>) {
        match bytes::to_strict_json(bytes) {
            Ok(value) => read::provider::providers(&value),
            Err(problem) => (ProvidersRules::default(), vec![*problem]),
        }
    }
}
