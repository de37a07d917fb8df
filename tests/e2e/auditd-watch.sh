#!/bin/bash
# Somebody touches the audit log while igra-auditd has it open: the alert on
# stderr, in the log, at /readyz and in the metrics, each within a second.
# Alone: what is done to the log has to be seen within a second.
. "${0%/*}/lib.sh"
t_init

case0=$(jq -c '.[0]' "$vectors/pskt.json")
key=$(jq -r .single_private_key <<<"$case0")
jq -c '{pskt: .pskt}' <<<"$case0" >"$T/params"
CONF_AUDIT='permission_check_interval = 3600
checkpoint_interval = 3600
reserve_bytes = 1048576'
mk_conf
mk_secrets "signer-01=$key"
dir=$T/log

sign()
{
	rpc pskt.sign "@$T/params" |
	    jq -r '.error.data.code // (if .result then "signed" else "?" end)'
}

metric()
{
	http /metrics | awk -v m="$1" '$1 == m { print $2 }'
}

alerts()
{
	cat "$dir"/key-audit*.log | jq -r "select(.event_type ==
	    \"SecurityAlert\" and .alert == \"$1\") | .seq" | wc -l
}

not_ready()
{
	! is_ready
}

verify()
{
	"$PYTHON" "$e2e/verify_chain.py" "$@" "$log"
}

# soon COMMAND…: succeeds of itself.  A second is the aim; how long it took
# is printed, as a busy machine makes everything late.
soon()
{
	_from=$(date +%s%N)
	wait_for 20 "$@" || return 1
	_ms=$((($(date +%s%N) - _from) / 1000000))
	[ $_ms -lt 1000 ] || echo "# $1 took $_ms ms (aim 1000)"
}

stderr_has()
{
	grep -q "SECURITY ALERT: $1" "$T/auditd.err"
}

# tampered WHAT ALERT PATH EXPECTED FOUND: what must follow at once.
tampered()
{
	check "$1: not ready" soon not_ready
	has "$1: /readyz says why" "$(http /readyz)" "$2"
	check "$1: an alert on stderr with both values" \
	    stderr_has "$3: $2; expected $4; found $5"
	is "$1: the metric counts it" "$(metric igra_audit_alerts_total)" \
	    "$((before + 1))"
	is "$1: and says so" "$(metric igra_audit_healthy)" 0
	check "$1: it is recorded" soon recorded \
	    "$2" "$3"
	has "$1: igractl status tells" "$(ctl status)" "$2"
}

# With the path and both values.
recorded()
{
	[ "$(tail -n 1 "$log" | jq -r '[.event_type, .alert, .path, .result,
	    (.expected != null and .actual != null)] | map(tostring) |
	    join(" ")')" = "SecurityAlert $1 $2 Failure true" ]
}

count()
{
	before=$(metric igra_audit_alerts_total)
}

start_all || exit 1
unlock || exit 1
is "signs" "$(sign)" signed
is "healthy" "$(metric igra_audit_healthy)" 1

# --- the mode ---
count
chmod 644 "$log"
tampered mode "loose log mode" "$log" 0600 0644
is "mode: it is recorded" "$(alerts "loose log mode")" 1
is "mode: still signs" "$(sign)" signed
chmod 600 "$log"
check "mode: ready again when it is right" soon is_ready
count
chmod 640 "$log"
check "mode: again" soon not_ready
ctl audit reopen >/dev/null
is "mode: reopen sets it back" "$(stat -c %a "$log")" 600
check "mode: and it is ready" soon is_ready

# Over and over: said so often, then counted, and that at the latest at the end.
count
n=$(alerts "loose log mode")
for i in $(seq 100); do
	chmod 640 "$log"
	sleep 0.11
	chmod 600 "$log"
	sleep 0.11
	[ $i -lt 23 ] || [ $(($(metric igra_audit_alerts_total) - before)) -lt 23 ] ||
	    break
done
check "mode: ready again after a loop of chmod" soon is_ready
n=$(($(alerts "loose log mode") - n))
if [ $n -le 20 ]; then ok "mode: a loop of chmod makes $n records"; else
	not_ok "mode: a loop of chmod fills the log" "$n records"; fi
