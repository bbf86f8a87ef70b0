# Everything a newcomer or a developer needs; `make` alone lists it.
# It takes make, Python 3.11 or newer, and the package registries. All of it stays in this folder.

.DEFAULT_GOAL := help
.PHONY: run install test test-fast coverage check bench docs lock clean help
.SILENT:

PYTHON ?= python3
ours := .venv/bin/python
# Files of tests run side by side, as many as there are cores. Those that kill processes do so behind
# the others, and those that measure time run alone at the end.
parallel = -n $$($(ours) -c 'import os; print(os.cpu_count())') --dist loadfile --no-loadscope-reorder
side_by_side = $(ours) -m pytest $(parallel)
alone := tests/unit/listeners/test_socket_leaving.py tests/unit/delivery/test_shared_quota_outage.py \
  tests/unit/render/test_growth.py
apart := tests/chaos $(alone)
slow := $(apart) tests/unit/delivery/test_native_layout.py tests/unit/playground tests/unit/render/incoming \
  tests/unit/server/test_connections.py tests/unit/storage/test_postgres.py \
  tests/unit/storage/test_retention.py tests/unit/test_bodies.py tests/unit/test_cli.py tests/unit/test_deploy.py \
  tests/unit/test_references.py tests/unit/test_version.py tests/unit/turn/test_leases.py \
  tests/unit/turn/test_removed_message.py tests/unit/turn/test_revisions.py tests/unit/upstream/test_cuts.py \
  tests/unit/upstream/test_markup.py tests/unit/upstream/test_sockets.py

run: .venv/run.stamp ## Start the bot: the playground, or your Slack once its tokens are in .env
	exec $(ours) -m bot $(ARGS)

install: .venv/run.stamp ## Install only; the command is then .venv/bin/bot
	echo "Installed: .venv/bin/bot"

test: .venv/dev.stamp ## Run the tests; ARGS="-k words" picks some
	$(if $(ARGS),exec $(ours) -m pytest $(ARGS),\
	  $(side_by_side) $(apart:%=--ignore=%) && $(side_by_side) tests/chaos && exec $(ours) -m pytest $(alone))

test-fast: .venv/dev.stamp ## Run the quick ones of the tests that need no process, browser or PostgreSQL
	EXAMPLES_PERCENT=10 exec $(side_by_side) $(slow:%=--ignore=%) -m "not slow" -k "not postgresql" tests/unit $(ARGS)

coverage: .venv/dev.stamp ## Count which branches of bot/ the tests of it reach, package by package
	$(ours) -m coverage erase
	$(ours) -m coverage run -m pytest $(parallel) $(apart:%=--ignore=%) tests/unit tests/e2e/bot $(ARGS)
	$(ours) -m coverage combine --quiet
	$(ours) -m tests.support.coverage_table

check: .venv/dev.stamp ## Lint, and check format and types
	$(ours) -m ruff check
	$(ours) -m ruff format --check
	$(ours) -m mypy

bench: .venv/dev.stamp ## Measure what an event costs, and how well a minute's edits are spent
	exec $(ours) -m tests.benchmarks $(ARGS)

docs: .venv/dev.stamp ## Write .env.example, docs/settings.md and deploy's manifests from the code
	$(ours) -m tests.support.docs

lock: ## Resolve both lock files (takes uv); ARGS=--upgrade for newer versions
	$(resolve) --extra dev --output-file requirements-dev.lock $(ARGS)
	$(resolve) --constraint requirements-dev.lock --output-file requirements.lock $(ARGS)

clean: ## Remove what make installed and what tools cached
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

help: ## Say what there is
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

resolve = uv pip compile --quiet pyproject.toml --extra postgres --extra uvloop --extra build \
  --universal --generate-hashes --no-emit-index-url --no-annotate --no-header

# One environment for running and developing: the second lock holds the first's versions, and more.
.venv/run.stamp: requirements.lock pyproject.toml
	$(call install,requirements.lock)
	touch $@

.venv/dev.stamp: requirements-dev.lock requirements.lock pyproject.toml
	$(call install,requirements-dev.lock)
	touch .venv/run.stamp $@

# .venv/unfinished stands while pip works: what was cut off is not mended but made anew.
define install
	set -e; if [ -e .venv/unfinished ] || ! $(ours) -m pip --version >/dev/null 2>&1; then \
	  for python in $(PYTHON) python3.14 python3.13 python3.12 python3.11 none; do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; done; \
	  if [ "$$python" = none ]; then \
	    echo "The bot needs Python 3.11 or newer: install it, or name one by 'make run PYTHON=…'." >&2; exit 1; fi; \
	  if ! "$$python" -m venv --clear .venv >/dev/null 2>&1; then \
	    echo "$$python can't make a virtual environment here: install its venv module (Debian: apt install python3-venv) and see that this folder can be written to." >&2; exit 1; fi; fi; \
	echo "Installing… (once, about a minute)"; \
	touch .venv/unfinished; \
	$(ours) -m pip install -qq --disable-pip-version-check --require-hashes -r $(1); \
	$(ours) -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	rm -f .venv/unfinished
endef
