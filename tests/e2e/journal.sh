#!/bin/bash
# The policy journal through the three daemons: kills under load, log or
# journal put back to an earlier state, a reboot, files that are not right.
. "${0%/*}/lib.sh"
t_init

case0=$(jq -c '.[0]' "$vectors/pskt.json")
key=$(jq -r .single_private_key <<<"$case0")
CONF_POLICY='max_per_hour = 1000000
max_hourly_volume_sompi = 9223372036854775807'
mk_conf
mk_secrets "signer-01=$key"
journal=$T/keyd/policy.journal
txid=$(jq -r '.pskt.inputs[0].previousOutpoint.transactionId' <<<"$case0")
jq -c '.pskt' <<<"$case0" >"$T/pskt.json"

# Signs PSKTs that spend index FROM, FROM + 1, ... until it fails; prints the
# indexes that were answered.
cat >"$T/load.py" <<'PY'
import json, sys
sys.path.insert(0, sys.argv[1])
from rpcclient import Signer, dump, parse
pskt = parse(open(sys.argv[3]).read())
n = int(sys.argv[4])
signer = Signer(sys.argv[2], timeout=5)
try:
    for n in range(n, n + int(sys.argv[5])):
        pskt["inputs"][0]["previousOutpoint"]["index"] = n
        answer = signer.call_raw("pskt.sign", '{"pskt": %s}' % dump(pskt))
        if "result" not in answer:
            break
        print(n, flush=True)
except Exception:
    pass
PY
load()
{
	"$PYTHON" "$T/load.py" "$e2e" "$signd_sock" "$T/pskt.json" "$@"
}
# sign [INDEX]: "signed" or the code.
sign()
{
	jq -c --argjson n "${1:-0}" '{pskt: (.inputs[0].previousOutpoint.index =
	    $n)}' "$T/pskt.json" >"$T/params"
	rpc pskt.sign "@$T/params" | tee "$T/answer" |
	    jq -r '.error.data.code // (if .result then "signed" else "?" end)'
}
claimed()
{
	ctl policy show -j "$txid:$1" | jq -e '.claim != null' >/dev/null
}
status()
{
	ctl status -j | jq -r ".keyd.$1"
}
writer_pid()
{
	pgrep -P "$pid_keyd"
}
# Without waiting until it signs: it is not to.
unlock_alone()
{
	wait_for 30 has_log
	ctl unlock --passphrase-file "$T/pass" >/dev/null
}
# said WHAT TEXT
said()
{
	check "$1" grep -qF "$2" "$T/keyd.err"
}
# accept WORD: types yes at igractl's prompt
accept()
{
	echo yes >"$T/yes"
	"$PYTHON" "$e2e/terminal.py" --type-on 'accept this: ' "$T/yes" \
	    "$bin/igractl" -f "$conf" policy "$1"
}

# --- the file and its writer ---
start_all && unlock || { not_ok "the daemons start"; t_done; }
is "signs" "$(sign 0)" signed
is "mode and owner" "$(stat -c '%a %u' "$journal")" "600 $keyd_uid"
is "preallocated" "$(($(stat -c %b "$journal") * 512 >= 1048576))" 1
is "status counts" "$(status journal_entries) $(status journal_outpoints)" \
    "1 1"
is "the same again counts once" \
    "$(sign 0) $(status journal_entries)" "signed 1"
check "claimed" claimed 0
w=$(writer_pid)
if [ "$(id -u)" -eq 0 ]; then
	is "the writer has no more than it needs" \
	    "$(ls "/proc/$w/fd" | tr '\n' ' ')" "0 1 2 3 4 "
	is "its file" "$(readlink "/proc/$w/fd/4")" "$journal"
else
	skip "the writer's descriptors" "only root may look"
fi
is "a filter of system calls" "$(awk '/^Seccomp:/ { print $2 }' \
    "/proc/$w/status")" "$(awk '/^Seccomp:/ { print $2 }' \
    "/proc/$pid_keyd/status")"
kill -TERM "$w"
is "a signal does not end it" "$(sign 1)" signed

# --- kills under load ---
from=10 lost=0 all=0
for i in 1 2 3 4 5 6; do
	load $from 100000 >"$T/done" &
	l=$!
	sleep 0.$((RANDOM % 4 + 2))
	if [ $((i % 3)) -eq 0 ]; then
		kill -9 "$(writer_pid)" "$pid_keyd"
	else
		kill -9 "$pid_keyd"
	fi
	wait "$pid_keyd" 2>/dev/null
	wait $l
	pid_keyd=''
	start keyd && unlock || { not_ok "starts after a kill"; break; }
	n=$(wc -l <"$T/done")
	all=$((all + n))
	for k in $(shuf -n 25 "$T/done") $(tail -n 3 "$T/done"); do
		claimed "$k" || lost=$((lost + 1))
	done
	[ "$(status journal_outpoints)" -ge $((all + 2)) ] ||
	    lost=$((lost + 1))
	is "kill $i: signs, after $n answers" "$(sign $from)" signed
	from=$((from + n + 10))
