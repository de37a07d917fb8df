# What the end-to-end tests share.  A script begins with
#
#	. "${0%/*}/lib.sh"
#	t_init
#
# and ends with t_done.  It prints "ok - what", "not ok - what" and
# "skip - what (why)" lines, and exits 1 when anything was not ok.
#
# Started as root, the daemons run as three numeric users that need not exist;
# started as anybody else, all run as that user.  Everything is in one
# temporary directory, $T, with paths short enough for sockets.  Daemons are
# stopped by their process ids, never by name.

LC_ALL=C
export LC_ALL
umask 022

# Wherever below the top the script is.
case $0 in */*) top=${0%/*} ;; *) top=. ;; esac
top=$(cd "$top" && pwd)
while [ -n "$top" ] && [ ! -f "$top/tests/e2e/lib.sh" ]; do
	top=${top%/*}
done
top=${TOP:-$top}
e2e=$top/tests/e2e
build=${BUILD:-build}
case $build in /*) ;; *) build=$top/$build ;; esac
bin=$build/bin
tests=$build/tests
vectors=$top/tests/vectors
# The system's, if there is one: every user can run it.
if [ -z "${PYTHON-}" ]; then
	PYTHON=/usr/bin/python3
	[ -x "$PYTHON" ] || PYTHON=python3
fi

keyd_uid=64001
signd_uid=64002
auditd_uid=64003
other_uid=64004			# nobody's: for peers that are to be refused
if [ "$(id -u)" -ne 0 ]; then
	keyd_uid=$(id -u)
	signd_uid=$keyd_uid
	auditd_uid=$keyd_uid
fi

# LeakSanitizer, where it is built in, needs /proc and its own user back at the
# end: a daemon that root started has neither.
daemon_asan=${ASAN_OPTIONS-}
if [ "$(id -u)" -eq 0 ]; then
	daemon_asan=${daemon_asan:+$daemon_asan:}detect_leaks=0
fi

PASS='correct horse battery staple'

n_ok=0 n_bad=0 n_skip=0

ok()
{
	n_ok=$((n_ok + 1))
	echo "ok - $*"
}

# not_ok WHAT [DETAIL]: the detail goes to stderr.
not_ok()
{
	n_bad=$((n_bad + 1))
	echo "not ok - $1"
	[ -z "${2-}" ] || printf '%s\n' "$2" | sed 's/^/    /' >&2
}

skip()
{
	n_skip=$((n_skip + 1))
	echo "skip - $1 ($2)"
}

# is WHAT GOT WANT
is()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got:  $2
want: $3"
	fi
}

# has WHAT TEXT PART: the part occurs in the text.
has()
{
	case $2 in
	*"$3"*)	ok "$1" ;;
	*)	not_ok "$1" "no \"$3\" in: $2" ;;
	esac
}

# has_not WHAT TEXT PART
has_not()
{
	case $2 in
	*"$3"*)	not_ok "$1" "\"$3\" is in: $2" ;;
	*)	ok "$1" ;;
	esac
}

# check WHAT COMMAND…: it succeeds.
check()
{
	_what=$1
	shift
	if _out=$("$@" 2>&1); then
		ok "$_what"
	else
		not_ok "$_what" "$* : exit $?: $_out"
	fi
}

# run COMMAND…: sets $out, $err and $rc.
run()
{
	rc=0
	"$@" >"$T/run.out" 2>"$T/run.err" </dev/null || rc=$?
	out=$(cat "$T/run.out")
	err=$(cat "$T/run.err")
}

# as_uid UID COMMAND…: runs it as another user (root only).
as_uid()
{
	_uid=$1
	shift
	setpriv --reuid "$_uid" --regid "$_uid" --clear-groups "$@"
}

# keyd ARGUMENT…: tests/audit-client, copied to $T/client, as igra-keyd's user.
keyd()
{
	if [ "$(id -u)" -eq 0 ]; then
		as_uid $keyd_uid "$T/client" -U $auditd_uid "$@"
	else
		"$T/client" -U $auditd_uid "$@"
	fi
}

t_init()
{
	for _need in jq curl; do
		command -v "$_need" >/dev/null && continue
		echo "skip - all (no $_need: make deps)"
		exit 0
	done
	T=$(mktemp -d "${TMPDIR:-/tmp}/ig.XXXXXX") || exit 1
	# The daemons' users must get to their sockets.
	chmod 0755 "$T"
	mkdir "$T/run"
	printf '%s\n' "$PASS" >"$T/pass"
	chmod 0600 "$T/pass"
	pid_auditd='' pid_keyd='' pid_signd='' pids=''
	trap t_cleanup EXIT
	trap 'exit 1' HUP INT TERM
}

t_cleanup()
{
	_rc=$?
	trap - EXIT
	for _d in signd keyd auditd; do
		stop $_d KILL 2>/dev/null
	done
	# igra-service stops its daemons, if it is let.
	for _p in $pids; do
		kill -TERM "$_p" 2>/dev/null
	done
	for _p in $pids; do
		wait_for 12 is_gone "$_p" || kill -KILL "$_p" 2>/dev/null
		wait "$_p" 2>/dev/null
	done
	if [ -n "${KEEP-}" ]; then
		echo "kept: $T" >&2
	else
		rm -rf "$T"
	fi
	exit $_rc
}

# Prints the count and exits.
t_done()
{
	echo "# ${0##*/}: $n_ok ok, $n_bad not ok, $n_skip skipped"
	[ "$n_bad" -eq 0 ] || exit 1
	exit 0
}

