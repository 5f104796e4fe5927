//! The operator's prompts, put into a request. On the worker of the exchange.

use llm::facts::Facts;
use llm::place::Edits;
use llm::prompt::{NoPlace, Prompt, PromptRole, enrich};
use llm::request::Request;

use super::denial::Denial;
use crate::ai::AiProgram;

/// Puts in what the operator says.
pub(super) fn enrich_with(
    program: &AiProgram,
    request: &Request,
    text: &str,
    contents: &[&str],
    facts: &mut Facts,
    edits: &mut Edits,
) -> Result<(), Denial> {
    let Some(prompts) = &program.prompts else {
        return Ok(());
    };
    let mut own = Edits::new();
    let edits = match prompts.is_shadow {
        true => &mut own,
        false => edits,
    };
    let mut contents = contents.iter();
    let mut say = |roles: &[PromptRole]| -> Vec<Prompt<'_>> {
        let said = roles.iter().zip(contents.by_ref());
        said.map(|(role, content)| Prompt {
            role: *role,
            content,
        })
        .collect()
    };
    let (prepend, append) = (say(&prompts.prepend), say(&prompts.append));
    match enrich(request, text, &prepend, &append, edits) {
        Ok(_) if !prompts.is_shadow => Ok(()),
        Ok(_) => {
            if !own.is_empty() {
                facts.add_shadow("prompt", "added");
            }
            Ok(())
        }
        Err(_) if prompts.is_shadow => {
            facts.add_shadow("prompt", NoPlace::REASON);
            Ok(())
        }
        Err(no_place) => Err(Denial::new("prompt", NoPlace::REASON, no_place.refusal())),
    }
}
