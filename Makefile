# Liaison. `make` alone lists what there is.
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench memory timing lives races faults fuzz polling lock clean

SHELL := /bin/bash
# The first Python that is new enough; override with `make demo PYTHON=/path/to/python3.12`.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

.venv/pyvenv.cfg:
	@if [ -z "$(PYTHON)" ]; then echo "Liaison needs Python 3.11 or newer; none was found. Install one, or name it: make PYTHON=..." >&2; exit 1; fi
	@echo "· making .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv

.venv/.installed: .venv/pyvenv.cfg requirements.lock pyproject.toml
	@echo "· installing Liaison from requirements.lock (about a minute, once)"
	@$(PIP) --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-test: .venv/.installed requirements-test.lock
	@echo "· installing the test tools from requirements-test.lock (about a minute, once)"
	@$(PIP) --require-hashes --only-binary :all: -r requirements-test.lock
	@touch $@

demo: .venv/.installed ## everything on this machine, on SQLite: portal, worker, mailbox, a toy provider; Ctrl-C ends it
	@exec $(BIN)/liaison demo

test: .venv/.installed-test ## every test, on SQLite and PostgreSQL, browser included
	@$(BIN)/python -m tests.browser_setup
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

lint: .venv/.installed-test ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: .venv/.installed-test ## the benchmarks, as tables and as bench/results.json, bench/polls-results.json, bench/queue-results.json
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.queue

memory: .venv/.installed-test ## does a worker's memory stay flat over 100,000 messages? (about half an hour)
	@$(BIN)/python -m bench.memory

timing: .venv/.installed-test ## does the sign-in tell by its time whether an account exists? 2,000 tries
	@$(BIN)/python -m bench.timing

lives: .venv/.installed-test ## 10,000 random steps through the lives of orders, on each database (about an hour)
	@$(BIN)/python -m pytest -n 2 -s tests/life --steps 10000 --timeout 7200 $(ARGS)

races: .venv/.installed-test ## 1,000 races of eight on one order, on each database (about ten minutes)
	@$(BIN)/python -m pytest -n 2 tests/races --races 1000 --timeout 3600 $(ARGS)

faults: .venv/.installed-test ## kill workers, databases and mail servers: 200 rounds on each database (about half an hour)
	@$(BIN)/python -m pytest -v -n 2 tests/faults --rounds 200 --minute 60 $(ARGS)

fuzz: .venv/.installed-test ## every call of the endpoint, 300 made-up inputs from each of three seeds (about ten minutes)
	@$(BIN)/python -m pytest -n 2 tests/fuzz --examples 300 --seeds 3 $(ARGS)

polling: .venv/.installed-test ## 20 providers' programs and 8 writers on PostgreSQL for a minute, also with the portal killed five times
	@$(BIN)/python -m pytest -s tests/polling --minute 60 $(ARGS)

lock: .venv/.installed-test ## pin every dependency anew (needs uv on the PATH)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --quiet --extra server --extra build --extra postgresql --extra demo -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --quiet --all-extras -c requirements.lock -o requirements-test.lock

clean: ## removes .venv and the demo's data, nothing else
	rm -rf .venv var/demo
