#!/bin/bash
# Rotation of the audit log: by size, by an operator, over crashes, with the
# append-only attribute; and what checkpoints make of it.
. "${0%/*}/lib.sh"
t_init

CONF_AUDIT='checkpoint_interval = 2
rotate_size = 65536
reserve_bytes = 1048576'
mk_conf
dir=$T/log
# Programs must be there for the daemons' users.
cp "$tests/audit-client" "$T/client" && chmod 755 "$T/client"

# It listens before it has written what it found.
up()
{
	start auditd && keyd "$auditd_sock" hello >/dev/null
}

verify()
{
	"$PYTHON" "$e2e/verify_chain.py" "$@" "$log"
}

closed()
{
	ls "$dir" | grep -E '^key-audit\.[0-9]{8}T[0-9]{6}Z\.[0-9]{12}\.log$'
}

status()
{
	ctl status -j | jq -r ".auditd.$1"
}

up || exit 1
pid1=$pid_auditd

# --- by an operator ---
keyd -n 5 "$auditd_sock" append >"$T/acks"
check "igractl audit rotate" ctl audit rotate
is "one closed file" "$(closed | wc -l)" 1
first=$(closed)
is "it is 0400 and auditd's" "$(stat -c '%a %u' "$dir/$first")" "400 $auditd_uid"
is "its name has its first seq" "${first: -16}" "000000000001.log"
is "its last line is a Checkpoint" "$(tail -n 1 "$dir/$first" |
    jq -r .event_type)" Checkpoint
is "the new file begins with LogRotated" "$(head -n 1 "$log" |
    jq -r '[.event_type, .reason, .operator, .last_kseq] | join(" ")')" \
    "LogRotated operator $(id -u) 5"
is "which names the closed file" "$(head -n 1 "$log" | jq -r .path)" \
    "$dir/$first"
is "the new file is 0600" "$(stat -c %a "$log")" 600
check "the chain holds over both" verify
# A busy machine may have got to the next one meanwhile.
covered=$(status covered_seq)
has "the status says up to where checkpoints cover" "$(cat "$dir/$first" \
    "$log" | jq -r 'select(.event_type == "Checkpoint") | .covered_seq' |
    sed 's/.*/<&>/')" "<$covered>"
is "and the origin" "$(status origin)" "$(tail -n 1 "$dir/$first" |
    jq -r .origin)"
check "the checkpoint's line is on standard error" grep -qF \
    "$(tail -n 1 "$dir/$first")" "$T/auditd.err"
if [ "$(id -u)" -eq 0 ]; then
	run as_uid $other_uid "$bin/igractl" -f "$conf" audit rotate
	is "nobody else may" "$rc $(closed | wc -l)" "1 1"
fi
run ctl audit nonsense
is "audit without a verb is wrong usage" "$rc" 2

# --- by size, under load ---
from=$(date +%s%N)
keyd -k 1000 -n 3000 -w 64 "$auditd_sock" append >"$T/load"
ms=$((($(date +%s%N) - from) / 1000000))
is "every record under load is acknowledged" "$(grep -c ^ack "$T/load")" 3000
sed -n 's/^ack //p' "$T/acks" "$T/load" >"$T/heads"
n=$(closed | wc -l)
if [ "$n" -ge 10 ]; then ok "rotated by size ($n files in $ms ms)"; else
	not_ok "rotated by size" "$n files"; fi
is "each record acknowledged is in the files" \
    "$("$PYTHON" "$e2e/verify_chain.py" -1 "$log" "$T/heads" >"$T/out" 2>&1 &&
    echo yes || cat "$T/out")" yes
is "no file is much larger than rotate_size" \
    "$(find "$dir" -name 'key-audit*.log' -size +90k | wc -l)" 0
is "names sort as the files follow each other" \
    "$(for f in $(closed) key-audit.log; do head -n 1 "$dir/$f" | jq .seq; done |
    sort -nc 2>&1)" ""
# One that takes a rotation waits for it, no longer: a second is the aim.
slow=0
for i in $(seq 40); do
	from=$(date +%s%N)
	keyd -k $((10000 + i * 100)) -r 40 "$auditd_sock" append >/dev/null
	ms=$((($(date +%s%N) - from) / 1000000))
	[ $ms -le $slow ] || slow=$ms
done
if [ $slow -lt 10000 ]; then ok "no record waits (worst $slow ms, aim 1000)"; else
	not_ok "no record waits" "$slow ms"; fi

