#!/bin/bash
# The policy through the three daemons: attacks on it, what pskt.check says
# beforehand, and what an operator sees and may release.
. "${0%/*}/lib.sh"
t_init

case=$(vector ins2-outs1-seqnull1-ms1)
redeem=$(jq -r '.pskt.inputs[0].redeemScript' <<<"$case")
# The secrets in the order in which their keys are in the script.
keys=$(jq -r '.multisig_private_keys[]' <<<"$case" | while read -r k; do
	x=$(PYTHONPATH=$e2e "$PYTHON" -c 'import bip340, sys
print(bip340.pubkey(bytes.fromhex(sys.argv[1])).hex()[2:])' "$k")
	at=${redeem%%"$x"*}
	echo "${#at} $k"
done | sort -n | awk '{ printf "signer-%02d=%s\n", NR, $2 }')
ours=${redeem:4:64}
other=${redeem:70:64}
attacker=$(printf '%064d' 0 | tr 0 7)
# With our key in it, and not the config's.
trap_script="5120${ours}20${attacker}52ae"

# policy LINES: the config, and the running daemons, with these limits
policy()
{
	CONF_PSKT="redeem_script_hex = \"$redeem\"" CONF_POLICY=$1 mk_conf
	[ -z "$pid_keyd" ] || ctl reload >"$T/reload.out" 2>&1 ||
	    not_ok "reload: $1" "$(cat "$T/reload.out")"
}
# doc NAME IN… -- OUT…: writes $T/NAME.json, the params of pskt.sign
doc()
{
	local _name=$1
	shift
	"$PYTHON" "$e2e/mkpskt.py" "$redeem" "$@" >"$T/$_name.json"
}
# bundle NAME DOC…
bundle()
{
	local _name=$1
	shift
	jq -s -c 'map(.pskt)' "${@/#/$T/}" |
	    "$PYTHON" -c 'import sys
print("{\"pskt\": \"PSKB%s\"}" % sys.stdin.read().strip().encode().hex())' \
	    >"$T/$_name.json"
}
sign()
{
	rpc pskt.sign "@$T/$1.json" | tee "$T/answer" | jq -r '.error.data |
	    if . == null then "signed" else .code +
	    (if .check then " " + .check else "" end) +
	    (if .pskt != null then " in \(.pskt)" else "" end) end'
}
# The same of every document, and of the whole.
would()
{
	rpc pskt.check "@$T/$1.json" | tee "$T/checked" | jq -r '.result |
	    "\(.allowed)" + ([.pskts[] | .code // "OK"] | map(" " + .) | add)'
}
# refused WHAT DOC CODE CHECK: by signing, and by the check as well.
refused()
{
	is "$1" "$(sign "$2")" "$3 $4"
	is "$1: pskt.check agrees" "$(would "$2") $(jq -r '.result.pskts[0] |
	    [.checks[] | select(.outcome == "fail") | .check][0]' \
	    "$T/checked")" "false $3 $4"
}
# The last that happened: a refusal, for which the key was decrypted.
decrypted_and_denied()
{
	[ "$(jq -rs 'map(select(.event_type == "SecretAccess" or
	    .event_type == "PolicyDenied")) | .[-2:] |
	    map(.event_type + if .cached then " cached" else "" end) |
	    join(" ")' "$log")" = "SecretAccess PolicyDenied" ]
}
last()
{
	jq -c "select(.event_type == \"$1\")" "$log" | tail -1
}

policy 'max_fee_sompi = 1000
max_amount_sompi = 100000'
# shellcheck disable=SC2086
mk_secrets $keys || exit 1
start_all || exit 1
doc good own:50000@g -- "pubkey:$other:20000" change:29000
is "pskt.check while locked" "$(rpc pskt.check "@$T/good.json" |
    jq -r .error.data.code)" LOCKED
unlock || exit 1

# --- pskt.check ---

is "a good one would be signed" "$(would good)" "true OK"
is "what it says of it" "$(jq -c '.result.pskts[0] |
    [.inputs, .outflow_sompi, .fee_sompi, .signed_before, .message]' \
    "$T/checked")" '[1,21000,1000,false,null]'
is "every check has its row" "$(jq -r '.result.pskts[0].checks |
    map("\(.check)=\(.outcome)") | join(" ")' "$T/checked")" \
"unenforced=not_set allowed_sighash_types=pass require_reason=not_set \
allowed_destinations=not_set max_fee_sompi=pass max_fee_percent=not_set \
max_amount_sompi=pass min_amount_sompi=not_set max_lock_time_ahead=not_set \
outpoint_claim=pass outpoint_conflict=pass max_outpoints=pass \
max_per_hour=not_set max_hourly_volume_sompi=not_set \
max_daily_volume_sompi=not_set max_weekly_volume_sompi=not_set"
is "limit and value" "$(jq -c '.result.pskts[0].checks[] |
    select(.check == "max_fee_sompi") | [.limit, .value]' "$T/checked")" \
    '["1000","1000"]'
is "nothing was signed or reserved by it" \
    "$(jq -r .event_type "$log" | grep -c '^Signing$')" 0
is "using the key is in the log" "$(last SecretAccess |
    jq -r '.operation + " " + .secret_name')" \
    "Get igra.signer.private_key_signer-01"
