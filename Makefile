# make demo   ask Omni in a Slack you can see, no account needed
# make test   everything a change must pass
# make test-browser   the demo in a real Chromium;  make screenshots   the README's pictures, from a scripted scene
# make soak   kill the bot a hundred times while people talk to it
# make bench  figures: how soon Slack shows what Omni said, and what it costs
# make fmt    let ruff write the code's form;  make lint   check form, types and doors only
PYTHON ?= python3
BIN := .venv/bin

# Python is started hundreds of times: let it keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE

# Many real processes share few cores here. What fails in the crowd is run once more by itself, for all to see; what fails
# then has failed.
ALONE := --last-failed --last-failed-no-failures none -n 0

.PHONY: demo test test-browser screenshots lint fmt soak bench clean

demo: .venv/run
	$(BIN)/omnibot demo

test: lint
	$(BIN)/pytest -n 8 --dist worksteal || $(BIN)/pytest $(ALONE)

test-browser: .venv/dev
	$(BIN)/pytest tests/browser -n 2 --dist worksteal || $(BIN)/pytest tests/browser $(ALONE)

screenshots: .venv/dev
	$(BIN)/python -m tests.browser.screenshots

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: .venv/dev
	OMNIBOT_SOAK_KILLS=100 $(BIN)/pytest -s tests/journeys/test_soak.py

bench: .venv/dev
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf .venv .contracts .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/run: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "omnibot needs Python 3.11 or newer; say which with: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -e .
	@touch $@

.venv/dev: .venv/run
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -e '.[dev,browser]'
	@touch $@
