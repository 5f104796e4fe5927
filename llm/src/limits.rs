//! Limits of what a request may say and ask for.
//!
//! Compiled with a configuration; asked on the worker thread of an exchange, once for each request
//! that is held as a whole. What is refused: a request above a limit, and one of which it cannot be
//! told whether it is. Only the tokens of the answer can be clamped instead.

use crate::dialect::Dialect;
use crate::place::{Edits, Place};
use crate::refusal::Refusal;
use crate::request::{LimitField, OutputLimit, Request};

/// The limits of one configuration; what is none has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Messages of a conversation.
    pub messages: Option<u64>,
    /// Bytes of all texts of a request, decoded.
    pub prompt_bytes: Option<u64>,
    /// Tokens of the answer that a request may ask for.
    pub max_output_tokens: Option<u64>,
    /// What becomes of a request that asks for more tokens.
    pub on_excess: OnExcess,
    /// Which member a chat gets that has none, when tokens are clamped.
    pub chat_field: ChatField,
}

/// What becomes of a request that asks for too many tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExcess {
    /// It is refused; one that asks for no number passes.
    #[default]
    Refuse,
    /// It asks for as many as it may, also if it asked for no number.
    Clamp,
}

/// The members that limit the answer of an OpenAI chat: newer models know one of them alone, some
/// providers the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChatField {
    /// `max_completion_tokens`.
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`.
    MaxTokens,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Too many messages.
    Messages {
        /// How many there may be.
        limit: u64,
        /// How many there are.
        found: u64,
    },
    /// Too much text.
    PromptBytes {
        /// How many bytes there may be.
        limit: u64,
        /// How many there are.
        found: u64,
    },
    /// Its texts nest too deeply to be counted.
    TooDeep,
    /// It asks for too many tokens.
    OutputTokens {
        /// How many there may be.
        limit: u64,
        /// Where it asks for them.
        field: LimitField,
    },
    /// What should be a number of tokens is none.
    NoNumber {
        /// Where.
        field: LimitField,
    },
}

impl Excess {
    /// The reason in what is published as `refused`, behind the name of the stage.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Messages { .. } => "messages",
            Self::PromptBytes { .. } | Self::TooDeep => "prompt_bytes",
            Self::OutputTokens { .. } | Self::NoNumber { .. } => "max_output_tokens",
        }
    }

    /// What the client is told.
    pub fn refusal(&self) -> Refusal {
        let refusal = |message| Refusal::new(400, message);
        match *self {
            Self::Messages { limit, found } => refusal(format!(
                "The request has {found} messages; {limit} are allowed."
            )),
            Self::PromptBytes { limit, found } => refusal(format!(
                "The texts of the request have {found} bytes; {limit} are allowed."
            )),
            Self::TooDeep => refusal("The request nests too deeply.".to_owned()),
            Self::OutputTokens { limit, field } => refusal(format!(
                "The request asks for more output than the {limit} tokens that are allowed."
            ))
            .with_param(field.key()),
            Self::NoNumber { field } => {
                refusal(format!("{} must be a number of tokens.", field.key()))
                    .with_param(field.key())
            }
        }
    }
}

impl Limits {
    /// Holds a request to the limits; clamps by edits. True if something was clamped. `is_count`
    /// says that the request only asks how many tokens it has: it has no answer, and gets no
    /// member.
    ///
    /// # Errors
    /// Why the request must not go on. There may be edits then.
    ///
    /// # Cost
    /// That of [`Request::text_bytes`], if bytes are limited.
    pub fn apply(
        &self,
        request: &Request,
        body: &str,
        is_count: bool,
        edits: &mut Edits,
    ) -> Result<bool, Excess> {
        let found = request.turns.len() as u64;
        if let Some(limit) = self.messages.filter(|limit| found > *limit) {
            return Err(Excess::Messages { limit, found });
        }
        if let Some(limit) = self.prompt_bytes {
            if request.is_too_deep {
                return Err(Excess::TooDeep);
            }
            let found = request.text_bytes(body) as u64;
            if found > limit {
                return Err(Excess::PromptBytes { limit, found });
            }
        }
        match self.max_output_tokens {
            Some(limit) => self.output_tokens(limit, request, body, is_count, edits),
            None => Ok(false),
        }
    }

    fn output_tokens(
        &self,
        limit: u64,
        request: &Request,
        body: &str,
        is_count: bool,
        edits: &mut Edits,
    ) -> Result<bool, Excess> {
        let mut is_clamped = false;
        let mut names_one = false;
        for asked in &request.output_limits {
            let is_read = fields(request.dialect).contains(&asked.field);
            names_one |= is_read && !asked.is_null;
            if asked.is_null || asked.tokens.is_some_and(|tokens| tokens <= limit) {
                continue;
            }
            let field = asked.field;
            match (self.on_excess, asked.tokens) {
                (OnExcess::Refuse, Some(_)) => return Err(Excess::OutputTokens { limit, field }),
                (OnExcess::Refuse, None) => return Err(Excess::NoNumber { field }),
                (OnExcess::Clamp, _) => put(limit, asked, edits)?,
            }
            is_clamped = true;
        }
        if self.on_excess == OnExcess::Clamp && !names_one && !is_count {
            is_clamped |= self.add(limit, request, body, edits)?;
        }
        Ok(is_clamped)
    }

    /// Asks for `limit` tokens in a request that asked for no number.
    fn add(
        &self,
        limit: u64,
        request: &Request,
        body: &str,
        edits: &mut Edits,
    ) -> Result<bool, Excess> {
        let field = match request.dialect {
            Dialect::OpenaiChat => match self.chat_field {
                ChatField::MaxCompletionTokens => LimitField::MaxCompletionTokens,
                ChatField::MaxTokens => LimitField::MaxTokens,
            },
            dialect => match fields(dialect).first() {
                Some(field) => *field,
                None => return Ok(false),
            },
        };
        // Where a `null` stands for no number, it gives way: a key must not stand there twice.
        let null = request
            .output_limits
            .iter()
            .find(|it| it.is_null && it.field == field);
        if let Some(null) = null {
            put(limit, null, edits)?;
            return Ok(true);
        }
        let (key, tokens) = (field.key(), limit.to_string());
        let is_added = match (field, request.generation_config) {
            (LimitField::GenerationMaxOutputTokens, None) => {
                let config = format!(r#"{{"{key}":{tokens}}}"#);
                edits.add_entry(body, request.body, "generationConfig", &config)
            }
            (LimitField::GenerationMaxOutputTokens, Some(config)) if is_object(config, body) => {
                edits.add_entry(body, config, key, &tokens)
            }
            (LimitField::GenerationMaxOutputTokens, Some(config)) => {
                edits.replace(config, format!(r#"{{"{key}":{tokens}}}"#))
            }
            _ => edits.add_entry(body, request.body, key, &tokens),
        };
        // Nobody else edits there; if somebody did, nothing would be known of the result.
        match is_added {
            true => Ok(true),
            false => Err(Excess::OutputTokens { limit, field }),
        }
    }
}

fn put(limit: u64, asked: &OutputLimit, edits: &mut Edits) -> Result<(), Excess> {
    let field = asked.field;
    match edits.replace(asked.place, limit.to_string()) {
        true => Ok(()),
        false => Err(Excess::OutputTokens { limit, field }),
    }
}

fn is_object(place: Place, body: &str) -> bool {
    place.of(body).starts_with('{')
}

/// What a provider of the dialect reads.
fn fields(dialect: Dialect) -> &'static [LimitField] {
    match dialect {
        Dialect::OpenaiChat => &[LimitField::MaxCompletionTokens, LimitField::MaxTokens],
        Dialect::OpenaiCompletions | Dialect::AnthropicMessages => &[LimitField::MaxTokens],
        Dialect::OpenaiResponses => &[LimitField::MaxOutputTokens],
        Dialect::Gemini => &[LimitField::GenerationMaxOutputTokens],
        Dialect::OpenaiEmbeddings => &[],
    }
}

#[cfg(test)]
mod tests;
