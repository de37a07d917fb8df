#!/usr/bin/env bash
# Fuzzes every target (or those named) with clang's libFuzzer under ASan and
# UBSan, SECONDS_EACH seconds each, JOBS at a time:
#
#	tests/fuzz/run.sh [-r] [NAME ...]
#
# -r only replays the corpora.  The seeds are tests/fuzz/corpus/NAME; what the
# fuzzer finds worth keeping gathers in $BUILD/fuzz/corpus/NAME and is taken
# up by the next run.  An input that breaks something is written to
# $BUILD/fuzz/found/NAME-…: once the fault is mended, it belongs into
# tests/fuzz/corpus/NAME, under a name that says what was wrong.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-build}
secs=${SECONDS_EACH:-60}
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)}
found=$build/fuzz/found

# One target; prints one line, or what the fuzzer said of a fault.
one()
{
	local name=$1 log=$build/fuzz/log/$1 own=$build/fuzz/corpus/$1
	local dict=tests/fuzz/dict/$1.dict
	local args=(-timeout=20 -rss_limit_mb=2048 -print_final_stats=1
	    "-artifact_prefix=$found/$name-")
	mkdir -p "$own"
	if [ "$replay" = 1 ]; then
		args+=(-runs=0)
	else
		args+=("-max_total_time=$secs")
		[ ! -e "$dict" ] || args+=("-dict=$dict")
	fi
	if "$build/fuzz/tests/fuzz_$name" "${args[@]}" "$own" \
	    "tests/fuzz/corpus/$name" >"$log" 2>&1; then
		printf 'ok - %s: %s inputs run\n' "$name" \
		    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
		return 0
	fi
	printf 'not ok - %s\n%s\n' "$name" "$(grep -v '^#' "$log" | tail -n 40)"
	return 1
}

replay=${REPLAY-0}
if [ "${1-}" = --one ]; then
	one "$2"
	exit
fi
if [ "${1-}" = -r ]; then
	replay=1
	shift
fi
if [ $# -eq 0 ]; then
	for t in tests/fuzz/fuzz_*.c; do
		t=${t##*/fuzz_}
		set -- "$@" "${t%.c}"
	done
fi
make --no-print-directory BUILD="$build" fuzz-targets || exit 2
mkdir -p "$build/fuzz/log" "$found"
export BUILD=$build SECONDS_EACH=$secs REPLAY=$replay
printf '%s\n' "$@" | xargs -n 1 -P "$jobs" bash tests/fuzz/run.sh --one
