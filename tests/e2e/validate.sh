#!/bin/bash
# The rules of the network modes: igra-service validate-config, and that no
# daemon starts, no unlock works and nothing is signed against them.
. "${0%/*}/lib.sh"
t_init
unset IGRA_SECRETS_PASSPHRASE KASPA_IGRA_WALLET_SECRET
service=$bin/igra-service
hidden=do-not-show-this-value

if [ "$(id -u)" -ne 0 ]; then
	skip "all" "mainnet needs three users, and so root"
	t_done
fi

# --- a signer that is fit for mainnet ---

PASS='tundra-Velcro7-oboe-Quasar-limp'
printf '%s\n' "$PASS" >"$T/pass"
DATA_DIR=$T/data
mkdir -m 0700 "$DATA_DIR"
KEY_TYPE=hd_mnemonic
path="m/45'/111111'/0'/0/0"
CONF_HD="derivation_path = \"$path\""
url='node_rpc_url = "grpc://127.0.0.1:16110"'
CONF_SERVICE=$url

# hd PHRASE FIELD: of the vectors.
hd()
{
	jq -r --arg phrase "$1" --arg path "$path" '.[] |
	    select(.phrase | startswith($phrase)) | . + (.keys[] |
	    select(.path == $path)) | '"$2" "$vectors/hd.json"
}
phrase=$(hd "peace minute" .phrase)
payment=$(hd "peace minute" .passphrase)
own=$(hd "peace minute" .public_key)
second=$(hd "nerve verb" .public_key)
stranger=$(hd "define valve" .public_key)
stranger=${stranger#0?}

# fit NETWORK: a config that passes there, in every table; $redeem.
fit()
{
	NETWORK=$1
	"$bin/devnet-keygen" --kaspa-network "$1" --threshold-m 2 \
	    --format toml --member-pubkey "$own" --member-pubkey "$second" \
	    --member-pubkey "03$stranger" >"$T/group.toml" || exit 1
	CONF_PSKT=$(sed -n '/^redeem_script_hex/,/^change_address/p' \
	    "$T/group.toml")
	CONF_MORE=$(sed -n '/^\[group\]/,$p' "$T/group.toml")
	redeem=$(sed -n 's/^redeem_script_hex = "\(.*\)"/\1/p' \
	    "$T/group.toml")
	_net=$1
	[ "$1" = testnet ] && _net=testnet-10
	CONF_POLICY="max_fee_sompi = 1000000
allowed_destinations = [\"$(hd "define valve" ".addresses[\"$_net\"]")\"]"
	mk_conf
}

# mk_file [OPTION…]: $secrets as mkisec makes it, from lines of stdin, with
# mainnet's cost; the payment secret's line when it is $1.
mk_file()
{
	"$tests/mkisec" -p 65536,3,4 "$@" "$secrets" "$T/pass" || exit 1
}
phrase_line="igra.signer.mnemonic_signer-01 $phrase"
pay_line="igra.signer.payment_secret_signer-01 $payment"
good_file()
{
	printf '%s\n' "$phrase_line" "$pay_line" | mk_file "$@"
}

# edited SED…: the config, edited, in $T/edit.toml.
edited()
{
	sed "$@" "$conf" >"$T/edit.toml"
	chmod 0600 "$T/edit.toml"
}

# validate ARGUMENT…: igra-service validate-config, as a UTF-8 terminal's.
validate()
{
	run env LC_ALL=C.UTF-8 "$service" validate-config --config "$conf" "$@"
}

fit mainnet
good_file
first='✓ Network mode: mainnet
✓ Encrypted secrets: enabled
✓ payment_secret: configured
✓ Audit logging: enabled
✓ RPC endpoint: localhost'

# --- validate-config: all is well ---

validate --network mainnet --passphrase-file "$T/pass"
is "good: exit 0" "$rc" 0
is "good: the first five lines" "$(printf '%s\n' "$out" | head -5)" "$first"
is "good: nothing but ticks" "$(printf '%s\n' "$out" | grep -v '^✓ ')" ""
is "good: nothing on stderr" "$err" ""
has "good: further lines" "$out" "✓ Position in the redeem script: 1"
run "$service" validate-config --config "$conf" --passphrase-file "$T/pass"
is "plain ASCII where the locale is" "$(printf '%s\n' "$out" | head -5)" \
    "$(printf '%s\n' "$first" | sed 's/^✓ /ok: /')"
is "all of it" "$(printf '%s' "$out" | LC_ALL=C grep -c '[^ -~]')" 0
run env LC_ALL=C.UTF-8 bash -c '"$@" 7<"$0"' "$T/pass" "$service" \
    validate-config --config "$conf" --passphrase-fd 7
is "passphrase by descriptor" "$rc $(printf '%s\n' "$out" | head -5)" \
    "0 $first"
validate --json --passphrase-file "$T/pass"
is "--json" "$rc $out" '0 {"network":"mainnet","ok":true,"findings":[]}'
validate --offline
is "--offline: exit 0" "$rc" 0
has "--offline: says what was not checked" "$out" \
    "– payment_secret: not checked (--offline)"
has "--offline: the age needs no passphrase" "$out" "✓ Passphrase age: 0 days"
validate --offline --json
is "--offline --json: no error, each with its four members" \
    "$(printf '%s' "$out" | jq -c '[.network, .ok, (.findings | length > 0),
    ([.findings[] | .severity] | unique), ([.findings[] | keys | join(" ")] |
    unique), ([.findings[] | [.[] | type]] | flatten | unique)]')" \
    '["mainnet",true,true,["unchecked"],["category message rule severity"],["string"]]'
run setsid -w env LC_ALL=C.UTF-8 "$service" validate-config --config "$conf"
has "neither keyd nor terminal" "$out" "no terminal to ask"
run env LC_ALL=C.UTF-8 "$PYTHON" "$e2e/terminal.py" --type-on "Passphrase: " \
    "$T/pass" "$service" validate-config --config "$conf"
is "asked for at a terminal" "$rc $(printf '%s' "$out" | tr -d '\r' |
    sed -n '/Network mode/,/RPC/p')" "0 $first"
