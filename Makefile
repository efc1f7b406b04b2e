# What one does twice. On a fresh machine only Python 3.11, git and make need to be there.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-all test-lowest lint unit fuzz real bench docs schemas lock release-check ready clean help

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	@# --no-deps: the lock is the whole answer. pip resolves nothing, so no later release can change it.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

ready: $(READY)  ## Set .venv up as the lock says

demo: $(READY)  ## Show the whole life of a fleet on the sandbox
	$(BIN)/reconciler demo

test: $(READY) lint unit  ## Everything that must pass

lint: $(READY)  ## Style, types, import contracts and dangerous calls
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive reconciler

unit: $(READY)  ## The tests, with branch coverage
	$(BIN)/coverage erase
	@# Three workers for two cores: many tests wait, for a disk, a process or a server.
	$(BIN)/pytest --numprocesses=3 --cov --cov-report= --quiet
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --include='reconciler/core/*,reconciler/provider/*,reconciler/validation/*,reconciler/plan/*' --fail-under=100 --skip-covered

# What to give pytest there, such as TESTS="tests/unit tests/cli". No coverage: `unit` measures it on one Python.
test-all: $(READY)  ## The tests on every Python that the classifiers claim and that is here
	$(BIN)/python tools/every_python.py --environments $(VENV) $(TESTS)

test-lowest: $(READY)  ## The tests with the lowest version of each dependency that pyproject.toml allows
	$(BIN)/python tools/every_python.py --environments $(VENV) --lowest $(TESTS)

release-check: $(READY)  ## Build, install into clean environments, and use what was installed
	$(BIN)/python tools/release_check.py

# What to give it there, such as FUZZ="reader --seconds 600".
FUZZ ?=

fuzz: $(READY)  ## A minute of hostile input for each reader of what strangers write
	$(BIN)/python tests/fuzz/run.py $(FUZZ)

# What to give it there, such as REAL="keycloak": without it, all.
REAL ?=

real: $(READY)  ## The life of clients on real servers, which come from the package registries
	$(BIN)/python tests/real/run.py $(REAL)

bench: $(READY)  ## Measure against yaml.load, as ratios
	$(BIN)/python benchmarks/run.py

docs: $(READY)  ## Write the generated pages again
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/generate_cli.py

schemas: $(READY)  ## Derive the manifest schemas again
	$(BIN)/python docs/generate.py --schemas

lock:  ## Pin the development tools anew
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-strip-extras \
		--extra sandbox --group dev --upgrade --output-file requirements-dev.lock pyproject.toml
	rm -r $(VENV)-lock

clean:  ## Remove what the other targets made
	rm -rf $(VENV) $(VENV)-* .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
