# viralcore needs make and Python 3.11 or newer with venv. Everything else goes into .venv, from locks with hashes.
#   make sandbox   try everything on this machine, no accounts needed
#   make test      everything CI runs
.NOTPARALLEL:
.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV ?= .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
# The first Python that is new enough; name another with: make PYTHON=python3.12 ...
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
PIP := $(PY) -m pip --disable-pip-version-check --no-input --quiet
SOURCES := viralcore tests migrations
ARGS ?=
ONLY ?=
SEED ?= 1
# FULL=1: the large tests at their full size
FULL ?=
MINUTES ?= 1
# Two cores: tests that start a whole shop wait more than they work.
WORKERS ?= 4

.PHONY: help sandbox run test check format bench chaos audit lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

sandbox: $(VENV)/.ready-run ## the whole shop on this machine, with simulators, at http://127.0.0.1:8080
	@exec $(PY) -m viralcore sandbox $(ARGS)

run: $(VENV)/.ready-run ## the bot itself, told by .env and settings/
	@exec $(PY) -m viralcore run $(ARGS)

test: check ## every gate and every test
	@# a test starts the bot some hundred times: it must not be compiled for each of them
	$(PY) -m compileall -q -j 2 viralcore tests migrations
	@# compiled files are kept even where the environment forbids it: pytest's take half of its start
	VIRALCORE_FULL=$(FULL) PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.ready-dev ## every gate, no tests
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m mypy
	$(BIN)/lint-imports --no-logo
	$(PY) -m bandit --quiet --severity-level medium --configfile pyproject.toml --recursive viralcore migrations
	$(PY) -m deptry .

format: $(VENV)/.ready-dev ## put the code in order
	$(PY) -m ruff check --fix-only --quiet $(SOURCES)
	$(PY) -m ruff format $(SOURCES)

bench: $(VENV)/.ready-dev $(VENV)-bench/.ready ## every figure beside its baseline; one line: make bench ONLY=bot_pipeline
	@$(PY) -m tests.bench $(if $(ONLY),--only $(ONLY)) $(ARGS)

chaos: $(VENV)/.ready-dev ## kills and faults for a while, then the books are compared: make chaos SEED=7 MINUTES=1
	@$(PY) -m tests.chaos --seed $(SEED) --minutes $(MINUTES) $(ARGS)

audit: $(VENV)-audit/.ready ## known weaknesses in what the lock names (asks the network)
	$(VENV)-audit/bin/python -m pip_audit --require-hashes --disable-pip --requirement requirements.lock
	$(VENV)-audit/bin/python -m pip_audit --require-hashes --disable-pip --requirement requirements-dev.lock

lock: ## write the locks anew from requirements*.in (needs uv); make lock ARGS=--upgrade for newer versions
	@for name in requirements-dev requirements requirements-audit requirements-bench; do \
		inputs=$$name.in; extra=; \
		if [ $$name = requirements ]; then inputs="requirements.in requirements-build.in"; \
			extra="--constraint requirements-dev.lock"; fi; \
		uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet \
			--custom-compile-command "make lock" $$extra $(ARGS) $$inputs --output-file $$name.lock || exit 1; \
	done

clean: ## remove what the gates and tests left behind (keeps .venv and .data)
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build *.egg-info
	find viralcore tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.ready-run: requirements.lock pyproject.toml
	$(call install,requirements.lock)

$(VENV)/.ready-dev: requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock)

$(VENV)-audit/.ready: requirements-audit.lock
	@$(call need_python)
	@$(PYTHON) -m venv --clear $(VENV)-audit
	@$(VENV)-audit/bin/python -m pip --disable-pip-version-check --no-input --quiet install \
		--no-deps --require-hashes --requirement requirements-audit.lock
	@touch $@

# aiogram wants an older pydantic than we do: an environment of its own.
$(VENV)-bench/.ready: requirements-bench.lock
	@$(call need_python)
	@echo "Installing $< into $(VENV)-bench"
	@$(PYTHON) -m venv --clear $(VENV)-bench
	@$(VENV)-bench/bin/python -m pip --disable-pip-version-check --no-input --quiet install \
		--no-deps --require-hashes --requirement $<
	@touch $@

# A .venv whose Python is gone or too old is made anew. Nothing is fetched when the lock is already satisfied.
# The lock is the whole closure, so pip is told to resolve nothing: asked to, it looks at newer releases of what is named
# with an extra, and refuses them for having no hash.
define install
	@$(call need_python)
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Making $(VENV) with $$($(PYTHON) --version)"; \
		$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
			echo "This Python cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }; }
	@echo "Installing $(1) into $(VENV)"
	@$(PIP) install --no-deps --require-hashes --requirement $(1)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(PIP) check
	@touch $@
endef

define need_python
	if [ -z "$(PYTHON)" ] || ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "viralcore needs Python 3.11 or newer$(if $(PYTHON),; $(PYTHON) is older or missing)." \
			"Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; fi
endef
