# KA Facility OS: `make run` starts it, `make test` tests it, `make help` lists the rest.
# All of it works on a machine that has Python 3.11 or 3.12 and make.

# The first right Python that can make a virtual environment; .venv's own once it exists.
ifndef PYTHON
PYTHON := $(shell \
	if [ -x .venv/bin/python ]; then echo .venv/bin/python; exit; fi; \
	for probe in 'import ensurepip' pass; do \
		for name in python3.12 python3.11 python3 python; do \
			$$name -c "$$probe; import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))" \
				>/dev/null 2>&1 && { echo $$name; exit; }; \
		done; \
	done; \
	echo python3)
endif
BIN := .venv/bin
T ?= tests
REQUESTS ?= 50000
# Everything but the browser: it takes long, and what it alone shows happens in the browser.
MEASURED := $(addprefix tests/,domain core services contract blueprints ui web adapters cli demo workers tools/test_launcher.py)

# Compiled modules make every start a second faster, whatever the surrounding shell says about them.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help run test test-quick coverage check lint fmt types setup setup-dev lock web worker scheduler migrate soak bench screenshots texts consolidation configuration structure release-gate

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## Start everything on this machine (PORT, HOST, DATA_DIR, DATABASE_URL, REDIS_URL, DEMO=0)
	@exec $(BIN)/python -m workers.launch.supervisor

test: setup-dev ## Run all tests; T=tests/domain runs a part, PACE=still or PACE=slow pretends another machine
	@$(BIN)/python -m tests.support.programs
	@# One process more than two cores: some tests wait for servers, clocks and workers.
	@$(BIN)/python -m pytest -n 3 --dist worksteal --durations=25 $(T)

test-quick: setup-dev ## Run what a change breaks most often: domain, services and contract on SQLite alone
	@$(BIN)/python -m pytest -n 2 --dist worksteal -k "not postgresql" tests/domain tests/services tests/contract

coverage: setup-dev ## Measure which branches the tests take on SQLite; fails below the floor, with T=... just measures a part
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q -k "not postgresql" --cov --cov-report=term:skip-covered \
		$(if $(filter file,$(origin T)),$(MEASURED),--cov-fail-under=0 $(T))

check: setup-dev ## Linters, formatting, types, templates, layers
	@failed=0; run() { echo "$$*"; "$$@" || failed=1; }; \
	run $(BIN)/ruff check --quiet .; \
	run $(BIN)/ruff format --quiet --check .; \
	run $(BIN)/mypy --no-error-summary; \
	run $(BIN)/djlint --quiet --lint console/templates console/partials; \
	run $(BIN)/lint-imports --no-logo; \
	exit $$failed

lint: setup-dev ## The quick part of check
	@$(BIN)/ruff check .
	@$(BIN)/djlint --quiet --lint console/templates console/partials

types: setup-dev ## The types alone
	@$(BIN)/mypy

fmt: setup-dev ## Format the code and mend what can be mended by itself
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

texts: setup ## List texts that still lack a translation
	@$(BIN)/python -m tools.translations extract

setup: ## Virtual environment, packages, static files, translations
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or 3.12 is needed and there is none." >&2; exit 1; }
	@$(PYTHON) tools/setup.py

setup-dev: ## The same with what the tests need
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or 3.12 is needed and there is none." >&2; exit 1; }
	@$(PYTHON) tools/setup.py dev

lock: setup-dev ## Write the pinned requirements again from the *.in files
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		requirements-dev.in -o requirements-dev.txt

release-gate: setup-dev ## Judge a release: compile, tests, endpoints, smoke; GATE="--base-url https://…" and further arguments
	@$(BIN)/python -m tools.release_gate $(GATE)

migrate: setup ## Bring the database to the newest schema
	@$(BIN)/flask --app wsgi db upgrade

web: setup ## The web server alone (for deployments)
	@exec $(BIN)/python -m workers.web

worker: setup ## One worker alone (needs REDIS_URL)
	@exec $(BIN)/python -m workers worker

scheduler: setup ## One scheduler alone (needs REDIS_URL)
	@exec $(BIN)/python -m workers scheduler

soak: setup-dev ## Break an installation on purpose while it is fuzzed, and write the table; REQUESTS=1000 for a short one
	@$(BIN)/python -m benchmarks.soak --requests $(REQUESTS)
	@SOAK=1 $(BIN)/python -m pytest $$(grep -rl --include='test_*.py' SOAK tests)

bench: setup-dev ## Measure, and write the table
	@$(BIN)/python -m benchmarks

screenshots: setup-dev ## Pictures of the pages, from a demo company of their own
	@$(BIN)/python -m tools.screenshots

consolidation: setup-dev ## Show that all tracker pages are made of one family of templates
	@$(BIN)/python -m tools.consolidation

configuration: setup-dev ## Write the table of settings into docs/CONFIGURATION.md
	@$(BIN)/python -m tools.configuration

structure: setup-dev ## Print rooms, sizes and imports, and write them into docs/ARCHITECTURE.md
	@$(BIN)/python -m tools.structure
