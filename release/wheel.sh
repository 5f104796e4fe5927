#!/bin/sh
# Builds the Python wheel, which holds the tool and the module:
#
#   release/wheel.sh MODULE TEXTS OUT [options of "maturin build"]
#
# the paths of librust_module.so and of the texts of licences, and the folder for the wheel. MATURIN names
# maturin where it is not on PATH.
set -eu

if [ $# -lt 3 ]; then
    sed -n 's/^#   //p' "$0" >&2
    exit 2
fi
module=$(realpath "$1") texts=$(realpath "$2") out=$(realpath --canonicalize-missing "$3")
shift 3
cd "$(dirname "$0")/.."

# What maturin puts below the prefix of an installation; named in pyproject.toml.
data=target/wheel/data
rm -rf "$data"
install -m 0644 -D "$module" "$data/lib/rustformations/librust_module.so"
install -m 0644 -D LICENSE "$data/share/doc/rustformations/LICENSE"
install -m 0644 -D "$texts" "$data/share/doc/rustformations/THIRD-PARTY.txt"

exec "${MATURIN:-maturin}" build --locked --out "$out" "$@"
