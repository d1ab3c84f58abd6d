# The doors of the project: demo, test, check. Each builds what it needs, once.

# The first Python on PATH that is new enough; `make demo PYTHON=/path/to/python3.12` to choose.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python3.14,\
	$(shell $(name) -c 'import sys; print("$(name)" * (sys.version_info >= (3, 11)), end="")' 2>/dev/null)))
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SOURCES := vision mlx_gemma convert tui tests $(wildcard benchmarks)
PICTURE ?= examples/effusion_left.png
QUESTION ?= Describe this picture.

.PHONY: help demo test check fmt evidence clean

help:
	@echo 'make demo      install, then ask the embedded model about a drawn chest picture, offline'
	@echo 'make test      install with what tests need, then run them all'
	@echo 'make check     format, lint, types, import contracts, tests and the demo: what CI runs'
	@echo 'make fmt       put the format right'
	@echo 'make evidence  the long runs, whose output is committed under docs/evidence'

demo: .venv/installed
	@$(BIN)/mlx_gemma chat --model demo --image $(PICTURE) -p "$(QUESTION)"

test: .venv/installed-test
	$(BIN)/python -m pytest -q

check: .venv/installed-test
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(MAKE) test
	$(MAKE) demo

fmt: .venv/installed-test
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

evidence: .venv/installed-test
	$(BIN)/python -m benchmarks.evidence

clean:
	rm -rf .venv build dist *.egg-info

.venv/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo 'needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/it' >&2; exit 2; }
	@echo 'making .venv with $(PYTHON) ...'
	@$(PYTHON) -m venv .venv

.venv/installed: .venv/pyvenv.cfg setup.cfg pyproject.toml constraints.txt
	@echo 'installing mlx_gemma ...'
	@$(PIP) install -q -c constraints.txt -e .
	@touch $@

.venv/installed-test: .venv/installed
	@echo 'installing what the tests need ...'
	@$(PIP) install -q -c constraints.txt -e '.[test]'
	@touch $@
