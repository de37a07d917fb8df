#!/bin/bash
# What make install lays out, and the units: that systemd finds them sound and
# safe, and that each daemon can do its work in what its unit leaves of the
# system (units.py stands in for systemd, which cannot be booted here).
# Once: it is about make install and units; all else tests the daemons.
. "${0%/*}/lib.sh"
t_init
# The outer make's variables are none of ours.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR PREFIX

# --- what is laid out ---

install_to()
{
	env -C "$top" BUILD="$build" make install "$@" >"$T/make.out" 2>&1 ||
	    not_ok "make install $*" "$(tail -5 "$T/make.out")"
}

if command -v make >/dev/null; then
	install_to DESTDIR="$T/dest"
	files=$(cd "$T/dest" && find . -type f | sort)
	for f in ./usr/local/sbin/igra-{keyd,signd,auditd,service} \
	    ./usr/local/sbin/igractl ./usr/local/bin/{secrets-admin,igra-audit} \
	    ./usr/local/bin/{devnet-keygen,igra-coord} \
	    ./usr/local/share/examples/igra/{igra.toml,crontab} \
	    ./usr/local/share/examples/igra/{newsyslog,logrotate}.conf \
	    ./usr/local/share/man/man7/igra-mainnet.7 \
	    ./usr/local/lib/systemd/system/igra-{keyd,signd,auditd,unlock}.service \
	    ./usr/local/lib/systemd/system/igra.target \
	    ./usr/local/lib/sysusers.d/igra.conf \
	    ./usr/local/lib/tmpfiles.d/igra.conf; do
		has "make install: $f" "$files" "$f"
	done
	is "nothing else of the system is touched with DESTDIR" \
	    "$(cd "$T/dest" && find . -mindepth 1 -maxdepth 2 | sort | paste -sd' ')" \
	    "./usr ./usr/local"
	for m in "$top"/man/*.[1-9]; do
		[ -e "$T/dest/usr/local/share/man/man${m##*.}/${m##*/}" ] ||
		    not_ok "make install: ${m##*/}"
	done
	install_to DESTDIR="$T/usr" PREFIX=/usr
	is "units start what was installed" "$(grep -ho '^Exec[A-Za-z]*=+*/[^ ]*' \
	    "$T/usr/usr/lib/systemd/system"/*.service | sed 's/.*=+*//' |
	    sort -u | paste -sd' ')" "/usr/sbin/igra-auditd /usr/sbin/igra-keyd \
/usr/sbin/igra-signd /usr/sbin/igractl"
else
	skip "make install" "no make"
fi

# --- what systemd says of the units ---

mkdir "$T/units"
for u in "$top"/etc/systemd/*; do
	sed "s|/usr/local/sbin|$bin|" "$u" >"$T/units/${u##*/}"
done
is "no unit hides who is at the other end of a socket" \
    "$(grep -l '^PrivateUsers' "$T/units"/*)" ""
for l in LimitMEMLOCK LimitNOFILE LimitCORE; do
	is "each daemon's unit has $l" "$(grep -l "^$l=" \
	    "$T/units"/igra-{keyd,signd,auditd}.service | wc -l)" 3
