//! A program as streams run it.

use std::sync::Arc;

use transformations::Program;
use transformations::stats::Labels;

use super::ai_stats;
use super::reports::Reports;

/// A program, what was said of its failures, and what its statistics may name.
pub(super) struct Loaded {
    pub(super) program: Arc<Program>,
    pub(super) labels: Labels,
    pub(super) reports: Reports,
}

impl Loaded {
    pub(super) fn new(program: Program) -> Arc<Self> {
        Arc::new(Self {
            labels: program.names().map(ai_stats::admit).unwrap_or_default(),
            program: Arc::new(program),
            reports: Reports::default(),
        })
    }
}
