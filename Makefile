# Commands for people who work on this repository. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# Another environment: make test VENV=build/python-3.13 PYTHON=python3.13
VENV ?= .venv
export VENV
# A named Python is judged even where the environment is ready.
ifdef PYTHON
  ifneq ($(shell PYTHON='$(PYTHON)' VENV='$(VENV)' deploy/install/setup.sh --check >&2 || echo refused),)
    $(error give another PYTHON, or none)
  endif
endif
# A run starts some hundred Pythons; each would compile what was edited, and every test.
unexport PYTHONDONTWRITEBYTECODE
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest
MANIFESTS := pyproject.toml constraints.txt deploy/install/setup.sh \
  $(wildcard deploy/install/hashed/*.txt) \
  $(wildcard libs/*/pyproject.toml services/*/pyproject.toml tools/*/pyproject.toml)
title = printf '\n== %s ==\n' "$(1)"

.PHONY: help
help: ## this list
	@awk '/^##@ /{printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9%<>-]+:.*## /{split($$0, part, ":.*## "); printf "  %-18s %s\n", part[1], part[2]}' \
	  $(MAKEFILE_LIST)

##@ Set up

.PHONY: setup
setup: $(VENV)/.ready ## one environment, .venv, with every member, tests and linters
	@:

$(VENV)/.ready: $(MANIFESTS)
	@deploy/install/setup.sh

# The part of it that demo and portal need: no test, no linter, no server.
$(VENV)/.demo: $(MANIFESTS)
	@deploy/install/setup.sh demo

.PHONY: lock
lock: setup ## write the hashes of all third-party packages again from constraints.txt
	@deploy/install/lock.sh

# The pinned command of cyclonedx-bom in an environment of its own, outside of the tests'.
.PHONY: sbom
sbom: setup ## build/sbom.json: every third-party package of the image, as CycloneDX
	@test -x build/cyclonedx/bin/cyclonedx-py || $(PY) -m venv build/cyclonedx
	@$(PY) -m pip --python build/cyclonedx/bin/python install -qq -c constraints.txt --group sbom
	@build/cyclonedx/bin/cyclonedx-py requirements deploy/install/hashed/image.txt \
	  --output-reproducible --output-file build/sbom.json

# With the Debian package skopeo, where a registry can be reached.
.PHONY: pin-images
pin-images: setup ## digests of all images into the Dockerfile and the compose file
	@$(PY) -m clp_deploy.image_pins deploy

.PHONY: servers
servers: ## RabbitMQ and PostgreSQL installed, not started (when root and missing)
	@deploy/install/servers.sh

.PHONY: clean
clean: ## remove caches and what runs left behind; the environment stays
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache \
	  .coverage .coverage.* htmlcov mutants build dist \
	  demo-data run-data portal-data embedded-data
	@find libs services tools deploy bench tests -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Look at it

.PHONY: demo
demo: $(VENV)/.demo ## the help page's story, played through real calls, events and mails
	@$(PY) -W ignore -m clp_suite.demo

.PHONY: portal
portal: $(VENV)/.demo ## the portal with the sample world on a loopback port, until Ctrl-C
	@exec $(PY) -W ignore -m clp_suite.portal

run-%: setup ## run one process type: run-projects, run-messages, ...
	@$(PY) -m clp_$*

.PHONY: run-delivery
run-delivery: setup
	@$(PY) -m clp_notifications delivery

COPIES = $(foreach type,projects messages search notifications delivery portal,$(patsubst \
  %,$(type)=%,$($(shell echo $(type) | tr a-z A-Z))))

# What else was typed is for the command to refuse: DELIVRY=3.
MISTYPED = $(foreach typed,$(MAKEOVERRIDES),$(if $(filter VENV=% PYTHON=% PROJECTS=% \
  MESSAGES=% SEARCH=% NOTIFICATIONS=% DELIVERY=% PORTAL=%,$(typed)),,$(typed)))

.PHONY: up
up: setup servers ## all process types on this host; make up DELIVERY=3, end with Ctrl-C
	@exec $(PY) -W ignore -m clp_suite.up start $(COPIES) $(MISTYPED)

##@ Write

