#!/bin/sh
# What make install does as root besides copying files: the users, their
# directories, and a config to begin with.  What is there already stays as it
# is, so that it can be run again.
#
# usage: setup.sh SYSCONFDIR PREFIX
set -eu
etc=$1/igra prefix=$2
here=$(dirname "$0")
os=$(uname -s)

# user NAME WHAT-FOR
user()
{
	! id "$1" >/dev/null 2>&1 || return 0
	case $os in
	OpenBSD)
		useradd -g =uid -c "$2" -d /nonexistent -s /sbin/nologin "$1" ;;
	*)	useradd --system --user-group --no-create-home \
		    --home-dir /nonexistent --shell /usr/sbin/nologin \
		    --comment "$2" "$1" ;;
	esac
	echo "made the user $1"
}

# dir PATH MODE [USER]
dir()
{
	[ ! -d "$1" ] || return 0
	if [ $# -gt 2 ]; then
		install -d -m "$2" -o "$3" -g "$3" "$1"
	else
		install -d -m "$2" "$1"
	fi
	echo "made $1"
}

user _igra_keyd "Igra signer, keys"
user _igra_signd "Igra signer, interface"
user _igra_auditd "Igra signer, audit log"
user igra-coord "Coordinator of an Igra signer"

case $os in
OpenBSD) run=/var/run state=/var/db/igra-keyd ;;
*)	run=/run state=/var/lib/igra-keyd ;;
esac
dir "$etc" 0755
dir /var/lib/igra 0700
dir "$state" 0700 _igra_keyd
dir /var/log/igra 0700 _igra_auditd
for d in keyd signd auditd; do
	dir "$run/igra-$d" 0755 "_igra_$d"
done

if [ ! -e "$etc/igra.toml" ]; then
	(
	umask 077
	cat >"$etc/igra.toml.new" <<-END
	# The config of this Igra signer: igra.toml(5).  A file with every key is
	# $prefix/share/examples/igra/igra.toml; igra-mainnet(7) goes through
	# what a signer on mainnet needs, which is this:
	#
	END
	sed -n 's/^## \{0,1\}/#/p' "$here/igra.toml" >>"$etc/igra.toml.new"
	mv "$etc/igra.toml.new" "$etc/igra.toml"
	)
	echo "made $etc/igra.toml: fill it in"
fi

# Where systemd runs, it is told of the units.
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
