# Isthmus. `make run` serves; `make test` tests. Both set up all they need.

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help run test check static fast e2e bench soak chaos simulation fuzz fmt lint type contract golden grid docs lock clean

help:
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

run: .venv/run.stamp  ## set up what is needed, fetch the bundled model if no provider is configured, serve
	@$(BIN)/isthmus local install --if-needed
	@exec $(BIN)/isthmus serve

test: .venv/dev.stamp static  ## set up, check and run every test that needs Python packages and the bundled model
	@$(BIN)/isthmus local install
	$(PYTEST) -m "not e2e" tests

check: .venv/dev.stamp static fast  ## format, lint, types, import contract and the fast tests, in under a minute

static: fmt lint type contract

fmt: .venv/dev.stamp
	$(BIN)/ruff format --check -q

lint: .venv/dev.stamp
	$(BIN)/ruff check -q

type: .venv/dev.stamp
	$(BIN)/mypy --no-error-summary

contract: .venv/dev.stamp
	@$(BIN)/lint-imports --no-cache > .venv/contract.log || (cat .venv/contract.log; exit 1)

fast: .venv/dev.stamp
	$(PYTEST) -m "not e2e and not local_model and not recordings and not slow" tests

e2e: .venv/dev.stamp  ## install clients from npm and PyPI, run the tests that need them, print the table
	@$(BIN)/isthmus local install
	$(BIN)/python tests/e2e/install.py
	$(PYTEST) -m e2e tests/e2e

bench: .venv/dev.stamp  ## measure the gateway beside nginx and a direct connection, in one run
	$(BIN)/python -m bench

soak: .venv/dev.stamp  ## five minutes at half load with failing upstreams and leaving clients
	$(BIN)/python -m bench.soak

chaos: .venv/dev.stamp  ## a quarter of an hour in which everything around four gateways fails (needs nginx and Redis)
	$(BIN)/python -m bench.chaos

simulation: .venv/dev.stamp  ## every routing strategy through the same failures in simulated time; a table and a chart
	$(BIN)/python -m bench.simulation --write

fuzz: .venv/fuzz.stamp  ## feed every reader and splitter what nobody meant, SECONDS=60 each (Linux)
	PYTHONPATH=tests $(BIN)/python -m fuzz $(or $(SECONDS),60) $(ONLY)

golden: .venv/dev.stamp  ## rewrite the specimens' golden files from the codecs; review the difference like code
	$(BIN)/python tests/golden.py

grid: .venv/dev.stamp  ## count how recorded traffic survives every pair of dialects (needs ISTHMUS_RECORDINGS)
	$(BIN)/python tests/grid.py

docs: .venv/dev.stamp  ## write the generated references again
	$(BIN)/python -m isthmus.config.reference > docs/reference/configuration.md
	$(BIN)/python -m isthmus.server.admin.reference > docs/reference/admin.md

lock:  ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --extra local --extra tokens --group build $(LOCK) -o requirements.lock
	uv pip compile pyproject.toml --extra local --extra tokens --group build --group dev $(LOCK) -o requirements-dev.lock
	for name in sdks frameworks deploy tools; do uv pip compile tests/e2e/python/$$name.in $(LOCK) -o tests/e2e/python/$$name.lock; done
	uv pip compile --group fuzz $(LOCK) -o requirements-fuzz.lock
	uv pip compile pyproject.toml $(EXTRAS) --group build $(LOCK) -c requirements-dev.lock -o deploy/requirements.lock

EXTRAS := --extra bedrock --extra vertex --extra otel --extra postgres --extra redis --extra tokens
LOCK := -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

.venv/run.stamp: requirements.lock pyproject.toml
	@sh scripts/environment.sh requirements.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock pyproject.toml
	@sh scripts/environment.sh requirements-dev.lock
	@touch $@ .venv/run.stamp

.venv/fuzz.stamp: .venv/dev.stamp requirements-fuzz.lock
	@sh scripts/environment.sh requirements-fuzz.lock
	@touch $@

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .hypothesis
