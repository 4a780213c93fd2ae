# Everything that is done with a checkout. `make` lists it; `make up` and `make test` are the two
# that matter. Nothing is written outside of this folder and of <home>.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# The Python that makes .venv: Debian's own when it is new enough. PYTHON=… chooses another.
PYTHON ?= $(shell packaging/python.sh)

VENV := .venv
PY := $(VENV)/bin/python
# What was done already, for the checkout that it was done in.
DONE := $(VENV)/.done
CACHE := $(CURDIR)/.cache
STATIC := src/windlass/web/static/manifest.json
ASSETS := $(shell find src/windlass/web/assets -name node_modules -prune -o \
	-type f -not -name .lock -print 2>/dev/null)

export PIP_CACHE_DIR ?= $(CACHE)/pip
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore
export UV_CACHE_DIR ?= $(CACHE)/uv
export npm_config_cache ?= $(CACHE)/npm
export PYRIGHT_PYTHON_CACHE_DIR ?= $(CACHE)/pyright
export PYRIGHT_PYTHON_IGNORE_WARNINGS = 1
export NODE_COMPILE_CACHE ?= $(CACHE)/node
# Chromium, which tests start, would write below the caller's home.
export CHROME_CONFIG_HOME ?= $(CACHE)/chromium
export GSETTINGS_BACKEND = memory
# What was compiled is kept: every process of every test would compile it again.
unexport PYTHONDONTWRITEBYTECODE

# Options for pytest: make test ARGS="-k cli -x"
ARGS ?=
# Tests that run at the same time: one for each core, more only make browsers late.
WORKERS ?= $(shell nproc)
# Debian's packages with what only tests need; a test whose part is missing is skipped by name.
TEST_PARTS := chromium-headless-shell:chromium-headless-shell nginx:nginx caddy:caddy \
	redis-server:redis-server dockerd:docker.io busybox:busybox-static docker-registry:docker-registry

.PHONY: help setup setup-dev up test lint types contracts migrations migration check bench docs
.PHONY: translations fuzz test-long test-examples test-kills schemas
.PHONY: locks format wheel clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*  ## ' Makefile | sed 's/:.*  ## /\t/' | expand -t 14

setup: $(DONE)/server $(DONE)/assets  ## make .venv with everything in it; quick when it is there
	@packaging/debian.sh bwrap:bubblewrap

setup-dev: setup $(DONE)/dev

up: setup  ## start Windlass in the foreground (PORT=8000)
	@$(if $(PORT),WINDLASS_PORT='$(PORT)') exec $(VENV)/bin/windlass up

# .ci/run does these four: `make fuzz` asks the same application thousands of times, `make migrations`
# goes down all the way, and what is marked as long builds, kills and starts containers for minutes.
SUITE = $(PY) -m pytest -n $(WORKERS) --ignore tests/fuzz --ignore tests/arch/test_migrations.py

test: setup-dev  ## set up, then run the test suite (ARGS="-k name")
	@packaging/debian.sh $(TEST_PARTS)
	@$(SUITE) -m 'not long' $(ARGS)

test-long: setup-dev  ## the tests that take long: real builds, kills, a real Docker
	@packaging/debian.sh $(TEST_PARTS)
	@$(SUITE) -m long $(ARGS)

# Toolchains of languages that examples are written in; one that is missing is refused by name.
EXAMPLE_PARTS := go:golang-go php:php-cli bundle:bundler rackup:ruby-rack puma:puma \
	hugo:hugo jekyll:jekyll mix:elixir cargo:cargo javac:default-jdk-headless mvn:maven gradle:gradle

test-examples: setup-dev  ## deploy every example for real and write docs/examples.md (ARGS="-k nuxt")
	@packaging/debian.sh $(EXAMPLE_PARTS)
	@EXAMPLES=all $(PY) -m pytest -n 0 tests/e2e/test_examples.py -k an_example_is_built $(ARGS)

