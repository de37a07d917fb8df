#!/bin/bash
# secrets-admin end to end: both spellings, every command, every source of a
# secret, every refusal, kills and concurrent writers.
# Run from the top of the tree; BUILD is the build folder.

set -u
top=$(pwd)
bin=$(cd "${BUILD:-build}/bin" && pwd) || exit 1
sa=$bin/secrets-admin
vec=$top/tests/vectors
tmp=$(mktemp -d /tmp/igra-sa.XXXXXX) || exit 1
chmod 755 "$tmp"
auditd=
trap '[ -z "$auditd" ] || kill "$auditd"; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
unset IGRA_SECRETS_PASSPHRASE
failed=0

ok()	{ echo "ok - $1"; }
bad()	{ echo "not ok - $1"; failed=1; sed 's/^/# /' out err 2>/dev/null; }
skip()	{ echo "skip - $1 ($2)"; }

# run WHAT EXIT TEXT COMMAND...: exit code, and TEXT (a grep -E pattern) in
# standard output and error together.
run()
{
	local what=$1 want=$2 text=$3 rc
	shift 3
	"$@" >out 2>err </dev/null
	rc=$?
	if [ $rc -eq "$want" ] && cat out err | grep -Eq -- "$text"; then
		ok "$what"
	else
		echo "# exit $rc, wanted $want and: $text"
		bad "$what"
	fi
}
same()
{
	if [ "$2" = "$3" ]; then ok "$1"; else
		echo "# got:    $2"; echo "# wanted: $3"; bad "$1"; fi
}
no_secret()	# WHAT SECRET: it is in no output
{
	if cat out err | grep -Fq -- "$2"; then bad "$1"; else ok "$1"; fi
}

quick="--argon2 64,1,1"
dev="$sa --network devnet"
printf 'pw-dev\n' >pw; printf 'pw-two\n' >pw2; chmod 600 pw pw2
phrase="abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
strong='CorrectHorseBatteryStaple2024!'
printf '%s\n' "$strong" >strong; chmod 600 strong

# --- Igra's spelling -------------------------------------------------------
run "init" 0 "created secrets file" $dev $quick --passphrase-file pw init
same "init makes ./secrets.bin, 0600" "$(stat -c %a secrets.bin)" 600
run "init states the rule" 0 "Devnet mode" $dev $quick --path i.bin \
    --passphrase-file pw init
run "init refuses a file that is there" 1 "already exists" \
    $dev --passphrase-file pw init
run "set" 0 "set secret name=igra.hd.wallet_secret" \
    $dev --passphrase pw-dev set igra.hd.wallet_secret hello-wallet
run "a secret on the command line is warned about" 0 "WARNING.*command line" \
    $dev --passphrase pw-dev list
run "no daemon: warned about" 0 "no igra-auditd admin socket" \
    $dev --passphrase-file pw set igra.x 1
run "get hides the value" 0 "^igra.hd.wallet_secret: \[REDACTED 12 bytes\]$" \
    $dev --passphrase-file pw get igra.hd.wallet_secret
no_secret "get shows nothing of it" hello-wallet
get()	{ $dev --passphrase-file "${P:-pw}" ${F:+--path $F} get "$1" \
	    --unsafe-print "${@:2}" 2>err </dev/null; }
same "get, hex by default" "$(get igra.hd.wallet_secret)" \
    0x68656c6c6f2d77616c6c6574
same "get --encoding utf8" \
    "$(get igra.hd.wallet_secret --encoding utf8)" hello-wallet
same "get --encoding base64" \
    "$(get igra.hd.wallet_secret --encoding base64)" aGVsbG8td2FsbGV0
key=a91fcd8bb3a9c3b8dc7a8950a511c433fdc2a3ebd143e0ef750d674b42a86555
run "set --hex, 0x" 0 "set secret" $dev --passphrase-file pw \
    set igra.signer.private_key_signer-01 0x$key --hex
same "set --hex stored the bytes" \
    "$(get igra.signer.private_key_signer-01)" 0x$key
run "set --base64" 0 "set secret" $dev --passphrase-file pw \
    set igra.b64 /wD+ --base64
same "set --base64 stored the bytes" "$(get igra.b64)" 0xff00fe
run "bytes are no text" 1 "not UTF-8" $dev --passphrase-file pw \
    get igra.b64 --unsafe-print --encoding utf8
