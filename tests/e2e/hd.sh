#!/bin/bash
# HD multisig through the three daemons: a 2-of-3 of xpubs on mainnet, inputs
# and change at paths of their own, every signature verified by code that
# shares none of ours; then what a requester cannot have by claiming it, and
# what devnet signs besides.
. "${0%/*}/lib.sh"
t_init
unset IGRA_SECRETS_PASSPHRASE KASPA_IGRA_WALLET_SECRET
export PYTHONDONTWRITEBYTECODE=1

if [ "$(id -u)" -ne 0 ]; then
	skip "all" "mainnet needs three users, and so root"
	t_done
fi

account="m/45'/111111'/0'"
jq '[.[1, 3, 5] | {phrase, payment: .passphrase}]' "$vectors/hd.json" \
    >"$T/signers.json"
phrase=$(jq -r '.[0].phrase' "$T/signers.json")
payment=$(jq -r '.[0].payment' "$T/signers.json")
to=pubkey:$(jq -r '.[7].keys[0].public_key[2:]' "$vectors/hd.json")
address=$(jq -r '.[7].keys[0].addresses.mainnet' "$vectors/hd.json")

ref()
{
	local command=$1
	shift
	"$PYTHON" "$e2e/hd_ref.py" "$command" "$T/signers.json" "$account" "$@"
}

# xpubs PREFIX: the lines of [service.hd].
hd_lines()
{
	ref xpub "$1" >"$T/xpubs" || exit 1
	CONF_HD="derivation_path = \"$account\"
required_sigs = 2
xpubs = [$(sed 's/.* \(.*\)/"\1"/' "$T/xpubs" | paste -sd, -)]"
}

# pskt ARGUMENT…: params of pskt.sign in $T/params.
pskt()
{
	ref pskt 2 "$@" >"$T/params"
}

# sign [JQ-PROGRAM]: $answer.
sign()
{
	jq -c "${1:-.}" "$T/params" >"$T/sent"
	answer=$(rpc pskt.sign "@$T/sent")
	printf '%s\n' "$answer" | jq .result >"$T/result"
}

# signed WHAT INPUTS [SIGNER]: so many signatures, each verified.
signed()
{
	is "$1" "$(printf '%s' "$answer" | jq -c \
	    '.error.message // (.result.signatures | length)')" "$2"
	check "$1: by the keys at their paths" ref check "${3:-0}" "$T/result"
}

# refused WHAT CODE WORDS
refused()
{
	is "$1" "$(printf '%s' "$answer" | rpc_code)" "$2"
	has "$1: why" "$(printf '%s' "$answer" | jq -r .error.message)" "$3"
}

# last_record FIELD…: of the last Signing or PolicyDenied.
last_record()
{
	jq -r 'select(.event_type == "Signing") | '"$1" "$log" | tail -n 1
}

mk_file()
{
	rm -f "$secrets"
	printf '%s\n' "igra.signer.mnemonic_signer-01 $phrase" \
	    "igra.signer.payment_secret_signer-01 $payment" |
	    "$tests/mkisec" -p "${1:-65536,3,4}" "$secrets" "$T/pass" || exit 1
}

# --- mainnet: a 2-of-3 ---

PASS='tundra-Velcro7-oboe-Quasar-limp'
printf '%s\n' "$PASS" >"$T/pass"
DATA_DIR=$T/data
mkdir -m 0700 "$DATA_DIR"
NETWORK=mainnet KEY_TYPE=hd_mnemonic
hd_lines kpub
CONF_POLICY="max_fee_sompi = 1000000
allowed_destinations = [\"$address\"]"
CONF_MORE='[group]
threshold_m = 2
threshold_n = 3'
mk_conf
mk_file

# What an operator fills in, from the phrase alone.
run secrets_admin --config "$conf" xpub --profile signer-01
is "secrets-admin xpub" "$(printf '%s\n' "$out" | sed -n \
    's/^fingerprint: //p; s/^xpub: //p' | paste -sd' ' -)" \
    "$(head -n 1 "$T/xpubs")"
has "and where it is" "$out" "derivation_path: $account"

run env LC_ALL=C "$bin/igra-service" validate-config --config "$conf" \
    --passphrase-file "$T/pass"
has "validate-config: ours is one of the xpubs" "$out" \
    "ok: Own extended public key: in service.hd.xpubs"
is "validate-config: nothing wrong" "$rc $(printf '%s' "$out" |
    grep -v '^ok: ')" "0 "

