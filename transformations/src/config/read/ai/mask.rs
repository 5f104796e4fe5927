//! Reads the stage `mask`. Names of kinds and actions that others use are accepted, and told in ours.

use llm::mask::{Action, Kind};
use llm::text::Role;
use serde_json::{Map, Value};

use super::super::{Reader, join};
use crate::codes::Code;
use crate::config::ai::mask::{MaskPattern, MaskRules, MaskWords};
use crate::config::fields::ai;
use crate::config::fields::ai::mask as field;
use crate::diagnostics::{Diagnostic, Severity, nearest};

type Fields = Map<String, Value>;

impl Reader {
    pub(super) fn mask(&mut self, fields: &Fields, parent: &str) -> Option<MaskRules> {
        let (fields, path) = self.strict_field(fields, parent, &ai::MASK_HERE)?;
        let is_empty = |name: &str| match fields.get(name) {
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(items)) => items.is_empty(),
            it => it.is_none_or(Value::is_null),
        };
        let lists = [
            field::DETECTORS.name,
            field::PATTERNS.name,
            field::WORD_LISTS.name,
        ];
        if lists.into_iter().all(is_empty) {
            self.error(
                Code::MISSING_VALUE,
                &path,
                "there is nothing to look for here",
            );
        }
        Some(MaskRules {
            detectors: self.detectors(fields, &path),
            patterns: self.mask_patterns(fields, &path),
            words: self.mask_words(fields, &path),
            roles: self.roles(
                fields,
                &path,
                &field::ROLES,
                &[Role::User, Role::Assistant, Role::Tool],
            ),
            returns: (self.choice(fields, &path, &field::RESPONSE)).unwrap_or_default(),
            passes_unseen: (self.choice(fields, &path, &field::ON_ERROR)).unwrap_or_default(),
            is_shadow: (self.flag(fields, &path, &field::SHADOW)).unwrap_or_default(),
            hash_key_file: self.string(fields, &path, &field::HASH_KEY_FILE),
            path,
        })
    }

    fn detectors(&mut self, fields: &Fields, parent: &str) -> Vec<(Kind, Action)> {
        let name = field::DETECTORS.name;
        let path = join(parent, name);
        let actions = fields.get(name).and_then(|it| self.object(it, &path));
        let mut all: Vec<(Kind, Action)> = Vec::new();
        for (name, action) in actions.into_iter().flatten() {
            let shown: String = name.chars().take(64).collect();
            let path = join(&path, &shown);
            let Some(kind) = Kind::parse(name) else {
                let names = Kind::ALL.map(Kind::configured);
                let help = match nearest(&shown, names) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("the kinds are {}", names.join(", ")),
                };
                let message = "this kind of value is not known";
                let problem = Diagnostic::error(Code::UNKNOWN_AI_FIELD, &path, message);
                self.found.push(problem.with_help(help));
                continue;
            };
            if name != kind.configured() {
                self.spelt(&path, kind.configured());
            }
            if all.iter().any(|(it, _)| *it == kind) {
                let message = format!("\"{}\" is there twice", kind.configured());
                self.error(Code::BAD_MASK, &path, message);
            }
            all.extend(self.action(action, &path).map(|action| (kind, action)));
        }
        all
    }

    fn mask_patterns(&mut self, fields: &Fields, parent: &str) -> Vec<MaskPattern> {
        let mut all = Vec::new();
        for (item, path) in self.objects(fields, parent, &field::PATTERNS, &field::PATTERN) {
            let name = self.needed_text(item, &path, &field::NAME);
            let regex = self.needed_text(item, &path, &field::PATTERN_REGEX);
            let action = self.action_of(item, &path);
            if let (Some(name), Some(regex)) = (name, regex) {
                all.push(MaskPattern {
                    name,
                    regex,
                    action,
                    path,
                });
            }
        }
        all
    }

    fn mask_words(&mut self, fields: &Fields, parent: &str) -> Vec<MaskWords> {
        let mut all = Vec::new();
        for (item, path) in self.objects(fields, parent, &field::WORD_LISTS, &field::WORD_LIST) {
            let name = self.needed_text(item, &path, &field::NAME);
            let words = self.texts(item, &path, &field::WORDS);
            if item.get(field::WORDS.name).is_none_or(|it| match it {
                Value::Array(items) => items.is_empty(),
                it => it.is_null(),
            }) {
                self.missing(&path, field::WORDS.name);
            }
            let flag = self.flag(item, &path, &ai::stages::CASE_SENSITIVE);
            let action = self.action_of(item, &path);
            all.extend(name.map(|name| MaskWords {
                name,
                words,
                case_sensitive: flag.unwrap_or_default(),
                action,
                path,
            }));
        }
        all
    }

    fn action_of(&mut self, fields: &Fields, parent: &str) -> Action {
        let name = field::ACTION.name;
        let given = fields.get(name).filter(|it| !it.is_null());
        let action = given.and_then(|it| self.action(it, &join(parent, name)));
        action
            .or(field::ACTION.shape.default)
            .unwrap_or(Action::Mask)
    }

    fn action(&mut self, value: &Value, path: &str) -> Option<Action> {
        let Value::String(word) = value else {
            self.wrong_type(path, "a string", value);
            return None;
        };
        let names = Action::ALL.map(Action::name);
        let Some(action) = Action::parse(word) else {
            let quoted = names.map(|it| format!("\"{it}\"")).join(", ");
            let message = format!("expected one of {quoted}");
            let problem = Diagnostic::error(Code::UNKNOWN_CHOICE, path, message);
            self.found.push(match nearest(word, names) {
                Some(near) => problem.with_help(format!("did you mean \"{near}\"?")),
                None => problem,
            });
            return None;
        };
        if word != action.name() {
            self.spelt(path, action.name());
        }
        Some(action)
    }

    /// Tells our spelling of a name that was understood.
    fn spelt(&mut self, path: &str, ours: &str) {
        let message = format!("this is spelt \"{ours}\" here");
        let warning = Diagnostic::error(Code::OTHER_SPELLING, path, message);
        self.found.push(warning.with_severity(Severity::Warning));
    }
}
