# Every target sets up what it needs. Only Go is assumed, save by `test`, by the
# AWS stack's, and by what they call: they say what they miss.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:

GOLANGCI := 2.15.0
LINTER   := .cache/bin/golangci-lint-$(GOLANGCI)
TALLY    := .cache/bin/tally
COUNTS   := .cache/tally
TAGS     := dynamodb,lambda,browser,sam
SOURCE   := $(wildcard build cmd functions internal test)
CDK      := $(CURDIR)/.cache/cdk/node_modules/.bin/cdk
OUTPUTS  := $(CURDIR)/.cache/cdk/outputs.json
PYTHON   := .cache/python
LINTCFN  := $(PYTHON)/bin/cfn-lint
SAM      := SAM_CLI_TELEMETRY=0 $(CURDIR)/$(PYTHON)/bin/sam
FUZZTIME := 60s

.PHONY: help run styx build test test-dynamo golden fuzz lint fmt bench synth deploy destroy local-up local-down emulated e2e \
	counts check-format vet tests sdk stack templates need-node fuzz-smoke conformance

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
test: counts check-format vet build tests sdk stack templates lint fuzz-smoke conformance e2e ## everything: format, vet, builds, tests, linters, fuzz targets
	@$(TALLY) -sum $(COUNTS)

counts:
	@rm -rf $(COUNTS) && mkdir -p $(COUNTS)
	@go build -o $(TALLY) ./test/tally

check-format:
	@bad=$$(gofmt -l $(SOURCE) infra); if [[ -n $$bad ]]; then printf 'not formatted (make fmt):\n%s\n' "$$bad"; exit 1; fi

vet:
	go vet -tags $(TAGS),emulated ./...
	cd test/sdk && go vet ./...

tests: $(PYTHON)/installed
	@STYX_SAM=$(CURDIR)/$(PYTHON)/bin/sam test/dynamodb/with.sh go test -race -tags $(TAGS) -timeout 20m -json ./... | $(TALLY) -to $(COUNTS)/tests

# Ory's own clients, Go and npm, are a module of their own: they need node.
sdk:
	@cd test/sdk && go test -count=1 -timeout 10m -json ./... | $(CURDIR)/$(TALLY) -to $(CURDIR)/$(COUNTS)/sdk

# The stack is a module of its own. Vetting it means vetting the CDK, which takes
# minutes: the linter does so once.
stack: need-node
	@cd infra && go test -vet=off -json ./... | $(CURDIR)/$(TALLY) -to $(CURDIR)/$(COUNTS)/stack

test-dynamo: ## only the tests that need a DynamoDB API, against a real one on this machine
	@test/dynamodb/with.sh go test -race -tags dynamodb \
		$$(grep -rlE '^//go:build .*\bdynamodb\b' --include='*_test.go' $(SOURCE) | xargs -n1 dirname | sort -u | sed 's|^|./|')

golden: ## rewrite the recorded answers; read the difference before you commit it
	go test $$(grep -rl 'flag.Bool("update"' --include='*_test.go' $(SOURCE) | xargs -n1 dirname | sort -u | sed 's|^|./|') -update
	cd infra && go test -vet=off . -update

fuzz: ## run every fuzz target for FUZZTIME (60s)
	@test/fuzz.sh $(FUZZTIME)

fuzz-smoke:
	@test/fuzz.sh 5s $(COUNTS)/fuzz

lint: $(LINTER) ## run golangci-lint
	$(LINTER) run ./...
	cd infra && $(CURDIR)/$(LINTER) run ./...

fmt: $(LINTER) ## format the source
	$(LINTER) fmt ./...
	cd infra && $(CURDIR)/$(LINTER) fmt ./...

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

synth: build templates ## write the AWS stack's template to infra/cdk.out, and check it

# Both stacks' templates. The CDK's needs no command line: the app writes it
# where CDK_OUTDIR says. It names a role its functions refer to as something to
# wait for as well (W3005), which is idle and harmless.
templates: need-node $(PYTHON)/installed
	cd infra && rm -rf cdk.out && CDK_OUTDIR=cdk.out go run .
	$(SAM) validate --lint --region us-east-1
	$(LINTCFN) examples/protected-api/template.yaml
	$(LINTCFN) --ignore-checks W3005 --template infra/cdk.out/*.template.json infra/testdata/stack.json

need-node:
	@command -v node >/dev/null || { echo 'the CDK needs Node.js' >&2; exit 1; }

# What reads and builds templates. Each package is named with its version: pip
# would take minutes to find them.
$(PYTHON)/installed: infra/requirements.txt
	@echo 'installing sam and cfn-lint, once'
	@rm -rf $(@D) && python3 -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-compile --requirement $<
	@touch $@

# What sam build calls for each function, with its name in the template. It packs
# the folder as it finds it. Lambda's names of architectures are not Go's.
ARCHITECTURE ?= arm64
build-%:
	@name=$*; go run ./build -config "$(CONFIG)" -arch $(ARCHITECTURE:x86_64=amd64) -unpacked "$(ARTIFACTS_DIR)" "$${name,}"

# CONFIG is the folder that goes into each function's zip; ARGS go to the CDK's
# command line: ARGS='-c from-address=no-reply@example.com'. A folder that no function
# would start with goes nowhere. What it is about to create is shown before it asks. Then the secrets of styx.yml are brought to where
# the functions read them; the last word is the doctor's.
deploy: styx $(CDK) ## deploy to AWS; CONFIG=<folder with styx.yml>, ARGS='-c domain=...'
	@[[ -f "$(CONFIG)/styx.yml" ]] || { echo 'make deploy: CONFIG must name a folder with styx.yml and its schemas' >&2; exit 1; }
	bin/styx lint deployment "$(CONFIG)"
	go run ./build -config "$(CONFIG)" -apart
	cd infra && $(CDK) bootstrap $(ARGS) && $(CDK) diff $(ARGS) && $(CDK) deploy $(ARGS) --outputs-file $(OUTPUTS)
	@infra/after.sh $(OUTPUTS) "$(CONFIG)/styx.yml"

destroy: $(CDK) ## take the AWS stack down again; the table, its key and its secrets stay
	cd infra && $(CDK) destroy $(ARGS)
	@cat infra/left.txt

# Not within infra/: what npm installs has Go files of its own.
$(CDK): infra/package.json infra/package-lock.json | need-node
	@mkdir -p .cache/cdk && cp $^ .cache/cdk
	@cd .cache/cdk && npm ci --no-audit --no-fund
	@touch $@

# The emulator, deployed to. See localstack/README.md.
EMULATED := .cache/emulated/emulated

local-up: emulated ## deploy to an AWS emulator on this machine, and keep it running
	@test/emulated/start.sh -config localstack/deploy -stand

local-down: ## stop the emulator; what it held is gone
	@$(EMULATED) down

emulated: $(CDK)
	@mkdir -p $(dir $(EMULATED)) && go build -o $(EMULATED) ./test/emulated

e2e: counts emulated ## deploy to the emulator and run everything through it
	@test/emulated/run.sh $(COUNTS)
