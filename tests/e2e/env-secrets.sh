#!/bin/bash
# Secrets in the environment: refused by every program on mainnet, whichever
# the build; read by igra-keyd on devnet and testnet, in a build made for it;
# and wiped where they stand.  That build is made here, once, in $build/env.
. "${0%/*}/lib.sh"
t_init
unset IGRA_SECRETS_PASSPHRASE KASPA_IGRA_WALLET_SECRET
normal=$bin
env=$build/env/bin
programs="igra-keyd igra-signd igra-auditd igra-service igractl secrets-admin
    devnet-keygen"

# The sanitizers' build: only the daemons.
case $build in
*asan*)	set -- SAN=1 igra-auditd igra-keyd igra-signd ;;
*)	set -- $programs ;;
esac
if ! variant "$build/env" ENV_SECRETS=1 "$@" >"$T/make.out" 2>&1; then
	not_ok "make ENV_SECRETS=1" "$(tail -20 "$T/make.out")"
	t_done
fi
ok "make ENV_SECRETS=1"

# --- what the normal build has not ---
if command -v readelf >/dev/null; then
	for p in $programs; do
		has_not "$p: no symbol of the store" \
		    "$(readelf -sW "$normal/$p" | awk '{ print $8 }')" envstore
	done
	has "but made for it, igra-keyd has them" \
	    "$(readelf -sW "$env/igra-keyd" | awk '{ print $8 }')" \
	    envstore_unlock
else
	skip "symbols of the store" "no readelf"
fi
# The decoder's own words: a prefix that nothing else knows, and its warning.
for p in $programs; do
	is "$p: no decoder" "$(LC_ALL=C grep -acE \
	    'b64:|malformed or there twice' "$normal/$p")" 0
done
for word in 'b64:' 'malformed or there twice'; do
	if LC_ALL=C grep -aqF "$word" "$env/igra-keyd"; then
		ok "but made for it, igra-keyd has \"$word\""
	else
		not_ok "but made for it, igra-keyd has \"$word\""
	fi
done

# --- mainnet: every program, every variable ---
value=do-not-show-this-value
mk_conf
mk_secrets
# Else as mainnet has it: three users, none of them root.
sed -e 's/^network = .*/network = "mainnet"/' "$conf" >"$T/main.toml"
chmod 0600 "$T/main.toml"

# Every way to start a program that its rules have to see.
command_of()
{
	case $1 in
	igra-keyd|igra-signd|igra-auditd)
		echo "-f $T/main.toml" ;;
	igra-service)
		echo "run --no-unlock -f $T/main.toml" ;;
	igractl)
		echo "-f $T/main.toml status" ;;
	secrets-admin)
		echo "--path $secrets info" ;;
	devnet-keygen)
		echo "--kaspa-network mainnet --format file --output $T/new.bin" ;;
	esac
}

# stopped WHAT PROGRAM NAMES [ARGUMENT…]: stopped, every name said, what to
# use instead too, but no value.
stopped()
{
	local what=$1 program=$2 names=$3 bad='' v vars=()
	shift 3
	for v in $names; do vars+=("$v=$value"); done
	run env "${vars[@]}" timeout 10 "$program" "$@"
	[ "$rc" -eq 1 ] || [ "$rc" -eq 2 ] || bad="exit $rc"
	for v in $names; do
		case $err$out in
		*"the environment has $v"*) ;;
		*)	bad="$bad, does not name $v" ;;
		esac
		case $v:$err$out in
		IGRA_SECRETS_PASS*:*--passphrase-file*) ;;
		IGRA_SECRET__*:*"secrets-admin set"*) ;;
		KASPA_*:*"secrets-admin set"*) ;;
		*)	bad="$bad, does not say what to use instead of $v" ;;
		esac
	done
	case $err$out in
	*"$value"*) bad="$bad, shows the value" ;;
	esac
	if [ -z "$bad" ]; then ok "$what"; else not_ok "$what: $bad" "$err"; fi
}

key_var=IGRA_SECRET__igra_signer__private_key_signer_01
all_vars="$key_var IGRA_SECRET__ KASPA_IGRA_WALLET_SECRET
    IGRA_SECRETS_PASSPHRASE"
for dir in "$normal" "$env"; do
	for p in $programs; do
		[ -x "$dir/$p" ] || continue
		b=${dir#"$build"/}/$p
		for v in $all_vars; do
			stopped "mainnet: $b stops: $v" "$dir/$p" $v \
			    $(command_of $p)
		done
		stopped "mainnet: $b names all at once" "$dir/$p" \
		    "$(echo $all_vars)" $(command_of $p)
	done
done
for c in lock "unlock --passphrase-file $T/pass"; do
	stopped "mainnet: igractl ${c%% *}" "$normal/igractl" $key_var \
	    -f "$T/main.toml" $c
done
for c in list "get igra.x" "set igra.x" "remove igra.x" rotate-passphrase \
    "pubkey --profile signer-01" "import-mnemonic --profile signer-01" \
    encrypt-mnemonic "rename-profile signer-01 signer-02" "init $T/x.bin"; do
	case $c in init*) set -- ;; *) set -- --path "$secrets" ;; esac
	stopped "mainnet by default: secrets-admin ${c%% *}" \
	    "$normal/secrets-admin" IGRA_SECRETS_PASSPHRASE "$@" \
	    --passphrase-file "$T/pass" $c
