# Every target runs from .venv, which is made when it is missing or older than what it is made from:
# pinned, hash-checked packages (constraints/dev.txt), then the three distributions as they stand in the tree.

VENV          := .venv
BIN           := $(VENV)/bin
READY         := $(VENV)/.ready
DISTRIBUTIONS := core plugins/winnerlook plugins/ipyy

# The first of these that runs and is new enough; or say `make PYTHON=/path/to/python`.
PYTHON ?= $(firstword $(foreach name,python3.11 python3,$(call new_enough,$(name))))
new_enough = $(shell $(1) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(1))

PYTEST := $(BIN)/pytest -q -n auto --maxprocesses 8 --dist loadgroup

# What each of these holds is a long proof, with a target of its own, and tests that run it for a short while.
PROOFS := tests/crash tests/diskfull tests/mutation tests/powercut tests/simulation tests/soak

UV ?= uv

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.PHONY: help demo test samples laws check lint types layers simulation simulate simulate-long crash soak \
	powercut diskfull outage coverage mutation faults bench capabilities constraints fuzz-api test-stacks soak-gateway

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

demo: $(READY)  ## see both vendors' sandboxes at work: outage, doubt, reports, a reply
	@$(BIN)/tocsin demo

test: $(READY)  ## run every test; what is proved by long runs has its samples in `samples`
	@$(PYTEST) $(PROOFS:%=--ignore=%)

samples: $(READY)  ## a short run of each long proof: kills, power cuts, full disks, simulated lives, mutants
	@$(PYTEST) $(PROOFS)

laws: $(READY)  ## look for examples that break a law: others each time, and more of them than in test
	@$(PYTEST) -m hypothesis --hypothesis-profile=searching

check: lint types layers test samples simulation  ## run everything that a change has to pass

lint: $(READY)  ## ruff: rules and format
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(READY)  ## mypy --strict
	@$(BIN)/mypy

layers: $(READY)  ## import-linter: arrows point inwards only
	@$(BIN)/lint-imports --no-cache --no-logo

simulation: $(READY)  ## 2,000 simulated lives: a part of check
	@$(BIN)/python -m tests.simulation.run --seeds 2000

simulate: $(READY)  ## 20,000 simulated lives or more, 5 million events; then every safeguard taken out in turn
	@$(BIN)/python -m tests.simulation.run --seeds 20000 --least-events 5000000 --ablations

simulate-long: $(READY)  ## 500,000 simulated lives; stop it when you like, it goes on there next time
	@mkdir -p build
	@$(BIN)/python -m tests.simulation.run --seeds 500000 --journal build/simulate-long.jsonl

crash: $(READY)  ## kill the worker at its boundaries, and again while it recovers: 2,000 runs or more
	@$(BIN)/python -m tests.crash.worker_run

soak: $(READY)  ## 100 kills over 10,000 messages, reconciled with both vendors' ledgers
	@$(BIN)/python -m tests.soak.run

powercut: $(READY)  ## cut the power on the SQLite store 100,000 times: prints the table
	@$(BIN)/python -m tests.powercut.run

diskfull: $(READY)  ## a disk that fills at 100 places, a busy store, a commit that fails (needs root, and strace for the last)
	@$(BIN)/python -m tests.diskfull.run

outage: $(READY)  ## an hour's outage with 100,000 queued, in virtual time: drains at the vendor's rate, no storm
	@$(BIN)/python -m tests.outage.run

coverage: $(READY)  ## every branch of the policy and of the transition table is taken by their tests
	@COVERAGE_FILE=.coverage.policy $(BIN)/coverage run -m pytest -q core/tests/policy core/tests/outbox/test_state.py \
		core/tests/outbox/test_machine.py core/tests/outbox/test_breaker.py core/tests/outbox/test_sticky.py \
		core/tests/outbox/test_breaker_laws.py
	@COVERAGE_FILE=.coverage.policy $(BIN)/coverage report --fail-under=100 \
		--include='core/src/tocsin/policy/*,core/src/tocsin/outbox/state.py,core/src/tocsin/outbox/breaker.py'

mutation: $(READY)  ## change the policy and the transition table in every small way: 90 % must be noticed
	@$(BIN)/python -m tests.mutation.run

fuzz-api: $(READY)  ## 5,000 requests made from the OpenAPI document, to a served gateway: no 5xx, none undocumented
	@$(BIN)/python -m tests.gateway.fuzz

test-stacks: $(READY)  ## Alertmanager, Prometheus, Icinga 2, Nagios 4: the real programs (root installs them from Debian, once)
	@$(BIN)/python -m tests.stacks.install
	@$(BIN)/pytest -q tests/deploy
	@$(BIN)/python -m tests.stacks.run

soak-gateway: $(READY)  ## ten minutes of load on the gateway: its memory and its descriptors stay flat
	@$(BIN)/python bench/gateway_soak.py

faults: $(READY)  ## every fault of the wire, at every phase, before both vendors: prints the table
	@$(BIN)/python -m tests.faults.table

bench: $(READY)  ## ratios, never timed tests: parsing, the worker, decisions (with a plot in build/), the gateway
	@$(BIN)/python bench/parse_reports.py
	@$(BIN)/python bench/worker.py
	@$(BIN)/python bench/decide.py --plot build/decide.svg
	@$(BIN)/python bench/gateway.py

capabilities: $(READY)  ## write docs/reference/capabilities.md from the plugins' tables
	@$(BIN)/python tests/docs/capability_matrix.py

constraints:  ## resolve constraints/dev.in anew (needs uv)
	@$(UV) pip compile constraints/dev.in --output-file constraints/dev.txt --quiet --upgrade \
		--universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-package tocsin --no-emit-package tocsin-winnerlook --no-emit-package tocsin-ipyy

$(READY): constraints/dev.txt pyproject.toml $(DISTRIBUTIONS:%=%/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "tocsin needs Python 3.11 or newer, and neither python3.11 nor python3 is." >&2; exit 2; }
	@echo "making $(VENV), which takes about half a minute"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r constraints/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation $(DISTRIBUTIONS:%=-e ./%)
	@touch $@
