#!/bin/bash
# Random decisions of the policy against a second one (tests/model/policy.py):
# 10,000 of them, a million in make check-long.  No difference.
. "${0%/*}/lib.sh"
t_init

decisions=${DECISIONS:-10000}
[ -z "${LONG-}" ] || decisions=${DECISIONS:-1000000}
run "$PYTHON" "$top/tests/model/compare.py" "$tests/policy-driver" "$decisions" \
    ${SEED-}
is "$decisions decisions as the model's" "$rc" 0
[ "$rc" = 0 ] || printf '%s\n%s\n' "$out" "$err" | sed 's/^/    /'
head -1 <<<"$out" | sed 's/^/# /'
# What never comes is not compared.
for what in OK INVALID_PSKT NOT_A_SIGNER UNSUPPORTED POLICY_DENIED CONFLICT \
    $(sed -n '/^CHECKS = /,/]/p' "$top/tests/model/policy.py" |
    grep -o '"[a-z_]*"' | tr -d '"' |
    grep -v '^unenforced$'); do
	has "$what is among them" "$out" " $what"
done

t_done
