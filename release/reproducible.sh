#!/bin/sh
# Builds the module twice as it is released, from copies of what git tracks in two folders, with crates in
# two folders as well, and compares the bytes. Called by "make reproducible"; takes twice as long as
# "make module", and fetches all crates once more.
set -eu
cd "$(dirname "$0")/.."

RUSTFORMATIONS_REVISION=${RUSTFORMATIONS_REVISION:-$(git rev-parse --short=12 HEAD)}
export RUSTFORMATIONS_REVISION
unset CARGO_TARGET_DIR

work=$PWD/target/reproducible
rm -rf "$work"
for folder in "$work/one" "$work/two/elsewhere"; do
    mkdir -p "$folder"
    git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --target-directory "$folder"
done

(cd "$work/one" && release/build.sh -p rustformations)
# The same toolchain, though CARGO_HOME moves.
cargo=$(command -v "${CARGO:-cargo}")
(cd "$work/two/elsewhere" && CARGO=$cargo CARGO_HOME=$work/two/cargo release/build.sh -p rustformations)

sha256sum "$work/one/target/release/librust_module.so" "$work/two/elsewhere/target/release/librust_module.so"
cmp "$work/one/target/release/librust_module.so" "$work/two/elsewhere/target/release/librust_module.so"
echo 'both builds give the same bytes'