# These are stopped at the end, if they are still there.
also_kill()
{
	pids="$pids $*"
}

# wait_for SECONDS COMMAND…: until it succeeds; 1 when it never does.
wait_for()
{
	_left=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		_left=$((_left - 1))
		[ $_left -gt 0 ] || return 1
		sleep 0.05
	done
}

is_gone()
{
	! kill -0 "$1" 2>/dev/null
}

# A socket that somebody listens on.  ss is not everywhere; Linux says it in
# /proc/net/unix (flag 00010000), elsewhere the file must do.
listening()
{
	[ -S "$1" ] || return 1
	[ -r /proc/net/unix ] || return 0
	awk -v path="$1" '$4 == "00010000" && $8 == path { found = 1 }
	    END { exit !found }' /proc/net/unix
}

# wait_for_socket PATH [SECONDS]
wait_for_socket()
{
	wait_for "${2:-30}" listening "$1"
}

# variant DIR VARIABLE=VALUE… PROGRAM…: these programs in another build, from the
# objects of $build but where the variable makes a difference; all anew, should
# these be older than the sources.  Several scripts may want the same.
variant()
{
	_dir=$1 _args='' _san=''
	shift
	for _w in "$@"; do
		case $_w in
		SAN=*)	_san=$_w ;;
		*=*)	_args="$_args $_w" ;;
		*)	_args="$_args $_dir/bin/$_w" ;;
		esac
	done
	mkdir -p "$_dir"
	(
		unset MAKEFLAGS MFLAGS MAKELEVEL
		exec 9>"$_dir/lock"
		! command -v flock >/dev/null || flock 9
		# shellcheck disable=SC2086
		if make -q -C "$top" BUILD="$build" $_san programs; then
			_args="$_args BASE=$build"
		else
			rm -rf "$_dir/obj"
		fi
		# shellcheck disable=SC2086
		make -s -C "$top" BUILD="$_dir" $_san \
		    -j"$(getconf _NPROCESSORS_ONLN)" $_args 9>&-
	)
}

# --- config, keys ---

# mk_conf: writes $T/igra.toml.  Set before: NETWORK (devnet), PROFILE
# (signer-01), KEY_TYPE (raw_private_key), DATA_DIR ($T; mainnet wants it 0700,
# and so the sockets elsewhere), and lines to add to a table in CONF_SERVICE
# CONF_HD CONF_PSKT CONF_SECURITY CONF_AUDIT CONF_POLICY CONF_RPC and, for other
# tables, CONF_MORE.
mk_conf()
{
	conf=$T/igra.toml
	keyd_sock=$T/run/igra-keyd/keyd.sock
	keyd_admin=$T/run/igra-keyd/admin.sock
	auditd_sock=$T/run/igra-auditd/auditd.sock
	auditd_admin=$T/run/igra-auditd/admin.sock
	signd_sock=$T/run/igra-signd/signd.sock
	log=$T/log/key-audit.log
	secrets=${DATA_DIR:-$T}/secrets.bin
	cat >"$conf" <<-END
	[service]
	network = "${NETWORK:-devnet}"
	active_profile = "${PROFILE:-signer-01}"
	data_dir = "${DATA_DIR:-$T}"
	secrets_file = "$secrets"
	key_audit_log_path = "$log"
	${CONF_SERVICE-}

	[service.hd]
	key_type = "${KEY_TYPE:-raw_private_key}"
	${CONF_HD-}

	[service.pskt]
	${CONF_PSKT-}

	[security]
	${CONF_SECURITY-}

	[audit]
	${CONF_AUDIT-}

	[policy]
	${CONF_POLICY-}

	[rpc]
	${CONF_RPC-}

	[keyd]
	user = "$keyd_uid"
	socket = "$keyd_sock"
	admin_socket = "$keyd_admin"
	state_dir = "$T/keyd"

	[signd]
	user = "$signd_uid"
	socket = "$signd_sock"

	[auditd]
	user = "$auditd_uid"
	socket = "$auditd_sock"
	admin_socket = "$auditd_admin"

	${CONF_MORE-}
	END
	chmod 0600 "$conf"
}

