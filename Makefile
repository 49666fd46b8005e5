# 'make demo' and 'make test' are all that a fresh machine needs. 'make help' lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check fix fuzz bench docs golden lock clean

BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export SYSTEM

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## the environment in .venv, so .venv/bin/audit

setup-dev: .venv/.ready-dev ## the same with what tests and checks need

.venv/bin/python:
	@python=$$(PYTHON="$(PYTHON)" .ci/find-python) && "$$python" -m venv --clear .venv

.venv/.ready: requirements.txt pyproject.toml .venv/bin/python
	@echo "Setting up .venv (once)"
	@$(BIN)/python -m pip install -q --use-pep517 --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.ready-dev: requirements-dev.txt .venv/.ready
	@echo "Setting up the test tools in .venv (once)"
	@$(BIN)/python -m pip install -q --use-pep517 --require-hashes -r requirements-dev.txt
	@touch $@

demo: setup ## record the real clients in the lab, audit them, write reports/demo
	@$(BIN)/audit demo

test: setup-dev ## everything: the toolkit, real clients, real browser
	@.ci/install-packages
	@$(BIN)/python -m pytest -q -n 2 --dist loadscope $(PYTEST)

check: setup-dev ## format, lint, imports, types, policies, then the fast tests on every Python here
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/audit policy lint
	$(BIN)/audit policy test --mutate
	$(BIN)/python -m pytest -q -n 2 --dist loadscope -m "not system"
	.ci/other-pythons

fix: setup-dev ## format and mend what can be mended by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

FUZZ := .cache/fuzz
fuzz: setup-dev $(FUZZ)/.ready ## fuzz every reader: make fuzz SECONDS=60 CORPUS=folder ENTRIES="packets har"
	$(BIN)/python -m fuzz --seconds $(or $(SECONDS),60) --folder $(FUZZ) $(if $(CORPUS),--corpus $(CORPUS)) --entries "$(ENTRIES)"

$(FUZZ)/.ready: requirements-fuzz.txt .venv/.ready-dev
	@mkdir -p $(FUZZ)
	@$(BIN)/python -m pip install -q --upgrade --require-hashes --target $(FUZZ)/site -r requirements-fuzz.txt
	@touch $@

docs: setup-dev ## write the generated reference pages
	$(BIN)/python docs/generate.py

golden: setup-dev ## rewrite the golden reports and the sample, to be read before committing
	GOLDEN=1 $(BIN)/python -m pytest -q -m "not system" tests/report tests/authoring/test_lint_broken.py

bench: setup-dev ## measure, results with their commands in benchmarks/RESULTS.md
	$(BIN)/python benchmarks/run.py

lock: ## write the hashed locks anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links requirements-setup.in -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links requirements-dev.in -o requirements-dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links requirements-fuzz.in -o requirements-fuzz.txt

clean: ## remove the environment and caches
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
