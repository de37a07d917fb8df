#!/bin/bash
# A phrase in the config is one that the Kaspa SDK reads and writes: its
# functions against ours, then secrets-admin and a config.
. "${0%/*}/../e2e/lib.sh"
t_init
interop=$top/tests/interop
command -v node >/dev/null || { skip "layer 1 with the Kaspa SDK" "no node"
	t_done; }
[ -d "$interop/node_modules/@onekeyfe/kaspa-wasm" ] || {
	skip "layer 1 with the Kaspa SDK" \
	    "not installed: make interop-deps, which needs the network"
	t_done
}

# The lines of the functions' test are its own.
node "$interop/encryption.mjs" both "$tests/wallet-tool" \
    "$vectors/wallet_encryption.json" >"$T/both" 2>"$T/both.err"
rc=$?
cat "$T/both"
cat "$T/both.err" >&2
n_ok=$((n_ok + $(grep -c '^ok - ' "$T/both")))
n_bad=$((n_bad + $(grep -c '^not ok - ' "$T/both")))
is "the functions' test ran to its end" "$rc" 0

sdk()
{
	node "$interop/encryption.mjs" "$@" 2>&1
}

# --- the whole way, with what secrets-admin prints and takes ---
KEY_TYPE=hd_mnemonic
phrase='nerve verb point enter inquiry february load evoke arrest tank crunch rude gift derive area arm royal spoon squirrel attitude divert drive jazz genuine'
wallet='wallet ☃ secret' payment='päyment secret'
path="m/45'/111111'/0'/2/1/7"
mk_conf
mk_secrets
printf %s "$wallet" | secrets_admin set igra.hd.wallet_secret --stdin \
    >/dev/null 2>&1
printf %s "$payment" | secrets_admin set igra.hd.payment_secret --stdin \
    >/dev/null 2>&1
line=$(echo "  $phrase " | secrets_admin encrypt-mnemonic --stdin 2>/dev/null)
sealed=${line#*\"} sealed=${sealed%%\"*}
is "the SDK decrypts what encrypt-mnemonic prints" \
    "$(printf %s "$sealed" | sdk decrypt "$wallet")" "$phrase"
has "not with another wallet_secret" \
    "$(printf %s "$sealed" | sdk decrypt "wallet secret")" "Unable to decrypt"

sealed=$(printf %s "$phrase" | sdk encrypt "$wallet")
CONF_HD="derivation_path = \"$path\"
encrypted_mnemonics = [\"$sealed\"]" mk_conf
run secrets_admin --config "$conf" pubkey --profile signer-01
has "a config with the SDK's text gives the SDK's key" "$out" \
    "public_key: $(printf %s "$phrase" | sdk pubkey "$path" "$payment")"
t_done
