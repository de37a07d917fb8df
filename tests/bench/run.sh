#!/bin/sh
# make bench: what a signature costs through the three daemons, against what
# bounds it, in one run.  Prints a table in Markdown.
#
#   ROUNDS=5	rounds; all figures are measured in each, interleaved, so that
#		a slow moment of the machine meets them all; the table has
#		medians, and its ratios are medians of each round's ratio
#   TMPDIR	on a real disk: what is synced is to be synced (/var/tmp)

: "${TMPDIR:=/var/tmp}"
export TMPDIR
. "${0%/*}/../e2e/lib.sh"
bench=$top/tests/bench
ROUNDS=${ROUNDS:-5}

die()
{
	echo "run.sh: $*" >&2
	exit 1
}

# put NAME VALUE: one sample.
put()
{
	echo "$1 $2" >>"$T/samples"
}

# load NAME CONNECTIONS REQUESTS BODIES [MEMBER]
# What is signed is new each time: the same again costs no journal.
load()
{
	_new=-u
	[ $# -lt 5 ] || _new=
	"$tests/bench-client" $_new -c "$2" -n "$3" -m "\"${5:-signature}\":" \
	    "$signd_sock" "$T/$4" \
	    >"$T/load" || die "$1: the client failed"
	read -r _n _seconds _p50 _p99 _sigs <"$T/load"
	put "$1_p50" "$_p50"
	put "$1_p99" "$_p99"
	put "$1_rate" "$(echo "$_sigs $_seconds" | awk '{ print $1 / $2 }')"
}

# What igractl needs to unlock anew, in microseconds, its start included.  Not
# after a lock: that only an operator at a prompt lifts.
time_unlock()
{
	put unlock "$("$PYTHON" - "$bin/igractl" -f "$conf" unlock \
	    --passphrase-file "$T/pass" <<-'END'
	import subprocess
	import sys
	import time
	start = time.monotonic_ns()
	subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
	print((time.monotonic_ns() - start) / 1000)
	END
	)" || die "cannot unlock"
}

# A second igra-auditd for the producers: the first one's kseq is igra-keyd's.
start_second()
{
	mkdir "$T/run2" "$T/bare"
	sed "s|\"$T/run/|\"$T/run2/|; s|\"$T/log/|\"$T/log2/|" "$conf" \
	    >"$T/second.toml"
	"$bin/igra-auditd" -f "$T/second.toml" </dev/null \
	    >>"$T/second.err" 2>&1 &
	also_kill $!
	second=$T/run2/igra-auditd/auditd.sock
	wait_for_socket "$second" || die "$(cat "$T/second.err")"
	cp "$tests/bench-append" "$T/bench-append"
	chmod 755 "$T/bench-append"
	as_keyd=''
	if [ "$(id -u)" -eq 0 ]; then
		chown $keyd_uid "$T/bare"
		as_keyd="as_uid $keyd_uid"
	fi
	kseq=1
}

# Records a second with 1, 16 and 64 producers, and how fast they verify.
audit_log()
{
	$as_keyd "$T/bench-append" -U $auditd_uid -k $kseq "$second" "$T/bare" \
	    >"$T/load" || die "bench-append failed"
	kseq=$(sed -n 's/^kseq //p' "$T/load")
	grep ^durable "$T/load" >>"$T/samples"
	"$tests/bench-audit" -m 32 -r 3 "$T" >>"$T/samples" ||
	    die "bench-audit failed"
}

# How long igra-keyd has waited for acknowledgements, and how many.
waited()
{
	ctl status -j | jq -r '.keyd | "\(.audit_wait_us) \(.audit_commits)"'
}

# life_body METHOD PARAMS <ANSWER: a request that goes on with it.
life_body()
{
	jq -c "{jsonrpc: \"2.0\", id: 1, method: \"$1\", params: $2}"
}

