//! Whatever a template can call, on documents of several shapes, read again and again by a loop: what it
//! allocates grows with the message and no faster. The whole table, judged by instructions, is
//! `benches/cost.rs`.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use allocation_counter::measure;

#[path = "cost/table.rs"]
mod table;

use table::{Row, SHAPES, Shape, rows};

/// The bytes of the smaller message.
const SIZE: usize = 2 << 10;
/// How much larger the other one is.
const GROWTH: usize = 8;
/// Buffers double as they grow, and tables are made only for what is large.
const SLACK: u64 = 2;
/// What the budgets of the table allow even for a small message.
const ALLOWANCE: u64 = 2 << 20;

fn allocated(row: &Row, shape: &Shape, size: usize) -> u64 {
    let prepared = row.prepare(shape, size);
    measure(|| prepared.render()).bytes_total
}

/// What grows too fast, of the shapes whose name `is_of_interest`.
fn check(is_of_interest: fn(&str) -> bool) {
    let mut failures = Vec::new();
    for row in rows() {
        for shape in SHAPES.iter().filter(|shape| is_of_interest(shape.name)) {
            let (small, large) = (
                allocated(&row, shape, SIZE),
                allocated(&row, shape, SIZE * GROWTH),
            );
            if large > small * GROWTH as u64 * SLACK + ALLOWANCE {
                failures.push(format!(
                    "{} on {}: {small} to {large}",
                    row.name, shape.name
                ));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn long_texts_cost_what_they_are_long() {
    check(|shape| matches!(shape, "text" | "escapes" | "xml text"));
}

#[test]
fn wide_containers_cost_what_they_are_wide() {
    check(|shape| matches!(shape, "wide object" | "long keys" | "strings"));
}

#[test]
fn deep_containers_cost_what_they_are_deep() {
    check(|shape| shape == "deep objects");
}
