#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every other operation exits 0 at once, whatever stands on stdin, even nothing or nobody;
# and the hook needs neither libvirt nor glib nor curl.
set -euo pipefail
source "$(dirname "$0")/common.sh"
log_start

policy '[policy]' 'start = refuse'
img=$(image a.img)
wrong=$(disk vda "cache='writeback'" "file='$img'")

for op in start started stopped release reconnect attach what-libvirt-may-add '' prepar prepare2; do
	run_hook "$op" < <(domain "$wrong")
	expect_status 0
	expect_silent
	expect_no_log
	echo 'not XML' >"$tmp/in"
	run_hook "$op" <"$tmp/in"
	expect_status 0
	expect_silent
	expect_no_log
done

# At once: nobody ever writes to stdin, or closes it.
mkfifo "$tmp/fifo"
exec 7<>"$tmp/fifo"
for op in started stopped release reconnect; do
	SECONDS=0
	run_hook "$op" <&7
	expect_status 0
	[ "$SECONDS" -lt 2 ] || die "$op waits for its stdin"
done
# prepare gives up after its 3 s, and does not refuse.
SECONDS=0
run_hook prepare <&7
expect_status 0
expect_silent
[ "$SECONDS" -le 5 ] || die "prepare waits for ever"
expect_log 'op=prepare: nothing was checked: stdin: '
run_hook prepare <&-
expect_status 0
expect_log 'op=prepare: nothing was checked: stdin: '

# The writer of stdin sees EPIPE at worst: a megabyte that nobody reads.
{ head -c 1000000 /dev/zero || true; } | "$hook" web1 started begin -

# By hand without arguments: a usage line, not a crash.
status=0
"$hook" 2>"$tmp/err" </dev/null || status=$?
expect_status 2
grep -q '^usage: ' "$tmp/err" || die "no usage line"

# The findings' override for tests is for the same user only (a set-id program ignores it).
VIRT_WARDEN_LOG=stderr "$hook" web1 prepare begin - 2>"$tmp/err" < <(domain "$wrong") || true
grep -q '^finding op=prepare ' "$tmp/err" || die "VIRT_WARDEN_LOG=stderr has no effect"

needed=$(readelf -d "$VW_BUILD/virt-warden-hook.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
if grep -E 'libvirt|glib|gobject|curl|jansson|osinfo' <<<"$needed"; then
	die "the hook links what it must not"
fi
echo ok
