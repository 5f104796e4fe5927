//! JSON that is read and not there: which templates deal with that themselves.
//!
//! Without a JSON body a variable of it has no value, and reading one is an error of its own. A
//! template that asks first is none: `{{ model | default("x") }}`, `{% if model is defined %}`,
//! `{% if model %}`, `{{ model or "x" }}`. So the compiler looks at what a value is used for, on the main
//! thread, and marks the readings whose absence is dealt with; whether a marked or an unmarked one is
//! ever evaluated shows on the workers.

use minijinja::machinery::{Instruction, Instructions};
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::message::Message;
use crate::value::Fault;
use crate::value::budget;

/// How many instructions between a reading and its use are followed.
const PATIENCE: u32 = 64;

/// Tests that answer for what is not there, too.
const ANSWERS: [&str; 13] = [
    "boolean",
    "defined",
    "false",
    "float",
    "int",
    "integer",
    "iterable",
    "mapping",
    "none",
    "number",
    "sequence",
    "string",
    "undefined",
];

/// A variable whose absence the template deals with.
pub(super) fn optional(state: &State<'_, '_>, name: &str) -> Result<Value, Error> {
    let found = state.lookup(name).unwrap_or_default();
    if budget::is_overdrawn() {
        return Err(budget::overdrawn());
    }
    // What cannot be read is an error inside of a value.
    if found.kind() != ValueKind::Invalid {
        return Ok(found);
    }
    match Message::with(state, Message::root) {
        None => Ok(Value::UNDEFINED),
        Some(_) => Err(Fault::JsonTooDeep.into()),
    }
}

/// Whether the template deals with the absence of what it has read when it comes to `at`.
pub(super) fn is_dealt_with(instructions: &Instructions<'_>, at: u32) -> bool {
    let mut follow = Follow {
        instructions,
        steps: PATIENCE,
    };
    follow.from(at).unwrap_or(false)
}

struct Follow<'i, 's> {
    instructions: &'i Instructions<'s>,
    steps: u32,
}

impl Follow<'_, '_> {
    /// Follows the value on top of the stack to its use; `None` where the way is lost.
    fn from(&mut self, mut at: u32) -> Option<bool> {
        // How many values lie above the one that is followed.
        let mut above: usize = 0;
        loop {
            self.steps = self.steps.checked_sub(1)?;
            let instruction = self.instructions.get(at)?;
            at += 1;
            match (instruction, above) {
                // A part of what is not there is not there either.
                (Instruction::GetAttr(_), 0) => continue,
                (
                    Instruction::JumpIfFalse(_)
                    | Instruction::JumpIfTrueOrPop(_)
                    | Instruction::Not,
                    0,
                ) => return Some(true),
                (Instruction::PerformTest(name, Some(1), _), 0) => {
                    return Some(ANSWERS.contains(name));
                }
                (Instruction::StoreLocal(name), 0) => return self.of_local(name),
                // Absent values are false, so this is where they go. With something above, both ways
                // leave one value there.
                (Instruction::JumpIfFalseOrPop(to) | Instruction::Jump(to), _)
                | (Instruction::JumpIfTrueOrPop(to), _) => {
                    at = *to;
                    continue;
                }
                (Instruction::JumpIfFalse(_), _) => {
                    above -= 1;
                    continue;
                }
                (Instruction::GetItem, 1) => {
                    above = 0;
                    continue;
                }
                _ => {}
            }
            let taken = taken(instruction)?;
            if taken > above {
                let is_first = taken == above + 1;
                let default = matches!(instruction, Instruction::ApplyFilter("default" | "d", ..));
                return Some(default && is_first);
            }
            above = above - taken + 1;
        }
    }

    /// Whether every reading of a name that the template assigns deals with its absence.
    fn of_local(&mut self, name: &str) -> Option<bool> {
        let count = u32::try_from(self.instructions.len()).ok()?;
        for at in 0..count {
            if matches!(self.instructions.get(at)?, Instruction::Lookup(read) if *read == name)
                && !self.from(at + 1)?
            {
                return Some(false);
            }
        }
        Some(true)
    }
}

/// How many values an instruction takes from the stack to leave one; `None` for all that does more.
fn taken(instruction: &Instruction<'_>) -> Option<usize> {
    Some(match instruction {
        Instruction::LoadConst(_) | Instruction::Lookup(_) => 0,
        Instruction::GetAttr(_) | Instruction::Not | Instruction::Neg => 1,
        Instruction::GetItem
        | Instruction::Add
        | Instruction::Sub
        | Instruction::Mul
        | Instruction::Div
        | Instruction::IntDiv
        | Instruction::Rem
        | Instruction::Pow
        | Instruction::Eq
        | Instruction::Ne
        | Instruction::Gt
        | Instruction::Gte
        | Instruction::Lt
        | Instruction::Lte
        | Instruction::StringConcat
        | Instruction::In => 2,
        Instruction::Slice => 4,
        Instruction::BuildList(items) => (*items)?,
        Instruction::BuildMap(pairs) | Instruction::BuildKwargs(pairs) => pairs.checked_mul(2)?,
        Instruction::ApplyFilter(_, arguments, _)
        | Instruction::PerformTest(_, arguments, _)
        | Instruction::CallFunction(_, arguments) => usize::from((*arguments)?),
        _ => return None,
    })
}
