//! The fields of the stages of requests: `model`, `limits`, `guard`, `prompt`.

use llm::limits::{ChatField, OnExcess};
use llm::prompt::PromptRole;
use llm::text::Role;

use crate::config::fields::shape::{Flag, List, Names, Text, Whole, Words};
use crate::config::fields::{Field, Object};

/// `shadow`
pub static SHADOW: Field<Flag> = Field::new(
    "shadow",
    Flag {
        default: Some(false),
    },
    "the same as `\"mode\": \"monitor\"`",
);

/// `shadow` of stages that have no other word for it.
pub static LOOKS_ON: Field<Flag> = Field::new(
    "shadow",
    Flag {
        default: Some(false),
    },
    "only tells what the stage would do, in the fact `shadow`, and does nothing of it",
);

/// `model.header`
pub static HEADER: Field<Text> = Field::new(
    "header",
    Text::Plain,
    "the request header that names the model which goes upstream, for routes to match on; `\"\"` for \
     none. It is always overwritten, and removed where there is no model: a client cannot choose it",
)
.or_else("`x-ai-model`");

/// `model.aliases`
pub static ALIASES: Field<Names> = Field::new(
    "aliases",
    Names::of(Text::Plain, &Text::Plain),
    "`{\"name\": \"model\"}`: what goes upstream in the place of a name. The exact name goes first, then \
     the longest pattern; `*` in the model is what the `*` of the name matched",
);

/// `model.allow`
pub static ALLOWED_MODELS: Field<List> = Field::new(
    "allow",
    List { of: &Text::Plain },
    "names and patterns of the models that may go upstream; others are answered with 404",
)
.or_else("every model");

/// The model of a request.
pub static MODEL: Object = Object {
    name: "model",
    text: "The model of a request.",
    groups: &[&[&HEADER, &ALIASES, &ALLOWED_MODELS, &LOOKS_ON]],
};

/// `limits.messages`
pub static MESSAGES: Field<Whole> = Field::new(
    "messages",
    Whole::pieces(0, u64::MAX),
    "how many messages a request may have",
)
.or_else("no limit");

/// `limits.promptBytes`
pub static PROMPT_BYTES: Field<Whole> = Field::new(
    "promptBytes",
    Whole::pieces(0, u64::MAX),
    "how many bytes all its texts may have together",
)
.or_else("no limit");

/// `limits.maxOutputTokens`
pub static MAX_OUTPUT_TOKENS: Field<Whole> = Field::new(
    "maxOutputTokens",
    Whole::pieces(1, llm::count::MAX),
    "how many tokens of output it may ask for",
)
.or_else("no limit");

/// `limits.onExcess`
pub static ON_EXCESS: Field<Words<OnExcess>> = Field::new(
    "onExcess",
    Words {
        all: &[("refuse", OnExcess::Refuse), ("clamp", OnExcess::Clamp)],
        default: Some(OnExcess::Refuse),
    },
    "`clamp` sets `maxOutputTokens` where a request asks for more or names no number; the other limits \
     refuse, with 400",
);

/// `limits.maxOutputTokensField`
pub static CHAT_FIELD: Field<Words<ChatField>> = Field::new(
    "maxOutputTokensField",
    Words {
        all: &[
            ("max_completion_tokens", ChatField::MaxCompletionTokens),
            ("max_tokens", ChatField::MaxTokens),
        ],
        default: Some(ChatField::MaxCompletionTokens),
    },
    "the member that an OpenAI chat gets which has none of both",
);

/// Limits of a request.
pub static LIMITS: Object = Object {
    name: "aiLimits",
    text: "Limits of what a request may say and ask for.",
    groups: &[&[
        &MESSAGES,
        &PROMPT_BYTES,
        &MAX_OUTPUT_TOKENS,
        &ON_EXCESS,
        &CHAT_FIELD,
        &LOOKS_ON,
    ]],
};

/// `guard.deny`
pub static DENY: Field<List> = Field::new(
    "deny",
    List { of: &&DENY_RULE },
    "list of rules, of which any that matches refuses the request",
);

/// `guard.allow`
pub static ALLOW: Field<List> = Field::new(
    "allow",
    List { of: &&ALLOW_RULE },
    "list of rules, of which one must match the last message of the user",
)
.or_else("everything");

