# Everything a person needs is here: `make demo` and `make test` install what they use.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN := $(CURDIR)/node_modules/.bin
NODE = $(or $(wildcard $(BIN)/node),node)
OPA := $(CURDIR)/.tools/opa
export PATH := $(BIN):$(CURDIR)/.tools:$(PATH)

help: ## Lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  make %-8s %s\n", $$1, $$2 }'

node_modules/.ready: package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@$(or $(wildcard $(BIN)/node),node) deploy/setup/node.cjs
	@touch $@

install: node_modules/.ready

setup: install ## Fetches what tests need: opa, and PostgreSQL's real servers and clients
	@$(NODE) deploy/setup/opa.ts
	@$(NODE) deploy/setup/servers.ts

demo: install ## Plays the tour against a real PostgreSQL; ONCE=1 checks it and stops
	@$(NODE) deploy/demo/demo.ts $(if $(ONCE),--once)

check: install ## Type check, lint, format
	tsc
	biome ci .

rego: setup ## Format, strict check against the schemas, tests and coverage of the policies
	@$(NODE) deploy/setup/rego.ts

test: setup check rego ## All tests, against real servers with real clients
	vitest run

soak: setup ## The long proofs: PostgreSQL's regression suite, a million decisions, random statements
	POSTERN_ORACLE=all POSTERN_DECISIONS=1000000 vitest run test/oracle test/pdp/engine/growth.test.ts
	vitest run test/noninterference
	for seed in 2 3 4 5 6 7 8 9 10 11; do POSTERN_SEED=$$seed POSTERN_NI_STATEMENTS=10000 \
		vitest run test/noninterference -t 'random statements' || exit 1; done

bench: setup ## Prints what a decision and a statement cost, against a direct connection and pgbouncer
	@$(NODE) bench/bench.ts

bundle: setup ## Builds and signs the demo bundle again from rego/
	@$(NODE) deploy/demo/bundle.ts

format: install ## Formats everything
	biome check --write .
	@if [ -x $(OPA) ]; then $(OPA) fmt --write rego; fi

clean: ## Removes what was installed and made
	rm -rf node_modules .tools .demo coverage

.PHONY: help install setup demo check rego test soak bench bundle format clean