more=$(($(metric igra_audit_alerts_total) - before))
if [ "$more" -gt 20 ]; then ok "mode: the metric counts all $more"; else
	not_ok "mode: the metric counts all" "$more"; fi
stop_all
is "mode: the rest is counted in one" "$(cat "$dir"/key-audit*.log | jq -r '
    select(.alert == "loose log mode" and .suppressed) | .suppressed')" \
    $((more - n))
is "mode: and said" "$(grep -c "loose log mode, $((more - n)) times more" \
    "$T/auditd.err")" 1
start_all && unlock || exit 1

# --- a second name ---
count
ln "$log" "$T/second"
tampered links "log has another name" "$log" "1 name" "2 names"
rm "$T/second"
check "links: ready again without it" soon is_ready

# --- the owner ---
if [ "$(id -u)" -eq 0 ]; then
	count
	chown $other_uid "$log"
	tampered owner "log owner changed" "$log" "uid $auditd_uid" "uid $other_uid"
	chown $auditd_uid "$log"
	check "owner: ready again" soon is_ready
else
	skip "owner" "needs root"
fi

# --- the directory ---
count
chmod 777 "$dir"
tampered directory "directory changed" "$dir" \
    "uid $auditd_uid, mode 0700" "uid $auditd_uid, mode 0777"
chmod 700 "$dir"
check "directory: ready again" soon is_ready
count
mv "$dir" "$T/elsewhere"
check "directory moved: not ready" soon not_ready
mv "$T/elsewhere" "$dir"
check "directory moved: an alert says so" stderr_has \
    "$dir: directory changed; expected .*; found .*renamed or deleted"
is "directory moved: it is recorded" "$(tail -n 1 "$log" |
    jq -r '.alert + " " + .path')" "directory changed $dir"
sleep 0.3
check "directory moved and put back: not ready until somebody looks" not_ready
check "directory moved: reopen" ctl audit reopen
check "directory moved: ready again" soon is_ready

# --- deleted ---
is "signs still" "$(sign)" signed
check "one series until here" verify -1
last=$(tail -n 1 "$log" | jq .seq)
count
rm "$log"
check "deleted: not ready" soon not_ready
has "deleted: /readyz says why" "$(http /readyz)" "log deleted"
check "deleted: an alert on stderr" stderr_has \
    "$log: log deleted; expected inode [0-9]*; found no file"
is "deleted: the metric counts it" "$(metric igra_audit_alerts_total)" \
    "$((before + 1))"
is "deleted: nothing is signed" "$(sign)" AUDIT_UNAVAILABLE
sleep 0.5
is "deleted: still nothing" "$(sign)" AUDIT_UNAVAILABLE
copied=$(ls "$dir"/key-audit.2*.log)
is "deleted: what it held is saved, with the alert and a Checkpoint" \
    "$(tail -n 2 "$copied" | jq -r '[.event_type, .alert] | join(" ")' |
    paste -sd,)" "SecurityAlert log deleted,Checkpoint "
is "deleted: every line of it" "$(head -n 1 "$copied" | jq .seq) $(
    [ "$(tail -n 1 "$copied" | jq .seq)" -gt "$last" ] && echo all)" "1 all"
if [ "$(id -u)" -eq 0 ]; then
	run as_uid $other_uid "$bin/igractl" -f "$conf" audit reopen
	is "deleted: not everybody can reopen" "$rc" 1
fi
check "deleted: igractl audit reopen" ctl audit reopen
is "deleted: the new file begins with the record of it" "$(head -n 1 "$log" |
    jq -r '[.event_type, .alert, .path, .operator] | map(tostring) |
    join(" ")')" "SecurityAlert log deleted $copied $(id -u)"
check "deleted: ready again" soon is_ready
is "deleted: signs again" "$(sign)" signed
check "deleted: the chain holds over it, one series" verify -1

