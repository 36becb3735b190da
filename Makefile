# Execora: two commands matter, `make demo` and `make test`. `make help` tells the rest.
# Every target installs what it needs first (board/setup), says what it does, and ends with an honest exit code.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Downloads that outlive a checkout: speech and wake models, the Python environment of the speech service.
export EXECORA_CACHE ?= $(HOME)/.cache/execora
export EXECORA_MODELS ?= $(EXECORA_CACHE)/models

RELEASE := .build-release
PROGRAMS := execorad execoractl execora-gateway
RELEASE_FLAGS := -c release --static-swift-stdlib --scratch-path $(RELEASE)

.PHONY: help setup demo test bench-cloud exactly-once build build-device build-debian13 bench bench-speech fuzz faults mutate format lint clean

help: ## this list
	@echo "Execora: a voice-driven credit book for a small shop."; echo
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

setup: ## install what the other targets need (Debian packages, pinned models)
	@board/setup

demo: setup ## the counter answers: gateway, daemon and a virtual counter; spoken lines in, entries and speech out
	@board/fresh-resources .build
	@echo "demo: building the three programs (debug; minutes the first time, seconds after)"
	@for program in $(PROGRAMS); do swift build --product $$program; done
	@board/virtual-counter/demo "$$(swift build --show-bin-path)"

test: setup ## every test, the real parts included
	@board/debian13/manifest
	@board/fresh-resources .build
	@echo "test: building (minutes the first time)"
	@swift build --build-tests
	@board/run-tests

build: setup ## the three programs, release, static Swift runtime, stripped, in build/
	@mkdir -p build
	@board/fresh-resources $(RELEASE)
	@for program in $(PROGRAMS); do \
	  echo "build: $$program"; \
	  swift build $(RELEASE_FLAGS) $$(board/release-flags $$program) --product $$program; \
	  install -m 755 "$$(swift build $(RELEASE_FLAGS) --show-bin-path)/$$program" build/$$program; \
	  strip build/$$program; \
	done
	@ls -l build | awk 'NR > 1 { printf "build: %-16s %6.1f MB\n", $$NF, $$5 / 1e6 }'

build-device: setup ## the two device programs alone, as `build`
	@board/debian13/manifest
	@board/fresh-resources .build-device
	@mkdir -p build
	@for program in execorad execoractl; do \
	  echo "build: $$program"; \
	  EXECORA_DEVICE_ONLY=1 swift build -c release --static-swift-stdlib --scratch-path .build-device $$(board/release-flags $$program) --product $$program; \
	  install -m 755 .build-device/release/$$program build/$$program; \
	  strip build/$$program; \
	done

build-debian13: ## check that the device builds with Debian 13's Swift 6.0.3 (root; 2.5 GB the first time)
	@board/debian13/check

deb: ## Debian packages for this machine: execora-device and execora-gateway, in build/packages/
	@$(MAKE) build
	@board/packages/build host

arm64: setup ## cross-build the device package for Debian 13 arm64 and run it under qemu (root; 1.2 GB the first time)
	@board/arm64/build
	@board/arm64/try
	@board/packages/build arm64

try-packages: deb ## install, upgrade, run and purge the packages in a machine of their own (root; 10 min, emulated)
	@board/packages/try

bench: ## measure: JSON lines of bench, value, unit, peer, ratio
	@$(MAKE) build >&2
	@board/bench/run build

bench-speech: setup ## hear the clips of a folder with manifest.jsonl and world.json (UTTERANCES=...), score them: slow
	@test -n "$(UTTERANCES)" || { echo "bench-speech: say UTTERANCES=folder with manifest.jsonl and world.json" >&2; exit 2; }
	@board/fresh-resources .build
	@swift build --product execora-gateway >&2
	@"$$(swift build --show-bin-path)/execora-gateway" interpret --world "$(UTTERANCES)/world.json" \
	  --manifest "$(UTTERANCES)/manifest.jsonl" --every $(or $(EVERY),1)

bench-cloud: setup ## measure the gateway alone: both stores, backlog, 10^6 entries over a bad line (20 minutes)
	@mkdir -p build
	@swift build $(RELEASE_FLAGS) --product execora-gateway >&2
	@install -m 755 "$$(swift build $(RELEASE_FLAGS) --show-bin-path)/execora-gateway" build/execora-gateway
	@board/bench/cloud.py build --backlog --exactly-once 1000000

exactly-once: setup ## 10^6 entries through a line that refuses, delays, doubles and cuts: nothing lost, nothing twice
	@mkdir -p build
	@swift build $(RELEASE_FLAGS) --product execora-gateway >&2
	@install -m 755 "$$(swift build $(RELEASE_FLAGS) --show-bin-path)/execora-gateway" build/execora-gateway
	@board/bench/cloud.py build --batches 10 --seconds 2 --exactly-once $(or $(ENTRIES),1000000)

fuzz: setup ## fuzz the readers of models, WAV, Ogg, batches, receipts and the technician's socket, 5 min each (FUZZ_SECONDS)
	@board/fuzz/run $(or $(FUZZ_SECONDS),300)

faults: setup ## the fault programme from a seed: cuts, kills, errors, rot, clocks, a simulated fleet (FAULT_SEED, FAULT_CUTS)
	@EXECORA_DEVICE_ONLY=1 swift build -c release --scratch-path .build-faults --product execoractl
	@board/faults/run .build-faults/release/execoractl --seed $(or $(FAULT_SEED),1) --cuts $(or $(FAULT_CUTS),20000)

mutate: setup ## break one law of the conversation or the book at a time; the named test must fail (minutes)
	@board/mutate/run

format: ## lay the sources out with swift format
	@swift format -i -r --configuration .swift-format Package.swift Sources Tests

lint: ## fail where `make format` would change something
	@swift format lint -s -r --configuration .swift-format Package.swift Sources Tests

clean: ## remove what builds made (downloads stay in $EXECORA_CACHE)
	@rm -rf .build .build-* build
	@echo "clean: builds removed; downloads stay in $(EXECORA_CACHE)"