.PHONY: fmt
fmt: setup ## format the code and sort its imports
	@$(PY) -m ruff check --select I --fix --quiet
	@$(PY) -m ruff format --quiet

.PHONY: readme
readme: setup ## write the tables of README.md again from the code
	@$(PY) -m clp_deploy.readme_tables

.PHONY: reference
reference: setup ## write docs/reference/ again from the code
	@$(PY) -W ignore -m clp_deploy.reference

.PHONY: locales
locales: setup ## write sentences that portal and mails share into both (tools/locales)
	@$(PY) -m clp_deploy.shared_locales

.PHONY: deploy-files
deploy-files: setup ## write the files of deploy/ that follow from the code
	@$(PY) -W ignore -m clp_deploy files deploy

.PHONY: mail-snapshots
mail-snapshots: setup ## write the snapshots of every mail type and language
	@TESTS_WRITE_SNAPSHOTS=1 $(PYTEST) -q tests/services/notifications/test_snapshots.py

.PHONY: mail-pictures
mail-pictures: setup ## draw the mails at phone and desktop width into .cache/mail-pictures
	@deploy/install/browser.sh
	@$(PY) -W ignore -m tests.services.notifications.screenshots

##@ Test

# What needs another program or an hour has a target of its own; `slow` is for nights.
ORDINARY := not bench and not clamd and not browser and not promtool and not provider
SELECTED := not slow and $(ORDINARY)

.PHONY: test
test: ## every change: lint, unit, contract, journey and fault tests, on both brokers
	@$(MAKE) setup servers
# Before the targets that need them, which would wait for each other's apt.
	@deploy/install/faketime.sh
	@deploy/install/browser.sh
	@deploy/checks/parallel.sh "lint test-core test-browser" test-system
	@$(call title,everything passed)

.PHONY: test-system
test-system: setup ## every test but the core's, on all cores and one pair of servers
	@$(call title,system)
	@deploy/install/faketime.sh
	@$(PY) -W ignore -m tests.support.run -q --no-header --timeout 900 -m "$(SELECTED)" \
	  $(or $(TESTS),tests --ignore tests/core)

.PHONY: check
check: test ## what the build machine runs: the same

.PHONY: lint
lint: setup ## style, types and import contracts
	@$(call title,lint)
	@$(PY) -m ruff check --quiet
	@$(PY) -m ruff format --check --quiet
	@$(PY) -m mypy
	@$(PY) -m mypy tools/clp_deploy tests/architecture
	@$(VENV)/bin/basedpyright
	@$(VENV)/bin/lint-imports --no-logo

.PHONY: test-core
test-core: setup ## the rules alone: every line and branch, and the examples in the docs
	@$(call title,core)
	@TESTS_UNPATCHED=1 COVERAGE_FILE=.coverage.core $(PY) -m coverage run --concurrency=thread \
	  -m pytest tests/core --doctest-modules libs/clp_core/src
	@COVERAGE_FILE=.coverage.core $(PY) -m coverage report \
	  --include='*/clp_core/*' --fail-under=100

.PHONY: test-unit
test-unit: setup ## architecture, contracts, chassis, services and deployment
	@$(call title,units)
	@$(PYTEST) tests/architecture tests/contracts tests/chassis tests/services \
	  tests/security tests/faults tests/deploy

.PHONY: test-journeys
test-journeys: setup ## journeys through the embedded suite
	@$(call title,journeys on the embedded suite)
	@$(PYTEST) tests/journeys

.PHONY: test-broker
test-broker: setup ## journeys on private RabbitMQ and PostgreSQL servers
	@$(call title,journeys on RabbitMQ and PostgreSQL)
	@deploy/install/test_broker.sh

.PHONY: test-faults
test-faults: setup ## kills, outages, full disks, in short: nothing acknowledged is lost
	@$(call title,faults)
	@deploy/install/test_faults.sh

##@ Test for longer

.PHONY: test-all
test-all: ## for nights: everything, everywhere; two hours or more, one log for each part
	@deploy/checks/test_all.sh test test-slow test-browser-slow test-alerts test-whoosh-2 \
	  test-asyncio-hub mails-many mail-parsers portal-types portal-provider test-node site \
	  test-corpus test-pythons test-debian newcomer

