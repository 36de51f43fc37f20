# make demo   ask Omni in a Slack you can see, no account needed
# make test   everything a change must pass
# make test-all   the same on each Python that is promised and installed;  make test-repeat N=20   what fails now and then
# make explore   new examples for the property tests, for 75 s;  make nightly   many of them
# make mutants   which changed lines no test notices (ONLY=omnibot/policy/access.py SAMPLE=30);  make mutants-known   the dangerous ones
# make test-javascript   the sandbox with a Bolt app for JavaScript (needs Node.js)
# make test-browser   the demo in a real Chromium;  make screenshots   the README's pictures, from a scripted scene
# make soak   kill the bot a hundred times while people talk to it
# make bench  figures: how soon Slack shows what Omni said, and what it costs
# make fmt    let ruff write the code's form;  make lint   check form, types and doors only
PYTHON ?= python3
BIN := .venv/bin

# Python is started hundreds of times: let it keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE

# What fails has failed: no test is run again to make it pass.
SUITE := -n 6 --dist worksteal
N ?= 20
SECONDS ?= 75

.PHONY: demo test test-all test-repeat test-browser test-javascript explore nightly mutants mutants-known screenshots lint fmt soak bench clean

demo: .venv/run
	$(BIN)/omnibot demo

test: lint
	$(BIN)/pytest $(SUITE)

test-all:
	SUITE="$(SUITE)" tests/pythons.sh

test-repeat: .venv/dev
	$(BIN)/python -m tests.repeat $(N) $(SUITE)

explore: .venv/dev
	$(BIN)/python -m tests.explore $(SECONDS)

nightly: .venv/dev
	OMNIBOT_EXAMPLES=20 $(BIN)/pytest $(SUITE)
	$(BIN)/python -m tests.explore 1800

mutants: .venv/mutants
	$(BIN)/python -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(ONLY)

mutants-known: .venv/dev
	$(BIN)/python -m tests.mutants.known $(ONLY)

test-browser: .venv/dev
	$(BIN)/pytest tests/browser -n 2 --dist worksteal

test-javascript: .venv/dev
	$(BIN)/pytest sandbox/tests/javascript

screenshots: .venv/dev
	$(BIN)/python -m tests.browser.screenshots

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.wording

fmt: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: .venv/dev
	OMNIBOT_SOAK_KILLS=100 $(BIN)/pytest -s tests/journeys/test_soak.py

bench: .venv/dev
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf .venv .contracts .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .mutants .pythons

.venv/run: requirements.txt pyproject.toml sandbox/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "omnibot needs Python 3.11 or newer; say which with: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -e . -e ./sandbox
	@touch $@

.venv/dev: .venv/run
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -e '.[dev,browser]' -e ./sandbox
	@touch $@

.venv/mutants: .venv/dev
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -e '.[dev,browser,mutants]' -e ./sandbox
	@touch $@
