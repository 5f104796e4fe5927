//! From the configuration of providers to what runs. On the main thread.

use std::collections::HashMap;
use std::sync::Arc;

use llm::pattern::{Pattern, Patterns};
use llm::translate::{Options, Provider};

use super::attempt::Attempt;
use super::keys::{Key, Keys};
use super::members::LIMITS;
use crate::codes::Code;
use crate::config::provider::{Auth, KeyPlace, ProviderRules, ProvidersRules};
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::live::{Fixed, Live};

/// The providers of a configuration: valid, shared by all workers, and never changed.
#[derive(Debug)]
pub struct Providers {
    pub(super) choice: Choice,
    /// Whether the host can send a request again whose response is being held.
    pub(super) retries_held: bool,
}

/// Which provider is asked.
#[derive(Debug)]
pub(super) enum Choice {
    One(Arc<Target>),
    ByHost(HashMap<String, Arc<Target>>),
}

/// One provider.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) rules: ProviderRules,
    pub(super) models: Patterns<String>,
    pub(super) auth: Credential,
    /// Where requests are for; none for where the client's are.
    pub(super) authority: Option<String>,
    /// How many tokens an answer may have by the defaults.
    pub(super) max_tokens: Option<u64>,
    /// What is left out where bodies go on as they come: what is removed, and what is set.
    pub(super) removed_alike: Vec<String>,
}

/// Who asks.
#[derive(Debug)]
pub(super) enum Credential {
    None,
    Key(Arc<dyn Live<Key>>),
    Metadata(String, String),
}

impl Providers {
    /// Compiles the JSON text of a configuration. `envoy` is the release of the host, by major and
    /// minor version.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(
        text: &[u8],
        envoy: (u16, u16),
        keys: &dyn Keys,
    ) -> Result<Arc<Providers>, Diagnostics> {
        let (rules, mut found) = ProvidersRules::parse(text);
        let mut target = |rules: ProviderRules| Arc::new(Target::new(rules, keys, &mut found));
        let choice = match rules.one {
            Some(one) => Some(Choice::One(target(one))),
            None => {
                let several = rules.several.into_iter();
                let several: HashMap<_, _> =
                    several.map(|(name, rules)| (name, target(rules))).collect();
                (!several.is_empty()).then_some(Choice::ByHost(several))
            }
        };
        let is_refused = found.iter().any(|it| it.severity() == Severity::Error);
        match choice {
            Some(choice) if !is_refused => Ok(Arc::new(Providers {
                choice,
                retries_held: retries_held(envoy),
            })),
            _ => Err(Diagnostics::new(found)),
        }
    }

    /// Compiles one provider. What is wrong is added to `found`.
    pub(crate) fn of(
        rules: ProviderRules,
        envoy: (u16, u16),
        keys: &dyn Keys,
        found: &mut Vec<Diagnostic>,
    ) -> Arc<Providers> {
        Arc::new(Providers {
            choice: Choice::One(Arc::new(Target::new(rules, keys, found))),
            retries_held: retries_held(envoy),
        })
    }

    /// Whether a file of a key is among what it reads.
    pub fn follows_files(&self) -> bool {
        let follows = |target: &Target| match &target.rules.auth {
            Auth::Key(place) | Auth::GcpToken(place) => matches!(place, KeyPlace::File(_)),
            Auth::None => false,
        };
        match &self.choice {
            Choice::One(target) => follows(target),
            Choice::ByHost(targets) => targets.values().any(|it| follows(it)),
        }
    }

    /// The state of one attempt.
    pub fn open(self: &Arc<Self>) -> Attempt {
        Attempt::new(Arc::clone(self))
    }
}

/// Whether this release can send a request again whose response is being held.
fn retries_held(envoy: (u16, u16)) -> bool {
    envoy >= (1, 37)
}

