# Needs Python 3.11 or newer and make; everything else is fetched into .venv, as locked with hashes in requirements/.
#   make run    set up and serve on port 8000        make test   set up and run all tests
#   make lint   style, formatting and type checks    make lock   renew the lock files after a change of pyproject.toml
#   make format correct style and formatting         make readme renew the README's picture, answer and settings
#   make training-environment   add what training needs (gigabytes: PyTorch brings CUDA along)
#   make clean  remove the environment and caches

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--upgrade --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: run test lint format readme training-environment lock clean
.DELETE_ON_ERROR:

run: $(VENV)/.serve
	$(BIN)/mfn serve

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

readme: $(VENV)/.dev
	$(BIN)/python -m docs.readme

training-environment: $(VENV)/.serve requirements/training.txt
	$(PIP_INSTALL) --require-hashes -r requirements/training.txt

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than Python 3.11, which is needed. Try: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The package itself is installed in place, with the locked setuptools and nothing fetched from outside the lock.
$(VENV)/.serve: $(VENV)/.python requirements/serve.txt pyproject.toml
	$(PIP_INSTALL) --require-hashes -r requirements/serve.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.serve requirements/dev.txt
	$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

lock:
	test -x .venv-lock/bin/uv || $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(LOCK) pyproject.toml --output-file requirements/serve.txt
	$(LOCK) pyproject.toml --extra test --extra lint --constraint requirements/serve.txt --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --extra training --constraint requirements/dev.txt --output-file requirements/training.txt

clean:
	rm -rf $(VENV) .venv-lock build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
