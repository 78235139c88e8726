# make demo   edit data/astronaut.png
# make test   style and tests
# Both make .venv first, with the default PYTHON or another: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint clean
.DELETE_ON_ERROR:

demo: $(VENV)/installed
	$(BIN)/photodrag edit data/astronaut.png --out data/astronaut-photodrag.png \
		--drag 200,87:200,82 --drag 252,90:252,85
	@echo "Look at data/astronaut-photodrag.png: both eyebrows were dragged up by 5 pixels."

# Each of pytest's processes computes with one processor; the long tests are spread by who has nothing left to do.
test: lint
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal

# The type checker wants the four folders below one name, as they are installed.
lint: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@mkdir -p $(VENV)/typed/photodrag
	@ln -sfn $(addprefix ../../../,weights invert drag pipeline) $(VENV)/typed/photodrag
	$(BIN)/mypy

# Stamps, so that a second call starts at once.
$(VENV)/installed: pyproject.toml
	@echo "Installing into $(VENV): a minute or two, most of it PyTorch."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml
	@echo "Installing into $(VENV): a minute or two, most of it PyTorch."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable ".[dev]"
	@touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