# One character of another signer's.
other=$(sed -n '2s/.* //p' "$T/xpubs")
case $other in *[2a]) typo=${other%?}b;; *) typo=${other%?}a;; esac
sed "s/$other/$typo/" "$conf" >"$T/typo.toml"
chmod 0600 "$T/typo.toml"
run env LC_ALL=C "$bin/igra-service" validate-config --config "$T/typo.toml" \
    --passphrase-file "$T/pass"
is "validate-config: a mistyped xpub" "$rc $(printf '%s' "$out" |
    grep '^error: ')" "1 error: [Configuration] service.hd.xpubs has a key that \
is mistyped, or neither kpub, ktub nor xpub: igra-keyd does not start with it"

start_all || { not_ok "the daemons start"; t_done; }
unlock && ok "unlocked on mainnet" || not_ok "unlocked on mainnet"
is "signer.info: no address of its own, and the xpubs' threshold" \
    "$(rpc signer.info | jq -c '.result | [.address, .redeem_script,
    .threshold_m, .threshold_n]')" '[null,null,2,3]'

pskt own:0/0/0:100000000 own:2/0/5:50000000 own:1/1/9:70000000 \
    own:2/0/5:30000000 -- $to:40000000 change:0/1/1:209000000 \
    change:1/1/2147483647:500000
sign
signed "four inputs at three paths, two changes" 4
is "its record: what left, and to whom" "$(last_record '[.inputs,
    .outflow_sompi, .fee_sompi, (.destinations | length), .key_ref] |
    map(tostring) | join(" ")')" \
    "4 40500000 500000 1 igra.signer.mnemonic_signer-01"
is "the access to the phrase: fresh" "$(jq -r 'select(.event_type ==
    "SecretAccess") | .cached' "$log" | tail -n 1)" false
is "the account's keypair and one a path are cached" \
    "$(ctl status -j | jq .keyd.cache_entries)" 4
sign
signed "the same again" 4
is "the access to the phrase: from the cache" "$(jq -r 'select(.event_type ==
    "SecretAccess") | .cached' "$log" | tail -n 1)" true

# A signature that is there already, by key: kept when right, else replaced.
jq -c '{pskt: .pskt}' "$T/result" >"$T/params"
first=$(jq -r '.signatures[0].signature' "$T/result")
sign '.pskt.inputs[1].partialSigs |= map_values(.schnorr |= "00" + .[2:])'
signed "signed before, one of them wrong" 4
is "the right one is kept" "$(jq -r '.signatures[0].signature' "$T/result")" \
    "$first"
is "the wrong one is replaced, and noted" "$(jq -r '.notes[]' "$T/result")" \
    "inputs[1].partialSigs: a signature of this signer's key was wrong and has been replaced"

# Our own KeySource alone does, and without the redeem script.
fp=$(head -n 1 "$T/xpubs" | cut -d' ' -f1)
theirs=$(sed -n '2s/ .*//p' "$T/xpubs")
pskt own:0/0/0:100000000 -- $to:40000000 change:0/1/1:59500000
ours='(.. | .bip32Derivations? | objects) |= with_entries(select(
    .value.keyFingerprint == "'$fp'"))'
sign "$ours | .pskt.inputs[0].redeemScript = null"
signed "only our KeySource, no redeem script" 1
is "change at its path is change" "$(last_record .outflow_sompi)" 40500000

# PSKT versions and transaction versions, with payload and covenant.
for version in 0 1 2; do
	for tx in 0 1; do
		sign ".pskt.inputs[0].previousOutpoint.index = 100 + 10 * $version +
		    $tx | .pskt.global.version = $version |
		    .pskt.global.txVersion = $tx |
		    if $version > 0 then .pskt.global.payload = \"00c0ffee\"
		    else . end"
		signed "PSKT version $version, transaction version $tx" 1
	done
done
covenant='{authorizingInput: 0, covenantId: ("ab" * 32)}'
sign ".pskt.global.version = 2 | .pskt.global.txVersion = 1 |
    .pskt.outputs[1].covenant = $covenant"
refused "change under a covenant is no change" POLICY_DENIED covenant

# --- what cannot be had by claiming it ---

sign ".pskt.inputs[0].bip32Derivations |= map_values(
    .derivationPath = \"$account/0/0/1\")"
