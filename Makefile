# Two commands for people, the rest for developers. README.md has the plain commands behind them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: app test lint pretrained

app: $(VENV)/app.stamp
	$(BIN)/streamlit run app.py

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

pretrained: $(VENV)/app.stamp
	$(BIN)/python -m cavae pretrain --data ../shared/data

# The stamps remember what was installed: pip runs again only when a list has changed.
$(VENV)/app.stamp: requirements.txt | $(BIN)/python
	@echo "Installing into $(VENV), which takes a few minutes the first time ..."
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "Installing into $(VENV), which takes a few minutes the first time ..."
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
