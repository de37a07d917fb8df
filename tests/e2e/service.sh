#!/bin/sh
# igra-service run: starts, unlocks, passes on signals, stops in order, and
# says which daemon died.
. "${0%/*}/lib.sh"
t_init
ASAN_OPTIONS=$daemon_asan
export ASAN_OPTIONS

key=$(vector ins2-outs1-mixed1 | jq -r .single_private_key)
mk_conf
mk_secrets "signer-01=$key" || exit 1
vector ins2-outs1-mixed1 | sign_params >"$T/params"
printf '%s\n' 'not the passphrase' >"$T/wrong"
chmod 0600 "$T/wrong"

# service OPTION…: in the background, without a terminal; output in $T/out.
service()
{
	setsid "$bin/igra-service" run -f "$conf" "$@" >"$T/out" 2>&1 \
	    </dev/null &
	service=$!
	also_kill $service
}

says()
{
	grep -q -- "$1" "$T/out"
}

# ended: $ended is its exit status; it has a minute.
ended()
{
	ended=none
	wait_for 60 is_gone $service || return 0
	ended=0
	wait $service 2>/dev/null || ended=$?
}

pid_of()
{
	sed -n "s/^igra-service: igra-$1 started, pid //p" "$T/out"
}

none_left()
{
	for _l in auditd keyd signd; do
		is_gone "$(pid_of $_l)" || return 1
	done
}

# line_of TEXT: where it stands in the output.
line_of()
{
	grep -n -- "$1" "$T/out" | head -1 | cut -d: -f1
}

# --- usage ---

run "$bin/igra-service"
is "no command is a usage error" "$rc" 2
run "$bin/igra-service" frobnicate
is "an unknown command, too" "$rc" 2
run "$bin/igra-service" run --passphrase-file x --no-unlock
is "a passphrase and --no-unlock, too" "$rc" 2
run "$bin/igra-service" run --passphrase-fd 9
is "a descriptor that is closed, too" "$rc" 2
run "$bin/igra-service" -h
is "-h is none" "$rc" 0
run "$bin/igra-service" run -f "$T/none.toml"
is "no config" "$rc" 1
printf '[service]\nactive_profile = "signer-01"\nnonsense = 1\n' >"$T/bad.toml"
run "$bin/igra-service" run -f "$T/bad.toml"
is "a config with an unknown key" "$rc" 1
has "is told where" "$err" "bad.toml:3"

# --- the way it should go ---

service -d --passphrase-file "$T/pass"
if wait_for 60 is_ready; then
	ok "starts three daemons and unlocks"
else
	not_ok "starts three daemons and unlocks" "$(cat "$T/out")"
	t_done
fi
is "auditd first, signd last" "$(sed -n \
    's/^igra-service: igra-\([a-z]*\) started, .*/\1/p' "$T/out" |
    paste -sd,)" auditd,keyd,signd
check "says that all are up" wait_for 30 says "are up"
check "shows what they say" says "igra-signd: connected"
is "signs" "$(rpc pskt.sign "@$T/params" |
    jq '.result.signatures | length > 0')" true

# descriptors WHAT: no daemon has one of the files that the shell or
# igra-service opened.
descriptors()
{
	for d in auditd keyd signd; do
		if ! ls -l "/proc/$(pid_of $d)/fd" >"$T/fds" 2>/dev/null; then
			skip "$1: igra-$d" "its descriptors cannot be seen"
			continue
		fi
		is "$1: igra-$d has no descriptor but its own" "$(grep -c \
		    -e "$T/pass" -e "$T/params" -e "$secrets" "$T/fds")" 0
		is "$1: igra-$d reads /dev/null" "$(sed -n \
		    's/.* 0 -> //p' "$T/fds")" /dev/null
	done
}

