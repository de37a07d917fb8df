#!/bin/bash
# A phrase in the config: encrypt-mnemonic, and keyd with what it prints.
# Keys are compared with tests/vectors/hd.json.
. "${0%/*}/lib.sh"
t_init
KEY_TYPE=hd_mnemonic
wallet='a wallet secret for tests'

# hd CASE MEMBER: of the vectors.
hd()
{
	jq -r ".[$1].$2" "$vectors/hd.json"
}

# put NAME VALUE
put()
{
	printf '%s' "$2" | secrets_admin set "$1" --stdin >"$T/put.out" 2>&1 ||
	    { cat "$T/put.out" >&2; return 1; }
}

# encrypt PHRASE [OPTION…]: the line is $out.
encrypt()
{
	printf '%s\n' "$1" >"$T/phrase"
	shift
	rc=0
	secrets_admin "$@" encrypt-mnemonic --stdin <"$T/phrase" \
	    >"$T/run.out" 2>"$T/run.err" || rc=$?
	out=$(cat "$T/run.out")
	err=$(cat "$T/run.err")
}

# encrypted TEXT: is it the line that igra.toml takes?
is_line()
{
	printf '%s\n' "$1" |
	    grep -Eqx 'encrypted_mnemonics = \["[A-Za-z0-9+/]+=*"\]'
}

# refused WHAT WORDS: the unlock fails and says why.
refused()
{
	rc=0
	wait_for 30 has_log
	ctl unlock --passphrase-file "$T/pass" >"$T/run.out" 2>&1 || rc=$?
	out=$(cat "$T/run.out")
	is "$1: not unlocked" "$rc" 1
	has "$1: says why" "$out" "$2"
	is "$1: no key" "$(rpc signer.info | jq -c '.result |
	    [.public_key, .locked]')" '[null,true]'
}

# fresh LINE [PATH]: daemons with nothing from before.
fresh()
{
	stop_all
	rm -rf "$T/keyd" "$T/log"
	CONF_HD="$1
	derivation_path = \"${2:-m}\""
	mk_conf
	start_all
}

public_key()
{
	rpc signer.info | jq -r '.result.public_key'
}

# --- every kind of phrase and payment secret, at two paths ---
mk_conf
for i in 0 1 2 7; do
	phrase=$(hd $i phrase) payment=$(hd $i passphrase)
	mk_secrets
	put igra.hd.wallet_secret "$wallet"
	[ -z "$payment" ] || put igra.hd.payment_secret "$payment"
	encrypt "  $phrase "
	is "case $i: encrypt-mnemonic" "$rc:$err" "0:"
	check "case $i: prints the line for igra.toml" is_line "$out"
	line=$out
	for k in 0 1; do
		path=$(hd $i "keys[$k].path") want=$(hd $i "keys[$k].public_key")
		fresh "$line" "$path" || { not_ok "daemons start"; t_done; }
		check "case $i, $path: unlock" unlock
		is "case $i, $path: signer.info's key" "$(public_key)" \
		    "${want#??}"
		is "case $i, $path: its address" \
		    "$(rpc signer.info | jq -r .result.address)" \
		    "$(hd $i "keys[$k].addresses.devnet")"
		run secrets_admin --config "$conf" pubkey --profile signer-01
		has "case $i, $path: secrets-admin pubkey agrees" "$out" \
		    "public_key_compressed: $want"
	done
done
is "key_ref says that it is in the config" \
    "$(rpc signer.info | jq -r .result.key_ref)" \
    "service.hd.encrypted_mnemonics[0]"
has "the log says which secrets were read" \
    "$(jq -rs 'map(select(.event_type == "SecretAccess") |
	.secret_name) | unique | join(" ")' "$log")" \
    "igra.hd.payment_secret igra.hd.wallet_secret service.hd.encrypted_mnemonics[0]"
has_not "the log has no word of the phrase" "$(cat "$log")" "${phrase%% *}"