run "set --hex refuses other characters" 1 "not hex" \
    $dev --passphrase-file pw set igra.h xyz --hex
run "set --hex refuses half a byte" 1 "not hex" \
    $dev --passphrase-file pw set igra.h abc --hex
run "set --base64 refuses other characters" 1 "not base64" \
    $dev --passphrase-file pw set igra.h 'a*==' --base64
run "set --hex --base64 is a usage error" 2 "only one of" \
    $dev --passphrase-file pw set igra.h 00 --hex --base64
run "a name with a blank" 1 "without blanks" \
    $dev --passphrase-file pw set 'igra. x' v
run "an empty value" 0 "set secret" $dev --passphrase-file pw set igra.empty ""
same "an empty value is stored" "$(get igra.empty)" 0x
same "list is sorted and shows names only" "$($dev --passphrase-file pw list)" \
"igra.b64
igra.empty
igra.hd.wallet_secret
igra.signer.private_key_signer-01
igra.x"
run "remove" 0 "removed secret name=igra.x" \
    $dev --passphrase-file pw remove igra.x
run "remove what is not there" 1 "no secret igra.x" \
    $dev --passphrase-file pw remove igra.x
run "get what is not there" 1 "no secret igra.x" \
    $dev --passphrase-file pw get igra.x
run "wrong passphrase" 1 "wrong passphrase" $dev --passphrase nope list
run "a name in UTF-8" 0 "set secret" $dev --passphrase-file pw \
    set igra.tëst.ключ v
same "its value" "$(get igra.tëst.ключ --encoding utf8)" v
run "set makes the file" 0 "set secret" $dev $quick --path made.bin \
    --passphrase-file pw set igra.a 1
same "that file is 0600" "$(stat -c %a made.bin)" 600

# --- FILE spelling ---------------------------------------------------------
run "init FILE" 0 "created" $dev $quick init s.bin --passphrase-file pw
run "set FILE PASSPHRASE NAME VALUE" 0 "set secret" \
    $dev set s.bin pw-dev igra.one uno
run "list FILE PASSPHRASE" 0 "^igra.one$" $dev list s.bin pw-dev
run "list FILE" 0 "^igra.one$" $dev list s.bin --passphrase-file pw
run "get FILE PASSPHRASE NAME" 0 "^0x756e6f$" \
    $dev get s.bin pw-dev igra.one --unsafe-print
run "get FILE NAME" 0 "REDACTED 3" \
    $dev get s.bin igra.one --passphrase-file pw
run "remove FILE PASSPHRASE NAME" 0 "removed" \
    $dev remove s.bin pw-dev igra.one
run "remove FILE NAME" 1 "no secret" \
    $dev remove s.bin igra.one --passphrase-file pw
run "set with three arguments" 2 "set takes" $dev set s.bin pw-dev igra.one
run "set with five" 2 "set takes" $dev set s.bin pw-dev igra.one a b
run "set with none" 2 "set takes" $dev set
run "get with none" 2 "get takes" $dev get
run "get with four" 2 "get takes" $dev get a b c d
run "list with three" 2 "list takes" $dev list a b c
run "init with two" 2 "init takes" $dev init a b
run "FILE and --path" 2 "given twice" $dev --path a list b pw
run "an option of another command" 2 "does not take --hex" $dev list --hex
run "unknown command" 2 "no command" $dev frobnicate
run "unknown option" 2 "unrecognized|unknown|not understood" $dev --bogus list
run "no command" 2 "command is needed" $dev
run "unknown network" 2 "network" $sa --network moonnet list
run "two passphrases" 2 "more than once" \
    $dev --passphrase a --passphrase-file pw list
run "--help" 0 "usage: secrets-admin" $sa --help

# --- sources ---------------------------------------------------------------
exec 7<<<"pw-dev"
run "--passphrase-fd" 0 "igra.empty" $dev --passphrase-fd 7 list
exec 7<&-
run "--passphrase-fd that is not open" 1 "passphrase: " \
    $dev --passphrase-fd 7 list
same "--passphrase-file -, then the value on --stdin" \
    "$(printf 'pw-dev\nsecond line\n' | $dev --passphrase-file - \
    set igra.two --stdin 2>/dev/null)" "set secret name=igra.two"
same "what followed the passphrase is the value" \
    "$(get igra.two --encoding utf8)" "second line"
