//! A sweep for templates that hold a worker: whatever a template can call, on documents of every shape,
//! read again and again by a loop.
//!
//! Run with `cargo bench -p transformations --bench cost`, or with a part of a name behind `--` for a part
//! of the table. The rows come from the tables of functions, filters, tests and variables, and a
//! parameter that the sweep has no value for is a failure, so that nothing new is left out.
//!
//! The bound is linear in the bytes of the message plus the budgets of the configuration, which are the
//! same for all sizes. Each row is rendered for a message and for one that is larger by [`GROWTH`]: the
//! cost may grow by that and no more. It is counted in instructions if `valgrind` is installed, which
//! runs this program once more, else in seconds.

#![expect(clippy::unwrap_used, reason = "a failure here is a broken benchmark")]
#![expect(clippy::print_stdout, reason = "this is how a benchmark answers")]

use std::process::{Command, ExitCode};
use std::time::Instant;

#[path = "../tests/cost/table.rs"]
mod table;

use table::{Row, SHAPES, rows};

/// The bytes of the smaller message.
const SIZE: usize = 4 << 10;
/// How much larger the other one is.
const GROWTH: usize = 8;
/// How much more than that a cost may grow: caches and tables are cheap while they are small.
const SLACK: f64 = 1.5;
/// The argument with which `valgrind` runs this program.
const COUNTED: &str = "--counted";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let part = arguments
        .iter()
        .find(|a| !a.starts_with("--"))
        .map_or("", String::as_str);
    let rows: Vec<Row> = rows()
        .into_iter()
        .filter(|row| row.name.contains(part))
        .collect();
    if arguments.iter().any(|a| a == COUNTED) {
        render_all(&rows, |_| mark());
        return ExitCode::SUCCESS;
    }
    let (unit, costs) = match instructions(part, &rows) {
        Some(costs) => ("instructions", costs),
        None => ("microseconds", seconds(&rows)),
    };
    judge(&rows, unit, &costs)
}

/// Renders each row on each shape, small and large, and tells of each when it is done.
fn render_all(rows: &[Row], mut done: impl FnMut(Instant)) {
    for row in rows {
        for shape in SHAPES {
            for size in [SIZE, SIZE * GROWTH] {
                let prepared = row.prepare(shape, size);
                let start = begin();
                prepared.render();
                done(start);
            }
        }
    }
}

/// What comes before is not what is measured.
#[inline(never)]
fn begin() -> Instant {
    std::hint::black_box(Instant::now())
}

/// What comes before is measured.
#[inline(never)]
fn mark() {
    std::hint::black_box(());
}

fn seconds(rows: &[Row]) -> Vec<f64> {
    let mut costs = Vec::new();
    render_all(rows, |start| {
        costs.push(start.elapsed().as_secs_f64() * 1e6)
    });
    costs
}

/// Runs this program under `valgrind`, which writes down what was counted whenever one of the functions
/// above is entered.
fn instructions(part: &str, rows: &[Row]) -> Option<Vec<f64>> {
    let folder = std::env::temp_dir().join(format!("cost-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let ran = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--dump-before=cost::mark",
            "--zero-before=cost::begin",
        ])
        .arg(format!("--callgrind-out-file={}/out", folder.display()))
        .arg(std::env::current_exe().unwrap())
        .args([COUNTED, part])
        .output();
    let costs = ran.is_ok_and(|ran| ran.status.success()).then(|| {
        let count = rows.len() * SHAPES.len() * 2;
        (1..=count)
            .map(|dump| counted(&folder.join(format!("out.{dump}"))))
            .collect()
    });
    std::fs::remove_dir_all(&folder).unwrap();
    costs
}

fn counted(dump: &std::path::Path) -> f64 {
    let text = std::fs::read_to_string(dump).unwrap();
    let total = text.lines().find_map(|line| line.strip_prefix("summary: "));
    total.unwrap().trim().parse().unwrap()
}

fn judge(rows: &[Row], unit: &str, costs: &[f64]) -> ExitCode {
    let cells = rows
        .iter()
        .flat_map(|row| SHAPES.iter().map(move |shape| (row, shape)));
    let mut found: Vec<_> = cells
        .zip(costs.chunks(2))
        .map(|((row, shape), cost)| (cost[1] / cost[0].max(1.0), cost[1], row, shape))
        .collect();
    found.sort_by(|left, right| right.1.total_cmp(&left.1));
    println!("the most expensive, in {unit} for {} bytes:", SIZE * GROWTH);
    for (growth, cost, row, shape) in found.iter().take(20) {
        println!(
            "{cost:>14.0}  x{growth:<6.1} {:<14} {}",
            shape.name, row.name
        );
    }
    found.retain(|(growth, ..)| *growth > GROWTH as f64 * SLACK);
    println!(
        "{} of {} grow faster than the message:",
        found.len(),
        costs.len() / 2
    );
    for (growth, cost, row, shape) in &found {
        println!(
            "{cost:>14.0}  x{growth:<6.1} {:<14} {}",
            shape.name, row.name
        );
    }
    ExitCode::from(u8::from(!found.is_empty()))
}
