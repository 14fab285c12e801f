# The two commands: `make demo` and `make test`. Each sets up what it needs.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip --disable-pip-version-check --quiet

BOT    ?= gateway.demo.bot:gateway
CONFIG ?= gateway.toml

.DEFAULT_GOAL := help
.PHONY: help demo serve test lint bench chaos client openapi lock clean

help:
	@echo "make demo     play one booking through a real gateway, with no account and no Redis"
	@echo "make test     every check and every test, as CI runs them"
	@echo "make serve    run a bot: make serve BOT=mybot:gateway CONFIG=gateway.toml"
	@echo "make lint     formatting, lint, types, import directions, Dockerfile"
	@echo "make chaos    every event under every kind of trouble: twice and lost must be 0 (about 40 minutes)"
	@echo "make bench    measure, as ratios to peers and to bare limits"
	@echo "make client   generate a typed client of the HTTP interface and use it"
	@echo "make openapi  write openapi/openapi.json from the code"
	@echo "make lock     resolve the locked dependencies again"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing what running needs (requirements.lock) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "installing what the checks need (requirements-dev.lock) ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.run
	@$(BIN)/gateway demo

serve: $(VENV)/.run
	@$(BIN)/gateway serve $(BOT) --config $(CONFIG)

# A test that outlives even its timeout, because its tear-down waits, ends its process with a traceback: it is named,
# and the others go on.
test: lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile \
	  -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile
	$(BIN)/gateway openapi --check openapi/openapi.json --released openapi/released.json

bench: $(VENV)/.dev
	$(BIN)/python -m tests.benchmarks

chaos: $(VENV)/.dev
	$(BIN)/python -m tests.chaos
	GATEWAY_MODEL_EXAMPLES=2000 $(BIN)/python -m pytest --timeout 3600 tests/redis/test_protocol_model.py \
	  tests/redis/test_state_model.py
	GATEWAY_SEARCH=random GATEWAY_PROPERTY_INPUTS=200 $(BIN)/python -m pytest -n 2 --timeout 3600 -m hypothesis
	GATEWAY_FUZZ_INPUTS=100000 $(BIN)/python -m pytest -n 2 --timeout 7200 tests/unit/test_provider_fuzz.py

client: $(VENV)/.dev
	$(BIN)/python -m tests.clients

openapi: $(VENV)/.run
	$(BIN)/gateway openapi --output openapi/openapi.json

lock: $(VENV)/.dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-annotate --no-header --extra embedded --extra build -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-annotate --no-header --extra build --extra dev -c requirements.lock \
	  -o requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) .gateway .mypy_cache .ruff_cache .pytest_cache .hypothesis
