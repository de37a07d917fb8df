#!/bin/bash
# igra-coord with three complete signers, 2-of-3, and with signers that are
# slow, dead, lie or refuse (fakesigners.py).
. "${0%/*}/lib.sh"
. "${0%/*}/group.bash"
t_init

coord=$bin/igra-coord
group_make --key-type raw || exit 1
for n in 1 2 3; do
	group_start $n || { not_ok "signer $n starts"; t_done; }
done

other=$(jq -r '.[0].single_public_key // empty' "$vectors/pskt.json")
other=${other:-79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798}
# mk_doc NAME IN…: a document that spends coins of the group.
mk_doc()
{
	_name=$1
	shift
	"$PYTHON" "$e2e/mkpskt.py" "$redeem" "$@" -- "pubkey:$other:100000" \
	    change:200000 | jq -c .pskt >"$T/$_name"
}

# sign [OPTION…]: igra-coord on $doc; sets $rc $out $err, times it in $ms.
sign()
{
	_t=$(date +%s%N)
	run timeout 60 "$coord" sign -f "$group/signer-01/igra.toml" \
	    --pskt "$doc" "$@"
	ms=$((($(date +%s%N) - _t) / 1000000))
}

key_of()
{
	jq -r ".member_pubkeys[$(($1 - 1))]" "$T/group.json"
}

mk_doc doc.json own:300000 own:150000
doc=$T/doc.json
s1=$group_sock1 s2=$group_sock2 s3=$group_sock3

# --- usage ---

run "$coord" -h
is "-h" "$rc ${out%% igra-coord*}" "0 usage:"
run "$coord"
is "nothing: usage" "$rc" 2
run "$coord" sign --signer "$s1"
is "no document: usage" "$rc" 2
run "$coord" sign --pskt "$doc"
is "no signer: usage" "$rc" 2
sign --signer "$s1" --signer "$s1"
is "a socket twice: usage" "$rc" 2
sign --signer "$s1" --timeout 0
is "no time: usage" "$rc" 2
sign --signer "$s1" --request-id 'a b'
is "a request id with a space: usage" "$rc" 2
sign --signer "$s1" --reason "$(head -c 257 /dev/zero | tr '\0' x)"
is "a reason of 257 bytes: usage" "$rc" 2

# --- three real signers ---

sign --signer "$s1" --signer "$s2" --signer "$s3" --out "$T/tx.json" \
    --witness "$T/witness" --pskt-out "$T/signed.json"
is "two of three sign" "$rc" 0
check "the transaction is right: checked by other code" \
    "$PYTHON" "$e2e/checktx.py" "$doc" "$T/tx.json"
is "a line for each signer" "$(grep -c "^igra-coord: $T/signer-0[123]/" \
    <<<"$err")" 3
has "a line names its key" "$err" "$s1: $(key_of 1): "
is "the witness is 0600" "$(stat -c %a "$T/witness" 2>/dev/null)" 600
is "the witness has a head for each that signed" "$(jq -c '[.version,
    (.signers | length >= 2), (.signers | map(.head | length) | unique)]' \
    "$T/witness")" '[1,true,[64]]'
is "the signed document has both signatures" \
    "$(jq -c '[.inputs[].partialSigs | length >= 2]' "$T/signed.json")" \
    '[true,true]'
sign --signer "$s1" --signer "$s2" --json --request-id my.id --reason demo
is "--json: exit" "$rc" 0
is "--json: who did what" "$(jq -c '[.complete, .request_id,
    (.signers | map(.result)), (.signatures | length), (.pskt | type),
    (.transaction.transaction | type), .witness]' <<<"$out")" \
    '[true,"my.id",["signed","signed"],4,"object","object",null]'
is "--json: keys and heads" "$(jq -c '.signers | map([.public_key,
    (.audit.head | length)])' <<<"$out")" \
    "[[\"$(key_of 1)\",64],[\"$(key_of 2)\",64]]"
is "the request id and reason are in the log" "$(jq -c \
    'select(.request_id == "my.id" and .event_type == "Signing") | .reason' \
    "$group/signer-02/log/key-audit.log" | tail -n 1)" '"demo"'
is "the audit head is that of the log" \
    "$(jq -r '.signers[1].audit.seq' <<<"$out")" "$(jq -r \
    'select(.request_id == "my.id" and .event_type == "Signing") | .seq' \
    "$group/signer-02/log/key-audit.log" | tail -n 1)"
