//! Reads the stages of requests: `model`, `limits`, `guard`, `prompt`.

use llm::guard::Terms;
use llm::limits::{Limits, OnExcess};
use llm::text::Role;
use serde_json::{Map, Value};

use super::super::{Reader, join};
use crate::codes::Code;
use crate::config::ai::stages::{
    GuardRule, GuardRules, LimitRules, ModelRules, PromptRule, PromptRules,
};
use crate::config::fields::ai;
use crate::config::fields::ai::stages as field;
use crate::config::fields::ai::stages::ROLE_WORDS;
use crate::config::fields::shape::{Flag, List};
use crate::config::fields::{Field, Object};
use crate::http;

const HEADER: &str = "x-ai-model";
const MESSAGE: &str = "This prompt is not allowed.";

type Fields = Map<String, Value>;

impl Reader {
    pub(super) fn model(&mut self, fields: &Fields, parent: &str) -> Option<ModelRules> {
        let (fields, path) = self.strict_field(fields, parent, &ai::MODEL_HERE)?;
        let header = self.string(fields, &path, &field::HEADER);
        let header = header.unwrap_or_else(|| HEADER.to_owned()).to_lowercase();
        let may_be_set = http::is_token(&header)
            && !http::is_framing(&header)
            && !http::is_hop_by_hop(&header)
            && !["host", "content-type", "accept-encoding"].contains(&&*header);
        if !header.is_empty() && !may_be_set {
            let path = join(&path, field::HEADER.name);
            let message = "this is not the name of a header that can hold a model";
            self.error(Code::BAD_HEADER_NAME, &path, message);
        }
        let has_list = fields
            .get(field::ALLOWED_MODELS.name)
            .is_some_and(|it| !it.is_null());
        let allow = self.texts(fields, &path, &field::ALLOWED_MODELS);
        Some(ModelRules {
            header,
            aliases: self.aliases(fields, &path),
            // Even a malformed list is a list.
            allow: has_list.then_some(allow),
            is_shadow: self.is_set(fields, &path, &field::LOOKS_ON),
            path,
        })
    }

    fn aliases(&mut self, fields: &Fields, parent: &str) -> Vec<(String, String)> {
        let name = field::ALIASES.name;
        let path = join(parent, name);
        let aliases = fields.get(name).and_then(|it| self.object(it, &path));
        let mut all = Vec::new();
        for (name, model) in aliases.into_iter().flatten() {
            match model {
                Value::String(model) => all.push((name.clone(), model.clone())),
                other => {
                    let shown: String = name.chars().take(64).collect();
                    self.wrong_type(&join(&path, &shown), "the name of a model", other);
                }
            }
        }
        all
    }

    pub(super) fn ai_limits(&mut self, fields: &Fields, parent: &str) -> Option<LimitRules> {
        let (fields, path) = self.strict_field(fields, parent, &ai::LIMITS_HERE)?;
        let path = &path;
        let limits = Limits {
            messages: self.whole(fields, path, &field::MESSAGES),
            prompt_bytes: self.whole(fields, path, &field::PROMPT_BYTES),
            max_output_tokens: self.whole(fields, path, &field::MAX_OUTPUT_TOKENS),
            on_excess: (self.choice(fields, path, &field::ON_EXCESS)).unwrap_or_default(),
            chat_field: (self.choice(fields, path, &field::CHAT_FIELD)).unwrap_or_default(),
        };
        let Limits {
            messages,
            prompt_bytes,
            max_output_tokens,
            on_excess,
            ..
        } = limits;
        if on_excess == OnExcess::Clamp && max_output_tokens.is_none() {
            let name = field::MAX_OUTPUT_TOKENS.name;
            self.missing(path, name);
        } else if messages.or(prompt_bytes).or(max_output_tokens).is_none() {
            self.error(Code::MISSING_VALUE, path, "there is no limit here");
        }
        let is_shadow = self.is_set(fields, path, &field::LOOKS_ON);
        Some(LimitRules { limits, is_shadow })
    }

    pub(super) fn guard(&mut self, fields: &Fields, parent: &str) -> Option<GuardRules> {
        let (fields, path) = self.strict_field(fields, parent, &ai::GUARD_HERE)?;
        let mut deny = Vec::new();
        for (item, path) in self.objects(fields, &path, &field::DENY, &field::DENY_RULE) {
            let rule = self.guard_rule(item, &path);
            let roles = self.roles(item, &path, &field::ROLES, &[Role::User, Role::Tool]);
            deny.extend(rule.map(|rule| (rule, roles)));
        }
        let mut allow = Vec::new();
        for (item, path) in self.objects(fields, &path, &field::ALLOW, &field::ALLOW_RULE) {
            allow.extend(self.guard_rule(item, &path));
        }
        let is_empty = |list: &Field<List>| {
            let items = fields.get(list.name).and_then(Value::as_array);
            items.is_none_or(Vec::is_empty)
        };
        if is_empty(&field::DENY) && is_empty(&field::ALLOW) {
            self.error(Code::MISSING_VALUE, &path, "there is no rule here");
        }
        let status = self.whole(fields, &path, &field::STATUS);
        let message = self.string(fields, &path, &field::MESSAGE);
        let monitors = self.choice(fields, &path, &field::MODE).unwrap_or_default();
        let shadow = self.is_set(fields, &path, &field::SHADOW);
        Some(GuardRules {
            deny,
            allow,
            status: status.and_then(|it| u16::try_from(it).ok()).unwrap_or(403),
            message: message.unwrap_or_else(|| MESSAGE.to_owned()),
            monitors: monitors || shadow,
            path,
        })
    }

