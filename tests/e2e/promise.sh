#!/bin/bash
# The promise: no reply with a signature before its record is on disk; and
# what happens when one of the three daemons hangs or is gone.
# Alone: a refusal has its time.
. "${0%/*}/lib.sh"
t_init

case0=$(jq -c '.[0]' "$vectors/pskt.json")
key=$(jq -r .single_private_key <<<"$case0")
jq -c '{pskt: .pskt, request_id: "promise-1"}' <<<"$case0" >"$T/params"

code()
{
	jq -r '.error.data.code // (if .result then "signed" else "?" end)'
}

http_code()
{
	curl -s -o /dev/null -w '%{http_code}' --max-time 5 \
	    --unix-socket "$signd_sock" "http://localhost$1"
}

# timed COMMAND…: sets $ms and $answer.
timed()
{
	local from
	from=$(date +%s%N)
	answer=$("$@")
	ms=$((($(date +%s%N) - from) / 1000000))
}

within()
{
	echo "# $1 ($ms ms, aim $2)"
	# A busy machine is late; what hangs is later still.
	if [ "$ms" -le 15000 ]; then
		ok "$1"
	else
		not_ok "$1" "took $ms ms"
	fi
}

# at_once WHAT: the quickest of some; what waits takes 2 s every time.
at_once()
{
	local i best=$ms

	for i in 1 2 3 4 5 6 7 8 9; do
		[ "$best" -ge 500 ] || break
		timed rpc pskt.sign "@$T/params"
		[ "$ms" -ge "$best" ] || best=$ms
	done
	echo "# $1 ($best ms, aim 500)"
	if [ "$best" -lt 1900 ]; then
		ok "$1"
	else
		not_ok "$1" "took $best ms"
	fi
}

signed()
{
	[ "$(rpc pskt.sign "@$T/params" | code)" = signed ]
}

keyd_answers()
{
	[ "$(rpc pskt.sign "@$T/params" | code)" = "$1" ]
}

records()
{
	jq -s "[.[] | select(.event_type == \"Signing\")] | length" "$log"
}

mk_conf
mk_secrets "signer-01=$key"
start_all || { not_ok "daemons start"; t_done; }
is "locked before the unlock" "$(rpc pskt.sign "@$T/params" | code)" LOCKED
unlock || not_ok "unlock"

rpc pskt.sign "@$T/params" >"$T/answer"
is "signs" "$(code <"$T/answer")" signed
is "the reply's audit position is the log's last line" \
    "$(jq -c '[.result.audit.seq, .result.audit.head]' "$T/answer")" \
    "$(printf '[%s,"%s"]' "$(tail -n 1 "$log" | jq .seq)" "$(tail -n 1 "$log" |
    "$PYTHON" -c 'import hashlib,sys
print(hashlib.blake2b(sys.stdin.buffer.read(), digest_size=32).hexdigest())')")"
is "the record names the request" "$(tail -n 1 "$log" |
    jq -r '[.event_type, .request_id, .result] | join(" ")')" \
    "Signing promise-1 Success"

# --- auditd hangs ---
kill -STOP "$pid_auditd"
timed rpc pskt.sign "@$T/params"
is "auditd hung: refused" "$(code <<<"$answer")" AUDIT_UNAVAILABLE
within "auditd hung: within 2 s" 2000
has_not "auditd hung: no signature in the answer" "$answer" "schnorr"
timed rpc pskt.sign "@$T/params"
is "auditd hung: the next is refused" "$(code <<<"$answer")" AUDIT_UNAVAILABLE
at_once "auditd hung: the next is refused at once"
is "auditd hung: not ready" "$(http_code /readyz)" 503
kill -CONT "$pid_auditd"
if wait_for 20 signed; then
	ok "auditd goes on: signs again by itself"
else
	not_ok "auditd goes on: signs again by itself"
fi

# --- auditd killed ---
stop auditd KILL
timed rpc pskt.sign "@$T/params"
is "auditd killed: refused" "$(code <<<"$answer")" AUDIT_UNAVAILABLE
within "auditd killed: within 2 s" 2000
n=$(records)
start auditd
if wait_for 20 signed; then
	ok "auditd is back: signs by itself, keyd is still unlocked"
else
	not_ok "auditd is back: signs by itself, keyd is still unlocked"
fi
is "the refusal has its record" "$(jq -r 'select(.event_type ==
    "RequestRejected" and .code == "AUDIT_UNAVAILABLE") | .request_id' \
    "$log" | sort -u)" promise-1
check "the chain verifies" "$PYTHON" "$e2e/verify_chain.py" "$log"
if [ "$(records)" -gt "$n" ]; then
	ok "records go on"
else
	not_ok "records go on"
fi

# --- keyd gone ---
stop keyd KILL
timed rpc pskt.sign "@$T/params"
is "keyd gone: refused" "$(code <<<"$answer")" KEYD_UNAVAILABLE
at_once "keyd gone: at once"
is "keyd gone: not ready" "$(http_code /readyz)" 503
is "keyd gone: signd lives" "$(http_code /healthz)" 200
start keyd
wait_for 20 keyd_answers LOCKED && ok "keyd restarted: locked" ||
    not_ok "keyd restarted: locked" "$(rpc pskt.sign "@$T/params")"
unlock || not_ok "unlock after the restart"
is "keyd unlocked: signs" "$(rpc pskt.sign "@$T/params" | code)" signed

# --- keyd killed under load: every signature received has its record ---
cat >"$T/load.py" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
from rpcclient import Signer, dump, parse
params = parse(open(sys.argv[3]).read())
signer = Signer(sys.argv[2])
n = 0
try:
    while True:
        n += 1
        params["request_id"] = "%s-%d" % (sys.argv[4], n)
        answer = signer.call_raw("pskt.sign", dump(params))
        if "result" in answer:
            print(params["request_id"], answer["result"]["audit"]["seq"],
                  flush=True)
except Exception:
    pass
PY
rounds=3
[ -z "${LONG-}" ] || rounds=30
for i in $(seq $rounds); do
	victim=$(echo "auditd keyd signd" | tr ' ' '\n' | sed -n "$((i % 3 + 1))p")
	timeout 20 "$PYTHON" "$T/load.py" "$e2e" "$signd_sock" "$T/params" \
	    "load-$i" >>"$T/received" 2>/dev/null &
	load=$!
	sleep "0.$((RANDOM % 5 + 3))"
	stop "$victim" KILL
	[ "$victim" = signd ] || sleep 0.2
	kill "$load" 2>/dev/null
	wait "$load" 2>/dev/null
	start "$victim"
	[ "$victim" != keyd ] || unlock
	wait_for 20 signed || not_ok "round $i: signs after $victim was killed"
done
jq -r 'select(.event_type == "Signing") | .request_id' "$log" | sort \
    >"$T/recorded"
missing=$(awk '{print $1}' "$T/received" | sort | comm -23 - "$T/recorded" |
    wc -l)
is "kills under load: each of $(wc -l <"$T/received") signatures received has its record" \
    "$missing" 0
check "kills under load: the chain verifies" "$PYTHON" \
    "$e2e/verify_chain.py" "$log"

stop_all
is "after a clean stop the last records say so" "$(tail -n 4 "$log" |
    jq -r 'select(.event_type != "Checkpoint") |
    .event_type + " " + .program' | tail -n 2 | paste -sd,)" \
    "ServiceStopped igra-keyd,ServiceStopped igra-auditd"
t_done
