#!/bin/sh
# Cargo for the examples, with the SDK of this tree where their manifests name the repository:
#
#   examples/cargo.sh test --manifest-path examples/my-filter/Cargo.toml
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
repository=$(sed -n 's/^repository = "\(.*\)"$/\1/p' "$root/Cargo.toml")
command=$1
shift
# Behind the command: clippy hands its own options over, not those of cargo before it.
exec "${CARGO:-cargo}" "$command" \
    --config "patch.'$repository'.envoy-proxy-dynamic-modules-rust-sdk.path='$root/patched-envoy-sdk'" "$@"
