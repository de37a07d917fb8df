#!/bin/sh
# igra-auditd as a process: acknowledgements, refusals, crashes, full disks.
# Run from the top of the tree after make programs tests.  As root the roles
# have users of their own; otherwise what needs other users is skipped.
set -u

bin=${BUILD:-build}/bin
tests=${BUILD:-build}/tests
here=$(dirname "$0")
work=$(mktemp -d) || exit 1
chmod 755 "$work"
log=$work/log/key-audit.log
sock=$work/run/auditd.sock
admin=$work/run/admin.sock
failed=0
pid=

if [ "$(id -u)" = 0 ]; then
	keyd_uid=64001 auditd_uid=64003
	as_keyd="setpriv --reuid $keyd_uid --regid $keyd_uid --clear-groups"
	as_auditd="setpriv --reuid $auditd_uid --regid $auditd_uid --clear-groups"
	as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
	# LeakSanitizer wants /proc, which a chroot has not.
	export ASAN_OPTIONS=detect_leaks=0
	users='user = 64001' signd='user = 64002' auditd='user = 64003'
else
	keyd_uid=$(id -u) auditd_uid=$(id -u)
	as_keyd= as_auditd= as_nobody=
	users= signd= auditd=
fi

cleanup() {
	if [ -n "$pid" ]; then kill -9 "$pid" 2>/dev/null; fi
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

ok() { echo "ok - $1"; }
not_ok() { echo "not ok - $1"; failed=1; sed 's/^/    # /' "$work/err" | tail -5; }
skip() { echo "skip - $1 ($2)"; }
# check WHAT COMMAND...: ok if the command succeeds.
check() {
	what=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		ok "$what"
	else
		not_ok "$what"
		sed 's/^/    # /' "$work/out" | tail -5
	fi
}
same() {
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1"
		echo "    # expected: $2"
		echo "    # got:      $3"
	fi
}

cat >"$work/igra.toml" <<END
[service]
network = "devnet"
active_profile = "signer-01"
data_dir = "$work/data"
key_audit_log_path = "$log"
[keyd]
$users
[signd]
$signd
[auditd]
$auditd
socket = "$sock"
admin_socket = "$admin"
END

# Programs and tests must be readable for the other users as well.
cp "$tests/audit-client" "$work/client" && chmod 755 "$work/client"
keyd() { $as_keyd "$work/client" -U "$auditd_uid" "$@"; }
operator() { "$work/client" -a -U "$auditd_uid" "$@"; }
verify() { python3 "$here/verify_chain.py" "$log" "$@"; }
events() { jq -r "$1" "$log"; }

start() {
	"$bin/igra-auditd" -f "$work/igra.toml" 2>>"$work/err" &
	pid=$!
	tries=0
	until keyd "$sock" hello >"$work/hello" 2>&1; do
		tries=$((tries + 1))
		if [ $tries -gt 400 ] || ! kill -0 "$pid" 2>/dev/null; then
			not_ok "igra-auditd starts"
			cat "$work/hello"
			exit 1
		fi
		sleep 0.05
	done
}
# Ends it with the signal; $status is its exit status.
stop() {
	kill "-$1" "$pid"
	{ wait "$pid"; } 2>/dev/null
	status=$?
	pid=
}

: >"$work/err"
start
same "a new log holds two records" "state 0 2" "$(cut -d' ' -f1-3 "$work/hello")"
same "the first is ServiceStarted" "ServiceStarted auditd igra-auditd devnet" \
    "$(head -1 "$log" | jq -r '[.event_type,.source,.program,.network]|join(" ")')"
same "the second is ConfigLoaded with the config's hash" \
    "ConfigLoaded $(python3 -c 'import hashlib, sys
print(hashlib.blake2b(open(sys.argv[1], "rb").read(), digest_size=32).hexdigest())' "$work/igra.toml")" \
    "$(sed -n 2p "$log" | jq -r '[.event_type,.config_hash]|join(" ")')"
same "the log is 0600 and auditd's" "600 $auditd_uid" "$(stat -c '%a %u' "$log")"
same "its directory is 0700 and auditd's" "700 $auditd_uid" \
    "$(stat -c '%a %u' "$work/log")"

keyd -n 3 -r 2 "$sock" append >"$work/acks"
same "each message is acknowledged with its last record" "2 4
4 6
6 8" "$(cut -d' ' -f2,3 "$work/acks")"
sed -i 's/^ack //' "$work/acks"
check "what was acknowledged is in the log" verify "$work/acks"

same "b2sum -l 256 of a line is the next one's prev" \
    "$(sed -n 2p "$log" | jq -r .prev)" "$(head -n 1 "$log" | b2sum -l 256 | cut -d' ' -f1)"
lines=$(wc -l <"$log")
same "a repeated kseq is acknowledged" "ack 6 8" \
    "$(keyd -k 5 -r 2 "$sock" append | cut -d' ' -f1-3)"
same "and not written again" "$lines" "$(wc -l <"$log")"
same "a message half repeated is written by half" "ack 7 9" \
    "$(keyd -k 6 -r 2 "$sock" append | cut -d' ' -f1-3)"
same "hello tells where keyd stands" "state 7 9" \
    "$(keyd "$sock" hello | cut -d' ' -f1-3)"

check "a Signing record" keyd -k 8 -n 4 "$sock" signing
same "durations are numbers with three decimals" 4 \
    "$(grep '"Signing"' "$log" | grep -c '"duration_ms":[0-9]*\.[0-9][0-9][0-9],')"
same "Igra's two jq commands work" "9 true" "$(echo "$(jq -c \
    'select(.event_type == "SecretAccess" or .event_type == "Signing")' \
    "$log" | tail -9 | wc -l) $(jq 'select(.event_type == "Signing") | .duration_ms' "$log" |
    jq -s 'add/length >= 1.5')")"
same "2^64-1 sompi stay digits" 4 "$(grep -c '"amount_sompi":18446744073709551615' "$log")"
same "a record that fits no line is refused by name" "error TOO_LARGE" \
    "$(keyd -k 100 -s 131000 "$sock" signing | cut -d: -f1)"
same "and leaves nothing of its message" "state 15" \
    "$(keyd "$sock" hello | cut -d' ' -f1-2)"
check "a line of nearly 256 KiB" keyd -k 100 -s 130500 "$sock" signing
check "the chain holds" verify

check "an operator records a KeyLifecycle" operator "$admin" lifecycle
same "under the uid the kernel names" "$(id -u) admin" \
    "$(events 'select(.event_type == "KeyLifecycle") | "\(.operator) \(.source)"')"
lines=$(grep -vc RequestRejected "$log")
same "keyd's socket takes no other source" "error UNAUTHORIZED" \
    "$(keyd -k 500 "$sock" spoof | cut -d: -f1)"
same "nor does the admin socket" "error UNAUTHORIZED" \
    "$(operator "$admin" spoof | cut -d: -f1)"
same "kseq must increase within a message" "error UNAUTHORIZED" \
    "$(keyd -k 500 "$sock" unordered | cut -d: -f1)"
keyd "$sock" garbage >"$work/out" 2>&1
same "garbage is hung up on" "3" "$?"
same "none of it is in the log" "$lines" "$(grep -vc RequestRejected "$log")"
same "but that it was refused" "UNAUTHORIZED UNAUTHORIZED UNAUTHORIZED" \
    "$(echo $(events 'select(.code == "UNAUTHORIZED") | .code'))"

if [ -n "$as_nobody" ]; then
	i=0
	while [ $i -lt 30 ]; do
		if $as_nobody "$work/client" -U "$auditd_uid" "$sock" hello \
		    >>"$work/nobody" 2>&1; then break; fi
		i=$((i + 1))
	done
	same "another uid is not served" 30 "$i"
	"$work/client" -U "$auditd_uid" "$sock" hello >"$work/out" 2>&1
	same "not even root, on keyd's socket" 3 "$?"
	$as_nobody "$work/client" -a -U "$auditd_uid" "$admin" status \
	    >"$work/out" 2>&1
	same "nor anybody on the admin socket" 3 "$?"
	keyd "$sock" hello >"$work/out"
	same "20 rejections a minute are recorded" 20 \
	    "$(events 'select(.event_type == "PeerRejected" and .peer_uid == 65534) | .seq' | wc -l)"
	check "still the client keyd is served" keyd -k 600 "$sock" append
else
	skip "another uid is not served" "needs root"
fi

"$bin/igra-auditd" -f "$work/igra.toml" 2>"$work/second"
same "a second instance is refused" 1 "$?"
check "and says so" grep -q another "$work/second"
check "the first one serves on" keyd -k 601 "$sock" append

before=$(operator "$admin" status | sed -n 's/^commits //p')
keyd -k 10000 -n 2000 -w 500 "$sock" append >"$work/out"
after=$(operator "$admin" status | sed -n 's/^commits //p')
same "2,000 pipelined messages are answered" 2000 "$(grep -c ^ack "$work/out")"
check "in groups ($((after - before)) commits)" [ $((after - before)) -lt 1000 ]
check "the status says where it writes" grep -q "^path $log\$" - <<END
$(operator "$admin" status)
END

# More connections than a user may have: the others are hung up on.
mkfifo "$work/hold"
i=0
while [ $i -lt 20 ]; do
	operator "$admin" idle <"$work/hold" >>"$work/idle" 2>/dev/null &
	i=$((i + 1))
done
exec 3>"$work/hold"
sleep 0.5
check "too many idle connections do not stop keyd" keyd "$sock" hello
exec 3>&-
i=0
until operator "$admin" status >"$work/out" 2>&1 || [ $i -gt 200 ]; do
	i=$((i + 1))
	sleep 0.05
done
check "and an operator has room again" [ $i -le 200 ]

stop TERM
same "SIGTERM ends it with 0" 0 "$status"
check "the log is complete" verify
same "it ends with ServiceStopped and a Checkpoint" \
    "ServiceStopped Checkpoint" \
    "$(echo $(tail -2 "$log" | jq -r .event_type))"
if [ -n "$as_nobody" ]; then
	same "the rejections beyond 20 are counted" 11 "$(events \
	    'select(.event_type == "PeerRejected" and .peer_uid == 65534) | .suppressed // 0' |
	    jq -s add)"
