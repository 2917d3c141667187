# Two commands matter: `make play` and `make test`. See README.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
PORT ?= 8000
HOST ?= 127.0.0.1

.DEFAULT_GOAL := help
.PHONY: help setup play serve test test-services check bench clean

help:
	@echo "make play [CATALOGUE=path] [CATEGORY=column] [GROUP=column] [PORT=8000]   play, in the browser"
	@echo "make serve [WEB=2] [IO=1] [ML=1] [PORT=8000]   the same on PostgreSQL, RabbitMQ and Redis; names what it needs"
	@echo "make test     the whole test suite, browser included"
	@echo "make check    linters, types, import contracts, migrations, deployment checks"
	@echo "make bench    ours against the best alternative, side by side [JSON=file]"
	@echo "make setup    only install, into .venv"

setup: $(VENV)/.installed

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make setup PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV): about a minute the first time."
	$(PIP) --editable .
	@$(BIN)/python -c 'import search.engine.kernels' # compiles its loops, once
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable '.[dev]'
	@touch $@

play: $(VENV)/.installed
	@$(BIN)/python manage.py play --port $(PORT) --host $(HOST) \
		$(if $(CATALOGUE),--catalogue "$(CATALOGUE)") \
		$(if $(CATEGORY),--category "$(CATEGORY)") $(if $(GROUP),--group "$(GROUP)") $(if $(ITEMS),--items $(ITEMS))

serve: $(VENV)/.installed
	@$(BIN)/python manage.py serve --port $(PORT) --host $(HOST) \
		$(if $(WEB),--web $(WEB)) $(if $(IO),--io $(IO)) $(if $(ML),--ml $(ML))

test: $(VENV)/.installed-dev
	@bash tests/run.sh $(BIN)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy dopeornope evaluation search manage.py
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python -m tests.audit
	$(BIN)/python manage.py makemigrations --check --dry-run
	DOPEORNOPE_MODE=service DOPEORNOPE_TLS=1 DOPEORNOPE_TRUSTED_PROXIES=1 DOPEORNOPE_HOSTS=example.org DOPEORNOPE_DATABASE=postgresql://user@localhost/name \
		DOPEORNOPE_BROKER=amqp://localhost DOPEORNOPE_CHANNEL_LAYER=redis://localhost \
		DOPEORNOPE_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))') \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks $(SUITES) $(if $(JSON),--json "$(JSON)")

clean:
	rm -rf $(VENV)