has_not "and not shown" "$out" "$PASS"

# --- validate-config: usage ---

for args in "--frobnicate" "more" "--network mars" "--passphrase-fd x" \
    "--passphrase-file $T/pass --passphrase-fd 0" "--json=yes"; do
	validate $args
	is "usage: $args" "$rc $out" "2 "
done
run "$service" validate-config -h
is "-h: exit 0" "$rc" 0

# --- validate-config: what is wrong ---

printf 'not the passphrase\n' >"$T/wrong"
chmod 0600 "$T/wrong"
validate --passphrase-file "$T/wrong"
is "wrong passphrase: exit 1" "$rc" 1
has "wrong passphrase: says so" "$out" \
    "✗ [Secrets] the secrets file could not be examined: wrong passphrase"
has "wrong passphrase: the other rules are shown" "$out" "✓ Redeem script: 2 of 3"
has_not "wrong passphrase: is not shown" "$out$err" "not the passphrase"
run "$service" validate-config --config "$T/none.toml" --json
is "no config" "$rc $(printf '%s' "$out" | jq -c '[.network, .ok,
    (.findings[] | .category, .rule, .severity)]')" \
    '1 ["mainnet",false,"Configuration","config","error"]'
edited '$acolour = "red"'
run "$service" validate-config --config "$T/edit.toml" --network devnet
is "unknown key: exit 1" "$rc" 1
has "unknown key: file and line" "$out" \
    "error: [Configuration] $T/edit.toml:$(wc -l <"$T/edit.toml"):"
validate --network testnet --offline
is "--network disagrees" "$rc" 1
has "--network disagrees: says so" "$out" "make them agree"

