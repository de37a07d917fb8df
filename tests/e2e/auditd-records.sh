#!/bin/bash
# Everything is recorded, bounded, and without a secret in it.
. "${0%/*}/lib.sh"
t_init

case0=$(jq -c '.[0]' "$vectors/pskt.json")
key=$(jq -r .single_private_key <<<"$case0")
jq -c '{pskt: .pskt, request_id: "records-1", reason: "rent"}' <<<"$case0" \
    >"$T/params"
phrase=$(jq -r '.[0].phrase' "$vectors/hd.json")
token='a-token-that-nobody-may-see'
wallet='a wallet secret, 17 long'
payment='a payment secret'
CONF_AUDIT='checkpoint_interval = 1
reserve_bytes = 1048576'
CONF_SECURITY='secret_cache_ttl = 3
admin_users = []'
mk_conf
mk_secrets "signer-01=$key"
sa()
{
	secrets_admin --config "$conf" "$@" >>"$T/sa.out" 2>&1
}

count()
{
	cat "$T"/log/key-audit*.log | jq -r "select($1) | .seq" | wc -l
}

sign()
{
	rpc pskt.sign "@$T/params" |
	    jq -r '.error.data.code // (if .result then "signed" else "?" end)'
}

seen()
{
	[ "$(count "$1")" -ge 1 ]
}

nothing_cached()
{
	[ "$(ctl status -j | jq .keyd.cache_entries)" = 0 ]
}

# recorded WHAT JQ: at least once.
recorded()
{
	if [ "$(count "$2")" -ge 1 ]; then ok "recorded: $1"; else
		not_ok "recorded: $1" "$2"; fi
}

# --- a day in the life of a signer ---
start auditd || exit 1
printf '%s\n' "$wallet" | sa set igra.hd.wallet_secret
printf '%s\n' "$phrase" | sa set igra.signer.mnemonic_signer-02
printf '%s\n' "$payment" | sa set igra.signer.payment_secret_signer-02
printf '%s\n' "${key//[0-9]/7}" | sa set --hex igra.signer.private_key_signer-03
printf '%s\n' "${key//[0-9]/8}" | sa set --hex igra.signer.private_key_signer-03
sa remove igra.signer.private_key_signer-03
start keyd && start signd || exit 1
printf 'not the passphrase of it\n' >"$T/wrong"
chmod 600 "$T/wrong"
ctl unlock --passphrase-file "$T/wrong" >/dev/null 2>&1
sleep 1.2
unlock || not_ok "unlock"
is "signs" "$(sign)" signed
rpc key.list >/dev/null
rpc key.public >/dev/null
# And the time of what was used last.
wait_for 20 nothing_cached || not_ok "evicted"
is "signs when nothing is cached" "$(sign)" signed
is "signs again" "$(sign)" signed
rpc pskt.sign '{"pskt": {}}' >/dev/null
rpc pskt.sign "$(jq -c '. + {profile: "signer-77"}' "$T/params")" >/dev/null
if [ "$(id -u)" -eq 0 ]; then
	as_uid $other_uid curl -s --unix-socket "$signd_sock" \
	    http://localhost/healthz >/dev/null 2>&1
fi
ctl audit rotate >/dev/null
chmod 644 "$log"
wait_for 20 seen '.alert == "loose log mode"'
chmod 600 "$log"

# --- a flood of bad requests ---
seq=$(ctl status -j | jq .auditd.seq)
commits=$(ctl status -j | jq .auditd.commits)
SECONDS=0 i=0
while [ $i -lt 20 ]; do
	jq -nc '[range(100) | {jsonrpc: "2.0", id: ., method: "pskt.sign",
	    params: {pskt: "PSKT00"}}]' | curl -s --unix-socket "$signd_sock" \
	    --data-binary @- http://localhost/rpc >"$T/flood"
	i=$((i + 1))
done
sleep 0.3
flood=$(count ".seq > $seq and .event_type == \"RequestRejected\"")
if [ "$flood" -le 20 ]; then ok "2,000 bad requests: $flood records"; else
	not_ok "2,000 bad requests are bounded" "$flood records"; fi
commits=$(($(ctl status -j | jq .auditd.commits) - commits))
# A checkpoint a second is among them.
if [ $commits -le $((30 + SECONDS)) ]; then ok "and $commits syncs"; else
	not_ok "they cost no sync each" "$commits syncs"; fi
ctl lock >/dev/null
is "locked" "$(sign)" LOCKED
stop_all
is "what was left out is counted" "$(cat "$T"/log/key-audit*.log | jq -s "
    map(select(.seq > $seq and .event_type == \"RequestRejected\") |
    .suppressed // 1) | add >= 2000")" true

# --- what must be there ---
recorded "an access that was not cached" '.event_type == "SecretAccess" and
    .operation == "Get" and .cached == false'
recorded "an access that was" '.event_type == "SecretAccess" and .cached'
recorded "a list" '.event_type == "SecretAccess" and .operation == "List"'
is "recorded: a signature is two" "$(cat "$T"/log/key-audit*.log | jq -r '
    select(.request_id == "records-1" and .result == "Success") |
    .event_type' | sort | uniq -c | awk '{ print $1 " " $2 }' | paste -sd,)" \
    "3 SecretAccess,3 Signing"
recorded "the reason" '.event_type == "Signing" and .reason == "rent"'
recorded "a public key" '.event_type == "PublicKey"'
recorded "a failed unlock" '.event_type == "Unlock" and .result == "Failure"'
recorded "an unlock" '.event_type == "Unlock" and .result == "Success"'
recorded "a lock" '.event_type == "Lock"'
recorded "an eviction" '.event_type == "CacheEvicted"'
recorded "a refusal of signd's" '.event_type == "RequestRejected" and
    .source == "signd"'
recorded "a refusal of keyd's" '.event_type == "RequestRejected" and
    .source == "keyd"'
if [ "$(id -u)" -eq 0 ]; then
	recorded "a stranger" ".event_type == \"PeerRejected\" and
	    .peer_uid == $other_uid"
fi
hash=$("$PYTHON" -c 'import hashlib, sys
print(hashlib.blake2b(open(sys.argv[1], "rb").read(), digest_size=32).hexdigest())' \
    "$conf")
for d in keyd signd auditd; do
	recorded "$d's start" ".event_type == \"ServiceStarted\" and
	    .source == \"$d\" and .program == \"igra-$d\""
	recorded "$d's stop" ".event_type == \"ServiceStopped\" and
	    .source == \"$d\""
	recorded "$d's config by its hash" ".event_type == \"ConfigLoaded\" and
	    .source == \"$d\" and .config_hash == \"$hash\""
done
for o in Created Rotated Deleted; do
	recorded "a key is $o, by whom the kernel says" \
	    ".event_type == \"KeyLifecycle\" and .operation == \"$o\" and
	    .operator == $(id -u)"
done
recorded "a secret is set" '.event_type == "SecretAccess" and
    .operation == "Set" and .secret_name == "igra.hd.wallet_secret"'
recorded "and removed" '.event_type == "SecretAccess" and
    .operation == "Remove"'
recorded "an alert" '.event_type == "SecurityAlert"'
recorded "a rotation" '.event_type == "LogRotated"'
recorded "a checkpoint" '.event_type == "Checkpoint"'
check "the chain holds" "$PYTHON" "$e2e/verify_chain.py" -1 "$log"

# --- the alerts of the code are those of the page ---
sed -n '/static const char	\*names\[BITS\] = {/,/^};/p' \
    "$top/auditd/tamper.c" | sed -n 's/^	"\(.*\)",$/\1/p' >"$T/alerts"
sed -n 's/.*\(FIELD_ALERT, \|logfile_finding(lf, \|alert = \)"\([^"]*\)".*/\2/p' \
    "$top"/auditd/*.c "$top"/keyd/*.c | sort -u >>"$T/alerts"
grep '^\.It ' "$top/man/igra-audit-log.5" | sed 's/^\.It //' |
    sed 's/ , /\n/g' | sort >"$T/items"
is "igra-audit-log(5) has each of $(wc -l <"$T/alerts") alerts" \
    "$(sort -u "$T/alerts" | comm -23 - "$T/items")" ""

# --- no secret is in it ---
cat >"$T/search.py" <<'PY'
"""usage: search.py DIR STATE < secrets, one a line; "hex:" before hex ones."""
import base64, glob, re, sys
log = b"".join(open(f, "rb").read() for f in glob.glob(sys.argv[1] + "/*")
               if "checkpoint.state" not in f and "audit.reserve" not in f)
secrets = [l.rstrip("\n") for l in sys.stdin]
secrets = [bytes.fromhex(s[4:]) if s.startswith("hex:") else s.encode()
           for s in secrets]
state = open(sys.argv[2], "rb").read()
secrets += [state[i + 16:i + 48] for i in (0, 4096) if any(state[i:i + 8])]
def forms(s):
    yield s
    yield s.hex().encode()
    yield s.hex().upper().encode()
    yield s[::-1].hex().encode()
    # Wherever it begins in what was encoded, all but its ends is the same.
    for pad in range(3):
        for alt in (base64.b64encode, base64.urlsafe_b64encode):
            text = alt(bytes(pad) + s).rstrip(b"=")
            yield text[4 if pad else 0:len(text) - 1]
found = [s for s in secrets for f in forms(s) if len(f) >= 8 and f in log]
# The search finds what is there, or it proves nothing.
probe = b"records-1"
assert any(f in log for f in forms(probe))
assert len(secrets) >= int(sys.argv[3])
print(len(found))
PY
{
	printf '%s\n' "$PASS" 'not the passphrase of it' "$wallet" "$payment" \
	    "$phrase" "hex:$key" "hex:${key//[0-9]/7}" "hex:${key//[0-9]/8}"
	jq -r '.[0].seed, (.[0].keys[].private_key) | "hex:" + .' \
	    "$vectors/hd.json"
	jq -r '.[0].kprv' "$vectors/hd.json"
	for w in $phrase; do :; done
	echo "$phrase" | cut -d' ' -f1-3
} >"$T/all"
is "no secret is in the log: raw, hex or base64" "$("$PYTHON" "$T/search.py" \
    "$T/log" "$T/log/checkpoint.state" 15 <"$T/all")" 0
t_done
