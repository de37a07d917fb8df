#!/bin/bash
# The disk of the audit log fails: by each error, at each call.  What cannot
# be recorded is refused at once, nothing torn or unsynced stays, and it goes
# on by itself.
# Alone: a refusal has its time.
. "${0%/*}/../e2e/lib.sh"
t_init

if grep -q __asan_init "$bin/igra-auditd"; then
	skip "a disk that fails" "the sanitizers must be loaded first"
	t_done
fi
if [ ! -e "$tests/faulty.so" ]; then
	skip "a disk that fails" "no LD_PRELOAD here"
	t_done
fi

case0=$(jq -c '.[0]' "$vectors/pskt.json")
key=$(jq -r .single_private_key <<<"$case0")
jq -c '{pskt: .pskt}' <<<"$case0" >"$T/params"
CONF_AUDIT='checkpoint_interval = 3600
reserve_bytes = 65536'
mk_conf
mk_secrets "signer-01=$key"
cp "$tests/audit-client" "$T/client" && chmod 755 "$T/client"
cp "$tests/faulty.so" "$T/faulty.so" && chmod 755 "$T/faulty.so"

# fault OP AT TIMES ERROR…, or "none".  See faulty.c; ERROR is a name, "short",
# or "short+NAME" for one call that is cut short before those that fail.
cat >"$T/fault.py" <<'PY'
import errno, struct, sys
OPS = "write pwrite fdatasync fsync ftruncate openat renameat".split()
path, words = sys.argv[1], sys.argv[2:]
with open(path, "r+b") as f:
    f.write(bytes(20 * len(OPS)))
    while words and words[0] != "none":
        op, at, times, error = words[:4]
        words = words[4:]
        short, _, name = error.rpartition("+")
        halves = int(times) if name == "short" else 1 if short else 0
        f.seek(20 * OPS.index(op))
        f.write(struct.pack("=5I", int(at), int(times), halves,
                            getattr(errno, name, 0), 0))
PY
head -c 4096 /dev/zero >"$T/faults"

fault()
{
	"$PYTHON" "$T/fault.py" "$T/faults" "$@"
}

# Has the call at which it was to fail been made?
fired()
{
	"$PYTHON" -c 'import struct, sys
f = open(sys.argv[1], "rb").read(140)
print(sum(at and calls >= at for at, _, _, _, calls in struct.iter_unpack("=5I", f)))' \
	    "$T/faults"
}

start_faulty()
{
	LD_PRELOAD=$T/faulty.so IGRA_FAULTS=$T/faults "$bin/igra-auditd" \
	    -f "$conf" </dev/null >>"$T/auditd.err" 2>&1 &
	pid_auditd=$!
	wait_for_socket "$auditd_sock"
}

verify()
{
	"$PYTHON" "$e2e/verify_chain.py" "$@" "$log"
}

sign()
{
	rpc pskt.sign "@$T/params" |
	    jq -r '.error.data.code // (if .result then "signed" else "?" end)'
}

is_signing()
{
	[ "$(sign)" = signed ]
}

is_healthy()
{
	[ "$(ctl status -j | jq .auditd.healthy)" = true ]
}

signed()
{
	jq -r 'select(.event_type == "Signing" and .result == "Success") | .seq' \
	    "$log" | wc -l
}

# --- a disk that fails until it is well again ---

# broken NAME WORDS FAULT…: what /readyz says; what fails.
broken()
{
	name=$1 words=$2
	shift 2
	is "$name: signs before" "$(sign)" signed
	had=$(signed)
	fault "$@"
	answer=$("$PYTHON" "$e2e/timed.py" "$signd_sock" "$T/params")
	is "$name: nothing is signed" "${answer% *}" AUDIT_UNAVAILABLE
	echo "# $name: refused after ${answer##* } ms (aim 50)"
	has "$name: /readyz says why" "$(http /readyz)" "$words"
	check "$name: nothing torn" verify
	is "$name: no record says that it was signed" "$(signed)" "$had"
	fault none
	check "$name: goes on by itself" wait_for 20 is_signing
	check "$name: the chain holds" verify
	check "$name: and the alert is in it" grep -q \
	    "\"alert\":\"log not writable\".*\|$words" "$log"
	wait_for 20 is_healthy
}

start_faulty && start keyd && start signd && unlock || {
	not_ok "it starts"
	t_done
}
broken EIO "Input/output error" write 1 0 EIO
broken EROFS "Read-only file system" write 1 0 EROFS
broken ENOSPC "No space left" write 1 0 ENOSPC ftruncate 3 1 EIO
broken EDQUOT "quota exceeded" write 1 0 EDQUOT
# Half of a line gets out, then no more.
broken "short writes" "Input/output error" write 1 0 short+EIO
broken "a sync that fails" "sync: Input/output error" fdatasync 1 0 EIO

# Once only: it is written anew, and counts when that is synced.
n=$(signed)
fault fdatasync 1 1 EIO
is "a sync that fails once: signed all the same" "$(sign)" signed
is "after a second one" "$(fired)" 1
check "the chain holds" verify
is "and it is there once" "$(signed)" $((n + 1))
fault write 1 3 short
is "writes cut short: signed" "$(sign)" signed
check "the chain holds" verify
is "all of its records are there" "$(signed)" $((n + 2))
stop_all
check "it all verifies" verify -1

# --- the Nth call of each kind ---

rm -rf "$T/log"
fault none
start_faulty || t_done
kseq=1

# Records, a rotation, records; what is acknowledged goes to $T/heads.
job()
{
	keyd -k $kseq -n 3 "$auditd_sock" append
	kseq=$((kseq + 3))
	ctl audit rotate >"$T/rotate" 2>&1
	keyd -k $kseq -n 3 "$auditd_sock" append
	kseq=$((kseq + 3))
}

takes_records()
{
	_k=$kseq
	kseq=$((kseq + 1))
	keyd -k $_k "$auditd_sock" append >"$T/out" || return 1
	sed -n 's/^ack //p' "$T/out" >>"$T/heads"
}

: >"$T/heads"
n=0 stuck=0 unused=''
for op in write pwrite fdatasync fsync openat renameat; do
	for at in 1 2 3 4 5 6 7 8; do
		fault $op $at 1 EIO
		job >"$T/out"
		sed -n 's/^ack //p' "$T/out" >>"$T/heads"
		if [ "$(fired)" -eq 0 ]; then
			[ $at -gt 1 ] || unused="$unused $op"
			fault none
			break
		fi
		fault none
		n=$((n + 1))
		wait_for 20 takes_records || {
			stuck=$((stuck + 1))
			echo "$op $at: takes no records any more" >&2
		}
	done
done
is "each of $n failing calls is got over without a restart" "$stuck" 0
if [ $n -ge 15 ]; then ok "there were enough"; else
	not_ok "there were enough" "$n"; fi
is "each kind of call was made" "$unused" ""
check "a checkpoint that could not be made is an alert" grep -q \
    'SECURITY ALERT: .*checkpoint.state: no checkpoint; found .*write: ' \
    "$T/auditd.err"
is "and recorded" "$(cat "$T"/log/key-audit*.log | jq -r 'select(.alert ==
    "no checkpoint") | .actual' | sort -u | grep -c 'Input/output error')" 2
check "what was acknowledged is there, in one series" "$PYTHON" \
    "$e2e/verify_chain.py" -1 "$log" "$T/heads"
stop auditd
is "it stops cleanly" "$stopped" 0
start auditd
check "and it is one series after a start" verify -1
is "no line was torn" "$(grep -c 'torn line' "$T/auditd.err")" 0
stop auditd
t_done
