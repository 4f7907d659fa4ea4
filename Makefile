# Every target sets up what it needs. Only Go is assumed, save by `test` and
# what it calls: they say what they miss.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:

GOLANGCI := 2.15.0
LINTER   := .cache/bin/golangci-lint-$(GOLANGCI)
TALLY    := .cache/bin/tally
COUNTS   := .cache/tally
TAGS     := dynamodb,lambda,browser
SOURCE   := $(wildcard build cmd functions internal test)
FUZZTIME := 60s

.PHONY: help run styx build test test-dynamo golden fuzz lint fmt bench synth deploy local-up \
	counts check-format vet tests sdk fuzz-smoke conformance

help: ## list the targets
	@sed -nE 's/^([a-z -]+):.* ## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

# The quickstart's own dsn keeps data in a file; a first try is better forgotten.
run: styx ## serve everything on this machine, in memory (DSN=file://./styx.db keeps it)
	@cd examples/quickstart && DSN="$${DSN:-memory}" exec ../../bin/styx serve --dev -c styx.yml

styx:
	@CGO_ENABLED=0 go build -trimpath -o bin/styx ./cmd/styx

build: styx ## make bin/styx and each function's bootstrap and zip
	go run ./build

# The order is cheapest first. Each step that runs tests leaves its counts in a
# file; the last line adds them up, and fails if anything failed, was skipped,
# or if nothing ran.
test: counts check-format vet build tests sdk lint fuzz-smoke conformance ## everything: format, vet, builds, tests, linters, fuzz targets
	@$(TALLY) -sum $(COUNTS)

counts:
	@rm -rf $(COUNTS) && mkdir -p $(COUNTS)
	@go build -o $(TALLY) ./test/tally

check-format:
	@bad=$$(gofmt -l $(SOURCE)); if [[ -n $$bad ]]; then printf 'not formatted (make fmt):\n%s\n' "$$bad"; exit 1; fi

vet:
	go vet -tags $(TAGS) ./...
	cd test/sdk && go vet ./...

tests:
	@test/dynamodb/with.sh go test -race -tags $(TAGS) -timeout 20m -json ./... | $(TALLY) -to $(COUNTS)/tests

# Ory's own clients, Go and npm, are a module of their own: they need node.
sdk:
	@cd test/sdk && go test -count=1 -timeout 10m -json ./... | $(CURDIR)/$(TALLY) -to $(CURDIR)/$(COUNTS)/sdk

test-dynamo: ## only the tests that need a DynamoDB API, against a real one on this machine
	@test/dynamodb/with.sh go test -race -tags dynamodb \
		$$(grep -rlE '^//go:build .*\bdynamodb\b' --include='*_test.go' $(SOURCE) | xargs -n1 dirname | sort -u | sed 's|^|./|')

golden: ## rewrite the recorded answers; read the difference before you commit it
	go test $$(grep -rl 'flag.Bool("update"' --include='*_test.go' $(SOURCE) | xargs -n1 dirname | sort -u | sed 's|^|./|') -update

fuzz: ## run every fuzz target for FUZZTIME (60s)
	@test/fuzz.sh $(FUZZTIME)

fuzz-smoke:
	@test/fuzz.sh 5s $(COUNTS)/fuzz

lint: $(LINTER) ## run golangci-lint
	$(LINTER) run ./...

fmt: $(LINTER) ## format the source
	$(LINTER) fmt ./...

# Built from the Go module proxy: about four minutes on two cores, once.
$(LINTER):
	@echo 'building golangci-lint $(GOLANGCI), once'
	@mkdir -p $(@D)
	@GOBIN=$(CURDIR)/$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI)
	@mv $(@D)/golangci-lint $@

# STYX_CONFORMANCE names a folder with the conformance suite; without one there
# is nothing to compare with, and the step says so.
conformance: styx
	@if [[ -n "$${STYX_CONFORMANCE:-}" ]]; then \
		test/conformance.sh "$$STYX_CONFORMANCE" $(COUNTS)/conformance; \
	else \
		echo 'conformance: not run, STYX_CONFORMANCE names no suite'; \
	fi

bench: ## measure throughput, latency, table round trips, cold starts
	@test/dynamodb/with.sh go run ./test/bench

synth deploy local-up: ## (come with the AWS stack; not here yet)
	@echo 'make $@: needs the AWS stack in infra/, which is not part of this tree yet' >&2; exit 1
