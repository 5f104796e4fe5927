#!/bin/sh
# Prints what CHANGELOG.md says of a version, the notes of its release; fails where it says nothing, and
# where Cargo.toml has another version:
#
#   release/notes.sh VERSION
set -eu

if [ $# -ne 1 ]; then
    sed -n 's/^#   //p' "$0" >&2
    exit 2
fi
cd "$(dirname "$0")/.."

built=$(sed -n '/^\[workspace.package\]/,/^\[/ s/^version = "\(.*\)"$/\1/p' Cargo.toml)
if [ "$built" != "$1" ]; then
    echo "Cargo.toml has version $built, not $1: set it, and tag the commit that does" >&2
    exit 1
fi
notes=$(awk -v heading="## [$1]" '
    index($0, heading) == 1 { inside = 1; next }
    /^## / || /^\[.*\]: / { inside = 0 }
    inside' CHANGELOG.md)
if [ -z "$notes" ]; then
    echo "CHANGELOG.md has no section [$1]: make one of [Unreleased]" >&2
    exit 1
fi
echo "$notes" | sed '1 { /^$/ d }'
