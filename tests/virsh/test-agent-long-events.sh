#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Thousands of events (defines, metadata, undefines): memory and descriptors stay flat, nothing is
# lost, and then the agent rests. VW_LONG=yes: 100,000 events, 200 domains, 60 s of rest.
# VW_SANITIZED=yes: the agent (AGENT=…) is one of `make asan`; VW_VALGRIND=yes: it runs under valgrind.
# timeout: 3600
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
if [ "${VW_LONG-}" = yes ]; then
	export EVENTS=${EVENTS:-100000} DOMAINS=${DOMAINS:-200} REST=${REST:-60}
fi
printf '[agent]\ncompare-interval = 3600\n' >"$VIRT_WARDEN_CONF"
long_start
long_python <<'PYTHON'
from agentlab import *

total, count, rest = number("EVENTS", 5000), number("DOMAINS", 40), number("REST", 10)
plain = "yes" not in (os.environ.get("VW_SANITIZED"), os.environ.get("VW_VALGRIND"))
wrap = []
if os.environ.get("VW_VALGRIND") == "yes":
    wrap = ["valgrind", "-q", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect",
            "--show-leak-kinds=definite,indirect", "--error-exitcode=99", "--child-silent-after-fork=yes",
            f"--log-file={TMP}/valgrind"]
agent = Agent(wrap=wrap)
agent.start()
agent.wait_up(60)
libvirt.virEventRegisterDefaultImpl()
in_background(lambda: [libvirt.virEventRunDefaultImpl() for _ in iter(int, 1)])
events, tally = 0, {}


def on_event(conn, dom, *rest):
    global events
    events += 1


conn = connect()
conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_event, None)
conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, on_event, None)
states = references(conn, agent)
domains = [Domain(f"vm{i}") for i in range(count)]
for d in domains:
    d.define(conn)
wait_fixed(60 if plain else 600, domains, states)
agent.settle(600)


born = {}


def change(d, k):
    """What its owner does: metadata of a tool, a changed config, a new life."""
    dom = conn.lookupByUUIDString(d.uuid)
    kind = random.choices(["metadata", "define", "anew"], [6, 3, 1])[0]
    # What was read before it was fixed, and is stored after that, takes the fix back.
    if kind == "define" and not is_fixed(dom.XMLDesc(CONFIG), born.get(d.name, 0)):
        kind = "metadata"
    tally[kind] = tally.get(kind, 0) + 1
    if kind == "metadata":
        dom.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, f"<n>{k}</n>", "t", "urn:test:1",
                        libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    elif kind == "define":
        conn.defineXML(re.sub(r"(emory unit='KiB'>)\d+", rf"\g<1>{262144 + k}", dom.XMLDesc(CONFIG)))
    else:
        born[d.name] = time.monotonic()
        dom.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
        d.define(conn)


def is_fixed(text, since):
    return "bus='virtio'" in text and time.monotonic() > since + 0.5


def descriptors():
    return len(os.listdir(f"/proc/{agent.process.pid}/fd"))


marks, began, k, spent = [], time.monotonic(), 0, agent.cpu_ticks()
start = events
while events - start < total:
    change(random.choice(domains), k := k + 1)
    if k % 16 == 0:
        time.sleep(0.004)  # others want to live, too
    done = events - start
    if len(marks) < 3 and done >= total * (0.1, 0.5, 1)[len(marks)]:
        agent.settle(600)
        marks.append((agent.memory(), descriptors()))
seconds = time.monotonic() - began
cpu = (agent.cpu_ticks() - spent) / os.sysconf("SC_CLK_TCK")
while len(marks) < 3:
    agent.settle(600)
    marks.append((agent.memory(), descriptors()))
rss = [m[0] for m in marks]
if plain and (rss[2] > rss[0] * 1.1 + 512 or marks[2][1] > marks[0][1] + 1):
    fail(f"RssAnon in kB and descriptors at 10, 50, 100 %: {marks}")

# Whatever came, each is fixed at the end, and the history is whole.
def others():
    texts = {d.name: d.config(conn) for d in domains}
    return [t for t in texts.values() if "bus='virtio'" not in t or "cache='none'" not in t or "<rng " not in t]


wait_for(60, "all are fixed", lambda: not others())
for d in domains:
    if ":skip" in d.config(conn):
        fail(f"a skip in {d.name}, that nobody wanted: {[v[:2] for v in history(d.uuid)[-6:]]}")
    history(d.uuid)
agent.settle(600)
before = agent.cpu_ticks()
if plain:
    time.sleep(rest)
used = agent.cpu_ticks() - before
if used > 1:  # one: what libvirt's keepalive takes may end a tick that was begun long ago
    fail(f"{used} ticks of CPU in {rest} s of rest with {count} domains")
agent.stop(60)
if wrap and os.path.getsize(f"{TMP}/valgrind"):
    fail(open(f"{TMP}/valgrind").read())
for line in agent.lines():
    if re.search("put back|does not settle|refuses|Sanitizer|runtime error", line):
        fail(f"the agent said: {line}")
print(f"{events - start} events in {seconds:.0f} s ({tally}), {cpu:.1f} s of the agent's CPU; RssAnon in kB and descriptors "
      f"at 10, 50, 100 %: {marks}; {used} ticks in {rest} s of rest with {count} domains")
PYTHON
