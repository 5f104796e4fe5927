//! Reads `publish`: facts under names of the author's own.

use serde_json::{Map, Value};

use super::super::{Reader, join};
use crate::codes::Code;
use crate::config::ai::publish::{Publish, PublishedHeader, PublishedMetadata};
use crate::config::fields::ai;
use crate::config::fields::ai::publish as field;
use crate::direction::Direction;
use crate::http;

impl Reader {
    pub(super) fn publish(&mut self, fields: &Map<String, Value>, parent: &str) -> Publish {
        let Some((fields, path)) = self.strict_field(fields, parent, &ai::PUBLISH_HERE) else {
            return Publish::default();
        };
        Publish {
            metadata: self.published_metadata(fields, &path),
            headers: self.published_headers(fields, &path),
            models: self.published_models(fields, &path),
        }
    }

    fn published_models(&mut self, fields: &Map<String, Value>, path: &str) -> Vec<String> {
        let models = self.texts(fields, path, &field::MODELS);
        for (index, name) in models.iter().enumerate() {
            if name.is_empty() || name.contains('*') {
                let path = format!("{}[{index}]", join(path, field::MODELS.name));
                let message = "a label of statistics is the name of one model";
                self.error(Code::BAD_MODEL, &path, message);
            }
        }
        models
    }

    fn published_metadata(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
    ) -> Vec<PublishedMetadata> {
        let list = &field::METADATA;
        let mut all = Vec::new();
        for (index, item) in self.list(fields, path, list).iter().enumerate() {
            let path = format!("{}[{index}]", join(path, list.name));
            let Some(fields) = self.object(item, &path) else {
                continue;
            };
            self.only(fields, &path, &field::PUBLISHED_METADATA);
            let namespace = self.needed_text(fields, &path, &field::NAMESPACE);
            let key = self.needed_text(fields, &path, &field::KEY);
            let from = self.choice(fields, &path, &field::FROM);
            if fields.get(field::FROM.name).is_none_or(Value::is_null) {
                self.missing(&path, field::FROM.name);
            }
            if let (Some(namespace), Some(key), Some(from)) = (namespace, key, from) {
                all.push(PublishedMetadata {
                    namespace,
                    key,
                    from,
                    path: join(&path, field::FROM.name),
                });
            }
        }
        all
    }

    fn published_headers(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
    ) -> Vec<PublishedHeader> {
        let path = join(parent, field::HEADERS.name);
        let headers = fields.get(field::HEADERS.name);
        let headers = headers.and_then(|it| self.object(it, &path));
        let mut all: Vec<PublishedHeader> = Vec::new();
        for (name, fact) in headers.into_iter().flatten() {
            let path = format!("{path}[{:?}]", name.chars().take(64).collect::<String>());
            let name = self.published_header_name(name, &path);
            let Some(from) = self.word(Some(fact), &path, field::FACT) else {
                continue;
            };
            let Some(name) = name else { continue };
            if all.iter().any(|known| known.name == name) {
                let message = format!("{name} is named twice; upper and lower case do not differ");
                self.error(Code::BAD_HEADER_NAME, &path, message);
                continue;
            }
            all.push(PublishedHeader { name, from, path });
        }
        all
    }

    /// The name in lower case, if it is one that can hold a fact: not one that says what the response is.
    fn published_header_name(&mut self, name: &str, path: &str) -> Option<String> {
        let name = self.header_name(name, path)?;
        let is_of_message = http::is_vital(&name, Direction::Response)
            || http::is_framing(&name)
            || http::is_hop_by_hop(&name)
            || name.starts_with(':')
            || ["content-type", "content-encoding", "set-cookie"].contains(&&*name);
        if is_of_message {
            let message = format!("{name} is not the name of a header that can hold a fact");
            self.error(Code::BAD_HEADER_NAME, path, message);
            return None;
        }
        Some(name)
    }
}