done
pub=$(jq -r '.[0].keys[0].public_key' "$vectors/hd.json")
stopped "mainnet: devnet-keygen --member-pubkey" "$normal/devnet-keygen" \
    $key_var --kaspa-network mainnet --member-pubkey "$pub"
stopped "mainnet: validate-config" "$normal/igra-service" \
    "$(echo $all_vars)" validate-config --config "$T/main.toml" --offline
is "nothing was made" "$(ls "$T/new.bin" "$T/x.bin" 2>/dev/null)" ""
run env IGRA_SECRET=a IGRA_SECRETS_PASSPHRASE_=b IGRA_SECRETS=c \
    KASPA_IGRA_WALLET_SECRETS=d "$normal/secrets-admin" --path "$secrets" info
is "other variables are none of these" \
    "$rc:$(printf %s "$err" | grep -c "the environment has")" 0:0

# --- testnet warns, devnet says nothing ---
for net in testnet devnet; do
	NETWORK=$net mk_conf
	for p in "secrets-admin --network $net --path $secrets info" \
	    "devnet-keygen --kaspa-network $net --member-pubkey $pub" \
	    "igractl -f $conf status"; do
		run env $key_var=$value KASPA_IGRA_WALLET_SECRET=$value \
		    IGRA_SECRETS_PASSPHRASE="$PASS" "$bin/"$p
		n=$(printf '%s\n' "$err" | grep -c \
		    'WARNING: .*the environment has [IK]')
		case $net in testnet) want=3 ;; devnet) want=0 ;; esac
		is "$net: warnings of ${p%% *}" "$n" $want
		case $rc in
		0|3)	ok "$net: ${p%% *} goes on" ;;
		*)	not_ok "$net: ${p%% *} goes on" "$err" ;;
		esac
		has_not "$net: ${p%% *} shows no value" "$err$out" "$value"
		has_not "$net: ${p%% *} shows no passphrase" "$err$out" "$PASS"
	done
done

# --- wiped in place ---
# left PID NAME: how many bytes of the name's values are not zero; "none" when
# the name is not there at all.
left()
{
	"$PYTHON" - "$1" "$2" <<-'END'
	import re, sys
	data = open(f"/proc/{sys.argv[1]}/environ", "rb").read()
	names = re.compile(rb"(?:^|\0)(IGRA_SECRET\w*|KASPA_IGRA_\w*|ZZ_AFTER)=")
	found = list(names.finditer(data))
	values = [data[a.end():b.start()] for a, b in zip(found, found[1:])
	    if a[1].decode() == sys.argv[2]]
	print(sum(len(v) - v.count(0) for v in values) if values else "none")
	END
}

# with_env NAME=VALUE … -- COMMAND…: in this order and nothing behind them but
# ZZ_AFTER; a name may be there twice, which env(1) cannot do.
cat >"$T/with_env.py" <<'END'
import ctypes, os, sys
at = sys.argv.index("--")
env, args = sys.argv[1:at] + ["ZZ_AFTER=1"], sys.argv[at + 1:]
for keep in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "PATH"):
    if keep in os.environ:
        env.append(f"{keep}={os.environ[keep]}")
def vec(words):
    v = (ctypes.c_char_p * (len(words) + 1))()
    v[:-1] = [w.encode("utf-8", "surrogateescape") for w in words]
    return v
ctypes.CDLL(None, use_errno=True).execve(args[0].encode(), vec(args), vec(env))
sys.exit(127)
END

said_or_gone()
{
	grep -q 'locked.*; secrets in .* memory' "$T/keyd.err" ||
	    is_gone "$pid_keyd"
}

# start_env DIR NAME=VALUE …: igra-keyd of that build with these variables.
start_env()
{
	local dir=$1
	shift
	"$PYTHON" "$T/with_env.py" "$@" -- "$dir/igra-keyd" -f "$conf" \
	    </dev/null >>"$T/keyd.err" 2>&1 &
	pid_keyd=$!
	# It listens before it has looked at what it was given.
	wait_for 20 said_or_gone && ! is_gone "$pid_keyd"
}

