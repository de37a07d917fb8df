#!/bin/bash
# Somebody deletes, moves, replaces, writes to, and rotates the log at random
# while records come in; then it is reopened, or igra-auditd killed or
# restarted.  Nothing that was acknowledged is lost, no number is given twice,
# and the files are one chain with one series of checkpoints.  40 rounds, with
# LONG=1 400; SEED repeats a run.
# Once: it is slow, and the sanitizers have other scripts to look at igra-auditd.
. "${0%/*}/../e2e/lib.sh"
t_init

rounds=40
[ -z "${LONG-}" ] || rounds=400
seed=${SEED:-$(($(date +%s) % 32768))}
RANDOM=$seed
echo "# SEED=$seed"
CONF_AUDIT='checkpoint_interval = 1
rotate_size = 65536
reserve_bytes = 1048576'
mk_conf
cp "$tests/audit-client" "$T/client" && chmod 755 "$T/client"

writable()
{
	[ "$(ctl status -j | jq -r .auditd.writable)" = true ]
}

# It has been seen, or what was done is no such thing.
seen()
{
	! writable
}

back=false
touch_log()
{
	back=false
	case $1 in
	delete)		rm "$log" ;;
	replace)	cp -p "$log" "$T/copy" && mv "$T/copy" "$log" ;;
	fresh)		rm "$log" && printf '{"seq":1,"prev":"' >"$log"
			[ "$(id -u)" -ne 0 ] || chown $auditd_uid "$log" ;;
	write)		printf x >>"$log" ;;
	rotate)		ctl audit rotate >/dev/null 2>&1 ;;
	move)		mv "$log" "$T/away"; back=true ;;
	moment)		mv "$log" "$T/away"; mv "$T/away" "$log" ;;
	link)		rm "$log" && ln -s /etc/passwd "$log" ;;
	mode)		chmod 666 "$log" ;;
	esac
}

ways=(delete replace fresh write rotate move moment link mode)
ends=(reopen soon kill restart)
start auditd || exit 1
k=1 lost=0 unopened=0
for i in $(seq $rounds); do
	n=$((RANDOM % 100 + 1))
	keyd -k $k -n $n -w 16 "$auditd_sock" append >>"$T/acks" 2>/dev/null
	k=$((k + n))
	way=${ways[RANDOM % 9]} end=${ends[RANDOM % 4]}
	touch_log $way
	# What is only in the open file is not saved before it is seen.
	case $way.$end in
	rotate.*|moment.*|mode.*) ;;
	link.*|move.*|*.kill|*.restart) wait_for 20 seen ;;
	esac
	[ $way != link ] || rm "$log"
	! $back || mv "$T/away" "$log"
	case $end in
	reopen)	sleep 0.2; ctl audit reopen >/dev/null 2>&1 ;;
	soon)	ctl audit reopen >/dev/null 2>&1 ;;
	kill)	stop auditd KILL; start auditd || break ;;
	restart) stop auditd; start auditd || break ;;
	esac
	last=$(sed -n 's/^ack \([0-9]*\) .*/\1/p' "$T/acks" | tail -n 1)
	got=$(keyd "$auditd_sock" hello | cut -d' ' -f2)
	if [ "$got" -lt "$last" ]; then
		lost=$((lost + 1))
		echo "round $i: $way, $end: knows $got, acknowledged $last" >&2
	fi
	if ! writable && ! { ctl audit reopen >/dev/null 2>"$T/reopen" &&
	    writable; }; then
		unopened=$((unopened + 1))
		echo "round $i: $way, $end: $(cat "$T/reopen")" >&2
	fi
done
is "$rounds times: igra-auditd is there" $i $rounds
is "and knows what it has acknowledged" $lost 0
is "and writes again" $unopened 0
stop auditd
sed -n 's/^ack //p' "$T/acks" >"$T/heads"
is "each of $(wc -l <"$T/heads") records acknowledged is there, in one series" \
    "$("$PYTHON" "$e2e/verify_chain.py" -1 "$log" "$T/heads" >"$T/out" 2>&1 &&
    echo yes || cat "$T/out")" yes
run "$bin/igra-audit" verify --sealed --log "$log"
is "and igra-audit finds no fault" "$rc" 0
t_done
