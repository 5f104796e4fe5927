#!/bin/sh
# Every test, as "make test" and CI run them: passes on what they print as it comes, and says at the end
# what was skipped and why. The last line is the total over all tests; the exit status is cargo's.
# Arguments go to cargo.
#
# SKIPPED_TESTS names the file of what was skipped, one line "NAME: why" each, as `skip` of
# tests/src/tools.rs writes them. What stands there before is repeated, too.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
SKIPPED_TESTS=${SKIPPED_TESTS:-$work/skipped}
export SKIPPED_TESTS

{
    status=0
    "${CARGO:-cargo}" test --workspace --no-fail-fast "$@" 2>&1 || status=$?
    echo "$status" >"$work/status"
} | tee "$work/log"
status=$(cat "$work/status")

# Tests that are marked as ignored are skipped as well.
sed -n -e 's/^test \(.*\) \.\.\. ignored, \(.*\)$/\1: \2/p' \
    -e 's/^test \(.*\) \.\.\. ignored$/\1: ignored/p' "$work/log" >>"$SKIPPED_TESTS"

echo
if [ -s "$SKIPPED_TESTS" ]; then
    echo 'Skipped:'
    sort -u "$SKIPPED_TESTS" | sed 's/^/  /'
else
    echo 'Nothing was skipped.'
fi
awk -v status="$status" '
    /^test result:/ {
        for (i = 2; i <= NF; i++) {
            if ($i ~ /^passed/) passed += $(i - 1)
            if ($i ~ /^failed/) failed += $(i - 1)
        }
    }
    END {
        if (status != 0 && failed == 0)
            printf "cargo ended with status %d, though no test failed: see above\n", status
        printf "%d passed, %d failed\n", passed, failed
    }' "$work/log"
exit "$status"
