//! The members at the top of a request, checked and read once.

use std::borrow::Cow;
use std::collections::HashMap;

use formats::json::Kind;

use super::Options;
use super::fields::{Becomes, Row, asks_for_nothing, becomes};
use super::json::Value;
use super::loss::Losses;
use crate::refusal::Refusal;

/// The members that an operator leaves in a request.
#[derive(Debug)]
pub(super) struct Members<'t>(HashMap<Cow<'t, str>, Value<'t>>);

impl<'t> Members<'t> {
    /// Reads the members. Loses what has no place in these rows, and refuses a name that repeats:
    /// parsers disagree about which one counts.
    ///
    /// # Cost
    /// One pass over the body, however many members there are.
    pub(super) fn read(
        body: Value<'t>,
        rows: &'static [Row],
        options: &Options<'_>,
        losses: &mut Losses,
    ) -> Result<Members<'t>, Refusal> {
        if !body.is_object() {
            return Err(Refusal::new(400, "The body must be a JSON object."));
        }
        let mut checked = Ok(());
        let mut members = HashMap::new();
        body.each(|key, value| {
            let name = key.as_str().unwrap_or_default();
            if checked.is_err() || options.remove.iter().any(|it| *it == name) {
                return;
            }
            if members.contains_key(&name) {
                checked = Err(Refusal::new(400, "A member of the request comes twice."));
                return;
            }
            match becomes(rows, &name) {
                Some(row) if row.becomes == Becomes::Refused => {
                    if !asks_for_nothing(&name, value) {
                        checked = losses.lose(row.field);
                    }
                }
                Some(_) => {}
                None if asks_for_nothing(&name, value) => {}
                None => checked = losses.lose_unknown(&name),
            }
            members.insert(name, value);
        });
        checked.map(|()| Members(members))
    }

    /// A member; none for what is absent or null.
    pub(super) fn get(&self, name: &str) -> Option<Value<'t>> {
        let value = self.0.get(name).copied();
        value.filter(|it| it.kind() != Kind::Null)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::translate::fields::CHAT_TO_ANTHROPIC;
    use crate::translate::loss::Unsupported;
    use crate::translate::provider::Provider;

    /// Comparing each name with all before it would take hours.
    #[test]
    fn many_members_are_read_in_one_pass() {
        let mut body = String::from(r#"{"model":"m""#);
        for place in 0..200_000 {
            write!(body, r#","a{place}":null"#).unwrap();
        }
        body.push('}');
        let body = Value::parse(&body).unwrap();
        let mut losses = Losses::new(Unsupported::Refuse, Provider::Anthropic);
        let members = Members::read(body, CHAT_TO_ANTHROPIC, &Options::default(), &mut losses);
        assert!(members.unwrap().get("model").unwrap().is("m"));
    }
}
