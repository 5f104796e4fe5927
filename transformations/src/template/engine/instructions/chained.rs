//! Comparisons inside of a chain (`a < b < c`), which the engine compiles to instructions that it keeps the
//! names of to itself.
//!
//! Asked on the main thread, while the instructions of a template are rewritten.

use std::mem::discriminant;

use minijinja::machinery::Instruction;
use once_cell::sync::Lazy;

use super::super::compile;
use super::super::operators::order;

/// The engine's comparisons that ask for an order, and our own for them. It compiles the same one for the
/// same operator.
static CHAINED: Lazy<Vec<(Instruction<'static>, &'static str)>> = Lazy::new(|| {
    let chains = [
        ("{{ a < a < a }}", order::CHAINED_LESS),
        ("{{ a <= a < a }}", order::CHAINED_LESS_OR_EQUAL),
        ("{{ a > a < a }}", order::CHAINED_GREATER),
        ("{{ a >= a < a }}", order::CHAINED_GREATER_OR_EQUAL),
    ];
    let known = |(chain, name)| {
        let instructions = compile(chain).ok()?;
        let mut places = 0..u32::try_from(instructions.len()).ok()?;
        let found = places.find_map(|at| match instructions.get(at)? {
            chained @ Instruction::CompareAndPreserve(_) => Some(chained.clone()),
            _ => None,
        });
        Some((found?, name))
    };
    chains.into_iter().filter_map(known).collect()
});

/// Our own comparison for one of the engine's, if it asks for an order.
pub(super) fn order(instruction: &Instruction<'_>) -> Option<&'static str> {
    let same = |known: &Instruction<'_>| match (known, instruction) {
        (Instruction::CompareAndPreserve(known), Instruction::CompareAndPreserve(found)) => {
            discriminant(known) == discriminant(found)
        }
        _ => false,
    };
    let (_, name) = CHAINED.iter().find(|(known, _)| same(known))?;
    Some(name)
}
