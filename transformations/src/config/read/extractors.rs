//! Extractors: `{"name": {"header": "x" | "body": {}, "regex": "...", "subgroup": 1}}`.

use serde_json::{Map, Value};

use super::{Reader, join};
use crate::codes::Code;
use crate::config::fields::transform;
use crate::config::{Extractor, ExtractorSource};

impl Reader {
    pub(super) fn extractors(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
    ) -> Vec<Extractor> {
        let name = transform::EXTRACTORS.name;
        let path = join(parent, name);
        let Some(rules) = fields.get(name).and_then(|value| self.object(value, &path)) else {
            return Vec::new();
        };
        let rules = rules.iter().filter_map(|(name, rule)| {
            let shown: String = name.chars().take(64).collect();
            self.extractor(name, rule, &join(&path, &shown))
        });
        rules.collect()
    }

    fn extractor(&mut self, name: &str, rule: &Value, path: &str) -> Option<Extractor> {
        let Value::Object(fields) = rule else {
            self.wrong_type(path, "an object", rule);
            return None;
        };
        self.known(fields, path, &transform::EXTRACTOR);
        let header = self.string(fields, path, &transform::HEADER);
        let body = fields.get(transform::READS_BODY.name);
        let body = body.is_some_and(|body| !body.is_null());
        let source = match (header, body) {
            (Some(name), false) if !name.is_empty() => {
                Some(ExtractorSource::Header(name.to_ascii_lowercase()))
            }
            (None, true) => Some(ExtractorSource::Body),
            _ => {
                let message = "an extractor reads either a \"header\" or the \"body\"";
                self.error(Code::BAD_EXTRACTOR, path, message);
                None
            }
        };
        let regex = self.string(fields, path, &transform::REGEX);
        if regex.is_none() {
            self.error(Code::BAD_EXTRACTOR, path, "an extractor needs a \"regex\"");
        }
        let subgroup = self.whole(fields, path, &transform::SUBGROUP);
        let (name, path) = (name.to_owned(), path.to_owned());
        Some(Extractor {
            name,
            source: source?,
            regex: regex?,
            subgroup: usize::try_from(subgroup?).ok()?,
            path,
        })
    }
}
