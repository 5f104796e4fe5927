#!/bin/sh
# Writes what the module and the tool are made of, as CycloneDX has it, into OUT; needs cargo-cyclonedx:
#
#   release/sbom.sh VERSION OUT
set -eu

if [ $# -ne 2 ]; then
    sed -n 's/^#   //p' "$0" >&2
    exit 2
fi
out=$(realpath --canonicalize-missing "$2")
cd "$(dirname "$0")/.."
mkdir -p "$out"

cargo cyclonedx --format json --spec-version 1.5 --override-filename bom --no-build-deps \
    --target x86_64-unknown-linux-gnu
mv rustformations/bom.json "$out/rustformations-module-$1.cdx.json"
mv cli/bom.json "$out/rustformations-$1.cdx.json"
# One is written for each package of the workspace.
find . -path ./target -prune -o -name bom.json -exec rm {} +
