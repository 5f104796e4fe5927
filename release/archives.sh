#!/bin/sh
# Packs what is released for one platform into OUT, with a SHA-256 beside each file:
#
#   release/archives.sh VERSION PLATFORM MODULE TOOL TEXTS OUT
#
# such as 0.1.0 linux-amd64, then the paths of librust_module.so, of rustformations and of the texts of
# licences. The archives hold the same bytes whenever they are packed: times are SOURCE_DATE_EPOCH.
set -eu

if [ $# -ne 6 ]; then
    sed -n 's/^#   //p' "$0" >&2
    exit 2
fi
version=$1 platform=$2 module=$3 tool=$4 texts=$5 out=$6
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# pack NAME: the folder NAME of $work as NAME.tar.gz, the licences in it.
pack() {
    install -m 0644 "$root/LICENSE" "$work/$1/LICENSE"
    install -m 0644 "$texts" "$work/$1/THIRD-PARTY.txt"
    tar --create --sort=name --mtime="@${SOURCE_DATE_EPOCH:-0}" --owner=0 --group=0 --numeric-owner \
        --directory "$work" "$1" | gzip --no-name --best >"$out/$1.tar.gz"
}

name=rustformations-module-$version-$platform
install -m 0644 -D "$module" "$work/$name/librust_module.so"
pack "$name"

name=rustformations-$version-$platform
install -m 0755 -D "$tool" "$work/$name/bin/rustformations"
man=$work/$name/share/man/man1 completions=$work/$name/share/completions
mkdir -p "$man" "$completions"
"$tool" man >"$man/rustformations.1"
commands=$("$tool" --help | awk '/^Commands:/ { inside = 1; next } /^$/ { inside = 0 } inside && /^  [a-z]/ { print $1 }')
for command in $commands; do
    [ "$command" = help ] || "$tool" man "$command" >"$man/rustformations-$command.1"
done
for shell in bash fish zsh; do
    "$tool" completions "$shell" >"$completions/rustformations.$shell"
done
pack "$name"

# The module alone as well: where one file is all that is asked for.
install -m 0644 "$module" "$out/librust_module-$version-$platform.so"

cd "$out"
for file in ./*"$platform"*.tar.gz ./*"$platform"*.so; do
    sha256sum "${file#./}" >"$file.sha256"
done
