#!/bin/bash
# igra-audit against logs that igra-auditd wrote, over rotations, and against
# what somebody else may have put there.
. "${0%/*}/lib.sh"
t_init

CONF_AUDIT='checkpoint_interval = 1
rotate_size = 65536
reserve_bytes = 1048576'
mk_conf
dir=$T/log
cp "$tests/audit-client" "$T/client" && chmod 755 "$T/client"
TZ=UTC0; export TZ

audit()
{
	"$bin/igra-audit" "$@"
}

# verify ARGUMENT…: sets $out, $err, $rc.
verify()
{
	run audit verify "$@"
}

# A line of the report: field NAME.
field()
{
	sed -n "s/^$1: //p" <<<"$out" | head -n 1
}

files()
{
	find "$dir" -name 'key-audit.2*.log' | sort
	echo "$log"
}

all()
{
	files | xargs cat 2>/dev/null
}

all_followed()
{
	[ "$(all | cksum)" = "$(cksum <"$T/followed")" ]
}

copy_log()
{
	rm -rf "$T/copy"
	cp -r "$dir" "$T/copy"
	chmod 600 "$T"/copy/*.log
}

# --- a log that grows ---

start auditd || exit 1
verify --log "$log"
is "a log without a Checkpoint has no fault" "$rc" 0
has "and nothing in it is proven" "$out" "proven: nothing"
verify --sealed --log "$log"
is "which --sealed does not accept" "$rc" 3
run audit checkpoint --log "$log"
is "there is no checkpoint yet" "$rc" 3

"$bin/igra-audit" follow --json -n 1000 --log "$log" >"$T/followed" 2>"$T/follow.err" &
follow=$!
also_kill $follow
keyd -n 200 -w 8 "$auditd_sock" append >/dev/null
keyd -k 1000 -n 150 -w 1 "$auditd_sock" signing >/dev/null
early=$(keyd -k 2000 "$auditd_sock" append | awk '{ print $3 ":" $4 }')
sealed()
{
	verify --sealed --log "$log"
	[ "$rc" -eq 0 ]
}
check "within the interval all is sealed" wait_for 20 sealed
run audit checkpoint --log "$dir"
is "checkpoint prints one" "$rc $(jq -r .event_type <<<"$out")" "0 Checkpoint"
echo "$out" >"$T/kept"
origin=$(jq -r .origin "$T/kept")
copy_log
mv "$T/copy" "$T/early"
keyd -k 3000 -n 400 -w 8 "$auditd_sock" append >/dev/null
check "and again" wait_for 20 sealed
check "the log was rotated meanwhile" test "$(files | wc -l)" -ge 4
n=$(all | wc -l)
check "follow has shown every line of all files" wait_for 20 all_followed
is "and complained about nothing" "$(cat "$T/follow.err")" ""
stop auditd
wait_for 20 all_followed
kill $follow
is "to the last" "$(all | cksum)" "$(cksum <"$T/followed")"

# --- a whole log ---

n=$(all | wc -l)
verify --log "$dir"
is "verify: no fault" "$rc $(field result)" "0 no fault"
is "all is proven" "$(field proven)" "seq 1 to $n"
is "until when" "$(field 'last time covered')" \
    "$(tail -n 1 "$log" | jq -r .timestamp)"
is "and there is no tail" "$(field tail)" "0 lines"
is "the end is an anchor" "$(field end)" \
    "$n:$(tail -n 1 "$log" | b2sum -l 256 | cut -d' ' -f1)"
end=$(field end)
is "the key is told" "$(field key)" "$origin, from the log itself"
has "with a warning where it came from" "$err" "WARNING: the public key"
report=$out
verify --log "$log"
is "the log's name means the same as its directory" "$out" "$report"
verify $(files)
is "and so do its files" "$out" "$report"
verify --sealed --pub "$origin" --anchor "$end" --anchor "$early" --log "$log"
is "with key and anchors" "$rc" 0
is "there is no warning" "$err" ""
is "the key was given" "$(field key)" "$origin, as given"
is "the anchors were met" "$(field 'anchors met')" 2
verify --from-checkpoint "$T/kept" --sealed --log "$log"
is "from a checkpoint" "$rc$err" 0
# Only the files since the checkpoint that was kept.
since=$(for f in $(files); do
	[ "$(tail -n 1 "$f" | jq .seq)" -gt "$(jq .seq "$T/kept")" ] && echo "$f"
done)
verify --from-checkpoint "$T/kept" --sealed $since
is "only what came since" "$rc" 0
grep '"Checkpoint"' "$T/auditd.err" >"$T/journal"
verify --sealed --anchor "$T/journal" --log "$log"
is "what auditd printed serves as anchors" "$rc $(field 'anchors met')" \
    "0 $(all | grep -c '"Checkpoint"')"
verify -q --sealed --pub "$origin" --log "$log"
is "-q says nothing" "$rc$out$err" 0
# The config's anchor, and the log that it names.
CONF_AUDIT="anchor = \"$origin\"" mk_conf
verify -f "$conf"
is "the config pins the key" "$rc $(field key)" "0 $origin, as the config says"
is "and says which log" "$(field lines)" "$n, seq 1 to $n"
is "so that there is no warning" "$err" ""
verify --config "$conf" --pub "$(printf '%064d' 1)"
is "another that is given goes before it" "$rc" 1
verify -f "$conf" $(files)
is "it counts for files that are named, too" "$rc $(field key)" \
    "0 $origin, as the config says"
CONF_AUDIT="anchor = \"$(printf '%064d' 1)\"" mk_conf
verify -f "$conf"
is "a log of another key is not the one that was pinned" "$rc" 1
run audit query -f "$conf" --limit 1
is "query reads the log that the config names" "$rc $(jq -r .seq <<<"$out")" \
    "0 1"
run audit checkpoint -f "$conf"
is "and so does checkpoint" "$rc $out" "0 $(grep '"Checkpoint"' "$log" | tail -n 1)"
mk_conf
check "an independent verifier agrees" "$PYTHON" "$e2e/verify_chain.py" "$log"

# --- rolled back ---

verify --pub "$origin" --log "$T/early"
is "an old copy has no fault of its own" "$rc" 0
verify --anchor "$end" --log "$T/early"
is "an anchor shows that it is old" "$rc" 3
has "by name" "$out" "beyond the end of the log"
tail -n 1 "$log" >"$T/newest"
verify --from-checkpoint "$T/newest" --log "$T/early"
is "and so does a checkpoint" "$rc" 3

# --- tampered ---

copy_log
f=$(find "$T/copy" -name 'key-audit.2*.log' | sort | sed -n 2p)
first=$(head -n 1 "$f" | jq .seq)
sed -i '7s/"result":"Success"/"result":"success"/' "$f"
verify --log "$T/copy"
is "a changed line" "$rc $(field result)" "1 TAMPERED"
has "is named" "$(field 'first bad line')" "$f:7: seq $((first + 6)): the line was changed"
check "what is before it is proven" test "$(sed -n \
    's/^proven: seq 1 to //p' <<<"$out")" -lt $((first + 6))
has "and what is after it" "$out" "proven: seq $((first + 7)) to $n"
verify -q --log "$T/copy"
has "-q says it on stderr" "$err" "$f:7: seq $((first + 6))"
is "and nothing else" "$rc$out" 1
copy_log
sed -i 9d "$f"
verify --log "$T/copy"
is "a deleted line" "$rc" 1
has "is missed" "$out" "seq $((first + 8)) to $((first + 8)) are missing"
copy_log
rm "$f"
verify --log "$T/copy"
is "a missing file cannot be proven" "$rc" 3
has "its lines are told" "$out" "not proven: seq $first to "
copy_log
g=$(find "$T/copy" -name 'key-audit.2*.log' | sort | sed -n 1p)
mv "$f" "$T/swap" && mv "$g" "$f" && mv "$T/swap" "$g"
verify --log "$T/copy"
is "swapped files" "$rc" 1
copy_log
rm "$T/copy/key-audit.log"
verify --log "$T/copy"
is "without the log itself" "$rc" 3
has "that is said" "$out" "key-audit.log is missing"
for i in '' '{"seq":1,"prev":"'; do
	printf %s "$i" >"$T/copy/key-audit.log"
	verify --log "$T/copy"
	is "without a line in it" "$rc" 3
	has "that is said, too" "$out" "key-audit.log has no line"
done
copy_log
printf '{"seq":%d,"pre' $((n + 1)) >>"$T/copy/key-audit.log"
verify --pub "$origin" --log "$T/copy"
is "a torn line is a tail" "$rc $(field tail)" \
    "0 0 lines, and $((12 + ${#n})) bytes of a line that is not whole"
verify --pub "$origin" --sealed --log "$T/copy"
is "which --sealed does not accept" "$rc" 3

# Somebody else's log, its hashes and signatures made to fit.
rm -rf "$T/other" && mkdir "$T/other"
mv "$dir" "$T/mine"
start auditd || exit 1
keyd -n 20 "$auditd_sock" append >/dev/null
stop auditd
mv "$dir" "$T/other/log" && mv "$T/mine" "$dir"
verify --sealed --log "$T/other/log"
is "another log is whole in itself" "$rc" 0
verify --pub "$origin" --log "$T/other/log"
is "but not the one the key began" "$rc" 1
verify --anchor "$early" --log "$T/other/log"
check "nor the one that was anchored" test "$rc" -ne 0

# --- usage ---

for args in "" "nonsense" "verify --nonsense" "verify --pub 12" \
    "verify --pub" "verify --anchor 5" "verify --anchor 5:ab" \
    "verify --from-checkpoint /none/such" "query --since never" \
    "query --event Nonsense" "query --seq 0" "query --limit x" \
    "query --result maybe" "follow file" "stats --event Lock" \
    "follow -n -1" "verify -f /none/such" "checkpoint -f /dev/null"; do
	run audit $args
	is "usage: igra-audit $args" "$rc${out:+ out}" 2
done
seq -f "%.0f:$(printf '%064d' 1)" 100001 >"$T/anchors"
run audit verify --anchor "$T/anchors" --log "$log"
is "more anchors than there can be" "$rc" 2
has "are told apart from what is none" "$err" \
    "anchors:100001: more than 100000 anchors"
mkdir "$T/nothing"
for command in verify query stats "stats --json" checkpoint; do
	# shellcheck disable=SC2086
	run audit $command --log "$T/nothing"
	is "$command: no log" "$rc" 3
done
for command in verify query stats checkpoint; do
	run audit $command --log "$T/none/such"
	is "$command: no such log" "$rc" 3
	has "is said" "$err$out" "No such file"
done

# --- query ---

q()
{
	audit query --log "$log" "$@"
}
jqs()
{
	all | jq -c "select($1)"
}
is "query prints every line as it is" "$(q | cksum)" "$(all | cksum)"
is "by event" "$(q --event signing | jq -c .)" \
    "$(jqs '.event_type == "Signing"')"
is "by two events" "$(q --event Lock --event LogRotated | jq -c .)" \
    "$(jqs '.event_type == "LogRotated"')"
key=$(all | jq -r '.key_ref // empty' | head -n 1)
is "by key" "$(q --key "$key" | jq -c .seq)" \
    "$(jqs ".key_ref == \"$key\" or .secret_name == \"$key\"" | jq .seq)"
is "by part of a key: nothing" "$(q --key "${key%?}")" ""
is "by result" "$(q --result failure | wc -l)" \
    "$(jqs '.result == "Failure"' | wc -l)"
id=$(jqs '.event_type == "Signing"' | sed -n 5p | jq -r .request_id)
is "by request id" "$(q --request-id "$id" | jq -c .)" \
    "$(jqs ".request_id == \"$id\"")"
tx=$(jqs '.event_type == "Signing"' | head -n 1 | jq -r '.tx_id // empty')
if [ -n "$tx" ]; then
	is "by transaction" "$(q --tx "$tx" | wc -l)" \
	    "$(jqs ".tx_id == \"$tx\"" | wc -l)"
fi
is "by seq" "$(q --seq 5-7 | jq .seq | paste -sd ' ')" "5 6 7"
from=$(all | sed -n 100p | jq -r .timestamp)
to=$(all | sed -n 200p | jq -r .timestamp)
is "by time" "$(q --since "$from" --until "$to" | jq .seq | sed -n '1p;$p' |
    paste -sd ' ')" "100 199"
is "of the last hour" "$(q --since 1h | wc -l)" "$n"
is "--limit" "$(q --limit 3 | wc -l)" 3
is "a table" "$(q --table --seq 1 | awk '{ print $1, $4, $6, (NF > 6) }' |
    paste -sd ' ')" "TIME EVENT KEY 1 $(q --seq 1 |
    jq -r '.timestamp[:10]') ServiceStarted - 1"

# --- stats ---

run audit stats --json --log "$log"
is "stats: requests and signatures" "$(jq -s '[(map(.requests) | add),
    (map(.signatures) | add), (map(.outflow_sompi) | add)]' -c <<<"$out")" \
    "$(jqs '.event_type == "Signing"' | jq -s \
    '[length, (map(.inputs) | add), (map(.outflow_sompi) | add)]' -c)"
is "the longest" "$(jq -s 'map(.max_ms // 0) | max' <<<"$out")" \
    "$(jqs '.event_type == "Signing"' | jq -s 'map(.duration_ms) | max')"
run audit stats --log "$log"
has "as a table" "$out" "OUTFLOW (KAS)"
has_not "without bars where it is no terminal" "$out" "#"
run "$PYTHON" "$e2e/terminal.py" "$bin/igra-audit" stats --log "$log"
has "with bars where it is one" "$out" "  ######"

# What was signed and what was refused, by key and hour.
stat_line()
{
	printf '{"seq":1,"prev":"%064d","timestamp":"2026-11-24T%s:26:41.123456789Z","event_type":"%s","source":"keyd","request_id":"r","result":"%s","key_ref":"%s"%s}\n' \
	    0 "$@"
}
{
	for ms in 1 2 3 4 5 6 7 8 9 100; do
		stat_line 08 Signing Success a ",\"inputs\":2,\"outflow_sompi\":1000,\"duration_ms\":$ms.000"
	done
	stat_line 08 PolicyDenied Failure a ',"check":"max_fee_sompi"'
	stat_line 08 Signing Failure a ',"error":"x"'
	stat_line 08 RequestRejected Failure b ',"error":"x","suppressed":40'
	stat_line 09 Signing Success a ',"inputs":1,"outflow_sompi":5,"duration_ms":7.000'
} >"$T/lines"
run audit stats --json "$T/lines"
is "stats: per key and hour" "$(jq -c '[.hour, .key_ref, .requests, .signatures,
    .outflow_sompi, .refusals]' <<<"$out" | paste -sd ' ')" \
    '["2026-11-24T08","a",10,20,10000,2] ["2026-11-24T09","a",1,1,5,0] '\
'["2026-11-24T08","b",0,0,0,41]'
is "and how long it took, within 2 %" "$(head -n 1 <<<"$out" |
    jq -c '[.p50_ms / 5, .p90_ms / 9, .p99_ms / 100, .max_ms / 100] |
    map(. >= 1 and . < 1.02)')" "[true,true,true,true]"

# --- how far it is ---

# Nothing for what is quick, or where it is no terminal.
run "$PYTHON" "$e2e/terminal.py" "$bin/igra-audit" verify --log "$log"
has_not "no progress for what takes no time" "$out" "MiB/s"
all >"$T/piece"
cat "$T/piece" "$T/piece" "$T/piece" "$T/piece" >"$T/pieces"
cat >"$T/slow" <<END
(cat "$T/piece"; sleep 1.1) | "$bin/igra-audit" verify -q - "$T/pieces"
END
run "$PYTHON" "$e2e/terminal.py" bash "$T/slow"
has "progress on a terminal for what takes a while" "$out" " % of "
has "with the speed" "$out" " MiB/s"
cat >"$T/slower" <<END
(cat "$T/piece"; sleep 1.1; cat "$T/pieces") | "$bin/igra-audit" verify -q -
END
run "$PYTHON" "$e2e/terminal.py" bash "$T/slower"
has "of a pipe it says how much, not of how much" "$out" "MiB, "
run bash "$T/slower"
has_not "none where it is no terminal" "$err$out" "MiB/s"

# --- a hostile log ---

rm -rf "$T/evil" && mkdir "$T/evil"
evil=$T/evil/key-audit.log
esc=$(printf '\033[2J\033]0;x\007')
zeros=$(printf '%064d' 0)
line()
{
	printf '{"seq":%s,"prev":"%s","timestamp":"2026-11-24T08:26:41.123456789Z","event_type":"Signing","source":"keyd","request_id":"%s","result":"Success"%s}\n' \
	    "$1" "$zeros" "$2" "${3-}"
}
# Right to left, zero width, C1, and escapes that JSON spells out.
{
	line 1 $'a\u202eb\u200bc\u009b2J' ',"key_ref":"\u001b[31mred\u0007"'
	line 2 "raw $esc"
	line 3 $'\xff\xfe bytes'
	line 4 dup ',"source":"x"'
	printf 'garbage\n\n'
	printf '{"seq":1,"prev":"\000"}\n'
	printf '{"seq":18446744073709551616,"prev":"x"}\n'
} >"$evil"
verify --log "$evil"
is "hostile lines are tampering" "$rc" 1
for how in "--table" "--json"; do
	run "$PYTHON" "$e2e/terminal.py" "$bin/igra-audit" query $how --log "$evil"
	is "query $how on a terminal shows ASCII only" \
	    "$(LC_ALL=C tr -d '\n\r\040-\176' <<<"$out" | wc -c)" 0
	has "and the record" "${out,,}" 'a\u202eb'
	is "and says that some are none" "$rc" 1
done
run audit query --json --log "$evil"
is "where it is none the line is as it was" "$out" "$(head -n 1 "$evil")"
run "$PYTHON" "$e2e/terminal.py" "$bin/igra-audit" stats --log "$evil"
is "stats on a terminal shows ASCII only" \
    "$(LC_ALL=C tr -d '\n\r\040-\176' <<<"$out" | wc -c)" 0

# A text does not pass for more of the table.
line 5 quotes ',"reason":"a\" error=\"none"' >"$T/quotes"
run audit query --table "$T/quotes"
has "quotes in a text stay in it" "$out" 'reason="a\" error=\"none"'
line 5 quotes ',"reason":"a\"b"' >"$T/quotes"
run audit query --table "$T/quotes"
has "without a space as well" "$out" 'reason="a\"b"'

# A line without an end: memory stays what it is.
truncate -s 300M "$evil"
limited()
{
	run bash -c 'ulimit -v 200000; exec "$@"' - "$bin/igra-audit" "$@"
}
limited
if [ "$rc" -eq 2 ]; then
	limited verify --log "$evil"
	is "300 MiB without a newline" "$rc$(grep -c memory <<<"$err")" 10
else
	skip "300 MiB without a newline" "this build needs more itself"
fi

rm "$evil"
ln -s /etc/passwd "$evil"
verify --log "$T/evil"
is "a symbolic link is not followed" "$rc" 3
has "that is said" "$out" "symbolic link"
run audit query --log "$T/evil"
is "query neither" "$rc$out" 3
rm "$evil"
mkfifo "$evil"
run timeout 10 "$bin/igra-audit" verify --log "$T/evil"
is "a FIFO is not waited for" "$rc" 3
rm "$evil"
mkdir "$evil"
verify --log "$T/evil"
is "a directory in the log's place" "$rc" 3
rmdir "$evil"
: >"$evil"
verify --log "$T/evil"
is "an empty log" "$rc" 3
(cd "$T/evil" && seq -f 'key-audit.20261124T082641Z.%012g.log' 20000 | xargs touch)
verify --log "$T/evil"
is "20,000 empty files" "$rc" 1
has "the first is named" "$out" "000000000001.log"
rm -rf "$T/evil"

# --- a large log ---

if grep -q __asan_init "$bin/igra-audit"; then
	skip "memory does not grow with the log" "the sanitizers keep what is freed"
	t_done
fi
rm -rf "$dir"
CONF_AUDIT='checkpoint_interval = 3600' mk_conf
start auditd || exit 1
keyd -n 300 -w 64 "$auditd_sock" append >/dev/null
cp "$log" "$T/small"
keyd -k 1000 -n 30000 -w 256 "$auditd_sock" append >/dev/null
stop auditd
cat >"$T/peak.py" <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=False, stdout=subprocess.DEVNULL,
               stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY
for command in verify query "query --event Lock" "stats --json"; do
	small=$("$PYTHON" "$T/peak.py" "$bin/igra-audit" $command "$T/small")
	large=$("$PYTHON" "$T/peak.py" "$bin/igra-audit" $command "$log")
	if [ "$large" -le $((small + 512)) ]; then
		ok "$command: $large KiB for $(($(stat -c %s "$log") >> 20)) MiB"
	else
		not_ok "$command: memory grows with the log" \
		    "$small KiB, $large KiB"
	fi
done
is "it verifies" "$(audit verify --sealed "$log" 2>/dev/null | head -n 1)" \
    "result: no fault"
t_done
