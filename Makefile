# Everything that is done to this repository from the command line.
# CONTRIBUTING.md says when to use which target.

GO ?= go
# Packages to work on: make test PKG=./compiler/...
PKG ?= ./...
# How long each fuzz target runs.
FUZZTIME ?= 30s
# Arguments for the benchmark, such as BENCHFLAGS='-tables 100'.
BENCHFLAGS ?=

# The one place for the linter's version; a new version is a new file in .bin.
GOLANGCI_VERSION := v2.15.0
GOLANGCI := .bin/golangci-lint-$(GOLANGCI_VERSION)

# How many decisions "make equivalence" asks for, and the first program's seed.
DECISIONS ?= 1000000
SEED ?= 1
# How many pairs of conditions "make decide" puts to Z3 too.
PAIRS ?= 5000

.PHONY: decide equivalence build test test-matrix race lint fuzz golden generate check bench demo fmt postgres casl

build:
	$(GO) build -trimpath -o postern ./cmd/postern

test: postgres casl
	$(GO) test -timeout 20m $(PKG)

# The database tests on every supported version of PostgreSQL, which npm
# fetches into .bin; VERSIONS="14 18" runs these alone.
test-matrix:
	@GO="$(GO)" scripts/test-matrix $(VERSIONS)

race: postgres casl
	CGO_ENABLED=1 $(GO) test -race -timeout 40m $(PKG)

# The cache is the checkout's own: rules that look at paths would otherwise
# answer for another one.
lint: $(GOLANGCI)
	GOLANGCI_LINT_CACHE="$(CURDIR)/.bin/lint-cache" $(GOLANGCI) run $(PKG)

# Rewrites the sources in the canonical form that lint asks for.
fmt: $(GOLANGCI)
	$(GOLANGCI) fmt

# Random pairs of conditions, compared by us and by Z3.
decide:
	Z3_PAIRS=$(PAIRS) $(GO) test -count=1 -timeout 120m -v -run '^TestAgreesWithZ3$$' ./compiler/access

fuzz: postgres
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" scripts/fuzz

# Random programs, answered by the evaluator, Postgres, OPA and the JSON engine,
# and hostile conditions, held to a second meaning that the tests have of them.
# A difference is shrunk and printed as a case for testdata/equivalence/found.
equivalence: postgres
	EQUIVALENCE_DECISIONS=$(DECISIONS) EQUIVALENCE_SEED=$(SEED) \
		CONFORMANCE_SEED=$(SEED) CONFORMANCE_SHARE=1 CONFORMANCE_USERS=10 CONFORMANCE_RECORDS=90 \
		$(GO) test -count=1 -timeout 120m -v -run '^(TestEnginesAgree|TestConformance)$$' ./cmd/internal/equivalence

# Rewrites the expectations of golden tests; read the diff before committing.
golden: postgres
	@GO="$(GO)" scripts/golden

generate:
	$(GO) generate $(PKG)

# Fails where a tool would change a committed file.
check:
	$(GO) mod tidy -diff
	@$(MAKE) --no-print-directory generate golden
	@scripts/clean-tree

bench: postgres
	$(GO) run ./cmd/internal/bench $(BENCHFLAGS)
	$(GO) run ./cmd/internal/bench/engines

# The demo finds Postgres by itself, or fetches it.
demo: build
	./postern demo

# The tests need Postgres's server programs; installs them where it can.
postgres:
	@scripts/postgres

# One test needs CASL and Node; fetches CASL with npm into .bin.
casl:
	@scripts/casl >/dev/null

$(GOLANGCI):
	@mkdir -p .bin
	GOBIN="$(CURDIR)/.bin" $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv .bin/golangci-lint $@