printf 'from a file\r\n' >val; chmod 600 val
run "--value-file" 0 "set secret" $dev --passphrase-file pw \
    set igra.file --value-file val
same "its newline is cut off" "$(get igra.file --encoding utf8)" "from a file"
run "--value-file --raw" 0 "set secret" $dev --passphrase-file pw \
    set igra.file --value-file val --raw
same "--raw keeps every byte" "$(get igra.file)" \
    0x66726f6d20612066696c650d0a
exec 8<val
run "--value-fd" 0 "set secret" $dev --passphrase-file pw \
    set igra.fd --value-fd 8
exec 8<&-
run "value twice" 2 "more than once" $dev --passphrase-file pw \
    set igra.v x --stdin
run "missing passphrase file" 1 "No such file" \
    $dev --passphrase-file nothere list
: >empty; chmod 600 empty
run "empty passphrase file" 1 "empty" $dev --passphrase-file empty list
printf 'a\nb\n' >two; chmod 600 two
run "passphrase file with two lines" 1 "more than one line" \
    $dev --passphrase-file two list
run "environment on devnet" 0 "igra.empty" \
    env IGRA_SECRETS_PASSPHRASE=pw-dev $dev list
run "environment on testnet" 0 "WARNING.*IGRA_SECRETS_PASSPHRASE" \
    env IGRA_SECRETS_PASSPHRASE=pw-dev $sa --network testnet list
run "environment on mainnet" 2 "error.*has IGRA_SECRETS_PASSPHRASE" \
    env IGRA_SECRETS_PASSPHRASE=pw-dev $sa list
same "no terminal: a line of standard input" \
    "$(printf 'pw-dev\n' | setsid -w $dev list 2>/dev/null | head -1)" igra.b64

# --- phrases, keys, profiles -----------------------------------------------
run "import-mnemonic --phrase" 0 \
    "imported mnemonic profile=signer-02 secret_name=igra.signer.mnemonic_signer-02" \
    $dev --passphrase-file pw import-mnemonic --profile signer-02 \
    --phrase "  $phrase "
same "stored trimmed" \
    "$(get igra.signer.mnemonic_signer-02 --encoding utf8)" "$phrase"
printf '%s\n' $phrase >words
$dev --passphrase-file pw import-mnemonic --profile signer-03 --stdin \
    <words >out 2>err
same "import-mnemonic --stdin, a word a line" \
    "$(get igra.signer.mnemonic_signer-03 --encoding utf8)" "$phrase"
run "verify-mnemonic" 0 "mnemonic OK profile=signer-02 words=12" \
    $dev --passphrase-file pw verify-mnemonic --profile signer-02
run "verify-mnemonic without one" 1 "no secret" \
    $dev --passphrase-file pw verify-mnemonic --profile signer-09
run "a wrong word is named by number" 1 "word 3 is not on" \
    $dev --passphrase-file pw import-mnemonic --profile signer-04 \
    --phrase "${phrase/abandon abandon abandon/abandon abandon sesquipedal}"
no_secret "and not by itself" sesquipedal
run "wrong checksum" 1 "checksum" $dev --passphrase-file pw \
    import-mnemonic --profile signer-04 --phrase "${phrase/about/abandon}"
run "eleven words" 1 "11 words" $dev --passphrase-file pw \
    import-mnemonic --profile signer-04 --phrase "${phrase% about}"
run "no profile" 2 "needs --profile" $dev --passphrase-file pw verify-mnemonic
run "profile out of range" 2 "signer-01 to signer-99" \
    $dev --passphrase-file pw verify-mnemonic --profile signer-00
run "a bad phrase by set is warned about" 0 "WARNING.*mnemonic_signer-08" \
    $dev --passphrase-file pw set igra.signer.mnemonic_signer-08 "no phrase"
run "verify-mnemonic finds it" 1 "invalid BIP39" \
    $dev --passphrase-file pw verify-mnemonic --profile signer-08

first=$(jq -c '.[0]' "$vec/hd.json")
$dev --passphrase-file pw import-mnemonic --profile signer-05 \
    --phrase "$(jq -r .phrase <<<"$first")" >out 2>err
for i in 0 1 5; do
	path=$(jq -r ".keys[$i].path" <<<"$first")
	run "pubkey at $path" 0 \
	    "^public_key_compressed: $(jq -r ".keys[$i].public_key" <<<"$first")\$" \
	    $dev --passphrase-file pw pubkey --profile signer-05 \
	    --derivation-path "$path"
	same "address at $path" "$(sed -n 's/^address: //p' out)" \
	    "$(jq -r ".keys[$i].addresses.devnet" <<<"$first")"
