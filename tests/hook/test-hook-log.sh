#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The system log: none, a stuck one, hostile names, long names; never in the guest's way.
# shellcheck disable=SC2016 # the names hold what a shell would expand, on purpose
set -euo pipefail
source "$(dirname "$0")/common.sh"

img=$(image a.img)
wrong=$(disk vda "cache='writeback'" "file='$img'")
: >"$log"

# No log daemon: silence.
run_hook prepare < <(domain "$wrong")
expect_status 0
expect_silent
# The socket is there but nobody listens.
/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind("/dev/log")'
run_hook prepare < <(domain "$wrong")
expect_status 0
expect_silent
rm /dev/log

# A daemon that is stuck: its queue is full after some lines; the hook does not wait for it.
/usr/bin/python3 -c 'import socket, signal
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
signal.pause()' &
stuck_pid=$!
trap 'kill "$stuck_pid" 2>/dev/null || true; cleanup' EXIT
wait_for test -S /dev/log
many=$(for i in {1..1000}; do disk "d$i" '' "file='$img'"; done)
for _ in 1 2 3; do
	SECONDS=0
	run_hook prepare < <(domain "$many")
	expect_status 0
	[ "$SECONDS" -lt 3 ] || die "the hook waits for a stuck log daemon"
done
kill "$stuck_pid"
wait "$stuck_pid" 2>/dev/null || true
rm -f /dev/log

# Hostile names: one line each, of at most 1024 bytes, quoted so that no name can forge a field.
log_start
evil='x&quot; action=refuse \ &#10;&#9;&#x9b;31m`reboot` $(reboot)'
run_hook prepare < <(domain "$(disk '&quot;&#10;forged' "cache='&quot; after=&quot;x'" "file='$img'")" '' "$evil")
expect_status 0
expect "lines" "$(wc -l <"$log")" 1
line=$(cat "$log")
expect domain "$(field domain "$line")" 'x\" action=refuse \\   ?31m`reboot` $(reboot)'
expect device "$(field device "$line")" '\" forged'
expect before "$(field before "$line")" '\" after=\"x'
expect after "$(field after "$line")" none
expect action "$(sed -nE 's/.*after="none" action=([a-z]+) .*/\1/p' <<<"$line")" fix

long=$(printf 'ä%.0s' {1..2000})
run_hook prepare < <(domain "$(disk "$long" '' "file='$img'")" '' "$long")
expect_status 0
[ "$(wc -c <"$log")" -le 1025 ] || die "a line of $(wc -c <"$log") bytes"
iconv -f UTF-8 -t UTF-8 "$log" >/dev/null || die "a character was cut in two"
expect action "$(sed -nE 's/.*after="none" action=([a-z]+) .*/\1/p' "$log")" fix
grep -q '"$' "$log" || die "the message is cut without its closing quote"

# A refusal with a hostile name is one line, too, and its command is safe to paste.
policy '[policy]' 'start = refuse'
run_hook prepare < <(domain "$wrong" '' "$evil")
expect_status 1
expect "lines on stderr" "$(wc -l <"$tmp/err")" 1
grep -q 'to mend it: virt-warden fix DOMAIN$' "$tmp/err" || die "$(cat "$tmp/err")"
run_hook prepare < <(domain "$wrong" '' 'a b; reboot')
grep -qF "to mend it: virt-warden fix 'a b; reboot'" "$tmp/err" || die "$(cat "$tmp/err")"

# Secrets in the XML never reach the log.
policy
secret="<auth username='u'><secret type='ceph' uuid='11111111-2222-3333-4444-555555555555'/></auth>"
run_hook migrate < <(domain "$(disk vda '' "protocol='rbd' name='p'" network "$secret")" '' web1 |
	sed "s,<emulator>,<graphics type='vnc' passwd='geheim'/><emulator>,")
[ -s "$log" ] || die "nothing was logged"
! grep -qE 'geheim|11111111' "$log" || die "a secret is in the log"
echo ok
