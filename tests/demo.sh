#!/bin/bash
# What `make demo` shows: three complete signers of a 2-of-3 multisig, from an
# empty directory to the transaction that a node takes, with the programs that
# were just built.  Nothing outside a temporary directory is touched, and that
# is gone at the end.
. "${0%/*}/e2e/lib.sh"
. "${0%/*}/e2e/group.bash"
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
	sed "s|$group/||g; s|$top/||g; s|$PYTHON|python3|g"
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
	cat "$group"/signer-0?/service.out >&2 2>/dev/null
	exit 1
}

# run_service N: in the background.
run_service()
{
	group_use $1
	ASAN_OPTIONS=$daemon_asan igra-service run -f "$conf" \
	    --passphrase-file "$T/pass" </dev/null >"$T/service.out" 2>&1 &
	service[$1]=$!
	also_kill ${service[$1]}
	group_leave
}

await_service()
{
	group_use $1
	wait_for 15 is_ready || die "signer $1 does not get ready"
	group_leave
}

end_service()
{
	kill -TERM ${service[$1]}
	wait ${service[$1]} || die "igra-service ended with $?"
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

Here three of them, 2-of-3, on devnet, in a temporary directory.  Their daemons
run as $who.
END

# --- three signers ---

step "Keys for three signers, each with an encrypted secrets file"
printf '   $ devnet-keygen --num-signers 3 --threshold-m 2 --format file-per-signer\n'
KEY_TYPE=hd_mnemonic
group_make || die "no keys"
jq '{multisig_address, redeem_script_hex, member_pubkeys, group_id}' \
    "$group/group.json" | sed 's/^/     /'
show secrets-admin --network devnet --path "$group/signer-01/secrets.bin" \
    --passphrase-file "$group/pass" list || die "list failed"

step "Three times three daemons, unlocked"
for n in 1 2 3; do
	printf '   $ igra-service run -f signer-0%d/igra.toml --passphrase-file pass &\n' $n
	run_service $n
done
for n in 1 2 3; do
	await_service $n
done
short <"$group/signer-01/service.out" | sed 's/^/     /'
show igractl -f "$group/signer-01/igra.toml" status || die "no status"

# --- one signature ---

step "A PSKT from a Kaspa wallet (rusty-kaspa), spending three coins of theirs"
vector ins3-outs2-ms1 | jq .pskt >"$T/doc.json"
"$PYTHON" "$e2e/sighash.py" respend "$T/doc.json" "$redeem" >"$T/pskt.json" ||
    die "no PSKT"
jq -r '.inputs | to_entries[] | "   input \(.key)  \(
    .value.utxoEntry.amount) sompi  \(.value.utxoEntry.scriptPublicKey)"' \
    "$T/pskt.json"

step "One signer, asked with curl"
say '$ curl --unix-socket signer-01/run/igra-signd/signd.sock -d @request.json \' \
    '    http://localhost/rpc'
jq -c '{pskt: ., request_id: "demo-1", reason: "the demo"}' "$T/pskt.json" \
    >"$T/params.json"
group_use 1
rpc pskt.sign "@$group/params.json" >"$group/answer.json"
group_leave
jq -e .result "$T/answer.json" >"$T/result.json" ||
    die "not signed: $(cat "$T/answer.json")"
jq '{transaction_id, request_id, signatures: [.signatures[0], "..."], audit}' \
    "$T/result.json" | sed 's/^/     /'
say "" "Is it valid?  Sighash and BIP340 by code that shares none of ours:"
show "$PYTHON" "$e2e/sighash.py" check "$T/result.json" ||
    die "a signature is not valid"
want=$(vector ins3-outs2-ms1 | jq -r .transaction_id)
[ "$(jq -r .transaction_id "$T/result.json")" = "$want" ] ||
    die "another transaction than rusty-kaspa's"
say "and the transaction id is the one that rusty-kaspa computes."

# --- m of n ---

step "Signer 2 goes down half-way; igra-coord asks all three"
end_service 2
show igra-coord sign -f "$group/signer-01/igra.toml" \
    --signer "$group_sock1" --signer "$group_sock2" --signer "$group_sock3" \
    --pskt "$T/pskt.json" --witness "$T/witness.json" \
    --reason "the demo" --request-id demo-2 --out "$T/transaction.json" ||
    die "igra-coord: no transaction"
say "" "Two signatures are enough.  What a node takes:"
jq '.transaction | {version, inputs: [(.inputs[0] | {previousOutpoint,
    signatureScript: (.signatureScript[:48] + "..."), sequence, sigOpCount}),
    "..."], outputs: (.outputs | map({value, scriptPublicKey})), lockTime,
    mass}' "$T/transaction.json" | sed 's/^/     /'

step "Is it valid?  Again by code that shares none of ours"
show "$PYTHON" "$e2e/checktx.py" "$T/pskt.json" "$T/transaction.json" ||
    die "the transaction is not valid"

# --- what is on record ---

step "Every access to the key is on record, chained by hashes"
show jq -c 'select(.event_type == "SecretAccess" or .event_type == "Signing")
    | {seq, event_type, result, request_id, key_ref, secret_name, tx_id,
    duration_ms} | with_entries(select(.value != null))' \
    "$group/signer-01/log/key-audit.log"
printf '   $ jq %s key-audit.log | jq -s add/length\n' \
    "'select(.event_type == \"Signing\") | .duration_ms'"
jq 'select(.event_type == "Signing") | .duration_ms' \
    "$group"/signer-0?/log/key-audit.log | jq -s 'add/length' |
    sed 's/$/ ms for a signature, durable on disk/; s/^/     /'
say "" "The coordinator keeps the head of each log, which none can take back:"
show jq -c '.signers | map_values(.head |= .[:16] + "...")' "$T/witness.json"

step "Locked, nothing is signed"
show igractl -f "$group/signer-01/igra.toml" lock || die "lock failed"
show igra-coord sign -f "$group/signer-01/igra.toml" \
    --signer "$group_sock1" --signer "$group_sock3" --pskt "$T/pskt.json"
[ $? -eq 1 ] || die "two signatures from one signer"

step "All stopped; the logs"
end_service 1
end_service 3
say "The first key of each was noted when it was set up; the head of signer 1's" \
    "is the coordinator's:" ""
for n in 1 2 3; do
	origin=$(sed -n 's/^igra-auditd: checkpoints: origin //p' \
	    "$group/signer-0$n/service.out")
	set -- --pub "$origin"
	if [ $n = 1 ]; then
		head=$(jq -r --arg key "$(jq -r '.signatures[0].public_key' \
		    "$T/result.json")" '.signers[$key] | "\(.seq):\(.head)"' \
		    "$T/witness.json")
		set -- "$@" --anchor "$head"
	else
		set -- "$@" -q
	fi
	show igra-audit verify "$@" \
	    --log "$group/signer-0$n/log/key-audit.log" ||
	    die "the log of signer $n"
done
printf '\nDone.\n'
