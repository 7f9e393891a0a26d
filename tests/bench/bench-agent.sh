#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the agent costs: latency of a fix against a plain define, memory and a full comparison with
# DOMAINS (2000) domains against `virsh dumpxml` of them all in one process, and idle CPU.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../virsh/lib-agent.sh
. "$here/../virsh/lib-agent.sh"
domains=${DOMAINS:-2000} rounds=${ROUNDS:-20}
printf '[agent]\ncompare-interval = 3600\n' >"$VIRT_WARDEN_CONF"
lab_start
agent_start --connect qemu:///system >&2

# Latency, as a client sees it: from DEFINED to the fix that follows at once, and from the end of
# the quiet second to the rest; a plain define is measured by the same client, without the agent's
# part (the domain's mode is off).
cat >"$tmp/latency.py" <<'END'
import libvirt, statistics, sys, threading, time
libvirt.virEventRegisterDefaultImpl()
def loop():
    while True:
        libvirt.virEventRunDefaultImpl()
threading.Thread(target=loop, daemon=True).start()
conn = libvirt.open("qemu:///system")
text, rounds = open(sys.argv[1]).read(), int(sys.argv[2])
seen = {}
def on_event(conn, dom, event, detail, opaque):
    if event == libvirt.VIR_DOMAIN_EVENT_DEFINED:
        seen.setdefault(dom.name(), []).append(time.monotonic())
conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_event, None)
off = "<metadata><w:warden xmlns:w='urn:virt-warden:domain:1' mode='off'/>"
plain, host, rest = [], [], []
for i in range(rounds):
    t = time.monotonic()
    dom = conn.defineXML(text.replace("@NAME@", f"plain{i}").replace("<metadata>", off))
    plain.append(time.monotonic() - t)
    time.sleep(0.1)
    dom.undefine()
    name = f"lat{i}"
    dom = conn.defineXML(text.replace("@NAME@", name))
    for _ in range(300):
        time.sleep(0.01)
        if len(seen.get(name, [])) >= 3:
            break
    time.sleep(0.05)
    dom.undefine()
    s = seen[name]
    host.append(s[1] - s[0])
    rest.append(s[2] - s[0] - 1)
m = statistics.median
print(f"plain {m(plain)*1000:.2f} ms, host class {m(host)*1000:.2f} ms, rest {m(rest)*1000:.2f} ms", file=sys.stderr)
# Paired: each fix against the plain define just before it.
print(f"agent-latency-host {m(h / p for h, p in zip(host, plain)):.2f} ratio <=3")
print(f"agent-latency-rest {m(max(0, r) / p for r, p in zip(rest, plain)):.2f} ratio <=3")
END
generic lat | sed "s,<name>lat,<name>@NAME@," >"$tmp/lat.xml"
on /usr/bin/python3 "$tmp/latency.py" "$tmp/lat.xml" "$rounds"

# Many domains. They are defined in one go; mode off, so that only what they cost by being there counts.
generic many | sed "s,<metadata>,&<w:warden xmlns:w='urn:virt-warden:domain:1' mode='off'/>," >"$tmp/many.xml"
on /usr/bin/python3 - "$tmp/many.xml" "$domains" <<'END' >&2
import libvirt, sys
conn, text = libvirt.open("qemu:///system"), open(sys.argv[1]).read()
for i in range(int(sys.argv[2])):
    conn.defineXML(text.replace("<name>many", f"<name>many{i}"))
END
known() { agent_state | grep -qE "domains=$domains "; }
wait_for 60 known || fail "the agent does not know all domains"
wait_for 120 agent_is_idle
for i in 1 2 3; do
	agent_signal HUP
	until [ "$(grep -c 'domains compared' "$agent_log")" -gt "$i" ]; do sleep 0.1; done
done
sync_ms=$(sed -nE "s/.*: $domains domains compared in ([0-9]+) ms/\1/p" "$agent_log" | sort -n | sed -n 2p)
dump_ms=$(on /usr/bin/python3 - "$real" <<'END'
import subprocess, sys, time
names = subprocess.run([sys.argv[1], "-q", "list", "--all", "--name"], capture_output=True, text=True).stdout.split()
script = "".join(f"dumpxml --inactive --security-info {n}\n" for n in names)
times = []
for _ in range(3):
    t = time.monotonic()
    subprocess.run([sys.argv[1], "-q"], input=script, text=True, stdout=subprocess.DEVNULL, check=True)
    times.append(time.monotonic() - t)
print(int(sorted(times)[1] * 1000))
END
)
echo "compare $sync_ms ms, virsh dumpxml $dump_ms ms" >&2
awk -v a="$sync_ms" -v b="$dump_ms" 'BEGIN { printf "agent-resync %.2f ratio <=3\n", a / b }'
sleep 1.5
on cat "/proc/$(agent_pid)/status" | awk '/^RssAnon/ { printf "agent-rss %.2f MiB <=8\n", $2 / 1024 }'

# Idle: clock ticks in 10 s.
ticks() { on cat "/proc/$(agent_pid)/stat" | awk '{ print $14 + $15 }'; }
before=$(ticks)
sleep 10
echo "agent-idle-cpu $(($(ticks) - before)) ticks <=0"
agent_stop
