#!/bin/sh
# unprivileged.sh [-k] [-o OUT] [-b BUILD] COMMAND ARG... - run something that
# starts PostgreSQL, which refuses to run as root.
#
# Makes a scratch folder in /tmp, copies the programs of BUILD, demo/, presets/,
# bench/ and tests/ into it (a clone in /root is nobody else's to read), and
# runs the command in tree/ there: as the user postgres if we are root, else as
# ourselves. The command finds SWORN_SCRATCH (a folder of its own to use) and
# SWORN_BIN. What it leaves in $SWORN_SCRATCH/out is copied to OUT (SWORN_OUT
# names it). The folder is removed in the end, and so is every process that
# still runs in it; with -k both stay if the command succeeds.
set -eu

keep=
out=
build=build
while getopts ko:b: opt; do
	case $opt in
	k)	keep=1 ;;
	o)	out=$OPTARG ;;
	b)	build=$OPTARG ;;
	*)	exit 2 ;;
	esac
done
shift $((OPTIND - 1))
cd "$(dirname "$0")/.."

for p in cli/sworn verify/sworn-verify; do
	if [ ! -x "$build/src/$p" ]; then
		echo "unprivileged: $build/src/$p is not built: make" >&2
		exit 1
	fi
done

scratch=$(mktemp -d /tmp/sworn-XXXXXX)
chmod 700 "$scratch"
child=
# Pids of what still runs with its working directory in the scratch folder.
left() {
	for p in /proc/[0-9]*; do
		case $(readlink "$p/cwd" 2>/dev/null) in
		"$scratch"|"$scratch"/*)	echo "${p#/proc/}" ;;
		esac
	done
}
tidy() {
	trap '' INT TERM HUP
	if [ -n "$child" ]; then
		wait "$child" 2>/dev/null || :
	fi
	for p in $(left); do
		echo "unprivileged: left behind, killed: $p" \
		    "$(tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null)" >&2
		kill -KILL "$p" 2>/dev/null || :
	done
	rm -rf "$scratch"
}
trap tidy EXIT
# The command gets the signal, cleans up, and only then the folder goes.
trap '[ -z "$child" ] || kill -TERM "$child" 2>/dev/null; exit 130' INT TERM HUP

mkdir "$scratch/bin" "$scratch/tree" "$scratch/out"
cp "$build/src/cli/sworn" "$build/src/verify/sworn-verify" "$scratch/bin/"
cp -R demo presets tests "$scratch/tree/"
mkdir "$scratch/tree/bench"
cp bench/*.py "$scratch/tree/bench/"
# Programs and sources that only some tests and benches use.
for p in bench/bench_log bench/bench_directory tests/claim/make_log tests/enforce/emit \
    tests/gateway/log_alone tests/interop/write_log tests/lineage/rewrite tests/lineage/tables; do
	[ ! -x "$build/$p" ] || cp "$build/$p" "$scratch/bin/"
done
mkdir -p "$scratch/tree/src/lineage"
cp src/lineage/names.c "$scratch/tree/src/lineage/"

as=
if [ "$(id -u)" = 0 ]; then
	user=postgres
	if ! id "$user" >/dev/null 2>&1; then
		echo "unprivileged: no user postgres; scripts/deps.sh" >&2
		exit 1
	fi
	chown -R "$user:" "$scratch"
	as="setpriv --reuid=$user --regid=$(id -gn $user) --init-groups"
fi

# Nothing of the caller's PG* settings may reach the private servers.
(
	cd "$scratch/tree"
	exec $as env -i PATH="$scratch/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
	    HOME="$scratch" TMPDIR="$scratch" LANG=C.UTF-8 TZ=UTC \
	    TERM="${TERM:-dumb}" ${NO_COLOR:+NO_COLOR=1} \
	    PYTHONDONTWRITEBYTECODE=1 \
	    SWORN_SCRATCH="$scratch" SWORN_BIN="$scratch/bin" \
	    ${out:+SWORN_OUT="$out"} \
	    ${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} \
	    ${UBSAN_OPTIONS:+UBSAN_OPTIONS="$UBSAN_OPTIONS"} "$@"
) &
child=$!
status=0
wait "$child" || status=$?
child=
if [ -n "$out" ] && [ -n "$(ls -A "$scratch/out" 2>/dev/null)" ]; then
	mkdir -p "$out"
	cp -R "$scratch/out/." "$out/"
fi
if [ -n "$keep" ] && [ "$status" -eq 0 ]; then
	trap - EXIT
elif [ -n "$(left)" ] && [ "$status" -eq 0 ]; then
	status=1		# a test run that leaves processes has failed
fi
exit "$status"
