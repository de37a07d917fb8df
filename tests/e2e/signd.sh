#!/bin/bash
# igra-signd alone, in front of a keyd that does what it is told
# (fake-keyd.c): HTTP, JSON-RPC, limits, hostile clients.
# Prints "ok - what", "not ok - what" or "skip - what (why)"; 1 on failure.

set -u
export LC_ALL=C
# LeakSanitizer needs /proc, which the chroot has not got; not root, it works.
[ "$(id -u)" = 0 ] && export ASAN_OPTIONS=detect_leaks=0
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
bin=$build/bin tests=$build/tests vectors=tests/vectors
dir=$(mktemp -d /tmp/signd.XXXXXX) || exit 1
chmod 755 "$dir"
sock=$dir/s/signd.sock
keyd= signd= failed=0
key=$(jq -r '.[1].multisig_private_keys[0]' $vectors/pskt.json)

stop() {
	local p
	for p in "$@"; do
		kill "$p" 2>/dev/null && wait "$p" 2>/dev/null
	done
}
trap 'stop $keyd $signd; rm -rf "$dir"' EXIT

ok() {
	echo "ok - $1"
}
not_ok() {
	echo "not ok - $1"
	failed=1
	shift
	printf '#   %s\n' "$@" | cut -c 1-600
}
# is WHAT GOT WANT
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1" "got:  $2" "want: $3"; fi
}
# like WHAT GOT PATTERN (a glob)
like() {
	# shellcheck disable=SC2053
	if [[ "$2" == $3 ]]; then ok "$1"; else
		not_ok "$1" "got:  $2" "want: $3"; fi
}

# start_keyd [OPTION...]
start_keyd() {
	[ -n "$keyd" ] && stop "$keyd"
	: >"$dir/keyd.out"	# here, not in the child: it is waited for
	"$tests/fake-keyd" "$@" -k "$key" "$dir/k/keyd.sock" \
	    >>"$dir/keyd.out" 2>&1 &
	keyd=$!
	[ -z "$signd" ] || connected 0
}
# connected N: waits for more than N connections to this keyd
connected() {
	local i
	for ((i = 0; i < 1000; i++)); do
		[ "$(grep -c ^connected "$dir/keyd.out")" -gt "$1" ] && return
		sleep 0.02
	done
	not_ok "signd connects to keyd" "$(tail -n 3 "$dir/signd.out")"
}
# start_signd [CONFIG LINE...]: lines of [rpc] and what follows
start_signd() {
	local i n
	if [ -n "$signd" ]; then
		kill "$signd"
		wait "$signd" ||
		    not_ok "signd ends with 0" "$(tail -n 20 "$dir/signd.out")"
	fi
	n=$(grep -c ^connected "$dir/keyd.out")
	{
		cat <<-END
		[service]
		network = "devnet"
		active_profile = "signer-01"
		data_dir = "$dir/data"
		[service.hd]
		key_type = "raw_private_key"
		[keyd]
		socket = "$dir/k/keyd.sock"
		$(if [ "$(id -u)" = 0 ]; then echo 'user = "0"'; fi)
		[signd]
		socket = "$sock"
		$(if [ "$(id -u)" = 0 ]; then echo 'user = "64002"'; fi)
		[auditd]
		$(if [ "$(id -u)" = 0 ]; then echo 'user = "64003"'; fi)
		END
		printf '%s\n' "$@"
	} >"$dir/igra.toml"
	"$bin/igra-signd" -d -f "$dir/igra.toml" >"$dir/signd.out" 2>&1 &
	signd=$!
	for ((i = 0; i < 400; i++)); do
		[ "$(http healthz)" != 000 ] && break
		sleep 0.05
	done
	connected "$n"
}
alive() {
	if kill -0 "$signd" 2>/dev/null && [ "$(http healthz)" = 200 ]; then
		ok "$1"
	else
		not_ok "$1" "$(tail -n 5 "$dir/signd.out")"
	fi
}

