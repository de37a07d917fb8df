#!/bin/bash
# OpenBSD's rc.d scripts and login classes, as far as they can be tried
# elsewhere: run with a stand-in for rc.subr(8) and for install(1).
# Once: no program of ours runs.
. "${0%/*}/lib.sh"
t_init

rcd=$top/etc/rc.d classes=$top/etc/login.conf.d
mkdir "$T/rc.d"
cat >"$T/rc.subr" <<-'EOF'
rc_exec() { echo "exec: $*"; }
install() { echo "install $*"; }
rc_cmd()
{
	case $1 in
	start)	[ "${rc_bg-}" = YES ] && echo "background, to ${daemon_logger-}"
		echo "$daemon"
		rc_pre ;;
	*)	rc_$1 ;;
	esac
}
EOF
is "a script for each daemon, without a hyphen" "$(ls "$rcd" | paste -sd' ')" \
    "igra_auditd igra_keyd igra_signd"
is "and a class of its name" "$(ls "$classes" | paste -sd' ')" \
    "igra_auditd igra_keyd igra_signd"
for s in igra_auditd igra_keyd igra_signd; do
	d=igra-${s#igra_}
	is "$s: first ksh, last rc_cmd" "$(sed -n '1p;$p' "$rcd/$s" |
	    paste -sd,)" '#!/bin/ksh,rc_cmd $1'
	sed -e "s|/etc/rc.d/rc.subr|$T/rc.subr|" \
	    -e 's|/usr/local/sbin/igractl|echo igractl|' "$rcd/$s" >"$T/rc.d/$s"
	run bash -eu "$T/rc.d/$s" start
	is "$s: exit status" "$rc $err" "0 "
	is "$s: in the background, with a log, its socket's directory first" \
	    "$out" "background, to daemon.info
/usr/local/sbin/$d
install -d -m 0755 -o _igra_${s#igra_} -g _igra_${s#igra_} /var/run/$d"
	daemon_flags='-f /etc/igra/other.toml' run bash -e "$T/rc.d/$s" \
	    configtest
	is "$s: configtest, with the daemon's flags" "$out" \
	    "exec: /usr/local/sbin/$d -n -f /etc/igra/other.toml"
	run bash -eu "$T/rc.d/$s" reload
	is "$s: reload is igractl's" "$out" "igractl reload"
	class=$(grep -v '^#' "$classes/$s" | tr -d '\t\\\n')
	has "$s: a class" "$class" "$s::"
	for c in memorylocked= openfiles=8192 coredumpsize=0: tc=daemon:; do
		has "$s: class: $c" "$class" ":$c"
	done
done
if command -v make >/dev/null; then
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR PREFIX
	run make -s -C "$top" BUILD="$build" DESTDIR="$T/dest" \
	    PREFIX=/opt install-OpenBSD
	is "make install: exit status" "$rc" 0
	is "make install: files and modes" "$(cd "$T/dest" && find . -type f \
	    -printf '%m %p\n' | sort -k 2 | paste -sd' ')" "644 \
./etc/login.conf.d/igra_auditd 644 ./etc/login.conf.d/igra_keyd 644 \
./etc/login.conf.d/igra_signd 555 ./etc/rc.d/igra_auditd 555 \
./etc/rc.d/igra_keyd 555 ./etc/rc.d/igra_signd"
	has "make install: at PREFIX" "$(cat "$T/dest/etc/rc.d/igra_keyd")" \
	    'daemon="/opt/sbin/igra-keyd"'
else
	skip "make install" "no make"
fi
t_done
