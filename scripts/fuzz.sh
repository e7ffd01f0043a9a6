#!/bin/sh
# fuzz.sh SECONDS [NAME...] - run each fuzzer for a while.
#
# New inputs that reach further stay in build-fuzz/corpus; an input that
# breaks something is kept in fuzz/crashes/NAME and replays in `make test`
# from then on.
set -eu
seconds=${1:-60}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")/.."
scripts/deps.sh fuzz
build=build-fuzz
[ -f $build/build.ninja ] || CC=clang meson setup $build --buildtype=debug \
    -Db_sanitize=address,undefined -Db_lundef=false \
    -Dc_args=-fsanitize=fuzzer-no-link >/dev/null
names=${*:-$(sed -n "s/^  '\([a-z]*\)': dep_.*/\1/p" fuzz/meson.build)}
status=0
for name in $names; do
	ninja -C $build "fuzz/fuzz_$name" >/dev/null
	mkdir -p "$build/corpus/$name" "fuzz/crashes/$name"
	echo "fuzzing $name for $seconds s"
	"$build/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 \
	    -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix="fuzz/crashes/$name/" \
	    "$build/corpus/$name" "fuzz/corpus/$name" || status=1
	rmdir "fuzz/crashes/$name" 2>/dev/null || :
done
exit $status