# The two long journeys run with more points than `make test` gives them.
.PHONY: test-slow
test-slow: export TESTS_TWO_WORLDS_RUNS = 90
test-slow: export TESTS_WITHDRAWAL_POINTS = 20
test-slow: setup ## kills, outages and long journeys that a single change does not wait for
	@$(MAKE) test-system SELECTED="slow and $(ORDINARY)"
	@$(MAKE) test-system TESTS="tests/journeys -k 'two_worlds or twenty_points'"

.PHONY: test-browser-slow
test-browser-slow: ## what takes long in Chromium
	@$(MAKE) test-browser BROWSER="browser and slow"

.PHONY: test-asyncio-hub
test-asyncio-hub: setup ## chassis and journeys on Eventlet's asyncio hub, its way to the future
	@$(call title,the asyncio hub)
# In one process: forks cannot leave the loop that they inherit.
	@EVENTLET_HUB=asyncio TESTS_PROCESSES=1 $(MAKE) test-system TESTS="tests/chassis tests/journeys"

.PHONY: test-pythons
test-pythons: ## demo and tests on each supported Python of this machine, in its own environment
	@deploy/checks/pythons.sh

.PHONY: test-debian
test-debian: ## demo, core and broker tests in a fresh Debian 13 (as root, with debootstrap)
	@deploy/checks/debian.sh trixie demo servers test-core test-broker

.PHONY: test-browser
test-browser: setup ## the portal in Chromium: the story, axe-core, phones, no scripts
	@$(call title,the portal in Chromium)
	@deploy/install/browser.sh
	@TESTS_UNPATCHED=1 $(PY) -m tests.support.second_try -m "$(or $(BROWSER),browser and not slow)" \
	  -p no:randomly tests/browser

.PHONY: portal-pictures
portal-pictures: setup ## every page of the portal as a picture, in build/portal-pictures
	@deploy/install/browser.sh
	@TESTS_UNPATCHED=1 $(PY) -m tests.browser.pictures build/portal-pictures

.PHONY: test-whoosh-2
test-whoosh-2: setup $(VENV)/.whoosh-2 ## the index on Whoosh 2.7.4, the way out
	@$(call title,the index on Whoosh 2.7.4)
	@TESTS_WHOOSH=2.7.4 PYTHONPATH=$(abspath $(VENV))/whoosh-2 $(PYTEST) \
	  tests/services/search/test_index.py tests/services/search/test_crash_recovery.py \
	  tests/services/search/test_engine_pinned.py

$(VENV)/.whoosh-2: deploy/install/hashed/whoosh2.txt $(VENV)/.ready
	@$(PY) -m pip install -qq --no-deps --require-hashes --only-binary :all: --upgrade \
	  --target $(VENV)/whoosh-2 -r deploy/install/hashed/whoosh2.txt
	@$(PY) -W ignore -m compileall -q $(VENV)/whoosh-2
	@touch $@

.PHONY: test-alerts
test-alerts: setup ## each alert fires when what it tells of is true (promtool)
	@$(call title,alerts)
	@deploy/install/test_alerts.sh

.PHONY: test-clamd
test-clamd: setup ## the virus scanner's protocol against a real clamd (installed when root)
	@$(call title,scanning by a real clamd)
	@deploy/install/test_clamd.sh

.PHONY: faults
faults: setup ## the fault tests in full: MESSAGES=100000 SEED=7, an hour or more
	@$(PY) -W ignore -m tests.faults --messages $(or $(MESSAGES),100000) \
	  $(if $(SEED),--seed $(SEED))
	@TESTS_FAULTS_KILLS=100 TESTS_FAULTS_POSTS=500 TESTS_FAULTS_MEGABYTES=10 \
	  TESTS_FAULTS_UPLOADS=50 TESTS_FAULTS_WORKERS=1,8,2,5,0 TESTS_FAULTS_REFUSED_S=600 \
	  $(PYTEST) -m faults --timeout 0 -s tests/faults/test_relay_refuses.py \
	  tests/faults/test_embedded_killed.py tests/faults/test_workers.py \
	  tests/faults/test_clocks.py tests/faults/test_uploads_killed.py