# Everything at once, and no value of a secret.
chmod 0644 "$conf"
chmod 0755 "$DATA_DIR"
edited -e 's/^network = .*//' -e '/^user = /d' -e '/^max_fee/d' \
    -e 's|^node_rpc_url = .*|node_rpc_url = "ws://u:'$hidden'@node.example"|' \
    -e 's/^threshold_m = .*/threshold_m = 1/' -e '/^allowed/d' \
    -e 's/111111/111110/' -e 's/^change_address = .*/change_address = "'"$(
    hd "define valve" '.addresses["testnet-10"]')"'"/' \
    -e 's|^key_audit_log_path = .*|key_audit_log_path = "/proc/self"|' \
    -e '/^\[service\]/apassphrase_rotation_enabled = false' \
    -e '/^\[keyd\]/auser = "0"' -e '/^\[signd\]/auser = "0"' \
    -e '/^\[auditd\]/auser = "0"'
chmod 0644 "$T/edit.toml" "$secrets"
run env IGRA_SECRET__a="$hidden" KASPA_IGRA_WALLET_SECRET="$hidden" \
    IGRA_SECRETS_PASSPHRASE="$hidden" prlimit --nofile=1024:1024 \
    "$service" validate-config --config "$T/edit.toml" --json \
    --passphrase-file "$T/wrong"
is "all at once: exit 1" "$rc" 1
is "all at once: each has its finding" "$(printf '%s' "$out" | jq -r '
    [.findings[] | select(.severity == "error") | .rule] | unique |
    join(" ")')" "address-network audit-log audit-log-mode coin-type \
config-file-mode directories disk-space environment-passphrase \
environment-secrets group group-redeem-script network-stated \
open-files-limit policy-limits redeem-addresses roles-separated \
rpc-endpoint running-as-root secrets-file-mode secrets-open"
is "all at once: the categories" "$(printf '%s' "$out" | jq -r '
    [.findings[].category] | unique | join(" ")')" "Configuration \
FilePermissions Logging Network RpcEndpoint Secrets Startup"
has_not "all at once: no value of a secret" "$out$err" "$hidden"
chmod 0600 "$conf" "$secrets"
chmod 0700 "$DATA_DIR"

# --- no daemon starts against a rule ---

# refused WHAT WORDS [COMMAND…]: keyd does not start with $T/edit.toml.
refused()
{
	local what=$1 words=$2
	shift 2
	run timeout 30 "$@" "$bin/igra-keyd" -f "$T/edit.toml" $keyd_args
	case $rc$err in
	1*"$words"*)
		ok "keyd does not start: $what" ;;
	*)	not_ok "keyd does not start: $what" "exit $rc, no \"$words\": $err" ;;
	esac
}

test_address=$(hd "define valve" '.addresses["testnet-10"]')
while IFS='|' read -r what words script; do
	edited -e "$script"
	refused "$what" "$words"
