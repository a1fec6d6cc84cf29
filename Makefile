# `make help` lists the targets. Nothing needs to be installed first but Python >= 3.11.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
PORT ?= 8000
BIN := .venv/bin
UV_VERSION := 0.13.9
# The tests start hundreds of processes; without bytecode each compiles the service anew.
WITH_BYTECODE := env -u PYTHONDONTWRITEBYTECODE
# Two processes more than there are cores: many tests wait for browsers, servers and clocks.
PYTEST := $(WITH_BYTECODE) $(BIN)/python -m pytest -n $(shell expr $$(nproc 2>/dev/null || echo 2) + 2) --dist loadgroup --durations 10
UNITS := .venv/widget-units.log
comma := ,
BENCHES := bench-speed bench-text bench-intake bench-dispatch bench-widget bench-desk bench-stats bench-exports
HAS_NODE := $(shell command -v npm 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup audit demo test test-browser test-deep fuzz check widget migrate docs translations bench $(BENCHES) components

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

setup: .venv/.ready ## Make .venv with everything the service and its tests need

.venv/.ready: pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "Corrigenda needs Python 3.11 or later; none was found." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ echo "Python has no venv module; on Debian: apt-get install python3-venv" >&2; rm -rf .venv; exit 1; }
	@echo "Setting up .venv (the first time takes about half a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv sync --quiet --frozen --inexact --link-mode copy --compile-bytecode
	@touch $@

node_modules/.ready: package.json package-lock.json
	@npm ci --loglevel=error --no-audit --no-fund
	@touch $@

demo: setup ## Serve the demo on PORT (8000): articles, widget, review desk, webhook receiver
	@exec $(WITH_BYTECODE) $(BIN)/corrigenda demo --port $(PORT)

test: setup $(if $(HAS_NODE),node_modules/.ready) ## Run all tests that this machine has the parts for
ifeq ($(HAS_NODE),)
	@echo "SKIPPED the widget's unit tests: Node.js is not installed (https://nodejs.org)"
	@$(PYTEST)
else
	@npm test --silent >$(UNITS) 2>&1 & units=$$!; \
		$(PYTEST); tests=$$?; wait $$units; widget=$$?; cat $(UNITS); exit $$((tests + widget))
endif

test-browser: setup $(if $(HAS_NODE),node_modules/.ready) ## Run the tests that drive browsers
	@$(BIN)/python -m pytest -m browser

test-deep: setup ## The long versions: 10,000 cases from the OpenAPI document, 50 kills
	@CORRIGENDA_TEST_EXAMPLES=200 CORRIGENDA_TEST_KILLS=50 $(BIN)/python -m pytest \
		tests/security/test_openapi_cases.py tests/faults

fuzz: setup ## Look for inputs that break parsers (MINUTES=10)
	@$(BIN)/uv sync --quiet --frozen --inexact --group fuzz
	@$(BIN)/python -m fuzz --minutes $(or $(MINUTES),10)

check: setup node_modules/.ready ## Lint, types, floors, built files: all that CI checks besides the tests
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python docs/draw.py --check
	@$(BIN)/python docs/translations.py --check
	@npm run --silent check
	@$(BIN)/uv lock --check --quiet

audit: setup node_modules/.ready ## Ask OSV and npm for known holes in what is locked (needs the network)
	@$(BIN)/uv audit --frozen
	@npm audit

widget: node_modules/.ready ## Build static/ from widget/
	@npm run --silent build

migrate: setup ## Bring the database of the settings up to this release
	@$(BIN)/corrigenda migrate

docs: setup ## Write what the docs show of the code: the picture of the rooms, the commands
	@$(BIN)/python docs/draw.py

translations: setup ## Bring the desk's catalogues up to the pages; tell what they miss
	@$(BIN)/python docs/translations.py

bench: setup ## Run the benchmarks, all of them whatever one says (QUICK=1: some minutes each)
	@$(MAKE) --no-print-directory bench-speed; speed=$$?; \
		$(BIN)/python -m bench.page $(filter-out bench-speed,$(BENCHES)) \
			CORRECTIONS=$(or $(CORRECTIONS),$(if $(QUICK),10000,100000)); exit $$((speed + $$?))

bench-speed: setup ## Beside a peer and a ceiling, as sites grow, on many processes (QUICK=1)
	@$(WITH_BYTECODE) $(BIN)/python -m bench.speed $(if $(QUICK),--quick)

bench-intake: setup ## Real corrections through a real browser (CORPUS=file)
	@$(if $(QUICK),CASES=40) $(BIN)/python -m bench.intake

bench-dispatch: setup ## 20,000 events to webhooks, workers killed (DATABASE=postgresql://…)
	@$(BIN)/python -m bench.dispatch $(if $(QUICK),--events 4000) $(if $(DATABASE),--database $(DATABASE))

bench-desk: setup ## A hundred decided by keys, polling, the queue's page (SIZES=1000,1000000)
	@$(if $(SIZES)$(QUICK),SIZES=$(or $(SIZES),1000$(comma)10000)) $(BIN)/python -m bench.desk

bench-widget: setup node_modules/.ready ## What the widget weighs and how long it takes
	@$(BIN)/python -m bench.widget $(if $(QUICK),--rounds 5 --opens 100)

bench-stats: setup ## Statistics of 1,000,000 corrections (DATABASE=postgresql://…, CORRECTIONS=n)
	@$(BIN)/python -m bench.statistics $(if $(DATABASE),--database $(DATABASE)) $(if $(CORRECTIONS),--corrections $(CORRECTIONS))

bench-exports: setup ## Exports and imports of 100,000 and 1,000,000 corrections: time, peak memory (CORRECTIONS=n)
	@$(BIN)/python -m bench.exports $(if $(CORRECTIONS),--corrections $(CORRECTIONS))

bench-text: setup ## Finding passages again, after edits, in real corrections (CORPUS=file)
	@$(BIN)/python -m bench.text

components: ## Debian: install browsers and servers that the full test suite needs (root)
	@sh .ci/components