descriptors "passphrase file"
kill -HUP $service
check "SIGHUP reaches igra-keyd" wait_for 30 says "igra-keyd: SIGHUP"
check "and igra-auditd" wait_for 30 says "igra-auditd: SIGHUP"
is "and nothing ends" "$(is_ready && echo yes)" yes
kill -TERM $service
ended
is "SIGTERM: exit 0" "$ended" 0
check "no daemon is left" none_left
is "signd stops before keyd and auditd" \
    "$([ "$(line_of "igra-signd: stopped")" -lt \
    "$(line_of "igra-auditd: stopping")" ] && echo yes)" yes
# The last line is a Checkpoint; another may have come in between.
last_records()
{
	tail -n 4 "$log" | jq -r 'select(.event_type != "Checkpoint") |
	    .event_type + " " + .source' | tail -n "$1" | paste -sd, -
}
is "the log is complete" "$(last_records 2)" \
    "ServiceStopped keyd,ServiceStopped auditd"
is "with the signature in it" "$(jq -s 'map(select(.event_type == "Signing"))
    | length' "$log")" 1

# --- the passphrase goes to nobody else ---

exec 8<"$T/params" 9<"$T/pass"
service -d --passphrase-fd 9
exec 8<&- 9<&-
if wait_for 60 is_ready; then
	ok "unlocks from a descriptor"
else
	not_ok "unlocks from a descriptor" "$(cat "$T/out")"
fi
descriptors "passphrase descriptor"
kill -INT $service
ended
is "SIGINT: exit 0" "$ended" 0

IGRA_SECRETS_PASSPHRASE=$PASS IGRA_SECRET__other=hidden service -d
if wait_for 60 is_ready; then
	ok "unlocks from the environment (devnet)"
else
	not_ok "unlocks from the environment (devnet)" "$(cat "$T/out")"
fi
if cat "/proc/$service/environ" >/dev/null 2>&1; then
	for p in $service $(pid_of auditd) $(pid_of keyd) $(pid_of signd); do
		is "passphrase not in environment or arguments of $(cat \
		    "/proc/$p/comm")" "$(cat "/proc/$p/environ" \
		    "/proc/$p/cmdline" | grep -ac -- "$PASS")" 0
	done
	for p in $(pid_of auditd) $(pid_of signd); do
		is "nor other secrets in that of $(cat "/proc/$p/comm")" \
		    "$(grep -ac "hidden" "/proc/$p/environ")" 0
	done
else
	skip "environments" "cannot be seen"
fi
kill -TERM $service
ended

# --- not unlocked ---

service --no-unlock
check "--no-unlock: up" wait_for 60 says "are up"
check "and told how to unlock" wait_for 30 says "igractl -f $conf unlock"
is "and locked" "$(ctl status -j | jq .keyd.locked)" true
kill -TERM $service
ended
is "ends well" "$ended" 0

service
check "no terminal, no passphrase: stays locked and says why" \
    wait_for 60 says "locked (no terminal"
check "can be unlocked later" unlock
ctl lock >/dev/null
kill -TERM $service
ended
service --passphrase-file "$T/pass"
check "a lock outlives a restart" wait_for 60 says "locked (by an operator"
is "which is no reason to end" "$(ctl status -j | jq .keyd.lock_marker)" true
kill -TERM $service
ended
is "ends well" "$ended" 0
rm -f "$T/keyd/state"

service -d --passphrase-file "$T/wrong"
ended
is "a wrong passphrase that was asked for: exit 1" "$ended" 1
check "says so" says "wrong passphrase"
check "no daemon is left" none_left

if command -v "$PYTHON" >/dev/null; then
	run "$PYTHON" "$e2e/terminal.py" --type-on "Passphrase: " "$T/pass" \
	    --interrupt-on "igra-service: unlocked" \
	    "$bin/igra-service" run -d -f "$conf"
	is "at a terminal: asks, unlocks, ends with ^C" "$rc" 0
	has "asks" "$out" "Passphrase: "
	has_not "shows nothing typed" "$out" "$PASS"
	has "and ^C went to nobody else" "$out" "igra-auditd: stopping (SIGTERM)"
	run "$PYTHON" "$e2e/terminal.py" --interrupt-on "Passphrase: " \
	    "$bin/igra-service" run -d -f "$conf"
	is "^C at the prompt ends it, too" "$rc" 0
	has "in order" "$out" "igra-auditd: stopping (SIGTERM)"