# --- checkpoints by time, and only with traffic ---
# By its own word: the file may be one that is being rotated away.
sealed()
{
	[ "$(status 'covered_seq + 1 == .auditd.seq')" = true ]
}
check "a checkpoint after the interval" wait_for 20 sealed
seq1=$(status seq)
sleep 2.5
is "none without traffic" "$(status seq)" "$seq1"

# --- the state goes on over a restart ---
stop auditd
is "it stops cleanly" "$stopped" 0
is "a clean stop ends in a Checkpoint" "$(tail -n 1 "$log" |
    jq -r .event_type)" Checkpoint
is "the state file is 0600" "$(stat -c '%a %u' "$dir/checkpoint.state")" \
    "600 $auditd_uid"
up || exit 1
is "kseq is known from before the rotations" "$(keyd "$auditd_sock" hello |
    cut -d' ' -f2)" 14039
stop auditd
check "one series of checkpoints" verify -1

# --- crashes in the middle of a rotation ---
# Between the two renames: the log is gone, its next file has another name.
up || exit 1
ctl audit rotate >/dev/null
stop auditd KILL
mv "$log" "$log.new"
head -n 1 "$log.new" >"$T/one" && cat "$T/one" >"$log.new"
up || exit 1
is "a crash between the renames is put right" "$(head -n 1 "$log" |
    jq -r .event_type)" LogRotated
is "without an alert" "$(jq -r 'select(.event_type == "SecurityAlert") | .alert' \
    "$log")" ""
check "and the chain holds" verify -1
# Before the first: the next file was never part of the log.
stop auditd KILL
cp "$T/one" "$log.new"
up || exit 1
check "a crash before the renames leaves nothing" test ! -e "$log.new"
check "and the chain holds" verify -1
for i in 1 2 3 4 5 6; do
	keyd -k $((100000 * i)) -n 1000000 -w 64 "$auditd_sock" append \
	    >"$T/load" 2>/dev/null &
	load=$!
	sleep 0.$((RANDOM % 4 + 2))
	stop auditd KILL
	wait $load
	sed -n 's/^ack \([0-9]* [0-9]* [0-9a-f]\{64\}\)$/\1/p' "$T/load" \
	    >>"$T/heads"
	up || exit 1
done
is "killed while it rotates: $(wc -l <"$T/heads") acknowledged are there" \
    "$("$PYTHON" "$e2e/verify_chain.py" -1 "$log" "$T/heads" >"$T/out" 2>&1 &&
    echo yes || cat "$T/out")" yes

# --- deleted when the alert of that makes it as large as rotate_size ---
k=900000
until [ "$(stat -c %s "$log")" -gt 65280 ]; do
	k=$((k + 1))
	keyd -k $k "$auditd_sock" append >/dev/null
done
# The last may have been refused.
k=$(keyd "$auditd_sock" hello | cut -d' ' -f2)
n=$(closed | wc -l)
rm "$log"
stopped()
{
	[ "$(status writable)" = false ]
}
check "deleted when it is to be rotated: igra-auditd stops writing" \
    wait_for 20 stopped
is "and is there" "$(status pid)" "$pid_auditd"
is "what it held is saved" "$(closed | wc -l)" $((n + 1))
check "and it is reopened" ctl audit reopen
is "the new file says what those before it know" "$(head -n 1 "$log" |
    jq -r '[.event_type, .alert, .last_kseq] | join(" ")')" \
    "SecurityAlert log deleted $k"
stop auditd
up || exit 1
is "so that igra-keyd is told of it after a restart" \
    "$(keyd "$auditd_sock" hello | cut -d' ' -f2)" $k
check "and the chain holds" verify -1

# --- moved away, put back, and restarted instead of reopened ---
n=$(closed | wc -l)
mv "$log" "$T/away"
check "moved away: igra-auditd stops writing" wait_for 20 stopped
mv "$T/away" "$log"
stop auditd
up || exit 1
is "put back before a start: it is there once" "$(closed | wc -l)" "$n"
is "which is recorded" "$(jq -r 'select(.alert) | .alert + ", " + (.actual // "")' \
    "$log" | tail -n 1)" "log deleted, the file is back"
check "and the chain holds" verify -1

