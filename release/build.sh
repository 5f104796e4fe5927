#!/bin/sh
# Builds what is released: arguments are those of "cargo build --release", such as "-p rustformations". Behind
# "--" they are a command that runs cargo itself.
#
# The same source with the same toolchain gives the same bytes, in whichever folder: paths of this machine
# are replaced before they get into a binary, and the revision is git's or RUSTFORMATIONS_REVISION.
# "make reproducible" compares two builds.
set -eu
cd "$(dirname "$0")/.."

home=${CARGO_HOME:-$HOME/.cargo}
target=${CARGO_TARGET_DIR:-$PWD/target}
RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$home=/cargo --remap-path-prefix=$PWD=/src --remap-path-prefix=$target=/target"
export RUSTFLAGS
if [ "${1:-}" = -- ]; then
    shift
    exec "$@"
fi
exec "${CARGO:-cargo}" build --locked --release "$@"
