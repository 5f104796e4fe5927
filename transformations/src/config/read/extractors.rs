//! Extractors: `{"name": {"header": "x" | "body": {}, "regex": "...", "subgroup": 1}}`.

use serde_json::{Map, Value};

use super::{Reader, join};
use crate::codes::Code;
use crate::config::{Extractor, ExtractorSource};

impl Reader {
    pub(super) fn extractors(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
    ) -> Vec<Extractor> {
        let path = join(parent, "extractors");
        let Some(rules) = fields
            .get("extractors")
            .and_then(|value| self.object(value, &path))
        else {
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
        self.known(fields, path, &["header", "body", "regex", "subgroup"]);
        let header = self.string(fields, path, "header");
        let body = fields.get("body").is_some_and(|body| !body.is_null());
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
        let regex = self.string(fields, path, "regex");
        if regex.is_none() {
            self.error(Code::BAD_EXTRACTOR, path, "an extractor needs a \"regex\"");
        }
        let subgroup = match fields.get("subgroup") {
            None | Some(Value::Null) => Some(0),
            Some(number) => number
                .as_u64()
                .and_then(|number| usize::try_from(number).ok()),
        };
        if subgroup.is_none() {
            let path = join(path, "subgroup");
            self.error(Code::WRONG_TYPE, &path, "expected a whole number from 0");
        }
        let (name, path) = (name.to_owned(), path.to_owned());
        Some(Extractor {
            name,
            source: source?,
            regex: regex?,
            subgroup: subgroup?,
            path,
        })
    }
}
