#!/bin/bash
# The manual: every page is sound, every program and option has its place in
# it, and three signers go from nothing to a signature, and on to new keys, by
# the commands of igra-mainnet(7) and igra-key-rotation(7) as they stand there.
# Once: it is about pages and make install.
. "${0%/*}/lib.sh"
t_init
man=$top/man
manual="$PYTHON $e2e/manual.py"

# --- pages ---
if command -v mandoc >/dev/null; then
	for page in "$man"/*.[1-9]; do
		check "${page##*/}: mandoc has nothing to say" \
		    mandoc -Tlint -Wwarning "$page"
	done
else
	skip "pages are sound" "no mandoc"
fi

# A reference to a page of ours leads somewhere.
missing=$(sed -n 's/^\.Xr \(igra[a-z.-]*\|secrets-admin\|devnet-keygen\) \([1-9]\).*/\1.\2/p' \
    "$man"/*.[1-9] | sort -u | while read -r p; do
	[ -e "$man/$p" ] || echo "$p"
done)
is "every page that is referred to is there" "$missing" ""

# Every program has a page, and every long option of its usage is in it.
for p in "$bin"/*; do
	p=${p##*/}
	page=$(echo "$man/$p".[1-9])
	if [ ! -e "$page" ]; then
		not_ok "$p has a page"
		continue
	fi
	run "$bin/$p" -h
	is "$p -h: exit 0" "$rc" 0
	has "$p -h: prints the usage to standard output" "$out" "usage: $p"
	# "--old-passphrase[-file|-fd]" is three of them.
	undocumented=$(grep -oE -e '--[a-z][a-z0-9-]+' <<<"$out" | sort -u |
	    while read -r o; do
		grep -qE -e "Fl -${o#--}( |\$)" "$page" || echo "$o"
	    done)
	is "$p: its page has every option" "$undocumented" ""
done
undocumented=$("$bin/secrets-admin" -h |
    sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | sort -u | while read -r c; do
	grep -q "^\.It Ic $c\( \|\$\)" "$man/secrets-admin.1" || echo "$c"
    done)
is "secrets-admin: its page has every command" "$undocumented" ""

# Of igra.toml(5) test_conf checks more; here that the example's keys are in.
undocumented=$(sed -n 's/^#* *\([a-z][a-z0-9_]*\) = .*/\1/p' \
    "$top/etc/igra.toml" | sort -u | while read -r k; do
	grep -q "^\.It Ic $k " "$man/igra.toml.5" || echo "$k"
    done)
is "igra.toml(5) has every key of the example" "$undocumented" ""

# --- igra-secrets(5): the file to try an implementation with ---
mkdir "$T/secrets"
$manual examples "$man/igra-secrets.5" |
    sed -n '/^umask/,/^    igra.signer/p' >"$T/secrets/run.sh"
run env -C "$T/secrets" PATH="$bin:$PATH" sh -e run.sh
is "igra-secrets(5): its example opens" "$out" \
    "$(grep -o '0x[0-9a-f]\{64\}' "$man/igra-secrets.5")"
is "igra-secrets(5): its example is the test's vector" \
    "$(cmp "$T/secrets/example.isec" "$vectors/p1-small.isec" 2>&1)" ""
is "igra-secrets(5): its entry for the config is the test's vector" \
    "$(sed -n '/^AvpWu4m4/,/^\.Ed/p' "$man/igra-secrets.5" | grep -v '^\.' |
    tr -d '\n')" "$(jq -r '.[0].ciphertext_base64' \
    "$vectors/wallet_encryption.json")"

# --- as written: three hosts, each with directories and processes of its own ---
unshare="unshare --mount --pid --net --fork --kill-child --mount-proc"
if [ "$(id -u)" -ne 0 ]; then
	skip "the commands of igra-mainnet(7)" "needs root"
	t_done
elif ! $unshare true 2>/dev/null; then
	skip "the commands of igra-mainnet(7)" "no namespaces here"
	t_done
fi
for tool in make useradd runuser shred; do
	command -v $tool >/dev/null && continue
	skip "the commands of igra-mainnet(7)" "no $tool"
	t_done
done

words()
{
	"$PYTHON" -c 'import secrets, sys
words = open(sys.argv[1]).read().split()
print(" ".join(secrets.choice(words) for i in range(int(sys.argv[2]))))' \
	    "$vectors/english.txt" "$1"
}

for i in 1 2 3; do
	mkdir -p "$T/$i"/{lib,log,run,local}
	cp -a /etc "$T/$i/etc"
	first=$(words 6) second=$(words 6) payment=$(words 4)
	printf '%s\n' "$first" "$second" "$payment" >"$T/$i/secrets"
	printf '%s\t%s\t%s\n' \
	    'New secrets file passphrase' "$second" assphrase \
	    'Payment secret' "$payment" '' \
	    assphrase "$first" '' \
	    >"$T/$i/answers"
done