# --- replaced ---
cp "$log" "$T/old"
is "signs more" "$(sign)" signed
[ "$(id -u)" -ne 0 ] || chown $auditd_uid "$T/old"
chmod 600 "$T/old"
count
mv "$T/old" "$log"
check "replaced: not ready" soon not_ready
has "replaced: /readyz says why" "$(http /readyz)" "log replaced"
check "replaced: an alert on stderr" stderr_has \
    "$log: log replaced; expected inode [0-9]*; found inode [0-9]*, uid $auditd_uid, "
is "replaced: the metric counts it" "$(metric igra_audit_alerts_total)" \
    "$((before + 1))"
is "replaced: nothing is signed" "$(sign)" AUDIT_UNAVAILABLE
check "replaced: igractl audit reopen" ctl audit reopen
foreign=$(ls "$dir" | grep foreign)
has "replaced: what was put there has another name" "$foreign" \
    key-audit.log.foreign
is "replaced: the new file begins with the record of it" "$(head -n 1 "$log" |
    jq -r '[.event_type, .alert, .operator] | map(tostring) | join(" ")')" \
    "SecurityAlert log replaced $(id -u)"
copied=$(head -n 1 "$log" | jq -r .path)
is "replaced: what the open file held is saved, with the alert" "$(tail -n 2 \
    "$copied" | jq -r '[.event_type, .alert] | join(" ")' | paste -sd,)" \
    "SecurityAlert log replaced,Checkpoint "
has "replaced: and the record names it" "$(head -n 1 "$log" | jq -r .actual)" \
    "$foreign"
is "replaced: signs again" "$(sign)" signed
check "replaced: the chain holds over it, one series" verify -1

# --- moved away and put back ---
mv "$log" "$T/away"
check "moved: not ready" soon not_ready
n=$(ls "$dir" | grep -c '^key-audit\.2')
mv "$T/away" "$log"
sleep 0.3
is "moved back: still nothing is signed" "$(sign)" AUDIT_UNAVAILABLE
check "moved back: reopen" ctl audit reopen
is "moved back: the copy is not needed" \
    "$(ls "$dir" | grep -c '^key-audit\.2')" "$((n - 1))"
is "moved back: signs" "$(sign)" signed
check "moved back: the chain holds" verify -1

# --- written to, shortened ---
count
printf 'x' >>"$log"
check "written to: not ready" soon not_ready
has "written to: /readyz says why" "$(http /readyz)" \
    "log written by somebody else"
check "written to: an alert on stderr" stderr_has \
    "$log: log written by somebody else; expected [0-9]* bytes; found [0-9]* bytes"
is "written to: nothing is signed" "$(sign)" AUDIT_UNAVAILABLE
check "written to: reopen" ctl audit reopen
is "written to: what was written is moved" \
    "$(cat "$dir"/key-audit.log.torn.*)" x
is "written to: signs" "$(sign)" signed
is "written to: it is recorded, by whom it was reopened as well" \
    "$(alerts "log written by somebody else")" 2
check "written to: the chain holds" verify -1
count
size=$(stat -c %s "$log")
truncate -s $((size - 10)) "$log"
check "shortened: not ready" soon not_ready
has "shortened: /readyz says why" "$(http /readyz)" \
    "log shortened: expected $size bytes, found $((size - 10)) bytes"
check "shortened: an alert on stderr" stderr_has \
    "$log: log shortened; expected $size bytes; found $((size - 10)) bytes"
is "shortened: nothing is signed" "$(sign)" AUDIT_UNAVAILABLE
check "shortened: reopen" ctl audit reopen
is "shortened: signs" "$(sign)" signed
is "shortened: it is recorded" "$(alerts "log shortened")" 2
run verify
is "shortened: and a verifier sees the hole" "$rc" 1

# --- without the watch: the check by time ---
stop_all
# A log that is gone would be a rollback to the policy journal.
rm -rf "$dir" "$T/keyd"
CONF_AUDIT='permission_check_interval = 1
reserve_bytes = 1048576'
mk_conf
start_all && unlock || exit 1
chmod 644 "$log"
said_again()
{
	[ "$(alerts "loose log mode")" -ge 2 ]
}
check "the check by time says it again" wait_for 20 said_again
chmod 600 "$log"
check "ready again" soon is_ready
stop_all
t_done
