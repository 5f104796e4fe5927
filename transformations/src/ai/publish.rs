//! Facts as dynamic metadata: what limits, logs and other filters read.

use llm::facts::{Fact, FactTime, FactValue};

use super::{AiExchange, AiProgram};
use crate::applied::Applied;
use crate::ops::TransformationOps;

/// Where every fact is published.
const NAMESPACE: &str = "rustformations.ai";

impl AiExchange {
    /// Publishes what is known when the request goes upstream.
    pub(super) fn publish_request(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
    ) {
        self.published = true;
        self.publish(program, ops, applied, |fact| {
            fact.when() == FactTime::Request
        });
    }

    /// Publishes what else is known when the exchange is over.
    pub(super) fn publish_all(
        &self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
    ) {
        let published = self.published;
        // Only the response shows for certain whether it is a stream, and it may be refused as well.
        self.publish(program, ops, applied, |fact| {
            let is_late = matches!(fact, Fact::Stream | Fact::Refused);
            !published || fact.when() == FactTime::End || is_late
        });
    }

    fn publish(
        &self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
        wanted: impl Fn(Fact) -> bool,
    ) {
        for (fact, value) in self.facts.known().filter(|(fact, _)| wanted(*fact)) {
            write(ops, applied, (NAMESPACE, fact.name()), &value);
            for other in program.metadata.iter().filter(|it| it.from == fact) {
                write(ops, applied, (&other.namespace, &other.key), &value);
            }
        }
    }
}

fn write(
    ops: &mut (impl TransformationOps + ?Sized),
    applied: &mut Applied,
    (namespace, key): (&str, &str),
    value: &FactValue<'_>,
) {
    let done = match value {
        // Counts are below 2^53, and exact as floats.
        FactValue::Number(number) => {
            ops.set_dynamic_metadata_number(namespace, key, *number as f64)
        }
        FactValue::Fraction(number) => ops.set_dynamic_metadata_number(namespace, key, *number),
        FactValue::Text(text) => ops.set_dynamic_metadata_string(namespace, key, text),
    };
    applied.metadata |= done;
    applied.refused += u32::from(!done);
}
