#!/usr/bin/env bash
# Runs every unit test and every end-to-end script against the builds named
# on the command line, prints a line for each, everything of those that
# failed, why tests were skipped, and the sums.
set -u
cd "$(dirname "$0")/.." || exit 2
[ $# -gt 0 ] || { echo "usage: tests/run.sh BUILD ..." >&2; exit 2; }

passed=0 failed=0 skipped=0
skips=$(mktemp) out=$(mktemp)
trap 'rm -f "$skips" "$out"' EXIT

# One program's result: name, exit status; its output is in $out.
account() {
	local name=$1 status=$2 secs=$3 p f s
	if grep -qE '^[0-9]+%: Checks: ' "$out"; then
		# libcheck's closing line
		p=$(sed -nE 's/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+).*/\1/p' "$out" | paste -sd+ | bc_)
		f=$(sed -nE 's/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+).*/\2+\3/p' "$out" | paste -sd+ | bc_)
		p=$((p - f)) s=$(grep -c '^skip - ' "$out")
	else
		p=$(grep -c '^ok - ' "$out") f=$(grep -c '^not ok - ' "$out")
		s=$(grep -c '^skip - ' "$out")
	fi
	# A program that died, or that ran nothing, has failed.
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ $((p + f + s)) -eq 0 ]; then f=1; echo "ran no test" >>"$out"; fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-44s %4d passed %s%s (%ss)\n' "$name" "$p" \
	    "$([ "$f" -gt 0 ] && echo "$f FAILED ")" \
	    "$([ "$s" -gt 0 ] && echo "$s skipped ")" "$secs"
	sed -n "s|^skip - |$name: |p" "$out" >>"$skips"
	if [ "$f" -gt 0 ]; then
		grep -v '^ok - ' "$out" | tail -n 60 | sed 's/^/    /'
	fi
}
bc_() { local e; read -r e; echo $((e)); }

for build in "$@"; do
	# No core files, and a sanitizer's finding is a failure.
	export ASAN_OPTIONS=abort_on_error=0:detect_leaks=1:strict_string_checks=1
	export UBSAN_OPTIONS=print_stacktrace=1
	for t in tests/unit/test_*.c; do
		name=$(basename "$t" .c)
		start=$SECONDS
		CK_DEFAULT_TIMEOUT=120 timeout 600 "$build/tests/$name" >"$out" 2>&1
		account "$build $name" $? $((SECONDS - start))
	done
	# A daemon in a chroot has no /proc, which the search for leaks needs;
	# one that is not started as root is in none.
	[ "$(id -u)" -ne 0 ] || ASAN_OPTIONS=${ASAN_OPTIONS/leaks=1/leaks=0}
	for t in tests/e2e/*.sh tests/config/*.sh tests/sandbox/*.sh \
	    tests/fault/*.sh tests/fuzz/*.sh tests/interop/*.sh; do
		[ -e "$t" ] || continue
		case $t in */lib.sh | */fuzz/run.sh) continue ;; esac
		start=$SECONDS
		BUILD=$build timeout 900 bash "$t" >"$out" 2>&1 </dev/null
		account "$build $(basename "$t")" $? $((SECONDS - start))
	done
done

if [ -s "$skips" ]; then
	echo "skipped:"
	sort -u "$skips" | sed 's/^/    /'
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