fi

# kill -9 under load: nothing that was acknowledged is missing.
: >"$work/acks"
k=20000
for i in 1 2 3; do
	start
	keyd -k $k -n 1000000 -w 64 "$sock" append 2>/dev/null >"$work/load" &
	load=$!
	sleep 0.$((i * 2))
	stop KILL
	wait $load
	# The line that was being printed when it ended may be cut.
	sed -n 's/^ack \([0-9]* [0-9]* [0-9a-f]\{64\}\)$/\1/p' "$work/load" \
	    >>"$work/acks"
	k=$((k + 1000000))
done
start
check "killed under load, $(wc -l <"$work/acks") acknowledged records are there" \
    verify "$work/acks"
check "there were some" [ -s "$work/acks" ]
keyd "$sock" hello >"$work/hello"
same "hello after the crash agrees with the log" \
    "state $(verify | sed 's/.*seq \([0-9]*\), kseq \([0-9]*\)/\2 \1/')" \
    "$(cut -d' ' -f1-3 "$work/hello")"
stop TERM

# A torn line, as a power cut leaves it.
size=$(stat -c %s "$log")
printf '{"seq":123,"pre' >>"$log"
start
torn=$(events 'select(.alert == "torn line") | .path' | tail -1)
same "a torn line is moved to a file of its own" '{"seq":123,"pre' \
    "$(cat "$torn")"
