#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# alert.d: order, JSON on stdin, facts in the environment, no inherited descriptors, time limit with
# the whole process group, what is refused, and what is tried again.
# timeout: 90
# shellcheck disable=SC2016 # what a shell would expand must not be
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-alerts.sh"
d=$tmp/alert.d

script() { # script NAME LINE…
	local file=$d/$1
	shift
	printf '%s\n' '#!/bin/bash' "$@" >"$file"
	chmod 0755 "$file"
}
once() { # one round of the messenger, that must end
	messenger_start
	messenger_ends 10
}
ran() { [ "$(cat "$tmp/ran" 2>/dev/null)" = "$1" ] || fail "ran: $(tr '\n' ' ' <"$tmp/ran"), not: $1"; }

conf 'script-seconds = 2'
for name in 10-b 9-a 20_c.sh; do script $name "echo $name >>$tmp/ran"; done
script 15-facts "cat >$tmp/json; env >$tmp/env; ls -l /proc/self/fd >$tmp/fds; pwd >$tmp/pwd; umask >$tmp/umask" "echo 15-facts >>$tmp/ran"
script 10-b~ "echo leftover >>$tmp/ran"
script .hidden "echo hidden >>$tmp/ran"
script 10-b.dpkg-old "echo dpkg >>$tmp/ran"
script 'with blank' "echo blank >>$tmp/ran"
echo 'not a program' >"$d/README"
mkdir "$d/11-dir"
id=$(alert raise verify-failed 'web 1 $(reboot)' $uuid beta 2 'it'\''s; `dead`' probe=disk)
exec 7</etc/passwd # must not be seen
once
ran $'10-b\n15-facts\n20_c.sh\n9-a' # in the order of C
jq -e --arg id "$id" '.id == $id and .details.probe == "disk" and .state == "raised"' "$tmp/json" >"$tmp/out" || fail "stdin: $(cat "$tmp/json")"
for line in "ID=$id" STATE=raised HOST=beta 'DOMAIN=web 1 $(reboot)' "UUID=$uuid" KIND=verify-failed SEVERITY=critical \
	"SUMMARY=it's; \`dead\`" COUNT=1; do
	grep -qxF "VIRT_WARDEN_ALERT_$line" "$tmp/env" || fail "the environment lacks $line: $(cat "$tmp/env")"
done
[ "$(grep -cvE '^(VIRT_WARDEN_ALERT_[A-Z]+|PATH|LANG|PWD|SHLVL|_)=' "$tmp/env")" = 0 ] || fail "environment: $(cat "$tmp/env")"
hasnt "$tmp/fds" 'passwd|alerts|inotify|signalfd'
[ "$(grep -c ' -> ' "$tmp/fds")" -le 4 ] || fail "descriptors: $(cat "$tmp/fds")"
has "$tmp/pwd" '^/$'

# Over: the same again. Then nothing is left.
rm "$tmp/ran"
alert resolve verify-failed $uuid beta
once
ran $'10-b\n15-facts\n20_c.sh\n9-a'
grep -qx 'VIRT_WARDEN_ALERT_STATE=resolved' "$tmp/env" || fail "state: $(cat "$tmp/env")"
[ "$(in_state "done")" = 1 ] || fail "not done"

# One that fails is tried again, the others are not; why can be seen.
rm "$tmp/ran"
script 10-b "echo 10-b >>$tmp/ran" "[ -e $tmp/well ] || { echo no luck; exit 3; }"
alert raise verify-failed web1 $uuid beta 2 dead >"$tmp/out"
messenger_start
sleep 1.5
run 1 virt-warden alerts
has "$tmp/err" 'scripts fails, and is tried again: 10-b: exit 3: no luck'
touch "$tmp/well"
messenger_ends 10
[ "$(grep -c 10-b "$tmp/ran")" -ge 2 ] || fail "not tried again"
for name in 15-facts 20_c.sh 9-a; do [ "$(grep -c $name "$tmp/ran")" = 1 ] || fail "$name ran twice: $(cat "$tmp/ran")"; done
alert resolve verify-failed $uuid beta
once

# Time limit: the whole group is ended; a script that leaves children, or closes stdin, or says a lot.
rm -rf "${d:?}"/*
script 10-hang "sleep 77 &" "echo \$! >$tmp/child" "[ -e $tmp/enough ] || sleep 77"
script 20-leaves "sleep 78 & disown" "echo \$! >$tmp/left"
script 30-deaf "exec 0<&-; head -c 3000000 /dev/zero | tr '\\0' x; echo >&2; echo 30-deaf >>$tmp/deaf"
alert raise verify-failed web1 $uuid beta 2 dead >"$tmp/out"
begin=$SECONDS
messenger_start
wait_for 15 test -s "$tmp/deaf" || fail "a script that hangs holds up the others"
[ $((SECONDS - begin)) -le 5 ] || fail "the time limit took $((SECONDS - begin)) s"
gone() { ! kill -0 "$(cat "$1")" 2>/dev/null; }
wait_for 5 gone "$tmp/child" || fail "the child of a script that hung lives on"
wait_for 5 gone "$tmp/left" || fail "what a script left in its group lives on"
wait_for 5 eval '{ virt-warden alerts 2>&1 || true; } | grep -q "10-hang: took longer than 2 s and was ended"' || fail "not said: $(virt-warden alerts 2>&1)"
touch "$tmp/enough"
messenger_ends 15
alert resolve verify-failed $uuid beta
once

# A process that left the script's group (which is ended) goes on writing for ever: the messenger does
# not read for ever.
rm -rf "${d:?}"/*
script 10-yes "setsid cat /dev/zero & disown" "sleep 0.2; echo 10-yes >>$tmp/endless"
alert raise verify-failed web1 $uuid beta 2 dead >"$tmp/out"
messenger_start
messenger_ends 10
[ -s "$tmp/endless" ] || fail "10-yes did not run"
alert resolve verify-failed $uuid beta
once

# SIGTERM while a script runs: all of it ends, at once; the alert is delivered by the next one.
script 10-hang "echo 10-hang >>$tmp/ran2" "[ \$(wc -l <$tmp/ran2) -gt 1 ] || sleep 79"
conf 'script-seconds = 60'
alert raise verify-failed web1 $uuid beta 2 dead >"$tmp/out"
messenger_start
wait_for 10 test -s "$tmp/ran2" || fail "did not run"
begin=$SECONDS
messenger_stop
[ $((SECONDS - begin)) -le 2 ] || fail "took $((SECONDS - begin)) s to end"
! pgrep -xf 'sleep 79' || fail "the script lives on"
once
[ "$(wc -l <"$tmp/ran2")" = 2 ] || fail "not delivered after a restart"
alert resolve verify-failed $uuid beta
once

# What others can write to is not run: file, directory, owner, link.
refused() { # refused REGEX: what a test alert says
	rm -f "$tmp/ran"
	run 3 virt-warden alerts test scripts
	has "$tmp/err" "$1"
	[ ! -e "$tmp/ran" ] || fail "it was run"
}
rm -rf "${d:?}"/*
script 10-a "echo 10-a >>$tmp/ran"
for mode in 0757 0777 0775; do
	chmod $mode "$d/10-a"
	refused '10-a: others can write to it, so it is not run: chown root'
done
chmod 0755 "$d/10-a"
chown 65534 "$d/10-a"
refused '10-a: others can write to it'
chown 0 "$d/10-a"
chmod 0777 "$d"
refused 'alert.d: others can write to it'
chmod 0755 "$d"
mv "$d/10-a" "$tmp/elsewhere"
ln -s "$tmp/elsewhere" "$d/10-a"
refused '10-a: is a link'
rm "$d/10-a"
refused 'sink scripts is not set up'
cp "$tmp/elsewhere" "$d/10-a"
run 0 virt-warden alerts test scripts
[ "$(wc -l <"$tmp/ran")" = 2 ] || fail "the test alert: $(cat "$tmp/ran")"
