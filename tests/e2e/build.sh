#!/bin/bash
# How the programs were built: hardening, and that no room reaches into
# another.
. "${0%/*}/lib.sh"
t_init
command -v readelf >/dev/null || { skip "hardening" "no readelf"; t_done; }

programs="igra-keyd igra-signd igra-auditd igra-service igractl secrets-admin
    devnet-keygen igra-audit igra-coord igra-pskt"
for p in $programs; do
	f=$bin/$p
	if [ ! -x "$f" ]; then
		not_ok "$p is built"
		continue
	fi
	has "$p: position independent" "$(readelf -hW "$f")" "DYN "
	has "$p: relro" "$(readelf -lW "$f")" GNU_RELRO
	has "$p: all symbols bound at start" "$(readelf -dW "$f")" "BIND_NOW"
	has_not "$p: no executable stack" \
	    "$(readelf -lW "$f" | grep GNU_STACK)" RWE
	case $build in
	*asan*)	continue ;;
	esac
	symbols=$(readelf -sW "$f")
	has "$p: stack protector" "$symbols" __stack_chk_fail
	has "$p: fortified" "$symbols" "_chk@GLIBC"
done
case $build in
*asan*)	skip "stack protector and fortify" "the sanitizers stand in for them" ;;
esac

# signd has no key, so it has no business with code for keys; auditd neither.
for p in igra-signd igra-auditd igra-pskt; do
	symbols=$(readelf -sW "$bin/$p" | awk '{ print $8 }')
	for s in curve_sign isec_open bip39_seed keyring_get walletcrypt_key \
	    secp256k1_schnorrsig_sign32; do
		case $symbols in
		*"$s"*)	not_ok "$p has no $s" ;;
		*)	ok "$p has no $s" ;;
		esac
	done
done
# Of all programs one alone is an HTTP client.
for p in igra-signd igra-keyd igra-auditd igractl; do
	has_not "$p has no HTTP client" "$(readelf -dW "$bin/$p")" libcurl
done
# keyd has no JSON and no HTTP.
needed=$(readelf -dW "$bin/igra-keyd")
symbols=$(readelf -sW "$bin/igra-keyd")
has_not "igra-keyd has no JSON parser" "$needed" libyajl
has_not "igra-keyd has no HTTP server" "$symbols" evhttp
t_done
