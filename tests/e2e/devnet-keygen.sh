#!/bin/sh
# devnet-keygen end to end: every format on every network, the key ceremony,
# what it refuses, and what must not be seen.  Everything it prints is worked
# out again by keygen_ref.py.
# Run from the top of the tree; BUILD is the build folder.

set -u
LC_ALL=C
export LC_ALL
umask 022
unset IGRA_SECRETS_PASSPHRASE
here=$(cd "${0%/*}" && pwd)
bin=$(cd "${BUILD:-build}/bin" && pwd) || exit 1
kg=$bin/devnet-keygen
sa=$bin/secrets-admin
PYTHON=${PYTHON:-python3}
T=$(mktemp -d /tmp/igra-kg.XXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM
cd "$T" || exit 1
failed=0
# Cheap to open; not for mainnet, which takes no less than the default.
fast='--argon2 64,1,1'
strong='lantern-orbit-velvet-quarry-93'

ok()	{ echo "ok - $1"; }
not_ok(){ echo "not ok - $1"; failed=1; sed 's/^/# /' err 2>/dev/null | head -5; }
skip()	{ echo "skip - $1 ($2)"; }
same()
{
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1"
		printf '# got:  %s\n# want: %s\n' "$2" "$3"
	fi
}
# run WHAT EXIT ARGUMENTS...: output in out, messages in err.
run()
{
	what=$1 want=$2
	shift 2
	"$kg" "$@" >out 2>err </dev/null
	rc=$?
	if [ $rc = "$want" ]; then ok "$what"; else
		echo "# exit $rc, not $want"
		not_ok "$what"
	fi
}
says()	{ if grep -Eq -- "$2" err; then ok "$1"; else not_ok "$1"; fi; }
is()
{
	if jq -e "$2" out >/dev/null 2>&1; then ok "$1"; else not_ok "$1"; fi
}
# ref WHAT M NETWORK NETWORK_ID [PAYMENT]: out is what it should be.
ref()
{
	what=$1
	shift
	if ! command -v "$PYTHON" >/dev/null; then
		skip "$what" "no $PYTHON"
	elif why=$("$PYTHON" "$here/keygen_ref.py" "$@" <out 2>&1); then
		ok "$what"
	else
		not_ok "$what"
		printf '%s\n' "$why" | sed 's/^/# /' | head -5
	fi
}
# secret FILE PASSPHRASE NAME ENCODING
secret()
{
	printf '%s\n' "$2" | setsid "$sa" --network devnet --path "$1" \
	    --passphrase-fd 0 get "$3" --unsafe-print --encoding "$4" \
	    2>/dev/null
}

# --- devnet: what Igra's scripts call ---
run "devnet by default, no options" 0
ref "every value of it" 2 devnet 0
is "3 signers, 2 validators" \
    '(.signers | length) == 3 and [.hyperlane_keys[].name] == ["validator-1", "validator-2"]'
is "members in Igra's order" 'keys_unsorted == ["wallet", "signers",
    "signer_addresses", "member_pubkeys", "redeem_script_hex",
    "source_addresses", "change_address", "hyperlane_keys", "evm", "group_id",
    "multisig_address"]'
jq -r '.signers[].mnemonic' out >first
run "again" 0
if jq -r '.signers[].mnemonic' out | grep -Fxf first >/dev/null; then
	not_ok "no phrase twice"
else
	ok "no phrase twice"
fi

run "8 of 15, raw keys" 0 --num-signers 15 --threshold-m 8 --key-type raw \
    --network-id 255 --hyperlane-validator-count 3 \
    --hyperlane-validator-name-format two-digit
ref "every value of it" 8 devnet 255
is "validators by two digits" '.hyperlane_keys[2].name == "validator-03"'
is "raw keys have no phrase" \
    '.signers[14] | has("private_key_hex") and (has("mnemonic") | not)'
run "1 of 2 by the other names" 0 --threshold-n 2 --threshold-m 1 \
    --output-format json --hyperlane-validator-count 0