else
	skip "at a terminal" "no $PYTHON"
fi

# --- a daemon dies ---

for d in auditd keyd signd; do
	service -d --passphrase-file "$T/pass"
	wait_for 60 is_ready || not_ok "ready again" "$(cat "$T/out")"
	kill -KILL "$(pid_of $d)"
	ended
	is "igra-$d killed: exit 1" "$ended" 1
	check "says which and why" says "igra-$d died: signal 9"
	check "no daemon is left" none_left
done
service -d --passphrase-file "$T/pass"
wait_for 60 is_ready
kill -TERM "$(pid_of keyd)"
ended
is "igra-keyd stopped by somebody else: exit 1" "$ended" 1
check "says so" says "igra-keyd died: status 0"

start auditd || exit 1
service -d
ended
is "a daemon that is there already: exit 1" "$ended" 1
check "says which" says "igra-auditd died: status 1"
check "and why" says "another igra-auditd already serves"
is "the other one lives" "$(is_gone "$pid_auditd" || echo yes)" yes
stop auditd

mkdir "$T/x"
cp "$bin/igra-service" "$bin/igra-auditd" "$T/x/"
printf '#!/bin/sh\nexit 7\n' >"$T/x/igra-keyd"
chmod +x "$T/x/igra-keyd"
run "$T/x/igra-service" run -f "$conf"
is "a daemon that does not start: exit 1" "$rc" 1
has "says with what" "$err" "igra-keyd died: status 7"
rm "$T/x/igra-auditd" "$T/x/igra-keyd"
run env PATH=/nowhere "$T/x/igra-service" run -f "$conf"
is "no daemon to execute: exit 1" "$rc" 1
has "says so" "$err" "cannot execute igra-auditd"
PATH=$bin:$PATH setsid "$T/x/igra-service" run -f "$conf" \
    --passphrase-file "$T/pass" >"$T/out" 2>&1 </dev/null &
service=$!
also_kill $service
check "found in PATH when not beside it" wait_for 60 is_ready
kill -TERM $service
ended
is "ends well" "$ended" 0

# igra-auditd listens, and is not there yet for the unlock.
cp "$bin/igra-auditd" "$bin/igra-signd" "$T/x/"
cat >"$T/x/igra-keyd" <<END
#!/bin/sh
kill -STOP \$(sed -n 's/^igra-service: igra-auditd started, pid //p' "$T/out")
exec "$bin/igra-keyd" "\$@"
END
chmod +x "$T/x/igra-keyd"
setsid "$T/x/igra-service" run -f "$conf" \
    --passphrase-file "$T/pass" >"$T/out" 2>&1 </dev/null &
service=$!
also_kill $service
check "igra-auditd is late: igra-keyd" wait_for 60 says "igra-keyd: .*locked"
sleep 3
is "is not up without it" "$(says "igra-signd started" || says "unlock failed" ||
    echo waits)" waits
kill -CONT "$(pid_of auditd)"
check "and unlocked with it" wait_for 60 is_ready
kill -TERM $service
ended
is "ends well" "$ended" 0

service -d --passphrase-file "$T/pass"
wait_for 60 is_ready
kill -STOP "$(pid_of signd)"
kill -TERM $service
ended
is "a daemon that hangs is killed after 10 s: exit 1" "$ended" 1
check "says which" says "igra-signd has not stopped within 10 s"
is "the log is complete all the same" "$(last_records 1)" \
    "ServiceStopped auditd"
t_done