case0=$(jq -c '.[0]' "$vectors/pskt.json")
key=$(jq -r .single_private_key <<<"$case0")
key64=$(printf %s "$key" | "$PYTHON" -c 'import base64, sys
print(base64.b64encode(bytes.fromhex(sys.stdin.read())).decode())')
jq -c '{pskt: .pskt}' <<<"$case0" >"$T/params"
mk_conf
mk_secrets "signer-01=$key"
pub=$(secrets_admin pubkey --profile signer-01 2>/dev/null |
    sed -n 's/^public_key: //p')
can_see=
[ "$(id -u)" -ne 0 ] || [ ! -r /proc/self/environ ] || can_see=yes

# wiped WHAT NAME…: of the running keyd.
wiped()
{
	local what=$1 v
	shift
	if [ -z "$can_see" ]; then
		skip "$what: wiped" "its environment cannot be seen"
		return
	fi
	for v in "$@"; do
		is "$what: $v is wiped in place" "$(left "$pid_keyd" "$v")" 0
	done
}

# The normal build: unread, and wiped all the same.
start auditd || { not_ok "auditd starts"; t_done; }
start_env "$normal" "$key_var=hex:$key" "$key_var=hex:$key" \
    "IGRA_SECRETS_PASSPHRASE=$PASS" "KASPA_IGRA_WALLET_SECRET=$value" ||
    not_ok "keyd starts" "$(tail -3 "$T/keyd.err")"
wiped "normal build, devnet" $key_var IGRA_SECRETS_PASSPHRASE \
    KASPA_IGRA_WALLET_SECRET
has "and unread: it is locked" "$(cat "$T/keyd.err")" "devnet, locked"
stop keyd
CONF_SERVICE='use_encrypted_secrets = false' mk_conf
run timeout 30 env "$key_var=hex:$key" "$normal/igra-keyd" -f "$conf"
is "normal build: use_encrypted_secrets = false: exit 1" "$rc" 1
has "says why" "$err" "this build has no other store"

# --- the build for it, on devnet ---
fresh()
{
	stop signd
	stop keyd
	stop auditd
	rm -rf "$T/keyd" "$T/log"
	: >"$T/keyd.err"
	mk_conf
	start auditd
}

# signs WHAT [PUBLIC_KEY]
signs()
{
	start signd
	if wait_for 20 is_ready; then
		ok "$1: unlocked"
	else
		not_ok "$1: unlocked" "$(tail -5 "$T/keyd.err")"
	fi
	is "$1: the key" "$(rpc signer.info | jq -r .result.public_key)" \
	    "${2:-$pub}"
	[ $# -eq 2 ] || is "$1: signs" "$(rpc pskt.sign "@$T/params" |
	    jq -r '(.result.signatures | length) > 0')" true
}

bin=$env
CONF_SERVICE='use_encrypted_secrets = false'
fresh
start_env "$env" "$key_var=hex:$key" || not_ok "keyd starts"
signs "hex:"
wiped "hex:" $key_var
is "the log says where it is from" "$(jq -rs 'map(select(.event_type ==
    "SecretAccess") | .backend) | unique | join(" ")' "$log")" Environment
has_not "the log has no key" "$(cat "$log")" "$key"
has "and it is said aloud" "$(cat "$T/keyd.err")" \
    "WARNING: unlocked with secrets from the environment"
check "it can be locked" "$normal/igractl" -f "$conf" lock
is "and stays so" "$(rpc signer.info | jq -r .result.locked)" true

fresh
start_env "$env" "$key_var=b64:$key64" \
    "IGRA_SECRET__igra_signer__private_key_signer_02=hex:${key}zz" \
    "IGRA_SECRET__igra_signer__private_key_signer_03=hex:abc" \
    "IGRA_SECRET__igra_signer__private_key_signer_04=b64:*$key64" \
    "IGRA_SECRET__igra_signer__private_key_signer_05=" \
    "IGRA_SECRET__igra_signer__private_key_signer_06=hex:" \
    "IGRA_SECRET__nothing=hex:00" "IGRA_SECRET__=hex:00" \
    "IGRA_SECRET__igra_x__long=$(printf 'x%.0s' $(seq 5000))" \
    "$key_var=hex:00" || not_ok "keyd starts"
signs "b64:, beside malformed ones"
for v in IGRA_SECRET__igra_signer__private_key_signer_0{2,3,4,5,6} \
    IGRA_SECRET__nothing IGRA_SECRET__ IGRA_SECRET__igra_x__long $key_var; do
	has "$v is named and skipped" "$(cat "$T/keyd.err")" \
	    "WARNING: the variable $v is malformed or there twice and is skipped"
done
is "what was well formed is not" "$(grep -c "is skipped" "$T/keyd.err")" 9
has_not "values are not shown" "$(cat "$T/keyd.err")" "${key64%?}"
is "key.list has what was taken" "$(rpc key.list |
    jq -c '[.. | .key_ref? // empty]')" \
    '["igra.signer.private_key_signer-01"]'
