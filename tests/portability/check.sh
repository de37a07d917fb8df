#!/usr/bin/env bash
# check.sh BUILD: the objects of make portability.  They call nothing but what
# symbols names, which OpenBSD has, and the libraries; and no source but those
# below looks for Linux or includes what is its alone.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${1:?usage: tests/portability/check.sh BUILD}
here=tests/portability
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0

find "$build/obj" -name '*.o' >"$tmp/objects"
if [ "$(wc -l <"$tmp/objects")" -lt 100 ]; then
	echo "$build: where are the objects?" >&2
	exit 2
fi
xargs nm -u <"$tmp/objects" | awk 'NF == 2 { print $2 }' | sort -u \
    >"$tmp/wanted"
xargs nm --defined-only <"$tmp/objects" | awk 'NF == 3 { print $3 }' |
    sort -u >"$tmp/own"
# The libraries, which are the same everywhere.
libs='^(sodium|crypto|randombytes|event|evsignal|evtimer|evutil|evbuffer)_
^(bufferevent|evhttp|evconnlistener|yajl|secp256k1|argon2|curl)_
^(Zxcvbn|argon2|RMD160)
^__(errno_location|ctype_b_loc|isoc99_sscanf|cpu_model)$
^_GLOBAL_OFFSET_TABLE_$'
grep -v '^#' "$here/symbols" | sort >"$tmp/known"
comm -23 "$tmp/wanted" "$tmp/own" | grep -vE -f <(echo "$libs") |
    comm -23 - "$tmp/known" >"$tmp/more"
while read -r s; do
	echo "$s: does OpenBSD have it?  If so, add it to $here/symbols;" \
	    "called by $(xargs nm -uA <"$tmp/objects" |
	    awk -v s="$s" '$NF == s { print $1 }' | sed "s|$build/obj/||" |
	    paste -sd' ')"
	bad=1
done <"$tmp/more"

# What may be Linux's own: sandbox, arena, timer, watch; the flags of a file;
# the journal's child, whose file may grow without being written.
linux='common/(sandbox_(linux|seccomp|proc)|secmem|bootclock|fileattr)\.c
common/sandbox\.h
auditd/watch_inotify\.c
keyd/journal_child\.c'
rooms="common proto keyd signd auditd"
grep -nE '^[[:space:]]*#[[:space:]]*include <(linux/|asm/|seccomp\.h|'\
'malloc\.h|sys/(prctl|syscall|inotify|timerfd|epoll|eventfd|signalfd|sendfile|'\
'vfs|statfs|auxv|random|capability|fanotify|personality|ptrace|sysinfo|xattr)'\
'\.h)' -r $rooms >"$tmp/headers"
# A socket's address is longer there, and that is no code.
grep -nE '(ifdef|defined).*__linux__|\b(syscall|prctl|fallocate)\(' -r $rooms |
    grep -v '^common/conf_check.c:' >>"$tmp/headers"
grep -vE -f <(sed 's/^/^/; s/$/:/' <<<"$linux") "$tmp/headers" >"$tmp/stray"
sed 's/$/   <- Linux, where it has no place/' "$tmp/stray"
[ ! -s "$tmp/stray" ] || bad=1
[ $bad -ne 0 ] || echo "portable: $(wc -l <"$tmp/objects") objects," \
    "$(wc -l <"$tmp/known") calls, $(cut -d: -f1 "$tmp/headers" | sort -u |
    wc -l) files with Linux in them"
exit $bad
