//! Searches a text with an automaton, all beginnings at once, and knows what the text's end leaves open.
//!
//! Threads stand in the order in which they are preferred: those that began earlier first. Each has a
//! state of its own, so that a byte costs at most the size of the automaton.

use regex_automata::nfa::thompson::State;
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;

use super::super::ahead::ceil;
use super::super::detect::{Extent, Found, Next};
use super::Pattern;

/// How far behind the beginning of a match that was too long to wait for the next is looked for. It
/// keeps time linear where each character begins one.
const STRIDE: usize = 64;

/// Room for searches, used again and again.
#[derive(Debug, Default)]
pub(crate) struct Search {
    now: Threads,
    then: Threads,
    stack: Vec<StateID>,
    /// How many bytes were read.
    #[cfg(test)]
    pub(super) steps: usize,
}

#[derive(Debug, Default)]
struct Threads {
    /// States that read a byte, match or wait, and where their matches began; the preferred first.
    list: Vec<(StateID, usize)>,
    /// In which round each state was reached last.
    reached: Vec<u64>,
    round: u64,
}

impl Threads {
    fn clear(&mut self, states: usize) {
        self.list.clear();
        self.round += 1;
        if self.reached.len() < states {
            self.reached.resize(states, 0);
        }
    }

    /// Whether a state is reached for the first time in this round.
    fn reach(&mut self, state: StateID) -> bool {
        let round = self.round;
        let place = self.reached.get_mut(state.as_usize());
        place.is_some_and(|it| std::mem::replace(it, round) != round)
    }
}

/// What a search is about.
#[derive(Clone, Copy)]
struct Task<'p, 't> {
    pattern: &'p Pattern,
    text: &'t str,
    extent: Extent,
    /// Whether a match must begin where the search does.
    anchored: bool,
}

/// How a search ended.
enum Outcome {
    Match(usize, usize),
    Waits(usize),
    /// The match that began here is too long to wait for; a later one may have been found already.
    Outgrown(usize, Option<usize>),
    Nothing,
}

impl Search {
    pub(super) fn next(
        &mut self,
        pattern: &Pattern,
        text: &str,
        from: usize,
        extent: Extent,
        passed: &mut usize,
    ) -> Next {
        let task = Task {
            pattern,
            text,
            extent,
            anchored: false,
        };
        let found = |start, end| {
            Next::Found(Found {
                start,
                end,
                rule: pattern.row,
                outgrown: None,
            })
        };
        loop {
            match self.run(task, from.max(*passed)) {
                Outcome::Match(start, end) => return found(start, end),
                Outcome::Waits(start) => return Next::Waits(start),
                Outcome::Nothing => return Next::Nothing,
                Outcome::Outgrown(start, later) => {
                    let (view, _) = extent.view(text, start);
                    let as_it_stands = Task {
                        text: view,
                        extent: Extent::WHOLE,
                        anchored: true,
                        ..task
                    };
                    if let Outcome::Match(start, end) = self.run(as_it_stands, start) {
                        return found(start, end);
                    }
                    let stride = ceil(text, start + STRIDE);
                    *passed = later.map_or(stride, |it| it.clamp(start + 1, stride));
                }
            }
        }
    }

    fn run(&mut self, task: Task<'_, '_>, from: usize) -> Outcome {
        let states = task.pattern.nfa.states().len();
        let bytes = task.text.as_bytes();
        let mut matched = None;
        let mut at = from;
        self.now.clear(states);
        loop {
            if self.now.list.is_empty() {
                if let Some((start, end)) = matched {
                    return Outcome::Match(start, end);
                }
                if task.anchored && at > from {
                    return Outcome::Nothing;
                }
                match next_beginning(task, bytes, at) {
                    Some(place) if !task.anchored || place == from => at = place,
                    _ => return Outcome::Nothing,
                }
            }
            let begins = matched.is_none()
                && (!task.anchored || at == from)
                && at < bytes.len()
                && task.text.is_char_boundary(at);
            if begins {
                let start = task.pattern.nfa.start_anchored();
                follow(task, &mut self.now, &mut self.stack, start, at, at);
            }
            // What stands behind a match is not preferred to it.
            let end = self.now.list.iter().position(|&(state, _)| {
                matches!(task.pattern.nfa.state(state), State::Match { .. })
            });
            if let Some(end) = end {
                matched = self.now.list.get(end).map(|&(_, start)| (start, at));
                self.now.list.truncate(end);
                if self.now.list.is_empty() {
                    continue;
                }
            }
            let Some(&byte) = bytes.get(at) else {
                return match (self.now.list.first(), matched) {
                    (Some(&(_, start)), _) if !task.extent.complete => Outcome::Waits(start),
                    (_, Some((start, end))) => Outcome::Match(start, end),
                    _ => Outcome::Nothing,
                };
            };
            #[cfg(test)]
            {
                self.steps += 1;
            }
            self.then.clear(states);
            for index in 0..self.now.list.len() {
                let Some(&(state, start)) = self.now.list.get(index) else {
                    break;
                };
                let Some(next) = step(task.pattern.nfa.state(state), byte) else {
                    continue;
                };
                if at + 1 - start >= task.extent.window {
                    return Outcome::Outgrown(start, matched.map(|(start, _)| start));
                }
                follow(task, &mut self.then, &mut self.stack, next, at + 1, start);
            }
            std::mem::swap(&mut self.now, &mut self.then);
            at += 1;
        }
    }
}

/// The next place between characters where a match may begin.
fn next_beginning(task: Task<'_, '_>, bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        let first = |it: &u8| task.pattern.first.get(usize::from(*it)) == Some(&true);
        at += rest.iter().position(first)?;
        if task.text.is_char_boundary(at) {
            return Some(at);
        }
        at += 1;
    }
}

/// Adds a state and all that can be reached from it without a byte, in their order.
fn follow(
    task: Task<'_, '_>,
    threads: &mut Threads,
    stack: &mut Vec<StateID>,
    state: StateID,
    at: usize,
    start: usize,
) {
    stack.push(state);
    while let Some(id) = stack.pop() {
        if !threads.reach(id) {
            continue;
        }
        match task.pattern.nfa.state(id) {
            State::Union { alternates } => stack.extend(alternates.iter().rev()),
            State::BinaryUnion { alt1, alt2 } => stack.extend([*alt2, *alt1]),
            State::Capture { next, .. } => stack.push(*next),
            State::Look { look, next } => match holds(task, *look, at) {
                Some(true) => stack.push(*next),
                Some(false) => {}
                None => threads.list.push((id, start)),
            },
            _ => threads.list.push((id, start)),
        }
    }
}

/// Whether an assertion holds at a place; not known where it asks for what has not come yet.
fn holds(task: Task<'_, '_>, look: Look, at: usize) -> Option<bool> {
    let back_only = matches!(look, Look::Start | Look::StartLF);
    if at == task.text.len() && !task.extent.complete && !back_only {
        return None;
    }
    let matcher = task.pattern.nfa.look_matcher();
    Some(matcher.matches(look, task.text.as_bytes(), at))
}

/// Where a byte leads from a state.
pub(super) fn step(state: &State, byte: u8) -> Option<StateID> {
    match state {
        State::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
        State::Sparse(transitions) => transitions.matches_byte(byte),
        State::Dense(transitions) => transitions.matches_byte(byte),
        _ => None,
    }
}
