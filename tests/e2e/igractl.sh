#!/bin/sh
# igractl against the real daemons: exit statuses, what it says, and that no
# way of unlocking is open that should not be.
. "${0%/*}/lib.sh"
t_init

key=$(vector ins2-outs1-mixed1 | jq -r .single_private_key)
printf '%s\n' 'not the passphrase' >"$T/wrong"
chmod 0600 "$T/wrong"
mk_conf
mk_secrets "signer-01=$key" || exit 1

# exits WANT WHAT COMMAND…
exits()
{
	_want=$1
	_what=$2
	shift 2
	run "$@"
	if [ "$rc" -eq "$_want" ]; then
		ok "$_what (exit $rc)"
	else
		not_ok "$_what (exit $_want)" "exit $rc: $out $err"
	fi
}

unlock_with()
{
	ctl unlock --passphrase-file "$1"
}

# After a wrong passphrase keyd wants a pause.
pause()
{
	sleep "${1:-1.1}"
}

state()
{
	ctl status -j | jq -r "$1"
}

# --- usage ---

exits 2 "no command" ctl
exits 2 "unknown command" ctl frobnicate
has "and says so" "$err" "frobnicate: no such command"
exits 0 "-h" "$bin/igractl" -h
has "-h prints the usage" "$out" "usage: igractl"
exits 0 "unlock -h" ctl unlock -h
exits 2 "a file and a descriptor" ctl unlock --passphrase-file "$T/pass" \
    --passphrase-fd 0
exits 2 "--passphrase-fd that is no number" ctl unlock --passphrase-fd x
exits 2 "status takes no passphrase" ctl status --passphrase-file "$T/pass"
exits 2 "lock has no -j" ctl lock -j
exits 2 "an argument too many" ctl lock now
exits 2 "unknown option" ctl status --wait
exits 1 "no config" "$bin/igractl" -f "$T/none.toml" status
has "names the config" "$err" "$T/none.toml"
exits 1 "--network and config disagree" ctl --network testnet status
exits 1 "--network that is none" ctl --network mars status

# --- nobody there ---

exits 3 "unlock without keyd" unlock_with "$T/pass"
exits 3 "lock without keyd" ctl lock
exits 3 "status without daemons" ctl status
has "says that keyd is away" "$out" "igra-keyd      away: "
exits 3 "status -j without daemons" ctl status -j
is "status -j says who is reachable" \
    "$(printf '%s' "$out" | jq -c '[.keyd.reachable, .auditd.reachable]')" \
    '[false,false]'
start auditd || exit 1
exits 3 "status with auditd alone" ctl status -j
is "auditd is reachable, keyd is not" \
    "$(printf '%s' "$out" | jq -c '[.keyd.reachable, .auditd.reachable]')" \
    '[false,true]'

# --- locked ---

start keyd && start signd || exit 1
exits 0 "status of a locked signer" ctl status
has "says that it is locked" "$out" "igra-keyd      locked"
exits 0 "status -j" ctl status -j
is "every field of keyd's status" \
    "$(printf '%s' "$out" | jq -r '.keyd | keys | sort | join(" ")')" \
    "audit_alerts audit_commits audit_head audit_healthy audit_ok audit_reason \
audit_seq audit_wait_us auditd_pid \
cache_entries cache_max cache_ttl_s clock_gap_s clock_pending evictions \
file_salt journal_entries journal_max journal_ok journal_outpoints \
journal_reason kseq \
lock_marker locked memory network pid profile reachable refusals requests \
roles_separated sandbox signatures unlocked_s uptime_s version"
is "every field of auditd's status" \
    "$(printf '%s' "$out" | jq -r '.auditd | keys | sort | join(" ")')" \
    "alerts append_only bytes commits covered_seq fault have head healthy \
last_kseq origin path pid reachable reason records sandbox seq sync_us \
uptime_s writable"
is "pids are those of the daemons" \
    "$(printf '%s' "$out" | jq -c '[.keyd.pid, .auditd.pid,
    .keyd.auditd_pid]')" "[$pid_keyd,$pid_auditd,$pid_auditd]"
is "locked: nothing to compare the file with" \
    "$(printf '%s' "$out" | jq -c '[.keyd.file_salt, .secrets_file.state]')" \
    '[null,"unknown"]'

# --- passphrases that are not it ---

