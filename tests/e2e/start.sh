#!/bin/bash
# Starting: what a daemon refuses to start with, what it becomes, and whom
# its sockets turn away.
. "${0%/*}/lib.sh"
t_init
mk_conf

# refuses WHAT DAEMON WORDS [OPTION…]: exit 1 (or $want_rc) and the words.
refuses()
{
	local what=$1 daemon=$2 words=$3
	shift 3
	run timeout 30 "$bin/igra-$daemon" "$@"
	is "$what: exit ${want_rc:-1}" "$rc" "${want_rc:-1}"
	has "$what: says so" "$err" "$words"
}

# --- options and config ---
for d in keyd signd auditd; do
	want_rc=2 refuses "$d: unknown option" $d "usage:" -x
	run "$bin/igra-$d" -h
	is "$d -h: exit 0" "$rc" 0
	run "$bin/igra-$d" -n -f "$conf"
	is "$d -n: exit 0" "$rc" 0
	is "$d -n: quiet" "$out" ""
	refuses "$d: no config" $d "No such file" -f "$T/none.toml"
done
run "$bin/igra-keyd" -nv -f "$conf"
has "-nv prints the config" "$out" "active_profile"
cp "$conf" "$T/bad.toml"
echo 'colour = "red"' >>"$T/bad.toml"
refuses "unknown key" keyd "bad.toml:$(wc -l <"$T/bad.toml"):" -f "$T/bad.toml"
refuses "--network disagrees" keyd "make them agree" -f "$conf" \
    --network testnet
sed 's/^network = .*//' "$conf" >"$T/nonet.toml"
refuses "mainnet must be written down" keyd 'network = "mainnet"' \
    -f "$T/nonet.toml"
long=$T/run/$(printf 'x%.0s' $(seq 120))/keyd.sock
sed "s|^socket = .*keyd.sock.*|socket = \"$long\"|" "$conf" >"$T/long.toml"
refuses "socket path too long" keyd "too long" -f "$T/long.toml"

# --- mainnet asks for more ---
if [ "$(id -u)" -eq 0 ]; then
	sed -e 's/^network = .*/network = "mainnet"/' \
	    -e "s/\"$keyd_uid\"/\"$signd_uid\"/" "$conf" >"$T/main.toml"
	refuses "mainnet: roles not separated" keyd "roles are not separated" \
	    -f "$T/main.toml"
	sed -e 's/^network = .*/network = "mainnet"/' \
	    -e "s/\"$keyd_uid\"/\"0\"/" "$conf" >"$T/main.toml"
	refuses "mainnet: would run as root" keyd "would run as root" \
	    -f "$T/main.toml"
	sed "s/\"$keyd_uid\"/\"no_such_user_here\"/" "$conf" >"$T/nouser.toml"
	refuses "unknown user" keyd "no user no_such_user_here" \
	    -f "$T/nouser.toml"
else
	skip "mainnet: separated roles, no root" "needs root"
fi

# --- sockets ---
mkdir -p "$T/run/igra-keyd"
[ "$(id -u)" -ne 0 ] || chown $keyd_uid:$keyd_uid "$T/run/igra-keyd"
echo "not a socket" >"$keyd_sock"
refuses "something else at the socket's path" keyd "not a socket" -f "$conf"
is "it is left alone" "$(cat "$keyd_sock")" "not a socket"
rm -f "$keyd_sock"
chmod 0777 "$T/run/igra-keyd"
refuses "socket directory writable by others" keyd "writable by others" \
    -f "$conf"
chmod 0755 "$T/run/igra-keyd"

# With descriptors that whoever starts them has left open.
exec 7<"$T/pass" 8>>"$T/inherited"
start_all || { not_ok "daemons start"; t_done; }
exec 7<&- 8>&-
if [ -d /proc/self/fd ]; then
	sleep 60 7<"$T/pass" &
	also_kill $!
	has "a descriptor that is inherited can be seen" \
	    "$(ls -l "/proc/$!/fd")" "$T/pass"
	for d in keyd signd auditd; do
		is "$d: has closed what it inherited" "$(ls -l \
		    "/proc/$(daemon_pid $d)/fd" | grep -cE "$T/(pass|inherited)")" 0
	done
else
	skip "inherited descriptors" "no /proc"
fi
for d in keyd signd auditd; do
	refuses "$d: a second instance" $d "another igra-$d" -f "$conf"
	check "$d: the first lives on" kill -0 "$(daemon_pid $d)"
done
stop keyd KILL
check "a killed daemon leaves its socket" test -S "$keyd_sock"
start keyd && ok "a stale socket is no obstacle" ||
    not_ok "a stale socket is no obstacle"

