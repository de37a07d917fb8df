#!/bin/bash
# The disk of the audit log fills up: what is refused is refused at once and
# recorded, nothing is torn, and it goes on by itself when there is room.
# Alone: a refusal has its time.
. "${0%/*}/lib.sh"
t_init

if [ "$(id -u)" -ne 0 ]; then
	skip "a full disk" "needs root for a small file system"
	t_done
fi

case0=$(jq -c '.[0]' "$vectors/pskt.json")
key=$(jq -r .single_private_key <<<"$case0")
jq -c '{pskt: .pskt}' <<<"$case0" >"$T/params"
reserve=262144
CONF_AUDIT="checkpoint_interval = 3600
reserve_bytes = $reserve"
mk_conf
mk_secrets "signer-01=$key"
dir=$T/log
cp "$tests/audit-client" "$T/client" && chmod 755 "$T/client"

unmount()
{
	_rc=$?
	for _d in signd keyd auditd; do
		stop $_d KILL 2>/dev/null
	done
	umount "$dir" 2>/dev/null
	(exit $_rc)
	t_cleanup
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

# All that root can have, too.
fill()
{
	dd if=/dev/zero of="$dir/fill.$1" bs=4k 2>/dev/null
	dd if=/dev/zero of="$dir/fill.$1" bs=1 oflag=append conv=notrunc \
	    2>/dev/null
}

kept()
{
	[ "$(stat -c '%s %b' "$dir/audit.reserve" | awk '{ print $1 " " $2 * 512 }')" = "$reserve $reserve" ]
}

verify()
{
	"$PYTHON" "$e2e/verify_chain.py" "$@" "$log"
}

# events JQ: of the records since here.
here()
{
	mark=$(tail -n 1 "$log" | jq .seq)
}
events()
{
	jq -r "select(.seq > $mark) | $1" "$log"
}

locks()
{
	events 'select(.event_type == "Lock") | .seq' | wc -l
}
locked()
{
	[ "$(events 'select(.event_type == "Lock") | .result')" = Success ]
}
late_lock()
{
	[ "$(events 'select(.event_type == "Lock" and .delayed_ms > 1000) |
	    .result')" = Success ]
}

try()
{
	name=$1
	chown $auditd_uid "$dir"
	chmod 700 "$dir"
	start_all && unlock || { not_ok "$name: starts"; return; }
	is "$name: signs" "$(sign)" signed
	check "$name: the reserve is put by" wait_for 20 kept
	here
	fill 1
	# What is in the last block already is still room.
	for i in $(seq 50); do
		[ "$(sign)" = signed ] || break
	done
	answer=$("$PYTHON" "$e2e/timed.py" "$signd_sock" "$T/params")
	is "$name: full: nothing is signed" "${answer% *}" AUDIT_UNAVAILABLE
	echo "# $name: full: refused after ${answer#* } ms (aim 50)"
	is "$name: full: not ready" "$(is_ready || echo no)" no
	has "$name: full: /readyz says why" "$(http /readyz)" "no space"
	check "$name: full: an alert" grep -q \
	    'SECURITY ALERT:.*cannot be written.*No space' "$T/auditd.err"
	check "$name: full: nothing torn is left" verify
	is "$name: full: the alert is recorded" \
	    "$(events 'select(.alert == "log not writable") | .error' |
	    head -n 1)" "write: No space left on device"
	has "$name: full: the refusals are recorded" "$(events \
	    'select(.event_type == "RequestRejected") | .code')" \
	    AUDIT_UNAVAILABLE
	check "$name: full: lock works" ctl lock
	# It waits for nothing, not even for its record.
	check "$name: full: and is recorded" wait_for 20 locked
	run ctl unlock --passphrase-file "$T/pass"
	is "$name: full: an unlock is not" "$(events 'select(.event_type ==
	    "Unlock" and .result == "Success") | .seq' | wc -l)" 0
	check "$name: full: all of it verifies" verify

	# What the reserve has left is not for signatures after a restart either.
	stop auditd
	start auditd
	run as_uid $keyd_uid "$T/client" -U $auditd_uid -k 1000000 \
	    "$auditd_sock" append
	has "$name: full, restarted: no use of a secret is recorded" "$out" \
	    "error AUDIT_UNAVAILABLE"
	has "$name: full, restarted: it says why" "$(ctl status -j |
	    jq -r .auditd.reason)" "no space left"
	is "$name: full, restarted: the start is recorded" "$(events \
	    'select(.event_type == "ServiceStarted" and .source == "auditd") |
	    .result')" Success
	check "$name: full, restarted: all of it verifies" verify

	# Somebody takes what the reserve has left.
	fill 2
	for i in $(seq 60); do
		rpc pskt.sign '{"pskt": 1}' >/dev/null
	done
	check "$name: no reserve left: still nothing torn" verify
	here
	check "$name: no reserve left: lock works" ctl lock
	is "$name: no reserve left: it cannot be recorded" "$(locks)" 0
	sleep 1
	rm -f "$dir/fill.1" "$dir/fill.2"
	check "$name: room again: the reserve is put by again" wait_for 20 kept
	is "$name: room again: it answers" "$(ctl status -j |
	    jq -r '.auditd.writable')" true
	check "$name: room again: the lock of before is recorded" \
	    wait_for 30 late_lock
	# Its lock marker lifts only at a terminal; here it is thrown away.
	stop keyd
	rm -f "$T/keyd/state"
	start keyd
	unlock
	check "$name: room again: signs by itself" wait_for 20 is_signing
	check "$name: room again: the chain holds" verify

	# What first meets the full disk may be a lock.
	here
	fill 1
	ctl lock >/dev/null
	check "$name: full again: a lock is recorded" wait_for 20 locked
	rm -f "$dir/fill.1"
	stop_all
	check "$name: the end" verify
}

trap unmount EXIT
mkdir "$dir"
if mount -t tmpfs -o size=2m,mode=700 igra-test "$dir" 2>/dev/null; then
	try tmpfs
	umount "$dir"
else
	skip "tmpfs" "mount is not permitted"
fi
dd if=/dev/zero of="$T/disk" bs=1M count=8 2>/dev/null
if mkfs.ext4 -q -O ^has_journal -m 0 "$T/disk" 2>/dev/null &&
    mount -o loop "$T/disk" "$dir" 2>/dev/null; then
	rmdir "$dir/lost+found"
	rm -rf "$T/keyd"
	try ext4
	umount "$dir"
else
	skip "ext4" "no loop device here"
fi
t_done
