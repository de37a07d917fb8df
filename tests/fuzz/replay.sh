#!/usr/bin/env bash
# The corpora of all fuzz targets, in whatever build is tested; and, where it
# is the sanitizers' turn, two seconds of fuzzing each.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 2
build=${BUILD:-build}
here=tests/fuzz
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0

for t in "$here"/fuzz_*.c; do
	name=${t##*/fuzz_}
	name=${name%.c}
	if [ ! -d "$here/corpus/$name" ]; then
		echo "not ok - $name: no corpus"
		bad=1
	elif n=$("$build/tests/fuzz_$name" "$here/corpus/$name" 2>"$tmp/err"); then
		echo "ok - $name: $n inputs replayed"
	else
		echo "not ok - $name: replay"
		cat "$tmp/err"
		bad=1
	fi
done
for d in "$here"/corpus/*/; do
	d=${d%/}
	[ -e "$here/fuzz_${d##*/}.c" ] && continue
	echo "not ok - $d: no target reads it"
	bad=1
done

case $build in
*asan*)	;;
*)	exit $bad ;;
esac
echo 'int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n)
{ (void)p; (void)n; return 0; }' >"$tmp/probe.c"
if ! clang -fsanitize=fuzzer,address -o "$tmp/probe" "$tmp/probe.c" \
    >/dev/null 2>&1; then
	echo "skip - fuzzing (clang has no libFuzzer: libclang-rt-14-dev)"
	exit $bad
fi
main=${build%/*}
[ "$main" != "$build" ] || main=$build/main
BUILD=$main SECONDS_EACH=${FUZZ_SECONDS:-2} bash "$here/run.sh" || bad=1
exit $bad