exits 1 "wrong passphrase" unlock_with "$T/wrong"
has "says what is wrong" "$err" "wrong passphrase or damaged"
last_unlock()
{
	jq -rs 'map(select(.event_type == "Unlock"))[-1] |
	    .result + " " + (.operator | tostring)' "$log"
}
# The refusal does not wait for it.
wait_for 20 eval '[ "$(last_unlock)" != null ]'
is "and is on record" "$(last_unlock)" "Failure $(id -u)"
exits 1 "again at once" unlock_with "$T/pass"
has "is told to wait" "$err" "try again in 1 s"
pause
: >"$T/empty"
chmod 0600 "$T/empty"
exits 1 "empty passphrase" unlock_with "$T/empty"
printf 'one\ntwo\n' >"$T/lines"
chmod 0600 "$T/lines"
exits 1 "two lines" unlock_with "$T/lines"
has "says so" "$err" "more than one line"
exits 1 "no passphrase file" unlock_with "$T/nofile"
exits 1 "a descriptor that is closed" ctl unlock --passphrase-fd 9

# --- files that are not it ---

mv "$secrets" "$T/keep"
exits 1 "no secrets file" unlock_with "$T/pass"
has "names it" "$err" "$secrets: no such secrets file"
ln -s "$T/keep" "$secrets"
exits 1 "a symbolic link" unlock_with "$T/pass"
rm "$secrets"
mkfifo "$secrets"
exits 1 "a fifo" unlock_with "$T/pass"
rm "$secrets"
head -c 100 "$T/keep" >"$secrets"
chmod 0600 "$secrets"
exits 1 "a truncated file" unlock_with "$T/pass"
# 4 GiB for Argon2.
{ head -c 5 "$T/keep"; printf '\377\377\077\000'; tail -c +10 "$T/keep"; } \
    >"$secrets"
exits 1 "Argon2 parameters made to exhaust memory" unlock_with "$T/pass"
head -c 1048577 /dev/zero >"$secrets"
exits 1 "a file over secrets_file_max" unlock_with "$T/pass"
has "names the key" "$err" "secrets_file_max"
{ head -c 120 "$T/keep"; printf 'x'; tail -c +122 "$T/keep"; } >"$secrets"
exits 1 "a damaged file" unlock_with "$T/pass"
has "says that it may be damaged" "$err" "damaged"
rm "$secrets"
mv "$T/keep" "$secrets"
pause 2.1
is "still locked after all that" "$(state .keyd.locked)" true

# --- unlocking ---

exits 0 "unlock with a file" unlock_with "$T/pass"
is "says so" "$out" unlocked
is "unlocked" "$(state '[.keyd.locked, .secrets_file.state] | tostring')" \
    '[false,"same"]'
exits 0 "status in words" ctl status
has "says that it is unlocked" "$out" "igra-keyd      unlocked for "
has "and that the file is the same" "$out" "$secrets, as unlocked"
wait_for 20 is_ready
vector ins2-outs1-mixed1 | sign_params >"$T/params"
is "a request is signed" "$(rpc pskt.sign "@$T/params" | jq -r '.result |
    .signatures | length > 0')" true
is "and counted" "$(state .keyd.signatures)" 1

ctl unlock --passphrase-fd 7 7<"$T/pass" >"$T/run.out" 2>&1
is "unlock with a descriptor" $? 0
printf '%s' "$PASS" | ctl unlock --passphrase-fd 0 >"$T/run.out" 2>&1
is "without a newline, too" $? 0
printf '%s\r\n' "$PASS" | ctl unlock --passphrase-fd 0 >"$T/run.out" 2>&1
is "with CR LF, too" $? 0
setsid -w "$bin/igractl" -f "$conf" unlock <"$T/pass" >"$T/run.out" 2>&1
is "from standard input without a terminal" $? 0
IGRA_SECRETS_PASSPHRASE=$PASS ctl unlock >"$T/run.out" 2>&1 </dev/null
is "from the environment (devnet)" $? 0
chmod 0644 "$T/pass"
exits 0 "a passphrase file that others can read (devnet)" \
    unlock_with "$T/pass"
has "is warned about" "$err" "WARNING: $T/pass"
chmod 0600 "$T/pass"
chmod 0640 "$secrets"
exits 0 "a secrets file that others can read (devnet)" unlock_with "$T/pass"
has "is warned about" "$err" "WARNING: $secrets"
chmod 0600 "$secrets"

