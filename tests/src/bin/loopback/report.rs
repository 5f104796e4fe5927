//! The table: medians over rounds, and ratios taken within each round.
//!
//! Printed on the main thread, row by row as they are done.

use crate::load::Measured;
use crate::rows::Row;

/// Prints one row of the comparison.
pub(crate) fn print(row: &Row, measured: &[Vec<Measured>]) {
    println!("\n{}: {}", row.name, row.what);
    println!(
        "  {:<16} {:>9}  {:<20} {:>9} {:>9} {:>9}",
        "", "CPU", "to no filter", "beyond", "median", "99 %"
    );
    let Some((base, others)) = measured.split_first() else {
        return;
    };
    for (contender, rounds) in row.contenders.iter().zip(measured) {
        println!(
            "  {:<16} {:>6.1} us  {:<20} {:>+6.1} us {:>6.0} us {:>6.0} us",
            contender.name,
            median(rounds.iter().map(|round| round.cpu)),
            ratio(rounds, base),
            median(
                rounds
                    .iter()
                    .zip(base)
                    .map(|(round, base)| round.cpu - base.cpu)
            ),
            median(rounds.iter().map(|round| round.median)),
            median(rounds.iter().map(|round| round.slowest)),
        );
    }
    // With others in between, the mark is ours against the first.
    if let ([first, .., ours], Some(name)) = (others, row.contenders.get(1).map(|it| it.name)) {
        println!("  ours to {name}: {}", ratio(ours, first));
    }
}

/// The median over rounds of the ratio within the round, with its extremes.
fn ratio(rounds: &[Measured], base: &[Measured]) -> String {
    let ratios: Vec<f64> = rounds
        .iter()
        .zip(base)
        .map(|(round, base)| round.cpu / base.cpu)
        .collect();
    let lowest = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!(
        "{:.3} ({lowest:.3}..{highest:.3})",
        median(ratios.into_iter())
    )
}

/// The middle one.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_a_round() {
        let round = |cpu| Measured {
            cpu,
            median: 0.0,
            slowest: 0.0,
        };
        let base = [round(10.0), round(20.0), round(40.0)];
        let ours = [round(11.0), round(24.0), round(42.0)];
        assert_eq!(ratio(&ours, &base), "1.100 (1.050..1.200)");
    }
}