is "and now it is signed" "$(sign good)" signed
is "again: signed before" "$(would good) $(jq -c \
    '.result.pskts[0].signed_before' "$T/checked")" "true OK true"
is "no PSKT is an error" "$(rpc pskt.check '{"pskt": {}}' |
    jq -r .error.data.code)" INVALID_PSKT
is "an unknown parameter is an error" "$(rpc pskt.check \
    '{"pskt": "PSKT00", "x": 1}' | jq -r .error.code)" -32602

is "metrics count it" "$(curl -s --unix-socket "$signd_sock" \
    http://localhost/metrics | grep -c 'method="pskt.check",code="LOCKED"')" 1
# --- attacks on what leaves ---

doc fee own:50000 -- change:48999
refused "a fee that eats the multisig" fee POLICY_DENIED max_fee_sompi
is "the record has check, limit and value" "$(last PolicyDenied |
    jq -c '[.check, .limit, .value, .outflow_sompi, .fee_sompi]')" \
    '["max_fee_sompi","1000","1001",1001,1001]'
script_hash=$("$PYTHON" -c 'import hashlib, sys
print(hashlib.blake2b(bytes.fromhex(sys.argv[1]), digest_size=32).hexdigest())' \
    "$trap_script")
doc trap own:200000 -- "pubkey:$other:20000" "script:0000aa20${script_hash}87:179000"
jq ".pskt.outputs[1].redeemScript = \"$trap_script\"" "$T/trap.json" \
    >"$T/trap2.json"
refused "change to a script of our key and the attacker's" trap2 \
    POLICY_DENIED max_amount_sompi
doc single_key own:200000 -- "pubkey:$other:20000" "pubkey:$ours:179000"
refused "change to our key alone" single_key POLICY_DENIED max_amount_sompi
doc wrong own:50000 -- "pubkey:$other:20000" change:29000
jq ".pskt.inputs[0].redeemScript = \"$trap_script\"" "$T/wrong.json" \
    >"$T/wrong2.json"
is "a redeem script of the requester's choice" "$(sign wrong2)" INVALID_PSKT
doc foreign own:200000 "pubkey:$attacker:900000" -- "pubkey:$attacker:1099000" \
    change:1
refused "foreign inputs with false amounts" foreign POLICY_DENIED \
    max_amount_sompi
doc covenant own:200000 -- "pubkey:$other:20000" change:179000
jq '.pskt.global.txVersion = 1 | .pskt.outputs[1].covenant =
    {authorizingInput: 0, covenantId: ("0" * 64)}' "$T/covenant.json" \
    >"$T/covenant2.json"
refused "a covenant on change" covenant2 POLICY_DENIED max_amount_sompi
for t in 2 4 130 132; do
	doc "type$t" "own:50000:$t" -- change:49000
	refused "sighash type $t" "type$t" POLICY_DENIED allowed_sighash_types
done
policy 'max_amount_sompi = 100000
max_fee_sompi = 1000
allowed_sighash_types = ["all", "none", "single"]'
for t in 2 4; do
	doc "big$t" "own:200000:$t" -- change:199000
	refused "type $t: no fee is fixed" "big$t" POLICY_DENIED max_fee_sompi
done
policy 'max_amount_sompi = 100000
allowed_sighash_types = ["all", "none", "single"]'
for t in 2 4; do
	refused "type $t: nothing is change" "big$t" POLICY_DENIED \
	    max_amount_sompi
done
doc twice own:50000@t own:50000@t -- "pubkey:$other:99000"
is "one outpoint twice" "$(sign twice)" INVALID_PSKT

# --- destinations, reason, lock time ---

policy "allowed_destinations = [\"000020${other}ac\"]
require_reason = true
max_lock_time_ahead = 3600"
doc listed own:50000 -- "pubkey:$other:20000" change:29000
refused "no reason" listed POLICY_DENIED require_reason
jq '.reason = "rent"' "$T/listed.json" >"$T/reason.json"
is "with a reason, to a script that is listed" "$(sign reason)" signed
jq ".pskt.outputs[0].scriptPublicKey = \"000020${attacker}ac\"" \
    "$T/reason.json" >"$T/unlisted.json"
refused "to one that is not" unlisted POLICY_DENIED allowed_destinations
jq '.pskt.inputs[0].minTime = 36151168 + 36001' "$T/reason.json" \
    >"$T/later.json"
refused "a lock time too far ahead" later POLICY_DENIED max_lock_time_ahead

# --- claims, conflicts ---

policy 'max_amount_sompi = 100000
max_fee_sompi = 1000'
doc first own:50000@x own:300@y -- "pubkey:$other:20000" change:29400
doc second own:300@x own:50000@y -- "pubkey:$other:20000" change:29400
is "two inputs, one of them with too little" "$(sign first)" signed
refused "and the other way round in a second session" second POLICY_DENIED \
    outpoint_claim
doc third own:50000@x -- "pubkey:$attacker:20000" change:29400
refused "another transaction over the same outpoint" third CONFLICT \
    outpoint_conflict
is "a conflict is in the log" "$(last PolicyDenied | jq -r .check)" \
    outpoint_conflict
is "the first again" "$(sign first)" signed
policy 'allow_replacement = true'
is "allow_replacement" "$(sign third)" signed

# --- volumes and counts ---

policy 'max_hourly_volume_sompi = 120000
max_per_hour = 7'
# Signed so far: 21000 + 21000 + 20900 + 20600 in 4 ids.
doc v1 own:50000 -- "pubkey:$other:20000" change:30000
is "within the hour's volume" "$(sign v1)" signed
doc v2 own:50000 -- "pubkey:$other:16501" change:33499
refused "one sompi more than the hour has" v2 POLICY_DENIED \
    max_hourly_volume_sompi
is "the value is exact" "$(jq -r '.result.pskts[0].checks[] |
    select(.check == "max_hourly_volume_sompi") | .value' "$T/checked")" \
    120001
doc v3 own:50000 -- "pubkey:$other:16500" change:33500
is "just what it has" "$(sign v3)" signed
is "what was signed before costs nothing" "$(sign v1)" signed
doc v4 own:50000 -- change:50000
is "a seventh" "$(sign v4)" signed
doc v5 own:50001 -- change:50001
refused "an eighth is too many" v5 POLICY_DENIED max_per_hour

# --- bundles ---

policy ''
doc b1 own:50000@b1 -- "pubkey:$other:20000" change:29000
doc b2 own:50000@b2 -- "pubkey:$other:20000" change:29000
doc b3 own:40000@b1 -- "pubkey:$other:20000" change:19000
bundle share b1.json b2.json b3.json
is "an outpoint in two documents of a bundle" "$(sign share)" \
    "CONFLICT outpoint_conflict in 2"
is "pskt.check: the third of them" "$(would share)" "false OK OK CONFLICT"
policy 'max_hourly_volume_sompi = 161999'
bundle both b1.json b2.json
is "a bundle is decided whole" "$(sign both)" \
    "POLICY_DENIED max_hourly_volume_sompi in 1"
is "and nothing of it counts" "$(would b1)" "true OK"
policy 'max_hourly_volume_sompi = 162000'
is "as much as there is" "$(sign both)" signed

# --- two inputs of ours, each made out to be somebody else's for the other ---

policy 'max_hourly_volume_sompi = 162000
max_fee_sompi = 1000'
doc mine1 own:50000@fa "pubkey:$attacker:600@fb" -- change:50000
doc mine2 "pubkey:$attacker:600@fa" own:50000@fb -- change:50000
is "one of them, and nothing leaves" "$(sign mine1)" signed
refused "the other, and 50,000 would burn" mine2 POLICY_DENIED outpoint_claim
policy 'max_hourly_volume_sompi = 162000'
jq '.pskt.inputs[0].utxoEntry = null' "$T/mine2.json" >"$T/mine3.json"
refused "nor when it is not said what the first is" mine3 POLICY_DENIED \
    outpoint_claim

# --- the operator ---

txid=$(jq -r '.pskt.inputs[0].previousOutpoint.transactionId' "$T/v1.json")
run ctl policy show
is "igractl policy show" "$rc" 0
has "it shows a limit and what is used of it" "$out" \
    "max_hourly_volume_sompi  162000, used 162000, frees in 3"
has "policy time runs" "$out" "policy time              runs"
is "as JSON, with a claim" "$(ctl policy show -j "$txid:0" | jq -c '[
    (.limits[] | select(.key == "max_hourly_volume_sompi") |
    [.value, .used, (.frees_seconds > 3000)]),
    .clock.state, .journal.ok, .journal.rollback, .claim.amount_sompi]')" \
    '[["162000",162000,true],"runs",true,[],50000]'
