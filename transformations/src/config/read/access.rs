//! The configuration of the filter `http-acl`. Every problem is told, and any of them refuses the whole: half an
//! access list would let somebody in.

use serde_json::{Map, Value};

use super::{Reader, join};
use crate::codes::Code;
use crate::config::access::{AccessRule, AccessRules, Denial};
use crate::config::fields::access as field;
use crate::config::fields::shape::Text;
use crate::config::fields::{Field, Object};
use crate::diagnostics::Diagnostic;
use crate::http;
use crate::network::Network;

type Fields = Map<String, Value>;

/// Reads a whole configuration.
pub(in crate::config) fn list(value: &Value) -> Result<AccessRules, Vec<Diagnostic>> {
    let mut reader = Reader { found: Vec::new() };
    let rules = reader.access_list(value);
    match rules {
        Some(rules) if reader.found.is_empty() => Ok(rules),
        _ => Err(reader.found),
    }
}

impl Reader {
    fn access_list(&mut self, value: &Value) -> Option<AccessRules> {
        let fields = self.object(value, "")?;
        self.only(fields, "", &field::ACCESS_LIST);
        let default_action = self.needed_word(fields, "", &field::DEFAULT_ACTION);
        let rules = self.each(fields, "", &field::RULES, &field::RULE, Reader::access_rule);
        let denial = self.denial(fields);
        Some(AccessRules {
            default_action: default_action?,
            rules,
            denial,
        })
    }

    /// The items of a list of objects in which every field must be known.
    fn each<T>(
        &mut self,
        fields: &Fields,
        parent: &str,
        list: &Field<crate::config::fields::shape::List>,
        object: &Object,
        read: impl Fn(&mut Reader, &Fields, &str) -> Option<T>,
    ) -> Vec<T> {
        let parent_of_items = join(parent, list.name);
        let items = self.list(fields, parent, list).iter().enumerate();
        let mut all = Vec::new();
        for (index, item) in items {
            let path = format!("{parent_of_items}[{index}]");
            let Value::Object(fields) = item else {
                self.wrong_type(&path, "an object", item);
                continue;
            };
            self.only(fields, &path, object);
            all.extend(read(self, fields, &path));
        }
        all
    }

    fn access_rule(&mut self, fields: &Fields, path: &str) -> Option<AccessRule> {
        let name = self.string(fields, path, &field::NAME);
        let action = self.needed_word(fields, path, &field::ACTION);
        let mut written = Vec::new();
        for (index, item) in self.list(fields, path, &field::CIDRS).iter().enumerate() {
            written.push((format!("{}[{index}]", field::CIDRS.name), Some(item)));
        }
        let one = fields.get(field::CIDR.name).filter(|it| !it.is_null());
        written.extend(one.map(|one| (field::CIDR.name.to_owned(), Some(one))));
        let is_listed = fields.get(field::CIDRS.name).is_none_or(Value::is_array);
        if written.is_empty() && is_listed {
            let message = "at least one address or range is needed";
            self.error(Code::MISSING_VALUE, &join(path, field::CIDRS.name), message);
        }
        let mut networks = Vec::new();
        for (place, value) in written {
            let path = join(path, &place);
            if value.is_some_and(Value::is_null) {
                self.wrong_type(&path, "a string", &Value::Null);
            }
            let Some(text) = self.text_at(value, &path) else {
                continue;
            };
            match text.parse::<Network>() {
                Ok(network) => networks.push(network),
                Err(why) => self.error(Code::BAD_NETWORK, &path, why.to_string()),
            }
        }
        Some(AccessRule {
            // A rule with an empty name is reported as a nameless one, as in kgateway. The name may become
            // the value of a header.
            name: name
                .filter(|name| !name.is_empty())
                .map(|name| http::clean(&name).into_owned()),
            action: action?,
            networks,
        })
    }

    fn denial(&mut self, fields: &Fields) -> Denial {
        let absent = Fields::new();
        let there = self.strict_field(fields, "", &field::DENY_RESPONSE);
        let (fields, path) = there.unwrap_or((&absent, String::new()));
        let status = self.whole(fields, &path, &field::STATUS);
        let headers = self.each(
            fields,
            &path,
            &field::HEADERS,
            &field::HEADER,
            |reader, fields, path| {
                let name = reader.regular_header_name(fields, path, &field::HEADER_NAME);
                let value = reader.string(fields, path, &field::HEADER_VALUE);
                for needed in [&field::HEADER_NAME, &field::HEADER_VALUE] {
                    if fields.get(needed.name).is_none_or(Value::is_null) {
                        reader.missing(path, needed.name);
                    }
                }
                Some((name?, http::clean(&value?).into_owned()))
            },
        );
        let blocked_by = self.regular_header_name(fields, &path, &field::BLOCKED_BY);
        let other = self.regular_header_name(fields, &path, &field::ADD_BLOCKED_BY);
        if blocked_by.is_some() && other.is_some() {
            let message = format!(
                "this is said twice: \"{}\" is the same",
                field::BLOCKED_BY.name
            );
            self.error(
                Code::BAD_HEADER_NAME,
                &join(&path, field::ADD_BLOCKED_BY.name),
                message,
            );
        }
        Denial {
            status: status.and_then(|it| it.try_into().ok()).unwrap_or(403),
            headers,
            blocked_by: blocked_by.or(other),
        }
    }

    fn regular_header_name(
        &mut self,
        fields: &Fields,
        path: &str,
        field: &Field<Text>,
    ) -> Option<String> {
        let name = self.string(fields, path, field)?;
        if http::is_token(&name) {
            return Some(name);
        }
        let message = "not a header name; use letters, digits and dashes, without a colon";
        self.error(Code::BAD_HEADER_NAME, &join(path, field.name), message);
        None
    }

    fn needed_word<T: Copy>(
        &mut self,
        fields: &Fields,
        path: &str,
        field: &Field<crate::config::fields::shape::Words<T>>,
    ) -> Option<T> {
        if fields.get(field.name).is_none_or(Value::is_null) {
            self.missing(path, field.name);
        }
        self.choice(fields, path, field)
    }
}
