#!/bin/bash
# make soak HOURS=24: mixed load with keys that come and go every second,
# unlocks, rotations and reloads; memory, descriptors and latency stay flat.
# SOAK_SECONDS instead of hours for tests.  Figures go to $BUILD/soak.csv, the
# plot to $BUILD/soak.svg.

. "${0%/*}/../e2e/lib.sh"
t_init

if [ ! -r /proc/self/status ]; then
	skip "soak" "no /proc"
	t_done
fi
if grep -q __asan_init "$bin/igra-keyd"; then
	skip "soak" "ASan keeps what was freed"
	t_done
fi
seconds=${SOAK_SECONDS:-$(awk -v h="${HOURS:-24}" 'BEGIN { print h * 3600 }')}

CONF_SECURITY='secret_cache_ttl = 1
secret_cache_max = 10'
CONF_RPC='rate_limit_rps = 1000
rate_limit_burst = 1000'
mk_conf
mk_secrets "signer-01=$(vector ins2-outs1-mixed1 | jq -r .single_private_key)" ||
    exit 1
for _i in 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20; do
	set_key "signer-$_i" "$(printf '%062d%s' 1 "$_i")" || exit 1
done
start_all || exit 1
unlock || exit 1
vector ins2-outs1-mixed1 | sign_params >"$T/sign.json"

# A day's closed logs are not what this is about.
(
	while sleep 60; do
		# shellcheck disable=SC2012
		ls -t "$T"/log/key-audit.*.log 2>/dev/null | tail -n +20 |
		    xargs -r rm -f
	done
) &
also_kill $!

PASSFILE=$T/pass "$PYTHON" "$top/tests/bench/soak.py" "$signd_sock" \
    "$T/sign.json" "$seconds" "$build/soak" "$pid_keyd" "$pid_signd" \
    "$pid_auditd" -- "$bin/igractl" -f "$conf" >"$T/soak.out" 2>"$T/soak.err"
rc=$?
cat "$T/soak.out"
for _what in 'keyd KiB' 'signd KiB' 'auditd KiB' 'keyd fds' 'signd fds' \
    'auditd fds'; do
	has "$seconds s of mixed load: $_what" \
	    "$(grep "^$_what:" "$T/soak.out")" flat
done
is "and nothing unexpected" "$(grep SURPRISE "$T/soak.out")$(cat \
    "$T/soak.err")" ""
is "as the program says itself" "$rc" 0
for _d in keyd signd auditd; do
	if is_gone "$(daemon_pid $_d)"; then
		not_ok "igra-$_d is still there" "$(tail -n 5 "$T/$_d.err")"
	fi
	has_not "igra-$_d has no alert" "$(cat "$T/$_d.err")" "SECURITY ALERT"
done
check "the plot is there" test -s "$build/soak.svg"
t_done
