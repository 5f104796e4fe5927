//! The configuration of the filter `llm-provider`: one provider, or several by name.

use serde_json::{Map, Value};

use super::{Reader, join};
use crate::codes::Code;
use crate::config::fields::provider as field;
use crate::config::fields::top::PROVIDER_HERE;
use crate::config::provider::{Auth, KeyPlace, ProviderRules, ProvidersRules};
use crate::diagnostics::Diagnostic;

type Fields = Map<String, Value>;

/// Reads a whole configuration.
pub(in crate::config) fn providers(value: &Value) -> (ProvidersRules, Vec<Diagnostic>) {
    let mut reader = Reader { found: Vec::new() };
    let mut rules = ProvidersRules::default();
    if let Some(fields) = reader.object(value, "") {
        let name = field::PROVIDERS.name;
        match fields.get(name).filter(|it| !it.is_null()) {
            None => {
                reader.only(fields, "", &field::ONE);
                rules.one = reader.provider(fields, "");
            }
            Some(several) => {
                reader.only(fields, "", &field::SEVERAL);
                let several = reader.object(several, name);
                if several.is_some_and(Map::is_empty) {
                    let message = "there is no provider here";
                    reader.error(Code::MISSING_VALUE, name, message);
                }
                for (key, one) in several.into_iter().flatten() {
                    let shown: String = key.chars().take(64).collect();
                    let path = join(name, &shown);
                    let Value::Object(fields) = one else {
                        reader.wrong_type(&path, "an object", one);
                        continue;
                    };
                    reader.only(fields, &path, &field::ONE);
                    let one = reader.provider(fields, &path);
                    rules.several.extend(one.map(|one| (key.clone(), one)));
                }
            }
        }
    }
    (rules, reader.found)
}

impl Reader {
    /// The provider of a configuration of the transformation filter.
    pub(super) fn provider_here(&mut self, fields: &Fields) -> Option<ProviderRules> {
        let (fields, path) = self.strict_field(fields, "", &PROVIDER_HERE)?;
        self.provider(fields, &path)
    }

    fn provider(&mut self, fields: &Fields, path: &str) -> Option<ProviderRules> {
        let is_there = fields
            .get(field::PROVIDER.name)
            .is_some_and(|it| !it.is_null());
        if !is_there {
            self.missing(path, field::PROVIDER.name);
        }
        let provider = self.choice(fields, path, &field::PROVIDER);
        let rules = |provider| ProviderRules {
            provider,
            model: None,
            models: self.models(fields, path),
            auth: self.auth(fields, path),
            defaults: self.members(fields, path, field::DEFAULTS.name),
            set: self.members(fields, path, field::SET.name),
            remove: self.texts(fields, path, &field::REMOVE),
            unsupported: (self.choice(fields, path, &field::UNSUPPORTED)).unwrap_or_default(),
            authority: self.text_or_none(fields, path, field::AUTHORITY.name),
            region: self.text_or_none(fields, path, field::REGION.name),
            project: self.text_or_none(fields, path, field::PROJECT.name),
            api_version: self.text_or_none(fields, path, field::API_VERSION.name),
            path_prefix: self.text_or_none(fields, path, field::PATH_PREFIX.name),
            path: path.to_owned(),
        };
        let mut rules = provider.map(rules)?;
        let model = self.text_or_none(fields, path, field::MODEL.name);
        rules.model = Some(model).filter(|it| !it.is_empty());
        Some(rules)
    }

    /// What is absent is empty.
    fn text_or_none(&mut self, fields: &Fields, path: &str, name: &str) -> String {
        self.text_of(fields, path, name).unwrap_or_default()
    }

    fn models(&mut self, fields: &Fields, parent: &str) -> Vec<(String, String)> {
        let path = join(parent, field::MODELS.name);
        let models = fields.get(field::MODELS.name);
        let models = models.and_then(|it| self.object(it, &path));
        let mut all = Vec::new();
        for (name, model) in models.into_iter().flatten() {
            match model {
                Value::String(model) if !name.is_empty() && !model.is_empty() => {
                    all.push((name.clone(), model.clone()));
                }
                Value::String(_) => {
                    let message = "a name of a model is empty here";
                    self.error(Code::BAD_MODEL, &path, message);
                }
                other => {
                    let shown: String = name.chars().take(64).collect();
                    self.wrong_type(&join(&path, &shown), "the name of a model", other);
                }
            }
        }
        all
    }

    /// Members of a request, each as JSON text.
    fn members(&mut self, fields: &Fields, parent: &str, name: &str) -> Vec<(String, String)> {
        let members = fields.get(name);
        let members = members.and_then(|it| self.object(it, &join(parent, name)));
        let members = members.into_iter().flatten();
        members
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect()
    }

    fn auth(&mut self, fields: &Fields, parent: &str) -> Auth {
        let path = join(parent, field::AUTH_HERE.name);
        let auth = match fields.get(field::AUTH_HERE.name) {
            None | Some(Value::Null) => return Auth::None,
            Some(Value::String(word)) if word == "none" => return Auth::None,
            Some(Value::Object(auth)) => auth,
            Some(Value::String(_)) => {
                let message = "expected an object, or \"none\"";
                self.error(Code::UNKNOWN_CHOICE, &path, message);
                return Auth::None;
            }
            Some(other) => {
                self.wrong_type(&path, "an object, or \"none\"", other);
                return Auth::None;
            }
        };
        self.only(auth, &path, &field::AUTH);
        let key = self.strict(auth, &path, field::API_KEY_HERE.name, &field::API_KEY);
        let gcp = self.strict_field(auth, &path, &field::GCP_HERE);
        match (key, gcp) {
            (Some((key, path)), None) => self.api_key(key, &path).map_or(Auth::None, Auth::Key),
            (None, Some((gcp, path))) => {
                let file = self.needed_text(gcp, &path, &field::TOKEN_FILE);
                file.map_or(Auth::None, |file| Auth::GcpToken(KeyPlace::File(file)))
            }
            _ => {
                let message =
                    "this needs one of \"apiKey\" and \"gcp\"; \"none\" is said in its place";
                self.error(Code::BAD_PROVIDER, &path, message);
                Auth::None
            }
        }
    }

    fn api_key(&mut self, fields: &Fields, path: &str) -> Option<KeyPlace> {
        let file = self.string(fields, path, &field::KEY_FILE);
        let env = self.string(fields, path, &field::KEY_ENV);
        let metadata = self.strict_field(fields, path, &field::KEY_METADATA);
        match (file, env, metadata) {
            (Some(file), None, None) if !file.is_empty() => Some(KeyPlace::File(file)),
            (None, Some(env), None) if !env.is_empty() => Some(KeyPlace::Env(env)),
            (None, None, Some((fields, path))) => {
                let namespace = self.needed_text(fields, &path, &field::NAMESPACE);
                let key = self.needed_text(fields, &path, &field::KEY);
                Some(KeyPlace::Metadata(namespace?, key?))
            }
            _ => {
                let message = "a key is in one place: \"file\", \"env\" or \"metadata\"";
                self.error(Code::BAD_PROVIDER, path, message);
                None
            }
        }
    }
}
