#!/bin/sh
# The images of a release: built where their platform is, then joined under one name for both.
#
#   release/images.sh list                           a line for each image: its tag, the target, an argument
#   release/images.sh push REPOSITORY VERSION ARCH   builds and pushes each for amd64 or arm64, as TAG-ARCH
#   release/images.sh join REPOSITORY VERSION        makes TAG of both, and prints each with its digest
#
# REPOSITORY is a name in a registry that docker is logged in to; SOURCE and REVISION become labels.
set -eu
cd "$(dirname "$0")/.."

# VERSION stands for the version that is released.
list() {
    echo 'VERSION-module module VERSION=VERSION'
    for envoy in 1.36.4 1.37.5 1.38.3 1.39.3 1.40.0; do
        echo "VERSION-envoy$envoy envoy ENVOY_VERSION=$envoy"
    done
    for kgateway in 2.2.9 2.3.7 2.4.3; do
        echo "VERSION-kgateway$kgateway kgateway KGATEWAY_VERSION=$kgateway"
    done
}

# The twelve digits that every other file of a release tells, so that all have the same bytes.
revision=$(printf %.12s "${REVISION:-}")

push() {
    list | sed "s/VERSION-/$2-/; s/=VERSION/=$2/" | while read -r tag target argument; do
        docker buildx build --platform "linux/$3" --target "$target" --build-arg "$argument" \
            --build-arg "VERSION=$2" --build-arg "REVISION=${revision:-unknown}" --build-arg "SOURCE=${SOURCE:-}" \
            --provenance=mode=max --sbom=true --push --tag "$1:$tag-$3" . </dev/null
    done
}

join() {
    list | sed "s/VERSION-/$2-/" | while read -r tag _; do
        docker buildx imagetools create --tag "$1:$tag" "$1:$tag-amd64" "$1:$tag-arm64" </dev/null >&2
        digest=$(docker buildx imagetools inspect --format '{{ .Manifest.Digest }}' "$1:$tag" </dev/null)
        echo "$1:$tag@$digest"
    done
}

case "${1:-} $#" in
    'list 1') list ;;
    'push 4') push "$2" "$3" "$4" ;;
    'join 3') join "$2" "$3" ;;
    *) sed -n 's/^#   //p' "$0" >&2; exit 2 ;;
esac