done <<END
secrets not from the file|encrypted file only|/^\[service\]/ause_encrypted_secrets = false
network not stated|network = "mainnet"|s/^network = .*//
remote node|allow_remote_rpc|s/127.0.0.1/node.example/
remote node without TLS|without TLS|s/127.0.0.1/u:p@node.example/;/^\[service\]/aallow_remote_rpc = true
remote node without credentials|without credentials|s/grpc:..127.0.0.1/grpcs:\/\/node.example/;/^\[service\]/aallow_remote_rpc = true
address of another network|is an address of testnet|s/^change_address = .*/change_address = "$test_address"/
change that is not ours|not the address of redeem_script_hex|s/^change_address = .*/change_address = "$(hd "define valve" .addresses.mainnet)"/
coin type of Igra's mainnet|111110|s/111111/111110/
no group|[group] is missing|/^\[group/,\$d
one of three|threshold_m is 1|s/^threshold_m = .*/threshold_m = 1/
another threshold|[group] says 3 of 3|s/^threshold_m = .*/threshold_m = 3/
no max_fee_sompi|max_fee_sompi is missing|/^max_fee_sompi/d
neither destinations nor volume|needs allowed_destinations|0,/^allowed_destinations/{/^allowed_destinations/d}
no place for the log|could not make it|s/^key_audit_log_path = .*/key_audit_log_path = "\/nowhere\/at\/all"/
data_dir of devnet|looks like one of devnet|s/^data_dir = .*/data_dir = "\/var\/lib\/igra-devnet"/
no data_dir|/nowhere: No such file|s/^data_dir = .*/data_dir = "\/nowhere"/
run as root|would run as root|s/"$keyd_uid"/"0"/
two roles in one|roles are not separated|s/"$keyd_uid"/"$signd_uid"/
END
edited ''
keyd_args=-d refused "debug logging" "debug logging"
keyd_args='--network testnet' refused "--network disagrees" "make them agree"
for v in IGRA_SECRET__x KASPA_IGRA_WALLET_SECRET IGRA_SECRETS_PASSPHRASE; do
	refused "$v" "the environment has $v" env "$v=$hidden"
	has_not "$v: not its value" "$err" "$hidden"
done
refused "1024 open files" "open files" prlimit --nofile=1024:1024
chmod 0640 "$T/edit.toml"
refused "config that a group reads" "chmod 0600"
edited ''
chmod 0711 "$DATA_DIR"
refused "data_dir that others enter" "chmod 0700"
chmod 0700 "$DATA_DIR"
mkdir -m 0700 "$T/log"
touch "$log"
chmod 0640 "$log"
refused "log that a group reads" "chmod 0600"
rm -rf "$T/log" "$T/keyd/policy.journal"
edited -e 's/^max_fee_sompi/#/'
for d in signd auditd; do
	run timeout 30 "$bin/igra-$d" -f "$T/edit.toml"
	has "$d neither" "$rc$err" \
	    "1igra-$d: error: [Configuration] [policy] max_fee_sompi"
	has "$d: says where to look" "$err" "igra-service validate-config"
done
check "nothing was made" test ! -e "$T/run/igra-keyd"

# --- no unlock against a rule ---

# unlock_refused WHAT WORDS [FILE]
unlock_refused()
{
	run ctl unlock --passphrase-file "${3:-$T/pass}"
	case $rc$err in
	1*"$2"*) ok "no unlock: $1" ;;
	*)	not_ok "no unlock: $1" "exit $rc, no \"$2\": $out $err" ;;
	esac
	has_not "no unlock: $1: no secret is shown" "$err" "$hidden"
}

# --- no start without a sandbox ---

# without DAEMON SECONDS: it starts, if it does, as on a kernel without Landlock,
# and is ended after so long.
landlock=444
lacks="landlock (Function not implemented)"
without()
{
	rc=0
	timeout "$2" "$PYTHON" "$e2e/without.py" $landlock "$bin/igra-$1" \
	    -f "$conf" >/dev/null 2>"$T/without.err" </dev/null || rc=$?
	err=$(cat "$T/without.err")
}
case $(uname -s):$build in
*asan*)	skip "no Landlock" "the sanitizers need the sandbox off" ;;
Linux:*)
	for d in auditd keyd signd; do
		without $d 30
		is "igra-$d without Landlock: no start" "$rc" 1
		has "it says so" "$err" \
		    "[Startup] the sandbox is missing: $lacks"
	done
	fit testnet
	without keyd 6
	is "testnet: it starts" "$rc" 124
	has "and warns" "$err" "WARNING: [Startup] the sandbox is missing"
	fit devnet
	without keyd 6
	is "devnet: it starts" "$rc" 124
	has "and says what is missing" "$err" "no sandbox of $lacks"
	has_not "and does not claim it" "$(sed -n 's/.*confined: //p' \
	    "$T/without.err")" landlock
	fit mainnet ;;
*)	skip "no Landlock" "Linux has it" ;;
esac

start_all || { not_ok "the daemons start on mainnet"; t_done; }
ok "the daemons start on mainnet"

# A file from devnet, where any passphrase goes.
rm -f "$secrets"
cp "$T/pass" "$T/strong"
for weak in password123 passwordpassword; do
	printf '%s\n' "$weak" >"$T/pass"
	NETWORK=devnet secrets_admin init >"$T/secrets.out" 2>&1
	unlock_refused "passphrase $weak" "passphrase too weak for mainnet"
	has_not "it is not shown" "$err" "$weak"
	rm -f "$secrets"