doc=$T/signed.json
sign --signer "$T/none.sock"
is "a complete document: nobody is asked" "$rc" 0
has "a complete document: and it says so" "$err" "not needed"
doc=$T/doc.json
sign --signer "$s2" --pskt-out "$T/one.json" --out "$T/none"
is "one of two: exit" "$rc" 1
is "one of two: no transaction" "$(ls "$T/none" 2>&1 | grep -c 'No such')$out" 1
has "one of two: says so" "$err" "not enough signatures: 0 of 2"
doc=$T/one.json
sign --signer "$s3" --out "$T/tx2.json"
is "the other one later" "$rc" 0
check "the other one later: right" "$PYTHON" "$e2e/checktx.py" "$T/doc.json" \
    "$T/tx2.json"
jq -c '.inputs[0].partialSigs |= map_values(.schnorr |= (.[:-1] + "0" |
    if . == "x" then . else .[:-2] + "77" end))' "$T/one.json" >"$T/bad.json"
doc=$T/bad.json
sign --signer "$s3" --out "$T/tx3.json"
is "a wrong signature in the document does not count" "$rc" 1
has "a wrong signature in the document is told" "$err" \
    "1 signatures in it are not valid"
sign --signer "$s3" --signer "$s2" --out "$T/tx3.json"
is "a wrong signature in the document is replaced" "$rc" 0
check "a wrong signature is replaced: right" "$PYTHON" "$e2e/checktx.py" \
    "$T/doc.json" "$T/tx3.json"

# --- the other forms ---

printf 'PSKT%s\n' "$(od -An -v -tx1 "$T/doc.json" | tr -d ' \n')" >"$T/doc.hex"
doc=$T/doc.hex
sign --signer "$s1" --signer "$s2" --out "$T/tx4.json" --pskt-out "$T/out.hex"
is "PSKT hex" "$rc $(jq -r '.[:4]' "$T/out.hex")" "0 PSKT"
check "PSKT hex: right" "$PYTHON" "$e2e/checktx.py" "$T/doc.json" \
    "$T/tx4.json"
mk_doc doc2.json own:400000
printf 'PSKB%s' "$(jq -cs . "$T/doc.json" "$T/doc2.json" | tr -d '\n' |
    od -An -v -tx1 | tr -d ' \n')" >"$T/bundle"
doc=$T/bundle
sign --signer "$s1" --signer "$s3" --out "$T/txs.json" --json
is "PSKB" "$rc $(jq -c '[(.transaction | length),
    (.transaction_ids | length)]' <<<"$out")" "0 [2,2]"
for n in 0 1; do
	jq ".[$n]" "$T/txs.json" >"$T/tx5.json"
	f=$T/doc.json
	[ $n = 0 ] || f=$T/doc2.json
	check "PSKB: transaction $n is right" "$PYTHON" "$e2e/checktx.py" \
	    "$f" "$T/tx5.json"
done
doc=$T/empty
: >"$doc"
sign --signer "$s1"
is "an empty document" "$rc" 1
jq -c '.inputs[1].redeemScript = null' "$T/doc.json" >"$T/noredeem"
doc=$T/noredeem
sign --signer "$s1" --signer "$s2"
is "an input without redeemScript: the config's" "$rc" 0
doc=$T/doc.json

# --- fakes ---

mkdir "$T/f"
"$PYTHON" "$e2e/fakesigners.py" "$T/f" "$s2" "$s3" 2>"$T/fakes.err" &
also_kill $!
wait_for 20 [ -e "$T/f/ready" ] || not_ok "the fakes start" "$(cat "$T/fakes.err")"

# with MODE EXIT TEXT [OPTION…]: one fake and one good signer, which alone is
# not enough; then the fake beside two good ones.
with()
{
	_mode=$1 _want=$2 _text=$3
	shift 3
	sign --signer "$s1" --signer "$T/f/$_mode.sock" --timeout 5 \
	    --out "$T/tx.fake" "$@"
	is "$_mode: exit" "$rc" "$_want"
	has "$_mode: says what" "$err" "$_text"
	[ $ms -lt 30000 ] || not_ok "$_mode: in time" "$ms ms"
}
lies()
{
	with "$1" 3 "SECURITY ALERT: $T/f/$1.sock: "
	has "$1: which lie" "$err" "$2"
	is "$1: no transaction" "$(ls "$T/tx.fake" 2>/dev/null)" ''
}
fails()
{
	with "$1" 1 "$2"
	is "$1: no transaction" "$(ls "$T/tx.fake" 2>/dev/null)" ''
}

lies badsig 'not valid'
lies othersig 'not valid'
lies othertx 'another transaction'
lies foreign 'not in the input'
lies thief 'another key than its own'
lies otherrequest 'another request'
lies otherid 'another request'
lies malformed malformed
lies index 'an input that is not there'
lies toomany 'more signatures than'
fails none 'without a signature'
rm -f "$T/tx.fake"
for mode in altered amount nohead; do
	# The signatures are right, and so is the transaction.
	with $mode 3 "SECURITY ALERT: $T/f/$mode.sock: "
	check "$mode: the transaction is right" "$PYTHON" \
	    "$e2e/checktx.py" "$doc" "$T/tx.fake"
	rm -f "$T/tx.fake"