refused "another path than the script's" NOT_A_SIGNER ""
sign '.pskt.inputs[0].bip32Derivations = {}'
refused "no path" NOT_A_SIGNER ""
sign ".pskt.inputs[0].bip32Derivations |= map_values(
    .derivationPath = \"$account/0/0'/0\")"
refused "a hardened step" NOT_A_SIGNER ""
sign ".pskt.inputs[0].bip32Derivations |= map_values(select(
    .keyFingerprint == \"$theirs\"))"
refused "another signer's KeySource alone" INVALID_PSKT \
    "has fingerprint $theirs"
has "and ours is named" "$(printf '%s' "$answer" | jq -r .error.message)" $fp
pskt own:3/0/0:100000000 -- $to:40000000 change:0/1/1:59500000
sign
refused "a cosigner there is not" NOT_A_SIGNER ""
pskt own:0/0/0:100000000 -- $to:40000000 change:0/1/1:59500000
sign '.pskt.outputs[1].bip32Derivations = {}'
refused "change without its path" POLICY_DENIED "not in [policy]"
sign ".pskt.outputs[1].bip32Derivations |= map_values(
    .derivationPath = \"$account/0/1/2\")"
refused "change at another path" POLICY_DENIED "not in [policy]"
ref pskt 1 own:0/0/0:100000000 -- $to:40000000 change:0/1/1:59500000 \
    >"$T/one"
jq -c --slurpfile one "$T/one" '.pskt.outputs[1] = $one[0].pskt.outputs[1]' \
    "$T/params" >"$T/mixed"
mv "$T/mixed" "$T/params"
sign
refused "change to a 1-of-3 of the same keys" POLICY_DENIED "not in [policy]"
mv "$T/one" "$T/params"
sign
refused "inputs of a 1-of-3 of the same keys" NOT_A_SIGNER ""

# --- our key must be one of the xpubs ---

is "signed so far: the log's chain verifies" \
    "$("$PYTHON" "$e2e/verify_chain.py" "$log" >"$T/chain.out" 2>&1
    echo $?)" 0
cp "$conf" "$T/good.toml"
sed "s/$(sed -n '1s/.* //p' "$T/xpubs")/$(ref xpub xpub | sed -n '2s/.* //p')/" \
    "$T/good.toml" >"$conf"
run ctl reload
is "a config with one xpub twice: not loaded" "$rc" 1
stranger=$(jq '[.[7] | {phrase, payment: .passphrase}]' "$vectors/hd.json" \
    >"$T/stranger.json"; "$PYTHON" "$e2e/hd_ref.py" xpub "$T/stranger.json" \
    "$account" kpub | cut -d' ' -f2)
sed "s/$(sed -n '1s/.* //p' "$T/xpubs")/$stranger/" "$T/good.toml" >"$conf"
run ctl reload
is "a config without our xpub: not loaded" "$rc" 1
has "and says so" "$err" "not in service.hd.xpubs"
stop keyd
start keyd
wait_for 30 has_log
run ctl unlock --passphrase-file "$T/pass"
is "nor unlocked with" "$rc" 1
has "which says what to do" "$err" "secrets-admin xpub"
stop_all

# --- devnet, with neither xpubs nor a redeem script ---

rm -rf "$T/log" "$T/keyd"
NETWORK=devnet
CONF_HD="derivation_path = \"$account\""
CONF_POLICY='' CONF_MORE='' CONF_SECURITY='secret_cache_max = 3'
mk_conf
mk_file 8192,1,1
start_all && unlock || not_ok "devnet: unlocked"
pskt key:0:0/7:100000000 key:0:1/8:100000000 key:0:4/0/9:50000000 \
    key:0:5/6/7/8:30000000 -- $to:279000000
sign
signed "devnet: pay-to-pubkey at four paths" 4
is "devnet: three are own, the fourth is not" \
    "$(last_record .outflow_sompi)" 250000000
pskt own:0/0/0:100000000 key:0:0/7:1000000 -- $to:100000000
sign
signed "devnet: a multisig with our key at its path" 2
is "devnet: which is not ours" "$(last_record .outflow_sompi)" 1000000
is "devnet: of a full cache" "$(ctl status -j | jq .keyd.cache_entries)" 3
pskt key:1:0/7:100000000 -- $to:90000000
sign
refused "devnet: another's key" NOT_A_SIGNER ""
stop_all
t_done