ref "every value of it" 1 devnet 0
is "no validators" '.hyperlane_keys == []'
run "one signer" 0 --num-signers 1 --signer-profile signer-07
ref "every value of it" 1 devnet 0
is "is {signer} and named" '.signer.profile == "signer-07"'
run "simnet" 0 --network simnet
ref "has no wallet" 2 simnet 0
run "a payment secret in the phrases" 0 --payment-secret 'Straße 25'
ref "every value of it" 2 devnet 0 'Straße 25'
says "warned about the command line" 'WARNING: a secret on the command line'

# --- env ---
run "env" 0 --format env --payment-secret "it's 25"
same "nothing but export lines" \
    "$(grep -Evc '^export IGRA_SECRET__igra_(signer__(mnemonic|payment_secret)|iroh__signer_seed)_signer_0[123]=' out)" 0
(
	eval "$(cat out)"
	same "a phrase of 24 words for a shell" \
	    "$(printf %s "$IGRA_SECRET__igra_signer__mnemonic_signer_03" | wc -w)" 24
	same "payment secret in hex" \
	    "$IGRA_SECRET__igra_signer__payment_secret_signer_01" hex:69742773203235
	exit $failed
) || failed=1
run "env with raw keys" 0 --format env --key-type raw --num-signers 1
same "a key of 32 bytes" \
    "$(grep -Ec '^export IGRA_SECRET__igra_signer__private_key_signer_01=hex:[0-9a-f]{64}$' out)" 1

# --- files ---
run "file" 0 --format file $fast --passphrase pass
same "its default name, 0600" "$(stat -c '%n %a' devnet-secrets.bin)" \
    'devnet-secrets.bin 600'
ref "prints the public part" 2 devnet 0
is "and nothing secret" '[.. | objects | keys[]] |
    all(. != "mnemonic" and . != "iroh_seed_hex" and . != "private_key_hex")'
sum=$(cksum <devnet-secrets.bin)
run "is not replaced" 1 --format file $fast --passphrase pass
says "and says how" 'overwrite'
same "the file is as it was" "$(cksum <devnet-secrets.bin)" "$sum"
run "both" 0 --format both --output-file b.bin $fast --passphrase pass \
    --payment-secret extra
ref "prints all" 2 devnet 0 extra
cp out both.json
run "file-per-signer" 0 --format file-per-signer --output-dir d $fast \
    --passphrase pass
ref "prints all" 2 devnet 0
cp out per.json
same "one file each" "$(cd d && echo */secrets.bin)" \
    'signer-01/secrets.bin signer-02/secrets.bin signer-03/secrets.bin'
same "modes" "$(stat -c %a d d/signer-02 d/signer-02/secrets.bin | tr '\n' ' ')" \
    '700 700 600 '
run "existing files stop all of it" 1 --format file-per-signer \
    --output-dir d $fast --passphrase pass --num-signers 4
same "and none is made" "$(ls d | wc -l)" 3
run "--overwrite replaces them" 0 --format file-per-signer --output-dir d2 \
    $fast --passphrase pass --overwrite
run "twice" 0 --format file-per-signer --output-dir d2 $fast \
    --passphrase pass --overwrite
cp out per2.json
if [ -x "$sa" ]; then
	same "both: the phrase in the file" \
	    "$(secret b.bin pass igra.signer.mnemonic_signer-02 utf8)" \
	    "$(jq -r '.signers[1].mnemonic' both.json)"
	same "both: the seed" \
	    "$(secret b.bin pass igra.iroh.signer_seed_signer-03 hex)" \
	    "0x$(jq -r '.signers[2].iroh_seed_hex' both.json)"
	same "both: the payment secret" \
	    "$(secret b.bin pass igra.signer.payment_secret_signer-01 utf8)" extra
	same "per signer: its own phrase" \
	    "$(secret d/signer-03/secrets.bin pass igra.signer.mnemonic_signer-03 utf8)" \
	    "$(jq -r '.signers[2].mnemonic' per.json)"
	same "per signer: nobody else's" \
	    "$(secret d/signer-03/secrets.bin pass igra.signer.mnemonic_signer-01 utf8)" ''
	same "overwritten: the new phrase" \
	    "$(secret d2/signer-01/secrets.bin pass igra.signer.mnemonic_signer-01 utf8)" \
	    "$(jq -r '.signers[0].mnemonic' per2.json)"
else
	skip "what is in the files" "no secrets-admin"
