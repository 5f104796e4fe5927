//! Prompt enrichment: prompts of the operator, put into a request where its dialect has them.
//!
//! Called on the worker thread of an exchange, once for each request that is held as a whole, with
//! prompts whose templates were rendered before. What the client wrote keeps its bytes; a prompt
//! that already stands where it would go is not put there again, so that retries and chains of
//! gateways change nothing.
//!
//! What is refused: a request that has no place for a prompt, since it would go on without it.

use formats::json::Raw;

use crate::dialect::Dialect;
use crate::place::{Edits, Place};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::text::Role;

mod blocks;
mod list;
mod paragraphs;

use list::{Items, Made};

/// A prompt of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prompt<'p> {
    /// Who says it.
    pub role: PromptRole,
    /// What is said; nothing is not put anywhere.
    pub content: &'p str,
}

/// Who says a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PromptRole {
    /// The operator.
    System,
    /// The operator too, in the words of newer OpenAI models; elsewhere as `System`.
    Developer,
    /// The client.
    User,
    /// The model.
    Assistant,
}

impl PromptRole {
    /// Every role.
    pub const ALL: [PromptRole; 4] = [Self::System, Self::Developer, Self::User, Self::Assistant];

    /// The name in configurations, and in all dialects but Gemini.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }

    /// The role of messages that say it.
    const fn role(self) -> Role {
        match self {
            Self::System | Self::Developer => Role::System,
            Self::User => Role::User,
            Self::Assistant => Role::Assistant,
        }
    }
}

/// A request without a place for a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPlace {
    /// The member that should hold it.
    pub member: &'static str,
}

impl NoPlace {
    /// The reason in what is published as `refused`, behind the name of the stage.
    pub const REASON: &'static str = "shape";

    /// What the client is told.
    pub fn refusal(self) -> Refusal {
        let message = format!("{} is not of a type that is supported here.", self.member);
        Refusal::new(400, message).with_param(self.member)
    }
}