done
second=$(jq -c '.[2]' "$vec/hd.json")
$dev --passphrase-file pw import-mnemonic --profile signer-06 \
    --phrase "$(jq -r .phrase <<<"$second")" >out 2>err
$dev --passphrase-file pw set igra.signer.payment_secret_signer-06 \
    "$(jq -r .passphrase <<<"$second")" >out 2>err
run "pubkey with a payment secret that is not ASCII" 0 \
    "^address: $(jq -r '.keys[0].addresses["testnet-10"]' <<<"$second")\$" \
    $sa --network testnet-10 --passphrase-file pw pubkey --profile signer-06
run "pubkey of a raw key" 0 "^public_key: [0-9a-f]{64}\$" \
    $dev --passphrase-file pw pubkey --profile signer-01
run "pubkey without a key" 1 "no igra.signer.mnemonic_signer-77" \
    $dev --passphrase-file pw pubkey --profile signer-77
run "pubkey with both kinds" 0 "set secret" $dev --passphrase-file pw set \
    igra.signer.private_key_signer-05 $key --hex
run "asks which" 1 "say which" $dev --passphrase-file pw \
    pubkey --profile signer-05
run "--key-type" 0 "^key_ref: igra.signer.private_key_signer-05" \
    $dev --passphrase-file pw pubkey --profile signer-05 --key-type raw
run "bad derivation path" 1 "derivation" $dev --passphrase-file pw \
    pubkey --profile signer-02 --derivation-path "m/44h"
run "a private key of 31 bytes is warned about" 0 "WARNING.*32 bytes" \
    $dev --passphrase-file pw set igra.signer.private_key_signer-55 \
    "${key%??}" --hex

run "rename-profile" 0 "renamed profile old=signer-06 new=signer-16 secrets=2" \
    $dev --passphrase-file pw rename-profile signer-06 signer-16
same "all its names" "$($dev --passphrase-file pw list 2>/dev/null | \
    grep -E '_signer-?[01]6' | tr '\n' ' ')" \
    "igra.signer.mnemonic_signer-16 igra.signer.payment_secret_signer-16 "
run "the key is the same" 0 \
    "^address: $(jq -r '.keys[0].addresses["testnet-10"]' <<<"$second")\$" \
    $sa --network testnet --passphrase-file pw pubkey --profile signer-16
run "onto one that is there" 1 "signer-05 has secrets already" \
    $dev --passphrase-file pw rename-profile signer-16 signer-05
run "of one that is not there" 1 "signer-40 has no secrets" \
    $dev --passphrase-file pw rename-profile signer-40 signer-41
run "onto itself" 2 "the same" \
    $dev --passphrase-file pw rename-profile signer-16 signer-16
run "with FILE" 1 "no secrets" $dev --passphrase-file pw \
    rename-profile secrets.bin signer-40 signer-41

# --- rotate, info ----------------------------------------------------------
before=$($dev info); sleep 1.1
run "rotate-passphrase" 0 "rotated passphrase secrets_file=secrets.bin" \
    $dev --path secrets.bin rotate-passphrase --old-passphrase-file pw \
    --new-passphrase-file pw2
run "the old one is gone" 1 "wrong passphrase" $dev --passphrase-file pw list
run "the new one opens" 0 igra.b64 $dev --passphrase-file pw2 list
after=$($dev info)
same "created stays" "$(grep ^created <<<"$after")" \
    "$(grep ^created <<<"$before")"
same "Argon2 stays" "$(grep ^argon2id <<<"$after")" "argon2id: m=64 t=1 p=1"
if [ "$(grep ^passphrase_rot <<<"$after")" != \
    "$(grep ^passphrase_rot <<<"$before")" ]; then ok "the date moves"
else bad "the date moves"; fi
run "to the same" 1 "is the old one" $dev rotate-passphrase \
    --secrets-file secrets.bin --old-passphrase pw-two --new-passphrase pw-two
run "with the wrong old one" 1 "wrong passphrase" $dev rotate-passphrase \
    --old-passphrase nope --new-passphrase other
