//! From the engine's instructions for a template to those that run.
//!
//! Runs on the main thread when a configuration is compiled. Function calls go to names that no
//! JSON key can take, and whatever can do unbounded work or make unbounded memory for one unit of
//! fuel goes to functions that pay for it first (see [`operators`] and [`priced`](super::priced)).

use std::collections::BTreeSet;

use minijinja::Value;
use minijinja::machinery::{Instruction, Instructions};
use minijinja::value::ValueKind;

mod chained;
mod printed;

use super::operators::order;
use super::{Source, absence, operators, priced};
use crate::functions;
use crate::message;

/// A constant text or place up to this is not worth paying for.
const SMALL: usize = 64;

/// Rewrites the instructions of one template. Literal text longer than `unpaid` pays for itself if
/// the template can repeat it.
pub(super) fn rewrite<'s>(
    old: &Instructions<'s>,
    source: &Source,
    unpaid: usize,
) -> Vec<Instruction<'s>> {
    let mut rewriting = Rewriting {
        source,
        unpaid: if source.repeated_literal > unpaid {
            unpaid
        } else {
            usize::MAX
        },
        printed: BTreeSet::new(),
    };
    rewriting.printed = rewriting.printed_names(old);
    let count = u32::try_from(old.len()).unwrap_or(u32::MAX);
    let targets: BTreeSet<u32> = (0..count)
        .filter_map(|at| target(&mut old.get(at)?.clone()).map(|target| *target))
        .collect();
    let mut new = Vec::with_capacity(old.len() * 2);
    let mut moved = Vec::with_capacity(old.len() + 1);
    for at in 0..count {
        moved.push(u32::try_from(new.len()).unwrap_or(u32::MAX));
        let Some(instruction) = old.get(at) else {
            break;
        };
        // What stands before is what was computed last, unless something jumps here.
        let before = at.checked_sub(1).filter(|_| !targets.contains(&at));
        let constant = match before.and_then(|before| old.get(before)) {
            Some(Instruction::LoadConst(value)) => Some(value),
            _ => None,
        };
        if let Some(lookup) = rewriting.message(old, at) {
            new.push(lookup);
            continue;
        }
        if matches!(instruction, Instruction::ApplyFilter("items", Some(1), _))
            && rewriting.prints_pairs(old, at + 1)
        {
            new.push(Instruction::DupTop);
            new.extend(rewriting.replace(instruction, constant));
            new.push(call(operators::SPELLED_PAIRS, 2));
            continue;
        }
        let reading = rewriting.reading(old, at);
        let spelled = match rewriting.is_printed(old, at + 1) {
            true => rewriting.spelled(instruction, reading.as_deref(), constant),
            false => None,
        };
        let replaced = spelled
            .or(reading)
            .unwrap_or_else(|| rewriting.replace(instruction, constant));
        new.extend(replaced);
    }
    moved.push(u32::try_from(new.len()).unwrap_or(u32::MAX));
    for target in new.iter_mut().filter_map(target) {
        if let Some(to) = moved.get(*target as usize) {
            *target = *to;
        }
    }
    new
}

/// Where an instruction may jump to.
fn target<'i>(instruction: &'i mut Instruction<'_>) -> Option<&'i mut u32> {
    match instruction {
        Instruction::Jump(to)
        | Instruction::JumpIfFalse(to)
        | Instruction::JumpIfFalseOrPop(to)
        | Instruction::JumpIfTrueOrPop(to)
        | Instruction::Iterate(to)
        | Instruction::BuildMacro(_, to, _) => Some(to),
        _ => None,
    }
}

struct Rewriting<'a, 's> {
    source: &'a Source,
    unpaid: usize,
    /// See [`printed_names`](Self::printed_names).
    printed: BTreeSet<&'s str>,
}

fn call<'s>(name: &'s str, arguments: usize) -> Instruction<'s> {
    // The callers pass small constants, or what was a u16 before.
    Instruction::CallFunction(name, Some(u16::try_from(arguments).unwrap_or(u16::MAX)))
}

/// Whether comparing with this constant takes no work worth counting.
fn is_small(constant: Option<&Value>) -> bool {
    constant.is_some_and(|value| match value.kind() {
        ValueKind::String => value.as_str().is_some_and(|text| text.len() <= SMALL),
        ValueKind::Undefined | ValueKind::None | ValueKind::Bool | ValueKind::Number => true,
        _ => false,
    })
}

/// Whether finding the item of this constant key takes no work worth counting.
fn is_near(constant: Option<&Value>) -> bool {
    constant.is_some_and(|key| match key.as_str() {
        Some(name) => name.len() <= SMALL,
        None => key.as_usize().is_some_and(|place| place <= SMALL),
    })
}

