//! The tools of a chat request: what may be called, what must be, and what was.

use std::borrow::Cow;

use crate::refusal::Refusal;

use crate::translate::json::{Json, Value};
use crate::translate::loss::{Losses, invalid};
use crate::translate::schema::has_limits;

/// What stands between an id that a client sees and a signature that the provider wants back with
/// it. Clients keep the ids of calls whatever else they lose.
pub(in crate::translate) const SIGNED: &str = "__thought__";

/// A call that the model made in an earlier turn.
#[derive(Debug)]
pub(in crate::translate) struct Call<'t> {
    /// Without the signature.
    pub(in crate::translate) id: String,
    pub(in crate::translate) signature: Option<String>,
    /// A string.
    pub(in crate::translate) name: Value<'t>,
    /// A JSON object.
    pub(in crate::translate) arguments: Cow<'t, str>,
}

impl<'t> Call<'t> {
    /// Reads a call; none if it is lost.
    pub(in crate::translate) fn read(
        call: Value<'t>,
        losses: &mut Losses,
    ) -> Result<Option<Call<'t>>, Refusal> {
        let [id, of, function] = call.members(["id", "type", "function"]);
        if of.is_some_and(|it| !it.is("function")) {
            losses.lose("messages[].tool_calls[].custom")?;
            return Ok(None);
        }
        let [name, arguments] = function.map_or([None; 2], |it| it.members(["name", "arguments"]));
        let Some(name) = name.filter(|it| it.is_string()) else {
            let should = "must name its function";
            return Err(invalid("messages[].tool_calls[]", should));
        };
        let id = id.and_then(Value::string).unwrap_or_default();
        let (id, signature) = match id.split_once(SIGNED) {
            Some((id, signature)) => (id.to_owned(), Some(signature.to_owned())),
            None => (id.into_owned(), None),
        };
        Ok(Some(Call {
            id,
            signature,
            name,
            arguments: arguments_of(arguments)?,
        }))
    }
}

/// The object that arguments are the text of. Models that call without arguments often say nothing.
fn arguments_of(arguments: Option<Value<'_>>) -> Result<Cow<'_, str>, Refusal> {
    let text = match arguments {
        None => Cow::Borrowed("{}"),
        Some(arguments) if arguments.is_object() => Cow::Borrowed(arguments.text()),
        Some(arguments) => match arguments.string() {
            Some(text) if text.trim().is_empty() => Cow::Borrowed("{}"),
            Some(text) => text,
            None => Cow::Borrowed(""),
        },
    };
    match Value::parse(&text).is_some_and(|it| it.is_object()) {
        true => Ok(text),
        false => Err(invalid(
            "messages[].tool_calls[].function.arguments",
            "must be the text of a JSON object",
        )),
    }
}

/// A function that may be called.
#[derive(Debug)]
pub(in crate::translate) struct Function<'t> {
    /// A string.
    pub(in crate::translate) name: Value<'t>,
    /// A string that says something.
    pub(in crate::translate) description: Option<Value<'t>>,
    /// A JSON schema.
    pub(in crate::translate) parameters: Option<Value<'t>>,
    pub(in crate::translate) strict: bool,
    pub(in crate::translate) cache: Option<Value<'t>>,
}

impl<'t> Function<'t> {
    /// Reads a tool; none if it is lost.
    pub(in crate::translate) fn read(
        tool: Value<'t>,
        losses: &mut Losses,
    ) -> Result<Option<Function<'t>>, Refusal> {
        let [of, function, cache] = tool.members(["type", "function", "cache_control"]);
        if of.is_some_and(|it| !it.is("function")) {
            losses.lose("tools[].(other)")?;
            return Ok(None);
        }
        let [name, description, parameters, strict, inner_cache] =
            function.map_or([None; 5], |it| {
                it.members([
                    "name",
                    "description",
                    "parameters",
                    "strict",
                    "cache_control",
                ])
            });
        let Some(name) = name.filter(|it| it.is_string()) else {
            return Err(invalid("tools[].function", "must have a name"));
        };
        Ok(Some(Function {
            name,
            description: description.filter(|it| it.is_string() && !it.is_blank()),
            parameters: parameters.filter(|it| it.is_object()),
            strict: strict.and_then(Value::bool).unwrap_or_default(),
            cache: cache.or(inner_cache),
        }))
    }

    /// Whether calls are kept to the schema. Models of Anthropic's are not to one with limits, of
    /// which they know nothing; they are told of them all the same.
    pub(in crate::translate) fn is_strict(&self, losses: &mut Losses) -> bool {
        let is_limited = self.strict && self.parameters.is_some_and(has_limits);
        if is_limited {
            losses.drop("tools[].function.strict");
        }
        self.strict && !is_limited
    }

    /// Writes the schema of the arguments, which are always an object.
    pub(in crate::translate) fn write_schema(&self, json: &mut Json) {
        match self.parameters {
            None => json.raw(r#"{"type":"object","properties":{}}"#),
            Some(schema) if schema.get("type").is_some() => json.raw(schema.text()),
            // A schema without a type is one of anything, and is refused for that.
            Some(schema) => {
                json.open_object();
                json.member_string("type", "object");
                schema.each(|key, value| {
                    if !key.is("type") {
                        json.entry(key, value);
                    }
                });
                json.close_object();
            }
        }
    }

    /// Every function of a request.
    pub(in crate::translate) fn read_all(
        tools: &[Value<'t>],
        losses: &mut Losses,
    ) -> Result<Vec<Function<'t>>, Refusal> {
        let mut functions = Vec::with_capacity(tools.len());
        for tool in tools {
            functions.extend(Function::read(*tool, losses)?);
        }
        Ok(functions)
    }
}

/// Which tools the model must call.
#[derive(Clone, Copy, Debug)]
pub(in crate::translate) enum Choice<'t> {
    Auto,
    None,
    /// At least one.
    Required,
    /// This one; a string.
    Named(Value<'t>),
}

impl<'t> Choice<'t> {
    /// Reads a choice; none if there is none, or it is lost.
    pub(in crate::translate) fn read(
        choice: Option<Value<'t>>,
        losses: &mut Losses,
    ) -> Result<Option<Choice<'t>>, Refusal> {
        let Some(choice) = choice else {
            return Ok(None);
        };
        if let Some(word) = choice.string() {
            return match &*word {
                "auto" => Ok(Some(Choice::Auto)),
                "none" => Ok(Some(Choice::None)),
                "required" => Ok(Some(Choice::Required)),
                _ => {
                    let should = "must be `auto`, `none`, `required` or name a function";
                    Err(invalid("tool_choice", should))
                }
            };
        }
        let [of, function] = choice.members(["type", "function"]);
        match of.and_then(Value::string).as_deref() {
            Some("function") => match function.and_then(|it| it.get("name")) {
                Some(name) if name.is_string() => Ok(Some(Choice::Named(name))),
                _ => Err(invalid("tool_choice.function", "must have a name")),
            },
            Some("allowed_tools") => {
                losses.lose("tool_choice.allowed_tools")?;
                Ok(None)
            }
            _ => {
                losses.lose("tool_choice.(other)")?;
                Ok(None)
            }
        }
    }
}

/// An id of letters, digits, `_` and `-`, which is what Anthropic and Amazon take: other providers'
/// may hold anything. The same id stays the same.
pub(in crate::translate) fn clean_id(id: &str, param: &'static str) -> Result<String, Refusal> {
    use std::fmt::Write;
    if id.is_empty() {
        return Err(invalid(param, "must not be empty"));
    }
    let mut clean = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => clean.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(clean, "_{byte:02x}")),
        }
    }
    Ok(clean)
}
