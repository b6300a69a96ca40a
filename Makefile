# make run | call | check | test: the first needs nothing but Python 3.11 and make.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.complete

.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help:  ## Show what there is to type
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(STAMP)  ## Start everything on this machine: LiveKit, stand-ins for providers without a key, the agent
	@$(BIN)/python -m workbench.local.run

console: $(STAMP)  ## Talk in this terminal, without LiveKit; in writing with ARGS=--text
	@$(BIN)/python -m workbench.local.console $(ARGS)

call: $(STAMP)  ## Call the running agent with recorded speech, and show the conversation
	@$(BIN)/python -m workbench.local.call

token: $(STAMP)  ## A token for another page, such as LiveKit's playground, to call the running agent
	@$(BIN)/python -m workbench.local.token

check: static  ## Formatting, types, import contracts, and the fast tests, five minutes on two cores
	$(BIN)/pytest -q -n auto --dist loadfile -m "not call and not image and not slow"

test: $(STAMP)  ## Everything: spoken calls through a real LiveKit server and the image, beside them all other tests
	@$(MAKE) -j3 --no-print-directory real-time beside

static: $(STAMP)  # What is found without running a test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy agent.py
	$(BIN)/lint-imports --no-logo

real-time: livekit  # Two calls at a time; most of a call is waiting
	$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder --tb=native -m "call or image or timed"

# Whatever needs no real time gets the CPU that calls leave, and a tenth where they leave none. There a
# test may stand still for seconds, so each has a second try, which the end of the run names.
beside: static-beside livekit
	nice -n 10 $(BIN)/python -m workbench.local.s3_server
	nice -n 10 $(BIN)/python -m workbench.local.kustomize
	nice -n 10 $(BIN)/pytest -q -n 2 --reruns 1 --dist loadfile --tb=native -m "not call and not image and not timed"

static-beside: $(STAMP)
	@nice -n 10 $(MAKE) --no-print-directory static

flaky: $(STAMP)  ## Which tests of real time needed a further try in the last runs
	@$(BIN)/python -m workbench.bench.flaky

livekit: $(STAMP)  # What spoken calls need
	$(BIN)/python -m workbench.local.prerequisites --browsers
	$(BIN)/python -m workbench.local.prometheus
	$(BIN)/python -m workbench.local.livekit_binary

bench: livekit  ## Every benchmark in its short variant, one table, and how figures move: docs/bench.md; 15 minutes at most
	@$(BIN)/python -m workbench.bench.together

compare: $(STAMP)  ## Our speech module beside the stock plugin, scenario by scenario: docs/comparison.md
	$(BIN)/python -m workbench.bench.compare

bench-latency: $(STAMP)  ## How soon the caller hears an answer, ours and stock: docs/latency.md
	$(BIN)/python -m workbench.bench.latency

bench-turns: $(STAMP)  ## How often each preset cuts callers off, and their wait, also with a second opinion, minutes: docs/presets.md
	$(BIN)/python -m workbench.local.prerequisites
	$(BIN)/python -m workbench.bench.turns

bench-talk: livekit  ## Whose turn it is: answers, interruptions, noise, ours and stock, half an hour: docs/talk.md
	$(BIN)/python -m workbench.bench.talk

bench-stt: $(STAMP)  ## CPU and memory of a speech stream, ours and stock
	$(BIN)/python -m workbench.bench.stt

bench-vad: $(STAMP)  ## CPU of the voice detector, ours and Silero's plugin
	$(BIN)/python -m workbench.bench.vad

bench-start: $(STAMP)  ## Time, CPU and memory of a worker before its first call, ours and stock
	$(BIN)/python -m workbench.local.livekit_binary
	$(BIN)/python -m workbench.bench.start

capacity: $(STAMP)  ## How many talking calls this machine carries, ours and stock, twelve minutes: docs/capacity.md
	$(BIN)/python -m workbench.bench.capacity $(ARGS)

rollout: $(STAMP)  ## A new version takes the calls of an old one while callers talk, five minutes: docs/rollout.md
	$(BIN)/python -m workbench.local.livekit_binary
	$(BIN)/python -m workbench.bench.rollout $(ARGS)

