# Three complete signers of a 2-of-3 group: three times three daemons, each
# with its own keys, config, sockets and log.  Sourced after lib.sh.

# group_make [OPTION…]: keys into $T/signer-0N, devnet-keygen's JSON in
# $T/group.json, and the configs.  $redeem is the redeem script.
group_make()
{
	group=$T
	"$bin/devnet-keygen" --num-signers 3 --threshold-m 2 \
	    --format file-per-signer --output-dir "$group" \
	    --passphrase-file "$group/pass" --argon2 8192,1,1 "$@" \
	    >"$group/group.json" 2>"$group/group.err" || {
		cat "$group/group.err" >&2
		return 1
	}
	chmod 0600 "$group/group.json"
	redeem=$(jq -r .redeem_script_hex "$group/group.json")
	CONF_PSKT="redeem_script_hex = \"$redeem\""
	for _n in 1 2 3; do
		chmod 0755 "$group/signer-0$_n"
		mkdir -p "$group/signer-0$_n/run"
		cp -p "$group/pass" "$group/signer-0$_n/pass"
		T=$group/signer-0$_n
		PROFILE=signer-0$_n
		mk_conf
		eval "group_sock$_n=\$signd_sock"
	done
	group_leave
}

# group_use N: the variables and functions of lib.sh are for signer N's
# daemons, until another is used or group_leave.
group_use()
{
	T=$group/signer-0$1
	PROFILE=signer-0$1
	# As mk_conf has them; it would write the config again.
	conf=$T/igra.toml
	keyd_sock=$T/run/igra-keyd/keyd.sock
	keyd_admin=$T/run/igra-keyd/admin.sock
	auditd_sock=$T/run/igra-auditd/auditd.sock
	auditd_admin=$T/run/igra-auditd/admin.sock
	signd_sock=$T/run/igra-signd/signd.sock
	log=$T/log/key-audit.log
	secrets=$T/secrets.bin
	eval "pid_auditd=\${group_auditd$1-} pid_keyd=\${group_keyd$1-} \
	    pid_signd=\${group_signd$1-}"
}

group_leave()
{
	T=$group
	pid_auditd='' pid_keyd='' pid_signd=''
}

# group_start N: its three daemons, unlocked.
group_start()
{
	group_use "$1"
	start_all && unlock
	_rc=$?
	eval "group_auditd$1=\$pid_auditd group_keyd$1=\$pid_keyd \
	    group_signd$1=\$pid_signd"
	also_kill $pid_signd $pid_keyd $pid_auditd
	group_leave
	return $_rc
}

# group_stop N
group_stop()
{
	group_use "$1"
	stop_all
	eval "group_auditd$1='' group_keyd$1='' group_signd$1=''"
	group_leave
}