cat >"$T/namespace.sh" <<END
set -eu
root=\$1
mount --bind "\$root/etc" /etc
mount --bind "\$root/lib" /var/lib
mount --bind "\$root/log" /var/log
mount --bind "\$root/run" /run
# make install takes these from here; the outer make's own are none of its.
export PREFIX="\$root/local" BUILD="$build" PYTHON="$PYTHON" E2E="$e2e"
export PATH="\$PREFIX/sbin:\$PREFIX/bin:/usr/sbin:/usr/bin:/sbin:/bin"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR
cd "$top"
exec bash "\$root/session.sh"
END

# What is no part of the page: systemd, and the coordinator's requests.
cat >"$T/prelude.sh" <<'END'
set -eEu -o pipefail
trap 'echo "FAILED: $BASH_COMMAND"' ERR

# Units are run by units.py, which stops its daemons when it is told to.
systemctl()
{
	local i pid
	case $1 in
	restart | enable | disable) ;;
	*) return 0 ;;
	esac
	if [ -s /run/units.pid ]; then
		pid=$(cat /run/units.pid)
		kill $pid
		while kill -0 $pid 2>/dev/null; do sleep 0.05; done
		rm /run/units.pid
	fi
	[ "$1" != disable ] || return 0
	"$PYTHON" "$E2E/units.py" "$PREFIX/lib/systemd/system" /run/units.pid \
	    /run igra-auditd.service igra-keyd.service igra-signd.service \
	    2>>/run/units.err </dev/null &
	for ((i = 0; i < 600; i++)); do
		[ ! -s /run/units.pid ] || return 0
		kill -0 $! 2>/dev/null || break
		sleep 0.05
	done
	cat /run/units.err /run/igra-*.err
	return 1
}

journalctl()
{
	cat /run/igra-*.err
}

rm -f /run/units.pid		# of a session before
cd /run
ready()
{
	local i
	for ((i = 0; i < 100; i++)); do
		runuser -u igra-coord -- curl -sf --unix-socket \
		    /run/igra-signd/signd.sock http://igra/readyz >/dev/null &&
		    return
		sleep 0.05
	done
}

# ask REQUEST: what the coordinator gets for it.
ask()
{
	ready
	runuser -u igra-coord -- curl -s --unix-socket \
	    /run/igra-signd/signd.sock --data-binary "@$requests/$1" \
	    http://igra/rpc >"$answers/$1"
}
END

# session NAME: on all three hosts, the script on stdin in the namespace of each.
session()
{
	local i pids='' script bad=$n_bad
	script=$(cat)
	for i in 1 2 3; do
		{
			echo "requests=$T answers=$T/$i"
			cat "$T/prelude.sh"
			echo "set -v"
			printf '%s\n' "$script"
		} >"$T/$i/session.sh"
		$manual tty "$T/$i/answers" $unshare bash "$T/namespace.sh" \
		    "$T/$i" >"$T/$i/$1.out" 2>&1 &
		pids="$pids $!"
	done
	i=1
	for _p in $pids; do
		rc=0
		wait "$_p" || rc=$?
		if [ $rc -eq 0 ]; then
			ok "host $i: $1"
		else
			not_ok "host $i: $1" "exit $rc: $(tail -n 30 \
			    "$T/$i/$1.out")"
		fi
		i=$((i + 1))
	done
	# Nothing after it could be right.
	[ $n_bad -eq $bad ] || t_done
}

page()
{
	$manual commands "$man/$1" "${@:2}"
}

# group M FILE…: of the public keys in the files, into $group.
group()
{
	local m=$1
	shift
	group=$("$bin/devnet-keygen" --kaspa-network mainnet \
	    --threshold-m "$m" --format json \
	    $(cat "$@" | sed 's/^/--member-pubkey /') 2>"$T/keygen.err")
}

# What is chosen by number below is all that there is.
while read -r n p section; do
	is "$p: blocks of commands in $section" \
	    "$($manual count "$man/$p" "$section")" "$n"
done <<END
8 igra-mainnet.7 SET-UP
5 igra-mainnet.7 DEPLOYMENT
3 igra-key-rotation.7 NEW KEYS
3 igra-key-rotation.7 SWEEP
END

# A command is a line that begins with "# ".
is "igra-mainnet(7): from nothing to a signature in ten commands" \
    "$(sed -n '/^\.Sh SET-UP/,/^\.Sh DEPLOYMENT/p' "$man/igra-mainnet.7" |
    grep -c '^# ')" 10

# 1. Installation and keys.
session keys <<END
cd "$top"
$(page igra-mainnet.7 SET-UP 0 1)
END
cat "$T"/[123]/etc/igra/pubkey >"$T/members" 2>/dev/null
is "three public keys" "$(grep -cE '^0[23][0-9a-f]{64}$' "$T/members")" 3

# 2. What the operators do by hand: keys exchanged, destinations written down.
payee=79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798
echo "02$payee" >"$T/payee"
group 1 "$T/payee"
destination=$(jq -r '.signers[0].address' <<<"$group")
for i in 1 2 3; do
	cp "$T/members" "$T/$i/etc/igra/members"
	echo "$destination" >"$T/$i/etc/igra/destinations"
