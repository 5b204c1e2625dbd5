# Every target runs in every module that allmodules lists, except in those that
# take minutes to compile: the benchmarks, for what they compare with, and the
# local Temporal server. They have targets of their own.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

MODULES := $(filter-out internal/bench% examples/temporal/local,$(shell cat allmodules))
FUZZTIME ?= 30s
HOURS ?= 1
SEED ?= $(shell date +%s)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
WORKFLOWCHECK := go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0

# Sweeps that do one thing after the other, hundreds of times, and scenarios that
# start one program after the other: the race detector sees nothing in them that
# it does not see in the other tests, and would take minutes for it. They run with
# the other tests, without it.
SEQUENTIAL := ^TestACrashAnywhere|^TestAnyCallMayFailOnce|^TestRollbackMayBeAskedForAtAnyTime|^TestNoLawIsBroken|^TestSweepFindsNothingWrong|^TestSweepNamesWhatIsWrong|^TestTheExamplesPass|^TestXMLWithAnyByteChanged|^TestAFileWithAnyByteChanged|^TestEveryPrefixHasAReport|^TestEveryFaultOfTheCatalogue|^TestAMixedRunCompletes|^TestEveryClassOfAnswer|^TestEveryAnswerToEveryRequest|^TestAJournalCutAnywhere|^TestEveryChangedByteOf|^TestAPowerCutLosesNothing|^TestNoPowerCutLoses|^TestInabilitiesSkip|^TestBrowser|^TestThePageOfManyIsCut|^TestTheTour|^TestScripts|^TestOnlyTheNameOpens|^TestWhoLooksAtARun|^TestJSONIsAsStrict|^TestAFileThatIsTooMuch|^TestAFileThatIsCut|^TestNoSeedBreaksAPromise|^TestALostPauseStopsEverything|^TestALateUploadNeverEnds|^TestAPreviewIsReadBack|^TestEveryTierFindsNothing|^TestText$$|^TestParity$$|^TestServer|^TestTheListIsWhat|^TestEveryCallThatFails|^TestEveryAnswerLost|^TestEveryAppend|^TestEveryFileGone|^TestEveryVerb|^TestHeldAtEvery|^TestRolledBackAtEvery|^TestCanceledAtEvery|^TestRecordedHistories|^TestARunIsTakenOver|^TestALongJournal|^TestKilled|^TestAPersonActs|^TestWorkersOfAnother|^TestAFleetOfPlans|^TestReadme$$|^TestAServerThatIsKilledDuring|^TestAConnectionThatIsCut

# $(call each,COMMAND) runs a command in the folder of every module and stops at
# the first that fails. A comma in COMMAND is written $(comma).
comma := ,
each = @for module in $(MODULES); do echo "== $@ ($$module)"; (cd "$$module"; $(1)); done

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: check
check: fmt vet lint floor-plan race tidy-diff cross-vet ## everything that a change must pass

.PHONY: fmt
fmt: ## fail if a file is not formatted
	$(call each,unformatted=$$(git ls-files -co --exclude-standard -- '*.go' | xargs -r gofmt -s -l); test -z "$$unformatted" || { echo "run gofmt -s -w:"; echo "$$unformatted"; exit 1; })

.PHONY: vet
vet: ## go vet
	$(call each,go vet ./...)

.PHONY: cross-vet
cross-vet: ## go vet for the systems that operators use
	$(call each,for system in windows darwin; do echo "GOOS=$$system"; CGO_ENABLED=0 GOOS=$$system go vet ./...; done)

.PHONY: lint
lint: ## staticcheck, pinned; .golangci.yml has more for those who have golangci-lint
	$(call each,go run $(STATICCHECK) ./...)

.PHONY: floor-plan
floor-plan: ## the tests about the repository: imports, modules, comments, forbidden calls, text
	go test -count=1 ./internal/archtest

.PHONY: test
test: ## all tests
	$(call each,go test ./...)

.PHONY: race
race: ## all tests under the race detector, in random order
	$(call each,go test -race -shuffle=on -skip '$(SEQUENTIAL)' -timeout 30m ./...)