# secrets_admin ARGUMENT…: on the test's file, with its passphrase.
secrets_admin()
{
	"$bin/secrets-admin" --network "${NETWORK:-devnet}" --path "$secrets" \
	    --passphrase-file "$T/pass" "$@"
}

# mk_secrets [PROFILE=HEX…]: makes $T/secrets.bin with private keys, at a cost
# of Argon2 that lets tests be quick.
mk_secrets()
{
	rm -f "$secrets"
	secrets_admin init --argon2 8192,1,1 >"$T/secrets.out" 2>&1 || {
		cat "$T/secrets.out" >&2
		return 1
	}
	for _k in "$@"; do
		set_key "${_k%%=*}" "${_k#*=}" || return 1
	done
}

# set_key PROFILE HEX
set_key()
{
	printf '%s\n' "$2" | secrets_admin set --hex \
	    "igra.signer.private_key_$1" >"$T/secrets.out" 2>&1 || {
		cat "$T/secrets.out" >&2
		return 1
	}
}

# --- daemons ---

daemon_socket()
{
	case $1 in
	auditd)	echo "$auditd_sock" ;;
	keyd)	echo "$keyd_sock" ;;
	signd)	echo "$signd_sock" ;;
	esac
}

daemon_pid()
{
	eval "echo \"\$pid_$1\""
}

# start auditd|keyd|signd [OPTION…]: its stderr is appended to $T/NAME.err.
start()
{
	_d=$1
	shift
	ASAN_OPTIONS=$daemon_asan "$bin/igra-$_d" -f "$conf" "$@" \
	    </dev/null >>"$T/$_d.err" 2>&1 &
	eval "pid_$_d=\$!"
	if ! wait_for 30 up_or_gone "$_d" || is_gone "$(daemon_pid $_d)"; then
		echo "igra-$_d did not start:" >&2
		tail -5 "$T/$_d.err" >&2
		return 1
	fi
}

up_or_gone()
{
	listening "$(daemon_socket $1)" || is_gone "$(daemon_pid $1)"
}

# stop auditd|keyd|signd [SIGNAL]: waits for it; $stopped is its exit status.
stop()
{
	_pid=$(daemon_pid "$1")
	stopped=''
	[ -n "$_pid" ] || return 0
	kill -"${2:-TERM}" "$_pid" 2>/dev/null
	kill -CONT "$_pid" 2>/dev/null
	stopped=0
	wait "$_pid" 2>/dev/null || stopped=$?
	eval "pid_$1=''"
}

start_all()
{
	start auditd && start keyd && start signd
}

stop_all()
{
	stop signd
	stop keyd
	stop auditd
}

# ctl ARGUMENT…: igractl with the test's config.
ctl()
{
	"$bin/igractl" -f "$conf" "$@"
}

# igra-auditd listens before it serves, and without it nothing is unlocked.
has_log()
{
	[ "$(ctl status -j | jq .keyd.audit_ok)" = true ]
}

unlock()
{
	wait_for 30 has_log
	ctl unlock --passphrase-file "$T/pass" >"$T/unlock.out" 2>&1 || {
		_rc=$?
		cat "$T/unlock.out" >&2
		return $_rc
	}
	# signd learns of the key over its own connection.
	wait_for 30 is_ready
}

is_ready()
{
	[ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 \
	    --unix-socket "$signd_sock" http://localhost/readyz)" = 200 ]
}

# --- requests ---

# rpc METHOD [PARAMS]: prints the answer.  PARAMS is JSON text, or @FILE.
rpc()
{
	case ${2-} in
	@*)	_params=${2#@} ;;
	*)	_params=$T/params.json
		printf '%s\n' "${2-{\}}" >"$_params" ;;
	esac
	jq -c --arg method "$1" \
	    '{jsonrpc: "2.0", id: 1, method: $method, params: .}' \
	    "$_params" | curl -s --max-time 20 --unix-socket "$signd_sock" \
	    -H 'Content-Type: application/json' --data-binary @- \
	    http://localhost/rpc
}

# http PATH: prints the body of a GET.
http()
{
	curl -s --max-time 10 --unix-socket "$signd_sock" "http://localhost$1"
}

# rpc_code: the data.code word of the answer on stdin, "" when it is a result.
rpc_code()
{
	jq -r '.error.data.code // (.error.code | tostring? // "") |
	    if . == "null" then "" else . end'
}

# Case NAME of pskt.json, or of pskt_edge.json.
vector()
{
	jq -c --arg name "$1" '.[] | select(.name == $name)' \
	    "$vectors/pskt.json" "$vectors/pskt_edge.json"
}

# sign_params: from a vector on stdin, the params of pskt.sign.
sign_params()
{
	jq -c '{pskt: (.pskt // .request)}'
}
