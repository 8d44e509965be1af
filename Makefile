# Each target installs what it needs (scripts/setup) and says what it does.

CARGO ?= cargo
# Where rustup puts cargo, for a shell that has not read its profile since.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help run test bench doc setup

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: ## Starts the service on its own PostgreSQL; ARGS="--listen 127.0.0.1:9000" adds arguments
	@scripts/setup
	$(CARGO) run --release --features server -- serve $(ARGS)

test: ## Runs every test: the library with both backends, with each alone, the documentation, the whole service
	@scripts/setup test
	$(CARGO) test --features server
	$(CARGO) test --lib --no-default-features --features blocking
	$(CARGO) test --lib --no-default-features --features async

bench: ## Measures both backends, the bridge, the translator and a tree beside the peers, and writes docs/BENCHMARKS.md
	@scripts/setup bench
	UPDATE_DOCS=1 $(CARGO) bench --features server --bench cost
	UPDATE_DOCS=1 $(CARGO) bench --features bench-peers --bench translate
	UPDATE_DOCS=1 $(CARGO) bench --features server --bench tree
	UPDATE_DOCS=1 $(CARGO) bench --features server --bench side_by_side

doc: ## Builds the documentation of the library and tells where it is
	@scripts/setup
	$(CARGO) doc --no-deps --document-private-items --features server
	@echo "open target/doc/pontoon/index.html"

setup: ## Installs what the other targets need
	@scripts/setup test
