#!/bin/bash
# Our own code on secrets takes no branch and reads no address that depends
# on them: tests/e2e/ctgrind.c under valgrind, secrets marked as undefined.

. "${0%/*}/../e2e/lib.sh"
t_init

tool=$tests/ctgrind
if ! command -v valgrind >/dev/null; then
	skip "constant time" "no valgrind"
	t_done
fi
if grep -q __asan_init "$tool"; then
	skip "constant time" "valgrind and ASan do not go together"
	t_done
fi
names=$("$tool")
if [ $? -eq 77 ]; then
	skip "constant time" "built without valgrind/memcheck.h"
	t_done
fi

# -q: nothing but errors.
ctgrind()
{
	run valgrind -q --error-exitcode=9 --leak-check=no --num-callers=8 \
	    --suppressions="$top/tests/sandbox/ctgrind.supp" "$tool" "$1"
}

ctgrind leak
is "a branch on a secret is reported" "$rc" 9
for name in $names; do
	[ "$name" != leak ] || continue
	ctgrind "$name"
	if [ "$rc" -eq 0 ]; then
		ok "constant time: $name"
	else
		not_ok "constant time: $name" "$err"
	fi
done
t_done
