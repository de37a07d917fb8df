#!/bin/bash
# Signs every request of the vectors with every key, through three daemons,
# and verifies each signature with code that shares none of ours.
. "${0%/*}/lib.sh"
t_init

# keys FILE FIRST: prints {"private key": "signer-NN"} for all its keys.
keys()
{
	jq -c --argjson first "$2" '[.[] | .multisig_private_keys[]?,
	    .single_private_key?, .private_key? | values] | unique |
	    to_entries | map({(.value): "signer-\(.key + $first | tostring |
	    if length < 2 then "0" + . else . end)"}) | add' "$1"
}

secrets_of()
{
	jq -r 'to_entries[] | "\(.value)=\(.key)"' <<<"$1"
}

types='allowed_sighash_types = ["all", "none", "single", "all_anyonecanpay",
    "none_anyonecanpay", "single_anyonecanpay"]'

# run_file FILE: with what mk_conf was told.
run_file()
{
	local map
	map=$(keys "$vectors/$1" 1)
	mk_conf
	# shellcheck disable=SC2046
	mk_secrets $(secrets_of "$map") || return 1
	start_all && unlock || return 1
	"$PYTHON" "$e2e/vectors.py" "$signd_sock" "$vectors/$1" "$map" \
	    >"$T/vectors.out" 2>&1
	while read -r line; do
		case $line in
		"ok - "*)	ok "${line#ok - }" ;;
		"not ok - "*)	not_ok "${line#not ok - }" ;;
		*)		echo "    $line" ;;
		esac
	done <"$T/vectors.out"
	is "$1: the log's chain verifies" \
	    "$("$PYTHON" "$e2e/verify_chain.py" "$log" >"$T/chain.out" 2>&1
	    echo $?)" 0
	is "$1: every request that was signed has its record" \
	    "$(jq -r 'select(.event_type == "Signing") | .request_id' "$log" |
	    sort -u | wc -l)" "$(grep -c '^ok - .*, signer-[0-9]*$' \
	    "$T/vectors.out")"
	stop_all
	rm -rf "$T/log" "$T/keyd/policy.journal"
}

CONF_POLICY=$types
run_file pskt.json || not_ok "pskt.json" "daemons did not start"

CONF_PSKT="redeem_script_hex = \"$(jq -r '.[0].redeem_script' \
    "$vectors/pskt_edge.json")\""
run_file pskt_edge.json || not_ok "pskt_edge.json" "daemons did not start"

t_done
