//! Which transform applies to a message, and what is answered or rendered before anything is held.
//!
//! Decided in the headers hook of a direction, on the worker of the exchange.

use std::sync::Arc;

use super::{Exchange, ExchangeOps};
use crate::config::OnError;
use crate::direction::Direction;
use crate::error::Failure;
use crate::message::{Reads, Vars};
use crate::needs::DirectionNeeds;
use crate::program::{Stages, Transforms};
use crate::stages::reply::{self, OwnReply};
use crate::stages::{self, Captured, vars};

/// Which transform of a direction applies.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chosen {
    /// Its headers have to be asked.
    Undecided,
    Nothing,
    /// The one of this number.
    This(usize),
}

impl Chosen {
    /// What is known without a message.
    #[inline]
    pub(super) fn of(transforms: &Transforms) -> Chosen {
        match &*transforms.all {
            [] => Chosen::Nothing,
            [first, ..] if first.when.is_some() => Chosen::Undecided,
            [first, ..] if !first.needs.has_work() => Chosen::Nothing,
            _ => Chosen::This(0),
        }
    }
}

impl Exchange {
    /// Decides which transform applies to a message, by its headers as they came: here, and nowhere else.
    /// Answers what failed and counted as false. Costs nothing where there are no conditions.
    #[inline]
    pub(super) fn choose(
        &mut self,
        direction: Direction,
        ops: &mut (impl ExchangeOps + ?Sized),
    ) -> Result<Vec<Failure>, Failure> {
        match self.chosen.get(direction as usize) {
            Some(Chosen::Undecided) => self.choose_by_conditions(direction, ops),
            _ => Ok(Vec::new()),
        }
    }

    #[inline(never)]
    fn choose_by_conditions(
        &mut self,
        direction: Direction,
        ops: &mut (impl ExchangeOps + ?Sized),
    ) -> Result<Vec<Failure>, Failure> {
        let transforms = self.program.of(direction);
        self.render_vars(&transforms.conditions.reads, ops);
        let (transform, failures) =
            stages::choose(&self.program, transforms, self.remembered(), ops)?;
        if let Some(chosen) = self.chosen.get_mut(direction as usize) {
            *chosen = transform.map_or(Chosen::Nothing, Chosen::This);
        }
        Ok(failures)
    }

    /// The answer in place of the upstream, if it does not take the body to decide that there is one.
    pub(super) fn reply_at_once(
        &self,
        ops: &mut (impl ExchangeOps + ?Sized),
        noted: &mut Vec<Failure>,
    ) -> Result<Option<OwnReply>, Failure> {
        let stages = self.stages(Direction::Request);
        let Some(stages) = stages.filter(|it| it.replies_at_once) else {
            return Ok(None);
        };
        for compiled in stages.templates() {
            let rule = compiled.reply.as_ref().filter(|rule| !rule.reads_body);
            let Some(rule) = rule else { continue };
            self.render_vars(&compiled.reads, ops);
            let (reply, failures) =
                reply::decide(&self.program, compiled, rule, self.remembered(), ops)?;
            noted.extend(failures);
            if reply.is_some() {
                return Ok(reply);
            }
        }
        Ok(None)
    }

    /// Whether a message whose transform fails passes as it came.
    pub(super) fn skips(&self, direction: Direction) -> bool {
        let stages = self.stages(direction);
        stages.is_some_and(|stages| stages.on_error == OnError::Skip)
    }

    /// What happens to the messages of a direction, as far as that is decided.
    #[inline]
    pub(super) fn stages(&self, direction: Direction) -> Option<&Stages> {
        match self.chosen.get(direction as usize) {
            Some(Chosen::This(number)) => self.program.of(direction).all.get(*number),
            _ => None,
        }
    }

    /// What the transform of a direction reads and writes; nothing while it is not decided which applies.
    #[inline]
    pub fn needs(&self, direction: Direction) -> &DirectionNeeds {
        let stages = self.stages(direction);
        stages.map_or(&DirectionNeeds::NONE, |stages| &stages.needs)
    }

    pub(super) fn remembered(&self) -> Captured<'_> {
        Captured {
            headers: self.captured.as_ref(),
            started: self.started,
            vars: self.vars.get(),
            facts: self.ai.as_ref().map(|ai| ai.facts()),
            observer: self.observer.as_ref(),
        }
    }

    /// Renders the variables that are about to be read for the first time.
    pub(super) fn render_vars(&self, reads: &Reads, ops: &(impl ExchangeOps + ?Sized)) {
        if reads.vars.is_empty() {
            return;
        }
        let names = &self.program.vars.names;
        let vars = self.vars.get_or_init(|| Arc::new(Vars::new(names)));
        vars::render(
            &self.program,
            vars,
            &reads.vars,
            self.captured.as_ref(),
            ops,
        );
    }
}