# http PATH [CURL OPTION...]: prints the status; body in $dir/body, headers in
# $dir/head
http() {
	local path=$1
	shift
	curl -s -m 20 -o "$dir/body" -D "$dir/head" -w '%{http_code}' \
	    --unix-socket "$sock" "$@" "http://igra/$path" 2>/dev/null
}
# rpc JSON [CURL OPTION...]: prints the body
rpc() {
	local json=$1
	shift
	printf '%s' "$json" | curl -s -m 20 --unix-socket "$sock" \
	    --data-binary @- "$@" http://igra/rpc
}
# code JSON: prints number, data.code
code() {
	rpc "$@" | jq -r '"\(.error.code) \(.error.data.code)"' 2>&1
}
# sign_request PSKT-JSON-FILTER [MORE-PARAMS-JSON]
sign_request() {
	jq -c "{jsonrpc:\"2.0\",id:1,method:\"pskt.sign\",params:({pskt:($1)}+${2:-{\}})}" \
	    $vectors/pskt.json
}
raw() {
	"$tests/rawclient" "$sock" "$@"
}
tohex() {
	od -An -v -tx1 | tr -d ' \n'
}
metric() {
	curl -s --unix-socket "$sock" http://igra/metrics |
	    sed -n "s/^$1 //p"
}

mkdir "$dir/k" "$dir/s" && [ "$(id -u)" = 0 ] && chown 64002 "$dir/s"
signd=
start_keyd
start_signd

# The longest wait first; it is looked at below.
{ printf 'POST /rpc HTTP/1.1\r\nX: '; head -c 300 /dev/zero | tr '\0' x; } |
    raw drip 1000 >"$dir/drip" &
drip=$!

### HTTP

is "healthz" "$(http healthz) $(cat "$dir/body")" '200 {"alive":true}'
is "readyz" "$(http readyz) $(cat "$dir/body")" \
    '200 {"ready":true,"reasons":[]}'
is "an unknown path is 404 in JSON" \
    "$(http nothing) $(jq -r .error.data.code "$dir/body")" \
    '404 INVALID_REQUEST'
is "GET /rpc is 405 in JSON" \
    "$(http rpc) $(jq -r .error.data.code "$dir/body")" '405 INVALID_REQUEST'
is "PUT is 405 in JSON" \
    "$(http rpc -X PUT) $(jq -r .error.data.code "$dir/body")" \
    '405 INVALID_REQUEST'
is "HEAD is 405" "$(printf 'HEAD /rpc HTTP/1.1\r\n\r\n' | raw send |
    head -n 1 | tr -d '\r')" 'HTTP/1.1 405 Method Not Allowed'
is "what is not HTTP is 400 in JSON" "$(printf 'hello\r\n\r\n' | raw send |
    tail -n 1 | jq -r .error.data.code)" 'INVALID_REQUEST'
is "headers over 64 KiB are 400 in JSON" "$( { printf 'GET / HTTP/1.1\r\n'
    head -c 100000 /dev/zero | tr '\0' 'x' | sed 's/^/X: /'
    printf '\r\n\r\n'; } | raw send | tail -n 1 |
    jq -r .error.data.code)" 'INVALID_REQUEST'
is "an unknown Expect is 417 in JSON" \
    "$(http rpc -H 'Expect: tea' -d '{}') $(jq -r .error.data.code "$dir/body")" \
    '417 INVALID_REQUEST'
is "metrics: type" "$(http metrics; sed -n 's/^Content-Type: //p' \
    "$dir/head" | tr -d '\r')" '200text/plain; version=0.0.4'
is "metrics: the three daemons" "$(metric 'igra_up{daemon=".*"}' |
    tr '\n' ' ')" '1 1 1 '

### JSON-RPC

info='{"jsonrpc":"2.0","id":1,"method":"signer.info"}'
is "signer.info" "$(rpc "$info" | jq -c '.result | [.version, .profile,
    .locked, (.public_key | length), .threshold_m, .threshold_n]')" \
    '["fake","signer-01",false,64,2,3]'
for id in '1' '-7' '1.0' '1e2' '"a"' '"x\u0041\/"' '""' 'null' '0.10'; do
	is "id $id comes back as it was" \
	    "$(rpc "{\"jsonrpc\":\"2.0\",\"id\":$id,\"method\":\"signer.info\"}" |
	    grep -oF "\"id\":$id,")" "\"id\":$id,"
done
long=$(head -c 2000 /dev/zero | tr '\0' x)
is "an id of 2,000 bytes" \
    "$(code "{\"jsonrpc\":\"2.0\",\"id\":\"$long\",\"method\":\"signer.info\"}")" \
    '-32600 INVALID_REQUEST'
is "an object as id" \
    "$(code '{"jsonrpc":"2.0","id":{},"method":"signer.info"}')" \
    '-32600 INVALID_REQUEST'