same "which is named after its place, 0600" \
    "$(echo "$torn" | sed 's/\.[0-9]*$//').$size 600" \
    "$torn $(stat -c %a "$torn")"
same "and recorded with its size" 15 \
    "$(events 'select(.alert == "torn line") | .bytes' | tail -1)"
check "the chain goes on" verify
stop TERM

chmod 644 "$log"
start
same "a loose mode is set back" 600 "$(stat -c %a "$log")"
same "and recorded" 0644 "$(events 'select(.alert == "loose log mode") | .actual')"
check "with an alert" grep -q 'SECURITY ALERT:.*0644' "$work/err"
stop INT
same "SIGINT ends it with 0" 0 "$status"

# A disk that fills up; the limit on the file's size plays the disk.
start
size=$(stat -c %s "$log")
if $as_auditd prlimit --pid "$pid" --fsize=$((size + 3000)): 2>/dev/null; then
	keyd -k 5000000 -n 20 -w 4 "$sock" append >"$work/full"
	check "records fit until the disk is full" grep -q ^ack "$work/full"
	check "then they are refused" grep -q '^error AUDIT_UNAVAILABLE' "$work/full"
	sed -n 's/^ack //p' "$work/full" >"$work/acks"
	check "what is there is whole and has every acknowledged one" \
	    verify "$work/acks"
	# The record of the fault may still have fitted; now nothing does.
	$as_auditd prlimit --pid "$pid" --fsize="$(stat -c %s "$log")":
	same "with no room at all nothing is taken" "error AUDIT_UNAVAILABLE" \
	    "$(keyd -k 5000050 "$sock" append | cut -d: -f1)"
	same "the status tells" "writable 0" \
	    "$(operator "$admin" status | grep writable)"
	check "and an alert" grep -q 'SECURITY ALERT:.*cannot be written' "$work/err"
	$as_auditd prlimit --pid "$pid" --fsize=unlimited:
	i=0
	until keyd -k 5000100 "$sock" append | grep -q ^ack; do
		i=$((i + 1))
		[ $i -gt 200 ] && break
		sleep 0.1
	done
	check "it recovers by itself" [ $i -le 200 ]
	same "and records that it could not write" "File too large" \
	    "$(events 'select(.alert == "log not writable") | .error' | tail -1 | sed 's/.*: //')"
	check "the chain holds over it" verify
