#!/bin/bash
# From a node's UTXOs to the transaction that it takes: created, signed by
# three signers on their own, combined, finalized, extracted.  The scripts are
# run by another program, in Python.
. "${0%/*}/lib.sh"
t_init
life="$PYTHON $e2e/script_run.py"

case=$(jq -c '[.[] | select(.m == 2 and .n == 3)][0]' "$vectors/multisig.json")
redeem=$(jq -r .redeem_script <<<"$case")
address=$(jq -r .addresses.devnet <<<"$case")
spk=$(jq -r .script_public_key <<<"$case")
payee=$(jq -r '[.[] | select(.n == 1)][0].addresses.devnet' \
    "$vectors/multisig.json")
CONF_PSKT="redeem_script_hex = \"$redeem\""
mk_conf
# shellcheck disable=SC2046
mk_secrets $(jq -r '.private_keys | to_entries[] |
    "signer-0\(.key + 1)=\(.value)"' <<<"$case") || exit 1
start_all || exit 1

# utxos N AMOUNT: as getUtxosByAddresses shows them.
utxos()
{
	jq -nc --arg address "$address" --arg spk "$spk" --argjson n "$1" \
	    --argjson amount "$2" '[range($n) | {address: $address,
	    outpoint: {transactionId: ("ab" * 32), index: .},
	    utxoEntry: {amount: ($amount + .), scriptPublicKey: $spk,
	    blockDaaScore: 1000, isCoinbase: false}}]'
}
# create UTXOS AMOUNT [FILTER]: the answer
create()
{
	jq -nc --argjson utxos "$1" --argjson amount "$2" --arg payee "$payee" \
	    --arg change "$address" '{utxos: $utxos, outputs: [{address: $payee,
	    amount: $amount}], change_address: $change, fee_rate: 100} |
	    '"${3-.}" >"$T/create.json"
	rpc pskt.create "@$T/create.json"
}
# error ANSWER
error()
{
	jq -r '"\(.error.data.code): \(.error.message)"' <<<"$1"
}
ask()
{
	printf '{"pskt":"%s"%s}' "$2" "${3-}" >"$T/ask.json"
	rpc "$1" "@$T/ask.json"
}
# combine HEX…
combine()
{
	printf '%s\n' "$@" | jq -Rnc '{pskts: [inputs]}' >"$T/combine.json"
	rpc pskt.combine "@$T/combine.json"
}

# --- while locked, and without igra-keyd ---

answer=$(create "$(utxos 3 1000000000)" 2500000000)
pskt=$(jq -r .result.pskt <<<"$answer")
is "created: three inputs, the payment and change" "$(jq -c '.result |
    [(.pskt | .[0:4]), .fee, .change, [.transactions[] | [.inputs, .outputs]]]' \
    <<<"$answer")" '["PSKT",1080400,498919603,[[3,2]]]'
is "inspect agrees" "$(ask pskt.inspect "$pskt" | jq -c '.result.pskts[0] |
    [.fee, .fee_rate, .inputs[0].own, [.outputs[].change], .warnings]')" \
    '[1080400,100,true,[false,true],[]]'
bundle=$(create "$(utxos 60 100000000)" 5500000000)
is "too heavy for one: a bundle, each spends the change before" \
    "$(jq -c '.result | [(.pskt | .[0:4]), [.transactions[] |
    [.inputs, .outputs]], .fee == ([.transactions[].fee] | add)]' \
    <<<"$bundle")" '["PSKB",[[30,1],[27,2]],true]'

is "too little: how much is missing" "$(error "$(create \
    "$(utxos 1 1000000000)" 2500000000)")" "INVALID_PARAMS: params.utxos: $(
    )1500380500 sompi are missing: they hold 1000000000, outputs take $(
    )2500000000 and the fee 380500"
is "another network's address" "$(error "$(create "$(utxos 1 1000000000)" \
    25000000 '.outputs[0].address = "'"$(jq -r .addresses.mainnet \
    <<<"$case")"'"')")" "INVALID_PARAMS: params.outputs[0].address: an $(
    )address of mainnet, not of devnet"
is "a fee rate that is no integer" "$(error "$(create \
    "$(utxos 1 1000000000)" 25000000 '.fee_rate = 1.5')")" \
    "INVALID_PARAMS: params.fee_rate: must be a plain integer from 0 to 1000000"
is "no parameters" "$(error "$(rpc pskt.create)")" \
    "INVALID_PARAMS: params.utxos: missing"
is "a parameter that there is not" "$(error "$(create \
    "$(utxos 1 1000000000)" 25000000 '.fee = 1')")" \
    "INVALID_PARAMS: params: fee is not a parameter of this method"
is "a covenant's UTXO" "$(error "$(create "$(utxos 1 1000000000)" 25000000 \
    '.utxos[0].utxoEntry.covenantId = "00" * 32')" | cut -c1-55)" \
    "UNSUPPORTED: utxos[0].utxoEntry.covenantId: transaction"

# --- three signers, each with the unsigned one ---

