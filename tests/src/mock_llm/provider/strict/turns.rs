//! Whose turn it is in a conversation, and which results belong to which calls.
//!
//! Made by the rules of each API from its messages; pure. Providers differ in their words and agree
//! on this: results come right behind their calls, all of them, and no others.

use std::collections::HashSet;

use super::door::Refused;

/// One turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) is_model: bool,
    /// The ids of the calls in it.
    pub(super) calls: Vec<String>,
    /// The ids of the calls whose results are in it.
    pub(super) results: Vec<String>,
}

/// Neighbours of one role as one turn.
pub(super) fn merged(turns: Vec<Turn>) -> Vec<Turn> {
    let mut merged: Vec<Turn> = Vec::new();
    for turn in turns {
        match merged.last_mut() {
            Some(last) if last.is_model == turn.is_model => {
                last.calls.extend(turn.calls);
                last.results.extend(turn.results);
            }
            _ => merged.push(turn),
        }
    }
    merged
}

/// Checks that every call has its result in the next turn, and every result its call in the one
/// before.
pub(super) fn check_pairs(turns: &[Turn]) -> Result<(), Refused> {
    let mut known = HashSet::new();
    for (at, turn) in turns.iter().enumerate() {
        for call in &turn.calls {
            if !known.insert(call) {
                return Err(Refused::bad(format!(
                    "turn {at}: the call id {call} is not unique"
                )));
            }
        }
        let before = at.checked_sub(1).map(|before| &turns[before].calls);
        let before = before.map(Vec::as_slice).unwrap_or_default();
        let mut answered = HashSet::new();
        for result in &turn.results {
            if !before.contains(result) {
                let message = format!(
                    "turn {at}: there is a result of {result}, which the turn before does not call"
                );
                return Err(Refused::bad(message));
            }
            if !answered.insert(result) {
                return Err(Refused::bad(format!("turn {at}: {result} has two results")));
            }
        }
        if let Some(missing) = before.iter().find(|call| !answered.contains(call)) {
            let message = format!("turn {at}: the call {missing} of the turn before has no result");
            return Err(Refused::bad(message));
        }
    }
    match turns.last() {
        Some(last) if !last.calls.is_empty() => {
            Err(Refused::bad("the calls of the last turn have no results"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(is_model: bool, calls: &[&str], results: &[&str]) -> Turn {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Turn {
            is_model,
            calls: ids(calls),
            results: ids(results),
        }
    }

    #[test]
    fn results_belong_to_the_calls_right_before() {
        let (asks, says) = (turn(false, &[], &[]), turn(true, &[], &[]));
        let calls = turn(true, &["a", "b"], &[]);
        let table = [
            (
                vec![asks.clone(), calls.clone(), turn(false, &[], &["b", "a"])],
                None,
            ),
            (vec![asks.clone(), says], None),
            (
                vec![asks.clone(), calls.clone(), turn(false, &[], &["a"])],
                Some("the call b of the turn before has no result"),
            ),
            (
                vec![asks.clone(), calls.clone(), asks.clone()],
                Some("the call a"),
            ),
            (
                vec![asks.clone(), turn(false, &[], &["a"])],
                Some("which the turn before does not call"),
            ),
            (
                vec![
                    asks.clone(),
                    calls.clone(),
                    turn(false, &[], &["a", "a", "b"]),
                ],
                Some("two results"),
            ),
            (
                vec![asks.clone(), turn(true, &["a", "a"], &[])],
                Some("is not unique"),
            ),
            (vec![asks, calls], Some("the calls of the last turn")),
        ];
        for (turns, expected) in table {
            match (check_pairs(&turns), expected) {
                (Ok(()), None) => {}
                (Err(refused), Some(expected)) => {
                    assert!(refused.message.contains(expected), "{refused:?}")
                }
                (other, expected) => panic!("{other:?} for {expected:?}"),
            }
        }
    }
}