run "--argon2" 0 "rotated" $dev rotate-passphrase --argon2 128,2,2 \
    --old-passphrase-file pw2 --new-passphrase-file pw
run "is in the header" 0 "argon2id: m=128 t=2 p=2" $dev info
run "info counts with a passphrase" 0 "^secrets: 1[0-9]\$" \
    $dev --passphrase-file pw info secrets.bin
run "--argon2 out of bounds" 2 "above 16" $dev --argon2 64,17,1 init x.bin
run "--argon2 with less than 8 per lane" 2 "8 KiB per lane" \
    $dev --argon2 31,1,4 init x.bin
run "--argon2 that is none" 2 "m,t,p" $dev --argon2 64,1 init x.bin

# --- mainnet ---------------------------------------------------------------
for args in "list m.bin PASS" "get m.bin PASS igra.a" "remove m.bin PASS igra.a" \
    "set m.bin PASS igra.a VALUE" "set igra.a VALUE" \
    "--passphrase PASS list" "--passphrase=PASS init m.bin" \
    "rotate-passphrase --old-passphrase PASS" \
    "rotate-passphrase --new-passphrase PASS" \
    "import-mnemonic --profile signer-01 --phrase PASS"; do
	run "mainnet refuses: $args" 2 "nothing was done" $sa $args
	if grep -Eq 'PASS|VALUE' out err; then bad "and does not repeat it"; fi
done
same "nothing was done" "$(ls m.bin m.bin.lock 2>/dev/null)" ""
run "the prompt form of set FILE" 2 "secrets-admin --path 'm b.bin' set igra.a\$" \
    $sa set "m b.bin" PASS igra.a VALUE
run "the prompt form keeps options" 2 \
    "secrets-admin --network mainnet --hex set igra.a\$" \
    $sa --network mainnet set igra.a 00 --hex
run "mainnet is the default" 0 "Mainnet mode: passphrase must be 16" \
    $sa --passphrase-file strong init m.bin
run "weak passphrase" 1 "too weak for mainnet: 6 characters" \
    $sa --passphrase-file pw init weak.bin
no_secret "not shown" pw-dev
printf 'password123\n' >weak; chmod 600 weak
run "common passphrase" 1 "score [01]/4.*common" \
    $sa --passphrase-file weak init weak.bin
printf '%s \n' "$strong" >blank; chmod 600 blank
run "white space at the end" 1 "white space" \
    $sa --passphrase-file blank init weak.bin
same "no file was made" "$(ls weak.bin 2>/dev/null)" ""
run "weak Argon2" 1 "at least 65536" \
    $sa --argon2 64,1,1 --passphrase-file strong init weak.bin
chmod 640 strong
run "loose passphrase file" 1 "lets others in" $sa --passphrase-file strong \
    --path m.bin list
chmod 600 strong
printf 'short\n' >short; chmod 600 short
run "weak wallet_secret" 1 "too weak for mainnet" $sa --path m.bin \
    --passphrase-file strong set igra.hd.wallet_secret --value-file short
run "short payment secret" 1 "at least 12" $sa --path m.bin \
    --passphrase-file strong set igra.hd.payment_secret --value-file short
run "a private key of 5 bytes" 1 "32 bytes" $sa --path m.bin \
    --passphrase-file strong set igra.signer.private_key_signer-01 \
    --value-file short
run "testnet: below 12 characters" 1 "too weak for testnet" \
    $sa --network testnet --passphrase-file weak init weak.bin
printf 'password1234\n' >weak
run "testnet: below 3/4 is a warning" 0 "WARNING.*too weak" \
    $sa --network testnet $quick --passphrase-file weak init tw.bin

# --- vectors, and what is refused ------------------------------------------
n=$(jq length "$vec/secrets.json")
for i in $(seq 0 $((n - 1))); do
	f=$(jq -r ".[$i].file" "$vec/secrets.json")
	cp "$vec/$f" "$f"; chmod 600 "$f"
	jq -r ".[$i].passphrase" "$vec/secrets.json" >vp; chmod 600 vp
	same "$f opens" \
	    "$($dev --passphrase-file vp list "$f" 2>err | LC_ALL=C sort)" \
	    "$(jq -r ".[$i].secrets | keys_unsorted[]" "$vec/secrets.json" | \
	    LC_ALL=C sort)"
	$dev --passphrase-file vp --path "$f" set igra.added x >out 2>err
	name=$(jq -r ".[$i].secrets | keys_unsorted[0] // empty" \
	    "$vec/secrets.json")
	[ -z "$name" ] || same "$f after a save" \
	    "$(P=vp F=$f get "$name")" \
	    "0x$(jq -r ".[$i].secrets[\"$name\"]" "$vec/secrets.json")"
	same "$f keeps its parameters" "$($dev info "$f" | grep ^argon2id)" \
	    "argon2id: m=$(jq -r ".[$i].params | "'"\(.m_cost) t=\(.t_cost) p=\(.p_cost)"' "$vec/secrets.json")"
