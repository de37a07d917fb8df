#!/usr/bin/env bash
# Runs every unit test and every end-to-end script against the builds named
# on the command line, N at a time (as many as there are processors), and
# prints a line for each, everything of those that failed, why tests were
# skipped, what failed once more, and the sums.
#
#	tests/run.sh [-j N] BUILD ...
#
# Each has its own directory and its own sockets.  A line among its first
# twenty says of one that is different, and why:
#
#	# Alone: ...	runs after the others, with nothing beside it
#	# Once: ...	a script that does not run under the sanitizers as well
set -u
cd "$(dirname "$0")/.." || exit 2
usage() { echo "usage: tests/run.sh [-j N] BUILD ..." >&2; exit 2; }
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
while getopts j: opt; do
	case $opt in
	j)	jobs=$OPTARG ;;
	*)	usage ;;
	esac
done
shift $((OPTIND - 1))
[[ $# -gt 0 && $jobs =~ ^[1-9][0-9]*$ ]] || usage

passed=0 failed=0 skipped=0
tmp=$(mktemp -d) || exit 2
declare -A running=()		# process id to "BUILD FILE"
declare -A seen=()
trap 'for p in "${!running[@]}"; do kill "$p" 2>/dev/null; done
    wait; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

sum() { local n t=0; while read -r n; do t=$((t + n)); done; echo $t; }

# checks FIELD: of libcheck's closing lines.
checks()
{
	sed -nE "s/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), \
Errors: ([0-9]+).*/\\$1/p" "$out" | sum
}

# One program's result: its name, exit status; its output is in $out.
account()
{
	local name=$1 status=$2 time=$3 p f s

	s=$(grep -c '^skip - ' "$out")
	if grep -qE '^[0-9]+%: Checks: ' "$out"; then
		f=$(($(checks 2) + $(checks 3)))
		p=$(($(checks 1) - f))
	else
		p=$(grep -c '^ok - ' "$out") f=$(grep -c '^not ok - ' "$out")
	fi
	# A program that died, or that ran nothing, has failed.
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ $((p + f + s)) -eq 0 ]; then f=1; echo "ran no test" >>"$out"; fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-44s %4d passed %s%s (%s)\n' "$name" "$p" \
	    "$([ "$f" -gt 0 ] && echo "$f FAILED ")" \
	    "$([ "$s" -gt 0 ] && echo "$s skipped ")" "$time"
	sed -n "s|^skip - |$name: |p" "$out" >>"$tmp/skips"
	if [ "$f" -gt 0 ]; then
		grep -v '^ok - ' "$out" | tail -n 60 | sed 's/^/    /'
		{
			grep -E '^not ok|:[FE]:|ERROR: |runtime error: ' \
			    "$out" || echo "exit status $status"
		} | head -n 10 | cut -c 1-200 | sed "s|^|$name: |" \
		    >>"$tmp/failures"
	fi
}

says()	{ sed -nE "1,20s/^(#| \\*) $1: *//p" "$2"; }
sanitized() { grep -q __asan_init "$1/bin/igra-keyd"; }
name_of() { local n=${1##*/}; echo "${n%.c}"; }

# Into a file, and ended with the one that waits for it.
into()
{
	local to=$1 pid

	shift
	"$@" >"$to" 2>&1 </dev/null &
	pid=$!
	trap 'kill $pid 2>/dev/null; wait $pid; exit 1' TERM
	wait $pid
}

# In the background, with an output of its own.
run()
{
	local build=$1 t=$2 why=''
	local mine=$tmp/${build//\//_}.$(name_of "$t")

	case $t in
	*.sh)	! sanitized "$build" || why=$(says Once "$t") ;;
	esac
	(
		trap - EXIT HUP INT
		TIMEFORMAT='%0Rs, %0U+%0Ss of CPU'
		# A sanitizer's finding is a failure.
		ASAN_OPTIONS=abort_on_error=0:detect_leaks=1
		ASAN_OPTIONS+=:strict_string_checks=1
		UBSAN_OPTIONS=print_stacktrace=1
		# A daemon in a chroot has no /proc, which the search for leaks
		# needs; one that is not started as root is in none.
		case $t:$(id -u) in
		*.sh:0)	ASAN_OPTIONS=${ASAN_OPTIONS/leaks=1/leaks=0} ;;
		esac
		export ASAN_OPTIONS UBSAN_OPTIONS BUILD=$build
		[ -n "$why" ] || case $t in
		*.c)	set -- env CK_DEFAULT_TIMEOUT=120 timeout 600 \
			    "$build/tests/$(name_of "$t")" ;;
		*)	set -- timeout 900 bash "$t" ;;
		esac
		[ -z "$why" ] || set -- echo "skip - all (once: $why)"
		{ time into "$mine.out" "$@"; } 2>"$mine.time"
	) &
	running[$!]="$build $t"
}

# reap: waits for one of them, and accounts for it.
reap()
{
	local pid status what

	wait -n -p pid "${!running[@]}"
	status=$?
	what=${running[$pid]}
	unset "running[$pid]"
	set -- $what
	out=$tmp/${1//\//_}.$(name_of "$2").out
	account "$1 $(name_of "$2")" $status "$(tail -n 1 "${out%.out}.time")"
	rm -f "$out" "${out%.out}.time"
}

: >"$tmp/skips"
: >"$tmp/failures"
alone=()
# Those that take long come first.
for t in tests/sandbox/soak.sh tests/sandbox/*.sh tests/fuzz/*.sh \
    tests/fault/*.sh tests/e2e/*.sh tests/interop/*.sh \
    tests/unit/test_*.c; do
	case $t in */lib.sh | */fuzz/run.sh) continue ;; esac
	[[ -e $t && -z ${seen[$t]-} ]] || continue
	seen[$t]=1
	if [ -n "$(says Alone "$t")" ]; then
		alone+=("$t")
		continue
	fi
	for build in "$@"; do
		[ ${#running[@]} -lt "$jobs" ] || reap
		run "$build" "$t"
	done
done
while [ ${#running[@]} -gt 0 ]; do reap; done
for t in "${alone[@]}"; do
	for build in "$@"; do
		run "$build" "$t"
		reap
	done
done

if [ -s "$tmp/skips" ]; then
	echo "skipped:"
	sort -u "$tmp/skips" | sed 's/^/    /'
fi
if [ -s "$tmp/failures" ]; then
	echo "failed:"
	sed 's/^/    /' "$tmp/failures"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
