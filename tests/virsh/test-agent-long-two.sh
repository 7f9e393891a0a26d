#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two agents on one libvirtd, each with a store of its own, stopped and woken at random instants: no
# loop, nothing fixed twice, nobody's hand seen where there was none. VW_LONG=yes: 200 defines.
# timeout: 900
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
if [ "${VW_LONG-}" = yes ]; then
	export DEFINES=${DEFINES:-200}
fi
printf '[agent]\nquiet-seconds = 1\ncompare-interval = 2\n' >"$VIRT_WARDEN_CONF"
long_start
long_python <<'PYTHON'
from agentlab import *

defines = number("DEFINES", 40)
libvirt.virEventRegisterDefaultImpl()
in_background(lambda: [libvirt.virEventRunDefaultImpl() for _ in iter(int, 1)])
conn = connect()
events = {}


def on_event(conn, dom, event, detail, opaque):
    if event == libvirt.VIR_DOMAIN_EVENT_DEFINED:
        events[dom.name()] = events.get(dom.name(), 0) + 1


conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_event, None)
agents = [Agent("one"), Agent("two", STATE + "-2")]
agents[0].start()
agents[0].wait_up()
states = references(conn, agents[0])
agents[1].start()
agents[1].wait_up()

# The second may not take the first's directories.
second = Agent("second")
second.start()
if second.process.wait(10) != 1 or "runs already" not in second.tail():
    fail(f"a second agent of the same directories goes on: {second.tail()}")

domains = [Domain(f"vm{i}") for i in range(defines)]
for i, d in enumerate(domains):
    d.define(conn)
    # One of them sleeps in the middle of what it does.
    if i % 4 == 0:
        time.sleep(random.uniform(0, 0.05))
        sleeper = random.choice(agents).process
        sleeper.send_signal(signal.SIGSTOP)
        time.sleep(random.uniform(0, 0.4))
        sleeper.send_signal(signal.SIGCONT)
    time.sleep(random.uniform(0, 0.06))
took = wait_fixed(30, domains, states)
for a in agents:
    a.settle()
counts = dict(events)
time.sleep(5)
if counts != events:
    fail(f"they do not come to rest: {set(events.items()) - set(counts.items())}")
wait_fixed(0, domains, states)
most = max(counts[d.name] for d in domains)
if most > 1 + len(agents) * (len(states) - 1):
    fail(f"a domain was defined {most} times")
for d in domains:
    # One may find what the other did; but each version once, in order, and the original in one of them.
    both = [[states.index(d.canonical(v[2])) for v in history(d.uuid, s)] for s in (STATE, STATE + "-2")]
    if any(steps != sorted(set(steps)) or steps[-1] != len(states) - 1 for steps in both) or min(both[0] + both[1]) > 0:
        fail(f"{d.name}: the histories go {both}")
for a in agents:
    a.stop()
    for line in a.lines():
        if re.search("put back|does not settle|refuses", line):
            fail(f"an agent said: {line}")
total = sum(counts[d.name] for d in domains)
print(f"{defines} domains, {total} defines in all, at most {most} of one; all fixed {took:.1f} s after the last")
PYTHON
