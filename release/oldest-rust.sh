#!/bin/sh
# Builds the module and the tool with the oldest Rust that Cargo.toml promises (`rust-version`); rustup fetches
# it.
set -eu
cd "$(dirname "$0")/.."

version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
rustup toolchain install "$version" --profile minimal --no-self-update
exec cargo "+$version" check --locked -p rustformations -p rustformations-cli
