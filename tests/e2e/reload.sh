#!/bin/sh
# igractl reload: what is taken and what is refused, by all three daemons or
# by none, and that nothing is dropped or grows while it goes on.
. "${0%/*}/lib.sh"
t_init

key=$(vector ins2-outs1-mixed1 | jq -r .single_private_key)
vector ins2-outs1-mixed1 | sign_params >"$T/sign"
mk_conf
mk_secrets "signer-01=$key" || exit 1
cp "$conf" "$T/first.toml"

# edit FILE TABLE LINE: the config of the start, with a line more in a table.
edit()
{
	sed "s|^\[$2\]\$|&\n$3|" "$T/first.toml" >"$T/edited"
	cat "$T/edited" >"$1"
}

# exits WANT WHAT: igractl reload.
exits()
{
	run ctl reload
	if [ "$rc" -eq "$1" ]; then
		ok "$2 (exit $rc)"
	else
		not_ok "$2 (exit $1)" "exit $rc: $out $err"
	fi
}

# refused WHAT TABLE LINE TEXT: such a config is refused with such words, and
# the old one stays.
refused()
{
	edit "$conf" "$2" "$3"
	_was=$(in_force)
	exits 1 "refused: $1"
	has "says why: $1" "$err" "$4"
	has_not "nothing is half done: $1" "$err" "restart igra-"
	is "the old config stays: $1" "$(in_force)" "$_was"
}

# What shows which config each daemon goes by: the time to live (keyd), the
# hashes of the records (keyd, auditd), who may ask (signd).
in_force()
{
	"$bin/igractl" -f "$T/first.toml" status -j | jq -c .keyd.cache_ttl_s
	jq -rs 'map(select(.event_type == "ConfigLoaded" and
	    .result == "Success") | .source + " " + .config_hash) |
	    [(map(select(startswith("keyd")))[-1]),
	    (map(select(startswith("auditd")))[-1])] | join(" ")' "$log"
	curl -s -o /dev/null -w '%{http_code}\n' --unix-socket "$signd_sock" \
	    http://localhost/metrics
}

hash_of()
{
	b2sum -l 256 "$1" | cut -d' ' -f1
}

# --- nobody there ---

exits 3 "no daemons"
start auditd && start keyd || exit 1
exits 3 "no igra-signd"
has "says who is missing" "$err" "igra-signd: "
is "the others have not taken it" "$(jq -rs 'map(select(.event_type ==
    "ConfigLoaded")) | length' "$log")" 2
start signd && unlock || exit 1

# --- taken ---

exits 0 "the same config again"
is "says so" "$out" "reloaded"
edit "$conf" security 'secret_cache_ttl = 7'
exits 0 "another time to live"
is "igra-keyd goes by it" "$(ctl status -j | jq .keyd.cache_ttl_s)" 7
is "it is on record, with the file's hash" "$(in_force | sed -n 2p)" \
    "keyd $(hash_of "$conf") auditd $(hash_of "$conf")"
is "with who did it" "$(jq -rs 'map(select(.event_type == "ConfigLoaded"))[-1] |
    .peer_uid' "$log")" "$(id -u)"
is "still unlocked" "$(ctl status -j | jq .keyd.locked)" false
is "still signs" "$(rpc pskt.sign "@$T/sign" | jq -r '.result.signatures |
    length > 0')" true

edit "$conf" policy 'require_reason = true'
exits 0 "a policy"
is "is in force" "$(rpc pskt.sign "@$T/sign" | rpc_code)" POLICY_DENIED
edit "$conf" rpc 'token = "token-of-the-reload"'
exits 0 "a bearer token"
is "without it: 401" "$(curl -s -o /dev/null -w '%{http_code}' \
    --unix-socket "$signd_sock" http://localhost/metrics)" 401
is "with it: 200" "$(curl -s -o /dev/null -w '%{http_code}' \
    -H 'Authorization: Bearer token-of-the-reload' \
    --unix-socket "$signd_sock" http://localhost/metrics)" 200
is "the policy before it is gone" "$(jq -c '{jsonrpc: "2.0", id: 1,
    method: "pskt.sign", params: .}' "$T/sign" | curl -s \
    -H 'Authorization: Bearer token-of-the-reload' --data-binary @- \
    --unix-socket "$signd_sock" http://localhost/rpc | rpc_code)" ""
cp "$T/first.toml" "$conf"
exits 0 "a reload needs no token"
is "no token any more" "$(rpc signer.info '{}' | rpc_code)" ""
edit "$conf" rpc 'rate_limit_rps = 1\nrate_limit_burst = 1'
exits 0 "a rate"
# The second within a second.
limited()
{
	rpc signer.info '{}' >/dev/null
	[ "$(rpc signer.info '{}' | rpc_code)" = RATE_LIMITED ]
}
check "is in force" wait_for 20 limited
cp "$T/first.toml" "$conf"
exits 0 "waits while igra-signd has too much to do"
kill -HUP "$pid_keyd" "$pid_signd" "$pid_auditd"
all_say_how()
{
	[ "$(cat "$T/keyd.err" "$T/signd.err" "$T/auditd.err" |
	    grep -c 'SIGHUP changes nothing: use igractl reload')" -eq 3 ]
}
check "SIGHUP only says how" wait_for 20 all_say_how