is "no jsonrpc" "$(code '{"id":1,"method":"signer.info"}')" \
    '-32600 INVALID_REQUEST'
is "jsonrpc 1.0" "$(code '{"jsonrpc":"1.0","id":1,"method":"signer.info"}')" \
    '-32600 INVALID_REQUEST'
is "method a number" "$(code '{"jsonrpc":"2.0","id":1,"method":1}')" \
    '-32600 INVALID_REQUEST'
is "params a string" \
    "$(code '{"jsonrpc":"2.0","id":1,"method":"signer.info","params":"x"}')" \
    '-32600 INVALID_REQUEST'
first=$SECONDS		# the first of those refusals that are counted below
is "params an array" \
    "$(code '{"jsonrpc":"2.0","id":1,"method":"signer.info","params":[]}')" \
    '-32602 INVALID_PARAMS'
like "an unknown parameter is named" \
    "$(rpc '{"jsonrpc":"2.0","id":1,"method":"key.list","params":{"prfile":1}}')" \
    '*-32602*prfile*'
is "an unknown method" "$(code '{"jsonrpc":"2.0","id":1,"method":"no"}')" \
    '-32601 METHOD_NOT_FOUND'
is "no JSON" "$(code '{"jsonrpc":')" '-32700 PARSE_ERROR'
is "an empty body" "$(code '')" '-32700 PARSE_ERROR'
is "two values" "$(code '{} {}')" '-32700 PARSE_ERROR'
is "duplicate members" "$(code \
    '{"jsonrpc":"2.0","id":1,"id":2,"method":"signer.info"}')" \
    '-32700 PARSE_ERROR'
is "not UTF-8" "$(code $'{"jsonrpc":"2.0","id":"\xff","method":"signer.info"}')" \
    '-32700 PARSE_ERROR'
is "400,000 open brackets" "$(head -c 400000 /dev/zero | tr '\0' '[' |
    curl -s --unix-socket "$sock" --data-binary @- http://igra/rpc |
    jq -r .error.data.code)" 'PARSE_ERROR'
is "a notification has no answer" \
    "$(http rpc -d '{"jsonrpc":"2.0","method":"signer.info"}')[$(cat "$dir/body")]" \
    '200[]'
is "key.list" "$(rpc '{"jsonrpc":"2.0","id":1,"method":"key.list"}' |
    jq -c '.result.keys[0] | [.key_ref, .type, .active]')" \
    '["igra.signer.private_key_signer-01","raw_private_key",true]'
is "key.public" "$(rpc '{"jsonrpc":"2.0","id":1,"method":"key.public"}' |
    jq -c '.result | [.profile, (.public_key | length)]')" \
    '["signer-01",64]'
is "a bad profile name" "$(code \
    '{"jsonrpc":"2.0","id":1,"method":"key.public","params":{"profile":"me"}}')" \
    '-32602 INVALID_PARAMS'

batch='[{"jsonrpc":"2.0","id":1,"method":"signer.info"},
{"jsonrpc":"2.0","method":"signer.info"},3,
{"jsonrpc":"2.0","id":"z","method":"no"}]'
is "a batch, in order, without its notification" \
    "$(rpc "$batch" | jq -c 'map([.id, .error.code])')" \
    '[[1,null],[null,-32600],["z",-32601]]'
is "an empty batch" "$(code '[]')" '-32600 INVALID_REQUEST'
is "a batch of notifications" \
    "$(http rpc -d '[{"jsonrpc":"2.0","method":"signer.info"}]')[$(cat "$dir/body")]" \
    '200[]'
many=$(jq -nc '[range(101) | {jsonrpc:"2.0",id:.,method:"signer.info"}]')
is "a batch of 101" "$(code "$many")" '-32600 INVALID_REQUEST'
is "a batch of 100" "$(rpc "$(jq -c '.[:100]' <<<"$many")" |
    jq '[.[].result.locked] | length')" 100

### Connections

is "keep-alive: three requests, one connection" "$(curl -s -o /dev/null \
    -w '%{num_connects} ' --unix-socket "$sock" http://igra/healthz \
    --next -s -o /dev/null -w '%{num_connects} ' --unix-socket "$sock" \
    -d "$info" http://igra/rpc --next -s -o /dev/null -w '%{num_connects}' \
    --unix-socket "$sock" http://igra/healthz)" '1 0 0'
