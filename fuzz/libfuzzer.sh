#!/bin/sh
# Fuzzes every target with libFuzzer for a number of seconds each; stable Rust and a C++ compiler will
# do. Called by "make fuzz". What it finds is kept under target/fuzz-findings.
set -eu

seconds=$1
cargo=${CARGO:-cargo}
cd "$(dirname "$0")/.."

if ! command -v c++ >/dev/null 2>&1; then
    echo 'no C++ compiler, so libFuzzer cannot be built: skipped'
    exit 0
fi

host=$(rustc -vV | sed -n 's/^host: //p')
work=target/libfuzzer
mkdir -p target/fuzz-findings "$work"

# What tells libFuzzer of branches and comparisons. Naming the target keeps it out of build scripts.
coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4'
coverage="$coverage -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage="$coverage -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
RUSTFLAGS="${RUSTFLAGS:-} $coverage -Ccodegen-units=1 --cfg fuzzing" "$cargo" build --quiet --profile fuzz \
    --target "$host" --target-dir "$work" -p rustformations-fuzz --features libfuzzer --bin libfuzzer

for target in render exchange json patch edits events sse ndjson dialects stages translate coding acl mask restored; do
    "$cargo" run --quiet --profile fuzz -p rustformations-fuzz --bin fuzz -- seeds "$target" "$work/seeds/$target"
    mkdir -p "$work/corpus/$target"
    echo "$target under libFuzzer"
    log="$work/$target.log"
    if ! FUZZ_TARGET=$target "$work/$host/fuzz/libfuzzer" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix=target/fuzz-findings/"$target"- "$work/corpus/$target" \
        "$work/seeds/$target" 2>"$log"; then
        tail -n 40 "$log" >&2
        exit 1
    fi
    sed -n 's/^stat::\(number_of_executed_units\|new_units_added\): */  \1 /p' "$log"
done