done

fails half 'pskt.sign: '
fails closes 'pskt.sign: '
fails huge 'more than 16777216 bytes'
fails chunks 'more than 16777216 bytes'
fails headers 'more than 64 KiB of headers'
fails longheader 'pskt.sign: '
fails interim 'more than 64 KiB of headers'
fails garbage 'not JSON'
fails nothttp 'signer.info: '
fails deep 'not JSON'
fails many 'not JSON'
fails array 'not JSON-RPC'
fails both 'not JSON-RPC'
fails redirect 'HTTP status 302'
fails page 'HTTP status 500'
fails locked 'LOCKED: locked'
fails neverunlocked 'LOCKED: '
fails badkey 'public_key'
fails denied \
    'POLICY_DENIED: too much at once; check max_amount_sompi, limit 1000, value 250000'
fails dead 'no connection'
fails escapes '\x1b[2J\x0d\x0aigra-coord: all is well'
is "escapes: nothing but text reaches the terminal" \
    "$(tr -d '\n\40-\176' <"$T/run.err" | wc -c)" 0
sign --signer "$s1" --signer "$T/nowhere.sock"
is "no socket: exit" "$rc" 1
for mode in hang slow full; do
	sign --signer "$s1" --signer "$T/f/$mode.sock" --timeout 1
	is "$mode: exit" "$rc" 1
	has "$mode: says so" "$err" "sock: "
	if [ $ms -ge 900 ] && [ $ms -lt 20000 ]; then
		ok "$mode: after a second ($ms ms)"
	else
		not_ok "$mode: after a second" "$ms ms"
	fi
done
sign --signer "$s1" --signer "$T/f/forever.sock" --timeout 2
is "rate-limited for ever: exit" "$rc" 1
has "rate-limited for ever: says so" "$err" "until then: RATE_LIMITED"
sign --signer "$s1" --signer "$T/f/limited.sock" --timeout 10 --out "$T/tx.fake"
is "rate-limited twice, asked again" "$rc" 0
[ $ms -ge 2000 ] && ok "rate-limited: waits as long as it is told" ||
    not_ok "rate-limited: waits as long as it is told" "$ms ms"
sign --signer "$s1" --signer "$T/f/brisk.sock" --out "$T/tx.fake"
is "byte by byte" "$rc" 0

# All of the slow, dead and failing at once, and two good ones.
set --
for mode in hang slow full dead half closes huge headers interim garbage \
    deep many locked denied escapes forever page; do
	set -- "$@" --signer "$T/f/$mode.sock"
done
rm -f "$T/tx.fake"
sign "$@" --signer "$s1" --signer "$s3" --timeout 60 --out "$T/tx.fake"
is "all of them and two good ones" "$rc" 0
check "all of them and two good ones: right" "$PYTHON" "$e2e/checktx.py" \
    "$doc" "$T/tx.fake"
is "all of them: a line for each" "$(grep -c '\.sock: ' <<<"$err")" 19
[ $ms -lt 50000 ] && ok "all of them: nobody is waited for ($ms ms)" ||
    not_ok "all of them: nobody is waited for" "$ms ms"

# --- who is it ---

# A second way to the same signer, as ssh makes them.
sign --signer "$s2" --signer "$T/f/brisk.sock" --json
is "the same signer twice does not make two" "$rc $(jq -c \
    '.signers | map(.result) | sort' <<<"$out")" '1 ["duplicate","signed"]'
# listens NAME UID: at $T/NAME.sock, and how much it is sent in $T/NAME.got.
listens()
{
	"$PYTHON" - "$T/$1.sock" "$2" 2>"$T/$1.got" <<-'END' &
	import os, socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[1])
	os.chmod(sys.argv[1], 0o666)
	os.setuid(int(sys.argv[2]))
	s.listen(5)
	while True:
	    c, _ = s.accept()
	    print(len(c.recv(100000)), file=sys.stderr, flush=True)
	END
	also_kill $!
	wait_for_socket "$T/$1.sock"
}
if [ "$(id -u)" = 0 ]; then
	listens stranger $other_uid
	sign --signer "$s1" --signer "$T/stranger.sock" --timeout 2
	is "another user listens: exit" "$rc" 1
	has "another user listens: not asked" "$err" \
	    "not asked: uid $other_uid listens there"
	wait_for 20 [ -s "$T/stranger.got" ]
	is "another user listens: is sent nothing" "$(cat "$T/stranger.got")" 0
	# The config's (above) may listen, and root, whoever asks.
	listens root 0
	# A copy: the build may be where others cannot go.
	install -m 755 "$coord" "$T/coord"
	chmod 755 "$T"
	chmod 644 "$doc"
	run as_uid $other_uid timeout 60 "$T/coord" sign \
	    --pskt "$doc" --signer "$T/root.sock" --timeout 1
	has "root listens: anybody asks" "$err" "root.sock: "
	has_not "root listens: it is asked" "$err" "not asked"
	wait_for 20 [ -s "$T/root.got" ]
	check "root listens: is sent a request" \
	    [ "$(head -n 1 "$T/root.got")" -gt 0 ]
