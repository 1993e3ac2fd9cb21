# Two commands, each complete by itself:
#   make chat   installs what is missing, adds the samples to an empty library, opens the page
#   make test   installs what tests need, then lint, format, types and tests
# `make help` lists the rest.

PORT ?=
HOST ?=
MODEL ?=
DATA ?= ../shared/public
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := assistant ingest prompts store evals tests

# The first Python that is new enough; `make chat PYTHON=/path/to/python` names another.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)

# Stamps carry a checksum of what they stand for: nothing is installed twice, nor left out after a change.
KEY := $(shell cat pyproject.toml constraints.txt | cksum | cut -d ' ' -f 1)
READY := $(VENV)/ready-$(KEY)
READY_TO_TEST := $(VENV)/ready-to-test-$(KEY)
READY_FOR_CLIENTS := $(VENV)/ready-for-clients-$(KEY)
READY_FOR_SERVERS := $(VENV)/ready-for-servers-$(KEY)
READY_FOR_MODEL := $(VENV)/ready-for-model-$(KEY)

# Everything is pinned, what builds the package too: so it is built with what stands here, not with what pip finds.
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt $(if $(MAKE_TERMOUT),,--quiet)
INSTALL := $(PIP) --no-build-isolation --editable

.PHONY: help chat test lint format types browser test-hard test-server fuzz soak licences audit bench-retrieval bench-speed bench-answers bench-claims bench-injection bench-public constraints upgrade clean

help:
	@echo "make chat [PORT=8000] [HOST=127.0.0.1] [MODEL=local] [ATTEST_HOME=folder]   open the chat page"
	@echo "make test                                       lint, format, types, tests: what CI runs"
	@echo "make lint, make types, make format              its parts; format also mends"
	@echo "make test-hard                                  the tests that take minutes"
	@echo "make bench-retrieval, bench-speed, bench-answers, bench-claims, bench-injection   measure"
	@echo "make bench-public DATA=folder                   measure by the protocols of MIRACL, NoMIRACL, XQuAD-R"
	@echo "make test-server                                the tests that start servers and cut lines to them"
	@echo "make fuzz [MINUTES=10], make soak [MINUTES=5]   look for input that breaks it; load it for minutes"
	@echo "make licences, make audit                       list the licences; look for known vulnerabilities (network)"
	@echo "make constraints, make upgrade                  pin new dependencies; choose newer versions of all"
	@echo "make clean                                      remove what was installed and built"

chat: $(if $(filter local,$(MODEL)),$(READY_FOR_MODEL),$(READY))
	@$(BIN)/attest prepare
	$(if $(filter local,$(MODEL)),@$(BIN)/attest models install)
	@exec env $(if $(filter local,$(MODEL)),ATTEST_MODE=written) $(BIN)/attest serve $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

# The tests are shared out to a process for each processor, four at most.
test: lint types browser
	$(BIN)/pytest -n auto --dist worksteal

lint: $(READY_TO_TEST)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY_TO_TEST)
	$(BIN)/mypy

format: $(READY_TO_TEST)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

browser: $(READY_TO_TEST)
	@$(BIN)/python -m tests.browser

test-hard: browser $(READY_FOR_CLIENTS)
	$(BIN)/pytest -m hard --timeout 3600

# Real servers, started by the tests on free ports.
test-server: $(READY_FOR_SERVERS)
	$(BIN)/pytest -m server --timeout 1200

bench-retrieval bench-answers bench-claims bench-injection: bench-%: $(READY_TO_TEST)
	$(BIN)/python -m evals.benchmarks.$*

bench-public: $(READY_TO_TEST)
	$(BIN)/python -m evals.benchmarks.public "$(DATA)"

# What it compares with embeds through sentence-transformers, which nothing else needs.
bench-speed: $(READY_TO_TEST)
	@$(INSTALL) ".[bench,torch]"
	$(BIN)/python -m evals.benchmarks.speed

fuzz: $(READY_TO_TEST)
	$(BIN)/python -m tests.security.fuzz --minutes $(or $(MINUTES),10)

soak: $(READY_TO_TEST)
	$(BIN)/python -m tests.reliability.soak --minutes $(or $(MINUTES),5)

licences: $(READY_TO_TEST)
	$(BIN)/python -m tests.project.licences > docs/licences.md

# Asks a service on the network about every pin, so it is no part of `make test`.
audit:
	"$(PYTHON)" -m venv build/audit
	build/audit/bin/python -m pip install --quiet pip-audit
	build/audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip

$(VENV)/made:
	@test -n "$(PYTHON)" || { echo "Attest needs Python 3.11 or newer: install it, or name it with PYTHON=/path/to/python." >&2; exit 2; }
	@echo "Making $(VENV) with $$("$(PYTHON)" --version)."
	@"$(PYTHON)" -m venv --clear $(VENV) || { echo "$(PYTHON) can't make virtual environments: install its venv module (Debian: apt install python3-venv)." >&2; exit 2; }
	@touch $@

$(READY): $(VENV)/made
	@echo "Installing Attest into $(VENV): once, and it takes some minutes."
	@$(PIP) setuptools
	@$(INSTALL) .
	@touch $@

$(READY_FOR_MODEL): $(READY)
	@$(INSTALL) ".[local]"
	@touch $@

# Programs that people ask Attest with, each tried by a test.
$(READY_FOR_CLIENTS): $(READY_TO_TEST)
	@$(INSTALL) ".[local,server,test,clients]"
	@touch $@

$(READY_TO_TEST): $(VENV)/made
	@echo "Installing Attest and what its tests need into $(VENV): once, and it takes some minutes."
	@$(PIP) setuptools
	@$(INSTALL) ".[local,server,test,torch]"
	@touch $@ $(READY) $(READY_FOR_MODEL)

$(READY_FOR_SERVERS): $(READY_TO_TEST)
	@$(INSTALL) ".[local,ray,server,test,torch]"
	@touch $@

# One resolution for every platform and every Python that the project names; torch is held in pyproject.toml.
# `make constraints` pins what is new in pyproject.toml; `make upgrade` chooses everything anew.
constraints upgrade:
	"$(PYTHON)" -m venv build/uv
	build/uv/bin/python -m pip install --quiet uv
	build/uv/bin/uv pip compile pyproject.toml $(if $(filter upgrade,$@),--upgrade) --universal --all-extras \
		--python-version 3.11 --no-header --no-annotate --quiet --output-file constraints.txt
	rm -rf build/uv

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