unlock || exit 1
for what in pskt bundle; do
	unsigned=$pskt
	[ $what = pskt ] || unsigned=$(jq -r .result.pskt <<<"$bundle")
	for i in 1 2 3; do
		answer=$(ask pskt.sign "$unsigned" ",\"profile\":\"signer-0$i\"")
		printf -v "s$i" %s "$(jq -r .result.pskt <<<"$answer")"
	done
	is "$what: one signature is not enough" "$(error \
	    "$(ask pskt.finalize "$s2")" | cut -c1-40)" \
	    "INVALID_PSKT: inputs[0]: 1 of 2 signatur"
	answer=$(combine "$s3" "$unsigned" "$s1")
	both=$(jq -r .result.pskt <<<"$answer")
	is "$what: two of three combined" "$(ask pskt.inspect "$both" |
	    jq -r '.result.pskts[].state' | sort -u)" complete
	is "$what: combined again it is the same" \
	    "$(combine "$both" "$s1" "$s3" | jq -r .result.pskt)" "$both"
	answer=$(combine "$both" "$s2")
	is "$what: and the third" "$(ask pskt.inspect \
	    "$(jq -r .result.pskt <<<"$answer")" |
	    jq -c '[.result.pskts[].inputs[].valid] | unique')" '[3]'
	final=$(ask pskt.finalize "$both" | jq -r .result.pskt)
	printf '{"jsonrpc":"2.0","id":1,"method":"pskt.extract","params":{"pskt":"%s"}}' \
	    "$final" | curl -s --unix-socket "$signd_sock" --data-binary @- \
	    http://localhost/rpc | "$PYTHON" -c 'import json, sys
r = json.load(sys.stdin)["result"]["submit"]
for i, s in enumerate(r if isinstance(r, list) else [r]):
    json.dump(s, open("%s%d.json" % (sys.argv[1], i), "w"))' "$T/$what"
done
# docs HEX: each document of it on a line
docs()
{
	"$PYTHON" -c 'import json, sys
d = json.loads(bytes.fromhex(sys.argv[1][4:]))
for x in d if isinstance(d, list) else [d]:
    print(json.dumps(x))' "$1"
}
docs "$pskt" >"$T/doc"
run $life run "$T/pskt0.json" "$T/doc"
is "another program runs its scripts, and has its id" "$out$err" \
    "$(ask pskt.inspect "$pskt" | jq -r '.result.pskts[0].transaction_id')"
ids=$(jq -r '.result.transactions[].transaction_id' <<<"$bundle")
docs "$(jq -r .result.pskt <<<"$bundle")" | split -l 1 - "$T/doc."
i=0
for f in "$T"/doc.*; do
	run $life run "$T/bundle$i.json" "$f"
	is "bundle: and of its transaction $i" "$out$err" \
	    "$(sed -n "$((i + 1))p" <<<"$ids")"
	i=$((i + 1))
done

# --- igra-pskt says the same, offline ---

pt=$bin/igra-pskt
create "$(utxos 60 100000000)" 5500000000 >/dev/null
is "igra-pskt create" "$("$pt" create --network devnet --redeem "$redeem" \
    "$T/create.json")" "$unsigned"
for i in 1 2 3; do
	_s=s$i
	printf '%s\n' "${!_s}" >"$T/signer-0$i.pskt"
done
printf '%s\n' "$unsigned" >"$T/unsigned"
is "igra-pskt combine" "$("$pt" combine "$T/signer-03.pskt" "$T/unsigned" \
    "$T/signer-01.pskt")" "$both"
is "igra-pskt finalize" "$("$pt" finalize <<<"$both")" "$final"
is "igra-pskt extract" "$("$pt" extract <<<"$final" | "$PYTHON" -c '
import json, sys
got = json.load(sys.stdin)
print(all(g == json.load(open("%s%d.json" % (sys.argv[1], i)))
    for i, g in enumerate(got)), len(got))' "$T/bundle")" "True 2"
is "igra-pskt inspect" "$("$pt" inspect -j -f "$conf" <<<"$final" |
    jq -c '[.pskts[].state]')" '["final","final"]'

# The manual's examples.
utxos 3 1000000000 | jq -c '{entries: .}' >"$T/utxos.json"
awk -v out="$T/example" '/^\.Bd -literal/ { n++; on = 1; next }
    /^\.Ed/ { on = 0 } on { print > (out n) }' "$top/man/igra-pskt.1"
for f in "$T"/example?; do
	run env -C "$T" PATH="$bin:$PATH" PAYEE="$payee" CHANGE="$address" \
	    REDEEM="$redeem" bash -eu -o pipefail "$f"
	is "manual: ${f##*/}" "$rc$err" 0
done
is "manual: what is submitted" "$(jq length "$T/submit.json")" 2

# --- what cannot be combined ---

other=$(create "$(utxos 3 1000000000)" 2400000000 | jq -r .result.pskt)
is "another transaction" "$(error "$(combine "$pskt" "$other")")" \
    "INVALID_PSKT: outputs[0].amount: differs between documents 0 and 1"
is "a bundle and none" "$(error "$(combine "$pskt" \
    "$(jq -r .result.pskt <<<"$bundle")")")" \
    "INVALID_PSKT: a bundle and a single PSKT"
is "one that is none" "$(error "$(combine "$pskt" PSKT00)" | cut -c1-24)" \
    "INVALID_PSKT: pskts[1]: "
is "no documents" "$(error "$(rpc pskt.combine '{"pskts": []}')")" \
    "INVALID_PARAMS: params.pskts: must be an array of 1 to 100 documents"

t_done