else
	skip "another user listens" "not root"
fi

# --- the witness ---

w=$T/w
sign --signer "$s1" --signer "$s2" --witness "$w"
is "witness: made" "$rc $(jq '.signers | length' "$w")" "0 2"
seq=$(jq --arg k "$(key_of 2)" '.signers[$k].seq' "$w")
sign --signer "$s1" --signer "$s2" --witness "$w"
is "witness: goes on" "$rc $(($(jq --arg k "$(key_of 2)" \
    '.signers[$k].seq' "$w") > seq))" "0 1"
cp "$w" "$w.0"
sign --signer "$s1" --signer "$T/f/back.sock" --witness "$w"
is "witness: a head that goes back" "$rc" 3
has "witness: a head that goes back, and whose" "$err" \
    "SECURITY ALERT: $T/f/back.sock: $(key_of 2): "
has "witness: a head that goes back, from where" "$err" "went back, from record"
is "witness: the later head stays" "$(jq -c --arg k "$(key_of 2)" \
    '.signers[$k]' "$w")" "$(jq -c --arg k "$(key_of 2)" '.signers[$k]' "$w.0")"
sign --signer "$s1" --signer "$T/f/fork.sock" --witness "$w"
is "witness: before the same number comes twice" "$rc" 0
sign --signer "$s1" --signer "$T/f/fork.sock" --witness "$w"
is "witness: the same number with another head" "$rc" 3
has "witness: the same number, says so" "$err" "had another hash before"
sign --signer "$s1" --signer "$T/f/thief.sock" --witness "$w" --timeout 5
has_not "witness: a thief cannot spoil another's" "$(jq -r \
    '.signers | keys[]' "$w")" "$(key_of 3)"
chmod 666 "$w"
sign --signer "$s1" --signer "$s2" --witness "$w"
is "witness: one that others can write is refused" "$rc" 1
chmod 600 "$w"
echo '{"version":1,"signers":{"zz":{}}}' >"$w"
sign --signer "$s1" --signer "$s2" --witness "$w"
is "witness: one that is broken is refused" "$rc" 1
has "witness: one that is broken, where" "$err" "entry 0 is not valid"

# --- a token ---

group_use 1
stop signd
CONF_RPC='token = "sesame-sesame"'
mk_conf
start signd && wait_for 20 is_ready
eval "group_signd1=\$pid_signd"
also_kill $pid_signd
CONF_RPC=
group_leave
printf 'sesame-sesame\n' >"$T/token"
sign --signer "$s1" --signer "$s2"
is "token: without" "$rc" 1
has "token: without, says so" "$err" "UNAUTHORIZED"
chmod 644 "$T/token"
sign --signer "$s1" --signer "$s2" --token-file "$T/token"
is "token: a file that others can read" "$rc" 1
chmod 600 "$T/token"
sign --signer "$s1" --signer "$s2" --token-file "$T/token"
is "token: with" "$rc" 0
printf 'a\rb\n' >"$T/token"
sign --signer "$s1" --signer "$s2" --token-file "$T/token"
is "token: not a header of its own" "$rc" 1
printf 'sesame-sesame\n' >"$T/token"

# --- one of three is stopped ---

kill -STOP "$group_keyd2"
sign --signer "$s1" --signer "$s2" --signer "$s3" --token-file "$T/token" \
    --timeout 60 --out "$T/tx.stop"
kill -CONT "$group_keyd2"
is "one of three hangs: the other two" "$rc" 0
[ $ms -lt 50000 ] && ok "one of three hangs: is not waited for ($ms ms)" ||
    not_ok "one of three hangs: is not waited for" "$ms ms"
check "one of three hangs: right" "$PYTHON" "$e2e/checktx.py" "$doc" \
    "$T/tx.stop"
group_stop 3
sign --signer "$s1" --signer "$s2" --signer "$s3" --token-file "$T/token"
is "one of three is gone: the other two" "$rc" 0
for n in 1 2; do
	check "the log of signer $n verifies" "$bin/igra-audit" verify -q \
	    --log "$group/signer-0$n/log/key-audit.log"
done
t_done
