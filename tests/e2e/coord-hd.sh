#!/bin/bash
# igra-coord with an HD multisig: three complete signers of xpubs, whose key
# differs from input to input and is never the one of signer.info.
. "${0%/*}/lib.sh"
. "${0%/*}/group.bash"
t_init
unset IGRA_SECRETS_PASSPHRASE KASPA_IGRA_WALLET_SECRET
export PYTHONDONTWRITEBYTECODE=1

account="m/45'/111111'/0'"
group=$T
jq '[.[1, 3, 5] | {phrase, payment: .passphrase}]' "$vectors/hd.json" \
    >"$T/signers.json"
to=pubkey:$(jq -r '.[7].keys[0].public_key[2:]' "$vectors/hd.json")

ref()
{
	local command=$1
	shift
	"$PYTHON" "$e2e/hd_ref.py" "$command" "$group/signers.json" \
	    "$account" "$@"
}

KEY_TYPE=hd_mnemonic
CONF_HD="derivation_path = \"$account\"
required_sigs = 2
xpubs = [$(ref xpub kpub | sed 's/.* \(.*\)/"\1"/' | paste -sd, -)]"
for n in 1 2 3; do
	T=$group/signer-0$n
	mkdir -p "$T/run"
	cp -p "$group/pass" "$T/pass"
	PROFILE=signer-0$n
	mk_conf
	eval "sock$n=\$signd_sock"
	jq -r --argjson n $n '.[$n - 1] |
	    "igra.signer.mnemonic_signer-0\($n) \(.phrase)",
	    "igra.signer.payment_secret_signer-0\($n) \(.payment)"' \
	    "$group/signers.json" |
	    "$tests/mkisec" -p 8192,1,1 "$secrets" "$T/pass" || exit 1
	group_leave
	group_start $n || { not_ok "signer $n starts"; t_done; }
done

ref pskt 2 own:0/0/7:100000000 own:1/0/8:200000000 own:2/1/9:50000000 -- \
    $to:300000000 change:1/1/5:49000000 | jq -c .pskt >"$T/doc.json"

sign()
{
	run timeout 60 "$bin/igra-coord" sign -f "$T/signer-01/igra.toml" \
	    --pskt "$T/doc.json" --witness "$T/witness" "$@"
}

for pair in "1 2" "3 1"; do
	set -- $pair
	eval "a=\$sock$1 b=\$sock$2"
	rm -f "$T/tx.json"
	sign --signer "$a" --signer "$b" --out "$T/tx.json" --json
	is "signers $pair: exit" "$rc" 0
	is "signers $pair: who did what" "$(jq -c '[.signers[] |
	    .result, .inputs]' <<<"$out")" '["signed",3,"signed",3]'
	is "signers $pair: six keys, none of which is that of signer.info" \
	    "$(jq -c '([.signatures[].public_key] | unique) as $keys |
	    [($keys | length), ($keys - [.signers[].public_key] | length)]' \
	    <<<"$out")" '[6,6]'
	check "signers $pair: the transaction is right, by other code" \
	    "$PYTHON" "$e2e/checktx.py" "$T/doc.json" "$T/tx.json"
done
is "the witness knows all three" "$(jq '.signers | length' "$T/witness")" 3
jq '.signers |= map_values(.seq += 1000)' "$T/witness" >"$T/w" &&
    chmod 600 "$T/w" && mv "$T/w" "$T/witness"
sign --signer "$sock1" --signer "$sock2" --out "$T/tx.json"
is "heads that went back: exit" "$rc" 3
is "heads that went back: both" "$(grep -c 'SECURITY ALERT.*went back' \
    <<<"$err")" 2
t_done
