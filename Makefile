# Every target sets up what it needs; a second call finds it done. Needs Python 3.11, pip, make and git.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help .venv demo demo-region test check docs first-job bench campaign lock clean

PYTHON ?=
export PYTHON
export DEMO_LANG
run := .venv/bin
PYTEST := $(run)/pytest -q -n 2 --dist loadgroup

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

.venv/.stamp: requirements.lock pyproject.toml scripts/venv.sh
	@echo "setting up .venv (once)"
	@scripts/venv.sh
.venv: .venv/.stamp

demo: .venv/.stamp ## a small region on this machine, start to bill (DEMO_LANG=en|zh-Hans|zh-Hant|ja)
	@scripts/sharing.sh install >/dev/null # the Delta Sharing client of its data scene
	@scripts/demo.sh

demo-region: .venv/.stamp ## one queue over a real Slurm, a real Ray and this machine (as root; installs both)
	@$(run)/python -m scripts.demo_region

check: .venv/.stamp ## style, types, layers and the fast tests
	$(run)/ruff format --check .
	$(run)/ruff check .
	$(run)/mypy
	$(run)/lint-imports
	$(PYTEST) -x -m "not slow and not postgres and not campaign" tests

# REST=1: without the fast ones, which `make check` runs.
test: .venv/.stamp ## every test but the campaigns, on real services
	@scripts/postgres.sh install
	@[ "$$(id -u)" != 0 ] || scripts/fonts.sh install >/dev/null # of papers; without them their tests are skipped
	@[ "$$(id -u)" != 0 ] || scripts/chromium.sh install >/dev/null # without it the tests of pages in a browser are skipped
	@scripts/models.sh install >/dev/null || [ $$? = 3 ] # where there is no npm, tests that need its model are skipped
	@scripts/engines/ray.sh install >/dev/null # here, since a test may start it where there is no network
	@scripts/engines/oidc.sh install >/dev/null || [ $$? = 3 ] # a provider of accounts; likewise
	@scripts/sharing.sh install >/dev/null || [ $$? = 3 ] # the clients of shared tables; without them their tests are skipped
	@[ "$$(id -u)" != 0 ] || { scripts/namespaces.sh install && scripts/engines/slurm.sh install && \
	    scripts/engines/slurm24.sh install && scripts/engines/podman.sh install; } >/dev/null
	$(PYTEST) -m "$(if $(REST),(slow or postgres) and )not campaign" tests

docs: .venv/.stamp ## the documentation as a site that needs no server, in var/docs (DOCS=FOLDER); a broken link fails
	@$(run)/python -m scripts.site $(DOCS)

first-job: ## how long somebody new waits, from git clone to a first finished job, step by step
	@$${PYTHON:-python3} -m scripts.first_job

bench: .venv/.stamp ## the benchmarks
	@scripts/postgres.sh install
	$(run)/python -m benchmarks

campaign: .venv/.stamp ## hours of simulations, and of kills at real servers, databases, Slurm and Ray (tests marked campaign)
	@scripts/postgres.sh install
	@scripts/engines/ray.sh install >/dev/null
	@[ "$$(id -u)" != 0 ] || { scripts/namespaces.sh install && scripts/engines/slurm.sh install && \
	    scripts/engines/slurm24.sh install && scripts/engines/podman.sh install; } >/dev/null
	$(run)/pytest -m campaign --timeout 0 tests

lock: ## refresh requirements.lock from pyproject.toml
	@scripts/venv.sh lock

clean: ## everything that can be made again
	rm -rf .venv .venv.lock dist build var .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