post="POST /rpc HTTP/1.1\r\nContent-Length: ${#info}\r\n\r\n$info"
# shellcheck disable=SC2059
is "pipelined requests" "$(printf "$post$post${post/ HTTP/ HTTP}$post" |
    raw send half | grep -c '"version":"fake"')" 4
# shellcheck disable=SC2059
is "a half-closed client gets its answer" "$(for i in {1..50}; do
    printf "$post" | raw send half | grep -c '"version":"fake"'; done |
    sort | uniq -c | tr -s ' ')" ' 50 1'
is "HTTP/1.0 closes" "$(printf 'GET /healthz HTTP/1.0\r\n\r\n' | raw send |
    tail -n 1)" '{"alive":true}'
is "Connection: close closes" "$(printf \
    'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n' | raw send |
    tail -n 1)" '{"alive":true}'
is "a chunked body" "$(rpc "$info" -H 'Transfer-Encoding: chunked' |
    jq -r .result.version)" fake
is "Expect: 100-continue" "$(rpc "$info" -H 'Expect: 100-continue' |
    jq -r .result.version)" fake
printf 'POST /rpc HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"json' |
    raw send leave
printf 'POST /rpc HTT' | raw send leave
is "half a request and a half-close has no answer" \
    "$(printf 'POST /rpc HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"json' |
    raw send half)" ''
alive "half a request and a closed connection"

### Bodies over the limit

too_large() {
	jq -r '"\(.error.code) \(.error.data.code)"' "$dir/body"
}
truncate -s 100M "$dir/100M"
truncate -s 8388609 "$dir/8M1"
head -c 8388608 /dev/zero | tr '\0' ' ' >"$dir/8M"
is "100 MiB" "$(http rpc --data-binary "@$dir/100M") $(too_large)" \
    '413 -32012 TOO_LARGE'
is "100 MiB without Expect" "$(http rpc -H Expect: --data-binary \
    "@$dir/100M") $(too_large)" '413 -32012 TOO_LARGE'
is "100 MiB in chunks" "$(http rpc -H Expect: -H \
    'Transfer-Encoding: chunked' --data-binary "@$dir/100M") $(too_large)" \
    '413 -32012 TOO_LARGE'
is "8 MiB and a byte" "$(http rpc -H Expect: --data-binary \
    "@$dir/8M1") $(too_large)" '413 -32012 TOO_LARGE'
is "8 MiB is not too large" "$(http rpc -H Expect: --data-binary \
    "@$dir/8M") $(too_large)" '200 -32700 PARSE_ERROR'
is "a length of 10^15 and 9.5 MiB sent" "$( {
    printf 'POST /rpc HTTP/1.1\r\nContent-Length: 1000000000000000\r\n\r\n'
    head -c 12000000 /dev/zero; } | raw send | tail -n 1 |
    jq -r .error.data.code)" TOO_LARGE
is "a chunk of 10^15" "$( {
    printf 'POST /rpc HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n'
    printf '38D7EA4C68000\r\nxxxx'; } | raw send | tail -n 1 |
    jq -r .error.data.code)" TOO_LARGE
is "a negative length" "$(printf \
    'POST /rpc HTTP/1.1\r\nContent-Length: -1\r\n\r\n' | raw send |
    tail -n 1 | jq -r .error.data.code)" INVALID_REQUEST
alive "up after bodies over the limit"

### Signing

multi='.[1].pskt'
sign=$(sign_request "$multi")
answer=$(rpc "$sign")
is "sign: the transaction id" "$(jq -r .result.transaction_id <<<"$answer")" \
    "$(jq -r '.[1].transaction_id' $vectors/pskt.json)"
is "sign: one signature, of the key asked for" \
    "$(jq -c '.result.signatures | map([.pskt, .input, (.signature | length)])' \
    <<<"$answer")" '[[0,0,128]]'
is "sign: it is in the document, under 02" "$(jq -c '.result |
    (.pskt.inputs[0].partialSigs | to_entries) as $p |
    [($p | length), ($p[0].key == "02" + .signatures[0].public_key),
    ($p[0].value.schnorr == .signatures[0].signature)]' <<<"$answer")" \
    '[1,true,true]'
is "sign: the rest of the document is as it was" "$(jq -cS \
    '.result.pskt | .inputs[0].partialSigs = {} |
    .inputs[0].bip32Derivations = {}' <<<"$answer" | md5sum)" \
    "$(jq -cS "$multi"' | .inputs[0].partialSigs = {} |
    .inputs[0].bip32Derivations = {}' $vectors/pskt.json | md5sum)"