impl Target {
    fn new(rules: ProviderRules, keys: &dyn Keys, found: &mut Vec<Diagnostic>) -> Target {
        let path = |name: &str| match rules.path.as_str() {
            "" => name.to_owned(),
            parent => format!("{parent}.{name}"),
        };
        let mut wrong = |name: &str, message: &str| {
            found.push(Diagnostic::error(Code::BAD_PROVIDER, &path(name), message));
        };
        let is_vertex = matches!(
            rules.provider,
            Provider::VertexGemini | Provider::VertexAnthropic
        );
        if is_vertex && rules.project.is_empty() {
            wrong("project", "Vertex needs the \"project\" that asks");
        }
        if is_vertex && rules.region.is_empty() {
            wrong("region", "Vertex needs a \"region\"");
        }
        for (name, text) in [
            ("region", &rules.region),
            ("project", &rules.project),
            ("apiVersion", &rules.api_version),
        ] {
            let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_.:".contains(it);
            if !text.chars().all(is_plain) {
                wrong(
                    name,
                    "only letters, digits, dots, colons and dashes stand here",
                );
            }
        }
        let is_host = |it: char| it.is_ascii_alphanumeric() || "-_.:[]".contains(it);
        if !rules.authority.chars().all(is_host) {
            wrong("authority", "this is no host, with or without a port");
        }
        let prefix = &rules.path_prefix;
        let is_path = |it: char| it.is_ascii_graphic() && !"?#".contains(it);
        let is_prefix = prefix.starts_with('/') && prefix.chars().all(is_path);
        if !prefix.is_empty() && !is_prefix {
            wrong(
                "pathPrefix",
                "a prefix begins with a slash and has no query",
            );
        }
        if matches!(rules.auth, Auth::GcpToken(_)) && !is_vertex {
            wrong("auth.gcp", "access tokens of Google's are for Vertex");
        }
        let mut defaults = rules.defaults.iter();
        let max_tokens = defaults.find(|(name, _)| LIMITS.contains(&name.as_str()));
        let max_tokens = max_tokens.and_then(|(_, value)| value.parse().ok());
        let set = rules.set.iter().map(|(name, _)| name);
        let removed_alike = rules.remove.iter().chain(set).cloned().collect();
        let models = rules.models.iter();
        // The reader has refused empty names.
        let models =
            models.filter_map(|(name, model)| Some((Pattern::new(name).ok()?, model.clone())));
        let models = models.collect();
        let authority = match rules.authority.as_str() {
            "" => rules.provider.authority(&rules.region),
            authority => Some(authority.to_owned()),
        };
        let auth = credential(&rules.auth, &path("auth"), keys, found);
        Target {
            models,
            auth,
            authority,
            max_tokens,
            removed_alike,
            rules,
        }
    }

    /// What is decided for requests to this provider; the path, the model and the betas are the request's.
    pub(super) fn options(&self) -> Options<'_> {
        let rules = &self.rules;
        Options {
            max_tokens: self.max_tokens,
            unsupported: rules.unsupported,
            region: &rules.region,
            project: &rules.project,
            api_version: &rules.api_version,
            path_prefix: &rules.path_prefix,
            ..Options::default()
        }
    }
}

fn credential(auth: &Auth, path: &str, keys: &dyn Keys, found: &mut Vec<Diagnostic>) -> Credential {
    let place = match auth {
        Auth::None => return Credential::None,
        Auth::Key(place) | Auth::GcpToken(place) => place,
    };
    let key = match place {
        KeyPlace::Metadata(namespace, key) => {
            return Credential::Metadata(namespace.clone(), key.clone());
        }
        KeyPlace::File(file) => keys.file(file),
        KeyPlace::Env(name) => match keys.variable(name) {
            None => Err("this environment variable is not set".to_owned()),
            Some(content) => match Key::read(&content) {
                Ok(key) => Ok(Arc::new(Fixed::new(key)) as Arc<dyn Live<Key>>),
                Err(error) => Err(error.to_string()),
            },
        },
    };
    match key {
        Ok(key) => Credential::Key(key),
        Err(why) => {
            let message = format!("the key cannot be read: {why}");
            found.push(Diagnostic::error(Code::BAD_KEY, path, message));
            Credential::None
        }
    }
}
