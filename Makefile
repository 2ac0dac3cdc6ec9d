.PHONY: help install demo demo-search up test check docs audit bench gpu chaos pictures chromium clean

PYTHON ?= python3
PORT ?= 8000
YARD ?= ./yard
MINUTES ?= 30
BIN := .venv/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

install: .venv/installed ## Build .venv with everything

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[server,workers,postgres,otel,ray,dev]'
	$(BIN)/python -m guide
	@touch $@
	@echo "The command is $(BIN)/trainyard; '. $(BIN)/activate' has it found as trainyard."

demo: install ## Train on the digits, evaluate, print the latest checkpoint
	$(BIN)/trainyard demo --data-dir "$(YARD)" --port $(PORT)

demo-search: install ## Search a supernet of the digits for its best network, and train that
	$(BIN)/trainyard demo --search --data-dir "$(YARD)" --port $(PORT)

up: install ## Start the control plane and a worker, and stay up
	$(BIN)/trainyard up --data-dir "$(YARD)" --port $(PORT)

test: install chromium node_modules/installed ## Run every test
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 3 --dist loadgroup --no-loadscope-reorder

check: install node_modules/installed ## Lint, types, and who may import whom; the dashboard's types and units
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m api_tests.support.openapi_document build/openapi.json
	npm run --silent types
	npm run --silent check
	npm test --silent
	$(BIN)/python -m guide

docs: install ## Build the guide, which the server shows at /guide
	$(BIN)/python -m guide

node_modules/installed: package.json
	@command -v npm >/dev/null || { \
	  echo "npm is missing: installing it to check the dashboard's JavaScript"; \
	  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq nodejs npm >/dev/null; }
	npm install --silent --no-audit --no-fund --no-package-lock
	@touch $@

audit: install ## Look the dependencies up in the public database of advisories
	$(BIN)/pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

bench: install ## Measure, side by side: ONLY="step queue" for some, COMPARE=FILE for what changed
	$(BIN)/python -m benchmarks $(ONLY) $(if $(COMPARE),--compare "$(COMPARE)")

gpu: ## Test and measure on CUDA with the packages of PYTHON; results to docs/benchmarks-gpu.md
	@$(PYTHON) -m benchmarks.gpu.packages
	@$(PYTHON) -m benchmarks.gpu $(if $(CPU),--cpu) $(ONLY)

chaos: install ## Half an hour of jobs under injected faults, and the proof that none was lost
	OMP_NUM_THREADS=1 $(BIN)/python -m chaos --minutes $(MINUTES)

pictures: install chromium ## Take the pictures of docs/tour.md again
	OMP_NUM_THREADS=2 $(BIN)/python -m api_tests.support.pictures

chromium:
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || { \
	  echo "chromium is missing: installing it for the browser tests"; \
	  $(SUDO) apt-get update -qq && { \
	    $(SUDO) apt-get install -y -qq chromium-headless-shell >/dev/null \
	    || $(SUDO) apt-get install -y -qq chromium >/dev/null; }; }

clean: ## Remove .venv and the data folder
	rm -rf .venv node_modules build "$(YARD)"
