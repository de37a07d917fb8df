#!/bin/bash
# secrets-admin check-passphrase: a line for each line, nothing made or shown.
. "${0%/*}/lib.sh"
t_init

# try NETWORK [OPTION…]: what is in $T/in; sets $out, $err and $rc.
try()
{
	rc=0
	(cd "$T/empty" && "$bin/secrets-admin" --network "$@" \
	    check-passphrase) <"$T/in" >"$T/run.out" 2>"$T/run.err" || rc=$?
	out=$(cat "$T/run.out")
	err=$(cat "$T/run.err")
}

# line N
line()
{
	sed -n "$1p" "$T/run.out"
}

mkdir "$T/empty"
strong='CorrectHorseBatteryStaple2024!'

printf '%s\n' password123 "$strong" mnkmnkmnkmnkmnkmnk '' \
    ' leading white space 47' 'signer-07.igra.signer-07' >"$T/in"
printf 'caf\351 au lait and tulips\n' >>"$T/in"
printf '%s\r\n' "$strong" >>"$T/in"
printf '%s' "$strong" >>"$T/in"
try mainnet --profile signer-07
is "one is refused: exit 1" "$rc" 1
is "a line for each line" "$(wc -l <"$T/run.out")" 9
is "each begins with ok or refused" \
    "$(grep -cEv '^(ok|refused): ' "$T/run.out")" 0
has "password123" "$(line 1)" \
    'refused: passphrase too weak for mainnet: 11 characters (at least 16), score 0/4 (needed 4/4): this is a common password. Take '
is "a strong one" "$(line 2)" 'ok: 30 characters, score 4/4'
has "a repeated unit" "$(line 3)" '18 characters (at least 16), score 1/4 (needed 4/4): repeats like'
is "an empty line" "$(line 4)" 'refused: passphrase is empty'
has "white space" "$(line 5)" 'refused: passphrase has white space'
has "the profile's name" "$(line 6)" 'a name that is tried first'
has "not UTF-8" "$(line 7)" 'refused: passphrase is not UTF-8'
is "CR LF" "$(line 8)" 'ok: 30 characters, score 4/4'
is "a last line without newline" "$(line 9)" 'ok: 30 characters, score 4/4'
is "standard error is empty" "$err" ''
is "nothing was made" "$(ls -A "$T/empty")" ''
while IFS= read -r l; do
	case $l in ???*) has_not "not shown" "$out" "$l" ;; esac
done <"$T/in"

printf '%s\n%s\n' "$strong" 'ozone.ladder.crumb.fjord.mint' >"$T/in"
try mainnet
is "none is refused: exit 0" "$rc" 0
: >"$T/in"
try mainnet
is "no line: exit 0, no line" "$rc:$out" 0:
head -c 100000 /dev/zero | tr '\0' a >"$T/in"
printf '\n%s\n' "$strong" >>"$T/in"
try mainnet
has "a line that is too long" "$(line 1)" 'refused: passphrase is longer'
has "and the one behind it" "$(line 2)" 'ok: 30'

printf '%s\n' password1234 >"$T/in"
try testnet
is "testnet: a weak one will do" "$rc" 0
has "with a warning" "$out" 'ok, with a warning: passphrase too weak for testnet: 12 characters (at least 12), score 0/4'
printf '%s\n' x >"$T/in"
try devnet
is "devnet: any" "$rc:$out" '0:ok: 1 character, score 0/4'

printf '%s\n' "zanzibar-zanzibar-cobalt" >"$T/in"
try mainnet --path /srv/zanzibar/zanzibar-cobalt.bin
is "the file's name counts" "$rc" 1

printf '%s\n' "$strong" >"$T/typed"
out=$("$PYTHON" "$e2e/terminal.py" --type-on 'check: ' "$T/typed" \
    "$bin/secrets-admin" --network mainnet check-passphrase)
is "at a terminal: exit 0" $? 0
has "at a terminal: the verdict" "$out" 'ok: 30 characters, score 4/4'
has_not "at a terminal: no echo" "$out" "$strong"
t_done