/// Puts prompts before and behind what a request says, and tells how many were put. Dialects
/// without messages have no place for them, and get none.
///
/// | dialect | system | others |
/// |---|---|---|
/// | OpenAI chat | `messages`; of those that go before, the first | `messages` |
/// | OpenAI Responses | `instructions`, two line ends between; developer prompts are as others | `input` |
/// | Anthropic | `system`: a text stays one, blocks stay blocks | `messages` |
/// | Gemini | parts of `systemInstruction` | `contents` |
///
/// # Errors
/// A member of the request that should hold prompts and is something else; there may be edits then.
///
/// # Cost
/// That of the prompts, and of what is compared with them.
pub fn enrich(
    request: &Request,
    body: &str,
    prepend: &[Prompt<'_>],
    append: &[Prompt<'_>],
    edits: &mut Edits,
) -> Result<usize, NoPlace> {
    let mut session = Session {
        request,
        body,
        edits,
    };
    let is_said = |prompt: &&Prompt<'_>| !prompt.content.is_empty();
    let before: Vec<_> = prepend.iter().filter(is_said).copied().collect();
    let behind: Vec<_> = append.iter().filter(is_said).copied().collect();
    match request.dialect {
        Dialect::OpenaiChat => {
            let of_operator = |prompt: &Prompt<'_>| prompt.role.role() == Role::System;
            let (first, then) = split(&before, of_operator);
            session.messages("messages", &[first, then].concat(), &behind)
        }
        Dialect::OpenaiResponses => session.apart("instructions", "input", &before, &behind),
        Dialect::AnthropicMessages => session.apart("system", "messages", &before, &behind),
        Dialect::Gemini => session.apart("systemInstruction", "contents", &before, &behind),
        Dialect::OpenaiCompletions | Dialect::OpenaiEmbeddings => Ok(0),
    }
}

fn split<'p>(
    prompts: &[Prompt<'p>],
    is_first: impl Fn(&Prompt<'p>) -> bool,
) -> (Vec<Prompt<'p>>, Vec<Prompt<'p>>) {
    prompts.iter().partition(|prompt| is_first(prompt))
}

/// One request that gets prompts.
struct Session<'s> {
    request: &'s Request,
    body: &'s str,
    edits: &'s mut Edits,
}

impl Session<'_> {
    /// Puts prompts of the operator into one member and those of others into another.
    fn apart(
        &mut self,
        system: &'static str,
        messages: &'static str,
        before: &[Prompt<'_>],
        behind: &[Prompt<'_>],
    ) -> Result<usize, NoPlace> {
        let dialect = self.request.dialect;
        // Responses have items that a developer says.
        let is_apart = |prompt: &Prompt<'_>| match prompt.role {
            PromptRole::System => true,
            PromptRole::Developer => dialect != Dialect::OpenaiResponses,
            PromptRole::User | PromptRole::Assistant => false,
        };
        let (system_before, before) = split(before, is_apart);
        let (system_behind, behind) = split(behind, is_apart);
        let put = self.system(system, &system_before, &system_behind)?;
        Ok(put + self.messages(messages, &before, &behind)?)
    }

    fn system(
        &mut self,
        member: &'static str,
        before: &[Prompt<'_>],
        behind: &[Prompt<'_>],
    ) -> Result<usize, NoPlace> {
        let contents = |prompts: &[Prompt<'_>]| -> Vec<String> {
            prompts
                .iter()
                .map(|prompt| prompt.content.to_owned())
                .collect()
        };
        let (before, behind) = (contents(before), contents(behind));
        let count = before.len() + behind.len();
        if count == 0 {
            return Ok(0);
        }
        let is_gemini = self.request.dialect == Dialect::Gemini;
        let put = match self.request.system {
            Some(place) => match self.body.as_bytes().get(place.start) {
                Some(b'n') => self
                    .edits
                    .replace(place, blocks::whole(is_gemini, &before, &behind)),
                Some(b'"') if !is_gemini => {
                    return paragraphs::join(place, self.body, &before, &behind, self.edits)
                        .ok_or(NoPlace { member });
                }
                Some(b'[') if self.request.dialect == Dialect::AnthropicMessages => {
                    return blocks::put(place, self.body, is_gemini, &before, &behind, self.edits)
                        .ok_or(NoPlace { member });
                }
                Some(b'{') if is_gemini => {
                    return blocks::put_parts(place, self.body, &before, &behind, self.edits)
                        .ok_or(NoPlace { member });
                }
                _ => false,
            },
            None => {
                let whole = blocks::whole(is_gemini, &before, &behind);
                self.edits
                    .add_entry(self.body, self.request.body, member, &whole)
            }
        };
        put.then_some(count).ok_or(NoPlace { member })
    }

    fn messages(
        &mut self,
        member: &'static str,
        before: &[Prompt<'_>],
        behind: &[Prompt<'_>],
    ) -> Result<usize, NoPlace> {
        let is_gemini = self.request.dialect == Dialect::Gemini;
        let made = |prompts: &[Prompt<'_>]| -> Vec<Made> {
            let prompts = prompts.iter();
            prompts
                .map(|prompt| list::message(is_gemini, prompt))
                .collect()
        };
        let (before, behind) = (made(before), made(behind));
        let count = before.len() + behind.len();
        if count == 0 {
            return Ok(0);
        }
        let is_responses = self.request.dialect == Dialect::OpenaiResponses;
        let put = match self.request.messages {
            Some(place) => match self.body.as_bytes().get(place.start) {
                Some(b'[') => {
                    let turns = Turns {
                        request: self.request,
                        body: self.body,
                    };
                    return list::put(place, self.body, &turns, &before, &behind, self.edits)
                        .ok_or(NoPlace { member });
                }
                Some(b'"') if is_responses => self.wrap(place, &before, &behind),
                Some(b'n') if is_responses => {
                    self.edits.replace(place, list::whole(&before, &behind))
                }
                _ => false,
            },
            // A conversation that is kept at the provider.
            None if is_responses => {
                let whole = list::whole(&before, &behind);
                self.edits
                    .add_entry(self.body, self.request.body, member, &whole)
            }
            None => false,
        };
        put.then_some(count).ok_or(NoPlace { member })
    }

    /// Makes the only text of the client an item among the prompts; its own bytes stay.
    fn wrap(&mut self, text: Place, before: &[Made], behind: &[Made]) -> bool {
        let mut head = String::from("[");
        for made in before {
            head.push_str(&made.json);
            head.push(',');
        }
        head.push_str(r#"{"role":"user","content":""#);
        let mut tail = String::from("\"}");
        for made in behind {
            tail.push(',');
            tail.push_str(&made.json);
        }
        tail.push(']');
        // With its quotes, so that nothing that others add behind the member comes between.
        let quote = |start: usize| Place {
            start,
            end: start + 1,
        };
        let (first, last) = (quote(text.start), quote(text.end.saturating_sub(1)));
        self.edits.replace(first, head) && self.edits.replace(last, tail)
    }
}

/// The messages of the client.
struct Turns<'t> {
    request: &'t Request,
    body: &'t str,
}

impl Items for Turns<'_> {
    fn len(&self) -> usize {
        self.request.turns.len()
    }

    fn place(&self, index: usize) -> Place {
        let turn = self.request.turns.get(index);
        turn.map_or_else(Place::default, |turn| turn.place)
    }

    fn is(&self, index: usize, made: &Made) -> bool {
        let Some(turn) = self.request.turns.get(index) else {
            return false;
        };
        let content = turn.content.map(|content| content.of(self.body));
        let says = |content| match self.request.dialect {
            Dialect::Gemini => blocks::are(content, &made.text),
            _ => Raw::of_value(content).is(&made.text),
        };
        made.role == Some(turn.role) && content.is_some_and(says)
    }
}

#[cfg(test)]
mod tests;