has "an outpoint that nobody has claimed" "$(ctl policy show "$txid:1")" \
    "claimed                  nothing, for $txid:1"
run ctl policy show "$txid"
is "no outpoint" "$rc" 2
run ctl policy show "$txid:4294967296"
is "no index" "$rc" 2
run ctl policy release "$txid:0"
is "release without a reason" "$rc" 2
run ctl policy release --reason x
is "release of nothing" "$rc" 2
run ctl policy show --reason x
is "a reason where none is taken" "$rc" 2
run ctl lock "$txid:0"
is "an argument where none is taken" "$rc" 2
run ctl policy release "$txid:7" --reason "not there"
is "release of what is not claimed" "$rc" 1
policy ''
jq '.pskt.outputs[0].amount = 19999' "$T/v1.json" >"$T/v1b.json"
refused "another over it" v1b CONFLICT outpoint_conflict
run ctl policy release "$txid:0" --reason "fee too low, replaced"
is "release" "$rc $out" "0 released"
is "its record" "$(last PolicyReleased | jq -r '"\(.value) \(.reason)"')" \
    "$txid:0 fee too low, replaced"
is "now the other is signed" "$(sign v1b)" signed
used=$(ctl policy show -j | jq '.limits[] |
    select(.key == "max_hourly_volume_sompi") | .used')
is "and both count" "$used" 182000
# --- a keyd that was killed ---

stop keyd KILL
start keyd && unlock || not_ok "keyd again"
is "a kill: what left still counts" "$(ctl policy show -j | jq '.limits[] |
    select(.key == "max_hourly_volume_sompi") | .used')" "$used"
doc after own:50000@g -- "pubkey:$other:20001" change:28999
is "refused, but the key was decrypted" "$(sign after)" \
    "CONFLICT outpoint_conflict"
check "which is in the log" wait_for 20 decrypted_and_denied
refused "a kill: what was signed is still claimed" after CONFLICT \
    outpoint_conflict
is "a kill: and is signed again" "$(sign good)" signed
run ctl policy accept-clock
is "accept-clock without a doubt" "$rc" 1
run ctl policy accept-rollback
is "accept-rollback without one" "$rc" 1
if [ "$(id -u)" -eq 0 ]; then
	cp "$conf" "$T/other.toml"
	chmod 0644 "$T/other.toml"
	run as_uid "$other_uid" "$bin/igractl" -f "$T/other.toml" policy show
	is "policy show is not for everybody" "$rc" 3
	CONF_SECURITY="admin_users = [\"$other_uid\"]" policy ''
	cp "$conf" "$T/other.toml"
	run as_uid "$other_uid" "$bin/igractl" -f "$T/other.toml" policy show
	is "but for admin_users" "$rc" 0
	run as_uid "$other_uid" "$bin/igractl" -f "$T/other.toml" policy \
	    release "$txid:0" --reason "mine"
	is "who may not release" "$rc" 1
fi

t_done
