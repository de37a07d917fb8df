#!/bin/bash
# The daemons and igractl under valgrind's memcheck: a short run of everything
# they do, without an error and without a leak.  LONG=1: the end-to-end tests
# as well, of which only valgrind's reports count, as all is much slower.

. "${0%/*}/../e2e/lib.sh"
t_init

if ! command -v valgrind >/dev/null; then
	skip "valgrind" "no valgrind"
	t_done
fi
if grep -q __asan_init "$bin/igra-keyd"; then
	skip "valgrind" "valgrind and ASan do not go together"
	t_done
fi

# Valgrind needs system calls that the sandbox forbids.  The build for tests
# can do without it; attack.sh has made it already.
real=$bin
if grep -qs IGRA_TEST_NO_SANDBOX "$top"/common/sandbox*.c; then
	entry=$build/test-entry
	if ! variant "$entry" TEST_ENTRY=1 igra-auditd igra-keyd igra-signd \
	    >"$T/make.out" 2>&1
	then
		not_ok "make TEST_ENTRY=1" "$(tail -n 20 "$T/make.out")"
		t_done
	fi
	real=$entry/bin
	export IGRA_TEST_NO_SANDBOX=1
fi

# A build folder whose daemons run under valgrind.  The shell's $$ and not
# %p: with that a fork opens a file anew, which the journal's writer, in its
# chroot, cannot.
vg=$T/vg
mkdir -p "$vg/bin" "$T/reports"
chmod 777 "$T/reports"
ln -s "$build"/bin/* "$vg/bin/"
ln -s "$tests" "$vg/tests"
under_valgrind()
{
	rm -f "$vg/bin/$1"
	cat >"$vg/bin/$1" <<-END
	#!/bin/sh
	exec valgrind --log-file=$T/reports/$1.\$\$ --vgdb=no --leak-check=full \\
	    --error-exitcode=99 --num-callers=20 \\
	    --suppressions=$top/tests/sandbox/valgrind.supp \\
	    --show-leak-kinds=definite,indirect,possible \\
	    --errors-for-leak-kinds=definite,indirect,possible \\
	    $2/$1 "\$@"
	END
	chmod 755 "$vg/bin/$1"
}
for _d in auditd keyd signd; do
	under_valgrind igra-$_d "$real"
done
under_valgrind igractl "$bin"

# clean WHAT: no report has an error, and there are some.
clean()
{
	# A fork reports into the same file.
	_bad=$(grep -l 'ERROR SUMMARY: [1-9]' "$T"/reports/*
	    grep -L 'ERROR SUMMARY: 0 errors' "$T"/reports/*)
	_n=$(ls "$T/reports" | wc -l)
	# One that was killed has no summary, but its errors.
	for _f in $_bad; do
		if grep -q 'ERROR SUMMARY' "$_f" || grep -qE \
		    'Invalid|uninitialised|Mismatched|overlap' "$_f"; then
			not_ok "$1: ${_f##*/}" "$(grep -v WARNING "$_f" |
			    sed -n 6,60p)"
			return
		fi
	done
	if [ "$_n" -gt 2 ]; then
		ok "$1 ($_n programs)"
	else
		not_ok "$1" "$_n reports"
	fi
}

bin=$vg/bin
key=$(vector ins2-outs1-mixed1 | jq -r .single_private_key)
CONF_SECURITY='secret_cache_ttl = 2'
CONF_RPC='rate_limit_rps = 50
rate_limit_burst = 60'
mk_conf
mk_secrets "signer-01=$key" "signer-02=$(printf '%064d' 7)" || exit 1
for _d in auditd keyd signd; do
	# It takes its time.
	start $_d || wait_for 30 listening "$(daemon_socket $_d)" ||
	    { not_ok "igra-$_d starts" "$(cat "$T/$_d.err")"; t_done; }
done
printf 'not the passphrase\n' >"$T/wrong"
chmod 600 "$T/wrong"
run ctl unlock --passphrase-file "$T/wrong"
is "a wrong passphrase" "$rc" 1
sleep 1
unlock || wait_for 20 is_ready || not_ok "unlock"
vector ins2-outs1-mixed1 | sign_params >"$T/sign.json"
sign_it()
{
	rpc pskt.sign "@$T/sign.json" | jq '.result.signatures | length'
}
is "signs" "$(sign_it)" 1
is "lists" "$(rpc key.list | jq '.result.keys | length')" 2
is "tells keys" "$(rpc key.public '{"profile": "signer-02"}' |
    jq -r '.result.public_key | length')" 64
is "refuses" "$(rpc key.public '{"profile": "signer-03"}' | rpc_code)" \
    KEY_NOT_FOUND
is "refuses another's" "$(vector ins3-outs2-ms1 | sign_params |
    jq '{pskt: .pskt, reason: "x"}' >"$T/other.json"
    rpc pskt.sign "@$T/other.json" | rpc_code)" NOT_A_SIGNER
for _what in '{' '[]' '[1,2,{"a":[]}]' 'null' '{"jsonrpc":"2.0"}'; do
	curl -s -o /dev/null --max-time 10 --unix-socket "$signd_sock" \
	    --data-binary "$_what" http://localhost/rpc
done
has "answers metrics" "$(http /metrics)" igra_up
has "answers status" "$(ctl status -j)" '"locked"'
if [ "$(id -u)" -eq 0 ]; then
	as_uid $signd_uid "$PYTHON" "$e2e/hostile.py" keyd "$keyd_sock" \
	    "$vectors/proto.json" garbage >/dev/null
	as_uid $signd_uid "$PYTHON" "$e2e/hostile.py" keyd "$keyd_sock" \
	    "$vectors/proto.json" replayed >/dev/null
fi
sleep 2			# evicted
is "signs again" "$(sign_it)" 1
run ctl audit rotate
is "rotates the log" "$rc" 0
check "locks" ctl lock
is "is locked" "$(rpc pskt.sign "@$T/sign.json" | rpc_code)" LOCKED
for _d in signd keyd auditd; do
	stop $_d
	is "igra-$_d ends with 0" "$stopped" 0
done
clean "memcheck: no error, no leak"

if [ -n "${LONG-}" ]; then
	for _t in start igractl auditd signd; do
		rm -f "$T"/reports/*
		BUILD=$vg timeout 1800 bash "$e2e/$_t.sh" >"$T/$_t.out" 2>&1
		clean "memcheck: $_t.sh"
	done
fi
t_done