# --- either secret alone yields no key ---
phrase=$(hd 1 phrase) payment=$(hd 1 passphrase)
mk_secrets
put igra.hd.wallet_secret "$wallet"
put igra.hd.payment_secret "$payment"
encrypt "$phrase"
line=$out
want=$(hd 1 'keys[0].public_key')
fresh "$line"
put igra.hd.wallet_secret "another wallet secret"
refused "another wallet_secret" "wrong wallet_secret"
secrets_admin remove igra.hd.wallet_secret >/dev/null 2>&1
refused "no wallet_secret" "the secrets file no igra.hd.wallet_secret"
secrets_admin remove igra.hd.payment_secret >/dev/null 2>&1
put igra.hd.wallet_secret "$wallet"
check "wallet_secret without payment_secret" unlock
has_not "is another key" "$(public_key)" "${want#??}"
put igra.hd.payment_secret "$payment"
check "both" unlock
is "are the key" "$(public_key)" "${want#??}"
# A secret of the profile's own is for a phrase in the secrets file.
secrets_admin remove igra.hd.payment_secret >/dev/null 2>&1
put igra.signer.payment_secret_signer-01 "$payment"
check "the payment secret of a phrase in the file" unlock
has_not "is not taken for one in the config" "$(public_key)" "${want#??}"
put igra.hd.payment_secret "$payment"

# --- both places at once ---
ctl lock >/dev/null 2>&1
fresh "$line"
put igra.signer.mnemonic_signer-02 "$phrase"
check "the phrase of another profile in the file" unlock
fresh "$line"
put igra.signer.mnemonic_signer-01 "$phrase"
refused "a phrase in both places" "there are two phrases for signer-01"
encrypt "$phrase" --config "$conf"
is "encrypt-mnemonic with one in the file: refused" "$rc:$out" "1:"
has "says which" "$err" "igra.signer.mnemonic_signer-01 is in the secrets file"
encrypt "$phrase" --config "$conf" --profile signer-02
has "--profile goes before the config" "$err" "mnemonic_signer-02 is in"
encrypt "$phrase" --profile signer-03
is "of a profile that has none: done" "$rc:$err" "0:"
encrypt "$phrase"
is "no profile known: done" "$rc" 0
has "and warned about" "$err" "WARNING: $secrets has the phrase of signer-01"
secrets_admin remove igra.signer.mnemonic_signer-01 >/dev/null 2>&1
secrets_admin remove igra.signer.mnemonic_signer-02 >/dev/null 2>&1

