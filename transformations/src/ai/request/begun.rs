//! A request of which only the model matters: it goes on as soon as that has come, and the rest is looked at
//! as it flows. On the worker of the exchange.
//!
//! What is refused is what is no JSON, or names its model twice: also where its beginning is upstream
//! already, which then never sees its end.

use std::borrow::Cow;

use llm::dialect::path::PathFacts;
use llm::model::{ModelScan, NamedModel, ScanFault, ScannedModel, repeated};
use llm::usage::Meter;

use super::Made;
use super::denial::{Denial, unreadable};
use crate::ai::{AiExchange, AiProgram, Refused};
use crate::applied::Applied;
use crate::ops::TransformationOps;

impl AiProgram {
    /// Whether nothing has to be known of a request with this path but its dialect and its model.
    pub(super) fn minds_model_alone(&self, path: &PathFacts<'_>) -> bool {
        // Whatever is added to a program has to say whether it needs a body.
        let AiProgram {
            dialect,
            refuses_unknown: _,
            model,
            limits,
            guard,
            prompts,
            mask,
            usage,
            prices: _,
            metadata: _,
            headers: _,
            names: _,
            known: _,
            is_idle: _,
            body_bytes: _,
            size_field: _,
            prompt_field: _,
        } = self;
        // What only looks on refuses nothing, so that it has to see the body as a whole.
        let names = model.as_ref().is_some_and(|it| !it.is_shadow);
        let is_known = dialect.is_some() || path.dialect.is_some();
        let is_alone = limits.is_none() && guard.is_none() && prompts.is_none() && mask.is_none();
        is_known && names && is_alone && usage.is_none_or(|it| !it.force && !it.estimate)
    }
}

impl AiExchange {
    /// Reads the bytes of a body that came next, and says whether its model is known.
    ///
    /// # Errors
    /// The answer in place of a request that must not pass, beside what was done.
    pub(crate) fn scan(
        &mut self,
        program: &AiProgram,
        piece: &[u8],
        ends: bool,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> Result<bool, Box<(Refused, Applied)>> {
        let scan = self.scan.get_or_insert_with(|| Box::new(ModelScan::new()));
        let mut scanned = scan.feed(piece);
        if ends && scanned.is_ok() {
            scanned = scan.finish();
        }
        match scanned {
            Ok(model) => Ok(*model != ScannedModel::Unknown),
            Err(fault) => {
                let (reason, refusal) = match fault {
                    ScanFault::Repeated => ("repeated", repeated()),
                    ScanFault::NotJson | ScanFault::TooDeep => ("unreadable", unreadable()),
                };
                let denial = Denial::at_once("model", reason, refusal);
                self.learn_dialect(program, ops);
                Err(Box::new(self.refuse(program, ops, &denial)))
            }
        }
    }

    /// The model that was found.
    pub(crate) fn scanned_model(&self) -> Option<NamedModel> {
        match self.scan.as_ref()?.model() {
            ScannedModel::Named(model) => Some(model.clone()),
            ScannedModel::Unknown | ScannedModel::Absent => None,
        }
    }

    /// Learns what there is to know of a request that has begun, up to its model, and answers what becomes
    /// of it.
    pub(super) fn run_begun(
        &mut self,
        program: &AiProgram,
        path: &PathFacts<'_>,
        bytes: &[u8],
        named: Option<&NamedModel>,
        made: &mut Made,
    ) -> Result<(), Denial> {
        self.facts.dialect = program.dialect.or(path.dialect);
        self.facts.stream = path.stream;
        let in_path = path.model.as_ref().map(|model| model.name());
        let in_body = named.map(|it| Cow::Borrowed(&*it.name));
        let name = in_path.or(in_body).filter(|name| !name.is_empty());
        self.facts.request_model = name.map(Cow::into_owned);
        self.facts.model = self.facts.request_model.clone();
        if let Some(model) = self.rename(program, path, made)
            && let Some(named) = named
        {
            let mut body = bytes.to_vec();
            named.rename(&mut body, &model);
            made.body = Some(body);
            if let Some(observer) = &self.observer {
                observer.stage("model", 1, 0);
            }
        }
        self.allow(program)?;
        if program.usage.is_some() && !path.is_count {
            self.meter = self.facts.dialect.map(Meter::new);
        }
        Ok(())
    }
}