done
is "of $all answers none is lost" $lost 0
# Both at once, before the writer has written: there is no record either.
kill -STOP "$(writer_pid)"
load $from 1 >"$T/done" &
l=$!
sleep 0.5
kill -9 "$(writer_pid)" "$pid_keyd"
wait "$pid_keyd" 2>/dev/null
wait $l
pid_keyd=''
is "nothing is signed that is not written" "$(cat "$T/done")" ''
start keyd && unlock
is "both killed at once: signs" "$(sign $from)" signed
is "no rollback was seen" "$(grep -c 'rolled back' "$T/keyd.err")" 0

# --- the writer alone is killed: keyd ends, for a new start ---
before=$(date +%s%N)
kill -9 "$(writer_pid)"
check "the writer is killed: keyd ends" wait_for 5 is_gone "$pid_keyd"
rc=0
wait "$pid_keyd" || rc=$?
is "with status 1" $rc 1
pid_keyd=''
said "and says why" "its writer has ended"
start keyd && unlock
took=$((($(date +%s%N) - before) / 1000000))
is "signs again ($took ms)" "$(sign 2)" signed
is "ServiceStopped is in the log" "$(tail -n 40 "$log" | jq -r 'select(
    .event_type == "ServiceStopped" and .program == "igra-keyd") | .result' |
    tail -n 1)" Success

# --- the log is put back, alone ---
# Stopped, so that nothing is half there.
stop_all
cp -a "$T/log" "$T/log.old"
start_all && unlock
is "signs on" "$(sign 3)" signed
sleep 1.2
stop_all
mv "$T/log" "$T/log.new"
mv "$T/log.old" "$T/log"
start auditd && start keyd && start signd
unlock_alone
is "the log was rolled back: nothing is signed" "$(sign 4)" \
    AUDIT_UNAVAILABLE
has "the refusal says so" "$(cat "$T/answer")" "the audit log was rolled back"
has "and what to do" "$(cat "$T/answer")" "igractl policy accept-rollback"
has "/readyz too" "$(http /readyz)" "the audit log was rolled back"
has "and the status" "$(ctl status)" "the audit log was rolled back"
is "an alert is in the log" "$(jq -r 'select(.alert == "rollback") |
    .event_type' "$log" | head -n 1)" SecurityAlert
is "what was signed before neither" "$(sign 0)" AUDIT_UNAVAILABLE
stop keyd
start keyd && unlock_alone
is "a restart forgets nothing" "$(sign 4)" AUDIT_UNAVAILABLE
run ctl policy accept-rollback
is "without a terminal nothing is accepted" "$rc $(sign 4)" \
    "1 AUDIT_UNAVAILABLE"
check "accepted at a terminal" accept accept-rollback
is "signs again" "$(sign 4)" signed
is "recorded" "$(jq -r 'select(.event_type == "PolicyReleased") |
    .operation + " " + .result' "$log" | tail -n 1)" \
    "accept-rollback Success"
stop_all
start_all && unlock
is "accepted for good" "$(sign 5)" signed

# --- the same, and the log has grown on before keyd looks ---
stop_all
cp -a "$T/log" "$T/log.old"
start_all && unlock
is "signs on" "$(sign 50)" signed
sleep 1.2
stop_all
was=$(wc -l <"$log")
mv "$T/log" "$T/log.newer"
mv "$T/log.old" "$T/log"
while [ "$(wc -l <"$log")" -le "$was" ]; do
	start auditd && stop auditd || break
done
start auditd && start keyd && start signd
unlock_alone
is "a rolled back log that grew since: nothing is signed" "$(sign 51)" \
    AUDIT_UNAVAILABLE
has "the refusal says so" "$(cat "$T/answer")" \
    "igra-keyd's records in it end at kseq"
check "accepted" accept accept-rollback
is "signs again" "$(sign 51)" signed
is "and no kseq was given twice" "$(cat "$T/log.newer/key-audit.log" "$log" |
    jq -r 'select(.kseq != null and .event_type == "Signing") |
    "\(.kseq) \(.tx_id)"' | sort -u | cut -d' ' -f1 | uniq -d | wc -l)" 0

# --- the journal is put back, alone ---
stop_all
cp -a "$journal" "$T/journal.old"
start_all && unlock
is "signs on" "$(sign 6)" signed
stop_all
cp -a "$T/journal.old" "$journal"
start auditd && start keyd && start signd
unlock_alone
is "the journal was rolled back: nothing is signed" "$(sign 7)" \
    AUDIT_UNAVAILABLE
has "the refusal says so" "$(cat "$T/answer")" \
    "the policy journal was rolled back"