is "sign: audit" "$(jq -c '.result.audit | [(.seq > 0), (.head | length)]' \
    <<<"$answer")" '[true,64]'
like "sign: a request id of ours" "$(jq -r .result.request_id <<<"$answer")" \
    'req-????????????????'
signed=$(jq -c .result.pskt <<<"$answer")
again=$(rpc "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pskt.sign\",\"params\":{\"pskt\":$signed}}")
is "sign again: the valid signature is kept, and counted" \
    "$(jq -c '[.result.pskt, .result.signatures[0].signature]' <<<"$again" |
    md5sum)" "$(jq -c '[.result.pskt, .result.signatures[0].signature]' \
    <<<"$answer" | md5sum)"
wrong=$(jq -c '(.inputs[0].partialSigs | keys[0]) as $k |
    .inputs[0].partialSigs[$k].schnorr |= ("00" + .[2:])' <<<"$signed")
again=$(rpc "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pskt.sign\",\"params\":{\"pskt\":$wrong}}")
is "sign again: a wrong one is replaced, with a note" \
    "$(jq -c '[(.result.pskt.inputs[0].partialSigs | length),
    (.result.signatures[0].signature[0:2] != "00" or
    .result.pskt.inputs[0].partialSigs[("02" +
    .result.signatures[0].public_key)].schnorr ==
    .result.signatures[0].signature), (.result.notes | length)]' \
    <<<"$again")" '[1,true,1]'
hex=$(jq -c "$multi" $vectors/pskt.json | tr -d '\n' | tohex)
answer=$(rpc "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pskt.sign\",\"params\":{\"pskt\":\"PSKT$hex\"}}")
like "sign: PSKT hex comes back as PSKT hex" \
    "$(jq -r '.result | "\(.pskt[0:6]) \(.transaction_id)"' <<<"$answer")" \
    "PSKT7b $(jq -r '.[1].transaction_id' $vectors/pskt.json)"
hex=$(jq -c "[$multi, $multi]" $vectors/pskt.json | tr -d '\n' | tohex)
bundle="{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pskt.sign\",\"params\":{\"pskt\":\"PSKB$hex\"}}"
answer=$(rpc "$bundle")
is "sign: a bundle" "$(jq -c '.result | [.pskt[0:6], (.transaction_ids |
    length), .transaction_id, (.signatures | map(.pskt))]' <<<"$answer")" \
    '["PSKB5b",2,null,[0,1]]'
rpc "$(sign_request "$multi" '{request_id:"Me.1_-",reason:"because"}')" \
    >"$dir/body"
is "sign: the client's request id and reason" \
    "$(jq -r .result.request_id "$dir/body") $(grep -c \
    'sign Me.1_- because 1' "$dir/keyd.out")" 'Me.1_- 1'
is "sign: a bad request id" \
    "$(code "$(sign_request "$multi" '{request_id:"a b"}')")" \
    '-32602 INVALID_PARAMS'
is "sign: a reason of 257 bytes" \
    "$(code "$(sign_request "$multi" '{reason:("x" * 257)}')")" \
    '-32602 INVALID_PARAMS'
is "sign: no pskt" "$(code '{"jsonrpc":"2.0","id":1,"method":"pskt.sign"}')" \
    '-32602 INVALID_PARAMS'
# bad WHAT JQ-FILTER PATTERN-OF-MESSAGE: the document changed by the filter
bad() {
	like "bad document: $1" "$(rpc "$(sign_request "$multi | $2")" |
	    jq -r '"\(.error.code) \(.error.data.code) \(.error.message)"')" \
	    "-32005 INVALID_PSKT *$3*"
}
bad "an amount as a string" '.inputs[0].utxoEntry.amount = "1"' \
    'inputs?0?.utxoEntry.amount'
bad "a float" '.outputs[0].amount = 1.5' 'outputs?0?.amount'
bad "a negative amount" '.outputs[0].amount = -1' 'outputs?0?.amount'
bad "wrong hex" '.outputs[0].scriptPublicKey = "0000zz"' \
    'outputs?0?.scriptPublicKey'
