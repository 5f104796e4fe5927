//! The stages of requests: model, limits, guard, prompt.

use llm::guard::Terms;
use llm::limits::Limits;
use llm::prompt::PromptRole;
use llm::text::Role;

/// The model of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRules {
    /// The header that names the model that goes upstream; none is written if it is empty.
    pub header: String,
    /// Other names of models.
    pub aliases: Vec<(String, String)>,
    /// What may go upstream; everything without a list.
    pub allow: Option<Vec<String>>,
    /// Nothing is done but to tell the model.
    pub is_shadow: bool,
    /// Where it stands.
    pub path: String,
}

/// Limits of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitRules {
    /// What it may be.
    pub limits: Limits,
    /// Nothing is refused or clamped.
    pub is_shadow: bool,
}

/// What prompts must not say.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardRules {
    /// What denies, and whose words it looks at.
    pub deny: Vec<(GuardRule, Vec<Role>)>,
    /// What the client must speak of, if there is any.
    pub allow: Vec<GuardRule>,
    /// The status of a refusal.
    pub status: u16,
    /// What the client is told.
    pub message: String,
    /// Rules only tell what they match.
    pub monitors: bool,
    /// Where it stands.
    pub path: String,
}

/// A rule of the guard.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardRule {
    /// What it is called.
    pub name: String,
    /// What it looks for.
    pub terms: Terms,
    /// Where that stands.
    pub path: String,
}

/// Prompts of the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptRules {
    /// Those before what the client says.
    pub prepend: Vec<PromptRule>,
    /// Those behind.
    pub append: Vec<PromptRule>,
    /// Nothing is put in.
    pub is_shadow: bool,
}

/// A prompt of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptRule {
    /// Who says it.
    pub role: PromptRole,
    /// The template of what is said.
    pub content: String,
    /// Where that stands.
    pub path: String,
}
