# Helpouts: everything that a newcomer needs.  "make help" lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PORT ?= 8000
DATA ?= var
PACKAGES := helpouts helpouts_admin helpouts_category_education helpouts_category_fashion helpouts_category_home_garden \
  helpouts_category_it helpouts_notify_webpush helpouts_payments_wallet helpouts_storage_s3 helpouts_vetting_profile helpouts_video_aiortc helpouts_video_janus helpouts_video_p2p

.DEFAULT_GOAL := help
.PHONY: help run test check lint types imports unit system bench bench-media translations wheels clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(STAMP): setup.cfg pyproject.toml requirements-dev.txt requirements-tools.txt admin/pyproject.toml $(wildcard plugins/*/pyproject.toml plugins/*/setup.py plugins/*/src/*/*.[ch])
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip "setuptools>=77" wheel
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	touch $@

run: $(STAMP) ## Set up everything and serve the demo site on http://127.0.0.1:$(PORT)
	$(BIN)/helpouts up --demo --data $(DATA) --port $(PORT)

test: system $(STAMP) ## Set up everything and run all checks and tests (REQUIRE_ALL=1 forbids skips)
	$(MAKE) lint types imports
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not browser" $(ARGS)
	$(BIN)/python -m pytest -m browser tests $(ARGS)
	$(BIN)/python -m pytest -m browser plugins $(ARGS)

check: $(STAMP) ## The fast part: linter, types, import contracts, tests without browsers
	$(MAKE) lint types imports
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not browser and not slow" -x

lint: $(STAMP) ## Linter and formatter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## Strict type check
	$(BIN)/mypy $(addprefix -p ,$(PACKAGES)) -p benchmarks

imports: $(STAMP) ## Import contracts: which part may know which
	$(BIN)/lint-imports

system: ## Install the system packages that the tests need (Debian, as root)
	@deploy/system-packages

bench: $(STAMP) ## Print the tables of docs/performance.md
	$(BIN)/python -m benchmarks

bench-media: system $(STAMP) ## Measure calls: our relay, Janus, aiortc's own, two browsers (8 minutes)
	$(BIN)/python -m benchmarks.bench_media $(ARGS)

translations: $(STAMP) ## Bring all translation catalogues in line with the sources
	$(BIN)/python -m helpouts.testing.translations

wheels: $(STAMP) ## Build the wheels of the core, the console and every plugin into dist/
	for part in . admin plugins/*; do $(BIN)/python -m build -q --wheel --outdir dist $$part || exit 1; done

clean: ## Remove everything that was made here, but not the data folder
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info */*.egg-info plugins/*/src/*.egg-info