# --- refused ---

refused "no TOML" security 'secret_cache_ttl = ' "igra.toml:"
refused "an unknown key" security 'secret_cache_tl = 7' "unknown key"
refused "out of range" security 'secret_cache_ttl = 100000' "secret_cache_ttl"
refused "an unknown user" rpc 'allow_users = ["nobody-of-that-name"]' \
    "no user nobody-of-that-name"
refused "no multisig" service.pskt 'redeem_script_hex = "0011"' \
    "redeem_script_hex"
refused "a frozen key" security 'secrets_file_max = 2097152' \
    "security.secrets_file_max"
refused "the size of the cache" security 'secret_cache_max = 7' \
    "security.secret_cache_max"
refused "the key's path" service.hd "derivation_path = \"m/44'/111111'/0'\"" \
    "service.hd.derivation_path"
refused "the reserve" audit 'reserve_bytes = 65536' "audit.reserve_bytes"
refused "journal's size" policy 'max_outpoints = 2000' "policy.max_outpoints"
for k in 'service.network|network = "testnet"' \
    'service.active_profile|active_profile = "signer-02"' \
    'service.data_dir|data_dir = "/"' \
    'keyd.user|user = 1' 'signd.user|user = 1' 'auditd.user|user = 1' \
    'auditd.socket|socket = "/nowhere.sock"' \
    'signd.socket|socket = "/nowhere.sock"'; do
	name=${k%%|*} line=${k#*|}
	sed "/^\[${name%.*}\]/,/^\[/s|^${line%% = *} = .*|$line|" \
	    "$T/first.toml" >"$T/edited"
	is "only one line differs: $name" "$(diff "$T/first.toml" "$T/edited" |
	    grep -c '^>')" 1
	cat "$T/edited" >"$conf"
	run ctl reload
	is "refused: $name" "$rc" 1
	has "names it: $name" "$err" "$name"
	is "the old config stays: $name" "$(cat "$T/first.toml" >"$conf"
	    in_force | tail -1)" 200
done
cp "$T/first.toml" "$conf"
exits 0 "the first config, after all that"
is "igra-signd's refusals are on record" "$(jq -rs 'map(select(.event_type ==
    "RequestRejected" and .method == "admin.reload" and .code == "CONFLICT" and
    (.error | contains("secrets_file_max")))) | length' "$log")" 1
is "igra-keyd's are" "$(jq -rs 'map(select(.event_type == "ConfigLoaded" and
    .result == "Failure" and .source == "keyd" and
    (.error | contains("signd.user")))) | length' "$log")" 1

# --- who may ---

reload_as()
{
	jq -n --rawfile c "$T/first.toml" '{jsonrpc: "2.0", id: 1,
	    method: "admin.reload", params: {config: $c}}' >"$T/reload.json"
	as_uid "$1" curl -s --unix-socket "$signd_sock" \
	    --data-binary @- http://localhost/rpc <"$T/reload.json"
}

is "admin.reload by hand" "$(jq -n --rawfile c "$T/first.toml" \
    '{config: $c}' >"$T/params"; rpc admin.reload "@$T/params" |
    jq -c .result.applied)" true
is "admin.reload, only to check" "$(jq -n --rawfile c "$T/first.toml" \
    '{config: $c, check: true}' >"$T/params"; rpc admin.reload "@$T/params" |
    jq -c .result.applied)" false
is "without a config" "$(rpc admin.reload '{}' | jq .error.code)" -32602
is "a name, which a daemon cannot look up" "$(jq -n --arg c \
    "$(sed 's/^\[rpc\]/&\nallow_users = ["root"]/' "$T/first.toml")" \
    '{config: $c}' >"$T/params"; rpc admin.reload "@$T/params" |
    jq -r '.error.message | contains("user root")')" true
