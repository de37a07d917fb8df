#!/bin/bash
# SIGKILL at random moments of any daemon, under load: every signature that a
# client has received has its record, the chain verifies, the journal is not
# taken for an old one, and it signs again within a second (after igra-keyd, of
# its unlock).  With igra-keyd its journal's writer is killed half of the time.  LONG=1: 1,000 cycles; a
# third of them under the sanitizers, where each takes twice as long.
. "${0%/*}/../e2e/lib.sh"
t_init

cycles=100
[ -z "${LONG-}" ] || cycles=1000
if grep -q __asan_init "$bin/igra-keyd"; then
	all=$cycles
	cycles=$((all / 3))
	skip "$((all - cycles)) of $all kills" "the other build has had them all"
fi

case0=$(jq -c '.[0]' "$vectors/pskt.json")
key=$(jq -r .single_private_key <<<"$case0")
jq -c '{pskt: .pskt, request_id: "probe"}' <<<"$case0" >"$T/params"
CONF_POLICY='max_per_hour = 1000000
max_hourly_volume_sompi = 9223372036854775807'
CONF_AUDIT='rotate_size = 262144
checkpoint_interval = 1
reserve_bytes = 1048576'
mk_conf
mk_secrets "signer-01=$key"

# Signs what is new without an end, over connections that break, and prints
# what it got.
cat >"$T/load.py" <<'PY'
import sys, time
sys.path.insert(0, sys.argv[1])
from rpcclient import Signer, dump, parse
params = parse(open(sys.argv[3]).read())
outpoint = params["pskt"]["inputs"][0]["previousOutpoint"]
first = int(sys.argv[5])
n = 0
while True:
    try:
        signer = Signer(sys.argv[2])
        while True:
            n += 1
            params["request_id"] = "%s-%d" % (sys.argv[4], n)
            outpoint["index"] = first + n
            answer = signer.call_raw("pskt.sign", dump(params))
            if "result" in answer:
                audit = answer["result"]["audit"]
                print(params["request_id"], audit["seq"], audit["head"],
                      flush=True)
            else:
                time.sleep(0.002)
    except Exception:
        time.sleep(0.005)
PY

# How long until it signs, in ms, measured without a shell in between.
cat >"$T/probe.py" <<'PY'
import sys, time
sys.path.insert(0, sys.argv[1])
from rpcclient import Signer, dump, parse
params = dump(parse(open(sys.argv[3]).read()))
start = float(sys.argv[4])
while time.time() < start + 30:
    try:
        if "result" in Signer(sys.argv[2]).call_raw("pskt.sign", params):
            print(int((time.time() - start) * 1000))
            sys.exit(0)
    except Exception:
        pass
    time.sleep(0.005)
print(30000)
PY

# Quicker than lib.sh's, which looks every 50 ms.
restart()
{
	"$bin/igra-$1" -f "$conf" </dev/null >>"$T/$1.err" 2>&1 &
	eval "pid_$1=\$!"
}

quick_unlock()
{
	local i

	for i in $(seq 1000); do
		ctl unlock --passphrase-file "$T/pass" >/dev/null 2>&1 && return
		sleep 0.02
	done
	return 1
}

start_all && unlock || { not_ok "daemons start"; t_done; }
for i in 1 2; do
	"$PYTHON" "$T/load.py" "$e2e" "$signd_sock" "$T/params" "load$i" \
	    $((i * 100000000)) \
	    >"$T/received.$i" 2>/dev/null &
	also_kill $!
done
export ASAN_OPTIONS=$daemon_asan

worst=0 slow=0 failed=0
for i in $(seq $cycles); do
	victims=(auditd keyd signd auditd)
	victim=${victims[RANDOM % 4]}
	sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
	[ $victim != keyd ] || [ $((RANDOM % 2)) -eq 0 ] ||
	    kill -9 "$(pgrep -P "$pid_keyd")"
	stop $victim KILL
	from=$(date +%s.%N)
	restart $victim
	if [ $victim = keyd ]; then
		quick_unlock || failed=$((failed + 1))
		from=$(date +%s.%N)
	fi
	ms=$("$PYTHON" "$T/probe.py" "$e2e" "$signd_sock" "$T/params" "$from")
	[ "$ms" -le $worst ] || worst=$ms
	if [ "$ms" -ge 30000 ]; then
		slow=$((slow + 1))
		echo "cycle $i: $victim took $ms ms" >&2
	fi
done
is "$cycles kills: keyd could always be unlocked" $failed 0
is "$cycles kills: it signs again by itself (worst: $worst ms)" $slow 0
for p in $pids; do
	kill $p
	wait $p 2>/dev/null
done
pids=''
stop_all

cat "$T"/received.* | awk 'NF == 3 && length($3) == 64' >"$T/received"
awk '{ print "-", $2, $3 }' "$T/received" >"$T/heads"
cat "$T"/log/key-audit*.log | jq -r 'select(.event_type == "Signing" and
    .result == "Success") | .request_id' | sort >"$T/recorded"
n=$(wc -l <"$T/received")
is "each of $n signatures received has its record" \
    "$(awk '{ print $1 }' "$T/received" | sort | comm -23 - "$T/recorded" |
    wc -l)" 0
if [ "$n" -ge $((cycles * 5)) ]; then ok "there was load"; else
	not_ok "there was load" "$n signatures"; fi
is "the chain verifies, one series, with the heads that clients were told" \
    "$("$PYTHON" "$e2e/verify_chain.py" -1 "$log" "$T/heads" >"$T/out" 2>&1 &&
    echo yes || cat "$T/out")" yes
grep -h 'SECURITY ALERT' "$T/auditd.err" | grep -v 'torn line' >"$T/alerts"
is "no alert but of torn lines" "$(cat "$T/alerts")" ""
is "no rollback was seen" "$(grep 'rolled back' "$T/keyd.err")" ""
t_done