# --- what they are ---
for d in keyd signd auditd; do
	pid=$(daemon_pid $d)
	status=/proc/$pid/status
	if [ ! -r "$status" ]; then
		skip "$d: user, privileges, dumpable" "no /proc"
		continue
	fi
	uid=${d}_uid
	# It listens before it confines itself.
	wait_for 20 grep -q '^NoNewPrivs:.*1' "$status"
	is "$d: runs as its user" "$(awk '/^Uid:/ { print $2, $3, $4 }' \
	    "$status")" "${!uid} ${!uid} ${!uid}"
	is "$d: no new privileges" "$(awk '/^NoNewPrivs:/ { print $2 }' \
	    "$status")" 1
	if [ "$(id -u)" -eq 0 ]; then
		is "$d: only its own group" "$(awk '/^Groups:/ { print $2 $3 }' \
		    "$status")" "${!uid}"
		is "$d: no capabilities" "$(awk '/^CapEff:/ { print $2 }' \
		    "$status")" 0000000000000000
		case $(readlink "/proc/$pid/root") in
		/)	not_ok "$d: in a chroot" ;;
		*)	ok "$d: in a chroot" ;;
		esac
		if [ -n "${ASAN_OPTIONS-}" ] && [[ $build == *asan* ]]; then
			skip "$d: undumpable" "the sanitizers trace themselves"
		else
			# An undumpable process's files belong to root.
			is "$d: undumpable" "$(stat -c %u "/proc/$pid/environ")" 0
			if as_uid "${!uid}" cat "/proc/$pid/environ" \
			    >/dev/null 2>&1; then
				not_ok "$d: its own user cannot read it"
			else
				ok "$d: its own user cannot read it"
			fi
		fi
	fi
	is "$d: no core files" "$(awk '/^Max core file size/ { print $5, $6 }' \
	    "/proc/$pid/limits")" "0 0"
done
is "keyd.sock is for everybody to try" "$(stat -c %a "$keyd_sock")" 666
is "the log is its owner's alone" "$(stat -c '%a %u' "$log")" \
    "600 $auditd_uid"
is "so is its directory" "$(stat -c %a "$T/log")" 700

# --- whom they turn away ---
# turned_away SOCKET [TYPE…]: 0 when the connection is closed without an answer
# to messages of these types.
turned_away()
{
	"$PYTHON" - "$@" <<'PY'
import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1])
try:
    # INFO_REQ, KEYD_STATUS_REQ, AUDIT_HELLO, AUDITD_STATUS_REQ: something
    # that each socket answers to the right peer
    for t in map(int, sys.argv[2:] or (3, 12, 17, 21)):
        s.sendall(struct.pack("<IHHIQ", 0x31524749, t, 0, 0, t))
    got = s.recv(1)
except (BrokenPipeError, ConnectionResetError):
    got = b""
sys.exit(1 if got else 0)
PY
}
if [ "$(id -u)" -eq 0 ]; then
	for s in "$keyd_sock" "$keyd_admin" "$auditd_sock" "$auditd_admin"; do
		export -f turned_away
		export PYTHON
		if as_uid $other_uid bash -c 'turned_away "$0"' "$s"; then
			ok "${s##*/run/}: another uid is turned away"
		else
			not_ok "${s##*/run/}: another uid is turned away"
		fi
	done
	# The right user on the wrong socket is as wrong.
	if as_uid $signd_uid bash -c 'turned_away "$0"' "$auditd_sock"; then
		ok "auditd.sock: signd is turned away"
	else
		not_ok "auditd.sock: signd is turned away"
	fi
	if as_uid $keyd_uid bash -c 'turned_away "$0"' "$keyd_admin"; then
		ok "keyd's admin.sock: keyd's own user is turned away"
	else
		not_ok "keyd's admin.sock: keyd's own user is turned away"
	fi
	turned()
	{
		jq -r 'select(.event_type == "PeerRejected") | .peer_uid' \
		    "$log" | sort -u | paste -sd,
	}
	all_turned()
	{
		[ "$(turned)" = "$keyd_uid,$signd_uid,$other_uid" ]
	}
	check "they are in the log" wait_for 20 all_turned
	is "nothing was unlocked or locked by them" "$(jq -r 'select(
	    .event_type == "Lock" or .event_type == "Unlock")' "$log")" ""
else
	skip "another uid is turned away at each socket" "needs root"
fi
# The right peer, with a message of another socket's.
if [ "$(id -u)" -eq 0 ]; then
	check "root is nobody on keyd.sock" turned_away "$keyd_sock"
	as_uid $signd_uid bash -c '! turned_away "$0" 3' "$keyd_sock" &&
	    ok "keyd.sock answers signd's INFO_REQ" ||
	    not_ok "keyd.sock answers signd's INFO_REQ"
	as_uid $signd_uid bash -c 'turned_away "$0" 17' "$keyd_sock" &&
	    ok "keyd.sock takes no AUDIT_HELLO" ||
	    not_ok "keyd.sock takes no AUDIT_HELLO"
	as_uid $signd_uid bash -c 'turned_away "$0" 16' "$keyd_sock" &&
	    ok "keyd.sock takes no LOCK" || not_ok "keyd.sock takes no LOCK"
else
	check "keyd.sock takes no AUDIT_HELLO" turned_away "$keyd_sock" 17
	check "keyd.sock takes no LOCK" turned_away "$keyd_sock" 16
fi
check "keyd lives on" kill -0 "$(daemon_pid keyd)"
check "auditd lives on" kill -0 "$(daemon_pid auditd)"

# A listener that is not the peer's user gets nothing.
if [ "$(id -u)" -eq 0 ]; then
	stop auditd
	rm -f "$auditd_sock"
	as_uid $other_uid true
	"$PYTHON" - "$auditd_sock" $other_uid >"$T/squat.out" <<'PY' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
s.listen(5)
s.settimeout(30)
try:
    c, _ = s.accept()
    c.settimeout(1)
    print(len(c.recv(100)))
except OSError:
    print(0)
PY
	squat=$!
	also_kill $squat
	wait $squat
	is "a squatted auditd.sock gets not a byte" "$(cat "$T/squat.out")" 0
	check "keyd says so" wait_for 20 grep -q "SECURITY ALERT:" "$T/keyd.err"
else
	skip "a squatted auditd.sock gets not a byte" "needs root"
fi
t_done