/// `guard.status`
pub static STATUS: Field<Whole> = Field::new(
    "status",
    Whole::pieces(400, 599).or(403),
    "the status of a refusal",
);

/// `guard.message`
pub static MESSAGE: Field<Text> = Field::new("message", Text::Plain, "what the client is told")
    .or_else("`This prompt is not allowed.`");

/// `guard.mode`; true for looking on.
pub static MODE: Field<Words<bool>> = Field::new(
    "mode",
    Words {
        all: &[("enforce", false), ("monitor", true)],
        default: Some(false),
    },
    "`monitor` publishes what matched, and lets pass",
);

/// What prompts must not say.
pub static GUARD: Object = Object {
    name: "guard",
    text: "What prompts must not say, and what they must speak of.",
    groups: &[&[&DENY, &ALLOW, &STATUS, &MESSAGE, &MODE, &SHADOW]],
};

/// `name` of a rule
pub static NAME: Field<Text> =
    Field::new("name", Text::Plain, "what logs and limits call the rule").needed();

/// `regex` of a rule
pub static REGEX: Field<Text> = Field::new(
    "regex",
    Text::Pattern,
    "the expression that it looks for, in the syntax of the Rust crate regex",
);

/// `words` of a rule
pub static WORDS: Field<List> = Field::new(
    "words",
    List { of: &Text::Plain },
    "in place of an expression: words, each of which it looks for as a whole word",
);

/// `caseSensitive` of a rule
pub static CASE_SENSITIVE: Field<Flag> = Field::new(
    "caseSensitive",
    Flag {
        default: Some(false),
    },
    "whether the case of `words` counts",
);

/// `roles` of a rule
pub static ROLES: Field<List> = Field::new(
    "roles",
    List { of: &ROLE_WORDS },
    "whose words it looks at: `system`, `user`, `assistant`, `tool`",
)
.or_else("`user`, `tool`");

/// The roles by their names.
pub static ROLE_WORDS: Words<Role> = Words {
    all: &[
        (Role::System.name(), Role::System),
        (Role::User.name(), Role::User),
        (Role::Assistant.name(), Role::Assistant),
        (Role::Tool.name(), Role::Tool),
    ],
    default: None,
};

/// A rule that denies.
pub static DENY_RULE: Object = Object {
    name: "denyRule",
    text: "A rule that denies: a name, and either `regex` or `words`.",
    groups: &[&[&NAME, &REGEX, &WORDS, &CASE_SENSITIVE, &ROLES]],
};

/// A rule that allows.
pub static ALLOW_RULE: Object = Object {
    name: "allowRule",
    text: "A rule that allows: a name, and either `regex` or `words`.",
    groups: &[&[&NAME, &REGEX, &WORDS, &CASE_SENSITIVE]],
};

/// `prompt.prepend`
pub static PREPEND: Field<List> = Field::new(
    "prepend",
    List { of: &&PROMPT_RULE },
    "list of `{\"role\", \"content\"}`: prompts before what the client says",
);

/// `prompt.append`
pub static APPEND: Field<List> =
    Field::new("append", List { of: &&PROMPT_RULE }, "the same behind it");

/// Prompts of the operator.
pub static PROMPT: Object = Object {
    name: "prompt",
    text: "Prompts of the operator, put where the dialect has them.",
    groups: &[&[&PREPEND, &APPEND, &LOOKS_ON]],
};

/// `role` of a prompt
pub static ROLE: Field<Words<PromptRole>> = Field::new(
    "role",
    Words {
        all: &[
            (PromptRole::System.name(), PromptRole::System),
            (PromptRole::Developer.name(), PromptRole::Developer),
            (PromptRole::User.name(), PromptRole::User),
            (PromptRole::Assistant.name(), PromptRole::Assistant),
        ],
        default: None,
    },
    "who says it",
)
.needed();

/// `content` of a prompt
pub static CONTENT: Field<Text> = Field::new(
    "content",
    Text::Template,
    "a template of what is said, over the headers of the request as the client sent them; nothing is \
     put where it renders empty",
)
.needed();

/// A prompt of the operator.
pub static PROMPT_RULE: Object = Object {
    name: "operatorPrompt",
    text: "A prompt of the operator.",
    groups: &[&[&ROLE, &CONTENT]],
};
