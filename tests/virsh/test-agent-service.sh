#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The systemd unit is valid and hardened; readiness, watchdog and journal protocols; a daemon
# without systemd; metrics; --help and the manual page say the same.
# timeout: 90
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"

# 25 = an exposure of 2.5.
for unit in "$top"/agent/*.service "$top"/agent/*.path; do
	sed "s,@sbindir@,$VW_BUILD,; s,@libexecdir@,$VW_BUILD,; s,@statedir@,/var/lib/virt-warden,; /^Documentation/d" "$unit" \
		>"$tmp/${unit##*/}"
done
for unit in "$tmp"/virt-*.service; do run 0 systemd-analyze security --offline=true --threshold=25 "$unit"; done
# A verifier's transient unit: the agent's cage, and the network. (Not these: libvirt sees to its own LUNs;
# the agent's one system call more is for another thread of its own.)
sed -n '/^CapabilityBoundingSet=/,/^UMask=/p' "$top/agent/virt-wardend.service" |
	grep -vE '^(#|$|CapabilityBoundingSet=|RestrictAddressFamilies=|IPAddressDeny=|DeviceAllow=|SystemCallFilter=sched_)' >"$tmp/cage"
[ "$(wc -l <"$tmp/cage")" -ge 20 ] || fail "the agent's cage: $(cat "$tmp/cage")"
while read -r line; do
	grep -qF "\"-p$line\"" "$top/lib/daemon/unit.c" || fail "a verifier lacks $line"
done <"$tmp/cage"
grep -qF '"-pCapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_NET_RAW"' "$top/lib/daemon/unit.c" || fail "a verifier's capabilities"
run 0 systemd-analyze verify "$tmp"/virt-*.service "$tmp"/virt-*.path
empty "$tmp/err"

help_options() { sed -nE 's/^ +(-[a-zA-Z], )?(--[a-z-]+).*/\2/p' | sort; }
page_options() { sed -nE 's/^\.It .*Fl Fl ([a-z-]+).*/--\1/p' "$top/docs/virt-wardend.8" | sort; }
[ "$("$VW_BUILD/virt-wardend" --help | help_options)" = "$(page_options)" ] || fail "the page has other options"
run 0 "$VW_BUILD/virt-wardend" --version
has "$tmp/out" '^virt-wardend [0-9]'

# A daemon: the parent ends when the child is up, the status says whether it is.
lab_start
metrics=$tmp/warden.prom
printf '[agent]\ncompare-interval = 2\nmetrics = %s\n' "$metrics" >"$VIRT_WARDEN_CONF"
run 0 on "$VW_BUILD/virt-wardend" --pidfile "$tmp/agent.pid"
wait_for 10 agent_is_up || fail "no state"
run 1 on "$VW_BUILD/virt-wardend"
has "$tmp/err" 'runs already'
generic web1 >"$tmp/web1.xml"
plain define "$tmp/web1.xml" >"$tmp/out"
becomes web1 "bus='virtio'"
settled
sleep 1.2
has "$metrics" '^virt_warden_connected\{uri="qemu:///system"\} 1$'
has "$metrics" '^virt_warden_domains\{uri="qemu:///system",state="off"\} 1$'
has "$metrics" '^virt_warden_fixes_total [12]$'
has "$metrics" '^virt_warden_findings\{uri="qemu:///system",rule="disk-cache"\} 0$'
run 0 on "$VW_BUILD/virt-warden" status
has "$tmp/out" "agent .*runs \(pid $(agent_pid)\): 1 of 1 libvirt connected, [12] fixed"
run 0 on "$VW_BUILD/virt-warden" status --json
[ "$(jq .agent_details.domains "$tmp/out")" = 1 ] || fail "the agent's domains are not told"
[ "$(jq .domains.fixed "$tmp/out")" = 1 ] || fail "what the agent fixed does not count: $(jq -c .domains "$tmp/out")"
agent_stop
# Installed (here: on PATH), and it does not run.
run 0 on env PATH="$VW_BUILD:$PATH" "$VW_BUILD/virt-warden" status
has "$tmp/out" 'agent .*not running'
[ -z "$(agent_state)" ] || fail "the state outlives the agent"
printf 'define = x\n' >"$VIRT_WARDEN_CONF"
run 1 on "$VW_BUILD/virt-wardend"
has "$tmp/err" 'warden.conf:1:'

# systemd's protocols, with sockets of our own in its place.
cat >"$tmp/sink.py" <<'END'
import os, socket, sys, threading
def sink(path, name):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    out = open(sys.argv[1] + "/" + name, "wb", 0)
    while True:
        out.write(s.recv(65536) + b"\n")
threading.Thread(target=sink, args=("/run/systemd/journal/socket", "journal")).start()
sink(sys.argv[1] + "/notify.socket", "notify")
END
printf '[agent]\ncompare-interval = 2\n' >"$VIRT_WARDEN_CONF"
on /usr/bin/python3 "$tmp/sink.py" "$tmp" &
wait_for 10 test -S "$tmp/notify.socket" || fail "no sink"
agent_log=$tmp/journal
on env NOTIFY_SOCKET="$tmp/notify.socket" WATCHDOG_USEC=2000000 "$VW_BUILD/virt-wardend" --foreground \
	--pidfile "$tmp/agent.pid" >"$tmp/out" 2>&1 &
wait_for 10 grep -qx READY=1 "$tmp/notify" || fail "not ready"
wait_for 10 grep -qx WATCHDOG=1 "$tmp/notify" || fail "no sign of life"
generic web2 >"$tmp/web2.xml"
plain define "$tmp/web2.xml" >"$tmp/err"
becomes web2 "bus='virtio'"
wait_for 5 grep -q '^VIRT_WARDEN_KIND=fixed$' "$tmp/journal" || fail "no line in the journal"
has "$tmp/journal" '^MESSAGE=web2: fixed: .*disk-cache'
has "$tmp/journal" '^VIRT_WARDEN_DOMAIN=web2$'
has "$tmp/journal" "^VIRT_WARDEN_UUID=$(uuid_of web2)\$"

# A mistake in warden.conf: nothing is changed until it is mended, and that is said once.
printf 'define = x\n' >"$VIRT_WARDEN_CONF"
for name in web3 web4; do
	generic $name >"$tmp/$name.xml"
	plain define "$tmp/$name.xml" >"$tmp/err"
done
wait_for 5 grep -q '^MESSAGE=.*warden.conf:1:' "$tmp/journal" || fail "not said"
sleep 1.5
[ "$(grep -c '^MESSAGE=.*warden.conf:1:' "$tmp/journal")" = 1 ] || fail "said more than once"
stored_hasnt web3 "cache='none'"
printf '[agent]\ncompare-interval = 2\n' >"$VIRT_WARDEN_CONF"
becomes web3 "bus='virtio'"
becomes web4 "bus='virtio'"
agent_stop
wait_for 5 grep -qx STOPPING=1 "$tmp/notify" || fail "its end is not told"