# --- what the config may hold ---
blob=${line#*\"} blob=${blob%%\"*}
case $blob in
A*)	damaged=B${blob#?} ;;
*)	damaged=A${blob#?} ;;
esac
fresh "encrypted_mnemonics = [\"$damaged\"]"
refused "a damaged entry" "damaged encrypted phrase"
CONF_HD="[[service.hd.encrypted_mnemonics]]
name = \"one\"
[service.hd.encrypted_mnemonics.encrypted]
ciphertext = \"$blob\"" mk_conf
for p in igra-keyd igra-signd igra-auditd; do
	run "$bin/$p" -n -f "$conf"
	is "Igra's old structure: $p -n" "$rc" 1
	has "Igra's old structure: named" "$err" "Igra's old structure"
done
run ctl status
has "Igra's old structure: igractl names it" "$err" "Igra's old structure"
run secrets_admin --config "$conf" list
has "Igra's old structure: secrets-admin names it" "$err" \
    "Igra's old structure"
stop_all

# --- encrypt-mnemonic by itself ---
CONF_HD='' mk_conf
encrypt "$phrase"
first=$out
encrypt "$phrase"
check "a second time" is_line "$out"
has_not "is another text: a fresh nonce" "$out" "$first"
encrypt "${phrase% *} zoo"
is "a phrase with a wrong checksum: refused" "$rc:$out" "1:"
has "a phrase with a wrong checksum: said" "$err" "checksum"
encrypt "${phrase/ / sesquipedal }"
has "a wrong number of words" "$err" "25 words"
has_not "is not echoed" "$err" sesquipedal
encrypt ""
is "no phrase: refused" "$rc:$out" "1:"
run secrets_admin encrypt-mnemonic --phrase "$phrase"
check "devnet: --phrase" is_line "$out"
has "devnet: --phrase is warned about" "$err" "WARNING: a secret on the"
run secrets_admin encrypt-mnemonic --profile signer-00
is "no such profile" "$rc" 2
printf '%s\n' "$phrase" >"$T/phrase"
chmod 0600 "$T/phrase"
run secrets_admin encrypt-mnemonic --value-file "$T/phrase"
check "--value-file" is_line "$out"
secrets_admin remove igra.hd.wallet_secret >/dev/null 2>&1
encrypt "$phrase"
is "no wallet_secret: refused" "$rc:$out" "1:"
has "no wallet_secret: the command that sets it" "$err" \
    "secrets-admin --network devnet --path $secrets set igra.hd.wallet_secret"
command=$(printf '%s\n' "$err" | sed -n 's/^ *secrets-admin //p')
printf 'set as it says\n' | "$bin/secrets-admin" --passphrase-file "$T/pass" \
    $command --stdin >/dev/null 2>&1
encrypt "$phrase"
check "no wallet_secret: that command is all that it takes" is_line "$out"

# At a terminal: nothing of what is typed is shown.
cat >"$T/typed.py" <<'END'
import os, pty, sys
phrase = open(sys.argv[1]).read().strip().encode()
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown, asked = b"", 0
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    shown += data
    if shown.count(b": ") > asked and shown.endswith(b": ") and asked < 2:
        asked += 1
        os.write(fd, phrase + b"\n")
status = os.waitpid(pid, 0)[1]
sys.stdout.write(shown.decode())
sys.exit(os.waitstatus_to_exitcode(status))
END
run "$PYTHON" "$T/typed.py" "$T/phrase" "$bin/secrets-admin" --network devnet \
    --path "$secrets" --passphrase-file "$T/pass" encrypt-mnemonic
is "asked at a terminal: exit 0" "$rc" 0
has "asked at a terminal: asked" "$out" "Phrase (12 or 24 words): "
has "asked at a terminal: printed" "$out" 'encrypted_mnemonics = ["'
has_not "asked at a terminal: no echo" "$out" "${phrase%% *}"

# --- the page's first two examples, as they stand ---
awk '/^\.Bd -literal/ { on = ++n <= 2; next } /^\.Ed/ { on = 0 } on' \
    "$top/man/secrets-admin.1" | sed 's/\\e/\\/g' >"$T/example"
mkdir "$T/example.d"
out=$(cd "$T/example.d" && PATH=$bin:$PATH sh -e "$T/example" 2>"$T/run.err")
is "secrets-admin(1): its examples work" $? 0
check "secrets-admin(1): the last prints the line" is_line \
    "$(printf '%s\n' "$out" | tail -1)"

# --- mainnet ---
NETWORK=mainnet
strong='CorrectHorseBatteryStaple2024!'
printf '%s\n' "$strong" >"$T/pass"
rm -f "$secrets"
secrets_admin init >"$T/init.out" 2>&1 || cat "$T/init.out" >&2
run secrets_admin encrypt-mnemonic --phrase "$phrase"
is "mainnet: a phrase on the command line: exit 2" "$rc:$out" "2:"
has "mainnet: the same without it" "$err
" "--passphrase-file $T/pass encrypt-mnemonic
"
has_not "mainnet: not repeated" "$err" "${phrase%% *}"
NETWORK=devnet put igra.hd.wallet_secret "weak-wallet"
encrypt "$phrase"
is "mainnet: a weak wallet_secret: refused" "$rc:$out" "1:"
has "mainnet: a weak wallet_secret: why" "$err" \
    "igra.hd.wallet_secret: passphrase too weak for mainnet: 11 characters"
has_not "mainnet: not shown" "$err" weak-wallet
put igra.hd.wallet_secret "Strong+Wallet.secret/92-Quixotic"
encrypt "$phrase"
check "mainnet: a strong one" is_line "$out"
has "mainnet: no payment_secret is warned about" "$err" \
    "set igra.hd.payment_secret"
put igra.hd.payment_secret "$payment"
encrypt "$phrase"
is "mainnet: with it, quiet" "$rc:$err" "0:"
t_done