bad "no inputs member" 'del(.inputs)' 'inputs'
bad "an outpoint twice" '.inputs += [.inputs[0]]' 'inputs'
like "bad document: an amount above 2^64-1" "$(rpc "$(sign_request "$multi" |
    sed 's/"outputs":\[{"amount":[0-9]*/"outputs":[{"amount":18446744073709551616/')" |
    jq -r '"\(.error.data.code) \(.error.message)"')" \
    'INVALID_PSKT *outputs?0?.amount*'
is "bad document in a bundle: its index" "$(rpc \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pskt.sign\",\"params\":{\"pskt\":\"PSKB$(
    jq -c "[$multi, ($multi | .outputs[0].amount = -1)]" $vectors/pskt.json |
    tr -d '\n' | tohex)\"}}" | jq -c '.error.data')" \
    '{"code":"INVALID_PSKT","pskt":1}'
like "bad document: neither object nor hex" "$(rpc \
    '{"jsonrpc":"2.0","id":1,"method":"pskt.sign","params":{"pskt":"PSKX00"}}')" \
    '*INVALID_PSKT*'
noted() {
	grep -c 'note RequestRejected INVALID_PARAMS' "$dir/keyd.out"
}
is "refusals reach the log" "$(noted)" 6
for i in {1..30}; do
	rpc '{"jsonrpc":"2.0","id":1,"method":"pskt.sign"}' >/dev/null
done
n=$(noted)
# A minute that has ended by now has let 20 more through, and not one.
if [ "$n" = 20 ] || { [ $((SECONDS - first)) -ge 60 ] && [ "$n" -gt 20 ] &&
    [ "$n" -le 27 ]; }; then
	ok "at most 20 a minute ($n)"
else
	not_ok "at most 20 a minute" "$n in $((SECONDS - first)) s"
fi
is "metrics count by method and code" \
    "$(metric 'igra_rpc_errors_total{method="none",code="METHOD_NOT_FOUND"}')" 2
like "metrics: latency" \
    "$(metric 'igra_rpc_request_duration_seconds_count{method="pskt.sign"}')" \
    '[1-9]*'
is "metrics name no secret and no address" "$(curl -s --unix-socket "$sock" \
    http://igra/metrics | grep -c 'kaspa\|igra.signer\|private')" 0

### The manual's examples

jq -c "$multi" $vectors/pskt.json >"$dir/pskt.json"
PAYEE=$(jq -r '.[0].addresses.devnet' $vectors/multisig.json)
jq -c '{entries: [{outpoint: {transactionId: ("ab" * 32), index: 1},
    utxoEntry: {amount: 1000000000, scriptPublicKey: ("000020" +
    .[0].xonly_public_keys[0] + "ac"), blockDaaScore: 5,
    isCoinbase: false}}]}' $vectors/multisig.json >"$dir/utxos.json"
awk -v out="$dir/example" '/^\.Bd -literal/ { n++; on = 1; next }
    /^\.Ed/ { on = 0 } on { print > (out n) }' man/igra-signd-api.7
for f in "$dir"/example*; do
	sed -i "s/\\\\e/\\\\/g; s|/run/igra-signd/signd.sock|$sock|" "$f"
	out=$(cd "$dir" && TOKEN=x PAYEE=$PAYEE CHANGE=$PAYEE \
	    bash -eu "$f" 2>&1)
	if [ $? = 0 ] && [ -n "$out" ] && [[ $out != *'"error"'* ]]; then
		ok "manual: $(grep -o 'signer.info\|pskt.[a-z]*\|key.list\|healthz' \
		    "$f" | head -n 1), ${f##*/}"
	else
		not_ok "manual: ${f##*/}" "$out"
	fi
done

### Clients that leave, stall or are many

start_keyd -d 700
# shellcheck disable=SC2059
for i in {1..20}; do
	printf "POST /rpc HTTP/1.1\r\nContent-Length: ${#sign}\r\n\r\n%s" \
	    "$sign" | raw send leave
done
for ((i = 0; i < 400; i++)); do
	[ "$(metric igra_keyd_inflight)" = 0 ] && break
	sleep 0.05
done
alive "clients that leave while their request runs"
like "nothing is left of them (but maybe the drip)" \
    "$(metric igra_keyd_inflight) $(metric igra_http_connections)" '0 [12]'
raw idle 1000 2 >"$dir/idle" &
idle=$!
for ((i = 0; i < 400; i++)); do
	grep -q connected "$dir/idle" && break
	sleep 0.05
done
kill -USR1 "$keyd"
is "a thousand idle connections: others are served" \
    "$(rpc "$info" | jq -r .result.version) $(http healthz)" 'fake 200'
