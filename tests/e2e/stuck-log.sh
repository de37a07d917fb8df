#!/bin/bash
# Whoever reads what the daemons say has stopped: a terminal after ^S, a logger
# whose disk hangs.  They go on all the same, and above all what ends a secret's
# life does not wait for it.
. "${0%/*}/lib.sh"
t_init

case0=$(jq -c '.[0]' "$vectors/pskt.json")
jq -c '{pskt: .pskt}' <<<"$case0" >"$T/params"

# All three say it into a pipe of this size that nobody reads.
start_stuck()
{
	mkfifo "$T/stuck"
	exec 8<>"$T/stuck"
	for d in auditd keyd signd; do
		ASAN_OPTIONS=$daemon_asan "$bin/igra-$d" -f "$conf" \
		    </dev/null >/dev/null 2>&8 8>&- &
		eval "pid_$d=\$!"
		wait_for 30 listening "$(daemon_socket $d)" || return 1
	done
}

# Until not a byte more goes in.
fill()
{
	dd if=/dev/zero of="$T/stuck" bs=1 count=1000000 oflag=nonblock \
	    2>"$T/dd.err"
	grep -q unavailable "$T/dd.err"
}

answer()
{
	rpc pskt.sign "@$T/params" |
	    jq -r 'if .result then "signed" else .error.data.code end'
}

cached()
{
	[ "$(ctl status -j | jq .keyd.cache_entries)" = "$1" ]
}

CONF_SECURITY='secret_cache_ttl = 3
unlock_ttl = 0'
mk_conf
mk_secrets "signer-01=$(jq -r .single_private_key <<<"$case0")"
start_stuck || { not_ok "the daemons start"; t_done; }
unlock || not_ok "unlock"
is "it signs" "$(answer)" signed
check "the pipe is full" fill

# Each of these is said by one of them.
stop auditd KILL
check "igra-keyd notices that igra-auditd is gone" wait_for 10 \
    eval '[ "$(answer)" = AUDIT_UNAVAILABLE ]'
ASAN_OPTIONS=$daemon_asan "$bin/igra-auditd" -f "$conf" </dev/null \
    >/dev/null 2>&8 8>&- &
pid_auditd=$!
check "and that it is back" wait_for 20 eval '[ "$(answer)" = signed ]'
check "a key goes when its time is over" wait_for 20 cached 0
is "it signs again" "$(answer)" signed
check "lock is heard" timeout 20 "$bin/igractl" -f "$conf" lock
is "it is locked" "$(answer)" LOCKED
check "nothing is cached" cached 0
check "reload is heard" timeout 20 "$bin/igractl" -f "$conf" reload

# Read again, they say how much was lost.
cat <&8 >"$T/read" 8>&- &
reader=$!
also_kill $reader
sleep 0.2
ctl reload >/dev/null 2>&1
check "they say that lines are missing" wait_for 10 \
    grep -aq 'WARNING: [1-9][0-9]* lines are missing here' "$T/read"
stop signd
is "igra-signd ended by itself" "$stopped" 0
stop keyd
is "igra-keyd ended by itself" "$stopped" 0
stop auditd
is "igra-auditd ended by itself" "$stopped" 0
kill $reader
t_done
