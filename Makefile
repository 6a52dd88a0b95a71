# One verb per line of work. Each is a short script or program that can be run without make as well.

.DEFAULT_GOAL := help
.PHONY: help demo demo-down up setup test check docs bench soak clean
MAKEFLAGS += --no-print-directory

help: ## what can be done
	@sed -n 's/^\([a-z-]*\): ## /  make \1\t/p' Makefile | expand -t 15

demo: ## first light: two networks, an endpoint of each kind, real bytes (ONCE=1: and leave nothing behind)
	@[ "$$(id -u)" = 0 ] || { echo "make demo takes root: it makes network namespaces and loads eBPF"; exit 1; }
	@scripts/setup demo
	@.venv/bin/python -m demo.first_light $(if $(filter-out 0,$(ONCE)),--once)

demo-down: ## take away what the demo left running
	@.venv/bin/python -m demo.first_light --down

up: ## run privlink on this host until Ctrl-C
	@scripts/setup run
	@.venv/bin/privlink up

setup: ## install what is missing, start nothing
	@scripts/setup
	@echo "everything privlink needs is here"

test: ## everything the build machine runs: style, types, all tests
	@scripts/setup
	@scripts/test

check: ## style and types alone
	@scripts/setup
	@scripts/check

docs: ## write the transcripts, the reference and the compatibility table anew
	@scripts/setup
	@scripts/docs

bench: ## how fast it is, and against what: tables, and charts in build/bench (a quarter of an hour)
	@[ "$$(id -u)" = 0 ] || { echo "make bench takes root: it starts the server as privlink up does"; exit 1; }
	@scripts/setup bench
	@.venv/bin/python -m bench

soak: ## the product under load and misfortune for MINUTES=20; SEED=S plays a script again
	@[ "$$(id -u)" = 0 ] || { echo "make soak takes root: it makes network namespaces and loads eBPF"; exit 1; }
	@scripts/setup
	@.venv/bin/python -m tests.soak --minutes $(or $(MINUTES),20) $(if $(SEED),--seed $(SEED))

clean: ## remove all that setup and the tests made here; system packages stay
	rm -rf .venv .venv-bench build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis privlink/bpf/*.o
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