done
run "mainnet refuses weak parameters" 1 "less than mainnet's" \
    $sa --passphrase-file strong list p1-small.isec

run "missing" 1 "no such secrets file" $dev --passphrase-file pw list no.bin
same "no lock file for it" "$(ls no.bin.lock 2>/dev/null)" ""
run "directory" 1 "is a directory" $dev --passphrase-file pw list .
ln -s secrets.bin link.bin
run "symbolic link" 1 "is a symbolic link" $dev --passphrase-file pw list link.bin
run "symbolic link, writing" 1 "is a symbolic link" \
    $dev --passphrase-file pw --path link.bin remove igra.a
mkfifo fifo.bin
run "FIFO" 1 "not a regular file" $dev --passphrase-file pw list fifo.bin
cp secrets.bin loose.bin; chmod 644 loose.bin
run "loose mode" 1 "mode 0644 lets others in" \
    $dev --passphrase-file pw list loose.bin
truncate -s 16777217 big.bin; chmod 600 big.bin
run "too big" 1 "larger than 16 MiB" $dev --passphrase-file pw list big.bin
patch()	# FROM TO OFFSET BYTES
{
	cp "$1" "$2"; chmod 600 "$2"
	printf "$4" | dd of="$2" bs=1 seek="$3" conv=notrunc status=none
}
refuse()	# WHAT OFFSET BYTES TEXT
{
	patch secrets.bin bad.bin "$2" "$3"
	run "$1" 1 "$4" $dev --passphrase-file pw list bad.bin
}
refuse "not ISEC" 0 'JSEC' "begin with ISEC"
refuse "version 2" 4 '\002' "version is not 1"
refuse "without RTM1" 73 'RTM2' "no RTM1"
refuse "m too big" 5 '\001\000\020\000' "above 1 GiB"
refuse "m huge" 5 '\377\377\377\377' "above 1 GiB"
refuse "m below 8p" 5 '\001\000\000\000' "8 KiB per lane"
refuse "t 0" 9 '\000' "time cost is 0"
refuse "t 17" 9 '\021' "time cost is above 16"
refuse "p 0" 13 '\000' "parallelism is 0"
refuse "p huge" 13 '\001\000\000\040' "parallelism is above 16"
refuse "date changed" 77 '\000' "wrong passphrase or damaged"
refuse "ciphertext changed" 100 'xxxx' "wrong passphrase or damaged"
size=$(stat -c %s secrets.bin); cut=0
for at in 0 1 4 5 16 48 72 76 92 93 108 116 117 $((size - 1)); do
	head -c "$at" secrets.bin >bad.bin; chmod 600 bad.bin
	$dev --passphrase-file pw list bad.bin >out 2>err && cut=1
	[ -s err ] || cut=1
done
same "cut off anywhere" $cut 0

# --- argv ------------------------------------------------------------------
# The lock is held by us, so that the tool waits while we look at it.
mkfifo go
( flock 9; echo held >held; read -r _ <go ) 9>>secrets.bin.lock &
holder=$!
for i in $(seq 400); do [ -s held ] && break; sleep 0.05; done
$dev --passphrase pw-dev set igra.argv SeenByNobody >out 2>err &
pid=$!
# It has read its arguments when it wants the lock.
wants() { grep -q -- "-> FLOCK.* $pid " /proc/locks; }
for i in $(seq 400); do wants && break; sleep 0.05; done
seen=$(tr '\0' ' ' <"/proc/$pid/cmdline")
case $seen in
*secrets-admin*igra.argv*)
	case $seen in
	*pw-dev*|*SeenByNobody*) bad "argv is overwritten: $seen" ;;
	*) ok "argv is overwritten" ;;
	esac ;;
*)	bad "argv can be read" ;;
esac
if [ -r "/proc/$pid/environ" ] && [ "$(id -u)" -ne 0 ]; then
	bad "the process is undumpable"
