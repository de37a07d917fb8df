#!/bin/bash
# igra-pskt, offline: forms, options, what is wrong, its sandbox.  That it says
# what igra-signd says is make-pskt.sh's.
. "${0%/*}/lib.sh"
t_init
pskt=$bin/igra-pskt
cd "$T" || exit 1

# Members of the vectors, as text and as hex.
"$PYTHON" - "$vectors/pskt.json" <<'END'
import json, sys
cases = json.load(open(sys.argv[1]))
one = [c for c in cases if len(c["pskt"]["inputs"]) == 2][0]["pskt"]
text = json.dumps(one)
open("object", "w").write(text + "\n")
open("hex", "w").write("PSKT" + text.encode().hex() + "\n")
open("quoted", "w").write('"PSKT' + text.encode().hex() + '"\n')
open("bundle", "w").write("PSKB" + ("[%s,%s]" % (text, text)).encode().hex() + "\n")
one["outputs"][0]["amount"] -= 1
open("other", "w").write(json.dumps(one) + "\n")
one["inputs"][0]["minTime"] = "\x1b[2J"
open("escape", "w").write(json.dumps(one, ensure_ascii=False))
# More than a pipe holds.
one["inputs"][0]["minTime"] = None
one["more"] = "x" * 2000000
open("large", "w").write(json.dumps(one))
open("lines", "w").write(text + "\n{}\nPSKT" + text.encode().hex() + "\n")
END

# --- forms ---

for form in object hex quoted bundle; do
	run "$pskt" combine $form $form
	is "$form: comes back as it is" "$rc $out$err" "0 $(cat $form)"
done
is "in the form of the first" "$("$pskt" combine object hex quoted)" \
    "$(cat object)"
is "from standard input" "$("$pskt" combine <hex)" "$(cat hex)"
is "and as -" "$("$pskt" combine object - <hex)" "$(cat object)"
printf '\n  %s  ' "$(cat hex)" >spaces
is "white space around hex" "$("$pskt" combine spaces)" "$(cat hex)"
is "inspect: a bundle is two" "$("$pskt" inspect -j --network devnet bundle |
    jq '.pskts | length')" 2
run "$pskt" inspect --network devnet object
has "inspect: text" "$out" "unsigned, "
is "inspect: printable" "$(tr -d ' -~\n' <<<"$out" | wc -c)" 0
has "inspect: the network's addresses" "$out" "kaspadev:"
has_not "inspect: of no other network" "$out" "kaspa:"
has "inspect: mainnet without --network" \
    "$("$pskt" inspect object)" "kaspa:"
redeem=$(jq -r '[.[].pskt | select(.inputs | length == 2)][0].inputs[] |
    .redeemScript | select(. != null)' "$vectors/pskt.json" | head -n 1)
is "inspect: what is own" "$("$pskt" inspect -j --redeem "$redeem" object |
    jq '[.pskts[0].inputs[].own] | any')" true
mk_conf
is "inspect: the config's network" "$("$pskt" inspect -f "$conf" -j object |
    jq -r '.pskts[0].inputs[0].address' | cut -d: -f1)" kaspadev

# --- what is wrong ---

# fails WHAT STATUS MESSAGE COMMAND…
fails()
{
	_what=$1 _rc=$2 _message=$3
	shift 3
	run "$@"
	is "$_what" "$rc $out$(head -n 1 <<<"$err")" "$_rc $_message"
}
fails "another transaction" 1 \
    "igra-pskt: outputs[0].amount: differs between documents 0 and 1" \
    "$pskt" combine object other
fails "a bundle and none" 1 "igra-pskt: a bundle and a single PSKT" \
    "$pskt" combine object bundle
fails "finalize: nobody has signed" 1 "igra-pskt: hex: inputs[0]: 0 of $(
    "$pskt" inspect -j hex | jq '.pskts[0].inputs[0].required') signatures" \
    "$pskt" finalize hex
fails "finalize: in a bundle, which" 1 "igra-pskt: bundle: pskt[0]: $(
    )inputs[0]: 0 of $("$pskt" inspect -j hex |
    jq '.pskts[0].inputs[0].required') signatures" "$pskt" finalize bundle
fails "extract: not final" 1 \
    "igra-pskt: hex: inputs[0].finalScriptSig: missing" "$pskt" extract hex
run "$pskt" extract escape
is "no control character of a document is shown" \
    "$rc $(tr -d ' -~\n' <<<"$out$err" | wc -c)" "1 0"
name=$(printf 'a\033[2Jb')
cp other "$name"
run "$pskt" finalize "$name"
is "nor of a file's name" "$(tr -d ' -~\n' <<<"$out$err" | wc -c)" 0
fails "no file" 1 "igra-pskt: none: No such file or directory" \
    "$pskt" inspect none
: >empty
run "$pskt" inspect empty
is "an empty file" "$rc" 1
echo '{"utxos":[]}' >create
fails "create: no coins" 1 "igra-pskt: create: utxos: there are none" \
    "$pskt" create create
if [ -e /dev/full ]; then
	# shellcheck disable=SC2016
	run sh -c '"$0" combine hex >/dev/full' "$pskt"
	is "nowhere to write to" "$rc" 1
fi

fails "no command" 2 "$("$pskt" -h | head -n 1)" "$pskt"
fails "no such command" 2 "igra-pskt: no such command: sign" "$pskt" sign
fails "no network" 2 "igra-pskt: no network: venus" \
    "$pskt" inspect --network venus object
fails "a redeem script that is none" 2 \
    "igra-pskt: --redeem is a script in hex" \
    "$pskt" inspect --redeem 0 object
fails "a key that is none" 2 "igra-pskt: --key is 64 hex digits" \
    "$pskt" inspect --key 00 object
fails "finalize has no network" 2 \
    "igra-pskt: only create and inspect have -f, --network and --redeem" \
    "$pskt" finalize --network devnet object
fails "two files for inspect" 2 \
    "igra-pskt: more than one file for inspect" "$pskt" inspect hex hex
fails "lines of text" 2 "igra-pskt: inspect -l goes with -j" \
    "$pskt" inspect -l lines
fails "a config that is none" 1 "igra-pskt: none: No such file or directory" \
    "$pskt" inspect -f none object

# --- one document a line ---

run "$pskt" inspect -jl lines
is "lines: each has its answer, wrong ones, too" "$rc $(jq -c \
    '.error // (.pskts | length)' <<<"$out" | tr '\n' ' ')" \
    '1 1 "lines: global: missing" 1 '

# --- sandbox ---

case $build in
*asan*)	skip "sandbox" "not in this build" ;;
*)
	mkfifo pipe
	"$pskt" combine large >pipe &
	pid=$!
	also_kill $pid
	exec 3<pipe
	# It now waits until somebody reads.
	if wait_for 10 grep -q '^Seccomp:	2' /proc/$pid/status; then
		ok "no system calls but those it needs"
		is "no new privileges" "$(grep NoNewPrivs /proc/$pid/status |
		    tr -dc 0-9)" 1
	elif [ -e /proc/$pid/status ]; then
		not_ok "no system calls but those it needs"
	else
		skip "no system calls but those it needs" "no /proc"
	fi
	cat <&3 >got
	exec 3<&-
	is "and yet it writes all of it" "$(cksum <got)" \
	    "$( (cat large; echo) | cksum)"
	;;
esac
t_done
