//! What an exchange did with a message, step by step, in words and as JSON.

use serde_json::{Value, json};
use transformations::{Program, Step};

/// How much of a text is shown in a line.
const LONGEST: usize = 120;

/// What the steps cost together.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    /// Of the engine's budget for one template.
    pub(crate) fuel: u64,
    /// Of text that templates came to.
    pub(crate) bytes: usize,
}

impl Cost {
    pub(crate) fn of(steps: &[Step]) -> Cost {
        let mut cost = Cost::default();
        for step in steps {
            match step {
                Step::Condition { fuel, .. } => cost.fuel += fuel,
                Step::Rendered { text, fuel, .. } => {
                    cost.fuel += fuel;
                    cost.bytes += text.as_ref().map_or(0, String::len);
                }
                _ => {}
            }
        }
        cost
    }
}

/// A step in words; none where the answer to a piece says nothing by itself.
pub(crate) fn sentence(program: &Program, step: &Step) -> Option<String> {
    let path = |field| program.field_path(field);
    Some(match step {
        Step::Condition { field, held, fuel } => match held {
            Ok(true) => format!("{} holds{}", path(*field), spent(*fuel)),
            Ok(false) => format!("{} does not hold{}", path(*field), spent(*fuel)),
            Err(why) => format!("{} cannot be decided: {why}", path(*field)),
        },
        Step::Held { fields, stages, .. } => {
            let reasons = reasons(program, fields, stages);
            format!("held to its end for {}", reasons.join(", "))
        }
        Step::BodyRead {
            bytes, was_decoded, ..
        } => match was_decoded {
            true => format!("its body was decoded and read: {bytes} bytes as they came"),
            false => format!("its body was read: {bytes} bytes"),
        },
        Step::Rendered { field, text, fuel } => match text {
            Ok(text) => format!("{} = {}{}", path(*field), quoted(text), spent(*fuel)),
            Err(why) => format!("{} fails: {why}", path(*field)),
        },
        Step::Constant { field, text } => match text.as_str() {
            "" => format!("{} removes", path(*field)),
            text => format!("{} = {}", path(*field), quoted(text)),
        },
        Step::EventRule { rule } => format!("rule {} for events applies", rule + 1),
        Step::Stage {
            stage,
            edits,
            added,
        } => {
            let places = match edits {
                1 => "1 place".to_owned(),
                edits => format!("{edits} places"),
            };
            match (edits, added) {
                (0, added) => format!("ai.{stage} adds an event: {added} bytes"),
                (_, 0) => format!("ai.{stage} changes {places}"),
                (_, added) => format!("ai.{stage} changes {places} and adds {added} bytes"),
            }
        }
        Step::Waiting { bytes } => {
            format!("{bytes} bytes of text are held back: a value of ai.mask may begin there")
        }
        _ => return None,
    })
}

/// A step as an object; none as for [`sentence`].
pub(crate) fn object(program: &Program, step: &Step) -> Option<Value> {
    let path = |field| program.field_path(field);
    Some(match step {
        Step::Condition { field, held, fuel } => match held {
            Ok(held) => {
                json!({"step": "condition", "field": path(*field), "held": held, "fuel": fuel})
            }
            Err(why) => {
                json!({"step": "condition", "field": path(*field), "error": why.to_string()})
            }
        },
        Step::Held { fields, stages, .. } => {
            json!({"step": "held", "for": reasons(program, fields, stages)})
        }
        Step::BodyRead {
            bytes, was_decoded, ..
        } => json!({"step": "bodyRead", "bytes": bytes, "decoded": was_decoded}),
        Step::Rendered { field, text, fuel } => match text {
            Ok(text) => {
                json!({"step": "rendered", "field": path(*field), "text": text, "fuel": fuel})
            }
            Err(why) => {
                json!({"step": "rendered", "field": path(*field), "error": why.to_string()})
            }
        },
        Step::Constant { field, text } => {
            json!({"step": "constant", "field": path(*field), "text": text})
        }
        Step::EventRule { rule } => json!({"step": "eventRule", "rule": rule}),
        Step::Stage {
            stage,
            edits,
            added,
        } => json!({"step": "stage", "stage": stage, "edits": edits, "addedBytes": added}),
        Step::Waiting { bytes } => json!({"step": "waiting", "bytes": bytes}),
        _ => return None,
    })
}

fn spent(fuel: u64) -> String {
    match fuel {
        0 => String::new(),
        fuel => format!(" for {fuel} of fuel"),
    }
}

fn reasons(program: &Program, fields: &[transformations::FieldId], stages: &[&str]) -> Vec<String> {
    let fields = fields.iter().map(|it| program.field_path(*it).to_owned());
    fields
        .chain(stages.iter().map(|stage| format!("ai.{stage}")))
        .collect()
}

/// A text in quotes, on one line and not too long.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((end, _)) => {
            let cut = text.get(..end).unwrap_or_default();
            format!("{cut:?}... ({} bytes)", text.len())
        }
    }
}