wiped "malformed or not" $key_var \
    IGRA_SECRET__igra_signer__private_key_signer_0{2,3,4,6} \
    IGRA_SECRET__nothing

# A phrase, plain, with its own payment secret; the name keeps its _.
hd1=$(jq -c '.[2]' "$vectors/hd.json")
want=$(jq -r '.keys[0].public_key' <<<"$hd1")
phrase=$(jq -r .phrase <<<"$hd1") payment=$(jq -r .passphrase <<<"$hd1")
KEY_TYPE=hd_mnemonic
fresh
start_env "$env" "IGRA_SECRET__igra_signer__mnemonic_signer_01=$phrase" \
    "IGRA_SECRET__igra_signer__payment_secret_signer_01=$payment" ||
    not_ok "keyd starts"
signs "a plain phrase" "${want#??}"
wiped "a plain phrase" IGRA_SECRET__igra_signer__mnemonic_signer_01 \
    IGRA_SECRET__igra_signer__payment_secret_signer_01

# A phrase in the config, under the legacy name of wallet_secret.
bin=$normal
rm -f "$secrets"
printf %s "$value" | secrets_admin set igra.hd.wallet_secret --stdin \
    --argon2 8192,1,1 >/dev/null 2>&1
CONF_HD=$(printf %s "$phrase" | secrets_admin encrypt-mnemonic --stdin \
    2>/dev/null)
bin=$env
fresh
start_env "$env" "KASPA_IGRA_WALLET_SECRET=$value" \
    "IGRA_SECRET__igra_hd__payment_secret=$payment" || not_ok "keyd starts"
signs "KASPA_IGRA_WALLET_SECRET and a phrase in the config" "${want#??}"
wiped "legacy name" KASPA_IGRA_WALLET_SECRET IGRA_SECRET__igra_hd__payment_secret
fresh
start_env "$env" "IGRA_SECRET__igra_hd__wallet_secret=wrong" ||
    not_ok "keyd starts"
has "a wrong one: why there is no key" "$(cat "$T/keyd.err")" \
    "no key from the environment: service.hd.encrypted_mnemonics[0]: wrong wallet_secret"
has "a wrong one: locked" "$(cat "$T/keyd.err")" "devnet, locked"
wiped "a wrong one" IGRA_SECRET__igra_hd__wallet_secret
CONF_HD='' KEY_TYPE=raw_private_key

# igra-service hands them to igra-keyd, and to nobody else.
if [ -x "$env/igra-service" ]; then
	CONF_HD='' KEY_TYPE=raw_private_key fresh
	stop auditd
	env "$key_var=hex:$key" setsid "$env/igra-service" run -f "$conf" \
	    </dev/null >"$T/service.out" 2>&1 &
	service=$!
	also_kill $service
	if wait_for 20 is_ready; then
		ok "igra-service: its igra-keyd is unlocked"
	else
		not_ok "igra-service: its igra-keyd is unlocked" \
		    "$(tail -5 "$T/service.out")"
	fi
	for d in service auditd keyd signd; do
		pid=$(sed -n "s/^igra-service: igra-$d started, pid //p" \
		    "$T/service.out")
		[ $d != service ] || pid=$service
		if [ -z "$can_see" ]; then
			skip "igra-service: nothing left in igra-$d" \
			    "its environment cannot be seen"
			continue
		fi
		is "igra-service: nothing left in igra-$d" \
		    "$(LC_ALL=C grep -ac "$key" "/proc/$pid/environ")" 0
	done
	kill -TERM $service
	check "igra-service: ends" wait_for 60 is_gone $service
fi

# testnet: the same, with warnings; mainnet: not at all.
NETWORK=testnet
fresh
start_env "$env" "$key_var=hex:$key" || not_ok "keyd starts"
signs "testnet" "$pub"
has "testnet: warned about" "$(cat "$T/keyd.err")" \
    "the environment has the secret $key_var"
NETWORK=mainnet mk_conf
run timeout 30 "$env/igra-keyd" -f "$conf"
is "mainnet: use_encrypted_secrets = false: exit 1" "$rc" 1
has "mainnet: says why" "$err" \
    "on mainnet secrets come from the encrypted file only"
NETWORK=devnet

# With an encrypted file that build does as the other.
CONF_SERVICE=
fresh
bin=$normal
mk_secrets "signer-01=$key"
start_env "$env" "$key_var=hex:00" || not_ok "keyd starts"
start signd
has "an encrypted file: locked" "$(cat "$T/keyd.err")" "devnet, locked"
wiped "an encrypted file" $key_var
check "an encrypted file: unlocks" unlock
is "an encrypted file: its key" \
    "$(rpc signer.info | jq -r .result.public_key)" "$pub"
t_done
