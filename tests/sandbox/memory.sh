#!/bin/bash
# Secrets are only where DESIGN 7 lets them be: 1,000 canaries are loaded, used,
# evicted and locked, and memory, registers, core files, log and stderr of the
# daemons are searched for any piece of any of them (tests/e2e/memscan.c).
# The arena is of the mlock kind: memfd_secret would hide it even from root.

. "${0%/*}/../e2e/lib.sh"
t_init

scan_tool=$tests/memscan
if [ "$(id -u)" -ne 0 ]; then
	skip "memory of the daemons" "not root"
	t_done
fi
if grep -q __asan_init "$bin/igra-keyd"; then
	skip "memory of the daemons" "ASan keeps what was freed"
	t_done
fi
if [ "$(uname -s)" != Linux ] || [ ! -r /proc/self/maps ]; then
	skip "memory of the daemons" "no /proc"
	t_done
fi

# Only keyd has the arena.
real=$bin
mkdir "$T/bin"
ln -s "$real"/* "$T/bin/"
rm "$T/bin/igra-keyd"
cat >"$T/bin/igra-keyd" <<END
#!/bin/sh
exec $scan_tool mlock $real/igra-keyd "\$@"
END
chmod 755 "$T/bin/igra-keyd"
bin=$T/bin

path="m/44'/111111'/0'/0/0"
scan_args=()

# scan TARGET…: what is found is in $found.
scan()
{
	found=$("$scan_tool" scan "${scan_args[@]}" "$secrets" "$T/pass" "$@")
	scan_rc=$?
}

# none WHAT TARGET…: nothing is found.
none()
{
	_what=$1
	shift
	scan "$@"
	if [ $scan_rc -eq 0 ]; then
		ok "$_what"
	else
		not_ok "$_what" "$(printf '%s\n' "$found" | tail -n 20)"
	fi
}

# some WHAT PATTERN TARGET…: or we would see nothing at all.
some()
{
	_what=$1 _pattern=$2
	shift 2
	scan "$@"
	if [ $scan_rc -eq 1 ] && printf '%s\n' "$found" | grep -q "$_pattern"
	then
		ok "$_what"
	else
		not_ok "$_what" "$found"
	fi
}

# The writer of the policy journal is igra-keyd's child, made before it knew any.
others()
{
	none "$1: igra-signd and igra-auditd have nothing" "$pid_signd" \
	    "$pid_auditd"
	_writer=$(pgrep -P "$pid_keyd")
	none "$1: nor has the journal's writer" "${_writer:-0}"
}

# Each profile's public key once, twenty in a batch, since a busy machine is not
# to be late with the last; prints how many there were.
use_all()
{
	local n=${1:-99} from=1

	while [ $from -le $n ]; do
		jq -nc --argjson from $from --argjson n $n '
		    [range($from; [$from + 20, $n + 1] | min) |
		    {jsonrpc: "2.0", id: ., method: "key.public",
		    params: {profile: ("signer-" + (tostring |
		    if length < 2 then "0" + . else . end))}}]' |
		    curl -s --max-time 60 --unix-socket "$signd_sock" \
		    --data-binary @- http://localhost/rpc |
		    jq -c 'map(.result.public_key // empty)'
		from=$((from + 20))
	done | jq -s 'add | length'
}

# The vector's transaction; "signed", or why not.
sign_one()
{
	rpc pskt.sign "@$T/sign.json" | jq -r \
	    'if .result then "signed" else .error.data.code end'
}

cached()
{
	ctl status -j | jq .keyd.cache_entries
}

is_locked()
{
	[ "$(ctl status -j | jq .keyd.locked)" = true ]
}

cache_is()
{
	[ "$(cached)" = "$1" ]
}

core()
{
	command -v gcore >/dev/null || return 1
	rm -f "$T"/core.*
	# It says nothing useful; what counts is the file.
	gcore -o "$T/core" "$1" >/dev/null 2>&1 </dev/null
	[ -s "$T/core.$1" ]
}

# no_core_of WHAT PID
no_core_of()
{
	if core "$2"; then
		none "$1" "$T/core.$2"
	else
		skip "$1" "no gcore: install gdb"
	fi
}

# begin WHAT: the daemons, locked.
begin()
{
	mk_conf
	start_all || { not_ok "$1: start"; t_done; }
}

CONF_RPC='rate_limit_rps = 10000
rate_limit_burst = 10000'

### Raw keys, cached for a while

secrets=$T/secrets.bin
# The search takes its time.
CONF_SECURITY='secret_cache_ttl = 8
secret_cache_max = 1000'
KEY_TYPE=raw_private_key
mk_conf
box=$("$scan_tool" make "$secrets" "$T/pass" 1000)
# One of them is a key that has something to sign.
set_key signer-01 "$(vector ins2-outs1-mixed1 | jq -r .single_private_key)"
vector ins2-outs1-mixed1 | sign_params >"$T/sign.json"
begin "raw keys"
has "the arena is one that root can read" "$(ctl status -j)" '"mlock"'
none "locked: nobody has anything" "$pid_keyd" "$pid_signd" "$pid_auditd"
unlock || not_ok "unlock"
is "raw keys: 99 are used" "$(use_all)" 99
is "and one signs" "$(sign_one)" signed
some "the search finds a live key" "of a value as it is" "$pid_keyd"
some "and the file key in its closed page" "of the file key" "$pid_keyd"
others "raw keys live"
no_core_of "raw keys live: not in a core file of igra-keyd" "$pid_keyd"
wait_for 60 cache_is 0 || not_ok "raw keys: evicted" "$(cached)"
scan_args=(-k)
none "raw keys evicted: none in igra-keyd" "$pid_keyd"
scan_args=()
others "raw keys evicted"
is "raw keys: used again" "$(use_all)" 99
check "lock" ctl lock
none "locked again: nothing in igra-keyd" "$pid_keyd"
others "locked again"

# Failed unlocks.
printf 'no such passphrase at all\n' >"$T/wrong"
chmod 600 "$T/wrong"
# The operator's lock is lifted by a restart without its marker.
stop keyd
rm -f "$T/keyd/state"
start keyd
if ctl unlock --passphrase-file "$T/wrong" >/dev/null 2>&1; then
	not_ok "a wrong passphrase is refused"
else
	ok "a wrong passphrase is refused"
fi
none "after a failed unlock: nothing" "$pid_keyd"
sleep 1.1
kill -STOP "$pid_auditd"
if ctl unlock --passphrase-file "$T/pass" >/dev/null 2>&1; then
	not_ok "without a record no unlock"
else
	ok "without a record no unlock"
fi
kill -CONT "$pid_auditd"
none "after an unlock without its record: nothing" "$pid_keyd"

# unlock_ttl
stop keyd
CONF_SECURITY='secret_cache_ttl = 60
unlock_ttl = 6'
mk_conf
start keyd
unlock || not_ok "unlock"
is "unlock_ttl: used" "$(use_all 5)" 5
wait_for 60 is_locked || not_ok "unlock_ttl over"
none "unlock_ttl over: nothing in igra-keyd" "$pid_keyd"
no_core_of "unlock_ttl over: nor in a core file" "$pid_keyd"
stop_all

### Phrases in the secrets file, nothing cached; searched while they are used

CONF_SECURITY='secret_cache_ttl = 0'
KEY_TYPE=hd_mnemonic
PROFILE=signer-02
CONF_HD="derivation_path = \"$path\""
begin "phrases"
unlock || not_ok "unlock"
scan_args=(-p "$path")
(
	for _i in 1 2 3 4; do
		use_all >>"$T/used"
	done
) &
load=$!
rounds=0
while kill -0 $load 2>/dev/null; do
	scan "$pid_signd" "$pid_auditd"
	[ $scan_rc -eq 0 ] || break
	rounds=$((rounds + 1))
done
wait $load
is "phrases: 98 are used, four times, and one is missing" \
    "$(sort "$T/used" | uniq -c | tr -s ' ')" " 4 98"
if [ $scan_rc -eq 0 ] && [ $rounds -ge 1 ]; then
	ok "phrases in use: igra-signd and igra-auditd have nothing"
else
	not_ok "phrases in use: igra-signd and igra-auditd have nothing" \
	    "$rounds rounds; $found"
fi
scan_args=(-k -p "$path")
none "phrases used, nothing cached: none in igra-keyd" "$pid_keyd"
rpc key.public '{"profile": "signer-77"}' >/dev/null
none "a phrase used once: nothing left of it" "$pid_keyd"
rpc key.list >/dev/null
none "the secrets listed: nothing left of them" "$pid_keyd"
is "a profile without a phrase" "$(rpc key.public \
    '{"profile": "signer-01"}' | rpc_code)" KEY_NOT_FOUND
none "a failed request: nothing left of it" "$pid_keyd"
is "another's transaction is refused" "$(sign_one)" NOT_A_SIGNER
none "a refused signature: nothing left of it" "$pid_keyd"
no_core_of "phrases used: none in a core file" "$pid_keyd"
scan_args=(-p "$path")
check "lock" ctl lock
none "phrases locked: nothing in igra-keyd" "$pid_keyd"
stop_all

### A phrase in the config

rm -f "$T/keyd/state"
CONF_SECURITY='secret_cache_ttl = 12'	# the search has its own to derive first
PROFILE=signer-01
CONF_HD="derivation_path = \"$path\"
encrypted_mnemonics = [\"$box\"]"
begin "phrase in the config"
unlock || not_ok "unlock"
scan_args=(-p "$path" -c "$box")
is "phrase in the config: used" "$(use_all 3)" 3
some "a live key of a phrase is found" "of what is derived" "$pid_keyd"
some "and the key of layer 1" "of the file key or layer 1" "$pid_keyd"
others "phrase in the config"
no_core_of "phrase in the config: not in a core file" "$pid_keyd"
wait_for 60 cache_is 0 || not_ok "phrase in the config: evicted" "$(cached)"
scan_args=(-k -p "$path" -c "$box")
none "phrase in the config, evicted: none in igra-keyd" "$pid_keyd"
scan_args=(-p "$path" -c "$box")
check "lock" ctl lock
none "phrase in the config, locked: nothing in igra-keyd" "$pid_keyd"
others "phrase in the config, locked"
stop_all

### Keys below an account, each at a path of a transaction's inputs

rm -f "$T/keyd/state"
account="m/45'/111111'/0'"
jq '[.[0] | {phrase, payment: .passphrase}]' "$vectors/hd.json" \
    >"$T/signers.json"
jq -r '.[0].phrase' "$T/signers.json" | secrets_admin import-mnemonic \
    --profile signer-01 --stdin >/dev/null 2>&1
secrets_admin remove igra.signer.payment_secret_signer-01 >/dev/null 2>&1
PYTHONDONTWRITEBYTECODE=1 "$PYTHON" "$e2e/hd_ref.py" pskt "$T/signers.json" \
    "$account" 1 key:0:0/7:100000000 key:0:1/8:100000000 \
    -- "pubkey:$(printf 'ab%.0s' {1..32}):190000000" >"$T/sign.json"
CONF_HD="derivation_path = \"$account\""
CONF_SECURITY='secret_cache_ttl = 12'	# the search has its own to derive first
begin "derived keys"
unlock || not_ok "unlock"
scan_args=(-p "$account/1/8")
is "derived keys: two are used" "$(sign_one)" signed
some "a live derived key is found" "of what is derived" "$pid_keyd"
others "derived keys"
no_core_of "derived keys: not in a core file" "$pid_keyd"
wait_for 60 cache_is 0 || not_ok "derived keys: evicted" "$(cached)"
scan_args=(-k -p "$account/1/8")
none "derived keys evicted: none in igra-keyd" "$pid_keyd"
is "derived keys: used again" "$(sign_one)" signed
scan_args=(-p "$account/1/8")
check "lock" ctl lock
none "derived keys locked: nothing in igra-keyd" "$pid_keyd"
stop_all
rm -f "$T/keyd/state"
CONF_SECURITY='secret_cache_ttl = 0'
begin "derived keys, nothing cached"
unlock || not_ok "unlock"
is "derived keys, nothing cached: used" "$(sign_one)" signed
scan_args=(-k -p "$account/1/8")
none "derived keys, nothing cached: none in igra-keyd" "$pid_keyd"
stop_all

none "nothing in the log and in what the daemons said" "$log" \
    "$T/auditd.err" "$T/keyd.err" "$T/signd.err"
t_done