# --- reopened before igra-auditd has seen what for ---
kill -STOP "$pid_auditd"
printf x >>"$log"
ctl audit reopen >"$T/out" 2>&1 &
reopen=$!
sleep 0.3
kill -CONT "$pid_auditd"
wait $reopen
is "written to and reopened at once" "$? $(cat "$T/out")" "0 reopened"
# A checkpoint may have met it first, and is in the log as well, in its place.
is "which is recorded" "$(jq -r 'select(.alert ==
    "log written by somebody else") | .operator' "$log" | paste -sd,)" \
    "$(id -u),null"
check "and the chain holds" verify -1

# --- something else in its place ---
rm "$log" && mkdir "$log"
check "a directory: igra-auditd stops writing" wait_for 20 stopped
run ctl audit reopen
if [ "$rc" -eq 0 ]; then
	skip "it says what to do" "no sandbox, which would keep it there"
else
	has "it says what to do" "$rc $err" "move it away and reopen again"
	rmdir "$log"
	check "and then it is reopened" ctl audit reopen
fi
check "and the chain holds" verify -1

# --- the log is deleted while auditd is away ---
stop auditd
cp -a "$dir" "$T/kept"
rm "$log"
up || exit 1
is "the new log begins with the alert" "$(head -n 2 "$log" |
    jq -r .alert | sort | paste -sd,)" "checkpoint key lost,log missing"
check "numbers go on, a new series begins" verify
stop auditd
rm -rf "$dir" && mv "$T/kept" "$dir"

# --- the state is lost ---
rm "$dir/checkpoint.state"
up || exit 1
has "a lost state is an alert" "$(cat "$T/auditd.err")" \
    "SECURITY ALERT: $dir/checkpoint.state: checkpoint key lost"
stop auditd
run verify
has "and another series" "$out" "(2 series)"
run verify -1
is "which a verifier sees" "$rc" 1

# --- an older state put back ---
up || exit 1
cp -p "$dir/checkpoint.state" "$T/older"
keyd -k 2000000 "$auditd_sock" append >/dev/null
ctl audit rotate >/dev/null
stop auditd KILL
cp "$T/older" "$dir/checkpoint.state"
up || exit 1
is "an older state does not sign" "$(jq -r 'select(.alert) | .alert' "$log" |
    head -n 1)" "checkpoint key lost"
stop auditd

# --- loose modes, a directory for everyone, links ---
chmod 644 "$dir/checkpoint.state"
up || exit 1
is "a loose state is set back" "$(stat -c %a "$dir/checkpoint.state")" 600
is "and recorded" "$(jq -r 'select(.alert) | .alert' "$log" | tail -n 1)" \
    "loose mode of the checkpoint state"
stop auditd
refused()
{
	"$bin/igra-auditd" -f "$conf" >"$T/refused" 2>&1 </dev/null
	[ $? -eq 1 ] && grep -q "$1" "$T/refused" || { cat "$T/refused"; return 1; }
}
chmod 777 "$dir"
check "a directory that others can write is refused" refused "writable by others"
chmod 700 "$dir"
ln "$log" "$T/second"
check "a second hard link is refused" refused "hard links"
rm "$T/second"
if [ "$(id -u)" -eq 0 ]; then
	chown $other_uid "$log"
	check "another owner is refused" refused "belongs to uid $other_uid"
	chown $auditd_uid "$log"
fi
mv "$log" "$T/aside" && ln -s "$T/aside" "$log"
check "a symbolic link is refused" refused "symbolic link"
rm "$log" && mkfifo "$log"
[ "$(id -u)" -ne 0 ] || chown $auditd_uid "$log"
check "a FIFO is refused" refused "not a regular file"
rm "$log" && mv "$T/aside" "$log"
umask 000
up || exit 1
umask 022
check "it starts under umask 0" ctl audit rotate
is "and makes what it makes 0600 all the same" \
    "$(stat -c %a "$log" "$dir/checkpoint.state" "$dir/audit.reserve" | sort -u)" 600
stop auditd

# --- an anchor ---
CONF_AUDIT="$CONF_AUDIT
anchor = \"$(printf '%064d' 7)\""
mk_conf
up || exit 1
is "an origin that is not the anchor is an alert" "$(jq -r 'select(.alert) |
    .alert' "$log" | tail -n 1)" "origin is not the anchor"
