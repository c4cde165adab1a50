# Every target does its own set-up: a fresh clone needs Python >= 3.11, git and make.

PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
BIN = .venv/bin

# How much of the long proofs `make proofs` makes: a share, which the commit draws, or all.
PROOFS ?= share

.PHONY: demo test proofs lint types tests docs golden figures schemas bench clean
.DEFAULT_GOAL := test

.venv/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "jit-hooks needs Python 3.11 or newer, and none is on PATH" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

demo: .venv/.ready
	$(BIN)/python tools/demo.py

test: lint types tests

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ready
	$(BIN)/mypy

tests: .venv/.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -n 2 --dist worksteal

proofs: .venv/.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -n 2 --dist worksteal -m proof --proofs=$(PROOFS)

docs: .venv/.ready
	$(BIN)/python tools/generate_docs.py

golden: .venv/.ready
	$(BIN)/python tools/golden.py

figures: .venv/.ready
	$(BIN)/python tools/figures.py

schemas: .venv/.ready
	$(BIN)/python tools/generate_validators.py

bench: .venv/.ready
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