done
cp "$T/strong" "$T/pass"
printf '%s\n' "$phrase_line" "$pay_line" | "$tests/mkisec" -p 8192,1,1 \
    "$secrets" "$T/pass"
unlock_refused "cheap Argon2" "too weak for mainnet"
good_file -d 90
unlock_refused "passphrase of 90 days" "90 days old"
has "it says what to do" "$err" "secrets-admin rotate-passphrase"
# A config of the operator's own does not soften keyd's.
good=$conf
edited '/^\[service\]/apassphrase_rotation_error_days = 1000'
conf=$T/edit.toml
unlock_refused "90 days, when igractl's config allows 1000" \
    "POLICY_DENIED: the passphrase of the secrets file is 90 days old"
conf=$good
edited 's/^network = .*/network = "devnet"/'
conf=$T/edit.toml
unlock_refused "with a config of devnet" "igra-keyd runs on mainnet"
conf=$good
validate --passphrase-file "$T/pass"
has "validate-config: 90 days" "$rc$out" "✗ [Secrets] the passphrase of the"
good_file
chmod 0644 "$conf"
unlock_refused "config that others read" "chmod 0600"
chmod 0600 "$conf"
chmod 0640 "$secrets"
unlock_refused "secrets file that others read" "$secrets"
chmod 0600 "$secrets"
chmod 0644 "$T/pass"
unlock_refused "passphrase file that others read" "$T/pass"
chmod 0600 "$T/pass"
printf '%s\n' "$phrase_line" | mk_file
unlock_refused "no payment_secret" \
    "igra.signer.payment_secret_signer-01 is missing"
has "it explains the two layers" "$err" "two layers"
has "it gives the command" "$err" \
    "secrets-admin set igra.signer.payment_secret_signer-01"
validate --passphrase-file "$T/pass"
has "validate-config: no payment_secret" "$rc$out" \
    "✗ [Secrets] igra.signer.payment_secret_signer-01 is missing"
printf '%s\n' "$phrase_line" "${pay_line% $payment} " | mk_file
unlock_refused "empty payment_secret" "is empty"
printf '%s\n' "$phrase_line" "${pay_line% $payment} äöüäöüäöüäö" | mk_file
unlock_refused "payment_secret of 11 characters" "is too short"
printf '%s\n' "$phrase_line" "${pay_line% $payment} hex:ff$(printf '61%.0s' \
    {1..20})" | mk_file
unlock_refused "payment_secret that is not UTF-8" "not valid UTF-8"
printf '%s\n' "$phrase_line" "${pay_line% $payment} $hidden" | mk_file
unlock_refused "key of another payment_secret" "not in redeem_script_hex"
is "all that keyd refused are in the log" "$(jq -rs '[.[] | select(
    .event_type == "Unlock" and .result == "Failure") | .error | select(
    test("payment_secret|redeem_script|90 days"))] | length' "$log")" 6
is "no secret is" "$(grep -c "$hidden\|$phrase\|$PASS" "$log")" 0

# What only the config makes wrong: with a keyd of that config.
stop keyd
edited 's/^active_profile = .*/active_profile = "signer-02"/'
conf=$T/edit.toml
printf '%s\n' "${phrase_line/-01/-02}" "${pay_line/-01/-02}" | mk_file
start keyd
unlock_refused "profile not at its position" "position 1 of redeem_script_hex"
has "it gives the command" "$err" \
    "secrets-admin rename-profile signer-02 signer-01"
stop keyd
conf=$good
edited '/^\[service.hd\]/aencrypted_mnemonics = ["'"$(jq -r '.[0] |
    .ciphertext_base64' "$vectors/wallet_encryption.json")"'"]'
conf=$T/edit.toml
printf '%s\n' "$phrase_line" "$pay_line" "igra.hd.wallet_secret \
saturn-Gravel3-ivory-Kettle-moth" "igra.hd.payment_secret $payment" | mk_file
start keyd
unlock_refused "two phrases" "two phrases"
run env LC_ALL=C.UTF-8 "$service" validate-config --config "$conf" \
    --passphrase-file "$T/pass"
