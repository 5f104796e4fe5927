# syntax=docker/dockerfile:1
#
# Three images from one build, by their targets:
#
#   docker build -t rustformations:dev .                             envoy, the default: Envoy with the module
#   docker build -t rustformations:dev-kgateway --target kgateway .  kgateway's own proxy image with the module
#                                                                    in the place of its own
#   docker build -t rustformations:dev-module --target module .      only librust_module.so, for an image
#                                                                    volume beside a stock Envoy
#
# All for amd64 and arm64 (`--platform linux/amd64,linux/arm64`); each platform compiles for
# itself. The module is the same file for Envoy 1.36 to 1.40; ENVOY_VERSION only picks the Envoy
# it is shipped with:
#
#   kgateway 2.2: 1.36.4 (default)    kgateway 2.3: 1.37.x    kgateway 2.4: 1.38.x
#
# KGATEWAY_VERSION is the release of kgateway that is installed: its image keeps the Envoy, at the patch
# level that kgateway gave it, and the start program.
#
# The compiler's base is Debian 11 so that the module asks for an old glibc (2.31) and loads in
# whichever base image it meets.

ARG RUST_VERSION=1.88.0
ARG ENVOY_VERSION=1.36.4
ARG KGATEWAY_VERSION=2.2.9

FROM rust:${RUST_VERSION}-bullseye AS rust
SHELL ["/bin/bash", "-o", "errexit", "-o", "pipefail", "-c"]
WORKDIR /src

# What decides the dependencies and nothing else: manifests, the lock file, how they are built, and the
# roots of every target, emptied. Editing any other file, or what is in a root, leaves this stage's result, and so
# the layers made from it, as they were.
FROM rust AS manifests
COPY . .
RUN find . -type f ! -name Cargo.toml ! -name Cargo.lock ! -path '*/src/lib.rs' \
        ! -path '*/src/main.rs' ! -path '*/src/bin/*.rs' ! -path '*/benches/*.rs' \
        ! -path '*/tests/*.rs' ! -path '*/examples/*.rs' ! -name build.rs ! -path ./release/build.sh -delete \
    && find . -type d -empty -delete \
    && echo 'fn main() {}' > emptied \
    && find . -name '*.rs' -exec cp emptied {} \; \
    && rm emptied

FROM rust AS dependencies
COPY --from=manifests /src /src
RUN release/build.sh -p rustformations

FROM dependencies AS build
COPY . .
ARG REVISION=unknown
ENV RUSTFORMATIONS_REVISION=${REVISION}
# Cargo compares times, and the sources are older than the emptied ones just built.
RUN find . -name '*.rs' -exec touch {} + \
    && release/build.sh -p rustformations \
    && install -m 0644 -D target/release/librust_module.so /out/librust_module.so \
    && readelf --dynamic /out/librust_module.so > /out/dynamic \
    && grep NEEDED /out/dynamic \
    && ! grep 'NEEDED.*libgcc_s' /out/dynamic \
    && readelf --dyn-syms --wide /out/librust_module.so > /out/symbols \
    && grep envoy_dynamic_module_on_program_init /out/symbols \
    && install -m 0644 -D LICENSE /out/licenses/LICENSE \
    && cargo run --locked --quiet -p rustformations-release --bin third-party texts > /out/licenses/THIRD-PARTY.txt

FROM scratch AS module
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE
LABEL org.opencontainers.image.title="rustformations-module" \
      org.opencontainers.image.description="librust_module.so alone: an Envoy dynamic module for Envoy 1.36 to 1.40" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=build /out/librust_module.so /librust_module.so
COPY --from=build /out/licenses /licenses

# Whatever kgateway needs in an image is in its own: the start program, what its hooks call, authorities of
# certificates. So one file is put over another, licences beside, and nothing is run; from 2.4 on there is nothing to run it with.
FROM cr.kgateway.dev/kgateway-dev/envoy-wrapper:v${KGATEWAY_VERSION} AS kgateway
ARG KGATEWAY_VERSION
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE
LABEL org.opencontainers.image.title="rustformations-kgateway" \
      org.opencontainers.image.description="kgateway's proxy with the rustformations dynamic module" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}-kgateway${KGATEWAY_VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="cr.kgateway.dev/kgateway-dev/envoy-wrapper:v${KGATEWAY_VERSION}"
COPY --from=build --chmod=0644 /out/librust_module.so /usr/local/lib/librust_module.so
COPY --from=build /out/licenses /usr/share/doc/rustformations
# As it is there already; were it ever another folder, kgateway's module would stay in force unnoticed.
ENV ENVOY_DYNAMIC_MODULES_SEARCH_PATH=/usr/local/lib
USER 10101

FROM envoyproxy/envoy:v${ENVOY_VERSION} AS envoy
ARG ENVOY_VERSION
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE
LABEL org.opencontainers.image.title="rustformations" \
      org.opencontainers.image.description="Envoy with the rustformations dynamic module; stand-alone or under kgateway" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}-envoy${ENVOY_VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="docker.io/envoyproxy/envoy:v${ENVOY_VERSION}"
# wget: kgateway drains a pod with it before it stops it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates wget \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build --chmod=0644 /out/librust_module.so /usr/local/lib/librust_module.so
COPY --from=build /out/licenses /usr/share/doc/rustformations
COPY --chmod=0755 docker-entrypoint.sh /docker-entrypoint.sh
# Twice: kgateway mounts its own files over /etc/envoy, and the sample should stay in reach.
COPY --chmod=0644 envoy.yaml /usr/share/rustformations/envoy.yaml
COPY --chmod=0644 envoy.yaml /etc/envoy/envoy.yaml
ENV ENVOY_DYNAMIC_MODULES_SEARCH_PATH=/usr/local/lib
USER 10101
EXPOSE 8082
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD []
