#!/bin/bash
# What `make demo` shows: the signer's main job from an empty directory to a
# verified signature, with the programs that were just built.  Nothing outside
# a temporary directory is touched, and that is gone at the end.
. "${0%/*}/e2e/lib.sh"
t_init
PATH=$bin:$PATH
n_step=0

step()
{
	n_step=$((n_step + 1))
	printf '\n%d. %s\n\n' "$n_step" "$1"
}

say()
{
	local line
	for line; do
		printf '%s\n' "${line:+   $line}"
	done
}

# Paths as they look from the temporary directory and from the top.
short()
{
	sed "s|$T/||g; s|$top/||g; s|$PYTHON|python3|g"
}

# Shows a command as one would type it, runs it, indents what it prints.
show()
{
	local word line=
	for word; do
		case $word in
		*[!A-Za-z0-9_./:=,@+-]*)	line="$line '$word'" ;;
		*)				line="$line $word" ;;
		esac
	done
	printf '   $%s\n' "$line" | short
	"$@" 2>&1 | short | sed 's/^/     /'
	return "${PIPESTATUS[0]}"
}

die()
{
	printf '\ndemo: %s\n' "$1" >&2
	[ ! -s "$T/service.out" ] || cat "$T/service.out" >&2
	exit 1
}

# run_service: in the background, until end_service.
run_service()
{
	printf '   $ igra-service run -f igra.toml --passphrase-file pass &\n'
	ASAN_OPTIONS=$daemon_asan igra-service run -f "$conf" \
	    --passphrase-file "$T/pass" </dev/null >"$T/service.out" 2>&1 &
	service=$!
	also_kill $service
	wait_for 15 is_ready || die "the signer does not get ready"
	short <"$T/service.out" | sed 's/^/     /'
}

end_service()
{
	kill -TERM $service
	wait $service || die "igra-service ended with $?"
}

# sign PARAMS: the request as curl sends it; the answer is in answer.json.
sign()
{
	rpc pskt.sign "@$1" >"$T/answer.json"
	jq -e '.result' "$T/answer.json" >"$T/result.json" ||
	    die "not signed: $(cat "$T/answer.json")"
}

verify()
{
	show "$PYTHON" "$e2e/sighash.py" check "$T/result.json" ||
	    die "a signature is not valid"
}

if [ "$(id -u)" -eq 0 ]; then
	who="uids $auditd_uid, $keyd_uid and $signd_uid"
else
	who="your own user, since only root can give them others"
fi
cat <<-END
Igra signer: one host, one signer of a Kaspa multisig.

  coordinator --> igra-signd --> igra-keyd --> igra-auditd --> key-audit.log
                  no keys        the keys      append only

Devnet, in a temporary directory.  The daemons run as $who.
END

# --- a signer with a key of its own ---

step "An encrypted secrets file with one private key"
key=$(vector ins2-outs1-mixed1 | jq -r .single_private_key)
mk_conf
printf '%s\n' "$key" >"$T/key"
chmod 0600 "$T/key"
show secrets-admin --network devnet --path "$secrets" \
    --passphrase-file "$T/pass" init --argon2 8192,1,1 || die "init failed"
show secrets-admin --network devnet --path "$secrets" \
    --passphrase-file "$T/pass" set --hex --value-file "$T/key" \
    igra.signer.private_key_signer-01 || die "set failed"
rm "$T/key"
show secrets-admin --network devnet --path "$secrets" \
    --passphrase-file "$T/pass" list || die "list failed"

step "Three daemons, unlocked"
run_service
show igractl -f "$conf" status || die "no status"

step "A PSKT from a Kaspa wallet (rusty-kaspa), signed"
vector ins2-outs1-mixed1 | sign_params |
    jq -c '. + {request_id: "demo-1", reason: "the demo"}' >"$T/params.json"
say "Two coins, one of a multisig that is not ours, one of our key:" ""
jq -r '.pskt.inputs | to_entries[] | "   input \(.key)  \(
    .value.utxoEntry.amount) sompi  \(.value.utxoEntry.scriptPublicKey)"' \
    "$T/params.json"
echo
say '$ curl --unix-socket signd.sock -d @request.json http://localhost/rpc'
sign "$T/params.json"
jq '{transaction_id, request_id, signatures, audit}' "$T/result.json" |
    sed 's/^/     /'

step "Is it valid?  Sighash and BIP340 by code that shares none of ours"
verify
want=$(vector ins2-outs1-mixed1 | jq -r .transaction_id)
[ "$(jq -r .transaction_id "$T/result.json")" = "$want" ] ||
    die "another transaction than rusty-kaspa's"
say "" "and the transaction id is the one that rusty-kaspa computes."

step "Every access to the key is on record, chained by hashes"
show jq -c 'select(.event_type == "SecretAccess" or .event_type == "Signing")
    | {seq, event_type, result, request_id, key_ref, secret_name, tx_id,
    duration_ms} | with_entries(select(.value != null))' "$log"
printf '   $ jq %s key-audit.log | jq -s add/length\n' \
    "'select(.event_type == \"Signing\") | .duration_ms'"
jq 'select(.event_type == "Signing") | .duration_ms' "$log" |
    jq -s 'add/length' | sed 's/$/ ms for a signature, durable on disk/' |
    sed 's/^/     /'

step "Locked, nothing is signed"
show igractl -f "$conf" lock || die "lock failed"
rpc pskt.sign "@$T/params.json" >"$T/answer.json"
jq -c .error "$T/answer.json" | sed 's/^/     /'
[ "$(rpc_code <"$T/answer.json")" = LOCKED ] || die "not LOCKED"
end_service
say "" "All three stopped; the log ends with:"
tail -n 2 "$log" | jq -c '{seq, event_type, source}' | sed 's/^/     /'

# --- 2 of 3 ---

step "A new 2-of-3 group"
rm -f "$secrets" "$secrets.lock" "$T/keyd/state"
printf '   $ devnet-keygen --num-signers 3 --threshold-m 2 --format both\n'
devnet-keygen --num-signers 3 --threshold-m 2 --format both \
    --output "$secrets" --passphrase-file "$T/pass" --argon2 8192,1,1 \
    >"$T/group.json" 2>"$T/run.err" || die "$(cat "$T/run.err")"
chmod 0600 "$T/group.json"
jq '{multisig_address, redeem_script_hex, member_pubkeys, group_id}' \
    "$T/group.json" | sed 's/^/     /'
redeem=$(jq -r .redeem_script_hex "$T/group.json")
KEY_TYPE=hd_mnemonic
CONF_PSKT="redeem_script_hex = \"$redeem\""
mk_conf
run_service

step "The same wallet's PSKT, spending three coins of the group"
vector ins3-outs2-ms1 | jq .pskt >"$T/doc.json"
"$PYTHON" "$e2e/sighash.py" respend "$T/doc.json" "$redeem" >"$T/pskt.json" ||
    die "no PSKT"
for signer in signer-01 signer-02; do
	say "" "$signer signs:"
	jq -c --arg p $signer '{pskt: ., profile: $p}' "$T/pskt.json" \
	    >"$T/params.json"
	sign "$T/params.json"
	verify
	jq .pskt "$T/result.json" >"$T/pskt.json"
done
say "" "Signatures in the document, by input (two are needed):"
jq -c '[.inputs[].partialSigs | length]' "$T/pskt.json" | sed 's/^/     /'
[ "$(jq -c '[.inputs[].partialSigs | length]' "$T/pskt.json")" = "[2,2,2]" ] ||
    die "signatures are missing"
end_service
printf '\nDone.\n'
