# OneMap, each one command on a bare Debian or Ubuntu, as root or with sudo:
#   make demo     the sample city at http://127.0.0.1:8000/map; ONEMAP_PORT chooses another port
#   make test     every test                     make check     style, types, import contracts
#   make bench    the named benchmarks           make torture   the long runs; SCALE=0.1 takes a tenth of them
#   make qgis     QGIS opens, filters and draws the sample city, without a window (installs QGIS, 1 GB)
#   make stop     stop server and database       make clean     remove what was built; DATA=1 also the city itself
# Whatever set-up is missing is done first, and skipped when it is done.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
SETUP := setup/bootstrap.sh
BIN := .venv/bin
ONEMAP := $(BIN)/onemap
SCALE ?= 1
ARGS ?=
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help setup demo test check bench torture qgis stop clean

help:
	@sed -n 's/^#   //p' Makefile

setup:
	@$(SETUP) system python web

demo: setup
	@$(ONEMAP) up
	@$(ONEMAP) demo
	@$(ONEMAP) serve --daemon --restart

test: setup
	@$(SETUP) browser proxy
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(SETUP) web-types audit

bench: setup
	@$(SETUP) peers
	$(BIN)/python -m tests.bench $(ARGS)

torture: setup
	@$(SETUP) browser
	ONEMAP_TORTURE_SCALE=$(SCALE) $(BIN)/python -m pytest -m torture -o timeout=7200 $(PARALLEL) $(ARGS)

qgis: setup
	@$(SETUP) qgis
	ONEMAP_QGIS=1 $(BIN)/python -m pytest tests/clients/test_qgis.py $(ARGS)

stop:
	@if [ -x $(ONEMAP) ]; then $(ONEMAP) stop; ONEMAP_DATABASE_URL= ONEMAP_HOME=.onemap/test $(ONEMAP) db stop > /dev/null; fi

clean: stop
	@[ -z "$(DATA)" ] || { $(SETUP) python && $(ONEMAP) db remove --yes && rm -rf .onemap; }
	@[ ! -x $(ONEMAP) ] || ONEMAP_DATABASE_URL= ONEMAP_HOME=.onemap/test $(ONEMAP) db remove --yes > /dev/null
	rm -rf .venv api/web/dist api/web/node_modules *.egg-info bench-results .onemap/test
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
