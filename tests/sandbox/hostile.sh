#!/bin/bash
# Peers that mean harm (tests/e2e/hostile.py): an igra-signd that attackers
# have taken, at igra-keyd's socket; and a coordinator at igra-signd's.
# Whatever they send, the daemon stays up, its memory flat, its log bounded,
# and the others are served.
# Alone: it takes all that the machine has.

. "${0%/*}/../e2e/lib.sh"
t_init

hostile=$e2e/hostile.py
asan=
if grep -q __asan_init "$bin/igra-keyd"; then
	asan=yes
fi
key=$(vector ins2-outs1-mixed1 | jq -r .single_private_key)
attacker_uid=64010 victim_uid=64011
if [ "$(id -u)" -ne 0 ]; then
	skip "hostile peers" "not root"
	t_done
fi

RATE=20 BURST=40
CONF_RPC="rate_limit_rps = $RATE
rate_limit_burst = $BURST
allow_users = [\"0\", \"$attacker_uid\", \"$victim_uid\"]"
mk_conf
mk_secrets "signer-01=$key" || exit 1
start auditd && start keyd && start signd || exit 1
unlock || not_ok "unlock"
keyd_pid=$pid_keyd signd_pid=$pid_signd

rss()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

# field WORDS NAME: the number behind the word.
field()
{
	printf '%s\n' "$1" | sed -n "s/.*\\<$2 \\([0-9]*\\).*/\\1/p"
}

# flat WHAT PID BEFORE: its resident memory grew by less than 32 MiB.
flat()
{
	_now=$(rss "$2")
	if [ -n "$asan" ]; then
		skip "$1" "ASan keeps what was freed"
	elif [ -n "$_now" ] && [ $((_now - $3)) -lt 32768 ]; then
		ok "$1 ($3 to $_now KiB)"
	else
		not_ok "$1" "$3 to $_now KiB"
	fi
}

# bounded WHAT FILE LINES-BEFORE MOST
bounded()
{
	_n=$(($(wc -l <"$2") - $3))
	if [ $_n -le "$4" ]; then
		ok "$1 ($_n lines)"
	else
		not_ok "$1" "$_n lines, of which the last:
$(tail -n 3 "$2")"
	fi
}

# As signd's user; what it says is in $said.
attack_keyd()
{
	said=$(as_uid $signd_uid "$PYTHON" "$hostile" keyd "$keyd_sock" \
	    "$vectors/proto.json" "$1" 2>&1)
	kill -0 $keyd_pid 2>/dev/null || { not_ok "$1: igra-keyd stays up" \
	    "$(tail -n 5 "$T/keyd.err")"; t_done; }
}

### The attacker has signd: the real one is stopped meanwhile

stop signd
lines=$(wc -l <"$T/keyd.err") log_lines=$(wc -l <"$log")
all_closed()
{
	attack_keyd "$1"
	set -- "$1" $said
	is "keyd, $1: each is closed" "${2-} ${3-}" "closed ${5-?}"
}
all_closed garbage
all_closed truncated
all_closed oversized
all_closed wrong
before=$(rss $keyd_pid)
attack_keyd mutated
is "keyd, changed at random: survived" "$said" "sent 400"
sleep 2		# its bucket is full again
attack_keyd replayed
is "keyd, replayed and interleaved: one answer for each" "$said" \
    "answers 120 of 120"

# The bucket holds, and the operator is heard.
status_during()
{
	worst=0 asked=0
	while kill -0 "$1" 2>/dev/null; do
		_t=$(date +%s%N)
		ctl status -j >"$T/status.out" 2>&1 || worst=99999
		_t=$((($(date +%s%N) - _t) / 1000000))
		[ $_t -le $worst ] || worst=$_t
		asked=$((asked + 1))
		sleep 0.1
	done
	# How fast is the machine's to say.
	if [ $worst -lt 20000 ] && [ $asked -gt 1 ]; then
		ok "keyd, $2: the admin socket answers (${worst} ms at most)"
	else
		not_ok "keyd, $2: the admin socket answers" \
		    "$asked times, $worst ms: $(cat "$T/status.out")"
	fi
}
sleep 2
(attack_keyd flood; printf '%s\n' "$said" >"$T/flood") &
also_kill $!
status_during $! flooded
said=$(cat "$T/flood")
served=$(field "$said" served) limited=$(field "$said" limited)
# Three users, twice: 6 x (40 + 20 a second of all the time it had).
took=$(field "$said" took)
most=$((6 * (BURST + (${took:-4} + 2) * RATE)))
if [ "${served:-0}" -ge $((6 * BURST)) ] && [ "$served" -le $most ] &&
    [ "${limited:-0}" -gt 0 ]; then
	ok "keyd, flooded: its own bucket holds ($said)"
else
	not_ok "keyd, flooded: its own bucket holds" "$said, at most $most"
fi
(attack_keyd deaf; printf '%s\n' "$said" >"$T/deaf") &
also_kill $!
status_during $! "never read"
has "keyd, never read: it takes four connections" "$(cat "$T/deaf")" "open 4"
attack_keyd notes
has "keyd, 20,000 remarks: taken" "$said" "sent 20000"
flat "keyd: memory is flat" $keyd_pid "$before"
# 20 a minute for each type, of few minutes; remarks name peers of their own
# choosing, of which 128 are told apart.
bounded "keyd: what it says is bounded" "$T/keyd.err" "$lines" 400
bounded "keyd: what it records is bounded" "$log" "$log_lines" 5000
is "keyd: it is the same process" "$pid_keyd" "$keyd_pid"
check "keyd: lock is heard" ctl lock
rm -f "$T/keyd/state"
stop keyd
start keyd
start signd
unlock || not_ok "unlock"
keyd_pid=$pid_keyd signd_pid=$pid_signd

### A coordinator attacks signd

# Two daemons may not be had for less: what an attacker does, another
# user's questions are answered.
attack_signd()
{
	_before=$(rss $signd_pid) _lines=$(wc -l <"$T/signd.err")
	as_uid $attacker_uid "$PYTHON" "$hostile" signd "$signd_sock" "$1" \
	    "${2:-2}" >"$T/attack.out" 2>&1 &
	_attacker=$!
	also_kill $_attacker
	sleep 0.3
	said=$(as_uid $victim_uid "$PYTHON" "$hostile" victim "$signd_sock" \
	    "${2:-2}" 2>&1)
	wait $_attacker
	kill -0 $signd_pid 2>/dev/null || { not_ok "$1: igra-signd stays up" \
	    "$(tail -n 5 "$T/signd.err")"; t_done; }
	_bad=$(field "$said" bad) _good=$(field "$said" good)
	# Every time, within its 20 s; how fast is the machine's to say.
	if [ "${_bad:-1}" -eq 0 ] && [ "$_good" -gt 0 ]; then
		ok "signd, $1: another user is served ($said;" \
		    "$(cat "$T/attack.out"))"
	else
		not_ok "signd, $1: another user is served" "$said;
$(cat "$T/attack.out")"
	fi
	flat "signd, $1: memory is flat" $signd_pid "$_before"
	bounded "signd, $1: what it says is bounded" "$T/signd.err" \
	    "$_lines" 100
}
attack_signd connections
attack_signd drip 3
attack_signd halfclosed
attack_signd pipelined
attack_signd headers
attack_signd batches 3
has_not "signd, batches: none of 10,000 is taken" "$(cat "$T/attack.out")" \
    results
is "signd: it is the same process" "$pid_signd" "$signd_pid"
is "signd: and signs" "$(rpc pskt.sign "$(vector ins2-outs1-mixed1 |
    sign_params)" | jq '.result.signatures | length')" 1
stop_all
t_done