wait $idle
like "a thousand idle connections: at most 256 of one user" \
    "$(sed -n 2p "$dir/idle")" '2[345]?'
alive "up after a thousand idle connections"

### keyd

for mode in "locked LOCKED -32001" "denied POLICY_DENIED -32002" \
    "noaudit AUDIT_UNAVAILABLE -32007" "garbage INTERNAL -32603" \
    "misfit INTERNAL -32603" "noise KEYD_UNAVAILABLE -32008" \
    "die KEYD_UNAVAILABLE -32008" "hang KEYD_UNAVAILABLE -32008"; do
	# shellcheck disable=SC2086
	set -- $mode
	start_keyd -m "$1"
	t=$(date +%s%N)
	is "keyd $1: $2" "$(code "$sign")" "$3 $2"
	t=$((($(date +%s%N) - t) / 1000000))
	case $1 in
	locked)
		is "keyd locked: readyz" "$(http readyz) $(cat "$dir/body")" \
		    '503 {"ready":false,"reasons":["locked: igractl unlock"]}'
		is "keyd locked: signer.info" "$(rpc "$info" |
		    jq -c '.result | [.locked, .public_key, .address]')" \
		    '[true,null,null]' ;;
	denied)
		is "keyd denied: check, limit and value" "$(rpc "$sign" |
		    jq -c '.error.data | [.check, .limit, .pskt]')" \
		    '["max_amount_sompi","1",null]'
		is "keyd denied: in a bundle, which" "$(rpc "$bundle" |
		    jq -c .error.data)" \
		    '{"code":"POLICY_DENIED","pskt":1,"check":"max_amount_sompi","limit":"1","value":"18446744073709551615"}' ;;
	noaudit)
		is "keyd noaudit: readyz" "$(http readyz)" 503 ;;
	hang)
		# What hangs is later than any machine.
		if [ $t -ge 2000 ] && [ $t -le 15000 ]; then
			ok "keyd hung: an answer all the same ($t ms, aim 4000)"
		else
			not_ok "keyd hung: an answer all the same" "$t ms"
		fi
		is "keyd hung: readyz" "$(http readyz)" 503 ;;
	*)
		alive "keyd $1: signd stays up" ;;
	esac
done
stop "$keyd"
keyd=
for ((i = 0; i < 400; i++)); do
	[ "$(http readyz)" = 503 ] && break
	sleep 0.05
done
is "no keyd: signer.info" "$(code "$info")" '-32008 KEYD_UNAVAILABLE'
is "no keyd: readyz" "$(http readyz)" 503
is "no keyd: metrics" "$(metric 'igra_up{daemon=".*"}' | tr '\n' ' ')" \
    '1 0 0 '
# The quickest of some: one that waits for igra-keyd takes 2 s every time.
best=99999
for i in {1..10}; do
	t=$(date +%s%N)
	code "$info" >/dev/null
	t=$((($(date +%s%N) - t) / 1000000))
	[ $t -ge $best ] || best=$t
	[ $best -ge 1000 ] || break
done
if [ $best -lt 1900 ]; then ok "no keyd: at once ($best ms)"; else
	not_ok "no keyd: at once" "$best ms"; fi
start_keyd
is "keyd is back: signs" "$(rpc "$sign" | jq '.result.signatures | length')" 1
start_keyd -m die
for i in 1 2 3 4; do code "$sign" >"$dir/c$i" & c[i]=$!; done
wait "${c[@]}"
is "keyd dies: all in flight fail" "$(cat "$dir"/c[1-4] | sort -u)" \
    '-32008 KEYD_UNAVAILABLE'
wait $drip
t=$(cat "$dir/drip")
if [ "$t" != sent ] && [ "$t" -ge 8 ] && [ "$t" -le 60 ]; then
	ok "a byte a second is cut after ten ($t s)"
else
	not_ok "a byte a second is cut after ten" "$t"
fi

### Who may

start_keyd
start_signd '[rpc]' 'token = "sesame"'
is "token: missing" "$(http rpc -d "$info") $(too_large)" \
    '401 -32010 UNAUTHORIZED'
is "token: wrong" "$(http rpc -H 'Authorization: Bearer sesam' -d "$info")" 401
is "token: metrics too" "$(http metrics)" 401
is "token: right" "$(http rpc -H 'Authorization: Bearer sesame' -d "$info")" \
    200
