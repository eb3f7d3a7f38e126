# The commands that must always work: make demo, make test, make check. Everything is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test check format dist clean testbed-shell bench

help:
	@echo "make demo           set everything up and show the main job on simulated hosts"
	@echo "make check          format, lint, types, import rules, unit and sandbox tests (the inner loop)"
	@echo "make test           everything, on real OpenZFS hosts where they can be made"
	@echo "make testbed-shell  a shell on a real OpenZFS host (HOST=alpha or beta)"
	@echo "make bench          the figures of tests/bench"
	@echo "make dist           one file: dist/zfsctl"

$(STAMP): pyproject.toml uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet 'uv>=0.5,<1'
	@$(BIN)/uv export --quiet --frozen --no-hashes --no-emit-project --no-header --all-extras > $(VENV)/requirements.txt
	@$(BIN)/python -m pip install --quiet -r $(VENV)/requirements.txt
	@$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

format: $(STAMP)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --quiet . || true

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n 2 -m 'not zfs and not slow' tests

clean:
	rm -rf $(VENV) dist build