exits 1 "a wrong passphrase while unlocked" unlock_with "$T/wrong"
is "changes nothing" "$(state .keyd.locked)" false
pause

# --- the file changes ---

set_key signer-02 "$key"
is "a saved file is newer" "$(state .secrets_file.state)" changed
has "status says so" "$(ctl status)" "has changed since the unlock"
exits 0 "unlock takes it" unlock_with "$T/pass"
is "then it is the same" "$(state .secrets_file.state)" same
mv "$secrets" "$T/keep"
is "a file that is gone" "$(state .secrets_file.state)" missing
mv "$T/keep" "$secrets"

# --- lock ---

exits 0 "lock" ctl lock
is "says so" "$out" locked
is "locked, with the marker" \
    "$(state '[.keyd.locked, .keyd.lock_marker] | tostring')" '[true,true]'
has "status says what lifts it" "$(ctl status)" "typed at a terminal"
is "requests are told" "$(rpc pskt.sign "@$T/params" | rpc_code)" LOCKED
exits 4 "unlock with a file after lock" unlock_with "$T/pass"
ctl unlock --passphrase-fd 0 <"$T/pass" >"$T/run.out" 2>&1
is "with a descriptor neither" $? 4
setsid -w "$bin/igractl" -f "$conf" unlock <"$T/pass" >"$T/run.out" 2>&1
is "nor from standard input" $? 4
stop keyd
start keyd || exit 1
exits 4 "nor after a restart" unlock_with "$T/pass"

if command -v "$PYTHON" >/dev/null; then
	run "$PYTHON" "$e2e/terminal.py" --type-on "Passphrase: " "$T/wrong" \
	    "$bin/igractl" -f "$conf" unlock
	is "a wrong one typed is refused" "$rc" 1
	is "and the marker stays" "$(state .keyd.lock_marker)" true
	pause
	run "$PYTHON" "$e2e/terminal.py" --type-on "Passphrase: " "$T/pass" \
	    "$bin/igractl" -f "$conf" unlock
	is "the passphrase typed at a terminal unlocks" "$rc" 0
	has "after a word about the lock" "$out" "locked by an operator"
	has_not "and is not shown" "$out" "$PASS"
	is "the marker is gone" \
	    "$(state '[.keyd.locked, .keyd.lock_marker] | tostring')" \
	    '[false,false]'
	exits 0 "and a file will do again" unlock_with "$T/pass"
else
	skip "unlock at a terminal" "no $PYTHON"
fi

# --- no auditd, no answer ---

stop auditd
exits 1 "unlock without auditd" unlock_with "$T/pass"
has "says why" "$err" AUDIT_UNAVAILABLE
exits 0 "status without auditd" ctl status
has "says that it is away" "$out" "igra-auditd    away: "
has "and what that means" "$out" "NOT AVAILABLE: nothing is signed"
exits 0 "lock without auditd" ctl lock
start auditd || exit 1
kill -STOP "$pid_keyd"
exits 3 "status of a keyd that hangs" ctl status
has "says that there was no answer" "$out" "no answer in time"
kill -CONT "$pid_keyd"

# --- who may ---

stop_all
rm -f "$T/keyd/state"
if [ "$(id -u)" -eq 0 ]; then
	CONF_SECURITY="admin_users = [\"$other_uid\", \"64006\", \"64007\"]"
	mk_conf
	chmod 0644 "$conf"
	start_all && unlock || exit 1
	exits 3 "a stranger gets no status" \
	    as_uid 64005 "$bin/igractl" -f "$conf" status
	has "and a hint" "$out" "admin_users"
	exits 3 "nor can lock" as_uid 64005 "$bin/igractl" -f "$conf" lock
	is "which is on record" "$(jq -r 'select(.event_type == "PeerRejected")
	    | .peer_uid' "$log" | sort -u)" 64005
	is "nothing came of it" "$(state .keyd.locked)" false
	exits 0 "one of admin_users gets the status" \
	    as_uid "$other_uid" "$bin/igractl" -f "$conf" status -j
	is "but cannot read the secrets file" \
	    "$(printf '%s' "$out" | jq -r .secrets_file.state)" unreadable
	exits 0 "and can lock" as_uid "$other_uid" "$bin/igractl" -f "$conf" lock
	cp "$secrets" "$T/theirs"
	cp "$T/pass" "$T/theirpass"
	chown "$other_uid" "$T/theirs" "$T/theirpass"
	sed "s|^secrets_file.*|secrets_file = \"$T/theirs\"|" "$conf" \
	    >"$T/their.toml"
	rm -f "$T/keyd/state"
	stop keyd
	start keyd || exit 1
	exits 1 "but not unlock" as_uid "$other_uid" "$bin/igractl" \
	    -f "$T/their.toml" unlock --passphrase-file "$T/theirpass"
	has "root alone may" "$err" "only root may unlock"

	# All of admin_users take what connections they get, and keep them.
	for uid in "$other_uid" 64006 64007; do
		as_uid "$uid" "$PYTHON" -c 'import socket,sys,time
