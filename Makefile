# The commands that must always work: make demo, make test, make check. Everything is installed into .venv,
# in the versions that uv.lock pins. Needs Python 3.11 or newer with pip, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ONE_FILE := dist/zfsctl
SOURCES := $(shell find zfsctl -type f -not -path '*/__pycache__/*')

# Without compiled files on disk every start of Python, and the tests start many, costs several times as much.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo check check-types check-imports check-lint check-format test differential format dist bench bench-replication man completions testbed-shell clean

help:
	@echo "make demo           set everything up and show the main job on simulated hosts"
	@echo "make check          format, lint, types, import rules, unit and sandbox tests (the inner loop)"
	@echo "make test           everything, on real OpenZFS hosts where they can be made (as root on Debian)"
	@echo "make differential   generated commands on the sandbox and on a real host: the answers must agree"
	@echo "make testbed-shell  a shell on a real OpenZFS host (HOST=alpha or beta)"
	@echo "make bench          the figures of tests/bench that take minutes"
	@echo "make bench-replication  copies between real hosts beside syncoid and bzfs: an hour or more (BENCH=--rounds=1 …)"
	@echo "make dist           one file: $(ONE_FILE)"
	@echo "make format         put the code into shape"
	@echo "make man            write the man pages and the completions anew"
	@echo "make clean          remove $(VENV) and everything built"

setup: $(STAMP)

# Fast way: uv takes the very files that uv.lock names and checks their hashes. Where pip is set up with an index of
# its own, or uv cannot reach those files, pip installs the same versions by its own configuration.
# --without-pip: Debian's python3 cannot put pip into an environment unless python3-venv is there; nothing here needs it.
$(STAMP): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "zfsctl needs Python 3.11 or newer; try: make PYTHON=python3.13" >&2; exit 1; }
	@echo "Installing into $(VENV) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	@test -x $(BIN)/uv || $(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check 'uv>=0.9,<1' || \
		{ $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet 'uv>=0.9,<1'; } || \
		{ echo "pip is missing; on Debian: apt-get install python3-pip" >&2; exit 1; }
	@if ! $(PYTHON) -m pip config list 2>/dev/null | grep -Eq '[.](index-url|no-index)=' && \
		UV_SYSTEM_CERTS=1 UV_HTTP_TIMEOUT=30 \
		$(BIN)/uv sync --quiet --frozen --inexact --all-extras --python $(BIN)/python; then :; else \
		echo "Installing by pip and its configuration …"; \
		test -x $(BIN)/pip || $(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check pip; \
		$(BIN)/uv export --quiet --frozen --no-hashes --no-emit-project --no-header --all-extras >$(VENV)/requirements.txt && \
		$(BIN)/python -m pip install --quiet --no-deps --requirement $(VENV)/requirements.txt && \
		$(BIN)/python -m pip install --quiet --no-deps --editable .; fi
	@touch $@

demo: $(STAMP)
	@$(BIN)/zfsctl demo
	@echo "# zfsctl is $(BIN)/zfsctl here; man pages, completions and one file to install: see README.md"

# The static checks side by side, then the tests, on two cores.
check: $(STAMP)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-types check-imports check-lint check-format
	$(BIN)/python -m pytest -q -n 2 --hypothesis-profile=inner-loop -m 'not zfs and not slow' tests

check-types: $(STAMP)
	$(BIN)/mypy

check-imports: $(STAMP)
	$(BIN)/lint-imports

check-lint: $(STAMP)
	$(BIN)/ruff check .

check-format: $(STAMP)
	$(BIN)/ruff format --check .

# The laws, which make check asks a few times each, are asked as often as they say. Each of the two processes boots real
# hosts of its own, once for all of its tests.
test: check $(ONE_FILE)
	$(BIN)/python -m pytest -q -n 2 -m '(slow or hypothesis) and not zfs' --durations=10 tests
	$(BIN)/python -m pytest -n 2 -m 'zfs and not exploring' --durations=15 tests

# At least 1,500 generated commands, from a fresh seed that is printed: the sandbox answers what a real host answers.
# make test plays them too, and streams between datasets of one seed. Those of a fresh seed come on top here: a new
# difference there is no fault of a change.
differential: $(STAMP)
	$(BIN)/python -m pytest -m differential tests/differential

format: $(STAMP)
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

dist: $(ONE_FILE)

# Made from what is installed, so nothing is fetched. It runs on machines with the same minor version of Python.
$(ONE_FILE): $(STAMP) $(SOURCES)
	@mkdir -p $(@D)
	@$(BIN)/uv export --quiet --frozen --no-hashes --no-emit-project --no-header --no-dev --prune pip >$(VENV)/one-file.txt
	@$(BIN)/pex --venv-repository $(VENV) --requirement $(VENV)/one-file.txt --exclude pip --package zfsctl \
		--entry-point zfsctl.cli.main:main --venv --sh-boot --compile --output-file $@
	@echo "$@ ($$(du -h $@ | cut -f1))"

# Both are written from the command tree; a test holds them to it.
man completions: $(STAMP)
	@$(BIN)/python -m zfsctl.cli.generate .

# Copies of whole trees by several tools on emulated hosts: too long to stand among the others.
REPLICATION := replicating sending
OTHER_BENCHES := $(filter-out $(REPLICATION),$(patsubst tests/bench/bench_%.py,%,$(wildcard tests/bench/bench_*.py)))

bench: $(ONE_FILE)
	@status=0; for name in $(OTHER_BENCHES); do \
		$(BIN)/python -m tests.bench.bench_$$name || status=1; done; exit $$status

# BENCH=…: options of tests/bench/bench_replicating.py; BENCH_STREAM=…: those of bench_sending.py.
bench-replication: $(STAMP)
	@status=0; $(BIN)/python -m tests.bench.bench_replicating $(BENCH) || status=1; \
		$(BIN)/python -m tests.bench.bench_sending $(BENCH_STREAM) || status=1; exit $$status

# A HOST of the environment is this machine's own name in some shells; only the one given to make counts.
testbed-shell: $(STAMP)
	@$(BIN)/python -m tests.testbed shell $(if $(filter command,$(firstword $(origin HOST))),$(HOST),alpha)

clean:
	rm -rf $(VENV) dist build
