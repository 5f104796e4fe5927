//! The stage that masks values.

use llm::mask::{Action, Kind, Returns};
use llm::text::Role;

/// What is masked, where, and what becomes of it in responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskRules {
    /// Kinds with detectors of their own.
    pub detectors: Vec<(Kind, Action)>,
    /// Expressions of the operator.
    pub patterns: Vec<MaskPattern>,
    /// Lists of words.
    pub words: Vec<MaskWords>,
    /// Whose words are looked at.
    pub roles: Vec<Role>,
    /// What becomes of responses; nothing if they are left alone.
    pub returns: Option<Returns>,
    /// What cannot be looked at passes.
    pub passes_unseen: bool,
    /// Values are only counted.
    pub is_shadow: bool,
    /// Where the key of digests is; one that is random for the process if it is not said.
    pub hash_key_file: Option<String>,
    /// Where it stands.
    pub path: String,
}

/// An expression to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskPattern {
    /// What its matches are called.
    pub name: String,
    /// The expression.
    pub regex: String,
    /// What becomes of its matches.
    pub action: Action,
    /// Where it stands.
    pub path: String,
}

/// Words to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskWords {
    /// What they are called.
    pub name: String,
    /// The words.
    pub words: Vec<String>,
    /// Whether their case counts.
    pub case_sensitive: bool,
    /// What becomes of them.
    pub action: Action,
    /// Where it stands.
    pub path: String,
}