impl<'s> Rewriting<'_, 's> {
    /// The instructions to run instead, with the same effect on the engine's stack. `constant` is
    /// what lies on top of it, if that is always the same.
    fn replace(
        &self,
        instruction: &Instruction<'s>,
        constant: Option<&Value>,
    ) -> Vec<Instruction<'s>> {
        let compare = |name| {
            if is_small(constant) {
                vec![instruction.clone()]
            } else {
                vec![call(name, 2)]
            }
        };
        match instruction {
            Instruction::Add => vec![call(operators::ADD, 2)],
            Instruction::Mul => vec![call(operators::MULTIPLY, 2)],
            Instruction::StringConcat => vec![call(operators::CONCATENATE, 2)],
            Instruction::Eq => compare(operators::EQUAL),
            Instruction::Ne => compare(operators::UNEQUAL),
            Instruction::Lt => vec![call(order::LESS, 2)],
            Instruction::Lte => vec![call(order::LESS_OR_EQUAL, 2)],
            Instruction::Gt => vec![call(order::GREATER, 2)],
            Instruction::Gte => vec![call(order::GREATER_OR_EQUAL, 2)],
            Instruction::In => vec![call(operators::IN, 2)],
            Instruction::CompareAndPreserve(_) => match chained::order(instruction) {
                Some(order) => vec![call(order, 2), Instruction::UnpackList(2)],
                None => vec![
                    Instruction::BuildList(Some(2)),
                    call(operators::WEIGH, 1),
                    Instruction::UnpackList(2),
                    Instruction::Swap,
                    instruction.clone(),
                ],
            },
            Instruction::GetItem if !is_near(constant) => vec![call(operators::ITEM, 2)],
            Instruction::Slice => vec![call(operators::SLICE, 4)],
            Instruction::BuildList(items) => vec![Instruction::CallFunction(
                operators::LIST,
                items.map(|items| u16::try_from(items).unwrap_or(u16::MAX)),
            )],
            Instruction::BuildMap(pairs) => vec![call(operators::MAP, pairs.saturating_mul(2))],
            Instruction::MergeKwargs(_) => vec![instruction.clone(), call(operators::ITEMS, 1)],
            Instruction::UnpackLists(_) => vec![instruction.clone(), call(operators::COUNT, 1)],
            Instruction::CallMethod(name, Some(arguments)) => vec![
                Instruction::LoadConst(Value::from(*name)),
                call(operators::METHOD, usize::from(*arguments) + 1),
            ],
            Instruction::SetAttr(_) => vec![
                Instruction::Swap,
                call(operators::STORE, 1),
                Instruction::Swap,
                instruction.clone(),
            ],
            Instruction::EmitRaw(text) if text.len() > self.unpaid => vec![
                // Safe: {% autoescape %} leaves literal text alone.
                Instruction::LoadConst(Value::from_safe_string((*text).to_owned())),
                Instruction::Emit,
            ],
            other => vec![self.rename(other).unwrap_or_else(|| other.clone())],
        }
    }

    /// A reading of the body's JSON where it matters whether the template deals with its absence.
    fn reading(&self, old: &Instructions<'s>, at: u32) -> Option<Vec<Instruction<'s>>> {
        let instruction = old.get(at)?;
        let dealt_with = || absence::is_dealt_with(old, at + 1);
        let is_message = |back: u32| {
            let holder = at.checked_sub(back);
            holder.is_some_and(|holder| self.message(old, holder).is_some())
        };
        match instruction {
            Instruction::Lookup(name) if dealt_with() => Some(vec![
                Instruction::LoadConst(Value::from(*name)),
                call(operators::OPTIONAL, 1),
            ]),
            Instruction::GetAttr("json") if is_message(1) && !dealt_with() => {
                Some(vec![Instruction::GetAttr(message::EXPECTED_JSON)])
            }
            Instruction::GetItem if is_message(2) && !dealt_with() => match old.get(at - 1) {
                Some(Instruction::LoadConst(key)) if key.as_str() == Some("json") => Some(vec![
                    Instruction::DiscardTop,
                    Instruction::GetAttr(message::EXPECTED_JSON),
                ]),
                _ => None,
            },
            Instruction::CallFunction("context", Some(0))
                if !self.source.assigned.contains("context") && !dealt_with() =>
            {
                Some(vec![call(operators::CONTEXT, 0)])
            }
            _ => None,
        }
    }

    /// The lookup of a message in the place of `request` or `response`, if what is read next is one of
    /// its fields.
    fn message(&self, old: &Instructions<'s>, at: u32) -> Option<Instruction<'s>> {
        let Some(Instruction::Lookup(root)) = old.get(at) else {
            return None;
        };
        let field = match (old.get(at + 1)?, old.get(at + 2)) {
            (Instruction::GetAttr(name), _) => name,
            (Instruction::LoadConst(name), Some(Instruction::GetItem)) => name.as_str()?,
            _ => return None,
        };
        let known = self.source.fields.iter();
        let (root, _) = known
            .filter(|_| !self.source.assigned.contains(*root))
            .find(|(of, name)| of == root && *name == field)?;
        Some(Instruction::Lookup(if *root == "request" {
            message::REQUEST
        } else {
            message::RESPONSE
        }))
    }

    fn rename(&self, instruction: &Instruction<'s>) -> Option<Instruction<'s>> {
        let assigned = |name: &str| self.source.assigned.contains(name);
        match instruction {
            Instruction::ApplyFilter(name, arguments, _) => {
                Some(Instruction::CallFunction(priced::filter(name)?, *arguments))
            }
            Instruction::PerformTest(name, arguments, _) => {
                Some(Instruction::CallFunction(priced::test(name)?, *arguments))
            }
            Instruction::CallFunction(name, _)
                if self.source.command_function.as_deref() == Some(*name) =>
            {
                Some(call(operators::COMMAND, 1))
            }
            Instruction::CallFunction(name, arguments) if !assigned(name) => {
                let function = functions::find(name)?;
                Some(Instruction::CallFunction(function.private(), *arguments))
            }
            _ => None,
        }
    }
}