fi
chmod 644 b.bin
run "a loose file is not replaced" 1 --format both --output b.bin $fast \
    --passphrase pass --overwrite
says "and says why" '0644'
ln -s b.bin link.bin
run "nor is a symbolic link" 1 --format file --output link.bin $fast \
    --passphrase pass --overwrite
run "no directory" 1 --format file --output no/where.bin $fast \
    --passphrase pass
"$kg" >/dev/full 2>err
same "a full disk behind standard output is an error" $? 1

# --- where the passphrase comes from ---
printf 'from a file\n' >pf && chmod 600 pf
run "--passphrase-file" 0 --format file --output f1.bin $fast \
    --passphrase-file pf
printf 'from a fd\n' | "$kg" --format file --output f2.bin $fast \
    --passphrase-fd 0 >out 2>err
same "--passphrase-fd" $? 0
IGRA_SECRETS_PASSPHRASE='from the env' "$kg" --format file --output f3.bin \
    $fast >out 2>err
same "the environment, on devnet" $? 0
printf 'from stdin\n' | setsid -w "$kg" --format file --output f4.bin $fast \
    >out 2>err
same "standard input without a terminal" $? 0
says "after the rule" '^Devnet mode'
if [ -x "$sa" ]; then
	for f in 'f1.bin from a file' 'f2.bin from a fd' \
	    'f3.bin from the env' 'f4.bin from stdin'; do
		same "${f#* } opens it" "$(secret "${f%% *}" "${f#* }" \
		    igra.signer.mnemonic_signer-01 utf8 | wc -w)" 24
	done
fi
setsid -w "$kg" --format file --output f5.bin $fast </dev/null >out 2>err
same "no passphrase at all" $? 1
if [ -e f5.bin ]; then not_ok "and no file"; else ok "and no file"; fi
run "an empty one" 1 --format file --output f5.bin $fast --passphrase ''
run "two ways at once" 2 --format file --passphrase a --passphrase-file pf

# --- testnet ---
run "testnet: a short passphrase is refused" 1 --kaspa-network testnet \
    --format file --output t.bin $fast --passphrase short
run "Igra's call for testnet" 0 --format file-per-signer --output-dir t \
    --passphrase 'a passphrase to test with' --num-signers 1 --threshold-m 1 \
    --kaspa-network testnet --network-id 4 --hyperlane-validator-count 1 \
    --hyperlane-validator-name-format two-digit --signer-profile signer-01 \
    --overwrite $fast
ref "every value of it" 1 testnet 4
if [ -f t/signer-01/secrets.bin ]; then ok "its file"; else not_ok "its file"; fi
says "testnet warns about phrases alone" 'WARNING: phrases without a payment'
run "testnet, JSON" 0 --kaspa-network testnet-10
ref "has no devnet wallet" 2 testnet 0

# --- mainnet: the key ceremony ---
printf '%s\n' "$strong" >mp && printf 'twenty-five words\n' >mpay
chmod 600 mp mpay
own() { run "$1" 0 --kaspa-network mainnet --format file --output "$2" \
    --passphrase-file mp --payment-secret-file mpay; }
for i in 1 2 3; do
	own "mainnet: signer $i makes a key" own$i.bin
	cp out key$i
	same "  and prints only that" "$(grep -Ec '^0[23][0-9a-f]{64}$' out) $(wc -l <out)" '1 1'
	cat out err >seen$i
done
if [ -x "$sa" ]; then
	bad=
	for i in 1 2 3; do
		phrase=$("$sa" --network mainnet --path own$i.bin \
		    --passphrase-file mp get igra.signer.mnemonic_signer-01 \
		    --unsafe-print --encoding utf8 2>/dev/null)
		[ "$(echo "$phrase" | wc -w)" = 24 ] || bad="$bad none-$i"
		case $(cat seen$i) in
		*"${phrase%% *} "*"${phrase##* }"*) bad="$bad shown-$i" ;;
		esac
		got=$("$sa" --network mainnet --path own$i.bin \
		    --passphrase-file mp pubkey --profile signer-01 2>/dev/null)
		case $got in
		*"$(cat key$i)"*) ;;
		*) bad="$bad pubkey-$i" ;;
		esac
	done
	same "the files hold the keys, nothing shows them" "$bad" ''