if [ "$(id -u)" -eq 0 ]; then
	edit "$conf" rpc "allow_users = [$other_uid]"
	exits 0 "another user instead of root"
	is "root may not ask any more" "$(curl -s -o /dev/null \
	    -w '%{http_code}' --unix-socket "$signd_sock" \
	    http://localhost/healthz)" 401
	is "nor by rpc" "$(rpc signer.info '{}' | rpc_code)" UNAUTHORIZED
	is "nor in a batch" "$(echo '[{"jsonrpc":"2.0","id":1,"method":
	    "signer.info"}]' | curl -s -o /dev/null -w '%{http_code}' \
	    --unix-socket "$signd_sock" -d @- http://localhost/rpc)" 401
	is "who is allowed may not reload" "$(reload_as $other_uid |
	    rpc_code)" UNAUTHORIZED
	sed 's/^\[security\]/&\nadmin_users = ["nobody"]/
	    s/^\[rpc\]/&\nallow_users = ["root", "nobody"]/' \
	    "$T/first.toml" >"$conf"
	exits 0 "but root may reload"
	nobody=$(id -u nobody)
	chmod 0644 "$conf"
	run as_uid "$nobody" "$bin/igractl" -f "$conf" reload
	has "an admin_user may not" "$out$err" "only root may reload"
	run as_uid "$nobody" "$bin/igractl" -f "$conf" lock
	is "a name in admin_users counts: he may lock" "$rc" 0
	cp "$T/first.toml" "$conf"
	chmod 0600 "$conf"
	exits 0 "back to the first"
	run "$PYTHON" -c '
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:4] + ["unlock"])
while b"assphrase" not in os.read(fd, 1024): pass
os.write(fd, sys.argv[4].encode() + b"\n")
try:
    while os.read(fd, 1024): pass
except OSError: pass
sys.exit(os.waitpid(pid, 0)[1] != 0)' "$bin/igractl" -f "$conf" "$PASS"
	is "unlocked again" "$rc" 0
	wait_for 20 is_ready
else
	skip "who may reload" "needs root"
fi

# --- the times of what is unlocked ---

edit "$conf" security 'secret_cache_ttl = 300'
exits 0 "a long time to live"
rpc pskt.sign "@$T/sign" >/dev/null
is "a key is cached" "$(ctl status -j | jq .keyd.cache_entries)" 1
edit "$conf" security 'secret_cache_ttl = 0'
exits 0 "none"
is "it is gone at once" "$(ctl status -j | jq .keyd.cache_entries)" 0
edit "$conf" security 'unlock_ttl = 1'
exits 0 "an end of the unlock"
wait_for 20 sh -c "[ \"\$(curl -s --unix-socket '$signd_sock' \
    http://localhost/readyz | jq .ready)\" = false ]"
is "locks what was unlocked before" "$(ctl status -j | jq .keyd.locked)" true
cp "$T/first.toml" "$conf"
exits 0 "back to the first"
unlock || exit 1

# --- many, under load ---

n=200
[ -z "${LONG-}" ] || n=1000
size()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

fds()
{
	ls "/proc/$1/fd" 2>/dev/null | wc -l
}

if [ ! -d /proc/self/fd ]; then
	skip "reloads under load" "no /proc"
	t_done
fi
# The same user reloads and asks, and both count.
edit "$T/a.toml" rpc 'rate_limit_rps = 10000\nrate_limit_burst = 10000'
sed 's/^\[policy\]$/&\nmax_fee_sompi = 2000000000/' "$T/a.toml" >"$T/b.toml"
cat "$T/a.toml" >"$conf"
exits 0 "a rate for many"
"$PYTHON" "$e2e/rpcload.py" "$signd_sock" "$T/sign" "$T/stop" >"$T/load" 2>&1 &
load=$!
also_kill $load
sleep 1
failed=0 i=0
while [ $i -lt $n ]; do
	[ $((i % 2)) -eq 0 ] && cat "$T/b.toml" >"$conf" ||
	    cat "$T/a.toml" >"$conf"
	ctl reload >"$T/out" 2>&1 || { failed=$((failed + 1)); cat "$T/out"; }
	i=$((i + 1))
	if [ $i -eq $((n / 2)) ]; then
		before="$(size $pid_keyd) $(size $pid_signd) $(size $pid_auditd)"
		fds_before="$(fds $pid_keyd) $(fds $pid_signd) $(fds $pid_auditd)"
	fi
done
after="$(size $pid_keyd) $(size $pid_signd) $(size $pid_auditd)"
fds_after="$(fds $pid_keyd) $(fds $pid_signd) $(fds $pid_auditd)"
is "$n reloads, none failed" "$failed" 0
touch "$T/stop"
wait $load
is "no request was dropped: $(jq -r .first "$T/load")" \
    "$(jq .failed "$T/load")" 0
check "and there were enough of them" jq -e '.answered > 50' "$T/load"
if ls "/proc/$pid_keyd/fd" >/dev/null 2>&1; then
	is "descriptors stay" "$fds_after" "$fds_before"
else
	skip "descriptors stay" "only root may look at an undumpable process"
fi
echo "# resident KiB after half of them: $before; after all: $after;" \
    "requests: $(jq .answered "$T/load")"
if grep -q __asan_init "$bin/igra-keyd"; then
	skip "memory stays" "AddressSanitizer keeps what is freed"
else
	is "memory stays, within 512 KiB" "$(echo "$before $after" |
	    awk '{ print ($4 - $1 < 512 && $5 - $2 < 512 && $6 - $3 < 512) }')" 1
fi
is "the chain holds" "$("$PYTHON" "$e2e/verify_chain.py" "$log" >/dev/null 2>&1
    echo $?)" 0
t_done