# 100 inputs, signed by two of three, and final.
life_bodies()
{
	head -n 1 "$T/pskt-100" | jq -c .params >"$T/unsigned"
	rpc pskt.sign "@$T/unsigned" >"$T/signed-1"
	jq -c '{pskt, profile: "signer-02"}' "$T/unsigned" >"$T/params-2"
	rpc pskt.sign "@$T/params-2" >"$T/signed-2"
	cat "$T/signed-1" "$T/signed-2" | jq -cs '[.[].result.pskt]' |
	    life_body pskt.combine '{pskts: .}' | tee "$T/combine-100" |
	    curl -s --unix-socket "$signd_sock" --data-binary @- \
	    http://localhost/rpc | tee "$T/signed" |
	    life_body pskt.inspect '{pskt: .result.pskt}' >"$T/inspect-100"
	life_body pskt.finalize '{pskt: .result.pskt}' <"$T/signed" |
	    tee "$T/finalize-100" | curl -s --unix-socket "$signd_sock" \
	    --data-binary @- http://localhost/rpc |
	    life_body pskt.extract '{pskt: .result.pskt}' >"$T/extract-100"
}

# load_one: one signature at a time, and what its record costs it.
load_one()
{
	_before=$(waited)
	load one 1 500 pskt-1
	put one_mean "$(echo "$_seconds $_n" | awk '{ print $1 * 1e6 / $2 }')"
	put record_wait "$(echo "$_before $(waited)" |
	    awk '{ print ($3 - $1) / ($4 - $2) }')"
}

rss()
{
	for _d in keyd signd auditd; do
		awk -v name="$_d" '/^VmRSS/ { print "rss_" name, $2 }
		    /^VmHWM/ { print "hwm_" name, $2 }' \
		    "/proc/$(daemon_pid $_d)/status" >>"$T/samples"
	done 2>/dev/null
}

# Where it may, all of this goes before what else the machine does: others'
# turns are neither our cost nor that of the bounds.
chrt --rr -p 1 $$ >/dev/null 2>&1

t_init
ms=$(jq -c '.[1]' "$vectors/multisig.json")
redeem=$(echo "$ms" | jq -r .redeem_script)
CONF_PSKT="redeem_script_hex = \"$redeem\""
CONF_RPC='rate_limit_rps = 1000000
rate_limit_burst = 1000000'
mk_conf
secrets_admin init >"$T/out" 2>&1 || die "$(cat "$T/out")"
set_key signer-01 "$(echo "$ms" | jq -r '.private_keys[0]')" ||
    die "no secrets file"
set_key signer-02 "$(echo "$ms" | jq -r '.private_keys[1]')" ||
    die "no second key"
for i in "1 500" "10 100" "64 50" "100 30" "1000 4"; do
	"$PYTHON" "$bench/make_pskt.py" "$redeem" $i >"$T/pskt-${i%% *}" ||
	    die "cannot make PSKTs"
done
start_all || die "the daemons did not start"
rss && sed -i 's/^rss/idle/; s/^hwm.*//' "$T/samples"
unlock || die "cannot unlock"
start_second
load warm 1 200 pskt-1
life_bodies

round=0
while [ "$round" -lt "$ROUNDS" ]; do
	round=$((round + 1))
	echo "round $round of $ROUNDS" >&2
	put round "$round"
	"$tests/bench" "$T/log" >>"$T/samples" || die "bench failed"
	# What bounds a signature, between and after what it bounds.
	for i in 1 2 3; do
		load_one
		"$tests/bench" -s "$T/log" >>"$T/samples" || die "bench failed"
	done
	load many1 1 100 pskt-64
	load many4 4 100 pskt-64
	load many16 16 100 pskt-64
	load in10 1 100 pskt-10
	load in100 1 30 pskt-100
	load in1000 1 4 pskt-1000
	load inspect 1 20 inspect-100 fee_rate
	load finalize 1 20 finalize-100 transaction_id
	load extract 1 20 extract-100 allowOrphan
	load combine 1 20 combine-100 finalScriptSig
	audit_log
	time_unlock
done
rss
"$tests/bench-policy" >>"$T/samples" || die "bench-policy failed"
"$tests/bench-journal" "$T" >>"$T/samples" || die "bench-journal failed"
"$PYTHON" "$bench/report.py" "$T/samples" || die "no report"
stop_all
for d in auditd keyd signd; do
	! grep -E 'ALERT|refused' "$T/$d.err" >&2 || die "$d complained"
done
! grep ALERT "$T/second.err" >&2 || die "the second igra-auditd complained"