done
if command -v systemd-analyze >/dev/null; then
	run env SYSTEMD_UNIT_PATH="$T/units:" systemd-analyze verify --man=no \
	    "$T/units"/*
	is "systemd-analyze verify: nothing to say" \
	    "$(grep -F -e "$T/units" -e igra <<<"$err")" ""
	is "systemd-analyze verify: exit status" "$rc" 0
	for u in keyd:10 signd:15 auditd:15 unlock:15; do
		run systemd-analyze security --offline=true --no-pager \
		    --threshold="${u#*:}" "$T/units/igra-${u%:*}.service"
		is "igra-${u%:*}.service: exposure at most ${u#*:} of 100" "$rc" 0
		echo "# $(tail -1 <<<"$out")"
	done
else
	skip "systemd-analyze verify and security" "no systemd-analyze"
fi

# --- users and directories, both ways ---

unshare="unshare --mount --pid --fork --kill-child --mount-proc"
if [ "$(id -u)" -ne 0 ] || ! $unshare true 2>/dev/null; then
	skip "users, directories, and units at work" "needs root and namespaces"
	t_done
fi
for tool in useradd setpriv; do
	command -v $tool >/dev/null && continue
	skip "users, directories, and units at work" "no $tool"
	t_done
done

modes()
{
	(cd "$1" && stat -c '%n %a %U' etc/igra run/igra-{keyd,signd,auditd} \
	    var/lib/igra var/lib/igra-keyd var/log/igra)
}

modes_wanted="etc/igra 755 root
run/igra-keyd 755 _igra_keyd
run/igra-signd 755 _igra_signd
run/igra-auditd 755 _igra_auditd
var/lib/igra 700 root
var/lib/igra-keyd 700 _igra_keyd
var/log/igra 700 _igra_auditd"

# A root of our own, with somewhere to put what is made.
mkdir -p "$T"/h/{etc,run,var}
cp -a /etc/. "$T/h/etc"
cat >"$T/inside" <<END
set -eu
mount --bind $T/h/etc /etc
mount --bind $T/h/run /run
mount --bind $T/h/var /var
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
END
{
	cat "$T/inside"
	cat <<-END
	mkdir -p /var/lib /var/log
	sh "$top/etc/setup.sh" /etc /usr/local
	$(declare -f modes)
	modes / >"$T/modes"
	stat -c '%a %U' /etc/igra/igra.toml >"$T/toml"
	cp /etc/igra/igra.toml "$T/made.toml"
	echo mine >/etc/igra/igra.toml
	chmod 0755 /var/lib/igra
	sh "$top/etc/setup.sh" /etc /usr/local >"$T/again"
	stat -c %a /var/lib/igra >>"$T/again"
	cat /etc/igra/igra.toml >>"$T/again"
	chmod 0700 /var/lib/igra
	END
} >"$T/setup"
run $unshare bash "$T/setup"
is "setup: exit status" "$rc $err" "0 "
is "setup: directories" "$(cat "$T/modes")" "$modes_wanted"
is "setup: the config is root's alone" "$(cat "$T/toml")" "600 root"
is "setup: the config is all comments" "$(grep -v '^#' "$T/made.toml")" ""
sed 's/^#\([][a-z]\)/\1/' "$T/made.toml" | grep -v '^#' >"$T/filled.toml"
check "setup: without the comments it is a config" "$bin/igra-keyd" -n \
    -f "$T/filled.toml"
has "setup: of mainnet" "$(cat "$T/filled.toml")" 'network = "mainnet"'
is "setup: again changes nothing" "$(cat "$T/again")" "755
mine"

if command -v systemd-sysusers >/dev/null &&
    command -v systemd-tmpfiles >/dev/null; then
	{
		cat "$T/inside"
		cat <<-END
		for u in _igra_keyd _igra_signd _igra_auditd igra-coord; do
			userdel \$u
		done
		rm -rf /etc/igra /run/igra-* /var/lib/igra* /var/log/igra
		systemd-sysusers "$top/etc/sysusers.d/igra.conf"
		systemd-tmpfiles --create "$top/etc/tmpfiles.d/igra.conf"
		$(declare -f modes)
		modes / >"$T/modes"
		id -u igra-coord >"$T/coord"
		END
	} >"$T/sysusers"
	rm "$T/modes"
	run $unshare bash "$T/sysusers"
	is "sysusers.d, tmpfiles.d: exit status" "$rc" 0
	is "sysusers.d, tmpfiles.d: the same" "$(cat "$T/modes")" "$modes_wanted"
	check "sysusers.d: the coordinator" test -s "$T/coord"
else
	skip "sysusers.d and tmpfiles.d" "no systemd-sysusers, systemd-tmpfiles"
fi

# --- at work ---

key=$(vector ins2-outs1-mixed1 | jq -r .single_private_key)
vector ins2-outs1-mixed1 | sign_params |
    jq -c '{jsonrpc: "2.0", id: 1, method: "pskt.sign", params: .}' >"$T/sign"
printf '%s\n' "$key" >"$T/key"
cat >"$T/h/etc/igra/igra.toml" <<END
[service]
network = "testnet"
active_profile = "signer-01"
[service.hd]
key_type = "raw_private_key"
[rpc]
allow_users = ["igra-coord"]
END
chmod 0600 "$T/h/etc/igra/igra.toml"
{
	cat "$T/inside"
	cat <<-END
	export PATH=$bin:\$PATH
	cp "$T/pass" /etc/igra/passphrase.cred
	secrets-admin --network testnet --path /var/lib/igra/secrets.bin \
	    --passphrase-file "$T/pass" init --argon2 8192,1,1
	secrets-admin --network testnet --path /var/lib/igra/secrets.bin \
	    --passphrase-file "$T/pass" set --hex \
	    igra.signer.private_key_signer-01 <"$T/key"
	mkdir -p /run/dbus /run/elsewhere
	$PYTHON -c 'import socket, time
	s = socket.socket(socket.AF_UNIX)
	s.bind("/run/dbus/system_bus_socket")' 2>/dev/null || :
	$PYTHON "$e2e/units.py" "$T/units" /run/units.pid "$T" \
	    igra-auditd.service igra-keyd.service igra-signd.service \
	    igra-unlock.service 2>"$T/units.err" &
	for i in \$(seq 400); do
		[ ! -s /run/units.pid ] || break
		sleep 0.05
	done
	coord() {
		setpriv --reuid igra-coord --regid igra-coord --clear-groups \
		    curl -s --unix-socket /run/igra-signd/signd.sock "\$@"
	}
	for i in \$(seq 100); do
		coord http://igra/readyz | grep -q '"ready":true' && break
		sleep 0.05
	done
	coord http://igra/readyz >"$T/ready"
	coord -d @"$T/sign" http://igra/rpc >"$T/signed"
	sed 's/^\[service.hd\]/[policy]\nrequire_reason = true\n&/' \
	    /etc/igra/igra.toml >/etc/igra/new
	cat /etc/igra/new >/etc/igra/igra.toml
	rm /etc/igra/new
	igractl reload >"$T/reloaded" 2>&1 || :
	coord -d @"$T/sign" http://igra/rpc >"$T/refused"
	igractl status -j >"$T/status"
	for d in auditd keyd signd; do
		p=\$(pgrep -o -x igra-\$d)
		(cd /proc/\$p/root/run && find . -mindepth 1 | sort) >"$T/run.\$d"
		(cd /proc/\$p/root/etc && find . -mindepth 1 | sort) >"$T/etc.\$d"
		(cd /proc/\$p/root/var && find . -mindepth 1 -maxdepth 2 |
		    sort) >"$T/var.\$d"
		stat -c %U /proc/\$p/task >"$T/user.\$d"
		ls /proc/\$p/task | wc -l >"$T/tasks.\$d"
		sed -n 's/^Cap\(Eff\|Bnd\):\t//p' /proc/\$p/status | sort -u \
		    >"$T/caps.\$d"
		readlink /proc/\$p/ns/net >>"$T/nets"
	done
	sleep 3.5
	kill \$(cat /run/units.pid)
	wait
	END
} >"$T/work"
run $unshare bash "$T/work"
is "units: exit status" "$rc" 0
is "units: started, and no watchdog went hungry" "$(cat "$T/units.err")" ""
has "units: unlocked by igra-unlock.service, ready" "$(cat "$T/ready")" \
    '"ready":true'
has_not "units: credentials that the group may read are fine" \
    "$(cat "$T/igra-keyd.err" "$T/igra-unlock.err")" mode
is "units: a signature" "$(jq -r '.result.signatures | length > 0' \
    "$T/signed")" true
is "units: reload" "$(tail -1 "$T/reloaded")" reloaded
is "units: is in force" "$(rpc_code <"$T/refused")" POLICY_DENIED
is "units: memory is locked" "$(jq -r '.keyd.memory |
    . == "memfd_secret" or . == "mlock"' "$T/status")" true
is "units: roles are separated" "$(jq .keyd.roles_separated "$T/status")" true
for d in auditd keyd signd; do
	is "igra-$d: its user" "$(cat "$T/user.$d")" "_igra_$d"
	is "igra-$d: no capability" "$(cat "$T/caps.$d")" 0000000000000000
	is "igra-$d: of /etc only that" "$(grep -v -e nsswitch -e ld.so.cache \
	    "$T/etc.$d" | paste -sd' ')" "./group ./passwd"
done
is "igra-signd: of /run its own socket, igra-keyd's, and the config" \
    "$(cat "$T/run.signd" | paste -sd' ')" "./credentials \
./credentials/igra-signd.service ./credentials/igra-signd.service/igra.toml \
./igra-keyd ./igra-keyd/admin.sock ./igra-keyd/admin.sock.lock \
./igra-keyd/keyd.sock ./igra-keyd/keyd.sock.lock ./igra-signd \
./igra-signd/signd.sock ./igra-signd/signd.sock.lock ./systemd ./systemd/notify"
is "igra-signd: nothing of /var" "$(cat "$T/var.signd")" ""
is "igra-keyd: of /var its state" "$(paste -sd' ' "$T/var.keyd")" \
    "./lib ./lib/igra-keyd"
is "igra-auditd: of /var the log" "$(paste -sd' ' "$T/var.auditd")" \
    "./log ./log/igra"
has_not "igra-keyd: no other's socket" "$(cat "$T/run.keyd")" signd
has_not "igra-auditd: no other's socket" "$(cat "$T/run.auditd")" keyd
is "each has a network of its own" "$(sort -u "$T/nets" | wc -l)" 3
has_not "and not ours" "$(cat "$T/nets")" "$(readlink /proc/self/ns/net)"
t_done