is "token: healthz without" "$(http healthz)" 200
like "token: the refusal reaches the log" "$(cat "$dir/keyd.out")" \
    '*note PeerRejected UNAUTHORIZED*token*'

start_signd '[rpc]' 'rate_limit_rps = 1' 'rate_limit_burst = 3'
# One more for each second that a busy machine takes over it.
SECONDS=0 served=0
while [ "$(http rpc -d "$info")" = 200 ] && [ $served -lt 100 ]; do
	served=$((served + 1))
done
most=$((4 + SECONDS))
if [ $served -ge 3 ] && [ $served -le $most ]; then
	ok "rate limit: three, and no more"
else
	not_ok "rate limit: three, and no more" "served $served, at most $most"
fi
is "rate limit: says so, and until when" "$(too_large) $(sed -n \
    's/^HTTP[^ ]* //p; s/^Retry-After: //p' "$dir/head" | cut -c 1-3 |
    tr '\r\n' '  ' | tr -s ' ')" '-32009 RATE_LIMITED 429 1 '
sleep 3.2		# full again, whatever was left
is "rate limit: members of a batch count singly" "$(rpc "$(jq -c '.[:5]' \
    <<<"$many")" | jq -c 'map(.error.data.code)')" \
    '[null,null,null,"RATE_LIMITED","RATE_LIMITED"]'
is "rate limit: healthz has none" "$(http healthz)" 200

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	start_signd '[rpc]' 'allow_users = ["64010"]'
	is "another uid is refused" "$(http rpc -d "$info") $(too_large)" \
	    '401 -32010 UNAUTHORIZED'
	is "another uid is refused, 100 MiB or not" "$(http rpc -H Expect: \
	    --data-binary "@$dir/100M") $(too_large)" \
	    '401 -32010 UNAUTHORIZED'
	is "the uid of allow_users is served" "$(setpriv --reuid 64010 \
	    --regid 64010 --clear-groups curl -s --unix-socket "$sock" \
	    -d "$info" http://igra/rpc | jq -r .result.version)" fake
	like "the refusal of a uid reaches the log" "$(cat "$dir/keyd.out")" \
	    '*note PeerRejected UNAUTHORIZED  0 *allow_users*'
else
	echo "skip - another uid is refused (not root, or no setpriv)"
fi

start_keyd -d 600
start_signd
rpc "$sign" -w '%{errormsg}' >"$dir/last" &
last=$!
# Not before igra-keyd has the request, however long that takes here.
for _ in $(seq 400); do
	grep -q '^sign ' "$dir/keyd.out" && break
	sleep 0.05
done
kill "$signd"
wait "$signd"
status=$?
is "SIGTERM: exit status" $status 0
[ $status = 0 ] || sed 's/^/#   /' "$dir/signd.out"
signd=
wait $last
is "SIGTERM: the request under way is answered" \
    "$(jq '.result.signatures | length' "$dir/last" 2>&1 ||
    cat "$dir/last" "$dir/signd.out" "$dir/keyd.out")" 1
# An answer that does not fit into the socket's buffer either, of a client
# that takes its time.
start_keyd
start_signd
jq -c '.params.pskt.unknown = ("x" * 3000000)' <<<"$sign" >"$dir/large"
cat >"$dir/slow.py" <<'PY'
import os, select, socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
body = open(sys.argv[2], "rb").read()
s.sendall(b"POST /rpc HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) +
          body)
select.select([s], [], [])
open(sys.argv[2] + ".begun", "w").close()
time.sleep(0.5)
got = b""
while True:
    piece = s.recv(1 << 20)
    got += piece
    head, _, rest = got.partition(b"\r\n\r\n")
    want = [int(h[15:]) for h in head.split(b"\r\n")
            if h.lower().startswith(b"content-length:")]
    if not piece or want and len(rest) >= want[0]:
        break
print("whole" if want == [len(rest)] else f"{len(rest)} of {want}",
      len(rest) > 3000000)
PY
${PYTHON:-python3} "$dir/slow.py" "$sock" "$dir/large" >"$dir/last" 2>&1 &
last=$!
for _ in $(seq 200); do
	[ -e "$dir/large.begun" ] && break
	sleep 0.05
done
kill "$signd"
wait "$signd"
is "SIGTERM: exit status, sending" $? 0
signd=
wait $last
is "SIGTERM: an answer on its way arrives whole" "$(cat "$dir/last")" \
    "whole True"

exit $failed
