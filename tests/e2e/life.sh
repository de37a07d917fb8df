#!/bin/bash
# A PSKT from unsigned to the transaction that a node takes: 2 of 3, with
# three keys.  The scripts are run by another program, in Python; wrong
# documents are refused, and heavy ones keep nobody waiting.
. "${0%/*}/lib.sh"
t_init
life="$PYTHON $e2e/script_run.py"

case=$(vector ins2-outs1-seqnull1-ms1)
id=$(jq -r .transaction_id <<<"$case")
mk_conf
CONF_PSKT="redeem_script_hex = \"$(jq -r '.pskt.inputs[0].redeemScript' \
    <<<"$case")\""
mk_conf
# signer-01 is the first key of the script (DESIGN 9).
redeem=$(jq -r '.pskt.inputs[0].redeemScript' <<<"$case")
keys=$(jq -r '.multisig_private_keys[]' <<<"$case" | while read -r k; do
	x=$(PYTHONPATH=$e2e "$PYTHON" -c 'import bip340, sys
print(bip340.pubkey(bytes.fromhex(sys.argv[1])).hex()[2:])' "$k")
	at=${redeem%%"$x"*}
	echo "${#at} $k"
done | sort -n | awk '{ printf "signer-%02d=%s\n", NR, $2 }')
# shellcheck disable=SC2086
mk_secrets $keys || exit 1
start_all || exit 1
jq .pskt <<<"$case" >"$T/pskt.json"
# null sequences become 2^64 - 1, which jq would round: the hex form.
unsigned=$("$PYTHON" -c 'import json, sys
# As it stands in the file, jq rounds.
d = [c for c in json.load(open(sys.argv[1])) if c["name"] == sys.argv[2]][0]
print("PSKT" + json.dumps(d["pskt"]).encode().hex())' \
    "$vectors/pskt.json" ins2-outs1-seqnull1-ms1)

# ask METHOD HEX [MORE]: the answer
ask()
{
	printf '{"pskt":"%s"%s}' "$2" "${3-}" >"$T/ask.json"
	rpc "$1" "@$T/ask.json"
}
# edit HEX CODE: the document, d, changed
edit()
{
	$life edit "$1" "$2"
}
state()
{
	ask pskt.inspect "$1" | jq -r '.result.pskts[0] |
	    "\(.state) \(.missing_signatures) " +
	    ([.inputs[0].keys[].signature] | join(","))'
}
# refused WHAT METHOD HEX CODE MESSAGE
refused()
{
	is "$1" "$(ask "$2" "$3" | jq -r '"\(.error.data.code): \(.error.message)"')" \
	    "$4: $5"
}

# --- from unsigned to extracted ---

is "unsigned, before any unlock" "$(state "$unsigned")" \
    "unsigned 4 missing,missing,missing"
refused "finalize: nobody has signed" pskt.finalize "$unsigned" INVALID_PSKT \
    "inputs[0]: 0 of 2 signatures"
unlock || exit 1
one=$(ask pskt.sign "$unsigned" | jq -r .result.pskt)
is "signer-01 has signed" "$(state "$one")" "partial 2 valid,missing,missing"
refused "finalize: one of two" pskt.finalize "$one" INVALID_PSKT \
    "inputs[0]: 1 of 2 signatures"
two=$(ask pskt.sign "$one" ',"profile":"signer-03"' | jq -r .result.pskt)
is "signer-03 has signed" "$(state "$two")" "complete 0 valid,missing,valid"
three=$(ask pskt.sign "$two" ',"profile":"signer-02"' | jq -r .result.pskt)
is "all have signed" "$(state "$three")" "complete 0 valid,valid,valid"
# Other coins: those are signed for already.
few_ops=$(edit "$unsigned" 'for i in d["inputs"]:
	i["sigOpCount"] = 2
	i["previousOutpoint"]["index"] += 1000')
few_ops=$(ask pskt.sign "$few_ops" | jq -r .result.pskt)
few_ops=$(ask pskt.sign "$few_ops" ',"profile":"signer-03"' |
    jq -r .result.pskt)

check "locked: the rest takes no key" ctl lock
stop keyd

for who in two three; do
	answer=$(ask pskt.finalize "${!who}")
	final=$(jq -r .result.pskt <<<"$answer")
	is "$who: finalize tells the transaction id" \
	    "$(jq -r .result.transaction_id <<<"$answer")" "$id"
	is "$who: and writes it into the document" "$(printf '%s' "${final#PSKT}" |
	    "$PYTHON" -c 'import json, sys
d = json.loads(bytes.fromhex(sys.stdin.read()))
print(d["global"]["id"], [i["sequence"] for i in d["inputs"]])')" \
	    "$id [18446744073709551615, 18446744073709551615]"
	is "$who: final" "$(state "$final" | cut -d' ' -f1,2)" "final 0"
	is "$who: finalized again it is the same" \
	    "$(ask pskt.finalize "$final" | jq -r .result.pskt)" "$final"
	# Not through jq, which rounds.
	printf '{"jsonrpc":"2.0","id":1,"method":"pskt.extract","params":{"pskt":"%s"}}' \
	    "$final" | curl -s --unix-socket "$signd_sock" --data-binary @- \
	    http://localhost/rpc | "$PYTHON" -c 'import json, sys
json.dump(json.load(sys.stdin)["result"]["submit"], sys.stdout)' \
	    >"$T/submit.json"
	run $life run "$T/submit.json" "$T/pskt.json"
	is "$who: another program runs its scripts, and has its id" "$out$err" \
	    "$id"
	is "$who: 2 signatures and the redeem script, no more" \
	    "$(jq -r '[.transaction.inputs[].signatureScript | length] |
	    unique | join(" ")' "$T/submit.json")" $((2 * 236))
done
sed -i 's/"sigOpCount": 3/"sigOpCount": 1/' "$T/submit.json"
run $life run "$T/submit.json" "$T/pskt.json"
is "that program refuses what a node would" "$rc" 1

bundle=$("$PYTHON" -c 'import json, sys
d = [bytes.fromhex(h[4:]).decode() for h in sys.argv[1:]]
print("PSKB" + ("[%s]" % ", ".join(d)).encode().hex())' "$three" "$final")
answer=$(ask pskt.finalize "$bundle")
is "a bundle: ids in its order" \
    "$(jq -c .result.transaction_ids <<<"$answer")" "[\"$id\",\"$id\"]"
is "a bundle: extracted, one after the other" "$(ask pskt.extract \
    "$(jq -r .result.pskt <<<"$answer")" | jq '.result.submit | length')" 2
is "a bundle: totals" "$(ask pskt.inspect "$bundle" | jq -c '.result |
    [(.pskts | length), .totals.inputs, .totals.missing_signatures,
    .totals.fee == 2 * .pskts[0].fee]')" "[2,4,0,true]"
few=$("$PYTHON" -c 'import sys
d = [bytes.fromhex(h[4:]).decode() for h in sys.argv[1:]]
print("PSKB" + ("[%s]" % ", ".join(d)).encode().hex())' "$three" "$one")
is "a bundle: all or nothing" "$(ask pskt.finalize "$few" |
    jq -c '.error.data')" '{"code":"INVALID_PSKT","pskt":1}'

# Every vector: all sighash types, lock times, a payload, 40 inputs.
$life signed "$vectors/pskt.json" | "$bin/igra-pskt" finalize -l |
    "$bin/igra-pskt" extract -l >"$T/submits"
run $life each "$vectors/pskt.json" "$T/submits"
is "every vector's scripts, run by another program" "$out$err" \
    "12 transactions, 69 inputs"

# --- what inspect says ---

is "who gets what" "$(ask pskt.inspect "$three" | jq -c '.result.pskts[0] |
    [.inputs[].own, .outputs[].change, .amount_in - .amount_out == .fee,
    (.inputs[0].address | startswith("kaspadev:p"))]')" \
    '[true,true,false,true,true]'
says()
{
	ask pskt.inspect "$1" | jq -r \
	    '[.result.pskts[0].warnings[].code] | join(" ")'
}
is "warns: high fee" "$(says "$(edit "$unsigned" \
    'd["outputs"][0]["amount"] //= 2')")" HIGH_FEE
is "warns: low fee, none at all" "$(says "$(edit "$unsigned" \
    'd["outputs"][0]["amount"] = sum(i["utxoEntry"]["amount"] for i in d["inputs"])')")" \
    LOW_FEE
is "warns: lock time, dust, sighash type, unknown script, counts" \
    "$(says "$(edit "$unsigned" '
for i in d["inputs"]: i["minTime"] = 9 * 10**12; i["sequence"] = 0; i["sighashType"] = 2
d["outputs"].append(dict(d["outputs"][0], amount=5, scriptPublicKey="000051"))
d["outputs"][0]["amount"] //= 2
d["global"]["id"] = "00" * 32')" | tr ' ' '\n' | sort | tr '\n' ' ')" \
    "DOCUMENT DUST HIGH_FEE ID LOCK_TIME MASS SIGHASH_TYPE UNKNOWN_SCRIPT "

# --- attacks ---

swap='a, b = d["inputs"]; a["finalScriptSig"], b["finalScriptSig"] = b["finalScriptSig"], a["finalScriptSig"]'
wrong='of no key that may come here'
refused "final scripts swapped" pskt.extract "$(edit "$final" "$swap")" \
    INVALID_PSKT "inputs[0].finalScriptSig: signature 1 of 2: is $wrong"
refused "an output changed after signing" pskt.extract "$(edit "$final" \
    'd["outputs"][0]["amount"] -= 1')" \
    INVALID_PSKT "inputs[0].finalScriptSig: signature 1 of 2: is $wrong"
refused "an amount changed after signing" pskt.extract "$(edit "$final" \
    'd["inputs"][1]["utxoEntry"]["amount"] += 1')" \
    INVALID_PSKT "inputs[1].finalScriptSig: signature 1 of 2: is $wrong"
refused "utxoEntry missing" pskt.extract "$(edit "$final" \
    'd["inputs"][1]["utxoEntry"] = None')" \
    INVALID_PSKT "inputs[1].utxoEntry: missing"
refused "finalScriptSig missing" pskt.extract "$three" \
    INVALID_PSKT "inputs[0].finalScriptSig: missing"
refused "another sighash type in the final script" pskt.extract "$(edit \
    "$final" 's = d["inputs"][0]["finalScriptSig"]; d["inputs"][0]["finalScriptSig"] = s[:130] + "02" + s[132:]')" \
    INVALID_PSKT "inputs[0].finalScriptSig: signature 1 of 2: another sighash type than the input's"
refused "more in the final script than belongs" pskt.extract "$(edit "$final" \
    'd["inputs"][0]["finalScriptSig"] = "0101" + d["inputs"][0]["finalScriptSig"]')" \
    INVALID_PSKT "inputs[0].finalScriptSig: 3 signatures where 2 belong"
refused "signatures under another sighash type" pskt.finalize "$(edit "$two" \
    'd["inputs"][1]["sighashType"] = 4')" \
    INVALID_PSKT "inputs[1]: 0 of 2 signatures; 2 more do not verify"
spoil='s = d["inputs"][0]["partialSigs"]; k = sorted(s)[0]; s[k] = {"schnorr": "00" * 64}'
refused "one wrong of two" pskt.finalize "$(edit "$two" "$spoil")" \
    INVALID_PSKT "inputs[0]: 1 of 2 signatures; 1 more does not verify"
is "one wrong of three does no harm" "$(ask pskt.finalize "$(edit "$three" \
    "$spoil")" | jq -r .result.transaction_id)" "$id"
refused "sigOpCount below the last key used" pskt.finalize "$few_ops" \
    INVALID_PSKT "inputs[0].sigOpCount: 2, but a node counts 3 checks up to the last key that signed"
refused "transaction version 1" pskt.extract "$(edit "$final" \
    'd["global"]["txVersion"] = 1')" UNSUPPORTED \
    "global.txVersion: a PSKT has no compute budget, which transaction version 1 needs"
refused "not a PSKT" pskt.finalize PSKT00 INVALID_PSKT \
    "$(ask pskt.inspect PSKT00 | jq -r .error.message)"
is "a parameter that there is not" "$(ask pskt.inspect "$three" \
    ',"reason":"x"' | rpc_code)" INVALID_PARAMS

# --- ECDSA: not signed here, but finalized and extracted ---

$life ecdsa >"$T/ecdsa.json"
jq -c '{pskt: .}' "$T/ecdsa.json" >"$T/params"
is "ECDSA: who has signed" "$(rpc pskt.inspect "@$T/params" |
    jq -c '.result.pskts[0] | [.state, (.inputs[] | .script, .valid)]')" \
    '["complete","p2pk_ecdsa",1,"multisig_ecdsa",2]'
rpc pskt.finalize "@$T/params" | jq -c '{pskt: .result.pskt}' >"$T/final"
rpc pskt.extract "@$T/final" >"$T/answer"
jq .result.submit "$T/answer" >"$T/submit.json"
run $life run "$T/submit.json" "$T/ecdsa.json"
is "ECDSA: another program runs its scripts, and has its id" "$out$err" \
    "$(jq -r .result.transaction_id "$T/answer")"
jq -c '{pskt: (.inputs[0].partialSigs[].eCDSA = "3006020101020101")}' \
    "$T/ecdsa.json" >"$T/params"
is "ECDSA: a wrong signature" "$(rpc pskt.finalize "@$T/params" |
    jq -r .error.message)" "inputs[0]: 0 of 1 signatures; 1 more does not verify"

# --- heavy documents ---

$life heavy 1000 15 >"$T/heavy"
printf '{"jsonrpc":"2.0","id":1,"method":"pskt.inspect","params":{"pskt":"%s"}}' \
    "$(edit "$unsigned" 'pass')" >"$T/light.rpc"
# An object: in hex it is over 8 MiB.
printf '{"jsonrpc":"2.0","id":1,"method":"pskt.inspect","params":{"pskt":%s}}' \
    "$(cat "$T/heavy")" >"$T/heavy.rpc"
post()
{
	curl -s -o "$2" -w '%{time_total}' --max-time 120 --unix-socket \
	    "$signd_sock" --data-binary "@$1" http://localhost/rpc
}
post "$T/heavy.rpc" "$T/heavy.out" >"$T/heavy.time" &
heavy=$!
sleep 0.4
while ! is_gone $heavy; do
	post "$T/light.rpc" "$T/light.out"
	echo
done >"$T/light.times"
wait $heavy
n=$(wc -l <"$T/light.times")
slowest=$(sort -n "$T/light.times" | tail -n 1)
median=$(sort -n "$T/light.times" | sed -n "$((n / 2 + 1))p")
is "15,000 signatures: all are looked at" "$(jq -c '.result.pskts[0] |
    [.state, .missing_signatures, (.warnings[] | select(.code ==
    "SIGNATURE") | .count)]' "$T/heavy.out")" '["unsigned",15000,1000]'
if awk -v t="$median" -v n="$n" -v all="$(cat "$T/heavy.time")" \
    'BEGIN { exit !(t < all / 4 && n > 3) }'; then
	ok "meanwhile others wait $median s, at most $slowest s ($n asked;" \
	    "it took $(cat "$T/heavy.time") s)"
else
	not_ok "others are served meanwhile" "$median s, slowest $slowest s of $n"
fi
# Each over 7 MiB: four are checked at once, more are refused.
$life heavy 200 15 3000000 >"$T/large"
printf '{"jsonrpc":"2.0","id":1,"method":"pskt.inspect","params":{"pskt":%s}}' \
    "$(cat "$T/large")" >"$T/large.rpc"
# Where one is done before the last has been sent, they were not together.
for _ in 1 2 3 4 5; do
	together=$($life together 8 "$T/large.rpc" "$signd_sock")
	[ "$together" != "4 200 4 429" ] || break
done
is "32 MiB of documents at once, and no more" "$together" "4 200 4 429"
# Many values take much memory, however few bytes they are: 1 MiB takes 40.
$life heavy 60 15 | "$PYTHON" -c 'import sys
print("{\"x\":[" + "1," * 490000 + "1]," + sys.stdin.read()[1:])' >"$T/values"
printf '{"jsonrpc":"2.0","id":1,"method":"pskt.inspect","params":{"pskt":%s}}' \
    "$(cat "$T/values")" >"$T/values.rpc"
read -r served _ refused _ < <($life together 50 "$T/values.rpc" "$signd_sock")
is "1 MiB of values 50 times: some are refused, all are answered" \
    $((served + refused)) 50
if grep -q __asan_init "$bin/igra-signd" ||
    [ ! -r "/proc/$(daemon_pid signd)/status" ]; then
	skip "memory that igra-signd takes at most" "not to be measured here"
else
	peak=$(awk '/^VmHWM/ { print int($2 / 1024) }' \
	    "/proc/$(daemon_pid signd)/status")
	if [ "$peak" -lt 600 ]; then
		ok "igra-signd never took more than $peak MiB"
	else
		not_ok "memory that igra-signd takes at most" "$peak MiB"
	fi
fi
t_done