has "validate-config: two phrases" "$rc$out" "✗ [Secrets] there are two phrases"
printf '%s\n' "igra.hd.wallet_secret $hidden" "igra.hd.payment_secret \
$payment" | sed "s/$hidden/password123/" | mk_file
unlock_refused "weak wallet_secret" "igra.hd.wallet_secret: "
has_not "it is not shown" "$err" password123
stop keyd
conf=$good

# --- what mainnet signs ---

# sign [MORE-PARAMS] IN… -- OUT…: $answer.
sign()
{
	local more='{}'
	case $1 in "{"*) more=$1; shift ;; esac
	"$PYTHON" "$e2e/mkpskt.py" "$redeem" "$@" |
	    jq -c --argjson more "$more" '. + $more' >"$T/params"
	answer=$(rpc pskt.sign "@$T/params")
}

# signed WHAT INPUTS
signed()
{
	is "signed: $1" "$(printf '%s' "$answer" | jq -c \
	    '.error.message // (.result.signatures | length)')" "$2"
}

# denied CHECK LIMIT VALUE WORDS: POLICY_DENIED, and the record of it.
denied()
{
	is "denied: $1 ($3)" "$(printf '%s' "$answer" | jq -r '.error |
	    [.data.code, .data.check, .data.limit, .data.value] |
	    join(" ")')" "POLICY_DENIED $1 $2 $3"
	has "denied: $1: in words" "$(printf '%s' "$answer" | jq -r \
	    .error.message)" "$4"
	is "denied: $1: on record" "$(tail -n 3 "$log" | jq -r 'select(
	    .event_type == "PolicyDenied") | [.result, .check, .limit, .value,
	    (.tx_id | length), .inputs] | map(tostring) | join(" ")' |
	    tail -n 1)" "Failure $1 $2 $3 64 ${denied_inputs:-1}"
}

# code WHAT WANT
code()
{
	is "$1" "$(printf '%s' "$answer" | rpc_code)" "$2"
}

CONF_POLICY="$CONF_POLICY
min_amount_sompi = 100000
max_amount_sompi = 5000000
require_reason = true"
mk_conf
start keyd
good_file
unlock && ok "unlocked on mainnet" || not_ok "unlocked on mainnet"
validate
is "validate-config asks the unlocked keyd" \
    "$rc $(printf '%s\n' "$out" | head -5)" "0 $first"
has "who checked the passphrase" "$out" "igractl judged it at the unlock"
cp -p "$secrets" "$T/keep"
good_file
run setsid -w "$service" validate-config --config "$conf"
has "but not one unlocked with another file" "$out" \
    "not checked: payment_secret: not checked (no igra-keyd"
mv "$T/keep" "$secrets"
why='{"reason":"test"}'
to=pubkey:$stranger
sign "$why" own:100000000 -- $to:4000000 change:95500000
signed "all limits kept" 1
sign own:100000000 -- $to:4000000 change:95500000
denied require_reason true "" "gives no reason"
sign "$why" own:100000000 -- "pubkey:${second#0?}:4000000" change:95500000
denied allowed_destinations "1 destinations" "$(printf '%s' "$answer" |
    jq -r .error.data.value)" "outputs[0] pays kaspa:"
sign "$why" own:100000000 -- $to:4000000 change:94999999
denied max_fee_sompi 1000000 1000001 "fee of 1000001 sompi"
sign "$why" own:100000000 -- $to:4000001 change:95000000
signed "a fee of 999999, of 5000000" 1
sign "$why" own:100000000 -- $to:4000002 change:94999999
denied max_amount_sompi 5000000 5000001 "5000001 sompi would leave"
sign "$why" own:100000000 -- $to:99998 change:99900001
denied min_amount_sompi 100000 99999 "99999 sompi would leave"
sign "$why" own:100000000:2 -- $to:4000000 change:95500000
denied allowed_sighash_types all none "sighashType"
denied_inputs=2
sign "$why" own:50000000 own:50000000 -- $to:4999000 change:95000000
signed "two inputs" 2
sign "$why" own:50000000 own:60000000 -- $to:10000000 change:99990000
denied max_amount_sompi 5000000 10010000 "max_amount_sompi"
denied_inputs=
sign "$why" own:100000000 "pubkey:${second#0?}:5000000" -- $to:4000000 \
    change:100500000
