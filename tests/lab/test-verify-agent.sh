#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# serial
# An agent on each host, plain virsh migrate: what is normal for a guest travels with it; the
# destination's agent gives a verdict on a healthy guest and on one that died, though virsh says
# running; tells of it, and that it is over when the guest lives again.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

lab_begin
"$lab" up --asymmetric >/dev/null
export VIRT_WARDEN_STATEDIR=/var/lib/virt-warden VIRT_WARDEN_CACHEDIR=/var/cache/virt-warden
export VIRT_WARDEN_DATADIR=$LAB_DIR/../.. VIRT_WARDEN_CONF=$work/warden.conf
printf '[verify]\nsample-seconds = 2\n' >"$work/warden.conf"

for host in alpha beta; do
	on $host "$VW_BUILD/virt-wardend" --foreground >"$work/agent.$host" 2>&1 &
done
on_both_up() { grep -q 'domains compared' "$work/agent.alpha" && grep -q 'domains compared' "$work/agent.beta"; }
until_true 20 on_both_up || fail "the agents do not come up: $(cat "$work"/agent.*)"

has_baseline() { real "$1" metadata "$2" urn:virt-warden:baseline:1 | grep "cpu=" >/dev/null; }
# moved NAME FROM TO: a plain live migration; the end of it is $moved.
move()
{
	real "$2" migrate --live --persistent --undefinesource "$1" "$("$lab" uri "$3")"
	moved=$SECONDS
}
verdict_is() { grep -qE "^$2: $3 after its migration" "$work/agent.$1"; }
alerts_of() { on "$@" || [ $? = 1 ]; } # 1: some are open
alert_is() { alerts_of "$1" "$VW_BUILD/virt-warden" alerts --json --all | grep -E "$2" >/dev/null; }

"$lab" guest tick --cpu Nehalem --disk block >/dev/null
"$lab" guest dies --cpu maximum --payload aes --disk block >/dev/null
for name in tick dies; do
	until_true 40 has_baseline alpha $name ||
		fail "no baseline of $name: $(real alpha dumpxml $name | sed -n '1,/metadata>/p'; cat "$work/agent.alpha")"
done

move tick alpha beta
has_baseline beta tick || fail "the baseline did not travel"
until_true 20 verdict_is beta tick healthy || fail "tick: no verdict: $(cat "$work/agent.beta")"
echo "tick: healthy after $((SECONDS - moved)) s"
on beta "$VW_BUILD/virt-warden" history tick >"$work/history"
grep -q '^Verified after its migration: healthy, ' "$work/history" || fail "history: $(cat "$work/history")"
alert_is beta '"verify-' && fail "an alert for a healthy guest: $(on beta "$VW_BUILD/virt-warden" alerts --json --all)"

move dies alpha beta
[ "$(real beta domstate --reason dies)" = "running (migrated)" ] || fail "libvirt says $(real beta domstate --reason dies)"
until_true 15 verdict_is beta dies failed ||
	fail "dies: not failed within 15 s: $(cat "$work/agent.beta"; on beta sh -c "cat /var/lib/virt-warden/verdicts/*"; tail -n 3 "$VW_LAB/guests/dies.console")"
echo "dies: failed after $((SECONDS - moved)) s: $(grep '^dies: failed' "$work/agent.beta")"
until_true 5 alert_is beta '"kind": *"verify-failed"' ||
	fail "no alert: $(on beta "$VW_BUILD/virt-warden" alerts --json --all)"
[ "$(real beta domstate --reason dies)" = "running (migrated)" ] || fail "the agent touched it"

# Somebody who was told deals with it: what was told is over.
real beta destroy dies
alert_over() { ! alerts_of beta "$VW_BUILD/virt-warden" alerts --json | grep verify-failed >/dev/null; }
until_true 10 alert_over || fail "the alert stays: $(on beta "$VW_BUILD/virt-warden" alerts --json)"

# Back again, and the source's agent is silent.
# By our virsh, which waits for the verdict, too, and says it.
on beta "$VW_BUILD/virsh" -c qemu:///system migrate --live --persistent --undefinesource tick \
	"$("$lab" uri alpha)" >"$work/said" 2>&1 || fail "migrate, back: $(cat "$work/said")"
cat "$work/said"
grep -qE '^virt-warden: tick: healthy on alpha after its migration \([0-9.]+ s\)$' "$work/said" ||
	fail "our virsh says: $(cat "$work/said")"
until_true 20 verdict_is alpha tick healthy || fail "tick, back: no verdict: $(cat "$work/agent.alpha")"
grep -q 'failed' "$work/agent.alpha" && fail "alpha: $(cat "$work/agent.alpha")"
exit 0
