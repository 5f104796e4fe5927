//! `ai` in a template: what is known of the exchange as LLM traffic.
//!
//! Tokens are below `ai.usage`, all else is below `ai`. Which names there are is known when a
//! configuration is compiled; what is not known of an exchange is undefined.

use std::sync::Arc;

use llm::facts::{Fact, FactValue, Facts};
use minijinja::Value;
use minijinja::value::{Enumerator, Object};

/// The name of it.
pub(crate) const FACTS: &str = "ai";

/// The fact of this name below `ai`, or in a group of it.
pub(crate) fn fact_path(group: Option<&str>, name: &str) -> Option<Fact> {
    Fact::named(name).filter(|fact| fact.group() == group)
}

/// How a template spells a fact.
pub(crate) fn fact_spelling(fact: Fact) -> String {
    match fact.group() {
        Some(group) => format!("{FACTS}.{group}.{}", fact.name()),
        None => format!("{FACTS}.{}", fact.name()),
    }
}

/// A fact as templates compute with it.
pub(crate) fn fact_value(fact: Fact, facts: &Facts) -> Option<Value> {
    Some(match fact.of(facts)? {
        // A condition asks for it as it stands.
        FactValue::Text(text) if fact == Fact::Stream => Value::from(text == "true"),
        FactValue::Text(text) => Value::from(&*text),
        FactValue::Number(number) => Value::from(number),
        FactValue::Fraction(number) => Value::from(number),
    })
}

/// `ai`, or a group in it.
#[derive(Debug)]
pub(super) struct FactsValue {
    pub(super) facts: Arc<Facts>,
    pub(super) group: Option<&'static str>,
}

impl Object for FactsValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        if let Some(fact) = fact_path(self.group, key) {
            return fact_value(fact, &self.facts);
        }
        let groups = Fact::ALL.iter().filter_map(|fact| fact.group());
        let group = groups
            .into_iter()
            .find(|group| self.group.is_none() && *group == key)?;
        Some(Value::from_object(FactsValue {
            facts: Arc::clone(&self.facts),
            group: Some(group),
        }))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}
