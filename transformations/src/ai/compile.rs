//! From the checked `ai` block to what runs. On the main thread.

use llm::price::{Prices, Shape};

use super::AiProgram;
use crate::codes::Code;
use crate::config::{Ai, Cost};
use crate::diagnostics::Diagnostic;
use crate::error::FieldId;

impl AiProgram {
    /// Compiles the block; none if nothing in it has anything to do. What is wrong is added to `found`.
    /// `size_field` is to blame for what is too large.
    pub(crate) fn compile(
        config: &Ai,
        size_field: FieldId,
        found: &mut Vec<Diagnostic>,
    ) -> Option<AiProgram> {
        let prices = config.cost.as_ref().and_then(|cost| prices(cost, found));
        // A cost is made of a usage.
        let usage = config
            .usage
            .or_else(|| config.cost.as_ref().map(|_| Default::default()));
        let is_idle = usage.is_none() && config.publish_metadata.is_empty();
        (!is_idle).then(|| AiProgram {
            dialect: config.dialect,
            usage,
            prices,
            metadata: config.publish_metadata.clone().into(),
            body_bytes: config.body_bytes,
            size_field,
        })
    }
}

fn prices(cost: &Cost, found: &mut Vec<Diagnostic>) -> Option<Prices> {
    let problem = |path: &str, message: String| Diagnostic::error(Code::BAD_PRICE, path, message);
    match Prices::read(&cost.prices) {
        Ok(loaded) if loaded.shape == Shape::Own => Some(loaded.prices),
        Ok(_) => {
            let message = "these are prices of a token, as LiteLLM's table has them";
            let help =
                "write dollars for a million tokens: {\"input\": \"2.50\", \"output\": \"10\"}";
            found.push(problem(&cost.path, message.to_owned()).with_help(help));
            None
        }
        Err(mut error) => {
            let path = match std::mem::take(&mut error.path) {
                inside if inside.is_empty() => cost.path.clone(),
                inside => format!("{}.{inside}", cost.path),
            };
            found.push(problem(&path, error.to_string()));
            None
        }
    }
}
