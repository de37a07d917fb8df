#!/bin/bash
# The Kaspa SDK and noble against our PSKTs, on random transactions.
. "${0%/*}/../e2e/lib.sh"
t_init
interop=$top/tests/interop
COUNT=${COUNT:-1000}
# The sanitizers are slow, and nothing here is other than without them.
case $build in
*asan*)	COUNT=100 ;;
esac
[ -z "${LONG-}" ] || COUNT=$((10 * COUNT))

command -v node >/dev/null || {
	skip "PSKTs with the Kaspa SDK" "no node"
	t_done
}
[ -d "$interop/node_modules/@onekeyfe/kaspa-wasm" ] || {
	skip "PSKTs with the Kaspa SDK" \
	    "not installed: make interop-deps, which needs the network"
	t_done
}
# shellcheck disable=SC2086
node "$interop/pskt.mjs" "$bin/igra-pskt" "$tests/pskt-sign" "$COUNT" \
    ${SEED-} >"$T/pskt" 2>"$T/pskt.err"
rc=$?
cat "$T/pskt"
cat "$T/pskt.err" >&2
n_ok=$((n_ok + $(grep -c '^ok - ' "$T/pskt")))
n_bad=$((n_bad + $(grep -c '^not ok - ' "$T/pskt")))
is "the comparison ran to its end" "$rc" 0
has "with all six sighash types from us" \
    "$(sed -n 's/^ok - noble verifies ours, type \([0-9]*\): .*/\1/p' \
    "$T/pskt" | sort -n | tr '\n' ' ')" "1 2 4 129 130 132 "
t_done
