# `make help` lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash

GO        ?= go
GOFLAGS   ?=
LINT      := .bin/golangci-lint
LINTDOC   := .bin/openapi
PACKAGES  := ./...
FUZZTIME  ?= 10s
FUZZ      ?= .
export FUZZ
export CGO_ENABLED ?= 0

.PHONY: help check test fuzz bench demo lint need

help: ## List the targets.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

check: ## What to run before a commit: format, vet, lint, quick tests, without Postgres. Under two minutes, once built.
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt-ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet $(PACKAGES)
	$(MAKE) --no-print-directory lint
	$(GO) test -short $(PACKAGES)

test: need ## Every test, on SQLite and on a real Postgres, after installing what they need. Under fifteen minutes.
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt-ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet $(PACKAGES)
	$(MAKE) --no-print-directory lint
	$(GO) test -timeout 14m $(PACKAGES)

fuzz: ## Look for inputs that break a claim: FUZZTIME (10s) for each fuzz target, one after the other, or FUZZ=regexp only.
	@scripts/fuzz.sh $(FUZZTIME)

bench: need ## Measure Refundry against what it stands on, side by side. See bench/README.md.
	$(GO) run ./bench

demo: ## See Refundry at work. Needs nothing but Go.
	$(GO) run ./cmd/refundry demo

lint: $(LINT) $(LINTDOC) ## Let the linters look, each with its reason in .golangci.yml or tools/openapi/rules.yaml.
	$(LINT) run $(PACKAGES)
	$(LINTDOC) docs/openapi.json tools/openapi/rules.yaml

$(LINT): tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(LINTDOC): tools/openapi/go.mod tools/openapi/go.sum tools/openapi/main.go
	$(GO) build -C tools/openapi -o ../../$(LINTDOC) .

need:
	@scripts/need.sh