    fn guard_rule(&mut self, fields: &Fields, path: &str) -> Option<GuardRule> {
        let name = self.needed_text(fields, path, &field::NAME);
        let regex = self.string(fields, path, &field::REGEX);
        let words = self.texts(fields, path, &field::WORDS);
        let case_sensitive = self.is_set(fields, path, &field::CASE_SENSITIVE);
        let (terms, of) = match (regex, words.is_empty()) {
            (Some(regex), true) => (Terms::Regex(regex), field::REGEX.name),
            (None, false) => {
                let terms = Terms::Words {
                    words,
                    case_sensitive,
                };
                (terms, field::WORDS.name)
            }
            _ => {
                let message = "a rule has either a \"regex\" or \"words\"";
                self.error(Code::BAD_GUARD_RULE, path, message);
                return None;
            }
        };
        Some(GuardRule {
            name: name?,
            terms,
            path: join(path, of),
        })
    }

    /// Roles, or `usual` ones where none are said.
    pub(super) fn roles(
        &mut self,
        fields: &Fields,
        parent: &str,
        field: &Field<List>,
        usual: &[Role],
    ) -> Vec<Role> {
        let path = join(parent, field.name);
        if fields.get(field.name).is_none_or(Value::is_null) {
            return usual.to_vec();
        }
        let mut roles = Vec::new();
        if self.list(fields, parent, field).is_empty() {
            self.error(
                Code::MISSING_VALUE,
                &path,
                "a rule without roles looks at nothing",
            );
        }
        for (index, item) in self.list(fields, parent, field).iter().enumerate() {
            let known = ROLE_WORDS.all.iter();
            let mut known = known.filter(|(name, _)| item == name);
            match known.next() {
                Some((_, role)) => roles.push(*role),
                None => {
                    let message = "expected one of \"system\", \"user\", \"assistant\", \"tool\"";
                    self.error(Code::UNKNOWN_CHOICE, &format!("{path}[{index}]"), message);
                }
            }
        }
        roles
    }

    pub(super) fn prompt(&mut self, fields: &Fields, parent: &str) -> Option<PromptRules> {
        let (fields, path) = self.strict_field(fields, parent, &ai::PROMPT_HERE)?;
        let count = |list: &Field<List>| fields.get(list.name)?.as_array().map(Vec::len);
        if count(&field::PREPEND).unwrap_or_default() + count(&field::APPEND).unwrap_or_default()
            == 0
        {
            self.error(Code::MISSING_VALUE, &path, "there is no prompt here");
        }
        Some(PromptRules {
            prepend: self.prompts(fields, &path, &field::PREPEND),
            append: self.prompts(fields, &path, &field::APPEND),
            is_shadow: self.is_set(fields, &path, &field::LOOKS_ON),
        })
    }

    fn prompts(&mut self, fields: &Fields, parent: &str, list: &Field<List>) -> Vec<PromptRule> {
        let mut prompts = Vec::new();
        for (item, path) in self.objects(fields, parent, list, &field::PROMPT_RULE) {
            let role = self.choice(item, &path, &field::ROLE);
            if item.get(field::ROLE.name).is_none_or(Value::is_null) {
                self.missing(&path, field::ROLE.name);
            }
            let content = self.needed_text(item, &path, &field::CONTENT);
            if let (Some(role), Some(content)) = (role, content) {
                let path = join(&path, field::CONTENT.name);
                prompts.push(PromptRule {
                    role,
                    content,
                    path,
                });
            }
        }
        prompts
    }

    /// The objects of a list, each with its path; their fields are known.
    pub(super) fn objects<'a>(
        &mut self,
        fields: &'a Fields,
        parent: &str,
        list: &Field<List>,
        object: &Object,
    ) -> Vec<(&'a Fields, String)> {
        let mut all = Vec::new();
        for (index, item) in self.list(fields, parent, list).iter().enumerate() {
            let path = format!("{}[{index}]", join(parent, list.name));
            if let Some(fields) = self.object(item, &path) {
                self.only(fields, &path, object);
                all.push((fields, path));
            }
        }
        all
    }

    /// The texts of a list.
    pub(in crate::config::read) fn texts(
        &mut self,
        fields: &Fields,
        parent: &str,
        list: &Field<List>,
    ) -> Vec<String> {
        let mut all = Vec::new();
        for (index, item) in self.list(fields, parent, list).iter().enumerate() {
            match item {
                Value::String(text) => all.push(text.clone()),
                other => {
                    let path = format!("{}[{index}]", join(parent, list.name));
                    self.wrong_type(&path, "a string", other);
                }
            }
        }
        all
    }

    fn is_set(&mut self, fields: &Fields, path: &str, flag: &Field<Flag>) -> bool {
        self.flag(fields, path, flag).unwrap_or_default()
    }
}