else
	same "the process is undumpable" \
	    "$(stat -c %U "/proc/$pid/environ")" root
fi
echo >go; wait $pid; wait $holder
same "it went on when the lock was free" \
    "$(get igra.argv --encoding utf8)" SeenByNobody

# --- prompts ---------------------------------------------------------------
cat >term.py <<'PY'
"""term.py [WAIT-FOR=SEND]... -- COMMAND...: runs it on a terminal."""
import os, pty, select, sys, time
i = sys.argv.index("--")
steps = [s.split("=", 1) for s in sys.argv[1:i]]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[i + 1], sys.argv[i + 1:])
seen, end = b"", time.time() + 30
all_ = b""
while time.time() < end:
    if steps and steps[0][0].encode() in seen:
        time.sleep(0.05)
        os.write(fd, steps.pop(0)[1].encode() + b"\n")
        seen = b""
    r, _, _ = select.select([fd], [], [], 0.1)
    if r:
        try:
            b = os.read(fd, 4096)
        except OSError:
            break
        if not b:
            break
        seen += b
        all_ += b
_, st = os.waitpid(pid, 0)
sys.stdout.buffer.write(all_)
sys.exit(os.waitstatus_to_exitcode(st) if not steps else 99)
PY
if command -v python3 >/dev/null; then
	pty() { python3 "$tmp/term.py" "$@"; }
	run "init at a terminal" 0 "✓ Secrets file created successfully" \
	    pty "New secrets file passphrase:=$strong" "Again,=$strong" \
	    -- $sa init tty.bin
	no_secret "no echo" "$strong"
	if grep -n . out | grep -A9 "Mainnet mode" | grep -q "New secrets"; then
		ok "the rule comes before the prompt"
	else bad "the rule comes before the prompt"; fi
	run "two that differ are asked for again" 0 "do not match" \
	    pty "New secrets file passphrase:=one" "Again,=other" \
	    "New secrets file passphrase:=same" "Again,=same" \
	    -- $dev $quick init tty2.bin
	run "list at a terminal" 0 "passphrase: " \
	    pty "Secrets file passphrase:=$strong" -- $sa list tty.bin
	run "set at a terminal" 0 "set secret" \
	    pty "Secrets file passphrase:=same" "Value of igra.p:=geheim wort" \
	    "Again,=geheim wort" -- $dev --path tty2.bin set igra.p
	no_secret "no echo of the value" "geheim wort"
	printf 'same\n' >same; chmod 600 same
	same "the value as typed" \
	    "$(P=same F=tty2.bin get igra.p --encoding utf8)" "geheim wort"
	run "import-mnemonic at a terminal" 0 "imported" \
	    pty "Secrets file passphrase:=same" "Phrase (12 or 24 words):=$phrase" \
	    "Again,=$phrase" \
	    -- $dev --path tty2.bin import-mnemonic --profile signer-01
	no_secret "no echo of the phrase" "abandon"
	run "rotate at a terminal" 0 "rotated" \
	    pty "Old secrets file passphrase:=same" \
	    "New secrets file passphrase:=next" "Again,=next" \
	    -- $dev --path tty2.bin rotate-passphrase
	run "wrong old one: no new one is asked for" 1 "wrong passphrase" \
	    pty "Old secrets file passphrase:=same" \
	    -- $dev --path tty2.bin rotate-passphrase
	run "a missing file: nobody is asked" 1 "no such secrets file" \
	    pty -- $sa list gone.bin
else
	skip "prompts" "no python3"
fi