scale: $(STAMP)  ## What a fleet needs for up to a million calls, and how fast it may grow, simulated: docs/scale.md
	$(BIN)/python -m workbench.bench.scale

chaos: $(STAMP)  ## Thirty calls over three workers and two LiveKit servers, and faults at random moments: nobody may be lost
	$(BIN)/python -m workbench.local.livekit_binary
	$(BIN)/python -m workbench.bench.chaos $(ARGS)

observability: livekit  ## One real call as terminal, record, metrics, trace and page, and what all of it costs: docs/observability.md
	$(BIN)/python -m workbench.bench.observability

profile: livekit  ## Where the CPU of a call goes, by thread and by function, in one call and in six: docs/performance.md
	$(BIN)/python -m workbench.bench.profile $(ARGS)

soak: $(STAMP)  ## Calls that come and go for MINUTES=15, with faults: memory, files, threads, tasks, rooms stay flat
	$(BIN)/python -m workbench.local.livekit_binary
	$(BIN)/python -m workbench.bench.soak --minutes $(or $(MINUTES),15) --picture docs/soak.svg

soak-virtual: $(STAMP)  ## An hour of a call and a thousand calls in one process, in virtual time, a quarter of an hour: costs and memory stay flat
	$(BIN)/python -m workbench.bench.soak.virtual

faults: livekit  ## Ten calls with a planted fault each, under neutral names, and their pages: who finds the cause? Six minutes
	$(BIN)/python -m workbench.bench.planted

alerts: $(STAMP)  ## Plant a fault for each alert, with a real Prometheus server: each fires within two minutes
	$(BIN)/python -m workbench.local.livekit_binary
	$(BIN)/python -m workbench.local.prometheus
	$(BIN)/python -m workbench.bench.alerts

api-calls: $(STAMP)  ## Calls of LiveKit's API a second, of 20 workers that look after 2,000 rooms, two minutes: docs/fleet.md
	$(BIN)/python -m workbench.local.livekit_binary
	$(BIN)/python -m workbench.bench.api_calls $(ARGS)

canary: $(STAMP)  ## The newest releases over the lock, in a folder of their own: what would break
	$(BIN)/python -m workbench.local.livekit_binary
	$(BIN)/python -m workbench.bench.canary

fuzz: $(STAMP)  ## Two million steps for the speech module: hostile messages, hostile streams, and calls in which no word may be lost
	$(BIN)/python -m workbench.bench.fuzz

image: $(STAMP)  ## Build the image, without a container engine if there is none
	@deploy/image/build

image-check: livekit  ## Build the image, look into its layers, call it through a real LiveKit server, drain it
	$(BIN)/pytest -q --tb=short tests/image

page: $(STAMP)  ## Test and build the page of `make run` again, after a change in agent/playground/source
	@agent/playground/source/build

picture: livekit  ## Take the README's picture of the page again, in a call
	$(BIN)/pytest -q tests/calls/test_page.py -k spoken
	cp artifacts/page/call.png docs/page.png

viewer-picture: livekit  ## Take the picture of a call's page again, which docs/viewer.md shows
	$(BIN)/pytest -q tests/agent/viewer/test_in_browser.py -k went
	cp artifacts/viewer/docs.png docs/viewer.png

reference: $(STAMP)  ## Write .env.example and the pages of settings, metrics and records from what they describe
	$(BIN)/python -m config.reference
	$(BIN)/python -m agent.worker.metrics_page
	$(BIN)/python -m agent.records.records_page

lock: $(STAMP)  ## Resolve the dependencies again
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url \
	    pyproject.toml -o requirements/worker.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url \
	    pyproject.toml --group dev -c requirements/worker.lock -o requirements/dev.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url \
	    pyproject.toml --group workbench -c requirements/dev.lock -o requirements/workbench.lock

clean:  ## Remove everything that was made here, the LiveKit server's build included
	rm -rf .venv .cache artifacts calls

$(STAMP): requirements/dev.lock requirements/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@echo "Installing into .venv (half a minute the first time) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.lock requirements/uv.lock
	@touch $@