# A run is the death of a process at one of the named points of tests/e2e/killing/points.py.
test-kills: setup-dev  ## kill the platform 200 times in builds and deploys, and print what it took (KILLS=66)
	@KILLS=$${KILLS:-200} $(PY) -m pytest -n 0 -s tests/e2e/test_kills.py -k whatever $(ARGS)

lint: $(DONE)/dev  ## ruff: rules and formatting
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check --quiet

types: $(DONE)/dev  ## pyright, strict
	@$(VENV)/bin/pyright

fuzz: $(DONE)/dev  ## requests made from the OpenAPI document, 5,000 and more (EXAMPLES=20 of each kind)
	@EXAMPLES=$${EXAMPLES:-23} $(PY) -m pytest -n 0 -s tests/fuzz $(ARGS)

contracts: $(DONE)/dev  ## import-linter: imports point down
	@$(VENV)/bin/lint-imports --no-logo 2>/dev/null || $(VENV)/bin/lint-imports

migrations: $(DONE)/dev  ## up, down and up again on a filled database; models agree
	@$(PY) -m pytest -n 0 tests/arch/test_migrations.py $(ARGS)

migration: $(DONE)/dev  ## make a migration from the models: make migration m="domains: add verified_at"
	@test -n "$(m)" || { echo 'Say what it does: make migration m="domains: add verified_at"'; exit 2; }
	@$(PY) packaging/migration.py "$(m)"
	@$(VENV)/bin/ruff format --quiet migrations

check: lint types contracts  ## lint, types and contracts: what needs no database

bench: setup-dev  ## run every benchmark (each is also a program: python -m benchmarks.edge)
	@packaging/debian.sh $(TEST_PARTS) wrk:wrk
	@for file in $$(grep -l 'python -m benchmarks[.]' benchmarks/*.py); do \
		echo "== $$file"; $(PY) -m "benchmarks.$$(basename "$$file" .py)"; done

translations: $(DONE)/dev  ## collect what people read into src/windlass/i18n
	@$(PY) packaging/translations.py $(ARGS)

docs: $(DONE)/dev  ## write the generated pages of docs/reference again
	@$(PY) docs/generate.py

format: $(DONE)/dev  ## let ruff format and mend
	@$(VENV)/bin/ruff check --fix --quiet && $(VENV)/bin/ruff format --quiet

schemas: $(DONE)/dev  ## pack the schemas of Kubernetes and its companions again
	@$(PY) packaging/schemas.py

locks: $(DONE)/dev  ## resolve requirements/*.txt again; names no registry
	@packaging/locks.sh

wheel: $(DONE)/dev  ## build the distribution into dist/
	@$(PY) -m hatchling build

clean:  ## remove what make made (not <home>)
	rm -rf $(VENV) .cache dist src/windlass/web/static src/windlass/web/assets/node_modules
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# -- how .venv comes about ------------------------------------------------------------------------

$(DONE)/venv:
	@packaging/venv.sh "$(PYTHON)" $(VENV)
	@mkdir -p $(DONE) && touch $@

$(DONE)/server: requirements/server.txt pyproject.toml packaging/hatch_build.py \
		packaging/install.sh | $(DONE)/venv
	@echo "Installing Windlass into $(VENV) (about a minute the first time)"
	@packaging/install.sh $(VENV) requirements/server.txt
	@$(PY) -m pip -qq install --no-deps --no-build-isolation --editable .
	@touch $@

$(DONE)/dev: requirements/dev.txt $(DONE)/server
	@echo "Installing what tests and checks need into $(VENV)"
	@packaging/install.sh $(VENV) requirements/dev.txt
	@touch $@

$(DONE)/assets: $(ASSETS) src/windlass/web/assets_build.py $(DONE)/server $(if $(wildcard $(STATIC)),,missing-assets)
	@echo "Building the panel's styles and scripts"
	@$(PY) -m windlass.web.assets_build
	@touch $@

.PHONY: missing-assets
missing-assets:
