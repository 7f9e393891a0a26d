#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-warden-alert as its unit runs it: HTTP goes out of the cage, its child has no capability; what
# an admin has it run gets a transient unit (a systemd-run of our own tells), outside of the cage.
# timeout: 90
# shellcheck disable=SC2016 # a "$" that must arrive
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-alerts.sh"
# shellcheck source=lib/unit-syscalls.sh
. "$top/tests/virsh/lib/unit-syscalls.sh"
unit=$top/agent/virt-warden-alert.service
unit_syscalls "$unit"
! grep -qxE 'mount|ptrace|bpf|init_module|setpriority' "$tmp/calls" || fail "the unit's system calls"
caps=$(sed -n 's/^CapabilityBoundingSet=CAP_//p' "$unit" | tr '[:upper:]' '[:lower:]')
[ "$caps" = dac_override ] || fail "the unit's capabilities: $caps"
caged() { setpriv --bounding-set="-all,+$caps" --inh-caps=-all --no-new-privs "$tmp/only-syscalls" "$tmp/calls" refuse "$@"; }

# In the cage: a webhook that answers, another that hangs; the latter's child is looked at.
webhook_start
conf "webhook = http://localhost:$webhook_port/x" "metrics = $tmp/alerts.prom"
alert raise verify-failed web1 $uuid beta 2 'web1 is dead' >"$tmp/out"
caged "$messenger" 2>>"$tmp/messenger.err" &
messenger_pid=$!
wait_for 20 delivered_is 1 raised || fail "nothing comes out of the cage: $(cat "$tmp/messenger.err")"
messenger_ends 10
has "$tmp/alerts.prom" 'kind="verify-failed"'
webhook_mode hang
alert raise slow web1 $uuid beta 2 'web1 is slow' >"$tmp/out"
requests_are() { [ "$(requests)" -ge "$1" ]; }
messenger_start
wait_for 20 requests_are 2 || fail "no request"
child=$(pgrep -P "$messenger_pid")
grep -E '^(Cap|NoNewPrivs)' "/proc/$child/status" >"$tmp/status"
[ "$(grep -cE '^Cap(Inh|Prm|Eff|Bnd|Amb):	0000000000000000$' "$tmp/status")" = 5 ] && has "$tmp/status" '^NoNewPrivs:	1$' ||
	fail "the child that speaks HTTP may: $(cat "$tmp/status")"
kill -KILL "$messenger_pid" "$child"
wait "$messenger_pid" 2>/dev/null || true

# A service of systemd: a program of alert.d and sendmail each in a unit; its words arrive as they are.
mkdir -p /run/systemd/system
cat >"$tmp/systemd-run" <<END
#!/bin/bash
printf '%s\n' "\$@" >>"$tmp/words"
while [ "\$1" != -- ]; do shift; done
shift
exec "\${@//\\\$\\\$/\$}"
END
for name in alert.d/10-tell sendmail; do
	printf '#!/bin/bash\nenv | sort >>"%s/env.${0##*/}"\ncat >>"%s/stdin.${0##*/}"\n' "$tmp" "$tmp" >"$tmp/$name"
done
chmod 755 "$tmp/systemd-run" "$tmp/alert.d/10-tell" "$tmp/sendmail"
mount --bind "$tmp/systemd-run" /usr/bin/systemd-run
conf 'mail-to = root@example.org' "sendmail = $tmp/sendmail" 'scripts = yes' 'script-seconds = 7'
alert raise disk-full 'web$HOME' $uuid beta 2 '$PATH ${x} $$ %n costs 5$' >"$tmp/out"
INVOCATION_ID=0123456789abcdef0123456789abcdef "$messenger" 2>>"$tmp/messenger.err" &
messenger_pid=$!
messenger_ends 20
has "$tmp/env.10-tell" '^VIRT_WARDEN_ALERT_DOMAIN=web\$HOME$'
grep -qxF 'VIRT_WARDEN_ALERT_SUMMARY=$PATH ${x} $$ %n costs 5$' "$tmp/env.10-tell" || fail "the summary: $(cat "$tmp/env.10-tell")"
hasnt "$tmp/env.10-tell" '^(INVOCATION_ID|VW_BUILD)='
jq -s -e 'any(.domain == "web$HOME")' "$tmp/stdin.10-tell" >"$tmp/out" || fail "its stdin: $(cat "$tmp/stdin.10-tell")"
has "$tmp/stdin.sendmail" '^To: root@example.org'
has "$tmp/words" '^-pRuntimeMaxSec=7$'
has "$tmp/words" '^-pPartOf=virt-warden-alert.service$'
[ "$(grep -cx -- --pipe "$tmp/words")" -ge 2 ] || fail "no unit each: $(cat "$tmp/words")"