kept = []
for path in sys.argv[1:]:
    for i in range(40):
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        kept.append(s)
print("kept", flush=True)
time.sleep(60)' "$keyd_admin" "$auditd_admin" >"$T/kept.$uid" &
		also_kill $!
		wait_for 20 grep -q kept "$T/kept.$uid"
	done
	has_turned()
	{
		[ "$(jq -r 'select(.error == "too many connections") |
		    "\(.source) \(.peer_uid)"' "$log" | sort -u |
		    wc -l)" -eq 6 ]
	}
	check "users of admin_users have so many connections, no more" \
	    wait_for 20 has_turned
	exits 0 "and root is heard" ctl status -j
	is "by both" "$(printf '%s' "$out" | jq -c \
	    '[.keyd.reachable, .auditd.reachable]')" "[true,true]"
	check "also to lock" ctl lock
	stop_all

	# A socket that somebody else has put in keyd's place.
	rm -f "$keyd_admin"
	as_uid "$other_uid" "$PYTHON" -c 'import socket,sys,time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
time.sleep(60)' "$T/squat.sock" 2>"$T/squat.err" &
	also_kill $!
	chmod 0777 "$T"
	if wait_for 20 listening "$T/squat.sock"; then
		sed "s|^admin_socket = .*keyd/admin.sock\"|admin_socket = \
\"$T/squat.sock\"|" "$conf" >"$T/squat.toml"
		exits 3 "a socket of another user" "$bin/igractl" \
		    -f "$T/squat.toml" unlock --passphrase-file "$T/pass"
		has "is not talked to" "$err" "listened to by uid $other_uid"
	else
		# The directory may have been closed when it tried.
		skip "a socket of another user" "$(tail -1 "$T/squat.err")"
	fi
	chmod 0755 "$T"
else
	skip "peers of other users" "needs root"
fi
stop_all

# --- layer 1: phrases in the config ---

CONF_SECURITY=
w=$(jq -c 'map(select(.plaintext | split(" ") | length >= 12)) | .[0]' \
    "$vectors/wallet_encryption.json")
text=$(printf '%s' "$w" | jq -r .ciphertext_base64)
KEY_TYPE=hd_mnemonic
CONF_HD="encrypted_mnemonics = [\"$text\"]"
mk_conf
rm -f "$T/keyd/state"
mk_secrets
start_all || exit 1
exits 1 "encrypted_mnemonics without wallet_secret" unlock_with "$T/pass"
has "names the secret" "$err" "igra.hd.wallet_secret"
printf '%s' "$w" | jq -r .wallet_secret | secrets_admin set \
    igra.hd.wallet_secret >"$T/secrets.out" 2>&1 || cat "$T/secrets.out" >&2
exits 0 "with it, unlock makes the key of layer 1" unlock_with "$T/pass"
wait_for 20 is_ready
is "which opens the phrase" "$(rpc signer.info | jq -r '.result.public_key |
    test("^[0-9a-f]{64}$")')" true
stop_all

# --- another network's rules ---

KEY_TYPE=raw_private_key
CONF_HD=
NETWORK=testnet
PASS=short
printf '%s\n' "$PASS" >"$T/pass"
rm -f "$T/keyd/state"
mk_conf
NETWORK=devnet
mk_secrets "signer-01=$key"
NETWORK=testnet
if start_all; then
	exits 1 "testnet: a passphrase of 5 characters" unlock_with "$T/pass"
	has "says how long" "$err" "at least 12"
	printf 'guess\n' >"$T/wrong"
	exits 1 "testnet: a wrong one, however short" unlock_with "$T/wrong"
	has "is keyd's to refuse" "$err" "UNAUTHORIZED"
	stop_all
else
	skip "testnet's passphrase rule" "daemons do not start"
fi
t_done
