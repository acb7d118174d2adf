# Needs Python >= 3.11, make and sh; everything else is set up in .venv on first use, and again when
# requirements.lock, setup.cfg or pyproject.toml change.

VENV := .venv
PY := $(VENV)/bin/python
TEST_WORKERS ?= 2
PYTEST := $(PY) -m pytest -n $(TEST_WORKERS) --dist loadfile
OLDEST := 3, 11

# The first interpreter that is new enough and can make a virtualenv by itself, else the first new enough.
PYTHON ?= $(shell \
	names='python3.14 python3.13 python3.12 python3.11 python3'; \
	for needs in 'sys, venv, ensurepip' sys; do for name in $$names; do \
		if $$name -c "import $$needs; sys.exit(sys.version_info < ($(OLDEST)))" >/dev/null 2>&1; then \
			echo $$name; exit; \
		fi; \
	done; done)

# Settings of the person's own pip that would make these installs differ or fail.
export PIP_USER := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run demo test test-long lint types imports format client bench bench-large soak lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1@\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS=@ read -r name text; do printf '%-18s %s\n' "$$name" "$$text"; done

setup: $(VENV)/.project ## make .venv with all that is pinned in requirements.lock
	@:

run: setup ## start everything on the embedded database with a sample office
	@$(VENV)/bin/lunpai run

demo: setup ## walk through a dispute on a database of its own
	@$(VENV)/bin/lunpai demo

test: lint types imports ## check the code and run the tests
	@$(PYTEST) -m 'not long' $(PYTEST_ARGS)

test-long: setup ## run the tests that take minutes
	@$(PYTEST) -m long $(PYTEST_ARGS)

lint: setup ## check style and format
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: setup ## check types, strictly in domain/ and application/
	@$(PY) -m mypy

imports: setup ## check which package may import which
	@$(VENV)/bin/lint-imports

format: setup ## put the code into the house format
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

client: setup ## generate the example's Python client from the API's document
	@$(PY) examples/python-client/generate.py

bench: setup ## measure, as ratios to peers and limits measured in the same run
	@$(PY) -m tests.bench

# LOCK_ARGS=--upgrade takes the newest versions that setup.cfg allows; without it, pins that still fit stay.
LOCK = $(PY) -m uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(LOCK_ARGS) setup.cfg

bench-large: setup ## rebuild all views from 10 million facts, once (takes a quarter of an hour and 20 GB of disk)
	@$(PY) -m tests.bench.large

soak: setup ## replay a busy office among kills: 10,000 requests of 16 clients (takes minutes; SOAK_ARGS=--help)
	@$(PY) -m tests.reliability.soaking $(SOAK_ARGS)

lock: $(VENV)/.created ## pin what setup.cfg asks for in requirements.lock and requirements-runtime.lock
	@$(PY) -m pip install --quiet 'uv>=0.9,<1'
	@$(LOCK) --extra dev --output-file requirements.lock >/dev/null
	@$(LOCK) --extra build --constraint requirements.lock --output-file requirements-runtime.lock >/dev/null

clean: ## remove .venv and everything that tools left behind
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian and Ubuntu ship Python without ensurepip; an installed virtualenv does as well.
$(VENV)/.created:
	@if [ -z "$(PYTHON)" ] || ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < ($(OLDEST)))' 2>/dev/null; then \
		echo 'lunpai needs Python 3.11 or newer: install it, or name it as in "make setup PYTHON=/path/to/python3".' >&2; \
		exit 1; \
	fi
	@rm -rf $(VENV)
	@if $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
		$(PYTHON) -m venv $(VENV); \
	elif $(PYTHON) -m virtualenv --version >/dev/null 2>&1; then \
		$(PYTHON) -m virtualenv --quiet $(VENV); \
	elif command -v virtualenv >/dev/null 2>&1; then \
		virtualenv --quiet --python "$$(command -v $(PYTHON))" $(VENV); \
	else \
		echo '$(PYTHON) cannot make a virtualenv: install its venv module (Debian, Ubuntu: python3-venv) or virtualenv.' >&2; \
		exit 1; \
	fi
	@touch $@

$(VENV)/.requirements: requirements.lock $(VENV)/.created
	@echo 'Installing what requirements.lock pins into $(VENV) (once; a minute or two) ...' >&2
	@$(PY) -m pip install --quiet --require-hashes --requirement requirements.lock
	@touch $@

# Newer versions of pip pass on what setuptools has to say about any editable install, which helps nobody here.
$(VENV)/.project: setup.cfg pyproject.toml $(VENV)/.requirements
	@PYTHONWARNINGS=ignore $(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