has "and the log is not in order" "$(status reason)" "not the audit.anchor"
keyd -k 2500000 "$auditd_sock" append >"$T/out"
check "records go on under it" grep -q ^ack "$T/out"
if [ "$(id -u)" -eq 0 ]; then
	# igractl reload wants all three daemons.
	start keyd && start signd || exit 1
	is "nor is the signer ready" "$(http /readyz | jq -r '.reasons[]' |
	    grep -c 'not the audit.anchor')" 1
	CONF_AUDIT=$(echo "$CONF_AUDIT" | grep -v ^anchor)
	CONF_AUDIT="$CONF_AUDIT
anchor = \"$(status origin)\""
	mk_conf
	check "the right anchor, reloaded" ctl reload
	is "puts that right" "$(status healthy) $(status reason)" "true "
	n=$(grep -c 'origin is not the anchor' "$log")
	CONF_AUDIT="$(echo "$CONF_AUDIT" | grep -v ^anchor)
anchor = \"$(printf '%064d' 8)\""
	mk_conf
	check "a wrong one, reloaded" ctl reload
	more()
	{
		[ "$(grep -c 'origin is not the anchor' "$log")" -gt $n ]
	}
	check "is an alert at once" wait_for 20 more
	stop signd
	stop keyd
fi
stop auditd
CONF_AUDIT=$(echo "$CONF_AUDIT" | grep -v ^anchor)
mk_conf

# --- the append-only attribute ---
up || exit 1
if [ "$(id -u)" -ne 0 ] || ! chattr +a "$log" 2>/dev/null; then
	skip "append-only" "no chattr +a here"
else
	keyd -k 3000000 -n 2 "$auditd_sock" append >/dev/null
	is "the status reports it" "$(status append_only)" true
	n=$(closed | wc -l)
	keyd -k 4000000 -n 400 -w 50 "$auditd_sock" append >/dev/null
	is "it does not rotate itself" "$(closed | wc -l)" "$n"
	check "igractl audit rotate does, as root" ctl audit rotate
	is "the new file has it" "$(lsattr "$log" | cut -c6)" a
	last=$(closed | tail -n 1)
	is "the closed one, too" "$(lsattr "$dir/$last" | cut -c6)" a
	is "and is 0400" "$(stat -c %a "$dir/$last")" 400
	keyd -k 5000000 "$auditd_sock" append >"$T/out"
	check "records go on" grep -q ^ack "$T/out"
	stop auditd KILL
	printf '{"seq":1,"torn' >>"$log"
	check "a torn line that cannot be cut is a refusal with advice" \
	    refused 'chattr -a'
	chattr -a "$log"
	up || exit 1
	has "and cut once it can be" "$(tail -n 8 "$log")" "torn line"
	chattr -R -a "$dir" 2>/dev/null
	stop auditd
fi
check "all of it verifies" verify

# --- what the examples for cron, newsyslog and logrotate are about ---
# matches PATTERN: which files of the log it takes.
matches()
{
	(cd "$dir" && ls -d $1 2>/dev/null | sort)
}
pattern=$(sed -n 's|^/var/log/igra/\(.*\) {$|\1|p' "$top/etc/logrotate.conf")
: >"$dir/key-audit.log.torn.20261124T082641Z.5"
: >"$dir/key-audit.20261124T082641Z.000000000001.log.gz"
is "logrotate.conf: all closed files and no other" "$(matches "$pattern")" \
    "$(closed)"
pattern=$(sed -n "s/.*-name '\([^']*\)'.*/\1/p" "$top/etc/crontab")
is "crontab: the same" "$(matches "$pattern")" "$(closed)"
command=$(sed -n 's/^[0-9].*\*[[:space:]]*//p' "$top/etc/crontab")
is "crontab: the command is igractl's" "$command" "igractl audit rotate >/dev/null"
up || exit 1
n=$(closed | wc -l)
check "crontab: it works" sh -c "igractl() { '$bin/igractl' -f '$conf' \"\$@\"; }
    $command"
is "crontab: and rotates" "$(closed | wc -l)" $((n + 1))
stop auditd
name=$(sed -n 's|^#/var/log/igra/\([^[:space:]]*\).*|\1|p' "$top/etc/newsyslog.conf")
if [[ $name =~ ^key-audit\.[0-9]{8}T[0-9]{6}Z\.[0-9]{12}\.log$ ]]; then
	ok "newsyslog.conf: a closed file"
else
	not_ok "newsyslog.conf: a closed file" "$name"
fi
chattr -R -a "$dir" 2>/dev/null
t_done