done
group 2 "$T/members"
redeem=$(jq -r .redeem_script_hex <<<"$group")
address=$(jq -r .multisig_address <<<"$group")
$manual request "$redeem" "20${payee}ac" pay >"$T/pay"
$manual request "$redeem" "20$(printf '%064d' 7)ac" stranger >"$T/stranger"

# 3. The rest, to the first signature and a normal day.
session mainnet <<END
cp "$T/pay" request.json
$(page igra-mainnet.7 SET-UP 2 3 4 5 6 7)
$(page igra-mainnet.7 DEPLOYMENT 0 1 2 3 4)
ask pay
ask stranger
$(page igra-mainnet.7 MONITORING)
$(page igra-mainnet.7 UPKEEP)
$(page igra-mainnet.7 EMERGENCY)
igractl unlock
$(page igra-network-modes.7 EXAMPLES)
$(page igra-key-rotation.7 'NEW KEYS' 0)
END

# signed HOST WHAT PUBKEY-FILE: the host's answer has its key's signature.
signed()
{
	check "host $1: signs $2" $manual verify "$T/$2" "$T/$1/$2" \
	    "$(cut -c 3- "$3")"
}

denied()
{
	is "host $1: refuses $2" "$(rpc_code <"$T/$1/$2")" "$3"
}

# shown HOST WHAT TEXT: a line of its screen.
shown()
{
	if grep -qF -e "$3" "$T/$1/mainnet.out"; then
		ok "host $1: $2"
	else
		not_ok "host $1: $2" "no \"$3\" was shown"
	fi
}

for i in 1 2 3; do
	shown $i "the network's rules" "ok: Network mode: mainnet"
	shown $i "the payment secret is there" \
	    "ok: payment_secret: configured"
	shown $i "the passphrase is strong" "file: strong"
	shown $i "ready" '{"ready":true'
	shown $i "the group's address" "\"address\": \"$address\""
	shown $i "nobody else gets in" 401
	signed $i pay "$T/$i/etc/igra/pubkey"
	denied $i stranger POLICY_DENIED
	leaked=''
	while read -r secret; do
		! grep -qF "$secret" "$T/$i"/*.out "$T/$i"/run/*.err \
		    "$T/$i/log/igra/key-audit.log" 2>/dev/null ||
		    leaked="$leaked $secret"
	done <"$T/$i/secrets"
	is "host $i: no secret on the screen or in a log" "$leaked" ""
	is "host $i: the log is auditd's alone" "$(stat -c %a \
	    "$T/$i/log/igra" "$T/$i/log/igra/key-audit.log" | paste -sd,)" \
	    "700,600"
done
# 4. New keys: the sweep, and the migration multisig.
cat "$T"/[123]/etc/igra/pubkey-new >"$T/members-new" 2>/dev/null
for i in 1 2 3; do
	cp "$T/members-new" "$T/$i/etc/igra/members-new"
	sed -n 2p "$T/$i/secrets" >"$T/$i/second"
	printf '%s\t%s\t%s\n' assphrase "$(cat "$T/$i/second")" '' \
	    >"$T/$i/answers"
done
group 2 "$T/members-new"
new_redeem=$(jq -r .redeem_script_hex <<<"$group")
new_script=$("$PYTHON" -c 'import hashlib, sys
print("aa20" + hashlib.blake2b(bytes.fromhex(sys.argv[1]),
    digest_size=32).hexdigest() + "87")' "$new_redeem")
group 4 "$T/members" "$T/members-new"
mig_redeem=$(jq -r .redeem_script_hex <<<"$group")
$manual request "$redeem" "all:$new_script" sweep sweep >"$T/sweep"
$manual request "$redeem" "all:$new_script" silent >"$T/silent"
$manual request "$redeem" "20${payee}ac" late sweep >"$T/late"
$manual request "$new_redeem" "20${payee}ac" new >"$T/new"
$manual request "$mig_redeem" "all:$new_script" migrate sweep >"$T/migrate"
session rotation <<END
systemctl restart igra-auditd igra-keyd igra-signd
$(page igra-key-rotation.7 'NEW KEYS' 1 2)
$(page igra-key-rotation.7 SWEEP 0)
ask sweep
ask silent
ask late
$(page igra-key-rotation.7 SWEEP 1)
ask new
$(page igra-key-rotation.7 SWEEP 2)
$(page igra-key-rotation.7 'MIGRATION MULTISIG')
install -m 0600 /etc/igra/igra-mig.toml /etc/igra/igra.toml
systemctl restart igra-auditd igra-keyd igra-signd
igractl unlock
ask migrate
$(page igra-key-rotation.7 DECOMMISSION)
END
for i in 1 2 3; do
	signed $i sweep "$T/$i/etc/igra/pubkey"
	denied $i silent POLICY_DENIED
	denied $i late POLICY_DENIED
	signed $i new "$T/$i/etc/igra/pubkey-new"
	signed $i migrate "$T/$i/etc/igra/pubkey"
	is "host $i: the old secrets file is gone" \
	    "$(ls "$T/$i/lib/igra/secrets.bin" 2>/dev/null)" ""
done
t_done