else
	skip "a disk that fills up" "no prlimit"
fi
stop TERM

# A broken chain is reported and left as it is.
cp "$log" "$work/whole"
sed -i '5s/signer-01/signer-99/' "$log"
sum=$(head -20 "$log" | sha256sum)
if [ "$(id -u)" = 0 ]; then chown $auditd_uid "$log"; fi
start
same "a changed line is found" "6 " "$(events \
    'select(.alert == "broken chain") | .expected' | sed 's/line with seq \([0-9]* \).*/\1/')"
same "and left" "$sum" "$(head -20 "$log" | sha256sum)"
stop TERM

# Igra's own log, and a file that is no file.
printf '{"timestamp":"2025-01-01T00:00:00Z","event":"Signing"}\n' >"$log"
start
foreign=$(events 'select(.alert == "foreign log set aside") | .path')
same "a log of Igra's is set aside" '{"timestamp":"2025-01-01T00:00:00Z","event":"Signing"}' \
    "$(cat "$foreign")"
check "and a new one begun" verify
stop TERM
mv "$log" "$work/elsewhere"
ln -s "$work/elsewhere" "$log"
"$bin/igra-auditd" -f "$work/igra.toml" 2>"$work/out2"
same "a symbolic link is refused" 1 "$?"
check "by name" grep -q 'symbolic link' "$work/out2"
check "and not looked at before the sandbox" grep -q 'confined: ' "$work/out2"

exit $failed
