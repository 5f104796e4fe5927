#!/bin/sh
# Builds and packs everything that is released for the platform of this machine, into OUT:
#
#   release/platform.sh VERSION OUT
#
# The release runs it on Debian 11, so that the binaries ask for an old glibc (2.31); MATURIN names maturin.
set -eu

if [ $# -ne 2 ]; then
    sed -n 's/^#   //p' "$0" >&2
    exit 2
fi
version=$1
out=$(realpath --canonicalize-missing "$2")
cd "$(dirname "$0")/.."

case $(uname -m) in
    x86_64) platform=linux-amd64 ;;
    aarch64) platform=linux-arm64 ;;
    *) echo "nothing is released for $(uname -m)" >&2; exit 1 ;;
esac

# One by one: together, each would have the features that the other asks of crates that both have.
release/build.sh -p rustformations
release/build.sh -p rustformations-cli
newest=$(readelf --version-info --wide target/release/librust_module.so | grep -o 'GLIBC_2[0-9.]*' | sort --version-sort | tail -n 1)
if [ "$(printf '%s\n' "$newest" GLIBC_2.31 | sort --version-sort | tail -n 1)" != GLIBC_2.31 ]; then
    echo "the module asks for $newest; build it on Debian 11" >&2
    exit 1
fi
texts=target/THIRD-PARTY.txt
cargo run --locked --quiet -p rustformations-release --bin third-party -- texts >"$texts"
release/archives.sh "$version" "$platform" target/release/librust_module.so target/release/rustformations "$texts" "$out"
release/build.sh -- release/wheel.sh target/release/librust_module.so "$texts" "$out" --release --compatibility manylinux_2_31
