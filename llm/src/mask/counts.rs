//! What was found, counted by row.
//!
//! Kept by the masking of a request and by that of its response, on the worker of the exchange.

use std::fmt::Write;

use super::{Action, Masker};

/// How often each row was found.
#[derive(Debug)]
pub(super) struct Counts(Vec<u64>);

impl Counts {
    pub(super) fn new(rows: usize) -> Counts {
        Counts(vec![0; rows])
    }

    pub(super) fn add(&mut self, rule: usize) {
        if let Some(count) = self.0.get_mut(rule) {
            *count += 1;
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) fn rows<'c>(
        &'c self,
        masker: &'c Masker,
    ) -> impl Iterator<Item = (&'c str, Action, u64)> {
        let row = |(rule, &count): (usize, &u64)| {
            let (row, name) = masker.row(rule)?;
            (count > 0).then_some((name, row.action, count))
        };
        self.0.iter().enumerate().filter_map(row)
    }

    pub(super) fn text(&self, masker: &Masker) -> String {
        let mut text = String::new();
        for (index, name) in masker.names.iter().enumerate() {
            let of_name = |(row, _): &(&super::Row, &u64)| row.name == index;
            let rows = masker.rows.iter().zip(&self.0).filter(of_name);
            let count: u64 = rows.map(|(_, count)| count).sum();
            if count > 0 {
                let comma = if text.is_empty() { "" } else { "," };
                // Writing to a string does not fail.
                let _ = write!(text, "{comma}{name}={count}");
            }
        }
        text
    }
}
