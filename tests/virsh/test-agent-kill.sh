#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The agent is killed (-9) at random instants while domains are defined: none is lost or left
# half-changed, no version is lost. KILLS and DEFINES in the environment make it longer.
# timeout: 600
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
kills=${KILLS:-25} defines=${DEFINES:-40}
printf '[agent]\nquiet-seconds = 0\n' >"$VIRT_WARDEN_CONF"
lab_start
agent_start --connect qemu:///system

# The disks are there, so that only the definitions take time; one virsh defines them all.
for i in $(seq "$defines"); do
	generic "vm$i" >"$tmp/vm$i.xml"
	echo "define $tmp/vm$i.xml" >>"$tmp/script"
done
plain <"$tmp/script" >"$tmp/out" 2>"$tmp/err" &
definer=$!
RANDOM=${SEED:-$$}
for _ in $(seq "$kills"); do
	sleep "0.$(printf '%03d' $((RANDOM % 250)))"
	on kill -KILL "$(agent_pid)" 2>/dev/null || true
	on "$VW_BUILD/virt-wardend" --foreground --pidfile "$tmp/agent.pid" >>"$agent_log" 2>&1 &
	sleep 0.05
done
wait $definer || fail "a define failed: $(cat "$tmp/err")"
on kill -KILL "$(agent_pid)" 2>/dev/null || true
rm -f "$tmp/agent.pid"
agent_start --connect qemu:///system
settled

for i in $(seq "$defines"); do
	becomes "vm$i" "bus='virtio'"
	has "$tmp/xml" "cache='none'"
	has "$tmp/xml" "<rng model='virtio'>"
	hasnt "$tmp/xml" 'skip'
	uuid=$(sed -n 's,.*<uuid>\(.*\)</uuid>.*,\1,p' "$tmp/xml")
	dir=$VW_LAB/alpha/var/lib/virt-warden/history/$uuid
	first=$(find "$dir" -name '000001-*' -print -quit)
	grep -q "bus='ide'" "$first" || fail "vm$i: the original is not in the history"
done
[ "$(plain list --all --name | grep -c '^vm')" = "$defines" ] || fail "a domain is lost"
agent_stop