check "accepted" accept accept-rollback
is "signs again" "$(sign 7)" signed

# --- damage ---
stop keyd
cp -a "$journal" "$T/journal.whole"
printf '\377' | dd of="$journal" bs=1 seek=12400 conv=notrunc 2>/dev/null
start keyd && unlock_alone
is "damaged: nothing is signed" "$(sign 8)" AUDIT_UNAVAILABLE
has "and what to do" "$(cat "$T/answer")" "put a copy back"
stop keyd
cp -a "$T/journal.whole" "$journal"
# A torn end is none: what no slot and no later entry knows of.
start keyd && unlock
is "whole again" "$(sign 8)" signed
kill -9 "$pid_keyd"
wait "$pid_keyd" 2>/dev/null
pid_keyd=''
end=$("$PYTHON" - "$journal" <<'PY'
import sys
print(len(open(sys.argv[1], "rb").read().rstrip(b"\0")))
PY
)
printf 'JENT torn' | dd of="$journal" bs=1 seek="$end" conv=notrunc 2>/dev/null
start keyd && unlock
is "a torn end is cut off" "$(sign 9)" signed
said "and said" "not finished before a crash are cut off"

# --- files that are not right ---
stop keyd
mv "$journal" "$T/journal.aside"
ln -s "$T/journal.aside" "$journal"
start keyd 2>/dev/null && not_ok "a symbolic link is refused" ||
    said "a symbolic link is refused" "policy.journal: a symbolic link"
pid_keyd=''
rm "$journal"
mv "$T/journal.aside" "$journal"
ln "$journal" "$T/second"
start keyd 2>/dev/null && not_ok "a second name is refused" ||
    said "a second name is refused" "has another name as well"
pid_keyd=''
rm "$T/second"
if [ "$(id -u)" -eq 0 ]; then
	chown $other_uid "$journal"
	start keyd 2>/dev/null && not_ok "another owner is refused" ||
	    said "another owner is refused" "belongs to uid $other_uid"
	pid_keyd=''
	chown $keyd_uid "$journal"
else
	skip "another owner" "needs root"
fi
start keyd && unlock
is "all right again" "$(sign 9)" signed

# --- a reboot: another boot id ---
echo "another-boot" >"$T/boot_id"
if unshare -m mount --bind "$T/boot_id" /proc/sys/kernel/random/boot_id \
    2>/dev/null; then
	stop keyd
	mkdir "$T/bin"
	real=$bin
	for p in "$real"/*; do ln -s "$p" "$T/bin/"; done
	rm "$T/bin/igra-keyd"
	cat >"$T/bin/igra-keyd" <<END
#!/bin/sh
exec unshare -m -- sh -c 'mount --bind "\$0" /proc/sys/kernel/random/boot_id &&
    exec "\$@"' "$T/boot_id" "$real/igra-keyd" "\$@"
END
	chmod +x "$T/bin/igra-keyd"
	bin=$T/bin
	start keyd && unlock
	is "reboot: signing goes on" "$(sign 20)" signed
	is "reboot: the clock is open" "$(status clock_pending)" true
	has "reboot: the status says so" "$(ctl status)" \
	    "no limit frees since the reboot"
	is "reboot: nothing frees" "$(ctl policy show -j | jq -r '[.limits[] |
	    select(.key == "max_per_hour") | .frees_seconds] | first')" null
	echo "$PASS" >"$T/typed"
	out=$("$PYTHON" "$e2e/terminal.py" --type-on 'Passphrase: ' \
	    "$T/typed" --type-on 'accept the clock: ' "$T/boot_id" \
	    "$bin/igractl" -f "$conf" unlock)
	has "reboot: an unlock at a terminal asks" "$out" "would count"
	has "reboot: no is no" "$out" "nothing has been accepted"
	is "reboot: and unlocks all the same" "$(status locked)
$(status clock_pending)" "false
true"
	echo yes >"$T/yes"
	out=$("$PYTHON" "$e2e/terminal.py" --type-on 'Passphrase: ' \
	    "$T/typed" --type-on 'accept the clock: ' "$T/yes" \
	    "$bin/igractl" -f "$conf" unlock)
	has "reboot: yes" "$out" unlocked
	is "reboot: accepted" "$(status clock_pending)" false
	is "reboot: recorded" "$(jq -r 'select(.event_type ==
	    "PolicyReleased") | .operation' "$log" | tail -n 1)" accept-clock
	stop keyd KILL
	start keyd && unlock
	is "reboot: for good" "$(status clock_pending)" false
	# The same by a command of its own.
	echo "a third boot" >"$T/boot_id"
	stop keyd
	start keyd && unlock
	is "a third boot" "$(status clock_pending)" true
	check "accept-clock" accept accept-clock
	is "accepted" "$(status clock_pending)" false
	bin=$real
else
	skip "a reboot" "no mount namespace"
fi
t_done
