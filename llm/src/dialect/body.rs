//! What a body looks like, where the path tells of no dialect.
//!
//! Asked on the worker thread of a request that was held as a whole.

use formats::json::{Fault, Kind, Raw, Reader, read};

use super::Dialect;

/// The dialect that a body is written in; none if it is not JSON, or of none that can be told.
///
/// Members decide that only one dialect has. What could be of several: messages without a mark of
/// Anthropic's are OpenAI's, which most servers speak; an `input` that is one text is for embeddings if
/// the model says so in its name.
///
/// # Cost
/// One pass over the body.
pub fn detect(body: &str) -> Option<Dialect> {
    let mut marks = Marks::default();
    let all = read(body, |reader| {
        reader.entries(|key, reader| marks.member(&key, reader))
    });
    all.ok()?;
    marks.dialect()
}

/// What was found at the top and in the first levels of messages.
#[derive(Debug, Default)]
struct Marks {
    contents: bool,
    messages: bool,
    prompt: bool,
    /// A prompt that is kept at the provider, which only Responses have.
    template: bool,
    input: Option<Input>,
    anthropic: bool,
    openai: bool,
    responses: bool,
    embeddings: bool,
    /// Bedrock's Converse, which is none of ours.
    converse: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Input {
    Text,
    Texts,
    Items,
}

impl Marks {
    fn member(&mut self, key: &Raw<'_>, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let is_container = matches!(reader.kind(), Kind::Array | Kind::Object);
        match &*key.as_str().unwrap_or_default() {
            "contents" => self.contents |= is_container,
            "messages" if reader.kind() == Kind::Array => {
                self.messages = true;
                reader.items(|_, reader| self.message(reader))?;
            }
            "prompt" => {
                self.prompt |= matches!(reader.kind(), Kind::String | Kind::Array);
                self.template |= reader.kind() == Kind::Object;
            }
            "input" => self.input(reader)?,
            "anthropic_version" | "stop_sequences" | "system" | "thinking" => self.anthropic = true,
            "max_completion_tokens" | "stream_options" | "response_format" | "stop" | "n" => {
                self.openai = true;
            }
            "encoding_format" | "dimensions" => self.embeddings = true,
            "instructions"
            | "max_output_tokens"
            | "previous_response_id"
            | "reasoning"
            | "text"
            | "tools"
            | "stream"
            | "store"
            | "include"
            | "truncation"
            | "conversation" => {
                self.responses = true;
                if key.is("tools") {
                    reader.items(|_, reader| self.tool(reader))?;
                }
            }
            "model" => {
                let model = reader.value()?.as_str().unwrap_or_default();
                self.embeddings |= model.contains("embed");
            }
            "inferenceConfig" | "toolConfig" | "additionalModelRequestFields" => {
                self.converse = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn input(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match reader.kind() {
            Kind::String => self.input = Some(Input::Text),
            Kind::Array => {
                self.input = Some(Input::Texts);
                return reader.items(|_, reader| {
                    if reader.kind() == Kind::Object {
                        self.input = Some(Input::Items);
                    }
                    Ok(())
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn message(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "role" => {
                    let role = reader.value()?;
                    self.openai |= ["system", "developer", "tool", "function"]
                        .into_iter()
                        .any(|it| role.is(it));
                }
                "tool_calls" | "function_call" => self.openai = true,
                "content" => reader.items(|_, reader| self.part(reader))?,
                _ => {}
            }
            Ok(())
        })
    }

    fn part(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let mut is_typed = false;
        let is_object = reader.kind() == Kind::Object;
        reader.entries(|key, reader| {
            if key.is("type") {
                is_typed = true;
                let kind = reader.value()?;
                self.openai |= kind.is("image_url") || kind.is("input_audio");
                self.anthropic |= ["tool_use", "tool_result", "image", "document", "thinking"]
                    .into_iter()
                    .any(|it| kind.is(it));
            }
            Ok(())
        })?;
        // A part that does not say what it is: a union of Bedrock's.
        self.converse |= is_object && !is_typed;
        Ok(())
    }

    fn tool(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.entries(|key, _| {
            self.anthropic |= key.is("input_schema");
            self.openai |= key.is("function");
            Ok(())
        })
    }

    fn dialect(&self) -> Option<Dialect> {
        if self.contents {
            return Some(Dialect::Gemini);
        }
        if self.messages {
            return match (self.converse, self.openai, self.anthropic) {
                (true, ..) => None,
                (_, false, true) => Some(Dialect::AnthropicMessages),
                _ => Some(Dialect::OpenaiChat),
            };
        }
        match &self.input {
            Some(Input::Items) => Some(Dialect::OpenaiResponses),
            Some(Input::Texts) => Some(Dialect::OpenaiEmbeddings),
            Some(Input::Text) if self.embeddings && !self.responses => {
                Some(Dialect::OpenaiEmbeddings)
            }
            Some(Input::Text) => Some(Dialect::OpenaiResponses),
            None if self.template => Some(Dialect::OpenaiResponses),
            None if self.prompt => Some(Dialect::OpenaiCompletions),
            None => None,
        }
    }
}