# --- the audit log ---------------------------------------------------------
users=
if [ "$(id -u)" -eq 0 ]; then users='user = 6400'; fi
cat >igra.toml <<TOML
[service]
network = "devnet"
active_profile = "signer-01"
data_dir = "$tmp/data"
key_audit_log_path = "$tmp/log/key-audit.log"
[service.hd]
derivation_path = "m/44'/111111'/0'/0/0"
[keyd]
${users:+${users}1}
[signd]
${users:+${users}2}
[auditd]
${users:+${users}3}
socket = "$tmp/run/auditd.sock"
admin_socket = "$tmp/run/admin.sock"
TOML
if [ -x "$bin/igra-auditd" ]; then
	ASAN_OPTIONS=detect_leaks=0 "$bin/igra-auditd" -f igra.toml 2>auditd.err &
	auditd=$!
	for i in $(seq 400); do [ -S run/admin.sock ] && break; sleep 0.05; done
	conf="$sa --config igra.toml --path a.bin --passphrase-file pw"
	run "the config says devnet" 0 "Devnet mode" $conf $quick init
	run "a change with igra-auditd there" 0 "set secret" \
	    $conf set igra.signer.private_key_signer-01 --hex --value-file <(echo $key)
	if grep -q WARNING err; then bad "is not warned about"; else
		ok "is not warned about"; fi
	$conf set igra.signer.private_key_signer-01 --hex --value-file \
	    <(echo $key) >out 2>err
	$conf set igra.hd.wallet_secret --value-file <(echo value-of-it) >out 2>err
	$conf rename-profile signer-01 signer-02 >out 2>err
	$conf remove igra.signer.private_key_signer-02 >out 2>err
	same "is in the log" "$(jq -r 'select(.source == "admin") |
	    [.event_type, .secret_name // .key_ref, .operation, .operator,
	    .result] | join(" ")' log/key-audit.log)" \
"SecretAccess igra.signer.private_key_signer-01 Set $(id -u) Success
KeyLifecycle igra.signer.private_key_signer-01 Created $(id -u) Success
SecretAccess igra.signer.private_key_signer-01 Set $(id -u) Success
KeyLifecycle igra.signer.private_key_signer-01 Rotated $(id -u) Success
SecretAccess igra.hd.wallet_secret Set $(id -u) Success
SecretAccess igra.signer.private_key_signer-02 Set $(id -u) Success
KeyLifecycle igra.signer.private_key_signer-02 Created $(id -u) Success
SecretAccess igra.signer.private_key_signer-01 Remove $(id -u) Success
KeyLifecycle igra.signer.private_key_signer-01 Deleted $(id -u) Success
SecretAccess igra.signer.private_key_signer-02 Remove $(id -u) Success
KeyLifecycle igra.signer.private_key_signer-02 Deleted $(id -u) Success"
	cp log/key-audit.log out
	no_secret "no value is in the log" value-of-it
	no_secret "no key is in the log" $key
	kill $auditd; wait $auditd; auditd=
	run "igra-auditd gone: warned about, and done" 0 "WARNING" \
	    $conf set igra.after 1
	$conf import-mnemonic --profile signer-05 \
	    --phrase "$(jq -r .phrase <<<"$first")" >out 2>err
	run "pubkey takes the config's path" 0 \
	    "^public_key_compressed: $(jq -r '.keys[1].public_key' <<<"$first")\$" \
	    $conf pubkey --profile signer-05
	run "--network before the config" 0 "^address: kaspatest:" \
	    $conf --network testnet pubkey --profile signer-05
else
	skip "the audit log" "igra-auditd is not built"
fi
printf '[service]\nnetwork = "moon"\n' >bad.toml
run "a config that is wrong" 1 "bad.toml:" $sa --config bad.toml info

# --- kills and concurrent writers ------------------------------------------
$dev $quick --passphrase-file pw --path k.bin init >out 2>err
whole=0
for i in $(seq 40); do
	{ timeout -s KILL 0.0$((RANDOM % 3))$((RANDOM % 9 + 1)) $dev \
	    --passphrase-file pw --path k.bin set igra.k$((i % 9)) v; } \
	    >/dev/null 2>&1
	$dev --passphrase-file pw list k.bin >/dev/null 2>err || whole=1
done 2>/dev/null
same "kill -9 at any instant: the file opens" $whole 0
$dev --passphrase-file pw --path k.bin set igra.last v >out 2>err
same "and nothing is left over" "$(ls -A | grep -c '^\.k\.bin\.tmp')" 0

$dev $quick --passphrase-file pw --path c.bin init >out 2>err
pids=
for w in 1 2 3 4; do
	( for i in 1 2 3 4 5 6; do $dev --passphrase-file pw --path c.bin \
	    set igra.w$w.$i v >/dev/null 2>&1 || exit 1; done ) &
	pids="$pids $!"
done
lost=0
for p in $pids; do wait $p || lost=1; done
same "concurrent writers all succeed" $lost 0
same "and no update is lost" \
    "$($dev --passphrase-file pw list c.bin | wc -l)" 24

[ $failed -eq 0 ] && echo "# all passed"
exit $failed