code "a foreign input" NOT_A_SIGNER
has "says which" "$answer" "inputs[1]: does not spend"
sign "$why" own:100000000 "pubkey:${own#0?}:5000000" -- $to:4000000 \
    change:100500000
code "our key, but not the multisig's script" NOT_A_SIGNER
sign "$why" "script:5120${own#0?}51ae:5000000" -- $to:4000000
code "our key in another multisig" NOT_A_SIGNER
sign '{"reason":"test","profile":"signer-02"}' own:100000000 -- $to:4000000 \
    change:95500000
code "another profile than the active one" KEY_NOT_FOUND
is "what was refused was not signed" "$(jq -rs '[.[] | select(.event_type ==
    "Signing" and .result == "Success")] | length' "$log")" 3

# What was signed counts after a restart, too.
used=$(jq -s '[.[] | select(.event_type == "Signing" and .result ==
    "Success") | .outflow_sompi] | add' "$log")
stop keyd
CONF_POLICY="$CONF_POLICY
max_daily_volume_sompi = $((used + 4499999))"
mk_conf
start keyd
unlock
sign "$why" own:100000000 -- $to:4000000 change:95500000
denied max_daily_volume_sompi $((used + 4499999)) $((used + 4500000)) \
    "within a day"
stop_all
rm -r "$T/log" "$T/keyd/policy.journal"

# --- testnet: the same is said, and works ---

fit testnet
CONF_POLICY=max_daily_volume_sompi=1000000000
CONF_MORE=
CONF_SERVICE='node_rpc_url = "ws://node.example"'
PASS=passwordpassword
printf '%s\n' "$PASS" >"$T/pass"
printf '%s\n' "$phrase_line" "${pay_line% $payment} " |
    "$tests/mkisec" -d 400 "$secrets" "$T/pass"
mk_conf
chmod 0644 "$conf"
chmod 0755 "$DATA_DIR"
: >"$T/keyd.err"
start_all && ok "testnet: the daemons start" ||
    not_ok "testnet: the daemons start"
for words in "[group] is missing" "max_fee_sompi is missing" \
    "node.example" "igra.toml has mode 0644" "data has mode 0755"; do
	has "testnet: warned: $words" "$(grep 'WARNING: ' "$T/keyd.err")" \
	    "$words"
done
unlock_refused "testnet: key not in the redeem script" "not in redeem_script"
CONF_PSKT=
mk_conf
stop keyd
start keyd
unlock && ok "testnet: unlocked" || not_ok "testnet: unlocked"
for words in "400 days old" "too weak for testnet"; do
	has "testnet: warned at the unlock: $words" "$(cat "$T/unlock.out")" \
	    "$words"
done
has "testnet: warned by keyd" "$(grep 'WARNING: ' "$T/keyd.err")" \
    "igra.signer.payment_secret_signer-01 is empty"
validate --passphrase-file "$T/pass"
is "testnet: validate-config warns, exit 0" "$rc" 0
has "testnet: counts" "$err" "testnet: 0 errors, "
has "testnet: in words" "$out" "! [Configuration] [group] is missing"
key=$(rpc key.public '{}' | jq -r .result.public_key)
sign "pubkey:$key:100000000" -- $to:4000000 "pubkey:$key:95500000"
signed "on testnet" 1
sign "pubkey:$key:100000000" "script:5120${key}51ae:5000000" \
    "pubkey:$stranger:5000000" -- $to:100000000
signed "on testnet, foreign inputs: those with our key" 2
printf '%s\n' password123 >"$T/pass"
printf '%s\n' "$phrase_line" | "$tests/mkisec" "$secrets" "$T/pass"
unlock_refused "testnet: passphrase of 11 characters" "at least 12"
t_done
