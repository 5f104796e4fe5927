//! Values that a template only prints: a number among them is read as the JSON of the body spells it.
//!
//! Asked on the main thread, while the instructions of a template are rewritten.

use std::collections::BTreeSet;

use minijinja::Value;
use minijinja::machinery::{Instruction, Instructions};

use super::super::operators;
use super::{Rewriting, call, is_near};

/// How many defaults and branches between a value and its printing are followed; a template may chain
/// thousands.
const PATIENCE: u32 = 32;

impl<'s> Rewriting<'_, 's> {
    /// Whether the instructions from `at` on print what lies on top of the stack, and do nothing else
    /// with it than look whether it is there.
    pub(super) fn is_printed(&self, instructions: &Instructions<'s>, at: u32) -> bool {
        self.prints(instructions, at, PATIENCE)
    }

    /// As [`is_printed`](Self::is_printed). After `steps` looks the answer is no.
    fn prints(&self, instructions: &Instructions<'s>, at: u32, steps: u32) -> bool {
        let Some(steps) = steps.checked_sub(1) else {
            return false;
        };
        let is_default = |name: &str| matches!(name, "default" | "d");
        match instructions.get(at) {
            Some(Instruction::Emit) => true,
            Some(Instruction::ApplyFilter(name, Some(1), _)) if is_default(name) => {
                self.prints(instructions, at + 1, steps)
            }
            Some(Instruction::ApplyFilter(name, Some(1), _)) => {
                matches!(*name, "tojson" | "string" | "urlencode")
            }
            Some(Instruction::CallFunction(name @ ("tojson" | "urlencode"), Some(1))) => {
                !self.source.assigned.contains(*name)
            }
            // The other value of `default`.
            Some(Instruction::LoadConst(_)) => match instructions.get(at + 1) {
                Some(Instruction::ApplyFilter(name, Some(2), _)) if is_default(name) => {
                    self.prints(instructions, at + 2, steps)
                }
                _ => false,
            },
            Some(
                Instruction::Jump(to)
                | Instruction::JumpIfTrueOrPop(to)
                | Instruction::JumpIfFalseOrPop(to),
            ) => self.prints(instructions, *to, steps),
            _ => false,
        }
    }

    /// The names that the template gives to values and does nothing with but print what they stand for.
    pub(super) fn printed_names(&self, instructions: &Instructions<'s>) -> BTreeSet<&'s str> {
        let mut given = BTreeSet::new();
        let mut used = BTreeSet::new();
        let count = u32::try_from(instructions.len()).unwrap_or(u32::MAX);
        for at in 0..count {
            match instructions.get(at) {
                Some(Instruction::StoreLocal(name)) => {
                    given.insert(*name);
                }
                Some(Instruction::Lookup(name)) if !self.prints(instructions, at + 1, PATIENCE) => {
                    used.insert(*name);
                }
                // Inside of a macro anything may happen to it.
                Some(Instruction::Enclose(name)) => {
                    used.insert(*name);
                }
                _ => {}
            }
        }
        given.difference(&used).copied().collect()
    }

    /// Whether the values of a map are only printed by the loop over its pairs that begins at `at`.
    pub(super) fn prints_pairs(&self, instructions: &Instructions<'s>, at: u32) -> bool {
        let next = |step| instructions.get(at + step);
        match (next(0), next(1), next(2), next(3), next(4)) {
            (
                Some(Instruction::PushLoop(_)),
                Some(Instruction::Iterate(_)),
                Some(Instruction::UnpackList(2)),
                Some(Instruction::StoreLocal(_)),
                Some(Instruction::StoreLocal(value)),
            ) => self.printed.contains(value),
            _ => false,
        }
    }

    /// A reading that keeps how JSON spells a number: what the engine reads, and then a look at where
    /// that comes from.
    pub(super) fn spelled(
        &self,
        instruction: &Instruction<'s>,
        reading: Option<&[Instruction<'s>]>,
        constant: Option<&Value>,
    ) -> Option<Vec<Instruction<'s>>> {
        let load = |key: &Value| Instruction::LoadConst(key.clone());
        let read = || match reading {
            Some(reading) => reading.to_vec(),
            None => vec![
                self.rename(instruction)
                    .unwrap_or_else(|| instruction.clone()),
            ],
        };
        match instruction {
            Instruction::Lookup(name) if !self.source.assigned.contains(*name) => {
                let name = load(&Value::from(*name));
                Some([read(), vec![name, call(operators::SPELLED, 2)]].concat())
            }
            Instruction::GetAttr(name) => {
                let name = load(&Value::from(*name));
                let spelled = vec![name, call(operators::SPELLED_ITEM, 3)];
                Some([vec![Instruction::DupTop], read(), spelled].concat())
            }
            Instruction::GetItem if reading.is_some() => None,
            Instruction::GetItem => match constant.filter(|_| is_near(constant)) {
                Some(key) => Some(vec![
                    Instruction::DiscardTop,
                    Instruction::DupTop,
                    load(key),
                    instruction.clone(),
                    load(key),
                    call(operators::SPELLED_ITEM, 3),
                ]),
                None => Some(vec![call(operators::SPELLED_PLACE, 2)]),
            },
            _ => None,
        }
    }
}