.PHONY: sequential
sequential: # for .ci/run
	@echo '$(SEQUENTIAL)'

.PHONY: tidy-diff
tidy-diff: ## fail if go.mod or go.sum is not tidy, or a module is not what go.sum says
	$(call each,go mod tidy -diff; go mod verify)

.PHONY: cover
cover: ## coverage of everything but the examples, by all tests; cover.out has the details
	$(call each,go test -coverprofile=cover.out -coverpkg="$$(go list ./... | grep -v /examples/ | paste -sd '$(comma)')" ./...; go tool cover -func=cover.out | tail -n 1)

# When the time is up in the middle of an input, the Go command sometimes calls
# that a failure, with no input to show for it. Two targets at a time: most of a
# short run is the start.
.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (30s) each
	$(call each,list=$$(go test -list '^Fuzz' ./...); \
	awk '/^Fuzz/ { names[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2 " " names[i]; n = 0 }' <<<"$$list" | xargs -r -P 2 -L 1 bash -c '\
		log=$$(mktemp); status=0; \
		go test -run "^$$" -parallel 1 -fuzz "^$$1$$" -fuzztime $(FUZZTIME) "$$0" </dev/null >"$$log" 2>&1 || status=$$?; \
		if grep -qx "    context deadline exceeded" "$$log" && ! grep -q "Failing input" "$$log"; then status=0; fi; \
		if ((status == 0)); then echo "$$1 in $$0 for $(FUZZTIME): $$(grep -o "execs: [0-9]*" "$$log" | tail -n 1)"; else echo "$$1 in $$0: FAILED"; cat "$$log"; fi; \
		rm "$$log"; exit $$status')

.PHONY: workflowcheck
workflowcheck: ## find what may be different when a workflow is replayed; it does not look into method values
	cd adapters/temporal && go run $(WORKFLOWCHECK) -config workflowcheck.yaml ./...

.PHONY: temporal-local
temporal-local: ## check the local Temporal server, which compiles for minutes the first time
	cd examples/temporal/local && go vet ./... && go test ./...

.PHONY: temporal-kills
temporal-kills: ## kill Temporal's workers and server 200 times while they move 50 infrastructures
	cd examples/temporal && go test -count=1 -run TestKilled -v -timeout 30m . -kills 200 -infrastructures 50

.PHONY: reliability
reliability: ## the reliability programme, with the figures that CI demands; TIERS="model kill" chooses
	go run ./internal/reliability $(TIERS)

.PHONY: soak
soak: ## the tiers that never run out of seeds, for HOURS (1); what they find becomes a test
	go run ./internal/reliability -soak $(HOURS)h -seed $(SEED) -keep internal/reliability/testdata/found.txt simulate enumerate kill full race

.PHONY: bench
bench: ## measure beside peers and physical limits, and write docs/benchmarks.md; wants a quiet machine
	cd internal/bench && go run . -run all -out ../../docs

# The Temporal contender is checked by itself: it takes minutes to compile.
.PHONY: bench-check
bench-check: ## check the benchmarks' own code, and assert the ratios that may not get worse
	cd internal/bench && go vet ./... && go test ./... && go run . check

.PHONY: bench-mutants
bench-mutants: ## show that bench-check fails without batching, and the reliability programme without a sync
	cd internal/bench && go run . mutants

.PHONY: bench-temporal
bench-temporal: ## check the code of the Temporal contender, which compiles for minutes the first time
	cd internal/bench/temporal && go vet ./... && go test ./...

.PHONY: golden
golden: ## rewrite the golden files, and what else is generated; look at the difference before committing it
	$(call each,UPDATE_GOLDEN=1 go test -count=1 ./...)

.PHONY: docs
docs: ## rewrite the golden files and fail if any of them was out of date
	@state() { git ls-files -coz --exclude-standard | xargs -0 sha256sum; }; \
	before=$$(state); $(MAKE) --no-print-directory golden; after=$$(state); \
	diff <(echo "$$before") <(echo "$$after") || { echo "these files were out of date"; exit 1; }