.PHONY: faults-long
faults-long: setup ## for the nights: faults for HOURS=1, a kill every minute
	@$(PY) -W ignore -m tests.faults --messages 100000000 --pace 0.4 --kill-every 60 \
	  --growth --minutes $$(( $(or $(HOURS),1) * 60 )) $(if $(SEED),--seed $(SEED))

.PHONY: two-worlds-long
two-worlds-long: setup ## for the nights: what one partner sees never depends on another
	@HYPOTHESIS_PROFILE=night $(PYTEST) tests/journeys -k two_worlds -m 'not broker' \
	  --timeout 36000

.PHONY: mails-many
mails-many: setup ## check ten thousand generated mails byte for byte
	@TESTS_MAILS=10000 $(PYTEST) tests/services/notifications/test_many_mails.py --timeout 3600

.PHONY: test-corpus
test-corpus: setup ## judge some thousand real files of published test sets as attachments
	@$(call title,corpus)
	@$(PY) -W ignore -m tests.corpus .cache/corpus

.PHONY: mail-parsers
mail-parsers: setup ## compare npm's mail parser with ours (Node.js)
	@deploy/install/npm.sh tests/services/notifications/parsers .cache/mail-parsers
	@$(PY) -W ignore -m tests.services.notifications.cross_parser .cache/mail-parsers

# The pinned mkdocs in an environment of its own, outside of the tests'.
.PHONY: site
site: setup ## docs/ as a site in build/site, every link checked
	@$(call title,the site)
	@test -x build/mkdocs/bin/mkdocs || $(PY) -m venv build/mkdocs
	@$(PY) -m pip --python build/mkdocs/bin/python install -qq -c constraints.txt --group site
	@NO_MKDOCS_2_WARNING=1 build/mkdocs/bin/python -m mkdocs build --strict

.PHONY: pages
pages: setup servers ## README, tutorial and operator's guide, done as they are written
	@$(call title,the pages of a newcomer)
	@$(PY) deploy/checks/run_pages.py README.md docs/tutorial.md docs/operations/guide.md

.PHONY: newcomer
newcomer: ## those pages on a fresh Debian 12 and 13, with nothing prepared
	@deploy/checks/newcomer.sh

.PHONY: test-node
test-node: setup servers ## the vectors of the reference, called from Node.js over AMQP
	@$(call title,a caller in Node.js)
	@deploy/install/npm.sh tests/contracts/node .cache/node-caller
	@$(PY) -W ignore -m tests.contracts.node_caller .cache/node-caller

.PHONY: portal-types
portal-types: setup ## check the JSDoc types of the portal's modules with tsc (Node.js)
	@$(call title,types of the portal)
	@deploy/install/npm.sh tests/browser/types .cache/portal-types
	@.cache/portal-types/node_modules/.bin/tsc --project tests/browser/types/tsconfig.json

.PHONY: portal-provider
portal-provider: setup servers ## sign in at npm's certified OpenID provider (Node.js)
	@$(call title,a certified OpenID provider)
	@deploy/install/npm.sh tests/services/portal/provider .cache/portal-provider
	@TESTS_PROVIDER_FOLDER=.cache/portal-provider $(PYTEST) -m provider \
	  tests/journeys/test_certified_provider.py

.PHONY: rolling-update
rolling-update: setup servers ## every process replaced under load, and no caller notices
	@$(PYTEST) -m "broker and slow" tests/deploy/test_rolling_update.py

.PHONY: image-replay
image-replay: setup ## both stages of the image as they are written, without an engine
	@$(PYTEST) tests/deploy/test_containers.py -m slow

.PHONY: kill-workers
kill-workers: setup ## workers of the index killed fifty times while messages arrive
	@$(PYTEST) tests/services/search/test_killed_workers.py -m slow -s

.PHONY: fuzz-search
fuzz-search: setup ## a million odd queries, none an error, none slow; ARGS="--count 1000"
	@$(PY) -m tests.services.search.fuzzing $(ARGS)

.PHONY: mutation
mutation: setup ## mutants of the rules that no test notices
	@deploy/checks/mutation.sh

include bench/targets.mk