else
	skip "what is in the mainnet files" "no secrets-admin"
fi
members="--member-pubkey $(cat key3) --member-pubkey 0x$(cat key1) --member-pubkey $(cat key2)"
run "the same three keys, in any order" 0 --kaspa-network mainnet \
    --num-signers 3 --threshold-m 2 $members --format json
ref "make what they should" 2 mainnet 0
cp out public.json
run "and in another" 0 --kaspa-network mainnet --threshold-m 2 \
    --member-pubkey "$(cat key1)" --member-pubkey "$(cat key2)" \
    --member-pubkey "$(cat key3)" --format json
same "make the same" "$(cat out)" "$(cat public.json)"
run "without a format" 0 --kaspa-network mainnet --threshold-m 2 $members
same "first line is the JSON" "$(head -n 1 out)" "$(cat public.json)"
tail -n +2 out >tables
same "the rest is tables" "$(grep -c '^\[' tables)" 4
for i in 1 2 3; do
	k=$(cat key$i)
	p=$(jq -r ".signers[] | select(.pubkey_hex == \"$k\") | .profile" public.json)
	same "signer $i is told its profile" "$(grep -c "  $p  $k\$" tables)" 1
done
if [ -x "$sa" ]; then
	k=$(cat key1)
	p=$(jq -r ".signers[] | select(.pubkey_hex == \"$k\") | .profile" public.json)
	if [ "$p" = signer-01 ]; then
		ok "and takes it (has it already)"
	else
		"$sa" --network mainnet --path own1.bin --passphrase-file mp \
		    rename-profile signer-01 "$p" >out 2>err
		same "and takes it" $? 0
	fi
fi
run "tables alone" 0 --threshold-m 2 $members --format toml
if [ -x "$bin/igra-keyd" ]; then
	{
		printf '[service]\nnetwork = "devnet"\n'
		printf 'active_profile = "signer-01"\ndata_dir = "%s"\n' "$T"
		cat out
	} >igra.toml
	chmod 600 igra.toml
	"$bin/igra-keyd" -nv -f "$T/igra.toml" >printed 2>err
	same "igra-keyd takes them" $? 0
	same "and has all of them" "$(grep -c "$(jq -r .redeem_script_hex \
	    public.json)" printed)" 1
else
	skip "igra-keyd takes them" "no igra-keyd"
fi
run "x-only keys" 0 --threshold-m 1 --format toml \
    --member-pubkey "$(cut -c3- key1)" --member-pubkey "$(cut -c3- key2)"
says "come with a warning" 'x-only'
run "raw keys of mainnet need no payment secret" 0 --kaspa-network mainnet \
    --format file --output raw.bin --passphrase-file mp --key-type raw \
    --signer-profile signer-12 --num-signers 15
says "and say what the config needs" 'raw_private_key'
printf '%s\n%s\n' "$strong" 'twenty-five words' | setsid -w "$kg" \
    --kaspa-network mainnet --format file --output own4.bin >out 2>err
same "asked for passphrase, then payment secret" $? 0

# --- what mainnet refuses ---
for f in json env both file-per-signer; do
	run "mainnet has no --format $f" 2 --kaspa-network mainnet --format $f \
	    --passphrase-file mp --payment-secret-file mpay
	same "  and prints nothing" "$(wc -c <out)" 0
done
run "nor the default" 2 --kaspa-network mainnet
run "no passphrase on mainnet's command line" 2 --kaspa-network mainnet \
    --format file --output 'no file' --passphrase "$strong"
says "the same in prompt form" \
    "^    devnet-keygen --format file --output 'no file' --kaspa-network mainnet\$"
if grep -Fq "$strong" err out || [ -e 'no file' ]; then
	not_ok "without the secret, and nothing done"
else
	ok "without the secret, and nothing done"
fi
run "nor a payment secret" 2 --kaspa-network mainnet --format file \
    --payment-secret 'twenty-five words'
run "a weak passphrase" 1 --kaspa-network mainnet --format file --output w.bin \
    --passphrase-file pf --payment-secret-file mpay
printf 'eleven char\n' >short && chmod 600 short
run "a short payment secret" 1 --kaspa-network mainnet --format file \
    --output w.bin --passphrase-file mp --payment-secret-file short
