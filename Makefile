# Every target makes the environment `.venv` first, if it is missing or the lock has changed.
# Needed: make, and Python 3.11 or later with its venv module.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

# Branch coverage in percent below which `make test` fails.
COVERAGE_MIN ?= 90
# Further arguments for pytest: make test TESTS='tests/engine -k rollback' COVERAGE_MIN=0
TESTS ?=
# Processes that test beside each other, each with a part of the tests: a number; 0: none, in the order of the files.
WORKERS ?= auto

.PHONY: help
help: ## this list
	@echo "make TARGET; every target makes $(VENV) if it is missing"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14

.PHONY: venv
venv: $(READY) ## only the environment: .venv/bin/gateway

.PHONY: demo
demo: $(READY) ## wallets, the gateway and providers of several dialects play on this machine
	@$(BIN)/gateway demo

.PHONY: test
test: $(READY) ## every test, with branch coverage of gateway/ and adapters/
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -v --numprocesses $(WORKERS) --dist load $(TESTS); tested=$$?; \
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report --fail-under=$(COVERAGE_MIN); covered=$$?; \
	[ $$tested -eq 0 ] && [ $$covered -eq 0 ]

# Histories of the simulation: make simulate SEEDS=100000 FIRST=1 JOBS=2; of what is rare: BIAS=forgets+steps
SEEDS ?= 2000
FIRST ?= 1
JOBS ?= 1
BIAS ?=

.PHONY: simulate
simulate: $(READY) ## the real engine in a made-up world that fails: SEEDS histories, from FIRST on
	@$(BIN)/python -m tests.simulation.run --seeds $(SEEDS) --first $(FIRST) --jobs $(JOBS) --bias "$(BIAS)"

# Every history of small worlds: make explore DEPTH=14 STATES=100000 JOBS=2
DEPTH ?= 12
STATES ?= 20000

.PHONY: explore
explore: $(READY) ## every history of small worlds up to DEPTH events (STATES of each world at most)
	@$(BIN)/python -m tests.explore.run --depth $(DEPTH) --states $(STATES) --jobs $(JOBS)

# Real processes on loopback, some four minutes: make test-chaos SEED=7 CHAOS_SECONDS=60
SEED ?= 1
CHAOS_SECONDS ?= 60
.PHONY: test-chaos
test-chaos: $(READY) ## three nodes, PostgreSQL, a bad network, kill -9: does every purse add up? (SEED, CHAOS_SECONDS)
	$(BIN)/python -m tests.chaos.run --seed $(SEED) --seconds $(CHAOS_SECONDS) --repeats safe
	$(BIN)/python -m tests.chaos.run --seed $(SEED) --seconds $(CHAOS_SECONDS) --repeats query

.PHONY: check
check: $(READY) ## ruff, mypy --strict, the rules of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_house_rules.py

# Everything on loopback, some minutes: make bench BENCH='--only sqlite,journal --json bench.json', BENCH=--quick
BENCH ?=
.PHONY: bench
bench: $(READY) ## the gateway beside what else could be run, same work, same run (needs wrk; node, npm, nginx: their peers)
	$(BIN)/python -m bench.run $(BENCH)

# make profile PROFILE='--calls 1000 --best 9'
PROFILE ?=
.PHONY: profile
profile: $(READY) ## the stages of one bet in microseconds
	@$(BIN)/python -m bench.stages $(PROFILE)

.PHONY: coverage
coverage: $(READY) ## the last run's coverage as pages: var/coverage/index.html
	$(BIN)/coverage html --quiet --directory var/coverage

.PHONY: docs
docs: $(READY) ## write the generated tables of README.md and docs/ again
	$(BIN)/python -m docs.generate

# pip-tools lives in an environment of its own: it is a tool, not a part.
COMPILE := CUSTOM_COMPILE_COMMAND='make lock' $(VENV)/lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe \
	--strip-extras --all-build-deps --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.PHONY: lock
lock: $(READY) ## requirements*.lock again from pyproject.toml (LOCK=--upgrade: the newest of everything)
	@$(BIN)/python -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip --disable-pip-version-check --no-input install --quiet pip-tools
	$(COMPILE) $(LOCK) --extra dev --output-file requirements.lock pyproject.toml
	$(COMPILE) --constraint requirements.lock --output-file requirements-run.lock pyproject.toml

.PHONY: clean
clean: ## everything that make has made
	rm -rf $(VENV) var build *.egg-info .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first Python that is new enough; PYTHON=... names another.
$(READY): requirements.lock pyproject.toml
	@python=; for each in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  if $$each -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    python=$$each; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "No Python 3.11 or later with its venv module was found (Debian: apt-get install python3-venv)." >&2; \
	  echo "Another one: make PYTHON=/path/to/python" >&2; exit 1; fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  echo "making $(VENV)"; rm -rf $(VENV); $$python -m venv $(VENV); fi
	@echo "installing requirements.lock"
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
