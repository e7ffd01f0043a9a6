# A short front to Meson; `make demo` and `make test` are all a newcomer needs.
BUILD = build
PREFIX = /usr/local
KEEP =
T =
SECONDS = 60
STATEMENTS = 100000
ARGS =

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD) --buildtype=release --prefix=$(PREFIX)

deps:
	scripts/deps.sh test

# The README's story on real PostgreSQL servers. KEEP=1 leaves them running.
demo:
	scripts/deps.sh demo
	$(MAKE) all
	scripts/unprivileged.sh $(if $(KEEP),-k) -b $(BUILD) \
	    -o $(BUILD)/demo sh -c 'exec \
	    /usr/bin/python3 demo/story.py --scratch "$$SWORN_SCRATCH" \
	    --bin "$$SWORN_BIN" $(if $(KEEP),--keep)'

# Ends what `make demo KEEP=1` left: make stop SCRATCH=/tmp/sworn-...
stop:
	scripts/stop.sh "$(SCRATCH)"

# Everything; T=part runs the parts whose names contain it (tests/run.py -l).
test:
	scripts/deps.sh test
	cd tests/browser && npm ci --no-progress --no-audit --no-fund
	tests/run.py $(T)

# Against peers in the same run; figures are ratios. ARGS="--rounds 3 ..."
bench:
	scripts/deps.sh bench
	$(MAKE) all
	mkdir -p bench/results
	scripts/unprivileged.sh -b $(BUILD) bench_log
	scripts/unprivileged.sh -b $(BUILD) -o bench/results sh -c 'exec \
	    /usr/bin/python3 bench/relay.py --bin "$$SWORN_BIN" \
	    --out "$$SWORN_SCRATCH/out/relay.json" $(ARGS)'
	scripts/unprivileged.sh -b $(BUILD) bench_directory
	scripts/unprivileged.sh -b $(BUILD) -o bench/results sh -c 'exec \
	    /usr/bin/python3 bench/enforce.py --bin "$$SWORN_BIN" \
	    --out "$$SWORN_SCRATCH/out/enforce.json"'
	$(MAKE) bench-policy

# Decisions against Cedar, casbin and OPA (from npm), which must answer the same;
# some minutes, most of them for OPA to compile the rules.
bench-policy:
	scripts/deps.sh bench
	$(MAKE) all
	mkdir -p bench/results
	cd bench/policy && npm ci --no-progress
	$(BUILD)/bench/bench_policy -o bench/results/decisions.local.json
	node bench/policy/compare.mjs bench/results/decisions.local.json

# Breaks each invariant in a copy of the tree; some test must notice.
mutations:
	scripts/deps.sh test
	tests/mutations.py

# Pairs of stores that differ in what a reader must not see: answers alike?
fuzz-noninterference: all
	scripts/deps.sh test
	scripts/unprivileged.sh -b $(BUILD) sh -c 'exec /usr/bin/python3 \
	    tests/noninterference/long.py --statements $(STATEMENTS)'

# Random logs and claims against the verifier's second implementation; and
# files of logs and bundles corrupted in so many ways: none may hold.
CLAIMS = 20000
CORRUPTIONS = 10000
fuzz-claims: all
	scripts/deps.sh test
	export SWORN_SEED=$$(date +%s) SWORN_CLAIMS=$(CLAIMS) \
	    SWORN_CORRUPTIONS=$(CORRUPTIONS); for t in naive corrupt; do \
	    echo "# seed $$SWORN_SEED"; /usr/bin/python3 \
	    tests/verify/test_$$t.py $(BUILD)/tests/claim/make_log \
	    $(BUILD)/src/verify/sworn-verify || exit 1; done

# Take each subject's rows away: whoever changes an answer is listed.
CHECKS = 200000
QUERIES = 5000
fuzz-lineage: all
	scripts/deps.sh test
	scripts/unprivileged.sh -b $(BUILD) env SWORN_LINEAGE_CHECKS=$(CHECKS) \
	    SWORN_LINEAGE_SEED=$$(date +%s) /usr/bin/python3 -m pytest -q -s \
	    -p no:cacheprovider --tb=short tests/lineage/test_rewrite.py
	scripts/unprivileged.sh -b $(BUILD) env SWORN_ORACLE_QUERIES=$(QUERIES) \
	    SWORN_LINEAGE_SEED=$$(date +%s) /usr/bin/python3 -m pytest -q -s \
	    -p no:cacheprovider --tb=short tests/end/test_oracle.py

# Kills the log, the gateway or all of them at random, under load, so often.
ROUNDS = 1000
crash: all
	scripts/deps.sh test
	scripts/unprivileged.sh -b $(BUILD) env SWORN_CRASH_ROUNDS=$(ROUNDS) \
	    /usr/bin/python3 -m pytest -q -s -p no:cacheprovider --tb=short \
	    tests/end/test_crash.py
	SWORN_CRASH_ROUNDS=$(ROUNDS) $(BUILD)/tests/gateway/test_log_process

# Lets each system call of the log process fail, or be its last; ten minutes.
faults: all
	scripts/deps.sh test
	scripts/unprivileged.sh -b $(BUILD) env SWORN_INJECT_ALL=1 \
	    /usr/bin/python3 -m pytest -q -p no:cacheprovider --tb=short \
	    tests/interop/test_inject.py

# Each fuzzer for a while; what it finds stays in fuzz/crashes.
fuzz:
	scripts/fuzz.sh $(SECONDS)

install: all
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build build-*

.PHONY: all deps demo stop test bench bench-policy mutations fuzz \
    fuzz-noninterference fuzz-lineage fuzz-claims crash faults install clean