says "and says so" '11 characters'
printf 'twenty-five words \n' >blank && chmod 600 blank
run "a payment secret that ends in a blank" 1 --kaspa-network mainnet \
    --format file --output w.bin --passphrase-file mp \
    --payment-secret-file blank
chmod 644 mp
run "a passphrase file that others read" 1 --kaspa-network mainnet \
    --format file --output w.bin --passphrase-file mp \
    --payment-secret-file mpay
chmod 600 mp
run "a cheap key derivation" 2 --kaspa-network mainnet --format file \
    --output w.bin --passphrase-file mp --payment-secret-file mpay $fast
IGRA_SECRETS_PASSPHRASE=$strong "$kg" --kaspa-network mainnet --format file \
    --output w.bin --payment-secret-file mpay >out 2>err
same "the environment's passphrase" $? 1
if [ -e w.bin ]; then not_ok "none of them left a file"; else
	ok "none of them left a file"; fi

# --- usage ---
k=$(cat key1)
run "16 signers" 2 --num-signers 16
run "no signers" 2 --num-signers 0
run "m of 0" 2 --threshold-m 0
run "m above n" 2 --threshold-m 4
run "numbers that are none" 2 --num-signers 3x
run "a network that is none" 2 --kaspa-network mainnet-1
run "a network id past a byte" 2 --network-id 256
run "a profile that is none" 2 --num-signers 1 --signer-profile signer-1
run "one profile for three keys" 2 --signer-profile signer-01
run "100 validators" 2 --hyperlane-validator-count 100
run "a format that is none" 2 --format xml
run "toml without keys" 2 --format toml
run "argon2 out of bounds" 2 --format file --argon2 7,1,1
run "argon2 that is none" 2 --format file --argon2 64,1
run "an option that is none" 2 --frobnicate
run "a word too many" 2 word
run "an option twice" 2 --num-signers 3 --threshold-n 3
run "--output without a file" 2 --output x
run "--output-dir without files" 2 --output-dir x
run "raw keys with a payment secret" 2 --key-type raw --payment-secret x
run "a member key that is none" 2 --member-pubkey 02ab
run "a member key that is no point" 2 --member-pubkey \
    0000000000000000000000000000000000000000000000000000000000000005
run "a member key twice" 2 --member-pubkey "$k" --member-pubkey "$k"
run "its other parity" 2 --member-pubkey "$k" --member-pubkey "$(echo "$k" |
    sed 's/^02/0x/;t;s/^03/02/;t' | sed 's/^0x/03/')"
run "fewer keys than signers" 2 --num-signers 3 --member-pubkey "$k"
run "files with member keys" 2 --member-pubkey "$k" --format file
run "a passphrase with member keys" 2 --member-pubkey "$k" --passphrase x
run "help" 0 --help
secretlike=5f2c1f1e5f2c1f1e5f2c1f1e5f2c1f1e5f2c1f1e5f2c1f1e5f2c1f1e5f2c1f1z
run "a wrong key is not echoed" 2 --member-pubkey $secretlike
if grep -q 5f2c1f1e err; then not_ok "really"; else ok "really"; fi

# --- argv while it runs: it waits for the FIFO to be opened ---
if [ -r /proc/self/cmdline ]; then
	mkfifo pipe
	for form in '--passphrase seen-by-ps' '--passphrase=seen-by-ps'; do
		rm -f ps.bin err
		"$kg" $form --payment-secret-file pipe --format file \
		    --output ps.bin $fast >out 2>err &
		pid=$!
		i=0
		while [ $i -lt 100 ] && ! grep -q 'command line' err 2>/dev/null; do
			sleep 0.02
			i=$((i + 1))
		done
		args=$(tr '\0' ' ' <"/proc/$pid/cmdline")
		echo 'the payment' >pipe
		wait $pid
		same "it ran" "$?" 0
		case $args in
		*seen-by-ps*)	not_ok "$form: gone from argv" ;;
		*payment-secret-file*) ok "$form: gone from argv" ;;
		*)		not_ok "$form: gone from argv (no argv: $args)" ;;
		esac
	done
else
	skip "argv as others see it" "no /proc"
fi
exit $failed
